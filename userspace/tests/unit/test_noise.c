// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Noise from delays: its variance is honest at every number of samples, and a
 * new route is taken up within a few.
 */
#include <core/noise.h>
#include <core/rng.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static double exponential(struct rng *r)
{
	return -log(1 - rng_unit(r));
}

/* Exponential queues each way: squared errors against the variance claimed for each. */
static void test_variance_is_honest(void **state)
{
	double sum[NOISE_LEN + 1] = { 0 };
	const int rounds = 2000;
	struct noise noise;
	struct rng r;
	int round, n;

	(void)state;
	rng_init(&r, 7);
	for (round = 0; round < rounds; round++) {
		noise_flush(&noise);
		for (n = 1; n <= NOISE_LEN; n++) {
			double a = exponential(&r) * 1e5, b = exponential(&r) * 1e5;
			double err = (a - b) / 2;
			int64_t delay_ns = 600000 + (int64_t)(a + b);

			noise_add(&noise, delay_ns);
			sum[n] += err * err / noise_var_ns2(&noise, delay_ns, 0) / rounds;
		}
	}
	for (n = 3; n <= NOISE_LEN; n += (n + 1) / 2) {
		print_message("# %d samples: %.2f\n", n, sum[n]);
		assert_true(sum[n] > 0.2 && sum[n] < 1.1);
	}
}

static void test_floor(void **state)
{
	struct noise noise;
	struct rng r;
	int i;

	(void)state;
	rng_init(&r, 8);
	noise_flush(&noise);
	for (i = 0; i < NOISE_LEN; i++)
		noise_add(&noise, 1000000 + (int64_t)((exponential(&r) + exponential(&r)) * 1e4));
	assert_true(noise.floor_ns >= 1e6 && noise.floor_ns < 1.01e6);
	assert_true(noise.scale_ns > 8e3 && noise.scale_ns < 12e3);
	/* a sample far above it is worth little */
	assert_true(noise_var_ns2(&noise, 1200000, 0) > 100 * noise_var_ns2(&noise, 1000000, 0));
	/* stamps' errors count by themselves */
	assert_true(noise_var_ns2(&noise, 1000000, 3000000) > 0.3e12);
}

/* +20 ms: believed after eight; and the way back at once. */
static void test_route_changes(void **state)
{
	struct noise noise;
	struct rng r;
	int i;

	(void)state;
	rng_init(&r, 9);
	noise_flush(&noise);
	for (i = 0; i < 40; i++)
		noise_add(&noise, 1000000 + (int64_t)((exponential(&r) + exponential(&r)) * 1e4));
	for (i = 0; i < 7; i++)
		noise_add(&noise, 21000000 + (int64_t)(exponential(&r) * 1e4));
	assert_true(noise.floor_ns < 1.1e6);
	noise_add(&noise, 21000000);
	assert_true(noise.floor_ns > 20e6);
	assert_true(sqrt(noise_var_ns2(&noise, 21000000, 0)) < 1e6);
	for (i = 0; i < 20; i++)
		noise_add(&noise, 21000000 + (int64_t)(exponential(&r) * 1e4));
	noise_add(&noise, 1000000);
	assert_true(noise.floor_ns < 1.1e6);
	assert_int_equal(noise.len, 1);
}

/* Single slow packets, or short bursts of them, are no new route. */
static void test_spikes_are_no_route(void **state)
{
	struct noise noise;
	struct rng r;
	int i;

	(void)state;
	rng_init(&r, 10);
	noise_flush(&noise);
	for (i = 0; i < 1000; i++)
		noise_add(&noise, (i % 10 < 6 && i > 9 ? 5000000 : 1000000) +
				  (int64_t)(exponential(&r) * 1e4));
	assert_true(noise.floor_ns < 1.1e6);
}

/* Queues of one direction only: the error is half the excess.  Of both: no slope. */
static void test_slope(void **state)
{
	static const double back[] = { 0, 1 };
	struct noise noise;
	struct rng r;
	size_t k;
	int i;

	(void)state;
	for (k = 0; k < 2; k++) {
		rng_init(&r, 11 + k);
		noise_flush(&noise);
		for (i = 0; i < 300; i++) {
			double a = exponential(&r) * 1e6, b = back[k] * exponential(&r) * 1e6;
			int64_t delay_ns = 1000000 + (int64_t)(a + b);

			noise_add(&noise, delay_ns);
			noise_learn(&noise, delay_ns, (a - b) / 2,
				    noise_var_ns2(&noise, delay_ns, 1000));
		}
		if (back[k] > 0) {
			assert_true(noise_bias_ns(&noise, 2000000) == 0);
			continue;
		}
		assert_true(fabs(noise_bias_ns(&noise, 2000000) - 0.5e6) < 0.05e6);
		/* and what is left of it is little */
		assert_true(noise_var_ns2(&noise, 2000000, 0) < 0.1 * 1e12 / 12);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_variance_is_honest),
		cmocka_unit_test(test_floor),
		cmocka_unit_test(test_route_changes),
		cmocka_unit_test(test_spikes_are_no_route),
		cmocka_unit_test(test_slope),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
