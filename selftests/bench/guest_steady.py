#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-only
"""
Inside a machine that counts instructions: how long answers take and how right
T3 is, at several rates, alone and beside two CPU hogs, a disk writer and 10,000
timers.  What was measured goes into files that the host reads (`bench`).

	guest_steady.py [--subjects A,B] [--count N] --out DIR
"""
import argparse
import contextlib
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../kernel"), os.path.join(HERE, "../e2e"), HERE]

import cases                                                     # noqa: E402
import guest_cost                                                # noqa: E402
import tap                                                       # noqa: E402

TIMERS = 10000
HOGS = 2
FLAT_OUT = 0
# requests per second: how many are asked, of 1,000
RATES = {10: 30, 100: 100, 1000: 2000, 10000: 4000, FLAT_OUT: 8000}
LOADED_RATES = {10: 20, 1000: 2000, 10000: 4000, FLAT_OUT: 4000}


@contextlib.contextmanager
def load(scratch):
	"""Hogs, a writer and timers, until the end of the block."""
	argvs = [["steady", "hog"]] * HOGS + [["steady", "writer", scratch]]
	procs = [subprocess.Popen(argv) for argv in argvs]
	timers = subprocess.Popen(["steady", "timers", str(TIMERS)], stdout=subprocess.PIPE, text=True)
	try:
		if timers.stdout.readline() != "ready\n":
			raise RuntimeError("no timers")
		yield
	finally:
		for p in (*procs, timers):
			p.kill()
			p.wait()


def measure(bench, path, rate, count, out):
	period = 10**9 // rate if rate else 0
	text = bench.link.client.sh("steady", bench.link.cdev, path, str(count), str(period), out,
				    timeout=2000).stdout
	sent, came, ns = map(int, text.split())
	return {"rate": rate, "sent": sent, "came": came, "took_ns": ns,
		"raw": os.path.basename(out)}


def series(bench, path, case, loaded, scale, folder):
	for rate, count in (LOADED_RATES if loaded else RATES).items():
		name = "%s%s.%d" % (case.name.replace(" ", "_"), ".loaded" if loaded else "", rate)
		result = measure(bench, path, rate, max(count * scale // 1000, 10),
				 os.path.join(folder, name))
		yield {"name": case.name, "loaded": loaded, **result}


def run(bench, case, scale, folder):
	path = bench.write(case.frames(bench.link)[:1])
	with case.serving(bench.link):
		bench.sink()
		# what is watched at first, and caches
		measure(bench, path, 1000, 200, os.path.join(bench.dir, "first"))
		yield from series(bench, path, case, False, scale, folder)
		with load(os.path.join(bench.dir, "scratch")):
			yield from series(bench, path, case, True, scale, folder)


def main():
	parser = argparse.ArgumentParser(description=__doc__)
	parser.add_argument("--subjects", default="ntpk,chronyd,ntpsec,openntpd,ntpd-rs,ntpkd alone")
	parser.add_argument("--count", type=int, default=1000, help="of 1,000 requests so many")
	parser.add_argument("--out", required=True)
	args = parser.parse_args()
	bench = guest_cost.Bench(args.count)
	os.makedirs(args.out, exist_ok=True)
	with open(os.path.join(args.out, "runs.jsonl"), "w") as f:
		for case in guest_cost.wanted(args.subjects):
			try:
				for result in run(bench, case, args.count, args.out):
					tap.ok(result["came"] > 0, json.dumps(result))
					f.write(json.dumps(result) + "\n")
					f.flush()
			except cases.Missing as why:
				tap.skip(case.name, str(why))


if __name__ == "__main__":
	tap.run(main)
