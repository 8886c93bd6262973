# SPDX-License-Identifier: GPL-2.0-only
"""
ntpkd inside a namespace, for the tests of the daemon together with the module.
It runs with -x here unless told otherwise: the clock is the test's.
"""
import json
import os
import re
import signal
import socket
import subprocess
import time

import fixture
import netns
import ntpq
import tap

NTPKD = os.path.join(netns.BIN, "ntpkd")


class Ntpkd:
	"""One run of ntpkd (with args) in a namespace, with its log in a file."""

	def __init__(self, ns, *lines, args=("-x",)):
		self.dir = fixture.tmpdir()
		os.chmod(self.dir, 0o755)
		self.conf, self.log = (os.path.join(self.dir, n) for n in ("ntpk.conf", "log"))
		self.sock = os.path.join(self.dir, "sock")
		self.ns, self.args = ns, args
		with open(self.conf, "w") as f:
			f.write("\n".join(lines) + "\n")
		self.start()

	def start(self):
		with open(self.log, "a") as log:
			self.p = netns.spawn(self.ns, NTPKD, *self.args, "-d", "-f", self.conf, "-s",
					     self.sock, stdout=log, stderr=log)

	def text(self):
		with open(self.log) as f:
			return f.read()

	def says(self, pattern, seconds=10):
		"""Wait until the log has a line like that."""
		return tap.wait_for(lambda: re.search(pattern, self.text(), re.I), seconds)

	def command(self, cmd, timeout=20, **args):
		"""The answer to a command on the control socket."""
		with socket.socket(socket.AF_UNIX) as s:
			s.settimeout(timeout)
			s.connect(self.sock)
			s.sendall(json.dumps(dict(args, cmd=cmd)).encode() + b"\n")
			return json.loads(s.makefile().readline())

	def status(self):
		"""The answer to `status`; {} while there is none."""
		try:
			return self.command("status", timeout=5)["data"]
		except (OSError, ValueError, KeyError):
			return {}

	def synchronises(self, seconds=60):
		return tap.wait_for(lambda: self.status().get("state") == "synchronised", seconds, 0.2)

	def kill(self):
		"""As by kill -9."""
		self.p.send_signal(signal.SIGKILL)
		self.p.wait()

	def stop(self):
		netns.stop(self.p)
		return self.p.returncode


def need_ntpkd():
	if not os.access(NTPKD, os.X_OK):
		tap.skip_all(f"no {NTPKD}: make user")
	p = subprocess.run([NTPKD, "-v"], capture_output=True, text=True, check=False)
	if p.returncode:
		tap.skip_all(f"ntpkd does not run here: {p.stderr}")


def upstream(server):
	"""A namespace with 10.5.0.2 behind the server's 10.5.0.1."""
	up = netns.Ns("upstream")
	netns.sh("ip", "link", "add", "toUp", "netns", server.name, "type", "veth",
		 "peer", "name", "up0", "netns", up.name)
	for ns, dev, host in ((server, "toUp", 1), (up, "up0", 2)):
		ns.sh("ip", "addr", "add", f"10.5.0.{host}/24", "dev", dev)
		ns.sh("ip", "link", "set", dev, "up")
	return up


class Truth:
	"""UTC as a line on CLOCK_MONOTONIC_RAW; every reply must keep its word about it."""

	def __init__(self, base_raw_ns, base_unix_ns):
		self.offset_ns = base_unix_ns - base_raw_ns
		self.worst = 0.0
		self.worst_sync_ns = 0
		self.unsync = self.sync = 0

	def check(self, _req, reply, raw0, raw1):
		"""For fixture.Stream: None, or by how much the reply lies about its error."""
		low, high = raw0 + self.offset_ns, raw1 + self.offset_ns
		early, late = low - reply.t2_ns, reply.t3_ns - high
		error = max(early, late, 0)
		self.worst = max(self.worst, error / reply.root_dist_ns)
		if reply.leap == 3:
			self.unsync += 1
		else:
			self.sync += 1
			self.worst_sync_ns = max(self.worst_sync_ns, error)
		if error > reply.root_dist_ns:
			return f"{error / 1e6:.3f} ms off, claims {reply.root_dist_ns / 1e6:.3f} ms: {reply}"
		return None

	def is_told(self, more=20, seconds=30):
		"""Wait until `more` further replies tell the time, and not only that it is not known."""
		goal = self.sync + more
		return tap.wait_for(lambda: self.sync >= goal, seconds)

	def figures(self):
		return (f"worst error {self.worst_sync_ns / 1e6:.3f} ms while synchronised, "
			f"{self.worst * 100:.0f} % of the root distance; {self.unsync} replies unsynchronised")


def now_truth():
	"""This machine's clock, as it is now, as a line; by the reading that took least of many."""
	def read():
		raw0 = netns.raw_ns()
		real = time.time_ns()
		raw1 = netns.raw_ns()
		return raw1 - raw0, (raw0 + raw1) // 2, real
	return Truth(*min(read() for _ in range(100))[1:])


def replies(client, dst="192.0.2.1", want=1):
	"""Replies to a few requests; [] where there is none."""
	asker = ntpq.Asker(client, dst)
	try:
		return [r for r in (asker.ask(timeout=1)[1] for _ in range(want)) if r]
	except OSError:
		return []
	finally:
		asker.close()
