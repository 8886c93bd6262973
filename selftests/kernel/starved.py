# SPDX-License-Identifier: GPL-2.0-only
"""
A server whose state, keys, lists and maps are known, and commands of which an allocation
fails: afterwards exactly what was in force is in force, or exactly what was asked for.
"""
import errno
import os

import memory
import netns
import ntpknl
import starve
import tap

ROUNDS = tap.env_int("NTPK_STARVE_ROUNDS", 1)
# What is allocated once shows once; what is left behind shows each time.
LEAK_ROUNDS = 3
# The per-CPU memory that may come and go with anything.
PERCPU_KIB = 64
KINDS = ("md5", "sha1", "sha256", "sha384", "sha512", "aes128", "aes256")
LENGTHS = {"aes128": 16, "aes256": 32}
RULES = [(4, 0xc0000200, 24, 1), (6, 0x20010db8 << 96, 32, 1)]
LO = 1
# What goes with time, and with every push.
PASSING = ("AGE_NS", "NOW_DISP_NS", "NOW_UNIX_NS", "PUSHES")

# Of a map, which is good for a minute and made anew for each push.
MAP_TIMES = ("PHC_NS", "RAW_NS", "VALID_UNTIL_NS")


def keys():
	return [(i + 1, kind, bytes(LENGTHS.get(kind, 20))) for i, kind in enumerate(KINDS)]


def seen(g):
	"""What is in force."""
	state = g.state()
	for name in PASSING:
		state.pop(name, None)
	maps = {ifindex: {k: v for k, v in what.items() if k not in MAP_TIMES} for ifindex, (what, _) in g.phcs().items()}
	return state, g.get_keys(), g.get_acl(), g.dump_acls(), maps


class Genl(ntpknl.Genl):
	"""Knows whether the last message has arrived."""

	arrived = False

	def send(self, *args, **kwargs):
		self.arrived = False
		super().send(*args, **kwargs)
		self.arrived = True


class Command:
	"""
	send, with an allocation failing; before it prepare, and after it finish, the end of a
	transaction, which is taken where send was.  changes: what is in force, then.
	"""

	def __init__(self, send, prepare=None, finish=None, changes=True):
		self.send, self.prepare, self.finish, self.changes = send, prepare, finish, changes
		self.new = None


class Starved:
	"""
	nth: what has one thing fail, as starve.Nth does, which it is else.  least: {what of a
	sweep: (how often something fails, how often it is refused then)}, or more.
	"""

	def __init__(self, s, least, nth=None):
		self.s, self.least, self.nth, self.steps = s, least, nth or starve.Nth(), 0
		self.wrong = []
		self.g = Genl(s.server)
		self.state = self.make_state(2)
		self.device = netns.ifindex(s.server, s.link.sdev)
		self.refusals = self.lost = self.wordless = 0
		self.baseline()

	def make_state(self, stratum, **change):
		return self.s.g.default_state(STRATUM=stratum, **change)

	def make_map(self, err_ns, ifindex=None):
		raw = netns.raw_ns()
		return {"IFINDEX": ifindex or self.device, "PHC_NS": raw, "RAW_NS": raw, "RATE": 0, "ERR_NS": err_ns,
			"SKEW_PPB": 0, "VALID_UNTIL_NS": raw + 60 * 10**9}

	def baseline(self):
		"""As it is before each attempt."""
		g = self.s.g
		if g.status() == "detached":
			g.attach()
		g.push(self.state)
		g.keys(keys(), generation=1)
		g.acl(RULES, generation=1)
		g.set_phc(**self.make_map(100))
		if LO in g.phcs():
			g.set_phc(IFINDEX=LO)
		self.old = seen(g)

	def renew(self):
		"""Another socket, and what was begun on the last is forgotten."""
		self.g.close()
		self.g = Genl(self.s.server)

	def answered(self, state=None):
		"""None, or what is wrong with the answer to a request."""
		return self.s.wire.sync_reply(state or self.state)

	def took(self, n, result, hit):
		"""Was the command taken?  Where its acknowledgement alone is lost, it was."""
		if not isinstance(result, Exception):
			return True
		if not hit:
			self.wrong.append(f"no. {n}: fails without a failing allocation: {result!r}")
		if isinstance(result, ntpknl.Refused):
			self.refusals += 1
			self.wordless += not result.text
			if result.errno != errno.ENOMEM:
				self.wrong.append(f"no. {n}: refused with {result!r}")
			return False
		self.lost += 1
		if result.errno != errno.ENOBUFS:
			self.wrong.append(f"no. {n}: {result!r}")
		return self.g.arrived

	def sweep(self, what, attempt, wordless=1):
		"""
		attempt(n) has the n-th allocation fail, and says whether there was one; so often that
		what is left behind by one of them shows among what the machine does.  wordless:
		refusals by generic netlink itself, which gives no text.
		"""
		self.wrong, rounds = [], 0
		for _ in range(LEAK_ROUNDS if ROUNDS > 1 else 1):
			before = memory.memory(every=True) if ROUNDS > 1 else None
			self.refusals = self.lost = self.wordless = 0
			for _ in range(ROUNDS):
				n = 1
				while attempt(n) and n < 500:
					n += 1
			rounds += ROUNDS
			if self.wordless > wordless * ROUNDS:
				self.wrong.append(f"{self.wordless} refusals without a text")
			grown = self.grown(before) if before else {}
			if not grown:
				break
		hits, refusals = self.least[what]
		tap.ok(n - 1 >= hits and self.refusals >= refusals * ROUNDS and not self.wrong and not grown,
		       f"{what}: {n - 1} allocations fail, {rounds} times each; at last {self.refusals} refusals, "
		       f"{self.lost} answers lost", (self.least[what], self.wrong[:5], grown))

	def command(self, what, send, prepare=None, finish=None, changes=True, wordless=1):
		"""Each allocation of send() fails; all that must hold then, holds."""
		c = Command(send, prepare, finish, changes)
		self.baseline()
		for part in filter(None, (c.prepare, c.send, c.finish)):
			part()
		c.new = seen(self.s.g)
		if changes == (c.new == self.old):
			tap.ok(False, f"{what}: {'changes nothing' if changes else 'changes what it only reads'}")
		self.baseline()
		self.sweep(what, lambda n: self.attempt(n, c), wordless)

	def ends(self, c):
		"""Is the rest of a transaction taken?"""
		try:
			c.finish()
			return True
		except ntpknl.Refused:
			return False

	def attempt(self, n, c):
		if c.prepare:
			c.prepare()
		result, hit = self.nth.call(n, c.send)
		self.steps += 1
		taken = self.took(n, result, hit)
		if not c.changes and isinstance(result, Exception):
			self.renew()	# a dump may be half read
		if c.finish and self.ends(c) != taken:
			self.wrong.append(f"no. {n}: {result!r}: its transaction {'does not end' if taken else 'ends'}")
		now = seen(self.s.g)
		if now != (c.new if taken else self.old):
			self.wrong.append(f"no. {n}: {result!r}: in force is {now}, before it {self.old}, "
					  f"asked for {c.new}")
		fault = self.answered(now[0])
		if fault:
			self.wrong.append(f"no. {n}: {fault}")
		if now != self.old:
			self.baseline()
		return hit

	@staticmethod
	def grown(before, times=ROUNDS):
		"""{cache: growth} of what each of so many times leaves behind, in the end."""
		limits = {"SUnreclaim: KiB": 4096, "Percpu: KiB": PERCPU_KIB, "VmallocUsed: KiB": memory.VMALLOC_KIB}
		return memory.left_behind(before, lambda k: limits.get(k, times - 1), 2, pause=0.5)


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
