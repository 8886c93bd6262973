#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-only
"""
Shows that the longest prefix of 100,000 (20,000 in the debug kernel; NTPK_ACL)
decides who is answered, by requests from the edges of prefixes of both families,
and that the module says the same of each when asked; that a list is replaced
whole, without a request lost or a wrong one answered between; that a listener
may have a list of its own; that what is refused or left half done changes nothing;
that its memory is charged to who sends it, and given back.
About 14 seconds.
"""
import ipaddress
import random
import struct
import threading

import cgroup
import fixture
import netns
import ntpknl
import ntpq
import pkt
import tap
from ntpknl import UAPI, attr, nest

DENY, ALLOW = 0, 1
BITS = {4: 32, 6: 128}
SERVER = {4: "192.0.2.1", 6: "2001:db8::1"}


class Model:
	"""
	What the words say: the longest of the prefixes that hold an address.  A rule is
	(version, address as a number, length, allow), a source (version, number).
	"""

	def __init__(self, rules, otherwise):
		self.access, self.otherwise = {r[:3]: r[3] for r in rules}, otherwise
		self.lengths = {v: sorted({r[2] for r in rules if r[0] == v}, reverse=True)
				for v in BITS}

	def find(self, version, addr):
		"""(allow, length or None)"""
		for length in self.lengths[version]:
			access = self.access.get((version, cut(version, addr, length), length))
			if access is not None:
				return access, length
		return self.otherwise, None


def cut(version, addr, length):
	return addr >> BITS[version] - length << BITS[version] - length


def make_rules(count, rng):
	"""Half of each family: nested, adjacent, and of many lengths."""
	rules = {}
	while len(rules) < count:
		if len(rules) % 2:
			length = rng.randint(17, 32)
			key = (4, cut(4, 10 << 24 | rng.getrandbits(24), length), length)
		else:
			length = rng.randint(33, 128)
			key = (6, cut(6, 0xfd << 120 | rng.getrandbits(120), length), length)
		rules[key] = rng.getrandbits(1)
	return [key + (allow,) for key, allow in rules.items()]


def edges(rule):
	"""First and last address of a prefix, and those beside it, where they are routed."""
	version, first, length, _ = rule
	last = first + (1 << BITS[version] - length) - 1
	net = BITS[version] - 8
	return {(version, i) for i in (first - 1, first, last, last + 1)
		if i >> net == first >> net and i & (1 << net) - 1}


def text(source):
	make = ipaddress.IPv4Address if source[0] == 4 else ipaddress.IPv6Address
	return str(make(source[1]))


def ask_from(s, sources, port=123):
	"""The set of those that got an answer."""
	answered = set()
	for version in BITS:
		frames, by_stamp = [], {}
		for i, source in enumerate(a for a in sources if a[0] == version):
			req = ntpq.request()
			by_stamp[req[40:48]] = source
			src, dst = text(source), SERVER[version]
			udp = pkt.udp(src, dst, 40000 + i % 1000, port, req)
			frames.append(s.wire.frame(pkt.ip(src, dst, pkt.UDP, udp)))
		for i in range(0, len(frames), 64):
			got = s.wire.exchange(frames[i:i + 64], v6=version == 6)
			answered |= {by_stamp[p.data[24:32]] for p in got if p.proto == pkt.UDP}
	return answered


def expect(s, what, sources, model, port=123, name=None):
	want = {a for a in sources if model.find(*a)[0]}
	got, moved = s.counted(ask_from, s, sources, port)
	counts = {"replied": len(want), "acl_denied": len(sources) - len(want)}
	tap.ok(got == want and moved == {k: v for k, v in counts.items() if v},
	       f"{what}: {len(want)} of {len(sources)} sources are answered, by the longest prefix",
	       f"{moved}; wrongly: {[(text(a), model.find(*a)) for a in got ^ want][:5]}")
	wrong = [(text(a), said, model.find(*a))
		 for a, said in ((a, s.g.acl_check(*a, name)) for a in sources)
		 if said != model.find(*a)]
	tap.ok(not wrong, f"{what}: ACL_CHECK says which prefix decides about each", wrong[:3])


def addr(words):
	a = ipaddress.ip_address(words)
	return a.version, int(a)


def rule(words):
	access, net = words.split()
	net = ipaddress.ip_network(net)
	return (net.version, int(net.network_address), net.prefixlen,
		{"allow": ALLOW, "deny": DENY}[access])


def test_few(s):
	sources = [addr(a) for a in (
		"192.0.2.2", "192.0.2.3", "192.0.2.200", "10.0.0.1", "10.1.2.3", "10.255.255.255",
		"2001:db8::2", "2001:db8::ffff", "fd00::1", "fd00:0:0:1::", "fd00:ffff::1")]
	tap.same((s.g.get_acl(), s.g.acl_check(*addr("192.0.2.2"))), ({}, (ALLOW, None)), "no list at first")
	expect(s, "no list", sources, Model([], ALLOW))
	for what, otherwise, rules in (
		("an allow", DENY, ["allow 192.0.2.0/25"]),
		("a deny", ALLOW, ["deny 192.0.2.0/25"]),
		("an empty list", DENY, []),
		("nested both ways", DENY, ["allow 0.0.0.0/0", "deny 10.0.0.0/8", "allow 10.1.0.0/16",
					    "deny 10.1.2.3/32", "allow fd00::/8", "deny fd00::/64",
					    "allow fd00::1/128"]),
		("the last address", ALLOW, ["deny 10.255.255.255/32", "deny fd00:ffff::/32"])):
		rules = [rule(r) for r in rules]
		s.g.acl(rules, otherwise)
		expect(s, what, sources, Model(rules, otherwise))


def test_many(s, rules, rng):
	start = netns.raw_ns()
	s.g.acl(rules, DENY, generation=77)
	tap.note(f"{len(rules)} prefixes sent in {(netns.raw_ns() - start) / 1e6:.0f} ms")
	info = s.g.get_acl()
	v4 = sum(r[0] == 4 for r in rules)
	tap.ok(info["GENERATION"] == 77 and (info["COUNT_V4"], info["COUNT_V6"]) ==
	       (v4, len(rules) - v4) and info["BYTES"] <= 12 * v4 + 36 * (len(rules) - v4) + 512,
	       f"{len(rules)} prefixes take {info['BYTES']} bytes: 12 each of IPv4, 36 each of IPv6", info)
	model = Model(rules, DENY)
	sources = set().union(*map(edges, rng.sample(rules, 60)))
	expect(s, f"{len(rules)} prefixes", sorted(sources), model)
	return model


def test_dump(s, model):
	ranges, n = s.g.dump_acl(step=17)
	firsts = [r[:2] for r in ranges]
	# each prefix begins a range and ends one, where no other does
	tap.ok(firsts == sorted(set(firsts)) and firsts[0] == (4, 0) and
	       len(model.access) < n <= 2 * len(model.access) + 2, f"a dump gives {n} ranges, sorted",
	       firsts[:5])
	wrong = [(version, first, length, allow) for version, first, length, allow in ranges[::3]
		 if (allow, length) != model.find(version, first)]
	tap.ok(not wrong, "and who decides in each", wrong[:3])


def test_dump_interrupted(s):
	"""A list that is replaced while it is read: the reader is told."""
	reader = ntpknl.Genl(s.server)
	reader.send(reader.family, struct.pack("=BBH", UAPI["NTPK_CMD_GET_ACL"], 1, 0),
		    ntpknl.NLM_F_REQUEST | ntpknl.NLM_F_DUMP)
	s.g.acl([], DENY, generation=78)
	reader.answer()
	tap.ok(reader.interrupted, "a list replaced during a dump: NLM_F_DUMP_INTR")
	reader.close()
	reader = ntpknl.Genl(s.server)
	push_named(s, "gone")
	s.g.acl([(6, i << 64, 64, ALLOW) for i in range(2000)], name="gone")
	reader.send(reader.family, struct.pack("=BBH", UAPI["NTPK_CMD_GET_ACL"], 1, 0),
		    ntpknl.NLM_F_REQUEST | ntpknl.NLM_F_DUMP)
	push_named(s)
	reader.answer()
	tap.ok(reader.interrupted, "a list dropped by a push during a dump: NLM_F_DUMP_INTR")
	reader.close()


def raw_prefix(**parts):
	"""A prefix of any attributes, as bytes."""
	return nest(UAPI["NTPK_A_ACL_PREFIX"],
		    *(attr(UAPI["NTPK_A_PREFIX_" + k], v) for k, v in parts.items()))


def test_refusals(s):
	g = s.g
	good = {"ADDR": bytes([10, 0, 0, 0]), "LEN": b"\x08", "ACCESS": struct.pack("=I", ALLOW)}
	add = lambda *parts: lambda: (g.acl_begin(9, 2, 2),
				      g.acl_cmd("ACL_ADD", *parts, GENERATION=9))
	bad = lambda **parts: add(raw_prefix(**{**good, **parts}))
	less = lambda name: add(raw_prefix(**{k: v for k, v in good.items() if k != name}))
	rules = lambda *texts: lambda: (g.acl_begin(9, 2, 2), g.acl_add(9, map(rule, texts)))
	before = g.get_acl()
	for what, want, words, send in (
		("COMMIT of nothing", "ESTALE", "ACL_BEGIN", lambda: g.acl_cmd("ACL_COMMIT", GENERATION=99)),
		("ADD to nothing", "ESTALE", "ACL_BEGIN", lambda: g.acl_add(99, [rule("allow 10.0.0.0/8")])),
		("no ACL at all", "EINVAL", "ACL is missing", lambda: g.cmd("ACL_BEGIN")),
		("no GENERATION", "EINVAL", "GENERATION is missing", lambda: g.acl_cmd("ACL_BEGIN")),
		("no counts", "EINVAL", "COUNT_V4 is missing", lambda: g.acl_cmd("ACL_BEGIN", GENERATION=1)),
		("no OTHERWISE", "EINVAL", "OTHERWISE is missing", lambda: g.acl_cmd(
			"ACL_BEGIN", GENERATION=1, COUNT_V4=1, COUNT_V6=1)),
		("COUNT_V4 twice", "EINVAL", "twice", lambda: g.acl_cmd(
			"ACL_BEGIN", attr(UAPI["NTPK_A_ACL_COUNT_V4"], bytes(4)), GENERATION=1,
			COUNT_V4=1, COUNT_V6=1, OTHERWISE=0)),
		("a third access", "ERANGE", "", lambda: g.acl_begin(1, 1, otherwise=2)),
		("262,145 prefixes", "E2BIG", "more prefixes than are allowed", lambda: g.acl_begin(
			1, 262144, 1)),
		("2^32 + 1 prefixes", "E2BIG", "", lambda: g.acl_begin(1, 2**32 - 1, 2)),
		("prefixes in BEGIN", "EINVAL", "does not take", lambda: g.acl_cmd(
			"ACL_BEGIN", raw_prefix(**good), GENERATION=1, COUNT_V4=1, COUNT_V6=0, OTHERWISE=0)),
		("more than COUNT_V4", "E2BIG", "COUNT_V4", rules(
			"allow 10.0.0.0/8", "allow 11.0.0.0/8", "allow 12.0.0.0/8")),
		("fewer than the counts", "ENODATA", "COUNT_V4", lambda: (
			rules("allow 10.0.0.0/8")(), g.acl_cmd("ACL_COMMIT", GENERATION=9))),
		("another generation", "ESTALE", "", lambda: (
			g.acl_begin(9, 1), g.acl_add(8, [rule("allow 10.0.0.0/8")]))),
		("a prefix twice", "EINVAL", "sorted", rules("allow 10.0.0.0/8", "deny 10.0.0.0/8")),
		("the longer first", "EINVAL", "sorted", rules("allow 10.0.0.0/9", "deny 10.0.0.0/8")),
		("backwards", "EINVAL", "sorted", rules("allow 11.0.0.0/8", "deny 10.0.0.0/8")),
		("IPv6 first", "EINVAL", "sorted", rules("allow fd00::/8", "deny 10.0.0.0/8")),
		("host bits", "EINVAL", "bits behind LEN", bad(ADDR=bytes([10, 0, 0, 1]))),
		("host bits, IPv6", "EINVAL", "bits behind LEN", bad(ADDR=bytes(15) + b"\1")),
		("length 33 of IPv4", "EINVAL", "more than ADDR has bits", bad(LEN=b"\x21")),
		("length 129", "ERANGE", "", bad(LEN=b"\x81")),
		("an address of 5 bytes", "EINVAL", "4 or 16 bytes", bad(ADDR=bytes(5))),
		("an address of 17 bytes", "ERANGE", "", bad(ADDR=bytes(17))),
		("no address", "EINVAL", "ADDR is missing", less("ADDR")),
		("no length", "EINVAL", "LEN is missing", less("LEN")),
		("no access", "EINVAL", "ACCESS is missing", less("ACCESS")),
		("access 2", "ERANGE", "", bad(ACCESS=struct.pack("=I", 2))),
		("an address twice", "EINVAL", "given twice", add(nest(
			UAPI["NTPK_A_ACL_PREFIX"], *[attr(UAPI["NTPK_A_PREFIX_ADDR"], bytes(4))] * 2))),
		("CHECK of nobody", "EINVAL", "ADDR is missing", lambda: g.acl_cmd("ACL_CHECK")),
		("CHECK of 6 bytes", "EINVAL", "4 or 16", lambda: g.acl_cmd(
			"ACL_CHECK", attr(UAPI["NTPK_A_ACL_ADDR"], bytes(6)))),
		("what can only be read", "EINVAL", "only be read", lambda: g.acl_cmd(
			"ACL_COMMIT", GENERATION=1, ACCESS=1)),
		("a dump with arguments", "EINVAL", "does not take", lambda: g.cmd(
			"GET_ACL", nest(UAPI["NTPK_A_ACL"]), flags=ntpknl.NLM_F_REQUEST | ntpknl.NLM_F_DUMP)),
	):
		fixture.refused(what, want, words, send)
	tap.same(g.get_acl(), before, "the list in use is still that from before")


def test_half_done(s, model, sources):
	other = ntpknl.Genl(s.server)
	other.acl_begin(5, 1, otherwise=ALLOW)
	other.acl_add(5, [rule("allow 0.0.0.0/0")])
	fixture.refused("COMMIT by another socket", "ESTALE", "",
			lambda: s.g.acl_cmd("ACL_COMMIT", GENERATION=5))
	other.close()
	again = ntpknl.Genl(s.server)
	fixture.refused("COMMIT after its socket was closed", "ESTALE", "",
			lambda: again.acl_cmd("ACL_COMMIT", GENERATION=5))
	again.close()
	s.g.acl_begin(6, 1, otherwise=ALLOW)
	s.g.acl_add(6, [rule("allow 0.0.0.0/0")])
	s.g.acl_begin(7, 2, otherwise=ALLOW)
	fixture.refused("COMMIT of what a new BEGIN discarded", "ESTALE", "",
			lambda: s.g.acl_cmd("ACL_COMMIT", GENERATION=6))
	s.g.acl_add(7, [rule("allow 0.0.0.0/0")])
	expect(s, "a list half sent, the old one", sources, model)


def test_swap(s, rules):
	"""Lists come and go while two clients ask: one always allowed, one never."""
	mine = [rule("allow 192.0.2.2/32"), rule("deny 192.0.2.3/32")]
	lists = [mine, [rule("deny 192.0.2.0/24")] + mine, rules[:1000] + mine]
	s.g.acl(mine)
	s.client.sh("ip", "addr", "add", "192.0.2.3/24", "dev", s.link.cdev)
	good = fixture.Stream(s.client, rate=200)
	denied = ntpq.Asker(s.client, "192.0.2.1", bind=("192.0.2.3", 0))
	stop, sent = threading.Event(), [0]

	def ask_in_vain():
		while not stop.is_set():
			denied.s.send(ntpq.request())
			sent[0] += 1
			stop.wait(0.01)

	thread = threading.Thread(target=ask_in_vain, daemon=True)
	good.start()
	thread.start()
	n = 0
	while n < 12 or good.answered < 30 or sent[0] < 20:
		s.g.acl(lists[n % 3], n // 3 % 2, generation=100 + n)
		n += 1
	stop.set()
	thread.join()
	good.finish()
	denied.s.setblocking(False)
	try:
		leaked = denied.s.recv(100)
	except BlockingIOError:
		leaked = None
	tap.ok(not good.unanswered and not good.bad and good.answered == good.sent,
	       f"{n} lists replaced, {good.answered} requests meanwhile, all answered", good.summary())
	tap.ok(leaked is None, f"and {sent[0]} of the one who may not ask, none answered", leaked)
	denied.close()


def push_named(s, *names, port=1123):
	"""One listener with everybody's list, and one for each name, at ports from `port`."""
	one = {"PORT": 123, "NEVER_SYNCED": ntpknl.SILENT, "EXPIRED": ntpknl.UNSYNC}
	s.g.push_default(LISTENERS=[one] + [dict(one, PORT=port + i, ACL=name)
					    for i, name in enumerate(names)])


def test_named(s):
	sources = [addr(a) for a in ("192.0.2.2", "192.0.2.200", "10.0.0.1", "10.1.2.3", "fd00::1",
				     "2001:db8::2")]
	all_rules, cam_rules = [rule("allow 192.0.2.2/32")], [rule("allow 10.0.0.0/8"),
							      rule("deny 10.1.0.0/16")]
	everybody, cams = Model(all_rules, DENY), Model(cam_rules, DENY)
	s.g.acl(all_rules)
	push_named(s, "cams", "x" * 31)
	expect(s, "a name without list: nobody", sources, Model([], DENY), 1123, "cams")
	expect(s, "beside it, everybody's list", sources, everybody)
	s.g.acl(cam_rules, name="cams", generation=5)
	expect(s, "a list of its own", sources, cams, 1123, "cams")
	expect(s, "beside it, as before", sources, everybody)
	expect(s, "and another name, without list", sources, Model([], DENY), 1124, "x" * 31)
	s.g.acl([], ALLOW)
	expect(s, "another list for everybody does not count there", sources, cams, 1123, "cams")
	tap.same((s.g.get_acl("cams")["GENERATION"], s.g.get_acl("cams")["COUNT_V4"],
		  s.g.get_acl("x" * 31)), (5, 2, {}), "each can be looked at by its name")
	tap.same(s.g.dump_acl_names(), {"": 2, "cams": 6}, "a dump has all of them")
	s.g.acl([], ALLOW, name="cams")
	expect(s, "replaced without a push", sources, Model([], ALLOW), 1123, "cams")


def test_names_go(s):
	s.g.acl([rule("allow 192.0.2.2/32")], name="early", generation=9)
	push_named(s, "cams", "early")
	source = [addr("192.0.2.2")]
	expect(s, "a list that was sent before its listener", source,
	       Model([rule("allow 192.0.2.2/32")], DENY), 1124, "early")
	s.g.acl_begin(10, 0, otherwise=ALLOW, name="late")
	push_named(s, "cams")
	tap.same((s.g.get_acl("early"), s.g.dump_acl_names()), ({}, {"": 2, "cams": 2}),
		 "a push drops what it does not name")
	fixture.refused("CHECK of a list that has gone", "ENOENT", "NAME",
			lambda: s.g.acl_check(*source[0], "early"))
	s.g.acl_cmd("ACL_COMMIT", GENERATION=10)
	tap.same(s.g.get_acl("late")["GENERATION"], 10, "but not what is just being sent")
	push_named(s, "early")
	expect(s, "a name that comes back has no list", source, Model([], DENY), 1123, "early")
	names = [f"n{i}" for i in range(31)]
	for name in names:
		s.g.acl_begin(1, 0, name=name)
	fixture.refused("the 33rd name", "ENOSPC", "SET_STATE", lambda: s.g.acl_begin(1, 0, name="n31"))
	s.g.acl_begin(1, 0, name="n30")
	for what, want, words, send in (
		("an empty name", "ERANGE", "must not be empty", lambda: s.g.acl_begin(1, 0, name="")),
		("a name of 32 bytes", "EINVAL", "", lambda: s.g.acl_begin(1, 0, name="x" * 32)),
		("a name in COMMIT", "EINVAL", "does not take", lambda: s.g.acl_cmd(
			"ACL_COMMIT", *ntpknl.acl_name("n30"), GENERATION=1)),
		("a name and a generation to look for", "EINVAL", "does not take", lambda: s.g.acl_cmd(
			"GET_ACL", *ntpknl.acl_name("n30"), GENERATION=1)),
		("a listener's empty name", "ERANGE", "must not be empty", lambda: push_named(s, "")),
		("a listener's name that begins with its end", "ERANGE", "must not be empty",
		 lambda: push_named(s, "\0x")),
		("a listener's name of 32 bytes", "EINVAL", "", lambda: push_named(s, "x" * 32))):
		fixture.refused(what, want, words, send)
	push_named(s)
	tap.same(s.g.dump_acl_names(), {"": 2}, "without names only everybody's list is left")


def test_names_swap(s):
	"""A listener goes from list to list, all of which allow its client, and none is lost."""
	for name in "ab":
		s.g.acl([rule("allow 192.0.2.2/32")], name=name)
	push_named(s, "a")
	s.g.acl([], DENY)
	stream = fixture.Stream(s.client, rate=200, port=1123)
	stream.start()
	n = 0
	while n < 20 or stream.answered < 50:
		name = "ab"[n % 2]
		s.g.acl([rule("allow 192.0.2.2/32"), rule(f"deny 10.{n % 256}.0.0/16")], name=name)
		push_named(s, name)
		n += 1
	stream.finish()
	tap.ok(not stream.unanswered and not stream.bad and stream.answered == stream.sent,
	       f"from list to list {n} times, {stream.answered} requests meanwhile, all answered",
	       stream.summary())
	s.g.acl([], ALLOW)
	s.g.push_default()


def test_memory_named(s, group):
	"""A list that a push drops; the second time, this program has all it needs by itself."""
	rules, size = [(6, i << 64, 64, ALLOW) for i in range(100000)], 36 * 100000
	for _ in range(2):
		push_named(s, "big")
		tap.wait_for(lambda: False, 1)
		before = group.charged()
		s.g.acl(rules, name="big")
		full = group.charged()
		s.g.push_default()
	tap.ok(full - before > size // 2 and
	       tap.wait_for(lambda: full - group.charged() > size // 2, 30),
	       "a push that does not name a list gives its memory back",
	       (before, full, group.charged()))


def test_memory(s):
	"""The largest list there is: 9 MB, charged at once, and given back each way."""
	group = cgroup.own("memory of lists is charged")
	if not group:
		return
	size, slack = 36 * 262144, 2 << 20
	at_first = group.charged()
	grown = lambda: group.charged() - at_first
	gone = lambda: tap.wait_for(lambda: grown() < slack, 30)
	s.g.acl_begin(1, 0, 262144)
	tap.ok(size - slack < grown() < size + slack, f"262,144 prefixes: {grown()} bytes are charged")
	for i in range(5):
		s.g.acl_begin(2 + i, 0, 262144)
	tap.ok(grown() < size + slack, "BEGIN again and again: no more", grown())
	s.g.acl_begin(7, 0)
	tap.ok(gone(), "a new BEGIN gives it back", grown())
	other = ntpknl.Genl(s.server)
	other.acl_begin(1, 0, 262144)
	other.close()
	tap.ok(gone(), "the end of the socket gives it back", grown())
	test_memory_named(s, group)
	at_first = group.charged()
	s.g.acl_begin(1, 0, 262144)
	s.g.detach()
	tap.ok(gone(), "DETACH gives it back", grown())
	s.g.attach()
	s.g.push_default()


def test_gone(s):
	s.g.acl([rule("allow 10.0.0.0/8")])
	s.g.acl_begin(2, 1)
	s.g.detach()
	fixture.refused("a list while detached", "ENOTCONN", "ATTACH", lambda: s.g.acl([]))
	fixture.refused("CHECK while detached", "ENOTCONN", "ATTACH",
			lambda: s.g.acl_check(*addr("10.0.0.1")))
	s.g.attach()
	s.g.push_default()
	tap.same((s.g.get_acl(), s.g.acl_check(*addr("192.0.2.2")), s.g.dump_acl()),
		 ({}, (ALLOW, None), ([], 0)),
		 "DETACH forgets the list")
	fixture.refused("COMMIT of what was begun before", "ESTALE", "",
			lambda: s.g.acl_cmd("ACL_COMMIT", GENERATION=2))
	expect(s, "no list again", [addr("192.0.2.2"), addr("2001:db8::2")], Model([], ALLOW))


def main():
	s = fixture.served()
	s.g.push_default()
	# answers find their way wherever the request claims to come from
	s.link.neigh(s.server, s.link.sdev, s.link.cmac, "192.0.2.3", "192.0.2.200", "2001:db8::ffff")
	s.server.sh("ip", "route", "add", "10.0.0.0/8", "via", "192.0.2.2")
	s.server.sh("ip", "-6", "route", "add", "fd00::/8", "via", "2001:db8::2")
	rng = random.Random(5)
	rules = make_rules(tap.env_int("NTPK_ACL", 100000, 20000), rng)
	test_few(s)
	model = test_many(s, rules, rng)
	test_dump(s, model)
	test_refusals(s)
	test_half_done(s, model, [addr(a) for a in ("10.0.0.1", "10.77.1.2", "fd00::1", "192.0.2.2")])
	test_dump_interrupted(s)
	test_swap(s, rules)
	test_named(s)
	test_names_go(s)
	test_names_swap(s)
	test_memory(s)
	test_gone(s)


tap.run(main)
