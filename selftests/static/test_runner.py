#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What selftests/runner, and selftests/kernel/run before it, make of a test's results and
of how it ends: above all that nobody who dies is taken for one that was skipped.
A second, no machine.  TAP."""
import contextlib
import importlib.machinery
import importlib.util
import io
import os
import subprocess
import sys
import tempfile

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
RUNNER = os.path.join(TOP, "selftests/runner")
# A test in sh, and what the runner counts: passed, failed, skipped, with a word it says of the last two.
BOTH = (
    ("passes", "echo ok 1 - a; echo 1..1", (1, 0, 0), ""),
    ("fails", "echo not ok 1 - a; echo 1..1; exit 1", (0, 1, 0), "a"),
    ("skips one", "echo 'ok 1 - a # SKIP b'; echo 1..1", (0, 0, 1), "a # SKIP b"),
    ("skips all", "echo '1..0 # SKIP no tool'; exit 4", (0, 0, 1), "# SKIP no tool"),
    ("is killed as it skips all", "echo '1..0 # SKIP no tool'; kill -KILL $$", (0, 1, 0),
     "skipped (no tool), but ended with -9"),
    ("crashes as it skips all", "echo '1..0 # SKIP no tool'; exit 3", (0, 1, 0),
     "skipped (no tool), but ended with 3"),
    ("fails as it skips all", "echo '1..0 # SKIP no tool'; exit 1", (0, 1, 0),
     "skipped (no tool), but ended with 1"),
    ("has no plan", "echo ok 1 - a", (1, 1, 0), "plan"),
    ("does less than its plan", "echo ok 1 - a; echo 1..2", (1, 1, 0), "planned 2|1 seen"),
    ("plans nothing", "echo 1..0", (0, 1, 0), "exit 0, 0 seen|planned nothing"),
    ("fails without a result that did", "echo ok 1 - a; echo 1..1; exit 1", (1, 1, 0), "exit 1|with 1"),
    ("dies behind its results", "echo ok 1 - a; echo 1..1; kill -SEGV $$", (1, 1, 0), "-11"),
)
ALONE = (
    ("skips all with status 0", "echo '1..0 # SKIP no tool'", (0, 0, 1), "# SKIP no tool"),
    ("skips without a plan", "echo no tool; exit 4", (0, 0, 1), "# SKIP no tool"),
    ("skips one as cmocka does", "echo 'not ok 1 - a # SKIP'; echo 1..1", (0, 0, 1), "a # SKIP"),
    ("bails out", "echo Bail out! no disk; exit 1", (0, 1, 0), "bailed out: no disk"),
)
IN_A_MACHINE = (
    ("skips all behind a result", "echo ok 1 - a; echo '1..0 # SKIP no tool'; exit 4", (1, 1, 0), "after 1 results"),
)


def write(path, text):
    with open(path, "w", encoding="utf-8") as f:
        f.write("#!/bin/sh\n%s\n" % text)
    os.chmod(path, 0o755)
    return path


def runner(*args):
    """(passed, failed, skipped) as its last line has them, and all that it says before."""
    p = subprocess.run([RUNNER, *args], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       universal_newlines=True, timeout=60, check=False)
    said, _, last = p.stdout.rstrip("\n").rpartition("\n")
    counts = tuple(int(word.split()[0]) for word in last.split(", "))
    if p.returncode != bool(counts[1]):
        said += "\nstatus %d" % p.returncode
        counts = None
    return counts, said


def load_kernel_run():
    path = os.path.join(TOP, "selftests/kernel/run")
    sys.dont_write_bytecode = True
    loader = importlib.machinery.SourceFileLoader("kernel_run", path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("kernel_run", loader))
    loader.exec_module(module)
    return module


class Silent:
    """A kernel that says nothing."""

    @staticmethod
    def splats():
        return []


def in_a_machine(run, folder, name):
    """What the runner makes of what kernel/run makes of a test."""
    out = io.StringIO()
    run.HERE = folder
    with contextlib.redirect_stdout(out):
        totals = run.Totals()
        run.run_one(totals, Silent, name, 30)
        print("1..%d" % totals.n)
    path = os.path.join(folder, "tap")
    with open(path, "w", encoding="utf-8") as f:
        f.write(out.getvalue())
    return runner("--tap", path)


def main():
    print("TAP version 13")
    n = failed = 0
    run = load_kernel_run()
    with tempfile.TemporaryDirectory() as folder:
        ways = [("the runner", case, lambda path: runner(path)) for case in BOTH + ALONE]
        ways += [("in a machine", case, lambda path: in_a_machine(run, folder, os.path.basename(path)))
                 for case in BOTH + IN_A_MACHINE]
        for n, (where, (what, text, want, words), ask) in enumerate(ways, 1):
            counts, said = ask(write(os.path.join(folder, "test_one"), text))
            named = "\n".join(line for line in said.splitlines() if line.startswith(("# FAILED", "# skipped")))
            good = counts == want and any(word in named for word in words.split("|"))
            failed += not good
            print("%s %d - %s: a test that %s: %d passed, %d failed, %d skipped" % (
                ("ok" if good else "not ok", n, where, what) + want))
            if not good:
                print("# got %s, %s" % (counts, said.replace("\n", "\n# ")))
    print("1..%d" % n)
    return 1 if failed else 0


sys.exit(main())
