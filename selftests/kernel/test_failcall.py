#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-only
"""
Makes each call of the module into the kernel that can fail do so in turn, on a stock
kernel too, and also those that take no memory of the slabs: per-CPU memory, work queues,
sockets that a worker opens, hooks, routes (selftests/kmod/failcall.c).  Of loading, of
every command, of packets.  After each it is cleanly refused or works, in force is what
was or what was asked for, and all per-CPU memory is given back.  About a minute.
"""

import fixture
import loading
import netns
import ntpknl
import ntpq
import starved
import tap
from starved_commands import COMMANDS

# {command: (calls that fail, refusals)}; some make none.
LEAST = {
	"a push": (1, 1), "a push with limits and named lists": (5, 5),
	"a push with a table of another size": (3, 3), "a push that keeps no clients": (1, 1),
	"KEYS_BEGIN": (1, 1), **{f"KEYS_ADD, {kind}": (2 + kind.startswith("aes"),) * 2 for kind in starved.KINDS},
	"KEYS_COMMIT": (0, 0),
	"ACL_BEGIN": (2, 2), "ACL_BEGIN with a name": (2, 2), "ACL_ADD": (0, 0), "ACL_COMMIT": (0, 0), "ACL_CHECK": (1, 1),
	"SET_PHC, another for a device": (1, 1), "SET_PHC, one for a second device": (1, 1), "SET_PHC, none any more": (0, 0),
	**{f"GET_{what}": (1, 1) for what in ("CLOCK", "STATE", "STATS", "KEYS", "ACL")}, "GET_HIST": (2, 2),
	"a dump of GET_ACL": (0, 0), "a dump of GET_PHC": (0, 0), "a dump of GET_CLIENTS": (0, 0),
	"ATTACH": (9, 7), "DETACH": (0, 0),
}
PARAMETERS = "/sys/module/failcall/parameters"


def read(name):
	with open(f"{PARAMETERS}/{name}") as f:
		return f.read().strip()


def set_nth(n):
	with open(f"{PARAMETERS}/nth", "w") as f:
		f.write(str(n))


def has_probes():
	"""Is it built with CONFIG_KPROBES?"""
	with open("/proc/kallsyms") as f:
		return any(line.split()[2] == "register_kprobe" for line in f)


class FailCall:
	"""As starve.Nth, of the module's calls, whoever makes them."""

	def __init__(self):
		if not has_probes():
			tap.skip_all("this kernel has no probes")
		netns.insmod_kmod("failcall")
		self.hits = {}

	def call(self, nth, fn, *args):
		"""(what fn returned, or the OSError that it raised; was it hit?)"""
		set_nth(nth)
		try:
			result = fn(*args)
		except OSError as e:
			result = e
		finally:
			hit = read("hit")
			set_nth(0)
		if hit:
			self.hits[hit] = self.hits.get(hit, 0) + 1
		return result, bool(hit)


def percpu_is(pieces):
	"""What goes after a grace period goes soon."""
	return tap.wait_for(lambda: int(read("percpu")) == pieces, 5)


def test_load(fail, link):
	fd = loading.opened()
	wrong, refusals, n, hit = [], 0, 1, True
	while hit and n < 200:
		hit, refused, fault = loading.once(fail, fd, n, link)
		wrong += [fault] if fault else []
		wrong += [] if percpu_is(0) else [f"no. {n}: {read('percpu')} pieces of per-CPU memory are left"]
		refusals += refused
		n += 1
	tap.ok(refusals > 8 and not wrong, f"loading: {n - 2} calls fail one by one, {refusals} times it is refused, nothing is left",
	       wrong[:5])
	tap.ok("sock_create_kern" in fail.hits and "register_pernet_subsys" in fail.hits,
	       "loading: those of a worker too, and that namespaces are told of", fail.hits)


def test_commands(fail, s):
	t = starved.Starved(s, LEAST, fail)
	s.g.detach()
	base = int(read("percpu"))
	t.baseline()
	attached = int(read("percpu"))
	for test in COMMANDS:
		test(t)
	s.g.detach()
	tap.ok(attached > base and percpu_is(base), f"{attached - base} pieces of per-CPU memory while it is attached, and "
	       "all are given back, whatever failed", (base, attached, read("percpu")))
	t.baseline()
	return t


def ask(t, v6, n):
	"""One request, before which nothing is known of the way back; what is wrong then."""
	t.s.g.detach()
	t.baseline()
	dst = "2001:db8::1" if v6 else "192.0.2.1"
	before = t.s.g.stats()
	(got, _, _), hit = t.nth.call(n, t.s.wire.ask, ntpq.request(), dst)
	moved = ntpknl.changed(before, t.s.g.stats())
	asked = {k: v for k, v in moved.items() if k in ("replied", "no_memory", "no_route")}
	fault = None if sum(asked.values()) == 1 and len(got) == asked.get("replied", 0) else f"no. {n}: {moved}, {got}"
	return hit, asked, fault or t.s.wire.sync_reply(t.state, dst=dst)


def test_packets(t, v6):
	"""A packet socket looks on, so that a reply takes a packet of its own."""
	n, hit, wrong, drops = 1, True, [], 0
	with fixture.looked_on(t.s):
		while hit and n < 20:
			hit, asked, fault = ask(t, v6, n)
			wrong += [fault] if fault else []
			drops += "replied" not in asked
			n += 1
	tap.ok(drops and not wrong, f"a request over IPv{6 if v6 else 4}: {n - 2} calls fail one by one, {drops} times it is "
	       "dropped and counted, and the next is answered", wrong)


def main():
	if not netns.guest():
		tap.skip_all("not in a test machine: use selftests/vm/vm run")
	fail = FailCall()
	netns.load()
	link = netns.Link()
	test_load(fail, link)
	netns.insmod()
	s = fixture.Served(link=link)
	t = test_commands(fail, s)
	for v6 in (False, True):
		test_packets(t, v6)
	tap.ok(any("percpu" in hit or "pcpu" in hit for hit in fail.hits), f"what failed: {fail.hits}", fail.hits)
	netns.unload()
	tap.same(read("percpu"), "0", "unloaded: no per-CPU memory is left")


tap.run(main)
