#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-only
"""
Shows one packet of every reason: how many replies it gets (one or none), that
exactly its counter moves by one, that what is dropped gets no ICMP, and that
what is passed gets what the stack does without the module: an ICMP error, or
delivery to the socket that is bound there.  Then packets that never come as
far as the module's hook, and so are not counted at all.
About 15 seconds, a minute in the debug kernel.
"""
import ipaddress
import socket
import struct

import fixture
import netns
import ntpknl
import ntpq
import pkt
import starve
import tap

C4, S4, C6, S6 = "192.0.2.2", "192.0.2.1", "2001:db8::2", "2001:db8::1"
SPORT = 40001
BROADCAST = b"\xff" * 6
OUTPUT_DROP = """
table inet t {
	chain o {
		type filter hook output priority 0
		udp sport 123 drop
	}
}
"""
T3_WHY = "needs time to go backwards between two readings: userspace/tests/unit has it"
shown = set()


def datagram(data=None, src=C4, dst=S4, sport=SPORT, dport=123, ipargs=None, **udpargs):
	"""An IP packet with a UDP datagram; ipargs and udpargs say what is wrong in it."""
	data = ntpq.request() if data is None else data
	return pkt.ip(src, dst, pkt.UDP, pkt.udp(src, dst, sport, dport, data, **udpargs),
		      **(ipargs or {}))


def v6(data=None, **kwargs):
	kwargs.setdefault("src", C6)
	kwargs.setdefault("dst", S6)
	return datagram(data, **kwargs)


def kinds(got):
	"""What came back, in a word each."""
	return ["reply" if p.proto == pkt.UDP and p.sport == 123 else
		"unreachable" if p.is_port_unreachable() else repr(p) for p in got]


def check(s, what, packet, reason, back, dst_mac=None, count=1):
	"""Send one packet (or several that make one): back is what must come of it."""
	packets = packet if isinstance(packet, list) else [packet]
	frames = [s.wire.frame(p, dst_mac) for p in packets]
	got, moved = s.counted(s.wire.exchange, frames, v6=packets[0][0] >> 4 == 6)
	want = {reason: count} if reason else {}
	name = f"{reason or 'not seen'}: {what}"
	tap.ok(moved == want and kinds(got) == back, name,
	       f"counters {moved}, not {want}\nback {kinds(got)}, not {back}")
	shown.add(reason)
	return got


REPLY, NOTHING, ICMP = ["reply"], [], ["unreachable"]


def test_answered(s):
	check(s, "a request, IPv4", datagram(), "replied", REPLY)
	check(s, "a request, IPv6", v6(), "replied", REPLY)
	check(s, "IPv4 without UDP checksum", datagram(check=0), "replied", REPLY)
	check(s, "UDP length shorter than the packet", pkt.ip(C4, S4, pkt.UDP, pkt.udp(
		C4, S4, SPORT, 123, ntpq.request()) + b"behind"), "replied", REPLY)


def dst_options(udp):
	"""A Destination Options header of padding before a UDP datagram."""
	return struct.pack("!BBBB4x", pkt.UDP, 0, 1, 4) + udp


def fragments6(udp, cut):
	head = lambda off, more: struct.pack("!BxHI", pkt.UDP, off | more, 7)
	return [pkt.ip6(C6, S6, 44, head(0, 1) + udp[:cut]),
		pkt.ip6(C6, S6, 44, head(cut, 0) + udp[cut:])]


def test_passed(s):
	check(s, "port 124, IPv4", datagram(dport=124), "other_port", ICMP)
	check(s, "port 124, IPv6", v6(dport=124), "other_port", ICMP)
	nops = b"\1\1\1\0"
	check(s, "NOP options", datagram(ipargs={"options": nops}), "ip_options", ICMP)
	udp = pkt.udp(C6, S6, SPORT, 123, ntpq.request())
	check(s, "destination options", pkt.ip6(C6, S6, 60, dst_options(udp)), "ext_headers", ICMP)
	check(s, "two IPv6 fragments (the first has the ports)",
	      fragments6(pkt.udp(C6, S6, SPORT, 123, ntpq.request(trailing=bytes(8))), 32),
	      "ext_headers", ICMP)
	for version in (0, 5, 6, 7):
		check(s, f"version {version}", datagram(ntpq.request(version)), "version", ICMP)
	check(s, "version 0, IPv6", v6(ntpq.request(0)), "version", ICMP)
	for mode in (0, 2, 4, 5, 6, 7):
		check(s, f"mode {mode}", datagram(ntpq.request(4, mode)), "mode", ICMP)
	check(s, "version 1 mode 0 from port 123", datagram(ntpq.request(1, 0), sport=123),
	      "mode", ICMP)
	check(s, "a control message of 12 bytes", datagram(b"\x16\x02" + bytes(10)), "mode", ICMP)


def test_auth(s):
	bad = ntpq.request(trailing=b"\0\0\0\1" + bytes(16))
	check(s, "a MAC of an unknown key", datagram(bad), "auth_failed", NOTHING)
	check(s, "the same, IPv6", v6(bad), "auth_failed", NOTHING)
	state = s.g.default_state()
	listener = state["LISTENERS"][0]
	listener["FLAGS"] = ntpknl.UAPI["NTPK_LISTENER_F_CRYPTO_NAK"]
	s.g.push(state)
	check(s, "the same where it is told so", datagram(bad), "replied_nak", REPLY)
	listener["FLAGS"] = ntpknl.UAPI["NTPK_LISTENER_F_REQUIRE_KEY"]
	s.g.push(state)
	check(s, "no MAC where one is required", datagram(), "auth_required", NOTHING)
	listener["FLAGS"] = ntpknl.UAPI["NTPK_LISTENER_F_NO_MODE1"]
	s.g.push(state)
	check(s, "mode 1 where it is not wanted", datagram(ntpq.request(3, 1)), "mode", ICMP)
	s.g.push_default()
	check(s, "mode 1", datagram(ntpq.request(3, 1)), "replied", REPLY)


def test_access(s):
	s.g.acl([(v, int(ipaddress.ip_address(a)), n, 0) for v, a, n in ((4, C4, 32), (6, C6, 128))],
		otherwise=1)
	check(s, "a denied source, IPv4", datagram(), "acl_denied", NOTHING)
	check(s, "a denied source, IPv6", v6(), "acl_denied", NOTHING)
	check(s, "another one", datagram(src="192.0.2.3"), "replied", [])
	check(s, "nor does it get a crypto-NAK",
	      datagram(ntpq.request(trailing=b"\0\0\0\1" + bytes(16))), "acl_denied", NOTHING)
	check(s, "what is not a request is passed as ever", datagram(ntpq.request(4, 6)), "mode", ICMP)
	s.g.acl([], otherwise=1)
	check(s, "an empty list that allows the rest", datagram(), "replied", REPLY)


def test_amounts(s):
	state = s.g.default_state()
	listener = state["LISTENERS"][0]
	listener["LIMIT"] = {"INTERVAL_LOG2S": 12, "BURST": 2, "LEAK_LOG2": 0}
	s.g.push(state)
	for kind, packet in (("IPv4", datagram()), ("IPv6", v6())):
		check(s, f"within a limit, {kind}", [packet] * 2, "replied", REPLY * 2, count=2)
		check(s, f"above it, {kind}", packet, "limited", NOTHING)
	check(s, "what is not a request is passed as ever", datagram(ntpq.request(4, 6)), "mode", ICMP)
	listener["LIMIT"]["KOD_LOG2"] = 1
	s.g.push(state)
	for _ in range(60):
		got, moved = s.counted(s.wire.exchange, [s.wire.frame(datagram())])
		if moved != {"limited": 1}:
			break
	tap.ok(moved == {"replied_rate": 1} and kinds(got) == REPLY, "replied_rate: one in two", moved)
	shown.add("replied_rate")
	del listener["LIMIT"]
	state["BUDGET_PER_S"] = 1
	s.g.push(state)
	_, moved = s.counted(s.wire.exchange, [s.wire.frame(datagram())] * 200)
	tap.ok(moved.get("over_budget"), "over_budget: 200 at once", moved)
	shown.add("over_budget")
	s.g.push_default()


def test_interleaved(s):
	ask = lambda org: s.wire.exchange([s.wire.frame(datagram(ntpq.request(org=org, rec=5)))])
	t2 = 1
	for _ in range(2):
		got, moved = s.counted(ask, t2)
		t2 = ntpq.Reply(got[0].data).rec
	tap.ok(moved == {"replied_interleaved": 1} and kinds(got) == REPLY,
	       "a request that names the T2 of a reply", moved)
	shown.add("replied_interleaved")


def test_not_unicast(s):
	check(s, "subnet broadcast", datagram(dst="192.0.2.255"), "not_unicast", NOTHING, BROADCAST)
	check(s, "all hosts", datagram(dst="224.0.0.1"), "not_unicast", NOTHING,
	      b"\x01\0\x5e\0\0\1")
	check(s, "unicast in a broadcast frame", datagram(), "not_unicast", NOTHING, BROADCAST)
	check(s, "all nodes, IPv6", v6(dst="ff02::1"), "not_unicast", NOTHING, b"\x33\x33\0\0\0\1")
	s.server.sysctl("ipv6/conf/all/forwarding", 1)
	check(s, "subnet-router anycast", v6(dst="2001:db8::"), "not_unicast", ICMP)
	s.server.sysctl("ipv6/conf/all/forwarding", 0)


def test_delivered(s):
	"""With a socket on the port, what is passed goes there and no ICMP comes."""
	sock = s.server.socket(socket.AF_INET, socket.SOCK_DGRAM)
	sock.bind(("0.0.0.0", 123))
	sock.setblocking(False)
	for what, packet, reason, mac in (
			("broadcast", datagram(dst="192.0.2.255"), "not_unicast", BROADCAST),
			("options", datagram(ipargs={"options": b"\1\1\1\0"}), "ip_options", None),
			("version 5", datagram(ntpq.request(5)), "version", None),
			("symmetric passive", datagram(ntpq.request(4, 2)), "mode", None),
			("a control message", datagram(b"\x16\x02" + bytes(10)), "mode", None)):
		check(s, f"{what}, with a socket bound", packet, reason, NOTHING, mac)
		data = packet[(packet[0] & 15) * 4 + 8:]
		try:
			got = sock.recv(2048)
		except BlockingIOError:
			got = None
		tap.same(got, data, f"{reason}: {what} reaches the socket")
	for what, packet, reason, back in (
			("a request", datagram(), "replied", REPLY),
			("too short", datagram(ntpq.request()[:47]), "bad_length", NOTHING)):
		check(s, f"{what}, with a socket bound", packet, reason, back)
		try:
			got = sock.recv(2048)
		except BlockingIOError:
			got = None
		tap.same(got, None, f"{reason}: {what} does not reach the socket")
	test_gso(s, sock)
	sock.close()


def test_gso(s, sock):
	"""Two requests in one aggregated packet: the stack splits and delivers them."""
	one = ntpq.request()
	c = s.client.socket(socket.AF_INET, socket.SOCK_DGRAM)
	c.setsockopt(socket.IPPROTO_UDP, 103, 48)	# UDP_SEGMENT
	c.connect((S4, 123))
	def send():
		c.send(one + one)
		return s.wire.exchange([])
	got, moved = s.counted(send)
	tap.ok(moved == {"gso": 1} and not got, "gso: two requests aggregated", (moved, got))
	tap.same((sock.recv(2048), sock.recv(2048)), (one, one), "gso: both reach the socket")
	shown.add("gso")
	c.close()


def test_lengths(s):
	for n in (1, 12, 47):
		check(s, f"{n} bytes of NTP", datagram(ntpq.request()[:n]), "bad_length", NOTHING)
	check(s, "nothing behind the UDP header", datagram(b""), "bad_length", NOTHING)
	check(s, "47 bytes of NTP, IPv6", v6(ntpq.request()[:47]), "bad_length", NOTHING)
	for length in (0, 7, 57, 65535):
		check(s, f"UDP length {length}", datagram(length=length), "bad_length", NOTHING)
	check(s, "half a UDP header", pkt.ip(C4, S4, pkt.UDP, struct.pack("!HH", SPORT, 123)),
	      "bad_length", NOTHING)


def test_checksums(s):
	check(s, "IPv4", datagram(check=0x1234), "bad_checksum", NOTHING)
	check(s, "IPv6", v6(check=0x1234), "bad_checksum", NOTHING)
	check(s, "IPv6 without one", v6(check=0), "bad_checksum", NOTHING)


def test_sources(s):
	check(s, "port 0, IPv4", datagram(sport=0), "bad_source", NOTHING)
	check(s, "port 0, IPv6", v6(sport=0), "bad_source", NOTHING)
	check(s, "our own address, IPv6", v6(src=S6), "bad_source", NOTHING)
	check(s, "the unspecified address, IPv6", v6(src="::"), "bad_source", NOTHING)
	s.server.sysctl(f"ipv4/conf/{s.link.sdev}/accept_local", 1)
	check(s, "our own address, IPv4", datagram(src=S4), "bad_source", NOTHING)
	s.server.sysctl(f"ipv4/conf/{s.link.sdev}/accept_local", 0)


def test_xfrm(s):
	"""An IPsec policy wants the client's packets protected, and they are not."""
	netns.sh("modprobe", "-q", "-a", "xfrm_user", "esp4", check=False)
	for src, dst, packet in ((C4, S4, datagram()), (C6, S6, v6())):
		policy = ["ip", "xfrm", "policy"]
		selector = ["src", src, "dst", dst, "proto", "udp", "dport", "123", "dir", "in"]
		if s.server.sh(*policy, "add", *selector, "tmpl", "proto", "esp", "mode", "transport",
			       check=False).returncode:
			tap.skip("xfrm: refused by IPsec policy", "no IPsec in this kernel")
			return
		check(s, f"unprotected, {src}", packet, "xfrm", NOTHING)
		s.server.sh(*policy, "del", *selector)


def test_policies(s):
	g = s.g
	g.detach()
	g.attach()
	g.push_unsync(never_synced=ntpknl.SILENT)
	check(s, "never synchronised, policy silent", datagram(), "silent_unsync", NOTHING)
	g.push_unsync(never_synced=ntpknl.UNSYNC)
	check(s, "never synchronised, policy unsynchronised", datagram(), "replied_unsync", REPLY)
	g.push_default(expired=ntpknl.SILENT)
	g.push_unsync(expired=ntpknl.SILENT)
	check(s, "unsynchronised again, policy silent", datagram(), "silent_expired", NOTHING)
	g.push_unsync(expired=ntpknl.UNSYNC)
	check(s, "unsynchronised again, policy unsynchronised", v6(), "replied_unsync", REPLY)
	g.push_default(BASE_UNIX_NS=10**18)		# September 2001
	check(s, "time before the build date", datagram(), "insane_time", NOTHING)
	g.push_default()


def test_output(s):
	check(s, "no route to the client, IPv4", datagram(src="198.51.100.7"), "no_route", NOTHING)
	check(s, "no route to the client, IPv6", v6(src="2001:db8:9::7"), "no_route", NOTHING)
	s.server.sh("ip route add unreachable 198.51.100.0/24")
	check(s, "an unreachable route", datagram(src="198.51.100.7"), "no_route", NOTHING)
	s.server.nft(OUTPUT_DROP)
	check(s, "output chain drops, IPv4", datagram(), "send_failed", NOTHING)
	check(s, "output chain drops, IPv6", v6(), "send_failed", NOTHING)
	s.server.nft("delete table inet t")


def send_starved(s, packet, nth):
	"""Send a packet while one in nth allocations fails that may not wait, but one only."""
	starve.set_failslab(interval=nth, times=1, probability=100)
	try:
		return s.wire.exchange([s.wire.frame(packet)], v6=packet[0] >> 4 == 6)
	finally:
		starve.set_failslab(probability=0)


def test_no_memory(s):
	"""
	A packet socket looks on, so that the reply is not made in the request's buffer. Its
	copy and the capture's own are allocated in the same way: so one allocation fails
	after another, until it is that of the reply.
	"""
	if not starve.can():
		tap.skip("no_memory: the reply's allocation fails", "no fault injection in this kernel")
		return
	tap.later(starve.set_failslab, probability=0)
	starve.set_failslab(ignore_gfp_wait="Y", verbose=0, probability=0)
	with fixture.looked_on(s):
		for packet, what in ((datagram(), "IPv4"), (v6(), "IPv6")):
			tried = []
			for attempt in range(40):
				try:
					got, moved = s.counted(send_starved, s, packet, attempt % 10 + 1)
				except (OSError, RuntimeError) as e:
					got, moved = [], str(e)	# it hit the echo
				tried.append((moved, got))
				if moved == {"no_memory": 1}:
					break
			tap.ok(moved == {"no_memory": 1} and not got,
			       f"no_memory: the reply's allocation fails, {what}", tried)
	shown.add("no_memory")
	check(s, "a request after that", datagram(), "replied", REPLY)


def test_never_seen(s):
	"""What ends before the hook, and must not be counted."""
	check(s, "IP length beyond the packet", datagram(ipargs={"tot_len": 1000}), None, NOTHING)
	check(s, "IP length shorter than the header", datagram(ipargs={"tot_len": 19}), None, NOTHING)
	check(s, "IPv6 length beyond the packet", v6(ipargs={"payload_len": 1000}), None, NOTHING)
	bad = bytearray(datagram())
	bad[10] ^= 1
	check(s, "IP header checksum", bytes(bad), None, NOTHING)
	check(s, "another host's address, no forwarding", datagram(dst="203.0.113.9"), None, NOTHING)
	check(s, "a martian source", datagram(src="127.0.0.1"), None, NOTHING)
	check(s, "loopback source, IPv6", v6(src="::1"), None, NOTHING)
	udp = pkt.udp(C4, S4, SPORT, 123, ntpq.request(trailing=bytes(1352)))
	check(s, "two IPv4 fragments come as one packet", [
		pkt.ip4(C4, S4, pkt.UDP, udp[:800], frag=0x2000, ident=9),
		pkt.ip4(C4, S4, pkt.UDP, udp[800:], frag=100, ident=9)], "replied", REPLY)
	check(s, "half of a fragmented request",
	      pkt.ip4(C4, S4, pkt.UDP, udp[:800], frag=0x2000, ident=10), None, NOTHING)


def test_forwarded(s):
	"""A third namespace behind the server: requests for it pass through uncounted."""
	far = netns.Ns("far")
	netns.sh("ip", "link", "add", "toFar", "netns", s.server.name, "type", "veth",
		 "peer", "name", "far0", "netns", far.name)
	for ns, dev, host in ((s.server, "toFar", 1), (far, "far0", 2)):
		ns.sh("ip", "addr", "add", f"203.0.113.{host}/24", "dev", dev)
		ns.sh("ip", "link", "set", dev, "up")
	far.sh("ip route add default via 203.0.113.1")
	s.server.sysctl("ipv4/conf/all/forwarding", 1)
	sock = far.socket(socket.AF_INET, socket.SOCK_DGRAM)
	sock.bind(("0.0.0.0", 123))
	sock.settimeout(5 * tap.slow())
	packet = datagram(dst="203.0.113.2")
	check(s, "forwarded", packet, None, NOTHING)
	try:
		got = sock.recv(2048)
	except OSError:
		got = None
	tap.same(got, packet[28:], "not seen: forwarded, and it arrives at the far host")
	s.server.sysctl("ipv4/conf/all/forwarding", 0)


def main():
	s = fixture.served()
	s.g.push_default()
	for test in (test_answered, test_passed, test_auth, test_access, test_amounts, test_interleaved,
		     test_not_unicast, test_delivered, test_lengths, test_checksums, test_sources,
		     test_xfrm, test_policies, test_output, test_no_memory, test_never_seen,
		     test_forwarded):
		test(s)
	tap.skip("t3_before_t2", T3_WHY)
	tap.same(set(s.g.stats()) - shown - {"t3_before_t2", "no_memory", "xfrm"}, set(),
		 "no reason was left out")


tap.run(main)
