#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-only
"""
Makes each allocation fail in turn (the first, the second, until one more would not
be met): of every command over netlink, of attaching and detaching, of the making of a
namespace, of loading the module; then many of those that packets make. After each the
module works or has refused with a reason, a request is answered, what was in force is
in force where the change was refused, and nothing is left behind.
Only where the kernel can do that: the debug kernel, about two minutes.
NTPK_STARVE_ROUNDS: how often each allocation fails (1; `make check-long`: 6, and then
what is left behind by one alone would show).
"""
import ctypes
import errno
import os
import time

import fixture
import memory
import netns
import ntpknl
import ntpq
import pkt
import starve
import tap
from ntpknl import UAPI

ROUNDS = tap.env_int("NTPK_STARVE_ROUNDS", 1)
# What is allocated once shows once; what is left behind shows each time.
LEAK_ROUNDS = 3
SYS_FINIT_MODULE = 313	# x86_64
# The last so many allocations of a namespace's making: the module's come after the kernel's.
NS_LAST = 8 if ROUNDS == 1 else 60
KINDS = ("md5", "sha1", "sha256", "sha384", "sha512", "aes128", "aes256")
LENGTHS = {"aes128": 16, "aes256": 32}
RULES = [(4, 0xc0000200, 24, 1), (6, 0x20010db8 << 96, 32, 1)]


def keys():
	return [(i + 1, kind, bytes(LENGTHS.get(kind, 20))) for i, kind in enumerate(KINDS)]


class Starved:
	"""A server whose state, keys and lists are known; and commands of which an allocation fails."""

	def __init__(self, s):
		self.s, self.nth, self.steps = s, starve.Nth(), 0
		self.wrong = []
		self.g = ntpknl.Genl(s.server)
		self.state = self.make_state(2)
		self.refusals = self.lost = self.wordless = 0
		self.baseline()

	def make_state(self, stratum, **change):
		return self.s.g.default_state(STRATUM=stratum, **change)

	def baseline(self):
		"""As it is before each attempt."""
		g = self.s.g
		if g.status() == "detached":
			g.attach()
		g.push(self.state)
		g.keys(keys(), generation=1)
		g.acl(RULES, generation=1)
		self.old = self.seen()

	def seen(self):
		"""What is in force."""
		state = self.s.g.state()
		# what goes with time, and with every push
		for name in ("AGE_NS", "NOW_DISP_NS", "NOW_UNIX_NS", "PUSHES"):
			state.pop(name, None)
		return state, self.s.g.get_keys(), self.s.g.get_acl(), self.s.g.dump_acl_names()

	def answered(self, state=None):
		"""None, or what is wrong with the answer to a request."""
		return self.s.wire.sync_reply(state or self.state)

	def refused(self, e):
		"""Is it refused as a want of memory is?  False where the message or its answer was lost."""
		if not isinstance(e, ntpknl.Refused):
			self.g.close()
			self.g = ntpknl.Genl(self.s.server)
			self.lost += 1
			return False
		self.refusals += 1
		self.wordless += not e.text
		if e.errno != errno.ENOMEM:
			self.wrong.append(f"refused with {e!r}")
		return True

	def sweep(self, what, attempt, wordless=1):
		"""
		attempt(n) has the n-th allocation fail, and says whether there was one; so often that
		what is left behind by one of them shows among what the machine does.  wordless:
		refusals by generic netlink itself, which gives no text.
		"""
		self.wrong, rounds = [], 0
		for _ in range(LEAK_ROUNDS if ROUNDS > 1 else 1):
			before = memory.memory()
			self.refusals = self.lost = self.wordless = 0
			for _ in range(ROUNDS):
				n = 1
				while attempt(n) and n < 500:
					n += 1
			rounds += ROUNDS
			if self.wordless > wordless * ROUNDS:
				self.wrong.append(f"{self.wordless} refusals without a text")
			grown = self.grown(before) if ROUNDS > 1 else {}
			if not grown:
				break
		tap.ok(n > 1 and not self.wrong and not grown,
		       f"{what}: {n - 1} allocations fail, {rounds} times each; at last {self.refusals} refusals, "
		       f"{self.lost} answers lost", (self.wrong[:5], grown))

	def command(self, what, send, prepare=None, changes=True, wordless=1):
		"""Each allocation of send() fails; all that must hold then, holds."""
		self.baseline()
		self.sweep(what, lambda n: self.attempt(n, send, prepare, changes), wordless)

	def attempt(self, n, send, prepare, changes):
		if prepare:
			prepare()
		result, hit = self.nth.call(n, send)
		self.steps += 1
		now = self.seen()
		if isinstance(result, Exception):
			if self.refused(result) and now != self.old:
				self.wrong.append(f"no. {n}: refused ({result}), and changed")
			if not hit:
				self.wrong.append(f"no. {n}: fails without a failing allocation: {result}")
		elif changes and now == self.old:
			self.wrong.append(f"no. {n}: accepted, and not in force")
		elif not changes and now != self.old:
			self.wrong.append(f"no. {n}: changed what it only reads")
		fault = self.answered(now[0])
		if fault:
			self.wrong.append(f"no. {n}: {fault}")
		if now != self.old:
			self.baseline()
		return hit

	@staticmethod
	def grown(before):
		"""{cache: growth} of what each round leaves behind, in the end."""
		more = lambda: {k: v - before[k] for k, v in memory.memory().items()
				if v - before[k] >= (4096 if "KiB" in k else ROUNDS)}
		tap.wait_for(lambda: not more(), 2, every=0.5)
		return more()


def test_state(t):
	limited = {"PORT": 123, "NEVER_SYNCED": 0, "EXPIRED": 1,
		   "LIMIT": {"INTERVAL_LOG2S": 0, "BURST": 200}}
	named = {"PORT": 1123, "NEVER_SYNCED": 0, "EXPIRED": 1, "ACL": "cameras"}
	for what, state in (
			("a push", t.make_state(3)),
			("a push with limits and named lists", t.make_state(
				3, LISTENERS=[limited, named, dict(named, PORT=1124, ACL="guests")])),
			("a push with a table of another size", t.make_state(
				3, LISTENERS=[limited], LIMIT_CLIENTS=1000)),
			("a push that keeps no clients", t.make_state(3, NO_CLIENTLOG=1))):
		payload = ntpknl.state_nest(state)
		t.command(what, lambda p=payload: t.g.cmd("SET_STATE", p))


def test_keys(t):
	new = [(k + 100, kind, secret) for k, kind, secret in keys()]
	begin = lambda: t.g.keys_begin(2, len(new))
	t.command("KEYS_BEGIN", begin, changes=False)
	for key in new if ROUNDS > 1 else new[1::4]:
		t.command(f"KEYS_ADD, {key[1]}", lambda k=key: t.g.keys_add(2, [k]), begin, changes=False)
	def complete():
		begin()
		t.g.keys_add(2, new)
	t.command("KEYS_COMMIT", lambda: t.g.keys_cmd("COMMIT", GENERATION=2), complete)


def test_lists(t):
	begin = lambda: t.g.acl_begin(2, 1, 1, 1)
	t.command("ACL_BEGIN", begin, changes=False)
	t.command("ACL_BEGIN with a name", lambda: t.g.acl_begin(2, 1, 1, 1, "cameras"), changes=False)
	t.command("ACL_ADD", lambda: t.g.acl_add(2, RULES), begin, changes=False)
	def complete():
		begin()
		t.g.acl_add(2, RULES)
	t.command("ACL_COMMIT", lambda: t.g.acl_cmd("ACL_COMMIT", GENERATION=2), complete)
	t.command("ACL_CHECK", lambda: t.g.acl_check(4, 0xc0000202), changes=False)


def test_reads(t):
	for what, send in (("GET_CLOCK", lambda: t.g.clock()), ("GET_STATE", lambda: t.g.state()),
			   ("GET_STATS", lambda: t.g.stats()), ("GET_HIST", lambda: t.g.hist()),
			   ("GET_KEYS", lambda: t.g.get_keys()), ("GET_ACL", lambda: t.g.get_acl())):
		t.command(what, send, changes=False)
	for what, send in (("a dump of GET_ACL", lambda: t.g.dump_acl()),
			   ("a dump of GET_CLIENTS", lambda: t.g.clients())):
		t.command(what, send, changes=False, wordless=2)


def test_closed(t):
	"""A socket ends with a list and a set half sent."""
	before = memory.memory()
	for _ in range(20):
		g = ntpknl.Genl(t.s.server)
		g.keys_begin(7, 2)
		g.keys_add(7, keys()[:1])
		g.acl_begin(7, 5, 0, 1, "half")
		g.close()
		t.s.g.push(t.state)
	grown = {k: v for k, v in t.grown(before).items() if v >= 20 and "KiB" not in k}
	tap.ok(not grown, "a socket closed in the middle of a transaction leaves nothing behind", grown)


def unreachable(t, n):
	"""What the stack says where nobody serves."""
	got, _, _ = t.s.wire.ask(ntpq.request())
	if len(got) != 1 or not got[0].is_port_unreachable():
		t.wrong.append(f"no. {n}: not attached, but {got}")


def attach_once(t, n):
	"""Attach with the n-th allocation failing: was it hit?"""
	g = t.s.g
	if g.status() != "detached":
		g.detach()
	result, hit = t.nth.call(n, t.g.attach)
	if isinstance(result, Exception):
		if t.refused(result) and g.status() != "detached":
			t.wrong.append(f"no. {n}: refused, and attached")
		if g.status() == "detached":
			unreachable(t, n)
			g.attach()
	g.push(t.state)
	fault = t.answered()
	if fault:
		t.wrong.append(f"no. {n}: {fault}")
	return hit


def detach_once(t, n):
	"""Detach likewise: only generic netlink can refuse it, and then nothing has changed."""
	g = t.s.g
	result, hit = t.nth.call(n, t.g.detach)
	if isinstance(result, Exception):
		if t.refused(result) and t.answered():
			t.wrong.append(f"no. {n}: refused, and does not answer")
		if g.status() != "detached":
			g.detach()
	unreachable(t, n)
	g.attach()
	g.push(t.state)
	return hit


def test_attach(t):
	t.sweep("ATTACH", lambda n: attach_once(t, n))
	t.s.g.push(t.state)
	t.sweep("DETACH", lambda n: detach_once(t, n))
	t.baseline()


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
	return starve.Nth().count(netns.unshare, netns.CLONE_NEWNET)


def in_child(fn, *args):
	"""What a function returns, a number, in a process of its own."""
	r, w = os.pipe()
	pid = os.fork()
	if not pid:
		value = 2
		try:
			value = fn(*args)
		finally:
			os.write(w, b"%d" % value)
			os._exit(0)
	os.close(w)
	value = int(os.read(r, 16) or 2)
	os.close(r)
	os.waitpid(pid, 0)
	return value


def test_namespaces(t):
	"""The module's own come after the kernel's, and a few kinds of those come not always."""
	total = min(in_child(count_namespace) for _ in range(3))
	results = [in_child(make_namespace, n) for n in range(max(1, total - NS_LAST), total + 1)]
	refused = results.count(11)
	tap.ok(refused and set(results) <= {0, 10, 11},
	       f"a namespace: the last {len(results)} of {total} allocations fail, {refused} times it is not made, "
	       "else it serves", results)
	tap.same(in_child(make_namespace, 1 << 20), 0, "and then one can be made")
	tap.same(t.answered(), None, "and another one is served on")


def finit_module(fd, params=b""):
	if netns.libc.syscall(SYS_FINIT_MODULE, fd, params, 0):
		raise OSError(ctypes.get_errno(), "finit_module")


def count_load(nth, fd):
	"""(how many allocations the kernel makes before it looks at parameters, and all of a load)"""
	def bad():
		try:
			finit_module(fd, b"clients=x")
		except OSError:
			pass	# EINVAL, as wanted
	before = nth.count(bad)
	total = nth.count(finit_module, fd)
	netns.unload()
	return before, total


def works(link):
	"""None where a freshly loaded module serves."""
	s = fixture.Served(link=link)
	state = s.g.push_default()
	fault = s.wire.sync_reply(state)
	s.g.close()
	s.wire.s.close()
	return fault


def load_once(nth, fd, n, link):
	"""(was it hit, was it refused, what is wrong)"""
	result, hit = nth.call(n, finit_module, fd)
	if not isinstance(result, OSError):
		fault = works(link)
		netns.unload()
		return hit, False, fault
	if result.errno != errno.ENOMEM:
		return hit, True, f"no. {n}: {result}"
	left = [p for p in (netns.SYS, "/sys/module/ntpk") if os.path.exists(p)]
	return hit, True, f"no. {n}: refused, and leaves {left}" if left else None


def test_load(t):
	"""What the kernel allocates before is its own: its trace events do warn."""
	link, nth = t.s.link, t.nth
	netns.unload()
	fd = os.open(netns.module_path(), os.O_RDONLY | os.O_CLOEXEC)
	tap.later(os.close, fd)
	first, total = min(count_load(nth, fd) for _ in range(2))
	memory.settle()
	before, wrong, refusals, tried = memory.memory(), [], 0, 0
	every = 1 if ROUNDS > 1 else 11
	for n in range(first + 1, total + 1, every):
		hit, refused, fault = load_once(nth, fd, n, link)
		wrong += [fault] if fault else []
		refusals += refused
		tried += hit
	tap.ok(refusals > 5 and not wrong, f"loading: of the {total - first} allocations after the kernel's own {first}, "
	       f"{tried} fail one by one, {refusals} times it is refused", wrong[:5])
	netns.insmod()
	tap.same(works(link), None, "and then it loads and serves")
	netns.unload()
	tap.note("loading: " + memory.differences(before, memory.memory()))
	netns.insmod()


def storm(t, v6, n):
	"""n requests while most allocations fail that may not wait; a packet socket looks on, so that replies take one."""
	src, dst = ("2001:db8::2", "2001:db8::1") if v6 else ("192.0.2.2", "192.0.2.1")
	frames = [t.s.wire.frame(pkt.ip(src, dst, pkt.UDP, pkt.udp(src, dst, 20000 + i, 123, ntpq.request())))
		  for i in range(n)]
	with fixture.looked_on(t.s):
		starve.set_failslab(ignore_gfp_wait="Y", verbose=0, times=-1, probability=70)
		try:
			for frame in frames:
				try:
					t.s.wire.s.send(frame)
				except OSError:
					pass	# the frame's own allocation
		finally:
			starve.set_failslab(probability=0, ignore_gfp_wait="N")


def test_packets(t):
	"""No more at once than the packet socket has room for."""
	before = memory.memory()
	for v6 in (False, True):
		old = t.s.g.stats()
		for _ in range(8):
			storm(t, v6, 100)
		moved = ntpknl.changed(old, t.s.g.stats())
		tap.ok(moved.get("replied", 0) > 50 and moved.get("no_memory", 0) > 50,
		       f"packets, IPv{6 if v6 else 4}: many go without memory: {moved}", moved)
		tap.same(t.s.wire.sync_reply(t.state, dst="2001:db8::1" if v6 else "192.0.2.1"), None,
			 "and then all is answered")
	grown = {k: v for k, v in t.grown(before).items() if v > 200}
	tap.ok(not grown, "and nothing is left behind", grown)


def main():
	if not starve.can():
		tap.skip_all("no fault injection in this kernel")
	s = fixture.served()
	t = Starved(s)
	for test in (test_state, test_keys, test_lists, test_reads, test_closed, test_attach, test_namespaces,
		     test_packets, test_load):
		start = time.monotonic()
		test(t)
		tap.note(f"{test.__name__}: {time.monotonic() - start:.0f} s")
	tap.note(f"{t.steps} commands with a failing allocation")


tap.run(main)
