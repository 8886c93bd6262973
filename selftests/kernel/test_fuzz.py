#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-only
"""
Sends packets that are wrong in every way (NTPK_FUZZ of them: 100,000; 2,000 in the
debug kernel; `make check-flood` sends 10,000,000), from a seed that is told, and holds
every answer to what an answer must be; those that are right are answered all the same.
About 15 seconds.
"""
import os
import random

import fixture
import ntpknl
import ntpq
import pkt
import tap

DROP = """table ip fuzz {
	chain in { type filter hook input priority 0; udp sport 123 drop; }
}
"""


def main():
	s = fixture.served()
	s.g.push_default()
	n = tap.env_int("NTPK_FUZZ", 100000, 2000)
	seed = tap.env_int("NTPK_FUZZ_SEED", random.getrandbits(62))
	udp = pkt.udp("192.0.2.2", "192.0.2.1", 40000, 123, ntpq.request(), check=0)
	path = os.path.join(fixture.tmpdir(), "frame")
	with open(path, "wb") as f:
		f.write(s.wire.frame(pkt.ip("192.0.2.2", "192.0.2.1", pkt.UDP, udp)))
	# the client has no use for them, and shall not answer by ICMP
	s.client.nft(DROP)
	before = s.g.stats()
	p = s.client.sh("pktfuzz", s.link.cdev, path, str(n), str(seed), timeout=3600)
	after = s.g.stats()
	*told, numbers = p.stdout.splitlines()
	sent, right, right_answered, answered, bad = map(int, numbers.split())
	moved = {k: v - before[k] for k, v in after.items() if v != before[k]}
	tap.note(f"NTPK_FUZZ_SEED={seed}: {moved}")
	tap.ok(bad == 0, f"of {answered} answers to {sent} packets each is what an answer must be", told)
	tap.same(right_answered, right, f"the {right} right ones among them are answered")
	said = sum(v for k, v in moved.items() if s.g.classes[k] == ntpknl.UAPI["NTPK_CLASS_ANSWER"])
	tap.same(said, answered, "as many answers are counted as came")
	tap.ok(set(moved) >= {"replied", "version", "mode", "bad_length", "bad_checksum"},
	       "they reach what is looked at before an answer", sorted(moved))
	s.g.push_default()
	tap.same(s.g.status(), "sync", "and it goes on")


tap.run(main)
