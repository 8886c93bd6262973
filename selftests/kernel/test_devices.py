#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-only
"""
Shows that requests are answered behind a VLAN, a bridge, a bond that changes its
device and in a VRF, over IPv4 and IPv6, by the way that rules choose by address, mark
or port, and through IPsec; and that a link-local request is answered through the
interface that it came by, where two interfaces lead to clients of the same address.
An interface that goes down and comes up, and addresses that are removed and added again.
About 20 seconds.
"""
import re
import secrets

import fixture
import netns
import ntpq
import tap


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
	netns.sh("modprobe", "-q", "-a", "8021q", "bridge", "vrf", "bonding", check=False)
	server, client = netns.Ns("server"), netns.Ns("client")
	g = fixture.ntpknl.Genl(server)
	g.attach()
	state = g.push_default(shift_ns=987654321)
	test_vlan(server, client, state)
	test_bridge(server, client, state)
	test_vrf(server, client, state)
	test_bond(server, client, state)
	test_rules(server, client, state)
	test_ipsec(server, client, state)
	test_linklocal(server, state)
	test_comes_and_goes(server, client, state)


tap.run(main)
