# SPDX-License-Identifier: GPL-2.0-only
"""Loading the module while something fails."""
import ctypes
import errno
import os

import fixture
import netns
import tap

SYS_FINIT_MODULE = 313	# x86_64
# The second is what the kernel says where it has none for a socket.
NO_MEMORY = errno.ENOMEM, errno.ENFILE


def finit_module(fd, params=b""):
	if netns.libc.syscall(SYS_FINIT_MODULE, fd, params, 0):
		raise OSError(ctypes.get_errno(), "finit_module")


def opened():
	"""The module's file, and the module is away."""
	netns.unload()
	fd = os.open(netns.module_path(), os.O_RDONLY | os.O_CLOEXEC)
	tap.later(os.close, fd)
	return fd


def works(link):
	"""None where a freshly loaded module serves."""
	s = fixture.Served(link=link)
	state = s.g.push_default()
	fault = s.wire.sync_reply(state)
	s.g.close()
	s.wire.s.close()
	return fault


def once(fail, fd, n, link):
	"""With the n-th of what fail counts failing: (was it hit, was it refused, what is wrong); it is away again."""
	result, hit = fail.call(n, finit_module, fd)
	if not isinstance(result, OSError):
		fault = works(link)
		netns.unload()
		return hit, False, fault
	if result.errno not in NO_MEMORY:
		return hit, True, f"no. {n}: {result}"
	left = [p for p in (netns.SYS, "/sys/module/ntpk") if os.path.exists(p)]
	return hit, True, f"no. {n}: refused, and leaves {left}" if left else None
