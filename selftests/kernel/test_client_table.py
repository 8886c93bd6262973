#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-only
"""
Shows the table of clients: who is in it, with which numbers; that a dump has each
once and misses nobody while the table changes; its filters; that a flood displaces
itself and no regular client; `ntpkctl clients`; that nothing is kept with
noclientlog or clients=0; that namespaces have a table each, which goes with them.
NTPK_CLIENTS of them at once (50,000; 300 in the debug kernel; `make check-flood`
takes 1,000,000).
About 40 seconds.
"""
import errno
import json
import os
import socket
import time

import fixture
import netns
import ntpknl
import ntpq
import pkt
import tap

CTL = os.path.join(netns.BIN, "ntpkctl")
BASE = {4: "192.0.2.1", 6: "2001:db8::1"}
UNIT_NS = 2**30		# a client that comes again sooner is not known for a regular one
SMALL = 66 if tap.is_uml() else 330


def frame(s, src, data=None):
	dst = BASE[6 if ":" in src else 4]
	udp = pkt.udp(src, dst, 40000, 123, data or ntpq.request(), check=0 if "." in src else None)
	return s.wire.frame(pkt.ip(src, dst, pkt.UDP, udp))


def ask(s, sources, data=None):
	"""A request of each, and all are answered when this returns."""
	frames = [frame(s, src, data) for src in sources]
	for i in range(0, len(frames), 64):
		s.wire.exchange(frames[i:i + 64])


def served(*params, **kwargs):
	"""The module with these parameters, serving; replies to anybody go to the client's end."""
	netns.load(*params)
	s = fixture.Served(**kwargs)
	s.server.sh("ip route replace default via 192.0.2.2")
	s.server.sh("ip -6 route replace default via 2001:db8::2")
	s.client.sh("ip route replace prohibit 0.0.0.0/0")
	if kwargs.get("attach", True):
		s.g.push_default()
	return s


def found(s, **what):
	return {c["ADDR"]: c for c in s.g.clients(**what)}


def test_numbers(s):
	begin = netns.raw_ns()
	for n in range(3):
		ask(s, ["198.51.100.1", "198.51.100.2"][:1 + (n > 0)] + ["2001:db8:1::5", "2001:db8:1::6"])
	took = netns.raw_ns() - begin
	clients = found(s)
	counts = {a: (c["REQUESTS"], c["DROPPED"]) for a, c in clients.items()}
	tap.same(counts, {"198.51.100.1": (3, 0), "198.51.100.2": (2, 0), "2001:db8:1::": (6, 0)},
		 "clients with their numbers of requests, those of a /64 are one")
	ages = [(c["FIRST_AGE_NS"], c["LAST_AGE_NS"]) for c in clients.values()]
	tap.ok(all(last <= first <= took + 10 * tap.slow() * 10**9 for first, last in ages),
	       "first and last seen", (ages, took))
	tap.ok(all(len(c["RECORD"]) == 96 for c in clients.values()), "each with its record")


def test_dropped(s):
	"""Limited requests of a client that is known are counted; who is refused does not come in."""
	state = s.g.default_state()
	state["LISTENERS"][0]["LIMIT"] = {"INTERVAL_LOG2S": 12, "BURST": 2, "LEAK_LOG2": 0}
	s.g.push(state)
	ask(s, ["198.51.100.9"] * 5)
	c = found(s)["198.51.100.9"]
	tap.same((c["REQUESTS"], c["DROPPED"]), (5, 3), "limited: 3 of 5 requests got no answer")
	rules = [(4, int.from_bytes(socket.inet_aton("198.51.100.10"), "big"), 32, 0)]
	s.g.acl(rules, otherwise=1)
	s.g.push_default()
	ask(s, ["198.51.100.10", "198.51.100.11"])
	known = found(s)
	s.g.acl([], otherwise=1)
	tap.ok("198.51.100.10" not in known and "198.51.100.11" in known,
	       "who may not ask does not come in", sorted(known))


def test_filters(s):
	v4, v6 = socket.inet_aton, lambda a: socket.inet_pton(socket.AF_INET6, a)
	everybody = set(found(s))
	for what, kwargs, want in (
			("a network", {"ADDR": v4("198.51.100.0"), "LEN": 31}, {"198.51.100.1"}),
			("an address", {"ADDR": v4("198.51.100.2")}, {"198.51.100.2"}),
			("nobody", {"ADDR": v4("203.0.113.0"), "LEN": 24}, set()),
			("all of IPv6", {"ADDR": bytes(16), "LEN": 0}, {"2001:db8:1::"}),
			("all of IPv4", {"ADDR": bytes(4), "LEN": 0}, everybody - {"2001:db8:1::"}),
			("an address in a /64", {"ADDR": v6("2001:db8:1::77")}, {"2001:db8:1::"}),
			("another /64", {"ADDR": v6("2001:db8:2::")}, set()),
			("at least 5 requests", {"REQUESTS": 5}, {"198.51.100.9", "2001:db8:1::"}),
			("no class", {"QUIRK": 0, "REQUESTS": 2**32 - 1}, set())):
		tap.same(set(found(s, **kwargs)), want, f"filter: {what}")
	numbers = {number for number, _ in s.g.quirks().values()}
	by_class = [a for number in numbers for a in found(s, QUIRK=number)]
	tap.same(sorted(by_class), sorted(everybody), "filter: each client is of one class")
	for _ in range(5):	# a machine that stands still meanwhile makes it later than of late
		time.sleep(1)
		ask(s, ["198.51.100.1"])
		late = set(found(s, LAST_AGE_NS=500_000_000))
		if late:
			break
	tap.same(late, {"198.51.100.1"}, "filter: seen of late")


def test_refusals(s):
	g, A = s.g, "NTPK_A_CLIENT_FILTER_"
	refused = lambda what, want, words, **kw: fixture.refused(
		f"a filter with {what}", want, words, lambda: g.clients(**kw))
	refused("a length without address", "EINVAL", "LEN without ADDR", LEN=4)
	refused("33 bits of IPv4", "ERANGE", "longer than ADDR", ADDR=bytes(4), LEN=33)
	refused("bits behind its length", "ERANGE", "zero behind LEN", ADDR=b"\1\2\3\4", LEN=24)
	refused("an address of 5 bytes", "EINVAL", "4 or 16 bytes", ADDR=bytes(5))
	refused("129 bits", "ERANGE", "", ADDR=bytes(16), LEN=129)
	refused("a class that there is not", "ERANGE", "no class", QUIRK=1000)
	refused("a number of the wrong size", "", "", REQUESTS=b"\0" * 3)
	twice = ntpknl.nest(ntpknl.UAPI["NTPK_A_CLIENT_FILTER"], *[
		ntpknl.attr(ntpknl.UAPI[A + "QUIRK"], bytes(4))] * 2)
	dump = ntpknl.NLM_F_REQUEST | ntpknl.NLM_F_DUMP
	fixture.refused("a filter with a class twice", "EINVAL", "given twice",
			lambda: g.cmd("GET_CLIENTS", twice, flags=dump))
	fixture.refused("another attribute", "EINVAL", "does not take",
			lambda: g.cmd("GET_CLIENTS", ntpknl.nest(ntpknl.UAPI["NTPK_A_KEYS"]), flags=dump))
	fixture.refused("another attribute beside the filter", "EINVAL", "does not take",
			lambda: g.cmd("GET_CLIENTS", ntpknl.client_filter(REQUESTS=1) + ntpknl.nest(
				ntpknl.UAPI["NTPK_A_KEYS"]), flags=dump))


def test_classes(s):
	before = s.g.quirks()
	for _ in range(3):
		ask(s, ["198.51.100.20"], ntpq.request(version=3, mode=1, leap=3, precision=-23))
		time.sleep(1.1)
	moved = {name: after - before[name][1] for name, (_, after) in s.g.quirks().items()
		 if after != before[name][1]}
	tap.same(sum(moved.values()), 3, f"requests are counted by class: {moved}")
	number, _ = s.g.quirks()["windows"]
	tap.ok("198.51.100.20" in found(s, QUIRK=number), "one that asks as Windows does is of that class")
	files = os.listdir(os.path.join(netns.SYS, "quirks"))
	tap.same(sorted(files), sorted(before), "a file for each class")
	tap.ok(all(netns.sysfs("quirks/" + f).isdigit() for f in files), "which has a number in it")


def regulars():
	return [f"198.18.{i // 250}.{1 + i % 250}" for i in range(SMALL // 2)]


def test_change(s):
	"""Dumps while others come and go; those that are there all the time are in all of them."""
	keep = regulars()
	for _ in range(2):
		ask(s, keep)
		time.sleep(1.2 * UNIT_NS / 10**9)
	others = [f"203.{i // 250}.113.{1 + i % 250}" for i in range(3 * SMALL)]
	frames = [frame(s, src) for src in others]
	turn = iter(range(10**9))

	def change():
		i = next(turn) * 64 % len(frames)
		s.wire.exchange(frames[i:i + 64])
	g = ntpknl.Genl(s.server, piece=8192)
	g.s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
	twice, missing, sizes = [], [], []
	for _ in range(4):
		seen = [c["ADDR"] for c in g.clients(between=change)]
		sizes.append(len(seen))
		twice += [a for a in set(seen) if seen.count(a) > 1]
		missing += [a for a in keep if a not in seen]
	tap.ok(not twice, f"4 dumps ({min(sizes)} to {max(sizes)} clients) of a table that changes: "
	       "nobody twice", twice[:5])
	turns = next(turn)
	tap.ok(not missing and turns >= 8, "and nobody is missing that was there all the time",
	       (missing[:5], turns))
	tap.ok(not g.interrupted, "which is no dump that has to be begun anew")
	g.close()


def test_flood(s):
	"""So many that nobody has room for."""
	keep = regulars()
	path = os.path.join(fixture.tmpdir(), "frame")
	with open(path, "wb") as f:
		f.write(frame(s, "198.51.100.99"))
	n = (10 if tap.is_uml() else 60) * SMALL
	before = s.g.stats()["replied"]
	s.client.sh("flood", s.link.cdev, path, str(n), "1", "100000", timeout=3600)
	replied = s.g.stats()["replied"] - before
	known = found(s)
	tap.ok(replied > n * 9 // 10 and set(keep) <= set(known),
	       f"{replied} sources that do not come again: all of {len(keep)} regular clients are kept",
	       sorted(set(keep) - set(known))[:5])


def test_twice(s):
	"""So many come twice: who has been coming for longer is kept."""
	keep = regulars()
	ask(s, keep)
	others = [f"203.{i // 250}.113.{1 + i % 250}" for i in range(4 * SMALL)]
	for _ in range(2):
		ask(s, others)
		time.sleep(1.2 * UNIT_NS / 10**9)
	known = set(found(s))
	tap.ok(set(keep) <= known and len(known & set(others)) > SMALL // 4,
	       f"{len(others)} sources that come twice: all of {len(keep)} regular clients are kept, {len(known & set(others))} of the others",
	       sorted(set(keep) - known)[:5])


def ctl(s, *args, ns=None, **kwargs):
	return (ns or s.server).sh(CTL, *args, **kwargs)


def test_ctl(s):
	p = ctl(s, "clients", "--json")
	clients = json.loads(p.stdout)["data"]["clients"]
	want = found(s)
	tap.same({c["address"]: c["requests"] for c in clients},
		 {a: c["REQUESTS"] for a, c in want.items()}, "ntpkctl clients --json: all of them")
	requests = [c["requests"] for c in clients]
	tap.ok(requests == sorted(requests, reverse=True), "the most requests first")
	os.makedirs(f"/etc/netns/{s.server.name}", exist_ok=True)
	with open(f"/etc/netns/{s.server.name}/hosts", "w") as f:
		f.write("198.51.100.1 camera-1.example.net\n")
	p = ctl(s, "--json", "clients", "--sort", "address", "--top", "2", "--names", "198.51.100.0/30")
	data = json.loads(p.stdout)["data"]
	tap.same(([(c["address"], c["name"]) for c in data["clients"]], data["total"]),
		 ([("198.51.100.1", "camera-1.example.net"), ("198.51.100.2", None)], 2),
		 "--sort, --top, --names and a network")
	text = ctl(s, "clients", "-v", "--top", "3", "--seen", "100000", "--requests", "2").stdout
	tap.ok("3 of " in text and "Why it asks fast" in text, "text, with a legend", text)
	text = ctl(s, "clients", "--class", "windows", "--names").stdout
	tap.ok("198.51.100.20" in text and "198.51.100.1 " not in text, "--class", text)
	p = ctl(s, "clients", "--class", "mac_os_9", check=False)
	tap.ok(p.returncode == 2 and "no class" in p.stdout, "a class that there is not", p.stdout)
	p = ctl(s, "clients", ns=s.client, check=False)
	tap.ok(p.returncode == 1 and "not attached" in p.stdout, "where nobody attached", p.stdout)
	p = s.server.sh("setpriv", "--reuid=65534", "--clear-groups", CTL, "clients", check=False)
	tap.ok(p.returncode == 1 and "run ntpkctl as root" in p.stdout, "an ordinary user", p.stdout)


def test_privacy(s):
	s.g.push(s.g.default_state(NO_CLIENTLOG=1))
	before = sum(n for _, n in s.g.quirks().values())
	_, moved = s.counted(ask, s, ["198.51.100.1"])
	tap.same((moved, s.g.state().get("NO_CLIENTLOG")), ({"replied": 1}, 1), "noclientlog: answered")
	fixture.refused("clients where none are kept", "ENODATA", "noclientlog", s.g.clients)
	tap.ok("noclientlog" in ctl(s, "clients", check=False).stdout, "ntpkctl says why")
	tap.same(sum(n for _, n in s.g.quirks().values()), before, "no class is counted")
	s.g.push_default()
	tap.same(s.g.clients(), [], "and what was kept is forgotten")


def vmalloc_kib():
	with open("/proc/meminfo") as f:
		return int(next(line for line in f if line.startswith("VmallocUsed")).split()[1])


def test_namespaces(s):
	other = fixture.Served()
	other.g.push_default()
	ask(s, ["198.51.100.1"])
	other.wire.exchange([other.wire.frame(pkt.ip("192.0.2.2", BASE[4], pkt.UDP, pkt.udp(
		"192.0.2.2", BASE[4], 40000, 123, ntpq.request())))])
	tap.same((set(found(s)), set(found(other))), ({"198.51.100.1"}, {"192.0.2.2"}),
		 "each namespace has its own clients")
	s.g.detach()
	fixture.refused("clients after detach", "ENOTCONN", "not attached", s.g.clients)
	s.g.attach()
	s.g.push_default()
	tap.same(found(s), {}, "attached anew: nobody")


def t1_request(served_ns, error_ns):
	return ntpq.request(xmt=ntpq.ntp64(served_ns + error_ns), poll=0)


def one(s, src):
	"""What ntpkctl says of a client."""
	return json.loads(ctl(s, "clients", "--json", src).stdout)["data"]["clients"][0]


def test_clock(s, what, shift_ns):
	"""Clients whose clock is 2.5 s ahead, and what is said of it."""
	state = s.g.push_default(shift_ns)
	for i in range(4):
		now = ntpq.line_at(state, netns.raw_ns())
		ask(s, ["198.51.100.30"], t1_request(now, 2_500_000_000))
		ask(s, ["198.51.100.31"])
		time.sleep(1.1)
	c, opaque = one(s, "198.51.100.30"), one(s, "198.51.100.31")
	tap.ok(c["error_ns"] is not None and
	       abs(c["error_ns"] - 2_500_000_000) <= c["error_unc_ns"] + 10**8 * (tap.slow() - 1) <= 10**9,
	       f"{what}: a clock that is 2.5 s ahead: {c['error_ns']} +- {c['error_unc_ns']} ns", c)
	tap.same((opaque["clock"], opaque["error_ns"], opaque["drift_ppb"]), ("opaque", None, None),
		 f"{what}: random timestamps are no clock")


def test_step(s):
	"""A step of what is served is no error of a client's."""
	state = s.g.push_default()
	for shift in (0, 0, 700_000_000, 700_000_000, 700_000_000):
		state = s.g.push_default(shift)
		now = ntpq.line_at(state, netns.raw_ns())
		ask(s, ["198.51.100.40"], t1_request(now, 100_000_000))
		time.sleep(1.1)
	c = one(s, "198.51.100.40")
	tap.ok(c["error_ns"] is not None and abs(c["error_ns"] - 10**8) < 10**8 * (1 + 4 * (tap.slow() > 1)),
	       f"served time is stepped by 0.7 s: the client is {c['error_ns']} ns ahead, as before", c)


def test_many(n):
	"""The table as large as that, and full."""
	s = served(f"clients={n}", attach=False)
	room = vmalloc_kib()
	s.g.attach()
	used = (vmalloc_kib() - room) * 1024
	s.g.push_default()
	# what is large comes in pages of 2 MiB, what is small (4 MiB) not from there
	tap.ok_stock(100 * n < used <= 128.5 * n + (2 << 20),
		     f"clients={n}: {used / n:.1f} bytes each, with what is left of the last huge page", "so few are small")
	path = os.path.join(fixture.tmpdir(), "frame")
	with open(path, "wb") as f:
		f.write(frame(s, "198.51.100.99"))
	s.wire.s.close()
	before = s.g.stats()["replied"]
	s.client.sh("flood", s.link.cdev, path, str(n), "1", "10000000", timeout=3600)
	replied = s.g.stats()["replied"] - before
	begin = time.monotonic()
	text = ctl(s, "clients", "--top", "1", timeout=120).stdout
	took = time.monotonic() - begin
	total = int(text.split(" of ")[-1].split()[0])
	# the flood asks for itself more than once
	distinct = replied - n // 64
	tap.ok(replied > n * 9 // 10 and total >= distinct * 99 // 100,
	       f"{total} of about {distinct} clients are in a dump", (replied, text))
	tap.ok(took < 5 * tap.slow(), f"which takes {took:.2f} s with all of ntpkctl")
	s.g.close()


def test_none():
	s = served("clients=0")
	tap.same(s.wire.sync_reply(s.g.push_default()), None, "clients=0: answered")
	fixture.refused("clients where there is no table", "ENODATA", "clients=0", s.g.clients)
	s.g.close()


def test_whole_addresses():
	s = served("clients_prefix6=128", "clients=16")
	ask(s, ["2001:db8:1::5", "2001:db8:1::6", "192.0.2.2"])
	tap.same(set(found(s)), {"2001:db8:1::5", "2001:db8:1::6", "192.0.2.2"},
		 "clients_prefix6=128: each address of IPv6 is one")
	s.g.close()


def main():
	s = served(f"clients={SMALL}")
	test_numbers(s)
	test_dropped(s)
	test_filters(s)
	test_refusals(s)
	test_classes(s)
	test_ctl(s)
	test_clock(s, "now", 0)
	test_clock(s, "in 2040", 14 * 365 * 86400 * 10**9)
	test_step(s)
	test_change(s)
	test_flood(s)
	test_twice(s)
	test_privacy(s)
	test_namespaces(s)
	s.g.close()
	test_none()
	test_whole_addresses()
	test_many(tap.env_int("NTPK_CLIENTS", 50000, 300))


tap.run(main)
