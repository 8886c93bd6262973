#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-only
"""
Shows what a pushed state is worth in the course of time: empty, unsynchronised,
synchronised, holdover, expired by deadline, by root distance and by a step of
the clock, with both policies and the events, each once; that served time runs
at the pushed rate and the dispersion grows as pushed; that time before the
build date is never sent; and that /sys says the same as netlink.
Steps the clock of the test machine.  About 15 seconds.
"""
import ctypes
import time

import fixture
import netns
import ntpknl
import ntpq
import pkt
import tap

MS = 10**6
S = 10**9


def answer(s, state, want):
	"""None when a request is answered as want says: sync, unsync or silent."""
	req = ntpq.request()
	got, raw0, raw1 = s.wire.ask(req)
	if want == "silent":
		return got or None
	if len(got) != 1 or got[0].proto != pkt.UDP:
		return f"got {got}"
	faults = ntpq.sync_faults if want == "sync" else ntpq.unsync_faults
	return faults(state, req, ntpq.Reply(got[0].data), raw0, raw1) or None


def shows(s, state, status, want, what):
	tap.same((s.g.status(), answer(s, state, want)), (status, None), f"{what}: {status}, {want}")


def shows_while(s, push, is_over, events, what):
	"""
	A push that is good for a short while, and shown to be: pushed anew where it was over when that
	had been looked at.  What was pushed.
	"""
	for _ in range(5):
		state = push()
		got = s.g.status(), answer(s, state, "sync")
		if not is_over(state):
			break
		events.read(5)	# of this one's end
	tap.same(got, ("sync", None), f"{what}: sync, sync")
	return state


def young(s, push, age_ns):
	"""(what was pushed, what is read of it) before it is so old; pushed anew where it was not read in time."""
	for _ in range(5):
		state, got = push(), s.g.state()
		if got["AGE_NS"] <= age_ns:
			break
	return state, got


def fresh(s):
	"""As after the first attach: nothing pushed, never synchronised."""
	s.g.detach()
	s.g.attach()


def test_before_sync(s):
	fresh(s)
	tap.same(s.g.status(), "empty", "attached: empty")
	got, _, _ = s.wire.ask(ntpq.request())
	tap.ok(len(got) == 1 and got[0].is_port_unreachable(),
	       "empty: there is no listener, so the stack goes on", got)
	state = s.g.push_unsync(never_synced=ntpknl.SILENT, expired=ntpknl.UNSYNC)
	shows(s, state, "unsync", "silent", "never synchronised, silent")
	state = s.g.push_unsync(never_synced=ntpknl.UNSYNC, expired=ntpknl.SILENT)
	shows(s, state, "unsync", "unsync", "never synchronised, unsynchronised")
	state = s.g.push_default()
	shows(s, state, "sync", "sync", "first good push")
	state = s.g.push_unsync(never_synced=ntpknl.UNSYNC, expired=ntpknl.SILENT)
	shows(s, state, "unsync", "silent", "unsynchronised again, silent")
	state = s.g.push_unsync(never_synced=ntpknl.SILENT, expired=ntpknl.UNSYNC)
	shows(s, state, "unsync", "unsync", "unsynchronised again, unsynchronised")


def test_get(s):
	"""What was pushed is what is read."""
	state = s.g.push_default(RATE_Q48=-12345678, LEAP=1, STRATUM=15, PRECISION_LOG2S=-20,
				 expired=ntpknl.SILENT)
	got = s.g.state()
	tap.same({k: got[k] for k in state if k != "LISTENERS"},
		 {k: v for k, v in state.items() if k != "LISTENERS"}, "get gives what was pushed")
	want = [{"FLAGS": 0, **listener} for listener in state["LISTENERS"]]
	tap.same(got["LISTENERS"], want, "get gives the listener")
	more = s.g.push_default()
	tap.same(s.g.state()["PUSHES"], got["PUSHES"] + 1, "pushes are counted")
	raw0, got, raw1 = netns.raw_ns(), s.g.state(), netns.raw_ns()
	tap.ok(ntpq.line_at(more, raw0) <= got["NOW_UNIX_NS"] <= ntpq.line_at(more, raw1) and
	       ntpq.disp_at(more, raw0) <= got["NOW_DISP_NS"] <= ntpq.disp_at(more, raw1),
	       "served time and dispersion of now", got)


def test_rate(s):
	"""A line at the largest rates, and one whose base is not of this counter."""
	for rate, what in ((2814749767106, "+1 %"), (-2814749767106, "-1 %"), (281475, "1 ppb")):
		c = s.g.clock()
		state = s.g.push_default(RATE_Q48=rate, BASE_RAW_NS=max(c["RAW_NS"] - 40 * S, 0),
					 DISP_RATE_PPB=0)
		tap.same(answer(s, state, "sync"), None, f"rate {what}: the reply is on the line")
	before, c = s.g.state(), s.g.clock()
	try:
		s.g.push_default(BASE_RAW_NS=c["RAW_NS"] + 100 * S, shift_ns=200 * S)
		refused = ""
	except ntpknl.Refused as e:
		refused = str(e)
	tap.ok("ahead of CLOCK_MONOTONIC_RAW" in refused, "a base in the future is of another counter",
	       refused)
	tap.same(s.g.state()["PUSHES"], before["PUSHES"], "and changes nothing")


def test_dispersion(s):
	state = s.g.push_default(ROOT_DISP_NS=MS, DISP_RATE_PPB=10**7, ROOT_DELAY_NS=0)
	first = s.wire.ask(ntpq.request())[0][0]
	end = netns.raw_ns() + S
	tap.wait_for(lambda: netns.raw_ns() >= end)
	tap.same(answer(s, state, "sync"), None, "dispersion 1 s later is as pushed: 1 % of the time")
	last = s.wire.ask(ntpq.request())[0][0]
	grown = ntpq.Reply(last.data).root_disp_ns - ntpq.Reply(first.data).root_disp_ns
	tap.ok(grown >= 9 * MS, f"dispersion grew by {grown / MS:.2f} ms in about a second", grown)


def test_holdover(s):
	interval_ns = 200 * MS * tap.slow()
	state, got = young(s, lambda: s.g.push_default(PUSH_INTERVAL_NS=interval_ns), 3 * interval_ns)
	seen, wrong = {got["STATUS"]}, []
	def over():
		got = s.g.state()
		seen.add(got["STATUS"])
		want = "holdover" if got["AGE_NS"] > 3 * interval_ns else "sync"
		if got["STATUS"] != want:
			wrong.append((got["STATUS"], got["AGE_NS"]))
		return got["AGE_NS"] > 3.5 * interval_ns
	tap.wait_for(over, every=0.01)
	tap.same((seen, wrong), ({"sync", "holdover"}, []), "holdover after three intervals, no sooner")
	tap.same(answer(s, state, "sync"), None, "holdover: still answered as synchronised")
	_, got = young(s, lambda: s.g.push(state), 3 * interval_ns)
	tap.same(got["STATUS"], "sync", "a push ends holdover")


def once(events, want, s, what, seen=()):
	"""The event comes once, whatever is asked meanwhile and after; it may have been seen."""
	got = list(seen) or events.read(5)
	for _ in range(5):
		s.wire.ask(ntpq.request())
	got += events.read(0.3)
	tap.same(got, [want], f"{what}: the event {want[0]} comes once")


def test_deadline(s, events):
	for policy, want in ((ntpknl.UNSYNC, "unsync"), (ntpknl.SILENT, "silent")):
		state = shows_while(s, lambda: s.g.push_default(
			DEADLINE_BOOT_NS=netns.boot_ns() + 500 * MS * tap.slow(), expired=policy),
			lambda state: netns.boot_ns() >= state["DEADLINE_BOOT_NS"], events, "before the deadline")
		deadline, seen = state["DEADLINE_BOOT_NS"], events.read()
		early = netns.boot_ns() < deadline and seen
		tap.wait_for(lambda: netns.boot_ns() >= deadline + 10 * MS)
		shows(s, state, "expired_deadline", want, "deadline")
		tap.ok(not early, "no event before the deadline", early)
		once(events, ("expired", "expired_deadline"), s, f"deadline, {want}", seen)
	state = s.g.push_default()
	shows(s, state, "sync", "sync", "a push after the deadline")
	s.g.push_unsync(DEADLINE_BOOT_NS=1)
	tap.same(s.g.status(), "unsync", "an unsynchronised state has nothing to expire")
	tap.same(events.read(0.3), [], "and raises no event")


def test_distance(s, events):
	# 10 ms of distance to begin with, 100 ms allowed, 200 ms/s of growth
	life_ns = 450 * MS * tap.slow()
	state = shows_while(s, lambda: s.g.push_default(
		ROOT_DISP_NS=5 * MS, ROOT_DELAY_NS=10 * MS, MAX_DIST_NS=100 * MS, DISP_RATE_PPB=200 * MS // tap.slow()),
		lambda state: netns.raw_ns() >= state["BASE_RAW_NS"] + life_ns, events, "before the distance")
	end = state["BASE_RAW_NS"] + life_ns
	early = []
	def reached():
		raw, got, after = netns.raw_ns(), s.g.status(), netns.raw_ns()
		if (got == "sync") != (raw < end) and (got == "sync") != (after < end):
			early.append((got, raw - end))
		return raw > end + 10 * MS
	tap.wait_for(reached, every=0.01)
	tap.same(early, [], "the root distance passes its limit when it should")
	shows(s, state, "expired_distance", "unsync", "root distance")
	once(events, ("expired", "expired_distance"), s, "root distance")


def test_step(s, events):
	for delta, policy, want in ((3 * S, ntpknl.UNSYNC, "unsync"), (-3 * S, ntpknl.SILENT, "silent")):
		state = s.g.push_default(expired=policy)
		stale = s.g.default_state()
		netns.step_realtime_ns(delta)
		shows(s, state, "expired_step", want, f"a step of {delta // S:+d} s")
		once(events, ("step", "expired_step"), s, f"a step of {delta // S:+d} s")
		try:
			s.g.push(stale)
			got = None
		except ntpknl.Refused as e:
			got = e.errno
		tap.same(got, 116, "a push computed before the step is refused as stale")
	state = s.g.push_default()
	shows(s, state, "sync", "sync", "a push after the step")
	tap.same(events.read(0.3), [], "no further event")


def test_line_is_raw(s):
	"""A slew of the system clock does not touch served time: 500 ppm, ten times a tick."""
	state = s.g.push_default()
	buf = (ctypes.c_long * 26)()		# struct timex
	buf[0], buf[2] = 0x4002, 500 << 16	# ADJ_TICK | ADJ_FREQUENCY
	buf[11] = 11000
	if netns.libc.adjtimex(buf) < 0:
		raise OSError(ctypes.get_errno(), "adjtimex")
	tap.later(reset_clock)
	real, raw = time.time_ns(), netns.raw_ns()
	tap.wait_for(lambda: netns.raw_ns() > raw + S // 2)
	drift = (time.time_ns() - real) - (netns.raw_ns() - raw)
	tap.same(answer(s, state, "sync"), None, f"a slew of the system clock by {drift / MS:.1f} ms "
		 "leaves served time on its line")
	tap.ok(drift > 20 * MS, "and the system clock was slewed", drift)
	reset_clock()


def reset_clock():
	buf = (ctypes.c_long * 26)()
	buf[0], buf[2], buf[11] = 0x4002, 0, 10000
	netns.libc.adjtimex(buf)


def test_floor(s):
	"""The build date is not told, but this year is after it and 1980 is not."""
	for unix_ns, what in ((0, "1970"), (315532800 * S, "1980"), (1577836800 * S, "2020")):
		s.g.push_default(BASE_UNIX_NS=unix_ns)
		(got, _, _), moved = s.counted(s.wire.ask, ntpq.request())
		tap.same((got, moved), ([], {"insane_time": 1}), f"time of {what} is never sent")
		s.g.push_unsync(BASE_UNIX_NS=unix_ns, expired=ntpknl.UNSYNC)
		got, _, _ = s.wire.ask(ntpq.request())
		tap.same(got, [], f"nor as unsynchronised ({what})")
	state = s.g.push_default(BASE_UNIX_NS=4102444800 * S)
	tap.same(answer(s, state, "sync"), None, "time of 2100 is sent, in the next era")


def test_sysfs():
	"""/sys is about the first namespace: serve from there."""
	link = netns.Link(server=netns.InitNs())
	s = fixture.Served(link=link)
	tap.later(s.g.detach)
	state = s.g.push_default(RATE_Q48=281474977, LEAP=2, STRATUM=7)
	tap.same(s.wire.sync_reply(state), None, "the first namespace answers")
	want = {"status": "synchronised", "attached": "1", "holdover": "0", "leap": "2",
		"stratum": "7", "refid": "0a4d0001", "root_delay_ns": str(state["ROOT_DELAY_NS"]),
		"ref_unix_ns": str(state["REF_UNIX_NS"]), "precision_log2s": "-25",
		"rate_ppb": "1000", "clock_seq": str(state["CLOCK_SEQ"]), "pushes": "1",
		"port": "123"}
	tap.same({k: netns.sysfs(f"state/{k}") for k in want}, want, "/sys/kernel/ntpk/state")
	raw0 = netns.raw_ns()
	served, disp = int(netns.sysfs("state/served_unix_ns")), int(netns.sysfs("state/root_disp_ns"))
	raw1 = netns.raw_ns()
	tap.ok(ntpq.line_at(state, raw0) <= served <= ntpq.line_at(state, raw1) and
	       ntpq.disp_at(state, raw0) <= disp <= ntpq.disp_at(state, raw1),
	       "/sys: served time and dispersion of now", (served, disp))
	left = int(netns.sysfs("state/expires_in_ns"))
	tap.ok(0 < left <= state["DEADLINE_BOOT_NS"] - netns.boot_ns() + S, "/sys: time left", left)
	s.wire.exchange([s.wire.frame(pkt.ip("192.0.2.2", "192.0.2.1", pkt.UDP, pkt.udp(
		"192.0.2.2", "192.0.2.1", 5, 123, ntpq.request(5))))])
	stats = s.g.stats()
	tap.same({k: int(netns.sysfs(f"stats/{k}")) for k in stats}, stats,
		 "/sys/kernel/ntpk/stats is what netlink says")
	tap.same((stats["replied"], stats["version"]), (1, 1), "and counts what was sent")
	s.g.push_unsync()
	tap.same((netns.sysfs("state/status"), netns.sysfs("state/leap"), netns.sysfs("state/stratum")),
		 ("unsynchronised", "3", "0"), "/sys: unsynchronised")


def main():
	s = fixture.served()
	events = ntpknl.Events(s.server)
	test_before_sync(s)
	test_get(s)
	test_rate(s)
	test_dispersion(s)
	test_holdover(s)
	test_deadline(s, events)
	test_distance(s, events)
	test_step(s, events)
	test_line_is_raw(s)
	test_floor(s)
	test_sysfs()


tap.run(main)
