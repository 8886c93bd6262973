# SPDX-License-Identifier: GPL-2.0-only
"""What the kernel has allocated, for tests that nothing is left behind."""
import glob
import re

import tap

# What stacks of processes and the like may take more; half of a table of clients.
VMALLOC_KIB = 4096

# What any process and any file takes; and the smallest, which move by slabs of 512 and 256
# objects, whatever anybody does: nothing of the module's is that small.
OTHERS = re.compile(r"""dentry|(?!sock_).*inode.*|filp|vm_area_struct|vma_lock|vm_area.*|anon_vma.*|maple_node|
	task_.*|thread.*|files_cache|fs_cache|signal.*|sighand.*|mm_struct|pid.*|cred_jar|names_cache|radix_tree_node|
	lsm_.*|buffer_head|bio.*|.*9p.*|fasync.*|ep_.*|eventpoll.*|file_lock.*|kmalloc-(?:cg-)?(8|16)|kmalloc-rcl-.*|
	kmalloc-rnd-.*-(8|16)|debug_objects_cache|khugepaged.*|uts_namespace|numa_policy|jbd2.*|ext4.*|
	key_jar|seq_file|proc_dir_entry|pde_opener|shared_policy.*|tracefs.*|perf_event|Acpi.*""", re.X)


def shrink(caches="*"):
	"""What is free in slabs, and what KASAN keeps of it though freed, goes back."""
	for path in glob.glob(f"/sys/kernel/slab/{caches}/shrink"):
		with open(path, "w") as f:
			f.write("1")


def slabs(wanted):
	"""{cache: live objects} of those that have any; empty where that is not told."""
	try:
		with open("/proc/slabinfo") as f:
			rows = [line.split()[:2] for line in f]
	except OSError:
		return {}
	return {name: int(active) for name, active in rows if active.isdigit() and int(active) and wanted(name)}


def memory(every=False):
	"""
	{figure: value}: live objects of every kmalloc cache where told, with every those of
	all other caches but OTHERS, and KiB of the rest.
	"""
	wanted = lambda name: (every or name.startswith("kmalloc-")) and not OTHERS.fullmatch(name)
	for name in slabs(wanted):
		shrink(name)
	out = slabs(wanted)
	with open("/proc/meminfo") as f:
		for line in f:
			name, value = line.split()[:2]
			if name in ("Percpu:", "SUnreclaim:", "VmallocUsed:"):
				out[name + " KiB"] = int(value)
	return out


def growth(before, limit, every=False):
	"""{figure: growth} of those that have grown by more than limit(figure)."""
	return {k: v - before.get(k, 0) for k, v in memory(every).items() if v - before.get(k, 0) > limit(k)}


def left_behind(before, limit, seconds, every=True, pause=1):
	"""
	{figure: growth} of what has grown by more than limit(figure) each time that it is weighed.
	A slab that is being filled counts as full, so that a figure may be too large, never too small.
	"""
	least = None
	def clean():
		nonlocal least
		now = growth(before, limit, every)
		least = now if least is None else {k: min(v, now[k]) for k, v in least.items() if k in now}
		return not least
	tap.wait_for(clean, seconds, every=pause)
	return least


def settle(every=False):
	"""Until the worker that takes namespaces down has little left to do."""
	last = memory(every)
	def quiet():
		nonlocal last
		now, was = memory(every), last
		last = now
		return all(abs(now.get(k, 0) - was.get(k, 0)) < 64 for k in {*now, *was})
	tap.wait_for(quiet, 30, every=1)


def differences(before, after):
	"""For a note."""
	change = {k: after.get(k, 0) - before.get(k, 0) for k in {**before, **after}}
	return ", ".join(f"{k} {v:+d}" for k, v in change.items() if v) or "no change"


def slope(points):
	"""Of the line nearest to points (x, y); 0 where there is none."""
	n = len(points)
	x0, y0 = sum(x for x, _ in points) / max(n, 1), sum(y for _, y in points) / max(n, 1)
	wide = sum((x - x0) ** 2 for x, _ in points)
	return sum((x - x0) * (y - y0) for x, y in points) / wide if wide else 0


def trend(samples):
	"""
	{figure: growth}, by the slope over the last two thirds of what memory() gave at equal
	distances: what is filled once at the beginning is no growth, and no single sample counts much.
	"""
	late = samples[len(samples) // 3:]
	return {k: slope([(x, one.get(k, 0)) for x, one in enumerate(late)]) * (len(late) - 1) for k in samples[-1]}
