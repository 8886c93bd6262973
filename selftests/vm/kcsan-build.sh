#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Build a kernel for QEMU that looks for data races: Debian sid's linux-source
# with KCSAN (kcsan-debug.config), once, into the cache.
#
# Prints the build folder on its last line.  With --cached it only looks whether
# it is there.  Environment: NTPK_CACHE, NTPK_MIRROR, NTPK_UML_SUITE (sid).
set -euo pipefail

. "$(dirname "$0")/kernel-build.sh"
kernel_build kcsan x86_64 "bzImage modules" "KCSAN SMP NF_CONNTRACK NFT_QUEUE 9P_FS OVERLAY_FS" "$@"
