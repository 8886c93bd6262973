// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The line and its bank of models, see estimate.h.  Pure, no locking.
 */
#include "estimate.h"

#include <math.h>

#define EST_GATE_SD		5.0	/* beyond: refused ... */
#define EST_GATE_REOPEN		4	/* ... until so many say the same */
#define EST_REOPEN_MIN_S	16.0	/* a row of several sources may be short */
#define EST_REOPEN_MAX_PPB	500000.0
#define EST_SCALE_UNSURE	3.0	/* noise and wander are known from few measurements themselves */
#define EST_MANY		1000	/* so many measurements are as good as any number */
#define EST_MAX_FREQ_PPB	9900000.0	/* the served line's limit is 1 % */
#define EST_UNKNOWN_SD_NS	1e9
/* Evidence fades towards what is likely anywhere: the crystal and network of today count. */
#define EST_MEMORY		0.998
#define EST_MIN_LOG_W		(-30.0)

/* The hypotheses: from an oven to a virtual machine, and how wrong the noise may be. */
static const double wanders_ppb[EST_WANDERS] = { 0.1, 0.316, 1, 3.16, 10, 31.6, 100 };
#define EST_WANDER_SLACK	3.16	/* in variance: each stands for half a step up and down */
/* Before anything is measured: a plain crystal. */
static const double wander_log_prior[EST_WANDERS] = { -1, 0, 0, -0.5, 1, -0.25, -1.5 };
static const double noises[EST_NOISES] = { 1, 0.4, 4, 16 };
static const double noise_log_prior[EST_NOISES] = { 0, -2, -1.5, -3 };

static double secs(int64_t ns)
{
	return (double)ns * 1e-9;
}

static double log_prior(size_t i)
{
	return wander_log_prior[i / EST_NOISES] + noise_log_prior[i % EST_NOISES];
}

static struct model *models_end(struct estimate *e)
{
	return e->models + EST_MODELS;
}

/* Whole nanoseconds go from the models into the base. */
static void normalise(struct estimate *e)
{
	double whole = floor(e->frac_ns);
	struct model *m;

	e->base_unix_ns += (int64_t)whole;
	e->frac_ns -= whole;
	for (m = e->models; m < models_end(e); m++)
		m->x_ns -= whole;
}

/*
 * The bank as one Gaussian: means by weight, and the spread between the models
 * adds to the variance.
 */
static void mix(struct estimate *e)
{
	double sum = 0, x = 0, f = 0, p00 = 0, p01 = 0, p11 = 0, q = 0, w, dx, df;
	const struct model *m;

	for (m = e->models; m < models_end(e); m++) {
		w = exp(m->log_w);
		sum += w;
		x += w * m->x_ns;
		f += w * m->freq_ppb;
		q += w * m->q;
	}
	x /= sum;
	f /= sum;
	for (m = e->models; m < models_end(e); m++) {
		w = exp(m->log_w) / sum;
		dx = m->x_ns - x;
		df = m->freq_ppb - f;
		p00 += w * (m->p00 + dx * dx);
		p01 += w * (m->p01 + dx * df);
		p11 += w * (m->p11 + df * df);
	}
	e->frac_ns = x;
	e->freq_ppb = fmax(-EST_MAX_FREQ_PPB, fmin(EST_MAX_FREQ_PPB, f));
	e->p00 = p00;
	e->p01 = p01;
	e->p11 = p11;
	e->q = q / sum;
	normalise(e);
}

static void predict(struct estimate *e, int64_t local_ns)
{
	int64_t d_ns = local_ns - e->base_local_ns;
	struct model *m;

	if (d_ns <= 0)
		return;
	e->base_local_ns = local_ns;
	e->base_unix_ns += d_ns;
	for (m = e->models; m < models_end(e); m++)
		model_predict(m, secs(d_ns));
	mix(e);
}

/* All models at one point, uncertain by as much. */
static void set_phase(struct estimate *e, const struct law *l)
{
	struct model *m;

	for (m = e->models; m < models_end(e); m++) {
		m->x_ns = e->frac_ns + l->mean_ns;
		m->p00 = model_noise_ns2(m, l);
		m->p01 = 0;
	}
	mix(e);
}

static void lose_phase(struct estimate *e)
{
	set_phase(e, &(struct law){ .var_ns2 = EST_UNKNOWN_SD_NS * EST_UNKNOWN_SD_NS });
}

void est_init(struct estimate *e, double freq_ppb, double freq_sd_ppb)
{
	static const struct estimate zero;
	struct model *m;
	size_t i = 0;

	*e = zero;
	for (m = e->models; m < models_end(e); m++, i++) {
		m->q = wanders_ppb[i / EST_NOISES] * wanders_ppb[i / EST_NOISES];
		m->noise = noises[i % EST_NOISES];
		m->freq_ppb = fmax(-EST_MAX_FREQ_PPB, fmin(EST_MAX_FREQ_PPB, freq_ppb));
		m->p11 = freq_sd_ppb * freq_sd_ppb;
		m->log_w = log_prior(i);
	}
	lose_phase(e);
}

void est_start(struct estimate *e, int64_t local_ns, int64_t unix_ns)
{
	e->base_local_ns = local_ns;
	e->base_unix_ns = unix_ns;
	e->frac_ns = 0;
	e->valid = false;
	lose_phase(e);
}

int64_t est_at(const struct estimate *e, int64_t local_ns)
{
	int64_t d_ns = local_ns - e->base_local_ns;

	return e->base_unix_ns + d_ns +
	       (int64_t)floor(e->frac_ns + secs(d_ns) * e->freq_ppb + 0.5);
}

static void first(struct estimate *e, int64_t local_ns, int64_t unix_ns, const struct law *l)
{
	int64_t d_ns = local_ns - e->base_local_ns;
	struct model *m;

	for (m = e->models; d_ns > 0 && m < models_end(e); m++)
		m->p11 += m->q * secs(d_ns);
	e->base_local_ns = local_ns;
	e->base_unix_ns = unix_ns;
	e->frac_ns = 0;
	set_phase(e, l);
	e->rejects = 0;
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
	struct model *m;

	e->rejects = 0;
	for (m = e->models; m < models_end(e); m++) {
		m->p00 += innov_ns * innov_ns;
		m->p11 += doubt_ppb * doubt_ppb;
	}
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

/* What the mixture expects of the innovation's square. */
static double innov_var_ns2(const struct estimate *e, double dt, const struct law *l)
{
	double sum = 0, noise = 0, w;
	const struct model *m;

	for (m = e->models; m < e->models + EST_MODELS; m++) {
		w = exp(m->log_w);
		sum += w;
		noise += w * fmax(model_noise_ns2(m, l), l->var_ns2);
	}
	return e->p00 + dt * (2 * e->p01 + dt * e->p11) + noise / sum;
}

static void correct(struct estimate *e, double offset_ns, double dt, const struct law *l)
{
	/* of an instant before the base, the frequency may have wandered since */
	double best = -INFINITY, prior, back = dt < 0 ? -dt * dt * dt / 3 : 0;
	struct model *m;
	size_t i = 0;

	for (m = e->models; m < models_end(e); m++, i++) {
		prior = log_prior(i);
		m->log_w = prior + EST_MEMORY * (m->log_w - prior) +
			   model_correct(m, offset_ns, dt, l, m->q * back);
		best = fmax(best, m->log_w);
	}
	for (m = e->models; m < models_end(e); m++)
		m->log_w = fmax(m->log_w - best, EST_MIN_LOG_W);
	mix(e);
}

bool est_update(struct estimate *e, int64_t local_ns, int64_t unix_ns, const struct law *l,
		double *surprise)
{
	double innov_ns, dt, s;

	*surprise = 0;
	if (!e->valid) {
		first(e, local_ns, unix_ns, l);
		return true;
	}
	predict(e, local_ns);
	dt = secs(local_ns - e->base_local_ns);
	innov_ns = (double)(unix_ns - est_at(e, local_ns)) + l->mean_ns;
	s = innov_var_ns2(e, dt, l);
	*surprise = fabs(innov_ns) / sqrt(fmax(s, 1e-6));
	if (!gate(e, local_ns, innov_ns, s))
		return false;
	correct(e, (double)(unix_ns - e->base_unix_ns - (local_ns - e->base_local_ns)), dt, l);
	if (e->updates < EST_MANY)
		e->updates++;
	return true;
}

static double sd_ns(const struct estimate *e, int64_t local_ns, double q)
{
	double t = fmax(secs(local_ns - e->base_local_ns), 0);
	double var = e->p00 + t * (2 * e->p01 + t * e->p11) + q * t * t * t / 3;

	return sqrt(fmax(var, 0));
}

double est_sd_ns(const struct estimate *e, int64_t local_ns)
{
	return sd_ns(e, local_ns, e->q);
}

static double unsure(const struct estimate *e)
{
	return sqrt(1 + EST_SCALE_UNSURE / (e->updates + 1));
}

double est_error_ns(const struct estimate *e, int64_t local_ns)
{
	return est_sd_ns(e, local_ns) * unsure(e);
}

double est_bound_ns(const struct estimate *e, int64_t local_ns)
{
	return est_sigmas(e) * sd_ns(e, local_ns, e->q * EST_WANDER_SLACK);
}

double est_freq_sd_ppb(const struct estimate *e, int64_t local_ns)
{
	double t = fmax(secs(local_ns - e->base_local_ns), 0);

	return sqrt(e->p11 + e->q * t) * unsure(e);
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
	lose_phase(e);
}

void est_line(const struct estimate *e, int64_t local_ns, struct ntp_line *line)
{
	line->base_raw_ns = local_ns;
	line->base_unix_ns = est_at(e, local_ns);
	line->rate_q48 = (int64_t)floor(e->freq_ppb * 1e-9 * 0x1p48 + 0.5);
}
