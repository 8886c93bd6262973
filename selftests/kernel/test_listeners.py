#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-only
"""
Shows that one machine serves different times in different places: by address,
port and interface, the most special listener first; that each has its own
versions, stratum cap, distance and policy; that a smeared listener follows its
pieces to the nanosecond while the one beside it serves UTC; and that what
cannot be is refused with a text.  About 10 seconds.
"""
import errno
import socket

import fixture
import netns
import ntpknl
import ntpq
import tap

S = 10**9
SMEARED = "192.0.2.11"
SHIFT_NS = 7777 * S
NO_LEAP = ntpknl.UAPI["NTPK_LISTENER_F_NO_LEAP"]


def listener(addr=None, port=123, **more):
	out = {"PORT": port, "NEVER_SYNCED": ntpknl.SILENT, "EXPIRED": ntpknl.UNSYNC, **more}
	if addr:
		family = socket.AF_INET6 if ":" in addr else socket.AF_INET
		out["ADDR"] = socket.inet_pton(family, addr)
	return out


def offset(ns):
	"""A listener's fixed offset."""
	return [(0, ns, 0, 0)]


def push(s, *listeners, **change):
	return s.g.push(s.g.default_state(shift_ns=SHIFT_NS, LISTENERS=list(listeners), **change))


def ask(s, dst, port=123, timeout=1, version=4):
	asker = ntpq.Asker(s.client, dst, port=port)
	return asker.ask_last(ntpq.request(version=version), timeout) or (None, None, 0, 0)


def correction_ns(pieces, t):
	"""The formula of the header, exactly."""
	for start, off, rate, curve in reversed(pieces):
		if t >= start:
			d = t - start
			return off + ((d * rate << 64) + d * d * curve) / 2**112
	return 0


def time_is(s, dst, state, pieces, what, port=123):
	"""T2 and T3 lie between the two readings of the raw clock, on the corrected line."""
	_, reply, raw0, raw1 = ask(s, dst, port)
	if reply is None:
		tap.ok(False, f"{what}: answered")
		return None
	line = lambda raw: state["BASE_UNIX_NS"] + raw - state["BASE_RAW_NS"]
	low, high = line(raw0), line(raw1)
	low, high = low + correction_ns(pieces, low), high + correction_ns(pieces, high)
	slack = 3 + int(S * 2.0 ** state["PRECISION_LOG2S"])
	tap.ok(low - slack <= reply.t2_ns <= reply.t3_ns <= high + slack,
	       f"{what}: T2 and T3 are on its own time", (low, reply.t2_ns, reply.t3_ns, high))
	return reply


def test_places(s):
	state = push(s, listener(), listener(SMEARED, PIECE=offset(-S)),
		     listener("2001:db8::11", PIECE=offset(2 * S)),
		     listener(port=1123, PIECE=offset(3 * S)),
		     listener(IFINDEX=netns.ifindex(s.server, s.link.sdev), PIECE=offset(4 * S)),
		     listener(SMEARED, IFINDEX=1, PIECE=offset(5 * S)))
	time_is(s, SMEARED, state, offset(-S), "an IPv4 address")
	time_is(s, "2001:db8::11", state, offset(2 * S), "an IPv6 address")
	time_is(s, "192.0.2.1", state, offset(3 * S), "a port", port=1123)
	time_is(s, "192.0.2.1", state, offset(4 * S), "an interface, before any")
	back = s.g.state()["LISTENERS"]
	tap.same(len(back), 6, "all listeners can be read back")
	want = dict(listener(SMEARED, IFINDEX=1, PIECE=offset(5 * S)), FLAGS=0)
	tap.same(back[0], want, "the most special first, as it was given")
	state = push(s, listener(), listener("0.0.0.0", PIECE=offset(S)),
		     listener("::", PIECE=offset(2 * S)), listener(SMEARED, PIECE=offset(3 * S)))
	time_is(s, "192.0.2.1", state, offset(S), "all of IPv4")
	time_is(s, "2001:db8::1", state, offset(2 * S), "all of IPv6")
	time_is(s, SMEARED, state, offset(3 * S), "an address, before all of its family")
	push(s, listener(SMEARED))
	(_, reply, _, _), moved = s.counted(ask, s, "192.0.2.1", timeout=0.3)
	tap.ok(reply is None and moved == {"other_port": 1},
	       "an address without listener is not answered", moved)


def test_policies(s):
	state = push(s, listener(), listener(SMEARED, MAX_STRATUM=1, VERSIONS=1 << 4,
					     MAX_DIST_NS=50_000_000), STRATUM=2)
	reply = time_is(s, SMEARED, state, [], "above the listener's stratum")
	tap.ok(reply and reply.leap == 3 and reply.stratum == 0, "it says that it is unsynchronised")
	reply = time_is(s, "192.0.2.1", state, [], "beside it")
	tap.ok(reply and reply.leap == 0 and reply.stratum == 2, "the other listener is content")
	state = push(s, listener(), listener(SMEARED, MAX_STRATUM=1, VERSIONS=1 << 4,
					     MAX_DIST_NS=50_000_000), STRATUM=1)
	reply = time_is(s, SMEARED, state, [], "at the listener's stratum")
	tap.ok(reply and reply.stratum == 1, "it serves")
	(_, reply, _, _), moved = s.counted(ask, s, SMEARED, timeout=0.3, version=3)
	tap.ok(reply is None and moved == {"version": 1}, "another version is not for it", moved)
	_, reply, _, _ = ask(s, "192.0.2.1", version=3)
	tap.ok(reply is not None, "but for the other")
	push(s, listener(), listener(SMEARED, MAX_DIST_NS=50_000_000, EXPIRED=ntpknl.SILENT),
	     ROOT_DISP_NS=60_000_000)
	(_, reply, _, _), moved = s.counted(ask, s, SMEARED, timeout=0.3)
	tap.ok(reply is None and moved == {"silent_expired": 1},
	       "beyond its distance it is silent, if so told", moved)


def test_smear(s):
	"""A leap smeared over 2,000 s: a parabola down, one up, then a second behind for good."""
	base = s.g.default_state(shift_ns=SHIFT_NS)["BASE_UNIX_NS"]
	half = 1000 * S
	curve = (S // 2 << 112) // half**2	# half a second each
	drop = half * half * curve >> 112
	rate = 2 * (half * curve >> 64)
	pieces = [(base - half // 2, 0, 0, -curve), (base + half // 2, -drop, -rate, curve),
		  (base + 3 * half // 2, -2 * drop, 0, 0)]
	state = push(s, listener(), listener(SMEARED, FLAGS=NO_LEAP, PIECE=pieces),
		     LEAP=1, BASE_UNIX_NS=base)
	reply = time_is(s, SMEARED, state, pieces, "smeared, in the first parabola")
	tap.ok(reply and reply.leap == 0, "a smeared leap second is not announced")
	reply = time_is(s, "192.0.2.1", state, [], "UTC beside it")
	tap.ok(reply and reply.leap == 1, "which announces it")
	for shift, what in ((-half, "before the smear"), (half, "in the second parabola"),
			    (10 * half, "long after")):
		state = push(s, listener(), listener(SMEARED, FLAGS=NO_LEAP, PIECE=pieces),
			     LEAP=1, BASE_UNIX_NS=base + shift)
		time_is(s, SMEARED, state, pieces, f"smeared, {what}")
		time_is(s, "192.0.2.1", state, [], f"UTC beside it, {what}")


def refused(s, what, err, word, *listeners):
	before = s.g.state()["PUSHES"]
	try:
		push(s, *listeners)
		tap.ok(False, f"{what}: refused")
	except ntpknl.Refused as e:
		tap.ok(e.errno == err and word in e.text and s.g.state()["PUSHES"] == before,
		       f"{what}: refused", e)


def test_refusals(s):
	ok = listener()
	refused(s, "two in one place", errno.EEXIST, "second LISTENER", ok, ok)
	refused(s, "17 listeners", errno.E2BIG, "at most 16",
		*(listener(port=1000 + i) for i in range(17)))
	refused(s, "five pieces", errno.E2BIG, "at most 4",
		dict(ok, PIECE=[(i, 0, 0, 0) for i in range(5)]))
	refused(s, "pieces out of order", errno.ERANGE, "later",
		dict(ok, PIECE=[(2, 0, 0, 0), (1, 0, 0, 0)]))
	refused(s, "a last piece that goes on", errno.ERANGE, "constant", dict(ok, PIECE=[(0, 0, 1, 0)]))
	refused(s, "a piece that runs away", errno.ERANGE, "1 %",
		dict(ok, PIECE=[(0, 0, 2**42, 0), (1, 0, 0, 0)]))
	for addr in ("224.0.1.1", "255.255.255.255", "ff02::101", "::ffff:192.0.2.1"):
		refused(s, f"address {addr}", errno.EADDRNOTAVAIL, "unicast", listener(addr))
	refused(s, "an address of 5 bytes", errno.EINVAL, "4 or 16", dict(ok, ADDR=bytes(5)))
	refused(s, "no version", errno.ERANGE, "VERSIONS", dict(ok, VERSIONS=0))
	refused(s, "no distance", errno.ERANGE, "MAX_DIST_NS", dict(ok, MAX_DIST_NS=0))
	refused(s, "a negative interface", errno.ERANGE, "IFINDEX", dict(ok, IFINDEX=2**31))


def test_many(s):
	"""All that may be, in one message and back."""
	pieces = [(i + 1, -i, 0, 0) for i in range(4)]
	most = [listener(f"2001:db8::{i + 1}", port=1000, IFINDEX=7, VERSIONS=30, MAX_STRATUM=15,
			 MAX_DIST_NS=1, FLAGS=15, PIECE=pieces, ACL=chr(97 + i) * 31)
		for i in range(16)]
	push(s, *most)
	back = sorted(s.g.state()["LISTENERS"], key=lambda one: one["ADDR"])
	tap.same(back, sorted(most, key=lambda one: one["ADDR"]), "16 listeners with 4 pieces each")


def main():
	s = fixture.served()
	test_places(s)
	test_policies(s)
	test_smear(s)
	test_refusals(s)
	test_many(s)


tap.run(main)
