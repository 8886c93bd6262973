#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""ntpkd itself, without the module, in a network namespace of its own.

TAP on stdout; exit 0 passed, 1 failed, 4 skipped.  Never touches the clock:
every ntpkd runs with -x.  NTPKD names the program (default: the one built with
the sanitizers, whose findings make it exit non-zero and so fail here).
"""
import json
import os
import random
import re
import signal
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
NTPKD = os.environ.get("NTPKD", os.path.join(TOP, "build/san/ntpkd"))
PORT_A, PORT_B, PORT_C = 11231, 11232, 11233
UNIX_1900_S = 2208988800
T1 = bytes.fromhex("0123456789abcdef")

results = []


class Failed(Exception):
    pass


def check(condition, text):
    if not condition:
        raise Failed(text)


def wait_for(what, condition, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise Failed("waited %d s in vain for: %s" % (seconds, what))


class Daemon:
    """One ntpkd -d with its messages in a file."""

    count = 0
    all = []

    def __init__(self, conf, *args, socket_on=True):
        Daemon.count += 1
        Daemon.all.append(self)
        base = "d%d" % Daemon.count
        self.log, self.conf = base + ".log", base + ".conf"
        self.sock = os.path.abspath(base + ".sock") if socket_on else None
        with open(base + ".conf", "w") as f:
            # behind the rest, whose line numbers the tests know
            state = "" if "savedir" in conf else "savedir " + os.path.abspath(base + ".state")
            f.write("kernel off\n%s\n%s\n" % (conf, state))
        with open(self.log, "w") as log:
            self.proc = subprocess.Popen(
                [NTPKD, "-x", "-d", "-L", "debug", "-f", base + ".conf",
                 "-s", self.sock or "none", *args], stdout=log, stderr=log)

    def text(self):
        with open(self.log) as f:
            return f.read()

    def ask(self, cmd, **args):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(5)
            s.connect(self.sock)
            with s.makefile("rw") as f:
                f.write(json.dumps({"cmd": cmd, **args}) + "\n")
                f.flush()
                return json.loads(f.readline())

    def listens(self):
        """There is a moment between bind() and listen()."""
        with socket.socket(socket.AF_UNIX) as s:
            try:
                s.connect(self.sock)
            except (FileNotFoundError, ConnectionRefusedError):
                return False
        return True

    def data(self, cmd):
        wait_for("control socket", lambda: self.listens() or self.check_alive())
        answer = self.ask(cmd)
        check(answer["ok"], answer)
        return answer["data"]

    def check_alive(self):
        check(self.proc.poll() is None, "ntpkd ended: " + self.text())

    def synchronised(self):
        return wait_for("synchronisation", lambda: self.data("status")["state"] == "synchronised")

    def stop(self):
        self.check_alive()
        self.proc.send_signal(signal.SIGTERM)
        status = self.proc.wait(20)
        check(status == 0, "exit status %d: %s" % (status, self.text()))


def query(port, addr="127.0.0.1", lvm=0x23, timeout=0.5, extra=b"", bind_port=0):
    family = socket.AF_INET6 if ":" in addr else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as s:
        s.settimeout(timeout)
        if bind_port:
            s.bind(("", bind_port))
        target = socket.getaddrinfo(addr, port, family, socket.SOCK_DGRAM)[0][4]
        s.sendto(bytes([lvm, 0, 6]) + bytes(37) + T1 + extra, target)
        try:
            reply, source = s.recvfrom(2048)
        except (socket.timeout, ConnectionRefusedError):
            return None
    check(source[:2] == target[:2], "answer from %s, not from %s" % (source, target))
    check(source[3:] == target[3:], "answer through another interface")
    return reply


def fields(reply):
    check(len(reply) == 48, "reply of %d bytes" % len(reply))
    names = "lvm stratum poll precision delay disp refid ref org rec xmt".split()
    return dict(zip(names, struct.unpack("!BBbbII4s8s8sQQ", reply)))


def unix_s(ntp64):
    return ntp64 / 2**32 - UNIX_1900_S


def check_reply(reply, stratum, version=4):
    f = fields(reply)
    check(f["lvm"] == version << 3 | 4, "leap, version, mode %#x" % f["lvm"])
    check(f["stratum"] == stratum, "stratum %d" % f["stratum"])
    check(f["poll"] == 6 and f["org"] == T1, "poll and T1 are echoed bit for bit")
    check(f["rec"] <= f["xmt"], "T3 before T2")
    check(abs(unix_s(f["xmt"]) - time.time()) < 0.5, "time is wrong by %f s" %
          (unix_s(f["xmt"]) - time.time()))
    check(f["disp"] / 65536 < 1, "root dispersion %f s" % (f["disp"] / 65536))


def run_ntpkd(*args):
    return subprocess.run([NTPKD, *args], capture_output=True, text=True, timeout=20)


def test_options():
    check(re.match(r"ntpkd \d+\.\d+", run_ntpkd("-v").stdout), "-v")
    check("usage: ntpkd" in run_ntpkd("-h").stdout, "-h")
    for args, words in ((["-q"], "-q"), (["-f"], "-f"), (["-L", "loud"], "debug"),
                        (["-x", "more"], "more")):
        r = run_ntpkd(*args)
        check(r.returncode == 2 and words in r.stderr and not r.stdout, (args, r))


def test_check_conf():
    with open("good.conf", "w") as f:
        f.write("server 192.0.2.1 iburst\nlocal stratum 10\n")
    r = run_ntpkd("-t", "-f", "good.conf")
    check(r.returncode == 0 and not r.stderr, r)
    with open("bad.conf", "w") as f:
        f.write("server 192.0.2.1\n\nlocal stratum 99\nnonsense\n")
    r = run_ntpkd("-t", "-f", "bad.conf")
    lines = r.stderr.splitlines()
    check(r.returncode == 1 and len(lines) == 2, r)
    check(re.match(r"bad\.conf:3:\d+: ", lines[0]) and lines[1].startswith("bad.conf:4:1: "), r)
    r = run_ntpkd("-t", "-f", "absent.conf")
    check(r.returncode == 1 and "absent.conf" in r.stderr, r)


def test_local():
    wait_for("answer by local stratum", lambda: query(PORT_A))
    check_reply(query(PORT_A), 3)


def test_synchronise():
    b.synchronised()
    status = b.data("status")
    check(status["stratum"] == 4 and status["reference"] == "127.0.0.1", status)
    check(status["refid"] == "7f000001", status)
    check(abs(status["clock_offset_ns"]) < 50e6, status)
    check(status["clock_control"] is False and status["serving"] == "userspace", status)
    source = b.data("sources")["sources"][0]
    check(source["state"] == "syspeer" and source["port"] == PORT_A, source)
    check(source["received_pkts"] > 0 and 0 < source["delay_ns"] < 500e6, source)


def test_answers():
    for version in 1, 2, 3, 4:
        check_reply(query(PORT_B, lvm=version << 3 | 3), 4, version)
        check_reply(query(PORT_B, "::1", lvm=version << 3 | 3), 4, version)
    check_reply(query(PORT_B, lvm=0x08), 4, 1)
    check_reply(query(PORT_B, extra=bytes(50)), 4)
    # 20 bytes are a MAC, of a key that is not there
    check(query(PORT_B, extra=bytes(20)) is None, "answered what is signed by key 0")


def test_addresses():
    check_reply(query(PORT_B, "127.0.0.77"), 4)
    check_reply(query(PORT_B, "10.99.0.2"), 4)
    check_reply(query(PORT_B, "fe80::99%lo"), 4)


BAD = ([(b"", "bad_length"), (b"\x23", "bad_length"), (b"\x23" + bytes(46), "bad_length")] +
       [(bytes([4 << 3 | mode]) + bytes(47), "mode") for mode in (0, 2, 4, 5, 6, 7)] +
       [(bytes([version << 3 | 3]) + bytes(47), "version") for version in (0, 5, 6, 7)])


def test_bad_packets():
    before = b.data("status")["responder"]
    wanted = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(("127.0.0.1", PORT_B))
        s.settimeout(0.3)
        for data, reason in BAD:
            s.send(data)
            wanted[reason] = wanted.get(reason, 0) + 1
            try:
                raise Failed("%r was answered by %r" % (data, s.recv(2048)))
            except socket.timeout:
                pass
    after = b.data("status")["responder"]
    for reason, n in wanted.items():
        check(after.get(reason, 0) - before.get(reason, 0) == n, (reason, n, before, after))
    check_reply(query(PORT_B), 4)


def test_noise():
    rng = random.Random(1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for _ in range(5000):
            s.sendto(rng.randbytes(rng.randrange(200)), ("127.0.0.1", PORT_B))
            s.sendto(bytes([0x23]) + bytes(47), ("127.0.0.1", PORT_B))
    check(b.ask("status")["ok"], "control socket answers under a flood")
    wait_for("answer after the flood", lambda: query(PORT_B), 10)
    check(b.data("status")["state"] == "synchronised", "still synchronised")


def test_port_taken():
    c = Daemon("port %d\n" % PORT_A)
    check(c.proc.wait(20) == 1, "exit status")
    check("UDP port %d is taken by" % PORT_A in c.text(), c.text())
    check("(pid %d)" % a.proc.pid in c.text() and "port 0" in c.text(), c.text())


def test_socket_taken():
    c = Daemon("port 0\n", "-s", b.sock)
    check(c.proc.wait(20) == 1 and "another ntpkd is running" in c.text(), c.text())
    check(b.ask("version")["ok"], "the first one still has its socket")


def cpu_s(pid):
    with open("/proc/%d/stat" % pid) as f:
        words = f.read().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def test_refused():
    """Each request is answered by ICMP: that must not make the loop spin."""
    c = Daemon("server 127.0.0.1 port 9 iburst minpoll 2\nport 0\n")
    wait_for("requests", lambda: c.data("sources")["sources"][0]["sent_pkts"] >= 2)
    cpu, start = cpu_s(c.proc.pid), time.monotonic()
    wait_for("more requests", lambda: c.data("sources")["sources"][0]["sent_pkts"] >= 4)
    used = (cpu_s(c.proc.pid) - cpu) / (time.monotonic() - start)
    check(used < 0.5, "%.0f %% CPU" % (used * 100))
    source = c.data("sources")["sources"][0]
    check(source["received_pkts"] == 0 and source["offset_ns"] is None, source)
    c.stop()


def test_runtime_upstreams():
    c = Daemon("port %d\nneversynced silent\n" % PORT_C)
    check(c.data("status")["state"] == "unsynchronised", "no source, not synchronised")
    check(query(PORT_C) is None, "silent before the first synchronisation")
    line = "server 127.0.0.1 port %d iburst minpoll 2" % PORT_A
    check(c.ask("upstream-add", line=line)["ok"], "add")
    check(c.ask("upstream-add", line=line)["error"]["code"] == "exists", "twice")
    bad = c.ask("upstream-add", line="server 127.0.0.1 minpoll 99")
    check(bad["error"]["code"] == "invalid", bad)
    check(re.match(r"upstream add:\d+: .*minpoll", bad["error"]["text"]), bad)
    c.synchronised()
    check_reply(query(PORT_C), 4)
    listed = c.data("upstream-list")["upstreams"]
    check(listed[0]["runtime"] and listed[0]["addresses"] == ["127.0.0.1"], listed)
    check(c.ask("upstream-del", name="192.0.2.9")["error"]["code"] == "not-found", "unknown")
    check(c.ask("upstream-del", name="127.0.0.1")["data"]["removed"] == 1, "del")
    check(c.data("sources")["sources"] == [], "none is left")
    wait_for("holdover", lambda: c.data("status")["state"] == "holdover", 10)
    check_reply(query(PORT_C), 4)
    c.stop()


def test_names():
    c = Daemon("server localhost port %d iburst minpoll 2\n"
               "server no-such-host.invalid\nport 0\n" % PORT_A)
    c.synchronised()
    check(re.match(r"localhost \(", c.data("status")["reference"]), c.data("status"))
    broken = c.data("upstream-list")["upstreams"][1]
    wait_for("error of the unknown name",
             lambda: c.data("upstream-list")["upstreams"][1]["resolve_error"])
    check(broken["sources"] == 0, broken)
    c.stop()


def test_bare():
    """Nothing to poll but UDP sockets and timers; one thread."""
    c = Daemon("server 127.0.0.1 port %d iburst minpoll 2\nport %d\n" % (PORT_A, PORT_C),
               socket_on=False)
    wait_for("answer", lambda: query(PORT_C, timeout=0.1))
    check(len(os.listdir("/proc/%d/task" % c.proc.pid)) == 1, "threads")
    folder = "/proc/%d/fd" % c.proc.pid
    kinds = [os.readlink(os.path.join(folder, fd)) for fd in os.listdir(folder)]
    check(not [k for k in kinds if "anon_inode" in k], kinds)
    check_reply(query(PORT_C), 4)
    c.stop()


def udp_sockets(pid):
    """How many a process has."""
    inodes = set()
    for name in ("udp", "udp6"):
        with open("/proc/%d/net/%s" % (pid, name)) as f:
            inodes |= {line.split()[9] for line in f.readlines()[1:]}
    folder = "/proc/%d/fd" % pid
    links = [os.readlink(os.path.join(folder, fd)) for fd in os.listdir(folder)]
    return sum(link[8:-1] in inodes for link in links if link.startswith("socket:["))


def test_most_sockets():
    """Each holds so much for who asks and is not heard: their number bounds that."""
    lines = ["port %d" % PORT_C] + ["listen all port %d" % (PORT_C + i) for i in range(1, 16)]
    c = Daemon("local stratum 5\n" + "\n".join(lines[:-1]))
    wait_for("answer", lambda: query(PORT_C + 14, timeout=0.1))
    check(udp_sockets(c.proc.pid) == 30, "%d sockets" % udp_sockets(c.proc.pid))
    c.stop()
    with open("many.conf", "w") as f:
        f.write("\n".join(lines) + "\n")
    r = run_ntpkd("-t", "-f", "many.conf")
    check(r.returncode == 1 and "more than 14 lines of listen" in r.stderr, r)


def test_drift_written():
    path = os.path.abspath("drift")
    c = Daemon("server 127.0.0.1 port %d iburst minpoll 2\nport 0\ndriftfile %s\n" %
               (PORT_A, path))
    c.synchronised()
    wait_for("an update", lambda: c.data("status")["updates"])
    c.stop()
    with open(path) as f:
        text = f.read()
    check(re.fullmatch(r" *-?\d+\.\d{6} +\d+\.\d{6}\n", text), repr(text))
    check(stat.S_IMODE(os.stat(path).st_mode) == 0o640, "mode")
    check(not [n for n in os.listdir(".") if n.startswith("drift.")], os.listdir("."))


def test_drift_read():
    path = os.path.abspath("drift-in")
    for text, words in (("-12.500000 0.250000\n", "frequency +12.500 +- 0.250 ppm"),
                        ("garbage\n", "is ignored: not two numbers"),
                        ("12.5 0.\0\n", "is ignored: not text"),
                        ("12.5 0.1", "is ignored: truncated"),
                        ("", "is ignored: empty"),
                        ("nan 0.1\n", "is ignored: frequency"),
                        ("600000 0.1\n", "is ignored: frequency"),
                        ("1.0 -3\n", "is ignored: skew")):
        with open(path, "w") as f:
            f.write(text)
        c = Daemon("port 0\nlocal stratum 5\ndriftfile %s\n" % path)
        c.data("status")
        check(path in c.text() and words in c.text(), (text, c.text()))
        c.stop()


def test_background():
    with open("bg.conf", "w") as f:
        f.write("kernel off\nsavedir %s\nport %d\nlocal stratum 6\n" % (os.getcwd(), PORT_C))
    path = os.path.abspath("bg.sock")
    r = run_ntpkd("-x", "-f", os.path.abspath("bg.conf"), "-s", path)
    check(r.returncode == 0, r)
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(path)
        pid = struct.unpack("iii", s.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
    wait_for("answer", lambda: query(PORT_C))
    os.kill(pid, signal.SIGTERM)
    wait_for("end", lambda: not os.path.exists(path))
    r = run_ntpkd("-x", "-f", os.path.abspath("bg.conf"), "-s", "/proc/none/sock")
    check(r.returncode == 1 and "/proc/none/sock" in r.stderr, r)


TESTS = [
    (test_options, "options, and errors that name the wrong one"),
    (test_check_conf, "-t says file:line:column for every error"),
    (test_local, "local stratum answers with own time"),
    (test_synchronise, "synchronises, and says so on the control socket"),
    (test_answers, "answers versions 1 to 4, IPv4 and IPv6"),
    (test_addresses, "answers from the address asked, link-local too"),
    (test_bad_packets, "what is no request stays unanswered, one reason each"),
    (test_noise, "survives 10000 packets at once"),
    (test_port_taken, "a taken port: says by whom"),
    (test_socket_taken, "a taken control socket is left alone"),
    (test_refused, "ICMP errors do not make it spin"),
    (test_runtime_upstreams, "upstream add, list, del"),
    (test_names, "names are resolved, unknown ones reported"),
    (test_bare, "bare mode polls UDP sockets only, in one thread"),
    (test_most_sockets, "has 30 sockets for requests at most"),
    (test_drift_written, "drift file is written at the end"),
    (test_drift_read, "drift file is read, a broken one reported and ignored"),
    (test_background, "goes into the background once it works"),
]


def skip(why):
    print("1..0 # SKIP " + why)
    sys.exit(4)


def enter_namespace(program=__file__):
    if os.environ.get("NTPK_IN_NAMESPACE"):
        return
    probe = subprocess.run(["unshare", "-rn", "true"], capture_output=True, text=True)
    if probe.returncode:
        skip("no network namespace: " + probe.stderr.strip())
    os.environ["NTPK_IN_NAMESPACE"] = "1"
    os.umask(0o022)	# ntpkd reads nothing that a group may write
    os.execvp("unshare", ["unshare", "-rn", sys.executable, os.path.abspath(program)])


def set_up_network():
    for command in ("link set lo up", "addr add 10.99.0.2/24 dev lo",
                    "addr add fe80::99/64 dev lo nodad"):
        subprocess.run(["ip", *command.split()], check=True)


def run(number, test, text):
    try:
        test()
        print("ok %d - %s" % (number, text))
        return True
    except (Failed, OSError, KeyError, subprocess.SubprocessError) as e:
        print("not ok %d - %s" % (number, text))
        print("# " + str(e).replace("\n", "\n# "))
        return False
    finally:
        sys.stdout.flush()


def run_all(tests, *daemons):
    """These tests, and that these daemons end well: does not return."""
    passed = [run(i + 1, *test) for i, test in enumerate(tests)]
    passed.append(run(len(tests) + 1, lambda: [d.stop() for d in daemons], "ends cleanly"))
    for d in daemons:
        if d.proc.poll() is None:
            d.proc.kill()
    os.chdir("/")
    sys.exit(0 if all(passed) else 1)


def main():
    global a, b
    if not os.access(NTPKD, os.X_OK):
        skip(NTPKD + " is not built")
    enter_namespace()
    set_up_network()
    print("TAP version 13\n1..%d" % (len(TESTS) + 1))
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        a = Daemon("local stratum 3\nport %d\n" % PORT_A)
        wait_for("server", lambda: query(PORT_A), 20)
        b = Daemon("server 127.0.0.1 port %d iburst minpoll 2 maxpoll 4\nport %d\n" %
                   (PORT_A, PORT_B))
        run_all(TESTS, b, a)


if __name__ == "__main__":
    main()
