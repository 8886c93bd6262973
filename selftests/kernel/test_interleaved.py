#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-only
"""
Shows interleaved mode (RFC 9769): a client that names a reply by its T2 is told when
that reply left, next to none that it left later than it came; behind a queue the error
of T3 is at least five times smaller so than in basic mode. That it is right for a
hundred clients behind one address, and for chronyd with xleave; that nobody else is
answered so, and what others have to know for it; that a step of the clock forgets what was before it; and that more clients
than there is room for are answered in basic mode, never wrongly; that the module goes
while replies wait; and what its parameter does.
About 30 seconds.
"""
import os
import re
import select
import shutil
import statistics
import time

import fixture
import netns
import ntpq
import tap
from ntpq import request
from stamped import BASIC, INTERLEAVED, Client

PAIRS = 200 if tap.slow() == 1 else 20
CLIENTS = 100
SLACK_NS = 1000
BELOW = 0x7f			# the bits of a timestamp below the precision that is pushed
# What is told is the stamp and what the reply waits for its report, at most this
# (NTP_LATENCY_CORRECTION_MAX_NS): by no more it can be late, however uneven the machine.
WAITS_MAX_NS = 20_000 + SLACK_NS


def test_modes(s):
	c = Client(s.client)
	modes, moved = s.counted(lambda: [c.again()[0] for _ in range(4)])
	tap.same((modes, moved), ([BASIC, BASIC, INTERLEAVED, INTERLEAVED],
				  {"replied": 2, "replied_interleaved": 2}),
		 "the first reply is in basic mode, the second too, those after it interleaved")
	_, before, arrived = c.again()
	mode, reply, _ = c.again()
	tap.ok(mode == INTERLEAVED and before.t2_ns < reply.t3_ns <= arrived + SLACK_NS and
	       reply.t2_ns > arrived - SLACK_NS, "T2 is of this request, T3 of the reply before",
	       (mode, before.t2_ns, reply.t3_ns, arrived, reply.t2_ns))
	for what, fields in (("no origin", {"org": 0, "rec": 5}),
			     ("another origin", {"org": lambda last: last.rec ^ 2}),
			     ("no receive timestamp", {"rec": 0}),
			     ("receive and transmit timestamps the same", {"rec": 7, "xmt": 7}),
			     ("its T3 for the origin, as ntpd", {"org": lambda last: last.xmt}),
			     ("version 3", {"version": 3}), ("symmetric active mode", {"mode": 1})):
		c.again()
		# of a T2 that nothing has named yet
		org = fields.pop("org", lambda last: last.rec)
		org = org(c.last) if callable(org) else org
		req = ntpq.Reply(request(**{"rec": 9, "org": org, **fields}))
		c.s.send(req.data)
		reply = ntpq.Reply(c.s.recv(200))
		tap.ok(reply.org == req.xmt and reply.t3_ns >= reply.t2_ns, f"{what}: basic mode", reply)
	c.again()
	named = c.last.rec
	modes = [c.ask(org=named)[0] for _ in range(2)]
	tap.same(modes, [INTERLEAVED, BASIC], "a T2 is good for one request")
	c.close()


def test_parities(s):
	"""By which one is not taken for the other; and what nobody can guess of a T2."""
	c = Client(s.client)
	replies = [c.again()[1] for _ in range(20)]
	tap.ok(all(r.rec & 1 and not r.xmt & 1 for r in replies), "T2 is odd, T3 even, in both modes")
	low = {r.rec & BELOW for r in replies}
	tap.ok(len(low) > 5, "the bits of T2 below the precision differ from reply to reply", low)
	c.close()


def test_others(s):
	"""A reply is found by its T2, whoever names it: by all of it."""
	c, other = Client(s.client), Client(s.client, "2001:db8::1")
	for _ in range(3):
		c.again()
	mine, arrived = c.last, c.arrived_ns
	near = [other.ask(org=mine.rec ^ bits, rec=9)[0] for bits in range(2, BELOW, 2)]
	tap.same(near, [BASIC] * len(near), "another address that is wrong in one of the last bits of a T2: basic mode")
	mode, told, _ = other.ask(org=mine.rec, rec=9)
	tap.ok(mode == INTERLEAVED and mine.t2_ns < told.t3_ns <= arrived + WAITS_MAX_NS,
	       "another address that knows them is told when that reply left", (mode, mine, told, arrived))
	tap.same([c.again()[0] for _ in range(2)], [BASIC, INTERLEAVED],
		 "its own client is then answered in basic mode, once")
	for one in (c, other):
		one.close()


def test_namespaces(s):
	"""One table for all of them, in which none finds the replies of another."""
	other = fixture.Served()
	other.g.push_default()
	c, d = Client(s.client), Client(other.client)
	for _ in range(3):
		c.again()
	tap.same(d.ask(org=c.last.rec, rec=9)[0], BASIC, "a T2 of another namespace: basic mode")
	tap.same(c.again()[0], INTERLEAVED, "which has not used it up")
	for one in (c, d):
		one.close()
	other.g.detach()


def test_unsync(s):
	c = Client(s.client)
	for _ in range(3):
		c.again()
	s.g.push_unsync()
	mode, reply, _ = c.again()
	tap.ok(mode == BASIC and reply.leap == 3, "unsynchronised: basic mode", (mode, reply))
	s.g.push_default()
	c.close()


def errors(s, dst):
	"""Of T3, against when the reply came: in basic mode and interleaved, ns."""
	c = Client(s.client, dst)
	s.g.push_default()
	basic, interleaved = [], []
	arrived = 0
	for i in range(PAIRS + 3):
		mode, reply, now = c.again()
		if i < 2:
			basic.append(now - reply.t3_ns)
		elif mode == INTERLEAVED:
			interleaved.append(arrived - reply.t3_ns)
		arrived = now
	for _ in range(PAIRS):
		_, reply, now = c.ask()
		basic.append(now - reply.t3_ns)
	c.close()
	return basic, interleaved


def figures(s, dst):
	"""Medians of the error of T3, basic and interleaved, us."""
	basic, interleaved = errors(s, dst)
	late = sum(e < -SLACK_NS for e in interleaved)
	tap.ok(len(interleaved) >= PAIRS * 9 // 10 and late <= max(PAIRS // 50, 1) and
	       min(interleaved) > -WAITS_MAX_NS and statistics.median(interleaved) >= 0,
	       f"{dst}: {len(interleaved)} of {PAIRS + 1} interleaved, {late} left more than 1 us after they came, "
	       f"{sum(e < 0 for e in interleaved)} at all; the least is {min(interleaved)} ns early", sorted(interleaved)[:9])
	return statistics.median(basic) / 1000, statistics.median(map(abs, interleaved)) / 1000


def test_errors(s):
	# what the stamp itself costs lies between it and the arrival, and is most of this
	for dst in ("192.0.2.1", "2001:db8::1"):
		basic, interleaved = figures(s, dst)
		tap.note(f"{dst}: T3 is {basic:.1f} us early in basic mode, {interleaved:.1f} us interleaved")
	tc = s.server.sh("tc", "qdisc", "add", "dev", s.link.sdev, "root", "netem", "delay", "500us",
			 check=False)
	if tc.returncode:
		tap.skip("behind a queue", f"no netem here: {tc.stderr}")
		return
	for dst in ("192.0.2.1", "2001:db8::1"):
		basic, interleaved = figures(s, dst)
		tap.ok_stock(basic > 5 * interleaved, f"{dst} behind a queue of 0.5 ms: T3 is {basic:.1f} us early in "
			     f"basic mode, {interleaved:.1f} us interleaved: {basic / interleaved:.0f} times less",
			     "in the debug kernel the stamp costs more than the queue")
	s.server.sh("tc", "qdisc", "del", "dev", s.link.sdev, "root")


def test_many(s):
	"""Behind one address, all at once."""
	clients = [Client(s.client) for _ in range(CLIENTS)]
	wrong, modes = [], []
	for turn in range(4):
		before = [(c.last, c.arrived_ns) for c in clients]
		for c in clients:
			c.send(org=c.last.rec if c.last else 0)
		for c, (last, arrived) in zip(clients, before):
			mode, reply, _ = c.take()
			if turn < 2:
				continue
			modes.append(mode)
			if mode == INTERLEAVED and not last.t2_ns < reply.t3_ns <= arrived + WAITS_MAX_NS:
				wrong.append((last.t2_ns, reply.t3_ns, arrived))
	tap.ok(not wrong and modes.count(INTERLEAVED) >= 2 * CLIENTS - 4,
	       f"{CLIENTS} clients behind one address: {modes.count(INTERLEAVED)} of {2 * CLIENTS} "
	       "replies interleaved, each with its own departure", wrong[:3])
	for c in clients:
		c.close()


def test_step(s):
	c = Client(s.client)
	for _ in range(3):
		mode = c.again()[0]
	now = time.time()
	time.clock_settime(time.CLOCK_REALTIME, now + 10)
	tap.later(lambda: time.clock_settime(time.CLOCK_REALTIME, time.time() - 10))
	s.g.push_default()
	after = [c.again()[0] for _ in range(2)]
	tap.same((mode, after), (INTERLEAVED, [BASIC, INTERLEAVED]),
		 "a step of the clock forgets the reply before it")
	c.close()


def test_room(s):
	"""Twice as many as there is room for."""
	with open("/sys/module/ntpk/parameters/interleaved") as f:
		room = int(f.read())
	n = tap.env_int("NTPK_INTERLEAVED", 2 * room, 200)
	c = Client(s.client)
	for _ in range(3):
		c.again()
	mine, arrived = c.last, c.arrived_ns
	other = Client(s.client)
	s0 = s.g.stats()
	for _ in range(n):
		other.send(org=1, rec=2)	# as the T2 of a reply that nobody knows
		other.s.recv(200)
	moved = s.g.stats()["replied"] - s0["replied"]
	mode, reply, _ = c.ask(org=mine.rec)
	tap.ok(moved == n and (mode == BASIC and reply.t3_ns >= reply.t2_ns or
			       mode == INTERLEAVED and mine.t2_ns < reply.t3_ns <= arrived + WAITS_MAX_NS),
	       f"{n} others, {room} have room: the one from before is answered in {mode} mode",
	       (moved, mode, reply))
	c.close()
	other.close()


def test_capacity(s):
	"""As many as the parameter says, each with one request before the next of any."""
	with open("/sys/module/ntpk/parameters/interleaved") as f:
		room = int(f.read())
	n = room if tap.slow() == 1 else 200
	c = Client(s.client)
	t2s = [c.ask(org=1)[1].rec for _ in range(n)]
	modes = [c.ask(org=t2, rec=i + 1)[0] for i, t2 in enumerate(t2s)]
	found = modes.count(INTERLEAVED)
	tap.ok(found >= n * 98 // 100, f"{n} clients at once: {found} replies interleaved", found)
	c.close()


def unloaded(s, wait_s):
	"""(was that within wait_s, which of five replies had come before, how many come) of an unload while they wait."""
	c = Client(s.client)
	c.s.settimeout(10 * tap.slow())
	begin = time.monotonic()
	for _ in range(5):
		c.send(org=1)
	s.g.close()
	netns.unload()
	early = select.select([c.s], [], [], 0)[0]
	in_time = time.monotonic() - begin < wait_s
	got = [c.s.recv(200) for _ in range(5)]
	c.close()
	return in_time, early, len(got)


def test_unload(s):
	"""Replies wait in a queue, with the module's socket, when it goes."""
	wait_s = 2 * tap.slow()
	if s.server.sh("tc", "qdisc", "add", "dev", s.link.sdev, "root", "netem", "delay", f"{wait_s}s",
		       check=False).returncode:
		tap.skip("unloaded while replies wait", "no netem here")
		return
	got = unloaded(s, wait_s)
	for _ in range(4):	# a machine that stands still may let them come before
		if got[0]:
			break
		netns.insmod()
		s = fixture.Served(link=s.link)
		s.g.push_default()
		got = unloaded(s, wait_s)
	tap.same(got, (True, [], 5), "unloaded while five replies wait: none has come before, and they all arrive")
	s.server.sh("tc", "qdisc", "del", "dev", s.link.sdev, "root")


def test_off(s):
	"""The module's parameter."""
	netns.insmod("interleaved=0")
	s = fixture.Served(link=s.link)
	s.g.push_default()
	c = Client(s.client)
	tap.same([c.again()[0] for _ in range(4)], [BASIC] * 4, "interleaved=0: basic mode")
	s.g.close()
	netns.unload()
	netns.insmod("interleaved=1")
	s = fixture.Served(link=s.link)
	s.g.push_default()
	c.last = None
	tap.same([c.again()[0] for _ in range(4)], [BASIC] * 2 + [INTERLEAVED] * 2, "interleaved=1: one client")
	c.close()
	test_neighbours(s)


def test_neighbours(s):
	"""Two replies in one line of the table, which is all there is, on their way at once."""
	if s.server.sh("tc", "qdisc", "add", "dev", s.link.sdev, "root", "netem", "delay", "300ms",
		       check=False).returncode:
		tap.skip("two replies on their way at once", "no netem here")
		return
	two = [Client(s.client) for _ in range(2)]
	for c in two:
		c.send(org=1)
		time.sleep(0.1)
	came = [c.take()[2] for c in two]
	early = []
	for c, arrived in zip(two, came):
		mode, reply, _ = c.again()
		early.append((mode, abs(arrived - reply.t3_ns) < 50_000_000))
		c.close()
	tap.same(early, [(INTERLEAVED, True)] * 2, "two replies on their way at once: each has its own departure")


def test_chronyd(s):
	if not shutil.which("chronyd") or not shutil.which("chronyc"):
		tap.skip("chronyd with xleave", "not installed")
		return
	where = fixture.tmpdir()
	sock = os.path.join(where, "sock")
	fixture.chronyd(s.client, "server 192.0.2.1 xleave minpoll -4 maxpoll -4",
			f"bindcmdaddress {sock}")
	count = lambda: s.g.stats()["replied_interleaved"]
	before = count()
	told = lambda: s.client.sh(*fixture.chronyc(s.client), "-h", sock, "ntpdata", check=False).stdout
	tap.ok(tap.wait_for(lambda: count() - before > 20, 40),
	       f"chronyd with xleave: {count() - before} replies interleaved", told())
	# of the last reply alone, which may be the one that came late
	def good():
		text = told()
		return re.search(r"^Interleaved +: Yes", text, re.M) and re.search(r"^NTP tests +: 111 111 1", text, re.M)
	tap.ok(tap.wait_for(good, 20), "and it takes them for good", told())


def test_chronyds(s):
	"""As many of them as of ours behind one address, by what each has logged."""
	if not shutil.which("chronyd") or tap.slow() > 1:
		tap.skip(f"{CLIENTS} chronyd with xleave", "not installed" if tap.slow() == 1 else "too slow here")
		return
	where = [fixture.tmpdir() for _ in range(CLIENTS)]
	all_of_them = [fixture.chronyd(s.client, "server 192.0.2.1 xleave minpoll 0 maxpoll 0",
				       f"logdir {d}", "log measurements") for d in where]

	# chronyd's test A fails by intent where the reply before was in basic mode, as before the first;
	# C where a reply took longer than usual, as in a busy machine
	good, usual = " 111 111 1111 ", re.compile(r" 111 111 [01]1[01]1 ")

	def lines(d):
		try:
			with open(os.path.join(d, "measurements.log")) as f:
				return [line for line in f if " 4I " in line]
		except FileNotFoundError:
			return []

	taken = lambda: [sum(good in line for line in lines(d)) for d in where]
	tap.wait_for(lambda: min(taken()) >= 2, 60)
	got = taken()
	bad = [line for d in where for line in lines(d) if not usual.search(line)]
	tap.ok(min(got) >= 2 and not bad,
	       f"{CLIENTS} chronyd with xleave behind one address: {sum(got)} interleaved "
	       f"replies, at least {min(got)} each, are good to them",
	       (sorted(got)[:5], bad[:3]))
	for p in all_of_them:
		p.terminate()


def main():
	s = fixture.served()
	s.g.push_default()
	test_modes(s)
	test_parities(s)
	test_others(s)
	test_namespaces(s)
	test_unsync(s)
	test_errors(s)
	test_many(s)
	test_room(s)
	test_capacity(s)
	test_chronyd(s)
	test_chronyds(s)
	test_step(s)
	test_unload(s)
	test_off(s)


tap.run(main)
