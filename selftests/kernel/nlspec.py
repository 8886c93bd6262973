# SPDX-License-Identifier: GPL-2.0-only
"""
Messages of the family as Documentation/netlink/specs/ntpk.yaml has them: values of
every attribute, in its range and out of it, and messages as trees, which are easily
made wrong.

A tree is a list of attributes [kind, value]; the value of a nest is such a list, of
anything else bytes.
"""
import os
import struct

import netns
import ntpknl
import tap

SPEC = os.path.join(netns.TREE, "Documentation/netlink/specs/ntpk.yaml")
BITS = {"u8": 8, "u16": 16, "u32": 32, "u64": 64, "s8": 8, "s16": 16, "s32": 32, "s64": 64}
CODES = {8: "B", 16: "H", 32: "I", 64: "Q"}
# A table of clients for each limit: what fits this machine.
SMALL = {"limit-clients": 1 << 16}


def load_yaml():
	try:
		import yaml
	except ImportError:
		tap.skip_all("no python3-yaml here")
	with open(SPEC) as f:
		return yaml.safe_load(f)


class Attribute:
	"""number, name, type, low, high (numbers), length (others), nested (a name), many, get_only."""

	def __init__(self, number, a, spec):
		checks = a.get("checks", {})
		limit = lambda name, otherwise: spec.number(checks[name]) if name in checks else otherwise
		self.number, self.name, self.type = number, a["name"], a["type"]
		self.nested, self.many = a.get("nested-attributes"), a.get("multi-attr", False)
		self.get_only = a.get("doc", "").startswith("read only") or self.type == "pad"
		self.low, self.high = 0, 0
		if self.type in BITS:
			bits = BITS[self.type]
			signed = self.type[0] == "s"
			self.low = limit("min", -1 << bits - 1 if signed else 0)
			self.high = limit("max", (1 << bits - signed) - 1)
			self.high = limit("flags-mask", self.high)
			if a.get("enum") and not a.get("enum-as-flags"):
				self.high = len(spec.defs[a["enum"]]["entries"]) - 1
		self.length = limit("exact-len", None)
		self.max_length = limit("max-len", 64)

	def pack(self, value):
		bits = BITS[self.type]
		return struct.pack("=" + CODES[bits], value & (1 << bits) - 1)


class Spec:
	"""sets: {name: {number: Attribute}}; commands: {number: (name, attributes of do, of dump)}."""

	def __init__(self):
		raw = load_yaml()
		self.defs = {d["name"]: d for d in raw["definitions"]}
		self.sets = {s["name"]: {i: Attribute(i, a, self) for i, a in enumerate(s["attributes"], 1)}
			     for s in raw["attribute-sets"]}
		self.commands = {i: (op["name"], self.asked(op, "do"), self.asked(op, "dump"))
				 for i, op in enumerate(raw["operations"]["list"], 1)}
		self.by_name = {name: i for i, (name, _, _) in self.commands.items()}

	def number(self, value):
		return self.defs[value]["value"] if value in self.defs else int(value)

	@staticmethod
	def asked(op, kind):
		"""Names of the attributes of a request; None where there is no such."""
		if kind not in op:
			return None
		return op[kind].get("request", {}).get("attributes", [])

	def value(self, a, rnd):
		"""A value that the specification allows."""
		if a.type in BITS:
			high = min(a.high, SMALL.get(a.name, a.high))
			pick = rnd.choice((a.low, high, rnd.randint(a.low, high), min(a.low + 1, high),
					   max(high - 1, a.low)))
			return a.pack(pick)
		if a.type == "nest":
			return self.nest(a.nested, rnd)
		if a.type == "string":
			return bytes(rnd.choices(b"abcxyz-09", k=rnd.randint(1, a.max_length))) + b"\0"
		if a.type == "binary":
			n = a.length if a.length is not None else rnd.choice((4, 16, rnd.randint(0, a.max_length)))
			return rnd.randbytes(n)
		return b""

	def wrong(self, a, rnd):
		"""One that it does not, where there is one; else any."""
		if a.type in BITS:
			bits = BITS[a.type]
			return a.pack(rnd.choice((a.low - 1, a.high + 1, rnd.getrandbits(bits), -1, 1 << bits - 1)))
		if a.type == "nest":
			return rnd.randbytes(rnd.choice((0, 1, 3, 4, 7, 40)))
		return rnd.randbytes(rnd.choice((0, 1, a.max_length + 1, rnd.randint(0, 600))))

	def nest(self, name, rnd):
		"""Most attributes of a set, each in its range."""
		out = []
		for number, a in self.sets[name].items():
			if a.get_only or rnd.random() < 0.15:
				continue
			for _ in range(rnd.randint(1, 3) if a.many else 1):
				out.append([number, self.value(a, rnd)])
		return out

	def request(self, names, rnd):
		"""The tree of a request with attributes of these names."""
		top = {a.name: a for a in self.sets["ntpk"].values()}
		return [[top[n].number, self.value(top[n], rnd)] for n in names]

	def parse(self, data, name="ntpk"):
		"""The tree of a good message."""
		out = []
		for kind, value in ntpknl.attrs(data):
			a = self.sets[name].get(kind)
			out.append([kind, self.parse(value, a.nested) if a and a.nested else value])
		return out


def build(tree):
	"""The bytes of a tree."""
	return b"".join(ntpknl.nest(kind, build(value)) if isinstance(value, list) else ntpknl.attr(kind, value)
			for kind, value in tree)


def lists(tree):
	"""Every list of attributes in a tree, itself first."""
	out = [tree]
	for _, value in tree:
		if isinstance(value, list):
			out += lists(value)
	return out
