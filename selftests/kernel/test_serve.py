#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-only
"""
Shows that a request is answered as it must be: every field of the reply, over
IPv4, IPv6 and link-local IPv6, from exactly the address asked, with T2 and T3
inside the request's interval; what a capture of the reply's frame holds; what
of a request is echoed bit by bit, and what may hang on behind it.
About 10 seconds, a minute in the debug kernel.
"""
import fixture
import ntpq
import pkt
import tap

ODD_T1 = {"zero": 0, "all ones": 2**64 - 1, "the year 1951": 1610000000 << 32 | 5,
	  "Unix time by mistake": 1700000000 << 32, "after 2036": 12345 << 32 | 0x80000000}


def addresses(link):
	return {"IPv4": "192.0.2.1", "IPv4, secondary": "192.0.2.11", "IPv6": "2001:db8::1",
		"IPv6, secondary": "2001:db8::11", "IPv6, link-local": link.sll}


def one_reply(s, what, state, req, **kwargs):
	"""Exactly one reply, right in every field; it is returned."""
	got, raw0, raw1 = s.wire.ask(req, **kwargs)
	if not tap.ok(len(got) == 1 and got[0].proto == pkt.UDP, f"{what}: one reply", got):
		return None
	reply = ntpq.Reply(got[0].data)
	wrong = ntpq.sync_faults(state, req, reply, raw0, raw1)
	tap.ok(not wrong, f"{what}: every field of it is right", f"{wrong}\n{reply}")
	return got[0]


def frame_faults(link, got, asked, v6):
	"""What is wrong in the headers of a reply's frame."""
	source = "2001:db8::2" if v6 else "192.0.2.2"
	if asked.startswith("fe80"):
		source = link.cll
	want = {"src": asked, "dst": source, "sport": 123, "dport": 40000, "udp_len": 56,
		"tot_len": 96 if v6 else 76, "ttl": 64, "src_mac": link.smac,
		"dst_mac": link.cmac, "check_good": True}
	want.update({"flow": 6 << 28} if v6 else
		    {"ihl": 20, "tos": 0, "ident": 0, "frag": 0x4000, "ipcheck_good": True})
	return [f"{k} is {getattr(got, k)!r}, not {v!r}" for k, v in want.items()
		if getattr(got, k) != v]


def test_addresses(s, state):
	for what, dst in addresses(s.link).items():
		got = one_reply(s, what, state, ntpq.request(), dst=dst)
		if got:
			wrong = frame_faults(s.link, got, dst, ":" in dst)
			tap.ok(not wrong, f"{what}: IP and UDP header, both checksums, MAC addresses",
			       wrong)


def test_versions(s, state):
	for version in range(1, 5):
		one_reply(s, f"version {version}", state, ntpq.request(version))
	got = one_reply(s, "version 1 with mode 0", state, ntpq.request(1, mode=0))
	tap.same(got and ntpq.Reply(got.data).mode, 4, "version 1 with mode 0: answered in mode 4")
	one_reply(s, "source port 123", state, ntpq.request(), sport=123)


def test_echo(s, state):
	for what, t1 in ODD_T1.items():
		one_reply(s, f"T1 {what}", state, ntpq.request(xmt=t1))
	for poll in (-128, 0, 17, 127):
		one_reply(s, f"poll {poll}", state, ntpq.request(poll=poll))
	noise = dict(stratum=16, precision=-6, root_delay=0xffffffff, root_disp=1, refid=b"evil",
		     ref=1, org=2**64 - 1, rec=7)
	one_reply(s, "every field set", state, ntpq.request(leap=3, **noise))


def test_trailing(s, state):
	field = b"\x01\x04\0\x24" + bytes(32)
	for what, data in (("an unknown extension field", field), ("1 byte", b"x"),
			   ("8 bytes", bytes(8)), ("1400 bytes", bytes(1400))):
		one_reply(s, f"followed by {what}", state, ntpq.request(trailing=data))


def test_residence(s, state):
	"""T3 - T2, and that the bits below the precision are no constant."""
	low, spans = {"T2": set(), "T3": set()}, []
	for _ in range(20):
		got, _, _ = s.wire.ask(ntpq.request())
		reply = ntpq.Reply(got[0].data)
		low["T2"].add(reply.rec & 0x7f)
		low["T3"].add(reply.xmt & 0x7f)
		spans.append(reply.t3_ns - reply.t2_ns)
	tap.note(f"T3 - T2 of 20 replies: median {sorted(spans)[10] / 1000:.1f} us")
	tap.ok(min(map(len, low.values())) > 5, "the bits below the precision differ from reply to reply, of T2 and T3", low)


def main():
	s = fixture.served()
	# shifted, so that no other clock can be what is served
	state = s.g.push_default(shift_ns=1234567891234)
	test_addresses(s, state)
	test_versions(s, state)
	test_echo(s, state)
	test_trailing(s, state)
	test_residence(s, state)
	replied = s.g.stats()
	tap.same({k: v for k, v in replied.items() if v and k != "replied"}, {},
		 "nothing was counted but replies")


tap.run(main)
