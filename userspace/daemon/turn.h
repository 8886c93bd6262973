/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long the loop is away from its poll: a turn begins with the first
 * callback after it and ends before the next one.  A turn that has had its time
 * is cut short; what is left of it comes after another look at all
 * descriptors.  One loop per process; its thread only.
 */
#ifndef NTPKD_TURN_H
#define NTPKD_TURN_H

#include <stdbool.h>
#include <stdint.h>

/* A turn is cut short after the callback in which it has become so old. */
#define TURN_SLICE_NS	2000000

/**
 * struct turn_longest - the longest turns since the start
 * @wall_ns: as others had to wait, this machine's other work included
 * @cpu_ns: of our own work; 0 where it is not measured
 */
struct turn_longest {
	int64_t	 wall_ns;
	int64_t	 cpu_ns;
};

/**
 * turn_open() - the loop begins
 * @cpu: measure the thread's own time too; not under a simulator's clocks
 */
void turn_open(bool cpu);

/** turn_begin() - every callback of the loop calls this first */
void turn_begin(void);

/** turn_is_over() - has this turn had its time? */
bool turn_is_over(void);

/** turn_end() - the loop has come back */
void turn_end(void);

/** turn_longest() - since the start */
struct turn_longest turn_longest(void);

#endif /* NTPKD_TURN_H */
