#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The pure code stays pure: userspace/core and kmod/proto call no clock, no
# randomness, no allocator, no I/O, hold no writable data, include no header
# of the daemon or the kernel.  Judged from the objects of `make user`.
set -u
cd "$(dirname "$0")/../.." || exit 1
B=build/user/obj
. selftests/lib.sh

objs=$(find $B/userspace/core $B/kmod/proto -name '*.o' 2>/dev/null)
[ -n "$objs" ] || bail_out "no objects: run make user first"

# What pure code may call outside itself: arithmetic and memory copies.
allowed='^(sqrt|fabs|erfc|floor|ceil|exp|log|log2|pow|lrint|llrint|fmin|fmax|hypot|ldexp|memcpy|memmove|memset|memcmp|strcmp|strlen|__memcpy_chk|__memset_chk|__memmove_chk|__stack_chk_fail|_GLOBAL_OFFSET_TABLE_)$'
defined=$(nm --defined-only $objs | awk 'NF == 3 { print $3 }' | sort -u)
calls=$(nm -u $objs | awk '$1 == "U" { print $2 }' | sort -u | grep -vE "$allowed" | grep -vxF "$defined")
ok_empty "pure code calls nothing outside itself but arithmetic" "$calls"
ok_empty "pure code holds no writable data" \
	"$(nm $objs | awk 'NF == 3 && $2 ~ /^[bBdDCsSgG]$/')"
ok_empty "pure code includes no header of daemon, kernel or I/O" \
	"$(grep -nE '#include.*(daemon/|/nl/|event2/|<stdio.h>|<time.h>|<unistd.h>|<stdlib.h>|<sys/|<net|<linux/(kernel|module|skbuff|slab|ktime)\.h>)' \
		userspace/core/*.[ch] kmod/proto/*.c include/ntpk/*.h include/uapi/linux/*.h)"
ok_empty "no header of the module in userspace" \
	"$(grep -rnE '#include.*kmod/' userspace include)"
finish
