// SPDX-License-Identifier: GPL-2.0-only
/*
 * When replies really left, for the clients that ask in interleaved mode: the next request
 * of such a client names the last reply by its T2, and is told.
 *
 * The table is found by T2, which differs from reply to reply, so that clients behind
 * one address are told apart; it is one for all namespaces, each of which has names of
 * its own for them, of fixed size, and forgets what is oldest in a line.  A T2 is good
 * for one request (RFC 9769 section 2).  Lines have a lock each, taken for a few dozen
 * instructions, with interrupts off as a driver may report from its own.  Setup and
 * teardown in process context, the rest in softirq or interrupt.
 */
#include <linux/log2.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include <ntpk/ntp_math.h>

#include "interleave.h"
#include "rx_priv.h"
#include "stamp_order.h"
#include "state.h"
#include "tstamp.h"
#include "watch.h"

#define CLIENTS_MAX	(1 << 22)
/* With four on average, a new one meets a full line once in 120 times. */
#define WAYS		10
#define WAYS_USED	4

static unsigned int interleaved = 8192;
module_param(interleaved, uint, 0444);
MODULE_PARM_DESC(interleaved, "how many clients interleaved mode is kept for, 64 to 128 bytes each (default 8192, 0 = none, at most 4194304)");

/**
 * struct sent - a reply that left, or will
 * @name: of its receive timestamp, by ntpk_interleave_name(); 0 = none
 * @t2_raw_ns: that on CLOCK_MONOTONIC_RAW
 * @residence_ns: from T2 to the departure, 0 = not known yet
 * @waits: it leaves behind the report of its stamp
 * @clock_seq: the clock has not been set since
 */
struct sent {
	u64	name;
	s64	t2_raw_ns;
	u32	residence_ns:31;
	u32	waits:1;
	u32	clock_seq;
};

/**
 * struct line - what one hash value finds
 * @lock: of all
 * @sent: replies
 */
struct line {
	raw_spinlock_t lock;
	struct sent sent[WAYS];
} ____cacheline_aligned;

static struct line *lines;
static u32 lines_mask;

static struct line *line_of(u32 key)
{
	return &lines[key & lines_mask];
}

/**
 * ntpk_interleave_name() - what a reply is called here
 * @rx: its request, or one that names it
 * @t2: the reply's receive timestamp as sent, host order
 *
 * Nobody in another namespace can make one that has the same.
 *
 * Return: the name.
 */
u64 ntpk_interleave_name(const struct ntpk_rx *rx, u64 t2)
{
	return t2 ^ rx->inst->t2_secret;
}

/* From the T2 that a request names to the departure, 0 = not known.  It is known once. */
static u32 take_residence(u64 name, u32 clock_seq)
{
	struct line *line = line_of(ntpk_watch_key(name));
	unsigned long flags;
	u32 ns = 0;
	int i;

	raw_spin_lock_irqsave(&line->lock, flags);
	for (i = 0; i < WAYS; i++) {
		struct sent *sent = &line->sent[i];

		if (sent->name != name || sent->clock_seq != clock_seq || !sent->residence_ns)
			continue;
		ns = sent->residence_ns;
		sent->name = 0;
		break;
	}
	raw_spin_unlock_irqrestore(&line->lock, flags);
	return ns;
}

/**
 * ntpk_interleave_find() - when did the reply leave that a request names?
 * @rx: request in interleaved mode, decided; its answer's departed is set where that is
 *	known, and the clock was not set since
 *
 * Context: softirq, RCU.
 */
void ntpk_interleave_find(struct ntpk_rx *rx)
{
	u64 t2 = be64_to_cpu(ntpk_rx_req(rx)->org_ts);
	s64 rate_ns = 0;
	u32 ns;

	if (!lines)
		return;
	ns = take_residence(ntpk_interleave_name(rx, t2), rx->now.clock_seq);
	if (!ns)
		return;
	/* served time goes at another rate than the raw clock */
	ntp_scale(ns, rx->state->serve.line.rate_q48, &rate_ns);
	rx->answer.departed = (t2 + div_u64((u64)(ns + rate_ns) << 32, NSEC_PER_SEC)) & ~NTP_T2_BIT;
}

/* A free one, else the oldest. */
static struct sent *get_room(struct line *line)
{
	struct sent *oldest = line->sent;
	int i;

	for (i = 0; i < WAYS; i++) {
		if (!line->sent[i].name)
			return &line->sent[i];
		if (line->sent[i].t2_raw_ns < oldest->t2_raw_ns)
			oldest = &line->sent[i];
	}
	return oldest;
}

/**
 * ntpk_interleave_note() - remember a reply, whose departure is watched
 * @rx: its request
 * @name: of its T2, by ntpk_interleave_name()
 *
 * Context: softirq.
 */
void ntpk_interleave_note(const struct ntpk_rx *rx, u64 name)
{
	bool waits = ntpk_stamp_order_waits(rx->dst->dev);
	struct sent *sent;
	struct line *line;
	unsigned long flags;
	s64 rate_ns = 0;

	BUILD_BUG_ON(NTPK_T2_AGE_MAX_NS > S32_MAX);
	if (!lines)
		return;
	/* the age is in served time */
	ntp_scale(rx->t2_age_ns, rx->state->serve.line.rate_q48, &rate_ns);
	line = line_of(ntpk_watch_key(name));
	raw_spin_lock_irqsave(&line->lock, flags);
	sent = get_room(line);
	sent->name = name;
	sent->t2_raw_ns = rx->now.raw_ns - (rx->t2_age_ns - rate_ns);
	sent->residence_ns = 0;
	sent->waits = waits;
	sent->clock_seq = rx->now.clock_seq;
	raw_spin_unlock_irqrestore(&line->lock, flags);
}

/**
 * ntpk_interleave_learn() - a reply has left
 * @left: which, and when
 *
 * Context: softirq or interrupt.
 */
void ntpk_interleave_learn(const struct ntpk_left *left)
{
	unsigned long flags;
	struct line *line;
	s64 ns;
	int i;

	if (!lines)
		return;
	line = line_of(left->key);
	raw_spin_lock_irqsave(&line->lock, flags);
	for (i = 0; i < WAYS; i++) {
		struct sent *sent = &line->sent[i];

		ns = left->raw_ns - sent->t2_raw_ns + (sent->waits ? left->waits_ns : 0);
		/*
		 * No other T2's; and of the kernel's stamps the first of several devices that it
		 * goes through, while that of the device itself is better.
		 */
		if (ntpk_watch_key(sent->name) == left->key && sent->clock_seq == left->clock_seq &&
		    (left->hw || !sent->residence_ns) && ns > 0 && ns < NTPK_T2_AGE_MAX_NS)
			sent->residence_ns = ns;
	}
	raw_spin_unlock_irqrestore(&line->lock, flags);
}

static int make_lines(void)
{
	u32 n, i;

	interleaved = min_t(u32, interleaved, CLIENTS_MAX);
	n = roundup_pow_of_two(DIV_ROUND_UP(interleaved, WAYS_USED));
	lines = kvcalloc(n, sizeof(*lines), GFP_KERNEL);
	if (!lines)
		return -ENOMEM;
	lines_mask = n - 1;
	for (i = 0; i < n; i++)
		raw_spin_lock_init(&lines[i].lock);
	return 0;
}

/**
 * ntpk_interleave_setup() - once, at load, before the first packet
 *
 * Context: process.
 * Return: 0 or -errno.
 */
int ntpk_interleave_setup(void)
{
	return interleaved ? make_lines() : 0;
}

/**
 * ntpk_interleave_teardown() - once, after the last packet and report
 *
 * Context: process.
 */
void ntpk_interleave_teardown(void)
{
	kvfree(lines);
}
