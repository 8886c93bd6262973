#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Directives at work that no other test sees at work, in a network namespace.

TAP on stdout; exit 0 passed, 1 failed, 4 skipped.  Every ntpkd runs with -x.
"""
import os
import sys
import tempfile

import test_daemon as td
from test_daemon import Daemon, check, query, wait_for

PORT_UP, PORT_DOWN = 11271, 11272
UPSTREAM = "server 127.0.0.1 port %d iburst minpoll 0 maxpoll 0\n" % PORT_UP


def leap():
    reply = query(PORT_DOWN)
    return reply and reply[0] >> 6


def client(text):
    return Daemon(UPSTREAM + "port %d\n%s\n" % (PORT_DOWN, text))


def test_maxserved():
    """The source is fine, but nothing is near enough to be passed on."""
    d = client("maxserved 0.000001\nneversynced unsynchronised")
    wait_for("a source", lambda: d.data("status")["updates"] > 2)
    check(d.data("status")["synchronised"] is False, d.data("status"))
    check(leap() == 3, "it serves more than maxserved")
    d.stop()


def expire(text):
    d = client("holdover 1\n" + text)
    d.synchronised()
    check(leap() == 0, "not synchronised")
    check(d.ask("upstream-offline")["ok"], "offline")
    wait_for("the end of holdover", lambda: not d.data("status")["synchronised"])
    return d


def test_expired():
    d = expire("expired unsynchronised")
    check(leap() == 3, "no answer, or a false one")
    d.stop()
    d = expire("expired silent")
    check(leap() is None, "it answers, long out of date")
    d.stop()


def test_logchange():
    d = client("logchange 0.0000001")
    wait_for("the message", lambda: "the time was off by" in d.text())
    d.stop()
    d = client("logchange 10")
    wait_for("updates", lambda: d.data("status")["updates"] > 3)
    check("the time was off by" not in d.text(), "that was no change of 10 s")
    d.stop()


def test_minsources():
    d = client("minsources 2\nneversynced unsynchronised")
    wait_for("replies", lambda: any(s["reach"] & 0xf == 0xf for s in d.data("sources")["sources"]))
    check(d.data("status")["synchronised"] is False and leap() == 3, d.data("status"))
    check(d.ask("set", line="minsources 1")["ok"], "set")
    d.synchronised()
    d.stop()


def test_logbanner():
    for n in (0, 2):
        folder = os.path.abspath("log%d" % n)
        os.mkdir(folder)
        d = client("log measurements\nlogbanner %d\nlogdir %s" % (n, folder))

        def lines():
            try:
                with open(folder + "/measurements.log") as f:
                    return f.read().splitlines()
            except FileNotFoundError:
                return []
        wait_for("six measurements", lambda: sum(" 127.0.0.1 " in x for x in lines()) >= 6)
        d.stop()
        headings = [i for i, x in enumerate(lines()) if x.startswith("=")]
        numbers = sum(" 127.0.0.1 " in x for x in lines())
        want = (numbers + n - 1) // n * 2 if n else 0
        check(len(headings) == want, (n, numbers, lines()))


def test_hwtimestamp():
    """None here: each line says so once, and the kernel's stamps do."""
    d = client("hwtimestamp lo rxfilter all\nhwtimestamp nowhere0\nhwtimestamp l*")
    d.synchronised()
    said = [line for line in d.text().splitlines() if "hwtimestamp" in line]
    check(len(said) == 3 and "lo: the interface has no time stamps of its own, the kernel's" in said[0]
          and "nowhere0: there is no such interface" in said[1]
          and "l*: there is no other interface" in said[2], said)
    d.stop()
    d = client("hwtimestamp *")
    d.synchronised()
    said = [line for line in d.text().splitlines() if "hwtimestamp" in line]
    check(len(said) == 1 and "*: no interface that is meant has time stamps" in said[0], said)
    check(d.data("status")["hwtimestamp"] == [] and leap() == 0, d.data("status"))
    d.stop()


TESTS = [
    (test_maxserved, "maxserved"),
    (test_minsources, "minsources, and set while it runs"),
    (test_logbanner, "logbanner"),
    (test_hwtimestamp, "hwtimestamp, where no interface has stamps of its own"),
    (test_expired, "holdover and expired"),
    (test_logchange, "logchange"),
]


def main():
    if not os.access(td.NTPKD, os.X_OK):
        td.skip(td.NTPKD + " is not built")
    td.enter_namespace(__file__)
    td.set_up_network()
    print("TAP version 13\n1..%d" % (len(TESTS) + 1))
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        server = Daemon("local stratum 1\nport %d\n" % PORT_UP)
        wait_for("a server", lambda: server.data("status")["state"] == "local")
        passed = [td.run(i + 1, *test) for i, test in enumerate(TESTS)]
        passed.append(td.run(len(TESTS) + 1, server.stop, "ends cleanly"))
        for one in Daemon.all:
            if one.proc.poll() is None:
                one.proc.kill()
        os.chdir("/")
    sys.exit(0 if all(passed) else 1)


if __name__ == "__main__":
    main()
