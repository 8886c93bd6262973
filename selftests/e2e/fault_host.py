# SPDX-License-Identifier: GPL-2.0-only
"""Its own network goes and comes back, its address changes, its disk is full."""
import os

import daemon
import fakes
import fixture
import lab
import netns
import tap

FAST = "iburst minpoll 0 maxpoll 1"


class Host:
	"""One ntpkd whose files are on a tmpfs of 16 KiB, full."""

	def __init__(self, world):
		self.world, self.line = world, fakes.Line.now()
		self.server = fakes.Ntp(world.ns, world.address(), self.line)
		self.ns = world.place("host")
		self.disk = fixture.tmpdir()
		netns.sh("mount", "-t", "tmpfs", "-o", "size=16k", "small", self.disk)
		tap.later(netns.sh, "umount", "-l", self.disk, check=False)
		self.drift = os.path.join(self.disk, "drift")
		fill(self.disk)
		self.d = lab.start(self.ns, f"server {self.server.addr} {FAST}", "kernel off",
				   f"driftfile {self.drift}")

	def look(self):
		lab.ok(self.d.becomes("synchronised"), "host: ntpkd synchronises", self.d)
		self.network()
		self.address()
		self.full_disk()

	def network(self):
		d = self.d
		self.ns.sh("ip", "link", "set", "wan", "down")
		lab.ok(d.says(rf"{self.server.addr} is offline: Network is unreachable", 60),
		       "network down: is said", d)
		lab.ok(d.becomes("holdover", 60), "network down: `ntpkctl status` says holdover", d)
		lab.ok(d.status()["stratum"] == 2, "network down: the time is served on", d)
		self.ns.sh("ip", "link", "set", "wan", "up")
		self.ns.sh("ip", "route", "replace", "default", "via", self.ns.gateway)
		lab.ok(d.becomes("synchronised", 60) and d.says(rf"{self.server.addr} can be asked again"),
		       "network up: synchronised again, and said", d)

	def address(self):
		d, new = self.d, self.ns.addr[:-1] + "9"
		self.ns.sh("ip", "addr", "add", f"{new}/24", "dev", "wan")
		self.ns.sh("ip", "addr", "del", f"{self.ns.addr}/24", "dev", "wan")
		self.ns.sh("ip", "addr", "replace", f"{new}/24", "dev", "wan")
		self.ns.sh("ip", "route", "replace", "default", "via", self.ns.gateway)
		had = d.source(self.server.addr)["received_pkts"]
		lab.ok(tap.wait_for(lambda: d.source(self.server.addr)["received_pkts"] > had + 4, 60, 0.2),
		       "own address changed: upstreams are heard", d)
		lab.ok(daemon.replies(self.world.ns, new, 3) and d.status()["state"] == "synchronised",
		       "own address changed: clients are answered from the new one", d)

	def full_disk(self):
		d = self.d
		status = d.stop()
		lab.ok(status == 0 and d.says(rf"driftfile {self.drift}: the disk is full: the old contents stay"),
		       "disk full: the drift file is not written, which is said", d)
		tap.same(sorted(os.listdir(self.disk)), ["filler"], "disk full: no piece of a file stays behind")
		os.unlink(os.path.join(self.disk, "filler"))
		d.start()
		lab.ok(d.becomes("synchronised") and tap.wait_for(lambda: d.status()["updates"] > 8, 30),
		       "room again: ntpkd runs", d)
		tap.same(d.stop(), 0, "room again: ntpkd ends well")
		lab.ok(os.path.exists(self.drift), "room again: the drift file is written", d)


def fill(where):
	with open(os.path.join(where, "filler"), "wb", buffering=0) as f:
		try:
			while True:
				f.write(bytes(4096))
		except OSError:
			pass	# full, as wanted
