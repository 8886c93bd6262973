#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-only
"""
Sends packets that are wrong in every way (NTPK_FUZZ of them: 100,000; 2,000 in the
debug kernel; `make check-flood` sends 10,000,000), from a seed that is told, over IPv4,
over IPv6, and with keys, where what is made of a signed request may be answered by a
crypto-NAK; and holds every answer to what an answer must be; those that are right are
answered all the same.  About 20 seconds.
"""
import os
import random

import fixture
import mac
import ntpknl
import ntpq
import pkt
import tap

KEYS = [(1, "md5", b"fuzz"), (2, "aes128", bytes(range(16)))]
NAK = ntpknl.UAPI["NTPK_LISTENER_F_CRYPTO_NAK"]
DROP = """table inet fuzz {
	chain in { type filter hook input priority 0; udp sport 123 drop; }
}
"""


def fuzz(s, n, what, v6, req, reasons, flags=0):
	"""n packets are made of req; reasons: what has to be counted, at least; flags: of the listener."""
	seed = tap.env_int("NTPK_FUZZ_SEED", random.getrandbits(62))
	src, dst = ("2001:db8::2", "2001:db8::1") if v6 else ("192.0.2.2", "192.0.2.1")
	path = os.path.join(fixture.tmpdir(), "frame")
	with open(path, "wb") as f:
		f.write(s.wire.frame(pkt.ip(src, dst, pkt.UDP, pkt.udp(src, dst, 40000, 123, req))))
	state = s.g.default_state()
	state["LISTENERS"][0]["FLAGS"] = flags
	s.g.push(state)
	s.client.nft("flush ruleset")
	tap.same(s.wire.sync_reply(state, dst=dst), None, f"{what}: the first answer is right")
	# the client has no use for them, and shall not answer by ICMP
	s.client.nft(DROP)
	before = s.g.stats()
	p = s.client.sh("pktfuzz", s.link.cdev, path, str(n), str(seed), "fixed", timeout=3400)
	after = s.g.stats()
	*told, numbers = p.stdout.splitlines()
	_, right, right_answered, answered, bad = map(int, numbers.split())
	moved = {k: v - before[k] for k, v in after.items() if v != before[k]}
	tap.note(f"{what}: NTPK_FUZZ_SEED={seed}: {moved}")
	tap.ok(bad == 0, f"{what}: of {answered} answers to {n} packets each is what an answer must be", told)
	tap.same(right_answered, right, f"{what}: the {right} right ones among them are answered")
	said = sum(v for k, v in moved.items() if s.g.classes[k] == ntpknl.UAPI["NTPK_CLASS_ANSWER"])
	tap.same(said, answered, f"{what}: as many answers are counted as came")
	tap.ok(set(moved) >= reasons, f"{what}: they reach what is looked at before an answer", sorted(moved))


def main():
	s = fixture.served()
	n = tap.env_int("NTPK_FUZZ", 100000, 2000)
	reasons = {"replied", "version", "mode", "bad_length", "bad_checksum"}
	fuzz(s, n // 2, "IPv4", False, ntpq.request(), reasons)
	fuzz(s, n // 4, "IPv6", True, ntpq.request(), reasons)
	s.g.keys(KEYS)
	for key in KEYS:
		fuzz(s, n // 8, f"signed, {key[1]}", key[1] == "md5", mac.sign(key, ntpq.request()),
		     reasons | {"replied_nak", "auth_failed"}, NAK)
	s.g.push_default()
	tap.same(s.g.status(), "sync", "and it goes on")


tap.run(main)
