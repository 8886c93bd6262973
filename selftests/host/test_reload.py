#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""SIGHUP on a running ntpkd: what differs is done, an error changes nothing.

TAP on stdout; exit 0 passed, 1 failed, 4 skipped.  In a network namespace of
its own, with -x.
"""
import os
import signal
import tempfile

import test_daemon
from test_daemon import Daemon, check, enter_namespace, run_all, set_up_network, skip, wait_for

CONF = "kernel off\nport 0\nsavedir %(dir)s\nsourcedir %(dir)s/s\n"
d = None


def configure(text):
    with open("d1.conf", "w") as f:
        f.write(CONF % {"dir": os.getcwd()} + text)


def drop_in(name, text):
    with open("s/" + name, "w") as f:
        f.write(text)


def upstreams():
    return sorted(u["line"] for u in d.data("upstream-list")["upstreams"])


def reload():
    """Sends SIGHUP; returns what the daemon said about it."""
    before = len(d.text())
    d.proc.send_signal(signal.SIGHUP)

    def said():
        text = d.text()[before:]
        return text if "read anew" in text or "nothing was changed" in text else None
    text = wait_for("the end of the reload", said)
    d.check_alive()
    # one more round of the loop: all lines are written then
    d.data("version")
    return d.text()[before:]


def answers():
    try:
        return d.data("version")
    except OSError:
        return d.check_alive()


def test_upstreams():
    wait_for("control socket", answers)
    check(upstreams() == ["server 127.0.0.1 port 7", "server 127.0.0.2 port 7"], upstreams())
    configure("server 127.0.0.1 port 7\nserver 127.0.0.2 port 7 iburst\nserver 127.0.0.3 port 7\n")
    said = reload()
    check("1 upstreams added, 0 removed, 1 changed" in said, said)
    check("127.0.0.1" not in said.split("read anew")[0], "the unchanged one was touched: " + said)
    check(upstreams() == ["server 127.0.0.1 port 7", "server 127.0.0.2 port 7 iburst",
                          "server 127.0.0.3 port 7"], upstreams())
    configure("server 127.0.0.1 port 7\n")
    said = reload()
    check("0 upstreams added, 2 removed, 0 changed" in said, said)


def test_error():
    configure("server 127.0.0.9\nmakestep 1\nport 5\nuser ../x\n")
    said = reload()
    check("d1.conf:6:11: makestep's limit" in said, said)
    check("d1.conf:7:1: port stands in line 2 already" in said, said)
    check("nothing was changed" in said and "read anew" not in said, said)
    check(upstreams() == ["server 127.0.0.1 port 7"], upstreams())


def test_settings():
    configure("server 127.0.0.1 port 7\nmakestep 0.5 -1\nmaxdistance 2\nuser root\n")
    said = reload()
    check("changed: maxdistance, makestep" in said, said)
    check("after a restart only: user" in said, said)
    # what waits for a restart is named again, what is done is not
    said = reload()
    check("changed: maxdistance" not in said and "after a restart only: user" in said, said)


def test_drop_ins():
    configure("server 127.0.0.1 port 7\n")
    drop_in("a.sources", "server 127.0.1.1 port 7\nport 7\n")
    drop_in("b.sources", "server 127.0.1.2 port 7\n")
    said = reload()
    check("a.sources:2:1: port: a drop-in of sourcedir may only hold" in said, said)
    check("2 upstreams added" in said, said)
    os.unlink("s/a.sources")
    said = reload()
    check("1 removed" in said and "127.0.1.1" in said, said)


def test_runtime():
    answer = d.ask("upstream-add", line="server 127.0.2.1 port 7")
    check(answer["ok"], answer)
    said = reload()
    check("0 upstreams added, 0 removed, 0 changed" in said, said)
    check("server 127.0.2.1 port 7" in upstreams(), "one that was added by hand is gone")
    with open("runtime.conf", "w") as f:
        f.write("server 127.0.2.1 port 7\nremoved 127.0.0.1\n")
    said = reload()
    check("0 upstreams added, 1 removed, 0 changed" in said, said)
    check(upstreams() == ["server 127.0.1.2 port 7", "server 127.0.2.1 port 7"], upstreams())
    check(not any(u["runtime"] for u in d.data("upstream-list")["upstreams"]), "not saved")


def done(cmd, **args):
    answer = d.ask(cmd, **args)
    check(answer["ok"], answer)
    return answer["data"]


def refused(words, cmd, **args):
    before = open("runtime.conf").read()
    answer = d.ask(cmd, **args)
    check(not answer["ok"] and words in answer["error"]["text"], answer)
    check(open("runtime.conf").read() == before, "runtime.conf has changed")


def test_set():
    configure("maxdistance 2\n")
    reload()
    check(done("set", line="maxdistance 1.5") ==
          {"line": "maxdistance 1.5", "settings": ["maxdistance"], "saved": False}, "set")
    check(done("set", line="maxdistance 1.5")["settings"] == [], "set again")
    check("changed: maxdistance" in reload(), "what is not saved ends with a reload")
    check(done("set", line="MaxDistance 1.5", save=True)["saved"], "saved")
    check(done("set", line="maxdistance 1.25", save=True)["settings"] == ["maxdistance"], "anew")
    check(open("runtime.conf").read().endswith("removed 127.0.0.1\nmaxdistance 1.25\n"),
          open("runtime.conf").read())
    check("changed:" not in reload(), "what is saved stays")
    check(done("set", line="ratelimit kod 2")["settings"] == ["ratelimit"], "ratelimit")
    refused("set:11: makestep's limit", "set", line="makestep 1")
    refused("set:13: maxdistance: 17 seconds is out", "set", line="maxdistance 17", save=True)
    refused("belongs into the configuration file", "set", line="keyfile /etc/shadow", save=True)
    refused("use ntpkctl upstream add", "set", line="server 127.0.0.3", save=True)
    refused("did you mean 'maxdistance'", "set", line="maxdistnace 1")
    refused("one line", "set", line="allow\nuser root", save=True)
    refused("listen all: ", "set", line="listen all", save=True)
    refused("none is saved", "unset", name="makestep")
    refused("no setting that can be saved", "unset", name="pool")
    refused("needs a `keyfile PATH`", "set", line="requirekey on", save=True)
    refused("needs a `keyfile PATH`", "set", line="listen all port 1 requirekey on", save=True)
    refused("one line", "set", line="# nothing", save=True)
    check(done("set", line="allow 192.0.2.0/24")["settings"] == ["allow"], "allow")
    for _ in range(3):
        done("set", line="deny 192.0.2.0/24")
    check(done("set", line="local stratum 5 distance 0.25")["settings"] == ["local"], "local")
    check(done("set", line="local stratum 5")["settings"] == ["local"], "local, by default")
    # one row, and nothing else of what is set, or of what the file says by now
    configure("maxdistance 2\nmaxjitter 0.75\n")
    check(done("unset", name="MaxDistance") == {"settings": ["maxdistance"]}, "unset")
    check("maxdistance" not in open("runtime.conf").read(), "not in the file")
    said = reload()
    check("changed: maxjitter, allow, local, ratelimit" in said, said)


def test_clash():
    """What waits for a restart, and what would only go with it."""
    done("set", line="listen all port 11123")
    done("set", line="listen all port 11124", save=True)
    configure("listen all port 11123\n")
    said = reload()
    check("changed: maxdistance, maxjitter\n" in said, said)
    # the file's own port is now the saved one: that is said, and left out
    with open("d1.conf") as f:
        text = f.read()
    with open("d1.conf", "w") as f:
        f.write(text.replace("port 0\n", "port 11124\n"))
    said = reload()
    check("runtime.conf:" in said and "there is another for that place" in said, said)
    check("after a restart only: port" in said, said)
    # with port 0 for so long, this one needs a port of its own
    with open("d1.conf", "w") as f:
        f.write(text.replace("port 0\n", "port 11125\n").replace("listen all port 11123", "listen ::1"))
    said = reload()
    check("after a restart only: port, listen" in said and "changed: listen" not in said, said)
    check(done("set", line="maxjitter 0.5")["settings"] == ["maxjitter"], "set goes on working")
    # and with the places that stay goes who may ask there
    with open("d1.conf", "w") as f:
        f.write(text + "allow 10\n")
    reload()
    with open("d1.conf", "w") as f:
        f.write(text.replace("port 0\n", "port 11125\n").replace("listen all port 11123",
                                                                 "listen ::1 acl a") +
                "allow 10 acl a\n")
    said = reload()
    check("after a restart only: allow, port, listen" in said and "changed: allow" not in said, said)
    check(done("acl-check", address="10.0.0.1")["rule"] == "allow 10.0.0.0/8", "allow waits")
    check(not done("acl-check", address="11.0.0.1")["allowed"], "nobody else may ask")
    with open("d1.conf", "w") as f:
        f.write(text)
    reload()
    done("unset", name="listen")


TESTS = [
    (test_upstreams, "upstreams come, go and change; the others go on"),
    (test_error, "an error is told with its place and changes nothing"),
    (test_settings, "settings change, those that need a restart are named"),
    (test_drop_ins, "drop-ins of sourcedir come and go"),
    (test_runtime, "what ntpkctl added stays, what it saved counts"),
    (test_set, "settings are set, saved and unset; errors change nothing"),
    (test_clash, "what waits for a restart takes nothing else with it"),
]


def main():
    global d
    if not os.access(test_daemon.NTPKD, os.X_OK):
        skip(test_daemon.NTPKD + " is not built")
    enter_namespace(__file__)
    set_up_network()
    print("TAP version 13\n1..%d" % (len(TESTS) + 1))
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        os.mkdir("s")
        d = Daemon(CONF.replace("kernel off\n", "") % {"dir": folder} +
                   "server 127.0.0.1 port 7\nserver 127.0.0.2 port 7\n")
        run_all(TESTS, d)


if __name__ == "__main__":
    main()
