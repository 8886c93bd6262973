/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts of the world share: time (world.c), the clock's controls
 * (timex.c), the network (net.c).
 */
#ifndef NTPK_TESTS_WORLD_PRIV_H
#define NTPK_TESTS_WORLD_PRIV_H

#include <linux/types.h>
#include "world.h"

#define WORLD_PACKETS	64

/**
 * struct world - all of it
 * @true_s: since the start
 * @err_s: CLOCK_REALTIME minus true time
 * @mono_s: CLOCK_MONOTONIC as steered
 * @free_s: the oscillator alone
 * @freq: what the oscillator gains
 */
struct world {
	bool	 made;
	struct world_conf conf;
	__u64 net_rng, osc_rng, app_rng;
	double	 true_s, err_s, mono_s, free_s, freq, next_second_s;
	struct timex timex;
	int64_t	 slew_us;		/* adjtime(): still to be begun ... */
	double	 slew_rate;		/* ... and under way in this second */
	struct world_packet on_way[WORLD_PACKETS], here[WORLD_PACKETS];
	unsigned int on_way_len, here_len;
	double	 sum2, max_s, settled_s, worst_answer_s;
	unsigned int samples, steps, refused, sent_pkts, asked_pkts, answered_pkts, ends;
};

extern struct world world;

double world_unit(__u64 *rng);

void timex_reset(void);
double timex_rate(void);
void timex_second(void);

void net_second(void);
void net_arrivals(void);
double net_next_s(void);

#endif /* NTPK_TESTS_WORLD_PRIV_H */
