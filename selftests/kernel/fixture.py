# SPDX-License-Identifier: GPL-2.0-only
"""
What most tests here begin with: the module loaded, a server namespace attached
and a client namespace behind a veth.  And a client that asks all the time.
"""
import contextlib
import errno
import os
import select
import socket
import threading
import time

import netns
import ntpknl
import ntpq
import tap

SO_RCVBUFFORCE = 33


class Served:
	"""link, g (netlink in the server's namespace), wire (the client's end)."""

	def __init__(self, attach=True, link=None):
		self.link = link or netns.Link()
		self.server, self.client = self.link.server, self.link.client
		self.g = ntpknl.Genl(self.server)
		self.wire = ntpq.Wire(self.link)
		if attach:
			self.g.attach()

	def counted(self, fn, *args, **kwargs):
		"""fn's result, and which counters it moved by how much."""
		before = self.g.stats()
		result = fn(*args, **kwargs)
		return result, ntpknl.changed(before, self.g.stats())


def served(**kwargs):
	netns.load()
	return Served(**kwargs)


@contextlib.contextmanager
def looked_on(s):
	"""A packet socket holds a reference to whatever comes in."""
	with s.server.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as sock:
		sock.bind((s.link.sdev, 3))
		yield


def refused(what, want, words, send):
	"""send() is refused with an error whose name and text are these."""
	try:
		send()
		got = "(accepted)"
	except ntpknl.Refused as e:
		got = f"{errno.errorcode[e.errno]}: {e.text}"
	tap.ok(got.startswith(want) and words in got, f"refused: {what}", got)


class Stream(threading.Thread):
	"""
	A client at a steady rate in a thread of its own.  Every reply is handed to
	check(request, reply, raw0, raw1), which returns None or what is wrong.
	"""

	def __init__(self, ns, dst="192.0.2.1", rate=200, check=None, port=123):
		super().__init__(daemon=True)
		self.family = socket.AF_INET6 if ":" in dst else socket.AF_INET
		self.s = ns.socket(self.family, socket.SOCK_DGRAM)
		# replies may come all at once after a pause, and python is slow
		self.s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 4 << 20)
		with ns:
			self.s.connect((dst, port))
		self.rate, self.check = rate, check
		self.sent = self.answered = self.refused = 0
		self.bad, self.open = [], {}
		self.unanswered = []
		self.stopping = threading.Event()
		tap.later(self.finish)

	def run(self):
		# no more than 100 turns a second: python is slow in an emulated machine
		batch = max(1, self.rate // 100)
		due = time.monotonic()
		while not self.stopping.is_set():
			for _ in range(batch):
				self.ask()
			due = max(due + batch / self.rate, time.monotonic() - 0.1)
			self.listen(max(0, due - time.monotonic()))

	def ask(self):
		req = ntpq.request()
		raw = netns.raw_ns()
		try:
			self.s.send(req)
		except OSError:
			# an ICMP error of an earlier request; this one was not sent
			self.refused += 1
			return
		self.open[req[40:48]] = (req, raw)
		self.sent += 1

	def listen(self, seconds):
		end = time.monotonic() + seconds
		while select.select([self.s], [], [], max(0, end - time.monotonic()))[0]:
			try:
				while True:
					data = self.s.recv(2048, socket.MSG_DONTWAIT)
					self.take(data, netns.raw_ns())
			except BlockingIOError:
				pass
			except OSError:
				self.refused += 1

	def take(self, data, raw1):
		req, raw0 = self.open.pop(data[24:32], (None, 0))
		if req is None:
			self.bad.append(f"a reply to nothing, or a second one: {data.hex()}")
			return
		self.answered += 1
		wrong = self.check(req, ntpq.Reply(data), raw0, raw1) if self.check else None
		if wrong:
			self.bad.append(wrong)

	def wait_answers(self, more, seconds=30):
		"""Until `more` further requests have been answered."""
		goal = self.answered + more
		return tap.wait_for(lambda: self.answered >= goal, seconds)

	def finish(self):
		"""Stop asking; the requests without an answer."""
		if not self.stopping.is_set():
			self.stopping.set()
			if self.ident:
				self.join()
			end = time.monotonic() + 2 * tap.slow()
			while self.open and time.monotonic() < end:
				self.listen(0.05)
			self.unanswered = list(self.open.values())
			self.s.close()
		return self.unanswered

	def summary(self):
		return (f"{self.sent} sent, {self.answered} answered, {len(self.unanswered)} lost, "
			f"{self.refused} ICMP errors, {len(self.bad)} bad {self.bad[:3]}")


def tmpdir():
	import shutil
	import tempfile
	path = tempfile.mkdtemp(prefix="ntpk.")
	tap.later(shutil.rmtree, path, ignore_errors=True)
	return path


def chronyd(ns, *lines, args=("-x",)):
	"""A chronyd that serves in a namespace; its process."""
	where = tmpdir()
	conf = os.path.join(where, "chrony.conf")
	with open(conf, "w") as f:
		f.write("\n".join(["cmdport 0", "bindcmdaddress /", f"pidfile {where}/pid",
				   *lines]) + "\n")
	log = open(os.path.join(where, "log"), "w")
	p = netns.spawn(ns, "chronyd", *args, "-n", "-u", "root", "-f", conf, stdout=log, stderr=log)
	p.log = log.name
	return p


def chronyc(ns):
	"""Words that begin its command: from 4.9 on it gives root up, and would not reach what is root's."""
	return ("chronyc", "-u", "root") if "-u USER" in ns.sh("chronyc", "--help", check=False).stdout else ("chronyc",)


def chronyd_answers(p, client, dst="192.0.2.1"):
	"""Wait until a chronyd at dst answers; fails with its log otherwise."""
	def asked():
		reply = (ntpq.ask_once(client, dst, timeout=0.3) or (None, None))[1]
		return reply is not None and reply.leap != 3
	if not tap.wait_for(asked, 20):
		with open(p.log) as f:
			raise RuntimeError("chronyd does not answer: " + f.read())
