# SPDX-License-Identifier: GPL-2.0-only
"""Somebody else sets or steers the clock; ntpkd is killed while it slews."""
import time

import daemon
import fakes
import fixture
import lab
import netns
import tap

S, MS = 10**9, 10**6
FAST = "iburst minpoll 0 maxpoll 1"


def clock_error_ns(line):
	raw0 = netns.raw_ns()
	real = time.time_ns()
	return real - line.at((raw0 + netns.raw_ns()) // 2)


def wait_s(seconds):
	"""Time that has to pass, because it is the thing to be shown."""
	end = time.monotonic() + seconds
	tap.wait_for(lambda: time.monotonic() > end, seconds + 60, 0.2)


class Steered:
	"""An ntpkd that steers this machine's clock, by a server that knows the true time."""

	def __init__(self, world, what, *lines):
		self.line, self.what = fakes.Line.now(), what
		self.server = fakes.Ntp(world.ns, world.address(), self.line)
		self.ns = world.place("steered")
		self.client = world.place("client")
		self.d = lab.start(self.ns, f"server {self.server.addr} {FAST}", *lines, args=())
		self.truth = daemon.Truth(0, self.line.offset_ns)
		self.stream = fixture.Stream(self.client, dst=self.ns.addr, rate=50, check=self.truth.check)

	def begin(self):
		"""Synchronised, past the first updates that may step, and asked all the time."""
		d = self.d
		good = d.becomes("synchronised") and tap.wait_for(lambda: d.status()["updates"] > 6, 60, 0.2)
		if lab.ok(good and d.status()["serving"] == "kernel",
			  f"{self.what}: ntpkd synchronises and the module answers", d):
			self.stream.start()
			return self.truth.is_told()
		return False

	def end(self):
		"""Whatever happened to the clock, what was served is right."""
		told = self.truth.is_told()
		self.stream.finish()
		tap.ok(told and not self.stream.bad,
		       f"{self.what}: all {self.stream.answered} replies within the claimed root distance, the last tell the time",
		       self.stream.summary())
		tap.note(f"{self.what}: {self.truth.figures()}")
		tap.same(self.d.stop(), 0, f"{self.what}: ntpkd ends well")
		tap.note(self.d.text())


def clock(world):
	"""Set by hand; then a chronyd that takes itself for the only one."""
	s = Steered(world, "clock")
	if not s.begin():
		return
	netns.step_realtime_ns(2 * S)
	lab.ok(s.d.says(r"another program or the kernel stepped the system clock by \+(2\.0|1\.9)\d\d s"),
	       "set by hand: is said with its amount", s.d)
	lab.ok(tap.wait_for(lambda: "Clock offset    : -2.0" in s.d.ctl("status") or
			    "Clock offset    : -1.9" in s.d.ctl("status"), 10),
	       "set by hand: `ntpkctl status` says by how much the clock is off", s.d)
	lab.ok(s.d.becomes("synchronised", 10), "set by hand: still synchronised", s.d)
	netns.step_realtime_ns(-2 * S)
	second(s)
	s.end()


def second(s):
	other = fixture.chronyd(s.client, f"server {s.server.addr} iburst minpoll 0 maxpoll 0",
				"port 0", args=())
	lab.ok(s.d.says(r"chronyd \(process \d+\) controls the clock: its frequency was changed to [+-][\d.]+ ppm",
			60), "a second daemon steers the clock: is said", s.d)
	netns.stop(other)


def kill(world):
	"""kill -9 in the middle of a slew of 100 ms, nobody there for a while, then a new one."""
	seconds = tap.env_int("NTPK_FAULT_S", 20)
	s = Steered(world, "kill -9", "makestep 0.02 3")
	if not s.begin():
		return
	netns.step_realtime_ns(100 * MS)
	lab.ok(tap.wait_for(lambda: 20 * MS < clock_error_ns(s.line) < 97 * MS, 60, 0.1),
	       "kill -9: ntpkd slews the clock back, which was set 100 ms fast", s.d)
	s.d.kill()
	unsync = s.truth.unsync
	at_kill = clock_error_ns(s.line)
	tap.ok(at_kill > 20 * MS, f"kill -9: in the middle, {at_kill / MS:.1f} ms left")
	wait_s(seconds)
	left = clock_error_ns(s.line)
	tap.ok(-MS * 5 < left < at_kill, f"kill -9: {seconds} s later the clock has not run away: "
	       f"{left / MS:+.1f} ms")
	tap.ok(s.truth.is_told(50) and s.truth.unsync == unsync and not s.stream.bad,
	       f"kill -9: {seconds} s later the module still serves the time within its dispersion",
	       s.stream.summary())
	s.d.start()
	lab.ok(s.d.becomes("synchronised") and tap.wait_for(lambda: abs(clock_error_ns(s.line)) < 10 * MS,
							    60, 0.2),
	       f"started again: the clock is right, {clock_error_ns(s.line) / MS:+.3f} ms", s.d)
	s.end()
