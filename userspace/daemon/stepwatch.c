// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Watches for steps of CLOCK_REALTIME.  Event loop only.  An absolute timer
 * far away with TFD_TIMER_CANCEL_ON_SET reads ECANCELED after each step, a
 * leap second and a resume included.
 */
#include "daemon/stepwatch.h"

#include <errno.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* Slewing changes the rate by up to 10 % and 500 ppm: what is beyond is a step. */
#define SLEW_MAX_PERCENT	11
#define COMPARE_SLACK_NS	10000000
#define FAR_AWAY_S		(3650L * 86400L)

static int arm(int fd)
{
	struct itimerspec at = { .it_value = { .tv_nsec = 0 } };
	struct timespec now;

	if (clock_gettime(CLOCK_REALTIME, &now))
		return -errno;
	at.it_value.tv_sec = now.tv_sec + FAR_AWAY_S;
	if (timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &at, NULL))
		return -errno;
	return 0;
}

int stepwatch_init(struct stepwatch *sw, bool use_timerfd)
{
	int err;

	sw->fd = -1;
	sw->count = 1;
	sw->stepped_local_ns = INT64_MIN;
	clocks_pair(&sw->last);
	if (!use_timerfd)
		return 0;
	sw->fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	if (sw->fd < 0)
		return -errno;
	err = arm(sw->fd);
	if (err)
		stepwatch_clean(sw);
	return err;
}

void stepwatch_clean(struct stepwatch *sw)
{
	if (sw->fd >= 0)
		close(sw->fd);
	sw->fd = -1;
}

static bool timer_cancelled(struct stepwatch *sw)
{
	uint64_t ticks;
	ssize_t n = read(sw->fd, &ticks, sizeof(ticks));

	if (n < 0 && errno == EAGAIN)
		return false;
	/* cancelled, or expired after ten years: either way it needs arming */
	arm(sw->fd);
	return n < 0;
}

static bool readings_jumped(struct stepwatch *sw)
{
	struct clock_pair now;
	int64_t local, jump;

	clocks_pair(&now);
	local = now.local_ns - sw->last.local_ns;
	jump = now.real_ns - sw->last.real_ns - local;
	sw->last = now;
	if (jump < 0)
		jump = -jump;
	return jump > COMPARE_SLACK_NS + local / 100 * SLEW_MAX_PERCENT;
}

static void count_step(struct stepwatch *sw)
{
	sw->count++;
	sw->stepped_local_ns = clocks_local_ns();
}

bool stepwatch_check(struct stepwatch *sw)
{
	if (!(sw->fd >= 0 ? timer_cancelled(sw) : readings_jumped(sw)))
		return false;
	count_step(sw);
	return true;
}

void stepwatch_own(struct stepwatch *sw)
{
	if (sw->fd >= 0)
		timer_cancelled(sw);
	else
		clocks_pair(&sw->last);
	count_step(sw);
}
