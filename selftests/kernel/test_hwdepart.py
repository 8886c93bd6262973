#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-only
"""
Shows that a client in interleaved mode is told the device's transmit stamp, to the
nanosecond, where a map of the device's clock says what that is, whether an interrupt or a
thread reports it; and the kernel's where the map is stale or of another clock, where the
stamp is of the future, of before the device had it, of long after, or does not come, each
counted with its reason; that no more than a few are asked for where none come; that a step
of the clock forgets it; and that the correction of T3 is learned from the kernel's stamps of
other replies alone.  The stamps are made by a module for this.  About 15 seconds.
"""
import json
import os
import re
import time

import hwclock
import netns
import ntpknl
import ntpq
import tap
from hwclock import EPOCH_NS, MS, S
from stamped import BASIC, INTERLEAVED, Client

LATER_NS = 9 * MS		# than the driver had it, and than the kernel's stamp, which is judged by
REPORT_MS = 20
MISSING_S = 1.1			# a stamp that has not come by then does not come
HALF = 128			# NTP_LATENCY_HALF
OUT_MAX = 8			# of hwleft.c, of a CPU within 100 ms
BURST = 60
N_LATE = 200
PACE = "in the debug kernel what making a stamp takes is anybody's guess"


class Departure:
	"""A reply in interleaved mode: what was counted of it, and when it left by the T3 of the next."""

	def __init__(self, b, c, settles=True):
		settle = b.clock.settle if settles else lambda: None
		before = b.g.t3s()
		raw0 = netns.raw_ns()
		c.again()
		raw1 = netns.raw_ns()
		self.exchange_ns = raw1 - raw0
		settle()
		self.counted = ntpknl.changed(before, b.g.t3s())
		left = b.clock.left_raw_ns()
		self.mode, reply, _ = c.again()
		self.took_ns = netns.raw_ns() - raw0
		self.off_ns = reply.t3_ns - ntpq.line_at(b.state, left)
		self.hardware = self.mode == INTERLEAVED and abs(self.off_ns) <= 5
		self.software = self.mode == INTERLEAVED and \
			ntpq.line_at(b.state, raw0) <= reply.t3_ns <= ntpq.line_at(b.state, raw1)
		settle()

	def __repr__(self):
		return (f"{self.mode}, {self.off_ns} ns from the device's stamp, "
			f"{'' if self.software else 'not '}within the exchange; {self.counted}")


class Bench(hwclock.Bench):
	def __init__(self):
		super().__init__()
		self.c = Client(self.s.client)
		self.warm(self.c)

	def warm(self, c):
		for _ in range(3):
			c.again()
			self.clock.settle()

	def stamps(self, **what):
		self.clock.reset()
		self.clock.set(**{"tx": 1, "later_ns": LATER_NS, "report_ms": REPORT_MS, **what})

	def departure(self, c=None):
		"""One that was so quick that the kernel's stamp is before the device's, if one of five is."""
		for _ in range(5):
			x = Departure(self, c or self.c)
			if x.exchange_ns < LATER_NS:
				break
		return x

	def takes(self, what, c=None):
		x = self.departure(c)
		tap.ok(x.hardware and x.counted == {"hardware": 1}, f"{what}: the departure is the device's stamp", x)

	def refuses(self, what, reason=None):
		x = self.departure()
		tap.ok(x.software and not x.hardware and
		       x.counted == {"software": 1, **({reason: 1} if reason else {})},
		       f"{what}: the departure is the kernel's{f', counted as {reason}' if reason else ''}", x)


def test_right(b):
	b.stamps()
	b.refuses("no map")
	b.set()
	b.takes("a thread reports it 20 ms later")
	with Client6(b) as c:
		b.takes("IPv6", c)
	b.stamps(later_ns=0, report_ms=0)
	if tap.is_uml():
		b.warm(b.c)	# which may take so long that it is not believed
	else:
		b.takes("an interrupt reports it at once")
	b.set(RX_LATER_NS=-1)
	b.takes("a device that stamps only what leaves")


class Client6(Client):
	def __init__(self, b):
		super().__init__(b.s.client, "2001:db8::1")
		b.warm(self)

	def __enter__(self):
		return self

	def __exit__(self, *_):
		self.close()


def test_wrong(b):
	b.set()
	for what, later, reason in (("not left when it was reported", S, "hw_future"),
				    ("left before T3 was read", -400 * MS, "hw_early"),
				    ("left more than 10 ms later", (REPORT_MS - 1) * MS, "hw_far")):
		b.stamps(later_ns=later)
		b.refuses(what, reason)
	b.stamps()
	for what, off, reason in (("ahead by a second", S, "hw_future"), ("behind by a second", -S, "hw_early"),
				  ("ahead by years", 10**8 * S, "hw_future"), ("of boot", -EPOCH_NS, "hw_early")):
		b.clock.set(offset_ns=EPOCH_NS + off)
		b.refuses(f"another clock, {what}", reason)
	b.stamps()
	b.set(VALID_UNTIL_NS=netns.raw_ns() + 200 * MS)
	time.sleep(0.3)
	b.refuses("a stale map", "hw_stale")
	b.set()
	b.takes("a new one")


def test_missing(b):
	for _ in range(5):	# until the last one is quick
		b.stamps(tx=0)
		time.sleep(MISSING_S)
		before = b.g.t3s()
		x = Departure(b, b.c)
		time.sleep(MISSING_S)
		b.stamps()
		raw0 = netns.raw_ns()
		b.c.again()
		took_ns = netns.raw_ns() - raw0
		b.clock.settle()
		moved = ntpknl.changed(before, b.g.t3s())
		if took_ns < LATER_NS:
			break
	tap.ok(x.software and x.counted == {}, "no stamp: the departure is the kernel's, and nothing is counted yet", x)
	tap.same(moved, {"software": 2, "hw_missing": 2, "hardware": 1},
		 "a second later, when another one is watched, both replies are")
	report_ms = 300 * tap.slow()
	for _ in range(5):	# until it is asked again in time
		b.stamps(report_ms=report_ms)
		x = Departure(b, b.c, settles=False)
		b.clock.settle()
		time.sleep(MISSING_S)
		b.stamps()
		b.warm(b.c)
		if x.took_ns < report_ms * MS:
			break
	tap.ok(x.software and x.counted == {}, "asked again before it is reported: the departure is the kernel's", x)
	b.takes("and after that the device's again")


def test_step(b):
	b.stamps(report_ms=200)
	b.c.again()
	now = time.time()
	time.clock_settime(time.CLOCK_REALTIME, now + 10)
	tap.later(lambda: time.clock_settime(time.CLOCK_REALTIME, time.time() - 10))
	b.push()
	b.clock.settle()
	tap.same(b.c.again()[0], BASIC, "a step of the clock while a stamp is waited for: it is forgotten")
	b.clock.settle()
	b.stamps()
	b.warm(b.c)
	b.takes("after that")


def test_detach(b):
	b.stamps(report_ms=200)
	b.c.again()
	b.g.detach()
	b.g.attach()
	b.push()
	b.clock.settle()
	tap.same(sum(b.g.t3s().values()), 0, "detached while a stamp is waited for: nobody counts it")
	b.stamps()
	b.set()
	b.warm(b.c)
	b.takes("attached again")


def test_vague(b):
	b.stamps()
	b.set(ERR_NS=4900)
	b.takes("known within 5 us")
	b.set(ERR_NS=5100)
	b.refuses("known less well", "hw_vague")
	b.set()


def test_out(b):
	"""Others want the device's one place as well."""
	b.stamps(tx=0)
	time.sleep(0.2)
	before, begin = b.g.t3s(), time.monotonic()
	for _ in range(BURST):
		b.c.send(org=1, rec=2)
	for _ in range(BURST):
		b.c.take()
	windows = int((time.monotonic() - begin) / 0.1) + 1
	moved = ntpknl.changed(before, b.g.t3s())
	at_once = moved.get("software", 0) - moved.get("hw_missing", 0)
	cpus = os.cpu_count()
	tap.ok(BURST - OUT_MAX * cpus * windows <= at_once <= BURST - OUT_MAX,
	       f"of {BURST} replies at once {BURST - at_once} are asked for, in {windows} windows on {cpus} CPUs")
	time.sleep(MISSING_S)
	b.stamps()
	b.warm(b.c)
	b.takes("and after that the device's again")


def late_of(c):
	"""How many of N_LATE replies claim to have left after they came."""
	late = 0
	for _ in range(N_LATE):
		_, reply, arrived = c.ask()
		late += arrived < reply.t3_ns
	return late


def test_learns(b):
	"""What the device's stamps say is far longer, so that it is seen that they are not learned from."""
	c = Client(b.s.client)
	b.g.detach()
	b.g.attach()
	b.g.push_default()	# of this very clock
	b.stamps()
	b.set()
	counted = b.g.t3s()
	for _ in range(HALF + 40):
		c.ask()
	got = b.g.departures().get((b.dev, 0), (0, 0, 0))
	tap.ok(got[0] > 0 and got[2] >= HALF and b.g.t3s() == counted,
	       f"in basic mode no stamp of the device is asked for, and {got[2]} of the kernel's are learned from", got)
	tap.ok_stock(got[1] < MS // 2, f"T3 is early by {got[1]} ns after that", PACE, got)
	time.sleep(0.2)
	samples = b.g.departures()[b.dev, 0][2]
	for _ in range(30):
		b.c.again()
		b.clock.settle()
	got = b.g.departures()[b.dev, 0]
	moved = ntpknl.changed(counted, b.g.t3s())
	tap.ok(got[2] == samples and sum(moved.values()) >= 30,
	       f"of {sum(moved.values())} whose device's stamp is asked for none are learned from", (samples, got, moved))
	tap.ok_stock(moved.get("hardware", 0) >= 30, f"it comes of {moved.get('hardware', 0)}", PACE, moved)
	lates = [late_of(c)]
	good = lambda: sum(late <= N_LATE // 50 for late in lates)
	# the host may have slowed all that T3 was learned from, and what follows is learned anew
	while good() < 3 and len(lates) < 5 and not tap.is_uml():
		lates.append(late_of(c))
	tap.ok_stock(good() == 3, f"of {N_LATE} replies hardly any claims to have left after it came, three times in five at "
		     f"least: {', '.join(map(str, lates))}", PACE)
	c.close()


def test_ctl(b):
	data = json.loads(b.s.server.sh("ntpkctl", "--json", "stats").stdout)["data"]
	tap.same({t["name"]: t["pkts"] for t in data["t3"]}, {n: k for n, k in b.g.t3s().items() if k},
		 "ntpkctl stats --json has where departures are known from")
	text = b.s.server.sh("ntpkctl", "stats").stdout
	tap.ok(re.search(r"^Interleaved +Departure +Meaning", text, re.M) and
	       re.search(r"^ *\d+ +hardware +the device's stamp", text, re.M), "and in words", text)
	names = sorted(os.listdir(f"{netns.SYS}/t3"))
	tap.same(names, sorted(b.g.t3s()), "/sys has the counters by the same names")
	tap.same({netns.sysfs(f"t3/{name}") for name in names}, {"0"}, "0 where nobody is attached")


def main():
	b = Bench()
	test_right(b)
	test_wrong(b)
	test_missing(b)
	test_vague(b)
	test_out(b)
	test_step(b)
	test_detach(b)
	test_learns(b)
	test_ctl(b)


tap.run(main)
