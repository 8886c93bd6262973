# SPDX-License-Identifier: GPL-2.0-only
"""
ntpkd stands still for longer than its time is good, misses what the kernel tells it,
is left without memory; the clock's frequency is changed by the most there is.
"""
import glob
import signal
import time

import fault_clock
import fixture
import lab
import netns
import ntpknl
import tap

MS = 10**6
HOLDOVER_S = 4
EVENTS_MAX = 3000
ROUTE, GENERIC = 0, 16
LEFT_KIB = 40 << 10


def answered(s, what):
	"""Whatever happens: every request an answer, and a right one, at the end with the time."""
	told = s.truth.is_told()
	lost = s.stream.finish()
	tap.ok(told and not lost and not s.stream.refused and not s.stream.bad,
	       f"{what}: all {s.stream.answered} requests answered within the claimed root distance, the last with the time",
	       (s.truth.figures(), s.stream.summary()))
	tap.note(f"{what}: {s.truth.figures()}")
	tap.same(s.d.stop(), 0, f"{what}: ntpkd ends well")


def stopped(world):
	"""SIGSTOP past the deadline of what was pushed."""
	s = fault_clock.Steered(world, "stopped", f"holdover {HOLDOVER_S}")
	if not s.begin():
		return
	g = ntpknl.Genl(s.ns)
	s.d.p.send_signal(signal.SIGSTOP)
	lab.ok(tap.wait_for(lambda: g.status() == "expired_deadline", 30, 0.1),
	       "stopped: what the module serves expires")
	before = s.truth.unsync
	tap.ok(tap.wait_for(lambda: s.truth.unsync > before + 5, 20), "stopped: clients are told so (unsynchronised)")
	s.d.p.send_signal(signal.SIGCONT)
	lab.ok(tap.wait_for(lambda: g.status() == "sync", 30, 0.1), "let go: the module serves the time again", s.d)
	lab.ok(s.d.becomes("synchronised"), "let go: ntpkd is synchronised", s.d)
	answered(s, "stopped")


def overrun_sockets(ns):
	"""Protocols of netlink of which a socket in there has lost something."""
	with ns, open("/proc/thread-self/net/netlink") as f:
		rows = [line.split() for line in f.read().splitlines()[1:]]
	return sorted({int(row[1]) for row in rows if int(row[8])})


def lose_events(g, ns):
	"""What is served expires again and again, until the module's word about it finds no room."""
	state = g.state()
	listener = {"PORT": 123, "NEVER_SYNCED": ntpknl.SILENT, "EXPIRED": ntpknl.UNSYNC}
	for n in range(EVENTS_MAX):
		clock = g.clock()
		g.push(g.default_state(BASE_RAW_NS=clock["RAW_NS"], STRATUM=state["STRATUM"], LISTENERS=[listener],
				       ROOT_DISP_NS=10**9, MAX_DIST_NS=10**10, DEADLINE_BOOT_NS=clock["BOOT_NS"]))
		time.sleep(0.01)	# it is told by a work
		if not n % 50 and GENERIC in overrun_sockets(ns):
			return


def overrun(world):
	"""More events of the module and of the network than its sockets hold, while it stands still."""
	s = fault_clock.Steered(world, "overrun")
	if not s.begin():
		return
	g = ntpknl.Genl(s.ns)
	s.d.p.send_signal(signal.SIGSTOP)
	s.ns.sh("ip", "link", "add", "busy", "type", "dummy")
	commands = "".join(f"addr {do} 10.99.{n // 250}.{n % 250 + 1}/32 dev busy\n"
			   for n in range(1500) for do in ("add", "del"))
	s.ns.sh("ip", "-batch", "-", input=commands)
	lose_events(g, s.ns)
	tap.same(overrun_sockets(s.ns), [ROUTE, GENERIC], "overrun: events of the network and of the module are lost")
	s.d.p.send_signal(signal.SIGCONT)
	lab.ok(tap.wait_for(lambda: g.status() == "sync", 30, 0.1), "overrun: the module serves the time again", s.d)
	lab.ok(s.d.becomes("synchronised"), "overrun: ntpkd is synchronised", s.d)
	pushes = g.state()["PUSHES"]
	lab.ok(tap.wait_for(lambda: g.state()["PUSHES"] > pushes + 3, 30), "overrun: it goes on pushing", s.d)
	netns.step_realtime_ns(300 * MS)
	lab.ok(s.d.says("stepped the system clock by") and tap.wait_for(lambda: g.status() == "sync", 10),
	       "overrun: it still hears of a step", s.d)
	netns.step_realtime_ns(-300 * MS)
	answered(s, "overrun")


def rate(world):
	"""The clock's frequency set to +500 and -500 ppm by somebody else."""
	s = fault_clock.Steered(world, "rate")
	if not s.begin():
		return
	for ppm in (500, -500):
		s.ns.sh("clockerr", "--ppm", str(ppm))
		lab.ok(s.d.says(rf"frequency was changed to \{'+' if ppm > 0 else '-'}(500|49\d)"),
		       f"rate: {ppm:+d} ppm is said", s.d)
		fault_clock.wait_s(3)
		lab.ok(s.d.becomes("synchronised") and abs(fault_clock.clock_error_ns(s.line)) < 20 * MS,
		       f"rate: {ppm:+d} ppm, the clock is {fault_clock.clock_error_ns(s.line) / MS:+.3f} ms off", s.d)
	tap.same(s.truth.unsync, 0, "rate: every answer told the time")
	answered(s, "rate")


def available_kib():
	with open("/proc/meminfo") as f:
		return next(int(line.split()[1]) for line in f if line.startswith("MemAvailable"))


def read_files():
	"""A few MiB of programs, which had to go for the hog."""
	for path in glob.glob("/usr/lib/x86_64-linux-gnu/*.so*")[:100]:
		with open(path, "rb") as f:
			while f.read(1 << 18):
				pass


def pressure(world):
	"""Nearly all memory is taken, and what is left is fought for."""
	s = fault_clock.Steered(world, "memory")
	if not s.begin():
		return
	where = fixture.tmpdir()
	netns.sh("mount", "-t", "tmpfs", "-o", "size=100%", "hog", where)
	tap.later(netns.sh, "umount", "-l", where, check=False)
	n = 0
	while available_kib() > LEFT_KIB and n < 4096:
		with open(f"{where}/{n}", "wb") as f:
			f.write(b"x" * (1 << 20))
		n += 1
	end, low = time.monotonic() + 10, available_kib()
	while time.monotonic() < end:
		# pages of files come and go
		read_files()
		low = min(low, available_kib())
	lab.ok(s.d.p.poll() is None and s.d.becomes("synchronised"),
	       f"memory: {n} MiB taken, {low} KiB left: ntpkd runs and is synchronised", s.d)
	netns.sh("umount", where)
	tap.same(s.truth.unsync, 0, "memory: every answer told the time")
	answered(s, "memory")
