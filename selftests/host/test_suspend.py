#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""A machine that sleeps and wakes: what ntpkd serves before, at once and then.

The clocks that it reads are the kernel's, two of them moved on by a preloaded
library (userspace/tests/suspend) as by a sleep; its server moves with them.

TAP on stdout; exit 0 passed, 1 failed, 4 skipped.  In a network namespace of its
own, with -x.
"""
import os
import struct
import tempfile
import time

import test_daemon as td
from test_control import Server
from test_daemon import Daemon, check, query, wait_for

PORT, SERVER_PORT = 11260, 11261
SLEEP_S = 100.25
WRONG_S = 0.005
d = server = None


def sleep(seconds):
    """All that happened before, seen from now."""
    server.offset_s = seconds
    with open("suspended", "r+b") as f:
        f.write(struct.pack("q", round(seconds * 1e9)))


def served():
    """(leap, by how much the answer is from before the question, or from after itself)."""
    asked = time.time() + server.offset_s
    f = td.fields(query(PORT, timeout=5))
    xmt, heard = td.unix_s(f["xmt"]), time.time() + server.offset_s
    return f["lvm"] >> 6, max(asked - xmt, xmt - heard)


def test_before():
    d.synchronised()
    leap, off_s = wait_for("an answer", lambda: query(PORT) and served())
    check(leap == 0 and off_s < WRONG_S, (leap, off_s))


def test_wakes():
    sleep(SLEEP_S)
    wait_for("the sleep", lambda: "the machine was suspended for 100.2" in d.text())
    # whatever it claims from the first moment on is true
    end = time.monotonic() + 8
    while time.monotonic() < end:
        leap, off_s = served()
        check(leap == 3 or off_s < WRONG_S, (leap, off_s, d.text()))
    leap, off_s = served()
    check(leap == 0, "not synchronised again: " + d.text())
    check("stepped the system clock" not in d.text(), d.text())
    check(d.data("status")["sources"] == 1 and "disagrees" not in d.text(), d.text())


TESTS = [
    (test_before, "synchronised, and the time is right"),
    (test_wakes, "after a sleep nothing wrong is claimed, and the time is soon known again"),
]


def main():
    global d, server
    library = os.path.join(td.TOP, "build/user/lib/suspend.so")
    td.NTPKD = os.path.join(td.TOP, "build/user/bin/ntpkd")
    if not os.path.exists(library) or not os.access(td.NTPKD, os.X_OK):
        td.skip("nothing is built")
    td.enter_namespace(__file__)
    td.set_up_network()
    print("TAP version 13\n1..%d" % (len(TESTS) + 1))
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        server = Server(port=SERVER_PORT)
        with open("suspended", "wb") as f:
            f.write(bytes(8))
        os.environ.update(LD_PRELOAD=library, NTPK_SUSPENDED=os.path.abspath("suspended"))
        d = Daemon("server 127.0.0.1 port %d iburst minpoll 0 maxpoll 2\nport %d\n" %
                   (SERVER_PORT, PORT))
        del os.environ["LD_PRELOAD"]
        td.run_all(TESTS, d)


if __name__ == "__main__":
    main()
