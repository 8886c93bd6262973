// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Laws of measurements: evidence, posterior mean and variance against sums over
 * a fine grid, for priors from much narrower to much wider than the law.
 */
#include <core/law.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#define STEPS	20000

static double normal(double d, double var)
{
	return exp(-d * d / var / 2) / sqrt(2 * M_PI * var);
}

static double part_at(const struct law_part *p, double x)
{
	double d = x - p->mean_ns, s = sqrt(2 * p->var_ns2);

	if (p->half_ns <= 0)
		return p->weight * normal(d, p->var_ns2);
	return p->weight * (erf((d + p->half_ns) / s) - erf((d - p->half_ns) / s)) /
	       (4 * p->half_ns);
}

/* Evidence, mean and variance of the posterior by brute force. */
static void by_grid(const struct law *l, double prior, double var, double *z)
{
	double x, w, dx = 20 * sqrt(var) / STEPS, sum[3] = { 0 };
	unsigned int k;
	int i;

	for (i = 0; i <= STEPS; i++) {
		x = prior + (i - STEPS / 2) * dx;
		for (k = 0, w = 0; k < l->parts; k++)
			w += part_at(&l->part[k], x);
		w *= normal(x - prior, var) * dx;
		sum[0] += w;
		sum[1] += w * x;
		sum[2] += w * x * x;
	}
	z[0] = sum[0];
	z[1] = sum[1] / sum[0];
	z[2] = sum[2] / sum[0] - z[1] * z[1];
}

static void check(const struct law *l, double prior, double sd)
{
	struct law_score s;
	double z[3], var = sd * sd;

	by_grid(l, prior, var, z);
	law_score(l, prior, var, &s);
	if (fabs(s.log - log(z[0])) > 0.02 || fabs(prior + var * s.d1 - z[1]) > 0.02 * sd ||
	    fabs(var + var * var * s.d2 - z[2]) > 0.03 * var)
		fail_msg("prior %g sd %g: log %g for %g, mean %g for %g, var %g for %g", prior, sd,
			 s.log, log(z[0]), prior + var * s.d1, z[1], var + var * var * s.d2, z[2]);
}

static void test_against_grid(void **state)
{
	static const double sds[] = { 3, 30, 300, 3000, 30000 };
	static const double priors[] = { -4000, -1000, -900, -10, 0, 300, 1100, 20000 };
	struct law box = { .scale_ns = 500 }, ends = { .scale_ns = 100 }, gauss;
	size_t i, k;

	(void)state;
	law_add(&box, &(struct law_part){ 1, 0, 1000, 400 });
	law_close(&box);
	law_add(&ends, &(struct law_part){ 1, 0, 1000, 100 });
	law_add(&ends, &(struct law_part){ 4, -900, 0, 10000 });
	law_add(&ends, &(struct law_part){ 4, 900, 0, 10000 });
	law_close(&ends);
	law_gauss(&gauss, 250000);
	assert_true(fabs(box.var_ns2 - (1e6 / 3 + 400)) < 1);
	assert_true(fabs(ends.mean_ns) < 1e-9 && ends.var_ns2 > 700000);
	for (i = 0; i < sizeof(sds) / sizeof(*sds); i++)
		for (k = 0; k < sizeof(priors) / sizeof(*priors); k++) {
			/* twenty sigmas out nothing but the rare part is left of either */
			if (fabs(priors[k]) > 1000 + 8 * sds[i])
				continue;
			check(&box, priors[k], sds[i]);
			check(&ends, priors[k], sds[i]);
			check(&gauss, priors[k], sds[i]);
		}
}

/* However absurd the measurement, nothing overflows and the prior is hardly moved. */
static void test_absurd(void **state)
{
	struct law box = { .scale_ns = 1 };
	struct law_score s;
	double off;

	(void)state;
	law_add(&box, &(struct law_part){ 1, 0, 100, 4 });
	law_close(&box);
	for (off = 1; off < 1e18; off *= 10) {
		law_score(&box, off, 100, &s);
		assert_true(isfinite(s.log) && isfinite(s.d1) && isfinite(s.d2));
		assert_true(fabs(100 * s.d1) <= off && 100 + 1e4 * s.d2 >= 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_against_grid),
		cmocka_unit_test(test_absurd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
