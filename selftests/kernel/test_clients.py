#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-only
"""
Shows that real clients take the right time from the module: chronyd -Q, ntpdig
of ntpsec and a bare SNTP request of 48 bytes, over IPv4, IPv6 and link-local
IPv6.  What is served is 12.5 s ahead of the machine's clock, so that the answer
can only be the module's; no client sets the clock.
About a minute.
"""
import os
import re
import shutil
import sys
import time

import fixture
import netns
import ntpknl
import tap

SHIFT_S = 12.5
# TCG's jitter; the shift stands out by far
TOLERANCE_S = 0.05


def near(found, what, output, sign=1):
	"""The client's figure is the shift, and the module gave it."""
	offset = sign * float(found[1]) if found else None
	tap.ok(offset is not None and abs(offset - SHIFT_S) < TOLERANCE_S,
	       f"{what}: offset {offset} s of {SHIFT_S} s", output)


def chrony(client, dst, what):
	if not shutil.which("chronyd"):
		tap.skip(f"chronyd -Q, {what}", "not installed")
		return
	p = client.sh("chronyd", "-Q", "-t", "20", "-u", "root",
		      f"server {dst} iburst maxsamples 1", check=False)
	near(re.search(r"wrong by (-?[\d.]+) seconds", p.stdout), f"chronyd -Q, {what}", p.stdout)


def ntpdig(client, dst, what):
	if not shutil.which("ntpdig"):
		tap.skip(f"ntpdig, {what}", "not installed")
		return
	p = client.sh("ntpdig", "-t", "5", dst, check=False)
	near(re.search(r" ([+-][\d.]+) \+/- ", p.stdout), f"ntpdig, {what}", p.stdout)


def sntp(client, dst, what):
	"""The same program that `make run` shows, run with this folder's python."""
	p = client.sh(sys.executable, "-B", os.path.join(netns.TREE, "selftests/demo/sntp.py"), dst,
		      check=False)
	found = re.search(r"offset ([+-][\d.]+) ms", p.stdout)
	if found:
		found = (None, str(float(found[1]) / 1000))
	near(found, f"48-byte SNTP, {what}", p.stdout)


def busybox(client):
	"""Its ntpd with -w only looks."""
	if client.sh("busybox", "ntpd", "--help", check=False).stdout.startswith("ntpd: applet"):
		tap.skip("busybox ntpd", "busybox has no such applet here")
		return
	p = client.sh("timeout", "10", "busybox", "ntpd", "-n", "-q", "-w", "-d", "-p", "192.0.2.1",
		      check=False)
	near(re.search(r"offset:([+-]?[\d.]+)", p.stdout), "busybox ntpd -w", p.stdout)


def main():
	s = fixture.served()
	s.g.push_default(shift_ns=int(SHIFT_S * 10**9))
	real = time.time() - netns.raw_ns() / 10**9
	for dst, what in (("192.0.2.1", "IPv4"), ("2001:db8::1", "IPv6"),
			  (f"{s.link.sll}%{s.link.cdev}", "link-local")):
		sntp(s.client, dst, what)
		if "%" in dst:
			for name in ("chronyd -Q", "ntpdig"):
				tap.skip(f"{name}, link-local", "takes no address with an interface")
			continue
		_, moved = s.counted(chrony, s.client, dst, what)
		tap.ok(not shutil.which("chronyd") or moved.get("replied", 0) > 0 and len(moved) == 1,
		       f"chronyd -Q, {what}: the module answered", moved)
		ntpdig(s.client, dst, what)
	busybox(s.client)
	moved = time.time() - netns.raw_ns() / 10**9 - real
	tap.ok(abs(moved) < 1, "no client has set this machine's clock", moved)


tap.run(main)
