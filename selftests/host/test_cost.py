#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What a reply costs in the core, with eight sources: instructions, counted.

From the reply's arrival to the last action: checks, selection of all sources,
noise, the bank of filters, discipline, what is pushed.  Counted by callgrind,
so that it repeats; at one instruction per cycle and 3 GHz the limit is 20 us.

TAP on stdout; exit 0 passed or skipped (no valgrind), 1 failed.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PLOT = os.path.join(TOP, "build/user/bin/plot")
LIMIT = 60000


def count(out):
    """Return: instructions per reply in one simulated run of eight servers."""
    p = subprocess.run(["valgrind", "--tool=callgrind", "--toggle-collect=sim_at_client",
                        "--callgrind-out-file=" + out, PLOT, "eight_servers", "1", "20000"],
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300)
    costs = subprocess.run(["callgrind_annotate", "--inclusive=yes", "--auto=no", out],
                           check=True, stderr=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, timeout=300).stdout.decode()
    # the simulator, which brings the reply, is not the core
    total = int(re.search(r"^\s*([\d,]+).*:engine_event\b", costs, re.M)[1].replace(",", ""))
    replies = int(re.search(r"(\d+) requests", p.stdout.decode())[1])
    return total / replies


def main():
    if not shutil.which("valgrind"):
        print("ok 1 - a reply costs less than 20 us # SKIP no valgrind here\n1..1")
        return 0
    with tempfile.TemporaryDirectory() as d:
        per_reply = count(os.path.join(d, "out"))
    good = 1000 < per_reply < LIMIT
    print("# %.0f instructions per reply, limit %d" % (per_reply, LIMIT))
    print("%sok 1 - a reply costs less than 20 us\n1..1" % ("" if good else "not "))
    return not good


if __name__ == "__main__":
    sys.exit(main())
