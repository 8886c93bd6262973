# SPDX-License-Identifier: GPL-2.0-only
# Greeting of the interactive machine; sourced by guest-init.
cat <<MOTD

ntpk test machine: $(uname -r), tree at /ntpk (read-only), your changes are lost at the end
  insmod $NTPK_KO
  ntpkd, ntpkctl are on PATH; no network but namespaces: ip netns add ...
  exit (or ctrl-d) powers off

MOTD
