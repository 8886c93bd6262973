// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Queues that differ by direction, see tilt.h.  Pure, no locking.
 */
#include "tilt.h"

#include <math.h>

/* Per scale; the first is what is believed without evidence ... */
static const double rates[TILT_RATES] = {
	0, 0.5, -0.5, 1, -1, 2, -2, 5, -5, 15, -15, 50, -50,
};
#define PRIOR		(-8.0)	/* ... and the others only with so much of it */
#define MEMORY		0.995
#define SURPRISE2	16.0
#define OFF_MEMORY	0.97
#define FLAT		1e-3	/* rate times excess below which there is no telling */

void tilt_flush(struct tilt *t)
{
	static const struct tilt zero;

	*t = zero;
}

void tilt_moments(double per_ns, double e_ns, double *mean_ns, double *var_ns2)
{
	double k = fabs(per_ns), x = k * e_ns, q;

	if (x < FLAT) {
		*mean_ns = 0;
		*var_ns2 = e_ns * e_ns / 12;
		return;
	}
	/* the truncated exponential's mean is 1/k - e / (exp(ke) - 1) */
	q = x < 500 ? 1 / (exp(x) - 1) : 0;
	*mean_ns = 1 / k - e_ns * q - e_ns / 2;
	*var_ns2 = fmax(1 / (k * k) - e_ns * e_ns * q * (1 + q), 0);
	if (per_ns < 0)
		*mean_ns = -*mean_ns;
}

/*
 * How well a rate foretells where the truth lies.  The line was drawn through
 * samples taken with some rate itself, so all of it may be off alike: of that
 * each rate may have its own opinion, and only how the error goes with the
 * excess tells them apart.
 */
static double likelihood(struct tilt_rate *r, double per_ns, double e_ns, double truth_ns,
			 double var_ns2)
{
	double mean, var, d, off = 0, off_var = 0;

	tilt_moments(per_ns, e_ns, &mean, &var);
	var += var_ns2;
	d = truth_ns - mean;
	if (r->weight > 0) {
		off = r->sum / r->weight;
		off_var = 1 / r->weight;
	}
	r->weight = OFF_MEMORY * r->weight + 1 / var;
	r->sum = OFF_MEMORY * r->sum + d / var;
	if (off_var == 0)
		return 0;
	var += off_var;
	d -= off;
	return -0.5 * (log(var) + fmin(d * d / var, SURPRISE2));
}

void tilt_learn(struct tilt *t, double scale_ns, double e_ns, double truth_ns, double var_ns2)
{
	double belief, best = -INFINITY;
	unsigned int i;

	if (scale_ns <= 0)
		return;
	for (i = 0; i < TILT_RATES; i++) {
		t->log_e[i] = MEMORY * t->log_e[i] +
			      likelihood(&t->off[i], rates[i] / scale_ns, e_ns, truth_ns, var_ns2);
		belief = t->log_e[i] + (i ? PRIOR : 0);
		if (belief > best) {
			best = belief;
			t->rate = rates[i];
		}
	}
	best = t->log_e[0];
	for (i = 0; i < TILT_RATES; i++)
		t->log_e[i] -= best;
}
