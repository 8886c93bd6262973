# SPDX-License-Identifier: GPL-2.0-only
"""
The end of June 2027 with a second more, with one less, with one server that
makes it up, and with a list that knows better than all servers.
"""
import os

import daemon
import fakes
import fixture
import lab
import netns
import tap
from fault_clock import clock_error_ns

S, MS = 10**9, 10**6
FAST = "iburst minpoll 0 maxpoll 0"
LEAP_NS = 1814400000 * S		# 2027-07-01 00:00:00
LEAD_S = 120
NTP_LEAP_S = LEAP_NS // S + 2208988800
# IERS's list as it is, but for a leap second of the test's own (TAI - UTC 37 to 38)
LEAPSECONDS = f"""#$\t{NTP_LEAP_S - 90 * 86400}
#@\t{NTP_LEAP_S + 90 * 86400}
3692217600\t37
{NTP_LEAP_S}\t38
"""
TEXTS = {0: "none", 1: "a second will be inserted", 2: "a second will be left out"}


class Year:
	"""One ntpkd whose three servers agree on what this night brings."""

	def __init__(self, world, what, leap, *lines, args=("-x",), announced=(None, None, None)):
		self.what, self.leap, self.control = what, leap, not args
		self.line = fakes.Line.now(leap=leap, leap_ns=LEAP_NS)
		self.servers = [fakes.Ntp(world.ns, world.address(), self.line, leap=a) for a in announced]
		self.ns, self.client = world.place("leap"), world.place("client")
		self.d = lab.start(self.ns, *(f"server {s.addr} {FAST}" for s in self.servers), *lines,
				   args=args)
		self.leaps, self.unsync, self.near = set(), 0, 0
		self.stream = fixture.Stream(self.client, dst=self.ns.addr, rate=20, check=self.check)

	def to_leap_ns(self, raw):
		"""How long ago the leap was; negative before."""
		return raw + self.line.offset_ns - LEAP_NS + (S if self.leap == 2 else 0)

	def check(self, _req, reply, raw0, raw1):
		"""Like daemon.Truth, but blind for a second and a half on either side."""
		if self.to_leap_ns(raw1) > -1.5 * S and self.to_leap_ns(raw0) < 1.5 * S:
			self.near += 1
			return None
		if reply.leap == 3:
			self.unsync += 1
			return None
		if self.to_leap_ns(raw0) < 0:
			self.leaps.add(reply.leap)
		early, late = self.line.at(raw0) - reply.t2_ns, reply.t3_ns - self.line.at(raw1)
		if max(early, late) > reply.root_dist_ns:
			return f"{max(early, late) / 1e6:.3f} ms off, claims {reply.root_dist_ns / 1e6:.3f} ms"
		return None

	def before(self):
		d = self.d
		lab.ok(d.becomes("synchronised"), f"{self.what}: ntpkd synchronises", d)
		text = tap.wait_for(lambda: next((line for line in d.ctl("status").splitlines()
						  if line.startswith("Leap second") and
						  TEXTS[self.leap] in line), None), 20, 0.5)
		lab.ok(text, f"{self.what}: `ntpkctl status` says: {text}", d)
		self.stream.start()
		lab.ok(self.to_leap_ns(netns.raw_ns()) < -2 * S, f"{self.what}: all that before midnight", d)

	def after(self):
		d = self.d
		# 10 s after it the votes count again
		tap.wait_for(lambda: self.to_leap_ns(netns.raw_ns()) > 13 * S, LEAD_S + 60, 0.2)
		lab.ok(d.becomes("synchronised", 20), f"{self.what}: synchronised afterwards", d)
		self.stream.wait_answers(40)
		self.stream.finish()
		tap.same(self.leaps, {self.leap}, f"{self.what}: leap {self.leap} is served before it")
		lab.ok(self.stream.answered > 100 and not self.stream.bad,
		       f"{self.what}: {self.stream.answered - self.near} replies within the claimed root "
		       f"distance, {self.unsync} unsynchronised", d)
		tap.note(f"{self.what}: {self.stream.summary()}")
		lab.ok(f"Leap second     : {TEXTS[0]}" in d.ctl("status"), f"{self.what}: it is over", d)
		if self.control:
			lab.ok(abs(clock_error_ns(self.line)) < 50 * MS, f"{self.what}: the clock has "
			       f"leapt too, {clock_error_ns(self.line) / MS:+.3f} ms off", d)
		tap.same(d.stop(), 0, f"{self.what}: ntpkd ends well")
		tap.note(d.text())


def list_file(world):
	"""A leapseclist, where this ntpkd knows the directive."""
	where = fixture.tmpdir()
	os.chmod(where, 0o755)
	path, conf = (os.path.join(where, n) for n in ("leap-seconds.list", "conf"))
	with open(path, "w") as f:
		f.write(LEAPSECONDS)
	with open(conf, "w") as f:
		f.write(f"leapseclist {path}\n")
	p = netns.sh(daemon.NTPKD, "-t", "-f", conf, check=False)
	if p.returncode:
		tap.skip("the list inserts", f"ntpkd does not take leapseclist: {p.stdout.strip()}")
		return []
	return [Year(world, "the list inserts, servers are silent about it", 1, "kernel off",
		     f"leapseclist {path}", announced=(0, 0, 0))]


def night(world, first, *others):
	"""From before midnight to after it, several at once; first steers the clock."""
	netns.set_realtime_ns(LEAP_NS - LEAD_S * S)
	years = [first(world)] + [y for make in others for y in make(world)]
	for year in years:
		year.before()
	for year in years:
		year.after()


def leap(world):
	"""One night; the long form has a second one, in which the clock loses a second."""
	night(world, lambda w: Year(w, "inserted", 1, args=()),
	      lambda w: [Year(w, "left out", 2, "kernel off")],
	      lambda w: [Year(w, "one of three makes it up", 0, "kernel off", announced=(0, 0, 1))],
	      list_file)
	if tap.env_int("NTPK_FAULT_S", 20) >= 300:
		night(world, lambda w: Year(w, "left out, clock too", 2, args=()))
