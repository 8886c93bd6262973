// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is done later and in process context: the module's workqueue, and the events of a
 * state that is good no more, by its age or because a reply saw a step of the clock.
 * Called from any context; works read the state under RCU.
 */
#include <linux/math64.h>
#include <linux/netdevice.h>

#include "netlink.h"
#include "state.h"
#include "state_priv.h"
#include "tstamp.h"

/* A far deadline is looked at again after this. */
#define RECHECK_MAX_MS		(3600 * MSEC_PER_SEC)

static struct workqueue_struct *events_wq;

/**
 * ntpk_state_queue_release() - free something in process context, after a grace period
 * @work: whose function frees it; waited for before the module goes
 *
 * Context: any.
 */
void ntpk_state_queue_release(struct rcu_work *work)
{
	queue_rcu_work(events_wq, work);
}

/**
 * ntpk_state_queue() - do something in process context as soon as can be
 * @work: what, of an instance, which waits for it before it goes
 *
 * Context: any.
 */
void ntpk_state_queue(struct delayed_work *work)
{
	mod_delayed_work(events_wq, work, 0);
}

/**
 * ntpk_state_queue_later() - the same after a time, where it was not queued meanwhile
 * @work: what, which calls this
 * @delay: jiffies
 *
 * Context: any.
 */
void ntpk_state_queue_later(struct delayed_work *work, unsigned long delay)
{
	queue_delayed_work(events_wq, work, delay);
}

/* Milliseconds until the state could expire, rounded up and bounded. */
static u64 ms_to_expiry(const struct ntp_serve *serve, const struct ntp_now *now)
{
	u64 deadline_ms = 0, distance_ms = RECHECK_MAX_MS;
	u64 dist_ns, margin_ns;

	if (serve->deadline_boot_ns > now->boot_ns)
		deadline_ms = div_u64(serve->deadline_boot_ns - now->boot_ns, NSEC_PER_MSEC) + 1;

	dist_ns = ntp_serve_disp_ns(serve, now->raw_ns);
	if (dist_ns > NTP_SPAN_MAX_NS)
		return 0;
	dist_ns += serve->root_delay_ns / 2;
	if (dist_ns > serve->max_dist_ns)
		return 0;
	/* it has to be more than that */
	margin_ns = serve->max_dist_ns - dist_ns + 1;
	if (serve->disp_rate_ppb && margin_ns < U64_MAX / MSEC_PER_SEC)
		distance_ms = div_u64(margin_ns * MSEC_PER_SEC, serve->disp_rate_ppb) + 1;
	return min3(deadline_ms, distance_ms, (u64)RECHECK_MAX_MS);
}

/**
 * ntpk_state_events_arm() - look at what is served when it could have expired
 * @inst: namespace
 * @serve: what it serves
 * @now: as of now
 *
 * Context: any.
 */
void ntpk_state_events_arm(struct ntpk_inst *inst, const struct ntp_serve *serve,
			   const struct ntp_now *now)
{
	u64 delay_ms = max_t(u64, ms_to_expiry(serve, now), 1);

	mod_delayed_work(events_wq, &inst->work, msecs_to_jiffies(delay_ms));
}

static void events_work(struct work_struct *work)
{
	struct ntpk_inst *inst = container_of(to_delayed_work(work), struct ntpk_inst, work);
	enum ntpk_event kind = NTPK_EVENT_UNSPEC;
	enum ntpk_status status;
	struct ntpk_state *state;
	struct ntpk_clock clock;

	rcu_read_lock();
	state = rcu_dereference(inst->state);
	if (!state) {
		rcu_read_unlock();
		return;
	}
	ntpk_tstamp_clock(&clock);
	status = ntp_serve_status(&state->serve, &clock.now);
	switch (status) {
	case NTPK_STATUS_EXPIRED_STEP:
		if (!test_and_set_bit(NTPK_EV_STEP_SENT, &state->events))
			kind = NTPK_EVENT_STEP;
		break;
	case NTPK_STATUS_EXPIRED_DEADLINE:
	case NTPK_STATUS_EXPIRED_DISTANCE:
		if (!test_and_set_bit(NTPK_EV_EXPIRED_SENT, &state->events))
			kind = NTPK_EVENT_EXPIRED;
		break;
	case NTPK_STATUS_SYNC:
	case NTPK_STATUS_HOLDOVER:
		ntpk_state_events_arm(inst, &state->serve, &clock.now);
		break;
	default:
		break;
	}
	rcu_read_unlock();

	/* lost without memory: the status itself can always be asked for */
	if (kind != NTPK_EVENT_UNSPEC)
		ntpk_nl_event(inst->net, &(struct ntpk_event_what){
			.kind = kind, .status = status });
}

/**
 * ntpk_state_events_init() - of a namespace that begins to be attached
 * @inst: namespace
 */
void ntpk_state_events_init(struct ntpk_inst *inst)
{
	INIT_DELAYED_WORK(&inst->work, events_work);
}

/**
 * ntpk_state_events_stop() - no more of them
 * @inst: namespace, which no packet and no push sees any more
 *
 * Context: process; waits for the one that is being raised.
 */
void ntpk_state_events_stop(struct ntpk_inst *inst)
{
	cancel_delayed_work_sync(&inst->work);
}

/**
 * ntpk_state_saw_step() - a reply met another clock_seq than that of the push
 * @inst: namespace
 * @state: the state that the reply was made of
 *
 * Context: softirq, RCU.  Raises the event once per push, from a workqueue.
 */
void ntpk_state_saw_step(struct ntpk_inst *inst, struct ntpk_state *state)
{
	/* the plain read keeps a flood from bouncing the cache line */
	if (test_bit(NTPK_EV_STEP_SEEN, &state->events) ||
	    test_and_set_bit(NTPK_EV_STEP_SEEN, &state->events))
		return;
	mod_delayed_work(events_wq, &inst->work, 0);
}

/**
 * ntpk_state_setup() - once, at load
 *
 * Return: 0 or -ENOMEM.
 */
int ntpk_state_setup(void)
{
	/* one machine-wide queue; the work sleeps on memory for a message */
	events_wq = alloc_workqueue("ntpk", WQ_UNBOUND, 0);
	return events_wq ? 0 : -ENOMEM;
}

/** ntpk_state_teardown() - once, when no namespace is attached any more */
void ntpk_state_teardown(void)
{
	/* what ntpk_state_queue_release() was given may not be queued yet */
	rcu_barrier();
	destroy_workqueue(events_wq);
}
