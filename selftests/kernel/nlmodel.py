# SPDX-License-Identifier: GPL-2.0-only
"""
What is in force after messages that were accepted, one after the other: by what they say,
as include/uapi/linux/ntpk.h means it.  To be compared with what GET_* then tell.
"""
import struct

import ntpknl
from ntpknl import UAPI

DEFAULTS = {"NO_CLIENTLOG": 0, "BUDGET_PER_S": 0}


def numbers(raw, prefix, names):
	"""{name: value} of 32-bit attributes; of several alike the last counts."""
	found = dict(raw)
	return {n: struct.unpack("=I", found[UAPI[prefix + n]])[0] for n in names if UAPI[prefix + n] in found}


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
		self.keys_coming = self.acl_coming = None	# [socket, generation, what]
		self.start({})

	def start(self, maps):
		"""From here on; the maps are known."""
		self.attached = self.state = self.keys = None
		self.lists, self.maps = {}, dict(maps)
		self.gone = set()	# names whose list was dropped, as far as is known

	def forget(self, sock):
		"""A socket is closed, with what it had begun."""
		if self.keys_coming and self.keys_coming[0] == sock:
			self.keys_coming = None
		if self.acl_coming and self.acl_coming[0] == sock:
			self.acl_coming = None

	def forget_lists(self):
		"""Somebody else has begun one."""
		self.acl_coming = None

	def take(self, sock, command, payload):
		"""An accepted message."""
		take = getattr(self, "on_" + command.replace("-", "_"), None)
		if not take:
			return
		top = dict(ntpknl.attrs(payload))
		nest = {"set": "STATE", "key": "KEYS", "acl": "ACL"}.get(command[:3])
		if command == "set-phc":
			nest = "PHC"
		take(sock, ntpknl.attrs(top.get(UAPI["NTPK_A_" + nest], b"")) if nest else [])

	def on_attach(self, _sock, _raw):
		if self.attached is False:
			self.state, self.keys, self.lists = {}, {}, {"": {}}
		self.attached = True

	def on_detach(self, _sock, _raw):
		self.attached = False
		self.gone |= set(self.lists)
		self.state, self.keys, self.lists, self.maps = {}, {}, {"": {}}, {}
		self.keys_coming = self.acl_coming = None

	def on_set_state(self, _sock, raw):
		kinds = {UAPI["NTPK_A_STATE_" + k]: k for k in ntpknl.STATE_TYPES}
		self.state = {**DEFAULTS, **{kinds[k]: struct.unpack("=" + ntpknl.STATE_TYPES[kinds[k]], v)[0]
					     for k, v in raw if k in kinds}}
		self.state["LISTENERS"] = [ntpknl.parse_listener(v) for k, v in raw
					   if k == UAPI["NTPK_A_STATE_LISTENER"]]
		named = {one.get("ACL", "").split("\0")[0] for one in self.state["LISTENERS"]} | {""}
		self.gone |= set(self.lists) - named
		self.lists = {k: v for k, v in self.lists.items() if k in named}

	def on_keys_begin(self, sock, raw):
		n = numbers(raw, "NTPK_A_KEYS_", ("GENERATION", "COUNT"))
		self.keys_coming = [sock, n["GENERATION"], n["COUNT"]]

	def goes_on(self, what, coming, sock, generation):
		if not coming or coming[:2] != [sock, generation]:
			self.wrong.append(f"{what} {generation} of socket {sock} accepted, begun was {coming}")
			return False
		return True

	def on_keys_add(self, sock, raw):
		if UAPI["NTPK_A_KEYS_KEY"] in dict(raw):	# none at all is fine anywhere
			self.goes_on("KEYS_ADD", self.keys_coming, sock, **self.generation(raw, "NTPK_A_KEYS_"))

	@staticmethod
	def generation(raw, prefix):
		return {"generation": numbers(raw, prefix, ("GENERATION",))["GENERATION"]}

	def on_keys_commit(self, sock, raw):
		if self.goes_on("KEYS_COMMIT", self.keys_coming, sock, **self.generation(raw, "NTPK_A_KEYS_")):
			self.keys = {"GENERATION": self.keys_coming[1], "COUNT": self.keys_coming[2]}
		self.keys_coming = None

	def on_acl_begin(self, sock, raw):
		n = numbers(raw, "NTPK_A_ACL_", ("GENERATION", "COUNT_V4", "COUNT_V6", "OTHERWISE"))
		name = dict(raw).get(UAPI["NTPK_A_ACL_NAME"], b"").split(b"\0")[0].decode(errors="surrogateescape")
		self.acl_coming = [sock, n["GENERATION"], (name, n)]

	def on_acl_add(self, sock, raw):
		if UAPI["NTPK_A_ACL_PREFIX"] in dict(raw):
			self.goes_on("ACL_ADD", self.acl_coming, sock, **self.generation(raw, "NTPK_A_ACL_"))

	def on_acl_commit(self, sock, raw):
		if self.goes_on("ACL_COMMIT", self.acl_coming, sock, **self.generation(raw, "NTPK_A_ACL_")):
			name, n = self.acl_coming[2]
			self.lists[name] = n
			self.gone.discard(name)
		self.acl_coming = None

	def on_set_phc(self, _sock, raw):
		what = {ntpknl.PHC_KINDS[k]: struct.unpack("=" + ntpknl.PHC_TYPES[ntpknl.PHC_KINDS[k]], v)[0]
			for k, v in raw if k in ntpknl.PHC_KINDS}
		ifindex = what["IFINDEX"]
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

	def lists_fault(self, get):
		"""
		get(name): a list as ntpknl.Genl.get_acl() gives it, empty or None without one, which
		only a name may be that SET_STATE or DETACH has dropped, and which that has to be.
		"""
		for name, want in self.lists.items():
			got = get(name)
			if got is None or {k: got.get(k) for k in want} != want:
				return f"list {name!r} {got}, not {want}"
		left = {name: got for name, got in ((name, get(name)) for name in sorted(self.gone)) if got}
		return f"lists {left}, which were dropped" if left else None

	def faults(self, state, keys, get_list, maps):
		"""All that is wrong, in words."""
		out = [self.state_fault(state), self.keys_fault(keys), self.lists_fault(get_list)]
		if maps != self.maps:
			out.append(f"maps {maps}, not {self.maps}")
		out += self.wrong
		self.wrong = []
		return [fault for fault in out if fault]
