# SPDX-License-Identifier: GPL-2.0-only
"""Allocations that are made to fail: the debug kernel's failslab."""
import contextlib
import os

import tap

FAILSLAB = "/sys/kernel/debug/failslab"
# Not reached: more than anything here allocates.
NEVER = 1 << 20


def can():
	return os.path.isdir(FAILSLAB)


def set_failslab(**values):
	for name, value in values.items():
		with open(os.path.join(FAILSLAB, name.replace("_", "-")), "w") as f:
			f.write(str(value))


class FailNth:
	"""The fail-nth of a task: its n-th allocation from now on fails."""

	def __init__(self, path):
		self.fd = os.open(path, os.O_RDWR)

	def close(self):
		if self.fd is not None:
			os.close(self.fd)
			self.fd = None

	def set(self, nth):
		os.pwrite(self.fd, b"%d" % nth, 0)

	def end(self):
		"""How many allocations it was away from that; 0: it failed."""
		left = int(os.pread(self.fd, 16, 0).rstrip(b"\0\n") or 0)
		self.set(0)
		return left


def ready():
	"""failslab counts all that may wait, and says nothing."""
	set_failslab(ignore_gfp_wait="N", verbose=0, probability=0)
	tap.later(set_failslab, ignore_gfp_wait="Y")


class Nth:
	"""One allocation of the calling thread fails, whatever asks for it; nobody else's do."""

	def __init__(self):
		ready()
		self.task = FailNth("/proc/thread-self/fail-nth")
		tap.later(self.task.close)

	def begin(self, nth):
		self.task.set(nth)

	def end(self):
		return self.task.end()

	def call(self, nth, fn, *args):
		"""(what fn returned, or the OSError that it raised; was it hit?)"""
		self.begin(nth)
		try:
			result = fn(*args)
		except (OSError, MemoryError) as e:
			result = e
		finally:
			left = self.end()
		return result, not left

	def count(self, fn, *args):
		"""How many allocations fn makes, all of which succeed."""
		self.begin(NEVER)
		try:
			fn(*args)
		finally:
			left = self.end()
		return NEVER - left


def workers():
	"""The kernel's workers that are there now."""
	for pid in filter(str.isdigit, os.listdir("/proc")):
		try:
			with open(f"/proc/{pid}/comm") as f:
				if f.read().startswith("kworker/"):
					yield pid
		except OSError:
			pass	# it went


class Workers:
	"""One allocation of each worker of the kernel fails, as it does what fn leaves to one."""

	def __init__(self):
		ready()

	def call(self, nth, fn, *args):
		"""As Nth.call(); it was hit where any of them was."""
		tasks = []
		try:
			for pid in workers():
				with contextlib.suppress(OSError):
					task = FailNth(f"/proc/{pid}/fail-nth")
					tasks.append(task)
					task.set(nth)
			try:
				result = fn(*args)
			except (OSError, MemoryError) as e:
				result = e
		finally:
			hit = False
			for task in tasks:
				with contextlib.suppress(OSError):
					hit |= not task.end()
				task.close()
		return result, hit
