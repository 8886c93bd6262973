#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-only
"""
Shows the events about those who ask: one when more is asked than a CPU may answer, none
while that goes on, one with the number of those not answered when it is over; one for the
first client of each class and none for the next; and nothing after a detach.  About 50
seconds.
"""
import time

import fixture
import netns
import ntpknl
import ntpq
import pkt
import tap

CALM_S = 10
NEWS = ("overload", "overload_over", "new_quirk")


def ask(s, src, n=1, **header):
	frames = [s.wire.frame(pkt.ip(src, "192.0.2.1", pkt.UDP, pkt.udp(
		src, "192.0.2.1", 40000, 123, ntpq.request(**header)))) for _ in range(n)]
	s.wire.exchange(frames)


def ask_as_windows(s, src):
	# its class is known from its second look on, which is a second later
	for _ in range(3):
		ask(s, src, version=3, mode=1, leap=3, precision=-23)
		time.sleep(1.1)


def test_quirks(s, events):
	number, _ = s.g.quirks()["windows"]
	ask_as_windows(s, "192.0.2.20")
	got = [e for e in events.read_all(5) if e["QUIRK"] == number]
	tap.same([(e["KIND"], e["STATUS"]) for e in got], [("new_quirk", "sync")],
		 "the first client of a class: an event with its number")
	ask_as_windows(s, "192.0.2.21")
	tap.same([e for e in events.read_all(0.5) if e["QUIRK"] == number], [],
		 "none for the next one")


def over_budget(s):
	return s.g.stats().get("over_budget", 0)


def test_overload(s, events):
	before = over_budget(s)
	s.g.push_default(BUDGET_PER_S=1)
	ask(s, "192.0.2.2", 640)
	got = events.read_all(5)
	tap.same([(e["KIND"], e["STATUS"]) for e in got if e["KIND"] != "new_quirk"],
		 [("overload", "sync")], "more than a CPU may answer: one event")
	# goes on beyond the first look
	for _ in range(6):
		time.sleep(CALM_S / 5)
		ask(s, "192.0.2.2", 640)
	ask_as_windows(s, "192.0.2.22")
	tap.same([e["KIND"] for e in events.read_all(0.1) if e["KIND"] != "new_quirk"], [],
		 "none while that goes on, and another event is told")
	lost = over_budget(s) - before
	got = events.read_all(3 * CALM_S)
	tap.same([(e["KIND"], e.get("PKTS")) for e in got], [("overload_over", lost)],
		 f"when it is over, one with the {lost} that were not answered")
	ask(s, "192.0.2.2", 640)
	tap.same([e["KIND"] for e in events.read_all(5)], ["overload"], "the next one is told anew")


def test_detach(s, events):
	number, _ = s.g.quirks()["windows"]
	s.g.detach()
	s.g.attach()
	s.g.push_default()
	tap.same(events.read_all((CALM_S + 2) / tap.slow()), [], "nothing comes of what was before a detach")
	ask_as_windows(s, "192.0.2.20")
	tap.ok([e for e in events.read_all(5) if e["QUIRK"] == number], "and classes are new again")
	s.g.detach()


def main():
	s = fixture.served()
	s.link.neigh(s.server, s.link.sdev, s.link.cmac, *(f"192.0.2.{i}" for i in (20, 21, 22)))
	events = ntpknl.Events(s.server, NEWS)
	s.g.push_default()
	test_quirks(s, events)
	test_overload(s, events)
	test_detach(s, events)


tap.run(main)
