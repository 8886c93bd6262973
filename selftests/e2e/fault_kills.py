# SPDX-License-Identifier: GPL-2.0-only
"""ntpkd is killed at random points, again and again, under load, and while it writes its files."""
import os
import random
import re
import threading
import time

import daemon
import fakes
import fixture
import lab
import tap

FAST = "iburst minpoll 0 maxpoll 0"
KEYS = "1 SHA1 HEX:" + "5a" * 20 + "\n2 AES128 HEX:" + "a5" * 16 + "\n"
# What each file must be, whenever it is looked at.
WHOLE = {
	"drift": r"\s*[-+]?[\d.]+(e[-+]\d+)?\s+[\d.]+(e[-+]\d+)?\s*\n",
	"time": r"\d{9,10}\n",
	"runtime.conf": r"(#.*\n)+maxjitter 0\.\d\d\n",
}


class Keeper(threading.Thread):
	"""Has a setting kept all the time, so that ntpkd writes."""

	def __init__(self, d):
		super().__init__(daemon=True)
		self.d, self.over, self.kept = d, False, 0
		# what it last said to have kept, and what it was asked since
		self.answered, self.asked = None, []
		self.start()

	def run(self):
		n = 0
		while not self.over:
			n += 1
			line = f"maxjitter 0.{n % 90 + 10}"
			self.asked.append(line)
			try:
				if self.d.command("set", line=line, save=True, timeout=5).get("ok"):
					self.answered, self.asked = line, []
					self.kept += 1
			except (OSError, ValueError):
				time.sleep(0.02)	# it is dead

	def may_stand(self):
		"""Lines that a file of kept settings may have, once ntpkd is dead."""
		asked = list(self.asked)
		return {self.answered, *asked}

	def finish(self):
		self.over = True
		self.join()


class Files:
	"""What ntpkd keeps, in a folder: is every file whole, whoever was writing it?"""

	def __init__(self):
		self.dir = fixture.tmpdir()
		self.keys = os.path.join(self.dir, "keys")
		with open(self.keys, "w") as f:
			f.write(KEYS)
		os.chmod(self.keys, 0o600)
		self.broken, self.last_time, self.seen = [], 0, set()

	def look(self, when):
		for name, pattern in WHOLE.items():
			try:
				with open(os.path.join(self.dir, name)) as f:
					text = f.read()
			except FileNotFoundError:
				if name in self.seen:
					self.broken.append(f"{when}: {name} has gone")
				continue
			self.seen.add(name)
			if not re.fullmatch(pattern, text):
				self.broken.append(f"{when}: {name} is {text!r}")
			elif name == "time":
				if int(text) < self.last_time:
					self.broken.append(f"{when}: {name} went back")
				self.last_time = int(text)
		with open(self.keys) as f:
			if f.read() != KEYS:
				self.broken.append(f"{when}: the keys have changed")
		more = set(os.listdir(self.dir)) - {"keys", *WHOLE, *(name + ".new" for name in WHOLE)}
		if more:
			self.broken.append(f"{when}: {more} left behind")


class Kills(Files):
	def __init__(self, world):
		super().__init__()
		seed = tap.env_int("NTPK_KILLS_SEED", random.getrandbits(62))
		tap.note(f"NTPK_KILLS_SEED={seed}")
		self.rnd = random.Random(seed)
		self.line = fakes.Line.now()
		self.server = fakes.Ntp(world.ns, world.address(), self.line)
		self.ns, self.client = world.place("killed"), world.place("client")
		self.d = lab.start(self.ns, f"server {self.server.addr} {FAST}", f"savedir {self.dir}",
				   f"driftfile {self.dir}/drift", f"keyfile {self.keys}")
		self.truth = daemon.Truth(0, self.line.offset_ns)
		self.stream = fixture.Stream(self.client, dst=self.ns.addr, rate=50, check=self.truth.check)
		self.keeper = None

	def once(self, n):
		"""Some time from its start, or from its being asked to end."""
		time.sleep(self.rnd.choice((self.rnd.uniform(0, 0.4), self.rnd.uniform(0, 2))))
		if self.rnd.random() < 0.4:
			self.d.p.terminate()
			time.sleep(self.rnd.uniform(0, 0.05))
		self.d.kill()
		self.look(f"kill {n}")
		self.look_kept(f"kill {n}")
		self.d.start()


	def look_kept(self, when):
		"""What ntpkd said to have kept is there, or what it was asked after that."""
		may = self.keeper.may_stand()
		if self.keeper.answered:
			with open(os.path.join(self.dir, "runtime.conf")) as f:
				line = f.read().splitlines()[-1:]
			if not may.issuperset(line):
				self.broken.append(f"{when}: runtime.conf has {line}, not one of {may}")


def kills(world):
	"""Every one of them starts from what the one before left."""
	k, count = Kills(world), tap.env_int("NTPK_KILLS", 15)
	good = k.d.becomes("synchronised") and k.d.status()["serving"] == "kernel"
	if not lab.ok(good, "kills: ntpkd synchronises and the module answers", k.d):
		return
	k.stream.start()
	k.stream.wait_answers(20)
	keeper = k.keeper = Keeper(k.d)
	for n in range(count):
		k.once(n)
	lab.ok(k.d.becomes("synchronised", 60), f"kills: after {count} it synchronises again", k.d)
	keeper.finish()
	told = k.truth.is_told()
	lost = k.stream.finish()
	tap.ok(not k.broken and "runtime.conf" in k.seen,
	       f"kills: {count} times, {keeper.kept} settings kept: {', '.join(sorted(k.seen))} are whole",
	       k.broken[:5])
	tap.ok(not lost and not k.stream.refused, f"kills: none of {k.stream.sent} requests lost", k.stream.summary())
	tap.ok(told and not k.truth.unsync and not k.stream.bad,
	       f"kills: all {k.stream.answered} replies tell the time, within the claimed root distance",
	       (k.truth.figures(), k.stream.summary()))
	tap.note(f"kills: {k.truth.figures()}")
	tap.same(k.d.stop(), 0, "kills: ntpkd ends well")
	k.look("the end")
	tap.same((k.broken, sorted(k.seen)), ([], sorted(WHOLE)), "kills: and its files are all there, and whole")
	tap.ok(not re.search("truncated|not text|is refused", k.d.text()), "kills: no file was ever found broken",
	       k.d.text()[-2000:])
