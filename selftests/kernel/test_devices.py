#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-only
"""
Shows that requests are answered behind a VLAN, a bridge and in a VRF, over IPv4
and IPv6, and that a link-local request is answered through the interface that
it came by, where two interfaces lead to clients of the same address.
About 10 seconds.
"""
import secrets

import fixture
import netns
import ntpq
import tap


def asked(client, dst, state, what):
	"""A client's ordinary socket gets a right answer."""
	# addresses, routes and neighbours may take a moment to be known
	req, reply, raw0, raw1 = tap.wait_for(
		lambda: ntpq.ask_once(client, dst), 10) or (None, None, 0, 0)
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


def main():
	netns.load()
	netns.sh("modprobe", "-q", "-a", "8021q", "bridge", "vrf", check=False)
	server, client = netns.Ns("server"), netns.Ns("client")
	g = fixture.ntpknl.Genl(server)
	g.attach()
	state = g.push_default(shift_ns=987654321)
	test_vlan(server, client, state)
	test_bridge(server, client, state)
	test_vrf(server, client, state)
	test_linklocal(server, state)


tap.run(main)
