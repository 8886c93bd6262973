// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events about those who ask.  Seen in softirq as bits, told from a workqueue, and so
 * seldom that nobody can make them a load: two for an overload, which is over after ten
 * seconds without, and one for each class of clients since the namespace was attached.
 */
#include <linux/bitops.h>
#include <linux/errno.h>
#include <linux/jiffies.h>

#include "netlink.h"
#include "notice.h"
#include "state.h"
#include "state_view.h"

/* An overload is over when nothing was left unanswered for so long. */
#define CALM		(10 * HZ)

/* Bits of struct ntpk_notices.flags. */
enum {
	OVERLOAD,		/* @work looks after it */
};

/* Return: whether it was, else it is to be tried again. */
static bool tell(struct ntpk_inst *inst, enum ntpk_event kind, u32 quirk, u64 pkts)
{
	return ntpk_nl_event(inst->net, &(struct ntpk_event_what){
		.kind = kind,
		.status = ntpk_state_status(inst),
		.quirk = quirk,
		.pkts = pkts,
	}) != -ENOMEM;
}

static bool tell_quirks(struct ntpk_inst *inst, struct ntpk_notices *n)
{
	unsigned long news = READ_ONCE(n->quirks) & ~n->quirks_told;
	unsigned int quirk;

	BUILD_BUG_ON(__NTP_CLIENT_QUIRK_MAX > BITS_PER_LONG);
	for_each_set_bit(quirk, &news, __NTP_CLIENT_QUIRK_MAX) {
		if (!tell(inst, NTPK_EVENT_NEW_QUIRK, quirk, 0))
			return false;
		__set_bit(quirk, &n->quirks_told);
	}
	return true;
}

static u64 over_budget(const struct ntpk_inst *inst)
{
	return ntpk_stats_read(inst->stats, NTPK_REASON_OVER_BUDGET);
}

/*
 * What comes before the bit is cleared finds it set and queues nothing: it is an overload
 * that goes on.
 */
static bool is_over(const struct ntpk_inst *inst, struct ntpk_notices *n)
{
	if (over_budget(inst) != n->over_budget)
		return false;
	clear_bit(OVERLOAD, &n->flags);
	/* who counts beside us is seen below, or sees the bit clear */
	smp_mb__after_atomic();
	if (over_budget(inst) == n->over_budget)
		return true;
	set_bit(OVERLOAD, &n->flags);
	return false;
}

/* It begins, goes on, or is over.  Return: false without memory. */
static bool look_at_overload(struct ntpk_inst *inst, struct ntpk_notices *n)
{
	if (!n->overloaded) {
		if (!tell(inst, NTPK_EVENT_OVERLOAD, 0, 0))
			return false;
		n->overloaded = true;
		n->over_before = n->over_budget;
	} else if (is_over(inst, n)) {
		n->overloaded = false;
		/* who misses it hears of the next one: the bit is clear */
		tell(inst, NTPK_EVENT_OVERLOAD_OVER, 0, n->over_budget - n->over_before);
		return true;
	}
	n->over_budget = over_budget(inst);
	n->look_at = jiffies + CALM;
	return true;
}

static void notice_work(struct work_struct *work)
{
	struct ntpk_notices *n = container_of(to_delayed_work(work), struct ntpk_notices, work);
	struct ntpk_inst *inst = container_of(n, struct ntpk_inst, notices);
	bool told = tell_quirks(inst, n);

	/* that a class was seen is no reason to look */
	if (test_bit(OVERLOAD, &n->flags) &&
	    (!n->overloaded || time_after_eq(jiffies, n->look_at)))
		told = look_at_overload(inst, n) && told;
	if (!told)
		ntpk_state_queue_later(&n->work, HZ);
	else if (n->overloaded)
		ntpk_state_queue_later(&n->work, n->look_at - jiffies);
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
	ntpk_state_queue(&n->work);
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
	ntpk_state_queue(&n->work);
}
