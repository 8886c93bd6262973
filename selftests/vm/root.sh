#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A Debian root for the test machines: kernel, headers, compiler, NTP programs.
#
#	root.sh [SUITE]		bookworm (default), trixie, sid
#	root.sh --cached SUITE	exit 1 instead of making one
#
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

case $suite in
bookworm|trixie|sid) ;;
*) die "unknown suite '$suite': bookworm, trixie or sid" ;;
esac

# The -dev packages stand for the libraries our programs link with: their names
# are the same in every suite, those of the libraries are not.
packages="linux-image-amd64 linux-headers-amd64 gcc make kmod sparse
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
if ! INITRD=No mmdebstrap --variant=minbase --architectures=amd64 \
	--include="$include" \
	--aptopt='Acquire::Check-Valid-Until "false"' \
	--aptopt='Acquire::Languages "none"' \
	--aptopt='APT::Install-Recommends "false"' \
	"${args[@]}" \
	--customize-hook="cd \"\$1/tmp\" && APT_CONFIG=\$MMDEBSTRAP_APT_CONFIG apt-get -q download $unpack" \
	--customize-hook='for d in "$1"/tmp/*.deb; do dpkg-deb --fsys-tarfile "$d" | tar -C "$1" -x --keep-directory-symlink && rm "$d"; done' \
	--customize-hook='mkdir "$1/ntpk" "$1/out" "$1/share" "$1/src"' \
	--customize-hook='echo "127.0.0.1 localhost" >"$1/etc/hosts"; rm -f "$1/etc/resolv.conf"' \
	"$suite" "$root" "$NTPK_MIRROR" >"$log" 2>&1; then
	tail -n 20 "$log" >&2
	die "mmdebstrap failed; the whole log is $log"
fi
ls "$root"/lib/modules/*/modules.dep >/dev/null || die "no kernel modules in $root"
touch "$root.complete"
say "$(du -sh "$root" | cut -f1) in $root"
echo "$root"
