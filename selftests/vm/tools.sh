#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Build the small programs of the test machines into build/vm: static, so that
# they run in a root of any suite.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$here/../../build/vm"
out=$(cd "$here/../../build/vm" && pwd)
exec 9>"$out/tools.lock"
flock 9
for src in truth.c clockerr.c counter.c flood.c pktfuzz.c ../bench/blast.c ../bench/steady.c; do
	prog=$(basename "$src" .c)
	[ "$out/$prog" -nt "$here/$src" ] && [ "$out/$prog" -nt "$here/../bench/frames.h" ] || {
		${CC:-gcc} -O2 -Wall -Wextra -Werror -static -o "$out/$prog.new" \
			"$here/$src" -lm
		mv "$out/$prog.new" "$out/$prog"
	}
done
echo "$out"
