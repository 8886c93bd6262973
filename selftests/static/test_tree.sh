#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# House rules that a program can check: licences, headers that stand alone,
# no absolute path of anybody's machine, no kill by name, sizes, layering.
set -u
cd "$(dirname "$0")/../.." || exit 1
. selftests/lib.sh

files=$(git ls-files --cached --others --exclude-standard)

no_spdx=
for f in $files; do
	case $f in
	LICENSES/*|.gitignore|.clang-format|*.md|*/corpus/*|*.example) continue ;;
	esac
	head -n 3 "$f" | grep -q SPDX-License-Identifier || no_spdx="$no_spdx$f
"
done
ok_empty "every source file names its licence" "$no_spdx"
ok_empty "kmod is GPL-2.0-only, its proto also MIT, the UAPI has the syscall note" "$(
	grep -L 'SPDX-License-Identifier: GPL-2.0-only' kmod/*.[ch]
	grep -L 'GPL-2.0-only OR MIT' kmod/proto/*.[ch] include/ntpk/*.h
	grep -L 'WITH Linux-syscall-note' include/uapi/linux/*.h)"
ok_empty "no absolute path of somebody's machine" \
	"$(grep -nE '(^|[^A-Za-z_/}])/(work|root|home/[a-z]+)/' $files | grep -v '^selftests/static/')"
ok_empty "nothing is killed by name" \
	"$(grep -nE '\b(pkill|killall)\b|kill -9 -1' $files | grep -v '^selftests/static/\|\.md:')"
ok_empty "no unfinished work named in the tree" \
	"$(grep -nE '\b(TODO|FIXME|XXX|HACK)\b' $files | grep -v '^selftests/static/\|^\.clang-format')"
ok_empty "CONTRIBUTING.md has at most 100 lines" \
	"$(awk 'END { if (NR > 100) print NR " lines" }' CONTRIBUTING.md)"

alone=
for h in userspace/*/*.h include/ntpk/*.h; do
	out=$(${CC:-cc} -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror -Iinclude -Iinclude/uapi \
		-Iuserspace -fsyntax-only -x c "$h" 2>&1) || alone="$alone$h: $out
"
done
ok_empty "each header compiles alone" "$alone"
ok_empty "the UAPI header compiles alone as C90" \
	"$(${CC:-cc} -std=c90 -Wall -Wextra -Werror -Iinclude/uapi -fsyntax-only -x c \
		include/uapi/linux/ntpk.h 2>&1)"

ok_empty "each fuzz target has a corpus, and is one of selftests/fuzz" "$(
	for f in userspace/tests/fuzz/fuzz_*.c; do
		t=$(basename "$f" .c); t=${t#fuzz_}
		[ -d "userspace/tests/fuzz/corpus/$t" ] || echo "no corpus: $t"
		grep -q "^	\"$t\": " selftests/fuzz || echo "not in selftests/fuzz: $t"
	done)"

# Functions: none over 100 lines (from a brace in column 0 to its end).
ok_empty "no function over 100 lines" "$(
	awk 'FNR == 1 { start = 0 }
	     /^\{/ { start = FNR }
	     /^\}/ { if (start && FNR - start > 100) print FILENAME ":" start ": " FNR - start; start = 0 }' \
	    $(printf '%s\n' $files | grep '\.c$'))"
ok_empty "no file of code over 900 lines" "$(
	for f in $(printf '%s\n' $files | grep '\.[ch]$'); do
		awk 'END { if (NR > 900) print FILENAME ": " NR }' "$f"
	done)"
finish
