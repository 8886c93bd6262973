# SPDX-License-Identifier: GPL-2.0-only
"""
TAP output, waiting for conditions and cleaning up, for the tests in this folder.

A test is a function handed to run(): it calls ok() for each thing it shows.
Exit status as kselftest has it: 0 passed, 1 failed, 4 skipped as a whole.
Cleanups registered with later() run in reverse order, whatever happened.
"""
import contextlib
import os
import signal
import sys
import time
import traceback

_count = 0
_failed = 0
_stack = contextlib.ExitStack()


class SkipAll(Exception):
	"""The whole test cannot run here."""


def note(text):
	"""A line that is no result: figures, what is being done."""
	for line in str(text).splitlines() or [""]:
		print("#", line, flush=True)


def ok(cond, what, detail=None):
	"""One result.  detail is printed only where it failed."""
	global _count, _failed
	_count += 1
	print("ok" if cond else "not ok", _count, "-", what.replace("#", "no."), flush=True)
	if not cond:
		_failed += 1
		if detail is not None:
			note(detail)
	return bool(cond)


def same(got, want, what):
	"""got == want, and both are shown where not."""
	return ok(got == want, what, f"got  {got!r}\nwant {want!r}")


def skip(what, why):
	"""One result that cannot be had here, and why."""
	global _count
	_count += 1
	print(f"ok {_count} - {what} # SKIP {why}", flush=True)


def ok_stock(cond, what, why, detail=None):
	"""One result that a stock kernel alone can give; why the debug kernel cannot."""
	if is_uml():
		skip(what, why)
	else:
		ok(cond, what, detail)


def skip_all(why):
	raise SkipAll(why)


def later(fn, *args, **kwargs):
	"""Call fn at the end, last registered first."""
	_stack.callback(fn, *args, **kwargs)


def wait_for(cond, seconds=10.0, every=0.02):
	"""Poll cond until it is true; its value, or the last false one."""
	end = time.monotonic() + seconds * slow()
	while True:
		value = cond()
		if value or time.monotonic() > end:
			return value
		time.sleep(every)


def is_uml():
	"""In user-mode Linux: the debug kernel."""
	with open("/proc/cpuinfo") as f:
		return "User Mode Linux" in f.read()


def slow():
	"""By how much longer things may take here than on a stock kernel in QEMU."""
	if os.environ.get("RIG_ICOUNT"):
		return 1000	# while the host reads a file for us the clock leaps ahead
	return 5 if is_uml() else 1


def env_int(name, quick, debug=None):
	"""A size: from the environment, else one for this kernel."""
	value = os.environ.get(name)
	if value:
		return int(value)
	return debug if debug is not None and is_uml() else quick


def _terminate(signum, _frame):
	raise SystemExit(128 + signum)


def run(main):
	"""Run one test to its exit status.  One CPU, so that packets stay in order."""
	global _failed
	signal.signal(signal.SIGTERM, _terminate)
	signal.signal(signal.SIGINT, _terminate)
	os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
	why = None
	try:
		with _stack:
			main()
	except SkipAll as e:
		why = str(e)
	except Exception:	# any way to die is a failed test
		ok(False, "the test runs to its end", traceback.format_exc())
	if why is not None and not _count:
		print("1..0 # SKIP", why)
		sys.exit(4)
	if why is not None:
		skip("the rest", why)
	if not _count:
		ok(False, "the test shows something")
	print(f"1..{_count}", flush=True)
	sys.exit(1 if _failed else 0)
