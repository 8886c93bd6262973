// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events about those who ask.  Seen in softirq as bits, told from a workqueue, and so
 * seldom that nobody can make them a load: two for an overload, which is over after ten
 * seconds without, and one for each class of clients since the namespace was attached.
 */
#include <linux/bitops.h>
#include <linux/jiffies.h>

#include "netlink.h"
#include "notice.h"
#include "state.h"

/* An overload is over when nothing was left unanswered for so long. */
#define CALM		(10 * HZ)

/* Bits of struct ntpk_notices.flags. */
enum {
	OVERLOAD,		/* @work looks after it */
};

static void tell(struct ntpk_inst *inst, enum ntpk_event kind, u32 quirk, u64 pkts)
{
	ntpk_nl_event(inst->net, &(struct ntpk_event_what){
		.kind = kind,
		.status = ntpk_state_status(inst),
		.quirk = quirk,
		.pkts = pkts,
	});
}

static void tell_quirks(struct ntpk_inst *inst, struct ntpk_notices *n)
{
	unsigned long news = READ_ONCE(n->quirks) & ~n->quirks_told;
	unsigned int quirk;

	BUILD_BUG_ON(__NTP_CLIENT_QUIRK_MAX > BITS_PER_LONG);
	for_each_set_bit(quirk, &news, __NTP_CLIENT_QUIRK_MAX)
		tell(inst, NTPK_EVENT_NEW_QUIRK, quirk, 0);
	n->quirks_told |= news;
}

/* It begins, goes on, or is over. */
static void look_at_overload(struct ntpk_inst *inst, struct ntpk_notices *n)
{
	u64 over_budget = ntpk_stats_read(inst->stats, NTPK_REASON_OVER_BUDGET);

	if (!n->overloaded) {
		n->overloaded = true;
		n->over_before = n->over_budget;
		tell(inst, NTPK_EVENT_OVERLOAD, 0, 0);
	} else if (over_budget == n->over_budget) {
		n->overloaded = false;
		clear_bit(OVERLOAD, &n->flags);
		tell(inst, NTPK_EVENT_OVERLOAD_OVER, 0, over_budget - n->over_before);
	}
	n->over_budget = over_budget;
	n->look_at = jiffies + CALM;
}

static void notice_work(struct work_struct *work)
{
	struct ntpk_notices *n = container_of(to_delayed_work(work), struct ntpk_notices, work);
	struct ntpk_inst *inst = container_of(n, struct ntpk_inst, notices);

	tell_quirks(inst, n);
	if (!test_bit(OVERLOAD, &n->flags))
		return;
	/* that a class was seen is no reason to look */
	if (!n->overloaded || time_after_eq(jiffies, n->look_at))
		look_at_overload(inst, n);
	if (n->overloaded)
		ntpk_state_queue(&n->work, n->look_at - jiffies);
}

/**
 * ntpk_notice_init() - nothing to tell yet
 * @n: notices of an instance, all zero
 */
void ntpk_notice_init(struct ntpk_notices *n)
{
	INIT_DELAYED_WORK(&n->work, notice_work);
}

/**
 * ntpk_notice_stop() - nothing is told from here on
 * @n: notices of an instance that the receive path sees no more
 *
 * Context: process.
 */
void ntpk_notice_stop(struct ntpk_notices *n)
{
	cancel_delayed_work_sync(&n->work);
}

/**
 * ntpk_notice_overload() - a request is not answered, as its CPU has answered enough
 * @n: notices of the namespace
 *
 * Context: softirq, RCU.
 */
void ntpk_notice_overload(struct ntpk_notices *n)
{
	/* the plain read keeps a flood from bouncing the cache line */
	if (test_bit(OVERLOAD, &n->flags) || test_and_set_bit(OVERLOAD, &n->flags))
		return;
	ntpk_state_queue(&n->work, 0);
}

/**
 * ntpk_notice_quirk() - a CPU sees a class of clients for the first time
 * @n: notices of the namespace
 * @quirk: class
 *
 * Context: softirq, RCU.
 */
void ntpk_notice_quirk(struct ntpk_notices *n, enum ntp_client_quirk quirk)
{
	if (quirk == NTP_CLIENT_QUIRK_NONE || test_and_set_bit(quirk, &n->quirks))
		return;
	ntpk_state_queue(&n->work, 0);
}
