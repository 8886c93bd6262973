#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A Debian root for the test machines: kernel, headers, compiler, NTP programs.
#
#	root.sh [SUITE]		bookworm (default), trixie, trixie-rt, sid
#	root.sh cross-ARCH	what builds for armhf, arm64 (trixie) or s390x (sid),
#				and qemu-user to run it; no machine boots it
#	root.sh --cached SUITE	exit 1 instead of making one
#
# trixie-rt is trixie with Debian's PREEMPT_RT kernel instead of the usual one.
# Made once by mmdebstrap into the cache, keyed by this file's package list,
# and never written to again (machines see it read-only).  Prints its path on
# the last line.  The network is asked only when there is none yet.
# Environment: NTPK_CACHE, NTPK_MIRROR.
set -euo pipefail

cached=
[ "${1:-}" != --cached ] || { cached=1; shift; }
suite=${1:-bookworm}
NTPK_CACHE=${NTPK_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ntpk}
NTPK_MIRROR=${NTPK_MIRROR:-http://deb.debian.org/debian}

say() { echo "root: $*" >&2; }
die() { say "$*"; exit 1; }

kernel=amd64
release=$suite
arch=
case $suite in
bookworm|trixie|sid) ;;
trixie-rt) kernel=rt-amd64 release=trixie ;;
cross-armhf) kernel=armmp compiler=gcc-arm-linux-gnueabihf arch=armhf release=trixie ;;
cross-arm64) kernel=arm64 compiler=gcc-aarch64-linux-gnu arch=arm64 release=trixie ;;
cross-s390x) kernel=s390x compiler=gcc-s390x-linux-gnu arch=s390x release=sid ;;
*) die "unknown suite '$suite': bookworm, trixie, trixie-rt, sid, or cross-armhf, cross-arm64, cross-s390x" ;;
esac

# The -dev packages stand for the libraries our programs link with: their names
# are the same in every suite, those of the libraries are not.
packages="linux-image-$kernel linux-headers-$kernel gcc make kmod sparse
	chrony ntpsec-ntpdig busybox-static
	iproute2 iputils-ping nftables tcpdump ethtool conntrack
	socat netcat-openbsd python3 python3-scapy python3-yaml
	procps util-linux
	libmnl-dev libevent-dev libjson-c-dev libcap-ng-dev libseccomp-dev nettle-dev
	libcmocka-dev"

# They conflict with chrony as "the" time daemon, so they are unpacked only.
# What they depend on is installed above or here.
unpack="ntpsec systemd-timesyncd"
unpack_needs="libcap2 libbsd0 openssl libsystemd-shared"

# The headers would want a kernel and a compiler of their own architecture, so
# they are unpacked, whatever their version is now, with the tools of this one.
if [ -n "$arch" ]; then
	packages="make $compiler qemu-user libc6-dev:$arch $(printf '%s\n' $packages | sed -n "s/-dev\$/&:$arch/p")"
	unpack="\$(apt-cache depends linux-headers-$kernel:$arch |
		sed -n 's/.*Depends: linux-headers-\(.*\)-$kernel.*/linux-kbuild-\1 linux-headers-\1-common linux-headers-\1-$kernel:$arch/p')"
	unpack_needs="libelf1t64 libssl3t64 zlib1g pahole perl"
fi

# Drivers of hardware that no test machine has are most of the size.
exclude=(
	'/usr/share/doc/*' '/usr/share/man/*' '/usr/share/info/*'
	'/usr/share/locale/*' '/usr/share/i18n/*' '/usr/share/lintian/*'
	'/etc/kernel/postinst.d/initramfs-tools'
	'/etc/kernel/postinst.d/dracut'
	'*/kernel/drivers/gpu/*' '*/kernel/drivers/media/*' '*/kernel/sound/*'
	'*/kernel/drivers/infiniband/*' '*/kernel/drivers/staging/*'
	'*/kernel/drivers/net/wireless/*' '*/kernel/drivers/iio/*'
	'*/kernel/drivers/scsi/*' '*/kernel/drivers/usb/*'
	'*/kernel/drivers/hwmon/*' '*/kernel/drivers/input/*'
	'*/kernel/drivers/isdn/*' '*/kernel/drivers/mfd/*'
	'*/kernel/drivers/platform/*' '*/kernel/drivers/mtd/*'
	'*/kernel/drivers/net/ethernet/mellanox/*'
	'*/kernel/drivers/net/ethernet/broadcom/*'
	'*/kernel/drivers/net/ethernet/chelsio/*'
	'*/kernel/fs/xfs/*' '*/kernel/fs/btrfs/*' '*/kernel/fs/ocfs2/*'
	'*/kernel/fs/ceph/*' '*/kernel/fs/nfs/*' '*/kernel/fs/smb/*'
)

hash=$(printf '%s\n' 3 "$packages" "$unpack" "$unpack_needs" "${exclude[@]}" |
       sha256sum | cut -c1-12)
root=$NTPK_CACHE/root/$suite-$hash
if [ -f "$root.complete" ]; then
	echo "$root"
	exit 0
fi
[ -z "$cached" ] || exit 1
command -v mmdebstrap >/dev/null || die "mmdebstrap is missing: apt install mmdebstrap"

mkdir -p "$NTPK_CACHE/root"
exec 9>"$NTPK_CACHE/root/$suite.lock"
flock 9
if [ -f "$root.complete" ]; then
	echo "$root"
	exit 0
fi

args=()
for pattern in "${exclude[@]}"; do
	args+=(--dpkgopt="path-exclude=$pattern")
done

say "making a root of $suite (2 to 5 minutes, once)"
log=$NTPK_CACHE/root/$suite.log
rm -rf --one-file-system "$root"
include=$(echo $packages $unpack_needs | tr ' ' ',')
if ! INITRD=No mmdebstrap --variant=minbase --architectures="amd64${arch:+,$arch}" \
	--include="$include" \
	--aptopt='Acquire::Check-Valid-Until "false"' \
	--aptopt='Acquire::Languages "none"' \
	--aptopt='APT::Install-Recommends "false"' \
	"${args[@]}" \
	--customize-hook="cd \"\$1/tmp\" && export APT_CONFIG=\$MMDEBSTRAP_APT_CONFIG && apt-get -q download $unpack" \
	--customize-hook='for d in "$1"/tmp/*.deb; do dpkg-deb --fsys-tarfile "$d" | tar -C "$1" -x --keep-directory-symlink && rm "$d"; done' \
	--customize-hook='mkdir "$1/ntpk" "$1/out" "$1/share" "$1/src"' \
	--customize-hook='echo "127.0.0.1 localhost" >"$1/etc/hosts"; rm -f "$1/etc/resolv.conf"' \
	"$release" "$root" "$NTPK_MIRROR" >"$log" 2>&1; then
	tail -n 20 "$log" >&2
	die "mmdebstrap failed; the whole log is $log"
fi
ls -d "$root"/lib/modules/*/${arch:+build} >/dev/null || die "no kernel modules in $root"
touch "$root.complete"
say "$(du -sh "$root" | cut -f1) in $root"
echo "$root"
