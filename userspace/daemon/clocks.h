/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading the clocks of the machine, close together, and carrying kernel
 * stamps (CLOCK_REALTIME) over to the local timescale.  No state, but under a
 * simulator of clocks: there no clock runs freely, and the local timescale is
 * kept here, CLOCK_REALTIME less all that we did to it.
 */
#ifndef NTPKD_CLOCKS_H
#define NTPKD_CLOCKS_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>
#include "core/engine.h"

/**
 * struct clock_pair - one bracketed reading
 * @local_ns: CLOCK_MONOTONIC_RAW in the middle of the bracket
 * @real_ns: CLOCK_REALTIME
 * @width_ns: of the bracket: the bound of the pair's error
 */
struct clock_pair {
	int64_t local_ns;
	int64_t real_ns;
	int64_t width_ns;
};

/**
 * clocks_simulate() - may these be the clocks of a simulator?
 *
 * To be asked once, before any other reading, by a daemon that is fit to run
 * there.  It is one when clock_gettime() and adjtimex() come from the same
 * library, which is not the C library (LD_PRELOAD).
 * Then only CLOCK_REALTIME and CLOCK_MONOTONIC are ever read.
 *
 * Return: true when they are; clocks_simulated() says so from now on.
 */
bool clocks_simulate(void);

/** clocks_simulated() - as clocks_simulate() found */
bool clocks_simulated(void);

/**
 * clocks_before_change() - the rate of CLOCK_REALTIME is about to be set, or it
 *	is about to be stepped
 */
void clocks_before_change(void);

/**
 * clocks_after_change() - it was
 * @rate_ppb: what CLOCK_REALTIME gains on the local timescale from now on
 */
void clocks_after_change(double rate_ppb);

/**
 * clocks_local_ns() - the local timescale, now
 */
int64_t clocks_local_ns(void);

/**
 * clocks_boot_ns() - CLOCK_BOOTTIME, or CLOCK_MONOTONIC where there is none
 */
int64_t clocks_boot_ns(void);

/**
 * clocks_pair() - local and real at one instant
 * @pair: filled with the tightest of three brackets
 */
void clocks_pair(struct clock_pair *pair);

/**
 * clocks_read() - all clocks, for an event
 * @now: filled
 * @clock_seq: goes into it
 */
void clocks_read(struct clocks *now, uint32_t clock_seq);

/**
 * clocks_suspended_ns() - how long the machine has been suspended since boot
 *
 * Return: CLOCK_BOOTTIME - CLOCK_MONOTONIC, exact to a microsecond or so.
 */
int64_t clocks_suspended_ns(void);

/**
 * clocks_precision_log2s() - how finely the local clock can be read
 *
 * Return: log2 of the shortest time between two readings, -32..-6.
 */
int8_t clocks_precision_log2s(void);

/**
 * clocks_ts_ns() - struct timespec to nanoseconds
 * @ts: any
 */
int64_t clocks_ts_ns(const struct timespec *ts);

/**
 * clocks_stamp_to_local() - a kernel stamp on the local timescale
 * @now: a pair read after the stamp was taken
 * @stamp_real_ns: the stamp, CLOCK_REALTIME; 0 = there is none
 * @not_before_local_ns: when CLOCK_REALTIME was last stepped: a stamp from
 *	before it means nothing
 * @local_ns: out
 * @err_ns: out, bound of its error
 *
 * Return: false when the stamp cannot be trusted: absent, from the future, a
 * second or more old, or from before the step.
 */
bool clocks_stamp_to_local(const struct clock_pair *now, int64_t stamp_real_ns,
			   int64_t not_before_local_ns, int64_t *local_ns, int64_t *err_ns);

#endif /* NTPKD_CLOCKS_H */
