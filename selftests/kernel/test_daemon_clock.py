#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-only
"""
Shows that served time stays true whatever another process does to the clock:
steps of 2 s forward and back, frequency +-500 ppm and tick +-10 %, each for
NTPK_CLOCK_S seconds (8; the full figure is 60).  Every reply must be within
its claimed root distance of the truth, which is a line on CLOCK_MONOTONIC_RAW
that the test keeps; the upstream serves that line, 3.7 s from the clock, by
the module in a namespace of its own.  ntpkd runs with -x.
About a minute and a half.  Sets the test machine's clock.
"""
import ctypes
import time

import daemon
import fixture
import netns
import ntpknl
import tap

S = 10**9
SHIFT_NS = 3_700_000_000
ADJ_FREQUENCY, ADJ_TICK = 0x0002, 0x4000
NORMAL_TICK = 10000
AGAIN_MS = 300 * tap.slow()
STILL_MS = 50	# who does not get to look for so long cannot tell how long it took


def adjtimex(ppm=0, tick=NORMAL_TICK):
	buf = (ctypes.c_long * 26)()		# struct timex
	buf[0], buf[2], buf[11] = ADJ_FREQUENCY | ADJ_TICK, ppm << 16, tick
	if netns.libc.adjtimex(buf) < 0:
		raise OSError(ctypes.get_errno(), "adjtimex")


class Upstream:
	"""The truth, served by the module; it must be told of each step, as any line."""

	def __init__(self, ns):
		self.g = ntpknl.Genl(ns)
		self.g.attach()
		self.state = self.g.push_default(shift_ns=SHIFT_NS, STRATUM=1, REFID=b"TEST",
						 ROOT_DISP_NS=10000, ROOT_DELAY_NS=0, DISP_RATE_PPB=0)

	def push_again(self):
		self.g.push(dict(self.state, CLOCK_SEQ=self.g.clock()["SEQ"]))

	def truth(self):
		return daemon.Truth(self.state["BASE_RAW_NS"], self.state["BASE_UNIX_NS"])


def back_in_sync(g, seconds=5):
	"""(how long it takes, None = for ever; the longest time from look to look), ms"""
	looks = [time.monotonic()]
	def look():
		good = g.status() == "sync"
		looks.append(time.monotonic())
		return good
	done = tap.wait_for(look, seconds, 0.002)
	longest = max(b - a for a, b in zip(looks, looks[1:]))
	return (looks[-1] - looks[0]) * 1000 if done else None, longest * 1000


def watched(client, up, what, seconds, disturb):
	"""A stream of requests over something done to the clock."""
	truth = up.truth()
	stream = fixture.Stream(client, rate=500, check=truth.check)
	stream.start()
	stream.wait_answers(50)
	disturb()
	end = time.monotonic() + seconds
	tap.wait_for(lambda: time.monotonic() > end, seconds + 5, 0.2)
	stream.finish()
	tap.ok(stream.answered > 50 and not stream.bad and not stream.unanswered,
	       f"{what}: all {stream.answered} replies within the claimed root distance",
	       stream.summary())
	tap.note(f"{what}: {truth.figures()}")
	return truth


def test_steps(client, up, g):
	for delta in (2 * S, -2 * S, 40_000_000):
		took = []
		def step():
			netns.step_realtime_ns(delta)
			up.push_again()
			took.append(back_in_sync(g))
		for _ in range(3):	# until the machine does not stand still meanwhile
			truth = watched(client, up, f"a step of {delta / S:+g} s", 3, step)
			ms, longest_ms = took[-1]
			if longest_ms < STILL_MS:
				break
		tap.ok(ms is not None and ms < AGAIN_MS,
		       f"a step of {delta / S:+g} s: synchronised again after {ms or 0:.0f} ms", took)
		tap.ok(truth.unsync < 250, f"and {truth.unsync} replies were unsynchronised meanwhile")


def test_rates(client, up, g):
	seconds = tap.env_int("NTPK_CLOCK_S", 8)
	tap.later(adjtimex)
	for ppm, tick, what in ((500, NORMAL_TICK, "+500 ppm"), (-500, NORMAL_TICK, "-500 ppm"),
				(0, 11000, "tick +10 %"), (0, 9000, "tick -10 %"),
				(500, 11000, "both up"), (-500, 9000, "both down")):
		before = time.time_ns() - netns.raw_ns()
		truth = watched(client, up, what, seconds, lambda: adjtimex(ppm, tick))
		drift = time.time_ns() - netns.raw_ns() - before
		adjtimex()
		least = 0.5 * seconds * S * abs(ppm * 1e-6 + (tick - NORMAL_TICK) * 1e-4)
		tap.ok(abs(drift) > least, f"{what}: the clock went {drift / 1e6:+.1f} ms astray", drift)
		tap.same((truth.unsync, g.status()), (0, "sync"), f"{what}: synchronised all the time")


def main():
	daemon.need_ntpkd()
	s = fixture.served(attach=False)
	adjtimex()
	up = Upstream(daemon.upstream(s.server))
	d = daemon.Ntpkd(s.server, "server 10.5.0.2 iburst minpoll 3 maxpoll 3")
	if not tap.ok(d.synchronises() and tap.wait_for(lambda: s.g.status() == "sync"),
		      "ntpkd -x synchronises", d.text()):
		return
	offset = d.status()["clock_offset_ns"]
	tap.ok(abs(offset - SHIFT_NS) < 20_000_000,
	       f"it serves {offset / S:+.6f} s from this clock and leaves the clock alone", d.status())
	test_steps(s.client, up, s.g)
	test_rates(s.client, up, s.g)
	tap.note("log of ntpkd:\n" + d.text())
	tap.same(d.stop(), 0, "ntpkd ends well")


tap.run(main)
