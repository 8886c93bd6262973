// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Prints the counter that the clocks of this machine are made of, and
 * CLOCK_MONOTONIC_RAW at the same time: "TSC NS WIDTH", of many readings the one
 * that took the fewest ticks, which are WIDTH; both are of its middle.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <x86intrin.h>

#define NSEC_PER_SEC	1000000000LL
#define TRIES		1000

int main(void)
{
	uint64_t tsc = 0, width = UINT64_MAX;
	int64_t raw_ns = 0;
	int i;

	for (i = 0; i < TRIES; i++) {
		struct timespec ts;
		uint64_t before, after;

		before = __rdtsc();
		clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
		after = __rdtsc();
		if (after - before >= width)
			continue;
		width = after - before;
		tsc = before + width / 2;
		raw_ns = ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
	}
	printf("%" PRIu64 " %" PRId64 " %" PRIu64 "\n", tsc, raw_ns, width);
	return 0;
}
