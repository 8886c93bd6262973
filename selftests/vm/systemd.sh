#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# systemd of Debian bookworm, which the test machines' root goes without, as a
# tree to be copied over it: build/vm/systemd.  Made once, into the cache, keyed
# by this file; signatures are checked by apt.  Environment: NTPK_CACHE, NTPK_MIRROR.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
. "$here/apt-private.sh"
cache=$NTPK_CACHE/systemd/$(sha256sum <"$0" | cut -c1-12)
mkdir -p "$NTPK_CACHE/systemd" "$here/../../build/vm"
out=$(cd "$here/../../build/vm" && pwd)/systemd
exec 9>"$NTPK_CACHE/systemd/lock"
flock 9

if [ ! -d "$cache" ]; then
	tmp=$(mktemp -d "$cache.XXXXXX")
	trap 'rm -rf "$tmp"' EXIT
	apt_private_init bookworm
	apt_private bookworm update >&2
	(cd "$tmp" && apt_private bookworm download systemd libsystemd-shared libcryptsetup12 \
		libdevmapper1.02.1 libargon2-1 libfdisk1 >&2)
	mkdir "$tmp/tree"
	for deb in "$tmp"/*.deb; do
		dpkg-deb --fsys-tarfile "$deb" | tar -C "$tmp/tree" -x --exclude='./usr/share/*'
	done
	# as in the root, where these are links
	for dir in bin lib sbin; do
		[ ! -d "$tmp/tree/$dir" ] || cp -a "$tmp/tree/$dir/." "$tmp/tree/usr/$dir/"
		rm -rf "${tmp:?}/tree/$dir"
	done
	mv "$tmp/tree" "$cache"
fi
rm -rf "$out"
cp -r "$cache" "$out"
echo "$out"
