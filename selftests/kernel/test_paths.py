#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-only
"""
Shows that each short cut of an answer and the long way round give the same
bytes: in the request's own buffer or in a new one (a packet socket looks on),
by a remembered way or looked up, straight to the neighbour or past rules and
through the whole of IP's output, by three products or by all that a listener may
want.  And that what is remembered is forgotten as
soon as routes, rules, neighbours or devices change.  About 5 seconds.
"""
import contextlib
import random
import socket

import fixture
import ftrace
import ntpknl
import ntpq
import pkt
import tap

RULES = """
table ip t {
	chain o { type filter hook output priority 0; udp sport 123 counter accept; }
	chain p { type filter hook postrouting priority 0; udp sport 123 counter accept; }
}
table ip6 t {
	chain o { type filter hook output priority 0; udp sport 123 counter accept; }
	chain p { type filter hook postrouting priority 0; udp sport 123 counter accept; }
}
"""
REQUESTS = {"header": b"", "field F323": bytes.fromhex("f323001cf5bedd9a") + bytes(20),
	    "junk behind it": bytes(50)}


@contextlib.contextmanager
def nothing(_s):
	yield


@contextlib.contextmanager
def filtered(s):
	s.server.nft(RULES)
	yield
	for family in ("ip", "ip6"):
		s.server.sh("nft", "delete", "table", family, "t")


@contextlib.contextmanager
def ruled_by_port(s):
	"""A rule that looks at ports: no way may be remembered."""
	rule = ("ipproto", "udp", "sport", "123", "lookup", "main", "pref", "100")
	for family in ("-4", "-6"):
		s.server.sh("ip", family, "rule", "add", *rule)
	yield
	for family in ("-4", "-6"):
		s.server.sh("ip", family, "rule", "del", *rule)


@contextlib.contextmanager
def policied(s):
	"""An IPsec policy that lets NTP be, and so has to be asked each time."""
	policy = ("dir", "out", "src", "198.51.100.0/24", "dst", "198.51.100.0/24")
	if s.server.sh("ip", "xfrm", "policy", "add", *policy, "action", "allow",
		       check=False).returncode:
		tap.note("no IPsec policies here")
	yield
	s.server.sh("ip", "xfrm", "policy", "del", *policy, check=False)


@contextlib.contextmanager
def corrected(s):
	"""By nothing, which takes the long way through the arithmetic."""
	state = s.g.default_state()
	state["REF_UNIX_NS"] = s.state["REF_UNIX_NS"]
	state["LISTENERS"][0]["PIECE"] = [(0, 0, 0, 0)]
	s.g.push(state)
	yield
	s.g.push(s.state)


WAYS = {"a packet socket looks on": fixture.looked_on, "rules on the way out": filtered,
	"a rule by port": ruled_by_port, "an IPsec policy": policied, "a correction": corrected}


def constant(got):
	"""A reply's frame without what is of its moment: checksums, dispersion, T2, T3."""
	frame = bytearray(got.frame)
	udp = len(frame) - got.udp_len
	ntp = udp + 8
	for at, size in ((udp + 6, 2), (ntp + 8, 4), (ntp + 32, 16)):
		frame[at:at + size] = bytes(size)
	if got.udp_len > 56:	# dispersion and T2 of the field F323
		frame[ntp + 48 + 12:ntp + 48 + 16] = bytes(4)
		frame[ntp + 48 + 16:ntp + 48 + 24] = bytes(8)
	return bytes(frame)


def ask(s, dst, tail):
	got, _, _ = s.wire.ask(ntpq.request(xmt=0x1234567890abcdef) + tail, dst=dst)
	if len(got) != 1 or got[0].proto != pkt.UDP or not got[0].check_good:
		return f"no reply or a wrong checksum: {got}"
	return constant(got[0])


def replies(s, dst):
	"""Twice each, so that the second one finds what the first one left."""
	return [ask(s, dst, tail) for tail in REQUESTS.values() for _ in range(2)]


def test_same_bytes(s):
	for dst in ("192.0.2.1", "2001:db8::1", s.link.sll):
		plain = replies(s, dst)
		tap.ok(all(isinstance(r, bytes) for r in plain), f"{dst}: answered", plain)
		for what, circumstances in WAYS.items():
			with circumstances(s):
				got = replies(s, dst)
				tap.ok(got == plain, f"{dst}: {what}: the same bytes", next(
					((a, b) for a, b in zip(got, plain) if a != b), None))


# where a bit makes it no request at all: ports and length of UDP, version and mode
SEEN_BEFORE = (0, 1, 2, 3, 4, 5, 8)


def test_sums(s):
	"""Requests of a header, whose checksum is computed apart: whatever their bytes are."""
	payloads = [bytes([0x23]) + bytes([b]) * 47 for b in (0, 1, 0x7f, 0x80, 0xfe, 0xff)]
	payloads += [bytes([0x23]) + random.Random(n).randbytes(47) for n in range(58)]
	good = [s.wire.frame(pkt.ip("192.0.2.2", "192.0.2.1", pkt.UDP,
				    pkt.udp("192.0.2.2", "192.0.2.1", 40000, 123, p))) for p in payloads]
	# a bit of each of the 56 bytes
	bad = [f[:34 + n] + bytes([f[34 + n] ^ 1 << n % 8]) + f[35 + n:]
	       for n, f in enumerate(good[:56]) if n not in SEEN_BEFORE]
	for frames, reason in ((good, "replied"), (bad, "bad_checksum")):
		before = s.g.stats()
		s.wire.exchange(frames)
		tap.same(ntpknl.changed(before, s.g.stats()), {reason: len(frames)},
			 f"sums over any bytes: {reason}")


def calls(s, function):
	"""How often a kernel function ran to answer one request, less the echo behind it."""
	udp = pkt.udp("192.0.2.2", "192.0.2.1", 40000, 123, ntpq.request())
	frame = s.wire.frame(pkt.ip("192.0.2.2", "192.0.2.1", pkt.UDP, udp))
	# somebody has to be there, lest the client's own ICMP error be counted
	with s.client.socket(socket.AF_INET, socket.SOCK_DGRAM) as there:
		there.bind(("0.0.0.0", 40000))
		with_it, without = (ftrace.calls(function, s.wire.exchange, packets)[1]
				    for packets in ([frame], []))
		return len(with_it) - len(without)


def test_short_way_is_short(s):
	"""Without this the test above could compare the long way with itself."""
	if not ftrace.can():
		tap.skip("which functions an answer calls", "no function tracer")
		return
	ask(s, "192.0.2.1", b"")
	with ftrace.functions("ip_output", "ip_route_output_flow", "ntp_reply_decide"):
		for function in ("ip_output", "ip_route_output_flow", "ntp_reply_decide"):
			tap.same(calls(s, function), 0, f"an answer does not call {function}()")
		with corrected(s):
			tap.ok(calls(s, "ntp_reply_decide") > 0, "with a correction it is decided the long way")
		with ruled_by_port(s):
			tap.ok(calls(s, "ip_route_output_flow") > 0, "with a rule by port it asks for its way")


def counted(s, dst, client, sport=40000):
	"""What becomes of one request: the way back may be barred to an echo as well."""
	udp = pkt.udp(client, dst, sport, 123, ntpq.request())
	before = s.g.stats()
	s.wire.s.send(s.wire.frame(pkt.ip(client, dst, pkt.UDP, udp)))
	tap.wait_for(lambda: ntpknl.changed(before, s.g.stats()), 5)
	return ntpknl.changed(before, s.g.stats())


def test_forgets(s):
	for dst, client, prefix in (("192.0.2.1", "192.0.2.2", "32"), ("2001:db8::1", "2001:db8::2", "128")):
		tap.same(counted(s, dst, client), {"replied": 1}, f"{dst}: answered")
		s.server.sh("ip", "route", "add", "blackhole", f"{client}/{prefix}")
		tap.same(counted(s, dst, client), {"no_route": 1}, f"{dst}: a new route counts at once")
		s.server.sh("ip", "route", "del", "blackhole", f"{client}/{prefix}")
		tap.same(counted(s, dst, client), {"replied": 1}, f"{dst}: and its end")
		family = "-6" if ":" in dst else "-4"
		s.server.sh("ip", family, "rule", "add", "to", client, "unreachable", "pref", "99")
		tap.same(counted(s, dst, client), {"no_route": 1}, f"{dst}: a new rule counts at once")
		s.server.sh("ip", family, "rule", "del", "to", client, "unreachable", "pref", "99")
		tap.same(counted(s, dst, client), {"replied": 1}, f"{dst}: and its end")
		before = ask(s, dst, b"")
		s.link.neigh(s.server, s.link.sdev, bytes.fromhex("020000000001"), client)
		got, _, _ = s.wire.ask(ntpq.request(), dst=dst)
		tap.same([g.dst_mac.hex() for g in got], ["020000000001"],
			 f"{dst}: a new neighbour counts at once")
		s.link.neigh(s.server, s.link.sdev, s.link.cmac, client)
		tap.same(ask(s, dst, b""), before, f"{dst}: and its end")


def test_ports_decide(s):
	"""Rules for what is sent from here, which the kernel counts apart."""
	for dst, client, family in (("192.0.2.1", "192.0.2.2", "-4"), ("2001:db8::1", "2001:db8::2", "-6")):
		rule = ("iif", "lo", "ipproto", "udp", "dport", "40001", "unreachable", "pref", "99")
		s.server.sh("ip", family, "rule", "add", *rule)
		got = [counted(s, dst, client, sport) for sport in (40000, 40001, 40000)]
		s.server.sh("ip", family, "rule", "del", *rule)
		tap.same(got, [{"replied": 1}, {"no_route": 1}, {"replied": 1}],
			 f"{dst}: a rule by port that is for what is sent from here")


def test_device_goes(s):
	"""What is remembered must hold no device back."""
	for dst in ("192.0.2.1", "2001:db8::1"):
		ask(s, dst, b"")
	s.client.sh("ip", "link", "del", s.link.cdev, timeout=30)
	tap.ok(True, "a device that was answered through can be deleted")


def main():
	s = fixture.served()
	s.state = s.g.push_default()
	test_short_way_is_short(s)	# before there ever was a rule
	test_same_bytes(s)
	test_sums(s)
	test_forgets(s)
	test_ports_decide(s)
	test_device_goes(s)


tap.run(main)
