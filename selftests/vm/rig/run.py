# SPDX-License-Identifier: GPL-2.0-only
"""One run of machines from the command line: common options, the folder of its
logs, waiting for the deciding machine, the verdict and its reasons."""
import argparse
import os
import shutil
import signal
import sys
import tempfile
import time

from . import console
from .machine import EXIT_RIG, EXIT_TIMEOUT, TREE, RigError, tool


def say(text):
    print("%s: %s" % (os.path.basename(sys.argv[0]), text), file=sys.stderr, flush=True)


def inside(script):
    """A path of this checkout as the machine sees it."""
    real = os.path.realpath(script)
    if os.path.exists(real) and real.startswith(TREE + os.sep):
        return "/ntpk" + real[len(TREE):]
    return script


def common_options(timeout):
    """Options that every kind of run takes, for argparse's parents=."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--smp", type=int, default=2, help="processors")
    common.add_argument("--mem", type=int, default=1024, help="MiB of memory")
    common.add_argument("--timeout", type=float, default=timeout,
                        help="seconds of wall clock (%d)" % timeout)
    common.add_argument("--out", help="keep logs and results here")
    common.add_argument("--keep", action="store_true", help="keep the logs of a good run")
    common.add_argument("--live", action="store_true", help="show the console too")
    common.add_argument("--env", action="append", default=[], type=assignment,
                        metavar="NAME=VALUE")
    common.add_argument("--append", default="", help="more kernel command line")
    common.add_argument("--no-module", action="store_true", help="do not build ntpk.ko")
    return common


def assignment(text):
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise argparse.ArgumentTypeError("%s: not NAME=VALUE" % text)
    return name, value


def out_folder(args):
    """(folder, whether it is ours to remove)."""
    if args.out:
        os.makedirs(args.out, exist_ok=True)
        return os.path.abspath(args.out), False
    base = os.path.join(TREE, "build", "vm")
    os.makedirs(base, exist_ok=True)
    return tempfile.mkdtemp(prefix="run.", dir=base), not args.keep


def prepare(args, out, flavour):
    share = os.path.join(out, "share")
    shutil.rmtree(share, ignore_errors=True)
    os.makedirs(share)
    tool("tools.sh")
    if not args.no_module:
        tool("module.sh", flavour)


def machine(kind, args, role, out, **kwargs):
    """A machine of class kind with the common options applied."""
    env = dict(args.env)
    env.update(kwargs.pop("env", None) or {})
    return kind(role, os.path.join(out, role), os.path.join(out, "share"),
                mem=args.mem, append=args.append, live=args.live, env=env,
                **{"smp": args.smp, **kwargs})


def judge(machines, timed_out, decider):
    """Exit status of a run, with its reason on stderr."""
    for m in machines:
        # the cause first: another's failed script ends the decider unheard
        if m is not decider and m.status() and decider.status() is None and not timed_out:
            say("%s: its script ended with %d" % (m.role, m.status()))
    for m in machines:
        why = m.complaint()
        if timed_out and why and why.startswith("died"):
            continue
        if why:
            say("%s: %s" % (m.role, why))
            say("end of %s:\n%s" % (m.path("console.log"),
                                    console.tail(m.path("console.log"))))
            return EXIT_RIG
    if timed_out:
        say("timed out; logs in %s, end of the console of %s:\n%s" % (
            os.path.dirname(decider.out), decider.role,
            console.tail(decider.path("console.log"), 10)))
        return EXIT_TIMEOUT
    for m in machines:
        if m is not decider and m.status():
            say("%s: its script ended with %d" % (m.role, m.status()))
            return EXIT_RIG
    return decider.status()


def follow(machines, decider, timeout):
    """Wait for the deciding machine's end; True when time ran out."""
    end = time.monotonic() + timeout
    others = [m for m in machines if m is not decider]
    while not decider.wait(0.2):
        if time.monotonic() > end:
            return True
        if any(m.proc.poll() is not None for m in others):
            break
    for m in others:
        m.stop()
    for m in others:
        m.wait(max(20, end - time.monotonic()) if decider.status() is None else 20)
    return False


def run_machines(machines, decider, timeout):
    timed_out = False
    try:
        for m in machines:
            m.start()
        timed_out = follow(machines, decider, timeout)
    finally:
        for m in machines:
            m.close()
    return judge(machines, timed_out, decider)


def main(args, verb):
    """Exit status of verb(args, out); its logs are kept unless it was good."""
    def interrupted(*_):
        raise KeyboardInterrupt

    for sig in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(sig, interrupted)
    out, ours = out_folder(args)
    status = EXIT_RIG
    try:
        status = verb(args, out)
    except (RigError, OSError) as err:
        say(str(err))
    except KeyboardInterrupt:
        say("interrupted")
        status = 130
    if ours and status in (0, 4):
        shutil.rmtree(out)
    elif ours:
        say("logs are kept in " + out)
    return status
