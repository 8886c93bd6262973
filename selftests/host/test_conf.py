#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""`ntpkd -t` on good and bad files: exit code, file:line:column, words.

TAP on stdout; exit 0 passed, 1 failed.  NTPKD names the program (default: the
one built with the sanitizers).  Nothing is started, no clock is touched.
"""
import os
import re
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
NTPKD = os.environ.get("NTPKD", os.path.join(TOP, "build/san/ntpkd"))
EXAMPLE = os.path.join(TOP, "Documentation/ntpk.conf.example")
failed = 0
count = 0


def result(good, name, why=""):
    global failed, count
    count += 1
    failed += not good
    print("%s %d - %s" % ("ok" if good else "not ok", count, name))
    if not good:
        print("# " + str(why).replace("\n", "\n# "))


def check(path):
    p = subprocess.run([NTPKD, "-t", "-f", path], capture_output=True, timeout=60)
    return p.returncode, p.stdout.decode(), p.stderr.decode()


GOOD = {
    "empty file": b"",
    "comments only": b"# a\n! b\n; c\n% d \xc3\xa4\n\n \t\n",
    "no newline at the end": b"server 192.0.2.1",
    "one server": b"server ntp.example.org iburst\n",
    "capitals": b"SERVER ntp.example.org IBURST\nKernel OFF\n",
    "addresses": b"server 192.0.2.1\nserver 2001:db8::1\nserver fe80::1%eth0\n",
    "no upstream but own time": b"local stratum 8\n",
    "decimals": b"makestep 0.1 -1\nmaxserved 0.5\nmaxdistance 1.5\n",
}

# text, then every error as (line, column, words)
BAD = {
    "unknown directive": (b"sever a\n", [(1, 1, "did you mean 'server'")]),
    "accepted ones are listed": (b"xyzzy\n", [(1, 1, "accepted: server, pool, removed")]),
    "third line, indented": (b"# x\n\n   port 99999\n", [(3, 9, "0 to 65535")]),
    "missing value": (b"driftfile\n", [(1, 10, "needs a path")]),
    "no newline at the end of it": (b"port 1\nlocal 3", [(2, 7, "accepted: stratum, distance")]),
    "unknown option": (b"server a.example ibrust\n", [(1, 18, "did you mean 'iburst'")]),
    "twice": (b"port 1\nserver a\nport 2\n", [(3, 1, "line 1 already")]),
    "same name twice": (b"server a.example\npool A.Example.\n", [(2, 6, "line 1")]),
    "polls crossed": (b"server a minpoll 9 maxpoll 8\n", [(1, 10, "longer than maxpoll")]),
    "not a number": (b"maxserved nan\n", [(1, 11, "'nan' is not a number")]),
    "trailing rubbish": (b"holdover 30s\n", [(1, 10, "'30s' is not a number")]),
    "too large": (b"holdover 99999999999999999999\n", [(1, 10, "out of range")]),
    "NUL": (b"port 1\nse\0rver a\n", [(2, 3, "NUL byte")]),
    "escape sequence": (b"server \x1b[31ma\n", [(1, 8, "byte 0x1b")]),
    "DOS line ends": (b"port 1\r\n", [(1, 7, "carriage return")]),
    "long line": (b"server " + b"a" * 9000 + b"\nkernel x\n",
                  [(1, 4097, "longer than 4096"), (2, 8, "'on' or 'off'")]),
    "all errors at once": (b"sever a\nport x\nserver a.1\nserver b foo port 0\nkernel\n",
                           [(1, 1, "sever"), (2, 6, "'x'"), (3, 8, "IPv4"), (4, 10, "'foo'"),
                            (4, 19, "port: 0"), (5, 7, "'on' or 'off'")]),
    "binary": (bytes(range(256)) * 4, None),
}


def test_bad(folder, name, text, errors):
    path = os.path.join(folder, "bad.conf")
    with open(path, "wb") as f:
        f.write(text)
    code, out, err = check(path)
    got = re.findall(r"^(.*):(\d+):(\d+): (.*)$", err, re.M)
    good = code == 1 and got and all(g[0] == path for g in got)
    good = good and all(32 <= ord(c) < 127 or c == "\n" for c in out + err)
    if errors is not None:
        good = good and len(got) == len(errors) and all(
            int(g[1]) == e[0] and int(g[2]) == e[1] and e[2] in g[3]
            for g, e in zip(got, errors))
    result(good, "refused: " + name, "exit %d\n%s%s" % (code, out, err))


def main():
    if not os.access(NTPKD, os.X_OK):
        print("1..0 # SKIP no %s: build it with 'make tests'" % NTPKD)
        return 4
    with tempfile.TemporaryDirectory() as folder:
        for name, text in GOOD.items():
            path = os.path.join(folder, "good.conf")
            with open(path, "wb") as f:
                f.write(text)
            code, out, err = check(path)
            result(code == 0 and not re.search(r":\d+:\d+:", err), "accepted: " + name,
                   "exit %d\n%s%s" % (code, out, err))
        for name, (text, errors) in BAD.items():
            test_bad(folder, name, text, errors)
        code, out, err = check(os.path.join(folder, "missing.conf"))
        result(code == 1 and "missing.conf" in err and "No such file" in err,
               "a missing file is named", err)
        code, out, err = check(folder)
        result(code == 1 and "directory" in err, "a folder is refused", err)
    code, out, err = check(EXAMPLE)
    result(code == 0, "the example in Documentation is accepted", err)
    # what is commented out there is meant to be used
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as f:
        with open(EXAMPLE) as example:
            for line in example:
                m = re.match(r"#([a-z]+( \S+)*)$", line)
                f.write(m.group(1) + "\n" if m else line)
        f.flush()
        code, out, err = check(f.name)
        result(code == 0, "and so are its examples that are commented out", err)
    print("1..%d" % count)
    return 1 if failed else 0


sys.exit(main())
