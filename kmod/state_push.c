// SPDX-License-Identifier: GPL-2.0-only
/*
 * A push: the state that userspace sends takes the place of the one before it.
 * Process context, under ntpk_net.lock; the receive path sees the one or the other.
 */
#include <linux/netdevice.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <ntpk/ntp_plain.h>

#include "acl.h"
#include "clients.h"
#include "limit.h"
#include "state.h"
#include "state_priv.h"
#include "tstamp.h"

/* A push is computed before it arrives; this much is a tick's slack. */
#define BASE_AHEAD_MAX_NS	NSEC_PER_SEC
/* What is served may move so far in a push and has not been stepped. */
#define STEP_NS			(5 * NSEC_PER_MSEC)

/**
 * ntpk_state_alloc() - room for a push
 * @n_listeners: how many listeners it will have
 *
 * Context: process.
 * Return: zeroed, to be given to ntpk_state_push() or kfree(); NULL.
 */
struct ntpk_state *ntpk_state_alloc(unsigned int n_listeners)
{
	struct ntpk_state *state;

	state = kzalloc(struct_size(state, listeners, n_listeners), GFP_KERNEL_ACCOUNT);
	if (state)
		state->n_listeners = n_listeners;
	return state;
}

/* Does served time begin anew, or go on elsewhere?  No client is to blame for that. */
static bool is_step(const struct ntp_serve *next, const struct ntp_serve *old)
{
	return next->mono_epoch != old->mono_epoch ||
	       abs(next->mono_offset_ns - old->mono_offset_ns) > STEP_NS;
}

static __be16 any_port(const struct ntpk_state *state)
{
	const struct ntpk_listener *listener = state->listeners;

	if (state->n_listeners != 1 || listener->pf != NFPROTO_UNSPEC || listener->ifindex)
		return 0;
	return htons(listener->port);
}

/* What the kernel adds to a push. */
static void complete_state(struct ntpk_state *state, const struct ntpk_state *old,
			   const struct ntpk_clock *clock)
{
	bool same_clock = old && old->serve.clock_seq == state->serve.clock_seq;
	unsigned int i;

	state->since_real_ns = same_clock ? old->since_real_ns : clock->real_ns;
	state->real_to_boot_ns = clock->now.boot_ns - clock->real_ns;
	state->serve.pushed_boot_ns = clock->now.boot_ns;
	state->serve.floor_unix_ns = NTPK_BUILD_UNIX_S * NSEC_PER_SEC;
	state->serve.ever_synced = state->serve.leap != NTP_LEAP_UNSYNC ||
				   (old && old->serve.ever_synced);
	state->any_port = any_port(state);
	state->pushes = old ? old->pushes + 1 : 1;
	ntp_serve_complete(&state->serve, old ? &old->serve : NULL, get_random_u32());
	for (i = 0; i < state->n_listeners; i++)
		ntp_plain_complete(&state->listeners[i].policy, &state->serve);
	state->step_gen = old ? old->step_gen + is_step(&state->serve, &old->serve) : 0;
}

static struct ntpk_clients *clients_locked(const struct ntpk_inst *inst)
{
	return rcu_dereference_protected(inst->clients, ntpk_state_is_locked(inst->net));
}

/**
 * ntpk_state_push() - replace what a namespace serves
 * @net: which
 * @state: checked; taken over on success
 *
 * Context: process.
 * Return: 0; -ENOTCONN: not attached; -ESTALE: the clock was set since @state
 * was computed; -ERANGE: its base is too far from now; -E2BIG: more clients than are
 * allowed here; -ENOMEM.
 */
int ntpk_state_push(struct net *net, struct ntpk_state *state)
{
	struct ntpk_inst *inst = ntpk_state_lock(net);
	struct ntpk_clock clock;
	struct ntpk_state *old;
	int err = 0;

	if (!inst) {
		err = -ENOTCONN;
		goto unlock;
	}
	ntpk_tstamp_clock(&clock);
	if (clock.now.clock_seq != state->serve.clock_seq) {
		err = -ESTALE;
		goto unlock;
	}
	/* a base ahead of the counter is another counter: of a time namespace, say */
	if (state->serve.line.base_raw_ns > clock.now.raw_ns + BASE_AHEAD_MAX_NS ||
	    ntp_line_at(&state->serve.line, clock.now.raw_ns) == NTP_LINE_NOWHERE) {
		err = -ERANGE;
		goto unlock;
	}
	old = rcu_dereference_protected(inst->state, ntpk_state_is_locked(net));
	err = ntpk_acl_bind(inst, state);
	if (!err)
		err = ntpk_limit_prepare(net, state, old);
	if (err) {
		ntpk_acl_unbind(inst, old);
		goto unlock;
	}
	complete_state(state, old, &clock);
	state->clients = state->no_clientlog ? NULL : clients_locked(inst);
	rcu_assign_pointer(inst->state, state);
	WRITE_ONCE(inst->any_port, state->any_port);
	if (!state->clients && old && old->clients) {
		synchronize_net();
		ntpk_clients_flush(clients_locked(inst));
	}
	if (old) {
		ntpk_limit_retire(old, state);
		kfree_rcu(old, rcu);
	}
	ntpk_acl_collect(inst, state);
	ntpk_state_events_arm(inst, &state->serve, &clock.now);
unlock:
	ntpk_state_unlock(net);
	return err;
}
