#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The control socket of a real ntpkd and ntpkctl beside it, in a network
namespace of its own, with servers of our own making.

TAP on stdout; exit 0 passed, 1 failed, 4 skipped.  Never touches the clock.
NTPKD and NTPKCTL name the programs (default: those built with the sanitizers).
"""
import fcntl
import json
import os
import pty
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
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
    stamped = [s["reply"] for s in everything if s["reply"]]
    check(stamped and all(r["tx_stamp"] == r["rx_stamp"] == "kernel" for r in stamped), stamped)
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


def commands_of_help():
    """{name: synopsis}, and the options, as `ntpkctl help` lists them."""
    text = subprocess.run([NTPKCTL, "help"], capture_output=True, text=True, timeout=20).stdout
    rows = re.findall(r"^  ([a-z]+(?: [a-z]+)?)((?: [\[A-Z].*| [a-z]+\|.*)?)\n      \S", text, re.M)
    options = re.findall(r"^  (?:    )?((?:-., )?--[a-z]+(?: [A-Z]+)?)  ", text, re.M)
    check(len(rows) > 20 and len(options) > 5, text)
    return dict(rows), set(options)


tried = set()       # (command, "text" or "json") that a test below ran


def run_ctl(*args, code):
    p = subprocess.run([NTPKCTL, *args], capture_output=True, text=True, timeout=20)
    check(p.returncode == code, (args, p))
    return p.stdout + p.stderr


def ctl(*args, code=0, json_too=True):
    """What ntpkctl prints, after it printed the same command's JSON."""
    rows = commands_of_help()[0]
    name = " ".join(args[:2]) if " ".join(args[:2]) in rows else args[0]
    base_args = [NTPKCTL, "-s", d.sock]
    if json_too:
        p = subprocess.run(base_args + ["--json", *args], capture_output=True, text=True,
                           timeout=60)
        env = json.loads(p.stdout)
        check(p.returncode == code and p.stdout.count("\n") == 1, (args, p))
        check(env["schema"] == 1 and env["ok"] == (code == 0), (args, env))
        tried.add((name, "json"))
    p = subprocess.run(base_args + list(args), capture_output=True, text=True, timeout=60)
    check(p.returncode == code, (args, p))
    check(code or not p.stderr, (args, p.stderr))
    tried.add((name, "text"))
    return p.stdout if code == 0 else p.stderr


def holds(out, *words):
    for word in words:
        check(word in out, "missing: %s in:\n%s" % (word, out))


def aligned(out, mark=":"):
    """Every line has the mark in the same column."""
    columns = {line.index(mark) for line in out.splitlines() if line}
    check(len(columns) == 1, (columns, out))


def test_ctl_status():
    d.synchronised()
    holds(ctl("status"), "synchronised to ", "Stratum")
    out = ctl("tracking")
    for word in ("Reference ID", "Stratum", "Ref time (UTC)", "System time", "Last offset",
                 "RMS offset", "Frequency", "Residual freq", "Skew", "Root delay",
                 "Root dispersion", "Root distance", "Update interval", "Leap status"):
        check(re.search("^%-16s: \\S" % re.escape(word).replace("\\ ", " "), out, re.M) or
              "%-16s: " % word in out, (word, out))
    holds(out, "Normal", " seconds ", " of NTP time")
    aligned(out)
    holds(ctl("version"), "ntpkctl ", "ntpkd ")
    out = ctl("activity")
    holds(out, "2 sources online\n0 sources offline\n", "0 upstreams with unknown address")


def test_ctl_sources():
    out = ctl("sources")
    holds(out, "127.0.0.1", "::1", "State", "Offset > 0")
    check("GPS" not in out, out)
    out = ctl("sources", "-v")
    holds(out, "GPS", "192.0.2.9", "octal", "'x' disagrees")
    holds(ctl("sourcestats"), "NP", "Std Dev", "::1")
    out = ctl("selectdata")
    holds(out, " .. ", "iburst", "Reason", "combined")
    out = ctl("ntpdata")
    check(out.count("Remote address") == 2, out)
    holds(out, "TX timestamping : Kernel", "RX timestamping : Kernel")
    aligned(out)
    out = ctl("ntpdata", "::1")
    check(out.count("Remote address") == 1, out)
    holds(ctl("ntpdata", "192.0.2.1", code=1), "see ntpkctl sources")


def test_kisses():
    """What a server says instead of the time, in words."""
    for n, kod, state, words in (
            (5, "RATE", "too few replies yet", "it wants to be asked less often"),
            (6, "DENY", "the server told us to go away", "it does not serve us"),
            (7, "RSTR", "the server told us to go away", "its access list does not let us in"),
            (8, "INIT", "says that it is not synchronised", "not synchronised for the first time")):
        name = "127.0.0.%d" % n
        Server(name, stratum=0, refid=kod.encode())
        check(d.ask("upstream-add", line="server %s port %d iburst" % (name, PORT))["ok"], name)
        wait_for(kod, lambda: source(name)["kod"] == kod)
        for view in (("sources", "-v"), ("selectdata",)):
            row = [r for r in ctl(*view, json_too=False).splitlines() if name in r][0]
            check("%s, kiss code %s: " % (state, kod) in row and words in row, row)
        # the last asks nothing of us, and may come with every poll
        check(kod == "INIT" or "kiss code %s: %s" % (kod, words) in d.text(), d.text())
        check(d.ask("upstream-del", name=name)["ok"], name)


def test_ctl_upstream():
    holds(ctl("upstream", "list"), "server 127.0.0.1", "configuration")
    out = ctl("upstream", "add", "192.0.2.1", "minpoll", "8", json_too=False)
    holds(out, "Added: server 192.0.2.1")
    holds(ctl("upstream", "add", "192.0.2.1", code=1), "is an upstream already")
    holds(ctl("upstream", "offline", "192.0.2.1"), "Offline: 1 source\n")
    holds(ctl("upstream", "online", "192.0.2.1"), "Online: 1 source\n")
    holds(ctl("upstream", "burst", "192.0.2.1"), "Burst: 1 source\n")
    holds(ctl("upstream", "online"), "Online: 3 sources\n")
    # by any spelling, and no name twice
    holds(ctl("upstream", "burst", "0:0:0::1"), "Burst: 1 source\n")
    holds(ctl("ntpdata", "0:0:0::1"), "::1")
    holds(ctl("upstream", "add", "192.0.2.1", "port", "7", code=1), "is an upstream already")
    holds(ctl("upstream", "online", "no.such", code=1), "ntpkctl upstream list")
    holds(ctl("upstream", "del", "192.0.2.1", json_too=False), "Removed: 1")
    holds(ctl("upstream", "del", "192.0.2.1", code=1), "no upstream has this name")


def runtime_lines():
    with open("saved/runtime.conf") as f:
        return [line.strip() for line in f if line[0] != "#"]


def test_ctl_save():
    out = ctl("upstream", "add", "--save", "192.0.2.3", "minpoll", "7", json_too=False)
    holds(out, "Added and saved: server 192.0.2.3")
    check([line for line in runtime_lines() if line.startswith("server 192.0.2.3 ")],
          runtime_lines())
    holds(ctl("upstream", "del", "192.0.2.3", "--save", json_too=False), "Removed for good: 1")
    check(not [line for line in runtime_lines() if "192.0.2.3" in line], runtime_lines())
    os.rename("saved", "elsewhere")
    try:
        out = ctl("upstream", "add", "--save", "192.0.2.4", code=1, json_too=False)
        holds(out, "done, but lost at the next start: ", "saved")
        check(len(d.data("upstream-list")["upstreams"]) == 3, "it was added")
    finally:
        os.rename("elsewhere", "saved")
    ctl("upstream", "del", "192.0.2.4", json_too=False)
    holds(run_ctl("tracking", "--save", code=2), "unknown option of this command")


def test_ctl_reload():
    path = d.log.replace(".log", ".conf")
    with open(path) as f:
        before = f.read()
    holds(ctl("reload"), "Upstreams: 0 added, 0 removed, 0 changed")
    with open(path, "w") as f:
        f.write(before.replace("port 0\n", "port 11250\n") +
                "server 192.0.2.5\nmaxdistance 2\n")
    out = ctl("reload", json_too=False)
    holds(out, "1 added", "Now in force: maxdistance", "After a restart only: port")
    with open(path, "w") as f:
        f.write(before + "minsources many\n")
    out = ctl("reload", code=1)
    holds(out, "nothing was changed: ", ".conf:%d:" % (before.count("\n") + 1), "minsources")
    with open(path, "w") as f:
        f.write(before)
    holds(ctl("reload", json_too=False), "1 removed")
    holds(ctl("reload", "sources"), "Upstreams: 0 added")
    holds(run_ctl("reload", "all", code=2), "sources")


def test_ctl_set():
    holds(ctl("set", "maxjitter", "0.25", json_too=False), "Now in force: maxjitter\n")
    holds(ctl("set", "maxjitter", "0.25"), "It is so already")
    holds(ctl("set", "--save", "maxjitter", "0.5"), "Saved")
    check("maxjitter 0.5" in runtime_lines(), runtime_lines())
    holds(ctl("set", "maxjitter", "x", code=1), "set:11: maxjitter: 'x' is not a number")
    holds(ctl("set", "port", "5", code=1), "belongs into the configuration file")
    holds(run_ctl("set", *["x" * 100] * 30, code=2), "longer than 2047 bytes")
    holds(ctl("unset", "maxjitter", json_too=False), "Back to the configuration file: maxjitter")
    check(not [line for line in runtime_lines() if "jitter" in line], runtime_lines())
    holds(ctl("unset", "maxjitter", code=1), "maxjitter: none is saved")
    os.rename("saved", "elsewhere")
    try:
        out = ctl("set", "--save", "logchange", "7", code=1, json_too=False)
        holds(out, "done, but lost at the next start: ", "saved")
    finally:
        os.rename("elsewhere", "saved")
    holds(ctl("reload", json_too=False), "Now in force: logchange")


def test_ctl_acl():
    for address, words in (("192.0.2.7", "may ask: allow 192.0.2.0/24 (line "),
                           ("192.0.2.200", "may not ask: deny 192.0.2.128/25 (line "),
                           ("::ffff:192.0.2.200", "may not ask: deny"),
                           ("198.51.100.1", "may not ask: there are allow lines"),
                           ("2001:db8::1", "may not ask")):
        holds(ctl("acl", "check", address), words)
    holds(ctl("acl", "check", "host.example", code=1), "no address")


def test_ctl_direct():
    holds(ctl("makestep", code=1), "-x")
    holds(ctl("reselect"), "eference")
    holds(ctl("log", "level", "info"), "Log level: info (was info)")
    holds(ctl("log", "level", "debug"), "Log level: debug")
    holds(ctl("log", "level", "loud", code=1), "accepted: debug, info, warn, err")
    holds(ctl("rekey", code=1), "keyfile PATH")
    holds(ctl("metrics"), "# TYPE ntpk_synchronised gauge", "ntpk_source_stratum{")
    holds(ctl("waitsync", "3", "0", "0.1"), "try 1: synchronised")
    if os.path.isdir("/sys/module/ntpk"):
        holds(ctl("stats"), "Kernel module")
    else:
        holds(ctl("stats", code=4), "modprobe ntpk")
        holds(ctl("clients", code=4), "modprobe ntpk")
        ctl("--json", "clients", code=4)


def test_ctl_usage():
    for args, words in ((["upstream"], "list, add, del, online, offline, burst"),
                        (["upstream", "x"], "list, add, del"), (["log"], "level"),
                        (["upstream", "add"], "usage: ntpkctl upstream add [--save] [server|pool] NAME"),
                        (["log", "level"], "debug|info|warn|err"), (["watch", "0"], "COUNT"),
                        (["watch", "x"], "COUNT"), (["ups"], "unknown command"),
                        (["tracking", "-v"], "unknown option of this command"),
                        (["ntpdata", "a", "b"], "too many words")):
        p = subprocess.run([NTPKCTL, *args], capture_output=True, text=True, timeout=20)
        check(p.returncode == 2 and not p.stdout and words in p.stderr, (args, p))


def test_watch_lines():
    start = time.monotonic()
    out = ctl("watch", "2", json_too=False)
    check(0.9 < time.monotonic() - start < 15, "not one per second")
    check(len(out.splitlines()) == 2, out)
    for line in out.splitlines():
        check(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} UTC synchronised to .* "
                       r"offset \S+ \S+ \+- ", line), line)
    p = subprocess.run([NTPKCTL, "-s", d.sock, "watch", "--json", "2"], capture_output=True,
                       text=True, timeout=60)
    check([json.loads(line)["ok"] for line in p.stdout.splitlines()] == [True, True], p)
    tried.add(("watch", "json"))
    p = subprocess.run([NTPKCTL, "-s", d.sock + ".gone", "watch"], capture_output=True, text=True,
                       timeout=60)
    check(p.returncode == 3 and "not running" in p.stderr and not p.stdout, p)


class Terminal:
    """`ntpkctl watch` on a pseudo-terminal."""

    def __init__(self, sock, columns=100, lines=30, shell=False, **env):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            for name in ("LC_ALL", "LANG", "LC_CTYPE", "NO_COLOR"):
                os.environ.pop(name, None)
            os.environ.update({"TERM": "xterm", "LC_ALL": "C.UTF-8", **env})
            signal.pthread_sigmask(signal.SIG_SETMASK, [])
            time.sleep(0.2)     # until the size is set
            if shell:
                self.be_shell()
            os.execv(NTPKCTL, [NTPKCTL, "-s", sock, "watch"])
        self.out = b""
        self.resize(columns, lines)

    @staticmethod
    def be_shell():
        """Returns in a job of its own, as under a shell: what has no shell cannot be
        stopped.  The shell says that it was, and goes on with it."""
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        pid = os.fork()
        if pid == 0:
            os.setpgid(0, 0)
            os.tcsetpgrp(0, os.getpid())
            signal.signal(signal.SIGTTOU, signal.SIG_DFL)
            return
        while True:
            status = os.waitpid(pid, os.WUNTRACED)[1]
            if not os.WIFSTOPPED(status):
                os._exit(os.waitstatus_to_exitcode(status) & 255)
            os.write(1, b"STOPPED")
            os.kill(pid, signal.SIGCONT)

    def resize(self, columns, lines):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def read(self, seconds=0.2):
        """Return: False when the other end is closed."""
        if select.select([self.fd], [], [], seconds)[0]:
            try:
                self.out += os.read(self.fd, 65536)
            except OSError:
                return False
        return True

    def screens(self):
        """The whole screens so far, as lists of lines without escapes."""
        parts = self.out.split(b"\x1b[H")[1:]
        parts = [p for p in parts if p.endswith(b"\x1b[J") and b"\n" in p]
        texts = [re.sub(rb"\x1b\[[?0-9]*[a-zA-Z]", b"", p).decode() for p in parts]
        return [t.replace("\r", "").split("\n") for t in texts]

    def wait_screens(self, n, condition=lambda s: True):
        def enough():
            self.read()
            return len([s for s in self.screens() if condition(s)]) >= n
        wait_for("%d screens" % n, enough)

    def end(self, how=b"\x03"):
        """Return: exit code."""
        if isinstance(how, bytes):
            os.write(self.fd, how)
        else:
            os.kill(self.pid, how)
        wait_for("end of watch", lambda: not self.read())
        os.close(self.fd)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


ENTER, LEAVE = b"\x1b[?1049h", b"\x1b[?25h\x1b[?1049l"


def test_watch_screen():
    t = Terminal(d.sock)
    t.wait_screens(3)
    last = t.screens()[-1]
    text = "\n".join(last)
    holds(text, "synchronised to ", "127.0.0.1", "::1", "^C ends", "offset ")
    check(any(c in text for c in "▀▄") and "┄" in text, text)
    check(t.out.startswith(ENTER) and t.out.count(ENTER) == 1, repr(t.out[:40]))
    check(b"\x1b[1m" in t.out, "no colour on a terminal")
    # narrower and lower: everything is cut to fit
    t.resize(50, 14)
    t.wait_screens(2, lambda s: len(s) <= 14)
    for s in [s for s in t.screens() if len(s) <= 14][1:]:
        check(max(len(line) for line in s) <= 50, s)
    check(t.end() == 0, "exit code")
    check(t.out.count(LEAVE) == 1 and t.out.endswith(LEAVE), repr(t.out[-60:]))


def test_watch_ascii():
    for env in ({"LC_ALL": "C"}, {"LC_ALL": "C", "NO_COLOR": "1"}):
        t = Terminal(d.sock, **env)
        t.wait_screens(2)
        check(all(c < 128 for c in t.out), "not ASCII")
        check("o" in "".join(line[11:] for line in t.screens()[-1][5:16]), t.screens()[-1])
        check((b"\x1b[1m" in t.out) == ("NO_COLOR" not in env), env)
        check(t.end(signal.SIGTERM) == 0 and t.out.endswith(LEAVE), repr(t.out[-60:]))


def test_watch_daemon_gone():
    """An error leaves the terminal as it was; a daemon that restarts is waited for."""
    t = Terminal(d.sock + ".gone")
    wait_for("end", lambda: not t.read())
    os.close(t.fd)
    check(os.waitstatus_to_exitcode(os.waitpid(t.pid, 0)[1]) == 3, "exit code")
    check(LEAVE in t.out and b"not running" in t.out.split(LEAVE)[1], repr(t.out))
    c = Daemon("port 0\nlocal stratum 5\n")
    c.data("status")
    t = Terminal(c.sock)
    t.wait_screens(1)
    c.stop()
    t.wait_screens(1, lambda s: "ntpkd does not answer" in s[0])
    check(t.end() == 0 and t.out.endswith(LEAVE), repr(t.out[-60:]))


def test_watch_stopped():
    """^Z gives the terminal back, and takes it again afterwards."""
    t = Terminal(d.sock, shell=True)
    t.wait_screens(1)
    os.write(t.fd, b"\x1a")
    wait_for("stop and more", lambda: t.read() and b"STOPPED" in t.out)
    seen = len(t.screens())
    t.wait_screens(seen + 2)
    check(re.search(re.escape(LEAVE) + b"STOPPED" + re.escape(ENTER), t.out), repr(t.out))
    check(t.end() == 0 and t.out.endswith(LEAVE), repr(t.out[-60:]))


def man_entries(section):
    """What stands after .TP in a section of ntpkctl(8), without fonts."""
    with open(os.path.join(TOP, "Documentation/man/ntpkctl.8")) as f:
        text = f.read().split("\n.SH %s\n" % section)[1].split("\n.SH ")[0]
    return [re.sub(r"\\f[BRIP]", "", e).replace("\\-", "-")
            for e in re.findall(r"^\.TP\n(.*)$", text, re.M)]


def test_man_page():
    rows, options = commands_of_help()
    typed = {name + args for name, args in rows.items()}
    written = man_entries("COMMANDS")
    check(len(written) == len(set(written)), "twice: %s" % written)
    check(not typed - set(written), "not in ntpkctl(8): %s" % (typed - set(written)))
    check(not set(written) - typed, "not in ntpkctl: %s" % (set(written) - typed))
    written = set(man_entries("OPTIONS"))
    options = {o for o in options}
    check(options == written, (options, written))


def test_all_tried():
    """The table test: each subcommand was run above, as text and with --json."""
    wanted = {(name, how) for name in commands_of_help()[0] for how in ("text", "json")}
    wanted -= {("help", "text"), ("help", "json")}
    wanted -= {("config import", "text"), ("config import", "json")}     # test_import.py
    check(wanted <= tried, "no test of: %s" % sorted(wanted - tried))


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
    (test_ctl_status, "ntpkctl status, tracking, activity, version"),
    (test_ctl_sources, "ntpkctl sources, sourcestats, selectdata, ntpdata"),
    (test_kisses, "kiss codes are shown in words"),
    (test_ctl_upstream, "ntpkctl upstream ..."),
    (test_ctl_save, "ntpkctl upstream add and del --save"),
    (test_ctl_reload, "ntpkctl reload"),
    (test_ctl_set, "ntpkctl set and unset"),
    (test_ctl_acl, "ntpkctl acl check"),
    (test_ctl_direct, "ntpkctl makestep, reselect, log level, rekey, metrics, waitsync, stats"),
    (test_ctl_usage, "ntpkctl says what it expected"),
    (test_watch_lines, "watch without a terminal"),
    (test_watch_screen, "watch on a terminal: blocks, size, ^C"),
    (test_watch_ascii, "watch in ASCII, without colour, ended by SIGTERM"),
    (test_watch_daemon_gone, "watch when the daemon is not there, or goes"),
    (test_watch_stopped, "watch and ^Z"),
    (test_man_page, "ntpkctl(8) and ntpkctl agree"),
    (test_all_tried, "each subcommand has a test here"),
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
        os.mkdir("saved")
        d = Daemon("server 127.0.0.1 port %d iburst\nserver ::1 port %d iburst\nport 0\n"
                   "allow 192.0.2.0/24\ndeny 192.0.2.128/25\nsavedir %s\n" %
                   (PORT, PORT, os.path.abspath("saved")))
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
