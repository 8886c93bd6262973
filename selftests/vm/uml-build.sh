#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Build the debug kernel: user-mode Linux from Debian sid's linux-source with
# KASAN, lockdep, two CPUs (uml-debug.config), once, into the cache.
#
# Prints the build folder (with linux and the module build tree) on its last
# line.  With --cached it only looks whether it is there.
# Environment: NTPK_CACHE, NTPK_MIRROR, NTPK_UML_SUITE (sid).
set -euo pipefail

. "$(dirname "$0")/kernel-build.sh"
kernel_build uml um all "KASAN PROVE_LOCKING SMP NF_CONNTRACK NFT_QUEUE SECCOMP_FILTER DEBUG_OBJECTS_FREE" "$@"
