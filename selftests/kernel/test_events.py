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


WINDOWS = {"version": 3, "mode": 1, "leap": 3, "precision": -23}
ARDUINO = {"leap": 3, "poll": 6, "precision": -20, "refid": b"1N14"}


def ask_as(s, src, header):
	# its class is known from its second look on, which is a second later
	for _ in range(3):
		time.sleep(1.1)
		ask(s, src, **header)


def of_class(events, number):
	return [(e["KIND"], e["STATUS"]) for e in events if e.get("QUIRK") == number]


def about_load(events):
	return [(e["KIND"], e.get("PKTS")) for e in events if e["KIND"] != "new_quirk"]


def test_quirks(s, events):
	number, _ = s.g.quirks()["windows"]
	ask_as(s, "192.0.2.20", WINDOWS)
	tap.same(of_class(events.read_all(5), number), [("new_quirk", "sync")],
		 "the first client of a class: an event with its number")
	ask_as(s, "192.0.2.21", WINDOWS)
	tap.same(of_class(events.read_all(0.5), number), [], "none for the next one")


def over_budget(s):
	return s.g.stats().get("over_budget", 0)


def test_overload(s, events):
	number, _ = s.g.quirks()["arduino"]
	before = over_budget(s)
	s.g.push_default(BUDGET_PER_S=1)
	ask(s, "192.0.2.2", 640)
	tap.same(about_load(events.read_all(5)), [("overload", None)],
		 "more than a CPU may answer: one event")
	# beyond the first look
	for _ in range(6):
		time.sleep(CALM_S / 5)
		ask(s, "192.0.2.2", 640)
	# between two looks; the budget is one a second
	ask_as(s, "192.0.2.22", ARDUINO)
	got = events.read_all(1)
	tap.same(about_load(got), [], "none while that goes on")
	tap.same(of_class(got, number), [("new_quirk", "sync")], "and a new class is told meanwhile")
	lost = over_budget(s) - before
	tap.same(about_load(events.read_all(3 * CALM_S)), [("overload_over", lost)],
		 f"when it is over, one with the {lost} that were not answered")
	ask(s, "192.0.2.2", 640)
	tap.same(about_load(events.read_all(5)), [("overload", None)], "the next one is told anew")


def test_detach(s, events):
	number, _ = s.g.quirks()["windows"]
	s.g.detach()
	s.g.attach()
	s.g.push_default()
	# two looks; in the debug kernel KASAN would tell of one sooner
	wait_s = 2 * CALM_S + 2 if tap.slow() == 1 else 1
	tap.same(events.read_all(wait_s), [], "nothing comes of what was before a detach")
	ask_as(s, "192.0.2.20", WINDOWS)
	tap.same(of_class(events.read_all(5), number), [("new_quirk", "sync")], "and classes are new again")
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
