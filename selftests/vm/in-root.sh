# SPDX-License-Identifier: GPL-2.0-only
# Commands in a root of root.sh, which itself stays as it is.  Sourced, not run.
#
# in_root ROOT FOLDER=PLACE... -- COMMAND...	with /proc, /dev and each FOLDER
# of this machine at PLACE; sid's objtool reads /proc

in_root() {
	local flags=-m

	[ "$(id -u)" = 0 ] || flags=-rm
	mountpoint -q / || {
		echo "this is a bare chroot, where mounts cannot be kept private: outside, mount --bind DIR DIR before chroot DIR" >&2
		return 1
	}
	unshare "$flags" sh -e -c '
		root=$1
		shift
		mount --rbind /proc "$root/proc"
		mount --rbind /dev "$root/dev"
		mount -t tmpfs tmp "$root/tmp"
		while [ "$1" != -- ]; do
			mount --bind "${1%=*}" "$root/${1##*=}"
			shift
		done
		shift
		exec chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C "$@"
	' sh "$@"
}
