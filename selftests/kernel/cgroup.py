# SPDX-License-Identifier: GPL-2.0-only
"""A memory cgroup for the test's process and all that it starts, to see what is charged to it."""
import ctypes
import os
import re

import fixture
import netns
import tap

PR_SET_THP_DISABLE = 41


class Cgroup:
	"""Not where works is false: this kernel has no memory controller."""

	def __init__(self):
		top = "/sys/fs/cgroup"
		if not os.path.exists(f"{top}/cgroup.controllers"):
			top = fixture.tmpdir()
			netns.sh("mount", "-t", "cgroup2", "none", top)
			tap.later(netns.sh, "umount", "-l", top, check=False)
		with open(f"{top}/cgroup.controllers") as f:
			self.works = "memory" in f.read().split()
		if not self.works:
			return
		self.write(f"{top}/cgroup.subtree_control", "+memory")
		# huge pages that the kernel makes of what this program has had before would be charged
		ctypes.CDLL(None).prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0)
		self.path = f"{top}/ntpk-test-{os.getpid()}"
		os.mkdir(self.path)
		tap.later(os.rmdir, self.path)
		tap.later(self.write, f"{top}/cgroup.procs", os.getpid())
		self.write(f"{self.path}/cgroup.procs", os.getpid())
		# a child without rights may read it, too
		self.stat = os.open(f"{self.path}/memory.stat", os.O_RDONLY)

	@staticmethod
	def write(path, value):
		with open(path, "w") as f:
			f.write(str(value))

	def charged(self):
		"""Bytes, those of the program among them."""
		with open(f"{self.path}/memory.current") as f:
			return int(f.read())

	def kernel(self):
		"""Bytes of the kernel's own, as they were up to two seconds ago."""
		text = os.pread(self.stat, 1 << 16, 0).decode()
		return int(re.search(r"^kernel (\d+)$", text, re.M)[1])


def own(what):
	"""A Cgroup; None, and what is skipped, where there is none."""
	try:
		group = Cgroup()
	except (OSError, RuntimeError) as e:
		tap.skip(what, f"no memory cgroup here: {e}")
		return None
	if group.works:
		return group
	tap.skip(what, "no memory controller in this kernel")
	return None
