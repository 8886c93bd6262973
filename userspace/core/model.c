// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One hypothesis, see model.h.  Pure, no locking.
 */
#include "model.h"

#include <math.h>

/* One wild measurement must not decide between hypotheses for good. */
#define MODEL_MAX_SURPRISE2	16.0

void model_predict(struct model *m, double secs)
{
	double t = secs;

	m->x_ns += t * m->freq_ppb;
	m->p00 += t * (2 * m->p01 + t * m->p11) + m->q * t * t * t / 3;
	m->p01 += t * m->p11 + m->q * t * t / 2;
	m->p11 += m->q * t;
}

double model_innov_var_ns2(const struct model *m, double secs, double var_ns2)
{
	return m->p00 + secs * (2 * m->p01 + secs * m->p11) + m->noise * var_ns2;
}

double model_correct(struct model *m, double offset_ns, double secs, double var_ns2)
{
	double c0 = m->p00 + secs * m->p01;
	double c1 = m->p01 + secs * m->p11;
	double s = fmax(c0 + secs * c1 + m->noise * var_ns2, 1e-6);
	double innov_ns = offset_ns - (m->x_ns + secs * m->freq_ppb);
	double k0 = c0 / s, k1 = c1 / s;

	m->x_ns += k0 * innov_ns;
	m->freq_ppb += k1 * innov_ns;
	m->p01 -= k0 * c1;
	m->p00 = fmax(m->p00 - k0 * c0, 0);
	m->p11 = fmax(m->p11 - k1 * c1, 0);
	return -0.5 * (log(s) + fmin(innov_ns * innov_ns / s, MODEL_MAX_SURPRISE2));
}
