#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""ntpkctl config import: chrony's files become files that ntpkd accepts.

TAP on stdout; exit 0 passed, 1 failed, 4 skipped.  NTPKD and NTPKCTL name the
programs (default: those built with the sanitizers).
"""
import json
import os
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
NTPKD = os.environ.get("NTPKD", os.path.join(TOP, "build/san/ntpkd"))
NTPKCTL = os.environ.get("NTPKCTL", os.path.join(TOP, "build/san/ntpkctl"))
failed = 0
count = 0

# The directives of Debian's default file.
DEBIAN = """# Welcome to the chrony configuration file.
confdir %(dir)s/conf.d

pool 2.debian.pool.ntp.org iburst
sourcedir /run/chrony-dhcp
sourcedir /etc/chrony/sources.d
keyfile /etc/chrony/chrony.keys
driftfile /var/lib/chrony/chrony.drift
ntsdumpdir /var/lib/chrony
#log tracking measurements statistics
logdir /var/log/chrony
maxupdateskew 100.0
rtcsync
makestep 1 3
leapsectz right/UTC
"""

# Every directive and every option of chrony 4.8.
BIG = """server a.example minpoll 4 maxpoll 8 iburst burst key 5 maxdelay 0.1 offset 0.01 offline \
prefer trust require xleave port 1123 presend 9 version 3 ipv4
server b.example asymmetry 0.5 auto_offline copy extfield F323 filter 5 maxdelaydevratio 10 \
maxdelayquant 0.9 maxdelayratio 2 maxsamples 10 maxunreach 5 mindelay 0.1 minsamples 5 \
minstratum 2 polltarget 30 noselect ipv6
server c.example nts certset 1 ntsport 4460
pool d.example maxsources 2
peer e.example
initstepslew 30 a.example
refclock PPS /dev/pps0 lock NMEA refid GPS
manual
acquisitionport 1123
bindacqaddress 192.0.2.1
bindacqdevice eth0
dscp 46
dumpdir /var/lib/chrony
maxsamples 30
minsamples 6
maxunreach 10
refresh 60
ntsdumpdir /x
ntsrefresh 5
ntstrustedcerts /x
nosystemcert
nocerttimecheck 1
ntsaeads 30 15
authselectmode require
combinelimit 3
maxdistance 2
maxjitter 0.5
minsources 2
reselectdist 0.1
stratumweight 0.1
clockprecision 1e-9
corrtimeratio 3
driftfile /var/lib/chrony/drift interval 60
fallbackdrift 16 19
leapsecmode slew
leapsectz right/UTC
leapseclist /usr/share/zoneinfo/leap-seconds.list
makestep 0.1 3
maxchange 1000 1 2
maxclockerror 10
maxdrift 100
maxupdateskew 100
maxslewrate 83333.333
tempcomp /x 30 26000 0.0 0.000183 0.0
allow 1.2.3.4
allow 1.2
allow 3.4.5
allow 6.7.8/22
allow 6.7.8.9/22
allow 2001:db8:789a::/48
allow 0/0
allow ::/0
allow
allow all 10/8
allow host.example
deny 1.2.3
deny all 172.16/12
bindaddress 192.0.2.1
bindaddress ::1
binddevice eth0
broadcast 30 192.0.2.255
clientloglimit 1048576
noclientlog
local stratum 8 distance 0.5 orphan activate 0.5 waitsynced 5 waitunsynced 5
ntpsigndsocket /x
ntsport 4460
ntsservercert /x
ntsserverkey /x
ntsprocesses 1
maxntsconnections 10
ntsntpserver x
ntsrotate 0
port 123
ratelimit interval 1 burst 16
ntsratelimit interval 3
smoothtime 400 0.01 leaponly
bindcmdaddress /x
bindcmddevice eth0
cmdallow 1.2.3
cmddeny all
cmdport 0
cmdratelimit interval 2
opencommands activity
hwclockfile /etc/adjtime
rtcautotrim 30
rtcdevice /dev/rtc0
rtcfile /var/lib/chrony/rtc
rtconutc
rtcsync
log rawmeasurements measurements statistics selection tracking rtc refclocks tempcomp
logbanner 10
logchange 0.1
logdir /var/log/chrony
mailonchange root@localhost 0.5
hwtimestamp eth0 minpoll -2 rxfilter all maxsamples 8 txcomp 1e-7
hwtimestamp eth1 nocrossts
hwtstimeout 0.1
keyfile /etc/chrony.keys
lock_all
pidfile /run/chronyd.pid
ptpport 319
ptpdomain 123
sched_priority 1
user chrony
nonsense 5
"""


def result(good, name, why=""):
    global failed, count
    count += 1
    failed += not good
    print("%s %d - %s" % ("ok" if good else "not ok", count, name))
    if not good:
        print("# " + str(why).replace("\n", "\n# "))


def run(*args):
    p = subprocess.run(args, capture_output=True, timeout=60, text=True)
    return p.returncode, p.stdout, p.stderr


def convert(text):
    """Returns exit code, the lines of directives, notes by (line, kind), the check's errors."""
    with open("chrony.conf", "w") as f:
        f.write(text)
    if os.path.exists("ntpk.conf"):
        os.unlink("ntpk.conf")
    code, out, err = run(NTPKCTL, "--json", "config", "import", "chrony.conf", "-o", "ntpk.conf")
    notes = {}
    for n in json.loads(out)["data"]["notes"]:
        notes.setdefault((n["line"], n["kind"]), []).append(n["text"])
    with open("ntpk.conf") as f:
        lines = [line.rstrip("\n") for line in f if line.strip() and not line.startswith("#")]
    check = run(NTPKD, "-t", "-f", "ntpk.conf")
    return code, lines, notes, err + (check[2] if check[0] else "")


def test_debian():
    code, lines, notes, err = convert(DEBIAN % {"dir": os.getcwd()})
    result(code == 0 and not err, "Debian's default is converted and accepted", (code, err, notes))
    result(lines == ["minsources 1", "pool 2.debian.pool.ntp.org iburst",
                     "sourcedir /run/chrony-dhcp", "sourcedir /etc/chrony/sources.d",
                     "keyfile /etc/chrony/chrony.keys", "driftfile /var/lib/ntpk/drift",
                     "logdir /var/log/ntpk", "rtcsync", "makestep 1 3", "leapsectz right/UTC",
                     "deny all"], "line by line, with the file of its confdir", lines)
    result(sorted(notes) == [(8, "changed"), (9, "not-needed"), (11, "changed"),
                             (12, "not-needed"), (15, "changed")], "and says what it changed", notes)


def at(text):
    """Number of the line of BIG that begins so."""
    found = [i + 1 for i, line in enumerate(BIG.split("\n")) if line.startswith(text)]
    return found[0]


def test_big():
    code, lines, notes, err = convert(BIG)
    result(code == 1 and not err, "every directive: lost lines are told, the rest accepted",
           (code, err))
    result(lines[:3] == ["server a.example minpoll 4 maxpoll 8 iburst burst key 5 maxdelay 0.1 "
                         "offset 0.01 offline prefer trust require xleave port 1123 presend 9 "
                         "version 3 ipv4", "server b.example noselect ipv6",
                         "pool d.example maxsources 2"], "options that ntpkd has stay", lines[:3])
    told = {line for line, kind in notes}
    result(len(notes[2, "lost"]) == 5 and len(notes[2, "not-needed"]) == 9,
           "each option that goes is named", notes.get((2, "lost")))
    result((3, "lost") in notes and not any("c.example" in line for line in lines),
           "a server does not become one without NTS", notes.get((3, "lost")))
    lost = ["peer", "refclock", "manual", "authselectmode", "leapsecmode", "allow host",
            "broadcast", "binddevice", "cmdallow", "hwtimestamp", "nonsense"]
    result(all((at(x), "lost") in notes for x in lost), "what is lost is called so",
           [x for x in lost if (at(x), "lost") not in notes])
    kept = ["local stratum 8 distance 0.5 orphan", "log measurements statistics tracking",
            "allow 6.7.8.9/22", "allow all 10/8", "deny all 172.16/12", "bindaddress ::1",
            "maxchange 1000 1 2", "logbanner 10", "hwtimestamp eth0 rxfilter all",
            "hwtimestamp eth1 nocrossts", "ratelimit interval 1 burst 16",
            "clientloglimit 1048576", "acquisitionport 1123"]
    result(all(x in lines for x in kept), "what ntpkd has is kept", [x for x in kept if x not in lines])
    silent = [i + 1 for i, line in enumerate(BIG.split("\n"))
              if line and line not in lines and i + 1 not in told]
    result(not silent, "no line goes in silence", silent)
    result("deny all" not in lines, "with an allow there is no deny all")


def test_rules():
    code, lines, notes, err = convert("port 1\nmakestep 1 1\nport 2\nMakeStep 2 2\n"
                                      "server a.example\nserver A.example\ndeny 1.2\n")
    result(lines == ["port 2", "MakeStep 2 2", "server a.example", "deny all"] and not err,
           "of two lines the last rules, as in chrony", lines)
    result(code == 1 and (6, "lost") in notes, "a server named twice is told", notes)
    code, out, err = run(NTPKCTL, "config", "import", "chrony.conf", "-o", "ntpk.conf")
    result(code == 1 and "File exists" in err, "a file is not overwritten", err)
    code, out, err = run(NTPKCTL, "config", "import", "missing.conf")
    result(code == 1 and "missing.conf: No such file" in err and not out, "a missing file is told", err)
    code, out, err = run(NTPKCTL, "config", "import", "chrony.conf")
    result("port 2\n" in out and "chrony.conf:1: not-needed: port: stands again in chrony.conf:3" in err,
           "without -o the result goes to stdout, the notes to stderr", out + err)
    with open("loop.conf", "w") as f:
        f.write("include %s/loop.conf\n" % os.getcwd())
    code, out, err = run(NTPKCTL, "config", "import", "loop.conf")
    result(code == 1 and "nested too deeply" in err, "a file that includes itself is refused", err)
    with open("bin.conf", "wb") as f:
        f.write(b"port 1\n\0\xff\n")
    code, out, err = run(NTPKCTL, "config", "import", "bin.conf")
    result(code == 1 and not out and err, "a binary file is refused", err)


def main():
    for program in NTPKD, NTPKCTL:
        if not os.access(program, os.X_OK):
            print("1..0 # SKIP no %s: build it with 'make tests'" % program)
            return 4
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        os.mkdir("conf.d")
        with open("conf.d/a.conf", "w") as f:
            f.write("minsources 1\n")
        test_debian()
        test_big()
        test_rules()
        os.chdir("/")
    print("1..%d" % count)
    return 1 if failed else 0


sys.exit(main())
