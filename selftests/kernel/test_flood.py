#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-only
"""
Shows a flood of requests with random sources (NTPK_FLOOD of them: 100,000; 5,000
in the debug kernel; `make check-flood` sends 10,000,000) beside 1,000 regular
clients: these are answered, one that asks too much is not, and no memory is taken.
Before that, sources that are forged on the link.
What the kernel dropped before the module saw it is told apart.
About 10 seconds.
"""
import math
import os

import fixture
import memory
import ntpknl
import ntpq
import pkt
import tap

CLIENTS = 1000
# Each asks half as often as he may, and may ask but twice at once: who took over anything
# of a forged one would be refused.  No leak, so that it shows.
INTERVAL_LOG2S = 2 if tap.is_uml() else -2
LIMIT = {"INTERVAL_LOG2S": INTERVAL_LOG2S, "BURST": 2, "LEAK_LOG2": 0}
GAP_MS = int(2000 * 2**INTERVAL_LOG2S)


def backlog_drops():
	"""Packets that found the CPU's queue full."""
	with open("/proc/net/softnet_stat") as f:
		return sum(int(line.split()[1], 16) for line in f)


def kernel_kib():
	memory.shrink()
	with open("/proc/meminfo") as f:
		info = dict(line.split(":") for line in f)
	return sum(int(info[k].split()[0]) for k in ("Slab", "VmallocUsed", "Percpu"))


def prepare(s):
	"""Answers go to the client's end, which is the regular clients and drops the others."""
	s.server.sh("ip route add default via 192.0.2.2")
	s.client.sh("ip route add local 198.18.0.0/16 dev lo")
	s.client.sh("ip route add prohibit 0.0.0.0/0")
	udp = pkt.udp("198.18.0.1", "192.0.2.1", 40000, 123, ntpq.request(), check=0)
	path = os.path.join(fixture.tmpdir(), "frame")
	with open(path, "wb") as f:
		f.write(s.wire.frame(pkt.ip("198.18.0.1", "192.0.2.1", pkt.UDP, udp)))
	return path


def test_on_link(s, state):
	"""Whose address is looked for on the link, of which the kernel bears so many."""
	s.server.sh("ip", "addr", "add", "10.77.0.1/16", "dev", s.link.sdev)
	with open("/proc/sys/net/ipv4/neigh/default/gc_thresh3") as f:
		most = int(f.read())
	count = 2 * most if tap.slow() == 1 else most // 4
	frames = [s.wire.frame(pkt.ip(src, "192.0.2.1", pkt.UDP, pkt.udp(src, "192.0.2.1", 40000, 123, ntpq.request())))
		  for src in (f"10.77.{1 + i // 250}.{1 + i % 250}" for i in range(count))]
	_, moved = s.counted(s.wire.exchange, frames)
	tap.ok(sum(moved.values()) == count and set(moved) <= {"replied", "send_failed"},
	       f"{count} forged sources on the link", moved)
	tap.same(s.wire.sync_reply(state), None, "who is known is answered after them")
	s.server.sh("ip", "addr", "del", "10.77.0.1/16", "dev", s.link.sdev)
	# with the replies that wait there
	s.server.sh("ip", "neigh", "flush", "to", "10.77.0.0/16")


def flood(s, path, count):
	out = s.client.sh("flood", s.link.cdev, path, str(count), str(CLIENTS), str(GAP_MS),
			  timeout=3600).stdout
	*numbers, seconds = out.split()
	return [int(n) for n in numbers], float(seconds)


def main():
	s = fixture.served()
	test_on_link(s, s.g.push_default())
	state = s.g.default_state()
	state["LISTENERS"][0]["LIMIT"] = LIMIT
	s.g.push(state)
	path = prepare(s)
	s.wire.s.close()
	count = tap.env_int("NTPK_FLOOD", 100000, 5000)
	# what is allocated once, and the greedy one's burst
	(*_, greedy_first), _ = flood(s, path, 5000)
	tap.ok(greedy_first >= LIMIT["BURST"], f"the greedy one has its burst: {greedy_first}")
	kib, dropped = kernel_kib(), backlog_drops()
	(numbers, seconds), moved = s.counted(flood, s, path, count)
	forged, asked, answered, greedy, greedy_answered = numbers
	grown, dropped = kernel_kib() - kib, backlog_drops() - dropped
	tap.note(f"{forged} forged, {asked} regular and {greedy} greedy requests in {seconds} s; "
		 f"{dropped} dropped in the backlog; verdicts {moved}; memory {grown:+d} KiB")
	tap.ok(forged == count and asked >= CLIENTS,
	       f"{forged} forged requests beside {asked} of {CLIENTS} regular clients")
	seen, sent = sum(moved.values()), forged + asked + greedy
	# or too few would be left to judge by
	tap.ok(dropped < sent // 10, f"{dropped} of {sent} are dropped before the module sees them")
	tap.ok(seen >= sent - dropped, "every one else has its verdict", (seen, moved))
	# the queue drops whatever comes
	reached = 1 - dropped / sent
	sigma = math.sqrt(asked * reached * (1 - reached))
	tap.ok(answered >= 0.99 * asked * reached - 6 * sigma,
	       f"regular clients: {answered} of {asked} are answered, {dropped} of all dropped before")
	# a burst again, as it paused between
	most = LIMIT["BURST"] + seconds / 2**LIMIT["INTERVAL_LOG2S"] + 1
	tap.ok(0 < greedy_answered <= most,
	       f"the greedy one: {greedy_answered} of {greedy}, {most:.0f} at most")
	tap.ok(moved["limited"] >= greedy - greedy_answered - dropped, "and the rest is counted", moved)
	# what the machine does meanwhile; the debug kernel keeps what is freed
	tap.ok(grown < 512, f"memory is constant: {grown:+d} KiB")


tap.run(main)
