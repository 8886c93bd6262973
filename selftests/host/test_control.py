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


def test_refids():
    d.synchronised()
    wait_for("both combined", lambda: d.data("activity")["reachable"] == 2)
    check(source()["refid_text"] == "GPS" and source()["refid_name"] is None, source())
    six = source("::1")
    check(six["refid_text"] == "192.0.2.9" and six["refid"] == "c0000209", six)
    t = d.data("tracking")
    if t["reference"] == "::1":     # the first bytes of the MD5 of the address
        check(t["refid_text"] == t["refid"].upper() and t["refid_name"] == "::1", t)
    else:
        check(t["refid_text"] == "127.0.0.1" and t["refid_name"] == "127.0.0.1", t)


def test_tracking():
    d.synchronised()
    t = d.data("tracking")
    check(t["stratum"] in (2, 3) and t["leap"] == 0, t)
    check(abs(t["served_unix_ns"] / 1e9 - time.time()) < 1, t)
    check(t["ref_unix_ns"] <= t["served_unix_ns"], t)
    check(t["root_dist_ns"] == t["root_delay_ns"] // 2 + t["root_disp_ns"], t)
    check(t["rms_offset_ns"] is None or t["rms_offset_ns"] >= 0, t)


def test_reports():
    for s in d.data("sourcestats")["sources"]:
        check(s["samples"] == 0 or s["span_ns"] >= 0 and s["sd_ns"] >= 0, s)
    for s in d.data("selectdata")["sources"]:
        check(s["high_ns"] - s["low_ns"] == 2 * s["root_dist_ns"] and s["state_text"], s)
    everything = d.data("ntpdata")["sources"]
    check([s["address"] for s in everything] == ["127.0.0.1", "::1"], everything)
    one = d.ask("ntpdata", name="::1")["data"]["sources"]
    check(len(one) == 1 and one[0]["received_pkts"] > 0, one)
    check(one[0]["reply"] is None or re.fullmatch(r"[01]{3} [01]{3} [01]{4}",
                                                  one[0]["reply"]["tests"]), one)
    check(d.ask("ntpdata", name="192.0.2.1")["error"]["code"] == "not-found", "ntpdata")
    a = d.data("activity")
    check(a["online"] == 2 and a["offline"] == 0 and a["unresolved"] == 0, a)


def parse_metrics(text):
    """{family: (type, {labels: value})}; fails on anything that the format forbids."""
    families, current = {}, None
    for line in text.splitlines():
        words = line.split(" ", 3)
        if words[:2] == ["#", "HELP"]:
            check(words[2] not in families and len(words[3]) > 5, "help: " + line)
            current, helped = None, words[2]
        elif words[:2] == ["#", "TYPE"]:
            check(words[2] == helped and words[3] in ("gauge", "counter"), "type: " + line)
            current = words[2]
            families[current] = (words[3], {})
        else:
            m = re.fullmatch(r"([a-z_]+)(\{[a-z]+=\"[^\"]*\"(?:,[a-z]+=\"[^\"]*\")*\})? (\S+)",
                             line)
            check(m and m[1] == current and m[2] not in families[current][1], "sample: " + line)
            families[current][1][m[2]] = float(m[3])
    return families


def documented_metrics():
    with open(os.path.join(TOP, "Documentation/control.md")) as f:
        section = f.read().split("### metrics\n")[1].split("\n## ")[0]
    return set(re.findall(r"`(ntpk_[a-z_]+)", section))


def test_metrics():
    d.synchronised()
    text = d.data("metrics")["text"]
    check(text.endswith("\n"), "no newline at the end")
    families = parse_metrics(text)
    for name, (kind, samples) in families.items():
        check(samples, name + " is empty")
        check((kind == "counter") == name.endswith("_total"), (name, kind))
    written = documented_metrics()
    check(not set(families) - written, "not in control.md: %s" % (set(families) - written))
    absent = {"ntpk_module_state_age_seconds", "ntpk_module_pushes_total",
              "ntpk_module_packets_total", "ntpk_responder_packets_total",
              "ntpk_rms_offset_seconds"}
    check(not written - set(families) - absent, "not there: %s" % (written - set(families)))
    check(families["ntpk_synchronised"][1] == {None: 1}, families["ntpk_synchronised"])
    label = '{source="127.0.0.1",address="127.0.0.1"}'
    check(families["ntpk_source_stratum"][1][label] == 1, families["ntpk_source_stratum"])
    check(abs(families["ntpk_source_offset_seconds"][1][label]) < 0.1, "offset")
    age = time.time() - families["ntpk_source_last_reply_timestamp_seconds"][1][label]
    check(-1 < age < 100, "age %f" % age)


TESTS = [
    (test_documented, "the table of commands and control.md agree"),
    (test_offline, "upstream-offline and upstream-online"),
    (test_burst, "upstream-burst"),
    (test_makestep, "makestep is refused with -x"),
    (test_reselect, "reselect"),
    (test_log_level, "log-level"),
    (test_refids, "reference ids as words, addresses, hashes"),
    (test_tracking, "tracking"),
    (test_reports, "sourcestats, selectdata, ntpdata, activity"),
    (test_metrics, "metrics keep to Prometheus' format and to control.md"),
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
