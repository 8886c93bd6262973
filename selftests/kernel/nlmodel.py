# SPDX-License-Identifier: GPL-2.0-only
"""
What is in force after messages that were accepted, one after the other: by what they say,
as include/uapi/linux/ntpk.h means it.  To be compared with what GET_* then tell.
"""
import struct

import ntpknl
from ntpknl import UAPI

DEFAULTS = {"NO_CLIENTLOG": 0, "BUDGET_PER_S": 0}
BITS = {4: 32, 6: 128}
# What an ADD brings: the attribute, and how it is read.
PARTS = {"keys-add": ("NTPK_A_KEYS_KEY", ntpknl.parse_key), "acl-add": ("NTPK_A_ACL_PREFIX", ntpknl.parse_prefix)}
# Of so many possible contents none is followed any more.
MOST_WAYS = 64


def numbers(raw, prefix, names):
	"""{name: value} of 32-bit attributes; of several alike the last counts."""
	found = dict(raw)
	return {n: struct.unpack("=I", found[UAPI[prefix + n]])[0] for n in names if UAPI[prefix + n] in found}


def nested(command, payload):
	"""The attributes in the nest that a command takes."""
	nest = {"set": "STATE", "key": "KEYS", "acl": "ACL"}.get(command[:3])
	if command == "set-phc":
		nest = "PHC"
	return ntpknl.attrs(dict(ntpknl.attrs(payload)).get(UAPI["NTPK_A_" + nest], b"")) if nest else []


def parts(command, raw):
	"""The keys or prefixes of an ADD, as far as they can be read."""
	kind, parse = PARTS[command]
	out = []
	for value in (v for k, v in raw if k == UAPI[kind]):
		try:
			out.append(parse(value))
		except (KeyError, IndexError, struct.error):
			break
	return tuple(out)


def ranges(rules, otherwise):
	"""What a dump gives of a list: where another prefix decides than before, or none."""
	out = []
	for version, bits in BITS.items():
		mine = [(first, first + (1 << bits - length), length, access)
			for v, first, length, access in rules if v == version]
		before = None
		for at in sorted({0, *(first for first, *_ in mine), *(end for _, end, *_ in mine)} - {1 << bits}):
			# of those that hold an address no two have one length
			last = max(((length, access) for first, end, length, access in mine if first <= at < end),
				   default=(None, otherwise))
			if last != before:
				out.append((version, at, *last))
			before = last
	return out


def list_fault(want, got):
	"""Is a list, None or as ntpknl.Genl.dump_acls() has it, another one than that which was sent?"""
	if want is None or got is None:
		return want is not got
	numbers, contents = want
	return {k: got[0].get(k) for k in numbers} != numbers or bool(contents) and got[1] not in contents


def place(listener):
	return listener["PORT"], listener.get("ADDR"), listener.get("IFINDEX") or None


def listener_fault(want, got):
	"""None, or what a listener has of what was not asked for."""
	for name, value in want.items():
		shown = got.get(name)
		if name == "ACL":
			value = value.split("\0")[0]
		elif name == "LIMIT":
			shown = {k: v for k, v in (shown or {}).items() if k in value}
		elif name == "IFINDEX":
			shown = shown or 0
		if shown != value:
			return f"{name} is {shown}, not {value}"
	more = {k for k in ("ADDR", "ACL", "LIMIT", "PIECE") if k in got} - set(want)
	return f"{more} nobody asked for" if more else None


class Model:
	"""wrong: what should not have been accepted.  Unknown (None) is what no message has changed yet."""

	def __init__(self):
		self.wrong = []
		# [socket, generation, what, {what may have been added}, of which a refused ADD makes several, or None]
		self.keys_coming = self.acl_coming = None
		self.key_list = None	# those in force; outlives start()
		self.start({})

	def start(self, maps):
		"""From here on; the maps are known."""
		self.attached = self.state = self.keys = None
		# {name: None where there is none, or (numbers, its possible contents)}
		self.lists, self.maps = {}, dict(maps)
		self.may = None		# names that may have a list

	def forget(self, sock):
		"""A socket is closed, with what it had begun."""
		if self.keys_coming and self.keys_coming[0] == sock:
			self.keys_coming = None
		if self.acl_coming and self.acl_coming[0] == sock:
			self.acl_coming = None

	def forget_lists(self):
		"""Somebody else has begun one."""
		self.acl_coming = None

	def forget_keys(self):
		"""Somebody else has sent some."""
		self.keys_coming = self.key_list = None

	def take(self, sock, command, payload):
		"""An accepted message."""
		take = getattr(self, "on_" + command.replace("-", "_"), None)
		if take:
			take(sock, nested(command, payload))

	def refuse(self, sock, command, payload):
		"""A refused message: of an ADD what comes before the bad part may have been taken."""
		coming = {"keys-add": self.keys_coming, "acl-add": self.acl_coming}.get(command)
		if not coming:
			return
		raw = nested(command, payload)
		try:
			generation = self.generation(raw, PARTS[command][0].rpartition("_")[0] + "_")["generation"]
		except (KeyError, struct.error):
			return
		if coming[:2] == [sock, generation]:
			self.add(coming, parts(command, raw), True)

	@staticmethod
	def add(coming, more, partly):
		"""To all ways that what is coming may be in."""
		taken = range(len(more) + 1) if partly else [len(more)]
		ways = {way + more[:n] for way in coming[3] or () for n in taken}
		coming[3] = ways if coming[3] and len(ways) <= MOST_WAYS else None

	def on_attach(self, _sock, _raw):
		if self.attached is False:
			self.nothing()
		self.attached = True

	def on_detach(self, _sock, _raw):
		self.attached = False
		if self.maps is not None:
			self.maps = {}
		self.nothing()
		self.keys_coming = self.acl_coming = None

	def nothing(self):
		"""Is in force."""
		self.state, self.keys, self.lists, self.may, self.key_list = {}, {}, {"": None}, set(), ()

	def on_set_state(self, _sock, raw):
		kinds = {UAPI["NTPK_A_STATE_" + k]: k for k in ntpknl.STATE_TYPES}
		self.state = {**DEFAULTS, **{kinds[k]: struct.unpack("=" + ntpknl.STATE_TYPES[kinds[k]], v)[0]
					     for k, v in raw if k in kinds}}
		self.state["LISTENERS"] = [ntpknl.parse_listener(v) for k, v in raw
					   if k == UAPI["NTPK_A_STATE_LISTENER"]]
		kept = {one.get("ACL", "").split("\0")[0] for one in self.state["LISTENERS"]} | {""}
		if self.acl_coming:
			kept.add(self.acl_coming[2][0])
		self.may = kept if self.may is None else self.may & kept
		self.lists = {k: v for k, v in self.lists.items() if k in kept}

	def on_keys_begin(self, sock, raw):
		n = numbers(raw, "NTPK_A_KEYS_", ("GENERATION", "COUNT"))
		self.keys_coming = [sock, n["GENERATION"], n["COUNT"], {()}]

	def goes_on(self, what, coming, sock, generation):
		if not coming or coming[:2] != [sock, generation]:
			self.wrong.append(f"{what} {generation} of socket {sock} accepted, begun was {coming}")
			return False
		return True

	def on_keys_add(self, sock, raw):
		more = parts("keys-add", raw)	# none at all is fine anywhere
		if more and self.goes_on("KEYS_ADD", self.keys_coming, sock, **self.generation(raw, "NTPK_A_KEYS_")):
			self.add(self.keys_coming, more, False)

	@staticmethod
	def generation(raw, prefix):
		return {"generation": numbers(raw, prefix, ("GENERATION",))["GENERATION"]}

	def on_keys_commit(self, sock, raw):
		if self.goes_on("KEYS_COMMIT", self.keys_coming, sock, **self.generation(raw, "NTPK_A_KEYS_")):
			_, generation, count, ways = self.keys_coming
			self.keys = {"GENERATION": generation, "COUNT": count}
			whole = self.whole("KEYS_COMMIT", ways, lambda way: len({key[0] for key in way}) == len(way) == count)
			self.key_list = whole[0] if len(whole) == 1 else None
		self.keys_coming = None

	def whole(self, what, ways, is_whole):
		"""Which of the ways are as BEGIN said; none where nobody knows."""
		out = [way for way in ways or () if is_whole(way)]
		if ways and not out:
			self.wrong.append(f"{what} accepted of what is not whole: {ways}")
		return out

	def on_acl_begin(self, sock, raw):
		n = numbers(raw, "NTPK_A_ACL_", ("GENERATION", "COUNT_V4", "COUNT_V6", "OTHERWISE"))
		name = dict(raw).get(UAPI["NTPK_A_ACL_NAME"], b"").split(b"\0")[0].decode(errors="surrogateescape")
		self.acl_coming = [sock, n["GENERATION"], (name, n), {()}]

	def on_acl_add(self, sock, raw):
		more = parts("acl-add", raw)
		if more and self.goes_on("ACL_ADD", self.acl_coming, sock, **self.generation(raw, "NTPK_A_ACL_")):
			self.add(self.acl_coming, more, False)

	def on_acl_commit(self, sock, raw):
		if self.goes_on("ACL_COMMIT", self.acl_coming, sock, **self.generation(raw, "NTPK_A_ACL_")):
			_, _, (name, n), ways = self.acl_coming
			counts = [n["COUNT_V4"], n["COUNT_V6"]]
			whole = self.whole("ACL_COMMIT", ways, lambda way: [sum(r[0] == v for r in way) for v in BITS] == counts)
			self.lists[name] = n, [ranges(way, n["OTHERWISE"]) for way in whole]
			if self.may is not None:
				self.may.add(name)
		self.acl_coming = None

	def on_set_phc(self, _sock, raw):
		what = {ntpknl.PHC_KINDS[k]: struct.unpack("=" + ntpknl.PHC_TYPES[ntpknl.PHC_KINDS[k]], v)[0]
			for k, v in raw if k in ntpknl.PHC_KINDS}
		ifindex = what["IFINDEX"]
		if self.maps is None:
			return
		if len(what) > 1:
			# who does not say what to add to receive stamps adds nothing
			self.maps[ifindex] = {"RX_LATER_NS": 0, **what}
		elif self.maps.pop(ifindex, None) is None:
			self.wrong.append(f"a map of {ifindex} is dropped that was not there")

	# -- against what is in force --

	def state_fault(self, got):
		if self.state is None:
			return None
		if not self.state:
			return "a state after a detach" if got["LISTENERS"] else None
		for name, value in self.state.items():
			if name != "LISTENERS" and got.get(name, DEFAULTS.get(name)) != value:
				return f"{name} is {got.get(name)}, not {value}"
		shown = {place(one): one for one in got["LISTENERS"]}
		want = {place(one): one for one in self.state["LISTENERS"]}
		if set(shown) != set(want):
			return f"listeners {sorted(map(str, shown))}, not {sorted(map(str, want))}"
		return next(filter(None, (listener_fault(want[k], shown[k]) for k in want)), None)

	def keys_fault(self, got):
		if self.keys is None:
			return None
		shown = numbers(list(got.items()), "NTPK_A_KEYS_", ("GENERATION", "COUNT"))
		return None if shown == self.keys else f"keys {shown}, not {self.keys}"

	def lists_fault(self, lists, get):
		"""
		lists: as ntpknl.Genl.dump_acls() has them; get(name): one as get_acl() has it, which
		without one may be refused, and is None then.
		"""
		for name in sorted({*lists, *self.lists}):
			got = lists.get(name)
			if name in self.lists and list_fault(self.lists[name], got):
				return f"list {name!r} {got}, not {self.lists[name]}"
			alone = get(name)
			if (alone or {}) != (got[0] if got else {}):
				return f"list {name!r} {alone}, in a dump {got}"
		more = set() if self.may is None else set(lists) - self.may
		return f"lists {more}, which were dropped or never sent" if more else None

	def faults(self, state, keys, lists, get_list, maps):
		"""All that is wrong, in words."""
		out = [self.state_fault(state), self.keys_fault(keys), self.lists_fault(lists, get_list)]
		if maps != self.maps:
			out.append(f"maps {maps}, not {self.maps}")
		out += self.wrong
		self.wrong = []
		return [fault for fault in out if fault]
