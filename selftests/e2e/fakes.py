# SPDX-License-Identifier: GPL-2.0-only
"""
Servers that misbehave on demand: an NTP server that lies, flaps, dawdles,
refuses, repeats itself, is drowned in forgeries and leaps; a DNS server that is
deaf, slow or wrong.  Each is a thread with a socket in a namespace; what it does
is changed by setting its attributes.

Their time is a Line on CLOCK_MONOTONIC_RAW, so nothing that happens to the
machine's clock changes it, and a test compares with it.
"""
import heapq
import secrets
import select
import socket
import struct
import threading
import time

import netns
import ntpq
import tap

S = 10**9
SO_TIMESTAMPNS = 35
PRECISION_LOG2S = -16


class Line:
	"""UTC on the raw clock, with a leap second at @leap_ns (00:00:00 after it)."""

	def __init__(self, base_raw_ns, base_unix_ns, leap=0, leap_ns=0):
		self.offset_ns = base_unix_ns - base_raw_ns
		self.leap, self.leap_ns = leap, leap_ns

	def at(self, raw_ns):
		unix = raw_ns + self.offset_ns
		if self.leap == 1 and unix >= self.leap_ns:
			return unix - S		# 23:59:59 a second time
		if self.leap == 2 and unix >= self.leap_ns - S:
			return unix + S		# 23:59:59 left out
		return unix

	def announced(self, raw_ns):
		"""The leap bits of this instant; on the day itself only."""
		return self.leap if self.leap and raw_ns + self.offset_ns < self.leap_ns - (
			S if self.leap == 2 else 0) else 0

	@classmethod
	def now(cls, shift_ns=0, **kwargs):
		"""This machine's clock as it is, ever after."""
		raw0 = netns.raw_ns()
		real = time.time_ns()
		return cls((raw0 + netns.raw_ns()) // 2, real + shift_ns, **kwargs)


class Server(threading.Thread):
	"""A socket in a namespace, served by a thread; answers may be put off."""

	def __init__(self, ns, addr, port):
		super().__init__(daemon=True)
		self.s = ns.socket(socket.AF_INET, socket.SOCK_DGRAM)
		self.s.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
		self.s.bind((addr, port))
		self.addr, self.asked = addr, 0
		self.waiting, self.over = [], False
		tap.later(self.finish)
		self.start()

	def run(self):
		while not self.over:
			left = self.waiting[0][0] - time.monotonic() if self.waiting else 0.2
			if select.select([self.s], [], [], max(0, min(left, 0.2)))[0]:
				self.receive()
			while self.waiting and self.waiting[0][0] <= time.monotonic():
				_, _, send, where = heapq.heappop(self.waiting)
				self.send(send(), where)

	def receive(self):
		data, ancillary, _, where = self.s.recvmsg(2048, 64)
		raw, real = netns.raw_ns(), time.time_ns()
		for _, kind, value in ancillary:
			if kind == SO_TIMESTAMPNS:
				s, ns = struct.unpack("qq", value[:16])
				age = real - (s * S + ns)
				raw -= age if 0 <= age < S else 0
		self.asked += 1
		self.handle(data, where, raw)

	def send(self, data, where):
		try:
			self.s.sendto(data, where)
		except OSError:
			pass	# it has gone, or an ICMP error of before

	def send_later(self, seconds, make, where):
		heapq.heappush(self.waiting, (time.monotonic() + seconds, self.asked, make, where))

	def finish(self):
		if not self.over:
			self.over = True
			self.join()
			self.s.close()


class Ntp(Server):
	"""
	A server of stratum 1.  mode: "good", "silent", "RATE", "DENY" or "unsync";
	error_ns is added to its time, late_s put before its answers, twice repeats
	them, forged sends so many forgeries before each; leap overrides the line's.
	"""

	def __init__(self, ns, addr, line, **behaviour):
		self.line, self.mode, self.error_ns, self.late_s = line, "good", 0, 0
		self.twice, self.forged, self.leap = False, 0, None
		self.stratum, self.refid = 1, b"FAKE"
		for name, value in behaviour.items():
			setattr(self, name, value)
		super().__init__(ns, addr, 123)

	def now(self, raw):
		return self.line.at(raw) + self.error_ns

	def handle(self, data, where, raw):
		if len(data) < 48 or data[0] & 7 != ntpq.MODE_CLIENT or self.mode == "silent":
			return
		for n in range(self.forged):
			self.send(self.forgery(data, raw, n), where)
		if self.late_s:
			reply = self.reply(data, raw)	# late on its way: T3 is of now
			self.send_later(self.late_s, lambda: reply, where)
		else:
			self.send(self.reply(data, raw), where)
		if self.twice:
			self.send_later(0.05, lambda: self.reply(data, raw), where)

	def kiss(self, data):
		return struct.pack("!BBBbII4s", 3 << 6 | data[0] & 0x38 | 4, 0, data[2], PRECISION_LOG2S,
				   0, 0, self.mode.encode()) + bytes(8) + data[40:48] + bytes(16)

	def reply(self, data, raw):
		if self.mode in ("RATE", "DENY"):
			return self.kiss(data)
		t2 = self.now(raw)
		leap = self.line.announced(raw) if self.leap is None else self.leap
		leap, stratum = (3, 0) if self.mode == "unsync" else (leap, self.stratum)
		head = struct.pack("!BBBbII4sQ", leap << 6 | data[0] & 0x38 | 4, stratum, data[2],
				   PRECISION_LOG2S, 0, 16, self.refid, ntpq.ntp64(t2 - S))
		return head + data[40:48] + struct.pack("!QQ", ntpq.ntp64(t2),
							ntpq.ntp64(self.now(netns.raw_ns())))

	def forgery(self, data, raw, n):
		"""What one sends who cannot see the request: a lie, or a kiss of death."""
		wrong = secrets.token_bytes(8) if n % 2 else bytes(8)
		lie = ntpq.ntp64(self.now(raw) + 3600 * S)
		if n % 3 == 2:
			return struct.pack("!BBBbII4s", 0xe4, 0, 6, -16, 0, 0, b"DENY") + bytes(8) + \
				wrong + bytes(16)
		return struct.pack("!BBBbII4sQ", data[0] & 0x38 | 4, 1, 6, -16, 0, 0, b"EVIL", lie) + \
			wrong + struct.pack("!QQ", lie, lie)


class Dns(Server):
	"""
	names: a name to the addresses it has.  What is no such name, and what is
	only asked for v6, does not exist.  deaf, slow: names without an answer, or
	with one after so many seconds.
	"""

	def __init__(self, ns, addr, names, deaf=(), slow=None):
		self.names, self.deaf, self.slow = dict(names), set(deaf), dict(slow or {})
		super().__init__(ns, addr, 53)

	def handle(self, data, where, _raw):
		labels, at = [], 12
		while at < len(data) and data[at]:
			labels.append(data[at + 1:at + 1 + data[at]].decode("ascii", "replace"))
			at += 1 + data[at]
		name = ".".join(labels).lower()
		question = data[12:at + 5]
		if name in self.deaf:
			return
		kind = struct.unpack("!H", data[at + 1:at + 3])[0]
		addrs = self.names.get(name)
		answers = [b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 1, 4) + socket.inet_aton(a)
			   for a in (addrs or []) if kind == 1]
		# 3: no such name
		head = data[:2] + struct.pack("!HHHHH", 0x8180 | (0 if addrs else 3), 1, len(answers), 0, 0)
		reply = head + question + b"".join(answers)
		if name in self.slow:
			self.send_later(self.slow[name], lambda: reply, where)
		else:
			self.send(reply, where)
