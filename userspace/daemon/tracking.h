/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is remembered from update to update of the clock, for reports alone.
 * Pure; event loop only.
 */
#ifndef NTPKD_TRACKING_H
#define NTPKD_TRACKING_H

#include "core/engine.h"

/**
 * struct tracking - the updates so far
 * @updates: of the engine, as last seen
 * @mean_square_ns2: long-term mean of the squared offsets of updates
 * @interval_ns: between the last two updates, 0 = fewer than two
 * @last_local_ns: the last update
 */
struct tracking {
	uint64_t updates;
	double	 mean_square_ns2;
	int64_t	 interval_ns;
	int64_t	 last_local_ns;
};

/**
 * tracking_note() - the line has perhaps learnt
 * @t: zero at first
 * @r: the engine's report, now
 */
void tracking_note(struct tracking *t, const struct engine_report *r);

/**
 * tracking_rms_ns() - root of the mean square of the offsets at updates
 * @t: as noted; 0 before the first update
 */
double tracking_rms_ns(const struct tracking *t);

#endif /* NTPKD_TRACKING_H */
