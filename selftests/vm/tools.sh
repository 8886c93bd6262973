#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Build the small programs of the test machines, truth and clockerr, into
# build/vm: static, so that they run in a root of any suite.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$here/../../build/vm"
out=$(cd "$here/../../build/vm" && pwd)
exec 9>"$out/tools.lock"
flock 9
for prog in truth clockerr; do
	[ "$out/$prog" -nt "$here/$prog.c" ] || {
		${CC:-gcc} -O2 -Wall -Wextra -Werror -static -o "$out/$prog.new" \
			"$here/$prog.c" -lm
		mv "$out/$prog.new" "$out/$prog"
	}
done
echo "$out"
