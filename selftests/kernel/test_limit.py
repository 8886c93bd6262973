#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-only
"""
Shows how much a client may ask: its burst and no more, then one in an interval;
that clients, networks and listeners are told apart as they should be; how many of
the others are answered all the same, how many told so by a KoD, and who is never
told; for whom a MAC is computed; the budget of a CPU; that the buckets survive a push, are charged and given
back; that what is refused changes nothing.
About 15 seconds.
"""
import ipaddress
import socket
import struct
import time

import fixture
import ftrace
import netns
import ntpknl
import ntpq
import pkt
import starve
import tap

REQUIRE = ntpknl.UAPI["NTPK_LISTENER_F_REQUIRE_KEY"]
SERVER = {4: "192.0.2.1", 6: "2001:db8::1"}
# an interval that does not end within this test
LONG, BURST = 12, 16
KEY = (1, "sha1", bytes(range(20)))
# What the module ends the code of such a key with, in every kernel.
CRYPTO = "crypto_shash_finup"


def listener(port=123, limit=None, addr=None, **more):
	out = {"PORT": port, "NEVER_SYNCED": ntpknl.SILENT, "EXPIRED": ntpknl.UNSYNC, **more}
	if limit:
		out["LIMIT"] = limit
	if addr:
		out["ADDR"] = socket.inet_aton(addr)
	return out


def limit(interval=LONG, burst=BURST, **more):
	return {"INTERVAL_LOG2S": interval, "BURST": burst, "LEAK_LOG2": 0, **more}


def push(s, *listeners, **change):
	"""Without any first, so that no bucket is left from before."""
	s.g.push(s.g.default_state(LISTENERS=[listener()]))
	return again(s, *listeners, **change)


def again(s, *listeners, **change):
	state = s.g.default_state(LISTENERS=list(listeners), **change)
	s.g.push(state)
	return state


def ask(s, src, n=1, dport=123, dst=None, data=None, sport=40000):
	"""n requests of one source: the replies, and which counters moved."""
	v = ipaddress.ip_address(src).version
	dst = dst or SERVER[v]
	frames = [s.wire.frame(pkt.ip(src, dst, pkt.UDP, pkt.udp(
		src, dst, sport, dport, data or ntpq.request()))) for _ in range(n)]

	def send():
		got = []
		for i in range(0, n, 64):
			got += s.wire.exchange(frames[i:i + 64], v6=v == 6)
		return [ntpq.Reply(p.data) for p in got if p.proto == pkt.UDP]
	return s.counted(send)


def expect(s, what, src, want, n=40, **how):
	replies, moved = ask(s, src, n, **how)
	counts = {"replied": want, "limited": n - want}
	tap.ok(len(replies) == want and moved == {k: v for k, v in counts.items() if v},
	       f"{what}: {want} of {n} are answered", (len(replies), moved))


def test_burst(s):
	push(s, listener(limit=limit()))
	for src in ("192.0.2.2", "2001:db8::2"):
		expect(s, f"{src} asks too much", src, BURST)
		expect(s, f"{src} goes on", src, 0, n=5)
	expect(s, "the next address", "192.0.2.3", BURST)
	expect(s, "the next address of the same /64", "2001:db8::77", 0, n=5)
	expect(s, "the next /64", "2001:db8:0:1::2", BURST)
	again(s, listener(limit=limit()))
	expect(s, "the buckets outlive a push", "192.0.2.2", 0, n=5)
	again(s, listener())
	expect(s, "without a limit", "192.0.2.2", 40)
	again(s, listener(limit=limit(NAT=5)))
	expect(s, "five clients behind an address", "192.0.2.2", 5 * BURST, n=100)


def test_refill(s):
	"""One in an eighth of a second: the time is the machine's, so it is a range."""
	push(s, listener(limit=limit(-3, 4)))
	begin = time.monotonic()
	first, _ = ask(s, "192.0.2.2", 10)
	tap.ok(len(first) >= 4, "a burst", len(first))
	time.sleep(1)
	answered = len(first)
	while time.monotonic() - begin < 3:
		answered += len(ask(s, "192.0.2.2", 1)[0])
	took = time.monotonic() - begin
	low, high = 4 + 4, 4 + 8 * took + 1
	tap.ok(low <= answered <= high, f"then one in an interval: {answered} answers in "
	       f"{took:.2f} s, {high:.0f} at most")


def test_prefixes(s):
	push(s, listener(limit=limit(PREFIX_V4=24, PREFIX_V6=48)))
	expect(s, "a /24 is one client", "192.0.2.2", BURST)
	expect(s, "another address of it", "192.0.2.77", 0, n=5)
	expect(s, "another /24", "192.0.3.77", BURST)
	expect(s, "a /48 is one client", "2001:db8::2", BURST)
	expect(s, "another /64 of it", "2001:db8:0:9::2", 0, n=5)
	expect(s, "another /48", "2001:db8:1::2", BURST)


def test_listeners(s):
	"""Equal limits share a client's bucket, others do not; and some have none."""
	push(s, listener(limit=limit()), listener(1123, limit()), listener(1124, limit(burst=7)),
	     listener(1125))
	expect(s, "a listener", "192.0.2.2", BURST)
	expect(s, "another one with an equal limit", "192.0.2.2", 0, n=5, dport=1123)
	expect(s, "one with a limit of its own", "192.0.2.2", 7, dport=1124)
	expect(s, "one without", "192.0.2.2", 40, dport=1125)
	again(s, listener(), listener(1123, limit()))
	expect(s, "a bucket outlives one of its listeners, and other limits", "192.0.2.2", 0, n=5,
	       dport=1123)
	again(s, listener(1123, limit(LEAK_LOG2=1)))
	_, moved = ask(s, "192.0.2.2", 40, dport=1123)
	tap.ok(moved.get("replied", 0) >= 5 and moved.get("limited", 0) >= 5,
	       "and a change of leak, which is at work at once", moved)


def test_leak(s):
	with_default = limit()
	del with_default["LEAK_LOG2"]
	push(s, listener(limit=with_default))
	ask(s, "192.0.2.2", BURST)
	replies, moved = ask(s, "192.0.2.2", 640)
	leaked = moved.get("replied", 0)
	# six sigma of 640 with a quarter
	tap.ok(160 - 66 <= leaked <= 160 + 66 and len(replies) == leaked and
	       moved == {"replied": leaked, "limited": 640 - leaked},
	       f"above the limit one in four is answered: {leaked} of 640", moved)


def kod_faults(state, req, reply):
	q, bad = ntpq.Reply(req), ntpq.echo_faults(req, reply)
	bad = [b for b in bad if not b.startswith("poll")]
	for name, want in (("leap", 3), ("stratum", 0), ("refid", b"RATE"), ("ref", 0),
			   ("poll", max(q.poll, LONG))):
		if getattr(reply, name) != want:
			bad.append(f"{name} {getattr(reply, name)!r}, not {want!r}")
	if not 0 <= reply.t3_ns - reply.t2_ns < 10**9 or (
			abs(reply.t2_ns - state["BASE_UNIX_NS"]) > 60 * 10**9):
		bad.append(f"T2 {reply.t2_ns}, T3 {reply.t3_ns}")
	return bad


def test_kod(s):
	state = push(s, listener(limit=limit(KOD_LOG2=1)), listener(1123, limit(KOD_LOG2=1),
								     FLAGS=REQUIRE))
	for src, mode in (("192.0.2.2", 3), ("2001:db8::2", 3), ("192.0.2.3", 1)):
		ask(s, src, BURST)
		req = ntpq.request(mode=mode)
		replies, moved = ask(s, src, 64, data=req)
		kods = moved.get("replied_rate", 0)
		bad = [b for r in replies for b in kod_faults(state, req, r)
		       if mode == 3 or not b.startswith("mode")]
		tap.ok(8 <= kods <= 56 and len(replies) == kods and not bad and
		       moved == {"replied_rate": kods, "limited": 64 - kods},
		       f"{src} in mode {mode}: one in two is told so by a KoD RATE, {kods} of 64",
		       (moved, bad[:3]))
	for what, trailing in (("a MAC", b"\0\0\0\1" + bytes(16)),
			       ("an extension field", bytes((4, 4, 0, 28)) + bytes(24))):
		replies, moved = ask(s, "192.0.2.2", 64, data=ntpq.request(trailing=trailing))
		tap.ok(not replies and moved == {"limited": 64},
		       f"nobody is told so who sends {what}: a KoD is not signed", moved)
	replies, moved = ask(s, "192.0.2.4", 64, dport=1123)
	tap.ok(not replies and moved == {"auth_required": 64},
	       "nor where only signed requests are answered", moved)
	replies, moved = ask(s, "192.0.2.4", 64, dport=1123,
			     data=ntpq.request(trailing=b"\0\0\0\1" + bytes(16)))
	tap.ok(not replies and moved == {"auth_failed": BURST, "limited": 64 - BURST},
	       "where who sends no MAC uses up nobody's share", moved)
	# what is not answered at all is not answered by a KoD either
	again(s, listener(limit=limit(KOD_LOG2=1), EXPIRED=ntpknl.SILENT), LEAP=3, STRATUM=0,
	      REFID=bytes(4), REF_UNIX_NS=0)
	replies, moved = ask(s, "192.0.2.2", 64)
	tap.ok(not replies and set(moved) <= {"limited", "silent_expired"} and
	       moved.get("silent_expired"), "no KoD from who would be silent", moved)


def test_order(s):
	"""The access list comes before, MACs behind."""
	push(s, listener(limit=limit()))
	s.g.acl([(4, 0xc0000202, 32, 0)], otherwise=1)
	_, moved = ask(s, "192.0.2.2", 40)
	tap.same(moved, {"acl_denied": 40}, "whom the access list denies costs no bucket")
	s.g.acl([], otherwise=1)
	expect(s, "as one sees when it is allowed again", "192.0.2.2", BURST)
	_, moved = ask(s, "192.0.2.3", 40, data=ntpq.request(trailing=b"\0\0\0\1" + bytes(16)))
	tap.same(moved, {"auth_failed": BURST, "limited": 40 - BURST},
		 "a wrong MAC is looked at only within the limit")


def macs(s, src, n):
	"""How often the kernel's crypto runs for n requests of one source with a wrong MAC, and what they move."""
	wrong = ntpq.request(trailing=struct.pack("!I", KEY[0]) + bytes(20))
	(_, moved), calls = ftrace.calls(CRYPTO, ask, s, src, n, data=wrong)
	return len(calls), moved


def test_work(s):
	"""The same by what is done: counters would tell of a verdict alone, wherever a MAC was computed before it."""
	if not ftrace.can():
		tap.skip("for whom a MAC is computed", "no function tracer")
		return
	s.g.keys([KEY])
	push(s, listener(limit=limit()))
	with ftrace.functions(CRYPTO):
		each, moved = macs(s, "192.0.2.4", 1)
		tap.ok(each > 0 and moved == {"auth_failed": 1}, f"a wrong MAC is computed, by {each} calls of {CRYPTO}()", moved)
		tap.same(macs(s, "192.0.2.2", 40), (BURST * each, {"auth_failed": BURST, "limited": 40 - BURST}),
			 "above the limit none is")
		s.g.acl([(4, 0xc0000203, 32, 0)], otherwise=1)
		tap.same(macs(s, "192.0.2.3", 40), (0, {"acl_denied": 40}), "nor for whom the access list denies")
	s.g.acl([], otherwise=1)
	s.g.keys([])


def test_budget(s):
	push(s, listener(limit=limit()), listener(1123), BUDGET_PER_S=1)
	_, moved = ask(s, "192.0.2.2", 640, dport=1123)
	answered = moved.get("replied", 0)
	# one a second more for a machine that is slow
	tap.ok(64 <= answered <= 64 + 30 * tap.slow() and
	       moved == {"replied": answered, "over_budget": 640 - answered},
	       f"a CPU's budget: {answered} of 640 at once are answered", moved)
	_, moved = ask(s, "192.0.2.3", 40)
	tap.ok(moved.get("limited") == 40 - BURST, "who asks too much does not use it up", moved)
	again(s, listener(1123))
	_, moved = ask(s, "192.0.2.2", 640, dport=1123)
	tap.same(moved, {"replied": 640}, "without a budget")


def vmalloc_kib():
	with open("/proc/meminfo") as f:
		return next(int(line.split()[1]) for line in f if line.startswith("VmallocUsed"))


def test_memory(s):
	"""8 bytes a client, there while a listener has a limit, and no longer."""
	clients = 1 << 20
	push(s, listener())
	before = vmalloc_kib()
	again(s, listener(limit=limit()), LIMIT_CLIENTS=clients)
	took = vmalloc_kib() - before
	tap.ok(clients * 8 // 1024 <= took < clients * 9 // 1024,
	       f"a million clients take {took} KiB")
	expect(s, "with a large table", "192.0.2.2", BURST)
	again(s, listener(limit=limit()), LIMIT_CLIENTS=8)
	expect(s, "with the smallest, which is a new one", "192.0.2.2", BURST)
	again(s, listener())
	tap.ok(tap.wait_for(lambda: vmalloc_kib() - before < 1024, 20), "they are given back",
	       vmalloc_kib() - before)


def push_failing(s, payload, fail, nth):
	"""What comes of a push of which the nth allocation fails: None, a text, or OSError."""
	result, _ = fail.call(nth, s.g.cmd, "SET_STATE", payload)
	if isinstance(result, ntpknl.Refused):
		return result.text or "no text"
	return result if isinstance(result, OSError) else None


def test_no_memory(s):
	"""Whichever allocation of a push fails: nothing has changed, and nothing is lost."""
	if not starve.can():
		tap.skip("an allocation of a push fails", "no fault injection in this kernel")
		return
	fail = starve.Nth()
	places = [listener(limit=limit()), listener(1123, limit(burst=5)), listener(1124, limit(burst=5)),
		  listener(1125, limit(burst=9))]
	push(s, places[0])
	expect(s, "before", "192.0.2.2", BURST)
	payload = ntpknl.state_nest(s.g.default_state(LISTENERS=places))
	refusals, wrong, nth, result = [], [], 0, ""
	while result is not None and nth < 100:
		nth += 1
		result = push_failing(s, payload, fail, nth)
		changed = len(s.g.state()["LISTENERS"]) != 1
		if isinstance(result, str):
			refusals.append(result)
			wrong += [nth] if changed else []
		elif result is not None:
			# the message or its answer was lost: it may have been done
			s.g = ntpknl.Genl(s.server)
			again(s, places[0])
	tables = refusals.count("no memory for so many LIMIT_CLIENTS")
	tap.ok(tables >= 2 and not wrong and result is None,
	       f"{nth - 1} allocations of a push failed one by one, {tables} of them for tables",
	       (refusals, wrong))
	expect(s, "who has asked is still known", "192.0.2.2", 0, n=5)
	expect(s, "and the last push is in force", "192.0.2.2", 5, dport=1123)
	push(s, listener())


def test_messages(s):
	push(s, listener(limit=limit()))
	good = limit(LEAK_LOG2=2, KOD_LOG2=3, NAT=4, PREFIX_V4=24, PREFIX_V6=56)
	again(s, listener(limit=good), LIMIT_CLIENTS=4096, BUDGET_PER_S=5000)
	state = s.g.state()
	tap.same((state["LISTENERS"][0]["LIMIT"], state["LIMIT_CLIENTS"], state["BUDGET_PER_S"]),
		 (good, 4096, 5000), "what was pushed can be read")
	before = s.g.state()["LISTENERS"]
	for what, bad, words in (
			("no interval", {"BURST": 1}, "INTERVAL_LOG2S is missing in LIMIT"),
			("no burst", {"INTERVAL_LOG2S": 1}, "BURST is missing in LIMIT"),
			("an interval of 2^13 s", limit(13), "range"),
			("an interval of 2^-13 s", limit(-13), "range"),
			("a burst of none", limit(burst=0), "range"),
			("leak 17", limit(LEAK_LOG2=17), "range"), ("KoD 17", limit(KOD_LOG2=17), "range"),
			("NAT 0", limit(NAT=0), "range"), ("NAT 65536", limit(NAT=65536), "range"),
			("a burst of 256", limit(burst=256), "range"),
			("8192 requests a second", limit(-12, NAT=2), "more than 7629 requests a second"),
			("a /0", limit(PREFIX_V4=0), "range"),
			("a /33", limit(PREFIX_V4=33), "range"), ("a /129", limit(PREFIX_V6=129), "range"),
			("a burst of two bytes", limit(burst=bytes(2)), "")):
		fixture.refused(what, "E", words, lambda: again(s, listener(limit=bad)))
	tap.same(s.g.state()["LISTENERS"], before, "and nothing has changed")


def main():
	s = fixture.served()
	# answers find their way wherever the request claims to come from
	s.link.neigh(s.server, s.link.sdev, s.link.cmac, "192.0.2.3", "192.0.2.4", "192.0.2.77",
		     "2001:db8::77")
	s.server.sh("ip route add 192.0.3.0/24 via 192.0.2.2")
	for net in ("2001:db8:0:1::/64", "2001:db8:0:9::/64", "2001:db8:1::/48"):
		s.server.sh("ip", "-6", "route", "add", net, "via", "2001:db8::2")
	for test in (test_burst, test_refill, test_prefixes, test_listeners, test_leak, test_kod,
		     test_order, test_work, test_budget, test_memory, test_no_memory, test_messages):
		test(s)


tap.run(main)
