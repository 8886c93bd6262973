# SPDX-License-Identifier: GPL-2.0-only
"""
A small generic netlink client of the family "ntpk", in plain python: it can
send what the C client cannot, namely everything malformed.

Numbers are read from include/uapi/linux/ntpk.h, so that the tests follow it.
Refusals raise Refused with errno and the kernel's text (extack).
"""
import errno
import os
import re
import select
import socket
import struct
import sys
import time

import netns
import tap

NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP = 1, 4, 0x300
NLM_F_DUMP_INTR, NLM_F_CAPPED, NLM_F_ACK_TLVS = 0x10, 0x100, 0x200
NLMSG_ERROR, NLMSG_DONE = 2, 3
SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, NETLINK_CAP_ACK, NETLINK_EXT_ACK = 270, 1, 10, 11
NLA_F_NESTED, NLA_TYPE = 0x8000, 0x3fff
GENL_CTRL, CTRL_GETFAMILY = 16, 3
CTRL_ID, CTRL_NAME, CTRL_GROUPS, GROUP_NAME, GROUP_ID = 1, 2, 7, 1, 2


def read_uapi():
	"""{name: value} of every enumerator of the header."""
	path = os.path.join(netns.TREE, "include/uapi/linux/ntpk.h")
	with open(path) as f:
		text = re.sub(r"/\*.*?\*/", "", f.read(), flags=re.S)
	out = {}
	for body in re.findall(r"enum\s+\w+\s*\{(.*?)\}", text, re.S):
		value = 0
		for item in filter(None, (i.strip() for i in body.split(","))):
			name, _, given = (p.strip() for p in item.partition("="))
			if given.isdigit():
				value = int(given)
			elif given:
				continue
			out[name] = value
			value += 1
	return out


UAPI = read_uapi()
STATE_TYPES = {
	"CLOCK_SEQ": "I", "BASE_RAW_NS": "q", "BASE_UNIX_NS": "q", "RATE_Q48": "q",
	"ROOT_DISP_NS": "Q", "DISP_RATE_PPB": "I", "LEAP": "B", "STRATUM": "B", "REFID": "4s",
	"REF_UNIX_NS": "q", "ROOT_DELAY_NS": "Q", "PRECISION_LOG2S": "b", "DEADLINE_BOOT_NS": "q",
	"MAX_DIST_NS": "Q", "PUSH_INTERVAL_NS": "Q", "STATUS": "I", "AGE_NS": "Q", "PUSHES": "Q",
	"NOW_DISP_NS": "Q", "NOW_UNIX_NS": "q", "LIMIT_CLIENTS": "I", "BUDGET_PER_S": "I",
	"NO_CLIENTLOG": "B",
}
LISTENER_TYPES = {
	"PORT": "H", "ADDR": None, "IFINDEX": "I", "NEVER_SYNCED": "I", "EXPIRED": "I", "FLAGS": "I",
	"MAX_STRATUM": "B", "VERSIONS": "B", "MAX_DIST_NS": "Q", "PIECE": None, "LIMIT": None,
	"ACL": "str",
}
EVENT_TYPES = {"KIND": "I", "STATUS": "I", "PKTS": "Q", "QUIRK": "I"}
LIMIT_TYPES = {
	"INTERVAL_LOG2S": "b", "BURST": "I", "LEAK_LOG2": "B", "KOD_LOG2": "B", "NAT": "I",
	"PREFIX_V4": "B", "PREFIX_V6": "B",
}
LIMIT_KINDS = {UAPI["NTPK_A_LIMIT_" + k]: k for k in LIMIT_TYPES}
PIECE_FIELDS = ("FROM_UNIX_NS", "OFFSET_NS", "RATE_Q48", "CURVE_Q112")
SILENT, UNSYNC = UAPI["NTPK_POLICY_SILENT"], UAPI["NTPK_POLICY_UNSYNC"]
STATUS = {value: name[len("NTPK_STATUS_"):].lower() for name, value in UAPI.items()
	  if name.startswith("NTPK_STATUS_")}
EVENT = {value: name[len("NTPK_EVENT_"):].lower() for name, value in UAPI.items()
	 if name.startswith("NTPK_EVENT_")}
KEY_KINDS = {value: name[len("NTPK_KEY_"):].lower() for name, value in UAPI.items()
	     if name.startswith("NTPK_KEY_")}
ACL_NUMBERS = ("GENERATION", "COUNT_V4", "COUNT_V6", "OTHERWISE", "BYTES")


class Refused(OSError):
	"""The kernel said no: .errno, .text (extack, may be empty), .offset (of the attribute)."""

	def __init__(self, err, text, offset):
		super().__init__(err, f"{errno.errorcode.get(err, err)}: {text or '(no text)'}")
		self.text, self.offset = text, offset


def attr(kind, data):
	raw = struct.pack("=HH", 4 + len(data), kind) + data
	return raw + bytes(-len(raw) % 4)


def nest(kind, *attrs):
	return attr(kind | NLA_F_NESTED, b"".join(attrs))


def attrs(data):
	"""[(kind without flags, payload)] of a stream of attributes."""
	out, at = [], 0
	while len(data) - at >= 4:
		length, kind = struct.unpack_from("=HH", data, at)
		if length < 4:
			break
		out.append((kind & NLA_TYPE, data[at + 4:at + length]))
		at += (length + 3) & ~3
	return out


def state_attr(name, value):
	"""One attribute of a state; bytes go in as they are."""
	raw = value if isinstance(value, bytes) else struct.pack("=" + STATE_TYPES[name], value)
	return attr(UAPI["NTPK_A_STATE_" + name], raw)


def piece_attr(piece):
	"""One piece of a correction: a tuple as PIECE_FIELDS."""
	return nest(UAPI["NTPK_A_LISTENER_PIECE"], *(
		attr(UAPI["NTPK_A_PIECE_" + k], struct.pack("=q", v))
		for k, v in zip(PIECE_FIELDS, piece)))


def limit_attr(limit):
	"""How much a client may ask: a dict with the names of LIMIT_TYPES."""
	return nest(UAPI["NTPK_A_LISTENER_LIMIT"], *(
		attr(UAPI["NTPK_A_LIMIT_" + k],
		     v if isinstance(v, bytes) else struct.pack("=" + LIMIT_TYPES[k], v))
		for k, v in limit.items()))


def listener_attr(listener):
	"""A listener as a dict; PIECE is a list of tuples, LIMIT a dict."""
	parts = []
	for name, value in listener.items():
		if name == "PIECE":
			parts += [piece_attr(piece) for piece in value]
			continue
		if name == "LIMIT":
			parts.append(limit_attr(value))
			continue
		kind = name if isinstance(name, int) else UAPI["NTPK_A_LISTENER_" + name]
		if isinstance(value, str):
			value = value.encode() + b"\0"
		raw = value if isinstance(value, bytes) else (
			struct.pack("=" + LISTENER_TYPES[name], value))
		parts.append(attr(kind, raw))
	return nest(UAPI["NTPK_A_STATE_LISTENER"], *parts)


def state_nest(state):
	"""The nest NTPK_A_STATE of a dict as default_state() makes it."""
	parts = [state_attr(k, v) for k, v in state.items() if k in STATE_TYPES]
	parts += [listener_attr(listener) for listener in state.get("LISTENERS", [])]
	return nest(UAPI["NTPK_A_STATE"], *parts)


def key_attr(key_id, kind, secret):
	"""One key; kind is a name such as "sha1"."""
	return nest(UAPI["NTPK_A_KEYS_KEY"],
		    attr(UAPI["NTPK_A_KEY_ID"], struct.pack("=I", key_id)),
		    attr(UAPI["NTPK_A_KEY_TYPE"], struct.pack("=I", UAPI["NTPK_KEY_" + kind.upper()])),
		    attr(UAPI["NTPK_A_KEY_SECRET"], secret))


def parse_key(data):
	"""A key as key_attr() takes it."""
	found = dict(attrs(data))
	number = lambda name: struct.unpack("=I", found[UAPI["NTPK_A_KEY_" + name]])[0]
	return number("ID"), KEY_KINDS[number("TYPE")], found[UAPI["NTPK_A_KEY_SECRET"]]


PREFIX_PACKERS = {
	v: struct.Struct(f"=HHHH{n}sHHB3xHHI") for v, n in ((4, 4), (6, 16))
}


def prefix_attr(rule):
	"""One rule of an access list, (version, address as a number, length, allow)."""
	version, addr, length, allow = rule
	n = 4 if version == 4 else 16
	return PREFIX_PACKERS[version].pack(
		24 + n, UAPI["NTPK_A_ACL_PREFIX"] | NLA_F_NESTED,
		4 + n, UAPI["NTPK_A_PREFIX_ADDR"], addr.to_bytes(n, "big"),
		5, UAPI["NTPK_A_PREFIX_LEN"], length, 8, UAPI["NTPK_A_PREFIX_ACCESS"], allow)


def acl_name(name):
	"""The attributes that say which list: none where it has no name."""
	return [attr(UAPI["NTPK_A_ACL_NAME"], name.encode(errors="surrogateescape") + b"\0")] if name is not None else []


def parse_prefix(data):
	"""A rule, or a range of a dump, as prefix_attr() takes it; length None without one."""
	found = dict(attrs(data))
	addr = found[UAPI["NTPK_A_PREFIX_ADDR"]]
	length = found.get(UAPI["NTPK_A_PREFIX_LEN"])
	return (4 if len(addr) == 4 else 6, int.from_bytes(addr, "big"), length[0] if length else None,
		struct.unpack("=I", found[UAPI["NTPK_A_PREFIX_ACCESS"]])[0])


def acl_numbers(raw):
	"""{attribute: number} of what is told of a list."""
	found = dict(raw)
	return {k: int.from_bytes(found[UAPI["NTPK_A_ACL_" + k]], sys.byteorder)
		for k in ACL_NUMBERS if UAPI["NTPK_A_ACL_" + k] in found}


PHC_TYPES = {
	"IFINDEX": "I", "PHC_NS": "q", "RAW_NS": "q", "RATE": "q", "ERR_NS": "I", "SKEW_PPB": "I",
	"VALID_UNTIL_NS": "q", "RX_LATER_NS": "i",
}
PHC_KINDS = {UAPI["NTPK_A_PHC_" + k]: k for k in PHC_TYPES}


def phc_nest(what):
	"""The nest NTPK_A_PHC of a dict with the names of PHC_TYPES; bytes go in as they are."""
	return nest(UAPI["NTPK_A_PHC"], *(
		attr(UAPI["NTPK_A_PHC_" + k],
		     v if isinstance(v, bytes) else struct.pack("=" + PHC_TYPES[k], v))
		for k, v in what.items()))


def parse_t2s(raw, nest_kind, what="NTPK_T2_"):
	"""{name: answers} of the counters among attributes: of T2, or of departures."""
	out = {}
	for kind, value in raw:
		if kind == nest_kind:
			t2 = dict(attrs(value))
			name = t2[UAPI["NTPK_A_T2_NAME"]].rstrip(b"\0").decode()
			if UAPI[what + name.upper()] != struct.unpack("=I", t2[UAPI["NTPK_A_T2_KIND"]])[0]:
				raise RuntimeError(f"{name} has the number of another one")
			out[name] = struct.unpack("=Q", t2[UAPI["NTPK_A_T2_PKTS"]])[0]
	return out


CLIENT_TYPES = {
	"REQUESTS": "I", "DROPPED": "I", "FIRST_AGE_NS": "Q", "LAST_AGE_NS": "Q", "QUIRK": "I",
}
CLIENT_KINDS = {UAPI["NTPK_A_CLIENT_" + k]: k for k in (*CLIENT_TYPES, "ADDR", "RECORD")}
FILTER_TYPES = {"LEN": "B", "QUIRK": "I", "REQUESTS": "I", "LAST_AGE_NS": "Q"}


def client_filter(**what):
	"""Which clients are asked for; ADDR, and whatever is no number, are bytes."""
	return nest(UAPI["NTPK_A_CLIENT_FILTER"], *(
		attr(UAPI["NTPK_A_CLIENT_FILTER_" + k],
		     v if isinstance(v, bytes) else struct.pack("=" + FILTER_TYPES[k], v))
		for k, v in what.items()))


def parse_client(data):
	"""A client as a dict; ADDR is a text, RECORD bytes."""
	out = {}
	for kind, value in attrs(data):
		name = CLIENT_KINDS.get(kind)
		if name in CLIENT_TYPES:
			out[name] = struct.unpack("=" + CLIENT_TYPES[name], value)[0]
		elif name:
			out[name] = value
	family = socket.AF_INET if len(out["ADDR"]) == 4 else socket.AF_INET6
	out["ADDR"] = socket.inet_ntop(family, out["ADDR"])
	return out


def attr_at(message, offset):
	"""Kind of the attribute that a refusal points to; None where it points to none."""
	if offset is None or offset + 4 > len(message):
		return None
	return struct.unpack("=H", message[offset + 2:offset + 4])[0] & NLA_TYPE


class Genl:
	"""A socket for the family in one namespace; a dump comes in pieces of so many bytes."""

	def __init__(self, ns=None, family="ntpk", sock=None, piece=1 << 16):
		self.piece = piece
		make = ns.socket if ns else socket.socket
		self.s = sock or make(socket.AF_NETLINK, socket.SOCK_RAW, GENL_CTRL)
		self.s.bind((0, 0))
		self.s.settimeout(10 * tap.slow())
		self.s.setsockopt(SOL_NETLINK, NETLINK_EXT_ACK, 1)
		self.s.setsockopt(SOL_NETLINK, NETLINK_CAP_ACK, 1)
		self.seq = 0
		self.resolve(family)

	def resolve(self, family):
		name = attr(CTRL_NAME, family.encode() + b"\0")
		found = dict(attrs(self.call(GENL_CTRL, CTRL_GETFAMILY, name)))
		self.family = struct.unpack("=H", found[CTRL_ID])[0]
		self.groups = {}
		for _, group in attrs(found.get(CTRL_GROUPS, b"")):
			g = dict(attrs(group))
			self.groups[g[GROUP_NAME].rstrip(b"\0").decode()] = (
				struct.unpack("=I", g[GROUP_ID])[0])

	def send(self, kind, payload, flags=NLM_F_REQUEST | NLM_F_ACK):
		self.seq += 1
		self.sent = struct.pack("=IHHII", 16 + len(payload), kind, flags, self.seq, 0) + payload
		self.s.send(self.sent)

	def call(self, kind, cmd, payload=b"", flags=NLM_F_REQUEST | NLM_F_ACK, version=1,
		 reserved=0):
		"""One request to its acknowledgement; the attributes of its answer."""
		self.send(kind, struct.pack("=BBH", cmd, version, reserved) + payload, flags)
		return self.answer()

	def answer(self, between=None):
		"""The attributes of all that comes; between() is called before each piece of a dump."""
		out, self.interrupted = b"", False
		while True:
			if between:
				between()
			data = self.s.recv(self.piece)
			while len(data) >= 16:
				length, kind, flags, seq, _ = struct.unpack("=IHHII", data[:16])
				body, data = data[16:length], data[(length + 3) & ~3:]
				if seq != self.seq:
					continue
				if kind == NLMSG_ERROR:
					self.raise_error(flags, body)
					return out
				self.interrupted |= bool(flags & NLM_F_DUMP_INTR)
				if kind == NLMSG_DONE:
					# a dump's errno, and what a failed one says about it
					self.raise_error(flags, body, 4)
					return out
				out += body[4:]

	@staticmethod
	def raise_error(flags, body, tlvs=None):
		err = -struct.unpack("=i", body[:4])[0]
		if not err:
			return
		text, offset = "", None
		if flags & NLM_F_ACK_TLVS:
			start = tlvs or (20 if flags & NLM_F_CAPPED else
					 4 + struct.unpack("=I", body[4:8])[0])
			tlv = dict(attrs(body[start:]))
			text = tlv.get(1, b"").rstrip(b"\0").decode()
			offset = struct.unpack("=I", tlv[2])[0] if 2 in tlv else None
		raise Refused(err, text, offset)

	def cmd(self, name, payload=b"", **kwargs):
		return self.call(self.family, UAPI["NTPK_CMD_" + name], payload, **kwargs)

	def attach(self):
		self.cmd("ATTACH")

	def detach(self):
		self.cmd("DETACH")

	def clock(self):
		"""{SEQ, RAW_NS, REAL_NS, BOOT_NS}"""
		clock = dict(attrs(dict(attrs(self.cmd("GET_CLOCK")))[UAPI["NTPK_A_CLOCK"]]))
		types = {"SEQ": "I", "RAW_NS": "q", "REAL_NS": "q", "BOOT_NS": "q"}
		return {k: struct.unpack("=" + t, clock[UAPI["NTPK_A_CLOCK_" + k]])[0]
			for k, t in types.items()}

	def default_state(self, shift_ns=0, never_synced=SILENT, expired=UNSYNC, port=123, **change):
		"""A good synchronised state: this machine's clock plus shift_ns."""
		c = self.clock()
		state = {
			"CLOCK_SEQ": c["SEQ"], "BASE_RAW_NS": c["RAW_NS"],
			"BASE_UNIX_NS": c["REAL_NS"] + shift_ns, "RATE_Q48": 0,
			"ROOT_DISP_NS": 1000000, "DISP_RATE_PPB": 15000, "LEAP": 0, "STRATUM": 2,
			"REFID": b"\x0a\x4d\0\1", "REF_UNIX_NS": c["REAL_NS"] + shift_ns - 5 * 10**9,
			"ROOT_DELAY_NS": 2000000, "PRECISION_LOG2S": -25,
			"DEADLINE_BOOT_NS": c["BOOT_NS"] + 3600 * 10**9, "MAX_DIST_NS": 10**9,
			"PUSH_INTERVAL_NS": 1000 * 10**9,
			"LISTENERS": [{"PORT": port, "NEVER_SYNCED": never_synced,
				       "EXPIRED": expired}],
		}
		state.update(change)
		return state

	def push(self, state):
		self.cmd("SET_STATE", state_nest(state))
		return state

	def push_default(self, *args, **kwargs):
		return self.push(self.default_state(*args, **kwargs))

	def push_unsync(self, **kwargs):
		return self.push_default(LEAP=3, STRATUM=0, REFID=bytes(4), REF_UNIX_NS=0, **kwargs)

	def keys(self, keys, generation=1):
		"""Replace the keys by [(id, type, secret)]."""
		self.keys_begin(generation, len(keys))
		for i in range(0, len(keys), 64):
			self.keys_add(generation, keys[i:i + 64])
		self.keys_cmd("COMMIT", GENERATION=generation)

	def keys_begin(self, generation, count):
		self.keys_cmd("BEGIN", GENERATION=generation, COUNT=count)

	def keys_add(self, generation, keys):
		self.keys_cmd("ADD", *(key_attr(*key) for key in keys), GENERATION=generation)

	def keys_cmd(self, what, *parts, **numbers):
		parts += tuple(attr(UAPI["NTPK_A_KEYS_" + k], struct.pack("=I", v))
			       for k, v in numbers.items())
		self.cmd("KEYS_" + what, nest(UAPI["NTPK_A_KEYS"], *parts))

	def get_keys(self):
		"""{attribute: bytes} of what can be read of the keys."""
		return dict(attrs(dict(attrs(self.cmd("GET_KEYS")))[UAPI["NTPK_A_KEYS"]]))

	def acl(self, rules, otherwise=0, generation=1, name=None):
		"""Replace an access list by rules as prefix_attr() takes them, in any order."""
		rules = sorted(rules)
		v4 = sum(r[0] == 4 for r in rules)
		self.acl_begin(generation, v4, len(rules) - v4, otherwise, name)
		for i in range(0, len(rules), 1024):
			self.acl_add(generation, rules[i:i + 1024])
		self.acl_cmd("ACL_COMMIT", GENERATION=generation)

	def acl_begin(self, generation, v4, v6=0, otherwise=0, name=None):
		self.acl_cmd("ACL_BEGIN", *acl_name(name), GENERATION=generation, COUNT_V4=v4,
			     COUNT_V6=v6, OTHERWISE=otherwise)

	def acl_add(self, generation, rules):
		self.acl_cmd("ACL_ADD", *map(prefix_attr, rules), GENERATION=generation)

	def acl_cmd(self, cmd, *parts, **numbers):
		parts += tuple(attr(UAPI["NTPK_A_ACL_" + k], struct.pack("=I", v))
			       for k, v in numbers.items())
		return self.cmd(cmd, nest(UAPI["NTPK_A_ACL"], *parts))

	def get_acl(self, name=None):
		"""{attribute: number} of the list in use; empty without one."""
		answer = self.acl_cmd("GET_ACL", *acl_name(name)) if name else self.cmd("GET_ACL")
		return acl_numbers(attrs(dict(attrs(answer))[UAPI["NTPK_A_ACL"]]))

	def acl_check(self, version, addr, name=None):
		"""(allow, length of the deciding prefix or None)"""
		raw = addr.to_bytes(4 if version == 4 else 16, "big")
		answer = self.acl_cmd("ACL_CHECK", attr(UAPI["NTPK_A_ACL_ADDR"], raw), *acl_name(name))
		found = dict(attrs(dict(attrs(answer))[UAPI["NTPK_A_ACL"]]))
		access = struct.unpack("=I", found[UAPI["NTPK_A_ACL_ACCESS"]])[0]
		if UAPI["NTPK_A_ACL_PREFIX"] not in found:
			return access, None
		v, first, length, allow = parse_prefix(found[UAPI["NTPK_A_ACL_PREFIX"]])
		bits = 32 if version == 4 else 128
		if (v, first, allow) != (version, addr >> bits - length << bits - length, access):
			raise RuntimeError(f"prefix {first:#x}/{length} does not hold {addr:#x}")
		return access, length

	def dump_acl(self, step=1):
		"""[range as parse_prefix() gives it] of every step-th range, and how many there are."""
		out = self.cmd("GET_ACL", flags=NLM_F_REQUEST | NLM_F_DUMP)
		raw = [value for _, acl in attrs(out) for kind, value in attrs(acl)
		       if kind == UAPI["NTPK_A_ACL_PREFIX"]]
		return [parse_prefix(value) for value in raw[::step]], len(raw)

	def dump_acls(self):
		"""
		{name: (numbers as get_acl() has them, [range as parse_prefix() has it])} of all lists,
		of which a large one comes in pieces; "" is that without a name.
		"""
		out = {}
		for _, acl in attrs(self.cmd("GET_ACL", flags=NLM_F_REQUEST | NLM_F_DUMP)):
			found = attrs(acl)
			name = dict(found).get(UAPI["NTPK_A_ACL_NAME"], b"\0")[:-1].decode(errors="surrogateescape")
			_, ranges = out.setdefault(name, (acl_numbers(found), []))
			ranges += [parse_prefix(value) for kind, value in found if kind == UAPI["NTPK_A_ACL_PREFIX"]]
		return out

	def dump_acl_names(self):
		"""{name: how many ranges} of all lists."""
		return {name: len(ranges) for name, (_, ranges) in self.dump_acls().items()}

	def clients(self, between=None, **what):
		"""[client as parse_client() gives it] of all, or of those of a filter."""
		payload = client_filter(**what) if what else b""
		self.send(self.family, struct.pack("=BBH", UAPI["NTPK_CMD_GET_CLIENTS"], 1, 0) + payload,
			  NLM_F_REQUEST | NLM_F_DUMP)
		return [parse_client(value) for _, clients in attrs(self.answer(between))
			for kind, value in attrs(clients) if kind == UAPI["NTPK_A_CLIENTS_CLIENT"]]

	def set_phc(self, **what):
		"""Replace the map of a device's clock; with IFINDEX alone, drop it."""
		self.cmd("SET_PHC", phc_nest(what))

	def phcs(self):
		"""{ifindex: (map as set_phc() takes it, {kind of T2: answers})}"""
		out = {}
		for _, phc in attrs(self.cmd("GET_PHC", flags=NLM_F_REQUEST | NLM_F_DUMP)):
			raw = attrs(phc)
			what = {PHC_KINDS[k]: struct.unpack("=" + PHC_TYPES[PHC_KINDS[k]], v)[0]
				for k, v in raw if k in PHC_KINDS}
			out[what["IFINDEX"]] = what, parse_t2s(raw, UAPI["NTPK_A_PHC_T2"])
		return out

	def t2s(self):
		"""{kind of T2: answers}"""
		return parse_t2s(attrs(dict(attrs(self.cmd("GET_STATS")))[UAPI["NTPK_A_STATS"]]),
				 UAPI["NTPK_A_STATS_T2"])

	def t3s(self):
		"""{kind of departure: watched replies}"""
		return parse_t2s(attrs(dict(attrs(self.cmd("GET_STATS")))[UAPI["NTPK_A_STATS"]]),
				 UAPI["NTPK_A_STATS_T3"], "NTPK_T3_")

	def quirks(self):
		"""{name: (number, requests)} of all classes of clients."""
		out = {}
		for kind, value in attrs(dict(attrs(self.cmd("GET_STATS")))[UAPI["NTPK_A_STATS"]]):
			if kind == UAPI["NTPK_A_STATS_QUIRK"]:
				q = dict(attrs(value))
				name = q[UAPI["NTPK_A_QUIRK_NAME"]].rstrip(b"\0").decode()
				out[name] = (struct.unpack("=I", q[UAPI["NTPK_A_QUIRK_NUMBER"]])[0],
					     struct.unpack("=Q", q[UAPI["NTPK_A_QUIRK_PKTS"]])[0])
		return out

	def state(self):
		"""The state as a dict; LISTENERS a list of dicts, STATUS by name."""
		raw = attrs(dict(attrs(self.cmd("GET_STATE")))[UAPI["NTPK_A_STATE"]])
		kinds = {UAPI["NTPK_A_STATE_" + k]: k for k in STATE_TYPES}
		out = {"LISTENERS": []}
		for kind, value in raw:
			if kind == UAPI["NTPK_A_STATE_LISTENER"]:
				out["LISTENERS"].append(parse_listener(value))
			elif kind in kinds:
				name = kinds[kind]
				out[name] = struct.unpack("=" + STATE_TYPES[name], value)[0]
		out["STATUS"] = STATUS[out["STATUS"]]
		return out

	def status(self):
		return self.state()["STATUS"]

	def stats(self):
		"""{name: packets} of all counters; self.classes has their classes."""
		out, self.classes = {}, {}
		for kind, value in attrs(dict(attrs(self.cmd("GET_STATS")))[UAPI["NTPK_A_STATS"]]):
			if kind != UAPI["NTPK_A_STATS_COUNTER"]:
				continue
			c = dict(attrs(value))
			name = c[UAPI["NTPK_A_COUNTER_NAME"]].rstrip(b"\0").decode()
			out[name] = struct.unpack("=Q", c[UAPI["NTPK_A_COUNTER_PKTS"]])[0]
			self.classes[name] = struct.unpack("=I", c[UAPI["NTPK_A_COUNTER_CLASS"]])[0]
		return out

	def departures(self):
		"""{(ifindex, is_v6): (correction_ns, residual_ns, samples)}"""
		out = {}
		for kind, value in attrs(dict(attrs(self.cmd("GET_STATS")))[UAPI["NTPK_A_STATS"]]):
			if kind != UAPI["NTPK_A_STATS_DEPARTURE"]:
				continue
			d = dict(attrs(value))
			num = lambda name: int.from_bytes(d[UAPI["NTPK_A_DEPARTURE_" + name]], sys.byteorder)
			out[num("IFINDEX"), num("IS_V6")] = num("CORRECTION_NS"), num("RESIDUAL_NS"), num("SAMPLES")
		return out

	def hist(self):
		"""({histogram: [counts]}, [{what: value} of the worst])"""
		out, worst = {}, []
		for kind, value in attrs(dict(attrs(self.cmd("GET_HIST")))[UAPI["NTPK_A_HIST"]]):
			for name in ("RESIDENCE", "T2_AGE"):
				if kind == UAPI["NTPK_A_HIST_" + name]:
					out[name.lower()] = list(struct.unpack(f"={len(value) // 8}Q", value))
			if kind == UAPI["NTPK_A_HIST_WORST"]:
				w = dict(attrs(value))
				worst.append({name.lower(): int.from_bytes(w[UAPI["NTPK_A_WORST_" + name]], sys.byteorder)
					      for name in ("RESIDENCE_NS", "T2_AGE_NS", "RAW_NS", "CPU", "IFINDEX", "QUEUE")})
		return out, worst

	def close(self):
		self.s.close()


def parse_listener(data):
	kinds = {UAPI["NTPK_A_LISTENER_" + k]: (k, t) for k, t in LISTENER_TYPES.items()}
	out = {}
	for kind, value in attrs(data):
		name, code = kinds.get(kind, (None, None))
		if name == "PIECE":
			piece = dict(attrs(value))
			out.setdefault(name, []).append(tuple(
				struct.unpack("=q", piece[UAPI["NTPK_A_PIECE_" + k]])[0] for k in PIECE_FIELDS))
		elif name == "LIMIT":
			out[name] = {LIMIT_KINDS[k]: struct.unpack("=" + LIMIT_TYPES[LIMIT_KINDS[k]], v)[0]
				     for k, v in attrs(value)}
		elif code == "str":
			out[name] = value[:-1].decode(errors="surrogateescape")
		elif name:
			out[name] = struct.unpack("=" + code, value)[0] if code else value
	return out


class Events:
	"""The multicast group "events" in one namespace; of some kinds of events only."""

	def __init__(self, ns=None, kinds=("expired", "step")):
		self.g = Genl(ns)
		self.kinds = kinds
		self.g.s.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, self.g.groups["events"])

	def read(self, seconds=0.0):
		"""[(kind, status)] by name; waits up to seconds for the first one."""
		return [(e["KIND"], e["STATUS"]) for e in self.read_all(seconds)]

	def read_all(self, seconds=0.0):
		"""Each with all that it tells, by name of its attribute."""
		out = []
		end = time.monotonic() + seconds * tap.slow()
		while select.select([self.g.s], [], [], 0 if out else max(0, end - time.monotonic()))[0]:
			data = self.g.s.recv(1 << 16)
			kind = struct.unpack("=IH", data[:6])[1]
			if kind != self.g.family or data[16] != UAPI["NTPK_CMD_EVENT"]:
				continue
			event = dict(attrs(dict(attrs(data[20:]))[UAPI["NTPK_A_EVENT"]]))
			event = {k: struct.unpack("=" + code, event[UAPI["NTPK_A_EVENT_" + k]])[0]
				 for k, code in EVENT_TYPES.items() if UAPI["NTPK_A_EVENT_" + k] in event}
			event.update(KIND=EVENT[event["KIND"]], STATUS=STATUS[event["STATUS"]])
			if event["KIND"] in self.kinds:
				out.append(event)
		return out


def changed(before, after):
	"""{counter: growth} of those that moved."""
	return {k: after[k] - before.get(k, 0) for k in after if after[k] != before.get(k, 0)}
