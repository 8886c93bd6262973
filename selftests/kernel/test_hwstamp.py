#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-only
"""
Shows that T2 is the receive stamp of the device where a map of its clock says what that
is, to the nanosecond, behind a VLAN and in a VRF too, with the map's error in the root
dispersion; and that it is the kernel's where the map is stale or of another device, where
the stamp is of another clock, of the future, of long ago, missing or cannot be read, each
counted with its reason; that a map goes with its device; and that what is no map is
refused.  The clock is a counter of a module made for this.  About 15 seconds.
"""
import json
import os
import re
import secrets
import time

import fixture
import hwclock
import ftrace
import netns
import ntpknl
import ntpq
import tap
from fixture import refused
from hwclock import EPOCH_NS, MS, S

PHC_MAX = 16
RATE_MAX = 2814749767106
NOBODY, DEVICE = 1, 2		# who can read what a driver left for later


class Exchange:
	"""One request: where its T2 is from by its value, and what was counted."""

	def __init__(self, s, clock, state, dst="192.0.2.1"):
		before, maps = s.g.t2s(), s.g.phcs()
		got = tap.wait_for(lambda: ntpq.ask_once(s.client, dst, timeout=0.3), 10)
		self.counted = ntpknl.changed(before, s.g.t2s())
		self.of_map = {i: moved for i, (_, now) in s.g.phcs().items() if i in maps
			       for moved in [ntpknl.changed(maps[i][1], now)] if moved}
		_, reply, raw0, raw1 = got
		self.off_ns = reply.t2_ns - ntpq.line_at(state, clock.came_raw_ns())
		self.disp_ns = reply.root_disp_ns
		self.hardware = abs(self.off_ns) <= 5
		self.software = ntpq.line_at(state, raw0) <= reply.t2_ns <= ntpq.line_at(state, raw1)

	def __repr__(self):
		return (f"T2 {self.off_ns} ns from the device's stamp, {'' if self.software else 'not '}within the "
			f"exchange; {self.counted}, of maps {self.of_map}, root dispersion {self.disp_ns} ns")


class Bench(hwclock.Bench):
	def ask(self, dst="192.0.2.1"):
		return Exchange(self.s, self.clock, self.state, dst)

	def takes(self, what, dst="192.0.2.1", dev=None):
		x = self.ask(dst)
		tap.ok(x.hardware and x.counted == {"hardware": 1} and
		       x.of_map == {dev or self.dev: {"hardware": 1}}, f"{what}: T2 is the device's stamp", x)
		return x

	def refuses(self, what, reason, dst="192.0.2.1", dev=None):
		"""T2 is the kernel's, and both that and why are counted once."""
		x = self.ask(dst)
		moved = {"software": 1, reason: 1}
		of_map = {} if reason == "hw_no_map" else {dev or self.dev: moved}
		tap.ok(x.software and not x.hardware and x.counted == moved and x.of_map == of_map,
		       f"{what}: T2 is the kernel's, counted as {reason}", x)


def test_no_map(b):
	x = b.ask()
	tap.ok(x.software and x.counted == {"software": 1} and b.g.phcs() == {},
	       "no map at all: T2 is the kernel's, and there is nothing else to say", x)


def test_right(b):
	what = b.set()
	got = b.g.phcs()
	zero = dict.fromkeys(("hardware", "software", "hw_missing", "hw_stale", "hw_future", "hw_far"), 0)
	tap.same(got, {b.dev: (what, zero)}, "a map is read as it was pushed, with counters at 0")
	for dst in ("192.0.2.1", "2001:db8::1"):
		b.takes(f"the right map, {dst}", dst)
	with b.clock.but(earlier_ns=-5 * MS):
		b.set(ERR_NS=10 * MS)
		x = b.ask()
		tap.ok(x.software and abs(x.off_ns + 5 * MS) < MS and x.counted == {"hardware": 1},
		       "later than the kernel's within the error of the map: T2 is no later than that", x)
	b.set(RX_LATER_NS=40000)
	x = b.ask()
	tap.ok(abs(x.off_ns - 40000) <= 5 and x.counted == {"hardware": 1}, "T2 is of the request's end: 40 us later", x)
	b.set(RX_LATER_NS=-1)
	x = b.ask()
	tap.ok(x.software and x.counted == {"software": 1} and not x.of_map,
	       "a device that stamps only what leaves: T2 is the kernel's, and nothing else to say", x)
	b.set(RX_LATER_NS=None)
	tap.same(b.g.phcs()[b.dev][0]["RX_LATER_NS"], 0, "who does not say what to add to receive stamps adds nothing")
	b.set(age_ns=-200 * MS)
	b.takes("a map whose reference is still to come")
	b.set(age_ns=min(30 * S, netns.raw_ns() // 2))
	b.takes("one of some time ago")
	tap.same(b.g.phcs()[b.dev][1]["hardware"], 6, "a new map of the device goes on with its counters")


def test_error(b):
	"""Other errors are those of the departure: microseconds."""
	with b.clock.but(earlier_ns=8 * MS):
		b.set(ERR_NS=0)
		x = b.takes("8 ms before the kernel's")
		tap.ok(x.disp_ns < 0.5 * MS, "an exact map: none of that age is in the root dispersion", x)
		b.set(age_ns=2 * S, ERR_NS=4 * MS, SKEW_PPB=10**6)
		x = b.takes("a map that is 2 s old, wrong by 4 ms and 1000 ppm")
		# at the stamp it was 8 ms younger
		tap.ok(5.99 * MS <= x.disp_ns < 6.5 * MS + (20 * MS if tap.is_uml() else 0),
		       "the root dispersion has these 6 ms", x)
	b.set()


def test_wrong(b):
	with b.clock.but(on=0):
		b.refuses("not stamped", "hw_missing")
	with b.clock.but(earlier_ns=-MS - (20 * MS if tap.is_uml() else 0)):
		b.refuses("after the kernel had it", "hw_future")
	for far_ns, what in ((9.9 * MS, "almost 10 ms"), (10.1 * MS, "more than 10 ms")):
		with b.clock.but(earlier_ns=round(far_ns)):
			if far_ns < 10 * MS:
				b.takes(f"{what} before the kernel had it")
			else:
				b.refuses(f"{what} before the kernel had it", "hw_far")
	for what, off, reason in (("ahead by a second", S, "hw_future"), ("behind by a second", -S, "hw_far"),
				  ("ahead by years", 10**8 * S, "hw_future"), ("of boot", -EPOCH_NS, "hw_far"),
				  ("of no sense", -2**62, "hw_far")):
		with b.clock.but(offset_ns=EPOCH_NS + off):
			b.refuses(f"another clock, {what}", reason)
	b.set(VALID_UNTIL_NS=netns.raw_ns() + 100 * MS)
	time.sleep(0.2)
	b.refuses("a stale map", "hw_stale")
	b.set()
	b.takes("a new one")


def test_late(b):
	"""A driver that leaves the reading of its stamps for later, as igc and tsnep do."""
	with b.clock.but(read=NOBODY):
		b.refuses("what cannot be read here", "hw_missing")
	with b.clock.but(read=DEVICE):
		b.takes("what the device can read")


def batch(ns, *commands):
	"""Several of ip's commands at once."""
	ns.sh("ip", "-batch", "-", input="\n".join(commands))


def pair(b, net, *args):
	"""Another veth, 10.net.0.1 at the server's end; its name, on both sides."""
	name = "o" + secrets.token_hex(3)
	netns.sh("ip", "link", "add", name, *args, "netns", b.s.server.name, "type", "veth", "peer", "name", name,
		 "netns", b.s.client.name)
	for ns, host in ((b.s.server, 1), (b.s.client, 2)):
		ns.sysctl(f"ipv4/conf/{name}/rp_filter", 0)
		batch(ns, f"link set {name} up", f"addr add 10.{net}.0.{host}/24 dev {name}")
	return name


def test_devices(b):
	"""The device that counts is the one that IP sees."""
	other = pair(b, 1)
	b.refuses("a device without a map beside one that has one", "hw_no_map", "10.1.0.1")
	with b.clock.but(on=0):
		x = b.ask("10.1.0.1")
		tap.ok(x.software and x.counted == {"software": 1}, "and without a stamp: nothing to say", x)
	for ns, host in ((b.s.server, 1), (b.s.client, 2)):
		batch(ns, f"link add link {other} name tag2 type vlan id 2",
		      f"addr add 10.2.0.{host}/24 dev tag2", "link set tag2 up")
	lower, tag = netns.ifindex(b.s.server, other), netns.ifindex(b.s.server, "tag2")
	b.set(lower)
	b.refuses("a VLAN, of whose lower device there is a map", "hw_no_map", "10.2.0.1")
	b.set(tag)
	b.takes("a VLAN with a map of its own", "10.2.0.1", tag)
	b.takes("its lower device", "10.1.0.1", lower)
	if b.s.server.sh("ip link add vrf9 type vrf table 9", check=False).returncode:
		tap.skip("VRF", "no VRF in this kernel")
	else:
		batch(b.s.server, "link set vrf9 up", f"link set {other} master vrf9")
		b.takes("in a VRF", "10.1.0.1", lower)
	return other, lower, tag


def test_gone(b, other, lower, tag):
	b.s.server.sh("ip", "link", "set", "tag2", "netns", b.s.client.name, "name", "tag3")
	tap.same(sorted(b.g.phcs()), sorted({b.dev, lower}), "a device that moves away leaves its map behind")
	total = b.g.t2s()["hardware"]
	delete = lambda: b.s.server.sh("ip", "link", "del", other)
	if ftrace.can():
		# all the machine's networks wait for it, and who holds that lock may wait for memory
		with ftrace.functions("ntpk_state_lock"):
			tap.same(ftrace.calls("ntpk_state_lock", delete)[1], [], "a device that goes waits for no push")
	else:
		delete()
		tap.skip("a device that goes waits for no push", "no function tracer")
	tap.same(list(b.g.phcs()), [b.dev], "a map goes with its device")
	tap.same(b.g.t2s()["hardware"], total, "what was counted of it stays in the sum")
	other = pair(b, 3, "index", str(lower))
	b.refuses("another device with the number of one that has gone", "hw_no_map", "10.3.0.1")
	b.set(lower)
	tap.same(b.g.phcs()[lower][1]["hardware"], 0, "and when it has a map it begins at 0")
	b.takes("which is right", "10.3.0.1", lower)
	b.s.server.sh("ip", "link", "del", other)


def test_refused(b):
	good = b.clock.map(b.dev)
	now = netns.raw_ns()
	for name, value, err, words in (
			("IFINDEX", 0, "ERANGE", ""), ("IFINDEX", 999999, "ENODEV", "no device of this IFINDEX"),
			("IFINDEX", 2**32 - 1, "ENODEV", "no device"),
			("RAW_NS", now + 3600 * S, "ERANGE", "ahead of CLOCK_MONOTONIC_RAW"),
			("RAW_NS", -1, "ERANGE", "ahead of CLOCK_MONOTONIC_RAW"),
			("RAW_NS", now - 100 * S, "ERANGE", "less than 64 s ago" if now > 100 * S else "RAW_NS"),
			("RATE", RATE_MAX + 1, "ERANGE", ""), ("RATE", -RATE_MAX - 1, "ERANGE", ""),
			("ERR_NS", 10 * MS + 1, "ERANGE", ""), ("SKEW_PPB", 10**7 + 1, "ERANGE", ""),
			("VALID_UNTIL_NS", now - S, "ERANGE", "has passed"),
			("VALID_UNTIL_NS", now + 100 * S, "ERANGE", "less than 64 s after RAW_NS"),
			("RX_LATER_NS", -2, "ERANGE", ""), ("RX_LATER_NS", 10 * MS + 1, "ERANGE", ""),
			("PHC_NS", bytes(4), "E", "length")):
		refused(f"{name} {value!r}", err, words, lambda: b.g.set_phc(**{**good, name: value}))
	for name in [n for n in good if n not in ("IFINDEX", "RX_LATER_NS")]:
		refused(f"without {name}", "EINVAL", f"{name} is missing in PHC",
			lambda: b.g.set_phc(**{k: v for k, v in good.items() if k != name}))
	refused("without IFINDEX", "EINVAL", "IFINDEX is missing in PHC",
		lambda: b.g.set_phc(**{k: v for k, v in good.items() if k != "IFINDEX"}))
	nest = ntpknl.phc_nest(good)
	refused("no PHC", "EINVAL", "PHC is missing", lambda: b.g.cmd("SET_PHC"))
	refused("an attribute twice", "EINVAL", "twice", lambda: b.g.cmd("SET_PHC", ntpknl.nest(
		ntpknl.UAPI["NTPK_A_PHC"], nest[4:], nest[4:12])))
	refused("a counter", "EINVAL", "can only be read", lambda: b.g.cmd("SET_PHC", ntpknl.nest(
		ntpknl.UAPI["NTPK_A_PHC"], nest[4:], ntpknl.attr(ntpknl.UAPI["NTPK_A_PHC_T2"], b""))))
	refused("GET_PHC with an attribute", "EINVAL", "does not take", lambda: b.g.cmd(
		"GET_PHC", nest, flags=ntpknl.NLM_F_REQUEST | ntpknl.NLM_F_DUMP))
	refused("a map that is not there is dropped", "ENOENT", "no map", lambda: b.g.set_phc(IFINDEX=1))
	other = ntpknl.Genl(b.s.client)
	refused("where nobody attached", "ENOTCONN", "not attached", lambda: other.set_phc(**b.clock.map(1)))
	tap.same(other.phcs(), {}, "there is nothing to be read there")
	other.close()
	b.takes("none of which changed anything")


def test_many(b):
	names = [f"m{i}" for i in range(PHC_MAX)]
	batch(b.s.server, *(f"link add {x} type veth peer name {y}"
			    for x, y in zip(names[::2], names[1::2])))
	devices = [b.dev, *(netns.ifindex(b.s.server, name) for name in names)]
	for dev in devices[:PHC_MAX]:
		b.set(dev, PHC_NS=dev)
	tap.same(sorted((i, what["PHC_NS"]) for i, (what, _) in b.g.phcs().items()),
		 sorted((i, i) for i in devices[:PHC_MAX]), f"{PHC_MAX} maps, each of its device")
	refused("one more", "E2BIG", "16 other devices", lambda: b.set(devices[-1]))
	b.g.set_phc(IFINDEX=devices[5])
	b.set(devices[-1])
	tap.same(sorted(b.g.phcs()), sorted({*devices} - {devices[5]}), "there is room when one is dropped")
	b.set()
	b.takes("among so many, the right one")
	for dev in b.g.phcs():
		b.g.set_phc(IFINDEX=dev)
	tap.same(b.g.phcs(), {}, "all dropped")
	test_no_map(b)


def test_changes(b):
	"""Requests while maps come and go, and devices with them."""
	stream = fixture.Stream(b.s.client, rate=200, check=lambda req, reply, raw0, raw1: None if
				ntpq.line_at(b.state, raw0 - 3 * MS) - 100 <= reply.t2_ns <= reply.t3_ns
				else f"T2 {reply.t2_ns}, T3 {reply.t3_ns}")
	stream.start()
	end = time.monotonic() + 2
	while time.monotonic() < end:
		b.s.server.sh("ip link add coming type veth peer name going")
		dev = netns.ifindex(b.s.server, "coming")
		for _ in range(20):
			b.set(dev)
			b.set()
			b.g.set_phc(IFINDEX=b.dev)
		b.s.server.sh("ip link del coming")
	tap.same(b.g.phcs(), {}, "no map is left")
	b.set()
	tap.ok(not stream.finish() and not stream.bad, "requests while maps come and go", stream.summary())


def test_detach(b):
	b.g.detach()
	tap.same((b.g.phcs(), sum(b.g.t2s().values())), ({}, 0), "detached: no maps, no counts")
	b.g.attach()
	b.state = b.g.push_default(PRECISION_LOG2S=-30)
	test_no_map(b)


def test_ctl(b):
	"""What ntpkctl makes of it."""
	what, t2 = b.g.phcs()[b.dev]
	seen = lambda counters: {name: n for name, n in counters.items() if n}
	data = json.loads(b.s.server.sh("ntpkctl", "--json", "stats").stdout)["data"]
	got = data["phcs"][0]
	tap.ok(len(data["phcs"]) == 1 and got["device"] == b.s.link.sdev and got["ifindex"] == b.dev and
	       abs(got["frequency_ppb"] - b.clock.rate_ppb) < 0.001 and got["error_ns"] >= what["ERR_NS"] and
	       0 < got["age_ns"] < 60 * S and got["age_ns"] + got["valid_ns"] ==
	       what["VALID_UNTIL_NS"] - what["RAW_NS"] and
	       {t["name"]: t["pkts"] for t in got["t2"]} == seen(t2), "ntpkctl stats --json has the map", got)
	tap.same({t["name"]: t["pkts"] for t in data["t2"]}, seen(b.g.t2s()), "and where T2 is from")
	text = b.s.server.sh("ntpkctl", "stats").stdout
	tap.ok(re.search(rf"^Device clock +: {b.s.link.sdev}, \+250\.000 ppm, sampled \d+ s ago, within \S+ \S+, good for ",
			 text, re.M) and
	       re.search(r"^ *\d+ +hardware +the device's stamp", text, re.M) and
	       re.search(r"^ *\d+ +hw_far ", text, re.M) and "hw_no_map" not in text, "and in words", text)
	b.set(VALID_UNTIL_NS=netns.raw_ns() + 50 * MS)
	time.sleep(0.1)
	text = b.s.server.sh("ntpkctl", "stats", "--all").stdout
	tap.ok(re.search(r"^Device clock .* too old to be used$", text, re.M) and "hw_no_map" in text,
	       "of a stale one that too, with --all also what is 0", text)
	b.set()


def test_sys(b):
	"""Of the first namespace, where nobody is attached."""
	names = sorted(os.listdir(f"{netns.SYS}/t2"))
	tap.same(names, sorted(b.g.t2s()), "/sys has the counters by the same names")
	tap.same({netns.sysfs(f"t2/{name}") for name in names}, {"0"}, "0 where nobody is attached")


def main():
	netns.sh("modprobe", "-q", "-a", "8021q", "vrf", check=False)
	b = Bench()
	test_no_map(b)
	test_right(b)
	test_error(b)
	test_wrong(b)
	test_late(b)
	test_ctl(b)
	test_gone(b, *test_devices(b))
	test_refused(b)
	test_many(b)
	test_changes(b)
	test_detach(b)
	test_sys(b)


tap.run(main)
