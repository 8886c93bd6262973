#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-only
"""
Shows that each answer is in the histograms of what it took from T2 to T3 and of how old
its T2 was, and nothing else is; that the buckets are right for replies whose timestamps
say how long they took; that the worst are kept, with processor and device, the worst
first; and what /sys and ntpkctl make of it.  About 10 seconds.
"""
import json
import re

import fixture
import netns
import tap
from ntpq import request
from stamped import Client

WORST_MAX = 8
N = 300


def bucket(ns):
	return min(max(ns, 1).bit_length() - 1, 31)


def exchange(s, n=1):
	"""Replies to n requests, one after the other."""
	c = Client(s.client)
	out = [c.ask()[1] for _ in range(n)]
	c.close()
	return out


def test_counts(s):
	before, _ = s.g.hist()
	tap.same((sum(before["residence"]), sum(before["t2_age"]), len(before["residence"])), (0, 0, 32),
		 "nothing was answered: nothing in 32 buckets")
	took = [r.t3_ns - r.t2_ns for r in exchange(s, N)]
	s.wire.ask(request(mode=6))
	after, worst = s.g.hist()
	tap.same((sum(after["residence"]), sum(after["t2_age"])), (N, N),
		 f"{N} answers, and one that was none: {N} in each histogram")
	want = [0] * 32
	for ns in took:
		want[bucket(ns)] += 1
	# the random bits of a timestamp are below its precision
	off = sum(abs(a - b) for a, b in zip(want, after["residence"]))
	tap.ok(off <= N // 10, "as their timestamps have it", (want, after["residence"]))
	tap.ok(sum(b * c for b, c in enumerate(after["t2_age"])) < sum(b * c for b, c in enumerate(after["residence"])),
	       "T2 is younger when it is looked at than when T3 is read", after)
	worst_ns = [w["residence_ns"] for w in worst]
	longest = sorted(took, reverse=True)[:WORST_MAX]
	tap.ok(len(worst) == WORST_MAX and worst_ns == sorted(worst_ns, reverse=True) and
	       all(abs(a - b) < 1000 for a, b in zip(worst_ns, longest)),
	       f"the {WORST_MAX} worst, the worst first", (worst_ns, longest))
	tap.ok(all(w["ifindex"] == netns.ifindex(s.server, s.link.sdev) and w["cpu"] < 64 and
		   w["t2_age_ns"] <= w["residence_ns"] and w["raw_ns"] < netns.raw_ns() for w in worst),
	       "each with its device, processor and time", worst[:2])


def test_worst(s):
	_, before = s.g.hist()
	exchange(s, N)
	_, after = s.g.hist()
	tap.ok(after[0]["residence_ns"] >= before[0]["residence_ns"] and
	       after[-1]["residence_ns"] >= before[-1]["residence_ns"], "milder ones replace none", (before, after))


def test_ctl(s):
	hist, worst = s.g.hist()
	out = json.loads(s.server.sh("ntpkctl", "--json", "stats", "--hist").stdout)["data"]["hist"]
	tap.same((out["residence"], out["t2_age"], [w["residence_ns"] for w in out["worst"]]),
		 (hist["residence"], hist["t2_age"], [w["residence_ns"] for w in worst]),
		 "ntpkctl --json stats --hist")
	tap.ok(out["worst"][0]["device"] == s.link.sdev and out["worst"][0]["age_ns"] > 0, "with the device's name", out["worst"][0])
	text = s.server.sh("ntpkctl", "stats", "--hist").stdout
	tap.ok(re.search(r"^Residence, from T2 to T3: half below \S+ \S+, 99 % below", text, re.M) and
	       re.search(r"^  < +\S+ \S+ +\d+  #+$", text, re.M) and
	       re.search(rf"^ *[\d.]+ \S+ .* {s.link.sdev} +\S+$", text, re.M), "and drawn", text)
	tap.ok("Residence" not in s.server.sh("ntpkctl", "stats").stdout, "without --hist there is none")


def test_sys(s):
	"""Of the first namespace, where nobody is attached."""
	for name in ("residence_log2ns", "t2_age_log2ns"):
		tap.same(netns.sysfs(f"hist/{name}"), " ".join("0" * 32), f"/sys: {name}")


def test_detach(s):
	s.g.detach()
	hist, worst = s.g.hist()
	tap.same((sum(hist["residence"]), worst), (0, []), "detached: empty")
	s.g.attach()
	s.g.push_default()
	exchange(s)
	hist, worst = s.g.hist()
	tap.same((sum(hist["residence"]), len(worst)), (1, 1), "attached anew: from the beginning")


def main():
	s = fixture.served()
	s.g.push_default()
	test_counts(s)
	test_worst(s)
	test_ctl(s)
	test_sys(s)
	test_detach(s)


tap.run(main)
