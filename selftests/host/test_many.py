#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""A thousand sources that answer, in a network namespace of its own: ntpkd's start,
memory and longest turn of its loop, while everything that can be asked of a
thousand at once is asked.

TAP on stdout; exit 0 passed, 1 failed, 4 skipped.  Every ntpkd runs with -x.
Times are printed, and judged only with NTPK_TIMING=1 (make check-many), on a
machine that is otherwise idle; memory is judged always.  The program is the one
without the sanitizers, whose memory and time are what users get.
"""
import os
import re
import subprocess
import sys
import tempfile
import time

import test_daemon as td
from test_daemon import Daemon, check, wait_for

NTPKD = os.environ.get("NTPKD_FAST", os.path.join(td.TOP, "build/user/bin/ntpkd"))
TIMING = os.environ.get("NTPK_TIMING") == "1"
N = 1000
PORT = 11999
MEMORY_KIB = 16 * 1024
START_S = 2
TURN_NS = 10000000


def peak_kib():
    with open("/proc/%d/status" % d.proc.pid) as f:
        return int(re.search(r"VmHWM:\s+(\d+)", f.read())[1])


def longest():
    return d.data("status")["loop"]


def judge(fine, text):
    print("# " + text)
    if TIMING:
        check(fine, text)


def sources():
    return d.data("sources")["sources"]


def test_start():
    wait_for("all of them", lambda: d.data("status")["sources"] == N)
    took_s = time.monotonic() - began_s
    judge(took_s < START_S, "%d sources: started in %.2f s" % (N, took_s))


def test_synchronised():
    d.synchronised()
    wait_for("answers of all", lambda: sum(s["received_pkts"] > 0 for s in sources()) == N)
    wait_for("survivors", lambda: d.data("status")["survivors"] > 2)


def test_lists():
    names = [s["name"] for s in sources()]
    check(len(set(names)) == N, "%d names" % len(set(names)))
    check(names == sorted(names, key=lambda n: [int(x) for x in n.split(".")]), "order")
    for cmd in "sourcestats", "selectdata", "ntpdata":
        check([s["name"] for s in d.data(cmd)["sources"]] == names, cmd)
    check([u["name"] for u in d.data("upstream-list")["upstreams"]] == names, "upstream-list")
    activity = d.data("activity")
    check((activity["online"], activity["unresolved"]) == (N, 0), activity)
    check(len(d.ask("ntpdata", name=names[-1])["data"]["sources"]) == 1, "ntpdata of one")


def test_metrics():
    text = d.data("metrics")["text"]
    check(text.count("\nntpk_source_info{") == N, "ntpkctl metrics")
    check("\nntpk_sources %d\n" % N in text, "ntpk_sources")
    wait_for("metricsfile", lambda: os.path.exists("m.prom"))
    with open("m.prom") as f:
        check(f.read().count("\nntpk_source_sent_packets_total{") == N, "metricsfile")


def sent():
    return {s["name"]: s["sent_pkts"] for s in sources()}


def test_all_at_once():
    for cmd in "upstream-burst", "upstream-offline", "upstream-online":
        answer = d.ask(cmd)
        check(answer["ok"] and answer["data"]["sources"] == N, answer)
        if cmd == "upstream-offline":
            wait_for("nobody", lambda: d.data("activity")["offline"] == N)
            wait_for("no survivors", lambda: d.data("status")["survivors"] == 0)
    before = sent()
    wait_for("requests to all", lambda: all(n > before[s] for s, n in sent().items()))
    wait_for("survivors again", lambda: d.data("status")["survivors"] > 2)
    check(d.ask("reselect")["ok"], "reselect")


def test_reload():
    with open(d.conf) as f:
        text = f.read()
    for lines, added, removed in ((N // 2, 0, N // 2), (N, N // 2, 0), (N, 0, 0)):
        with open(d.conf, "w") as f:
            f.write(text if lines == N else
                    "".join(line for i, line in enumerate(text.splitlines(True))
                            if not line.startswith("server ") or i % 2))
        answer = d.ask("reload")
        check(answer["ok"], answer)
        got = answer["data"]
        check((got["added"], got["removed"], got["changed"]) == (added, removed, 0), got)
        wait_for("that many", lambda n=lines: d.data("status")["sources"] == n)
    d.synchronised()


def test_bounds():
    turn, kib = longest(), peak_kib()
    print("# memory at most %d KiB" % kib)
    check(kib < MEMORY_KIB, "%d KiB" % kib)
    # of the wall's time a part is the machine's other work
    judge(turn["longest_turn_cpu_ns"] < TURN_NS, "the longest turn of the loop took %.1f ms of "
          "work, %.1f ms by the clock" % (turn["longest_turn_cpu_ns"] / 1e6,
                                          turn["longest_turn_ns"] / 1e6))


TESTS = [
    (test_start, "a thousand sources start"),
    (test_synchronised, "all are asked, and believed"),
    (test_lists, "all are in every list, in order"),
    (test_metrics, "all are in the metrics"),
    (test_all_at_once, "burst, offline and online of all"),
    (test_reload, "half of them go, and come back"),
    (test_bounds, "memory, and the loop is never held up"),
]


def main():
    global d, began_s
    if not os.access(NTPKD, os.X_OK):
        td.skip(NTPKD + " is not built")
    td.NTPKD = NTPKD
    td.enter_namespace(__file__)
    td.set_up_network()
    # every address of this network is ours
    subprocess.run(["ip", "route", "add", "local", "10.97.0.0/16", "dev", "lo"], check=True)
    conf = "".join("server 10.97.%d.%d port %d iburst\n" % (i // 250, i % 250 + 1, PORT)
                   for i in range(N))
    print("TAP version 13\n1..%d" % (len(TESTS) + 2))
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        server = Daemon("local stratum 1\nport %d\nallow\n" % PORT)
        wait_for("a server", lambda: server.data("status")["state"] == "local")
        began_s = time.monotonic()
        d = Daemon(conf + "port 0\nmetricsfile %s/m.prom\n" % folder)
        passed = [td.run(i + 1, *test) for i, test in enumerate(TESTS)]
        passed.append(td.run(len(TESTS) + 1, d.stop, "ends cleanly"))
        passed.append(td.run(len(TESTS) + 2, server.stop, "so does the server"))
        for one in Daemon.all:
            if one.proc.poll() is None:
                one.proc.kill()
        os.chdir("/")
    sys.exit(0 if all(passed) else 1)


if __name__ == "__main__":
    main()
