// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Discipline, see discipline.h.  Pure, no locking.
 */
#include "discipline.h"

#include <math.h>

#define FREQ_EPS_PPB		0.1	/* the kernel resolves 0.015 */
#define PHASE_MIN_NS		2000	/* and adjtime 1 us */
/* Without a count of steps, a rate that another sets (tick +-10 %) is no step. */
#define FOREIGN_MIN_NS		50000000
#define FOREIGN_RATE		0.12
/* Our model of the kernel's slew is right to 0.5 ms, a second's worth. */
#define DISTURBED_NS		2000000
#define CHUNK_NS		NTP_NS_PER_S
#define CHUNK_MIN_NS		10000.0
#define STEP_TIMEOUT_NS		(2 * NTP_NS_PER_S)

static double slew_rate_ppb(const struct disc *d)
{
	if (d->slew_ppb <= 0)
		return DISC_SLEW_PPB;
	return fmin(d->slew_ppb, fabs((double)d->phase_ns) / DISC_SLEW_SPAN_S);
}

/* Part of the slew that was done by then. */
static int64_t slewed_ns(const struct disc *d, int64_t local_ns)
{
	double done = (double)(local_ns - d->phase_local_ns) * slew_rate_ppb(d) * 1e-9;

	if (done >= fabs((double)d->phase_ns))
		return d->phase_ns;
	return d->phase_ns < 0 ? -(int64_t)done : (int64_t)done;
}

static int64_t expected_ns(const struct disc *d, int64_t local_ns)
{
	int64_t dt_ns = local_ns - d->seen.local_ns;
	double rate = d->freq_set ? d->freq_ppb * 1e-9 : 0;

	return d->seen.real_ns + dt_ns + (int64_t)floor((double)dt_ns * rate + 0.5) +
	       slewed_ns(d, local_ns) - slewed_ns(d, d->seen.local_ns);
}

static bool stepped(const struct disc *d, const struct clocks *now, bool told, int64_t off_ns)
{
	double slack = (double)(now->local_ns - d->seen.local_ns) * FOREIGN_RATE + FOREIGN_MIN_NS;

	if (told || now->clock_seq != d->seen.clock_seq)
		return true;
	return !now->clock_seq && fabs((double)off_ns) > slack;
}

/* What runs is not what we asked for, nobody knows what it is: all is asked for anew. */
static void watch_rate(struct disc *d, int64_t off_ns)
{
	if (!d->freq_set)
		return;
	d->off_ns += off_ns;
	if (d->off_ns < DISTURBED_NS && d->off_ns > -DISTURBED_NS)
		return;
	d->off_ns = 0;
	d->freq_set = false;
	d->phase_ns = 0;
	d->chunk_local_ns = 0;
	d->disturbed = true;
}

bool disc_due(const struct disc *d, int64_t local_ns)
{
	return d->disturbed || (d->more && local_ns >= d->chunk_local_ns);
}

enum disc_change disc_observe(struct disc *d, const struct clocks *now, bool told,
			      int64_t *step_ns)
{
	enum disc_change change = DISC_NONE;

	*step_ns = 0;
	if (d->seen.real_ns) {
		*step_ns = now->real_ns - expected_ns(d, now->local_ns);
		if (stepped(d, now, told, *step_ns))
			change = d->stepping ? DISC_OWN_STEP : DISC_FOREIGN_STEP;
	}
	if (change != DISC_NONE) {
		/* The kernel ends a slew and forgets its status at each step. */
		d->phase_ns = 0;
		d->phase_local_ns = now->local_ns;
		d->stepping = false;
		d->chunk_local_ns = 0;
		d->more = false;
		d->off_ns = 0;
	} else {
		watch_rate(d, *step_ns);
	}
	if (d->stepping && now->local_ns - d->step_local_ns > STEP_TIMEOUT_NS)
		d->stepping = false;
	d->seen = *now;
	return change;
}

bool disc_may_step(const struct engine_config *conf, uint64_t updates, int64_t residual_ns)
{
	if (!conf->makestep_limit || conf->makestep_threshold_ns <= 0)
		return false;
	if (conf->makestep_limit > 0 && updates > (uint64_t)conf->makestep_limit)
		return false;
	return residual_ns > conf->makestep_threshold_ns ||
	       residual_ns < -conf->makestep_threshold_ns;
}

void disc_step(struct disc *d, const struct clocks *now, int64_t step_ns, struct actions *out)
{
	out_add(out, ACT_STEP, ENGINE_NO_SOURCE)->phase_ns = step_ns;
	out_log(out, LOG_STEP, ENGINE_NO_SOURCE, step_ns, 0);
	d->stepping = true;
	d->step_local_ns = now->local_ns;
	d->steps++;
}

/* The part of a slew that may be asked for now, so that the mean rate stays below the limit. */
static int64_t chunk_ns(struct disc *d, int64_t local_ns, int64_t residual_ns)
{
	double chunk = d->max_slew_ppb * 1e-9 * CHUNK_NS, wait = CHUNK_NS;

	if (d->max_slew_ppb <= 0 || d->max_slew_ppb >= DISC_SLEW_PPB)
		return residual_ns;
	if (chunk < CHUNK_MIN_NS) {
		wait *= CHUNK_MIN_NS / chunk;
		chunk = CHUNK_MIN_NS;
	}
	d->chunk_local_ns = local_ns + (int64_t)wait;
	d->more = fabs((double)residual_ns) > chunk;
	if (!d->more)
		return residual_ns;
	return residual_ns < 0 ? -(int64_t)chunk : (int64_t)chunk;
}

void disc_steer(struct disc *d, const struct clocks *now, int64_t residual_ns, double freq_ppb,
		struct actions *out)
{
	int64_t left_ns = d->phase_ns - slewed_ns(d, now->local_ns);
	int64_t diff_ns = residual_ns - left_ns;
	int64_t min_ns = d->min_phase_ns ? d->min_phase_ns : PHASE_MIN_NS;

	if (!d->freq_set || fabs(freq_ppb - d->freq_ppb) >= FREQ_EPS_PPB) {
		out_add(out, ACT_FREQ, ENGINE_NO_SOURCE)->freq_ppb = freq_ppb;
		d->freq_set = true;
		d->freq_ppb = freq_ppb;
		d->off_ns = 0;
	}
	d->disturbed = false;
	d->more = now->local_ns < d->chunk_local_ns;
	if (d->more)
		return;
	if (diff_ns < min_ns && diff_ns > -min_ns)
		return;
	d->phase_ns = chunk_ns(d, now->local_ns, residual_ns);
	d->phase_local_ns = now->local_ns;
	d->off_ns = 0;
	out_add(out, ACT_PHASE, ENGINE_NO_SOURCE)->phase_ns = d->phase_ns;
}
