#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-only
"""
Shows that T3 is moved on by what a reply still takes to leave: behind a device with a
wait, and in a machine that counts instructions on any; at most 1 % of the replies claim
to have left after they came, those among them that wait for their stamp (three times in
five where the host may have slowed the machine); that T3 is the same at ten requests a
second as at speed; that what is left over is shown and in the root dispersion; that a
shorter way is noticed within 64 replies and a long wait is not believed in; and that
nothing is learned where nothing can be.  About 30 seconds.
"""
import json
import re
import statistics
import time

import fixture
import netns
import tap
from stamped import INTERLEAVED, Client

HALF = 128	# NTP_LATENCY_HALF
CORRECTION_MAX_NS = 20_000	# NTP_LATENCY_CORRECTION_MAX_NS
QUEUE_NS = 400_000
N = 400 if tap.slow() == 1 else 300
# In a machine that counts instructions nothing but the way itself takes time.
COUNTS = tap.env_int("NTPK_ICOUNT", 0, 0)
LATE_NS = 1000
# So many of N may claim to have left after they came.
LATE_MOST = N // 100
# By so much T3 may differ on average with the rate.
UNEVEN_NS = 100
PACE = "in the debug kernel what making a stamp takes is anybody's guess"


class Replies:
	"""How early T3 is against the arrival, and what else is said, of n replies."""

	def __init__(self, s, n, dst="192.0.2.1", gap_s=0, **fields):
		c = Client(s.client, dst)
		self.early_ns, self.disp_ns = [], []
		for _ in range(n):
			if gap_s:
				time.sleep(gap_s)
			_, reply, arrived = c.ask(**fields)
			self.early_ns.append(arrived - reply.t3_ns)
			self.disp_ns.append(reply.root_disp_ns)
		c.close()

	def median(self):
		return statistics.median(self.early_ns)

	def mean(self):
		return statistics.fmean(self.early_ns)

	def late(self, by_ns=0):
		return sum(e < -by_ns for e in self.early_ns)


def known(s, dst="192.0.2.1", dev=None):
	return s.g.departures().get((netns.ifindex(s.server, dev or s.link.sdev), int(":" in dst)), (0, 0, 0))


def counted(cond, what, detail=None):
	"""What time tells only in a machine that counts instructions."""
	if COUNTS:
		tap.ok(cond, what, detail)
	else:
		tap.note(what)


def in_time(replies):
	return replies.late() <= LATE_MOST and (not COUNTS or not replies.late(LATE_NS))


def replies_in_time(s, what, **kwargs):
	"""
	N replies of which hardly any claims to have left after it came: each time where
	instructions are counted.  Elsewhere the host may have slowed all that T3 was learned from,
	and what follows is learned anew: more often than not.
	"""
	need, most = (1, 1) if COUNTS or tap.is_uml() else (3, 5)
	tries = []
	while sum(map(in_time, tries)) < need and len(tries) < most:
		tries.append(Replies(s, N, **kwargs))
	good, last = sum(map(in_time, tries)), tries[-1]
	tap.ok_stock(good == need, f"{what}: in {good} of {len(tries)} times hardly any of {N} replies claims to have "
		     f"left after it came; in the last {last.late()}, {last.late(LATE_NS)} by more than 1 us; "
		     f"the least is {min(last.early_ns)} ns early", PACE, [t.late() for t in tries])
	return last


def test_learns(s, dst):
	s.g.push_default()
	Replies(s, HALF - 2, dst)
	tap.same(known(s, dst), (0, 0, 0), f"{dst}: nothing is said before {HALF} replies")
	Replies(s, 40, dst)
	correction, residual, _ = known(s, dst)
	tap.ok(correction > 0, f"{dst}: after them T3 is moved on by {correction} ns, and {residual} ns are left")
	after = replies_in_time(s, dst, dst=dst)
	# those before were watched, which takes its time: without correction it is this
	without = after.median() + correction
	text = (f"{dst}: {without:.0f} ns early without correction, {after.median():.0f} with: "
		f"{without / after.median():.1f} times less")
	counted(without >= 3 * after.median(), text)
	return without


def test_ctl(s):
	out = s.server.sh("ntpkctl", "--json", "stats").stdout
	correction, residual, samples = known(s)
	want = {"device": s.link.sdev, "ifindex": netns.ifindex(s.server, s.link.sdev), "family": "ipv4",
		"correction_ns": correction, "residual_ns": residual, "samples": samples}
	tap.ok(want in json.loads(out)["data"]["departures"], "ntpkctl stats --json says so", out)
	out = s.server.sh("ntpkctl", "stats").stdout
	tap.ok(re.search(rf"^T3 correction +: [\d.]+ \S+ for the way out by {s.link.sdev} \(IPv4\), early by ", out, re.M),
	       "and ntpkctl stats", out)


def queue(s, verb, us):
	return s.server.sh("tc", "qdisc", verb, "dev", s.link.sdev, "root", "netem", "delay", f"{us}us",
			   check=False)


def test_queue(s):
	"""A wait that all have: T3 is moved on by what it may be, the rest is owned up to; and it ends."""
	tc = queue(s, "add", QUEUE_NS // 1000)
	if tc.returncode:
		tap.skip("behind a queue", f"no netem here: {tc.stderr}")
		return
	s.g.detach()
	s.g.attach()
	s.g.push_default(ROOT_DISP_NS=0, DISP_RATE_PPB=0)
	before = Replies(s, 100)
	Replies(s, 2 * HALF)
	after = Replies(s, 100)
	correction, residual, _ = known(s)
	gain = before.median() - after.median()
	tap.ok_stock(correction == CORRECTION_MAX_NS and (not COUNTS or gain > CORRECTION_MAX_NS * 3 // 4),
		     f"behind {QUEUE_NS / 1000:.0f} us T3 is {before.median() / 1000:.0f} us early before, "
		     f"{after.median() / 1000:.0f} after {correction / 1000:.0f} are known", PACE,
		     (before.early_ns[:9], after.early_ns[:9]))
	disp_ns = statistics.median(before.disp_ns)
	tap.ok(min(after.disp_ns) > residual / 2,
	       f"{residual / 1000:.0f} us are left: the root dispersion goes from {disp_ns / 1000:.0f} to "
	       f"{min(after.disp_ns) / 1000:.0f} us")
	tap.ok_stock(residual > QUEUE_NS / 2 and residual / 2 > disp_ns,
		     "that is most of the queue, and half of it is more than the root dispersion before",
		     "in the debug kernel T2 is so old when it is looked at that this is most of the root dispersion")
	s.server.sh("tc", "qdisc", "del", "dev", s.link.sdev, "root")
	watched = 0
	# on a busy host one may take as long without a queue, and after a pause more than at speed
	while watched < (1 if COUNTS else 40) and not 0 < known(s)[0] < CORRECTION_MAX_NS:
		time.sleep(0.2)
		Replies(s, 1 if COUNTS else 10)
		watched += 1 if COUNTS else 2
	tap.ok_stock(0 < known(s)[0] < CORRECTION_MAX_NS,
		     f"the queue has gone: known with reply {watched} that is watched, {known(s)[0]} ns", PACE)
	late = Replies(s, 100).late(LATE_NS)
	counted(late <= 5, f"then {late} of 100 are late by more than 1 us")


def test_rate(s):
	"""Two in 100 ms are watched, however many there are, and two in 64."""
	samples, end = known(s)[2], time.monotonic() + 1
	n = 0
	while time.monotonic() < end:
		Replies(s, 10)
		n += 10
	more = known(s)[2] - samples
	# one that was shorter than any before has another behind it
	tap.ok(2 <= more <= max(40, n // 4), f"of {n} replies in a second {more} are learned from")
	samples = known(s)[2]
	slow = Replies(s, HALF, gap_s=0.1 if COUNTS else 0.02)
	more = known(s)[2] - samples
	tap.ok(more >= 2, f"of {HALF} further apart {more} are learned from")
	tap.ok_stock(more <= 24, "and no more than 24", PACE)
	return slow


def test_even(s):
	"""Being watched delays a reply: T3 knows, and at low rates as few are as at speed."""
	slow, fast = test_rate(s), Replies(s, N)
	uneven = slow.mean() - fast.mean()
	text = f"T3 is {fast.mean():.0f} ns early at speed, {slow.mean():.0f} further apart"
	counted(abs(uneven) < UNEVEN_NS, text, slow.early_ns)
	# of a client in interleaved mode, whose last reply is not known
	watched = replies_in_time(s, "watched", org=1, rec=9)
	# what follows the report is not known, nor, where nothing is rehearsed, memory that has to be found
	uneven = watched.median() - fast.median()
	counted(abs(uneven) < 3 * UNEVEN_NS,
		f"and {watched.median():.0f} in a reply that is watched, against {fast.median():.0f}",
		watched.early_ns[:50])


def told_early(s, dst="192.0.2.1"):
	"""By how much what a client in interleaved mode is told of the reply before is before its arrival, ns."""
	c = Client(s.client, dst)
	early, arrived = [], 0
	for _ in range(N + 3):
		mode, reply, now = c.again()
		if mode == INTERLEAVED:
			early.append(arrived - reply.t3_ns)
		arrived = now
	c.close()
	return early


def test_told(s, without):
	early = told_early(s)
	late, told = sum(e < 0 for e in early), statistics.median(early)
	tap.ok(len(early) >= N, f"{len(early)} replies in interleaved mode tell of the one before")
	counted(late <= LATE_MOST and min(early) >= -LATE_NS and without >= 5 * told,
		f"in interleaved mode T3 is {told:.0f} ns early, {without / told:.1f} times less than in basic mode "
		f"without correction; {late} of {N} claim to have left after they came", early[:50])
	return told


def test_told_stamp(s, told):
	"""By a device of which it is not known whether replies wait for the report of their stamp."""
	s.server.sh("ip", "link", "add", "mac", "link", s.link.sdev, "type", "macvlan")
	for ns, dev, host in ((s.server, "mac", "198.51.100.1"), (s.client, s.link.cdev, "198.51.100.2")):
		ns.sh("ip", "addr", "add", f"{host}/24", "dev", dev)
		ns.sh("ip", "link", "set", dev, "up")
	early = statistics.median(told_early(s, "198.51.100.1"))
	tap.ok(early > told + 500, f"by macvlan, where nothing is added to the stamp, {early:.0f} ns early", told)
	s.server.sh("ip", "link", "del", "mac")
	s.client.sh("ip", "addr", "del", "198.51.100.2/24", "dev", s.link.cdev)


def test_place(s):
	"""A device more, whose place in the table is the first one's."""
	index = netns.ifindex(s.server, s.link.sdev) + 32	# NTPK_DEPARTURES_MAX / 2
	s.server.sh("ip", "link", "add", "other", "index", str(index), "type", "veth", "peer", "name", "other",
		    "netns", s.client.name)
	for ns, host in ((s.server, "198.51.100.1"), (s.client, "198.51.100.2")):
		ns.sh("ip", "addr", "add", f"{host}/24", "dev", "other")
		ns.sh("ip", "link", "set", "other", "up")
	tap.wait_for(lambda: s.client.sh("ping", "-c1", "-W1", "198.51.100.1", check=False).returncode == 0, 5)
	before = known(s)
	for _ in range(20):
		Replies(s, 10, "198.51.100.1")
		Replies(s, 5)		# more in total than are spared
	tap.ok(known(s)[2] > before[2] > 0 and known(s)[0] > 0 and known(s, dev="other") == (0, 0, 0),
	       "two devices in one place: the first one keeps it", (before, known(s), known(s, dev="other")))
	s.server.sh("ip", "link", "del", "other")


def test_lost(s):
	"""What was learned is of another time when nothing leaves any more."""
	if s.server.sh("tc", "qdisc", "add", "dev", s.link.sdev, "root", "netem", "loss", "100%",
		       check=False).returncode:
		tap.skip("replies that never leave", "no netem here")
		return
	before = known(s)
	c = Client(s.client)
	for _ in range(200):
		c.send()
		time.sleep(0.02)
	c.close()
	tap.ok(before[0] > 0 and known(s) == (0, 0, 0), "no reply leaves any more: nothing is known", known(s))
	s.server.sh("tc", "qdisc", "del", "dev", s.link.sdev, "root")
	Replies(s, 2 * HALF)
	tap.ok(known(s)[0] > 0, "they do again, and it is", known(s))


def test_off(s):
	s.g.close()
	netns.unload()
	netns.insmod("t3_correction=0")
	s = fixture.Served(link=s.link)
	s.g.push_default()
	Replies(s, 2 * HALF)
	tap.same(s.g.departures(), {}, "t3_correction=0: nothing is learned")


def main():
	s = fixture.served()
	without, _ = (test_learns(s, dst) for dst in ("192.0.2.1", "2001:db8::1"))
	test_ctl(s)
	test_even(s)
	told = test_told(s, without)
	if COUNTS:	# or it says nothing
		test_told_stamp(s, told)
	test_queue(s)
	if not COUNTS:	# where time jumps
		test_place(s)
		test_lost(s)
		test_off(s)


tap.run(main)
