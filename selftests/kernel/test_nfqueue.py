#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-only
"""
Shows that a packet which a firewall rule gave to a process to be judged (NFQUEUE: an
intrusion detection system) is answered as any other, though the hook then runs for that
process and not in softirq; that one for another port is counted and passed on; that one
which is refused is neither answered nor counted; and all that with one listener that
takes whatever comes, and with several.  And that a reply which is judged on its way out
arrives, one in a buffer of its own too.  About 5 seconds.
"""
import contextlib
import os
import select
import socket
import struct
import threading

import fixture
import ftrace
import netns
import ntpknl
import ntpq
import pkt
import tap

NETLINK_NETFILTER = 12
QUEUE = 5
SUBSYS_QUEUE = 3 << 8
MSG_PACKET, MSG_VERDICT, MSG_CONFIG = 0, 1, 2
CFG_CMD, CFG_PARAMS, CFG_CMD_BIND = 1, 2, 1
COPY_META, COPY_PACKET = 1, 2
PACKET_HDR, VERDICT_HDR, PAYLOAD = 1, 2, 10
DROP, ACCEPT = 0, 1
ROUNDS = 3 if tap.is_uml() else 10
# The echo behind the requests waits its turn with them.
RULES = f"""
table inet q {{
	chain i {{
		type filter hook input priority 0
		meta l4proto udp queue num {QUEUE}
		icmp type echo-request queue num {QUEUE}
		icmpv6 type echo-request queue num {QUEUE}
	}}
}}
"""


# And replies, with conntrack at work; the echo's waits its turn with them, too
RULES_OUT = f"""
table inet q {{
	chain o {{
		type filter hook output priority 0
		ct state established udp sport 123 queue num {QUEUE}
		icmp type echo-reply queue num {QUEUE}
		icmpv6 type echo-reply queue num {QUEUE}
	}}
}}
"""


class Judge:
	"""
	Gives a verdict on each packet of a queue, in a thread, inside `with`; seen: of how many.
	edit: what is made of each.
	"""

	def __init__(self, ns, verdict=lambda: ACCEPT, edit=None):
		self.verdict, self.edit, self.seen = verdict, edit, 0
		self.s = ns.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
		self.s.bind((0, 0))
		self.send(MSG_CONFIG, ntpknl.attr(CFG_CMD, struct.pack("!BxH", CFG_CMD_BIND, 0)), ack=True)
		self.send(MSG_CONFIG, ntpknl.attr(CFG_PARAMS, struct.pack(
			"!IB", 65535 if edit else 0, COPY_PACKET if edit else COPY_META)), ack=True)
		self.end, self.ended = os.pipe()
		self.thread = threading.Thread(target=self.work)

	def send(self, kind, payload, ack=False):
		flags = ntpknl.NLM_F_REQUEST | (ntpknl.NLM_F_ACK if ack else 0)
		body = struct.pack("!BBH", 0, 0, QUEUE) + payload
		self.s.send(struct.pack("=IHHII", 16 + len(body), SUBSYS_QUEUE | kind, flags, 0, 0) + body)
		if ack:
			error = struct.unpack_from("=i", self.s.recv(65536), 16)[0]
			if error:
				raise OSError(-error, os.strerror(-error))

	def work(self):
		while self.end not in select.select([self.s, self.end], [], [])[0]:
			packet = dict(ntpknl.attrs(self.s.recv(65536)[20:]))
			self.seen += 1
			edited = ntpknl.attr(PAYLOAD, self.edit(packet[PAYLOAD])) if self.edit else b""
			self.send(MSG_VERDICT, ntpknl.attr(VERDICT_HDR, struct.pack("!I", self.verdict()) +
							   packet[PACKET_HDR][:4]) + edited)

	def __enter__(self):
		self.thread.start()
		return self

	def __exit__(self, *exc):
		os.write(self.ended, b"x")
		self.thread.join()
		self.s.close()
		os.close(self.end)
		os.close(self.ended)


def ask(s, state, dst):
	"""So many requests, and as many packets for port 9, which nobody serves."""
	bad = []
	for i in range(ROUNDS):
		fault = s.wire.sync_reply(state, dst=dst, sport=30000 + i)
		if fault:
			bad.append(fault)
		got, _, _ = s.wire.ask(ntpq.request(), dst=dst, dport=9)
		if len(got) != 1 or not got[0].is_port_unreachable():
			bad.append(f"port 9: {got}")
	return bad


def test_accepted(s, what, **change):
	state = s.g.push_default(**change)
	for dst in ("192.0.2.1", "2001:db8::1"):
		with Judge(s.server) as judge:
			bad, moved = s.counted(ask, s, state, dst)
		tap.same(bad, [], f"{what}: what a process let pass is answered by {dst}")
		# each request, each packet for port 9, and the echo behind each of them
		tap.same(judge.seen, 4 * ROUNDS, "all of it went by that process")
		tap.same((moved.get("replied"), moved.get("other_port")), (ROUNDS, ROUNDS), "and is counted")


def test_kept_out(s, what, **change):
	"""A reply is made with softirqs kept out, which may change the same."""
	if not ftrace.can():
		tap.skip(f"{what}: an answer keeps softirqs out itself", "no function tracer")
		return
	state = s.g.push_default(**change)
	for dst in ("192.0.2.1", "2001:db8::1"):
		with Judge(s.server), ftrace.functions("handle:mod:ntpk"):
			fault, flags = ftrace.calls("handle", lambda to=dst: s.wire.sync_reply(state, dst=to))
		# b: softirqs are disabled; D: and interrupts as well
		tap.ok(not fault and len(flags) == 1 and flags[0][0] in "bD",
		       f"{what}: an answer by {dst} keeps softirqs out itself", (fault, flags))


def test_refused(s):
	"""The echo passes, or nobody would know when to look."""
	verdicts = [DROP, ACCEPT] * ROUNDS
	with Judge(s.server, lambda: verdicts.pop(0)):
		got, moved = s.counted(lambda: [s.wire.ask(ntpq.request())[0] for _ in range(ROUNDS)])
	tap.same((got, moved), ([[]] * ROUNDS, {}), "what a process refuses is not answered, nor counted")


def without_options(packet):
	"""An IPv4 packet, its header as short as it can be."""
	text = lambda at: socket.inet_ntoa(packet[at:at + 4])
	return pkt.ip4(text(12), text(16), packet[9], packet[4 * (packet[0] & 15):])


def test_edited(s):
	"""A process takes the options off; where UDP begins the kernel knows from before."""
	state = s.g.push_default()
	src, dst = "192.0.2.2", "192.0.2.1"
	for what, circumstances in (("in the request's buffer", contextlib.nullcontext),
				    ("in a buffer of its own", lambda: fixture.looked_on(s))):
		req = ntpq.request()
		packet = pkt.ip4(src, dst, pkt.UDP, pkt.udp(src, dst, 32000, 123, req), options=b"\x94\4\0\0")
		with circumstances(), Judge(s.server, edit=without_options):
			raw0 = netns.raw_ns()
			got, moved = s.counted(s.wire.exchange, [s.wire.frame(packet)])
			raw1 = netns.raw_ns()
		if not got and not moved:
			tap.skip(f"options taken off, a reply {what}", "this kernel drops what had its header changed")
			continue
		wrong = (ntpq.sync_faults(state, req, ntpq.Reply(got[0].data), raw0, raw1)
			 if len(got) == 1 and got[0].proto == pkt.UDP else got or "nothing")
		tap.ok(not wrong, f"a request whose options a process took off, a reply {what}", wrong)


def test_way_out(s):
	"""An entry of conntrack that is not confirmed must be one packet's only."""
	state = s.g.push_default()
	for what, circumstances in (("in the request's buffer", contextlib.nullcontext),
				    ("in a buffer of its own", lambda: fixture.looked_on(s))):
		for dst in ("192.0.2.1", "2001:db8::1"):
			with circumstances(), Judge(s.server) as judge:
				bad, moved = s.counted(lambda to=dst: [
					f for i in range(ROUNDS) if (f := s.wire.sync_reply(state, dst=to, sport=31000 + i))])
			tap.same((bad, judge.seen, moved.get("replied")), ([], 2 * ROUNDS, ROUNDS),
				 f"a reply {what} is judged on its way out, and arrives from {dst}")


def main():
	s = fixture.served()
	netns.sh("modprobe", "-q", "-a", "nfnetlink_queue", "nft_queue", check=False)	# or built in
	s.server.nft(RULES)
	listener = {"PORT": 123, "NEVER_SYNCED": 0, "EXPIRED": 1}
	for what, change in (("one listener", {}),
			     ("two listeners", {"LISTENERS": [listener, dict(listener, PORT=1123)]})):
		test_accepted(s, what, **change)
		test_kept_out(s, what, **change)
	test_refused(s)
	test_edited(s)
	s.server.nft("flush ruleset")
	s.server.nft(RULES_OUT)
	test_way_out(s)
	s.server.nft("flush ruleset")
	tap.same(s.wire.sync_reply(s.g.push_default()), None, "no rule any more: an answer in softirq")


tap.run(main)
