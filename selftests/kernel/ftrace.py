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


@contextlib.contextmanager
def functions(*names):
	"""Inside `with` calls() knows of these; OSError where there is no function tracer."""
	netns.sh("mount", "-t", "tracefs", "tracefs", TRACING, check=False)
	trace_file("tracing_on", "0")
	trace_file("set_ftrace_filter", " ".join(names))
	trace_file("current_tracer", "function")
	try:
		yield
	finally:
		trace_file("current_tracer", "nop")
		trace_file("set_ftrace_filter", "")
		trace_file("tracing_on", "1")


def calls(function, fn, *args, **kwargs):
	"""(what fn returned, how often that function ran meanwhile)."""
	trace_file("trace", "")
	trace_file("tracing_on", "1")
	result = fn(*args, **kwargs)
	trace_file("tracing_on", "0")
	return result, sum(f" {function} " in line for line in trace_file("trace").splitlines())
