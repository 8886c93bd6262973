# SPDX-License-Identifier: GPL-2.0-only
"""
What the answers that a machine wrote down (steady.c) say: how long each took
from T2 to T3, and how long it still was on its way when T3 was read.
"""
import array
import json
import os
import statistics

UNIX_EPOCH_S = 2208988800


def ns_of(ts):
	"""Nanoseconds since 1970 of a timestamp of the first era."""
	return ((ts >> 32) - UNIX_EPOCH_S) * 10**9 + ((ts & 0xffffffff) * 10**9 >> 32)


def answers(path):
	"""[(residence in ns, departure less T3 in ns)] of each answer."""
	raw = array.array("Q")
	with open(path, "rb") as f:
		raw.frombytes(f.read())
	out = []
	for i in range(0, len(raw), 4):
		_, t2, t3, came_ns = raw[i:i + 4]
		out.append(((t3 - t2) * 10**9 >> 32, came_ns - ns_of(t3)))
	return out


def quantile(ordered, q):
	return ordered[min(len(ordered) - 1, int(q * len(ordered)))]


def summary(values):
	ordered = sorted(values)
	return {"mean": statistics.fmean(values), "sd": statistics.pstdev(values),
		"p50": quantile(ordered, .5), "p99": quantile(ordered, .99),
		"p99.9": quantile(ordered, .999), "max": ordered[-1]}


def read(folder):
	"""The runs of a folder, each with its summaries."""
	with open(os.path.join(folder, "runs.jsonl")) as f:
		runs = [json.loads(line) for line in f]
	for run in runs:
		got = answers(os.path.join(folder, run["raw"]))
		run["residence"] = summary([r for r, _ in got])
		run["error"] = summary([e for _, e in got])
	return runs


def table(runs, what, text):
	"""Lines of a table of one of the summaries."""
	yield "| %s, ns | load | per second | answered | mean | sd | p50 | p99 | p99.9 | max |" % text
	yield "|---|---|---|---|---|---|---|---|---|---|"
	for run in runs:
		rate = "{:,}".format(run["rate"]) if run["rate"] else "flat out"
		yield "| %s | %s | %s | %d of %d | %s |" % (
			run["name"], "hogs" if run["loaded"] else "none", rate, run["came"], run["sent"],
			" | ".join("{:,.0f}".format(v) for v in run[what].values()))


def spread(runs, name):
	"""By how much the mean of T3's error changes from idle to as fast as can be."""
	means = [r["error"]["mean"] for r in runs if r["name"] == name and not r["loaded"]]
	return max(means) - min(means) if means else None


def by_rate(runs, name):
	"""p99.9 beside the hogs: {rate: ns}"""
	return {r["rate"]: r["residence"]["p99.9"] for r in runs if r["name"] == name and r["loaded"]}
