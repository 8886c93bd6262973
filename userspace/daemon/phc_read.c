// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reading the clock of a network interface, see phc_read.h.
 */
#include "daemon/phc_read.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/ptp_clock.h>
#include <sys/ioctl.h>

/* The tightest of so many; each takes the driver a microsecond or some. */
#define READINGS	10
/* Where both clocks are compared by the hardware: its and the kernel's arithmetic. */
#define PRECISE_ERR_NS	100
/* It may be busy sometimes, or never get to it on this board. */
#define PRECISE_FAILURES_MAX 5
/* More than any slew between two readings, in parts of what passed: a step. */
#define STEP_PART	8
/* No clock says more, unless it was set to nonsense. */
#define SECONDS_MAX	4000000000LL

int phc_open(struct phc_reader *r, int index, bool nocrossts)
{
	char path[32];

	snprintf(path, sizeof(path), "/dev/ptp%d", index);
	r->means = nocrossts ? PHC_EXTENDED_RAW : PHC_PRECISE;
	r->failures = 0;
	r->fd = open(path, O_RDONLY | O_CLOEXEC);
	return r->fd < 0 ? -errno : 0;
}

void phc_close(struct phc_reader *r)
{
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
}

const char *phc_means_name(enum phc_means means)
{
	static const char *const names[PHC_MEANS] = {
		[PHC_PRECISE] = "compared by the hardware",
		[PHC_EXTENDED_RAW] = "bracketed by the driver",
		[PHC_EXTENDED] = "bracketed by the driver, through the system clock",
		[PHC_PLAIN] = "bracketed by the kernel, through the system clock",
	};

	return names[means];
}

static bool to_ns(const struct ptp_clock_time *t, int64_t *ns)
{
	*ns = t->sec * NTP_NS_PER_S + t->nsec;
	return t->sec >= 0 && t->sec < SECONDS_MAX && t->nsec < NTP_NS_PER_S;
}

static bool to_bracket(const struct ptp_clock_time *before, const struct ptp_clock_time *phc,
		       const struct ptp_clock_time *after, struct phc_bracket *out)
{
	return to_ns(before, &out->before_ns) && to_ns(phc, &out->phc_ns) &&
	       to_ns(after, &out->after_ns);
}

const struct phc_bracket *phc_tightest(const struct phc_bracket *b, size_t n)
{
	const struct phc_bracket *best = NULL;
	size_t i;

	for (i = 0; i < n; i++)
		if (b[i].after_ns >= b[i].before_ns &&
		    (!best || b[i].after_ns - b[i].before_ns < best->after_ns - best->before_ns))
			best = &b[i];
	return best;
}

static void put_sample(const struct phc_bracket *b, int64_t err_ns, struct phc_sample *out)
{
	out->phc_ns = b->phc_ns;
	out->raw_ns = b->before_ns + (b->after_ns - b->before_ns) / 2;
	out->half_ns = (b->after_ns - b->before_ns + 1) / 2 + err_ns;
}

/* The rate between both pairs is that of CLOCK_REALTIME, whatever slew it is under. */
static int64_t real_to_raw(int64_t real_ns, const struct clock_pair *from, double rate)
{
	return from->local_ns + (int64_t)((double)(real_ns - from->real_ns) * rate);
}

bool phc_to_sample(const struct phc_bracket *b, const struct clock_pair *before,
		   const struct clock_pair *after, struct phc_sample *out)
{
	int64_t raw_ns = after->local_ns - before->local_ns;
	int64_t real_ns = after->real_ns - before->real_ns;
	int64_t width_ns = before->width_ns > after->width_ns ? before->width_ns : after->width_ns;
	struct phc_bracket on_raw = { .phc_ns = b->phc_ns };
	double rate;

	if (real_ns <= 0 || llabs(real_ns - raw_ns) > raw_ns / STEP_PART + 2 * width_ns ||
	    b->before_ns < before->real_ns || b->after_ns > after->real_ns)
		return false;
	rate = (double)raw_ns / (double)real_ns;
	on_raw.before_ns = real_to_raw(b->before_ns, before, rate);
	on_raw.after_ns = real_to_raw(b->after_ns, before, rate);
	put_sample(&on_raw, width_ns, out);
	return true;
}

static int call(struct phc_reader *r, unsigned long request, void *arg)
{
	return ioctl(r->fd, request, arg) ? -errno : 0;
}

static int read_precise(struct phc_reader *r, struct phc_sample *out)
{
	struct ptp_sys_offset_precise p;
	int err;

	memset(&p, 0, sizeof(p));
	err = call(r, PTP_SYS_OFFSET_PRECISE, &p);
	if (err)
		return err;
	if (!to_ns(&p.device, &out->phc_ns) || !to_ns(&p.sys_monoraw, &out->raw_ns))
		return -EAGAIN;
	out->half_ns = PRECISE_ERR_NS;
	return 0;
}

/* Brackets by the driver: by RAW, where the kernel knows what its newer field means. */
static int take_extended(struct phc_reader *r, int32_t clock, struct phc_bracket *b)
{
	struct ptp_sys_offset_extended x;
	int err;

	memset(&x, 0, sizeof(x));
	x.n_samples = READINGS;
	/* of older headers it is part of rsv */
	memcpy((char *)&x + sizeof(x.n_samples), &clock, sizeof(clock));
	err = call(r, PTP_SYS_OFFSET_EXTENDED, &x);
	for (size_t i = 0; !err && i < READINGS; i++)
		if (!to_bracket(&x.ts[i][0], &x.ts[i][1], &x.ts[i][2], &b[i]))
			err = -EAGAIN;
	return err;
}

static int take_plain(struct phc_reader *r, struct phc_bracket *b)
{
	struct ptp_sys_offset x;
	int err;

	memset(&x, 0, sizeof(x));
	x.n_samples = READINGS;
	err = call(r, PTP_SYS_OFFSET, &x);
	for (size_t i = 0; !err && i < READINGS; i++)
		if (!to_bracket(&x.ts[2 * i], &x.ts[2 * i + 1], &x.ts[2 * i + 2], &b[i]))
			err = -EAGAIN;
	return err;
}

static int read_raw(struct phc_reader *r, struct phc_sample *out)
{
	struct phc_bracket b[READINGS];
	const struct phc_bracket *best;
	int err = take_extended(r, CLOCK_MONOTONIC_RAW, b);

	if (err)
		return err;
	best = phc_tightest(b, READINGS);
	if (!best)
		return -EAGAIN;
	put_sample(best, 0, out);
	return 0;
}

static int read_real(struct phc_reader *r, struct phc_sample *out)
{
	struct phc_bracket b[READINGS];
	const struct phc_bracket *best;
	struct clock_pair before, after;
	int err;

	clocks_pair(&before);
	err = r->means == PHC_EXTENDED ? take_extended(r, CLOCK_REALTIME, b) : take_plain(r, b);
	if (err)
		return err;
	clocks_pair(&after);
	best = phc_tightest(b, READINGS);
	return best && phc_to_sample(best, &before, &after, out) ? 0 : -EAGAIN;
}

/*
 * What this driver, or this kernel, does not know at all; or has never managed to do.
 * -ENODEV of PRECISE is also that the system's clocksource is another counter than the
 * hardware's (hpet, kvm-clock): a clock that has gone says it again by the next means.
 */
static bool is_hopeless(struct phc_reader *r, int err)
{
	if (!err || r->means == PHC_PLAIN)
		return false;
	if (err == -EOPNOTSUPP || err == -EINVAL || err == -ENOTTY)
		return true;
	if (r->means != PHC_PRECISE)
		return false;
	return err == -ENODEV || ++r->failures > PRECISE_FAILURES_MAX;
}

int phc_read(struct phc_reader *r, struct phc_sample *out)
{
	int err;

	for (;; r->means++) {
		err = r->means == PHC_PRECISE ? read_precise(r, out) :
		      r->means == PHC_EXTENDED_RAW ? read_raw(r, out) : read_real(r, out);
		if (!err)
			r->failures = 0;
		if (!is_hopeless(r, err))
			return err;
	}
}
