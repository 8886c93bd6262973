// SPDX-License-Identifier: GPL-2.0-only
/*
 * Per-CPU counters, written by their CPU only and read from anywhere;
 * u64_stats_sync keeps values whole on 32-bit machines.
 */
#include <linux/percpu.h>

#include "stats.h"

/**
 * ntpk_stats_alloc() - counters for one namespace, all zero
 *
 * Context: process.
 * Return: to be freed by free_percpu(); NULL without memory.
 */
struct ntpk_stats __percpu *ntpk_stats_alloc(void)
{
	struct ntpk_stats __percpu *stats;
	int cpu;

	stats = alloc_percpu_gfp(struct ntpk_stats, GFP_KERNEL_ACCOUNT);
	if (!stats)
		return NULL;
	for_each_possible_cpu(cpu) {
		u64_stats_init(&per_cpu_ptr(stats, cpu)->syncp);
		per_cpu_ptr(stats, cpu)->budget_at_ns = S64_MIN;
	}
	return stats;
}

/**
 * ntpk_stats_sum() - one counter of all CPUs
 * @counter: of whatever is kept per CPU
 * @syncp: that of the same
 *
 * Context: any; the caller holds them alive.
 * Return: sum.
 */
u64 ntpk_stats_sum(const u64_stats_t __percpu *counter,
		   const struct u64_stats_sync __percpu *syncp)
{
	unsigned int start;
	u64 n, sum = 0;
	int cpu;

	for_each_possible_cpu(cpu) {
		do {
			start = u64_stats_fetch_begin(per_cpu_ptr(syncp, cpu));
			n = u64_stats_read(per_cpu_ptr(counter, cpu));
		} while (u64_stats_fetch_retry(per_cpu_ptr(syncp, cpu), start));
		sum += n;
	}
	return sum;
}

/**
 * ntpk_stats_read() - how often a reason was
 * @stats: of the namespace
 * @reason: which
 *
 * Context: any; the caller holds @stats alive.
 * Return: packets since the namespace was attached.
 */
u64 ntpk_stats_read(const struct ntpk_stats __percpu *stats, enum ntpk_reason reason)
{
	return ntpk_stats_sum(&stats->pkts[reason], &stats->syncp);
}

/**
 * ntpk_stats_read_quirk() - how often clients of a class asked
 * @stats: of the namespace
 * @quirk: which
 *
 * Context: any; the caller holds @stats alive.
 * Return: requests since the namespace was attached.
 */
u64 ntpk_stats_read_quirk(const struct ntpk_stats __percpu *stats, enum ntp_client_quirk quirk)
{
	return ntpk_stats_sum(&stats->quirks[quirk], &stats->syncp);
}
