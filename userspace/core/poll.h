/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How often a source is asked: as rarely as the line's own growth of error
 * stays below the noise of a measurement, so that a longer interval loses
 * nothing.  Pure; no locking.
 */
#ifndef NTPK_CORE_POLL_H
#define NTPK_CORE_POLL_H

#include <stdbool.h>
#include <stdint.h>
#include "estimate.h"

/**
 * struct poll - interval of one source
 * @log2s: now
 * @score: votes for longer (> 0) or shorter (< 0)
 * @doubt: the last measurement was an outlier or the first of a change: the
 *	next one, which will tell, is wanted soon
 */
struct poll {
	int8_t	 log2s;
	int8_t	 score;
	bool	 doubt;
};

/**
 * poll_reset() - back to the shortest
 * @p: interval
 * @minpoll_log2s: that
 */
void poll_reset(struct poll *p, int8_t minpoll_log2s);

/**
 * poll_adapt() - after a measurement
 * @p: interval
 * @minpoll_log2s: shortest
 * @maxpoll_log2s: longest
 * @line: what the error's growth is taken from
 * @noise_ns: standard deviation of the source's measurements
 * @surprise: of this one, in standard deviations
 */
void poll_adapt(struct poll *p, int8_t minpoll_log2s, int8_t maxpoll_log2s,
		const struct estimate *line, double noise_ns, double surprise);

#endif /* NTPK_CORE_POLL_H */
