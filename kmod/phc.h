/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Maps of network devices' clocks, and receive stamps for T2 by them.
 */
#ifndef NTPK_PHC_H
#define NTPK_PHC_H

#include <linux/percpu.h>
#include <linux/u64_stats_sync.h>
#include <ntpk/ntp_phc.h>

struct net;
struct ntpk_inst;
struct ntpk_rx;

/* Of requests that came by a device without a map. */
#define NTPK_PHC_NO_MAP		NTPK_PHC_MAX

/**
 * struct ntpk_phc_stats - counters of one CPU
 * @pkts: answers by place of the map and enum ntpk_t2; those of NTPK_T2_SOFTWARE are
 *	not counted, but are what is left of all
 * @syncp: lets a 32-bit reader see whole values
 */
struct ntpk_phc_stats {
	u64_stats_t	pkts[NTPK_PHC_MAX + 1][__NTPK_T2_MAX];
	struct u64_stats_sync syncp;
};

/**
 * struct ntpk_phc_view - a map, for whoever looks
 * @ifindex: of the device
 * @map: map
 * @pkts: answers to requests that came by the device since its first map
 */
struct ntpk_phc_view {
	int	ifindex;
	struct ntp_phc map;
	u64	pkts[__NTPK_T2_MAX];
};

struct ntpk_phc_stats __percpu *ntpk_phc_alloc(void);
void ntpk_phc_clean(struct ntpk_inst *inst);
void ntpk_phc_stamp(struct ntpk_rx *rx);
bool ntpk_phc_map(const struct ntpk_inst *inst, int ifindex, struct ntp_phc *map);
void ntpk_phc_count(const struct ntpk_rx *rx);
int ntpk_phc_set(struct net *net, int ifindex, const struct ntp_phc *map);
int ntpk_phc_drop(struct net *net, int ifindex);
bool ntpk_phc_view(struct net *net, unsigned int place, struct ntpk_phc_view *view);
void ntpk_phc_read(struct net *net, u64 *pkts);
int ntpk_phc_setup(void);
void ntpk_phc_teardown(void);

#endif /* NTPK_PHC_H */
