// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buckets of clients.  A table goes from push to push as long as a listener has its
 * limit and its size is the same; made and freed in process context under
 * ntpk_net.lock, used by limit_take.c.  Nothing is allocated for a packet.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <ntpk/ntp_limit.h>

#include "limit.h"
#include "state.h"
#include "tstamp.h"

#define INIT_LINES	16384	/* a megabyte */

static void limits_free(struct ntpk_limits *limits)
{
	kvfree(limits->lines);
	kfree(limits);
}

static void release_work(struct work_struct *work)
{
	limits_free(container_of(to_rcu_work(work), struct ntpk_limits, release));
}

/* As many at once as do not keep a CPU for long. */
static void limits_init(struct ntpk_limits *limits)
{
	u32 i, n;

	for (i = 0; i < limits->n_lines; i += n) {
		n = min_t(u32, limits->n_lines - i, INIT_LINES);
		ntp_limit_init(limits->lines + i, n, ntpk_tstamp_tx());
		cond_resched();
	}
}

static struct ntpk_limits *limits_alloc(u32 n_lines)
{
	struct ntpk_limits *limits = kzalloc(sizeof(*limits), GFP_KERNEL_ACCOUNT);

	if (!limits)
		return NULL;
	/* how many was chosen by a user, who is told */
	limits->lines = kvmalloc_array(n_lines, sizeof(limits->lines[0]),
				       GFP_KERNEL_ACCOUNT | __GFP_NOWARN | __GFP_RETRY_MAYFAIL);
	if (!limits->lines) {
		kfree(limits);
		return NULL;
	}
	limits->n_lines = n_lines;
	limits_init(limits);
	return limits;
}

/* The table of a kind among the first so many listeners of a push. */
static struct ntpk_limits *find(const struct ntpk_state *state, unsigned int n, u64 kind)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (state->listeners[i].limits && state->listeners[i].policy.limit.kind == kind)
			return state->listeners[i].limits;
	return NULL;
}

static bool uses(const struct ntpk_state *state, unsigned int n, const struct ntpk_limits *limits)
{
	unsigned int i;

	for (i = 0; state && i < n; i++)
		if (state->listeners[i].limits == limits)
			return true;
	return false;
}

/* What a push made for itself, when it fails. */
static void undo(struct ntpk_state *state, unsigned int n, const struct ntpk_state *old)
{
	struct ntpk_limits *limits;

	while (n--) {
		limits = state->listeners[n].limits;
		state->listeners[n].limits = NULL;
		if (limits && !uses(state, n, limits) &&
		    !uses(old, old ? old->n_listeners : 0, limits))
			limits_free(limits);
	}
}

/**
 * ntpk_limit_prepare() - the tables that a push needs
 * @net: attached, ntpk_net.lock is held
 * @state: to be published; its listeners get their tables
 * @old: published now, NULL = nothing
 *
 * Context: process.
 * Return: 0; -E2BIG: more clients than an unprivileged owner may have; -ENOMEM.
 * Nothing has changed unless 0.
 */
int ntpk_limit_prepare(const struct net *net, struct ntpk_state *state,
		       const struct ntpk_state *old)
{
	u32 n_lines = ntp_limit_lines(state->limit_clients);
	struct ntpk_limits *limits;
	unsigned int i;

	for (i = 0; i < state->n_listeners; i++) {
		const struct ntp_limit *limit = &state->listeners[i].policy.limit;

		if (!limit->cost)
			continue;
		if (net->user_ns != &init_user_ns &&
		    n_lines > ntp_limit_lines(NTPK_LIMIT_CLIENTS_DEFAULT)) {
			undo(state, i, old);
			return -E2BIG;
		}
		limits = find(state, i, limit->kind);
		if (!limits && old)
			limits = find(old, old->n_listeners, limit->kind);
		if (!limits || limits->n_lines != n_lines)
			limits = limits_alloc(n_lines);
		if (!limits) {
			undo(state, i, old);
			return -ENOMEM;
		}
		state->listeners[i].limits = limits;
	}
	return 0;
}

/**
 * ntpk_limit_retire() - free the tables that a push does without
 * @old: was published until now, and may be read still
 * @state: published in its place
 *
 * Context: process, ntpk_net.lock is held.
 */
void ntpk_limit_retire(const struct ntpk_state *old, const struct ntpk_state *state)
{
	struct ntpk_limits *limits;
	unsigned int i;

	for (i = 0; i < old->n_listeners; i++) {
		limits = old->listeners[i].limits;
		if (!limits || uses(old, i, limits) || uses(state, state->n_listeners, limits))
			continue;
		INIT_RCU_WORK(&limits->release, release_work);
		ntpk_state_queue_release(&limits->release);
	}
}

/**
 * ntpk_limit_clean() - free the tables of the last push
 * @state: no reader is left; NULL is fine
 *
 * Context: process.
 */
void ntpk_limit_clean(const struct ntpk_state *state)
{
	unsigned int i;

	for (i = 0; state && i < state->n_listeners; i++)
		if (state->listeners[i].limits && !uses(state, i, state->listeners[i].limits))
			limits_free(state->listeners[i].limits);
}
