// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The C library's clocks, in the world.  LD_PRELOAD.
 */
#define adjtimex adjtimex_declared
#include <sys/timex.h>
#undef adjtimex
#include "world.h"

#include <errno.h>
#include <math.h>
#include <sys/time.h>
#include <time.h>

#define COARSE_NS	101

int adjtimex(struct timex *tx);

/* Set when the loop has run: readings are exact from then on. */
bool time_is_fine;

static int64_t coarse_ns(void)
{
	static int64_t readings;

	return time_is_fine || !world_conf()->coarse ? 0 : COARSE_NS * readings++;
}

static void to_timespec(double s, struct timespec *ts)
{
	double whole = floor(s);
	int64_t ns = (int64_t)((s - whole) * 1e9 + 0.5) + coarse_ns();

	ts->tv_sec = (time_t)whole + ns / 1000000000;
	ts->tv_nsec = ns % 1000000000;
}

static int to_errno(int ret)
{
	if (ret >= 0)
		return ret;
	errno = -ret;
	return -1;
}

static int other_clock(clockid_t id, struct timespec *ts)
{
	switch ((int)world_conf()->clocks) {
	case WORLD_CLOCKS_FEW:
		world_fault("reads clock %d: only CLOCK_REALTIME and CLOCK_MONOTONIC are there", id);
	case WORLD_CLOCKS_EINVAL:
		errno = EINVAL;
		return -1;
	case WORLD_CLOCKS_ALIAS:
		to_timespec(world_mono_s(), ts);
		return 0;
	default:
		to_timespec(world_free_s(), ts);
		return 0;
	}
}

int clock_gettime(clockid_t id, struct timespec *ts)
{
	switch (id) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
		to_timespec(world_real_s(), ts);
		ts->tv_sec += (time_t)world_conf()->start;
		return 0;
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_COARSE:
		to_timespec(world_mono_s(), ts);
		return 0;
	default:
		return other_clock(id, ts);
	}
}

int gettimeofday(struct timeval *restrict tv, void *restrict tz)
{
	struct timespec ts;

	(void)tz;
	clock_gettime(CLOCK_REALTIME, &ts);
	tv->tv_sec = ts.tv_sec;
	tv->tv_usec = ts.tv_nsec / 1000;
	return 0;
}

time_t time(time_t *out)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	if (out)
		*out = ts.tv_sec;
	return ts.tv_sec;
}

int clock_settime(clockid_t id, const struct timespec *ts)
{
	if (id != CLOCK_REALTIME)
		world_fault("sets clock %d", id);
	return to_errno(world_set_real((double)ts->tv_sec - world_conf()->start +
				       (double)ts->tv_nsec * 1e-9));
}

int settimeofday(const struct timeval *tv, const struct timezone *tz)
{
	struct timespec ts = { .tv_sec = tv->tv_sec, .tv_nsec = 1000 * tv->tv_usec };

	(void)tz;
	return clock_settime(CLOCK_REALTIME, &ts);
}

int adjtimex(struct timex *tx)
{
	return to_errno(world_adjtimex(tx));
}

int ntp_adjtime(struct timex *tx)
{
	return adjtimex(tx);
}

int clock_adjtime(clockid_t id, struct timex *tx)
{
	if (id != CLOCK_REALTIME)
		world_fault("adjusts clock %d", id);
	return adjtimex(tx);
}

int adjtime(const struct timeval *delta, struct timeval *old)
{
	int64_t us = 0, left_us;

	if (delta)
		us = (int64_t)delta->tv_sec * 1000000 + delta->tv_usec;
	world_adjtime(us, &left_us);
	if (!delta)
		world_adjtime(left_us, &us);
	if (old) {
		old->tv_sec = left_us / 1000000;
		old->tv_usec = left_us % 1000000;
	}
	return 0;
}
