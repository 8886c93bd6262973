#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-only
"""
Shows `allow` and `deny` on their way from ntpkd's configuration to the module:
whom the lines allow is answered by the module, the others are not, and
`ntpkctl acl check` says which line decides, as the module sees it.  Reloading
changes the list, and sends it only when it changed; 100,000 lines are taken; whatever
happens to the module, who may not ask is never answered.  That a listener may have
lines of its own, by name.  And that ntpkd without the module decides likewise.
About 45 seconds.
"""
import os
import random
import signal
import socket
import subprocess

import daemon
import fixture
import netns
import ntpknl
import ntpq
import tap

CTL = os.path.join(netns.BIN, "ntpkctl")
LOCAL = "local stratum 5"
ALLOWED, DENIED, NOBODY = "192.0.2.2", "192.0.2.3", "192.0.2.200"
LINES = ["allow 192.0.2.0/25", "deny 192.0.2.3", "allow 2001:db8::/64", "deny 2001:db8::3"]


def answered(client, src, timeout=2, port=123):
	"""Does the server answer from this address of the client's?"""
	v6 = ":" in src
	asker = ntpq.Asker(client, "2001:db8::1" if v6 else "192.0.2.1", port=port, bind=(src, 0))
	return asker.ask_last(timeout=timeout) is not None


def verdicts(client, allowed, denied, what, port=123):
	got = {src: answered(client, src, 5 if src in allowed else 0.3, port)
	       for src in allowed + denied}
	tap.same(got, {src: src in allowed for src in allowed + denied},
		 f"{what}: answered are {', '.join(allowed)}, not {', '.join(denied)}")


def soon(client, src, want, what, log):
	tap.ok(tap.wait_for(lambda: answered(client, src, 0.5) == want, 30),
	       f"{what}: {src} is {'' if want else 'not '}answered", log())


def check(d, src, allowed, rule, by, line=None):
	data = d.command("acl-check", address=src).get("data", {})
	got = {k: data.get(k) for k in ("allowed", "rule", "by", "line")}
	tap.same(got, {"allowed": allowed, "rule": rule, "by": by, "line": line},
		 f"acl check {src}: {rule}, says {by}")


def in_force(s, name=""):
	"""Of the list that the module's listeners have for this acl; {} without one."""
	for listener in s.g.state()["LISTENERS"]:
		theirs = listener.get("ACL", "")
		if theirs.rpartition(".")[0] == name:
			return s.g.get_acl(theirs or None)
	return {}


def theirs(s, name):
	"""What the module calls it."""
	return next(n["ACL"] for n in s.g.state()["LISTENERS"]
		    if n.get("ACL", "").rpartition(".")[0] == name)


def names(s):
	"""Of all lists that it has."""
	return sorted(n.rpartition(".")[0] for n in s.g.dump_acl_names())


def write(d, lines):
	with open(d.conf, "w") as f:
		f.write("\n".join(lines) + "\n")


def reload(d, lines):
	write(d, lines)
	before = d.text().count("configuration read anew")
	d.p.send_signal(signal.SIGHUP)
	tap.wait_for(lambda: d.text().count("configuration read anew") > before, 20)


def test_first(d, s):
	verdicts(s.client, [ALLOWED, "2001:db8::2"], [DENIED, NOBODY, "2001:db8::3"], "module")
	tap.ok(s.g.stats()["acl_denied"] >= 3 and s.g.stats()["replied"] >= 2,
	       "it is the module that says so", s.g.stats())
	check(d, ALLOWED, True, "allow 192.0.2.0/25", "module", 2)
	check(d, DENIED, False, "deny 192.0.2.3/32", "module", 3)
	check(d, NOBODY, False, None, "module")
	check(d, "2001:db8::3", False, "deny 2001:db8::3/128", "module", 5)
	check(d, "::ffff:192.0.2.3", False, "deny 192.0.2.3/32", "module", 3)
	p = subprocess.run([CTL, "-s", d.sock, "acl", "check", DENIED], capture_output=True,
			   text=True, check=False)
	tap.same(p.stdout, f"{DENIED} may not ask: deny 192.0.2.3/32 (line 3)\n", "ntpkctl acl check")


def test_reload(d, s):
	before = in_force(s)
	reload(d, [LOCAL] + LINES + ["maxjitter 0.9"])
	tap.same(in_force(s), before, "reload without a change of lists: nothing is sent")
	reload(d, [LOCAL, "maxjitter 0.8"] + LINES)
	tap.same(in_force(s), before, "nor where its lines stand elsewhere")
	reload(d, [LOCAL, "allow", "deny 192.0.2.2"])
	soon(s.client, ALLOWED, False, "reload with other lines", d.text)
	verdicts(s.client, [DENIED, NOBODY], [ALLOWED], "reload with other lines")
	check(d, ALLOWED, False, "deny 192.0.2.2/32", "module", 3)
	reload(d, [LOCAL])
	soon(s.client, ALLOWED, True, "reload without lines", d.text)
	check(d, NOBODY, True, None, "module")


def test_many(d, s):
	rng = random.Random(3)
	n = 100000 if tap.slow() == 1 else 10000
	lines = set()
	while len(lines) < n:
		a = rng.getrandbits(24)
		lines.add(f"{'allow' if a & 1 else 'deny'} 10.{a >> 16}.{a >> 8 & 255}.{a & 254}/31")
	reload(d, [LOCAL] + sorted(lines) + LINES)
	want = len({line.split()[1] for line in lines}) + 2
	tap.ok(tap.wait_for(lambda: in_force(s).get("COUNT_V4") == want, 60),
	       f"{n} lines: the module has them", (want, in_force(s), d.text()[-500:]))
	verdicts(s.client, [ALLOWED, "2001:db8::2"], [DENIED, NOBODY, "2001:db8::3"], f"{n} lines")
	check(d, DENIED, False, "deny 192.0.2.3/32", "module", n + 3)
	reload(d, [LOCAL] + LINES)
	tap.ok(tap.wait_for(lambda: in_force(s).get("COUNT_V4") == 2, 30), "and few again", d.text())


class Denied:
	"""One who may not ask, and asks all the time."""

	def __init__(self, client, port=123):
		self.stream = fixture.Stream(client, rate=50)
		self.stream.s.close()
		self.stream.s = client.socket(socket.AF_INET, socket.SOCK_DGRAM)
		self.stream.s.bind((DENIED, 0))
		with client:
			self.stream.s.connect(("192.0.2.1", port))
		self.stream.start()

	def finish(self):
		tap.wait_for(lambda: self.stream.sent > 20, 30)
		self.stream.finish()
		tap.ok(not self.stream.answered and self.stream.sent > 20,
		       f"of {self.stream.sent} requests of one who may not ask none was answered meanwhile",
		       self.stream.summary())


def test_module_comes_back(d, s):
	mine = in_force(s)["GENERATION"]
	other = lambda: in_force(s).get("GENERATION") not in (None, mine)
	denied = Denied(s.client)
	s.g.detach()
	tap.ok(tap.wait_for(other, 60), "detached by somebody: attached again, with its list", d.text())
	soon(s.client, ALLOWED, True, "and then", d.text)
	s.g.close()
	netns.unload()
	netns.load()
	s.g = ntpknl.Genl(s.server)
	tap.ok(tap.wait_for(lambda: in_force(s).get("COUNT_V4") == 2, 60),
	       "unloaded and loaded again: the list is back", d.text())
	soon(s.client, ALLOWED, True, "and then", d.text)
	denied.finish()
	s.g.acl([], otherwise=1, generation=4711, name=theirs(s, ""))
	tap.ok(tap.wait_for(lambda: in_force(s).get("GENERATION") not in (None, 4711), 30),
	       "another list by somebody: ours again", d.text())
	soon(s.client, DENIED, False, "and then", d.text)


NAMED = ["listen all port 1123 acl cams", "allow 192.0.2.200 acl cams", "deny 192.0.2.3 acl lab"]
NAMED_SAYS = (f"{NOBODY} may not ask: there are allow lines, and none names it\n"
	      f"where listen has acl cams it may ask: allow {NOBODY}/32 (line 7)\n")


def check_named(d, s, who):
	verdicts(s.client, [ALLOWED], [DENIED, NOBODY], f"{who}: port 123 as before")
	verdicts(s.client, [NOBODY], [ALLOWED, DENIED, "2001:db8::2"], f"{who}: port 1123 by acl cams",
		 port=1123)
	p = subprocess.run([CTL, "-s", d.sock, "acl", "check", NOBODY], capture_output=True, text=True,
			   check=False)
	tap.same(p.stdout, NAMED_SAYS, f"{who}: ntpkctl acl check tells of both")


def test_named(d, s):
	lines = [LOCAL] + LINES
	reload(d, lines + NAMED)
	tap.ok(tap.wait_for(lambda: in_force(s, "cams").get("COUNT_V4") == 1, 30),
	       "a list with a name goes to the module", d.text())
	check_named(d, s, "module")
	tap.ok("acl lab count nowhere" in d.text(), "lines that no listener names are said", d.text())
	before = in_force(s), in_force(s, "cams")
	reload(d, lines + NAMED + ["listen all port 2123 acl lab"])
	verdicts(s.client, [ALLOWED, NOBODY], [DENIED], "another listener, another list", port=2123)
	tap.same((in_force(s), in_force(s, "cams")), before, "those that were there are not sent again")
	tap.same(names(s), ["", "cams", "lab"], "the module has three")
	said = d.command("set", line="listen all port 1123 acl nowhere")
	tap.ok("allow PREFIX acl nowhere" in str(said), "a listener without any line is refused", said)
	s.g.acl([], otherwise=1, generation=4711, name=theirs(s, "cams"))
	tap.ok(tap.wait_for(lambda: in_force(s, "cams").get("GENERATION", 4711) != 4711, 30),
	       "another list of this name by somebody: ours again", d.text())
	s.g.detach()
	soon(s.client, ALLOWED, True, "detached by somebody, and attached again", d.text)
	verdicts(s.client, [NOBODY], [ALLOWED, DENIED], "and then, port 1123", port=1123)
	reload(d, lines)
	tap.ok(tap.wait_for(lambda: names(s) == [""], 30), "the lists go with their listeners",
	       s.g.dump_acl_names())


def test_moves(d, s):
	"""A place goes from everybody's list to one of its own and back, under requests."""
	common = [LOCAL, "listen all port 1123", f"allow {ALLOWED}"]
	own = [LOCAL, "listen all port 1123 acl cams", f"allow {ALLOWED} acl cams"]
	reload(d, common)
	soon(s.client, DENIED, False, "before", d.text)
	denied, allowed = Denied(s.client, 1123), fixture.Stream(s.client, rate=50, port=1123)
	allowed.start()
	# the lists of leap seconds make it push by itself in the middle of a reload
	for i, lines in enumerate((own, common) * 3):
		reload(d, lines + [f"leapseclist /nowhere/{i}"])
	denied.finish()
	allowed.finish()
	tap.ok(not allowed.unanswered and allowed.answered > 20,
	       "and of one who may all were", allowed.summary())


def test_no_interface(d, s):
	"""A listener whose interface comes later."""
	reload(d, [LOCAL] + LINES + ["listen all port 1123 interface later0 acl cams",
				     f"allow {ALLOWED} acl cams"])
	before = d.text().count("gets them again"), in_force(s)
	tap.wait_for(lambda: False, 8)
	tap.same((d.text().count("gets them again"), in_force(s), names(s)), before + ([""],),
		 "a listener without its interface: its list is not sent, nor the others again")
	data = d.command("acl-check", address=DENIED).get("data", {})
	tap.ok(data.get("rule") == "deny 192.0.2.3/32" and not data["acls"][0]["allowed"] and
	       not data["acls"][0]["present"], "acl check tells of the others nevertheless", data)
	netns.sh("ip", "-n", s.server.name, "link", "add", "later0", "type", "veth")
	tap.ok(tap.wait_for(lambda: in_force(s, "cams").get("COUNT_V4") == 1, 30),
	       "it is sent with the interface", d.text()[-500:])
	s.server.sh("ip", "link", "del", "later0")
	reload(d, [LOCAL] + LINES)


def test_lines_go(d, s):
	"""A saved place whose lines go."""
	lines = [LOCAL, f"savedir {d.dir}"] + LINES
	reload(d, lines + [f"allow {ALLOWED} acl cams"])
	said = d.command("set", line="listen all port 1123 acl cams", save=True)
	tap.ok(answered(s.client, ALLOWED, 5, 1123), "a saved place", said)
	reload(d, lines)
	soon_not = tap.wait_for(lambda: not answered(s.client, ALLOWED, 0.5, 1123), 10)
	tap.ok(soon_not and answered(s.client, ALLOWED), "whose lines go: nobody may ask there", d.text()[-800:])
	said = d.command("unset", name="listen")
	reload(d, [LOCAL] + LINES)


def test_restart(d, s):
	d.kill()
	verdicts(s.client, [ALLOWED], [DENIED, NOBODY], "ntpkd is dead")
	denied = Denied(s.client)
	d.start()
	tap.ok(tap.wait_for(lambda: d.status().get("state"), 60), "ntpkd starts again", d.text())
	soon(s.client, ALLOWED, True, "and then", d.text)
	denied.finish()
	d.kill()
	write(d, [LOCAL])
	d.start()
	soon(s.client, DENIED, True, "started again without lines", d.text)
	s.g.acl([], otherwise=0, generation=4711)
	soon(s.client, DENIED, True, "without lines, a list by somebody", d.text)


def test_by_itself(s):
	"""The same without the module."""
	d = daemon.Ntpkd(s.server, LOCAL, *LINES, "kernel off")
	soon(s.client, ALLOWED, True, "kernel off, ntpkd by itself", d.text)
	verdicts(s.client, [ALLOWED, "2001:db8::2"], [DENIED, NOBODY, "2001:db8::3"], "ntpkd by itself")
	check(d, ALLOWED, True, "allow 192.0.2.0/25", "ntpkd", 2)
	check(d, NOBODY, False, None, "ntpkd")
	reload(d, [LOCAL] + LINES + NAMED + ["kernel off"])
	check_named(d, s, "ntpkd by itself")
	tap.same(d.stop(), 0, "ntpkd by itself ends well")


def main():
	daemon.need_ntpkd()
	s = fixture.served(attach=False)
	for host in (3, 200):
		s.client.sh("ip", "addr", "add", f"192.0.2.{host}/24", "dev", s.link.cdev)
		s.link.neigh(s.server, s.link.sdev, s.link.cmac, f"192.0.2.{host}")
	s.client.sh("ip", "addr", "add", "2001:db8::3/64", "dev", s.link.cdev, "nodad")
	s.link.neigh(s.server, s.link.sdev, s.link.cmac, "2001:db8::3")
	d = daemon.Ntpkd(s.server, LOCAL, *LINES)
	ready = tap.wait_for(lambda: s.g.status() == "sync" and in_force(s).get("COUNT_V4") == 2, 60)
	tap.ok(ready, "ntpkd gives the module its time and its list", d.text())
	test_first(d, s)
	test_reload(d, s)
	test_many(d, s)
	test_named(d, s)
	test_moves(d, s)
	test_no_interface(d, s)
	test_lines_go(d, s)
	test_module_comes_back(d, s)
	test_restart(d, s)
	tap.same(d.stop(), 0, "ntpkd ends well")
	s.g.detach()
	s.g.close()
	test_by_itself(s)


tap.run(main)
