// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The line: exactness over long spans, honesty of its covariance on synthetic
 * clocks, outliers and changes.
 */
#include <core/estimate.h>
#include <core/rng.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define S	NTP_NS_PER_S
#define WANDER_PPB	10.0
#define UTC0	(1800000000LL * S)

/* A measurement of which nothing but the variance is known. */
static bool update(struct estimate *e, int64_t local_ns, int64_t unix_ns, double var_ns2,
		   double *surprise)
{
	struct law law;

	law_gauss(&law, var_ns2);
	return est_update(e, local_ns, unix_ns, &law, surprise);
}

static double gauss(struct rng *r)
{
	return sqrt(-2 * log(1 - rng_unit(r))) * cos(2 * M_PI * rng_unit(r));
}

static void test_line_is_exact(void **state)
{
	struct estimate e;
	struct ntp_line line;

	(void)state;
	est_init(&e, 50000, 100000);
	est_start(&e, 5 * S, UTC0);
	assert_int_equal(est_at(&e, 5 * S), UTC0);
	assert_int_equal(est_at(&e, 6 * S), UTC0 + S + 50000);
	assert_int_equal(est_at(&e, 4 * S), UTC0 - S - 50000);
	/* ten years: no absolute time may pass through a double */
	assert_int_equal(est_at(&e, 5 * S + 315360000 * S),
			 UTC0 + 315360000 * S + 315360000LL * 50000);
	est_line(&e, 10 * S, &line);
	assert_int_equal(line.base_raw_ns, 10 * S);
	assert_int_equal(line.base_unix_ns, UTC0 + 5 * S + 250000);
	assert_true(llabs(ntp_line_at(&line, 86410 * S) - est_at(&e, 86410 * S)) <= 1);
	est_shift(&e, -S);
	assert_int_equal(est_at(&e, 5 * S), UTC0 - S);
}

static void test_first_is_believed(void **state)
{
	struct estimate e;
	double surprise;

	(void)state;
	est_init(&e, 0, 100000);
	est_start(&e, 0, 0);
	assert_true(update(&e, 10 * S, UTC0, 1e6, &surprise));
	assert_int_equal(est_at(&e, 10 * S), UTC0);
	/* as said, or a little more: the noise may be misjudged */
	assert_true(est_sd_ns(&e, 10 * S) >= 1000 && est_sd_ns(&e, 10 * S) < 2000);
	/* 100 ppm for 10 s */
	assert_true(fabs(est_sd_ns(&e, 20 * S) - 1e6) < 1e3);
}

/* Random clocks: innovations must be as large as the covariance says, no more, no less. */
static void test_covariance_is_honest(void **state)
{
	double err, sum = 0, freq_sum = 0, noise_ns = 20000;
	int round, i, rounds = 300, beyond = 0;
	struct estimate e;
	struct rng r;

	(void)state;
	rng_init(&r, 3);
	for (round = 0; round < rounds; round++) {
		double freq = gauss(&r) * 30000, off = 0, surprise;

		est_init(&e, 0, 30000);
		est_start(&e, 0, UTC0);
		for (i = 0; i < 100; i++) {
			int64_t t = (int64_t)i * 16 * S;

			update(&e, t, UTC0 + t + (int64_t)(off + gauss(&r) * noise_ns),
				   noise_ns * noise_ns, &surprise);
			if (i == 99)
				break;
			off += 16 * freq + gauss(&r) * WANDER_PPB * sqrt(16.0 * 16 * 16 / 12);
			freq += gauss(&r) * WANDER_PPB * 4;
		}
		err = ((double)(est_at(&e, (int64_t)99 * 16 * S) - UTC0 - (int64_t)99 * 16 * S) - off) /
		      est_sd_ns(&e, (int64_t)99 * 16 * S);
		sum += err * err;
		beyond += fabs(err) > 3;
		err = (e.freq_ppb - freq) / est_freq_sd_ppb(&e, e.base_local_ns);
		freq_sum += err * err;
	}
	print_message("# offset %.2f, frequency %.2f\n", sum / rounds, freq_sum / rounds);
	assert_true(sum / rounds > 0.5 && sum / rounds < 1.6);
	/* the wander has to be guessed from 100 measurements: 2 is what that costs */
	assert_true(freq_sum / rounds > 0.3 && freq_sum / rounds < 2.2);
	assert_true(beyond <= rounds / 50);
}

static struct estimate settled(void)
{
	struct estimate e;
	double surprise;
	int64_t i;

	est_init(&e, 0, 100000);
	est_start(&e, 0, UTC0);
	for (i = 0; i < 50; i++)
		assert_true(update(&e, i * 16 * S, UTC0 + i * 16 * S, 1e8, &surprise));
	return e;
}

static void test_outlier_is_refused(void **state)
{
	struct estimate e = settled();
	int64_t t = 50 * 16 * S;
	double surprise;

	(void)state;
	assert_false(update(&e, t, UTC0 + t + 5000000, 1e8, &surprise));
	assert_true(surprise > 5);
	assert_true(llabs(est_at(&e, t) - UTC0 - t) < 10000);
	assert_true(update(&e, t + S, UTC0 + t + S, 1e8, &surprise));
	/* alternating ones are never believed */
	for (int i = 2; i < 40; i++)
		assert_false(update(&e, t + i * S, UTC0 + t + i * S + (i % 2 ? 1 : -1) * 9000000,
					1e8, &surprise));
}

static void test_change_is_believed(void **state)
{
	struct estimate e = settled();
	int64_t t = 50 * 16 * S, i;
	int refused = 0;
	double surprise;

	(void)state;
	for (i = 0; i < 20; i++)
		refused += !update(&e, t + i * 16 * S, UTC0 + t + i * 16 * S + 5000000, 1e8,
				       &surprise);
	assert_true(refused >= 2 && refused <= 4);
	t += 19 * 16 * S;
	assert_true(llabs(est_at(&e, t) - UTC0 - t - 5000000) < 100000);
}

static void test_late_sample(void **state)
{
	struct estimate e = settled();
	int64_t t = 49 * 16 * S, base_ns = e.base_local_ns;
	double surprise, sd = est_sd_ns(&e, t);

	(void)state;
	assert_true(update(&e, t - S / 100, UTC0 + t - S / 100, 1e8, &surprise));
	assert_int_equal(e.base_local_ns, base_ns);
	assert_true(est_sd_ns(&e, t) < sd);
}

static void test_error_grows(void **state)
{
	struct estimate e = settled();
	double last = 0, sd;
	int64_t t;

	(void)state;
	for (t = 0; t < 100000; t += 1000) {
		sd = est_sd_ns(&e, e.base_local_ns + t * S);
		assert_true(sd > last);
		last = sd;
	}
	/* a day of wander: between 10 and 500 ms */
	assert_true(last > 1e7 && last < 5e8);
	est_lose_phase(&e);
	assert_false(e.valid);
	assert_true(est_sd_ns(&e, e.base_local_ns) > 1e8);
}

/* Student's quantile of 0.99865 (Abramowitz and Stegun, table 26.10, interpolated). */
static void test_few_measurements_claim_more(void **state)
{
	static const struct { unsigned int updates; double quantile; } want[] = {
		{ 1, 19.2 }, { 4, 19.2 }, { 5, 9.22 }, { 6, 6.62 }, { 12, 3.96 }, { 22, 3.42 },
		{ 102, 3.08 }, { 1000, 3.0 },
	};
	struct estimate e = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(want) / sizeof(*want); i++) {
		e.updates = want[i].updates;
		assert_true(fabs(est_sigmas(&e) / want[i].quantile - 1) < 0.05);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line_is_exact),
		cmocka_unit_test(test_first_is_believed),
		cmocka_unit_test(test_covariance_is_honest),
		cmocka_unit_test(test_outlier_is_refused),
		cmocka_unit_test(test_change_is_believed),
		cmocka_unit_test(test_late_sample),
		cmocka_unit_test(test_error_grows),
		cmocka_unit_test(test_few_measurements_claim_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
