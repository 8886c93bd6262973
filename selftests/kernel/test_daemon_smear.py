#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-only
"""
Shows a leap second as it is served: at the same time in five places of their own,
each with an upstream and ntpkd at another moment of it: the noon before, the leap
itself, the middle of the quadratic smear, the noon after, the end of the quadratic
smear.  Smeared listeners keep to the formula within 1 us, never announce the leap and
do not jump; the one that serves UTC announces it, leaps by one second, once, and keeps
its word about its error.
About two minutes.
"""
import calendar
import os
import time

import daemon
import fixture
import netns
import ntpknl
import ntpq
import tap

S = 10**9
LEAP_S = calendar.timegm((2030, 7, 1, 0, 0, 0))
LINEAR, QUADRATIC, UTC = "192.0.2.11", "192.0.2.12", "192.0.2.1"
NTP_1972, NTP_EPOCH = 2272060800, 2208988800
TOLERANCE_NS = 1000
# how long before its moment a place begins, longer where the machine is slow; and after
LEADS_S, AFTER_S = (90, 270), 12
# name, and its moment in UTC against the leap
MOMENTS = (
	("the noon before", -43200), ("the leap", 0), ("half of the quadratic smear", 31621),
	("the noon after", 43200), ("the end of the quadratic smear", 63244),
)


def leap_list(path):
	with open(path, "w") as f:
		f.write(f"#@\t{LEAP_S + NTP_EPOCH + 2 * 365 * 86400}\n{NTP_1972}\t10\n"
			f"{LEAP_S + NTP_EPOCH}\t11\n")


def linear(e):
	"""What of the second has been spread e nanoseconds after the leap, uncounted ones aside."""
	return min(max((e + 43200 * S) / 86401, 0), S)


def quadratic(e):
	half = 31622776601683
	if e <= 0:
		return 0
	if e <= half:
		return e * e / 2 / 1e18
	if e <= 2 * half:
		return S - (2 * half - e)**2 / 2 / 1e18
	return S


class Place:
	"""A server at one moment, with an upstream that tells the truth about it."""

	def __init__(self, name, moment_s, lists, lead_s):
		self.name, self.moment_ns = name, (LEAP_S + moment_s) * S
		self.s = fixture.Served(attach=False)
		self.s.server.sh("ip", "addr", "add", f"{QUADRATIC}/24", "dev", self.s.link.sdev)
		self.s.link.neigh(self.s.client, self.s.link.cdev, self.s.link.smac, QUADRATIC)
		self.up = ntpknl.Genl(daemon.upstream(self.s.server))
		self.up.attach()
		now = self.up.clock()
		self.raw0 = now["RAW_NS"]
		self.moment_raw = self.raw0 + lead_s * S
		self.start_ns = self.moment_ns - lead_s * S
		# it leaps at the moment after, and has leapt where that is past
		self.leaps_at_raw = self.moment_raw + S if not moment_s else None
		self.state = self.up.push_default(
			shift_ns=self.start_ns - now["REAL_NS"], STRATUM=1, REFID=b"TEST", ROOT_DELAY_NS=0,
			ROOT_DISP_NS=10000, DISP_RATE_PPB=0, LEAP=1 if moment_s <= 0 else 0)
		self.d = daemon.Ntpkd(
			self.s.server, "server 10.5.0.2 iburst minpoll 3 maxpoll 3", f"leapseclist {lists}",
			f"savedir {fixture.tmpdir()}",
			f"listen {LINEAR} smear linear", f"listen {QUADRATIC} smear quadratic")
		self.askers = {dst: ntpq.Asker(self.s.client, dst) for dst in (UTC, LINEAR, QUADRATIC)}
		# continuous time less the mono scale, and what was seen
		self.base = self.epoch = None
		self.leaps, self.worst, self.samples = [], {LINEAR: 0, QUADRATIC: 0}, 0
		self.said, self.bad = {UTC: set(), LINEAR: set(), QUADRATIC: set()}, []

	def ready(self):
		"""Synchronised, while there is time."""
		left = (self.moment_raw - netns.raw_ns()) / S - 5
		return self.d.synchronises(max(left, 0) / tap.slow()) and self.s.g.status() == "sync" and (
			netns.raw_ns() < self.moment_raw - 5 * S)

	def close(self):
		self.d.stop()
		self.s.g.detach()
		self.up.detach()

	def truth_ns(self, raw):
		"""UTC as the upstream has it."""
		leapt = self.leaps_at_raw is not None and raw >= self.leaps_at_raw
		return self.state["BASE_UNIX_NS"] + raw - self.state["BASE_RAW_NS"] - leapt * S

	def leap_when_due(self):
		if self.leaps_at_raw is None or self.state["LEAP"] == 0 or netns.raw_ns() < self.leaps_at_raw:
			return
		self.state = dict(self.state, LEAP=0)
		self.up.push(dict(self.state, BASE_UNIX_NS=self.state["BASE_UNIX_NS"] - S))

	def ask(self, dst):
		"""(T2 less the mono scale, the mono scale, the reply, raw before, raw after)"""
		_, reply, raw0, raw1 = self.askers[dst].ask(ntpq.mono_root_request(), 1)
		if reply is None or len(reply.data) != 76 or reply.leap == 3:
			return None
		field = ntpq.MonoRoot(reply.data)
		if self.epoch is None:
			self.epoch = field.epoch
		if field.epoch != self.epoch:
			self.bad.append(f"epoch {field.epoch}, not {self.epoch}")
		mono_ns = ntpq.unix_ns(field.mono)
		return reply.t2_ns - mono_ns, mono_ns, reply, raw0, raw1

	def sample(self):
		"""One comparison of all three; not where a push came between."""
		self.leap_when_due()
		first, *smeared, last = (self.ask(dst) for dst in (UTC, LINEAR, QUADRATIC, UTC))
		if not all((first, last, *smeared)) or abs(first[0] - last[0]) > 4:
			return
		self.samples += 1
		self.judge_utc(first)
		for dst, formula, got in zip((LINEAR, QUADRATIC), (linear, quadratic), smeared):
			continuous = got[1] + self.base
			want = -formula(continuous - LEAP_S * S)
			error = got[0] - self.base - want
			self.worst[dst] = max(self.worst[dst], abs(error))
			self.said[dst].add(got[2].leap)
			if abs(error) > TOLERANCE_NS:
				self.bad.append(f"{dst} at {continuous / S - LEAP_S:+.3f} s: {error:.0f} ns off")

	def judge_utc(self, got):
		"""Its own offset moves with each correction of the clock, and by a second at the leap."""
		offset, mono_ns, reply, raw0, raw1 = got
		if self.base is None:
			self.offset = offset
			self.base = offset + (S if self.moment_ns > LEAP_S * S else 0)
		moved = offset - self.offset
		if abs(moved) > S // 2:
			self.leaps.append((moved, mono_ns + self.base - LEAP_S * S))
			moved += S
		else:
			self.base += moved
		self.offset = offset
		self.said[UTC].add(reply.leap)
		error = max(self.truth_ns(raw0) - reply.t2_ns, reply.t3_ns - self.truth_ns(raw1), 0)
		# which of the two seconds is called 23:59:60 is a matter of taste for that second
		if error > reply.root_dist_ns and not (
				self.leaps_at_raw and abs(raw0 - self.leaps_at_raw) < 2 * S):
			self.bad.append(f"UTC {error / 1e6:.3f} ms off, claims {reply.root_dist_ns / 1e6:.3f} ms")

	def conclude(self):
		worst = ", ".join(f"{dst} {ns:.0f} ns" for dst, ns in self.worst.items())
		tap.ok(self.samples > 50 and not self.bad,
		       f"{self.name}: {self.samples} times, worst {worst}", self.bad[:5] or self.d.text())
		tap.same((self.said[LINEAR], self.said[QUADRATIC]), ({0}, {0}),
			 f"{self.name}: no leap is announced where it is smeared")
		if self.leaps_at_raw is None:
			tap.same(self.leaps, [], f"{self.name}: UTC does not jump")
			tap.ok(self.said[UTC] == ({1} if self.moment_ns < LEAP_S * S else {0}),
			       f"{self.name}: leap indicator of UTC", self.said[UTC])
			return
		right = len(self.leaps) == 1 and abs(self.leaps[0][0] + S) < 10**6 and (
			-0.2 * S < self.leaps[0][1] < 1.3 * S)
		tap.ok(right, f"{self.name}: UTC leaps back by a second, once, at its end or beginning", self.leaps)
		tap.same(self.said[UTC], {0, 1}, f"{self.name}: announced where UTC is served, and then no longer")


def main():
	daemon.need_ntpkd()
	netns.load()
	lists = os.path.join(fixture.tmpdir(), "leap-seconds.list")
	leap_list(lists)
	os.chmod(os.path.dirname(lists), 0o755)
	for lead_s in LEADS_S:
		places = [Place(*moment, lists, lead_s) for moment in MOMENTS]
		if all([place.ready() for place in places]):
			break
		tap.note(f"too slow for a lead of {lead_s} s")
		for place in places:
			place.close()
	else:
		tap.ok(False, "ntpkd -x synchronises in each place", places[0].d.text())
		return
	end = max(p.moment_raw for p in places) + AFTER_S * S
	while netns.raw_ns() < end:
		for place in places:
			place.sample()
		time.sleep(0.05)
	for place in places:
		place.conclude()
	for place in places:
		tap.same(place.d.stop(), 0, f"{place.name}: ntpkd ends well")


tap.run(main)
