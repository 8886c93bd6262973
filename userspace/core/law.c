// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Laws of measurements, see law.h.  Pure, no locking.
 */
#include "law.h"

#include <math.h>

#define SQRT_2PI	2.50662827463100050
/* What no model foresees: how often, and how wide in standard deviations. */
#define RARE		0.005
#define RARE_SDS	6.0
/* A box much narrower than the prior is a Gaussian of its variance. */
#define NARROW		0.05

void law_add(struct law *l, const struct law_part *p)
{
	if (p->weight > 0)
		l->part[l->parts++] = *p;
}

static double part_var_ns2(const struct law_part *p)
{
	return p->var_ns2 + p->half_ns * p->half_ns / 3;
}

void law_close(struct law *l)
{
	struct law_part rare = { .weight = RARE };
	double sum = 0, mean = 0, var = 0, d;
	unsigned int i;

	for (i = 0; i < l->parts; i++)
		sum += l->part[i].weight;
	for (i = 0; i < l->parts; i++)
		mean += l->part[i].weight / sum * l->part[i].mean_ns;
	for (i = 0; i < l->parts; i++) {
		d = l->part[i].mean_ns - mean;
		var += l->part[i].weight / sum * (part_var_ns2(&l->part[i]) + d * d);
		l->part[i].weight *= (1 - RARE) / sum;
	}
	l->mean_ns = mean;
	l->var_ns2 = var;
	rare.mean_ns = mean;
	rare.var_ns2 = RARE_SDS * RARE_SDS * (var + l->scale_ns * l->scale_ns);
	law_add(l, &rare);
}

void law_gauss(struct law *l, double var_ns2)
{
	*l = (struct law){ .mean_ns = 0, .var_ns2 = var_ns2 };
	law_add(l, &(struct law_part){ .weight = 1, .var_ns2 = var_ns2 });
	law_close(l);
}

static double density(double z)
{
	return exp(-z * z / 2) / SQRT_2PI;
}

/* Probability between two places, high > low, in the tail that keeps its digits. */
static double between(double low, double high)
{
	if (low > 0)
		return (erfc(low * M_SQRT1_2) - erfc(high * M_SQRT1_2)) / 2;
	return (erfc(-high * M_SQRT1_2) - erfc(-low * M_SQRT1_2)) / 2;
}

/* Adds the likelihood and its derivatives by the prior's mean to z[3]. */
static void add_gauss(double weight, double d, double var, double *z)
{
	double g = weight * density(d / sqrt(var)) / sqrt(var);

	z[0] += g;
	z[1] -= g * d / var;
	z[2] += g * (d * d / var - 1) / var;
}

static void add_box(double weight, double d, double half, double var, double *z)
{
	double s = sqrt(var), high = (d + half) / s, low = (d - half) / s;
	double at_high = density(high), at_low = density(low), w = weight / (2 * half);

	z[0] += w * between(low, high);
	z[1] += w * (at_high - at_low) / s;
	z[2] += w * (low * at_low - high * at_high) / var;
}

void law_score(const struct law *l, double prior_ns, double prior_var_ns2,
	       struct law_score *out)
{
	double z[3] = { 0 }, d, var;
	const struct law_part *p;

	for (p = l->part; p < l->part + l->parts; p++) {
		d = prior_ns - p->mean_ns;
		var = fmax(prior_var_ns2 + p->var_ns2, 1e-6);
		if (p->half_ns * p->half_ns > NARROW * NARROW * var)
			add_box(p->weight, d, p->half_ns, var, z);
		else
			add_gauss(p->weight, d, var + p->half_ns * p->half_ns / 3, z);
	}
	z[0] = fmax(z[0], 1e-300);
	out->log = log(z[0]);
	out->d1 = z[1] / z[0];
	out->d2 = z[2] / z[0] - out->d1 * out->d1;
}
