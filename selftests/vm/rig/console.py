# SPDX-License-Identifier: GPL-2.0-only
"""A machine's console: copied to a log, judged for kernel splats."""
import os
import re
import sys
import threading
import time

# What a healthy kernel never prints.  One pattern per line start or phrase.
SPLAT = re.compile(
    r"\bBUG: |\bWARNING: |\bOops\b|\bCall Trace:|Kernel panic|\bKASAN\b: |UBSAN: |"
    r"general protection fault|rcu.*(stall|self-detected)|INFO: task .* blocked|"
    r"\bsuspicious RCU usage|possible (recursive|circular) locking|"
    r"inconsistent lock state|soft lockup|hard LOCKUP|kmemleak: \d+ new|"
    r"ODEBUG: |refcount_t: |list_(add|del) corruption|scheduling while atomic|"
    r"sleeping function called from invalid|unregister_netdevice: waiting")


def read_allowed(path):
    """Allow-list: a regex, a tab or more, the reason; '#' starts a comment."""
    allowed = []
    if path:
        with open(path) as f:
            for line in f:
                line = line.rstrip("\n")
                if line and not line.startswith("#"):
                    allowed.append(re.compile(line.split("\t")[0]))
    return allowed


def find_splat(lines, allowed=()):
    """The first line of a splat that no allowed pattern matches, or None."""
    for line in lines:
        if SPLAT.search(line) and not any(a.search(line) for a in allowed):
            return line.strip()
    return None


def data_races(lines):
    """Reports of KCSAN with code of ntpk's in them, each its lines, and all lines that are
    of no report.  Where another processor writes between them, its lines count as theirs."""
    ours, others, report = [], [], None
    for line in lines:
        if "BUG: KCSAN: " in line:
            report = []
        if report is None:
            others.append(line)
            continue
        report.append(line)
        if line.rstrip().endswith("=" * 20):
            if any("[ntpk]" in text for text in report):
                ours.append(report)
            report = None
    return ours, others


def read_lines(path):
    try:
        with open(path, errors="replace") as f:
            return f.read().splitlines()
    except FileNotFoundError:
        return []


def tail(path, count=25):
    return "\n".join("    | " + line for line in read_lines(path)[-count:])


def pump(stream, log, prefix=None):
    """Thread: copy a stream to a log, and to stdout with a prefix if given."""
    def loop():
        with open(log, "wb", buffering=0) as f:
            for line in iter(stream.readline, b""):
                f.write(line)
                if prefix is not None:
                    show(prefix, line)
    thread = threading.Thread(target=loop, daemon=True)
    thread.start()
    return thread


def show(prefix, line):
    out = sys.stdout.buffer
    out.write(prefix.encode() + line.rstrip(b"\r\n") + b"\n")
    out.flush()


class Follower:
    """Thread that copies the lines of a growing file to stdout."""

    def __init__(self, path, prefix=""):
        self.path, self.prefix = path, prefix
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.loop, daemon=True)
        self.thread.start()

    def loop(self):
        part, pos = b"", 0
        while True:
            last = self.over.is_set()
            if os.path.exists(self.path):
                with open(self.path, "rb") as f:
                    f.seek(pos)
                    data = f.read()
                pos += len(data)
                lines = (part + data).split(b"\n")
                part = lines.pop()
                for line in lines:
                    show(self.prefix, line)
            if last:
                break
            time.sleep(0.1)
        if part:
            show(self.prefix, part)

    def close(self):
        self.over.set()
        self.thread.join()
