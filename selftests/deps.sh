#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Install what building and testing need on Debian, if anything is missing.
# Prints the apt command first; wants root or sudo.  With --list only lists, with
# lint what `make lint` and `make fuzz` take as well.
set -euo pipefail

# build
pkgs="build-essential git libmnl-dev libevent-dev libjson-c-dev libcap-ng-dev libseccomp-dev nettle-dev libcmocka-dev"
# static checks and tests on this machine
pkgs="$pkgs clang-format sparse python3 python3-yaml iproute2 procps util-linux mount valgrind"
# virtual machines and the debug kernel
pkgs="$pkgs qemu-system-x86 mmdebstrap debian-archive-keyring busybox-static cpio kmod zstd xz-utils"
pkgs="$pkgs bc bison flex libelf-dev libssl-dev rsync"

[ "${1:-}" != lint ] || pkgs="$pkgs clang clang-tidy clang-tools llvm cppcheck"

missing=
for p in $pkgs; do
	dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing="$missing $p"
done
if [ "${1:-}" = --list ]; then
	echo $pkgs
	exit 0
fi
[ -n "$missing" ] || exit 0

sudo=
if [ "$(id -u)" != 0 ]; then
	sudo=sudo
	command -v sudo >/dev/null || {
		echo "deps: missing packages:$missing" >&2
		echo "deps: as root: apt-get install --no-install-recommends$missing" >&2
		exit 1
	}
fi
echo "+ $sudo apt-get install -y --no-install-recommends$missing"
export DEBIAN_FRONTEND=noninteractive
# Fresh package lists first: an image's own are empty or old.
$sudo apt-get -q update
$sudo apt-get -q install -y --no-install-recommends $missing
