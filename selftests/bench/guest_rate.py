#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-only
"""
Inside a machine whose processors run at once: answers per second, and what is left of
the processors for programs at a tenth, half and all of that.

	guest_rate.py [--subjects A,B] [--cpus N] [--seconds S] --out FILE

The generator is in the same machine and takes its share: what is left beside it alone
is written down as well.  Nothing here repeats to more than about a tenth, and a busy
host slows all of it.
"""
import argparse
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../kernel"), os.path.join(HERE, "../e2e"), HERE]

import guest_cost                                                # noqa: E402
import tap                                                       # noqa: E402

BATCH = 16		# of blast.c
SHARES = (10, 50, 100)
TRIAL = 8192
SUBJECTS = "ntpk,chronyd,reflector,icmp echo"


class Rate(guest_cost.Bench):
	"""The same two namespaces."""

	def __init__(self, cpus, seconds):
		super().__init__(TRIAL, cpus)
		self.seconds = seconds

	def answered(self, path, count, period_ns=0):
		"""(how many came back, in so many ns)"""
		before = self.dropped()
		took_ns = self.blast(path, count, period_ns=period_ns)
		return self.dropped() - before, took_ns

	def saturation(self, path):
		"""Answers per second."""
		count = TRIAL
		for _ in range(2):
			came, took_ns = self.answered(path, count)
			count = max(int(count * self.seconds * 1e9 / took_ns), TRIAL)
		return came / took_ns * 1e9

	def left(self, path, per_second):
		"""Rounds of loops that nobody waits for, meanwhile; and how many came back."""
		procs = [subprocess.Popen(["taskset", "-c", str(cpu), "steady", "left", str(self.seconds)],
					  stdout=subprocess.PIPE, text=True) for cpu in range(self.cpus)]
		came = 0
		if per_second:
			period_ns = int(BATCH * self.cpus * 1e9 / per_second)
			came, _ = self.answered(path, int(per_second * self.seconds), period_ns)
		return sum(int(p.communicate()[0]) for p in procs), came


def run(bench, case):
	path = bench.write(case.frames(bench.link))
	with case.serving(bench.link):
		bench.sink()
		most = bench.saturation(path)
		idle, _ = bench.left(path, 0)
		out = {"name": case.name, "cpus": bench.cpus, "per_second": most, "left": {}}
		for share in SHARES:
			per_second = most * share / 100
			rounds, came = bench.left(path, per_second)
			with bench.wall():
				alone, _ = bench.left(path, per_second)
			out["left"][share] = {"answered": came / (per_second * bench.seconds),
					      "cpu": rounds / idle, "generator": alone / idle}
	return out


def main():
	parser = argparse.ArgumentParser(description=__doc__)
	parser.add_argument("--subjects", default=SUBJECTS)
	parser.add_argument("--cpus", type=int, default=1)
	parser.add_argument("--seconds", type=int, default=3)
	parser.add_argument("--out", required=True)
	args = parser.parse_args()
	bench = Rate(args.cpus, args.seconds)
	with open(args.out, "w") as f:
		for case in guest_cost.wanted(args.subjects):
			result = run(bench, case)
			tap.ok(result["per_second"] > 0, json.dumps(result))
			f.write(json.dumps(result) + "\n")
			f.flush()


if __name__ == "__main__":
	tap.run(main)
