#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-only
"""
Shows what of the protocol goes beyond a plain request: symmetric active requests
as Windows sends them, extension fields of which one is known and the rest is
ignored, and the end of NTP's era in 2036, with clients on either side of it.
About 10 seconds.
"""
import struct

import fixture
import netns
import ntpknl
import ntpq
import tap
from ntpknl import UAPI

ERA1_NS = (2**32 - ntpq.EPOCH) * 10**9
# a Windows client's request, but for its transmit stamp
W32TIME = dict(leap=3, version=3, mode=1, poll=10, precision=-6, root_disp=0x1000a)


def one(s, req, **kwargs):
	"""The bytes of the only reply, and the clock around it."""
	got, raw0, raw1 = s.wire.ask(req, **kwargs)
	if len(got) != 1:
		raise RuntimeError(f"one reply, not {got}")
	return got[0].data, raw0, raw1


def passive_faults(state, req, data, raw0, raw1):
	"""As any reply, but for its mode."""
	reply = ntpq.Reply(data)
	wrong = [] if reply.mode == 2 else [f"mode {reply.mode}"]
	reply.mode = ntpq.MODE_SERVER
	return wrong + ntpq.sync_faults(state, req, reply, raw0, raw1)


def test_mode_1(s, state):
	requests = {"as Windows sends it": ntpq.request(**W32TIME)}
	requests.update({f"version {v}": ntpq.request(v, 1) for v in range(1, 5)})
	for what, req in requests.items():
		for sport in (123, 40000):
			wrong = passive_faults(state, req, *one(s, req, sport=sport))
			tap.ok(not wrong, f"mode 1, {what}, from port {sport}: mode 2 and all as it must be",
			       wrong)
	off = dict(state, LISTENERS=[dict(state["LISTENERS"][0],
					  FLAGS=UAPI["NTPK_LISTENER_F_NO_MODE1"])])
	s.g.push(off)
	(got, _, _), moved = s.counted(s.wire.ask, ntpq.request(**W32TIME))
	tap.ok(moved == {"mode": 1} and len(got) == 1 and got[0].is_error(),
	       "mode 1 where it is not answered: left to the stack", (moved, got))
	s.g.push(state)


def test_fields(s, state):
	unknown = ntpq.field(0x0104, 36)
	for what, trailing in (
		("an unknown field", unknown), ("two of them", unknown + ntpq.field(0x2005, 400)),
		("the known one with another magic", ntpq.field(ntpq.MONO_ROOT, 28)),
		("a field of a length that cannot be", ntpq.field(1, 64)[:2] + b"\0\7" + bytes(60)),
		("a field longer than the packet", b"\0\1\xff\xfc" + bytes(60)),
		("the end of a long one", bytes(1300))):
		req = ntpq.request(trailing=trailing)
		data, raw0, raw1 = one(s, req)
		wrong = ntpq.sync_faults(state, req[:48], ntpq.Reply(data), raw0, raw1)
		tap.ok(not wrong, f"{what}: ignored and not echoed", wrong)


def test_mono_root(s, state):
	req = ntpq.mono_root_request()
	data, raw0, raw1 = one(s, req)
	ef, plain = ntpq.MonoRoot(data), ntpq.Reply(data[:48])
	wrong = ntpq.sync_faults(state, req[:48], plain, raw0, raw1)
	tap.ok(len(data) == 76 and not wrong, "F323: a reply as long as the request", wrong)
	tap.same((ef.kind, ef.length, ef.magic), (ntpq.MONO_ROOT, 28, ntpq.MONO_ROOT_MAGIC), "F323: head and magic number")
	delay = -(-state["ROOT_DELAY_NS"] * 2**28 // 10**9)
	tap.same(ef.delay, delay, "F323: root delay with 28 bits of fraction")
	low, high = (ntpq.disp_at(state, raw) * 2**28 / 10**9 for raw in (raw0, raw1))
	tap.ok(low <= ef.disp <= high + (raw1 - raw0) / 3 + 1,
	       "F323: root dispersion likewise, finer than the header's", (low, ef.disp, high))
	tap.ok(ef.disp <= plain.root_disp << 12, "F323: and not above the header's")
	two = ntpq.field(0x0104, 36) + ntpq.field(ntpq.MONO_ROOT, 28, struct.pack("!I", ntpq.MONO_ROOT_MAGIC))
	data, _, _ = one(s, ntpq.request(trailing=two))
	tap.same((len(data), data[48:56]), (76, struct.pack("!HHI", ntpq.MONO_ROOT, 28, ntpq.MONO_ROOT_MAGIC)),
		 "F323 behind an unknown field: answered alone")


def mono_of(s):
	data, _, _ = one(s, ntpq.mono_root_request())
	ef, plain = ntpq.MonoRoot(data), ntpq.Reply(data[:48])
	return ef.epoch, (ef.mono - plain.rec) % 2**64


def test_mono_through_pushes(s, state):
	"""The phase that a push corrects is taken out of the scale again."""
	epoch, offset = mono_of(s)
	for jump_ms in (250, -700, 1):
		shifted = dict(state, BASE_UNIX_NS=state["BASE_UNIX_NS"] + jump_ms * 10**6)
		s.g.push(shifted)
		epoch2, offset2 = mono_of(s)
		moved = (offset2 - offset + 2**63) % 2**64 - 2**63
		want = -jump_ms * 2**32 / 1000
		tap.ok(epoch2 == epoch and abs(moved - want) < 10,
		       f"F323: a push {jump_ms} ms off leaves the scale as it was",
		       (epoch, epoch2, moved, want))
		offset, state = offset2, shifted
	s.g.push(dict(state, BASE_UNIX_NS=state["BASE_UNIX_NS"] + 2 * 10**9))
	tap.ok(mono_of(s)[0] not in (0, epoch), "F323: one 2 s off begins another epoch")
	s.g.push_unsync()
	ef = ntpq.MonoRoot(one(s, ntpq.mono_root_request())[0])
	tap.same((ef.delay, ef.disp, ef.mono, ef.epoch), (0, 2**32 - 1, 0, 0),
		 "F323: nothing is claimed unsynchronised")


def test_era(s):
	"""A line a day before, across and a day after the end of era 0."""
	day = 86400 * 10**9
	for what, at in (("a day before", ERA1_NS - day), ("1 s before", ERA1_NS - 10**9),
			 ("at", ERA1_NS), ("a day after", ERA1_NS + day)):
		clock = s.g.clock()
		shift = at - clock["REAL_NS"]
		state = s.g.push_default(shift_ns=shift)
		for where, t1 in (("era 0", 2**64 - 1), ("era 1", 5 << 32), ("its own time", None)):
			xmt = ntpq.ntp64(at) if t1 is None else t1
			req = ntpq.request(xmt=xmt)
			data, raw0, raw1 = one(s, req)
			wrong = ntpq.sync_faults(state, req, ntpq.Reply(data), raw0, raw1)
			tap.ok(not wrong, f"2036, {what} the era's end, T1 of {where}: right", wrong)


def test_across_the_era(s):
	"""Requests from before the end until after it: T2 wraps, and never goes back."""
	clock = s.g.clock()
	state = s.g.push_default(shift_ns=ERA1_NS - clock["REAL_NS"] - 300 * 10**6)
	eras, last, wrong = [], None, []
	while len(set(eras)) < 2 and len(eras) < 100000:
		req = ntpq.request()
		data, raw0, raw1 = one(s, req)
		reply = ntpq.Reply(data)
		wrong += ntpq.sync_faults(state, req, reply, raw0, raw1)
		if last is not None and (reply.rec - last) % 2**64 >= 2**63:
			wrong.append("T2 went back")
		last = reply.xmt
		eras.append(reply.rec >> 63)
	tap.ok(not wrong and set(eras) == {0, 1},
	       f"{len(eras)} requests across the end of era 0: every reply is right", wrong[:3])


def main():
	s = fixture.served()
	state = s.g.push_default(shift_ns=1234567891234)
	for test in (test_mode_1, test_fields, test_mono_root, test_mono_through_pushes):
		test(s, state)
	test_era(s)
	test_across_the_era(s)


tap.run(main)
