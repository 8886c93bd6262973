# SPDX-License-Identifier: GPL-2.0-only
"""Its own network goes and comes back, its address changes, its disk is full, or stands still."""
import os
import threading
import time

import daemon
import fakes
import fixture
import lab
import netns
import tap

FAST = "iburst minpoll 0 maxpoll 1"
S = 10**9


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
		self.frozen_disk()

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


	def frozen_disk(self):
		"""As an SD card does for a second: the loop does not wait for it."""
		where = fixture.tmpdir()
		image = os.path.join(where, "image")
		netns.sh("truncate", "-s", "4M", image)
		netns.sh("mkfs.ext4", "-q", image)
		netns.sh("modprobe", "-a", "loop", "ext4")
		netns.sh("mount", "-o", "loop", image, where)
		tap.later(netns.sh, "umount", "-l", where, check=False)
		d = lab.start(self.ns, f"server {self.server.addr} {FAST}", "kernel off", "port 0",
			      f"savedir {where}")
		lab.ok(d.becomes("synchronised"), "frozen disk: ntpkd synchronises", d)
		tap.later(netns.sh, "fsfreeze", "-u", where, check=False)
		netns.sh("fsfreeze", "-f", where)
		kept = Later(d, "set", line="maxjitter 0.5", save=True)
		said = d.says("set: maxjitter 0.5")
		forgotten = Later(d, "unset", name="maxjitter")
		said = said and d.says("unset: maxjitter")
		read = d.command("reload")
		end = time.monotonic() + 1.5
		while time.monotonic() < end:
			d.status()
		waiting = kept.answer is None and forgotten.answer is None
		netns.sh("fsfreeze", "-u", where)
		lab.ok(said and read["ok"] and waiting, "frozen disk: set, unset and reload are at work, "
		       "what is to be kept waits", d)
		answers = [one.result() for one in (kept, forgotten)]
		lab.ok(all(a and a["ok"] for a in answers), "frozen disk: it is kept when that is over", d)
		longest = d.status()["loop"]["longest_turn_ns"]
		lab.ok(longest < S // 2, f"frozen disk: the loop stood for at most {longest / 1e6:.1f} ms", d)
		with open(os.path.join(where, "runtime.conf")) as f:
			tap.ok("maxjitter" not in f.read(), "frozen disk: the last word is the one that counts")
		tap.same(d.stop(), 0, "frozen disk: ntpkd ends well")


class Later(threading.Thread):
	"""A command whose answer may take its time."""

	def __init__(self, d, cmd, **args):
		super().__init__(daemon=True)
		self.d, self.cmd, self.args, self.answer = d, cmd, args, None
		self.start()

	def run(self):
		self.answer = self.d.command(self.cmd, **self.args)

	def result(self):
		self.join(20)
		return self.answer


def fill(where):
	with open(os.path.join(where, "filler"), "wb", buffering=0) as f:
		try:
			while True:
				f.write(bytes(4096))
		except OSError:
			pass	# full, as wanted
