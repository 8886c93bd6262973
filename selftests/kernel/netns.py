# SPDX-License-Identifier: GPL-2.0-only
"""
Network namespaces, commands and the module, for the tests in this folder.

Namespaces have random names and go away at the end of the test, as do the
processes started here.  Needs root in a machine made for tests: load() refuses
anywhere else.
"""
import ctypes
import fcntl
import os
import secrets
import signal
import socket
import struct
import subprocess
import time

import tap

CLONE_NEWNET = 0x40000000
CLONE_NEWUSER = 0x10000000
SYS = "/sys/kernel/ntpk"
TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.path.join(TREE, "build/user/bin")

libc = ctypes.CDLL(None, use_errno=True)


def setns(fd, kind=CLONE_NEWNET):
	if libc.setns(fd, kind):
		raise OSError(ctypes.get_errno(), "setns")


def unshare(kind):
	if libc.unshare(kind):
		raise OSError(ctypes.get_errno(), "unshare")


def sh(*args, check=True, timeout=60, **kwargs):
	"""Run a command; its output comes back as text and is shown where it fails."""
	if len(args) == 1:
		args = args[0].split()
	p = subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
			   timeout=timeout * tap.slow(), **kwargs)
	if check and p.returncode:
		raise RuntimeError(f"{' '.join(args)}: exit {p.returncode}: {p.stdout}")
	return p


class Ns:
	"""A network namespace of its own; `with ns:` puts the calling thread into it."""

	def __init__(self, role):
		self.name = f"ntpk-{role}-{secrets.token_hex(3)}"
		sh("ip", "netns", "add", self.name)
		tap.later(self.delete)
		self.fd = os.open(f"/run/netns/{self.name}", os.O_RDONLY)
		self.home = []
		self.sh("ip link set lo up")
		for key, value in (("ipv4/icmp_ratelimit", 0), ("ipv6/icmp/ratelimit", 0),
				   ("ipv4/conf/all/rp_filter", 0),
				   ("ipv4/conf/default/rp_filter", 0),
				   ("ipv6/conf/default/accept_dad", 0),
				   ("ipv6/conf/default/router_solicitations", 0)):
			self.sysctl(key, value)

	def __enter__(self):
		self.home.append(os.open("/proc/thread-self/ns/net", os.O_RDONLY))
		setns(self.fd)
		return self

	def __exit__(self, *exc):
		fd = self.home.pop()
		setns(fd)
		os.close(fd)

	def args(self, *args):
		return ["ip", "netns", "exec", self.name, *args]

	def sh(self, *args, **kwargs):
		if len(args) == 1:
			args = args[0].split()
		return sh(*self.args(*args), **kwargs)

	def socket(self, *args):
		with self:
			return socket.socket(*args)

	def sysctl(self, key, value):
		"""Set one below /proc/sys/net, which shows the calling thread's namespace."""
		with self:
			with open(f"/proc/sys/net/{key}", "w") as f:
				f.write(str(value))

	def nft(self, text):
		self.sh("nft", "-f", "-", input=text)

	def delete(self):
		if self.fd is not None:
			os.close(self.fd)
			self.fd = None
			sh("ip", "netns", "del", self.name, check=False)


class InitNs(Ns):
	"""The machine's first namespace, by the same face."""

	def __init__(self):
		self.name = None
		self.fd = os.open("/proc/1/ns/net", os.O_RDONLY)
		self.home = []
		for key in ("ipv4/icmp_ratelimit", "ipv6/icmp/ratelimit"):
			self.sysctl(key, 0)

	def args(self, *args):
		return list(args)


def mac(ns, dev):
	with ns.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
		return fcntl.ioctl(s, 0x8927, struct.pack("16s16x", dev.encode()))[18:24]


def ifindex(ns, dev):
	with ns:
		return socket.if_nametoindex(dev)


def no_tx_checksum(ns, dev):
	"""Have checksums filled in before the wire, so that a capture shows them."""
	value = ctypes.create_string_buffer(struct.pack("II", 0x17, 0))	# ETHTOOL_STXCSUM
	with ns.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
		fcntl.ioctl(s, 0x8946, struct.pack("16sQ16x", dev.encode(), ctypes.addressof(value)))


class Link:
	"""A veth between a server and a client namespace, 192.0.2.0/24 and 2001:db8::/64."""

	def __init__(self, server=None, client=None):
		self.server = server or Ns("server")
		self.client = client or Ns("client")
		self.sdev = "s" + secrets.token_hex(3)
		self.cdev = "c" + secrets.token_hex(3)
		sh("ip", "link", "add", self.cdev, "netns", self.client.name, "type", "veth",
		   "peer", "name", self.sdev)
		if self.server.name:
			sh("ip", "link", "set", self.sdev, "netns", self.server.name)
		else:
			tap.later(sh, "ip", "link", "del", self.sdev, check=False)
		self.up(self.server, self.sdev, 1, 11)
		self.up(self.client, self.cdev, 2)
		no_tx_checksum(self.server, self.sdev)
		self.smac, self.cmac = mac(self.server, self.sdev), mac(self.client, self.cdev)
		self.neigh(self.server, self.sdev, self.cmac, "192.0.2.2", "2001:db8::2",
			   linklocal(self.cmac))
		self.neigh(self.client, self.cdev, self.smac, "192.0.2.1", "192.0.2.11",
			   "2001:db8::1", "2001:db8::11", linklocal(self.smac))
		self.sll, self.cll = linklocal(self.smac), linklocal(self.cmac)

	@staticmethod
	def up(ns, dev, *hosts):
		ns.sysctl(f"ipv6/conf/{dev}/accept_dad", 0)
		ns.sysctl(f"ipv4/conf/{dev}/rp_filter", 0)
		ns.sh("ip", "link", "set", dev, "up")
		for host in hosts:
			ns.sh("ip", "addr", "add", f"192.0.2.{host}/24", "broadcast", "+", "dev", dev)
			ns.sh("ip", "addr", "add", f"2001:db8::{host}/64", "dev", dev, "nodad")

	@staticmethod
	def neigh(ns, dev, lladdr, *addrs):
		for addr in addrs:
			ns.sh("ip", "neigh", "replace", addr, "lladdr", lladdr.hex(":"),
			      "nud", "permanent", "dev", dev)


def linklocal(m):
	"""The address that a device with this MAC gives itself (RFC 4291 appendix A)."""
	raw = b"\xfe\x80" + bytes(6) + bytes([m[0] ^ 2]) + m[1:3] + b"\xff\xfe" + m[3:6]
	return socket.inet_ntop(socket.AF_INET6, raw)


def stop(p, sig=signal.SIGTERM):
	"""End a process that was started here."""
	if p.poll() is None:
		p.send_signal(sig)
		try:
			p.wait(10 * tap.slow())
		except subprocess.TimeoutExpired:
			p.kill()
			p.wait()


def spawn(ns, *args, **kwargs):
	"""Start a process in a namespace; it is stopped at the end of the test."""
	cmd = ns.args(*args) if ns else list(args)
	p = subprocess.Popen(cmd, **kwargs)
	tap.later(stop, p)
	return p


def module_path():
	path = os.environ.get("NTPK_KO")
	return path or os.path.join(TREE, "build/kmod", os.uname().release, "ntpk.ko")


def kmod_path(name):
	"""The file of a module for tests (selftests/kmod)."""
	return os.path.join(os.path.dirname(module_path()), f"selftests/kmod/{name}.ko")


def loaded():
	return os.path.isdir("/sys/module/ntpk")


def guest():
	"""Is this a machine made for tests: QEMU or user-mode Linux?"""
	if tap.is_uml():
		return True
	with open("/proc/cmdline") as f:
		return "rig_fs=" in f.read() and os.path.ismount("/ntpk")


def load(*params):
	"""The module, freshly loaded; unloaded at the end."""
	if not guest():
		tap.skip_all("not in a test machine: use selftests/vm/vm run")
	if os.getuid():
		tap.skip_all("needs root")
	path = module_path()
	if not os.path.exists(path):
		tap.skip_all(f"no {path}: make module")
	unload()
	tap.later(unload)
	# what the module's symbols need, where that is not built in
	sh("modprobe", "-q", "-a", "nf_defrag_ipv4", "ipv6", check=False)
	insmod(*params)


def insmod(*params):
	sh("insmod", module_path(), *params)


def insmod_kmod(name):
	"""A module for tests; unloaded at the end."""
	sh("insmod", kmod_path(name))
	tap.later(sh, "rmmod", name)


def unload():
	if loaded():
		sh("rmmod", "ntpk")


def sysfs(name):
	with open(os.path.join(SYS, name)) as f:
		return f.read().strip()


def set_realtime_ns(unix_ns):
	"""Step the clock of this test machine."""
	if not guest() or not loaded():
		raise RuntimeError("not in a test machine")
	time.clock_settime_ns(time.CLOCK_REALTIME, unix_ns)


def step_realtime_ns(delta_ns):
	set_realtime_ns(time.clock_gettime_ns(time.CLOCK_REALTIME) + delta_ns)


def raw_ns():
	return time.clock_gettime_ns(time.CLOCK_MONOTONIC_RAW)


def boot_ns():
	return time.clock_gettime_ns(time.CLOCK_BOOTTIME)
