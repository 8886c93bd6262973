#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-only
"""
Shows that loading and unloading the module beside a serving chronyd loses no
request of a steady stream, nor does attaching without a pushed state; and that
module and chronyd can take turns by push and detach, every request answered.
About 15 seconds.
"""
import shutil

import fixture
import netns
import ntpknl
import tap

CYCLES = 5
RATE = 200


class Turns:
	"""Tells by the stratum who answered."""

	def __init__(self):
		self.by = {"chronyd": 0, "module": 0}

	def check(self, _req, reply, _raw0, _raw1):
		if reply.leap == 3 or reply.mode != 4:
			return f"unsynchronised: {reply}"
		self.by["chronyd" if reply.stratum == 7 else "module"] += 1
		return None


def seen(turns, who, more=20):
	goal = turns.by[who] + more
	return tap.wait_for(lambda: turns.by[who] >= goal, 20)


def none_lost(stream, what):
	stream.finish()
	tap.note(f"{what}: {stream.summary()}")
	tap.ok(stream.sent > 50 and not stream.unanswered and not stream.refused and not stream.bad,
	       f"{what}: of {stream.sent} requests none is lost", stream.summary())


def test_load(client):
	turns = Turns()
	stream = fixture.Stream(client, rate=RATE // tap.slow(), check=turns.check)
	stream.start()
	good = seen(turns, "chronyd")
	for _ in range(CYCLES):
		netns.insmod()
		good = good and seen(turns, "chronyd")
		netns.unload()
		good = good and seen(turns, "chronyd")
	none_lost(stream, f"{CYCLES} times insmod and rmmod")
	tap.ok(good and not turns.by["module"], "chronyd answered all the time", turns.by)


def test_turns(link):
	netns.insmod()
	g = ntpknl.Genl(link.server)
	turns = Turns()
	stream = fixture.Stream(link.client, rate=RATE // tap.slow(), check=turns.check)
	stream.start()
	good = seen(turns, "chronyd")
	for _ in range(CYCLES):
		g.attach()
		good = good and seen(turns, "chronyd")
		g.push_default(STRATUM=3)
		good = good and seen(turns, "module")
		g.detach()
		good = good and seen(turns, "chronyd")
	none_lost(stream, f"{CYCLES} times attach, push and detach")
	tap.ok(good, "chronyd answers until something is pushed, and again after detach", turns.by)


def main():
	if not shutil.which("chronyd"):
		tap.skip_all("no chronyd here")
	netns.load()
	netns.unload()
	link = netns.Link()
	p = fixture.chronyd(link.server, "local stratum 7", "allow")
	fixture.chronyd_answers(p, link.client)
	test_load(link.client)
	test_turns(link)


tap.run(main)
