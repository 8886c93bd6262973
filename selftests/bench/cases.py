# SPDX-License-Identifier: GPL-2.0-only
"""
What the bench compares: each case is a kind of request, somebody who answers
it, and the circumstances.
"""
import contextlib
import os
import socket

import daemon
import mac
import netns
import ntpknl
import ntpq
import peerprogs
import pkt
import tap

Missing = peerprogs.Missing
KEY = bytes(range(16))
# the usual limit, of a prefix that so many share: one machine may ask for
# 4,138 answers a second, and 500,000 at first
KEPT = {"INTERVAL_LOG2S": 3, "BURST": 16, "LEAK_LOG2": 2, "NAT": 32768}
SO_TIMESTAMP = 29	# not in every socket module
CLIENT = {4: "192.0.2.2", 6: "2001:db8::2"}
SERVER = {4: "192.0.2.1", 6: "2001:db8::1"}
REFLECT_KO = netns.kmod_path("reflect")


class Case:
	"""
	name: of subject and circumstances; kind: cases of the same kind and number of
	frames share the generator's own cost; answers: replies per request, 0 where
	none is to come; sources: where there are more clients than frames, so many.
	"""

	def __init__(self, name, kind, make, serving, answers=1, clients=1, sources=0):
		self.name, self.kind, self.make = name, kind, make
		self.serving, self.answers, self.clients, self.sources = serving, answers, clients, sources

	def frames(self, link):
		return [pkt.eth(link.smac, link.cmac, self.make(n)) for n in range(max(self.clients, 16))]


def ntp(version):
	"""Requests as an SNTP client's, each from another port."""
	def make(n):
		udp = pkt.udp(CLIENT[version], SERVER[version], 20000 + n, 123,
			      ntpq.request(xmt=0xe0000000_00000000 + n))
		return pkt.ip(CLIENT[version], SERVER[version], pkt.UDP, udp)
	return make


def spread(n):
	"""Each from another client."""
	src = f"10.0.{n >> 8}.{n & 255}"
	udp = pkt.udp(src, SERVER[4], 20000, 123, ntpq.request(xmt=0xe0000000_00000000 + n))
	return pkt.ip(src, SERVER[4], pkt.UDP, udp)


def interleaved(n):
	"""In interleaved mode, of a client whose last reply is not known: told nothing, and watched."""
	udp = pkt.udp(CLIENT[4], SERVER[4], 20000 + n, 123,
		      ntpq.request(org=2 * n + 1, rec=9, xmt=0xe0000000_00000000 + n))
	return pkt.ip(CLIENT[4], SERVER[4], pkt.UDP, udp)


def signed(kind):
	def make(n):
		req = ntpq.request(xmt=0xe0000000_00000000 + n)
		req += (1).to_bytes(4, "big") + mac.code(kind, KEY, req)[:mac.V4_MAX]
		udp = pkt.udp(CLIENT[4], SERVER[4], 20000 + n, 123, req)
		return pkt.ip(CLIENT[4], SERVER[4], pkt.UDP, udp)
	return make


def ping(version):
	return lambda n: pkt.echo(CLIENT[version], SERVER[version], 1, n)


def other_udp(n):
	"""For a socket that never reads."""
	return pkt.ip(CLIENT[4], SERVER[4], pkt.UDP,
		      pkt.udp(CLIENT[4], SERVER[4], 20000 + n, 9999, bytes(48)))


def other_tcp(n):
	"""A reset of a connection that there is not: nothing comes of it."""
	head = (20000 + n).to_bytes(2, "big") + (9999).to_bytes(2, "big") + bytes(8) + b"\x50\x04" + bytes(6)
	check = pkt.csum(pkt.pseudo(pkt.addr(CLIENT[4]), pkt.addr(SERVER[4]), 6, 20) + head)
	return pkt.ip(CLIENT[4], SERVER[4], 6, head[:16] + check.to_bytes(2, "big") + head[18:])


class Ntpsec(peerprogs.Ntpsec):
	"""Its own default limits each client to a burst of 20."""

	def serve_from(self, _addr):
		return self.begin("tos orphan 5 orphanwait 1", "unrestrict default limited")


class OpenNtpd(peerprogs.OpenNtpd):
	"""Answers before it has synchronised, too, with leap 3."""

	def serve_from(self, addr):
		return self.follow("127.0.0.1")


@contextlib.contextmanager
def nobody(_link):
	yield


@contextlib.contextmanager
def sink(link):
	"""A socket for what is not NTP, its buffer full from the beginning."""
	with link.server.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
		s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
		s.bind((SERVER[4], 9999))
		yield


@contextlib.contextmanager
def stamped(link):
	"""Receive stamps as a socket asks for them: every packet pays one clock reading."""
	with link.server.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
		s.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMP, 1)
		yield


@contextlib.contextmanager
def loaded(_link, *params):
	"""The module in the kernel, attached nowhere."""
	netns.load(*params)
	try:
		yield
	finally:
		netns.unload()


def attached_with(*params, **listener):
	"""The module, loaded so, serving the machine's clock, with these members of its listener."""
	@contextlib.contextmanager
	def serving(link):
		with loaded(link, *params):
			g = ntpknl.Genl(link.server)
			g.attach()
			state = g.default_state()
			state["LISTENERS"][0].update(listener)
			g.push(state)
			try:
				yield
			finally:
				g.close()
	return serving


attached = attached_with()


def with_list(count):
	"""The module with an access list of so many prefixes, which allow every other source."""
	@contextlib.contextmanager
	def serving(link):
		with attached(link):
			g = ntpknl.Genl(link.server)
			rules = [(4, 172 << 24 | n << 8, 24, n & 1) for n in range(min(count, 65536))]
			rules += [(6, 0xfd << 120 | n << 64, 64, n & 1) for n in range(count - len(rules))]
			g.acl(rules, otherwise=1)
			g.close()
			yield
	return serving


def with_key(kind):
	"""The module with the one key of signed()."""
	@contextlib.contextmanager
	def serving(link):
		with attached(link):
			g = ntpknl.Genl(link.server)
			g.keys([(1, kind, KEY)])
			g.close()
			yield
	return serving


@contextlib.contextmanager
def far(link):
	"""The sources of spread() are behind the client."""
	link.server.sh("ip route add 10.0.0.0/8 via 192.0.2.2")
	try:
		yield
	finally:
		link.server.sh("ip route del 10.0.0.0/8")


@contextlib.contextmanager
def reflector(_link):
	if not os.path.exists(REFLECT_KO):
		raise Missing("no " + REFLECT_KO)
	netns.sh("insmod", REFLECT_KO)
	try:
		yield
	finally:
		netns.sh("rmmod", "reflect")


@contextlib.contextmanager
def responder(link):
	"""ntpkd without the module, of the machine's own clock."""
	daemon.need_ntpkd()
	d = daemon.Ntpkd(link.server, "local stratum 3", "allow all", args=("-x",))
	try:
		if not tap.wait_for(lambda: answers(link), 30, 0.2):
			raise Missing("does not answer: " + d.text()[-400:])
		yield
	finally:
		d.stop()


def answers(link):
	"""Does anybody answer on port 123?"""
	link.client.sh("nft", "delete", "table", "netdev", "sink", check=False)
	asker = ntpq.Asker(link.client, SERVER[4])
	try:
		return asker.ask(ntpq.request(), timeout=0.2)[1]
	except OSError:		# nobody listens there yet
		return None
	finally:
		asker.close()


def program(kind):
	@contextlib.contextmanager
	def serving(link):
		p = kind(link.server)
		p.serve_from(SERVER[4])
		try:
			if not tap.wait_for(lambda: answers(link), 30, 0.2):
				raise Missing("does not answer: " + p.everything()[-400:])
			yield
		finally:
			p.stop()
	return serving


def under(*contexts):
	"""Several circumstances at once."""
	@contextlib.contextmanager
	def serving(link):
		with contextlib.ExitStack() as stack:
			for context in contexts:
				stack.enter_context(context(link))
			yield
	return serving


def nft_rules(text):
	@contextlib.contextmanager
	def serving(link):
		link.server.nft(text)
		try:
			yield
		finally:
			link.server.sh("nft", "flush", "ruleset")
	return serving


CONNTRACK = nft_rules("""table inet bench {
	chain in { type filter hook input priority 0; ct state new,established accept; }
}
""")
RULES = nft_rules("""table inet bench {
	set s { type ipv4_addr; flags interval; elements = { %s } }
	chain in { type filter hook input priority 0; ip saddr @s drop; }
}
""" % ", ".join(f"10.{n >> 8}.{n & 255}.0/24" for n in range(1000)))


def all_cases():
	ntp4, ntp6 = ntp(4), ntp(6)
	return [
		Case("reflector", "ntp4", ntp4, reflector),
		Case("ntpk", "ntp4", ntp4, attached),
		Case("ntpk with a limit", "ntp4", ntp4, attached_with(LIMIT=KEPT)),
		Case("icmp echo", "icmp4", ping(4), nobody),
		Case("chronyd", "ntp4", ntp4, program(peerprogs.Chronyd)),
		Case("ntpsec", "ntp4", ntp4, program(Ntpsec)),
		Case("openntpd", "ntp4", ntp4, program(OpenNtpd)),
		Case("ntpd-rs", "ntp4", ntp4, program(peerprogs.NtpdRs)),
		Case("ntpkd alone", "ntp4", ntp4, responder),
		Case("reflector, IPv6", "ntp6", ntp6, reflector),
		Case("ntpk, IPv6", "ntp6", ntp6, attached),
		Case("icmp echo, IPv6", "icmp6", ping(6), nobody),
		Case("ntpk, conntrack", "ntp4", ntp4, under(CONNTRACK, attached)),
		Case("chronyd, conntrack", "ntp4", ntp4, under(CONNTRACK, program(peerprogs.Chronyd))),
		Case("ntpk, 1000 rules", "ntp4", ntp4, under(RULES, attached)),
		Case("ntpk, 1024 clients", "far4", spread, under(far, attached), clients=1024),
		Case("ntpk, 1024 clients, limited", "far4", spread, under(far, attached_with(LIMIT={
			"INTERVAL_LOG2S": 12, "BURST": 255})), clients=1024),
		Case("ntpk, 16 clients", "far4", spread, under(far, attached), clients=16),
		Case("ntpk, 16 clients, limited", "far4", spread, under(far, attached_with(LIMIT={
			"INTERVAL_LOG2S": 0, "NAT": 4096, "BURST": 255, "LEAK_LOG2": 0})), clients=16),
		Case("ntpk, 1,000,000 clients", "far4", spread,
		     under(far, attached_with("clients=2097152")), clients=16, sources=1000000),
		Case("ntpk, interleaved", "interleaved4", interleaved, attached),
		Case("ntpk, over its limit", "ntp4", ntp4, attached_with(LIMIT={
			"INTERVAL_LOG2S": 12, "BURST": 1, "LEAK_LOG2": 0}), answers=0),
		Case("ntpk, 10,000 prefixes", "ntp4", ntp4, with_list(10000)),
		Case("ntpk, 100,000 prefixes", "ntp4", ntp4, with_list(100000)),
		Case("ntpk, MD5", "md5", signed("md5"), with_key("md5")),
		Case("ntpk, AES128", "aes128", signed("aes128"), with_key("aes128")),
		Case("other UDP, no module", "udp4", other_udp, sink, answers=0),
		Case("other UDP, loaded", "udp4", other_udp, under(sink, loaded), answers=0),
		Case("other UDP, stamped", "udp4", other_udp, under(sink, stamped), answers=0),
		Case("other UDP, attached", "udp4", other_udp, under(sink, attached), answers=0),
		Case("other TCP, no module", "tcp4", other_tcp, nobody, answers=0),
		Case("other TCP, loaded", "tcp4", other_tcp, loaded, answers=0),
		Case("other TCP, stamped", "tcp4", other_tcp, stamped, answers=0),
		Case("other TCP, attached", "tcp4", other_tcp, attached, answers=0),
	]
