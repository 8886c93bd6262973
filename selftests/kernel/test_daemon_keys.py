#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-only
"""
Shows keys on their way from ntpkd's key file to clients: the module answers
requests signed with every type, the MACs made by mac.py, by chronyd -Q and by
ntpdig of ntpsec; `ntpkctl rekey` and SIGHUP replace the set without losing a
request; a file with an error changes nothing; detached or loaded anew, the module
gets its keys again; mode1, requirekey and cryptonak change at run time; no secret
is in the log.  And that ntpkd without the module answers likewise.
About two minutes.
"""
import json
import os
import secrets
import shutil
import signal
import struct
import threading

import daemon
import fixture
import mac
import netns
import ntpknl
import ntpq
import tap
from ntpknl import UAPI

MODPROBE = "/proc/sys/kernel/modprobe"
LENGTHS = {"aes128": 16, "aes256": 32}
# names of ntpsec's ntpdig
NTPSEC = {"md5": "MD5", "sha1": "SHA-1", "aes128": "AES-128"}


def make_keys(first=1):
	"""One of each type, the last ids beyond 31 bits."""
	return [(first + i if i < 5 else 2**32 - first - i, kind,
		 secrets.token_bytes(LENGTHS.get(kind, 20))) for i, kind in enumerate(mac.SIZES)]


class Keys:
	"""The key file, and what has stood in it."""

	def __init__(self, keys):
		self.path = os.path.join(fixture.tmpdir(), "keys")
		self.secrets = []
		self.write(keys)

	def write(self, keys, extra=""):
		self.keys = keys
		self.secrets += [k[2].hex() for k in keys]
		with open(self.path + ".new", "w") as f:
			os.fchmod(f.fileno(), 0o600)
			for key_id, kind, secret in keys:
				f.write(f"{key_id} {kind.upper()} HEX:{secret.hex()}\n")
			f.write(extra)
		os.rename(self.path + ".new", self.path)


def ask(client, data, timeout=5, dst="192.0.2.1"):
	"""The reply's bytes; b"" without one."""
	answer = ntpq.Asker(client, dst).ask_last(data, timeout)
	return answer[1].data if answer else b""


def good(client, key, version=4, **kwargs):
	"""None, or what is wrong with the reply to a request signed with this key."""
	req = ntpq.request(version)
	data = ask(client, mac.sign(key, req), **kwargs)
	if not data:
		return "no reply"
	if data[24:32] != req[40:48] or data[0] & 7 != 4:
		return f"not the reply to it: {data.hex()}"
	return mac.fault(key, data, 48)


def all_good(client, keys, what):
	for version in (4, 3):
		wrong = {k[1]: w for k in keys for w in [good(client, k, version)] if w}
		tap.ok(not wrong, f"{what}: version {version}, each type of key is answered with a MAC",
		       wrong)


def silent(client, what, data):
	tap.same(ask(client, data, timeout=0.5), b"", f"{what}: no answer")


def count(g):
	"""Keys that the module says it has."""
	raw = g.get_keys().get(UAPI["NTPK_A_KEYS_COUNT"])
	return struct.unpack("=I", raw)[0] if raw else None


def chronyd_queries(client, keys, what, right=True):
	"""A chronyd -Q for each key, all at once; which of them took the time."""
	runs = {}
	for key_id, kind, secret in keys:
		where = fixture.tmpdir()
		with open(os.path.join(where, "keys"), "w") as f:
			f.write(f"{key_id} {kind.upper()} HEX:{secret.hex()}\n")
		with open(os.path.join(where, "conf"), "w") as f:
			f.write(f"server 192.0.2.1 key {key_id} iburst maxsamples 1\nkeyfile {where}/keys\n"
				f"cmdport 0\nbindcmdaddress /\npidfile {where}/pid\n")
		log = open(os.path.join(where, "log"), "w+")	# pylint: disable=consider-using-with
		runs[kind] = log, netns.spawn(client, "chronyd", "-Q", "-u", "root", "-t",
					      "20" if right else "5", "-f",
					      os.path.join(where, "conf"), stdout=log, stderr=log)
	bad = {}
	for kind, (log, p) in runs.items():
		p.wait(60 * tap.slow())
		log.seek(0)
		text = log.read()
		log.close()
		if ("System clock wrong by" in text) != right:
			bad[kind] = text
	tap.ok(not bad, f"chronyd -Q, {what}: {', '.join(runs)}", bad)


def test_chronyd(client, keys):
	if not shutil.which("chronyd"):
		tap.skip("chronyd -Q with each type of key", "no chronyd here")
		return
	chronyd_queries(client, keys, "takes the time with each type of key")
	wrong = [(i, kind, secret[::-1]) for i, kind, secret in keys]
	chronyd_queries(client, wrong, "takes none with another secret", right=False)


def ntpdig(client, key):
	path = os.path.join(fixture.tmpdir(), "keys")
	with open(path, "w") as f:
		os.fchmod(f.fileno(), 0o600)
		f.write(f"{key[0]} {NTPSEC[key[1]]} {key[2].hex()}\n")
	return client.sh("ntpdig", "-t", "3", "-a", str(key[0]), "-k", path, "192.0.2.1",
			 check=False)


def test_ntpdig(client, keys):
	if not shutil.which("ntpdig"):
		tap.skip("ntpdig with its types of key", "no ntpdig here")
		return
	for key in keys:
		if key[1] not in NTPSEC:
			continue
		p = ntpdig(client, key)
		tap.ok("+/-" in p.stdout, f"ntpdig with a key of type {NTPSEC[key[1]]}",
		       p.stdout)
		p = ntpdig(client, (key[0], key[1], key[2][::-1]))
		tap.ok("+/-" not in p.stdout, f"ntpdig, {NTPSEC[key[1]]} with another secret: nothing",
		       p.stdout)


def test_rekey(d, g, client, file):
	"""Sets come and go by command and by signal; one key is in all of them."""
	mine, old = file.keys[3], file.keys
	stop, errors, answered = threading.Event(), [], [0]

	def run():
		while not stop.is_set():
			errors.extend(filter(None, [good(client, mine)]))
			answered[0] += 1

	thread = threading.Thread(target=run, daemon=True)
	thread.start()
	for turn in range(4):
		new = make_keys(100 * turn + 100)
		file.write(new + [mine])
		if turn % 2:
			d.p.send_signal(signal.SIGHUP)
		else:
			answer = d.command("rekey")
			tap.ok(answer.get("data", {}).get("keys") == len(new) + 1, "rekey says how many",
			       answer)
		tap.ok(tap.wait_for(lambda new=new: good(client, new[0], timeout=1) is None, 20),
		       f"{'SIGHUP' if turn % 2 else 'rekey'}: a new key works", d.text())
		silent(client, "and one of before does not", mac.sign(old[0], ntpq.request()))
		old = new
	stop.set()
	thread.join()
	tap.ok(not errors and answered[0] > 4,
	       f"of {answered[0]} requests signed meanwhile all were answered", errors[:3])
	tap.same(count(g), len(file.keys), "the module has as many as the file")


def test_errors(d, client, file):
	keys = file.keys
	bad = secrets.token_hex(15)
	for what, mode, extra, words in (
			("a short AES key", 0o600, f"77 AES128 HEX:{bad}\n", ":9:11: key 77: an AES128 key"),
			("a key twice", 0o600, f"{keys[0][0]} MD5 {bad}\n", ":9:1: key"),
			("a file that everybody may read", 0o644, "", "chmod o-r")):
		file.write(keys, extra)
		os.chmod(file.path, mode)
		answer = d.command("rekey")
		text = answer.get("error", {}).get("text", "") if not answer.get("ok") else ""
		tap.ok(words in text and "stay in use" in text, f"rekey, {what}: refused", answer)
		tap.same(good(client, keys[0]), None, f"rekey, {what}: the keys from before work")
		tap.ok(bad not in json.dumps(answer), f"rekey, {what}: shows no secret")
	file.secrets.append(bad)
	file.write(keys)


def configure(d, lines):
	with open(d.conf, "w") as f:
		f.write("\n".join(lines) + "\n")
	before = d.text().count("read anew")
	d.p.send_signal(signal.SIGHUP)
	tap.wait_for(lambda: d.text().count("configuration read anew") > before, 20)


def test_words(d, client, conf, key):
	"""requirekey, cryptonak and mode1, each on and off again while ntpkd runs."""
	plain, active = ntpq.request(), ntpq.request(3, 1)
	wrong = mac.sign((4711,) + key[1:], ntpq.request())
	soon = lambda want: tap.wait_for(lambda: bool(ask(client, want[0], 0.5)) == want[1], 10)
	tap.ok(ask(client, plain), "no MAC: answered by default")
	silent(client, "a wrong MAC, by default", wrong)
	tap.same(ask(client, active)[:1], b"\x1a", "mode 1: answered in mode 2 by default")
	configure(d, conf + ["requirekey on", "cryptonak on", "mode1 off"])
	tap.ok(soon((plain, False)), "requirekey on: no answer without a MAC", d.text())
	tap.same(good(client, key), None, "requirekey on: a MAC is answered")
	nak = ask(client, wrong)
	tap.ok(len(nak) == 52 and nak[48:] == bytes(4), "cryptonak on: 52 bytes for a wrong MAC", nak)
	silent(client, "mode1 off", mac.sign(key, active))
	configure(d, conf)
	tap.ok(soon((plain, True)), "without the words: answered again", d.text())
	silent(client, "without cryptonak", wrong)
	tap.same(ask(client, active)[:1], b"\x1a", "without mode1 off")


def test_module_comes_back(d, g, client, file):
	g.detach()
	tap.ok(tap.wait_for(lambda: count_or_none(g) == len(file.keys), 60),
	       "detached by somebody: attached again, with its keys", d.text())
	tap.ok(tap.wait_for(lambda: good(client, file.keys[0], timeout=1) is None, 20),
	       "and they work", d.text())


def count_or_none(g):
	try:
		return count(g)
	except ntpknl.Refused:
		return None


def test_reload_module(d, s, file):
	netns.unload()
	netns.load()
	g = ntpknl.Genl(s.server)
	tap.ok(tap.wait_for(lambda: count_or_none(g) == len(file.keys), 60),
	       "unloaded and loaded again: the keys are back", d.text())
	tap.ok(tap.wait_for(lambda: good(s.client, file.keys[0], timeout=1) is None, 20),
	       "and they work", d.text())
	return g


def test_lacking(d, s, file):
	"""The kernel cannot find an algorithm now, perhaps for want of memory; later it can."""
	others = [k for k in file.keys if not k[1].startswith("aes")]
	netns.unload()
	if netns.sh("rmmod", "cmac", check=False).returncode:
		tap.skip("an algorithm that comes later", "cmac is no module here")
		netns.load()
		return ntpknl.Genl(s.server)
	with open(MODPROBE) as f:
		before = f.read()
	with open(MODPROBE, "w") as f:
		f.write("/bin/false\n")
	netns.load()
	g = ntpknl.Genl(s.server)
	tap.ok(tap.wait_for(lambda: count_or_none(g) == len(others), 60) and
	       d.says("with a key of type aes128 .* get no answer"), "keys whose algorithm there is not are said, "
	       "the others are sent", d.text())
	with open(MODPROBE, "w") as f:
		f.write(before)
	tap.ok(tap.wait_for(lambda: count_or_none(g) == len(file.keys), 90),
	       "when it is there they are sent, within a minute or so", d.text())
	all_good(s.client, file.keys, "and all work")
	return g


def test_by_itself(s, file):
	"""The same without the module."""
	conf = [f"keyfile {file.path}", "local stratum 5", "kernel off"]
	d = daemon.Ntpkd(s.server, *conf)
	tap.ok(tap.wait_for(lambda: good(s.client, file.keys[0], timeout=1) is None, 60),
	       "kernel off: ntpkd answers by itself, with a MAC", d.text())
	all_good(s.client, file.keys, "ntpkd by itself")
	tap.same(good(s.client, file.keys[3], dst="2001:db8::1"), None, "ntpkd by itself, IPv6")
	test_words(d, s.client, conf, file.keys[0])
	no_secret(d, file)
	tap.same(d.stop(), 0, "ntpkd by itself ends well")


def no_secret(d, file):
	text = d.text().lower()
	tap.ok(not [x for x in file.secrets if x[:12] in text], "no secret is in the log")


def main():
	daemon.need_ntpkd()
	s = fixture.served(attach=False)
	client, file = s.client, Keys(make_keys())
	conf = [f"keyfile {file.path}", "local stratum 5"]
	d = daemon.Ntpkd(s.server, *conf)
	ready = tap.wait_for(lambda: s.g.status() == "sync" and count(s.g) == len(file.keys), 60)
	tap.ok(ready, "ntpkd gives the module its time and its keys", d.text())
	all_good(client, file.keys, "module")
	test_chronyd(client, file.keys)
	test_ntpdig(client, file.keys)
	test_words(d, client, conf, file.keys[0])
	test_rekey(d, s.g, client, file)
	test_errors(d, client, file)
	test_module_comes_back(d, s.g, client, file)
	s.g.close()
	test_reload_module(d, s, file).close()
	g = test_lacking(d, s, file)
	no_secret(d, file)
	configure(d, conf[1:])
	tap.ok(tap.wait_for(lambda: count(g) == 0, 20), "without keyfile: the module has none", d.text())
	tap.same(d.stop(), 0, "ntpkd ends well")
	g.detach()
	g.close()
	test_by_itself(s, file)


tap.run(main)
