#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-only
"""
Sends messages that are made by the netlink specification and then bent (NTPK_NLFUZZ
of them: 2,000, 500 in the debug kernel; `make check-long` sends 1,000,000), from two sockets in turn, so that
their transactions get in each other's way, while requests are answered; dumps are left
in the middle. Every message has its answer; whatever is refused has an errno and, where
the module refused it, a text, and has changed nothing; whatever is accepted has changed
what it says (nlmodel.py): of lists the ranges of a dump are compared, and each key, which
nothing tells, signs a request.
About 20 seconds.
"""
import errno
import os
import random
import time

import fixture
import mac
import memory
import netns
import nlfuzz
import nlmodel
import ntpknl
import ntpq
import tap

BATCH = 16
# Batches between two looks at whether a request is rightly answered.
LOOK = 4
# What may change what: by the command that was accepted.
STATE_BY, KEYS_BY, LISTS_BY, MAPS_BY = {"set-state"}, {"keys-commit"}, {"acl-commit", "set-state"}, {"set-phc"}
ALL_BY = {"attach", "detach"}
# What changes what by itself.
CHANGES = {"set-state": "state", "keys-commit": "keys", "acl-commit": "lists", "set-phc": "maps"}
# In `make check` always the same; NTPK_NLFUZZ_SEED: another.
SEED = 1


# Nobody waited for the end of a dump.
LEFT = object()


class Fuzz:
	def __init__(self, s, seed):
		self.s, self.state = s, None
		self.maker = nlfuzz.Maker(seed, self.good_state, (1, netns.ifindex(s.server, s.link.sdev)))
		self.model = nlmodel.Model()
		self.changed = dict.fromkeys(CHANGES, 0)	# how many batches, by each command and without DETACH
		self.listed = self.signed = 0	# lists whose contents were compared, keys that were asked with
		self.rnd = random.Random(seed + 1)
		self.sockets = [ntpknl.Genl(s.server, piece=4096) for _ in range(2)]
		self.names = {number: name for number, (name, _, _) in self.maker.spec.commands.items()}
		self.sent = self.accepted = self.cut = self.last = 0
		self.texts, self.errnos = {}, {}
		self.wrong = []
		self.base = s.g.default_state()

	def good_state(self, **change):
		"""Without asking for the clocks each time."""
		return {**self.base, **change}

	def reset(self):
		"""To what a request is answered by in a known way."""
		g = self.s.g
		if g.status() == "detached":
			g.attach()
		g.acl([], otherwise=1)
		self.model.forget_lists()
		self.base = g.default_state()
		g.push(self.base)

	def seen(self):
		"""State, keys, lists, maps as they are in force."""
		g = self.s.g
		state = g.state()
		for name in ("AGE_NS", "NOW_DISP_NS", "NOW_UNIX_NS", "STATUS"):
			state.pop(name, None)
		maps = {ifindex: what for ifindex, (what, _) in g.phcs().items()}
		return state, g.get_keys(), g.dump_acls(), maps

	def get_list(self, name):
		"""None where it is refused."""
		try:
			return self.s.g.get_acl(name)
		except ntpknl.Refused:
			return None

	def renew(self, i):
		self.sockets[i].close()
		self.model.forget(i)
		self.sockets[i] = ntpknl.Genl(self.s.server, piece=4096)

	def socket_for(self, m):
		if not m.follows:
			self.last = self.rnd.randrange(2)
		return self.last

	def send(self, m, i):
		"""What came of a message: None, Refused, a word about what is wrong, or LEFT."""
		g = self.sockets[i]
		g.send(g.family, nlfuzz.header(m) + m.payload, m.flags)
		# with one bit of the two alone it is no dump
		if m.flags & nlfuzz.NLM_F_DUMP == nlfuzz.NLM_F_DUMP and self.rnd.random() < 0.3:
			self.cut += 1
			if self.rnd.random() < 0.5:
				g.s.recv(g.piece)
			self.renew(i)
			return LEFT
		try:
			g.answer()
			return None
		except ntpknl.Refused as e:
			return e
		except OSError as e:
			self.renew(i)
			return f"no answer: {e}"

	def judge(self, name, m, result, i):
		"""The name of the command where it was accepted, by socket i."""
		self.sent += 1
		if result is LEFT:
			return None
		command = self.names.get(m.command)
		if result is None:
			self.accepted += 1
			if command:
				self.model.take(i, command, m.payload)
			return command
		if isinstance(result, str):
			self.wrong.append(f"{name}: {result}: {m}")
			return None
		if command:
			self.model.refuse(i, command, m.payload)
		word = errno.errorcode.get(result.errno)
		self.errnos[word] = self.errnos.get(word, 0) + 1
		if result.text:
			self.texts[result.text] = self.texts.get(result.text, 0) + 1
		fault = nlfuzz.refusal_fault(result)
		if fault:
			self.wrong.append(f"{name}: {fault}: {m}")
		return None

	def batch(self):
		before = self.seen()
		accepted, sent = set(), []
		self.model.start(before[3])
		for _ in range(BATCH):
			name, m = self.maker.next()
			i = self.socket_for(m)
			command = self.judge(name, m, self.send(m, i), i)
			accepted.add(command)
			sent.append((i, "" if command else "refused", m))
		after = self.seen()
		for what, old, new, by in zip(("state", "keys", "lists", "maps"), before, after,
					      (STATE_BY, KEYS_BY, LISTS_BY, MAPS_BY)):
			mine = {command for command, of in CHANGES.items() if of == what and old != new and "detach" not in accepted}
			for command in mine & accepted:
				self.changed[command] += 1
			if old != new and not accepted & (by | ALL_BY):
				self.wrong.append(f"{what} changed by refused messages: {old} to {new}: {sent}")
		self.listed += sum(bool(one and one[1]) for one in self.model.lists.values())
		self.wrong += [f"{fault}: {sent}" for fault in self.model.faults(*after[:3], self.get_list, after[3])]

	def ask(self, req, fault):
		"""What fault(reply, raw before, raw after) says of what comes back."""
		got, raw0, raw1 = self.s.wire.ask(req)
		mine = [p for p in got if p.data[24:32] == req[40:48]]	# others ask as well
		said = fault(mine[0].data, raw0, raw1) if mine else "no reply"
		if said:
			self.wrong.append(f"after {self.sent} messages: {req.hex()}: {said}")

	def look(self):
		self.reset()
		req = ntpq.request()
		self.ask(req, lambda data, raw0, raw1: ntpq.sync_faults(self.base, req, ntpq.Reply(data), raw0, raw1))
		for key in self.model.key_list or ():
			self.signed += 1
			self.ask(mac.sign(key, ntpq.request()), lambda data, *_, key=key: mac.fault(key, data, 48))

	def run(self, count):
		n = 0
		while self.sent < count and len(self.wrong) < 10:
			self.batch()
			n += 1
			if not n % LOOK:
				self.look()
		self.look()


def echoes(req, reply, _raw0, _raw1):
	"""Whatever is served: an answer is an answer to its request."""
	return ntpq.echo_faults(req, reply) or None


def together(s, seed, count):
	"""Two processes at once, each with its own sockets: nobody looks at what is in force."""
	def one(n):
		fuzz = Fuzz(s, seed + n)
		fuzz.model.maps = None	# of which the other one has some as well
		while fuzz.sent < count // 2:
			name, m = fuzz.maker.next()
			i = fuzz.socket_for(m)
			fuzz.judge(name, m, fuzz.send(m, i), i)
		return fuzz.wrong + fuzz.model.wrong
	pid = os.fork()
	if not pid:
		status = 1
		try:
			s.g = ntpknl.Genl(s.server)
			wrong = one(1)
			for line in wrong[:3]:
				tap.note(line)
			status = bool(wrong)
		finally:
			os._exit(status)
	wrong = one(2)
	_, status = os.waitpid(pid, 0)
	return wrong, status


def main():
	s = fixture.served()
	count = tap.env_int("NTPK_NLFUZZ", 2000, 500)
	seed = tap.env_int("NTPK_NLFUZZ_SEED", SEED)
	tap.note(f"NTPK_NLFUZZ_SEED={seed}")
	s.g.push_default()
	stream = fixture.Stream(s.client, rate=50 if not tap.is_uml() else 10, check=echoes)
	stream.start()
	fuzz = Fuzz(s, seed)
	fuzz.run(min(count, 300))	# what is allocated once
	before = memory.memory(every=True)
	start = time.monotonic()
	fuzz.run(count)
	seconds = time.monotonic() - start
	tap.note(f"{fuzz.sent / seconds:.0f} a second; {fuzz.accepted} accepted, {fuzz.cut} dumps left; {fuzz.errnos}; "
		 f"{len(fuzz.texts)} texts; batches that changed what is in force: {fuzz.changed}; {fuzz.listed} lists with "
		 f"what was sent, {fuzz.signed} keys that sign")
	tap.ok(not fuzz.wrong, f"{fuzz.sent} messages: refused with a reason and without a change, or accepted",
	       "\n".join(fuzz.wrong[:5]))
	tap.ok(fuzz.accepted > count // 20 and len(fuzz.texts) > 20,
	       "they reach what is behind the first checks", (fuzz.accepted, sorted(fuzz.texts)))
	tap.ok(all(fuzz.changed.values()) and fuzz.listed and fuzz.signed, f"each command changes what it is for: {fuzz.changed} of {fuzz.sent // BATCH} times",
	       (fuzz.changed, fuzz.listed, fuzz.signed))
	wrong, status = together(s, seed + 2, count // 4)
	fuzz.model.forget_keys()
	tap.ok(not wrong and not status, f"{count // 4} more from two processes at once", "\n".join(wrong[:5]))
	fuzz.look()
	tap.same(fuzz.wrong[:1], [], "and it goes on")
	stream.finish()
	# most of those that were not came where nobody was attached, to no listener's port, or to who was not allowed
	tap.ok(5 * stream.answered > stream.sent and not stream.bad, f"{stream.answered} of {stream.sent} requests were answered meanwhile, each "
	       "rightly", stream.summary())
	for g in fuzz.sockets:
		g.close()
	limits = {"SUnreclaim: KiB": 8192, "Percpu: KiB": 256, "VmallocUsed: KiB": memory.VMALLOC_KIB}
	# half of what one object would be that each change leaves behind; these figures move by slabs
	objects = max(min(fuzz.changed.values()) // 2, 200)
	grown = memory.left_behind(before, lambda k: limits.get(k, objects), 20)
	tap.same(grown, {}, "no memory is left behind")


tap.run(main)
