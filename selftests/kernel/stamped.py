# SPDX-License-Identifier: GPL-2.0-only
"""A client that knows when its replies came, in basic and in interleaved mode."""
import socket
import struct

import ntpq
import tap
from ntpq import request

SO_TIMESTAMPNS = 35
INTERLEAVED, BASIC = "interleaved", "basic"


class Client:
	"""One client of the server's, on a port of its own, with the kernel's receive stamps."""

	def __init__(self, ns, dst="192.0.2.1"):
		family = socket.AF_INET6 if ":" in dst else socket.AF_INET
		self.s = ns.socket(family, socket.SOCK_DGRAM)
		self.s.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
		self.s.settimeout(2 * tap.slow())
		with ns:
			self.s.connect((dst, 123))
		self.last, self.arrived_ns = None, 0

	def send(self, org=0, **fields):
		"""A request that names the reply with this T2; its own receive timestamp is made up."""
		fields.setdefault("rec", ntpq.ntp64(self.arrived_ns) if org else 0)
		self.req = ntpq.Reply(request(org=org, **fields))
		self.s.send(self.req.data)

	def take(self):
		"""(mode, reply, when it came by the kernel's stamp)"""
		data, anc, _, _ = self.s.recvmsg(200, 200)
		reply = ntpq.Reply(data)
		s, ns = struct.unpack("qq", anc[0][2])
		self.last, self.arrived_ns = reply, s * 10**9 + ns
		mode = {self.req.rec: INTERLEAVED, self.req.xmt: BASIC}.get(reply.org)
		return mode, reply, self.arrived_ns

	def ask(self, **fields):
		self.send(**fields)
		return self.take()

	def again(self, **fields):
		"""The next request of a client in interleaved mode."""
		return self.ask(org=self.last.rec if self.last else 0, **fields)

	def close(self):
		self.s.close()
