/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The clock of a network interface (PTP hardware clock) against CLOCK_MONOTONIC_RAW.
 * Readings come in, each between two readings of RAW; a map PHC -> RAW comes out,
 * with a bound of its error.  A reading that no steady clock can have given, after
 * the ones before it, ends the map at once: the clock was stepped, or is being
 * steered.  Pure; no locking.
 */
#ifndef NTPK_CORE_PHC_H
#define NTPK_CORE_PHC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <ntpk/ntp_phc.h>

#define PHC_SAMPLES	16	/* that a map is made of */
#define PHC_SAMPLES_MIN	4	/* fewer make none */
#define PHC_HALF_MAX_NS	1000000LL	/* a wider bracket says nothing */

/**
 * struct phc_sample - one reading
 * @phc_ns: the clock, 0 to 2^62
 * @raw_ns: CLOCK_MONOTONIC_RAW in the middle of the bracket
 * @half_ns: half the width of the bracket: @raw_ns is wrong by no more
 */
struct phc_sample {
	int64_t	 phc_ns;
	int64_t	 raw_ns;
	int64_t	 half_ns;
};

/**
 * struct phc - what is known of a clock; zeroed but for @period_ns at the start
 * @period_ns: time between readings, 100 ms or more
 * @of: the last readings, oldest first, @len of them
 * @len: see there
 * @map: of these, near the newest reading, valid while @has_map
 * @has_map: see there
 */
struct phc {
	int64_t	 period_ns;
	struct phc_sample of[PHC_SAMPLES];
	size_t	 len;
	struct ntp_phc map;
	bool	 has_map;
};

/* enum phc_news - what a reading has brought */
enum phc_news {
	PHC_NOTHING,	/* it was left out: what there was is as it was */
	PHC_LEARNING,	/* there is no map, and was none */
	PHC_MAP,	/* a new map */
	PHC_JUMPED,	/* there was a map, and it is wrong: none any more */
};

/**
 * phc_add() - one more reading
 * @p: clock
 * @s: reading, later than those before; one that comes less than half a period
 *	after the last, or in a bracket of more than PHC_HALF_MAX_NS, is left out
 *
 * Return: what it has brought.
 */
enum phc_news phc_add(struct phc *p, const struct phc_sample *s);

/**
 * phc_forget() - begin anew
 * @p: clock
 */
void phc_forget(struct phc *p);

/**
 * phc_to_raw() - a stamp of that clock on the local timescale
 * @m: map
 * @phc_ns: stamp
 * @raw_ns: out
 * @err_ns: out, bound of its error
 *
 * Return: false when the map says nothing about that moment.
 */
bool phc_to_raw(const struct ntp_phc *m, int64_t phc_ns, int64_t *raw_ns, int64_t *err_ns);

/**
 * phc_err_ns() - bound of the map's error
 * @m: map
 * @away_ns: from its reference
 */
int64_t phc_err_ns(const struct ntp_phc *m, int64_t away_ns);

/** phc_gain_ppb() - what the clock gains on RAW */
double phc_gain_ppb(const struct ntp_phc *m);

#endif /* NTPK_CORE_PHC_H */
