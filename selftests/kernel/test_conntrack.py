#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-only
"""
Shows that the usual stateful firewall lets requests in and replies out, that
`dnat` to a local address and `notrack` work, that a transparent proxy (TPROXY) gets what
it is given, and that no conntrack entry is
ever left behind, nor made by a flood from spoofed addresses under a
notrack rule (NTPK_FLOOD of them: 100000, in the debug kernel 2000).
About 30 seconds.
"""
import os
import select
import socket
import struct

import fixture
import netns
import ntpq
import pkt
import tap

STATEFUL = """
table inet t {
	chain i {
		type filter hook input priority 0; policy drop
		udp dport 123 ct state new accept
		icmp type echo-request accept
		icmpv6 type { echo-request, nd-neighbor-solicit, nd-neighbor-advert } accept
	}
	chain o {
		type filter hook output priority 0; policy drop
		ct state established accept
		icmp type echo-reply accept
		icmpv6 type { echo-reply, nd-neighbor-solicit, nd-neighbor-advert } accept
	}
}
"""
# with priorities as late as users and firewalld write them
LATE = STATEFUL.replace("priority 0", "priority 2147483000")
# nobody may ask
CLOSED = STATEFUL.replace("\t\tudp dport 123 ct state new accept\n", "")
CLOSED_LATE = LATE.replace("\t\tudp dport 123 ct state new accept\n", "")
DNAT = STATEFUL + """
table ip n {
	chain p {
		type nat hook prerouting priority dstnat
		ip daddr 192.0.2.99 udp dport 123 dnat to 192.0.2.1
	}
	chain q {
		type nat hook postrouting priority srcnat
	}
}
"""
NOTRACK_IN = """
table inet r {
	chain p {
		type filter hook prerouting priority raw
		udp dport 123 notrack
		meta l4proto { icmp, ipv6-icmp } notrack
	}
}
table inet t {
	chain o {
		type filter hook output priority 0
		ct state new counter
	}
}
"""
NOTRACK = NOTRACK_IN + """
table inet r {
	chain o {
		type filter hook output priority raw
		udp sport 123 notrack
	}
}
"""
# What is for another host, to a socket of this one
STEERED = """
table ip s {
	chain p {
		type filter hook prerouting priority mangle
		ip daddr 198.51.100.1 udp dport 123 %s accept
	}
}
"""
IP_TRANSPARENT = 19
TRACK = """
table inet t {
	chain i {
		type filter hook input priority 0
		ct state new counter
	}
}
"""


def entries(s, port=123):
	"""Conntrack entries of the server's namespace but for those of the test's echoes."""
	with s.server, open("/proc/thread-self/net/nf_conntrack") as f:
		return [line for line in f if " udp " in line and f"dport={port} " in line]


def count(s):
	with s.server, open("/proc/sys/net/netfilter/nf_conntrack_count") as f:
		return int(f.read())


def ask_all(s, state, what, dst4="192.0.2.1", v6=True):
	"""25 clients of each version; all answered, and no entry is left."""
	bad = []
	for i in range(25):
		for dst in (dst4, "2001:db8::1") if v6 else (dst4,):
			wrong = s.wire.sync_reply(state, dst=dst, sport=30000 + i)
			if wrong:
				bad.append((dst, wrong))
	tap.same(bad[:3], [], f"{what}: 25 clients are answered, from the address they asked")
	tap.same(entries(s), [], f"{what}: no conntrack entry")


def with_rules(s, rules, fn, *args, **kwargs):
	s.server.nft(rules)
	try:
		fn(*args, **kwargs)
	finally:
		s.server.nft("flush ruleset")


def is_tracking(s):
	"""The figure 0 means something only where ordinary traffic does leave entries."""
	sock = s.server.socket(2, 2)
	sock.bind(("0.0.0.0", 124))
	frame = s.wire.frame(pkt.ip("192.0.2.2", "192.0.2.1", pkt.UDP, pkt.udp(
		"192.0.2.2", "192.0.2.1", 124, 124, b"x")))
	s.server.nft(TRACK)
	s.wire.exchange([frame])
	tap.ok(entries(s, 124) and count(s), "conntrack is at work here: port 124 leaves an entry")
	s.server.nft("flush ruleset")
	sock.close()


def neighbours(s):
	"""Where 192.0.2.99 is asked: at the server, which knows it only by its dnat rule."""
	netns.Link.neigh(s.client, s.link.cdev, s.link.smac, "192.0.2.99")


def spoofed(i):
	return f"100.{64 + (i >> 16 & 63)}.{i >> 8 & 255}.{i & 255}"


def frames(s, number):
	"""Requests from as many addresses; the bytes are made once and patched."""
	base = pkt.ip4(spoofed(0), "192.0.2.1", pkt.UDP, pkt.udp(
		spoofed(0), "192.0.2.1", 123, 123, ntpq.request(), check=0))
	for i in range(number):
		packet = base[:10] + b"\0\0" + struct.pack("!I", (100 << 24 | 64 << 16) + i) + base[16:]
		packet = packet[:10] + struct.pack("!H", pkt.csum(packet[:12] + packet[12:20])) + packet[12:]
		yield s.wire.frame(packet)


def test_flood(s):
	"""Only the request is untracked by rule; the reply must be by itself."""
	number = tap.env_int("NTPK_FLOOD", 100000, 2000)
	s.server.sh("ip", "route", "add", "100.64.0.0/10", "via", "192.0.2.2")
	s.server.nft(NOTRACK_IN)
	before, most, batch = s.g.stats()["replied"], 0, []
	for frame in frames(s, number):
		batch.append(frame)
		if len(batch) == 500:
			s.wire.exchange(batch)
			batch = []
			most = max(most, count(s))
	s.wire.exchange(batch)
	replied = s.g.stats()["replied"] - before
	tap.same(replied, number, f"{number} requests from as many addresses are answered")
	tap.same(max(most, count(s)), 0, "and nf_conntrack_count is 0 all the time")
	s.server.nft("flush ruleset")


def ask_none(s, what):
	for dst in ("192.0.2.1", "2001:db8::1"):
		(got, _, _), moved = s.counted(s.wire.ask, ntpq.request(), dst=dst)
		tap.same((got, moved), ([], {}), f"{what}: {dst} neither answers nor counts")


def test_tproxy(s, state):
	"""A request for another host: answered in its name where it is let in, but not past its proxy."""
	netns.sh("modprobe", "-q", "nft_tproxy", check=False)
	far = "198.51.100.1"
	s.server.sh("ip", "rule", "add", "fwmark", "7", "lookup", "100")
	s.server.sh("ip", "route", "add", "local", "0.0.0.0/0", "dev", "lo", "table", "100")
	proxy = s.server.socket(socket.AF_INET, socket.SOCK_DGRAM)
	proxy.setsockopt(socket.SOL_IP, IP_TRANSPARENT, 1)
	proxy.bind(("0.0.0.0", 5000))
	s.server.nft(STEERED % "meta mark set 7")
	tap.same(s.wire.sync_reply(state, dst=far), None, "a request for another host that is let in is answered")
	s.server.nft("flush ruleset")
	if s.server.sh("nft", "-f", "-", input=STEERED % "tproxy to :5000 meta mark set 7", check=False).returncode:
		tap.skip("what a transparent proxy is given", "no TPROXY in this kernel")
	else:
		(got, _, _), moved = s.counted(s.wire.ask, ntpq.request(), dst=far)
		given = select.select([proxy], [], [], 1)[0] and proxy.recvfrom(2048)[1][0]
		tap.same((got, moved, given), ([], {"not_unicast": 1}, "192.0.2.2"),
			 "but not past the transparent proxy that it is given to")
	s.server.nft("flush ruleset")
	s.server.sh("ip", "rule", "del", "fwmark", "7", "lookup", "100")
	proxy.close()


def main():
	s = fixture.served()
	netns.sh("modprobe", "-q", "-a", "nf_conntrack", "nft_ct", "nft_nat", "nft_chain_nat", check=False)
	state = s.g.push_default()
	test_flood(s)
	is_tracking(s)
	with_rules(s, STATEFUL, ask_all, s, state, "stateful input and output")
	with_rules(s, LATE, ask_all, s, state, "chains of the latest priority")
	with_rules(s, CLOSED, ask_none, s, "input of this port refused")
	with_rules(s, CLOSED_LATE, ask_none, s, "refused by a chain of the latest priority")
	neighbours(s)
	with_rules(s, DNAT, ask_all, s, state, "dnat to a local address", "192.0.2.99")
	with_rules(s, NOTRACK, ask_all, s, state, "notrack both ways")
	with_rules(s, NOTRACK_IN, ask_all, s, state, "notrack of requests only")
	test_tproxy(s, state)


tap.run(main)
