#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The control socket of a real ntpkd and ntpkctl beside it, in a network
namespace of its own, with servers of our own making.

TAP on stdout; exit 0 passed, 1 failed, 4 skipped.  Never touches the clock.
NTPKD and NTPKCTL name the programs (default: those built with the sanitizers).
"""
import os
import re
import socket
import struct
import sys
import tempfile
import threading
import time

import test_daemon as base
from test_daemon import TOP, Daemon, Failed, check, wait_for

NTPKCTL = os.environ.get("NTPKCTL", os.path.join(TOP, "build/san/ntpkctl"))
PORT = 11240


class Server(threading.Thread):
    """An NTP server that says what it is told to."""

    def __init__(self, addr="127.0.0.1", port=PORT, stratum=1, refid=b"GPS\0", offset_s=0.0):
        super().__init__(daemon=True)
        self.stratum, self.refid, self.offset_s = stratum, refid, offset_s
        family = socket.AF_INET6 if ":" in addr else socket.AF_INET
        self.sock = socket.socket(family, socket.SOCK_DGRAM)
        self.sock.bind((addr, port))
        self.start()

    def now(self):
        return int((time.time() + self.offset_s + base.UNIX_1900_S) * 2**32)

    def run(self):
        while True:
            data, peer = self.sock.recvfrom(2048)
            t2 = self.now()
            head = struct.pack("!BBbbII4sQ", 0x24, self.stratum, 6, -20, 100, 100, self.refid,
                               t2 - (5 << 32))
            self.sock.sendto(head + data[40:48] + struct.pack("!QQ", t2, self.now()), peer)


def documented_commands():
    """{name: (arguments, right)} of the table in Documentation/control.md."""
    with open(os.path.join(TOP, "Documentation/control.md")) as f:
        section = f.read().split("\n## Commands\n")[1].split("\n##")[0]
    rows = re.findall(r"^\| `([a-z-]+)` \|(.*?)\| (read|change) \|", section, re.M)
    check(rows, "no table of commands")
    return {name: (set(re.findall(r"`([a-z_]+)`", args)), right) for name, args, right in rows}


def test_documented():
    listed = {c["name"]: (set(a["name"] for a in c["args"]), c["right"])
              for c in d.data("commands")["commands"]}
    written = documented_commands()
    check(not set(listed) - set(written), "not in control.md: %s" % (set(listed) - set(written)))
    check(not set(written) - set(listed), "not in ntpkd: %s" % (set(written) - set(listed)))
    for name, is_so in listed.items():
        check(written[name] == is_so, (name, written[name], is_so))
    refused = d.ask("x")["error"]["text"]
    check(all(name in refused for name in listed), "cut off: " + refused)


def source(name="127.0.0.1"):
    return [s for s in d.data("sources")["sources"] if s["name"] == name][0]


def test_offline():
    check(d.ask("upstream-offline", name="127.0.0.1")["data"] == {"sources": 1}, "one source")
    wait_for("offline", lambda: source()["state"] == "offline")
    check(source("::1")["state"] != "offline", "the other one")
    check(d.ask("upstream-online")["data"] == {"sources": 2}, "all")
    wait_for("online again", lambda: source()["state"] != "offline")
    for verb in ("online", "offline", "burst"):
        answer = d.ask("upstream-" + verb, name="192.0.2.77")
        check(answer["error"]["code"] == "not-found" and "upstream list" in
              answer["error"]["text"], answer)


def test_burst():
    before = source()["sent_pkts"]
    check(d.ask("upstream-burst", name="127.0.0.1")["data"] == {"sources": 1}, "burst")
    # the poll interval is 64 s: only a burst brings them so soon
    wait_for("requests", lambda: source()["sent_pkts"] >= before + 3, 40)


def test_makestep():
    answer = d.ask("makestep")
    check(answer["error"]["code"] == "not-possible" and "-x" in answer["error"]["text"], answer)


def test_reselect():
    d.synchronised()
    check(d.ask("reselect")["ok"], "reselect")
    wait_for("a reference", lambda: d.data("status")["reference"])


def test_log_level():
    check(d.ask("log-level", level="loud")["error"]["code"] == "invalid", "loud")
    check(d.ask("log-level", level="err")["data"] == {"level": "err", "was": "debug"}, "err")
    check(d.ask("upstream-add", line="server 192.0.2.1")["ok"], "add")
    check("upstream added: server 192.0.2.1" not in d.text(), "an info message at level err")
    check(d.ask("log-level", level="debug")["data"]["was"] == "err", "debug")
    check(d.ask("upstream-del", name="192.0.2.1")["ok"], "del")
    check("upstream removed: 192.0.2.1" in d.text(), "no message at level debug")


TESTS = [
    (test_documented, "the table of commands and control.md agree"),
    (test_offline, "upstream-offline and upstream-online"),
    (test_burst, "upstream-burst"),
    (test_makestep, "makestep is refused with -x"),
    (test_reselect, "reselect"),
    (test_log_level, "log-level"),
]


def main():
    global d
    for program in (base.NTPKD, NTPKCTL):
        if not os.access(program, os.X_OK):
            base.skip(program + " is not built")
    base.enter_namespace(__file__)
    base.set_up_network()
    print("TAP version 13\n1..%d" % (len(TESTS) + 1))
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        Server()
        Server("::1", stratum=2, refid=bytes([192, 0, 2, 9]))
        d = Daemon("server 127.0.0.1 port %d iburst\nserver ::1 port %d iburst\nport 0\n" %
                   (PORT, PORT))
        try:
            passed = [base.run(i + 1, *test) for i, test in enumerate(TESTS)]
            passed.append(base.run(len(TESTS) + 1, d.stop, "ends cleanly"))
        finally:
            if d.proc.poll() is None:
                d.proc.kill()
        os.chdir("/")
    sys.exit(0 if all(passed) else 1)


if __name__ == "__main__":
    main()
