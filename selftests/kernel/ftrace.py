# SPDX-License-Identifier: GPL-2.0-only
"""Which functions of the kernel run, and how often, by its function tracer."""
import contextlib
import os

import netns

TRACING = "/sys/kernel/tracing"


def trace_file(name, text=None):
	path = os.path.join(TRACING, name)
	if text is None:
		with open(path) as f:
			return f.read()
	with open(path, "w") as f:
		f.write(text)
	return None


def can():
	"""Has this kernel a function tracer?"""
	netns.sh("mount", "-t", "tracefs", "tracefs", TRACING, check=False)
	try:
		return "function" in trace_file("available_tracers").split()
	except OSError:
		return False


@contextlib.contextmanager
def functions(*names):
	"""Inside `with` calls() knows of these, each of which there must be."""
	try:
		trace_file("tracing_on", "0")
		# the kernel says of a name that it knows none such only where something follows it
		trace_file("set_ftrace_filter", "".join(f"{name}\n" for name in names))
		trace_file("current_tracer", "function")
		yield
	finally:
		trace_file("current_tracer", "nop")
		trace_file("set_ftrace_filter", "")
		trace_file("tracing_on", "1")


def calls(function, fn, *args, **kwargs):
	"""
	(what fn returned, [flags of each time that function ran meanwhile]): of the latter the
	first letter tells of interrupts, the second of rescheduling, the third of the context.
	"""
	trace_file("trace", "")
	trace_file("tracing_on", "1")
	result = fn(*args, **kwargs)
	trace_file("tracing_on", "0")
	lines = [line.split() for line in trace_file("trace").splitlines() if f" {function} " in line]
	# task-pid [cpu] flags time: function <-caller, where the task's name may have blanks
	return result, [line[line.index(function) - 2] for line in lines]
