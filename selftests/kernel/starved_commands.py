# SPDX-License-Identifier: GPL-2.0-only
"""Every command over netlink, for tests that have something of it fail: each takes a starved.Starved."""
import ntpknl
import ntpq
import tap
from starved import LO, ROUNDS, keys


def test_state(t):
	limited = {"PORT": 123, "NEVER_SYNCED": 0, "EXPIRED": 1,
		   "LIMIT": {"INTERVAL_LOG2S": 0, "BURST": 200}}
	named = {"PORT": 1123, "NEVER_SYNCED": 0, "EXPIRED": 1, "ACL": "cameras"}
	for what, state in (
			("a push", t.make_state(3)),
			("a push with limits and named lists", t.make_state(
				3, LISTENERS=[limited, named, dict(named, PORT=1124, ACL="guests")])),
			("a push with a table of another size", t.make_state(
				3, LISTENERS=[limited], LIMIT_CLIENTS=1000)),
			("a push that keeps no clients", t.make_state(3, NO_CLIENTLOG=1))):
		payload = ntpknl.state_nest(state)
		t.command(what, lambda p=payload: t.g.cmd("SET_STATE", p))


def test_keys(t):
	new = [(k + 100, kind, secret) for k, kind, secret in keys()]
	begin = lambda of: t.g.keys_begin(2, len(of))
	commit = lambda: t.g.keys_cmd("COMMIT", GENERATION=2)
	def begun(of):
		t.renew()
		begin(of)
	def added(of):
		begun(of)
		t.g.keys_add(2, of)
	def rest(of):
		t.g.keys_add(2, of)
		commit()
	t.command("KEYS_BEGIN", lambda: begin(new[:1]), t.renew, lambda: rest(new[:1]))
	for key in new if ROUNDS > 1 else new[1::4]:
		t.command(f"KEYS_ADD, {key[1]}", lambda k=key: t.g.keys_add(2, [k]), lambda k=key: begun([k]), commit)
	t.command("KEYS_COMMIT", commit, lambda: added(new))


def test_lists(t):
	rules = [(4, 0xc0000200, 24, 1), (6, 0x20010db8 << 96, 33, 1)]
	begin = lambda name=None: t.g.acl_begin(2, 1, 1, 1, name)
	commit = lambda: t.g.acl_cmd("ACL_COMMIT", GENERATION=2)
	def begun():
		t.renew()
		begin()
	def added():
		begun()
		t.g.acl_add(2, rules)
	def rest():
		t.g.acl_add(2, rules)
		commit()
	t.command("ACL_BEGIN", begin, t.renew, rest)
	# a list that no listener names is forgotten at the end
	named = t.make_state(2, LISTENERS=[{"PORT": 123, "NEVER_SYNCED": 0, "EXPIRED": 1, "ACL": "cameras"}])
	old, t.state = t.state, named
	t.command("ACL_BEGIN with a name", lambda: begin("cameras"), t.renew, rest)
	t.state = old
	t.command("ACL_ADD", lambda: t.g.acl_add(2, rules), begun, commit)
	t.command("ACL_COMMIT", commit, added)
	t.command("ACL_CHECK", lambda: t.g.acl_check(4, 0xc0000202), changes=False)


def test_maps(t):
	for what, change in (("another for a device", lambda: t.make_map(200)),
			     ("one for a second device", lambda: t.make_map(300, LO)),
			     ("none any more", lambda: {"IFINDEX": t.device})):
		t.command(f"SET_PHC, {what}", lambda c=change: t.g.set_phc(**c()))


def test_reads(t):
	for what, send in (("GET_CLOCK", lambda: t.g.clock()), ("GET_STATE", lambda: t.g.state()),
			   ("GET_STATS", lambda: t.g.stats()), ("GET_HIST", lambda: t.g.hist()),
			   ("GET_KEYS", lambda: t.g.get_keys()), ("GET_ACL", lambda: t.g.get_acl())):
		t.command(what, send, changes=False)
	for what, send in (("a dump of GET_ACL", lambda: t.g.dump_acl()), ("a dump of GET_PHC", lambda: t.g.phcs()),
			   ("a dump of GET_CLIENTS", lambda: t.g.clients())):
		t.command(what, send, changes=False, wordless=2)


def unreachable(t, n):
	"""What the stack says where nobody serves."""
	got, _, _ = t.s.wire.ask(ntpq.request())
	if len(got) != 1 or not got[0].is_port_unreachable():
		t.wrong.append(f"no. {n}: not attached, but {got}")


def keeps_clients(t, n):
	"""Is there a table of clients?  Where not, ATTACH once more makes one."""
	g = t.s.g
	try:
		g.clients()
		return True
	except ntpknl.Refused:
		pass
	g.attach()
	g.push(t.state)
	fault = t.answered()
	try:
		if fault or not g.clients():
			t.wrong.append(f"no. {n}: attached again, and keeps no client: {fault}")
	except ntpknl.Refused as e:
		t.wrong.append(f"no. {n}: attached again, and {e!r}")
	return False


def attach_once(t, n):
	"""Attach with the n-th allocation failing: was it hit?"""
	g = t.s.g
	if g.status() != "detached":
		g.detach()
	result, hit = t.nth.call(n, t.g.attach)
	taken = t.took(n, result, hit)
	if taken != (g.status() != "detached"):
		t.wrong.append(f"no. {n}: {result!r}, and {g.status()}")
	if not taken:
		unreachable(t, n)
		g.attach()
	g.push(t.state)
	t.unkept += not keeps_clients(t, n)
	fault = t.answered()
	if fault:
		t.wrong.append(f"no. {n}: {fault}")
	return hit


def detach_once(t, n):
	"""Detach likewise: only generic netlink can refuse it, and then nothing has changed."""
	g = t.s.g
	result, hit = t.nth.call(n, t.g.detach)
	taken = t.took(n, result, hit)
	if taken != (g.status() == "detached"):
		t.wrong.append(f"no. {n}: {result!r}, and {g.status()}")
	if not taken:
		fault = t.answered()
		if fault:
			t.wrong.append(f"no. {n}: refused, and {fault}")
		g.detach()
	unreachable(t, n)
	g.attach()
	g.push(t.state)
	return hit


def test_attach(t):
	t.unkept = 0
	t.sweep("ATTACH", lambda n: attach_once(t, n))
	tap.ok(t.unkept, f"{t.unkept} times without a table of clients, which is there after ATTACH once more")
	t.s.g.push(t.state)
	t.sweep("DETACH", lambda n: detach_once(t, n))
	t.baseline()


COMMANDS = (test_state, test_keys, test_lists, test_maps, test_reads, test_attach)
