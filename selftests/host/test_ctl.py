#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""ntpkctl against a daemon of our own making on a Unix socket: every
subcommand as text and JSON, exit codes, what is missing, colour, hostile text.

TAP on stdout; exit 0 passed, 1 failed, 4 skipped.  NTPKCTL names the program
(default: the one built with the sanitizers).
"""
import json
import os
import pty
import select
import socket
import subprocess
import sys
import tempfile
import threading

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
NTPKCTL = os.environ.get("NTPKCTL", os.path.join(TOP, "build/san/ntpkctl"))
HAVE_MODULE = os.path.isdir("/sys/module/ntpk")

STATUS = {
    "synchronised": True, "state": "synchronised", "leap": 0, "stratum": 3,
    "refid": "c0000201", "reference": "ntp1.example.org", "clock_offset_ns": -12345,
    "last_offset_ns": 250000000, "frequency_ppb": 50000.5, "skew_ppb": 21.0,
    "est_error_ns": 800, "root_delay_ns": 1500000, "root_disp_ns": 999,
    "root_dist_ns": 750999, "served_unix_ns": 1795477752123456789,
    "last_update_age_ns": 12000000000, "updates": 7, "steps": 1, "survivors": 2,
    "sources": 3, "clock_control": True, "serving": "kernel",
    "module": {"status": "synchronised", "age_ns": 3000000000, "pushes": 42, "error": None},
}
SOURCE = {
    "name": "ntp1.example.org", "address": "192.0.2.1", "port": 123, "state": "syspeer",
    "state_text": "combined into our time, and our reference", "flags": ["iburst"],
    "stratum": 2, "leap": 0, "poll_log2s": 6, "reach": 255, "refid": "0a000001",
    "last_rx_age_ns": 17000000000, "offset_ns": 12345, "last_offset_ns": 1, "delay_ns": 2,
    "disp_ns": 3, "jitter_ns": 4, "root_delay_ns": 5, "root_disp_ns": 6,
    "root_dist_ns": 1200000, "sent_pkts": 8, "received_pkts": 8, "bad_pkts": 0, "kod": None,
    "kod_text": None,
}


def source(**changes):
    return dict(SOURCE, **changes)


SOURCES = {"sources": [
    SOURCE,
    source(name="two.example.org", address="2001:db8::2", state="falseticker",
           state_text="disagrees with the majority", reach=0o17, offset_ns=-2500000000),
    source(name="three.example.org", address=None, state="new", state_text="no reply yet",
           reach=0, offset_ns=None, root_dist_ns=None, last_rx_age_ns=None, stratum=None,
           kod="RATE", kod_text="it wants to be asked less often"),
]}
UPSTREAMS = {"upstreams": [
    {"line": "server ntp1.example.org iburst", "name": "ntp1.example.org", "kind": "server",
     "runtime": False, "sources": 1, "addresses": ["192.0.2.1"], "resolve_error": None},
    {"line": "pool p.example.org", "name": "p.example.org", "kind": "pool", "runtime": True,
     "sources": 0, "addresses": [], "resolve_error": "Name or service not known"},
]}

results = []


class Failed(Exception):
    pass


def check(condition, *what):
    if not condition:
        raise Failed("\n".join(str(w) for w in what))


class Daemon:
    """Answers what it is told to; keeps the requests."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "d.sock")
        self.answers = {}
        self.requests = []
        self.raw = None
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(8)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            conn, _ = self.listener.accept()
            with conn, conn.makefile("rwb") as f:
                line = f.readline()
                if not line:
                    continue
                request = json.loads(line)
                self.requests.append(request)
                try:
                    f.write(self.answer(request))
                    f.flush()
                except BrokenPipeError:
                    pass

    def answer(self, request):
        if self.raw is not None:
            return self.raw
        data = self.answers.get(request["cmd"])
        if isinstance(data, list):
            data = data.pop(0) if len(data) > 1 else data[0]
        if "code" in data:
            env = {"schema": 1, "ok": False, "error": data}
        else:
            env = {"schema": 1, "ok": True, "data": data}
        return json.dumps(env).encode() + b"\n"


def ctl(*args, path=None, env=None, user=None):
    command = [NTPKCTL] + (["--socket", path] if path else []) + list(args)
    p = subprocess.run(command, capture_output=True, timeout=60, user=user,
                       env={**os.environ, "TERM": "xterm", **(env or {})})
    return p.returncode, p.stdout.decode("latin-1"), p.stderr.decode("latin-1")


def ctl_tty(*args, path, env=None):
    """The same with a terminal as stdout."""
    master, slave = pty.openpty()
    environ = {**os.environ, "TERM": "xterm", **(env or {})}
    if not env:
        environ.pop("NO_COLOR", None)
    p = subprocess.Popen([NTPKCTL, "--socket", path] + list(args), stdout=slave, env=environ)
    os.close(slave)
    out = b""
    while select.select([master], [], [], 60)[0]:
        try:
            piece = os.read(master, 65536)
        except OSError:     # the other end is closed
            break
        if not piece:
            break
        out += piece
    os.close(master)
    return p.wait(60), out.decode("latin-1")


def plain(text):
    return all(32 <= ord(c) < 127 or c == "\n" for c in text)


def envelope(out):
    check(out.count("\n") == 1 and out.endswith("\n"), "not one line", out)
    env = json.loads(out)
    check(env["schema"] == 1, env)
    return env


def test_status(d):
    d.answers = {"status": STATUS}
    code, out, err = ctl("status", path=d.path)
    check(code == 0 and err == "" and plain(out), code, out, err)
    check(d.requests[-1] == {"cmd": "status"}, d.requests[-1])
    for words in ("synchronised to ntp1.example.org", "Stratum         : 3", "192.0.2.1",
                  "-12.35 us", "+250.0 ms", "+50.001 ppm +- 0.021 ppm", "999 ns", "751.0 us", "12 s ago (7 updates, 1 steps)",
                  "2 of 3 combined", "steered", "kernel", "last push 3 s ago",
                  "2026-11-23 23:49:12.123 UTC", "ahead of the system clock"):
        check(words in out, "missing: " + words, out)
    d.answers = {"status": dict(STATUS, state="unsynchronised", synchronised=False,
                                reference=None, module=None, last_update_age_ns=None,
                                clock_offset_ns=None, frequency_ppb=None, refid="x",
                                serving="userspace", clock_control=False)}
    code, out, err = ctl("status", path=d.path)
    check(code == 0 and "never" in out and "not in use" in out and "left alone" in out, out)
    code, out, err = ctl("status", "--json", path=d.path)
    check(code == 0 and envelope(out)["data"]["serving"] == "userspace", out)


def test_sources(d):
    d.answers = {"sources": SOURCES}
    code, out, err = ctl("sources", path=d.path)
    check(code == 0 and err == "" and plain(out), code, out, err)
    lines = out.splitlines()
    check("Offset > 0: the source is ahead" in lines[0], out)
    check(lines[2].startswith("*  ntp1.example.org (192.0.2.1)"), out)
    check("377" in lines[2] and "17 s" in lines[2] and "+12.35 us +- 1.200 ms" in lines[2], out)
    check(lines[3].startswith("x  two.example.org (2001:db8::2)") and " 17 " in lines[3] and
          "-2.500 s" in lines[3] and lines[3].endswith("disagrees with the majority"), out)
    check(lines[4].startswith("?  three.example.org ") and lines[4].endswith(
        "no reply yet, kiss code RATE: it wants to be asked less often"), out)
    d.answers = {"selectdata": SOURCES}
    reasons = ctl("selectdata", path=d.path)[1].splitlines()
    check(reasons[-1].endswith("kiss code RATE: it wants to be asked less often"), reasons)
    # the columns stand below each other
    at = lines[1].index("State")
    check(all(line[at - 2:at] == "  " for line in lines[2:]), out)
    d.answers = {"sources": {"sources": []}}
    code, out, err = ctl("sources", path=d.path)
    check(code == 0 and "upstream add" in out, out)
    d.answers = {"sources": SOURCES}
    code, out, err = ctl("--json", "sources", path=d.path)
    check(code == 0 and envelope(out)["data"] == SOURCES, out)


def test_marks(d):
    for state, mark in (("syspeer", "*"), ("survivor", "+"), ("outlier", "-"),
                        ("falseticker", "x"), ("distant", "~"), ("noselect", "n"),
                        ("offline", "o"), ("unreachable", "?"), ("no-majority", "?"),
                        ("from-the-future", "?")):
        d.answers = {"sources": {"sources": [source(state=state)]}}
        out = ctl("sources", path=d.path)[1]
        check(out.splitlines()[2][0] == mark, state, out)


def test_upstream(d):
    d.answers = {"upstream-list": UPSTREAMS,
                 "upstream-add": {"added": "server a.example minpoll -6"},
                 "upstream-del": {"removed": 1}}
    code, out, err = ctl("upstream", "list", path=d.path)
    check(code == 0 and "server ntp1.example.org iburst" in out and "at run time" in out and
          "Name or service not known" in out, out)
    code, out, err = ctl("upstream", "add", "a.example", "minpoll", "-6", path=d.path)
    check(code == 0 and out == "Added: server a.example minpoll -6\n", code, out, err)
    for typed, sent in ((["a.example", "minpoll", "-6"], "server a.example minpoll -6"),
                        (["server", "a"], "server a"), (["POOL", "a"], "POOL a"),
                        (["pool a iburst"], "pool a iburst"),
                        (["pool.example.org"], "server pool.example.org"),
                        (["servers.example"], "server servers.example")):
        ctl("upstream", "add", *typed, path=d.path)
        check(d.requests[-1] == {"cmd": "upstream-add", "line": sent}, d.requests[-1])
    code, out, err = ctl("upstream", "del", "a.example", path=d.path)
    check(code == 0 and out == "Removed: 1\n" and
          d.requests[-1] == {"cmd": "upstream-del", "name": "a.example"}, out)
    code, out, err = ctl("upstream", "del", "a", "--json", path=d.path)
    check(code == 0 and envelope(out)["data"] == {"removed": 1}, out)
    code, out, err = ctl("upstream", "list", "--json", path=d.path)
    check(code == 0 and envelope(out)["data"] == UPSTREAMS, out)


def test_refused(d):
    d.answers = {"upstream-add": {"code": "denied", "text": "only root may do so"},
                 "upstream-del": {"code": "not-found", "text": "no upstream 'a'"}}
    code, out, err = ctl("upstream", "add", "a", path=d.path)
    check(code == 1 and out == "" and "only root" in err, code, out, err)
    code, out, err = ctl("upstream", "del", "a", "--json", path=d.path)
    env = envelope(out)
    check(code == 1 and not env["ok"] and env["error"]["code"] == "not-found", out)


def test_nonsense(d):
    for raw in (b"\n", b"{}\n", b"[]\n", b"null\n", b"garbage\n", b"{\"schema\":1}\n",
                b"{\"schema\":1,\"ok\":true}\n", b"{\"schema\":1,\"ok\":true,\"data\":[]}\n",
                b"{\"schema\":1,\"ok\":false}\n", b"{\"schema\":2,\"ok\":true,\"data\":{}}\n",
                b"\xff\x00\n", b"{\"schema\":\"1\",\"ok\":true,\"data\":{}}\n"):
        d.raw = raw
        for command in ("status", "sources"):
            code, out, err = ctl(command, path=d.path)
            check(code == 1 and out == "" and len(err) > 20, raw, code, out, err)
    d.raw = b""
    code, out, err = ctl("status", path=d.path)
    check(code == 3 and "without an answer" in err, code, out, err)
    # wrong types where values are expected do not crash it
    for value in (None, 5, "x", [], {}, True, 1.5):
        d.raw = json.dumps({"schema": 1, "ok": True, "data": dict.fromkeys(
            list(STATUS) + ["sources", "upstreams"], value)}).encode() + b"\n"
        for command in (["status"], ["upstream", "list"]):
            check(ctl(*command, path=d.path)[0] == 0, command, value)
        d.raw = json.dumps({"schema": 1, "ok": True, "data": {
            "sources": [dict.fromkeys(SOURCE, value), value]}}).encode() + b"\n"
        code, out, err = ctl("sources", path=d.path)
        check(code == 0, value, code, err)
    d.raw = None


def test_hostile_text(d):
    evil = "a\x1b]0;x\x07\x9b31m\x7f\n\r\u202e\U0001f600"
    d.answers = {"status": dict(STATUS, reference=evil, state=evil),
                 "sources": {"sources": [source(name=evil, address=evil, state_text=evil,
                                                kod=evil)]},
                 "upstream-list": {"upstreams": [dict(UPSTREAMS["upstreams"][0], line=evil,
                                                      addresses=[evil])]},
                 "upstream-add": {"code": "invalid", "text": evil}}
    for command in (["status"], ["sources"], ["upstream", "list"], ["upstream", "add", "a"]):
        code, out, err = ctl(*command, path=d.path)
        check(plain(out) and plain(err) and "\\x1b" in out + err, command, repr(out + err))
        code, out, err = ctl("--json", *command, path=d.path)
        check(plain(out) and evil in values(json.loads(out)), repr(out))


def values(v):
    """Every string in it, as it is."""
    if isinstance(v, dict):
        return "".join(values(x) for x in v.values())
    if isinstance(v, list):
        return "".join(values(x) for x in v)
    return v if isinstance(v, str) else ""


def test_long_answer(d):
    many = {"sources": [source(name="h%d.example.org" % i) for i in range(2000)]}
    d.answers = {"sources": many}
    code, out, err = ctl("sources", "--json", path=d.path)
    check(code == 0 and envelope(out)["data"] == many, code, err)
    code, out, err = ctl("sources", path=d.path)
    check(code == 0 and out.count("\n") == 2002, out.count("\n"))


def test_waitsync(d):
    off = dict(STATUS, synchronised=False, state="unsynchronised")
    d.answers = {"status": [off, off, STATUS]}
    code, out, err = ctl("waitsync", "5", "0", "0.01", path=d.path)
    check(code == 0 and out.count("try ") == 3 and "try 3: synchronised" in out, out, err)
    d.answers = {"status": off}
    code, out, err = ctl("waitsync", "3", "0", "0.01", path=d.path)
    check(code == 5 and out.count("try ") == 3 and "after 3 tries" in err, code, out, err)
    code, out, err = ctl("waitsync", "1", "--json", path=d.path)
    check(code == 5 and envelope(out)["error"]["code"] == "timeout", out)
    # own time is not synchronised; neither is holdover
    for state in ("local", "holdover"):
        d.answers = {"status": dict(STATUS, state=state)}
        check(ctl("waitsync", "1", path=d.path)[0] == 5, state)
    # |offset| + error = 13.145 us
    d.answers = {"status": STATUS}
    check(ctl("waitsync", "1", "0.0000131", path=d.path)[0] == 5, "limit below the error")
    check(ctl("waitsync", "1", "0.0000132", path=d.path)[0] == 0, "limit above the error")
    code, out, err = ctl("waitsync", "1", "--json", path=d.path)
    check(code == 0 and envelope(out)["data"] == STATUS, out)


def test_waitsync_for_ever(d):
    off = dict(STATUS, synchronised=False, state="unsynchronised")
    d.answers = {"status": [off] * 30 + [STATUS]}
    code, out, err = ctl("waitsync", "0", "0", "0.001", path=d.path)
    check(code == 0 and out.count("try ") == 31, code, out)


def test_version(d):
    d.answers = {"version": {"version": "9.9.9", "build_unix": 1}}
    code, out, err = ctl("version", path=d.path)
    check(code == 0 and "ntpkctl " in out and "ntpkd   9.9.9" in out, out)
    code, out, err = ctl("version", "--json", path=d.path)
    check(envelope(out)["data"]["ntpkd"] == {"version": "9.9.9", "build_unix": 1}, out)


def test_no_daemon(d):
    gone = d.path + ".gone"
    for command in (["status"], ["sources"], ["upstream", "list"], ["upstream", "add", "a"],
                    ["waitsync", "1"]):
        code, out, err = ctl(*command, path=gone)
        check(code == 3 and "ntpkd is not running (no %s): start it with 'systemctl start "
              "ntpkd' or 'ntpkd -f /etc/ntpk.conf'" % gone in err, command, code, err)
        code, out, err = ctl("--json", *command, path=gone)
        check(code == 3 and envelope(out)["error"]["code"] == "no-daemon" and err == "", out)
    stale = d.path + ".stale"
    s = socket.socket(socket.AF_UNIX)
    s.bind(stale)
    s.close()
    code, out, err = ctl("sources", path=stale)
    check(code == 3 and "not running any more" in err, err)


def test_no_permission(d):
    if os.geteuid() != 0:
        return "not root: cannot become another user"
    folder = os.path.dirname(d.path)
    os.chmod(folder, 0o755)
    os.chmod(d.path, 0o600)
    # Where the tree itself is closed to others, the program cannot be started.
    try:
        code, out, err = ctl("status", path=d.path, user=65534)
    except PermissionError:
        return "another user cannot reach %s" % NTPKCTL
    finally:
        os.chmod(d.path, 0o700)
    check(code == 3 and "run ntpkctl as root or as a member of the group ntpk" in err, code, err)
    return None


def test_no_module(d):
    if HAVE_MODULE:
        return "the module is loaded here"
    code, out, err = ctl("stats")
    check(code == 4 and out == "" and
          err == "ntpkctl: the kernel module is not loaded: modprobe ntpk\n", code, err)
    code, out, err = ctl("stats", "--all", "--json")
    check(code == 4 and envelope(out)["error"]["code"] == "no-module", out)
    code, out, err = ctl("status", path=d.path + ".gone")
    check(code == 3 and "modprobe ntpk" in err and "not running" in err, err)
    return None


def test_colour(d):
    d.answers = {"status": STATUS, "sources": SOURCES}
    for command in ("status", "sources"):
        check("\x1b[" not in ctl(command, path=d.path)[1], "colour in a pipe")
        code, out = ctl_tty(command, path=d.path)
        check(code == 0 and "\x1b[1m" in out, "no colour on a terminal", repr(out))
        for env in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
            check("\x1b" not in ctl_tty(command, path=d.path, env=env)[1], env)
        check("\x1b" not in ctl_tty(command, "--json", path=d.path)[1], "colour in JSON")


def test_usage(d):
    for args in ([], ["x"], ["status", "x"], ["--x"], ["upstream"], ["waitsync", "x"],
                 ["status", "--all"], ["--socket"]):
        code, out, err = ctl(*args)
        check(code == 2 and out == "" and err, args, code, out, err)
    code, out, err = ctl("help")
    check(code == 0 and "Exit code" in out and err == "", out)


def test_full_disk(d):
    d.answers = {"status": STATUS}
    with open("/dev/full", "w") as full:
        p = subprocess.run([NTPKCTL, "--socket", d.path, "status"], stdout=full,
                           stderr=subprocess.PIPE, timeout=60)
    check(p.returncode == 1 and b"No space left" in p.stderr, p)


def main():
    if not os.access(NTPKCTL, os.X_OK):
        print("1..0 # SKIP no %s: build it with 'make tests'" % NTPKCTL)
        return 4
    tests = [(n[5:], f) for n, f in sorted(globals().items()) if n.startswith("test_")]
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        daemon = Daemon(folder)
        for i, (name, function) in enumerate(tests, 1):
            daemon.raw = None
            try:
                skip = function(daemon)
                print("ok %d - %s%s" % (i, name, " # SKIP " + skip if skip else ""), flush=True)
            except (Failed, subprocess.TimeoutExpired, ValueError, KeyError) as e:
                failed += 1
                print("not ok %d - %s" % (i, name))
                print("# " + str(e).replace("\n", "\n# "), flush=True)
    print("1..%d" % len(tests))
    return 1 if failed else 0


sys.exit(main())
