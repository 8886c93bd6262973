#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# NTP programs that the test machines' own suite lacks, into build/vm/peers:
#
#	ntp-daemon, ntp-ctl	ntpd-rs of Debian trixie, with the C library that
#				it wants beside it (its own loader starts it)
#	openntpd		of Debian bookworm, whose package has the same file
#				names as ntpsec's
#	busybox			of Debian bookworm's source, with the ntpd applet
#				that Debian's package leaves out; static
#
# Made once, into the cache, keyed by this file; signatures are checked by apt.
# What cannot be had leaves its reason in NAME.missing instead, and is tried
# again next time; the tests then skip it with that reason.
# Environment: NTPK_CACHE, NTPK_MIRROR.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
. "$here/apt-private.sh"
key=$(sha256sum <"$0" | cut -c1-12)
cache=$NTPK_CACHE/peers/$key
mkdir -p "$cache" "$here/../../build/vm/peers"
out=$(cd "$here/../../build/vm/peers" && pwd)
exec 9>"$NTPK_CACHE/peers/lock"
flock 9

say() { echo "peers: $*" >&2; }

# fetch_NAME DIR: leave the programs in DIR/NAME.
fetch_ntpd_rs() {
	local d=$1 deb

	apt_private_init trixie
	apt_private trixie update &&
	(cd "$d" && apt_private trixie download ntpd-rs libc6 libgcc-s1) || return
	for deb in "$d"/*.deb; do
		dpkg-deb -x "$deb" "$d/x" || return
	done
	mkdir "$d/ntpd-rs" "$d/ntpd-rs/lib"
	cp "$d"/x/usr/bin/ntp-* "$d/ntpd-rs/" &&
	find "$d/x" \( -name 'ld-linux-x86-64.so.2' -o -name 'libc.so.6' -o -name 'libm.so.6' -o \
		-name 'libgcc_s.so.1' \) -exec cp -L {} "$d/ntpd-rs/lib/" \; &&
	"$d/ntpd-rs/lib/ld-linux-x86-64.so.2" --library-path "$d/ntpd-rs/lib" \
		"$d/ntpd-rs/ntp-daemon" --version
}

fetch_openntpd() {
	local d=$1

	apt_private_init bookworm
	apt_private bookworm update &&
	(cd "$d" && apt_private bookworm download openntpd) || return
	dpkg-deb -x "$d"/openntpd_*.deb "$d/x" && mkdir "$d/openntpd" &&
	cp "$d/x/usr/sbin/ntpd" "$d/openntpd/openntpd" && test -x "$d/openntpd/openntpd"
}

busybox_config() {
	local o

	make allnoconfig
	for o in NTPD FEATURE_NTPD_CONF FEATURE_IPV6 STATIC LFS LONG_OPTS SHOW_USAGE; do
		sed -i "s/^# CONFIG_$o is not set/CONFIG_$o=y/" .config
	done
	yes '' | make oldconfig
}

fetch_busybox() {
	local d=$1

	apt_private_init bookworm
	sed 's/^deb /deb-src /' "$NTPK_CACHE/apt/bookworm/etc/sources.list" >"$d/src.list"
	APT_CONFIG=$NTPK_CACHE/apt/bookworm/apt.conf
	export APT_CONFIG
	apt-get -q -o Dir::Etc::sourcelist="$d/src.list" update &&
	(cd "$d" && apt-get -q -o Dir::Etc::sourcelist="$d/src.list" source --download-only busybox) ||
		return
	mkdir "$d/x" "$d/busybox"
	tar -C "$d/x" --strip-components=1 -xf "$d"/busybox_*.orig.tar.* || return
	(cd "$d/x" && set +o pipefail && busybox_config && make -j2 busybox) || return
	cp "$d/x/busybox" "$d/busybox/" && "$d/busybox/busybox" ntpd --help
}

# get NAME: from the cache, or made now.
get() {
	local name=$1 tmp log=$cache/$1.log

	rm -f "$out/$name.missing"
	if [ ! -e "$cache/$name/.complete" ]; then
		say "fetching $name (once)"
		tmp=$(mktemp -d "$cache/tmp.XXXXXX")
		if (set +e; "fetch_${name//-/_}" "$tmp") >"$log" 2>&1 </dev/null; then
			rm -rf "${cache:?}/$name"
			touch "$tmp/$name/.complete"
			mv "$tmp/$name" "$cache/$name"
		else
			echo "cannot be fetched from $NTPK_MIRROR: $(tail -n 1 "$log")" >"$out/$name.missing"
			say "$name: $(cat "$out/$name.missing") (all of it in $log)"
		fi
		rm -rf "$tmp"
	fi
	[ ! -e "$cache/$name/.complete" ] || cp -rT "$cache/$name" "$out/$name"
}

get ntpd-rs
get openntpd
get busybox
echo "$out"
