/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One counter per reason, per CPU, per attached namespace.
 */
#ifndef NTPK_STATS_H
#define NTPK_STATS_H

#include <linux/bottom_half.h>
#include <linux/build_bug.h>
#include <linux/percpu.h>
#include <linux/u64_stats_sync.h>
#include <linux/ntpk.h>
#include <ntpk/ntp_client.h>

/**
 * struct ntpk_stats - the counters of one CPU
 * @pkts: packets by enum ntpk_reason
 * @quirks: requests by enum ntp_client_quirk of their client
 * @budget_at_ns: of ntp_pace(), for answers; this CPU's alone
 * @syncp: lets a 32-bit reader see whole values
 */
struct ntpk_stats {
	u64_stats_t	pkts[__NTPK_REASON_MAX];
	u64_stats_t	quirks[__NTP_CLIENT_QUIRK_MAX];
	s64	budget_at_ns;
	struct u64_stats_sync syncp;
};

static_assert(sizeof(u64_stats_t) == sizeof(u64) || BITS_PER_LONG != 64);

struct ntpk_stats __percpu *ntpk_stats_alloc(void);
u64 ntpk_stats_sum(const u64_stats_t __percpu *counter,
		   const struct u64_stats_sync __percpu *syncp);
u64 ntpk_stats_read(const struct ntpk_stats __percpu *stats, enum ntpk_reason reason);
u64 ntpk_stats_read_quirk(const struct ntpk_stats __percpu *stats, enum ntp_client_quirk quirk);

/**
 * ntpk_stats_count() - count one packet
 * @stats: of the namespace
 * @reason: what became of it; NTPK_REASON_NONE is not counted
 *
 * One instruction of an x86: most packets of a host are not for NTP, and pay for no more.
 *
 * Context: softirq or process.
 */
static inline void ntpk_stats_count(struct ntpk_stats __percpu *stats, enum ntpk_reason reason)
{
	if (reason == NTPK_REASON_NONE)
		return;
#if BITS_PER_LONG == 64
	this_cpu_inc(*(u64 __percpu *)&stats->pkts[reason]);
#else
	local_bh_disable();
	u64_stats_update_begin(this_cpu_ptr(&stats->syncp));
	u64_stats_inc(this_cpu_ptr(&stats->pkts[reason]));
	u64_stats_update_end(this_cpu_ptr(&stats->syncp));
	local_bh_enable();
#endif
}

/**
 * ntpk_stats_quirk() - count one request by the class of its client
 * @stats: of the namespace
 * @quirk: class
 *
 * Context: softirq.
 * Return: whether it is the first one that this CPU counts; perhaps of the second one too,
 * where a softirq preempts another.
 */
static inline bool ntpk_stats_quirk(struct ntpk_stats __percpu *stats, enum ntp_client_quirk quirk)
{
	struct ntpk_stats *mine = this_cpu_ptr(stats);
	bool first = !u64_stats_read(&mine->quirks[quirk]);

	u64_stats_update_begin(&mine->syncp);
	u64_stats_inc(&mine->quirks[quirk]);
	u64_stats_update_end(&mine->syncp);
	return first;
}

#endif /* NTPK_STATS_H */
