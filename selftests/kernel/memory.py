# SPDX-License-Identifier: GPL-2.0-only
"""What the kernel has allocated, for tests that nothing is left behind."""
import glob

import tap


def shrink(caches="*"):
	"""What is free in slabs, and what KASAN keeps of it though freed, goes back."""
	for path in glob.glob(f"/sys/kernel/slab/{caches}/shrink"):
		with open(path, "w") as f:
			f.write("1")


def memory():
	"""
	{figure: value}: live objects of every kmalloc cache where told, KiB of the rest.
	Without the smallest: they move by slabs of 512 and 256 objects, whatever
	anybody does, and nothing of the module's is that small.
	"""
	shrink("kmalloc-*")
	out = {}
	with open("/proc/meminfo") as f:
		for line in f:
			name, value = line.split()[:2]
			if name in ("Percpu:", "SUnreclaim:"):
				out[name + " KiB"] = int(value)
	try:
		with open("/proc/slabinfo") as f:
			for line in f:
				name, active = line.split()[:2]
				if name.startswith("kmalloc-") and name not in ("kmalloc-8", "kmalloc-16"):
					out[name] = int(active)
	except OSError:
		pass
	return out


def settle():
	"""Until the worker that takes namespaces down has little left to do."""
	last = memory()
	def quiet():
		nonlocal last
		now, was = memory(), last
		last = now
		return all(abs(now[k] - was[k]) < 64 for k in was)
	tap.wait_for(quiet, 30, every=1)


def differences(before, after):
	"""For a note."""
	return ", ".join(f"{k} {after[k] - before[k]:+d}" for k in before if after[k] != before[k]) or "no change"
