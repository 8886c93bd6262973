#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-only
"""
Inside a machine that counts instructions: one case of the bench, its packets
sent while the host records every instruction (`profile` tells it when).

	guest_profile.py CASE COUNT
"""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../kernel"), os.path.join(HERE, "../e2e"), HERE]

import cases                                                     # noqa: E402
import guest_cost                                                # noqa: E402
import tap                                                       # noqa: E402


def tell(name):
	with open("/out/" + name, "w") as f:
		os.fsync(f.fileno())


def recorded(bench, path, count, name):
	"""The packets, once the host has said that it records."""
	bench.blast(path, 4 * count)
	tell(name + ".ready")
	tap.wait_for(lambda: os.path.exists(f"/out/{name}.go"), 60, 0.5)
	bench.blast(path, count)
	tell(name + ".done")
	tap.wait_for(lambda: os.path.exists(f"/out/{name}.stopped"), 60, 0.5)


def main():
	name, count = sys.argv[1], int(sys.argv[2])
	case = next(c for c in cases.all_cases() if c.name == name)
	bench = guest_cost.Bench(count)
	path = bench.write(case.frames(bench.link))
	bench.link.server.nft(guest_cost.DROP.format(name="wall", dev=bench.link.sdev))
	recorded(bench, path, count, "generator")
	bench.link.server.sh("nft", "delete", "table", "netdev", "wall")
	with case.serving(bench.link):
		bench.sink()
		with open("/proc/kallsyms") as syms, open("/out/kallsyms", "w") as out:
			out.write(syms.read())
		recorded(bench, path, count, "case")
	tap.ok(True, "recorded")


if __name__ == "__main__":
	tap.run(main)
