#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Build this tree's ntpk.ko for a test machine's kernel, with the compiler of
# that machine's own root.
#
#	module.sh [SUITE]	the kernel of root.sh SUITE (bookworm), cross-ARCH too
#	module.sh uml|kcsan	the debug kernels of uml-build.sh, kcsan-build.sh
#	module.sh host [KDIR=DIR]	this machine's kernel, its headers and compiler
#
# Prints the path, build/kmod/KVER/ntpk.ko, on the last line; a log is beside
# it, and for test machines the modules of selftests/kmod in a folder like that.  The build is incremental and locked, so it may be called at each use.
# Environment: STRICT=1 builds anew and fails on any warning that is not in the
# kernel's own headers; SPARSE=1 runs sparse as well (not for those two: the same
# kernel is sid's, and an older sparse stumbles over its headers);
# ANALYZE=1 has gcc's analyzer look at each function (sid: it is better the newer it is);
# NTPK_COVER=y has the module, in build/kmod-cover, tell selftests/kmod/covered.c where it is;
# NTPK_BUILD_UNIX_S is the build date compiled in (else SOURCE_DATE_EPOCH, else
# the last commit's).
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
tree=$(cd "$here/../.." && pwd)
. "$here/in-root.sh"
flavour=${1:-bookworm}
STRICT=${STRICT:-0}
SPARSE=${SPARSE:-0}
ANALYZE=${ANALYZE:-0}
builds=$tree/build/kmod${NTPK_COVER:+-cover}
case $flavour in
uml|kcsan) SPARSE=0 ;;
esac

say() { echo "module: $*" >&2; }
die() { say "$*"; exit 1; }

build_date() {
	if [ -n "${NTPK_BUILD_UNIX_S:-${SOURCE_DATE_EPOCH:-}}" ]; then
		echo "${NTPK_BUILD_UNIX_S:-$SOURCE_DATE_EPOCH}"
	elif ! git -C "$tree" log -1 --format=%ct 2>/dev/null; then
		find "$tree/kmod" "$tree/include" -type f -printf '%T@\n' | sort -n |
			tail -n 1 | cut -d. -f1
	fi
}

# Copy the sources with their dates, so that make sees only what has changed,
# and drop what the tree no longer has.
copy_sources() {
	local f

	mkdir -p "$work"
	if [ "$STRICT" = 1 ]; then
		rm -rf "$work/kmod" "$work/include" "$work/selftests"
	fi
	(cd "$work" && find kmod include selftests -name '*.[ch]' ! -name '*.mod.c' 2>/dev/null || true) |
	while read -r f; do
		[ -e "$tree/$f" ] || rm -f "$work/$f"
	done
	cp -Rp "$tree/Kbuild" "$tree/kmod" "$tree/include" "$work/"
	[ "$flavour" = host ] || { mkdir -p "$work/selftests" && cp -Rp "$tree/selftests/kmod" "$work/selftests/"; }
}

# KBUILD_CHECKSRC: 7.2 asks a script that its header packages lack whether
# sparse is good enough, and else goes on without it.
make_args() {
	args=(-j"$(nproc)" W=1 "NTPK_BUILD_UNIX_S=$(build_date)")
	[ "$flavour" = host ] || args+=(NTPK_TEST_MODULES=m)
	[ -z "${NTPK_COVER:-}" ] || args+=(NTPK_COVER=y)
	[ "$ANALYZE" != 1 ] || args+=(KCFLAGS=-fanalyzer)
	[ "$SPARSE" != 1 ] || args+=(C=2 KBUILD_CHECKSRC=2 CHECK=sparse CF=-D__CHECK_ENDIAN__)
}

# What a compiler for another architecture has to be told.
cross_args() {
	case $flavour in
	cross-armhf) args+=(ARCH=arm CROSS_COMPILE=arm-linux-gnueabihf-) ;;
	cross-arm64) args+=(ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu-) ;;
	cross-s390x) args+=(ARCH=s390 CROSS_COMPILE=s390x-linux-gnu-) ;;
	esac
}

own_kernel() {
	local out

	out=$("$here/$flavour-build.sh" | tail -n 1)
	kver=$(cat "$out/build/include/config/kernel.release")
	run=(env LC_ALL=C make -C "$out/build" "ARCH=$1")
}

if [ "$flavour" = uml ]; then
	own_kernel um
elif [ "$flavour" = kcsan ]; then
	own_kernel x86_64
elif [ "$flavour" = host ]; then
	kdir=/lib/modules/$(uname -r)/build
	case ${2:-} in
	KDIR=*) kdir=${2#KDIR=} ;;
	esac
	[ -d "$kdir" ] || die "no kernel headers at $kdir: apt install linux-headers-$(uname -r)"
	kver=$(make -s -C "$kdir" kernelrelease)
	run=(env LC_ALL=C make -C "$kdir")
else
	root=$("$here/root.sh" "$flavour" | tail -n 1)
	kver=$(ls "$root/lib/modules" | sort -V | tail -n 1)
	run=(in_root "$root" "$builds/$kver=/src" -- make -C "/lib/modules/$kver/build")
fi
work=$builds/$kver
mkdir -p "$builds"
exec 9>"$work.lock"
flock 9

copy_sources
case $flavour in
uml|kcsan|host) m=$work ;;
*) m=/src ;;
esac
make_args
cross_args
log=$work/build.log
if ! "${run[@]}" M="$m" "${args[@]}" modules >"$log" 2>&1; then
	cat "$log" >&2
	die "ntpk.ko does not build for $kver"
fi
if [ "$SPARSE" = 1 ] && ! grep -q '^ *CHECK ' "$log"; then
	die "sparse did not run for $kver: see $log"
fi
# "include/" without a slash before it is the kernel's: ours comes as a path
# of the work folder.  "the compiler differs" is not about our code.
warnings=$(grep -E '(warning|error):|^WARNING:' "$log" |
	   grep -Ev '^(\./|/usr/src/[^:]*/)?(include|arch)/|the compiler differs' || true)
if [ -n "$warnings" ]; then
	printf '%s\n' "$warnings" >&2
	[ "$STRICT" != 1 ] || die "warnings for $kver"
fi
echo "$work/ntpk.ko"
