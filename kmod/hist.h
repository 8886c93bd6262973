/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How long answers take: histograms, and the worst of them.
 */
#ifndef NTPK_HIST_H
#define NTPK_HIST_H

#include <linux/local_lock.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/percpu.h>
#include <linux/seqlock.h>
#include <linux/u64_stats_sync.h>
#include <linux/ntpk.h>

/**
 * struct ntpk_worst - an answer that took long
 * @residence_ns: from T2 to T3
 * @t2_age_ns: from T2 to its being looked at
 * @raw_ns: when, CLOCK_MONOTONIC_RAW
 * @cpu: that answered
 * @ifindex: of the device that it came by
 * @queue: of the device, from 1 on; 0 = not told
 */
struct ntpk_worst {
	u64	residence_ns;
	u64	t2_age_ns;
	u64	raw_ns;
	u32	cpu;
	u32	ifindex;
	u32	queue;
};

/**
 * struct ntpk_hist - those of one CPU
 * @residence: answers by the logarithm of the nanoseconds from T2 to T3
 * @t2_age: answers by that of the age of their T2 when it was looked at
 * @syncp: lets a 32-bit reader see whole values
 * @floor_ns: the least of @worst
 * @lock: for PREEMPT_RT, where softirqs of one CPU can preempt each other
 * @seq: of @worst
 * @worst: in no order; residence_ns 0 = none
 */
struct ntpk_hist {
	u64_stats_t	residence[NTPK_HIST_BUCKETS];
	u64_stats_t	t2_age[NTPK_HIST_BUCKETS];
	struct u64_stats_sync syncp;
	u64	floor_ns;
	local_lock_t	lock;
	seqcount_t	seq;
	struct ntpk_worst worst[NTPK_WORST_MAX];
};

/**
 * struct ntpk_hist_view - of all CPUs
 * @residence: as above
 * @t2_age: likewise
 * @worst: the worst first
 * @n_worst: how many
 */
struct ntpk_hist_view {
	u64	residence[NTPK_HIST_BUCKETS];
	u64	t2_age[NTPK_HIST_BUCKETS];
	struct ntpk_worst worst[NTPK_WORST_MAX];
	unsigned int n_worst;
};

struct ntpk_hist __percpu *ntpk_hist_alloc(void);
u64 ntpk_hist_answers(const struct ntpk_hist __percpu *hist);
void ntpk_hist_read(const struct ntpk_hist __percpu *hist, struct ntpk_hist_view *view);
void ntpk_hist_note(struct ntpk_hist __percpu *hist, const struct ntpk_worst *worst);

/* What is longer than the last bucket is in it. */
static inline unsigned int ntpk_hist_bucket(u64 ns)
{
	return min_t(unsigned int, ilog2(ns | 1), NTPK_HIST_BUCKETS - 1);
}

/**
 * ntpk_hist_count() - one answer
 * @hist: of the namespace
 * @residence_ns: from T2 to T3
 * @t2_age_ns: from T2 to its being looked at
 *
 * Context: softirq.
 * Return: whether it is one of the worst, for ntpk_hist_note().
 */
static inline bool ntpk_hist_count(struct ntpk_hist __percpu *hist, u64 residence_ns, u64 t2_age_ns)
{
	struct ntpk_hist *mine = this_cpu_ptr(hist);

	u64_stats_update_begin(&mine->syncp);
	u64_stats_inc(&mine->residence[ntpk_hist_bucket(residence_ns)]);
	u64_stats_inc(&mine->t2_age[ntpk_hist_bucket(t2_age_ns)]);
	u64_stats_update_end(&mine->syncp);
	return residence_ns > READ_ONCE(mine->floor_ns);
}

#endif /* NTPK_HIST_H */
