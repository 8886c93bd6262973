# SPDX-License-Identifier: GPL-2.0-only
"""Upstream servers that lie, flap, refuse, dawdle, repeat themselves, are forged."""
import re

import daemon
import fakes
import fixture
import lab
import tap

S = 10**9
FAST = "iburst minpoll 0 maxpoll 0"


def three(world, line, **behaviour):
	"""Two good servers, and a third that behaves otherwise."""
	return [fakes.Ntp(world.ns, world.address(), line, **b) for b in ({}, {}, behaviour)]


class Upstreams:
	"""One ntpkd with a liar among three, one with everything else."""

	def __init__(self, world):
		self.line = fakes.Line.now()
		*_, self.liar = trio = three(world, self.line, error_ns=S)
		self.few = lab.start(world.place("few"), *(f"server {s.addr} {FAST}" for s in trio))
		self.good = three(world, self.line)
		kinds = {"flaps": {}, "rate": {"mode": "RATE"}, "deny": {"mode": "DENY"},
			 "late": {"late_s": 2}, "twice": {"twice": True}, "forged": {"forged": 6},
			 "unsync": {"mode": "unsync"}}
		self.by = {kind: fakes.Ntp(world.ns, world.address(), self.line, **b)
			   for kind, b in kinds.items()}
		polls = {"late": "iburst minpoll 2 maxpoll 2"}
		self.ns = world.place("many")
		self.many = lab.start(self.ns, "kernel off", *(f"server {s.addr} {FAST}" for s in self.good),
				      *(f"server {s.addr} {polls.get(kind, FAST)}"
					for kind, s in self.by.items()))
		self.ask_from = world.place("client")

	def look(self):
		self.lies()
		lab.ok(self.many.becomes("synchronised"), "upstreams: ntpkd synchronises among bad company",
		       self.many)
		truth = daemon.Truth(0, self.line.offset_ns)
		stream = fixture.Stream(self.ask_from, dst=self.ns.addr, rate=20, check=truth.check)
		stream.start()
		for fault in (self.kiss, self.late, self.twice, self.forged, self.unsync, self.flaps):
			fault()
		stream.wait_answers(20)
		stream.finish()
		tap.ok(stream.answered > 20 and not stream.bad and not truth.unsync,
		       f"upstreams: all {stream.answered} replies meanwhile within the claimed root distance",
		       stream.summary())
		tap.note(f"upstreams: {truth.figures()}")
		for d in (self.few, self.many):
			tap.same(d.stop(), 0, "upstreams: ntpkd ends well")

	def lies(self):
		d, liar = self.few, self.liar
		lab.ok(d.becomes("synchronised"), "1 of 3 lies by 1 s: ntpkd synchronises to the others", d)
		row = d.shows(liar.addr, "x", "disagrees with the majority")
		lab.ok(row, f"1 of 3 lies by 1 s: {row}", d)
		lab.ok(d.says(rf"{liar.addr} disagrees with the majority, offset \+(1\.000 s|9\d\d\.\d+ ms)"),
		       "1 of 3 lies by 1 s: is said with its offset", d)
		off = d.status()["clock_offset_ns"]
		lab.ok(abs(off) < S // 10, f"1 of 3 lies by 1 s: the time is {off / 1e6:+.3f} ms from true", d)
		liar.error_ns = 0
		lab.ok(d.says(rf"{liar.addr} agrees with the majority again", 60),
		       "1 of 3 lies by 1 s: is forgiven when it stops, and that is said", d)

	def kiss(self):
		d = self.many
		for code, state in (("RATE: it wants to be asked less often", "too few replies yet"),
				    ("DENY: it does not serve us", "told us to go away")):
			code, words = code[:4], f"kiss code {code}"
			s = self.by[code.lower()]
			row = d.shows(s.addr, words, state)
			lab.ok(row, f"KoD {code}: {row}", d)
			lab.ok(d.says(f"{s.addr} sent the kiss code {code}"), f"KoD {code}: is said", d)
		rate, deny = self.by["rate"], self.by["deny"]
		lab.ok(d.source(rate.addr)["poll_log2s"] > 0, "KoD RATE: the poll interval grows", d)
		asked = self.good[0].asked
		tap.wait_for(lambda: self.good[0].asked > asked + 8, 30)
		tap.ok(deny.asked == 1, f"KoD DENY: {deny.asked} request, and none after it")
		tap.ok(rate.asked < 10 < self.good[0].asked, f"KoD RATE: {rate.asked} requests where others had "
		       f"{self.good[0].asked}")

	def late(self):
		d, s = self.many, self.by["late"]
		good = tap.wait_for(lambda: d.source(s.addr).get("received_pkts", 0) > 2, 60, 0.2)
		report = d.source(s.addr)
		lab.ok(good and 1.9e9 < report["delay_ns"] < 3e9,
		       f"2 s late: its delay shows, {(report.get('delay_ns') or 0) / 1e9:.3f} s", d)
		tap.note(d.row(s.addr))
		off = abs(report.get("offset_ns") or 0)
		lab.ok(off <= report["root_dist_ns"], f"2 s late: {off / 1e6:.0f} ms off, and claims no better: "
		       f"root distance {report['root_dist_ns'] / 1e6:.0f} ms", d)
		lab.ok(report["state"] != "syspeer", f"2 s late: is not the reference but {report['state']}", d)

	def twice(self):
		d, s = self.many, self.by["twice"]
		good = tap.wait_for(lambda: d.source(s.addr).get("received_pkts", 0) > 8, 60, 0.2)
		report = d.source(s.addr)
		lab.ok(good and report["state"] in ("survivor", "syspeer", "outlier") and
		       report["received_pkts"] <= report["sent_pkts"],
		       f"answers twice: {report.get('sent_pkts')} asked, {report.get('received_pkts')} believed",
		       d)

	def forged(self):
		d, s = self.many, self.by["forged"]
		good = tap.wait_for(lambda: d.source(s.addr).get("received_pkts", 0) > 8, 60, 0.2)
		report = d.source(s.addr)
		lab.ok(good and report["bad_pkts"] >= 5 * report["received_pkts"],
		       f"forged replies: {report.get('bad_pkts')} refused, {report.get('received_pkts')} "
		       "true ones believed", d)
		lab.ok(report["state"] in ("survivor", "syspeer", "outlier") and not report["kod"] and
		       abs(report["offset_ns"]) < S // 10,
		       f"forged replies: neither lie nor kiss of death has moved it: {d.row(s.addr)}", d)

	def unsync(self):
		row = self.many.shows(self.by["unsync"].addr, "says that it is not synchronised")
		lab.ok(row, f"an upstream without the time: {row}", self.many)

	def flaps(self):
		d, s = self.many, self.by["flaps"]
		for n in range(2):
			s.mode = "silent"
			row = d.shows(s.addr, "no reply to the last eight requests", seconds=60)
			lab.ok(row, f"flapping, down {n + 1}: {row}", d)
			s.mode = "good"
			lab.ok(d.shows(s.addr, "combined", seconds=60) or d.shows(s.addr, "agrees"),
			       f"flapping, up {n + 1}: is used again", d)
		down = len(re.findall(rf"{s.addr} does not answer any more", d.text()))
		up = len(re.findall(rf"{s.addr} answers", d.text()))
		lab.ok((down, up) == (2, 3), f"flapping: each change is said once, {down} down, {up} up", d)
