# SPDX-License-Identifier: GPL-2.0-only
"""Two network cards of the test machine on one wire, the second in a namespace of its own."""
import os

import netns
import tap

UPSTREAM, MINE = "10.78.0.1", "10.78.0.2"


class Home(netns.Ns):
	"""The first network namespace, where net.core.tstamp_allow_data is to be seen."""

	def __init__(self):
		self.name = "ntpk-home"
		netns.sh("ip", "netns", "attach", self.name, str(os.getpid()))
		tap.later(lambda: netns.sh("ip", "netns", "del", self.name, check=False))
		self.fd = os.open(f"/run/netns/{self.name}", os.O_RDONLY)
		self.home = []


def cards():
	"""The first namespace with eth0, and another one with eth1, which reach each other."""
	netns.sh("modprobe", "igb", check=False)
	out = []
	for dev, role, addr in (("eth0", "mine", MINE), ("eth1", "upstream", UPSTREAM)):
		if not tap.wait_for(lambda: os.path.exists(f"/sys/class/net/{dev}"), 20):
			tap.skip_all(f"no network card {dev} here: selftests/stage/igb")
		ns = Home() if role == "mine" else netns.Ns(role)
		if role != "mine":
			netns.sh("ip", "link", "set", dev, "netns", ns.name)
		ns.sh("ip", "addr", "add", f"{addr}/24", "dev", dev)
		ns.sh("ip", "link", "set", dev, "up")
		out.append(ns)
	tap.ok(tap.wait_for(lambda: out[0].sh("ping", "-c1", "-W1", UPSTREAM, check=False).returncode == 0,
			    30), "the cards reach each other")
	return out
