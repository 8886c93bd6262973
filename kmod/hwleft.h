/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Transmit stamps of network devices, by maps of their clocks.
 */
#ifndef NTPK_HWLEFT_H
#define NTPK_HWLEFT_H

#include <linux/percpu.h>
#include <linux/u64_stats_sync.h>
#include <ntpk/ntp_phc.h>

struct net;
struct ntpk_rx;

/**
 * struct ntpk_hwleft_stats - counters of one CPU
 * @pkts: replies in interleaved mode by enum ntpk_t3
 * @syncp: lets a 32-bit reader see whole values
 */
struct ntpk_hwleft_stats {
	u64_stats_t	pkts[__NTPK_T3_MAX];
	struct u64_stats_sync syncp;
};

struct ntpk_hwleft_stats __percpu *ntpk_hwleft_alloc(void);
void ntpk_hwleft_release(struct ntpk_hwleft_stats __percpu *stats);
bool ntpk_hwleft_wait(const struct ntpk_rx *rx, int ifindex, u32 key);
void ntpk_hwleft_had(unsigned int cpu, u32 key, s64 raw_ns);
bool ntpk_hwleft_take(unsigned int cpu, u32 key, s64 phc_ns, s64 now_raw_ns,
		      struct ntp_phc_left *left);
void ntpk_hwleft_read(struct net *net, u64 *pkts);
int ntpk_hwleft_setup(void);
void ntpk_hwleft_teardown(void);

#endif /* NTPK_HWLEFT_H */
