# SPDX-License-Identifier: GPL-2.0-only
"""
The clock of a network device that a test module makes: what it shows, and the map of it;
and a server behind such a device.
"""
import contextlib
import os

import fixture
import netns
import tap

MS, S = 10**6, 10**9
PARAMETERS = "/sys/module/hwstamp/parameters"
EPOCH_NS = 1790000037 * S	# of the clock: some TAI


class Clock:
	"""The test module: what its clock shows, and what it writes."""

	def __init__(self):
		path = netns.kmod_path("hwstamp")
		if not os.path.exists(path):
			tap.skip_all(f"no {path}")
		self.rate_ppb = 250000
		netns.insmod_kmod("hwstamp")
		self.set(rate_ppb=self.rate_ppb)
		self.reset()

	def reset(self):
		self.set(on=1, offset_ns=EPOCH_NS, earlier_ns=3 * MS, read=0, tx=0, later_ns=0, report_ms=0)

	def set(self, **what):
		for name, value in what.items():
			with open(f"{PARAMETERS}/{name}", "w") as f:
				f.write(str(value))

	def came_raw_ns(self):
		with open(f"{PARAMETERS}/came_raw_ns") as f:
			return int(f.read())

	def settle(self):
		"""Until the transmit stamp that is on its way has been reported."""
		def is_idle():
			with open(f"{PARAMETERS}/is_kept") as f:
				return f.read() == "0\n"
		tap.wait_for(is_idle, 20, 0.005)

	def left_raw_ns(self):
		with open(f"{PARAMETERS}/left_raw_ns") as f:
			return int(f.read())

	def shows_ns(self, raw_ns):
		return EPOCH_NS + raw_ns + raw_ns // 1000 * self.rate_ppb // 10**6

	def map(self, ifindex, age_ns=0, **change):
		raw = netns.raw_ns() - age_ns
		what = {"IFINDEX": ifindex, "PHC_NS": self.shows_ns(raw), "RAW_NS": raw,
			"RATE": round((1 / (1 + self.rate_ppb / 1e9) - 1) * 2**48), "ERR_NS": 100,
			"SKEW_PPB": 0, "VALID_UNTIL_NS": raw + 60 * S, "RX_LATER_NS": 0}
		what.update(change)
		return {k: v for k, v in what.items() if v is not None}

	@contextlib.contextmanager
	def but(self, **what):
		self.set(**what)
		yield
		self.reset()


class Bench:
	"""
	s (what fixture.served() has), g, clock, dev (the server's device, which has that clock) and
	state: served time runs 50 ppm fast, and has no error but that of stamps.
	"""

	def __init__(self):
		self.s = fixture.served()
		self.g, self.clock = self.s.g, Clock()
		self.dev = netns.ifindex(self.s.server, self.s.link.sdev)
		self.push()

	def push(self):
		self.state = self.g.push_default(RATE_Q48=50 * 2**48 // 10**6, ROOT_DISP_NS=0,
						 DISP_RATE_PPB=0, PRECISION_LOG2S=-30)

	def set(self, dev=None, **change):
		"""The map of a device, this one unless told; what it is."""
		what = self.clock.map(dev or self.dev, **change)
		self.g.set_phc(**what)
		return what
