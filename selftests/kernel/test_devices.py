#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-only
"""
Shows that requests are answered behind a VLAN, a bridge, a bond that changes its
device and in a VRF, over IPv4 and IPv6, by the way that rules choose by address, mark
or port, and through IPsec; and that a link-local request is answered through the
interface that it came by, where two interfaces lead to clients of the same address.
An interface that goes down and comes up, and addresses that are removed and added again.
What comes by a tunnel with a wrong sum is dropped; which listener a VRF's request is for;
and that a reply leaves when it is made.  About 20 seconds.
"""
import re
import secrets
import socket
import struct
import time

import fixture
import netns
import ntpknl
import ntpq
import pkt
import tap

SO_TXTIME = 61


def asked(client, dst, state, what, **bound):
	"""A client's ordinary socket gets a right answer."""
	# addresses, routes and neighbours may take a moment to be known
	req, reply, raw0, raw1 = tap.wait_for(
		lambda: ntpq.ask_once(client, dst, **bound), 10) or (None, None, 0, 0)
	if reply is None:
		tap.ok(False, f"{what}: answered")
		return
	wrong = ntpq.sync_faults(state, req, reply, raw0, raw1)
	tap.ok(not wrong, f"{what}: answered rightly", wrong)


def pair(server, client):
	"""A bare veth; names of both ends."""
	a, b = "a" + secrets.token_hex(3), "b" + secrets.token_hex(3)
	netns.sh("ip", "link", "add", a, "netns", server.name, "type", "veth",
		 "peer", "name", b, "netns", client.name)
	for ns, dev in ((server, a), (client, b)):
		ns.sysctl(f"ipv6/conf/{dev}/accept_dad", 0)
		ns.sysctl(f"ipv4/conf/{dev}/rp_filter", 0)
		ns.sh("ip", "link", "set", dev, "up")
	return a, b


def address(ns, dev, net, host):
	ns.sysctl(f"ipv6/conf/{dev}/accept_dad", 0)
	ns.sh("ip", "link", "set", dev, "up")
	ns.sh("ip", "addr", "add", f"10.{net}.0.{host}/24", "dev", dev)
	ns.sh("ip", "addr", "add", f"2001:db8:{net}::{host}/64", "dev", dev, "nodad")


def ask_both(client, dev, server, sdev, net, state, what):
	asked(client, f"10.{net}.0.1", state, f"{what}, IPv4")
	asked(client, f"2001:db8:{net}::1", state, f"{what}, IPv6")
	local = netns.linklocal(netns.mac(server, sdev))
	asked(client, f"{local}%{dev}", state, f"{what}, link-local")


def test_vlan(server, client, state):
	a, b = pair(server, client)
	for ns, dev in ((server, a), (client, b)):
		ns.sh("ip", "link", "add", "link", dev, "name", "tag7", "type", "vlan", "id", "7")
	address(server, "tag7", 7, 1)
	address(client, "tag7", 7, 2)
	ask_both(client, "tag7", server, "tag7", 7, state, "VLAN")


def test_bridge(server, client, state):
	a, b = pair(server, client)
	server.sh("ip link add br0 type bridge")
	server.sh("ip", "link", "set", a, "master", "br0")
	address(server, "br0", 8, 1)
	address(client, b, 8, 2)
	ask_both(client, b, server, "br0", 8, state, "bridge")


def test_vrf(server, client, state):
	if server.sh("ip link add vrf9 type vrf table 9", check=False).returncode:
		tap.skip("VRF", "no VRF in this kernel")
		return
	a, b = pair(server, client)
	server.sh("ip link set vrf9 up")
	server.sh("ip", "link", "set", a, "master", "vrf9")
	address(server, a, 9, 1)
	address(client, b, 9, 2)
	ask_both(client, b, server, a, 9, state, "VRF")
	# an unreachable route outside the VRF: a reply that left it would be lost
	server.sh("ip route add unreachable 10.9.0.0/24")
	asked(client, "10.9.0.1", state, "VRF, with the other table saying unreachable")


def test_vrf_listeners(server, client, g):
	"""One for the VRF, and one for the interface that is in it."""
	if not server.sh("ip link show vrf9", check=False).stdout:
		return
	slave = re.search(r"\d+: (\w+)@", server.sh("ip link show master vrf9").stdout)[1]
	one = {"PORT": 123, "NEVER_SYNCED": 0, "EXPIRED": 1}
	wide = dict(one, IFINDEX=netns.ifindex(server, "vrf9"), MAX_STRATUM=1)
	near = dict(one, IFINDEX=netns.ifindex(server, slave))
	for what, listeners in (("first", [near, wide]), ("last", [wide, near])):
		g.push(g.default_state(STRATUM=2, LISTENERS=listeners))
		_, reply, _, _ = ntpq.ask_once(client, "10.9.0.1") or [None] * 4
		tap.ok(reply and reply.leap == 0, f"VRF: the interface's own listener, given {what}, before the VRF's", reply)
	g.push(g.default_state(STRATUM=2, LISTENERS=[one, wide]))
	_, reply, _, _ = ntpq.ask_once(client, "10.9.0.1") or [None] * 4
	tap.ok(reply and reply.leap == 3, "VRF: its listener before that of all", reply)


def test_tunnel(server, client, g):
	"""The sum of the datagram that is the tunnel's says nothing about the one within."""
	a, b = pair(server, client)
	address(server, a, 14, 1)
	address(client, b, 14, 2)
	for outer, net, sums in (("without a sum", 15, "noudpcsum"), ("with its sum", 16, "udpcsum")):
		for ns, dev, remote in ((server, a, 2), (client, b, 1)):
			if ns.sh("ip", "link", "add", f"vx{net}", "type", "vxlan", "id", str(net), "remote",
				 f"10.14.0.{remote}", "dev", dev, "dstport", "4789", sums, check=False).returncode:
				tap.skip("VXLAN", "none in this kernel")
				return
			address(ns, f"vx{net}", net, 3 - remote)
		state = g.push_default(shift_ns=987654321)
		ask_both(client, f"vx{net}", server, f"vx{net}", net, state, f"VXLAN {outer}")
		for src, dst in ((f"10.{net}.0.2", f"10.{net}.0.1"), (f"2001:db8:{net}::2", f"2001:db8:{net}::1")):
			packet = pkt.ip(src, dst, pkt.UDP, pkt.udp(src, dst, 40000, 123, ntpq.request(), check=0x1234))
			frame = pkt.eth(netns.mac(server, f"vx{net}"), netns.mac(client, f"vx{net}"), packet)
			before = g.stats()
			with client.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as s:
				s.bind((f"vx{net}", 0))
				s.send(frame)
			moved = lambda seen=before: ntpknl.changed(seen, g.stats())
			tap.wait_for(lambda: set(moved()) - {"other_port"}, 5)
			# what carried it is for the tunnel's port, as is what IPv6 says of itself
			tap.same({k: n for k, n in moved().items() if k != "other_port"}, {"bad_checksum": 1}, f"VXLAN {outer}: a bad sum within, {dst}")


def test_leaves_now(server, client, g):
	"""A request that was to leave a container at some time leaves that to no reply."""
	a, b = pair(server, client)
	address(server, a, 17, 1)
	address(client, b, 17, 2)
	if server.sh("tc", "qdisc", "replace", "dev", a, "root", "fq", check=False).returncode:
		tap.skip("a time to leave at", "no fq in this kernel")
		return
	state = g.push_default(shift_ns=987654321)
	asked(client, "10.17.0.1", state, "behind fq")
	for dst in ("10.17.0.1", "2001:db8:17::1"):
		with client.socket(socket.AF_INET6 if ":" in dst else socket.AF_INET, socket.SOCK_DGRAM) as s:
			s.setsockopt(socket.SOL_SOCKET, SO_TXTIME, struct.pack("iI", time.CLOCK_MONOTONIC, 0))
			s.settimeout(4)
			at = struct.pack("Q", time.monotonic_ns() + 9 * 10**9)
			s.sendmsg([ntpq.request()], [(socket.SOL_SOCKET, SO_TXTIME, at)], 0, (dst, 123))
			try:
				got = len(s.recv(100))
			except TimeoutError:
				got = None
			tap.same(got, 48, f"{dst}: a request to be sent in nine seconds is answered now")


def test_bond(server, client, state):
	"""Two cables to the same switch; the one in use is pulled."""
	if server.sh("ip link add bond5 type bond mode active-backup miimon 50", check=False).returncode:
		tap.skip("bond", "no bonding in this kernel")
		return
	client.sh("ip link add br5 type bridge")
	ends = [pair(server, client) for _ in range(2)]
	for a, b in ends:
		server.sh("ip", "link", "set", a, "down")
		server.sh("ip", "link", "set", a, "master", "bond5")
		client.sh("ip", "link", "set", b, "master", "br5")
	address(server, "bond5", 5, 1)
	address(client, "br5", 5, 2)
	for a, _ in ends:
		server.sh("ip", "link", "set", a, "up")
	ask_both(client, "br5", server, "bond5", 5, state, "bond")
	active = re.search(r"active_slave (\w+)", server.sh("ip -d link show bond5").stdout)[1]
	# the switch has no power there: a bond waits for that
	client.sh("ip", "link", "set", dict(ends)[active], "down")
	asked(client, "10.5.0.1", state, "bond, the other device")


MARK = """
table ip m {
	chain p {
		type filter hook prerouting priority 0
		udp dport 123 meta mark set 7
	}
}
"""
RULES = (("the address asked", ["from", "10.11.0.1"], False),
	 ("a mark that is reflected", ["fwmark", "7"], True),
	 ("the port", ["ipproto", "udp", "sport", "123"], False))


def test_rules(server, client, state):
	"""The client's network can be reached by a table of its own only, which a rule chooses."""
	a, b = pair(server, client)
	address(server, a, 11, 1)
	address(client, b, 11, 2)
	client.sh("ip addr add 198.51.100.5/32 dev lo")
	server.sh("ip route add unreachable 198.51.100.0/24")
	server.sh("ip", "route", "add", "198.51.100.0/24", "via", "10.11.0.2", "dev", a, "table", "11")
	bound = {"bind": ("198.51.100.5", 0)}
	tap.same(ntpq.ask_once(client, "10.11.0.1", timeout=0.3, **bound), None, "no rule yet: no way back")
	for what, rule, marked in RULES:
		if marked:
			server.sysctl("ipv4/fwmark_reflect", 1)
			server.nft(MARK)
		server.sh("ip", "rule", "add", *rule, "lookup", "11")
		asked(client, "10.11.0.1", state, f"a rule by {what}", **bound)
		server.sh("ip", "rule", "del", *rule, "lookup", "11")
	server.nft("delete table ip m")
	tap.same(ntpq.ask_once(client, "10.11.0.1", timeout=0.3, **bound), None, "without rules again: no way back")


def protect(ns, src, dst, spi):
	"""One direction of IPsec in transport mode; whether this kernel can."""
	keys = ["enc", "cbc(aes)", "0x" + "11" * 16, "auth", "hmac(sha1)", "0x" + "22" * 20]
	return not ns.sh("ip", "xfrm", "state", "add", "src", src, "dst", dst, "proto", "esp", "spi", str(spi),
			 "reqid", "1", "mode", "transport", *keys, check=False).returncode


def test_ipsec(server, client, state):
	"""Both directions protected; what is not is not answered."""
	netns.sh("modprobe", "-q", "-a", "xfrm_user", "esp4", check=False)
	a, b = pair(server, client)
	address(server, a, 12, 1)
	address(client, b, 12, 2)
	ways = (("10.12.0.2", "10.12.0.1", 256), ("10.12.0.1", "10.12.0.2", 257))
	if not all(protect(ns, *way) for ns in (server, client) for way in ways):
		tap.skip("IPsec", "no ESP with these algorithms in this kernel")
		return
	for ns, out in ((client, ways[0]), (server, ways[1])):
		for src, dst, direction in ((*out[:2], "out"), (*out[1::-1], "in")):
			ns.sh("ip", "xfrm", "policy", "add", "src", src, "dst", dst, "proto", "udp", "dir", direction,
			      "tmpl", "src", src, "dst", dst, "proto", "esp", "reqid", "1", "mode", "transport")
	asked(client, "10.12.0.1", state, "IPsec")
	states = server.sh("ip", "-s", "xfrm", "state").stdout
	tap.ok(states.count("0(bytes), 0(packets)") == 0, "IPsec: protected both ways", states)
	client.sh("ip", "xfrm", "policy", "flush")
	tap.same(ntpq.ask_once(client, "10.12.0.1", timeout=0.3), None, "IPsec: a request without it is not answered")
	for ns in (server, client):
		ns.sh("ip", "xfrm", "policy", "flush")
		ns.sh("ip", "xfrm", "state", "flush")


def test_linklocal(server, state):
	"""Two links with the same pair of link-local addresses on both."""
	clients = [netns.Ns("left"), netns.Ns("right")]
	for client in clients:
		a, b = pair(server, client)
		server.sh("ip", "addr", "add", "fe80::1/64", "dev", a, "nodad")
		client.sh("ip", "addr", "add", "fe80::2/64", "dev", b, "nodad")
		client.dev = b
	for client in clients + clients:
		bound = ("fe80::2", 0, 0, netns.ifindex(client, client.dev))
		dst = f"fe80::1%{client.dev}"
		tap.ok(tap.wait_for(lambda: ntpq.ask_once(client, dst, bind=bound), 10),
		       "link-local: answered through the interface of the request")


def unanswered(client, what, *addrs):
	got = [addr for addr in addrs if ntpq.ask_once(client, addr, timeout=0.3)]
	tap.same(got, [], f"{what}: not answered")


def test_comes_and_goes(server, client, state):
	"""The interface of requests that were answered just before, and its address."""
	a, b = pair(server, client)
	address(server, a, 13, 1)
	address(client, b, 13, 2)
	v4, v6 = "10.13.0.1", "2001:db8:13::1"
	ask_both(client, b, server, a, 13, state, "before")
	server.sh("ip", "link", "set", a, "down")
	unanswered(client, "interface down", v4, v6)
	# IPv6 addresses have gone with it
	address_v6 = ("ip", "addr", "add", f"{v6}/64", "dev", a, "nodad")
	server.sh("ip", "link", "set", a, "up")
	server.sh(*address_v6)
	ask_both(client, b, server, a, 13, state, "interface up again")
	server.sysctl(f"ipv4/conf/{a}/promote_secondaries", 1)
	server.sh("ip", "addr", "add", "10.13.0.9/24", "dev", a)
	server.sh("ip", "addr", "del", f"{v4}/24", "dev", a)
	server.sh("ip", "addr", "del", f"{v6}/64", "dev", a)
	unanswered(client, "addresses removed", v4, v6)
	asked(client, "10.13.0.9", state, "addresses removed: another one of the interface")
	server.sh("ip", "addr", "add", f"{v4}/24", "dev", a)
	server.sh(*address_v6)
	ask_both(client, b, server, a, 13, state, "addresses there again")


def main():
	netns.load()
	netns.sh("modprobe", "-q", "-a", "8021q", "bridge", "vrf", "bonding", "vxlan",
		 "sch_fq", check=False)
	server, client = netns.Ns("server"), netns.Ns("client")
	g = fixture.ntpknl.Genl(server)
	g.attach()
	state = g.push_default(shift_ns=987654321)
	test_vlan(server, client, state)
	test_bridge(server, client, state)
	test_vrf(server, client, state)
	test_vrf_listeners(server, client, g)
	test_tunnel(server, client, g)
	test_leaves_now(server, client, g)
	state = g.push_default(shift_ns=987654321)
	test_bond(server, client, state)
	test_rules(server, client, state)
	test_ipsec(server, client, state)
	test_linklocal(server, state)
	test_comes_and_goes(server, client, state)


tap.run(main)
