// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Steering: makestep's limits, when rate and slew are asked for again, who
 * stepped the clock.  And leap seconds: days, votes, shifts.
 */
#include <core/discipline.h>
#include <core/leap.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define S	NTP_NS_PER_S
#define MS	1000000LL
#define UTC0	(1800000000LL * S)

static struct action room[ENGINE_MAX_ACTIONS(1)];

static void test_makestep_policy(void **state)
{
	static const struct {
		int64_t threshold_ns;
		int limit;
		uint64_t updates;
		int64_t residual_ns;
		bool step;
	} t[] = {
		{ 100 * MS, 3, 1, 250 * MS, true },
		{ 100 * MS, 3, 1, -250 * MS, true },
		{ 100 * MS, 3, 3, 250 * MS, true },
		{ 100 * MS, 3, 4, 250 * MS, false },
		{ 100 * MS, 3, 1, 100 * MS, false },
		{ 100 * MS, 0, 1, 3600 * S, false },
		{ 100 * MS, -1, 1000000, 101 * MS, true },
		{ 0, -1, 1, S, false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct engine_config c = { .makestep_threshold_ns = t[i].threshold_ns,
					   .makestep_limit = t[i].limit };

		assert_int_equal(disc_may_step(&c, t[i].updates, t[i].residual_ns), t[i].step);
	}
}

static void test_asks_only_for_changes(void **state)
{
	struct clocks now = { 100 * S, UTC0, 100 * S, 1 };
	struct actions o = out_to(room, 1);
	struct disc d = { 0 };

	(void)state;
	disc_steer(&d, &now, 5 * MS, 40000, &o);
	assert_int_equal(o.len, 2);
	assert_int_equal(room[0].type, ACT_FREQ);
	assert_true(room[0].freq_ppb == 40000);
	assert_int_equal(room[1].type, ACT_PHASE);
	assert_int_equal(room[1].phase_ns, 5 * MS);
	/* 4 s later 2 ms are slewed away, as planned */
	now.local_ns += 4 * S;
	disc_steer(&d, &now, 3 * MS, 40000, &o);
	assert_int_equal(o.len, 2);
	disc_steer(&d, &now, 4 * MS, 40000, &o);
	assert_int_equal(o.len, 3);
	assert_int_equal(room[2].phase_ns, 4 * MS);
	now.local_ns += 100 * S;
	disc_steer(&d, &now, 0, 40000.01, &o);
	assert_int_equal(o.len, 3);
	disc_steer(&d, &now, 0, 40001, &o);
	assert_int_equal(o.len, 4);
	assert_int_equal(room[3].type, ACT_FREQ);
}

/* 10 ms at no more than 20 ppm on average: no more is asked for, and all of it in the end. */
static void test_max_slew(void **state)
{
	struct clocks now = { 100 * S, UTC0, 100 * S, 1 };
	struct disc d = { .max_slew_ppb = 20000 };
	int64_t left_ns = 10 * MS, asked_ns = 0;
	unsigned int i, n, slews = 0;

	(void)state;
	for (i = 0; i < 600; i++, now.local_ns += S) {
		struct actions o = out_to(room, 1);

		disc_steer(&d, &now, left_ns, 0, &o);
		for (n = 0; n < o.len; n++) {
			if (room[n].type != ACT_PHASE)
				continue;
			/* done within the second, as far as this test goes */
			left_ns -= room[n].phase_ns;
			asked_ns += room[n].phase_ns;
			slews++;
		}
		/* what is to come, and one piece in advance */
		assert_true(asked_ns <= 20000 * (int64_t)(i + 1) + MS);
	}
	assert_true(slews > 10);
	assert_in_range(left_ns + 100000, 0, 200000);
}

static void test_expected_is_no_step(void **state)
{
	struct clocks now = { 100 * S, UTC0, 100 * S, 0 };
	struct actions o = out_to(room, 1);
	struct disc d = { 0 };
	int64_t step_ns;

	(void)state;
	assert_int_equal(disc_observe(&d, &now, false, &step_ns), DISC_NONE);
	disc_steer(&d, &now, -2 * MS, 100000, &o);
	now.local_ns += 10 * S;
	now.real_ns += 10 * S + MS - 2 * MS;
	assert_int_equal(disc_observe(&d, &now, false, &step_ns), DISC_NONE);
	assert_in_range(step_ns + 10, 0, 20);
	/* 10 % of tick for 10 s, set by another: a rate, not a step */
	now.local_ns += 10 * S;
	now.real_ns += 11 * S;
	assert_int_equal(disc_observe(&d, &now, false, &step_ns), DISC_NONE);
	now.local_ns += S;
	now.real_ns += 2 * S;
	assert_int_equal(disc_observe(&d, &now, false, &step_ns), DISC_FOREIGN_STEP);
}

static void test_whose_step(void **state)
{
	struct clocks now = { 100 * S, UTC0, 100 * S, 1 };
	struct actions o = out_to(room, 1);
	struct disc d = { 0 };
	int64_t step_ns;

	(void)state;
	disc_observe(&d, &now, false, &step_ns);
	now.clock_seq = 2;
	now.real_ns += 20 * MS;
	assert_int_equal(disc_observe(&d, &now, false, &step_ns), DISC_FOREIGN_STEP);
	assert_int_equal(step_ns, 20 * MS);
	disc_step(&d, &now, -20 * MS, &o);
	assert_int_equal(o.len, 2);
	assert_int_equal(room[0].type, ACT_STEP);
	assert_int_equal(room[1].log.code, LOG_STEP);
	now.clock_seq = 3;
	now.real_ns -= 20 * MS;
	assert_int_equal(disc_observe(&d, &now, true, &step_ns), DISC_OWN_STEP);
	assert_int_equal(d.steps, 1);
	/* a step that was refused is not waited for */
	disc_step(&d, &now, S, &o);
	now.local_ns += 3 * S;
	now.real_ns += 3 * S;
	assert_int_equal(disc_observe(&d, &now, false, &step_ns), DISC_NONE);
	assert_false(d.stepping);
}

static void test_leap_days(void **state)
{
	static const struct {
		int64_t unix_s;
		int64_t end_s;
	} t[] = {
		{ 1483142400, 1483228800 },	/* 2016-12-31 00:00:00 */
		{ 1483228799, 1483228800 },
		{ 1483228800, 0 },
		{ 1483142399, 0 },
		{ 1435622400, 1435708800 },	/* 2015-06-30 */
		{ 1435622399, 0 },
		{ 1709251199, 0 },		/* 2024-02-29 */
		{ 4102444799, 4102444800 },	/* 2099-12-31 */
		{ -1, 0 },			/* 1969-12-31, ending at 0 */
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		assert_int_equal(leap_day_end_ns(t[i].unix_s * S),
				 t[i].end_s * S);
}

static void test_leap_votes_and_shift(void **state)
{
	const unsigned int none[3] = { 3, 0, 0 }, tie[3] = { 1, 1, 0 };
	const unsigned int insert[3] = { 1, 2, 0 }, delete[3] = { 0, 0, 1 };
	const int64_t end = 1483228800 * S;
	struct leap l = { 0 };

	(void)state;
	assert_false(leap_vote(&l, end - 86401 * S, insert));
	assert_false(leap_vote(&l, end - 5 * S, tie));
	assert_true(leap_vote(&l, end - 5 * S, insert));
	assert_int_equal(l.armed, NTP_LEAP_INSERT);
	assert_int_equal(leap_due_ns(&l, end - 1), 0);
	assert_int_equal(leap_due_ns(&l, end), -S);
	assert_int_equal(l.armed, NTP_LEAP_NONE);
	/* the day's end comes again, the leap does not */
	assert_false(leap_vote(&l, end - S, insert));
	assert_int_equal(leap_due_ns(&l, end), 0);

	memset(&l, 0, sizeof(l));
	assert_true(leap_vote(&l, end - 60 * S, delete));
	assert_int_equal(leap_due_ns(&l, end - S - 1), 0);
	assert_int_equal(leap_due_ns(&l, end - S), S);

	memset(&l, 0, sizeof(l));
	assert_true(leap_vote(&l, end - 60 * S, insert));
	assert_true(leap_vote(&l, end - 50 * S, none));
	assert_int_equal(leap_due_ns(&l, end), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_makestep_policy),
		cmocka_unit_test(test_asks_only_for_changes),
		cmocka_unit_test(test_max_slew),
		cmocka_unit_test(test_expected_is_no_step),
		cmocka_unit_test(test_whose_step),
		cmocka_unit_test(test_leap_days),
		cmocka_unit_test(test_leap_votes_and_shift),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
