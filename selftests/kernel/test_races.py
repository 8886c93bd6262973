#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-only
"""
Shows that everything may change while it is used by two processors at once: two
clients, one of each processor and both of one address, ask without a pause, signed and
not, in basic and interleaved mode, over both families, beside a stream of requests on
both, of a few and of many who do not fit into a small table, while states, limits, keys,
access lists and routes are replaced, and everything is read.  No request is without its
right answer.  Then that the namespace is detached and attached under them.
About 20 seconds (NTPK_RACE_S = 5 for each part, more where it is slow); made for the kernel that looks for data races.
"""
import json
import os
import secrets
import socket
import struct
import subprocess
import time
import traceback

import fixture
import mac
import netns
import ntpknl
import ntpq
import pkt
import tap
from stamped import BASIC, INTERLEAVED, SO_TIMESTAMPNS, Client

SECONDS = tap.env_int("NTPK_RACE_S", 5, 1)
KEY = (7, "sha1", b"the same in each set")
SLACK_NS = 1_000_000
HOLD = """
table inet held {
	chain i {
		type filter hook input priority 0
	}
}
"""
BATCH = 16	# of blast, which sends one each BATCH_NS on each processor
BATCH_NS = 8_000_000 * tap.slow()
STREAM = SECONDS * 10**9 // BATCH_NS * BATCH * 2
STATES = ({}, {"LIMIT": {"INTERVAL_LOG2S": -12, "BURST": 255, "LEAK_LOG2": 0}})


def time_fault(reply, begin_ns, end_ns):
	if reply.leap or reply.stratum != 2:
		return f"leap {reply.leap}, stratum {reply.stratum}"
	if begin_ns - SLACK_NS <= reply.t2_ns <= reply.t3_ns <= end_ns + SLACK_NS:
		return None
	return f"T2 {reply.t2_ns}, T3 {reply.t3_ns} are not in {begin_ns}..{end_ns}"


class Both:
	"""A client of each kind in one process."""

	def __init__(self, s):
		self.asked = self.answered = self.interleaved = 0
		self.bad = []
		self.askers = [ntpq.Asker(s.client, dst) for dst in ("192.0.2.1", "2001:db8::1")]
		self.stamped = Client(s.client)
		self.turn = 0

	def count(self, wrong):
		self.answered += 1
		if wrong:
			self.bad.append(wrong)

	def plain(self, asker, key=None):
		begin_ns = time.time_ns()
		req = ntpq.request()
		_, reply, _, _ = asker.ask(mac.sign(key, req) if key else req)
		if reply is None:
			return
		wrong = mac.fault(key, reply.data, 48) if key else ntpq.echo_faults(req, reply)
		self.count(wrong or time_fault(reply, begin_ns, time.time_ns()))

	def paired(self):
		"""T3 of an interleaved answer is of the one before."""
		before = self.stamped.last
		begin_ns = time.time_ns()
		mode, reply, _ = self.stamped.again()
		if mode == INTERLEAVED:
			self.interleaved += 1
			begin_ns, reply.rec = before.t2_ns, before.rec
		self.count(f"mode {mode}" if mode not in (BASIC, INTERLEAVED) else
			   time_fault(reply, begin_ns, time.time_ns()))

	def one(self):
		kind = self.turn % 5
		self.turn += 1
		self.asked += 1
		if kind == 4:
			self.paired()
		else:
			self.plain(self.askers[kind % 2], KEY if kind > 1 else None)

	def silent(self):
		"""one(), where nobody may be there: TimeoutError, or ICMP errors."""
		try:
			self.one()
		except OSError:
			self.stamped.last = None


def child(s, cpu, answered, stop, out):
	os.sched_setaffinity(0, {cpu})
	both = Both(s)
	if not answered:
		both.stamped.s.settimeout(0.05)
	while not os.path.exists(stop):
		if answered:
			both.one()
		else:
			both.silent()
	with open(out, "w") as f:
		json.dump({"asked": both.asked, "answered": both.answered,
			   "interleaved": both.interleaved, "bad": both.bad[:3]}, f)


class Clients:
	"""A child on each of two processors, until end()."""

	def __init__(self, s, cpus, answered=True):
		where = fixture.tmpdir()
		self.stop = os.path.join(where, "stop")
		self.out = [os.path.join(where, str(cpu)) for cpu in cpus]
		self.pids = []
		for cpu, out in zip(cpus, self.out):
			pid = os.fork()
			if not pid:
				status = 1
				try:
					child(s, cpu, answered, self.stop, out)
					status = 0
				except BaseException:
					traceback.print_exc()
				finally:
					os._exit(status)
			self.pids.append(pid)

	def end(self):
		"""Sums over both; None where one did not get to its end."""
		open(self.stop, "w").close()
		# both are waited for
		if any([os.waitpid(pid, 0)[1] for pid in self.pids]):
			return None
		each = []
		for out in self.out:
			with open(out) as f:
				each.append(json.load(f))
		return {k: each[0][k] + each[1][k] for k in each[0]}


def stream(s):
	"""blast, of three who ask all the time, signed now and then, and of 61 others."""
	path = os.path.join(fixture.tmpdir(), "frames")
	with open(path, "wb") as f:
		for i in range(4 * 61):
			src = f"198.18.0.{1 + i % 3}" if i % 4 else f"198.18.1.{1 + i // 4}"
			data = mac.sign(KEY, ntpq.request()) if i % 8 == 1 else ntpq.request()
			frame = s.wire.frame(pkt.ip(src, "192.0.2.1", pkt.UDP, pkt.udp(src, "192.0.2.1", 40000, 123, data)))
			f.write(struct.pack("<H", len(frame)) + frame)
	return netns.spawn(s.client, "blast", s.link.cdev, path, str(STREAM), "2", "0", str(BATCH_NS),
			   stdout=subprocess.DEVNULL)


def dropped():
	"""Packets that a processor had no room for."""
	with open("/proc/net/softnet_stat") as f:
		return sum(int(line.split()[1], 16) for line in f)


def read_sysfs():
	for folder, _, files in os.walk(netns.SYS):
		for name in files:
			with open(os.path.join(folder, name), "rb") as f:
				f.read()


class Changes:
	"""What may be replaced and read, one after the other."""

	def __init__(self, s):
		self.s, self.n = s, 0
		self.all = (self.state, self.keys, self.read, self.acl, self.state, self.clients, self.way)

	def state(self):
		listener = {"PORT": 123, "NEVER_SYNCED": ntpknl.SILENT, "EXPIRED": ntpknl.UNSYNC, **STATES[self.n // 2 % 2]}
		self.s.g.push_default(LISTENERS=[listener], **({"NO_CLIENTLOG": 1} if self.n % 8 == 7 else {}))

	def keys(self):
		others = [(100 + i, "md5", secrets.token_bytes(20)) for i in range(self.n % 20)]
		self.s.g.keys([KEY, *others], generation=self.n)

	def acl(self):
		rules = [(4, (10 << 24) + (i << 8), 24, i % 2) for i in range(self.n % 50)]
		self.s.g.acl(rules, otherwise=1, generation=self.n)

	def read(self):
		for fn in (self.s.g.stats, self.s.g.hist, self.s.g.departures, self.s.g.state, self.s.g.quirks,
			   self.s.g.get_keys, self.s.g.dump_acl, read_sysfs):
			fn()

	def clients(self):
		try:
			self.s.g.clients(REQUESTS=self.n % 3)
		except ntpknl.Refused:
			pass	# NO_CLIENTLOG is in force

	def way(self):
		verb = "add" if self.n % 2 else "del"
		self.s.server.sh(f"ip route {verb} 203.0.113.0/24 via 192.0.2.2", check=False)

	def next(self):
		self.n += 1
		self.all[self.n % len(self.all)]()


def test_changes(s, cpus):
	before, lost = s.g.stats(), dropped()
	clients, changes, blast = Clients(s, cpus), Changes(s), stream(s)
	while blast.poll() is None or changes.n < 2 * len(changes.all):
		changes.next()
	got = clients.end()
	tap.same(blast.returncode, 0, f"{STREAM} other requests are sent")
	if not tap.ok(got, "both clients got to their end"):
		return
	after = s.g.stats()
	moved = {k: after[k] - before.get(k, 0) for k in after if after[k] != before.get(k, 0)}
	tap.note(f"{got}, {changes.n} changes, {moved}")
	tap.ok(got["asked"] > 100 and got["answered"] == got["asked"], f"all of {got['asked']} requests are "
	       f"answered while {changes.n} things change", got)
	tap.same(got["bad"], [], "and rightly")
	tap.ok(got["interleaved"] > got["asked"] // 50, f"{got['interleaved']} in interleaved mode", got)
	most, lost = got["asked"] + STREAM, dropped() - lost
	tap.ok(most - lost <= sum(moved.values()) <= most, f"each request has one verdict, but for {lost} that "
	       "did not get here", (most, moved))
	s.wire.sync_reply(s.g.push_default())	# the last state may have kept no clients
	tap.ok(0 < len(s.g.clients()) <= 72, "no more clients are kept than there is room for")


def test_attach(s, cpus):
	clients, blast = Clients(s, cpus, answered=False), stream(s)
	times = 0
	while blast.poll() is None:
		s.g.detach()
		s.g.attach()
		s.g.keys([KEY])
		s.g.push_default()
		times += 1
		time.sleep(0.05)
	got = clients.end()
	if not tap.ok(got, "both clients got to their end"):
		return
	tap.ok(times > 2 and got["answered"] > 10, f"{times} times detached and attached while "
	       f"{got['answered']} of {got['asked']} requests were answered", got)
	tap.same(got["bad"], [], "and rightly")
	tap.same(s.wire.sync_reply(s.g.push_default()), None, "answered at the end")


def hold_code():
	"""
	Somebody else has a hook where the module has its own, and stamps packets as it does, so
	that attaching and detaching need not patch the kernel's code under both processors: an
	emulator may keep what it made of an instruction while a breakpoint stood there, and run
	into that for ever.
	"""
	netns.Ns("other").nft(HOLD)
	stamped = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
	stamped.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
	tap.later(stamped.close)


def main():
	cpus = range(os.cpu_count())[:2]
	if len(cpus) < 2:
		tap.skip_all("needs two processors")
	netns.load("clients=60")
	s = fixture.Served()
	s.server.sh("ip route replace default via 192.0.2.2")
	s.client.sh("ip route replace prohibit 0.0.0.0/0")
	s.g.keys([KEY])
	s.g.push_default()
	hold_code()
	test_changes(s, cpus)
	test_attach(s, cpus)


tap.run(main)
