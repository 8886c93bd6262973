/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Watches for steps of CLOCK_REALTIME, ours or anybody's, and counts them.
 * Event loop only.
 */
#ifndef NTPKD_STEPWATCH_H
#define NTPKD_STEPWATCH_H

#include <stdbool.h>
#include <stdint.h>
#include "daemon/clocks.h"

/**
 * struct stepwatch - what was seen
 * @fd: timerfd that the kernel cancels at a step, -1 = compare readings
 * @count: steps so far, from 1; stands for the kernel's clock_was_set_seq
 *	where the module is not there to tell
 * @stepped_local_ns: when the last one was noticed; INT64_MIN = never
 * @last: reading at the last check
 */
struct stepwatch {
	int	 fd;
	uint32_t count;
	int64_t	 stepped_local_ns;
	struct clock_pair last;
};

/**
 * stepwatch_init() - start watching
 * @sw: filled
 * @use_timerfd: false: make no descriptor, compare readings of the clocks,
 *	which sees steps above 0.1 s if checked every second
 *
 * Return: 0 or -errno.
 */
int stepwatch_init(struct stepwatch *sw, bool use_timerfd);

/** stepwatch_clean() - close the descriptor */
void stepwatch_clean(struct stepwatch *sw);

/**
 * stepwatch_check() - has the clock been stepped since the last check?
 * @sw: watch; counted when so
 */
bool stepwatch_check(struct stepwatch *sw);

/**
 * stepwatch_own() - we have just stepped the clock ourselves
 * @sw: watch; counted, and the next check does not see it again
 */
void stepwatch_own(struct stepwatch *sw);

#endif /* NTPKD_STEPWATCH_H */
