#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-only
"""
Shows that the loaded module does nothing until a namespace is attached, that it
loads and unloads cleanly, under traffic too, that namespaces which end while
attached take everything with them, and that unprivileged namespaces leave no
memory behind (NTPK_UNSHARE of them: 250; the full figure is 10,000), nor does the
module after NTPK_CYCLES loads (20; `make check-long`: 1,000).  The debug kernel keeps
what was freed for a while, so there six namespaces only have to work.
About a minute, three in the debug kernel.
"""
import errno
import os

import fixture
import memory
import netns
import ntpknl
import ntpq
import tap

CYCLES = tap.env_int("NTPK_CYCLES", 20, 3)
ATTACH_CYCLES = min(CYCLES, 20)
EXITS = 2 if tap.is_uml() else 5
LEAK_ROUNDS = 3


def unreachable(wire, what):
	"""The stack's own answer to a request that nobody takes."""
	got, _, _ = wire.ask(ntpq.request())
	tap.ok(len(got) == 1 and got[0].is_port_unreachable(), f"{what}: port unreachable", got)


def refused(fn):
	try:
		fn()
	except ntpknl.Refused as e:
		return e.errno, bool(e.text)
	return None


def test_inert(link):
	s = fixture.Served(attach=False, link=link)
	tap.same(s.g.status(), "detached", "loaded: nothing is attached")
	unreachable(s.wire, "loaded")
	tap.same(sum(s.g.stats().values()), 0, "loaded: nothing is counted")
	for folder in ("state", "stats"):
		tap.ok(os.listdir(f"{netns.SYS}/{folder}"), f"/sys/kernel/ntpk/{folder} is there")
	tap.same(netns.sysfs("state/status"), "detached", "/sys says detached")


def test_attach(link):
	s = fixture.Served(attach=False, link=link)
	tap.same(refused(s.g.detach), (errno.ENOTCONN, True), "detach without attach is refused")
	s.g.attach()
	tap.same(s.g.status(), "empty", "attached: empty")
	unreachable(s.wire, "attached, nothing pushed")
	state = s.g.push_default()
	tap.same(s.wire.sync_reply(state), None, "pushed: answered")
	pushed = s.g.state()
	s.g.attach()
	again = s.g.state()
	tap.same((again["PUSHES"], again["BASE_RAW_NS"]), (pushed["PUSHES"], pushed["BASE_RAW_NS"]),
		 "attached again: nothing changed")
	tap.same(s.wire.sync_reply(state), None, "attached again: still answered")
	other = ntpknl.Genl(link.client)
	tap.same(other.status(), "detached", "another namespace is not attached by that")
	s.g.detach()
	tap.same(s.g.status(), "detached", "detached")
	unreachable(s.wire, "detached")
	tap.same(refused(s.g.detach), (errno.ENOTCONN, True), "detach twice is refused")


def serve(link, states):
	"""states: what was pushed, for right()."""
	g = ntpknl.Genl(link.server)
	g.attach()
	states.append(g.default_state())
	g.push(states[-1])
	g.close()


def right(states):
	"""A check of replies: by what was pushed last, or before that, as that may have come from the one before."""
	def check(*what):
		wrong = [ntpq.sync_faults(state, *what) for state in states[-2:]]
		return None if not all(wrong) else wrong
	return check


def load_round(link, stream, states):
	"""How many loads answered, and {figure: growth} of what grew too much."""
	every = CYCLES >= 100	# among what else the machine does, a few would not show
	memory.settle(every)
	before = memory.memory(every)
	good = 0
	for n in range(CYCLES):
		if n % 100 == 99:
			tap.note(f"{n} loads: {memory.differences(before, memory.memory(every))}")
		netns.insmod()
		serve(link, states)
		if not stream.wait_answers(5):
			break
		good += 1
		netns.unload()
	grown = memory.left_behind(before, lambda k: 1024 if "KiB" in k else max(CYCLES // 2, 10), 30, every)
	tap.note(f"after {CYCLES} loads: {memory.differences(before, memory.memory(every))}")
	return good, grown


def test_cycles(link):
	"""Load, serve and unload, with requests arriving all the time; test_memory() says why in rounds."""
	states = []
	stream = fixture.Stream(link.client, rate=500 // tap.slow(), check=right(states))
	stream.start()
	netns.unload()
	for _ in range(LEAK_ROUNDS):
		good, grown = load_round(link, stream, states)
		if good < CYCLES or not grown:
			break
	if CYCLES < 20:
		tap.skip("load, answer, rmmod leave no memory behind", f"{CYCLES} times are too few to tell")
	else:
		tap.same(grown, {}, f"{CYCLES} times load, answer, rmmod leave no memory behind")
	stream.finish()
	tap.note("under load and unload: " + stream.summary())
	tap.same((good, netns.loaded()), (CYCLES, False), f"{CYCLES} times load, answer, rmmod under traffic")
	tap.same(stream.bad, [], "no reply but right ones meanwhile")
	wire = ntpq.Wire(link)
	unreachable(wire, "unloaded")
	netns.insmod()


def test_weighed(link):
	"""What all tests of what is left behind go by sees it."""
	g = ntpknl.Genl(link.server)
	before = memory.memory()["VmallocUsed: KiB"]
	g.attach()
	more = memory.memory()["VmallocUsed: KiB"] - before
	g.detach()
	tap.ok(more > memory.VMALLOC_KIB, f"the table of clients is weighed: {more} KiB", before)


def test_attach_cycles(link):
	g = ntpknl.Genl(link.server)
	stream = fixture.Stream(link.client, rate=500 // tap.slow())
	stream.start()
	good = 0
	for _ in range(ATTACH_CYCLES):
		g.attach()
		g.push_default()
		good += bool(stream.wait_answers(5))
		g.detach()
	stream.finish()
	tap.same(good, ATTACH_CYCLES, f"{ATTACH_CYCLES} times attach, answer, detach under traffic")


def has_device(ns, name):
	return not ns.sh("ip", "link", "show", name, check=False).returncode


def test_namespace_exit():
	"""The namespace goes while it is attached and asked."""
	for _ in range(EXITS):
		link = netns.Link()
		states = []
		serve(link, states)
		stream = fixture.Stream(link.client, rate=500 // tap.slow(), check=right(states))
		stream.start()
		if not tap.ok(stream.wait_answers(5), "a namespace to be deleted answers"):
			return
		link.server.delete()
		# its device goes with it, when the kernel's worker is that far
		gone = tap.wait_for(lambda: not has_device(link.client, link.cdev), 10, 0.2)
		stream.finish()
		tap.same((gone, stream.bad), (True, []), "it goes while it answers, and no reply was wrong")
		link.client.delete()
	tap.ok(netns.loaded(), f"{EXITS} namespaces were deleted while they answered")


def in_child(fn, count):
	"""Call fn in as many child processes, 4 at a time; how many ended well."""
	good, running = 0, 0
	for i in range(count):
		if running == 4:
			good += not os.wait()[1]
			running -= 1
		pid = os.fork()
		if not pid:
			status = 1
			try:
				fn()
				status = 0
			finally:
				os._exit(status)
		running += 1
	for _ in range(running):
		good += not os.wait()[1]
	return good


def become_owner():
	"""What unshare -Urn does."""
	netns.unshare(netns.CLONE_NEWUSER | netns.CLONE_NEWNET)
	with open("/proc/self/uid_map", "w") as f:
		f.write("0 0 1")


def attach_own():
	netns.unshare(netns.CLONE_NEWNET)
	g = ntpknl.Genl()
	g.attach()
	g.push_default()


def leak_round(fn, count, what):
	"""How many of them ended well, and {figure: growth} of what grew too much."""
	memory.settle(every=True)
	before = memory.memory(every=True)
	good = in_child(fn, count)
	# a percpu array of counters per namespace would be over 300 bytes each
	limits = {"SUnreclaim: KiB": 8 * count, "Percpu: KiB": max(count // 8, 64), "VmallocUsed: KiB": memory.VMALLOC_KIB}
	grown = memory.left_behind(before, lambda k: limits.get(k, count // 2), 60)
	tap.note(f"after {count} {what}: {memory.differences(before, memory.memory(every=True))}")
	return good, grown


def test_memory(fn, count, what):
	"""
	A leak of one object per namespace would show as `count` live objects of a
	kmalloc cache.  Half of that is allowed for what else the machine does: these
	figures move by whole slabs, of 42 objects in kmalloc-96.  A cache that the
	kernel fills once shows once; a leak shows in each round.
	"""
	if tap.is_uml():
		tap.same(in_child(fn, count), count, f"{count} {what}")
		tap.skip(f"{count} {what} leave no memory behind",
			 "KASAN's quarantine holds freed memory: see the stock kernel")
		return
	in_child(fn, max(count // 5, 20))	# fill the kernel's own caches first
	if "kmalloc-64" not in memory.memory():
		tap.note("no /proc/slabinfo here: only sums")
	for _ in range(LEAK_ROUNDS):
		good, grown = leak_round(fn, count, what)
		if good != count or not grown:
			break
	tap.same(good, count, f"{count} {what}")
	tap.same(grown, {}, f"{count} {what} leave no memory behind")


def main():
	netns.load()
	link = netns.Link()
	test_inert(link)
	test_attach(link)
	test_cycles(link)
	test_weighed(link)
	test_attach_cycles(link)
	test_namespace_exit()
	count = tap.env_int("NTPK_UNSHARE", 250, 6)
	test_memory(become_owner, count, "unprivileged namespaces (unshare -Urn)")
	test_memory(attach_own, min(count, 400), "attached namespaces that end")


tap.run(main)
