#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-only
"""
Shows what ntpkd does to the clock at its start and when it is killed: a clock
in the past is set to the RTC or the saved time; kill -9 in the middle of a slew
leaves a slew that ends by itself and the frequency as it was; another program's
hand in the clock is reported.  About a minute.  Sets the test machine's clock.
"""
import ctypes
import os
import time

import daemon
import fixture
import netns
import ntpknl
import tap

S = 10**9
YEAR_2001_NS = 978307200 * S
ADJ_FREQUENCY, ADJ_STATUS, ADJ_TICK, STA_PLL, STA_UNSYNC = 0x0002, 0x0010, 0x4000, 0x0001, 0x0040
ADJ_OFFSET_SS_READ, ADJ_OFFSET_SINGLESHOT = 0xa001, 0x8001


def adjtimex(modes=0, offset=0, freq=0, status=0, tick=10000):
	"""struct timex as a list: 0 modes, 1 offset, 2 freq, 5 status, 11 tick."""
	buf = (ctypes.c_long * 26)()
	buf[0], buf[1], buf[2], buf[11] = modes, offset, freq, tick
	ctypes.c_int.from_buffer(buf, 5 * 8).value = status
	if netns.libc.adjtimex(buf) < 0:
		raise OSError(ctypes.get_errno(), "adjtimex")
	return buf


class Controller(daemon.Ntpkd):
	"""ntpkd that does control the clock."""

	def __init__(self, ns, *lines):
		self.state = fixture.tmpdir()
		super().__init__(ns, "kernel off", "port 0", "savedir " + self.state, *lines)

	def start(self):
		with open(self.log, "a") as log:
			self.p = netns.spawn(self.ns, daemon.NTPKD, "-d", "-f", self.conf, "-s",
					     self.sock, stdout=log, stderr=log)


def test_cold(now_ns):
	netns.set_realtime_ns(YEAR_2001_NS)
	d = Controller(None)
	if os.path.exists("/dev/rtc0"):
		tap.ok(d.says("which cannot be: set to the RTC"), "a clock in 2001 is set to the RTC", d.text())
		tap.ok(abs(time.time_ns() - now_ns) < 600 * S, "which is right here", time.ctime())
	else:
		tap.ok(d.says("which cannot be: set to the build date"),
		       "a clock in 2001 is set to the build date: there is no RTC", d.text())
	d.stop()
	tap.ok(not os.path.exists(d.state + "/time"), "without a source nothing is saved")
	saved_s = now_ns // S + 3 * 365 * 86400
	with open(d.state + "/time", "w") as f:
		f.write(f"{saved_s}\n")
	netns.set_realtime_ns(YEAR_2001_NS)
	d.start()
	tap.ok(d.says("set to the saved time") and d.says("the time is a guess"),
	       "to the saved time where that is later, and it is called a guess", d.text())
	tap.ok(0 <= time.time() - saved_s < 60, "the clock is the saved time", time.ctime())
	d.stop()
	netns.set_realtime_ns(now_ns)


def left_us():
	return adjtimex(ADJ_OFFSET_SS_READ)[1]


def test_kill(ns):
	d = Controller(ns, "server 10.5.0.2 iburst minpoll 2 maxpoll 2")
	slewing = d.synchronises() and tap.wait_for(lambda: abs(left_us()) > 10000, 30)
	if not tap.ok(slewing, "a clock that is 200 ms off is slewed", d.text()):
		return d
	d.kill()
	before = adjtimex()
	left, raw, real = left_us(), netns.raw_ns(), time.time_ns()
	tap.wait_for(lambda: netns.raw_ns() > raw + 3 * S, 10)
	seconds = (netns.raw_ns() - raw) / S
	rate = ((time.time_ns() - real) / S / seconds - 1) * 1e6
	tap.ok(abs(left_us()) < abs(left), f"after kill -9 the slew goes on and shrinks: {left} us, "
	       f"then {left_us()} us")
	freq = before[2] / 65536
	tap.ok(before[11] == 10000 and abs(rate - freq) < 1000,
	       f"the clock does not run away: {rate:+.0f} ppm, its frequency {freq:+.1f} ppm")
	d.start()
	tap.ok(tap.wait_for(lambda: d.status().get("clock_control"), 10) and d.synchronises(),
	       "a new ntpkd takes over", d.text())
	return d


def test_foreign(d):
	adjtimex(ADJ_STATUS, status=STA_PLL | STA_UNSYNC)
	tap.ok(d.says("the kernel's own loop was on, and is off", 25), "a foreign PLL is reported", d.text())
	tap.ok(not adjtimex()[5] & STA_PLL, "and switched off")
	tap.same(d.stop(), 0, "ntpkd ends well")
	tap.ok(os.path.exists(d.state + "/time"), "and has saved the time")


def main():
	daemon.need_ntpkd()
	s = fixture.served(attach=False)
	now_ns, raw = time.time_ns(), netns.raw_ns()
	test_cold(now_ns)
	netns.set_realtime_ns(now_ns + netns.raw_ns() - raw)
	tap.later(adjtimex, ADJ_FREQUENCY | ADJ_TICK)
	g = ntpknl.Genl(daemon.upstream(s.server))
	g.attach()
	g.push_default(shift_ns=200_000_000, STRATUM=1, REFID=b"TEST", ROOT_DISP_NS=10000,
		       ROOT_DELAY_NS=0, DISP_RATE_PPB=0)
	test_foreign(test_kill(s.server))


tap.run(main)
