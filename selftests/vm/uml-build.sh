#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Build the debug kernel: user-mode Linux from Debian sid's linux-source with
# KASAN, lockdep, two CPUs (uml-debug.config), once, into the cache.
#
# Prints the build folder (with linux and the module build tree) on its last
# line.  Keyed by source package version and configuration: a change of either
# builds anew.  Environment: NTPK_CACHE, NTPK_MIRROR, NTPK_UML_SUITE (sid).
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
. "$here/apt-private.sh"
suite=${NTPK_UML_SUITE:-sid}
config=$here/uml-debug.config

say() { echo "uml-build: $*" >&2; }
die() { say "$*"; exit 1; }

# A cached build is used without asking the network whether sid has moved on.
chash=$(sha256sum <"$config" | cut -c1-12)
for d in "$NTPK_CACHE"/uml/*-"$chash"; do
	[ -f "$d/complete" ] || continue
	echo "$d"
	exit 0
done
[ "${1:-}" != --cached ] || exit 1

apt_private_init "$suite"
apt_private "$suite" update >&2 || die "cannot read the package lists of $suite"
pkg=$(apt_private_cache "$suite" depends linux-source 2>/dev/null |
      awk '/Depends: linux-source-[0-9]/ { print $2; exit }')
[ -n "$pkg" ] || die "no linux-source in $suite"
version=$(apt_private_cache "$suite" show "$pkg" | awk '/^Version:/ { print $2; exit }')
out=$NTPK_CACHE/uml/$version-$chash
mkdir -p "$NTPK_CACHE/uml"

exec 9>"$NTPK_CACHE/uml/lock"
flock 9
if [ -f "$out/complete" ]; then
	echo "$out"
	exit 0
fi

tmp=$NTPK_CACHE/uml/tmp
rm -rf "$tmp" "$out"
mkdir -p "$tmp" "$out"
say "fetching $pkg $version"
(cd "$tmp" && apt_private "$suite" download "$pkg" >&2) || die "cannot fetch $pkg"
dpkg-deb -x "$tmp"/"$pkg"_*.deb "$tmp/x"
rm -f "$tmp"/"$pkg"_*.deb
say "unpacking"
tar -C "$tmp" -xf "$tmp"/x/usr/src/"$pkg".tar.* || die "cannot unpack $pkg"
rm -rf "$tmp/x"
mv "$tmp/$pkg" "$out/source"
rm -rf "$tmp"

say "configuring and building (about 15 minutes on two cores, once)"
log=$out/build.log
if ! { make -C "$out/source" ARCH=um O="$out/build" allnoconfig KCONFIG_ALLCONFIG="$config" &&
       nice make -C "$out/source" ARCH=um O="$out/build" -j"$(nproc)" all; } >"$log" 2>&1; then
	tail -n 30 "$log" >&2
	die "the build failed; the whole log is $log"
fi
for want in CONFIG_KASAN=y CONFIG_PROVE_LOCKING=y CONFIG_SMP=y CONFIG_NF_CONNTRACK=y; do
	grep -qx "$want" "$out/build/.config" || die "the configuration lost $want"
done
touch "$out/complete"
echo "$out"
