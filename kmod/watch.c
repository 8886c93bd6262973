// SPDX-License-Identifier: GPL-2.0-only
/*
 * Being told when a reply leaves: it is given to the device with a socket of ours, to
 * whose error queue the core reports the transmit stamp, and that socket hands it on to
 * those who want to know.  Nothing of ours hangs on the reply itself, which may wait in
 * a queue for longer than the module is there.
 * Setup and teardown in process context, the rest in softirq; but reports in any context
 * but NMI, as a driver may report from its own interrupt or thread.
 */
#include <linux/errqueue.h>
#include <linux/minmax.h>
#include <linux/netdevice.h>
#include <linux/net_tstamp.h>
#include <linux/workqueue.h>
#include <net/dst.h>
#include <net/sock.h>
#include <ntpk/ntp_latency.h>

#include "compat.h"
#include "departure.h"
#include "hwleft.h"
#include "interleave.h"
#include "tstamp.h"
#include "watch.h"

/* One in 2^32 replies has it as well, and is not learned from. */
#define REHEARSAL_KEY	0
/* The work is taken off where it is learned, and put on again: that both are alike counts. */
#define WORK_SLOW	6
/* The rest is only put on, and must be too much in next to no reply. */
#define REST_SLOW	10
/* The first few may be of cold caches, or interrupted: so many are no least yet. */
#define LEAST_OF	16
/* So long after a rehearsal its CPU may be in another state. */
#define WAITS_FOR_NS	(30LL * NSEC_PER_SEC)

/**
 * struct least - about the least of some times, late rather than early
 * @ns: that
 * @n: of how many, up to LEAST_OF
 */
struct least {
	u32	ns;
	u32	n;
};

/**
 * struct watcher - of one CPU
 * @cpu: which
 * @sk: to be told; never bound, never sent from by itself
 * @rehearsal: a packet that goes nowhere
 * @rehearsed_ns: when its stamp was made, CLOCK_REALTIME
 * @told_raw_ns: when we had been told of it
 * @reported_ns: what reporting the last reply took, from its stamp on; -1 = not to be noted
 * @work: what making a stamp takes
 * @rest: what reporting it takes, for which the reply waits as well
 * @lock: of the next two; reports interrupt each other
 * @reports: what reporting took, of the last ones
 * @ways_back: and what the core did behind that, of the last rehearsals
 * @returned_raw_ns: when the last of these was
 * @waits_ns: what a reply waits for its report, in all but a few; 0 = not known
 */
struct watcher {
	unsigned int cpu;
	struct sock *sk;
	struct sk_buff *rehearsal;
	s64	rehearsed_ns;
	s64	told_raw_ns;
	s64	reported_ns;
	struct least work;
	struct least rest;
	raw_spinlock_t lock;
	struct ntp_latency reports;
	struct ntp_latency ways_back;
	s64	returned_raw_ns;
	u32	waits_ns;
};

/* One each, so that CPUs do not meet in its counters. */
static DEFINE_PER_CPU_ALIGNED(struct watcher, watchers);
static void (*report_before)(struct sock *sk);
static int open_err;
/* Drivers may report from threads. */
static bool asked_hw;

/**
 * ntpk_watch_can() - can the departure of a reply be learned?
 * @skb: reply, with its route
 *
 * Not where the socket, which is of the first namespace, would be looked at on the way:
 * a VRF runs its cgroup's programs, a light-weight tunnel routes by it.
 *
 * Return: whether.
 */
bool ntpk_watch_can(const struct sk_buff *skb)
{
	const struct dst_entry *dst = skb_dst(skb);

	return !dst->lwtstate && !netif_is_l3_master(dst->dev) && !netif_is_l3_slave(dst->dev);
}

static void set_watcher(struct sk_buff *skb, struct sock *sk, u32 key, u8 tx_flags)
{
	skb_set_owner_w(skb, sk);
	skb_shinfo(skb)->tx_flags |= tx_flags;
	skb_shinfo(skb)->tskey = key;
}

/**
 * ntpk_watch() - learn when a reply leaves
 * @skb: it, of which ntpk_watch_can() says that it can be
 * @key: what struct ntpk_left is to name it by
 * @hw: by the device's stamp as well as by the kernel's; ntpk_hwleft_wait() says whether
 *
 * Context: softirq.  To be called before T3 is read, as it takes its time.
 */
void ntpk_watch(struct sk_buff *skb, u32 key, bool hw)
{
	if (hw && !READ_ONCE(asked_hw))
		WRITE_ONCE(asked_hw, true);
	set_watcher(skb, this_cpu_read(watchers.sk), key,
		    SKBTX_SW_TSTAMP | (hw ? NTPK_SKBTX_HW : 0));
}

/*
 * About the least of late, which follows slowly what takes longer: by one part in 2^slow
 * each time.  A lost update, where softirqs of one CPU preempt each other, is one time less
 * to go by.
 */
static void note_least(struct least *least, s64 ns, unsigned int slow)
{
	u32 old_ns = READ_ONCE(least->ns), most_ns = old_ns + (old_ns >> slow) + 1;
	u32 n = READ_ONCE(least->n);

	/* not where the clock was set in between */
	if (ns <= 0 || ns > NTPK_STAMP_WORK_MAX_NS)
		return;
	WRITE_ONCE(least->ns, old_ns && most_ns < ns ? most_ns : ns);
	if (n < LEAST_OF)
		WRITE_ONCE(least->n, n + 1);
}

/*
 * The least of so many that next to no reply waits for less: who is told of its departure
 * by it must not be told of a later one.  At most NTP_LATENCY_CORRECTION_MAX_NS in all.
 */
static void note_wait(struct watcher *w, struct ntp_latency *part, s64 ns)
{
	unsigned long flags;
	u32 waits_ns = 0;

	if (ns < 0 || ns > NTPK_STAMP_WORK_MAX_NS)
		return;
	raw_spin_lock_irqsave(&w->lock, flags);
	/* between two ticks of a clock is the least that there is */
	ntp_latency_add(part, max_t(s64, ns, 1));
	if (ntp_latency_known(&w->reports) && ntp_latency_known(&w->ways_back))
		waits_ns = ntp_latency_correction_ns(&w->reports) +
			   ntp_latency_correction_ns(&w->ways_back);
	WRITE_ONCE(w->waits_ns, min_t(u32, waits_ns, NTP_LATENCY_CORRECTION_MAX_NS));
	raw_spin_unlock_irqrestore(&w->lock, flags);
}

/**
 * ntpk_watch_rehearse() - what making the stamp takes, up to the reading of the clock, and
 *	what is done behind its report
 *
 * Only those replies wait for it that are watched, and it is no part of their way.  Done
 * just before, it finds the caches as cold as they are, and leaves them warm: what it takes
 * is more than the stamp itself will take rather than less.
 *
 * Context: softirq.
 */
void ntpk_watch_rehearse(void)
{
	struct watcher *w = this_cpu_ptr(&watchers);
	s64 began_ns, returned_raw_ns;

	WRITE_ONCE(w->rehearsed_ns, 0);
	WRITE_ONCE(w->told_raw_ns, 0);
	began_ns = ktime_get_real_ns();
	skb_tstamp_tx(w->rehearsal, NULL);
	returned_raw_ns = ntpk_tstamp_tx();
	/* from 0 where it was not told of it, which is too long */
	note_wait(w, &w->ways_back, returned_raw_ns - READ_ONCE(w->told_raw_ns));
	WRITE_ONCE(w->returned_raw_ns, returned_raw_ns);
	note_least(&w->work, READ_ONCE(w->rehearsed_ns) - began_ns, WORK_SLOW);
}

/**
 * ntpk_watch_delay_ns() - by how much later a reply leaves that is watched
 *
 * About the least of late.  What is learned of a way lacks what the rehearsals took, so
 * that both together are no more than what has been seen, however long a rehearsal takes.
 *
 * Context: softirq.
 * Return: nanoseconds, 0 while not known of this CPU.
 */
u32 ntpk_watch_delay_ns(void)
{
	const struct watcher *w = this_cpu_ptr(&watchers);

	if (READ_ONCE(w->work.n) < LEAST_OF || READ_ONCE(w->rest.n) < LEAST_OF)
		return 0;
	return READ_ONCE(w->work.ns) + READ_ONCE(w->rest.ns);
}

/* Of the reply before, as what it takes to note that is to be in what this one waits. */
static void note_report(struct watcher *w)
{
	s64 ns = READ_ONCE(w->reported_ns);

	WRITE_ONCE(w->reported_ns, -1);
	note_least(&w->rest, ns, REST_SLOW);
	note_wait(w, &w->reports, ns);
}

/*
 * What the reply whose report this is still waits for it, 0 = not known: not where another
 * CPU has the report, nor by rehearsals of long ago, when the CPU may have been slower.
 */
static u32 waits_now_ns(const struct watcher *w, s64 raw_ns)
{
	if (w->cpu != raw_smp_processor_id() ||
	    raw_ns - READ_ONCE(w->returned_raw_ns) > WAITS_FOR_NS)
		return 0;
	return READ_ONCE(w->waits_ns);
}

/*
 * The stamp is on CLOCK_REALTIME, which counts for the microseconds since only.
 * Return: that on CLOCK_MONOTONIC_RAW.
 */
static s64 report(struct watcher *w, u32 key, s64 stamp_ns, bool hw)
{
	struct ntpk_snapshot snap;
	struct ntpk_left left = { .key = key, .cpu = w->cpu, .work_ns = READ_ONCE(w->work.ns) };
	s64 raw_ns;

	ntpk_snapshot_read(&snap);
	raw_ns = snap.raw_ns - (snap.real_ns - stamp_ns);
	left.clock_seq = snap.clock_seq;
	left.raw_ns = raw_ns;
	if (hw)
		ntpk_hwleft_had(w->cpu, key, raw_ns);
	ntpk_departure_learn(&left);
	if (w->cpu == raw_smp_processor_id())
		note_report(w);
	left.waits_ns = waits_now_ns(w, raw_ns);
	ntpk_interleave_learn(&left);
	return raw_ns;
}

/*
 * Nothing is learned from the device's stamps of how long replies take: what a driver does
 * before it hands over one that is to be stamped is in each of them, and cannot be told.
 */
static void report_hw(const struct watcher *w, u32 key, s64 phc_ns)
{
	struct ntpk_left left = { .key = key, .cpu = w->cpu, .hw = true };
	struct ntpk_snapshot snap;
	struct ntp_phc_left phc;

	ntpk_snapshot_read(&snap);
	if (!ntpk_hwleft_take(w->cpu, key, phc_ns, snap.raw_ns, &phc))
		return;
	left.clock_seq = snap.clock_seq;
	left.raw_ns = phc.raw_ns;
	ntpk_interleave_learn(&left);
}

/*
 * The kernel's stamp is where that of an arrival would be, the device's is beside it.
 * Return: when it was on CLOCK_MONOTONIC_RAW, of a reply by the kernel's; else 0.
 */
static s64 take(struct watcher *w, u32 key, struct sk_buff *skb)
{
	s64 phc_ns = ktime_to_ns(skb_hwtstamps(skb)->hwtstamp);

	if (phc_ns)
		report_hw(w, key, phc_ns);
	else if (!skb->tstamp)
		return 0;
	else if (key == REHEARSAL_KEY)
		WRITE_ONCE(w->rehearsed_ns, ktime_to_ns(skb->tstamp));
	else
		return report(w, key, ktime_to_ns(skb->tstamp),
			      skb_shinfo(skb)->tx_flags & NTPK_SKBTX_HW);
	return 0;
}

/* One has been dealt with.  What another CPU's report takes is not noted here. */
static void end_report(struct watcher *w, bool rehearsed, s64 left_raw_ns)
{
	if (rehearsed)
		WRITE_ONCE(w->told_raw_ns, ntpk_tstamp_tx());
	else if (left_raw_ns && w->cpu == raw_smp_processor_id())
		WRITE_ONCE(w->reported_ns, ntpk_tstamp_tx() - left_raw_ns);
}

/* The core has a stamp for us. */
static void on_report(struct sock *sk)
{
	struct watcher *w = sk->sk_user_data;
	struct sk_buff *skb;

	/* what a driver's thread has not done of itself */
	rcu_read_lock();
	/* not sock_dequeue_err_skb(), which reports what is behind the first by calling this */
	while ((skb = skb_dequeue(&sk->sk_error_queue))) {
		const struct sock_extended_err *ee = &SKB_EXT_ERR(skb)->ee;
		u32 key = ee->ee_data;
		s64 left_raw_ns = 0;

		if (ee->ee_origin == SO_EE_ORIGIN_TIMESTAMPING && ee->ee_info == SCM_TSTAMP_SND)
			left_raw_ns = take(w, key, skb);
		dev_consume_skb_any(skb);
		end_report(w, key == REHEARSAL_KEY, left_raw_ns);
	}
	rcu_read_unlock();
}

static int open_watcher(struct watcher *w, unsigned int cpu)
{
	struct socket *sock;
	struct sock *sk;
	int err;

	w->cpu = cpu;
	raw_spin_lock_init(&w->lock);
	w->reported_ns = -1;
	w->rehearsal = alloc_skb(0, GFP_KERNEL);
	if (!w->rehearsal)
		return -ENOMEM;
	err = sock_create_kern(&init_net, AF_INET, SOCK_DGRAM, IPPROTO_UDP, &sock);
	if (err)
		return err;
	sk = sock->sk;
	report_before = sk->sk_error_report;
	/* aligned, as the low bits are the core's */
	sk->sk_user_data = w;
	/* the kernel's stamp also where the device makes one, which may not come */
	sk->sk_tsflags = SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE |
			 SOF_TIMESTAMPING_TX_HARDWARE | SOF_TIMESTAMPING_RAW_HARDWARE |
			 SOF_TIMESTAMPING_OPT_TX_SWHW |
			 SOF_TIMESTAMPING_OPT_ID | SOF_TIMESTAMPING_OPT_TSONLY;
	sk->sk_error_report = on_report;
	w->sk = sk;
	set_watcher(w->rehearsal, sk, REHEARSAL_KEY, SKBTX_SW_TSTAMP);
	return 0;
}

static void open_all(struct work_struct *work)
{
	unsigned int cpu;

	open_err = 0;
	for_each_possible_cpu(cpu)
		if (!open_err)
			open_err = open_watcher(per_cpu_ptr(&watchers, cpu), cpu);
}

/**
 * ntpk_watch_setup() - once, at load, before the first packet
 *
 * By a kernel thread: sockets are in the cgroup of who makes them, for all their life.
 *
 * Context: process.
 * Return: 0 or -errno.
 */
int ntpk_watch_setup(void)
{
	static DECLARE_WORK(work, open_all);

	schedule_work(&work);
	flush_work(&work);
	if (open_err)
		ntpk_watch_teardown();
	return open_err;
}

/**
 * ntpk_watch_teardown() - once, after the last packet
 *
 * Context: process.  Replies that still wait to be sent hold on to their socket, which
 * no longer reports to us.
 */
void ntpk_watch_teardown(void)
{
	struct watcher *w;
	int cpu;

	for_each_possible_cpu(cpu) {
		w = per_cpu_ptr(&watchers, cpu);
		if (w->sk)
			WRITE_ONCE(w->sk->sk_error_report, report_before);
	}
	/*
	 * ORDER: a driver's thread may have been preempted before its rcu_read_lock(), then is
	 * in there, where it may sleep with PREEMPT_RT, and then behind it
	 */
	if (READ_ONCE(asked_hw))
		synchronize_rcu_tasks();
	synchronize_net();
	if (READ_ONCE(asked_hw))
		synchronize_rcu_tasks();
	for_each_possible_cpu(cpu) {
		w = per_cpu_ptr(&watchers, cpu);
		consume_skb(w->rehearsal);
		if (w->sk)
			sock_release(w->sk->sk_socket);
	}
}
