#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# QEMU with a network card that has a clock and stamps packets (igb of QEMU 10):
# the machine's own where it is as new, else that of Debian bookworm-backports in
# the cache, with the libraries of this machine.  Made once, keyed by this file;
# signatures are checked by apt.  Prints the folder of qemu-system-x86_64 on the
# last line; without any the reason, and exit 4.
# Environment: NTPK_CACHE, NTPK_MIRROR.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
. "$here/apt-private.sh"
suite=bookworm-backports
key=$(sha256sum <"$0" | cut -c1-12)
cache=$NTPK_CACHE/qemu/$key
log=$NTPK_CACHE/qemu/log

is_new() {
	local version

	version=$("$1" --version 2>/dev/null | sed -n '1s/.*version \([0-9]*\)\..*/\1/p')
	[ "${version:-0}" -ge 10 ] && "$1" -device igb,help >/dev/null 2>&1
}

# fetch DIR: its bin/qemu-system-x86_64 starts what was fetched.  The firmware is the machine's.
fetch() {
	local d=$1 deb

	mkdir "$d/deb" "$d/bin" &&
	apt_private_init $suite &&
	apt_private $suite update &&
	(cd "$d/deb" && apt_private $suite download qemu-system-x86 qemu-system-common \
		qemu-system-data) || return
	for deb in "$d"/deb/*.deb; do
		dpkg-deb -x "$deb" "$d" || return
	done
	rm -r "$d/deb"
	cat >"$d/bin/qemu-system-x86_64" <<-'SH'
		#!/bin/sh
		d=$(dirname "$(dirname "$0")")
		export QEMU_MODULE_DIR="$d/usr/lib/x86_64-linux-gnu/qemu"
		exec "$d/usr/bin/qemu-system-x86_64" -L "$d/usr/share/qemu" -L /usr/share/seabios \
			-L /usr/lib/ipxe/qemu "$@"
	SH
	chmod +x "$d/bin/qemu-system-x86_64"
	"$d/bin/qemu-system-x86_64" --version && is_new "$d/bin/qemu-system-x86_64"
}

if own=$(command -v qemu-system-x86_64) && is_new "$own"; then
	dirname "$own"
	exit 0
fi
mkdir -p "$NTPK_CACHE/qemu"
exec 9>"$NTPK_CACHE/qemu/lock"
flock 9
if [ ! -e "$cache/.complete" ]; then
	echo "qemu: fetching QEMU of $suite (once)" >&2
	tmp=$(mktemp -d "$NTPK_CACHE/qemu/tmp.XXXXXX")
	if ! (set +e; fetch "$tmp") >"$log" 2>&1 </dev/null; then
		rm -rf "$tmp"
		echo "no QEMU 10 here, and none to be had from $NTPK_MIRROR: $(tail -n 1 "$log")"
		exit 4
	fi
	touch "$tmp/.complete"
	rm -rf "$cache"
	mv "$tmp" "$cache"
fi
echo "$cache/bin"
