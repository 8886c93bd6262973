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

static double var_ns2(const struct noise *n, int64_t delay_ns, int64_t err_ns)
{
	struct law l;

	noise_law(n, delay_ns, err_ns, 0, &l);
	return l.var_ns2;
}

static double mean_ns(const struct noise *n, int64_t delay_ns)
{
	struct law l;

	noise_law(n, delay_ns, 0, 0, &l);
	return l.mean_ns;
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
			sum[n] += err * err / var_ns2(&noise, delay_ns, 0) / rounds;
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
	assert_true(var_ns2(&noise, 1200000, 0) > 100 * var_ns2(&noise, 1000000, 0));
	/* stamps' errors count by themselves */
	assert_true(var_ns2(&noise, 1000000, 3000000) > 0.3e12);
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
	assert_true(sqrt(var_ns2(&noise, 21000000, 0)) < 1e6);
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

/* Queues of one direction only: the truth lies at one end.  Of both: anywhere. */
static void test_tilt(void **state)
{
	static const double back[] = { 0.03, 1, 0.3 };
	struct noise noise;
	struct rng r;
	size_t k;
	int i;

	(void)state;
	for (k = 0; k < 3; k++) {
		rng_init(&r, 11 + k);
		noise_flush(&noise);
		for (i = 0; i < 400; i++) {
			double a = exponential(&r) * 1e6, b = back[k] * exponential(&r) * 1e6;
			int64_t delay_ns = 1000000 + (int64_t)(a + b);

			noise_add(&noise, delay_ns);
			noise_learn(&noise, delay_ns, (a - b) / 2, 1e8, 1000, 0);
		}
		print_message("# %g back: rate %g, mean %.0f, sd %.0f\n", back[k], noise.tilt.rate,
			      mean_ns(&noise, 2000000), sqrt(var_ns2(&noise, 2000000, 0)));
		if (back[k] == 1) {
			assert_true(noise.tilt.rate == 0 && mean_ns(&noise, 2000000) == 0);
			continue;
		}
		assert_true(noise.tilt.rate > 0 && mean_ns(&noise, 2000000) < -0.2e6);
		if (back[k] < 0.1) {
			assert_true(fabs(mean_ns(&noise, 2000000) + 0.47e6) < 0.05e6);
			assert_true(var_ns2(&noise, 2000000, 0) < 0.1 * 1e12 / 12);
		}
	}
}

/* A line that is off, however far, says nothing about the queues. */
static void test_line_off_is_no_tilt(void **state)
{
	static const double off_ns[] = { 0, 2e5, -5e5, 3e6 };
	struct noise noise;
	struct rng r;
	size_t k;
	int i;

	(void)state;
	for (k = 0; k < 4; k++) {
		rng_init(&r, 21 + k);
		noise_flush(&noise);
		for (i = 0; i < 400; i++) {
			double a = exponential(&r) * 1e6, b = exponential(&r) * 1e6;
			int64_t delay_ns = 1000000 + (int64_t)(a + b);

			noise_add(&noise, delay_ns);
			noise_learn(&noise, delay_ns, off_ns[k] + (a - b) / 2, 1e8, 1000, 0);
			if (i > 100)
				assert_true(noise.tilt.rate == 0);
		}
	}
}

/* One packet in ten is held up: such a one lies near either end, and says so. */
static void test_slow_packets(void **state)
{
	struct noise noise;
	struct law l;
	struct rng r;
	int i;

	(void)state;
	rng_init(&r, 12);
	noise_flush(&noise);
	for (i = 0; i < 400; i++) {
		double a = exponential(&r) * 1e4, b = exponential(&r) * 1e4;

		if (rng_unit(&r) < 0.1)
			a += exponential(&r) * 1e6;
		if (rng_unit(&r) < 0.1)
			b += exponential(&r) * 1e6;
		noise_add(&noise, 1000000 + (int64_t)(a + b));
	}
	assert_true(noise.slow > 0.04 && noise.slow < 0.2);
	assert_true(noise.slow_ns > 0.5e6 && noise.slow_ns < 2e6);
	noise_law(&noise, 2000000, 1000, 0, &l);
	/* in the middle hardly, at the ends much, and of both alike */
	assert_int_equal(l.parts, 4);
	assert_true(l.part[1].weight > 0.4 && l.part[1].weight == l.part[2].weight);
	assert_true(fabs(l.part[1].mean_ns + 0.49e6) < 0.02e6 && fabs(l.mean_ns) < 1);
	noise_law(&noise, 1010000, 1000, 0, &l);
	assert_int_equal(l.parts, 2);
}

/* The floor of rounds past is kept, and left when a round does not come near it. */
static void test_floor_of_rounds(void **state)
{
	struct noise noise;
	struct rng r;
	int i;

	(void)state;
	rng_init(&r, 13);
	noise_flush(&noise);
	for (i = 0; i < 8 * NOISE_LEN; i++)
		noise_add(&noise, 1000000 + (int64_t)((exponential(&r) + exponential(&r)) * 1e4));
	assert_true(noise.blocks == 8 && noise.floor_ns < 1001500);
	/* two scales more: too little to be a change at once */
	for (i = 0; i < NOISE_LEN; i++)
		noise_add(&noise, 1020000 + (int64_t)((exponential(&r) + exponential(&r)) * 1e4));
	assert_true(noise.blocks == 1 && noise.floor_ns > 1020000);
}

/* The line stays, the delays do not: the route is longer one way, or both. */
static void follow_route(double out_ns, double back_ns, double *bias_ns)
{
	struct noise noise;
	struct rng r;
	int i;

	rng_init(&r, 14);
	noise_flush(&noise);
	for (i = 0; i < 80; i++) {
		double a = exponential(&r) * 1e5, b = exponential(&r) * 1e5;

		if (i >= 60) {
			a += out_ns;
			b += back_ns;
		}
		noise_add(&noise, 1000000 + (int64_t)(a + b));
		noise_follow(&noise, (a - b) / 2, 5e4);
	}
	*bias_ns = noise.bias_ns;
	/* and back */
	noise_add(&noise, 1010000);
	assert_true(fabs(noise.bias_ns) < 1e4);
}

static void test_route_one_way(void **state)
{
	double bias_ns;

	(void)state;
	follow_route(5e6, 0, &bias_ns);
	assert_true(fabs(bias_ns - 2.5e6) < 2e5);
	follow_route(0, 5e6, &bias_ns);
	assert_true(fabs(bias_ns + 2.5e6) < 2e5);
	follow_route(4e6, 1e6, &bias_ns);
	assert_true(fabs(bias_ns - 1.5e6) < 2e5);
	follow_route(2.5e6, 2.5e6, &bias_ns);
	assert_true(bias_ns == 0);
}

/* So late that neither queue explains it: anywhere in the excess, and no less. */
static void test_far_too_late(void **state)
{
	struct noise noise;
	int i;

	(void)state;
	noise_flush(&noise);
	for (i = 0; i < 64; i++)
		noise_add(&noise, 100000 + i % 8 * 500);
	for (int64_t late_ns = 1000000; late_ns < 3000000000; late_ns *= 3) {
		double uniform_ns = (double)late_ns / 2 / sqrt(3);

		assert_true(var_ns2(&noise, 100000 + late_ns, 0) >= uniform_ns * uniform_ns / 2);
	}
}

/* A server's clock in steps of 15 ms: anywhere in the step, a box. */
static void test_steps(void **state)
{
	struct noise noise;
	struct law l;
	int i;

	(void)state;
	noise_flush(&noise);
	for (i = 0; i < 40; i++)
		noise_add(&noise, 1000000 + i * 1000);
	noise_law(&noise, 1000000, 15001000, 15000000, &l);
	assert_int_equal(l.parts, 2);
	assert_true(fabs(l.part[0].half_ns - 7.5e6) < 1 && l.part[0].mean_ns == 0);
	assert_true(fabs(sqrt(l.var_ns2) - 15e6 / sqrt(12)) < 1e4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_variance_is_honest),
		cmocka_unit_test(test_floor),
		cmocka_unit_test(test_route_changes),
		cmocka_unit_test(test_spikes_are_no_route),
		cmocka_unit_test(test_tilt),
		cmocka_unit_test(test_line_off_is_no_tilt),
		cmocka_unit_test(test_slow_packets),
		cmocka_unit_test(test_far_too_late),
		cmocka_unit_test(test_route_one_way),
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_floor_of_rounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
