#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""ntpkd as a guest of its host: user, capabilities, system call filter, saved
time, logs, metrics, service manager, full disk.

TAP on stdout; exit 0 passed, 1 failed, 4 skipped.  Wants real root (it changes
the user to nobody), a network and a mount namespace of its own.  Never touches
the clock: every ntpkd runs with -x.  NTPKD names the program (default: the one
that is installed, so that the filter is met as it will be).
"""
import json
import os
import pwd
import re
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
NTPKD = os.environ.get("NTPKD", os.path.join(TOP, "build/user/bin/ntpkd"))
USER = "nobody"
PORT = 11251
CAP_NET_BIND_SERVICE, CAP_NET_ADMIN = 10, 12


class Failed(Exception):
    pass


def check(condition, text):
    if not condition:
        raise Failed(text)


def wait_for(what, condition, seconds=40):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.1)
    raise Failed("waited %d s in vain for: %s" % (seconds, what))


class Daemon:
    count = 0
    all = []

    def __init__(self, conf, *args, env=None):
        Daemon.count += 1
        Daemon.all.append(self)
        self.dir = os.path.abspath("d%d" % Daemon.count)
        os.makedirs(self.dir, 0o755, exist_ok=True)
        os.chmod(self.dir, 0o755)
        self.log = self.dir + "/log"
        with open(self.dir + "/conf", "w") as f:
            f.write(conf.replace("@", self.dir))
        with open(self.log, "w") as log:
            self.proc = subprocess.Popen(
                [NTPKD, "-x", "-d", "-L", "debug", "-f", self.dir + "/conf", "-s",
                 self.dir + "/sock", *args], stdout=log, stderr=log,
                env=dict(os.environ, **(env or {})))

    def text(self):
        with open(self.log) as f:
            return f.read()

    def path(self, name):
        return os.path.join(self.dir, name)

    def says(self, words, seconds=40):
        def look():
            check(self.proc.poll() is None, "ntpkd ended: " + self.text())
            return words in self.text()
        wait_for("ntpkd saying: " + words, look, seconds)

    def status(self, thread=None):
        with open("/proc/%d/task/%d/status" % (self.proc.pid, thread or self.proc.pid)) as f:
            return dict(re.findall(r"^(\w+):[ \t]*(.*)$", f.read(), re.M))

    def stop(self, expect=0):
        check(self.proc.poll() is None, "ntpkd ended: " + self.text())
        self.proc.send_signal(signal.SIGTERM)
        status = self.proc.wait(20)
        check(status == expect, "exit status %d: %s" % (status, self.text()))

    def kill(self):
        if self.proc.poll() is None:
            self.proc.kill()
            self.proc.wait()


def client(conf="", *args, env=None, savedir="@/state"):
    return Daemon("kernel off\nport 0\nsavedir " + savedir + "\nserver 127.0.0.1 port %d iburst minpoll 0 "
                  "maxpoll 1\n%s" % (PORT, conf), *args, env=env)


def updates(d):
    """How many lines tracking.log would have."""
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(20)
        s.connect(d.path("sock"))
        s.sendall(b'{"cmd":"status"}\n')
        return json.loads(s.makefile().readline())["data"]["updates"]


def fill(path):
    with open(path, "wb", buffering=0) as f:
        try:
            while f.write(b"x" * 4096):
                pass
        except OSError:
            pass


def owner_and_mode(path):
    st = os.stat(path)
    return pwd.getpwuid(st.st_uid).pw_name, stat.S_IMODE(st.st_mode)


def test_user():
    d = client("user %s\ndriftfile @/state/drift\n" % USER)
    d.says("synchronised to")
    uid, s = pwd.getpwnam(USER).pw_uid, d.status()
    check(s["Uid"].split() == [str(uid)] * 4, s["Uid"])
    check(not s["Groups"].strip(), s["Groups"])
    caps = 1 << CAP_NET_ADMIN | 1 << CAP_NET_BIND_SERVICE
    check(int(s["CapEff"], 16) == int(s["CapPrm"], 16) == caps, s["CapEff"])
    check(int(s["CapBnd"], 16) & ~caps == 0 and int(s["CapInh"], 16) == 0, s["CapBnd"])
    wait_for("saved time", lambda: os.path.exists(d.path("state/time")))
    check(owner_and_mode(d.path("state")) == (USER, 0o750), owner_and_mode(d.path("state")))
    check(owner_and_mode(d.path("state/time")) == (USER, 0o640), "saved time's mode")
    with open(d.path("state/time")) as f:
        age = time.time() - int(f.read())
    check(0 <= age < 60, "saved time is %f s old" % age)
    d.stop()
    check(owner_and_mode(d.path("state/drift")) == (USER, 0o640), "drift file's mode")


def test_unknown_user():
    d = Daemon("kernel off\nport 0\nsavedir @/state\nuser nobody-knows\nlocal\n")
    check(d.proc.wait(20) == 1 and "there is no such user" in d.text(), d.text())


def test_filter():
    d = client("server name.invalid\nuser %s\n" % USER)
    d.says("synchronised to")
    for thread in os.listdir("/proc/%d/task" % d.proc.pid):
        try:
            s = d.status(int(thread))
        except FileNotFoundError:
            continue
        check(s["Seccomp"] == "2" and s["NoNewPrivs"] == "1", s)
    d.stop()
    d = client("", "-F", "0")
    d.says("synchronised to")
    check(d.status()["Seccomp"] == "0", d.status()["Seccomp"])
    d.stop()


def columns(path):
    if not os.path.exists(path):
        return []
    with open(path) as f:
        return [line.split() for line in f if re.match(r"\d{4}-\d\d-\d\d ", line)]


def test_logs():
    d = client("user %s\nlog measurements statistics tracking\nlogdir @/logs\n" % USER)
    for name, width in (("measurements", 20), ("statistics", 13), ("tracking", 14)):
        path = d.path("logs/%s.log" % name)
        lines = wait_for("a line in %s.log" % name, lambda p=path: columns(p))
        check(all(len(line) == width and line[2] == "127.0.0.1" for line in lines), lines)
        check(owner_and_mode(path) == (USER, 0o640), owner_and_mode(path))
        os.rename(path, path + ".1")
    d.proc.send_signal(signal.SIGUSR1)
    d.says("opened anew")
    wait_for("new files", lambda: all(columns(d.path("logs/%s.log" % n)) for n in
                                      ("measurements", "tracking")))
    d.stop()


def test_metrics():
    d = client("user %s\nmetricsfile @/state/ntpk.prom\n" % USER)
    path = d.path("state/ntpk.prom")
    wait_for("metrics", lambda: os.path.exists(path))
    with open(path) as f:
        text = f.read()
    check("# TYPE ntpk" in text and text.endswith("\n"), text[:500])
    check(owner_and_mode(path) == (USER, 0o644), owner_and_mode(path))
    d.stop()


def test_notify():
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.settimeout(40)
        s.bind("\0ntpk-guest-%d" % os.getpid())
        d = client("user %s\n" % USER,
                   env={"NOTIFY_SOCKET": "@ntpk-guest-%d" % os.getpid(), "WATCHDOG_USEC": "4000000"})
        got = []
        while not ("READY=1" in got and "WATCHDOG=1" in got and
                   any(g.startswith("STATUS=synchronised to 127.0.0.1, stratum 4") for g in got)):
            got.append(s.recv(4096).decode())
        check(got[0] == "READY=1", got)
        d.stop()
        while "STOPPING=1" not in got:
            got.append(s.recv(4096).decode())


def test_journal():
    with open("journal", "w") as f:
        st = os.fstat(f.fileno())
        with open("j.conf", "w") as conf:
            conf.write("kernel off\nport 0\nsavedir %s/j\nlocal\n" % os.getcwd())
        proc = subprocess.Popen([NTPKD, "-x", "-d", "-f", "j.conf", "-s", "none"], stderr=f,
                                env=dict(os.environ, JOURNAL_STREAM="%d:%d" % (st.st_dev, st.st_ino)))
        wait_for("a message", lambda: os.path.getsize("journal") > 0)
        proc.terminate()
        proc.wait(20)
    with open("journal") as f:
        lines = f.read().splitlines()
    check(lines and all(re.match(r"<[3-7]>\w", line) for line in lines), lines)


def test_full_disk():
    full = os.path.abspath("full")
    os.mkdir(full)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=0777", "none", full], check=True)
    try:
        with open(full + "/time", "w") as f:
            f.write("1780000000\n")
        fill(full + "/fill")
        d = client("log tracking\nlogdir %s\n" % full, savedir=full)
        text = d.text
        d.says("saved time in %s: the disk is full" % full)
        with open(full + "/time") as f:
            check(f.read() == "1780000000\n", "the saved time was destroyed")
        check(not os.path.exists(full + "/time.new"), "time.new was left")
        d.says("log %s/tracking.log: the disk is full" % full)
        # it works on, line after line that cannot be written
        had = updates(d)
        wait_for("more updates", lambda: updates(d) > had + 3)
        check(text().count("tracking.log: the disk is full") == 1, text())
        os.unlink(full + "/fill")
        wait_for("the log going on", lambda: columns(full + "/tracking.log"))
        d.stop()
        with open(full + "/time") as f:
            check(int(f.read()) > 1780000000, "no saved time at the end")
    finally:
        subprocess.run(["umount", "-l", full], check=False)


def test_reload():
    """What is refused at start is refused when root has become another user."""
    group = pwd.getpwnam(USER).pw_gid
    conf = "user %s\nsourcedir @/src\nsourcedir @/dir\n" % USER
    os.mkdir("d%d" % (Daemon.count + 1), 0o755)
    for folder, mode in (("src", 0o755), ("dir", 0o775)):
        path = "d%d/%s" % (Daemon.count + 1, folder)
        os.mkdir(path)
        with open(path + "/x.sources", "w") as f:
            f.write("server 127.0.0.2 trust\n")
        os.chown(path + "/x.sources" if folder == "src" else path, 0, group)
        os.chmod(path, mode)
    os.chmod("d%d/src/x.sources" % (Daemon.count + 1), 0o664)
    d = client(conf)
    d.says("synchronised to")
    check(d.text().count("left out: may be written by others") == 2, d.text())
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(20)
        s.connect(d.path("sock"))
        s.sendall(b'{"cmd":"reload","sources":true}\n')
        answer = json.loads(s.makefile().readline())
    check(answer["data"]["skipped"] == 2 and answer["data"]["added"] == 0, answer)
    d.stop()


def test_link():
    """Whoever writes the folder does not choose what root opens."""
    os.mkdir("d%d" % (Daemon.count + 1), 0o755)
    for name, target in (("drift", "/dev/zero"), ("time", "/etc/passwd")):
        os.symlink(target, "d%d/%s" % (Daemon.count + 1, name))
    d = client("user %s\ndriftfile @/drift\n" % USER, savedir="@")
    d.says("synchronised to")
    for name in ("drift", "time"):
        check(re.search(r"/%s\b.*Too many levels of symbolic links" % name, d.text()), (name, d.text()))
    d.stop()


TESTS = [
    (test_reload, "what others may write is left out, after the user was changed as well"),
    (test_link, "no link is followed that the user may have made"),
    (test_user, "becomes the user, keeps two capabilities, owns its files"),
    (test_unknown_user, "an unknown user is refused"),
    (test_filter, "system call filter in all threads, -F 0 without"),
    (test_logs, "logs in chrony's columns, anew on SIGUSR1"),
    (test_metrics, "metrics file for node_exporter"),
    (test_notify, "the service manager is told"),
    (test_journal, "the journal gets levels"),
    (test_full_disk, "a full disk is said once and destroys nothing"),
]


def skip(why):
    print("1..0 # SKIP " + why)
    sys.exit(4)


def enter_namespace():
    if os.environ.get("NTPK_IN_GUEST"):
        return
    if os.geteuid():
        skip("needs root, to become another user")
    probe = subprocess.run(["unshare", "-nm", "true"], capture_output=True, text=True)
    if probe.returncode:
        skip("no namespaces: " + probe.stderr.strip())
    os.environ["NTPK_IN_GUEST"] = "1"
    os.umask(0o022)	# ntpkd reads nothing that a group may write
    os.execvp("unshare", ["unshare", "-nm", sys.executable, os.path.abspath(__file__)])


def run(number, test, text):
    try:
        test()
        print("ok %d - %s" % (number, text))
        return True
    except (Failed, OSError, KeyError, subprocess.SubprocessError) as e:
        print("not ok %d - %s\n# %s" % (number, text, str(e).replace("\n", "\n# ")))
        return False
    finally:
        sys.stdout.flush()


def main():
    if not os.access(NTPKD, os.X_OK):
        skip(NTPKD + " is not built")
    enter_namespace()
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    print("TAP version 13\n1..%d" % len(TESTS))
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        os.chdir(folder)
        Daemon("kernel off\nsavedir @/state\nlocal stratum 3\nport %d\n" % PORT)
        passed = [run(i + 1, *test) for i, test in enumerate(TESTS)]
        for daemon in Daemon.all:
            daemon.kill()
        os.chdir("/")
    sys.exit(0 if all(passed) else 1)


if __name__ == "__main__":
    main()
