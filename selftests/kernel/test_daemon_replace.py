#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-only
"""
Shows the module replaced by another build of it (the same code with another version and
srcversion, by which ntpkd tells builds apart), `rmmod` and `insmod`, under 1,000 requests
a second while ntpkd runs: ntpkd answers meanwhile and none is lost; the new module gets
time, keys, access lists and listeners; `ntpkctl status` says which module it is, for how
long the kernel did not serve and how many requests ntpkd answered, as a counter behind the
module and a client whose requests end there see it, too.  A module that does not load, and
one that is gone for good, are said, and what was set is kept; what ntpkd's sockets hold
while it does not read them is bounded.
About 40 seconds.
"""
import contextlib
import json
import os
import re
import signal
import subprocess

import daemon
import fixture
import mac
import netns
import ntpknl
import ntpq
import pkt
import tap

CTL = os.path.join(netns.BIN, "ntpkctl")
RATE = 1000
MS = 10**6
# Requests that are on their way, here or there, as a gap begins and ends.
AT_THE_ENDS = 64
KEY = (7, "sha256", bytes(range(20)))
# What a socket of ntpkd's holds of requests (RECEIVE_BYTES of respond_sock.c, doubled by the kernel), more of
# them than it holds, and by how much the last one may be beyond it.
ROOM, TOO_MANY, ONE_MORE = 2 << 20, 8000, 64 << 10
# after the module (NF_IP_PRI_LAST - 2): what comes there is ntpkd's
BEHIND = 2**31 - 2
RULES = """table inet behind {
	counter passed { }
	chain input {
		type filter hook input priority %d;
		udp dport 123 counter name passed%s
	}
}
"""


class Builds:
	"""Modules that are the tree's but for what they say of themselves."""

	def __init__(self):
		self.dir = fixture.tmpdir()
		with open(netns.module_path(), "rb") as f:
			self.data = f.read()
		self.version = re.search(rb"(?<!src)version=([^\0]+)\0", self.data)[1]
		self.srcversion = re.search(rb"\0srcversion=([^\0]+)\0", self.data)[1]

	def make(self, n):
		"""The n-th build's path, version and srcversion."""
		version = self.version[:-1] + b"%d" % n
		srcversion = b"%X" % n * 4 + self.srcversion[4:]
		data = self.data.replace(b"version=" + self.version + b"\0", b"version=" + version + b"\0")
		data = data.replace(b"\0srcversion=" + self.srcversion, b"\0srcversion=" + srcversion)
		return self.write(f"{n}.ko", data), version.decode(), srcversion.decode()

	def broken(self):
		return self.write("broken.ko", self.data[:len(self.data) // 2])

	def write(self, name, data):
		path = os.path.join(self.dir, name)
		with open(path, "wb") as f:
			f.write(data)
		return path


class Behind:
	"""What the module does not answer is counted and reaches ntpkd, or ends there; `with` takes it away."""

	def __init__(self, server, drop):
		self.server = server
		server.nft(RULES % (BEHIND, " drop" if drop else ""))

	def __enter__(self):
		return self

	def __exit__(self, *exc):
		self.server.sh("nft delete table inet behind")

	def count(self):
		out = json.loads(self.server.sh("nft", "-j", "list", "counters").stdout)
		return next(c["counter"]["packets"] for c in out["nftables"] if "counter" in c)


def ctl(d):
	return subprocess.run([CTL, "-s", d.sock, "status"], capture_output=True, text=True, check=False).stdout


def line(d, name):
	"""Of `ntpkctl status`."""
	return next((text.partition(": ")[2] for text in ctl(d).splitlines()
		     if re.match(rf"{name} *: ", text)), "")


@contextlib.contextmanager
def stream_to(s, check=None):
	"""A client that asks all the time, answered by now."""
	stream = fixture.Stream(s.client, rate=RATE, check=check)
	stream.start()
	try:
		stream.wait_answers(RATE // 5)
		yield stream
	finally:
		stream.finish()


def replace(path):
	"""As an operator would; how long the commands took."""
	start = netns.raw_ns()
	netns.sh("sh", "-c", f"rmmod ntpk && insmod {path}")
	return netns.raw_ns() - start


def gaps(d):
	"""How many there have been."""
	return (d.status().get("module_gap") or {"count": 0})["count"]


def gap_over(d, count):
	"""The gap no. count, when the next module has taken over."""
	return tap.wait_for(lambda: (lambda g: g and g["over"] and g["count"] == count and g)(
		d.status().get("module_gap")), 30)


def signed(client, port=123):
	"""Is a signed request answered with a good MAC?"""
	answer = ntpq.Asker(client, "192.0.2.1", port=port).ask_last(mac.sign(KEY, ntpq.request()), 5)
	return bool(answer) and mac.fault(KEY, answer[1].data, 48) is None


def answers(client, src, port, timeout):
	return ntpq.Asker(client, "192.0.2.1", port=port, bind=(src, 0)).ask_last(timeout=timeout) is not None


def all_is_there(s, what):
	"""All that ntpkd was configured with works, and is answered by the module."""
	g = ntpknl.Genl(s.server)
	before = g.stats()
	tap.ok(signed(s.client), f"{what}: the key works")
	tap.same([answers(s.client, "192.0.2.2", 1123, 5), answers(s.client, "192.0.2.3", 1123, 0.3)], [True, False],
		 f"{what}: another port, with a list of its own")
	tap.same([answers(s.client, "192.0.2.2", 123, 5), answers(s.client, "192.0.2.4", 123, 0.3)], [True, False],
		 f"{what}: and the list of all")
	changed = ntpknl.changed(before, g.stats())
	tap.ok(changed.get("replied", 0) >= 3 and changed.get("acl_denied", 0) >= 2,
	       f"{what}: all that by the module", changed)
	g.close()


def test_replaced(d, s, builds):
	"""ntpkd answers meanwhile."""
	path, version, srcversion = builds.make(1)
	truth = daemon.now_truth()
	tap.same(line(d, "Replaced") + line(d, "Loaded again"), "", "no gap before the first")
	with stream_to(s, truth.check) as stream, Behind(s.server, drop=False) as behind:
		replace(path)
		gap = gap_over(d, 1)
		if not tap.ok(gap, "replaced: ntpkd gives the new module its state", d.text()):
			return
		tap.ok(d.says("is in place of"), "replaced: is said in the log")
		stream.finish()
		gap, passed = d.status()["module_gap"], behind.count()
	tap.ok(not stream.unanswered and not stream.refused,
	       f"replaced: of {stream.sent} requests none is lost", stream.summary())
	tap.same((stream.bad[:3], truth.unsync), ([], 0), "replaced: all within the claimed root distance, "
		 f"{truth.figures()}")
	tap.ok(passed and 0 <= passed - gap["answered"] <= passed // 20 + AT_THE_ENDS,
	       f"replaced: {gap['answered']} requests answered by ntpkd in {gap['length_ns'] / MS:.1f} ms, "
	       f"{passed} passed the module by", gap)
	module = d.status()["module"]
	tap.same((module["version"], module["srcversion"], gap["was"]["srcversion"], gap["same_build"]),
		 (version, srcversion, builds.srcversion.decode(), False), "replaced: status tells both modules")
	tap.ok(re.fullmatch(r"\d+ s ago, not served by the kernel for [\d.]+ m?s \(\d+ requests answered by "
			    r"ntpkd meanwhile\)", line(d, "Replaced")), "replaced: `ntpkctl status` says so", ctl(d))
	tap.ok(f"ntpk {version} (srcversion {srcversion})" in line(d, "Kernel module"),
	       "replaced: and which module answers", ctl(d))
	tap.same(len(re.findall("is in place of", d.text())), 1, "replaced: once")
	all_is_there(s, "replaced")


def test_gap_seen(d, s, builds):
	"""What the kernel does not serve is lost: so a client sees the gap as ntpkd tells it."""
	path = builds.make(2)[0]
	before = gaps(d)
	with stream_to(s) as stream, Behind(s.server, drop=True) as behind:
		took_ns = replace(path)
		gap = gap_over(d, before + 1)
		if not tap.ok(gap, "seen by a client: ntpkd gives the new module its state", d.text()):
			return
		stream.wait_answers(RATE // 5)
		lost = sorted(raw for _req, raw in stream.finish())
		passed = behind.count()
	seen_ms, told_ms = (lost[-1] - lost[0]) / MS if lost else 0, gap["length_ns"] / MS
	# a client that asks late sees less, and none sees more
	tap.ok(lost and seen_ms - 2 <= told_ms < 1.2 * seen_ms + 200, f"seen by a client: {len(lost)} requests lost "
	       f"in {seen_ms:.1f} ms, told are {told_ms:.1f} ms", stream.summary())
	tap.ok(told_ms < took_ns / MS + 500, f"over when the commands are, which took {took_ns / MS:.1f} ms", d.text())
	tap.same((len(lost), stream.bad), (passed, []), "seen by a client: lost are those that passed the module by")


def test_refused(d, s, builds):
	"""The new one does not load, as it is broken; then there is one that does."""
	before = gaps(d)
	truth = daemon.now_truth()
	with stream_to(s, truth.check) as stream:
		gap = refused_then_good(d, builds, stream, before + 1)
	if not tap.ok(gap, "refused: a good one gets all", d.text()):
		return
	tap.ok(not stream.unanswered and not stream.refused and not stream.bad and not truth.unsync,
	       f"refused: of {stream.sent} requests none is lost, {truth.figures()}", stream.summary())
	all_is_there(s, "refused, then a good one")
	tap.ok(gap["answered"] > RATE // 2, f"refused: {gap['answered']} requests answered by ntpkd in "
	       f"{gap['length_ns'] / MS:.0f} ms", gap)


def refused_then_good(d, builds, stream, count):
	"""The gap no. count, when it is over."""
	netns.unload()
	p = netns.sh("insmod", builds.broken(), check=False)
	tap.ok(p.returncode and not netns.loaded(), "a broken module is refused", p.stdout)
	tap.ok(tap.wait_for(lambda: d.status().get("serving") == "userspace", 5), "refused: ntpkd serves", d.text())
	stream.wait_answers(RATE // 2)
	tap.ok(re.fullmatch(r"\d+ s ago, [1-9]\d* requests answered by ntpkd since; `modprobe ntpk` loads it, "
			    r"`dmesg` says why it does not load", line(d, "Unloaded")),
	       "refused: `ntpkctl status` says so, and what to do", ctl(d))
	gap = d.status()["module_gap"]
	tap.ok(not gap["over"] and gap["count"] == count and gap["length_ns"] > 500 * MS, "refused: the gap grows", gap)
	netns.insmod()
	gap = gap_over(d, count)
	stream.wait_answers(RATE // 5)
	return gap


def test_stood_still(d, s):
	"""The same build again, while ntpkd does not run."""
	before = gaps(d)
	d.p.send_signal(signal.SIGSTOP)
	try:
		replace(netns.module_path())
	finally:
		d.p.send_signal(signal.SIGCONT)
	gap = gap_over(d, before + 1)
	tap.ok(gap and gap["same_build"] and line(d, "Loaded again"),
	       "the same build while ntpkd stood still: loaded again, not replaced", ctl(d))
	tap.ok(signed(s.client), "the same build while ntpkd stood still: the key works")


def sockets(server):
	"""[(bytes held, bytes that may be, dropped)] of all UDP sockets of a namespace."""
	out = server.sh("ss", "-u", "-a", "-n", "-m").stdout
	return [tuple(map(int, found)) for found in re.findall(r"skmem:\(r(\d+),rb(\d+),.*?d(\d+)\)", out)]


def test_bounded(d, s):
	"""The module is away, and ntpkd does not read: of what comes only so much is kept."""
	frame = s.wire.frame(pkt.ip("192.0.2.2", "192.0.2.1", pkt.UDP, pkt.udp(
		"192.0.2.2", "192.0.2.1", 40000, 123, ntpq.request())))
	d.p.send_signal(signal.SIGSTOP)
	try:
		for _ in range(TOO_MANY):
			s.wire.s.send(frame)
		found = sockets(s.server)
	finally:
		d.p.send_signal(signal.SIGCONT)
	tap.same([room for _, room, _ in found], [ROOM] * 4, "ntpkd does not read: its sockets, two a port, may hold 2 MiB each")
	held, _, dropped = max(found, default=(0, 0, 0))
	tap.ok(ROOM // 2 < held <= ROOM + ONE_MORE and dropped, f"ntpkd does not read: of {TOO_MANY} requests one holds "
	       f"{held} bytes, {dropped} are dropped", found)


def test_gone(d, s):
	netns.unload()
	tap.ok(tap.wait_for(lambda: line(d, "Unloaded"), 5), "gone for good: is said", d.text())
	tap.ok(all(r.leap == 0 for r in daemon.replies(s.client, want=3)), "gone for good: ntpkd answers")
	tap.ok(signed(s.client), "gone for good: with its keys")
	test_bounded(d, s)
	tap.ok(tap.wait_for(lambda: signed(s.client), 30), "it reads again: answers")
	tap.same(d.stop(), 0, "gone for good: ntpkd ends well")


def main():
	daemon.need_ntpkd()
	s = fixture.served(attach=False)
	builds = Builds()
	for host in (3, 4):
		s.client.sh("ip", "addr", "add", f"192.0.2.{host}/24", "dev", s.link.cdev)
		s.link.neigh(s.server, s.link.sdev, s.link.cmac, f"192.0.2.{host}")
	keys = os.path.join(fixture.tmpdir(), "keys")
	with open(keys, "w") as f:
		os.fchmod(f.fileno(), 0o600)
		f.write(f"{KEY[0]} {KEY[1].upper()} HEX:{KEY[2].hex()}\n")
	d = daemon.Ntpkd(s.server, "local stratum 5", f"keyfile {keys}", "allow 192.0.2.0/24", "deny 192.0.2.4",
			 "listen all port 1123 acl few", "allow 192.0.2.2 acl few")
	tap.ok(tap.wait_for(lambda: s.g.status() == "sync", 60), "ntpkd gives the module its time", d.text())
	s.g.close()
	all_is_there(s, "at first")
	test_replaced(d, s, builds)
	test_gap_seen(d, s, builds)
	test_refused(d, s, builds)
	test_stood_still(d, s)
	test_gone(d, s)


tap.run(main)
