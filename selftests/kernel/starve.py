# SPDX-License-Identifier: GPL-2.0-only
"""Allocations that are made to fail: the debug kernel's failslab."""
import os

import tap

FAILSLAB = "/sys/kernel/debug/failslab"


def can():
	return os.path.isdir(FAILSLAB)


def set_failslab(**values):
	for name, value in values.items():
		with open(os.path.join(FAILSLAB, name.replace("_", "-")), "w") as f:
			f.write(str(value))


class Nth:
	"""One allocation of the calling thread fails, whatever asks for it; nobody else's do."""

	def __init__(self):
		set_failslab(ignore_gfp_wait="N", verbose=0, probability=0)
		tap.later(set_failslab, ignore_gfp_wait="Y")
		self.fd = os.open("/proc/thread-self/fail-nth", os.O_RDWR)
		tap.later(self.close)

	def close(self):
		if self.fd is not None:
			os.close(self.fd)
			self.fd = None

	def call(self, nth, fn, *args):
		"""(what fn returned, or the OSError that it raised; was it hit?)"""
		os.pwrite(self.fd, b"%d" % nth, 0)
		try:
			result = fn(*args)
		except (OSError, MemoryError) as e:
			result = e
		finally:
			left = int(os.pread(self.fd, 16, 0).rstrip(b"\0\n") or 0)
			os.pwrite(self.fd, b"0", 0)
		return result, not left

	def count(self, fn, *args):
		"""How many allocations fn makes, all of which succeed."""
		many = 1 << 20
		os.pwrite(self.fd, b"%d" % many, 0)
		try:
			fn(*args)
		finally:
			left = int(os.pread(self.fd, 16, 0).rstrip(b"\0\n") or 0)
			os.pwrite(self.fd, b"0", 0)
		return many - left
