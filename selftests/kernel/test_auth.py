#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-only
"""
Shows that requests with a MAC are answered with one, by every type of key and in
every version, and that a wrong MAC is not answered, or by a bounded number of
crypto-NAKs; that keys are replaced whole, without a request lost between, and
that what is refused or left half done changes nothing; that no key comes out.
The MACs are made by mac.py, which shares no code with the module.
About 15 seconds, a minute in the debug kernel.
"""
import os
import secrets
import struct
import threading

import fixture
import ftrace
import mac
import netns
import ntpknl
import ntpq
import pkt
import tap
from ntpknl import UAPI, attr, nest

NAK, REQUIRE = UAPI["NTPK_LISTENER_F_CRYPTO_NAK"], UAPI["NTPK_LISTENER_F_REQUIRE_KEY"]
LENGTHS = {"aes128": 16, "aes256": 32}


def make_keys():
	"""Two of each type, with ids of up to 32 bits, short and long secrets."""
	keys = []
	for i, kind in enumerate(mac.SIZES):
		for n, key_id in ((1, i + 1), (512, 2**32 - 1 - i)):
			keys.append((key_id, kind, secrets.token_bytes(LENGTHS.get(kind, n))))
	return keys


def ask(s, req, **kwargs):
	"""(replies, which counters moved, raw before, raw after)"""
	(got, raw0, raw1), moved = s.counted(s.wire.ask, req, **kwargs)
	return [p.data for p in got], moved, raw0, raw1


def expect_reply(s, state, what, key, req, **kwargs):
	got, moved, raw0, raw1 = ask(s, mac.sign(key, req), **kwargs)
	if not tap.ok(len(got) == 1 and moved == {"replied": 1}, f"{what}: answered", (got, moved)):
		return
	plain = ntpq.Reply(got[0][:48])
	wrong = ntpq.sync_faults(state, req[:48], plain, raw0, raw1)
	wrong += filter(None, [mac.fault(key, got[0], 48)])
	tap.ok(not wrong, f"{what}: time and MAC are right", wrong)


def expect_nothing(s, what, req, reason="auth_failed"):
	got, moved, _, _ = ask(s, req)
	tap.ok(not got and moved == {reason: 1}, f"{what}: {reason}", (got, moved))


def test_types(s, state, keys):
	for i, key in enumerate(keys):
		version = 4 - (i + i // 2) % 2	# each type in both, short secrets in both
		expect_reply(s, state, f"{key[1]}, key {key[0]}, version {version}", key,
			     ntpq.request(version))
	expect_reply(s, state, "version 2", keys[0], ntpq.request(2))
	expect_reply(s, state, "IPv6", keys[4], ntpq.request(), dst="2001:db8::1")
	field = struct.pack("!HH", 0x0104, 36) + bytes(32)
	expect_reply(s, state, "an unknown field before the MAC, not echoed", keys[-1],
		     ntpq.request(trailing=field))


def test_wrong(s, keys):
	md5, aes = keys[0], keys[-2]
	good = mac.sign(md5, ntpq.request())
	for at in (8, 47, 51, 52, 67):
		bad = bytearray(good)
		bad[at] ^= 1
		expect_nothing(s, f"bit of byte {at} turned", bytes(bad))
	expect_nothing(s, "unknown key", mac.sign((4711, "md5", md5[2]), ntpq.request()))
	expect_nothing(s, "key 0", mac.sign((0, "md5", md5[2]), ntpq.request()))
	expect_nothing(s, "another key's secret", mac.sign((aes[0],) + md5[1:], ntpq.request()))
	expect_nothing(s, "MD5 code under the id of a SHA1 key",
		       mac.sign((keys[2][0],) + md5[1:], ntpq.request()))
	expect_nothing(s, "a crypto-NAK as MAC", ntpq.request(trailing=bytes(4)))
	expect_nothing(s, "an MS-SNTP authenticator",
		       ntpq.request(3, trailing=struct.pack("<I", 1000) + bytes(16)))
	sha512 = next(k for k in keys if k[1] == "sha512")
	expect_nothing(s, "the code of version 3 cut to that of 4",
		       mac.sign(sha512, ntpq.request(3))[:48 + 24])
	for key in keys:
		bad = mac.sign(key, ntpq.request(4))
		expect_nothing(s, f"{key[1]}: last bit turned", bad[:-1] + bytes([bad[-1] ^ 1]))


def listen(s, flags):
	state = s.g.default_state(shift_ns=1234567891234)
	state["LISTENERS"][0]["FLAGS"] = flags
	return s.g.push(state)


def test_require(s, keys):
	state = listen(s, REQUIRE)
	expect_nothing(s, "no MAC where one is required", ntpq.request(), "auth_required")
	expect_nothing(s, "junk where a MAC is required", ntpq.request(trailing=bytes(8)),
		       "auth_required")
	expect_reply(s, state, "a MAC where one is required", keys[3], ntpq.request())
	expect_nothing(s, "a wrong one", mac.sign((4711,) + keys[3][1:], ntpq.request()))


def test_nak(s, keys):
	listen(s, NAK)
	bad = mac.sign((4711,) + keys[0][1:], ntpq.request())
	got, moved, _, _ = ask(s, bad)
	tap.ok(len(got) == 1 and len(got[0]) == 52 and got[0][48:] == bytes(4)
	       and moved == {"replied_nak": 1}, "a crypto-NAK of 52 bytes", (got, moved))
	tap.ok(got and got[0][24:32] == bad[40:48], "which echoes T1", got)
	got, moved, _, _ = ask(s, mac.sign((4711,) + keys[0][1:], ntpq.mono_root_request()))
	tap.ok(len(got) == 1 and len(got[0]) == 52 and got[0][48:] == bytes(4)
	       and moved == {"replied_nak": 1}, "and no longer where a field was asked for",
	       (got, moved))
	expect_nothing(s, "a crypto-NAK gets no crypto-NAK", ntpq.request(trailing=bytes(4)))
	sent = 60
	_, moved = s.counted(lambda: [s.wire.ask(bad) for _ in range(sent)])
	# 10 a second after a burst of 10, on one CPU, for as long as this took
	naks = moved.get("replied_nak", 0)
	tap.ok(1 <= naks and naks + moved.get("auth_failed", 0) == sent,
	       f"{sent} wrong MACs: {naks} crypto-NAKs, the rest silence", moved)
	return bad


def test_nak_burst(s, bad):
	"""All at once, so that hardly any time passes: no more than a burst of them."""
	src, dst = "192.0.2.2", "192.0.2.1"
	frame = s.wire.frame(pkt.ip(src, dst, pkt.UDP, pkt.udp(src, dst, 40000, 123, bad)))
	start = netns.raw_ns()
	got, moved = s.counted(s.wire.exchange, [frame] * 500)
	limit = (os.cpu_count() or 1) * (11 + 10 * (netns.raw_ns() - start) / 10**9)
	tap.ok(moved.get("replied_nak", 0) <= limit and sum(moved.values()) == 500,
	       f"500 at once: at most {limit:.0f} crypto-NAKs", moved)
	listen(s, 0)


def test_refusals(s, keys):
	g, key = s.g, keys[0]
	k = lambda *parts: lambda: (g.keys_begin(9, 1), g.keys_cmd("ADD", *parts, GENERATION=9))
	one = lambda *key: ntpknl.key_attr(*key)
	for what, want, words, send in (
		("COMMIT of nothing", "ESTALE", "KEYS_BEGIN", lambda: g.keys_cmd("COMMIT", GENERATION=99)),
		("ADD to nothing", "ESTALE", "KEYS_BEGIN", lambda: g.keys_add(99, [key])),
		("no GENERATION", "EINVAL", "GENERATION is missing", lambda: g.keys_cmd("BEGIN", COUNT=1)),
		("no COUNT", "EINVAL", "COUNT is missing", lambda: g.keys_cmd("BEGIN", GENERATION=1)),
		("COUNT twice", "EINVAL", "twice", lambda: g.keys_cmd("BEGIN", attr(
			UAPI["NTPK_A_KEYS_COUNT"], struct.pack("=I", 1)), GENERATION=1, COUNT=2)),
		("too many", "ERANGE", "", lambda: g.keys_begin(1, 4097)),
		("more than COUNT", "E2BIG", "COUNT", lambda: (g.keys_begin(9, 1), g.keys_add(9, keys))),
		("fewer than COUNT", "ENODATA", "COUNT", lambda: (
			g.keys_begin(9, 2), g.keys_add(9, [key]), g.keys_cmd("COMMIT", GENERATION=9))),
		("one id twice", "EEXIST", "same ID", lambda: g.keys([key, key])),
		("ADD of another generation", "ESTALE", "", lambda: (
			g.keys_begin(9, 1), g.keys_add(8, [key]))),
		("id 0", "ERANGE", "", k(one(0, "md5", b"x"))),
		("an empty secret", "EINVAL", "SECRET must not be empty", k(one(1, "md5", b""))),
		("a secret of 513 bytes", "ERANGE", "", k(one(1, "md5", bytes(513)))),
		("a short AES key", "EINVAL", "16 bytes", k(one(1, "aes128", bytes(15)))),
		("a long AES key", "EINVAL", "32 bytes", k(one(1, "aes256", bytes(33)))),
		("no secret", "EINVAL", "SECRET is missing", k(nest(
			UAPI["NTPK_A_KEYS_KEY"], attr(UAPI["NTPK_A_KEY_ID"], struct.pack("=I", 1)),
			attr(UAPI["NTPK_A_KEY_TYPE"], bytes(4))))),
		("an unknown type", "ERANGE", "", k(nest(
			UAPI["NTPK_A_KEYS_KEY"], attr(UAPI["NTPK_A_KEY_ID"], struct.pack("=I", 1)),
			attr(UAPI["NTPK_A_KEY_TYPE"], struct.pack("=I", 7)),
			attr(UAPI["NTPK_A_KEY_SECRET"], b"x")))),
		("no KEYS at all", "EINVAL", "KEYS is missing", lambda: g.cmd("KEYS_BEGIN")),
	):
		fixture.refused(what, want, words, send)
	tap.same(g.get_keys(), {UAPI["NTPK_A_KEYS_GENERATION"]: struct.pack("=I", 1),
				UAPI["NTPK_A_KEYS_COUNT"]: struct.pack("=I", len(keys))},
		 "the set in use is still the first, and all that is told of it is this")


def test_half_done(s, state, keys):
	other = ntpknl.Genl(s.server)
	other.keys_begin(5, 1)
	other.keys_add(5, [(1, "md5", b"new")])
	fixture.refused("COMMIT by another socket", "ESTALE", "", lambda: s.g.keys_cmd(
		"COMMIT", GENERATION=5))
	if ftrace.can():
		with ftrace.functions("ntpk_state_lock"):
			tap.same(ftrace.calls("ntpk_state_lock", other.close)[1], [],
				 "a socket that is closed waits for no push")
	else:
		other.close()
	again = ntpknl.Genl(s.server)
	fixture.refused("COMMIT after its socket was closed", "ESTALE", "",
			lambda: again.keys_cmd("COMMIT", GENERATION=5))
	again.close()
	s.g.keys_begin(6, 3)
	s.g.keys_add(6, [(1, "md5", b"new")])
	expect_reply(s, state, "a set half sent: the old one", keys[0], ntpq.request())


def test_swap(s, keys):
	"""Sets come and go while a client asks: none of its requests is lost."""
	mine = keys[5]
	stop, errors, answered = threading.Event(), [], [0]
	asker = ntpq.Asker(s.client, "192.0.2.1")

	def run():
		while not stop.is_set():
			req = ntpq.request()
			_, reply, _, _ = asker.ask(mac.sign(mine, req), timeout=5)
			if reply is None or mac.fault(mine, reply.data, 48):
				errors.append(reply)
			answered[0] += 1

	thread = threading.Thread(target=run, daemon=True)
	thread.start()
	n = 0
	while n < 20 or answered[0] < 20:
		s.g.keys(keys if n % 2 else [mine], generation=100 + n)
		n += 1
	stop.set()
	thread.join()
	tap.ok(not errors, f"{n} sets replaced, {answered[0]} signed requests meanwhile, all answered",
	       errors[:3])


def test_many(s, state):
	"""As many as there may be; first, last and one in the middle are found."""
	n = 4096 if tap.slow() == 1 else 512
	keys = [(7 * i + 1, "sha256" if i % 2 else "aes128", i.to_bytes(16, "big"))
		for i in range(n)]
	s.g.keys(list(reversed(keys)), generation=7)
	for i in (0, 1, n // 2 - 1, n - 1):
		expect_reply(s, state, f"key {i} of {n}", keys[i], ntpq.request())
	expect_nothing(s, "an id between two", mac.sign((2,) + keys[0][1:], ntpq.request()))


def test_gone(s, state, keys):
	s.g.keys([], generation=8)
	expect_nothing(s, "an empty set knows no key", mac.sign(keys[0], ntpq.request()))
	s.g.keys(keys, generation=9)
	s.g.keys_begin(10, 1)
	s.g.detach()
	fixture.refused("keys while detached", "ENOTCONN", "ATTACH", lambda: s.g.keys(keys))
	s.g.attach()
	tap.same(s.g.get_keys(), {}, "DETACH forgets all keys")
	listen(s, 0)
	expect_nothing(s, "without any key", mac.sign(keys[0], ntpq.request()))


def main():
	tap.same(mac.check_vectors(), [], "the tests' own AES-CMAC is right (RFC 4493, SP 800-38B)")
	s = fixture.served()
	keys = make_keys()
	s.g.keys(keys)
	state = listen(s, 0)
	test_types(s, state, keys)
	test_wrong(s, keys)
	test_require(s, keys)
	test_nak_burst(s, test_nak(s, keys))
	test_refusals(s, keys)
	state = listen(s, 0)
	test_half_done(s, state, keys)
	test_swap(s, keys)
	state = listen(s, 0)
	test_many(s, state)
	test_gone(s, state, keys)


tap.run(main)
