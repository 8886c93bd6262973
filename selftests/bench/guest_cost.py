#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-only
"""
Inside a machine that counts instructions (`vm run --icount`): what one answer
costs, of ntpk and of everything that it is compared with.

	guest_cost.py [--cases A,B] [--count N] [--strict] --out FILE

Frames are sent from a second namespace over a veth; what comes back is dropped
and counted by nftables at that namespace's ingress.  The same frames dropped at
the server's ingress cost what the generator costs: that is subtracted.  Each
figure is taken twice, and both are written down.
"""
import argparse
import contextlib
import json
import os
import re
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../kernel"), os.path.join(HERE, "../e2e"), HERE]

import cases                                                     # noqa: E402
import netns                                                     # noqa: E402
import tap                                                       # noqa: E402

DROP = """table netdev {name} {{
	chain in {{ type filter hook ingress device {dev} priority 0; counter drop; }}
}}
"""


class Bench:
	"""The two namespaces and the generator."""

	def __init__(self, count, cpus=1):
		self.link, self.count, self.cpus = netns.Link(), count, cpus
		self.dir = os.environ.get("TMPDIR", "/tmp")
		self.generator = {}
		# as a network card does it: checksums of what is sent are not ours to compute
		self.link.server.sh("ethtool", "-K", self.link.sdev, "tx", "on")

	def sink(self):
		"""Replies end at the client's device, and are counted from here on."""
		self.link.client.sh("nft", "delete", "table", "netdev", "sink", check=False)
		self.link.client.nft(DROP.format(name="sink", dev=self.link.cdev))

	def dropped(self):
		text = self.link.client.sh("nft", "list", "table", "netdev", "sink").stdout
		return int(re.search(r"packets (\d+)", text)[1])

	def write(self, frames):
		path = os.path.join(self.dir, "frames")
		with open(path, "wb") as f:
			for frame in frames:
				f.write(struct.pack("<H", len(frame)) + frame)
		return path

	def blast(self, path, count, sources=0, period_ns=0):
		"""What sending so many took, by so many processors at once."""
		argv = [path, count, self.cpus, sources, period_ns]
		return int(self.link.client.sh("blast", self.link.cdev, *map(str, argv), timeout=2000).stdout)

	@contextlib.contextmanager
	def wall(self):
		"""Nobody gets what is sent: what is left is the generator."""
		self.link.server.nft(DROP.format(name="wall", dev=self.link.sdev))
		yield
		self.link.server.sh("nft", "delete", "table", "netdev", "wall")

	def empty(self, case, path):
		"""What the generator itself costs per frame of that kind."""
		key = (case.kind, case.clients, case.sources)
		if key not in self.generator:
			with self.wall():
				self.blast(path, self.count // 4, case.sources)
				self.generator[key] = self.blast(path, self.count, case.sources) / self.count
		return self.generator[key]

	def cost(self, case):
		"""Twice the instructions per frame, and how many were answered each time."""
		path = self.write(case.frames(self.link))
		self.sink()
		empty = self.empty(case, path)
		# caches, neighbours, sources
		self.blast(path, max(self.count // 4, case.sources), case.sources)
		out = {"name": case.name, "generator": empty, "per_frame": [], "answered": []}
		for _ in range(2):
			before = self.dropped()
			total = self.blast(path, self.count, case.sources)
			tap.wait_for(lambda: self.dropped() - before >= self.count * case.answers, 2)
			out["answered"].append(self.dropped() - before)
			out["per_frame"].append(total / self.count - empty)
		return out


def run(bench, case):
	try:
		with case.serving(bench.link):
			result = bench.cost(case)
	except cases.Missing as why:
		return {"name": case.name, "missing": str(why)}
	if min(result["answered"]) < bench.count * case.answers:
		result["missing"] = "only %d of %d were answered" % (min(result["answered"]), bench.count)
	return result


def wanted(text):
	"""Names of cases, comma between: what is no name takes all that hold it."""
	want = [w for w in text.split(",") if w]
	names = [case.name for case in cases.all_cases()]
	return [case for case in cases.all_cases() if not want or
		any(w == case.name if w in names else w in case.name for w in want)]


def main():
	parser = argparse.ArgumentParser(description=__doc__)
	parser.add_argument("--cases", default="", help="only those with one of these names; what is no name takes all that hold it")
	parser.add_argument("--count", type=int, default=4096)
	parser.add_argument("--cpus", type=int, default=1, help="so many send at once")
	parser.add_argument("--out", required=True)
	parser.add_argument("--strict", action="store_true", help="who cannot be had is a failure")
	args = parser.parse_args()
	bench = Bench(args.count, args.cpus)
	with open(args.out, "w") as f:
		for case in wanted(args.cases):
			result = run(bench, case)
			tap.ok("missing" not in result or not args.strict, json.dumps(result))
			f.write(json.dumps(result) + "\n")
			f.flush()
			os.fsync(f.fileno())


if __name__ == "__main__":
	tap.run(main)
