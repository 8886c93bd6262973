#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-only
"""
Shows that every malformed netlink message is refused with its own clear text
and changes nothing, that who may not change anything is told so and can still
read, and what the module's parameter userns=1 allows, and to whom that is charged.
About 25 seconds.
"""
import errno
import os
import pwd
import re
import struct
import threading
import time

import cgroup
import fixture
import memory
import netns
import ntpknl
import tap
from ntpknl import UAPI, attr, nest, state_attr

# words that the text must have: (errno, regular expression)
EINVAL, ERANGE, EPERM, ESTALE = errno.EINVAL, errno.ERANGE, errno.EPERM, errno.ESTALE
NOTSUPP, NOTCONN = errno.EOPNOTSUPP, errno.ENOTCONN
SET_NAMES = list(ntpknl.STATE_TYPES)[:15]
GET_NAMES = list(ntpknl.STATE_TYPES)[15:20]
OPTIONAL_NAMES = list(ntpknl.STATE_TYPES)[20:]
S = 10**9
texts = {}


def frozen(g):
	"""All of the state that does not change by itself."""
	state = g.state()
	return {k: v for k, v in state.items() if k not in ("AGE_NS", "NOW_DISP_NS", "NOW_UNIX_NS")}


def refused(g, what, errnos, words, send, at=None):
	"""send() must be refused so, must point to the attribute at, and must change nothing."""
	before = frozen(g)
	where = None
	try:
		send()
		got, text = 0, "(accepted)"
	except ntpknl.Refused as e:
		got, text, where = e.errno, e.text, ntpknl.attr_at(g.sent, e.offset)
	errnos = errnos if isinstance(errnos, tuple) else (errnos,)
	right = got in errnos and re.search(words, text, re.I) and (at is None or where == at)
	tap.ok(right and frozen(g) == before, f"refused: {what}",
	       f"errno {got}, wanted {errnos}\ntext {text!r}, wanted /{words}/\n"
	       f"points to attribute {where}, wanted {at}\n"
	       f"{'unchanged' if frozen(g) == before else 'CHANGED'}")
	tap.note(f"  says: {text}")
	texts.setdefault(text, []).append(what)


def test_missing(g):
	good = g.default_state()
	for name in SET_NAMES:
		state = {k: v for k, v in good.items() if k != name}
		refused(g, f"no {name}", EINVAL, rf"{name}.*missing", lambda: g.push(state))
	state = dict(good, LISTENERS=[])
	refused(g, "no LISTENER", EINVAL, "LISTENER.*missing", lambda: g.push(state))
	for name in ("PORT", "NEVER_SYNCED", "EXPIRED"):
		listener = {k: v for k, v in good["LISTENERS"][0].items() if k != name}
		refused(g, f"a listener without {name}", EINVAL, rf"{name}.*missing",
			lambda: g.push(dict(good, LISTENERS=[listener])))
	refused(g, "no STATE at all", EINVAL, "STATE.*missing", lambda: g.cmd("SET_STATE"))
	refused(g, "an empty STATE", EINVAL, "missing",
		lambda: g.cmd("SET_STATE", nest(UAPI["NTPK_A_STATE"])))


def test_lengths(g):
	good = g.default_state()
	for name in SET_NAMES + OPTIONAL_NAMES:
		size = struct.calcsize(ntpknl.STATE_TYPES[name])
		for n in sorted({0, size - 1, size + 1} - {size}):
			bad = dict(good, **{name: bytes(n)})
			refused(g, f"{name} of {n} bytes", (EINVAL, ERANGE), "length|size",
				lambda: g.push(bad), at=UAPI["NTPK_A_STATE_" + name])
	for name, size in (("PORT", 1), ("PORT", 4), ("NEVER_SYNCED", 2), ("EXPIRED", 8)):
		listener = dict(good["LISTENERS"][0], **{name: bytes(size)})
		refused(g, f"listener {name} of {size} bytes", (EINVAL, ERANGE), "length|size",
			lambda: g.push(dict(good, LISTENERS=[listener])),
			at=UAPI["NTPK_A_LISTENER_" + name])


# one value beyond each limit, and what must be said about it
RANGES = [
	("RATE_Q48", 2814749767107, "range|RATE"), ("RATE_Q48", -2814749767107, "range|RATE"),
	("LEAP", 4, "range|LEAP"), ("STRATUM", 16, "range|STRATUM"),
	("STRATUM", 0, "STRATUM must be 1..15"), ("PRECISION_LOG2S", -33, "range|PRECISION"),
	("PRECISION_LOG2S", 1, "range|PRECISION"), ("BASE_RAW_NS", -1, "BASE_RAW_NS"),
	("BASE_UNIX_NS", -1, "BASE_UNIX_NS.*1970"), ("BASE_UNIX_NS", 9214646400 * S, "BASE_UNIX_NS.*2261"),
	("REF_UNIX_NS", -1, "REF_UNIX_NS"), ("REF_UNIX_NS", 9214646400 * S, "REF_UNIX_NS"),
	("ROOT_DISP_NS", 2**58 + 1, "ROOT_DISP_NS"), ("ROOT_DELAY_NS", 2**58 + 1, "ROOT_DELAY_NS"),
	("MAX_DIST_NS", 0, "MAX_DIST_NS"), ("MAX_DIST_NS", 2**58 + 1, "MAX_DIST_NS"), ("PUSH_INTERVAL_NS", 0, "PUSH_INTERVAL_NS"),
	("PUSH_INTERVAL_NS", 2**58 + 1, "PUSH_INTERVAL_NS"), ("DEADLINE_BOOT_NS", -1, "DEADLINE_BOOT_NS"),
	("BASE_RAW_NS", 2**62, "BASE_RAW_NS.*years"),
	("LIMIT_CLIENTS", 0, "range"), ("NO_CLIENTLOG", 2, "range"), ("LIMIT_CLIENTS", 8388609, "range"),
	("BUDGET_PER_S", 0, "range"), ("BUDGET_PER_S", 100000001, "range"),
]


def test_ranges(g):
	good = g.default_state()
	for name, value, words in RANGES:
		refused(g, f"{name} {value}", (EINVAL, ERANGE), words,
			lambda: g.push(dict(good, **{name: value})),
			at=UAPI["NTPK_A_STATE_" + name] if words.startswith("range") else None)
	refused(g, "stratum 2 when unsynchronised", (EINVAL, ERANGE), "STRATUM must be 0",
		lambda: g.push(dict(good, LEAP=3)))
	for name, value in (("PORT", 0), ("NEVER_SYNCED", 2), ("EXPIRED", 2), ("EXPIRED", 2**32 - 1)):
		listener = dict(good["LISTENERS"][0], **{name: value})
		refused(g, f"listener {name} {value}", (EINVAL, ERANGE), f"range|{name}",
			lambda: g.push(dict(good, LISTENERS=[listener])),
			at=UAPI["NTPK_A_LISTENER_" + name])


def test_foreign(g):
	good = g.default_state()
	whole = ntpknl.state_nest(good)
	inner = [state_attr(k, v) for k, v in good.items() if k in ntpknl.STATE_TYPES]
	inner.append(ntpknl.listener_attr(good["LISTENERS"][0]))
	wrap = lambda *more: nest(UAPI["NTPK_A_STATE"], *inner, *more)
	for name in GET_NAMES:
		refused(g, f"{name}, which can only be read", EINVAL, "read",
			lambda: g.push(dict(good, **{name: 0})), at=UAPI["NTPK_A_STATE_" + name])
	for cmd in ("ATTACH", "DETACH", "GET_CLOCK", "GET_STATE", "GET_STATS"):
		refused(g, f"{cmd} with a STATE", EINVAL, "not take|does not|unexpected",
			lambda: g.cmd(cmd, whole))
	for name in ("CLOCK", "STATS", "EVENT"):
		refused(g, f"SET_STATE with {name}", EINVAL, "not take|read",
			lambda: g.cmd("SET_STATE", whole + attr(UAPI["NTPK_A_" + name], bytes(4))),
			at=UAPI["NTPK_A_" + name])
		refused(g, f"SET_STATE with a nest {name}", EINVAL, "not take|read|not expected",
			lambda: g.cmd("SET_STATE", whole + nest(UAPI["NTPK_A_" + name])),
			at=UAPI["NTPK_A_" + name])
	unknown = attr(99, bytes(4))
	refused(g, "an unknown attribute at the top", EINVAL, "unknown", lambda: g.cmd(
		"SET_STATE", whole + unknown))
	refused(g, "an unknown attribute in STATE", EINVAL, "unknown", lambda: g.cmd(
		"SET_STATE", wrap(unknown)))
	refused(g, "an unknown attribute in LISTENER", EINVAL, "unknown", lambda: g.push(
		dict(good, LISTENERS=[{**good["LISTENERS"][0], 99: bytes(4)}])))
	refused(g, "STATE without the flag of a nest", EINVAL, "NLA_F_NESTED|nested", lambda: g.cmd(
		"SET_STATE", attr(UAPI["NTPK_A_STATE"], whole[4:])))
	refused(g, "LEAP twice", EINVAL, "twice", lambda: g.cmd(
		"SET_STATE", wrap(state_attr("LEAP", 0))))
	refused(g, "bytes behind the last attribute", EINVAL, "leftover|trailing|bytes|length",
		lambda: g.cmd("SET_STATE", whole + b"\1\0"))
	refused(g, "an attribute longer than the message", EINVAL, "leftover|length|bytes",
		lambda: g.cmd("SET_STATE", whole + struct.pack("=HH", 400, UAPI["NTPK_A_PAD"])))


def test_headers(g):
	"""What generic netlink itself looks at: there the kernel's words are not ours."""
	whole = ntpknl.state_nest(g.default_state())
	anything = ".*"
	for flags, what in ((ntpknl.NLM_F_DUMP, "a dump"), (0x400, "NLM_F_CREATE"),
			    (0x800, "NLM_F_APPEND")):
		refused(g, f"GET_STATE as {what}", (EINVAL, NOTSUPP), anything,
			lambda: g.cmd("GET_STATE", flags=5 | flags))
	refused(g, "an unknown command", NOTSUPP, anything, lambda: g.call(g.family, 77))
	refused(g, "the event as a command", NOTSUPP, anything, lambda: g.cmd("EVENT"))
	refused(g, "reserved bits of the header", EINVAL, anything,
		lambda: g.cmd("SET_STATE", whole, reserved=1))


def test_stale(g):
	good = g.default_state()
	refused(g, "a clock_seq that is not the clock's", ESTALE, "clock was set.*GET_CLOCK",
		lambda: g.push(dict(good, CLOCK_SEQ=good["CLOCK_SEQ"] + 1)))


def test_not_attached(s):
	other = ntpknl.Genl(s.client)
	refused(other, "a push where nobody attached", NOTCONN, "not attached.*ATTACH",
		lambda: other.push_default())
	refused(other, "a detach where nobody attached", NOTCONN, "not attached", other.detach)


def as_user(fn, ns=None, userns=False, own_net=False):
	"""fn() in a child without rights: (errno, text) of its refusal, or None."""
	r, w = os.pipe()
	pid = os.fork()
	if not pid:
		out = "crashed"
		try:
			if ns:
				netns.setns(ns.fd)
			nobody = pwd.getpwnam("nobody")
			os.setgroups([])
			os.setresgid(*[nobody.pw_gid] * 3)
			os.setresuid(*[nobody.pw_uid] * 3)
			if userns:
				netns.unshare(netns.CLONE_NEWUSER | (netns.CLONE_NEWNET if own_net else 0))
			fn()
			out = "None"
		except ntpknl.Refused as e:
			out = repr((e.errno, e.text))
		except Exception as e:	# shown where the result is compared
			out = repr(repr(e))
		finally:
			os.write(w, out.encode())
			os._exit(0)
	os.close(w)
	os.waitpid(pid, 0)
	with os.fdopen(r) as f:
		return eval(f.read())	# our own child's repr()


def changes():
	"""All that changes something, each as a refusal of its own."""
	g = ntpknl.Genl()
	out = []
	for name, payload in (("ATTACH", b""), ("DETACH", b""),
			      ("SET_STATE", ntpknl.state_nest(g.default_state())),
			      ("ACL_BEGIN", b""), ("ACL_ADD", b""), ("ACL_COMMIT", b""),
			      ("GET_ACL", b""), ("ACL_CHECK", b""), ("KEYS_BEGIN", b""),
			      ("KEYS_ADD", b""), ("KEYS_COMMIT", b""), ("GET_KEYS", b""),
			      ("SET_PHC", ntpknl.phc_nest({"IFINDEX": 1})),
			      ("a dump of GET_ACL", g.dump_acl),
			      ("a dump of GET_CLIENTS", g.clients)):
		try:
			if callable(payload):
				payload()
			else:
				g.cmd(name, payload)
			out.append(f"{name} accepted")
		except ntpknl.Refused as e:
			if e.errno != EPERM or "CAP_NET_ADMIN" not in e.text:
				out.append(str(e))
	if out:
		raise RuntimeError(out)


def reads():
	g = ntpknl.Genl()
	if not g.clock()["RAW_NS"] or not g.stats() or not g.status() or g.phcs() or not g.t2s():
		raise RuntimeError("nothing to read")


def refused_names(g, state):
	"""Names of lists do not outlive the refused push that brought them."""
	one = state["LISTENERS"][0]
	for i in range(64):
		try:
			g.push(dict(state, LIMIT_CLIENTS=65537, LISTENERS=[dict(one, ACL=f"n{i}")]))
		except ntpknl.Refused as e:
			if e.errno != errno.E2BIG:
				raise
	g.acl_begin(3, 0, name="another")
	try:
		g.acl_check(4, 1, "n63")
		raise RuntimeError("the name of a refused push is there")
	except ntpknl.Refused as e:
		if e.errno != errno.ENOENT:
			raise


def serve_own():
	g = ntpknl.Genl()
	before = memory.memory()["VmallocUsed: KiB"]
	g.attach()
	more = memory.memory()["VmallocUsed: KiB"] - before
	if more > 1024:
		raise RuntimeError(f"more than records of 4,096 clients, 512 KiB: {more} KiB")
	g.push_default()
	if g.status() != "sync":
		raise RuntimeError(g.status())
	g.acl_begin(1, 4096)
	state = g.default_state(LIMIT_CLIENTS=65536)
	state["LISTENERS"][0]["LIMIT"] = {"INTERVAL_LOG2S": 3, "BURST": 16}
	g.push(state)
	g.keys_begin(1, 64)
	for what, ask in (("4097 prefixes", lambda: g.acl_begin(2, 4095, 2)),
			  ("65 keys", lambda: g.keys_begin(2, 65)),
			  ("65537 clients", lambda: g.push(dict(state, LIMIT_CLIENTS=65537)))):
		try:
			ask()
			raise RuntimeError(f"{what} of an unprivileged owner accepted")
		except ntpknl.Refused as e:
			if e.errno != errno.E2BIG:
				raise
	refused_names(g, state)
	g.detach()


def own_namespaces(n):
	"""A socket in each, of this owner's."""
	out = []
	for _ in range(n):
		out.append(ntpknl.Genl())
		netns.unshare(netns.CLONE_NEWNET)
	return out


def weigh(group):
	"""Each of what an owner can have the kernel keep, in 16 namespaces, is charged to him."""
	gs = own_namespaces(16)
	state = gs[0].default_state()
	one = state["LISTENERS"][0]
	many = dict(state, LISTENERS=[dict(one, PORT=1000 + i) for i in range(16)])
	limited = dict(state, LISTENERS=[dict(one, LIMIT={"INTERVAL_LOG2S": 3, "BURST": 16})])
	keys = [(i + 1, "sha1", bytes(512)) for i in range(64)]
	def have_keys(g):
		g.keys_begin(1, 64)
		g.keys_add(1, keys)
	for what, least, make in (("records of 4,096 clients", 100 * 4096, lambda g: g.attach()),
				  ("16 listeners", 16 * 256, lambda g: g.push(many)),
				  # the listeners from before are given back meanwhile
				  ("limits of 65,536 clients", 8 * 65536 - 16 * 1024, lambda g: g.push(limited)),
				  ("64 keys", 64 * 512, have_keys),
				  ("4,096 prefixes", 36 * 4096, lambda g: g.acl_begin(1, 0, 4096))):
		time.sleep(2.5)	# until what was before is counted
		before = group.kernel()
		for g in gs:
			make(g)
		grown = lambda: (group.kernel() - before) // len(gs)
		if not tap.wait_for(lambda: grown() >= least, 20, 0.5):
			raise RuntimeError(f"{what}: {grown()} bytes are charged, not {least}")
		tap.note(f"{what}: {grown()} bytes a namespace are charged")
	for g in gs:
		g.detach()


def attach_many(told, let_go):
	"""A namespace more each time, until one is refused, which is told; they stay until they are let go."""
	kept = []
	try:
		for _ in range(300):
			ntpknl.Genl().attach()
			kept.append(open("/proc/self/ns/net"))
			netns.unshare(netns.CLONE_NEWNET)
	except ntpknl.Refused as e:
		os.write(told, b"x")
		os.read(let_go, 1)
		raise ntpknl.Refused(e.errno, f"{len(kept)} attached: {e.text}", 0) from e
	finally:
		os.write(told, b"x")


def test_many(s):
	if tap.is_uml():
		tap.skip("userns=1: 256 namespaces of unprivileged owners", "minutes here")
		return
	(told_r, told), (let_go, let_go_w) = os.pipe(), os.pipe()
	whys = []
	many = threading.Thread(target=lambda: whys.append(
		as_user(lambda: attach_many(told, let_go), userns=True, own_net=True)))
	many.start()
	os.read(told_r, 1)
	g = ntpknl.Genl(s.server)
	g.attach()
	tap.same(s.wire.sync_reply(g.push_default()), None, "userns=1: as many as may are attached, and root's as well")
	why = as_user(serve_own, userns=True, own_net=True)
	tap.ok(why and why[0] == errno.ENOSPC, "another owner's is refused meanwhile", why)
	os.write(let_go_w, b"x")
	many.join()
	tap.ok(whys[0] and whys[0][0] == errno.ENOSPC and re.fullmatch(r"256 attached: .+", whys[0][1]),
	       "the 257th was refused", whys)
	again = tap.wait_for(lambda: as_user(serve_own, userns=True, own_net=True) is None, 60, 0.5)
	tap.ok(again, "and when they have gone, unprivileged owners again")


def test_rights(s):
	before = frozen(s.g)
	for what, kwargs in (("an ordinary user", {}),
			     ("root of a user namespace", {"userns": True}),
			     ("the owner of a network namespace", {"userns": True, "own_net": True})):
		ns = None if kwargs.get("own_net") else s.server
		tap.same(as_user(changes, ns, **kwargs), None, f"{what} may change nothing, and is told why")
		tap.same(as_user(reads, ns, **kwargs), None, f"{what} may read clock, state and stats")
	tap.same(frozen(s.g), before, "and nothing was changed")


def test_userns(s):
	"""The parameter is for owners of their own namespace, and for them only."""
	netns.unload()
	netns.insmod("userns=1")
	with open("/sys/module/ntpk/parameters/userns") as f:
		tap.same(f.read().strip(), "Y", "userns=1 is set")
	tap.same(as_user(serve_own, userns=True, own_net=True), None,
		 "userns=1: the owner of a network namespace attaches, pushes, detaches")
	tap.same(as_user(changes, s.server), None, "userns=1: an ordinary user may change nothing")
	tap.same(as_user(changes, s.server, userns=True), None,
		 "userns=1: root of a user namespace may change nothing in another's network")
	what = "userns=1: records, listeners, limits, keys and prefixes are charged to their owner"
	group = cgroup.own(what)
	if group:
		tap.same(as_user(lambda: weigh(group), userns=True, own_net=True), None, what)
	test_many(s)


def main():
	s = fixture.served()
	g = s.g
	state = g.push_default()
	for test in (test_missing, test_lengths, test_ranges, test_foreign,
		     test_headers, test_stale):
		test(g)
	total = sum(len(w) for w in texts.values())
	tap.ok(total >= 60, f"{total} malformed messages tried")
	tap.ok(len(texts) >= 35, f"{len(texts)} different texts among them", texts)
	test_not_attached(s)
	tap.same(s.wire.sync_reply(state), None, "after all this, what was pushed first is served")
	test_rights(s)
	tap.same(s.wire.sync_reply(state), None, "and after that, too")
	test_userns(s)


tap.run(main)
