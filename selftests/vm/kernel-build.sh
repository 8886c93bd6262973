# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Building a kernel of our own from the source package of Debian: uml-build.sh,
# kcsan-build.sh.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/apt-private.sh"
suite=${NTPK_UML_SUITE:-sid}

say() { echo "${0##*/}: $*" >&2; }
die() { say "$*"; exit 1; }

# kernel_fetch DIR PACKAGE: its source into DIR/source
kernel_fetch() {
	local out=$1 pkg=$2 tmp=$1/tmp

	mkdir "$tmp"
	say "fetching $pkg"
	(cd "$tmp" && apt_private "$suite" download "$pkg" >&2) || die "cannot fetch $pkg"
	dpkg-deb -x "$tmp"/"$pkg"_*.deb "$tmp/x"
	rm -f "$tmp"/"$pkg"_*.deb
	say "unpacking"
	tar -C "$tmp" -xf "$tmp"/x/usr/src/"$pkg".tar.* || die "cannot unpack $pkg"
	mv "$tmp/$pkg" "$out/source"
	rm -rf "$tmp"
}

# kernel_build KIND ARCH TARGETS WANTED [--cached]: KIND-debug.config, of which WANTED
# must be there at the end.  Keyed by the version of the source package and by the
# configuration: a change of either builds anew.
kernel_build() {
	local kind=$1 arch=$2 targets=$3 wanted=$4 config=$here/$1-debug.config
	local chash d pkg version out log make want

	# A cached build is used without asking the network whether sid has moved on.
	chash=$(sha256sum <"$config" | cut -c1-12)
	for d in "$NTPK_CACHE/$kind"/*-"$chash"; do
		[ -f "$d/complete" ] || continue
		echo "$d"
		return
	done
	[ "${5:-}" != --cached ] || exit 1

	apt_private_init "$suite"
	apt_private "$suite" update >&2 || die "cannot read the package lists of $suite"
	pkg=$(apt_private_cache "$suite" depends linux-source 2>/dev/null |
	      awk '/Depends: linux-source-[0-9]/ { print $2; exit }')
	[ -n "$pkg" ] || die "no linux-source in $suite"
	version=$(apt_private_cache "$suite" show "$pkg" | awk '/^Version:/ { print $2; exit }')
	out=$NTPK_CACHE/$kind/$version-$chash
	mkdir -p "$NTPK_CACHE/$kind"

	exec 9>"$NTPK_CACHE/$kind/lock"
	flock 9
	if [ -f "$out/complete" ]; then
		echo "$out"
		return
	fi
	rm -rf "$out"
	mkdir "$out"
	kernel_fetch "$out" "$pkg"

	say "configuring and building (about 15 minutes on two cores, once)"
	log=$out/build.log
	make=(make -C "$out/source" "ARCH=$arch" "O=$out/build")
	# shellcheck disable=SC2086 # a list
	if ! { "${make[@]}" allnoconfig KCONFIG_ALLCONFIG="$config" &&
	       nice "${make[@]}" -j"$(nproc)" $targets; } >"$log" 2>&1; then
		tail -n 30 "$log" >&2
		die "the build failed; the whole log is $log"
	fi
	for want in $wanted; do
		grep -qx "CONFIG_$want=y" "$out/build/.config" || die "the configuration lost $want"
	done
	touch "$out/complete"
	echo "$out"
}
