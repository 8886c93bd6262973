# SPDX-License-Identifier: GPL-2.0-only
"""
Asking an NTP server with raw packets: requests, replies decoded and checked
field by field, and a wire on which nothing that comes back is missed.

Wire.exchange() sends frames and then an ICMP echo: all on one CPU and one veth
keeps its order, so once the echo is answered, everything that the frames would
cause has been seen.  That is how "no reply" is shown without waiting for it.
"""
import secrets
import select
import socket
import struct
import time

import netns
import pkt
import tap

EPOCH = 2208988800
MODE_CLIENT, MODE_SERVER = 3, 4
PACKET_OUTGOING = 4
MONO_ROOT, MONO_ROOT_MAGIC = 0xf323, 0xf5bedd9a
FIELDS = ("lvm stratum poll precision root_delay root_disp refid ref org rec xmt").split()


def request(version=4, mode=MODE_CLIENT, xmt=None, poll=6, leap=0, trailing=b"", **fields):
	"""The bytes of a request; every other field of it 0 unless given."""
	if xmt is None:
		xmt = secrets.randbits(64)
	value = dict.fromkeys(FIELDS, 0)
	value.update(lvm=leap << 6 | version << 3 | mode, poll=poll, xmt=xmt, refid=b"")
	value.update(fields)
	return struct.pack("!BBbbII4sQQQQ", *(value[k] for k in FIELDS)) + trailing


def field(kind, length, body=b""):
	"""An extension field (RFC 7822)."""
	return struct.pack("!HH", kind, length) + body + bytes(length - 4 - len(body))


def mono_root_request(**kwargs):
	"""A request for chrony's experimental field."""
	return request(trailing=field(MONO_ROOT, 28, struct.pack("!I", MONO_ROOT_MAGIC)), **kwargs)


class MonoRoot:
	"""The field behind a reply of 76 bytes."""

	def __init__(self, data):
		(self.kind, self.length, self.magic, self.delay, self.disp, self.mono,
		 self.epoch) = struct.unpack("!HHIIIQI", data[48:76])


class Reply:
	"""A decoded packet of 48 bytes; times as 32.32 integers."""

	def __init__(self, data):
		self.data = data
		if len(data) < 48:
			raise ValueError(f"{len(data)} bytes: {data.hex()}")
		for name, value in zip(FIELDS, struct.unpack("!BBbbII4sQQQQ", data[:48])):
			setattr(self, name, value)
		self.leap, self.version, self.mode = self.lvm >> 6, self.lvm >> 3 & 7, self.lvm & 7

	t2_ns = property(lambda self: unix_ns(self.rec))
	t3_ns = property(lambda self: unix_ns(self.xmt))
	root_disp_ns = property(lambda self: self.root_disp * 10**9 / 65536)
	root_delay_ns = property(lambda self: self.root_delay * 10**9 / 65536)
	root_dist_ns = property(lambda self: self.root_delay_ns / 2 + self.root_disp_ns)

	def __repr__(self):
		return (f"leap {self.leap} version {self.version} mode {self.mode} stratum {self.stratum}"
			f" disp {self.root_disp:#x} refid {self.refid.hex()} {self.data.hex()}")


def unix_ns(ts):
	"""32.32 since 1900, in 1970..2106, as nanoseconds since 1970."""
	return ((ts >> 32) - EPOCH) % 2**32 * 10**9 + ((ts & 0xffffffff) * 10**9 >> 32)


def ntp64(ns):
	s, rem = divmod(ns, 10**9)
	return (s + EPOCH) % 2**32 << 32 | (rem << 32) // 10**9


def ntp32(ns):
	"""Seconds 16.16, rounded up: a bound must not become smaller."""
	return min(-(-int(ns) * 65536 // 10**9), 0xffffffff)


def line_at(state, raw_ns):
	"""UTC of a pushed state at a raw instant, as the UAPI header defines it."""
	d = raw_ns - state["BASE_RAW_NS"]
	return state["BASE_UNIX_NS"] + d + (d * state["RATE_Q48"] >> 48)


def disp_at(state, raw_ns):
	d = abs(raw_ns - state["BASE_RAW_NS"])
	return state["ROOT_DISP_NS"] - (-d * state["DISP_RATE_PPB"] // 10**9)


def echo_faults(req, reply):
	"""What a reply must copy from the request, and what it must never do."""
	q = Reply(req)
	bad = []
	if len(reply.data) != 48:
		bad.append(f"length {len(reply.data)}, not 48")
	for what, got, want in (("version", reply.version, q.version), ("poll", reply.poll, q.poll),
				("mode", reply.mode, MODE_SERVER), ("T1", reply.org, q.xmt)):
		if got != want:
			bad.append(f"{what} {got:#x}, not {want:#x}")
	return bad


def time_faults(state, reply, raw0, raw1):
	"""T2 <= T3, both inside raw0..raw1 of the served line, but for the precision."""
	slack = 2 + int(10**9 * 2.0 ** state["PRECISION_LOG2S"])
	low, high = line_at(state, raw0) - slack, line_at(state, raw1) + slack
	forward = (reply.xmt - reply.rec) % 2**64 < 2**63	# also where an era ends between
	if low <= reply.t2_ns and forward and reply.t3_ns <= high:
		return []
	return [f"T2 {reply.t2_ns - low:+d}, T3 {reply.t3_ns - low:+d} ns are not in "
		f"0..{high - low} ns of the request"]


def sync_faults(state, req, reply, raw0, raw1):
	"""Everything in a synchronised reply that is not as the pushed state has it."""
	bad = echo_faults(req, reply) + time_faults(state, reply, raw0, raw1)
	ref = ntp64(state["REF_UNIX_NS"]) if state["REF_UNIX_NS"] else 0
	for name, want in (("leap", state["LEAP"]), ("stratum", state["STRATUM"]),
			   ("precision", state["PRECISION_LOG2S"]), ("refid", state["REFID"]),
			   ("ref", ref), ("root_delay", ntp32(state["ROOT_DELAY_NS"]))):
		if getattr(reply, name) != want:
			bad.append(f"{name} {getattr(reply, name)!r}, not {want!r}")
	# an eighth of T2's age is added, and what T3 is early by on average: both are less than the exchange
	low, high = ntp32(disp_at(state, raw0)), ntp32(disp_at(state, raw1) + raw1 - raw0)
	if not low <= reply.root_disp <= high:
		bad.append(f"root dispersion {reply.root_disp:#x} is not in {low:#x}..{high:#x}")
	return bad


def unsync_faults(state, req, reply, raw0, raw1):
	"""Everything in an unsynchronised reply that claims more than nothing."""
	bad = echo_faults(req, reply) + time_faults(state, reply, raw0, raw1)
	for name, want in (("leap", 3), ("stratum", 0), ("refid", bytes(4)), ("ref", 0),
			   ("root_delay", 0), ("root_disp", 16 << 16),
			   ("precision", state["PRECISION_LOG2S"])):
		if getattr(reply, name) != want:
			bad.append(f"{name} {getattr(reply, name)!r}, not {want!r}")
	return bad


class Wire:
	"""The client's end of a Link, as frames."""

	def __init__(self, link):
		self.link = link
		self.s = link.client.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
		self.s.setsockopt(socket.SOL_SOCKET, 33, 32 << 20)	# SO_RCVBUFFORCE
		self.s.bind((link.cdev, 3))
		self.ident = secrets.randbits(16)
		self.seq = 0

	def frame(self, packet, dst=None):
		return pkt.eth(dst or self.link.smac, self.link.cmac, packet)

	def drain(self):
		while select.select([self.s], [], [], 0)[0]:
			self.s.recv(65536)

	def exchange(self, frames, v6=False):
		"""Send, and return all that came back before the answer to a last echo."""
		self.drain()
		self.seq = (self.seq + 1) & 0xffff
		src, dst = ("2001:db8::2", "2001:db8::1") if v6 else ("192.0.2.2", "192.0.2.1")
		for frame in frames:
			self.s.send(frame)
		self.s.send(self.frame(pkt.echo(src, dst, self.ident, self.seq)))
		got = []
		end = time.monotonic() + 5 * tap.slow()
		while select.select([self.s], [], [], max(0, end - time.monotonic()))[0]:
			data, where = self.s.recvfrom(65536)
			if where[2] == PACKET_OUTGOING:
				continue
			p = pkt.Got(data)
			if p.is_echo_reply(self.ident, self.seq):
				return [p for p in got if p.proto == pkt.UDP or p.is_error()]
			got.append(p)
		raise RuntimeError(f"no answer to the echo that ends an exchange, only {got}")

	def ask(self, req, dst="192.0.2.1", src=None, sport=40000, dport=123):
		"""One request in a good packet: (replies and errors, raw before, raw after)."""
		if src is None:
			src = self.link.cll if dst.startswith("fe80") else (
				"2001:db8::2" if ":" in dst else "192.0.2.2")
		packet = pkt.ip(src, dst, pkt.UDP, pkt.udp(src, dst, sport, dport, req))
		raw0 = netns.raw_ns()
		got = self.exchange([self.frame(packet)], v6=":" in dst)
		return got, raw0, netns.raw_ns()

	def sync_reply(self, state, **kwargs):
		"""One plain request; None when rightly answered, else what was wrong."""
		req = request()
		got, raw0, raw1 = self.ask(req, **kwargs)
		if len(got) != 1 or got[0].proto != pkt.UDP:
			return f"got {got}"
		return sync_faults(state, req, Reply(got[0].data), raw0, raw1) or None


class Asker:
	"""A client through an ordinary UDP socket, for load and for real paths."""

	def __init__(self, ns, dst, port=123, bind=None):
		self.family = socket.AF_INET6 if ":" in dst else socket.AF_INET
		self.s = ns.socket(self.family, socket.SOCK_DGRAM)
		if bind:
			self.s.bind(bind)
		with ns:
			self.s.connect(socket.getaddrinfo(dst, port, type=socket.SOCK_DGRAM)[0][4])

	def ask(self, req=None, timeout=2.0):
		"""(request, Reply or None, raw before, raw after); OSError of ICMP goes up."""
		req = req or request()
		raw0 = netns.raw_ns()
		self.s.send(req)
		end = time.monotonic() + timeout * tap.slow()
		while select.select([self.s], [], [], max(0, end - time.monotonic()))[0]:
			data = self.s.recv(65536)
			raw1 = netns.raw_ns()
			if data[24:32] == req[40:48]:
				return req, Reply(data), raw0, raw1
		return req, None, raw0, netns.raw_ns()

	def ask_last(self, req=None, timeout=2.0):
		"""ask(), and close; None without a reply or with an ICMP error."""
		try:
			answer = self.ask(req, timeout)
			return answer if answer[1] else None
		except OSError:
			return None
		finally:
			self.close()

	def close(self):
		self.s.close()


def ask_once(ns, dst, timeout=1, **bound):
	"""Asker.ask() from a socket of its own; None without a reply or a way to there."""
	try:
		asker = Asker(ns, dst, **bound)
	except OSError:
		return None
	return asker.ask_last(timeout=timeout)
