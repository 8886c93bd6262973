# SPDX-License-Identifier: GPL-2.0-only
"""
Packets by hand: frames with anything wrong in them that a test wants, and the
decoding of what came back.  No sockets here.
"""
import socket
import struct

ETH_IP, ETH_IP6 = 0x0800, 0x86dd
UDP, ICMP, ICMP6 = 17, 1, 58


def csum(data):
	if len(data) % 2:
		data += b"\0"
	total = sum(struct.unpack(f"!{len(data) // 2}H", data))
	while total >> 16:
		total = (total & 0xffff) + (total >> 16)
	return ~total & 0xffff


def addr(text):
	return socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)


def pseudo(src, dst, proto, length):
	if len(src) == 4:
		return src + dst + struct.pack("!BBH", 0, proto, length)
	return src + dst + struct.pack("!IxxxB", length, proto)


def udp(src, dst, sport, dport, data, length=None, check=None):
	"""A UDP datagram; length and check override what would be right."""
	true = 8 + len(data)
	head = struct.pack("!HHHH", sport, dport, true if length is None else length, 0)
	if check is None:
		check = csum(pseudo(addr(src), addr(dst), UDP, true) + head + data) or 0xffff
	return head[:6] + struct.pack("!H", check) + data


def ip4(src, dst, proto, data, options=b"", tot_len=None, frag=0, ident=0, ttl=64):
	"""frag: flags and offset as on the wire; tot_len overrides the truth."""
	ihl = 5 + len(options) // 4
	total = ihl * 4 + len(data) if tot_len is None else tot_len
	head = struct.pack("!BBHHHBBH4s4s", 0x40 | ihl, 0, total, ident, frag, ttl, proto, 0,
			   addr(src), addr(dst)) + options
	return head[:10] + struct.pack("!H", csum(head)) + head[12:] + data


def ip6(src, dst, nexthdr, data, hops=64, payload_len=None):
	length = len(data) if payload_len is None else payload_len
	return struct.pack("!IHBB", 6 << 28, length, nexthdr, hops) + addr(src) + addr(dst) + data


def ip(src, dst, proto, data, **kwargs):
	return (ip6 if ":" in src else ip4)(src, dst, proto, data, **kwargs)


def eth(dst, src, packet):
	kind = ETH_IP6 if packet[0] >> 4 == 6 else ETH_IP
	return dst + src + struct.pack("!H", kind) + packet


def echo(src, dst, ident, seq):
	"""An ICMP echo request of either version."""
	v6 = ":" in src
	head = struct.pack("!BBHHH", 128 if v6 else 8, 0, 0, ident, seq)
	proto = ICMP6 if v6 else ICMP
	check = csum((pseudo(addr(src), addr(dst), proto, 8) if v6 else b"") + head)
	head = head[:2] + struct.pack("!H", check) + head[4:]
	return ip(src, dst, proto, head)


class Got:
	"""One packet received: what of it the tests ask for, as attributes."""

	def __init__(self, frame):
		self.frame = frame
		self.dst_mac, self.src_mac = frame[:6], frame[6:12]
		packet = frame[14:]
		self.proto = self.src = self.dst = self.sport = self.dport = None
		self.data = b""
		kind = struct.unpack("!H", frame[12:14])[0]
		if kind == ETH_IP and len(packet) >= 20:
			self.parse4(packet)
		elif kind == ETH_IP6 and len(packet) >= 40:
			self.parse6(packet)

	def parse4(self, p):
		self.ihl = (p[0] & 15) * 4
		self.tos, self.tot_len, self.ident, self.frag, self.ttl, self.proto, self.ipcheck = (
			struct.unpack("!xBHHHBBH", p[:12]))
		self.src, self.dst = socket.inet_ntop(2, p[12:16]), socket.inet_ntop(2, p[16:20])
		self.ipcheck_good = csum(p[:self.ihl]) == 0
		self.payload(p[12:16], p[16:20], p[self.ihl:self.tot_len])

	def parse6(self, p):
		self.flow, length, self.proto, self.ttl = struct.unpack("!IHBB", p[:8])
		self.tot_len = 40 + length
		self.src, self.dst = socket.inet_ntop(10, p[8:24]), socket.inet_ntop(10, p[24:40])
		self.payload(p[8:24], p[24:40], p[40:40 + length])

	def payload(self, src, dst, p):
		if self.proto == UDP and len(p) >= 8:
			self.sport, self.dport, self.udp_len, self.check = struct.unpack("!HHHH", p[:8])
			self.data = p[8:]
			self.check_good = csum(pseudo(src, dst, UDP, len(p)) + p) == 0
		elif self.proto in (ICMP, ICMP6) and len(p) >= 8:
			self.type, self.code, self.check, self.ident, self.seq = (
				struct.unpack("!BBHHH", p[:8]))
			self.data = p[8:]

	def is_echo_reply(self, ident, seq):
		kinds = {ICMP: 0, ICMP6: 129}
		return (self.proto in kinds and self.type == kinds[self.proto] and
			(self.ident, self.seq) == (ident, seq))

	def is_error(self):
		"""An ICMP error, as against echo and neighbour discovery."""
		if self.proto == ICMP:
			return self.type in (3, 4, 5, 11, 12)
		return self.proto == ICMP6 and self.type < 128

	def is_port_unreachable(self):
		return (self.proto == ICMP and (self.type, self.code) == (3, 3) or
			self.proto == ICMP6 and (self.type, self.code) == (1, 4))

	def __repr__(self):
		if self.proto == UDP and self.sport is not None:
			return f"<{self.src}:{self.sport} > {self.dst}:{self.dport} {self.data.hex()}>"
		if self.proto in (ICMP, ICMP6):
			return f"<{self.src} > {self.dst} icmp {self.type}/{self.code}>"
		return f"<{self.src} > {self.dst} protocol {self.proto} {self.frame.hex()}>"
