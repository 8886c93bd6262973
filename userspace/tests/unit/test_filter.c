// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The clock filter: choice of the best sample, ageing, the ring, variances.
 */
#include <core/filter.h>
#include <core/rng.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#define S	NTP_NS_PER_S
#define UTC0	(1800000000LL * S)

static struct estimate a_line(void)
{
	struct estimate e;

	est_init(&e, 0, 100000);
	est_start(&e, 0, UTC0);
	return e;
}

static struct filter_sample at(int64_t local_ns, int64_t offset_ns, int64_t delay_ns)
{
	return (struct filter_sample){ local_ns, UTC0 + local_ns + offset_ns, delay_ns, 100, 0 };
}

static void add(struct filter *f, int64_t local_ns, int64_t offset_ns, int64_t delay_ns)
{
	struct filter_sample s = at(local_ns, offset_ns, delay_ns);

	filter_add(f, &s);
}

static void test_empty(void **state)
{
	struct filter f = { 0 };
	struct estimate line = a_line();
	struct filter_peer p = { .samples = 7 };

	(void)state;
	filter_eval(&f, &line, S, 15000, &p);
	assert_int_equal(p.samples, 0);
}

static void test_least_delay_wins(void **state)
{
	struct filter f = { 0 };
	struct estimate line = a_line();
	struct filter_peer p;

	(void)state;
	add(&f, 1 * S, 5000, 400000);
	add(&f, 2 * S, 1000, 300000);
	add(&f, 3 * S, 9000, 900000);
	filter_eval(&f, &line, 3 * S, 15000, &p);
	assert_int_equal(p.samples, 3);
	assert_int_equal(p.offset_ns, 1000);
	assert_int_equal(p.delay_ns, 300000);
	assert_in_range(p.disp_ns, 100 + 15000, 101 + 15000);
	/* sqrt((4000^2 + 8000^2) / 2) */
	assert_int_equal(p.jitter_ns, 6325);
}

/* Drift is common to all sources while our frequency is wrong: it is no jitter. */
static void test_trend_is_no_jitter(void **state)
{
	struct filter f = { 0 };
	struct estimate line = a_line();
	struct filter_peer p;
	int i;

	(void)state;
	for (i = 0; i < 8; i++)
		add(&f, i * 16 * S, i * 800000 + (i % 2 ? 1000 : -1000), 300000);
	filter_eval(&f, &line, 128 * S, 15000, &p);
	assert_in_range(p.jitter_ns, 900, 1300);
}

static void test_age_beats_delay(void **state)
{
	struct filter f = { 0 };
	struct estimate line = a_line();
	struct filter_peer p;

	(void)state;
	add(&f, 0, 1000, 300000);
	add(&f, 1000 * S, 2000, 310000);
	/* 1000 s at 15 ppm are 15 ms, the delays differ by 5 us */
	filter_eval(&f, &line, 1000 * S, 15000, &p);
	assert_int_equal(p.offset_ns, 2000);
	/* at 1 ppb they are 1 us */
	filter_eval(&f, &line, 1000 * S, 1, &p);
	assert_int_equal(p.offset_ns, 1000);
}

static void test_dispersion_grows(void **state)
{
	struct filter f = { 0 };
	struct estimate line = a_line();
	struct filter_peer p;
	int64_t last_ns = 0, t_s;

	(void)state;
	add(&f, 0, 0, 300000);
	for (t_s = 1; t_s < 100000; t_s *= 3) {
		filter_eval(&f, &line, t_s * S, 15000, &p);
		assert_true(p.disp_ns > last_ns);
		assert_in_range(p.disp_ns, 100 + t_s * 15000, 101 + t_s * 15000);
		last_ns = p.disp_ns;
	}
}

static void test_ring_forgets(void **state)
{
	struct filter f = { 0 };
	struct estimate line = a_line();
	struct filter_peer p;
	int i;

	(void)state;
	add(&f, 0, 77, 1);
	for (i = 1; i <= FILTER_STAGES; i++) {
		filter_eval(&f, &line, i, 1, &p);
		assert_int_equal(p.offset_ns, 77);
		add(&f, i, 55, 1000);
	}
	filter_eval(&f, &line, i, 1, &p);
	assert_int_equal(p.offset_ns, 55);
	assert_int_equal(p.samples, FILTER_STAGES);
	filter_flush(&f);
	filter_eval(&f, &line, i, 1, &p);
	assert_int_equal(p.samples, 0);
}

static void test_follows_line_and_shift(void **state)
{
	struct filter f = { 0 };
	struct estimate line = a_line();
	struct filter_peer p;

	(void)state;
	add(&f, 5 * S, 1000, 1000);
	est_shift(&line, 400);
	filter_eval(&f, &line, 5 * S, 1, &p);
	assert_int_equal(p.offset_ns, 600);
	filter_shift(&f, -S);
	est_shift(&line, -S);
	filter_eval(&f, &line, 5 * S, 1, &p);
	assert_int_equal(p.offset_ns, 600);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_least_delay_wins),
		cmocka_unit_test(test_trend_is_no_jitter),
		cmocka_unit_test(test_age_beats_delay),
		cmocka_unit_test(test_dispersion_grows),
		cmocka_unit_test(test_ring_forgets),
		cmocka_unit_test(test_follows_line_and_shift),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
