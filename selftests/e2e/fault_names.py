# SPDX-License-Identifier: GPL-2.0-only
"""Names that lead nowhere, late, to ourselves or astray; one server that is right."""
import fakes
import lab
import tap

FAST = "iburst minpoll 0 maxpoll 1"


class Names:
	"""One ntpkd with a name of each kind, beside one server by address."""

	def __init__(self, world):
		self.line = fakes.Line.now()
		self.good = fakes.Ntp(world.ns, world.address(), self.line)
		self.late = fakes.Ntp(world.ns, world.address(), self.line)
		self.moved = fakes.Ntp(world.ns, world.address(), self.line)
		self.nobody = world.address()		# nothing listens there
		ns = world.place("names")
		self.dns = fakes.Dns(world.ns, world.address(), {
			"slow.test": [self.late.addr], "self.test": ["127.0.0.1"],
			"astray.test": [self.nobody]}, deaf=["dead.test"], slow={"slow.test": 5})
		lab.resolv_conf(ns, f"nameserver {self.dns.addr}", "options timeout:7 attempts:1")
		self.d = lab.start(ns, f"server {self.good.addr} {FAST}",
				   *(f"server {name}.test {FAST}" for name in
				     ("dead", "slow", "self", "astray", "none")))

	def look(self):
		d = self.d
		lab.ok(d.becomes("synchronised"), "names: ntpkd synchronises by the server that has none", d)
		lab.ok(d.says(r"none\.test: .*(not known|No address)"),
		       "names: an unknown one is said", d)
		lab.ok(d.says(r"dead\.test: .*(failure|again)", 30), "a deaf DNS: is said", d)
		lab.ok("dead.test" in d.ctl("upstream", "list") and
		       "name resolution" in d.ctl("upstream", "list"),
		       "a deaf DNS: `ntpkctl upstream list` says why", d)
		before = d.text().count("dead.test:")
		lab.ok(d.shows(self.late.addr, "combined"), "a DNS that takes 5 s: the source is used", d)
		lab.ok(d.says(r"self\.test: the DNS says 127\.0\.0\.1, a loopback address: refused"),
		       "a name that leads to ourselves: refused, which is said", d)
		self.astray()
		lab.ok(d.text().count("dead.test:") == before, "a deaf DNS: is said once", d)
		self.heal()
		lab.ok(d.status()["state"] == "synchronised" and d.text().count("synchronised to ") == 1,
		       "names: ntpkd was synchronised all the time", d)
		tap.same(d.stop(), 0, "names: ntpkd ends well")

	def astray(self):
		d = self.d
		row = d.shows(self.nobody, "no reply to the last eight requests", seconds=40)
		lab.ok(row, f"a name that leads to no server: {row}", d)
		lab.ok(d.says(r"astray\.test.* does not answer any more"),
		       "a name that leads to no server: is said", d)
		self.dns.names["astray.test"] = [self.nobody, self.moved.addr]

	def heal(self):
		d = self.d
		lab.ok(d.says(rf"astray\.test: trying {self.moved.addr} instead of {self.nobody}", 120),
		       "a name that leads to no server: another address of it is tried, and said", d)
		lab.ok(d.shows(self.moved.addr, "combined"), "and used", d)
		self.dns.names["dead.test"] = [self.late.addr]
		self.dns.deaf.clear()
