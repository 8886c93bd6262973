#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-only
"""
Shows a machine that sleeps and wakes, as the kernel's timekeeping has it (the test
module asleep): CLOCK_MONOTONIC_RAW, by which time is served, has stood still.  The
module says from its first answer on that it does not know the time, raises the event,
and refuses what was computed before; with ntpkd, asked all the time, nothing wrong is
claimed, and the time is soon known again.
About 30 seconds.
"""
import errno
import shutil
import threading
import time

import daemon
import fixture
import netns
import ntpknl
import ntpq
import tap

S, MS = 10**9, 10**6
SLEEP_MS = 1500


class Sleep:
	"""The test module."""

	def __init__(self):
		netns.insmod_kmod("asleep")

	@staticmethod
	def sleep():
		"""By how much CLOCK_MONOTONIC_RAW is behind afterwards; None where it cannot be done."""
		before = netns.boot_ns() - netns.raw_ns()
		try:
			with open("/sys/module/asleep/parameters/ms", "w") as f:
				f.write(str(SLEEP_MS))
		except OSError as e:
			if e.errno == errno.EOPNOTSUPP:
				return None
			raise
		return netns.boot_ns() - netns.raw_ns() - before


class Asker(threading.Thread):
	"""Asks all the time; CLOCK_BOOTTIME, which goes on through a sleep, knows the true time."""

	def __init__(self, client):
		super().__init__(daemon=True)
		self.asker = ntpq.Asker(client, "192.0.2.1")
		self.true_ns = min(self.reading() for _ in range(100))[1]
		self.wrong, self.leaps, self.lost = [], [], 0
		self.stopping = False
		self.start()

	@staticmethod
	def reading():
		"""(how long it took, UTC - CLOCK_BOOTTIME)"""
		boot0 = netns.boot_ns()
		real = time.time_ns()
		boot1 = netns.boot_ns()
		return boot1 - boot0, real - (boot0 + boot1) // 2

	def run(self):
		while not self.stopping:
			low = netns.boot_ns() + self.true_ns
			# one that is late is none that is missing
			reply = self.asker.ask(timeout=5)[1]
			high = netns.boot_ns() + self.true_ns
			if reply is None:
				self.lost += 1
				continue
			self.leaps.append(reply.leap)
			off = max(low - reply.t2_ns, reply.t3_ns - high)
			if off > reply.root_dist_ns:
				self.wrong.append(f"{off / MS:.3f} ms off, claims {reply.root_dist_ns / MS:.3f} ms: {reply}")
			time.sleep(0.002)

	def right_again(self, since=None):
		"""Wait until the last answers have the time; and of those from no. since on one had not."""
		tap.wait_for(lambda: (since is None or 3 in self.leaps[since:]) and self.leaps[-20:] == [0] * 20, 60)

	def finish(self):
		self.stopping = True
		self.join()
		self.asker.close()


def test_module(s, asleep):
	"""Nobody is there to push anew."""
	events = ntpknl.Events(s.server)
	state = s.g.default_state()
	s.g.push(state)
	tap.same([r.leap for r in daemon.replies(s.client, want=3)], [0] * 3, "before: the time is served")
	slept_ns = asleep.sleep()
	if slept_ns is None:
		tap.skip_all("this kernel cannot sleep")
	tap.ok(slept_ns > S // 2, f"the machine has slept: the raw clock is {slept_ns / MS:.0f} ms behind")
	tap.same([(r.leap, r.stratum) for r in daemon.replies(s.client, want=5)], [(3, 0)] * 5,
		 "awake: each answer from the first on is unsynchronised")
	tap.same(s.g.status(), "expired_step", "awake: status says why")
	tap.ok(tap.wait_for(lambda: "step" in [e["KIND"] for e in events.read_all(0.1)], 5), "awake: the event is raised")
	try:
		s.g.push(state)
		got = 0
	except ntpknl.Refused as e:
		got = e.errno
	tap.same(got, errno.ESTALE, "awake: a push computed before is refused as stale")
	s.g.push_default()
	tap.same([r.leap for r in daemon.replies(s.client, want=3)], [0] * 3, "awake: a push of now is served")
	s.g.detach()


def test_ntpkd(s, asleep):
	p = fixture.chronyd(daemon.upstream(s.server), "local stratum 3", "allow")
	d = daemon.Ntpkd(s.server, "server 10.5.0.2 iburst minpoll 0 maxpoll 1")
	if not tap.ok(d.synchronises() and tap.wait_for(lambda: s.g.status() == "sync"),
		      "ntpkd synchronises, and the module serves it", d.text()):
		return
	asker = Asker(s.client)
	asker.right_again()
	before = len(asker.leaps)
	slept_ns = asleep.sleep()
	tap.ok(slept_ns > S // 2 and d.says("the machine was suspended for"), "awake: ntpkd sees it", d.text())
	asker.right_again(before)
	tap.ok(3 in asker.leaps[before:], f"awake: {asker.leaps[before:].count(3)} answers say that the time is not known")
	tap.same((asker.leaps[-1], s.g.status()), (0, "sync"), "awake: then it is known again")
	asker.finish()
	tap.same((asker.wrong[:3], asker.lost), ([], 0), f"of {len(asker.leaps)} answers none is off by more than it "
		 "claims, none is missing")
	tap.same((d.stop(), p.poll()), (0, None), "ntpkd ends well")


def main():
	s = fixture.served()
	asleep = Sleep()
	test_module(s, asleep)
	if not shutil.which("chronyd"):
		tap.skip("ntpkd", "no chronyd here")
		return
	daemon.need_ntpkd()
	test_ntpkd(s, asleep)


tap.run(main)
