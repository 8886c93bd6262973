// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One hypothesis, see model.h.  Pure, no locking.
 */
#include "model.h"

#include <math.h>

void model_predict(struct model *m, double secs)
{
	double t = secs;

	m->x_ns += t * m->freq_ppb;
	m->p00 += t * (2 * m->p01 + t * m->p11) + m->q * t * t * t / 3;
	m->p01 += t * m->p11 + m->q * t * t / 2;
	m->p11 += m->q * t;
}

double model_noise_ns2(const struct model *m, const struct law *l)
{
	/* what the law does not know may have nothing to do with the delay */
	return m->noise * l->var_ns2 + fmax(m->noise - 1, 0) * l->scale_ns * l->scale_ns / 16;
}

static void score(const struct model *m, double prior_ns, double prior_var_ns2,
		  const struct law *l, struct law_score *s)
{
	struct law wide;

	if (m->noise == 1) {
		law_score(l, prior_ns, prior_var_ns2, s);
		return;
	}
	law_gauss(&wide, model_noise_ns2(m, l));
	law_score(&wide, prior_ns - l->mean_ns, prior_var_ns2, s);
}

double model_correct(struct model *m, double offset_ns, double secs, const struct law *l,
		     double extra_ns2)
{
	double c0 = m->p00 + secs * m->p01;
	double c1 = m->p01 + secs * m->p11;
	double var_ns2 = c0 + secs * c1;
	struct law_score s;

	score(m, m->x_ns + secs * m->freq_ppb - offset_ns, var_ns2 + extra_ns2, l, &s);
	m->x_ns += c0 * s.d1;
	m->freq_ppb += c1 * s.d1;
	m->p01 += c0 * c1 * s.d2;
	m->p00 = fmax(m->p00 + c0 * c0 * s.d2, 0);
	m->p11 = fmax(m->p11 + c1 * c1 * s.d2, 0);
	return s.log;
}
