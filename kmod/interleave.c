// SPDX-License-Identifier: GPL-2.0-only
/*
 * When replies really left.  A reply to a client that asks in interleaved mode is
 * given to the device with a socket of ours, to which the core reports the transmit
 * stamp; the next request of that client names the reply by its T2, and is told.
 *
 * The table is found by T2, which differs from reply to reply, so that clients behind
 * one address are told apart; it is one for all namespaces, of fixed size, and forgets
 * what is oldest in a line.  A T2 is good for one request (RFC 9769 section 2).  Lines
 * have a lock each, taken for a few dozen instructions, with interrupts off as a driver
 * may report from its own.  Setup and teardown in process context, the rest in softirq
 * or interrupt.
 */
#include <linux/errqueue.h>
#include <linux/hash.h>
#include <linux/jiffies.h>
#include <linux/log2.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/net_tstamp.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <net/dst.h>
#include <net/sock.h>

#include <ntpk/ntp_math.h>

#include "interleave.h"
#include "rx_priv.h"
#include "state.h"
#include "tstamp.h"

#define CLIENTS_MAX	(1 << 22)
/* With four on average, a new one meets a full line once in 120 times. */
#define WAYS		10
#define WAYS_USED	4

static unsigned int interleaved = 8192;
module_param(interleaved, uint, 0444);
MODULE_PARM_DESC(interleaved, "how many clients interleaved mode is kept for, 64 to 128 bytes each (default 8192, 0 = none, at most 4194304)");

/**
 * struct sent - a reply that left, or will
 * @t2: its receive timestamp as sent, host order; 0 = none
 * @t2_raw_ns: that on CLOCK_MONOTONIC_RAW
 * @residence_ns: from T2 to the departure, 0 = not known yet
 * @clock_seq: the clock has not been set since
 */
struct sent {
	u64	t2;
	s64	t2_raw_ns;
	u32	residence_ns;
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

/* One each, so that CPUs do not meet in its counters. */
static DEFINE_PER_CPU(struct sock *, watcher);
static void (*report_before)(struct sock *sk);
static int open_err;

static u32 key_of(u64 t2)
{
	return hash_64(t2, 32);
}

static struct line *line_of(u32 key)
{
	return &lines[key & lines_mask];
}

/* From the T2 that a request names to the departure, 0 = not known.  It is known once. */
static u32 take_residence(u64 t2, u32 clock_seq)
{
	struct line *line = line_of(key_of(t2));
	unsigned long flags;
	u32 ns = 0;
	int i;

	raw_spin_lock_irqsave(&line->lock, flags);
	for (i = 0; i < WAYS; i++) {
		struct sent *sent = &line->sent[i];

		if (sent->t2 != t2 || sent->clock_seq != clock_seq || !sent->residence_ns)
			continue;
		ns = sent->residence_ns;
		sent->t2 = 0;
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
	ns = take_residence(t2, rx->now.clock_seq);
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
		if (!line->sent[i].t2)
			return &line->sent[i];
		if (line->sent[i].t2_raw_ns < oldest->t2_raw_ns)
			oldest = &line->sent[i];
	}
	return oldest;
}

static void note(const struct ntpk_rx *rx, u64 t2)
{
	struct line *line = line_of(key_of(t2));
	struct sent *sent;
	unsigned long flags;

	raw_spin_lock_irqsave(&line->lock, flags);
	sent = get_room(line);
	sent->t2 = t2;
	sent->t2_raw_ns = rx->now.raw_ns - rx->t2_age_ns;
	sent->residence_ns = 0;
	sent->clock_seq = rx->now.clock_seq;
	raw_spin_unlock_irqrestore(&line->lock, flags);
}

/*
 * Not where the socket, which is of the first namespace, would be looked at on the way:
 * a VRF runs its cgroup's programs, a light-weight tunnel routes by it.
 */
static bool can_watch(const struct sk_buff *skb)
{
	const struct dst_entry *dst = skb_dst(skb);

	return !dst->lwtstate && !netif_is_l3_master(dst->dev) && !netif_is_l3_slave(dst->dev);
}

/**
 * ntpk_interleave_watch() - learn when a reply leaves
 * @rx: its request
 * @skb: reply, on its way to the device
 * @t2: its receive timestamp, as on the wire
 *
 * Context: softirq.
 */
void ntpk_interleave_watch(const struct ntpk_rx *rx, struct sk_buff *skb, __be64 t2)
{
	if (!lines || !can_watch(skb))
		return;
	note(rx, be64_to_cpu(t2));
	skb_set_owner_w(skb, this_cpu_read(watcher));
	skb_shinfo(skb)->tx_flags |= SKBTX_SW_TSTAMP;
	skb_shinfo(skb)->tskey = key_of(be64_to_cpu(t2));
}

/* The stamp is on CLOCK_REALTIME, which counts for the microseconds since only. */
static void learn(u32 key, s64 stamp_ns)
{
	struct line *line = line_of(key);
	struct ntpk_snapshot snap;
	unsigned long flags;
	s64 raw_ns, ns;
	int i;

	ntpk_snapshot_read(&snap);
	raw_ns = snap.raw_ns - (snap.real_ns - stamp_ns);
	raw_spin_lock_irqsave(&line->lock, flags);
	for (i = 0; i < WAYS; i++) {
		struct sent *sent = &line->sent[i];

		ns = raw_ns - sent->t2_raw_ns;
		/* the first of several devices that it goes through, and no other T2's */
		if (key_of(sent->t2) == key && sent->clock_seq == snap.clock_seq &&
		    !sent->residence_ns && ns > 0 && ns < NTPK_T2_AGE_MAX_NS)
			sent->residence_ns = ns;
	}
	raw_spin_unlock_irqrestore(&line->lock, flags);
}

/* The core has a stamp for us. */
static void on_report(struct sock *sk)
{
	struct sk_buff *skb;

	/* not sock_dequeue_err_skb(), which reports what is behind the first by calling this */
	while ((skb = skb_dequeue(&sk->sk_error_queue))) {
		const struct sock_extended_err *ee = &SKB_EXT_ERR(skb)->ee;

		if (ee->ee_origin == SO_EE_ORIGIN_TIMESTAMPING && ee->ee_info == SCM_TSTAMP_SND &&
		    skb->tstamp)
			learn(ee->ee_data, ktime_to_ns(skb->tstamp));
		dev_consume_skb_any(skb);
	}
}

/* Never bound, never sent from by itself: only to be told. */
static int open_watcher(unsigned int cpu)
{
	struct socket *sock;
	struct sock *sk;
	int err;

	err = sock_create_kern(&init_net, AF_INET, SOCK_DGRAM, IPPROTO_UDP, &sock);
	if (err)
		return err;
	sk = sock->sk;
	report_before = sk->sk_error_report;
	sk->sk_tsflags = SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE |
			 SOF_TIMESTAMPING_OPT_ID | SOF_TIMESTAMPING_OPT_TSONLY;
	sk->sk_error_report = on_report;
	per_cpu(watcher, cpu) = sk;
	return 0;
}

static void open_all(struct work_struct *work)
{
	unsigned int cpu;

	open_err = 0;
	for_each_possible_cpu(cpu)
		if (!open_err)
			open_err = open_watcher(cpu);
}

/* By a kernel thread: sockets are in the cgroup of who makes them, for all their life. */
static int open_watchers(void)
{
	static DECLARE_WORK(work, open_all);

	schedule_work(&work);
	flush_work(&work);
	return open_err;
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
	int err;

	if (!interleaved)
		return 0;
	err = make_lines();
	if (!err)
		err = open_watchers();
	if (err)
		ntpk_interleave_teardown();
	return err;
}

/**
 * ntpk_interleave_teardown() - once, after the last packet
 *
 * Context: process.  Replies that still wait to be sent hold on to their socket, which
 * no longer reports to us.
 */
void ntpk_interleave_teardown(void)
{
	struct sock *sk;
	int cpu;

	for_each_possible_cpu(cpu) {
		sk = per_cpu(watcher, cpu);
		if (sk)
			WRITE_ONCE(sk->sk_error_report, report_before);
	}
	/* reports come in softirq or interrupt */
	synchronize_net();
	for_each_possible_cpu(cpu) {
		sk = per_cpu(watcher, cpu);
		if (sk)
			sock_release(sk->sk_socket);
	}
	kvfree(lines);
}
