#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What a reply costs in the core, with eight sources, what it costs to look an
address up among 100,000 prefixes, and what to learn from a client's request:
instructions, counted.

From the reply's arrival to the last action: checks, selection of all sources,
noise, the bank of filters, discipline, what is pushed.  Counted by callgrind,
so that it repeats; at one instruction per cycle and 3 GHz the limit is 20 us.
The code of the look-up, and of the clients' records, is that of the module.

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
ACL_COST = os.path.join(TOP, "build/user/bin/acl_cost")
ACL_LIMIT, ACL_PREFIXES, ACL_LOOKUPS = 600, 100000, 2000

CLIENT_COST = os.path.join(TOP, "build/user/bin/client_cost")
CLIENT_REQUESTS = 2000
# of a client that asks again within a second, and of any other: milliseconds, limit
CLIENT_LIMITS = ((1, 45), (64000, 400))


def callgrind(out, function, *command):
    """Return: what the command prints, and what was counted inside the function."""
    p = subprocess.run(["valgrind", "--tool=callgrind", "--toggle-collect=" + function,
                        "--callgrind-out-file=" + out, *command],
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300)
    costs = subprocess.run(["callgrind_annotate", "--inclusive=yes", "--auto=no", out],
                           check=True, stderr=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, timeout=300).stdout.decode()
    return p.stdout.decode(), costs


def inclusive(costs, function):
    return int(re.search(r"^\s*([\d,]+).*:%s\b" % function, costs, re.M)[1].replace(",", ""))


def count(out):
    """Return: instructions per reply in one simulated run of eight servers."""
    printed, costs = callgrind(out, "sim_at_client", PLOT, "eight_servers", "1", "20000")
    # the simulator, which brings the reply, is not the core
    replies = int(re.search(r"(\d+) requests", printed)[1])
    return inclusive(costs, "engine_event") / replies


def count_acl(out, family):
    """Return: instructions per look-up, and what the program says of its list."""
    printed, costs = callgrind(out, "acl_cost_lookup", ACL_COST, family, str(ACL_PREFIXES),
                               str(ACL_LOOKUPS))
    return inclusive(costs, "acl_cost_lookup") / ACL_LOOKUPS, printed.strip()


def check_acl(out, n, family):
    """The number of steps depends on the number of ranges alone: the mean says it all."""
    per_lookup, printed = count_acl(out, family)
    good = 20 < per_lookup <= ACL_LIMIT
    print("# %.0f instructions per look-up, limit %d; %s" % (per_lookup, ACL_LIMIT, printed))
    print("%sok %d - an IPv%s address is looked up among %d prefixes in %d instructions" % (
        "" if good else "not ", n, family, ACL_PREFIXES, ACL_LIMIT))
    return good


def check_client(out, n, interval_ms, limit):
    printed, costs = callgrind(out, "client_cost_request", CLIENT_COST, str(interval_ms),
                               str(CLIENT_REQUESTS))
    per_request = inclusive(costs, "client_cost_request") / CLIENT_REQUESTS
    good = 10 < per_request <= limit and printed.startswith("%d requests, ntp" % CLIENT_REQUESTS)
    print("# %.0f instructions per request, limit %d; %s" % (per_request, limit, printed.strip()))
    print("%sok %d - a request each %d ms is entered in its client's record in %d instructions" % (
        "" if good else "not ", n, interval_ms, limit))
    return good


def main():
    if not shutil.which("valgrind"):
        print("ok 1 - a reply costs less than 20 us # SKIP no valgrind here\n1..1")
        return 0
    with tempfile.TemporaryDirectory() as d:
        per_reply = count(os.path.join(d, "out"))
        good = [1000 < per_reply < LIMIT]
        print("# %.0f instructions per reply, limit %d" % (per_reply, LIMIT))
        print("%sok 1 - a reply costs less than 20 us" % ("" if good[0] else "not "))
        for n, family in ((2, "4"), (3, "6")):
            good.append(check_acl(os.path.join(d, "acl" + family), n, family))
        for n, (interval_ms, limit) in enumerate(CLIENT_LIMITS, 4):
            good.append(check_client(os.path.join(d, "client%d" % n), n, interval_ms, limit))
    print("1..5")
    return not all(good)


if __name__ == "__main__":
    sys.exit(main())
