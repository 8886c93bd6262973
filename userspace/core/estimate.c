// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The line and its Kalman filter, see estimate.h.  Pure, no locking.  Units:
 * nanoseconds and ppb, so that one second of one ppb is one nanosecond.
 */
#include "estimate.h"

#include <math.h>

#define EST_GATE_SD		5.0	/* beyond: refused ... */
#define EST_GATE_REOPEN		4	/* ... until so many say the same */
#define EST_REOPEN_MIN_S	16.0	/* a row of several sources may be short */
#define EST_REOPEN_MAX_PPB	500000.0
#define EST_NIS_GAIN		0.1
#define EST_NIS_SURPRISE	3.0	/* of one measurement at most */
#define EST_NIS_MAX		25.0
#define EST_MANY		1000	/* so many measurements are as good as any number */
#define EST_MAX_FREQ_PPB	9900000.0	/* the served line's limit is 1 % */
#define EST_UNKNOWN_SD_NS	1e9

static double secs(int64_t ns)
{
	return (double)ns * 1e-9;
}

static void normalise(struct estimate *e)
{
	double whole = floor(e->frac_ns);

	e->base_unix_ns += (int64_t)whole;
	e->frac_ns -= whole;
}

/* Moves the base point forward; the line itself does not change. */
static void predict(struct estimate *e, int64_t local_ns)
{
	int64_t d_ns = local_ns - e->base_local_ns;
	double t = secs(d_ns);

	if (d_ns <= 0)
		return;
	e->base_local_ns = local_ns;
	e->base_unix_ns += d_ns;
	e->frac_ns += t * e->freq_ppb;
	normalise(e);
	e->p00 += t * (2 * e->p01 + t * e->p11) + e->q * t * t * t / 3;
	e->p01 += t * e->p11 + e->q * t * t / 2;
	e->p11 += e->q * t;
}

void est_init(struct estimate *e, double freq_ppb, double freq_sd_ppb)
{
	static const struct estimate zero;

	*e = zero;
	e->freq_ppb = fmax(-EST_MAX_FREQ_PPB, fmin(EST_MAX_FREQ_PPB, freq_ppb));
	e->p00 = EST_UNKNOWN_SD_NS * EST_UNKNOWN_SD_NS;
	e->p11 = freq_sd_ppb * freq_sd_ppb;
	e->q = EST_WANDER_PPB * EST_WANDER_PPB;
}

void est_start(struct estimate *e, int64_t local_ns, int64_t unix_ns)
{
	e->base_local_ns = local_ns;
	e->base_unix_ns = unix_ns;
	e->frac_ns = 0;
	e->p00 = EST_UNKNOWN_SD_NS * EST_UNKNOWN_SD_NS;
	e->p01 = 0;
	e->valid = false;
}

int64_t est_at(const struct estimate *e, int64_t local_ns)
{
	int64_t d_ns = local_ns - e->base_local_ns;

	return e->base_unix_ns + d_ns +
	       (int64_t)floor(e->frac_ns + secs(d_ns) * e->freq_ppb + 0.5);
}

static void first(struct estimate *e, int64_t local_ns, int64_t unix_ns, double var_ns2)
{
	int64_t d_ns = local_ns - e->base_local_ns;

	e->p11 += d_ns > 0 ? e->q * secs(d_ns) : 0;
	e->base_local_ns = local_ns;
	e->base_unix_ns = unix_ns;
	e->frac_ns = 0;
	e->p00 = var_ns2;
	e->p01 = 0;
	e->rejects = 0;
	e->nis = 1;
	e->updates = 1;
	e->valid = true;
}

/*
 * Outliers in a row on one side are a change, not noise: offset and frequency
 * are doubted by as much as would explain them.  A wrong frequency shows in
 * how the innovations of the row grow.
 */
static void reopen(struct estimate *e, int64_t local_ns, double innov_ns)
{
	double t = fmax(secs(local_ns - e->reject_local_ns), EST_REOPEN_MIN_S);
	double doubt_ppb = fmin(fabs(innov_ns - e->reject_innov_ns) / t, EST_REOPEN_MAX_PPB);

	e->rejects = 0;
	e->p00 += innov_ns * innov_ns;
	e->p11 += doubt_ppb * doubt_ppb;
}

/* Return: whether the innovation may be used. */
static bool gate(struct estimate *e, int64_t local_ns, double innov_ns, double var_ns2)
{
	if (innov_ns * innov_ns <= EST_GATE_SD * EST_GATE_SD * var_ns2) {
		e->rejects = 0;
		return true;
	}
	if (!e->rejects || (innov_ns < 0) != (e->reject_innov_ns < 0)) {
		e->rejects = 0;
		e->reject_innov_ns = innov_ns;
		e->reject_local_ns = local_ns;
	}
	if (++e->rejects < EST_GATE_REOPEN)
		return false;
	reopen(e, local_ns, innov_ns);
	return true;
}

/* Measurement of offset + dt * frequency at the base: gain, state, covariance. */
static void correct(struct estimate *e, double innov_ns, double dt, double var_ns2)
{
	double c0 = e->p00 + dt * e->p01;
	double c1 = e->p01 + dt * e->p11;
	double s = c0 + dt * c1 + var_ns2;
	double k0 = c0 / s, k1 = c1 / s;
	double p00 = e->p00, p01 = e->p01;

	e->frac_ns += k0 * innov_ns;
	e->freq_ppb += k1 * innov_ns;
	e->freq_ppb = fmax(-EST_MAX_FREQ_PPB, fmin(EST_MAX_FREQ_PPB, e->freq_ppb));
	normalise(e);
	e->p00 = fmax(p00 - k0 * c0, 0);
	e->p01 = p01 - k0 * c1;
	e->p11 = fmax(e->p11 - k1 * c1, 0);
}

static void note_surprise(struct estimate *e, double surprise)
{
	double s = fmin(surprise, EST_NIS_SURPRISE);

	e->nis += EST_NIS_GAIN * (s * s * fmax(e->nis, 1) - e->nis);
	e->nis = fmin(e->nis, EST_NIS_MAX);
}

bool est_update(struct estimate *e, int64_t local_ns, int64_t unix_ns, double var_ns2,
		double *surprise)
{
	double innov_ns, dt, s;

	*surprise = 0;
	if (!e->valid) {
		first(e, local_ns, unix_ns, var_ns2);
		return true;
	}
	predict(e, local_ns);
	/* Where innovations are larger than they should be, so is the noise. */
	var_ns2 *= fmax(e->nis, 1);
	dt = secs(local_ns - e->base_local_ns);
	innov_ns = (double)(unix_ns - est_at(e, local_ns));
	s = e->p00 + dt * (2 * e->p01 + dt * e->p11) + var_ns2;
	*surprise = fabs(innov_ns) / sqrt(fmax(s, 1e-6));
	note_surprise(e, *surprise);
	if (!gate(e, local_ns, innov_ns, s))
		return false;
	correct(e, innov_ns, dt, var_ns2);
	if (e->updates < EST_MANY)
		e->updates++;
	return true;
}

double est_sd_ns(const struct estimate *e, int64_t local_ns)
{
	double t = fmax(secs(local_ns - e->base_local_ns), 0);
	double var = e->p00 + t * (2 * e->p01 + t * e->p11) + e->q * t * t * t / 3;

	return sqrt(fmax(var, 0));
}

double est_freq_sd_ppb(const struct estimate *e, int64_t local_ns)
{
	double t = fmax(secs(local_ns - e->base_local_ns), 0);

	return sqrt(e->p11 + e->q * t);
}

double est_sigmas(const struct estimate *e)
{
	double dof = fmax((double)e->updates - 2, 2);

	/* within 5 % of the quantile for every dof >= 2 */
	return 3 * (1 + 3.2 / (dof - 1.4));
}

double est_growth_ns(const struct estimate *e, double secs_ahead)
{
	return secs_ahead * sqrt(e->p11 + e->q * secs_ahead / 3);
}

void est_shift(struct estimate *e, int64_t shift_ns)
{
	e->base_unix_ns += shift_ns;
}

void est_lose_phase(struct estimate *e)
{
	e->valid = false;
	e->p00 = EST_UNKNOWN_SD_NS * EST_UNKNOWN_SD_NS;
	e->p01 = 0;
}

void est_line(const struct estimate *e, int64_t local_ns, struct ntp_line *line)
{
	line->base_raw_ns = local_ns;
	line->base_unix_ns = est_at(e, local_ns);
	line->rate_q48 = (int64_t)floor(e->freq_ppb * 1e-9 * 0x1p48 + 0.5);
}
