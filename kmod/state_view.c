// SPDX-License-Identifier: GPL-2.0-only
/*
 * What there is to see of a namespace: state, counters, histograms, departures.
 * Any context; each reader takes its own copy under RCU.
 */
#include <linux/string.h>

#include "departure.h"
#include "hist.h"
#include "state.h"
#include "state_view.h"
#include "tstamp.h"

/**
 * ntpk_state_status() - what the state is worth now
 * @inst: namespace
 *
 * Context: any.
 * Return: as said.
 */
enum ntpk_status ntpk_state_status(const struct ntpk_inst *inst)
{
	enum ntpk_status status = NTPK_STATUS_EMPTY;
	const struct ntpk_state *state;
	struct ntpk_clock clock;

	rcu_read_lock();
	state = rcu_dereference(inst->state);
	ntpk_tstamp_clock(&clock);
	if (state)
		status = ntp_serve_status(&state->serve, &clock.now);
	rcu_read_unlock();
	return status;
}

/* Under RCU, so that the copy is of one push. */
static void fill_view(struct ntpk_view *view, const struct ntpk_state *state,
		      const struct ntpk_clock *clock)
{
	s64 age_ns;

	view->pushed = true;
	view->serve = state->serve;
	view->pushes = state->pushes;
	view->state = state;
	view->port = state->listeners[state->n_listeners - 1].port;
	view->status = ntp_serve_status(&state->serve, &clock->now);
	age_ns = clock->now.boot_ns - state->serve.pushed_boot_ns;
	view->age_ns = max_t(s64, age_ns, 0);
	view->unix_ns = ntp_line_at(&state->serve.line, clock->now.raw_ns);
	if (view->status == NTPK_STATUS_SYNC || view->status == NTPK_STATUS_HOLDOVER)
		view->disp_ns = ntp_serve_disp_ns(&state->serve, clock->now.raw_ns);
}

/**
 * ntpk_state_view() - a copy of everything that there is to see
 * @net: of which namespace
 * @view: out
 *
 * Context: process.
 */
void ntpk_state_view(struct net *net, struct ntpk_view *view)
{
	const struct ntpk_state *state;
	struct ntpk_clock clock;
	struct ntpk_inst *inst;

	memset(view, 0, sizeof(*view));
	view->serve.leap = NTP_LEAP_UNSYNC;
	view->status = NTPK_STATUS_DETACHED;
	view->unix_ns = NTP_LINE_NOWHERE;
	view->disp_ns = NTP_UNSYNC_DISP_NS;

	rcu_read_lock();
	inst = ntpk_state_inst(net);
	if (inst) {
		view->status = NTPK_STATUS_EMPTY;
		state = rcu_dereference(inst->state);
		/* the clocks after the state: a later push cannot make its age negative */
		ntpk_tstamp_clock(&clock);
		if (state)
			fill_view(view, state, &clock);
	}
	rcu_read_unlock();
}

/**
 * ntpk_state_read_stats() - all counters
 * @net: of which namespace
 * @pkts: out, __NTPK_REASON_MAX of them, zero while not attached
 *
 * Context: process.
 */
void ntpk_state_read_stats(struct net *net, u64 *pkts)
{
	struct ntpk_inst *inst;
	unsigned int i;

	rcu_read_lock();
	inst = ntpk_state_inst(net);
	for (i = 0; i < __NTPK_REASON_MAX; i++)
		pkts[i] = inst ? ntpk_stats_read(inst->stats, i) : 0;
	rcu_read_unlock();
}

/**
 * ntpk_state_read_quirks() - how often clients of each class asked
 * @net: of which namespace
 * @pkts: out, __NTP_CLIENT_QUIRK_MAX of them, zero while not attached
 *
 * Context: process.
 */
void ntpk_state_read_quirks(struct net *net, u64 *pkts)
{
	struct ntpk_inst *inst;
	unsigned int i;

	rcu_read_lock();
	inst = ntpk_state_inst(net);
	for (i = 0; i < __NTP_CLIENT_QUIRK_MAX; i++)
		pkts[i] = inst ? ntpk_stats_read_quirk(inst->stats, i) : 0;
	rcu_read_unlock();
}

/**
 * ntpk_state_read_hist() - what answers take
 * @net: of which namespace
 * @view: out, all zero while not attached
 *
 * Context: process.
 */
void ntpk_state_read_hist(struct net *net, struct ntpk_hist_view *view)
{
	struct ntpk_inst *inst;

	memset(view, 0, sizeof(*view));
	rcu_read_lock();
	inst = ntpk_state_inst(net);
	if (inst)
		ntpk_hist_read(inst->hist, view);
	rcu_read_unlock();
}

/**
 * ntpk_state_view_departure() - what is known of the replies that leave one way
 * @net: of which namespace
 * @i: below NTPK_DEPARTURES_MAX
 * @view: out
 *
 * Context: process.
 * Return: whether there is anything.
 */
bool ntpk_state_view_departure(struct net *net, unsigned int i, struct ntpk_departure_view *view)
{
	struct ntpk_inst *inst;
	bool known;

	rcu_read_lock();
	inst = ntpk_state_inst(net);
	known = inst && ntpk_departure_view(&inst->departures[i], view);
	rcu_read_unlock();
	return known;
}
