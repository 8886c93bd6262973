#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-only
"""
Makes each allocation fail in turn (the first, the second, until one more would not
be met): of every command over netlink, of attaching and detaching; then many of those
that packets make. After each the module works or has refused with a reason, a request
is answered, in force is exactly what was, or where only the acknowledgement was lost what
was asked for, and nothing is left behind.
Only where the kernel can do that: the debug kernel, about two minutes.
NTPK_STARVE_ROUNDS: how often each allocation fails (1; `make check-long`: 6, and then
what is left behind by one alone would show).
"""
import time

import fixture
import memory
import ntpknl
import ntpq
import pkt
import starve
import starved
import tap
from starved import keys
from starved_commands import COMMANDS

# {command: (allocations that fail, refusals)}: two are of the message and two of its
# acknowledgement, which are no refusals, one is of generic netlink; without some there is
# another way, as per-CPU memory has at times; of ATTACH that takes one or two more at others.
LEAST = {
	"a push": (6, 2), "a push with limits and named lists": (9, 5),
	"a push with a table of another size": (8, 3), "a push that keeps no clients": (6, 2),
	"KEYS_BEGIN": (6, 2), **{f"KEYS_ADD, {kind}": (7, 3) for kind in starved.KINDS}, "KEYS_COMMIT": (5, 1),
	"ACL_BEGIN": (7, 3), "ACL_BEGIN with a name": (7, 3), "ACL_ADD": (5, 1), "ACL_COMMIT": (5, 1), "ACL_CHECK": (7, 2),
	"SET_PHC, another for a device": (6, 2), "SET_PHC, one for a second device": (6, 2), "SET_PHC, none any more": (5, 1),
	**{f"GET_{what}": (7, 2) for what in ("CLOCK", "STATE", "STATS", "KEYS", "ACL")}, "GET_HIST": (8, 3),
	"a dump of GET_ACL": (6, 2), "a dump of GET_PHC": (6, 2), "a dump of GET_CLIENTS": (8, 2),
	"ATTACH": (12, 3), "DETACH": (5, 1),
}


def test_closed(t):
	"""A socket ends with a list and a set half sent."""
	before = memory.memory(every=True)
	for _ in range(20):
		g = ntpknl.Genl(t.s.server)
		g.keys_begin(7, 2)
		g.keys_add(7, keys()[:1])
		g.acl_begin(7, 5, 0, 1, "half")
		g.close()
		t.s.g.push(t.state)
	grown = t.grown(before, 20)
	tap.ok(not grown, "a socket closed in the middle of a transaction leaves nothing behind", grown)


def storm(t, v6, n):
	"""n requests while most allocations fail that may not wait; a packet socket looks on, so that replies take one."""
	src, dst = ("2001:db8::2", "2001:db8::1") if v6 else ("192.0.2.2", "192.0.2.1")
	frames = [t.s.wire.frame(pkt.ip(src, dst, pkt.UDP, pkt.udp(src, dst, 20000 + i, 123, ntpq.request())))
		  for i in range(n)]
	with fixture.looked_on(t.s):
		starve.set_failslab(ignore_gfp_wait="Y", verbose=0, times=-1, probability=70)
		try:
			for frame in frames:
				try:
					t.s.wire.s.send(frame)
				except OSError:
					pass	# the frame's own allocation
		finally:
			starve.set_failslab(probability=0, ignore_gfp_wait="N")


def test_packets(t):
	"""No more at once than the packet socket has room for."""
	before = memory.memory(every=True)
	for v6 in (False, True):
		old = t.s.g.stats()
		for _ in range(8):
			storm(t, v6, 100)
		moved = ntpknl.changed(old, t.s.g.stats())
		tap.ok(moved.get("replied", 0) > 50 and moved.get("no_memory", 0) > 50,
		       f"packets, IPv{6 if v6 else 4}: many go without memory: {moved}", moved)
		tap.same(t.s.wire.sync_reply(t.state, dst="2001:db8::1" if v6 else "192.0.2.1"), None,
			 "and then all is answered")
	grown = t.grown(before, 200)
	tap.ok(not grown, "and nothing is left behind", grown)


def main():
	if not starve.can():
		tap.skip_all("no fault injection in this kernel")
	s = fixture.served()
	t = starved.Starved(s, LEAST)
	for test in (*COMMANDS, test_closed, test_packets):
		start = time.monotonic()
		test(t)
		tap.note(f"{test.__name__}: {time.monotonic() - start:.0f} s")
	tap.note(f"{t.steps} commands with a failing allocation")


tap.run(main)
