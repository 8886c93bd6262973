#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""ntpkd itself, unchanged, under a simulator of clock and network (LD_PRELOAD).

The preloaded world (userspace/tests/preload) stops the program when it does
what a simulator of this class cannot follow: waits for anything but UDP sockets
and timers, makes a thread, reads a clock that is not there.  What its clock
does is compared with the pure simulator and with chrony.

TAP on stdout; exit 0 passed, 1 failed.  Days of virtual time, seconds of real.
"""
import os
import re
import statistics
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
NTPKD = os.path.join(TOP, "build/user/bin/ntpkd")
WORLD = os.path.join(TOP, "build/user/lib/world.so")
SCORE = os.path.join(TOP, "build/user/bin/score")
LAN = "span=50000,from=10000"
WAN = "delay=1e-2,jitter=1e-3,wander=1e-8,span=200000,from=40000"
SEEDS = range(1, 6)
failed = 0
count = 0


def result(good, name, why=""):
    global failed, count
    count += 1
    failed += not good
    print("%s %d - %s" % ("ok" if good else "not ok", count, name), flush=True)
    if not good:
        print("# " + str(why).replace("\n", "\n# "))


def run(world, conf="", servers=1, poll="minpoll 4 maxpoll 6", name="192.168.123.%d", flag="-d"):
    """One life of ntpkd.  Return: what the world saw, as numbers, and messages."""
    with tempfile.TemporaryDirectory() as d:
        path, out = os.path.join(d, "conf"), os.path.join(d, "out")
        with open(path, "w") as f:
            for i in range(servers):
                f.write("server %s iburst %s\n" % (name % (i + 1), poll))
            f.write("kernel off\nsavedir %s\n%s\n" % (d, conf))
        os.chmod(path, 0o644)
        env = dict(os.environ, LD_PRELOAD=WORLD, NTPK_WORLD=world, NTPK_WORLD_OUT=out)
        p = subprocess.run([NTPKD, flag, "-s", "none", "-f", path], env=env, timeout=300,
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT)
        text = p.stdout.decode()
        if p.returncode or not os.path.exists(out):
            raise RuntimeError("%s: exit %d\n%s" % (world, p.returncode, text))
        with open(out) as f:
            return {k: float(v) for k, v in (line.split() for line in f)}, text


def medians(world, **more):
    runs = [run("seed=%d,%s" % (seed, world), **more)[0] for seed in SEEDS]
    return {k: statistics.median(r[k] for r in runs) for k in runs[0]}


def score_rms(scenario):
    """The same scenario in the pure simulator, seconds."""
    p = subprocess.run([SCORE, str(len(SEEDS)), "11", scenario], stdout=subprocess.PIPE,
                       timeout=300)
    return float(re.search(r"^# %s +([0-9.]+)" % scenario, p.stdout.decode(), re.M)[1]) * 1e-6


def test_lan():
    m = medians(LAN)
    good = m["rms"] <= 0.62 * 5.6e-6 and m["max"] <= 22.7e-6 and m["packets"] <= 791
    result(good, "a LAN: better than chrony with no more packets", m)
    sim = score_rms("a_lan")
    result(0.7 < m["rms"] / sim < 1.4, "as the pure simulator has it", (m["rms"], sim))


def test_false():
    m = medians("servers=5,false_servers=2," + WAN, servers=5, poll="minpoll 6 maxpoll 10")
    good = m["rms"] <= 0.29 * 1.29e-3 and m["max"] <= 4.03e-3 and m["packets"] <= 1158
    result(good, "two of five servers false: better than chrony with no more packets", m)


def test_start():
    for offset, limit, steps in ((0.01, 6, 0), (0.1, 8, 0), (-0.1, 8, 0)):
        r, _ = run("offset=%g,freq=1e-4,span=300" % offset)
        result(r["settled"] <= limit and r["steps"] == steps,
               "%g ms and 100 ppm off: within 100 us in %d s" % (offset * 1e3, limit), r)
    r, _ = run("offset=10,freq=-4e-4,span=300", "makestep 0.1 3")
    result(r["settled"] <= 6 and r["steps"] == 1, "10 s and 400 ppm off: stepped once", r)


def test_refused_step():
    """A container, say: the clock may not be set.  It is tried, said once, and not for ever."""
    r, text = run("offset=10,refuse=1,span=300", "makestep 0.1 3")
    result(r["steps"] == 0 and 1 <= r["refused"] <= 20 and
           text.count("cannot step the system clock: Operation not permitted") == 1 and
           "synchronised to 192.168.123.1" in text, "a step that is refused is not tried for ever",
           (r, text))


def test_variants():
    """Simulators differ in clocks and stamps."""
    for clocks in range(4):
        for stamps in range(3):
            r, _ = run("clocks=%d,stamps=%d,span=10000,from=2000" % (clocks, stamps))
            result(r["rms"] < 6e-6 and r["settled"] <= 6 and r["steps"] == 0,
                   "clocks of kind %d, stamps of kind %d" % (clocks, stamps), r)


def test_server():
    r, text = run("clients=1,span=5000,from=1000", "allow all", name="node%d.net1.clk", flag="-n")
    result(r["asked"] > 50 and r["answered"] == r["asked"] and r["worst_answer"] < 100e-6,
           "it answers, and names are found", (r, text))


def test_trap():
    """The world does notice: the control socket is no UDP socket."""
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(d, "conf")
        with open(path, "w") as f:
            f.write("server 192.168.123.1\nkernel off\nsavedir %s\n" % d)
        env = dict(os.environ, LD_PRELOAD=WORLD)
        p = subprocess.run([NTPKD, "-d", "-s", os.path.join(d, "sock"), "-f", path], env=env,
                           timeout=60, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        text = p.stdout.decode()
        result(p.returncode and "world: the program under test" in text,
               "what the world cannot follow stops the program", text)


def main():
    for test in (test_lan, test_false, test_start, test_refused_step, test_variants, test_server, test_trap):
        try:
            test()
        except (RuntimeError, subprocess.TimeoutExpired, TypeError) as e:
            result(False, test.__name__, e)
    print("1..%d" % count)
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
