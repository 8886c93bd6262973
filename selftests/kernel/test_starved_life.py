#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-only
"""
Makes each allocation fail in turn of what the kernel does for the module by itself, and
what it does to begin: the making of a namespace, loading, what workers of the kernel
allocate for it then, and the events that they tell.  After each it works, or is
cleanly refused and works the next time.
Only where the kernel can do that: the debug kernel, about a minute.
NTPK_STARVE_ROUNDS: above 1 each allocation of loading, not every 29th (1;
`make check-long`: 6).  NTPK_STARVE_SEED: which of 29 it begins with, so that runs add up
(by chance, and told).
"""
import random
import select
import time

import fixture
import loading
import memory
import netns
import ntpknl
import ntpq
import pkt
import starve
import tap
from starved import ROUNDS, in_child

# Allocations of the kernel's before and behind the module's own.
NS_AROUND = 2 if ROUNDS == 1 else 30
# The kernel makes some fifteen more at times, whatever is loaded.
COUNTED_AGAIN = 4
# Two are of its message, one of who hears it; other workers are hit as well.
EVENT_MOST = 3 if ROUNDS == 1 else 20
# What an event waits for that was not told without memory, about: a true second on any machine.
RETRY_S = 1
# A worker does others' work as well, or is one that came later: so often, until an event is met.
EVENT_TRIES = 40
# Of loading, every so many fail.
STEP = 1 if ROUNDS > 1 else 29
# Every worker of the kernel is made to fail: after so many without a refusal it is only others.
OTHERS_ONLY = 6


def make_namespace(nth):
	"""In a process of its own: 0 it was made and serves, 1 it was not made, 2 it does not serve, and 10 if it was hit."""
	fail = starve.Nth()
	result, hit = fail.call(nth, netns.unshare, netns.CLONE_NEWNET)
	if isinstance(result, OSError):
		return 1 + 10 * hit
	g = ntpknl.Genl()
	g.attach()
	g.push_default()
	return (0 if g.status() == "sync" else 2) + 10 * hit


def count_namespace():
	"""How many allocations come before those of nsmark, which has none."""
	in_child(lambda: starve.Nth().count(netns.unshare, netns.CLONE_NEWNET))
	with open("/sys/module/nsmark/parameters/left") as f:
		return starve.NEVER - int(f.read())


def counted():
	"""The least, as of some kinds of the kernel's there are more at times."""
	netns.sh("insmod", netns.kmod_path("nsmark"))
	n = min(count_namespace() for _ in range(3))
	netns.sh("rmmod", "nsmark")
	return n


def counted_twice():
	"""Without the module and with it; again where the kernel's own have changed meanwhile."""
	for _ in range(COUNTED_AGAIN):
		netns.unload()
		without = counted()
		netns.insmod()
		mine = counted()
		if mine - without == 1:
			break
	return without, mine


def test_namespaces(link):
	"""Those who came last are told last: the module's own is the last before a mark that was loaded after it."""
	without, mine = counted_twice()
	what = f"a namespace takes one allocation for the module, no. {mine}"
	if mine < without:
		tap.skip(what, f"without the module the kernel makes {without} of its own here: they are not alike")
	else:
		tap.same(mine - without, 1, what)
	results = [in_child(make_namespace, n) for n in range(mine - NS_AROUND, mine + NS_AROUND + 1)]
	tap.ok(results[NS_AROUND] == 11 and set(results) <= {10, 11},
	       f"a namespace: that fails, and {NS_AROUND} before it and behind it, {results.count(11)} times it is not made, else it serves",
	       results)
	tap.same(in_child(make_namespace, starve.NEVER), 0, "and then one can be made")
	tap.same(loading.works(link), None, "and another one is served")


class OfLoading(starve.Nth):
	"""From where everybody else in the kernel has been told of the module: trace events warn where they have no memory."""

	NTH = "/sys/module/loadmark/parameters/nth"

	def __init__(self):
		super().__init__()
		netns.insmod_kmod("loadmark")

	def begin(self, nth):
		with open(self.NTH, "w") as f:
			f.write(str(nth))

	def end(self):
		left = super().end()
		self.begin(0)
		return left


def count_load(nth, fd):
	"""How many allocations a load makes."""
	total = nth.count(loading.finit_module, fd)
	netns.unload()
	return total


def nothing_left(before, loads, what):
	"""Something of each load would be seen."""
	limits = {"SUnreclaim: KiB": 4096, "Percpu: KiB": 64, "VmallocUsed: KiB": memory.VMALLOC_KIB}
	grown = memory.left_behind(before, lambda k: limits.get(k, loads - 1), 3)
	tap.same(grown, {}, f"{what}: {loads} of them leave nothing behind")


def test_load(link):
	nth, fd = OfLoading(), loading.opened()
	total = min(count_load(nth, fd) for _ in range(2))
	memory.settle()
	before, wrong, refusals, tried = memory.memory(every=True), [], 0, 0
	seed = tap.env_int("NTPK_STARVE_SEED", random.getrandbits(32))
	tap.note(f"NTPK_STARVE_SEED={seed}")
	for n in range(1 + seed % STEP, total + 1, STEP):
		hit, refused, fault = loading.once(nth, fd, n, link)
		wrong += [fault] if fault else []
		refusals += refused
		tried += hit
	tap.ok(refusals > 5 and not wrong, f"loading: of the {total} allocations after the kernel's own, "
	       f"{tried} fail one by one, from no. {seed % STEP + 1} on, {refusals} times it is refused", wrong[:5])
	nothing_left(before, tried, "loading")
	netns.insmod()
	tap.same(loading.works(link), None, "and then it loads and serves")


def test_load_workers(link):
	"""What a worker allocates for it: the sockets that departures are told to."""
	fail, fd = starve.Workers(), loading.opened()
	wrong, refusals, hits, n, last, hit = [], 0, 0, 1, 0, True
	while hit and n - last <= OTHERS_ONLY and n < 200:
		hit, refused, fault = loading.once(fail, fd, n, link)
		wrong += [fault] if fault else []
		hits += hit
		refusals += refused
		last = n if refused else last
		n += 1
	tap.ok(refusals > 5 and not refused and not wrong, f"loading: of a worker's allocations the first {hits} fail one by "
	       f"one, {refusals} times it is refused, at last at no. {last}", wrong[:5])
	netns.insmod()
	tap.same(loading.works(link), None, "and then it loads and serves")


class Told:
	"""A namespace whose overload is an event, made anew at will."""

	def __init__(self, link):
		self.s = fixture.Served(link=link)
		self.events, self.got = ntpknl.Events(self.s.server, ("overload", "expired")), []
		self.frames = [self.s.wire.frame(pkt.ip("192.0.2.2", "192.0.2.1", pkt.UDP, pkt.udp(
			"192.0.2.2", "192.0.2.1", 40000, 123, ntpq.request()))) for _ in range(16)]

	def anew(self):
		g = self.s.g
		if g.status() != "detached":
			g.detach()
		g.attach()
		g.push_default(BUDGET_PER_S=1)
		self.events.read_all(0)
		self.got = []

	def wait(self, seconds):
		"""Has an event come by then, by the true clock?  Others than are wanted come as well."""
		end = time.monotonic() + seconds
		while not self.got and select.select([self.events.g.s], [], [], max(0, end - time.monotonic()))[0]:
			self.got += [e["KIND"] for e in self.events.read_all(0)]
		return bool(self.got)

	def overload(self):
		"""More is asked than may be answered; whether the event comes at once, and not a second later."""
		tap.wait_for(self.asked_too_much, 10, every=0)
		return self.wait(RETRY_S / 2)

	def asked_too_much(self):
		self.s.wire.exchange(self.frames)
		return self.s.g.stats().get("over_budget", 0)

	def expiry(self):
		"""A push that expires soon."""
		g = self.s.g
		self.got = []
		g.push_default(DEADLINE_BOOT_NS=g.clock()["BOOT_NS"] + 10**8)
		return self.wait(RETRY_S * tap.slow())


def test_overload(told, fail):
	"""It is told a second later, when there is memory again, and once."""
	late, wrong, n, tried = 0, [], 1, 0
	while tried < EVENT_TRIES and (n > 1 or not late):
		told.anew()
		at_once, hit = fail.call(n, told.overload)
		late += hit and not at_once
		told.wait(10 * RETRY_S * tap.slow())
		told.got += [e["KIND"] for e in told.events.read_all(0.02)]
		if told.got != ["overload"]:
			wrong.append(f"no. {n}: {told.got}")
		n, tried = n + 1 if hit and n < EVENT_MOST else 1, tried + 1
	tap.ok(late > 0 and not wrong, f"an event: {tried} times an allocation of a worker fails, one after the other, "
	       f"{late} times it is told later, and always once", wrong)


def test_expiry(told, fail):
	"""It may be lost, as the state itself tells; that of the next push is not."""
	wrong, lost, tried = [], 0, 0
	while tried < EVENT_TRIES and not lost:
		n = tried % EVENT_MOST + 1
		tried += 1
		told.anew()
		came, hit = fail.call(n, told.expiry)
		lost += hit and not came
		if not hit and not came:
			wrong.append(f"no. {n}: not told, without a failing allocation")
		if told.s.g.status() != "expired_deadline":
			wrong.append(f"no. {n}: {told.s.g.status()}")
		if not told.expiry():
			wrong.append(f"no. {n}: the next push expires, and nothing tells")
	tap.ok(lost and not wrong, f"an event of a push that expires: {tried} times an allocation of a worker fails "
	       "until it is lost, the status tells, and the next one is told", wrong)


def main():
	if not starve.can():
		tap.skip_all("no fault injection in this kernel")
	netns.load()
	link = netns.Link()
	def events(link):
		told, fail = Told(link), starve.Workers()
		test_overload(told, fail)
		test_expiry(told, fail)
		told.s.g.close()
	for test in (events, test_namespaces, test_load, test_load_workers):
		start = time.monotonic()
		test(link)
		tap.note(f"{test.__name__}: {time.monotonic() - start:.0f} s")


tap.run(main)
