# SPDX-License-Identifier: GPL-2.0-only
"""
Other people's NTP programs in a namespace: how each is started there, as a
server of this machine's clock or as a client of a given server, and what it
says when it has accepted that server's time.
"""
import os
import re
import shutil
import subprocess

import fixture
import netns
import tap

PEERS = os.path.join(netns.TREE, "build/vm/peers")
RS = os.path.join(PEERS, "ntpd-rs")
OPENNTPD = os.path.join(PEERS, "openntpd/openntpd")
BUSYBOX = os.path.join(PEERS, "busybox/busybox")


class Missing(Exception):
	"""The program cannot be had here: why."""


def find(*paths):
	"""The first of these programs that is here."""
	for path in paths:
		if shutil.which(path):
			return shutil.which(path)
	raise Missing(f"no {paths[0]} in this machine")


def fetched(name, path):
	"""A program of selftests/vm/peers.sh."""
	if os.path.exists(path):
		return path
	try:
		with open(os.path.join(PEERS, name + ".missing")) as f:
			raise Missing(f.read().strip())
	except FileNotFoundError:
		raise Missing(f"no {path}: selftests/vm/peers.sh makes it") from None


def user(name, home):
	"""A system user that the packages' scripts would have made."""
	with open("/etc/passwd", "r+") as f:
		if f"\n{name}:" not in f.read():
			f.write(f"{name}:x:399:399::{home}:/usr/sbin/nologin\n")
	with open("/etc/group", "r+") as f:
		if f"\n{name}:" not in f.read():
			f.write(f"{name}:x:399:\n")
	os.makedirs(home, exist_ok=True)
	os.chown(home, 0, 0)
	os.chmod(home, 0o755)


class Program:
	"""One of them, running; its configuration and log are in dir."""

	def __init__(self, ns):
		self.ns, self.dir, self.p = ns, fixture.tmpdir(), None
		os.chmod(self.dir, 0o755)
		self.log = self.path("log")

	def path(self, name):
		return os.path.join(self.dir, name)

	def write(self, name, *lines):
		with open(self.path(name), "w") as f:
			f.write("\n".join(lines) + "\n")
		return self.path(name)

	def run(self, *argv, **kwargs):
		with open(self.log, "a") as log:
			self.p = netns.spawn(self.ns, *argv, stdout=log, stderr=log,
					     stdin=subprocess.DEVNULL, **kwargs)
		return self

	def text(self):
		with open(self.log, errors="replace") as f:
			return f.read()

	def ask(self, *argv):
		"""Output of its own command for asking it."""
		try:
			return self.ns.sh(*argv, check=False, timeout=10).stdout
		except subprocess.TimeoutExpired:
			return "no answer to " + " ".join(argv)

	def accepts(self, addr, seconds=90):
		"""Wait for its own word that it takes the time from addr; that word."""
		return tap.wait_for(lambda: self.accepted(addr), seconds, 0.5)

	def everything(self):
		return self.text()

	def stop(self):
		netns.stop(self.p)


def line_of(text, *patterns):
	"""The first line with all these patterns, stripped; "" without."""
	for line in text.splitlines():
		if all(re.search(p, line) for p in patterns):
			return line.strip()
	return ""


class Chronyd(Program):
	name = "chronyd"

	def begin(self, *lines):
		find("chronyd")
		conf = self.write("conf", *lines, f"bindcmdaddress {self.path('cmd')}", "cmdport 0",
				  f"pidfile {self.path('pid')}")
		os.chmod(self.dir, 0o700)	# chronyd wants its socket's folder for itself
		return self.run("chronyd", "-x", "-n", "-u", "root", "-f", conf)

	def serve_from(self, _addr):
		"""The machine's own clock, whatever there is to follow; so is ntpsec's."""
		return self.begin("local stratum 3", "allow")

	def follow(self, addr):
		return self.begin(f"server {addr} iburst minpoll 2 maxpoll 3", "port 0")

	def sources(self):
		return self.ask(*fixture.chronyc(self.ns), "-n", "-h", self.path("cmd"), "sources")

	def accepted(self, addr):
		return line_of(self.sources(), r"^\^\*", re.escape(addr))

	def everything(self):
		return self.text() + self.sources()


class Ntpsec(Program):
	name = "ntpsec's ntpd"

	def begin(self, *lines):
		conf = self.write("conf", "disable ntp", "restrict default nomodify",
				  f"statsdir {self.dir}/", "statistics peerstats",
				  "filegen peerstats file peers type none enable", *lines)
		return self.run(find("/usr/sbin/ntpd", "ntpd"), "-n", "-c", conf, "-p", self.path("pid"))

	def serve_from(self, _addr):
		return self.begin("tos orphan 5 orphanwait 1")

	def follow(self, addr):
		return self.begin(f"server {addr} iburst minpoll 3 maxpoll 3")

	def peers(self):
		"""Its own notes of each sample: day, second, address, status word, offset ..."""
		try:
			with open(self.path("peers")) as f:
				return f.read()
		except FileNotFoundError:
			return ""

	def accepted(self, addr):
		"""The third hex digit is its selection: 6 is the system peer (RFC 9327 2.4)."""
		return line_of(self.peers(), rf"^\d+ [\d.]+ {re.escape(addr)} .6.. ")

	def everything(self):
		return self.text() + self.peers()


class OpenNtpd(Program):
	"""Serves once it has synchronised: it knows no clock but others'."""
	name = "OpenNTPD"

	def follow(self, *addrs):
		prog = fetched("openntpd", OPENNTPD)
		user("ntpd", "/run/openntpd")
		conf = self.write("conf", *(f"server {addr}" for addr in addrs), "listen on *")
		# its drift file and socket have fixed places: a folder of its own there
		return self.run("unshare", "-m", "sh", "-c", "mkdir -p /var/lib/openntpd; "
				"mount -t tmpfs own /var/lib/openntpd; "
				'mkdir /var/lib/openntpd/db /var/lib/openntpd/run; exec "$@"', "sh",
				prog, "-d", "-v", "-f", conf)

	def accepted(self, addr):
		return line_of(self.text(), r"clock is now synced") and \
			line_of(self.text(), r"peer .*now valid", re.escape(addr))


class NtpdRs(Program):
	name = "ntpd-rs"

	def begin(self, *lines):
		fetched("ntpd-rs", RS)
		conf = self.write("ntp.toml", "[observability]", 'log-level = "info"',
				  f'observation-path = "{self.path("observe")}"', *lines)
		return self.run(*self.program("ntp-daemon"), "-c", conf)

	@staticmethod
	def program(name):
		lib = os.path.join(RS, "lib")
		return (os.path.join(lib, "ld-linux-x86-64.so.2"), "--library-path", lib,
			os.path.join(RS, name))

	def follow(self, addr, *lines):
		return self.begin("[synchronization]", "minimum-agreeing-sources = 1",
				  "[[source]]", 'mode = "server"', f'address = "{addr}"', *lines)

	def serve_from(self, addr):
		"""Without a source its answers say leap 3, whatever local-stratum is."""
		return self.follow(addr, "[[server]]", 'listen = "0.0.0.0:123"')

	def status(self):
		return self.ask(*self.program("ntp-ctl"), "-c", self.path("ntp.toml"), "status")

	def accepted(self, addr):
		status = self.status()
		stratum = re.search(r"Stratum:? *(\d+)", status)
		return stratum and 1 < int(stratum[1]) < 16 and line_of(status, re.escape(addr))

	def everything(self):
		return self.text() + self.status()


class Timesyncd(Program):
	name = "systemd-timesyncd"

	def follow(self, addr):
		prog = find("/usr/lib/systemd/systemd-timesyncd", "/lib/systemd/systemd-timesyncd")
		user("systemd-timesync", "/run/systemd")
		for d in ("/run/systemd/timesync", "/var/lib/systemd/timesync"):
			shutil.rmtree(d, ignore_errors=True)	# it remembers the time there
			os.makedirs(d)
			os.chown(d, 399, 399)
		os.makedirs("/etc/systemd", exist_ok=True)
		with open("/etc/systemd/timesyncd.conf", "w") as f:
			f.write(f"[Time]\nNTP={addr}\nFallbackNTP=\n")
		return self.run(prog, env={**os.environ, "SYSTEMD_LOG_TARGET": "console",
					   "SYSTEMD_LOG_LEVEL": "debug"})

	def accepted(self, addr):
		return line_of(self.text(), "(Contacted time server|nitial (clock )?synchronization)",
			       re.escape(addr))


class Busybox(Program):
	name = "busybox ntpd"

	def follow(self, addr):
		return self.run(fetched("busybox", BUSYBOX), "ntpd", "-n", "-d", "-p", addr)

	def accepted(self, addr):
		return line_of(self.text(), "(setting time|update from)") and \
			line_of(self.text(), "reply from", re.escape(addr))
