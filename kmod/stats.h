/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One counter per reason, per CPU, per attached namespace.
 */
#ifndef NTPK_STATS_H
#define NTPK_STATS_H

#include <linux/u64_stats_sync.h>
#include <linux/ntpk.h>

/**
 * struct ntpk_stats - the counters of one CPU
 * @pkts: packets by enum ntpk_reason
 * @syncp: lets a 32-bit reader see whole values
 */
struct ntpk_stats {
	u64_stats_t	pkts[__NTPK_REASON_MAX];
	struct u64_stats_sync syncp;
};

struct ntpk_stats __percpu *ntpk_stats_alloc(void);
void ntpk_stats_count(struct ntpk_stats __percpu *stats, enum ntpk_reason reason);
u64 ntpk_stats_read(const struct ntpk_stats __percpu *stats, enum ntpk_reason reason);

#endif /* NTPK_STATS_H */
