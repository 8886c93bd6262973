#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-only
"""
Shows `ratelimit`, `clientloglimit` and `maxanswers` on their way from ntpkd's
configuration to the module: what one client may ask is what the lines say, for
everybody and by listener; a reload changes it, and what the buckets know outlives a
reload and a restart; a wrong line changes nothing.  And that ntpkd without the
module limits likewise.
About 60 seconds.
"""
import os
import select
import signal
import time

import daemon
import fixture
import netns
import ntpknl
import ntpq
import pkt
import tap

LOCAL = "local stratum 5"
# nobody comes to rest within this test
SLOW = "ratelimit interval 12 leak 0"


def ask(s, src, n=40, dport=123, more=None, **header):
	"""How many of n requests at once are answered; by a program, it takes some seconds more."""
	frames = [s.wire.frame(pkt.ip(src, "192.0.2.1", pkt.UDP, pkt.udp(
		src, "192.0.2.1", 40000, dport, ntpq.request(**header)))) for _ in range(n)]
	got = s.wire.exchange(frames)
	end = time.monotonic() + (more or 0) * tap.slow()
	while more and select.select([s.wire.s], [], [], max(0, end - time.monotonic()))[0]:
		data, where = s.wire.s.recvfrom(65536)
		if where[2] != ntpq.PACKET_OUTGOING:
			got.append(pkt.Got(data))
	return sum(p.proto == pkt.UDP and p.sport == dport for p in got)


def write(d, lines):
	with open(d.conf, "w") as f:
		f.write("\n".join([LOCAL] + lines) + "\n")


def reload(d, *lines):
	write(d, list(lines))
	before = d.text().count("configuration read anew")
	d.p.send_signal(signal.SIGHUP)
	tap.wait_for(lambda: d.text().count("configuration read anew") > before, 20)


def pushed(s):
	state = s.g.state()
	return {"limits": {x["PORT"]: x.get("LIMIT") for x in state["LISTENERS"]},
		"clients": state["LIMIT_CLIENTS"], "budget": state.get("BUDGET_PER_S")}


def soon(s, want, what, log):
	tap.ok(tap.wait_for(lambda: pushed(s) == want, 30), what, f"{pushed(s)}\n{want}\n{log()}")


def limit(**change):
	return {"INTERVAL_LOG2S": 12, "BURST": 16, "LEAK_LOG2": 0, "KOD_LOG2": 0, "NAT": 1,
		"PREFIX_V4": 32, "PREFIX_V6": 64, **change}


def test_module(d, s):
	soon(s, {"limits": {123: limit()}, "clients": 65536, "budget": None}, "ratelimit", d.text)
	tap.same(ask(s, "192.0.2.2"), 16, "the module answers a burst, and no more")
	tap.ok(s.g.stats()["limited"] == 24, "and says so", s.g.stats())
	tap.same(ask(s, "192.0.2.3"), 16, "another client has its own")
	reload(d, SLOW, "maxjitter 0.9")
	tap.same(ask(s, "192.0.2.2"), 0, "a reload forgives nobody")
	reload(d, SLOW + " burst 20 nat 2 prefix4 24 prefix6 48 kod 4", "clientloglimit 64",
	       "maxanswers 50000", "listen all port 1123", "listen all port 1124 ratelimit off",
	       "listen all port 1125 ratelimit interval 3 burst 5")
	common = limit(BURST=20, NAT=2, PREFIX_V4=24, PREFIX_V6=48, KOD_LOG2=4)
	soon(s, {"limits": {123: common, 1123: common, 1124: None,
			    1125: limit(INTERVAL_LOG2S=3, BURST=5, LEAK_LOG2=2)},
		 "clients": 8, "budget": 50000}, "all of the words, and three listeners", d.text)
	tap.ok(5 <= ask(s, "192.0.2.2", 5, 1125) and ask(s, "192.0.2.2", 40, 1124) == 40,
	       "listeners have limits of their own, or none")
	write(d, ["ratelimit intervall 3"])
	d.p.send_signal(signal.SIGHUP)
	tap.ok(tap.wait_for(lambda: "did you mean 'interval'" in d.text(), 20) and
	       pushed(s)["limits"][123] == common, "a wrong line changes nothing", d.text())
	reload(d)
	soon(s, {"limits": {123: None}, "clients": 65536, "budget": None}, "none of the lines", d.text)
	tap.same(ask(s, "192.0.2.2"), 40, "none: nobody is limited")


def test_set(d, s):
	"""The same by ntpkctl, kept over a restart with --save."""
	ctl = lambda *words: netns.sh(os.path.join(netns.BIN, "ntpkctl"), "-s", d.sock, *words).stdout
	tap.same(ctl("set", "--save", *SLOW.split(), "burst", "7"), "Now in force: ratelimit\nSaved\n",
		 "ntpkctl set --save ratelimit")
	soon(s, {"limits": {123: limit(BURST=7)}, "clients": 65536, "budget": None}, "it is pushed", d.text)
	tap.same(ask(s, "192.0.2.20"), 7, "and at work at once")
	ctl("set", "listen", "all", "port", "1123", "ratelimit", "off")
	soon(s, {"limits": {123: limit(BURST=7), 1123: None}, "clients": 65536, "budget": None},
	     "a listener more", d.text)
	tap.same(ask(s, "192.0.2.20", dport=1123), 40, "which has no limit")
	d.kill()
	d.start()
	tap.wait_for(lambda: d.status().get("state"), 60)
	soon(s, {"limits": {123: limit(BURST=7)}, "clients": 65536, "budget": None},
	     "a restart: what was saved, and nothing else", d.text)
	tap.same(ctl("unset", "ratelimit"), "Back to the configuration file: ratelimit\n", "unset")
	soon(s, {"limits": {123: None}, "clients": 65536, "budget": None}, "unset: as the file says",
	     d.text)


def test_clientlog(d, s):
	"""noclientlog, at once and kept over a restart."""
	ctl = lambda *words: netns.sh(*s.server.args(os.path.join(netns.BIN, "ntpkctl"), "-s", d.sock, *words),
				      check=False).stdout
	private = lambda: s.g.state().get("NO_CLIENTLOG", 0)
	ask(s, "192.0.2.2", 1)
	tap.ok("192.0.2.2 " in ctl("clients") and not private(), "ntpkctl clients", ctl("clients"))
	ctl("set", "--save", "noclientlog")
	tap.ok(tap.wait_for(private, 30), "ntpkctl set noclientlog is pushed", d.text())
	tap.ok("noclientlog" in ctl("clients"), "and no client is shown", ctl("clients"))
	d.kill()
	d.start()
	tap.ok(tap.wait_for(lambda: d.status().get("state"), 60) and private(), "nor after a restart")
	ctl("unset", "noclientlog")
	tap.ok(tap.wait_for(lambda: not private(), 30) and "No clients." in ctl("clients"),
	       "unset: clients are kept again, and those from before are forgotten", ctl("clients"))


def test_events(d, s):
	"""What the module sees of those who ask is said."""
	# its class is known from its second look on, which is a second later
	for _ in range(3):
		ask(s, "192.0.2.14", 1, version=3, mode=1, leap=3, precision=-23)
		time.sleep(1.1)
	tap.ok(d.says(r"the first client of the class windows: .*--class windows"), "a client of a new class",
	       d.text())
	reload(d, "maxanswers 1")
	tap.wait_for(lambda: pushed(s)["budget"] == 1, 20)
	ask(s, "192.0.2.14", 640)
	tap.ok(d.says("more is asked of a CPU than maxanswers allows"), "an overload", d.text())
	tap.ok(d.says(r"nothing was asked beyond maxanswers: [1-9]\d* requests were", 30), "and its end",
	       d.text())


def test_restart(d, s):
	"""The module goes on, and knows who has asked."""
	reload(d, SLOW)
	soon(s, {"limits": {123: limit()}, "clients": 65536, "budget": None}, "a limit again", d.text)
	tap.same(ask(s, "192.0.2.2"), 16, "a burst")
	d.kill()
	tap.same(ask(s, "192.0.2.2"), 0, "ntpkd is dead: nobody is forgiven")
	tap.same(ask(s, "192.0.2.3"), 16, "and who may ask is answered")
	d.start()
	tap.ok(tap.wait_for(lambda: d.status().get("state"), 60), "ntpkd starts again", d.text())
	tap.same(ask(s, "192.0.2.2"), 0, "nor does a start forgive anybody")


def test_by_itself(s):
	d = daemon.Ntpkd(s.server, LOCAL, "kernel off", SLOW, "listen all port 1123 ratelimit off")
	tap.ok(tap.wait_for(lambda: ask(s, "192.0.2.9", 1, 1123, 0.5), 60), "kernel off: ntpkd by itself",
	       d.text())
	tap.same(ask(s, "192.0.2.2", more=1), 16, "ntpkd by itself answers a burst, and no more")
	tap.same(ask(s, "192.0.2.3", more=1), 16, "another client has its own")
	tap.same(ask(s, "192.0.2.2", 40, 1123, 1), 40, "where there is no limit all are answered")
	write(d, ["kernel off", SLOW, "listen all port 1123 ratelimit off", "maxanswers 1"])
	d.p.send_signal(signal.SIGHUP)
	tap.wait_for(lambda: "configuration read anew" in d.text(), 20)
	tap.same(ask(s, "192.0.2.2", more=1), 0, "a reload forgives nobody")
	got = [ask(s, f"192.0.2.{i}", 40, 1123, 1) for i in range(10, 15)]
	tap.ok(64 <= sum(got) < 120, "maxanswers: of 200 at once some are answered", got)
	tap.same(d.stop(), 0, "ntpkd by itself ends well")


def test_refused():
	"""An owner of his own namespace may not have so many: time is served all the same."""
	netns.unload()
	netns.insmod("userns=1")
	where = fixture.tmpdir()
	conf, log, sock = (os.path.join(where, n) for n in ("ntpk.conf", "log", "sock"))
	with open(conf, "w") as f:
		f.write("\n".join([LOCAL, SLOW, "clientloglimit 1048576", f"savedir {where}"]) + "\n")
	with open(log, "w") as f:
		p = netns.spawn(None, "unshare", "-Urn", daemon.NTPKD, "-x", "-d", "-F", "0", "-f", conf, "-s",
				sock, stdout=f, stderr=f)
	text = lambda: open(log).read()
	tap.ok(tap.wait_for(lambda: "the module refused the rate limits" in text(), 30) and
	       "65536" in text(), "limits that the module does not take are said", text())
	ctl = lambda *words: netns.sh("nsenter", "-U", "-n", "--preserve-credentials", "-t", str(p.pid),
				      os.path.join(netns.BIN, "ntpkctl"), "-s", sock, *words, check=False).stdout
	tap.ok(tap.wait_for(lambda: "Kernel module   : synchronised" in ctl("stats"), 20),
	       "and time is served without them", ctl("stats") + text())
	netns.stop(p)


def main():
	daemon.need_ntpkd()
	s = fixture.served(attach=False)
	s.link.neigh(s.server, s.link.sdev, s.link.cmac,
		     *(f"192.0.2.{i}" for i in (3, 9, 10, 11, 12, 13, 14, 20)))
	d = daemon.Ntpkd(s.server, LOCAL, SLOW)
	tap.ok(tap.wait_for(lambda: s.g.status() == "sync", 60), "ntpkd gives the module its time", d.text())
	test_module(d, s)
	test_set(d, s)
	test_clientlog(d, s)
	test_events(d, s)
	test_restart(d, s)
	tap.same(d.stop(), 0, "ntpkd ends well")
	s.g.detach()
	s.g.close()
	test_by_itself(s)
	test_refused()


tap.run(main)
