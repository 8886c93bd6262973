# SPDX-License-Identifier: GPL-2.0-only
"""
MACs of NTP packets, made without the code that is tested: digests by hashlib,
AES-CMAC (RFC 4493) from scratch.
"""
import hashlib
import struct

SIZES = {"md5": 16, "sha1": 20, "sha256": 32, "sha384": 48, "sha512": 64, "aes128": 16,
	 "aes256": 16}
V4_MAX = 20


def xtime(a):
	return (a << 1 ^ (0x11b if a & 0x80 else 0)) & 0xff


def make_sbox():
	"""Inverses by powers of the generator 3, then the affine map."""
	exp, log, x = [0] * 255, [0] * 256, 1
	for i in range(255):
		exp[i], log[x] = x, i
		x ^= xtime(x)
	box = []
	for a in range(256):
		b = exp[-log[a] % 255] if a else 0
		box.append(b ^ 0x63 ^ rotated(b))
	return box


def rotated(b):
	out = 0
	for n in range(1, 5):
		out ^= (b << n | b >> 8 - n) & 0xff
	return out


SBOX = make_sbox()


def expand(key):
	nk = len(key) // 4
	words = [list(key[4 * i:4 * i + 4]) for i in range(nk)]
	rcon = 1
	for i in range(nk, 4 * (nk + 7)):
		w = list(words[-1])
		if i % nk == 0:
			w = [SBOX[b] for b in w[1:] + w[:1]]
			w[0] ^= rcon
			rcon = xtime(rcon)
		elif nk > 6 and i % nk == 4:
			w = [SBOX[b] for b in w]
		words.append([a ^ b for a, b in zip(w, words[i - nk])])
	return [sum(words[i:i + 4], []) for i in range(0, len(words), 4)]


def mix(column):
	a, b, c, d = column
	twice = [xtime(x) for x in column]
	return [twice[0] ^ b ^ twice[1] ^ c ^ d, a ^ twice[1] ^ c ^ twice[2] ^ d,
		a ^ b ^ twice[2] ^ d ^ twice[3], a ^ twice[0] ^ b ^ c ^ twice[3]]


def aes(rounds, block):
	s = [a ^ b for a, b in zip(block, rounds[0])]
	for i, round_key in enumerate(rounds[1:], 1):
		s = [SBOX[s[(n + 4 * (n % 4)) % 16]] for n in range(16)]
		if i < len(rounds) - 1:
			s = sum((mix(s[n:n + 4]) for n in range(0, 16, 4)), [])
		s = [a ^ b for a, b in zip(s, round_key)]
	return bytes(s)


def double(block):
	n = int.from_bytes(block, "big") << 1
	return ((n ^ 0x87) if n >> 128 else n).to_bytes(17, "big")[1:]


def xor(a, b):
	return bytes(x ^ y for x, y in zip(a, b))


def cmac(key, data):
	rounds = expand(key)
	sub = double(aes(rounds, bytes(16)))
	blocks = [data[i:i + 16] for i in range(0, len(data), 16)] or [b""]
	if len(blocks[-1]) < 16:
		sub = double(sub)
		blocks[-1] = blocks[-1] + b"\x80" + bytes(15 - len(blocks[-1]))
	blocks[-1] = xor(blocks[-1], sub)
	state = bytes(16)
	for block in blocks:
		state = aes(rounds, xor(state, block))
	return state


def code(kind, secret, data):
	"""As it goes over the wire for the version in the data's first byte."""
	if kind.startswith("aes"):
		full = cmac(secret, data)
	else:
		full = hashlib.new(kind, secret + data, usedforsecurity=False).digest()
	return full[:V4_MAX] if data[0] >> 3 & 7 == 4 else full


def sign(key, data):
	"""A key is (id, kind, secret)."""
	return data + struct.pack("!I", key[0]) + code(key[1], key[2], data)


def fault(key, data, signed):
	"""What is wrong with the MAC behind the first bytes of a reply; None = nothing."""
	want = sign(key, data[:signed])
	return None if data == want else f"got {data[signed:].hex()}, not {want[signed:].hex()}"


def check_vectors():
	"""RFC 4493 and, for 256 bits, NIST SP 800-38B: examples 2, 3 and D.3's."""
	k128 = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")
	k256 = bytes.fromhex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4")
	m = bytes.fromhex("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411")
	want = {(k128, b""): "bb1d6929e95937287fa37d129b756746",
		(k128, m[:16]): "070a16b46b4d4144f79bdd9dd04a287c",
		(k128, m): "dfa66747de9ae63030ca32611497c827",
		(k256, b""): "028962f61b7bf89efc6b551f4667d983",
		(k256, m): "aaf3d8f1de5640c232f5b169b9c911e6"}
	return [k for k, v in want.items() if cmac(*k).hex() != v]
