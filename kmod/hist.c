// SPDX-License-Identifier: GPL-2.0-only
/*
 * Histograms of what answers take, and the worst of them.  Written in softirq of their
 * CPU only, read from anywhere: the sums under u64_stats_sync, the worst under a seqcount.
 */
#include <linux/sort.h>
#include <linux/string.h>

#include "compat.h"
#include "hist.h"
#include "stats.h"

/**
 * ntpk_hist_alloc() - histograms for one namespace, empty
 *
 * Context: process.
 * Return: to be freed by free_percpu(); NULL without memory.
 */
struct ntpk_hist __percpu *ntpk_hist_alloc(void)
{
	struct ntpk_hist __percpu *hist;
	int cpu;

	hist = alloc_percpu_gfp(struct ntpk_hist, GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (!hist)
		return NULL;
	for_each_possible_cpu(cpu) {
		struct ntpk_hist *one = per_cpu_ptr(hist, cpu);

		u64_stats_init(&one->syncp);
		local_lock_init(&one->lock);
		seqcount_init(&one->seq);
	}
	return hist;
}

static struct ntpk_worst *mildest(struct ntpk_worst *worst)
{
	struct ntpk_worst *mild = worst;
	unsigned int i;

	for (i = 1; i < NTPK_WORST_MAX; i++)
		if (worst[i].residence_ns < mild->residence_ns)
			mild = &worst[i];
	return mild;
}

/**
 * ntpk_hist_note() - one of the worst
 * @hist: of the namespace
 * @worst: it
 *
 * Context: softirq.
 */
void ntpk_hist_note(struct ntpk_hist __percpu *hist, const struct ntpk_worst *worst)
{
	struct ntpk_worst *mild;
	struct ntpk_hist *mine;

	local_lock_nested_bh(&hist->lock);
	mine = this_cpu_ptr(hist);
	mild = mildest(mine->worst);
	if (worst->residence_ns > mild->residence_ns) {
		preempt_disable_nested();
		write_seqcount_begin(&mine->seq);
		*mild = *worst;
		write_seqcount_end(&mine->seq);
		preempt_enable_nested();
		WRITE_ONCE(mine->floor_ns, mildest(mine->worst)->residence_ns);
	}
	local_unlock_nested_bh(&hist->lock);
}

/* Those of one CPU among those of the CPUs before it. */
static void read_worst(const struct ntpk_hist *one, struct ntpk_hist_view *view)
{
	struct ntpk_worst copy[NTPK_WORST_MAX], *mild;
	unsigned int start, i;

	do {
		start = read_seqcount_begin(&one->seq);
		memcpy(copy, one->worst, sizeof(copy));
	} while (read_seqcount_retry(&one->seq, start));
	for (i = 0; i < NTPK_WORST_MAX; i++) {
		mild = mildest(view->worst);
		if (copy[i].residence_ns > mild->residence_ns)
			*mild = copy[i];
	}
}

static int worse(const void *a, const void *b)
{
	u64 x = ((const struct ntpk_worst *)a)->residence_ns;
	u64 y = ((const struct ntpk_worst *)b)->residence_ns;

	return x < y ? 1 : x > y ? -1 : 0;
}

/**
 * ntpk_hist_answers() - how many there were
 * @hist: of the namespace
 *
 * Context: any; the caller holds @hist alive.
 * Return: answers since the namespace was attached.
 */
u64 ntpk_hist_answers(const struct ntpk_hist __percpu *hist)
{
	u64 answers = 0;
	unsigned int i;

	for (i = 0; i < NTPK_HIST_BUCKETS; i++)
		answers += ntpk_stats_sum(&hist->t2_age[i], &hist->syncp);
	return answers;
}

/**
 * ntpk_hist_read() - all CPUs
 * @hist: of the namespace
 * @view: out
 *
 * Context: any; the caller holds @hist alive.
 */
void ntpk_hist_read(const struct ntpk_hist __percpu *hist, struct ntpk_hist_view *view)
{
	unsigned int i;
	int cpu;

	memset(view, 0, sizeof(*view));
	for (i = 0; i < NTPK_HIST_BUCKETS; i++) {
		view->residence[i] = ntpk_stats_sum(&hist->residence[i], &hist->syncp);
		view->t2_age[i] = ntpk_stats_sum(&hist->t2_age[i], &hist->syncp);
	}
	for_each_possible_cpu(cpu)
		read_worst(per_cpu_ptr(hist, cpu), view);
	sort(view->worst, NTPK_WORST_MAX, sizeof(view->worst[0]), worse, NULL);
	while (view->n_worst < NTPK_WORST_MAX && view->worst[view->n_worst].residence_ns)
		view->n_worst++;
}
