#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""selftests/tried.txt names a test for each directive and each subcommand, which is
there and has the word in it.  Reads sources only.  TAP."""
import os
import re
import sys

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
NAMES = {"directive": ("userspace/daemon/conf_table.c", r'^\t\{ \{ "(\w+)",'),
         "subcommand": ("userspace/ctl/run.c", r'^\t\{ "([a-z ]+)", ')}


def read(path):
    with open(os.path.join(TOP, path), encoding="utf-8") as f:
        return f.read()


def body(path, name):
    """What a function, a class or a constant of that name consists of; None without one."""
    if path.endswith(".c"):
        found = re.search(r"^static void %s\(.*?\)\n\{\n.*?^\}" % name, read(path), re.M | re.S)
    else:
        found = re.search(r"^(?:def |class )?%s\b.*?(?=^\S|\Z)" % name, read(path), re.M | re.S)
    return found and found.group(0)


def fault(row):
    """None, or what is wrong with a row."""
    name, where = row[1], row[2]
    path, _, function = where.partition(":")
    if not os.path.exists(os.path.join(TOP, path)):
        return "no file " + path
    text = body(path, function)
    if text is None:
        return "no %s in %s" % (function, path)
    words = (row[3] if len(row) > 3 else name).split()
    # behind a letter it is another word, but for that of a newline in a string
    if not re.search(r"(?:\\n|(?<![a-zA-Z]))%s(?![a-zA-Z])" % r"\W+".join(map(re.escape, words)), text):
        return "%s does not say %s" % (where, " ".join(words))
    return None


def main():
    rows = [line.split("\t") for line in read("selftests/tried.txt").splitlines()
            if line and line[0] != "#"]
    print("TAP version 13\n1..%d" % len(NAMES))
    failed = 0
    for n, (kind, (path, pattern)) in enumerate(NAMES.items(), 1):
        mine = [row for row in rows if row[0] == kind]
        names = re.findall(pattern, read(path), re.M)
        tried = [row[1] for row in mine]
        faults = [f for f in map(fault, mine) if f]
        faults += ["no test of " + name for name in names if name not in tried]
        faults += [name + " is in no table" for name in tried if name not in names]
        faults += [name + " stands twice" for name in set(tried) if tried.count(name) > 1]
        failed += bool(faults or not names)
        print("%s %d - each %s has its test: %d" % ("not ok" if faults or not names else "ok", n, kind,
                                                    len(names)))
        for text in faults:
            print("# " + text)
    return 1 if failed else 0


sys.exit(main())
