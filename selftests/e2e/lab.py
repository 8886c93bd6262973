# SPDX-License-Identifier: GPL-2.0-only
"""
Many ntpkd, each in a namespace of its own, and one namespace with all their
upstream servers: 10.5.N.1 is the N-th daemon's, 10.5.N.2 the world's side of
its cable, and a server's address is any of 10.6.0.0/16 in the world.
"""
import json
import os
import subprocess

import daemon
import netns
import tap

NTPKCTL = os.path.join(netns.BIN, "ntpkctl")


class World:
	"""The namespace of the upstream servers, and the cables out of it."""

	def __init__(self):
		self.ns = netns.Ns("world")
		self.ns.sysctl("ipv4/ip_forward", 1)
		self.cables = self.addresses = 0

	def address(self):
		"""One more address for a server."""
		self.addresses += 1
		addr = f"10.6.{self.addresses // 250}.{self.addresses % 250 + 1}"
		self.ns.sh("ip", "addr", "add", f"{addr}/32", "dev", "lo")
		return addr

	def place(self, role, ns=None):
		"""A namespace with a cable into the world, and its default route there."""
		ns = ns or netns.Ns(role)
		self.cables += 1
		n = self.cables
		netns.sh("ip", "link", "add", "wan", "netns", ns.name, "type", "veth",
			 "peer", "name", f"to{n}", "netns", self.ns.name)
		for where, dev, host in ((ns, "wan", 1), (self.ns, f"to{n}", 2)):
			where.sh("ip", "addr", "add", f"10.5.{n}.{host}/24", "dev", dev)
			where.sh("ip", "link", "set", dev, "up")
		ns.addr, ns.gateway = f"10.5.{n}.1", f"10.5.{n}.2"
		ns.sh("ip", "route", "add", "default", "via", ns.gateway)
		return ns


def resolv_conf(ns, *lines):
	"""What `ip netns exec` shows as /etc/resolv.conf in there."""
	where = os.path.join("/etc/netns", ns.name)
	os.makedirs(where, exist_ok=True)
	with open("/etc/resolv.conf", "a"):
		pass	# something to lay it over
	with open(os.path.join(where, "resolv.conf"), "w") as f:
		f.write("\n".join(lines) + "\n")


class Ntpkd(daemon.Ntpkd):
	"""An ntpkd as its operator sees it: log, `ntpkctl status` and `ntpkctl sources`."""

	def ctl(self, *words):
		p = subprocess.run(self.ns.args(NTPKCTL, "--socket", self.sock, *words),
				   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
		return p.stdout

	def sources(self):
		"""By address."""
		try:
			data = json.loads(self.ctl("--json", "sources"))["data"]["sources"]
		except (ValueError, KeyError):
			return {}
		return {s["address"]: s for s in data}

	def source(self, addr):
		return self.sources().get(addr, {})

	def row(self, addr):
		"""Its row of `ntpkctl sources`, as a person reads it; "" while there is none."""
		return next((line for line in self.ctl("sources").splitlines()
			     if addr in line.replace("(", " ").replace(")", " ").split()), "")

	def shows(self, addr, *words, seconds=30):
		"""Wait until that row has all these words."""
		return tap.wait_for(lambda: all(w in self.row(addr) for w in words) and self.row(addr),
				    seconds, 0.2)

	def becomes(self, state, seconds=30):
		"""Wait until status says so."""
		return tap.wait_for(lambda: self.status().get("state") == state, seconds, 0.1)

	def everything(self):
		"""For a failure's diagnostics."""
		return "\n".join((self.text(), self.ctl("status"), self.ctl("sources"),
				  self.ctl("upstream", "list")))


def ok(cond, what, *who):
	"""One result; what these programs know about it only where it failed."""
	tap.ok(cond, what)
	for program in who if not cond else ():
		tap.note(program.everything())
	return cond


def start(ns, *lines, args=("-x",)):
	return Ntpkd(ns, *lines, args=args)


def need_lab():
	"""In a test machine, with programs that run here."""
	if not netns.guest():
		tap.skip_all("not in a test machine: use selftests/vm/vm run")
	daemon.need_ntpkd()
