#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-only
"""
Shows ntpkd and the module together on one machine, with chronyd as upstream:
it synchronises and pushes; kill -9 of ntpkd under 1,000 requests per second
loses none, the dispersion grows and holdover shows; a restarted ntpkd takes
over without a gap; with `holdover 30` the module is unsynchronised 30 s after
the last push; corrupt drift files are reported and ignored; with `kernel off`
and without the module ntpkd answers by itself.
About three minutes: holdover takes its time.
"""
import os
import shutil

import daemon
import fixture
import netns
import ntpknl
import tap

RATE = 1000
SERVER = "server 10.5.0.2 iburst minpoll 4 maxpoll 4"
S = 10**9
DRIFTS = {"garbage": b"hello world\n", "empty": b"", "one number": b"1.5\n",
	  "truncated": b"-12.345 0.0", "absurd": b"1e9 0.1\n", "not a number": b"nan nan\n",
	  "binary": bytes(range(256)), "a negative skew": b"1.0 -1.0\n"}


def test_sync(d, g, client):
	if not tap.ok(d.synchronises(), "ntpkd synchronises", d.text()):
		return False
	tap.ok(tap.wait_for(lambda: g.status() == "sync"), "and the module serves it", g.state())
	tap.same(d.status().get("serving"), "kernel", "status says who serves")
	truth = daemon.now_truth()
	stream = fixture.Stream(client, rate=200, check=truth.check)
	stream.start()
	tap.ok(stream.wait_answers(200), "200 requests are answered")
	stream.finish()
	tap.same((stream.bad[:3], truth.unsync, len(stream.unanswered)), ([], 0, 0),
		 f"synchronised and within the claimed root distance: {truth.figures()}")
	return True


def test_kill(d, g, client):
	"""Killed, left alone until holdover shows, and started again: one stream over it all."""
	truth = daemon.now_truth()
	stream = fixture.Stream(client, rate=RATE, check=truth.check)
	stream.start()
	start = netns.raw_ns()
	stream.wait_answers(RATE)
	pushes, disp = g.state()["PUSHES"], g.state()["NOW_DISP_NS"]
	d.kill()
	interval = g.state()["PUSH_INTERVAL_NS"]
	tap.ok(tap.wait_for(lambda: g.status() == "holdover", 3 * interval / S + 15, 0.2),
	       f"kill -9: holdover after three pushes of {interval / S:.0f} s are missing", g.state())
	state = g.state()
	tap.ok(state["NOW_DISP_NS"] > disp, "kill -9: the dispersion grows: "
	       f"{disp / 1e6:.3f} ms, {state['NOW_DISP_NS'] / 1e6:.3f} ms", state)
	tap.ok(state["AGE_NS"] > 3 * interval, "kill -9: nobody pushes", (pushes, state))
	d.start()
	tap.ok(tap.wait_for(lambda: g.status() == "sync" and g.state()["PUSHES"] > state["PUSHES"],
			    60, 0.2), "a restarted ntpkd takes over", d.text())
	stream.wait_answers(RATE)
	rate = stream.sent / ((netns.raw_ns() - start) / S)
	stream.finish()
	tap.note(f"{rate:.0f} requests per second; {stream.summary()}; {truth.figures()}")
	tap.ok(stream.sent >= 5 * RATE, f"{RATE} requests per second were asked, as far as the host let them", rate)
	tap.ok(not stream.unanswered and not stream.refused, f"of {stream.sent} requests none is lost",
	       stream.summary())
	tap.same((stream.bad[:3], truth.unsync), ([], 0),
		 "none is answered as unsynchronised, nor outside the claimed root distance")
	tap.same(d.stop(), 0, "ntpkd ends well")


def test_holdover(link, g):
	g.detach()
	d = daemon.Ntpkd(link.server, SERVER, "holdover 30")
	if not tap.ok(tap.wait_for(lambda: g.status() == "sync", 60, 0.2), "holdover 30: synchronised",
		      d.text()):
		return
	d.kill()
	state = g.state()
	left = (state["DEADLINE_BOOT_NS"] - netns.boot_ns()) / S
	tap.ok(0 < left <= 30, f"holdover 30: expires in {left:.1f} s", state)
	tap.ok(all(r.leap == 0 for r in daemon.replies(link.client)), "holdover 30: serves meanwhile")
	tap.ok(tap.wait_for(lambda: g.status() == "expired_deadline", 35, 0.1),
	       "holdover 30: expired", g.state())
	age = g.state()["AGE_NS"] / S
	tap.ok(13 < age < 31, f"holdover 30: {age:.1f} s after the last push")
	tap.same([r.leap for r in daemon.replies(link.client)], [3],
		 "holdover 30: answers as unsynchronised then")
	g.detach()


def test_driftfiles(link):
	where = fixture.tmpdir()
	os.chmod(where, 0o755)
	for what, data in DRIFTS.items():
		path = os.path.join(where, "drift")
		with open(path, "wb") as f:
			f.write(data)
		d = daemon.Ntpkd(link.server, SERVER, f"driftfile {path}", "port 0")
		said = d.says(r"drift.*", 10)
		up = tap.wait_for(d.status, 10)
		tap.ok(said and up, f"drift file, {what}: reported, and ntpkd goes on"
		       + (f": {said[0].strip()}" if said else ""), d.text())
		tap.same(d.stop(), 0, f"drift file, {what}: ntpkd ends well")


def by_itself(link, what, *lines):
	d = daemon.Ntpkd(link.server, SERVER, *lines)
	tap.ok(d.synchronises(), f"{what}: ntpkd synchronises", d.text())
	tap.same(d.status().get("serving"), "userspace", f"{what}: status says who serves")
	truth = daemon.now_truth()
	stream = fixture.Stream(link.client, rate=50, check=truth.check)
	stream.start()
	stream.wait_answers(50)
	stream.finish()
	tap.ok(stream.answered >= 50 and not stream.bad and not stream.unanswered and not truth.unsync,
	       f"{what}: ntpkd answers, within the claimed root distance", stream.summary())
	tap.note(f"{what}: {truth.figures()}")
	tap.same(d.stop(), 0, f"{what}: ntpkd ends well")


def main():
	if not shutil.which("chronyd"):
		tap.skip_all("no chronyd here")
	daemon.need_ntpkd()
	s = fixture.served(attach=False)
	link, g = s.link, s.g
	up = daemon.upstream(link.server)
	p = fixture.chronyd(up, "local stratum 3", "allow")
	d = daemon.Ntpkd(link.server, SERVER)
	if test_sync(d, g, link.client):
		test_kill(d, g, link.client)
	test_holdover(link, g)
	test_driftfiles(link)
	by_itself(link, "kernel off", "kernel off")
	tap.same(ntpknl.Genl(link.server).status(), "detached", "kernel off: the module is left alone")
	g.close()
	netns.unload()
	by_itself(link, "without the module")
	tap.same(p.poll(), None, "the upstream was there all the time")


tap.run(main)
