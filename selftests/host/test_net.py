#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""ntpkd's sources and clients, in a network namespace of its own: where requests
leave from, keys, names and a DNS that is dead, lies or changes its mind, routes
that come and go, who may ask.

TAP on stdout; exit 0 passed, 1 failed, 4 skipped.  Every ntpkd runs with -x.
The peer with keys is chronyd where there is one (CHRONYD names it), and a
server of a few lines here.
"""
import hashlib
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

import test_daemon as td
from test_daemon import Daemon, Failed, check, query, wait_for

CHRONYD = os.environ.get("CHRONYD") or shutil.which("chronyd")
KEYS = {1: ("MD5", b"password"), 2: ("SHA1", bytes(range(20))), 5: ("SHA512", b"x" * 64)}
UP = "10.98.0.2"


class Server(threading.Thread):
    """Answers as a stratum 1 server; remembers who asked; signs where it knows the key."""

    def __init__(self, addr="127.0.0.1", port=0, keys=None):
        super().__init__(daemon=True)
        self.s = socket.socket(socket.AF_INET6 if ":" in addr else socket.AF_INET,
                               socket.SOCK_DGRAM)
        self.s.bind((addr, port))
        self.port = self.s.getsockname()[1]
        self.keys = keys or {}
        self.asked, self.bad_macs = [], 0
        self.start()

    def mac(self, key_id, data):
        kind, key = self.keys[key_id]
        return hashlib.new(kind.lower(), key + data).digest()[:20]

    def run(self):
        while True:
            try:
                data, peer = self.s.recvfrom(2048)
            except OSError:
                return
            self.asked.append((peer, data))
            self.s.sendto(self.answer(data), peer)

    def answer(self, data):
        now = int((time.time() + td.UNIX_1900_S) * 2**32)
        reply = struct.pack("!BBBbII4s8s8sQQ", 0x24, 1, data[2], -20, 0, 0, b"TEST",
                            struct.pack("!Q", now - 2**32), data[40:48], now, now)
        if len(data) == 48:
            return reply
        key_id = struct.unpack("!I", data[48:52])[0]
        if key_id not in self.keys or self.mac(key_id, data[:48]) != data[52:]:
            self.bad_macs += 1
            return reply
        return reply + data[48:52] + self.mac(key_id, reply)


def keyfile(name="keys", mode=0o600, keys=KEYS):
    path = os.path.abspath(name)
    with open(path, "w") as f:
        for key_id, (kind, key) in keys.items():
            f.write("%d %s HEX:%s\n" % (key_id, kind, key.hex()))
    os.chmod(path, mode)
    return path


def sources(d):
    return d.data("sources")["sources"]


def state(d, i=0):
    found = sources(d)
    return found[i]["state"] if len(found) > i else None


def ip(*command):
    subprocess.run(["ip", *" ".join(command).split()], check=True)


def test_where_from():
    s = Server("10.99.0.2")
    for lines, addr, port in (
            ("", "10.99.0.2", None),
            ("bindacqaddress 10.99.0.3\n", "10.99.0.3", None),
            ("acquisitionport 11900\n", "10.99.0.2", 11900),
            ("bindacqdevice lo\nbindacqaddress 10.99.0.3\nacquisitionport 11901\n",
             "10.99.0.3", 11901)):
        del s.asked[:]
        d = Daemon(lines + "server 10.99.0.2 port %d iburst minpoll 0\nport 0\n" % s.port)
        d.synchronised()
        wait_for("five requests", lambda: len(s.asked) >= 5)
        peers = [peer for peer, _ in s.asked]
        check({a for a, _ in peers} == {addr}, (lines, peers))
        ports = {p for _, p in peers}
        check(ports == {port} if port else len(ports) == len(peers), (lines, peers))
        d.stop()
    s.s.close()


def test_nonces():
    """What an answer has to repeat: of no clock, and of no other ntpkd started at once."""
    s = Server("10.99.0.2")
    both = [Daemon("server 10.99.0.2 port %d iburst minpoll 0\nport 0\n" % s.port) for _ in range(2)]
    for d in both:
        d.synchronised()
    wait_for("twenty requests", lambda: len(s.asked) >= 20)
    xmt = [struct.unpack("!Q", data[40:48])[0] for _, data in s.asked]
    check(len(set(xmt)) == len(xmt), xmt)
    now = time.time() + td.UNIX_1900_S
    check(sum(abs((x >> 32) - now) < 86400 for x in xmt) <= 1, (now, xmt))
    for d in both:
        d.stop()
    s.s.close()


def test_unprivileged_port():
    d = Daemon("server 10.99.0.2 port 11999\nport 0\nacquisitionport 11904\n")
    wait_for("a warning", lambda: "acquisitionport 11904: any user" in d.text())
    d.stop()
    d = Daemon("server 10.99.0.2 port 11999\nport 0\nacquisitionport 904\n")
    wait_for("the port", lambda: "904" in d.text() or state(d))
    check("acquisitionport" not in d.text(), d.text())
    d.stop()


def test_shared_port():
    """Requests leave from the port that is served, two sources at once."""
    s, t = Server("10.99.0.2"), Server("10.99.0.3")
    d = Daemon("server 10.99.0.2 port %d iburst minpoll 0\n"
               "server 10.99.0.3 port %d iburst minpoll 0\n"
               "port 11902\nacquisitionport 11902\n" % (s.port, t.port))
    d.synchronised()
    wait_for("both", lambda: len(s.asked) > 3 and len(t.asked) > 3)
    check({p for (_, p), _ in s.asked + t.asked} == {11902}, s.asked)
    for _ in range(20):
        td.check_reply(query(11902), 2)
    d.stop()


def test_bad_binding():
    d = Daemon("server 10.99.0.2 port 11999 iburst\nbindacqdevice nosuchdev\nport 0\n")
    wait_for("offline", lambda: state(d) == "offline")
    wait_for("the reason", lambda: "No such device" in d.text())
    d.stop()


def test_bindaddress():
    d = Daemon("local stratum 3\nport 11903\nbindaddress 10.99.0.2\n")
    wait_for("answer", lambda: query(11903, "10.99.0.2"), 20)
    check(query(11903, "127.0.0.1") is None, "answers on another address")
    td.check_reply(query(11903, "::1"), 3)
    d.stop()


def served(port, addr, lvm=0x23):
    """Leap, stratum and how far from UTC a listener's answer is; None without one."""
    reply = query(port, addr, lvm=lvm)
    if reply is None:
        return None
    f = td.fields(reply)
    return f["lvm"] >> 6, f["stratum"], round(td.unix_s(f["xmt"]) - time.time(), 1)


LISTEN = """local stratum 3
port 11905
listen 10.99.0.2 offset 3600 versions 3,4
listen all port 11906 offset -1800
listen 10.99.0.3 maxstratum 2 expired silent
listen 10.98.0.1 interface nosuch0 offset 1
listen :: maxstratum 2
listen 127.0.0.9 mode1 off
"""


def changes(d):
    """The network changes twice, in what is nobody's, and ntpkd has seen it."""
    for what in "add", "del":
        seen = d.text().count("the network has changed")
        ip("route %s 10.97.0.0/24 dev d0" % what)
        wait_for("the change", lambda n=seen: d.text().count("the network has changed") > n)


def test_listen():
    d = Daemon(LISTEN)
    wait_for("answer", lambda: served(11905, "127.0.0.1"), 20)
    told = {dst: served(11905, dst) for dst in ("127.0.0.1", "10.99.0.2", "::1", "10.98.0.1")}
    check(told == {"127.0.0.1": (0, 3, 0), "10.99.0.2": (0, 3, 3600), "10.98.0.1": (0, 3, 0),
                   "::1": (3, 0, 0)}, told)
    told = [served(11906, dst) for dst in ("127.0.0.1", "::1")]
    check(told == [(0, 3, -1800)] * 2, told)
    check(served(11905, "10.99.0.3") is None, "a stratum above maxstratum is answered")
    check(served(11905, "10.99.0.2", lvm=0x13) is None, "version 2 is answered")
    check(served(11905, "10.99.0.2", lvm=0x1b) == (0, 3, 3600), "version 3 is not answered")
    check(served(11905, "127.0.0.9", lvm=0x21) is None, "mode 1 is answered")
    check(served(11905, "127.0.0.1", lvm=0x21) == (0, 3, 0), "mode 1 is not answered")
    # told once, whatever else changes in the network; and served when it comes
    changes(d)
    ip("link add nosuch0 type veth peer name nosuch1")
    ip("addr add 10.96.0.1/24 dev nosuch0")
    ip("link set nosuch0 up")
    wait_for("the interface", lambda: "served in 7 places" in d.text())
    check(d.text().count("there is no such interface yet") == 1, d.text())
    changes(d)
    check(d.text().count("served in") == 1, d.text())
    # other places and other policies, at once
    with open(d.sock.replace(".sock", ".conf"), "a") as f:
        f.write("listen 127.0.0.8 port 11907 offset 60\n")
    d.proc.send_signal(signal.SIGHUP)
    wait_for("the new place", lambda: served(11907, "127.0.0.8") == (0, 3, 60))
    check(query(11907, "127.0.0.1") is None, "answers on another address")
    check(served(11905, "10.98.0.1") == (0, 3, 0), "a request by another interface")
    check("changed: listen" in d.text(), "not told")
    with open(d.sock.replace(".sock", ".conf"), "w") as f:
        f.write("kernel off\nlocal stratum 3\nport 11905\nbindaddress 10.99.0.2\n")
    d.proc.send_signal(signal.SIGHUP)
    wait_for("the new places", lambda: served(11905, "10.99.0.2") == (0, 3, 0))
    check(query(11905, "127.0.0.1") is None, "answers on another address")
    check(query(11906, "127.0.0.1") is None, "answers on another port")
    d.stop()


def ask_from(source, port, to):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(0.5)
        s.bind((source, 0))
        s.sendto(bytes([0x23]) + bytes(39) + td.T1, (to, port))
        try:
            return s.recv(2048)
        except (socket.timeout, ConnectionRefusedError):
            return None


def test_acl():
    d = Daemon("local stratum 3\nport 11904\nallow 10.99.0.0/24\ndeny 10.99.0.3\n")
    wait_for("answer", lambda: ask_from("10.99.0.2", 11904, "10.99.0.2"), 20)
    check(d.data("status")["responder"].get("denied") is None, "nobody was denied yet")
    check(ask_from("10.99.0.3", 11904, "10.99.0.2") is None, "denied by its line")
    check(ask_from("127.0.0.1", 11904, "127.0.0.1") is None, "not allowed")
    check(query(11904, "::1") is None, "not allowed, IPv6")
    check(d.data("status")["responder"]["denied"] == 3, d.data("status")["responder"])
    d.stop()


def test_keys():
    path = keyfile()
    for key_id in KEYS:
        s = Server(keys=KEYS)
        d = Daemon("keyfile %s\nserver 127.0.0.1 port %d key %d iburst minpoll 0\nport 0\n" %
                   (path, s.port, key_id))
        d.synchronised()
        check(s.bad_macs == 0 and all(len(data) > 60 for _, data in s.asked), s.asked)
        d.stop()
    wrong = dict(KEYS)
    wrong[2] = ("SHA1", bytes(20))
    for keys in (wrong, {}):
        s = Server(keys=keys)
        d = Daemon("keyfile %s\nserver 127.0.0.1 port %d key 2 iburst minpoll 0\nport 0\n" %
                   (path, s.port))
        wait_for("four requests", lambda: len(s.asked) > 4)
        check(d.data("status")["state"] == "unsynchronised", "believes a reply without its MAC")
        d.stop()


def test_keys_anew():
    """A reload takes the keys as they are now, though no line of the configuration changed."""
    wrong = dict(KEYS)
    wrong[2] = ("SHA1", bytes(20))
    s = Server(keys=KEYS)
    d = Daemon("keyfile %s\nserver 127.0.0.1 port %d key 2 iburst minpoll 0 maxpoll 0\nport 0\n" %
               (keyfile("anew", keys=wrong), s.port))
    wait_for("four requests", lambda: len(s.asked) > 4)
    check(sources(d)[0]["received_pkts"] == 0, "believes a reply without its MAC")
    keyfile("anew")
    d.proc.send_signal(signal.SIGHUP)
    d.synchronised()
    keyfile("anew", keys=wrong)
    bad = s.bad_macs
    d.proc.send_signal(signal.SIGHUP)
    wait_for("the revoked key", lambda: s.bad_macs > bad + 2)
    d.stop()


def test_keyfiles():
    path = keyfile("open", 0o644)
    server = "server 127.0.0.1 port 11999 key %d\nport 0\n"
    for conf, says in (("keyfile %s\n" % path + server % 1, "chmod o-r"),
                       ("keyfile /nonexistent\n" + server % 1, "No such file")):
        d = Daemon(conf)
        check(d.proc.wait(20) == 1 and says in d.text(), d.text())
    d = Daemon("keyfile %s\n" % keyfile() + server % 77)
    wait_for("the missing key", lambda: re.search(r"conf:3: .*key 77 is not in", d.text()))
    d.stop()


def chronyd(*lines):
    where = tempfile.mkdtemp(dir=".")
    path = os.path.abspath(where)
    with open(path + "/conf", "w") as f:
        f.write("cmdport 0\nbindcmdaddress /\npidfile %s/pid\nlocal stratum 3\nallow\n" % path)
        f.write("\n".join(lines) + "\n")
    with open(path + "/log", "w") as log:
        return subprocess.Popen([CHRONYD, "-x", "-n", "-U", "-u", "root", "-F", "0", "-f",
                                 path + "/conf"], stdout=log, stderr=log)


def test_chrony():
    """Every type of key against chronyd, each in version 4 and 3."""
    keys = {1: ("MD5", b"password1"), 2: ("SHA1", b"a" * 20), 3: ("SHA256", b"b" * 32),
            4: ("SHA384", b"c" * 10), 5: ("SHA512", b"d" * 64), 6: ("AES128", b"e" * 16),
            7: ("AES256", b"f" * 32)}
    p = chronyd("port 11910", "keyfile " + keyfile("chrony.keys", keys=keys))
    try:
        wait_for("chronyd", lambda: p.poll() is not None or query(11910), 20)
        check(p.poll() is None, "chronyd does not run")
        for version in (4, 3):
            for key_id in keys:
                d = Daemon("keyfile %s\nport 0\nserver 127.0.0.1 port 11910 iburst version %d "
                           "key %d\n" % (os.path.abspath("chrony.keys"), version, key_id))
                d.synchronised()
                d.stop()
    finally:
        p.terminate()
        p.wait()


class Dns(threading.Thread):
    """A DNS server for one name, whose answers the test chooses; None = silence."""

    def __init__(self):
        super().__init__(daemon=True)
        self.s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.s.bind(("127.0.0.1", 53))
        self.addrs, self.asked = None, 0
        self.start()

    def run(self):
        while True:
            data, peer = self.s.recvfrom(2048)
            self.asked += 1
            if self.addrs is None:
                continue
            end = data.index(b"\0", 12) + 5
            addrs = self.addrs if data[end - 4:end - 2] == b"\0\1" else []
            answer = data[:2] + struct.pack("!HHHHH", 0x8180, 1, len(addrs), 0, 0) + data[12:end]
            for a in addrs:
                answer += struct.pack("!HHHIH", 0xc00c, 1, 1, 1, 4) + socket.inet_aton(a)
            self.s.sendto(answer, peer)


def with_dns(conf):
    """ntpkd with a resolv.conf of its own, that knows only our server."""
    for name, text in (("resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n"),
                       ("nsswitch.conf", "hosts: files dns\n")):
        with open(name, "w") as f:
            f.write(text)
    with open("wrapped", "w") as f:
        f.write("#!/bin/sh\nset -e\nfor f in resolv.conf nsswitch.conf; do\n"
                "mount --bind %s/$f /etc/$f\ndone\nexec %s \"$@\"\n" % (os.getcwd(), td.NTPKD))
    with open("ntpkd", "w") as f:
        f.write("#!/bin/sh\nexec unshare -m %s/wrapped \"$@\"\n" % os.getcwd())
    os.chmod("wrapped", 0o755)
    os.chmod("ntpkd", 0o755)
    before, td.NTPKD = td.NTPKD, os.path.abspath("ntpkd")
    try:
        return Daemon(conf)
    finally:
        td.NTPKD = before


def test_dns_dead(dns):
    """A resolver that never answers: the daemon does all else, and ends at once."""
    dns.addrs = None
    d = with_dns("server 10.99.0.2 port %d iburst minpoll 0\nport 0\n" % Server("10.99.0.2").port +
                 "".join("server name%d.example iburst\n" % i for i in range(100)))
    d.synchronised()
    wait_for("questions", lambda: dns.asked > 2)
    worst = 0
    for _ in range(50):
        start = time.monotonic()
        d.data("status")
        worst = max(worst, time.monotonic() - start)
    check(worst < 0.5, "an answer took %.3f s" % worst)
    start = time.monotonic()
    d.stop()
    check(time.monotonic() - start < 3, "the end took %.1f s" % (time.monotonic() - start))


def test_dns_lies(dns):
    """What no DNS can mean is refused, each with its reason; then the truth comes."""
    s = Server("10.98.0.1")
    dns.addrs = ["127.0.0.1", "0.0.0.0", "224.0.1.1", "255.255.255.255", "10.99.0.2"]
    d = with_dns("server time.example port %d iburst minpoll 0\nport 0\n" % s.port)
    for addr, why in (("127.0.0.1", "loopback"), ("0.0.0.0", "no host"), ("224.0.1.1", "multicast"),
                      ("255.255.255.255", "broadcast"), ("10.99.0.2", "this host itself")):
        wait_for(why, lambda a=addr, w=why: re.search("warn: .*time.example: the DNS says %s, .*%s" %
                                                      (re.escape(a), w), d.text()))
    check(sources(d) == [], sources(d))
    # an address that is not ours, so that it may be used; the server there is none
    dns.addrs = ["127.0.0.1", "10.98.0.77"]
    wait_for("the right one", lambda: [x["address"] for x in sources(d)] == ["10.98.0.77"])
    d.stop()


def test_dns_changes(dns):
    """The address is dead, the name has another by now."""
    dns.addrs = ["10.98.0.77"]
    d = with_dns("server time.example port 11999 iburst minpoll 0 maxpoll 0\nport 0\n")
    wait_for("the first", lambda: [x["address"] for x in sources(d)] == ["10.98.0.77"])
    dns.addrs = ["10.98.0.78"]
    wait_for("the second", lambda: [x["address"] for x in sources(d)] == ["10.98.0.78"], 60)
    check("trying 10.98.0.78 instead of 10.98.0.77" in d.text(), d.text())
    d.stop()


def test_family(dns):
    """A name with IPv4 addresses only, asked for both."""
    dns.addrs = ["10.98.0.77"]
    d = with_dns("server v6.example port 11999 ipv6\nserver v4.example port 11999 ipv4\nport 0\n")
    wait_for("IPv4", lambda: [x["address"] for x in sources(d)] == ["10.98.0.77"])
    wait_for("no IPv6", lambda: d.data("upstream-list")["upstreams"][0]["resolve_error"])
    d.stop()


def test_pool(dns):
    """Filled up when the name gives more."""
    dns.addrs = ["10.98.0.70", "10.98.0.71"]
    d = with_dns("pool time.example maxsources 3\nport 0\n")
    wait_for("two", lambda: len(sources(d)) == 2)
    d.stop()


def test_routes():
    """Without a route a source is offline; with one it is asked at once."""
    d = Daemon("server %s port 11999 iburst minpoll 10\nport 0\n" % UP)
    wait_for("asked", lambda: state(d) != "offline" and sources(d)[0]["sent_pkts"] > 0)
    ip("link set d0 down")
    wait_for("offline", lambda: state(d) == "offline", 10)
    check("route" in sources(d)[0]["state_text"], sources(d)[0])
    check(re.search("info: .*%s is offline: Network is unreachable" % re.escape(UP), d.text()),
          d.text())
    sent = sources(d)[0]["sent_pkts"]
    # what the operator says stays said
    d.ask("upstream-offline", name=UP)
    ip("link set d0 up")
    wait_for("the route is seen", lambda: "can be asked again" in d.text(), 10)
    check(state(d) == "offline", "online against the operator's word")
    d.ask("upstream-online", name=UP)
    check(state(d) != "offline", sources(d)[0])
    wait_for("burst", lambda: sources(d)[0]["sent_pkts"] >= sent + 3, 15)
    # offline before the route comes: the operator's word waits for it
    ip("link set d0 down")
    wait_for("offline again", lambda: state(d) == "offline", 10)
    d.ask("upstream-online", name=UP)
    check(state(d) == "offline", "online without a route")
    ip("link set d0 up")
    wait_for("online by itself", lambda: state(d) != "offline", 10)
    d.stop()


def test_start_without_route():
    ip("link set d0 down")
    d = Daemon("server %s port 11999 iburst\nserver 10.99.0.2 port 11999 offline\nport 0\n" % UP)
    try:
        wait_for("offline", lambda: [s["state"] for s in sources(d)] == ["offline"] * 2)
        check(sources(d)[0]["sent_pkts"] == 0, sources(d)[0])
    finally:
        ip("link set d0 up")
    wait_for("online", lambda: state(d) != "offline", 10)
    check(state(d, 1) == "offline", "`offline` means until the operator says so")
    d.stop()


def test_leap_lists():
    with open("broken.list", "w") as f:
        f.write("#@ 3991593600\n2272060800 10\n2287785600 12\n")
    with open("expired.list", "w") as f:
        f.write("#@ 2303683200\n2272060800 10\n2287785600 11\n")
    for name, says in (("broken", "is ignored: line 3: TAI"), ("expired", "has expired")):
        d = Daemon("local\nport 0\nleapseclist %s.list\n" % os.path.abspath(name))
        wait_for(says, lambda s=says: s in d.text())
        d.stop()
    d = Daemon("local\nport 0\nleapsectz nosuch/Zone\n")
    wait_for("no zone", lambda: "nosuch/Zone: No such file" in d.text())
    d.stop()


TESTS = [
    (test_where_from, "requests leave from the address, device and port that are set"),
    (test_nonces, "what an answer has to repeat is of no clock, nor another ntpkd's"),
    (test_unprivileged_port, "a source port that any user may have is said"),
    (test_shared_port, "the port that is served is the source port, too"),
    (test_bad_binding, "a device that is not there: offline, with the reason"),
    (test_bindaddress, "bindaddress: served there only"),
    (test_listen, "listen: a time and a policy by address, port and interface"),
    (test_acl, "allow and deny: silence, counted"),
    (test_keys, "keys: requests are signed, replies with the right MAC believed"),
    (test_keys_anew, "keys are read anew by a reload"),
    (test_keyfiles, "key files: mode and missing keys"),
    (test_routes, "routes come and go, the operator's word stays"),
    (test_start_without_route, "a start without a route"),
    (test_leap_lists, "lists of leap seconds that are broken, expired, missing"),
]
DNS_TESTS = [
    (test_dns_dead, "a dead DNS holds up neither the work nor the end"),
    (test_dns_lies, "a lying DNS is refused"),
    (test_dns_changes, "a dead address is looked up again"),
    (test_family, "ipv4 and ipv6"),
    (test_pool, "a pool takes what there is"),
]


def main():
    if not os.access(td.NTPKD, os.X_OK):
        td.skip(td.NTPKD + " is not built")
    td.enter_namespace(__file__)
    td.set_up_network()
    ip("addr add 10.99.0.3/24 dev lo")
    # the far end is in here, too: nobody answers there
    ip("link add d0 type veth peer name d1")
    ip("link set d1 up")
    ip("addr add 10.98.0.1/24 dev d0")
    ip("link set d0 up")
    only = sys.argv[1:]
    tests = list(TESTS)
    if subprocess.run(["unshare", "-m", "true"], check=False).returncode == 0:
        dns = Dns()
        tests += [(lambda t=t: t(dns), text) for t, text in DNS_TESTS]
    if CHRONYD:
        tests.append((test_chrony, "keys of every type against chronyd"))
    tests = [t for t in tests if not only or any(o in t[1] for o in only)]
    print("TAP version 13\n1..%d" % len(tests))
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        passed = [td.run(i + 1, *t) for i, t in enumerate(tests)]
        os.chdir("/")
    for d in Daemon.all:
        if d.proc.poll() is None:
            d.proc.send_signal(signal.SIGKILL)
    sys.exit(0 if all(passed) else 1)


if __name__ == "__main__":
    main()
