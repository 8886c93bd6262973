# SPDX-License-Identifier: GPL-2.0-only
"""
Messages of the family that are right, and wrong in one way or several: from good
ones, and from what the specification allows (nlspec.py).
"""
import errno
import random
import struct

import netns
import ntpknl
import nlspec

NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP = ntpknl.NLM_F_REQUEST, ntpknl.NLM_F_ACK, ntpknl.NLM_F_DUMP
DEPTHS = (2, 9, 60)
# Refusals of generic netlink itself, before the family has a say.
WITHOUT_TEXT = {errno.EOPNOTSUPP, errno.EMSGSIZE}


class Message:
	"""
	command, flags, version, reserved, payload; whole: is the frame of it well-formed?
	follows: goes on with what the message before it began, so over the same socket.
	"""

	def __init__(self, command, payload, flags=NLM_F_REQUEST | NLM_F_ACK):
		self.command, self.payload, self.flags = command, payload, flags
		self.version, self.reserved, self.whole, self.follows = 1, 0, True, False

	def __repr__(self):
		return (f"command {self.command} flags {self.flags:#x} version {self.version} "
			f"{self.reserved:#x} {self.payload.hex()}")


def header(m):
	"""That of generic netlink."""
	return struct.pack("=BBH", m.command, m.version, m.reserved)


def refusal_fault(e):
	"""None, or what is wrong with how a message is refused."""
	word = errno.errorcode.get(e.errno)
	if word is None:
		return f"errno {e.errno}"
	return None if e.text or e.errno in WITHOUT_TEXT else f"{word} without a text"


class Maker:
	"""Messages one after the other, all of one seed."""

	def __init__(self, seed, clock, devices=(1,)):
		self.rnd = random.Random(seed)
		self.spec = nlspec.Spec()
		self.clock = clock	# () -> a good state, as ntpknl.Genl.default_state() gives it
		self.devices = devices	# ifindexes that may have maps; 1 is lo
		self.generation = 1
		self.rest = []	# of a transaction that was begun: [name]
		self.count = 0	# what its BEGIN announced

	# -- good ones --

	def good_state(self):
		rnd, listeners = self.rnd, []
		for port in rnd.sample((123, 1123, 1124, 1125), rnd.randint(1, 3)):
			one = {"PORT": port, "NEVER_SYNCED": rnd.randint(0, 1), "EXPIRED": rnd.randint(0, 1)}
			if rnd.random() < 0.3:
				one["LIMIT"] = {"INTERVAL_LOG2S": rnd.randint(-10, 12), "BURST": rnd.randint(1, 255)}
			if rnd.random() < 0.2:
				one["ACL"] = rnd.choice(("cameras", "guests"))
			if rnd.random() < 0.1:
				one["PIECE"] = [(0, rnd.randint(-10**9, 10**9), 0, 0)]
			listeners.append(one)
		state = self.clock(LISTENERS=listeners, STRATUM=rnd.randint(1, 15))
		return ntpknl.state_nest(state)

	def good_upload(self, name):
		"""BEGIN, ADD or COMMIT of keys or a list, of a few generations, so that some fit."""
		rnd, u = self.rnd, ntpknl.UAPI
		if name.endswith("begin"):
			self.generation = rnd.randint(1, 3)
		number = lambda kind, value: ntpknl.attr(u[kind], struct.pack("=I", value))
		if name.startswith("keys"):
			parts = [number("NTPK_A_KEYS_GENERATION", self.generation)]
			if name == "keys-begin":
				self.begin(name, rnd.choice((0, 1, 2)))
				parts.append(number("NTPK_A_KEYS_COUNT", self.count))
			if name == "keys-add":
				parts += [ntpknl.key_attr(i, "sha1", rnd.randbytes(20))
					  for i in rnd.sample(range(1, 9), self.count if self.rest else 1)]
			return ntpknl.nest(u["NTPK_A_KEYS"], *parts)
		parts = [number("NTPK_A_ACL_GENERATION", self.generation)]
		if name == "acl-begin":
			self.begin(name, rnd.choice((0, 1, 2)))
			parts += [number("NTPK_A_ACL_COUNT_V4", self.count),
				  number("NTPK_A_ACL_COUNT_V6", 0), number("NTPK_A_ACL_OTHERWISE", rnd.randint(0, 1))]
			parts += ntpknl.acl_name(rnd.choice((None, None, "cameras", "guests")))
		if name == "acl-add":
			parts += [ntpknl.prefix_attr((4, net << 24, 8, rnd.randint(0, 1)))
				  for net in sorted(rnd.sample(range(256), self.count if self.rest else 1))]
		return ntpknl.nest(u["NTPK_A_ACL"], *parts)

	def begin(self, name, count):
		"""A transaction is begun: most often its rest comes next, at times it is given up when all of it was sent."""
		what = name.partition("-")[0]
		self.count = count
		self.rest = [f"{what}-add"] * bool(count) + [f"{what}-commit" if self.rnd.random() < 0.7 else name]

	def good_rest(self):
		name = self.rest.pop(0)
		payload = self.good_upload(name)
		m = Message(self.spec.by_name[name], payload)
		m.follows = True
		return name, m

	def good_map(self):
		"""Of a device's clock; or none any more."""
		rnd = self.rnd
		ifindex = rnd.choice((*self.devices, *self.devices, rnd.randint(1, 99)))
		if rnd.random() < 0.25:
			return ntpknl.phc_nest({"IFINDEX": ifindex})
		raw = netns.raw_ns() - rnd.randint(0, 10**9)
		return ntpknl.phc_nest({
			"IFINDEX": ifindex, "PHC_NS": rnd.choice((raw, 0, -raw, rnd.getrandbits(62))), "RAW_NS": raw,
			"RATE": rnd.choice((0, 1, -1, rnd.randint(-2814749767106, 2814749767106))),
			"ERR_NS": rnd.choice((0, rnd.randint(0, 10**7))), "SKEW_PPB": rnd.choice((0, rnd.randint(0, 10**7))),
			"VALID_UNTIL_NS": raw + rnd.randint(2 * 10**9, 63 * 10**9)})

	def good(self):
		"""(name, Message) as a friend of the module would send it."""
		rnd = self.rnd
		if self.rest and rnd.random() < 0.8:
			return self.good_rest()
		number = rnd.choice([i for i, (_, do, dump) in self.spec.commands.items()
				     if do is not None or dump is not None])
		name, do, dump = self.spec.commands[number]
		if name in ("attach", "detach") and rnd.random() < 0.9:
			number = self.spec.by_name["set-state"]	# so that it is attached mostly
			name, do, dump = self.spec.commands[number]
		elif rnd.random() < 0.1:
			number = self.spec.by_name[rnd.choice(("keys-begin", "acl-begin"))]
			name, do, dump = self.spec.commands[number]
		if do is None or (dump is not None and rnd.random() < 0.3):
			return name, Message(number, nlspec.build(self.spec.request(dump, rnd)),
					     NLM_F_REQUEST | NLM_F_ACK | NLM_F_DUMP)
		if name == "set-state" and rnd.random() < 0.8:
			return name, Message(number, self.good_state())
		if name in ("keys-begin", "keys-add", "keys-commit", "acl-begin", "acl-add", "acl-commit"):
			return name, Message(number, self.good_upload(name))
		if name == "set-phc" and rnd.random() < 0.8:
			return name, Message(number, self.good_map())
		return name, Message(number, nlspec.build(self.spec.request(do, rnd)))

	# -- wrong ones --

	def bend_tree(self, tree):
		"""One thing less right in a tree."""
		rnd, spec = self.rnd, self.spec
		where = rnd.choice(nlspec.lists(tree))
		how = rnd.randrange(9)
		sets = list(spec.sets.values())
		if how == 0 and where:
			where.pop(rnd.randrange(len(where)))
		elif how == 1 and where:
			where.insert(rnd.randrange(len(where) + 1), list(rnd.choice(where)))
		elif how == 2:
			rnd.shuffle(where)
		elif how == 3 and where:
			rnd.choice(where)[0] = rnd.choice((0, 1, 2, 63, 64, 0x3fff, rnd.randrange(40)))
		elif how == 4 and where:
			one = rnd.choice(where)
			same = [s[one[0]] for s in sets if one[0] in s]
			if same:
				a = rnd.choice(same)
				one[1] = rnd.choice((spec.wrong, spec.value))(a, rnd)
		elif how == 5 and where:
			one = rnd.choice(where)
			if isinstance(one[1], bytes):
				cut = rnd.choice((-1, 1, -4, 4, 100))
				one[1] = one[1][:cut] if cut < 0 else one[1] + rnd.randbytes(cut)
		elif how == 6:
			a = rnd.choice(list(rnd.choice(sets).values()))
			where.insert(rnd.randrange(len(where) + 1), [a.number, spec.value(a, rnd)])
		elif how == 7 and where:
			one = rnd.choice(where)
			for _ in range(rnd.choice(DEPTHS)):
				one[1] = [[one[0], one[1]]]
		elif where:
			rnd.choice(where)[0] ^= rnd.choice((0x8000, 0x4000))

	def bend_bytes(self, m):
		"""One thing less right in what goes over the socket."""
		rnd = self.rnd
		raw = bytearray(m.payload)
		how = rnd.randrange(7)
		if how == 0 and len(raw) >= 4:	# a length, most often the first one's
			at = rnd.choice((0, 4, rnd.randrange(0, len(raw) - 3, 4)))
			raw[at:at + 2] = struct.pack("=H", rnd.choice((0, 3, 4, 5, len(raw), len(raw) + 4, 0xffff)))
		elif how == 1 and raw:
			del raw[rnd.randrange(len(raw)):]
		elif how == 2:
			raw += rnd.randbytes(rnd.choice((1, 3, 4, 64)))
		elif how == 3 and raw:
			for _ in range(rnd.randint(1, 4)):
				raw[rnd.randrange(len(raw))] = rnd.getrandbits(8)
		elif how == 4:
			m.command = rnd.choice((0, max(self.spec.commands) + 1, 255, rnd.choice(list(self.spec.commands))))
		elif how == 5:
			m.version, m.reserved = rnd.choice(((0, 0), (2, 0), (255, 0), (1, 1), (1, 0xffff)))
		else:
			m.flags = NLM_F_REQUEST | NLM_F_ACK | rnd.choice((NLM_F_DUMP, 0x100, 0x200, 0x400, 0x800, 8, 0x10))
		m.payload = bytes(raw)

	def next(self):
		"""(name of the command it was made from, Message)"""
		rnd = self.rnd
		name, m = self.good()
		if rnd.random() < (0.85 if m.follows else 0.3 if name.endswith("begin") else 0.2):
			return name, m
		if rnd.random() < 0.75:
			tree = self.spec.parse(m.payload)
			for _ in range(rnd.choice((1, 1, 1, 2, 4))):
				self.bend_tree(tree)
			try:
				m.payload = nlspec.build(tree)[:60000]
			except struct.error:
				pass	# longer than an attribute can be: as it was
		else:
			for _ in range(rnd.choice((1, 1, 2))):
				self.bend_bytes(m)
		return name, m
