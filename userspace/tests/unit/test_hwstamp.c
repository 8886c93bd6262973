// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Stamps of a device's clock on CLOCK_MONOTONIC_RAW: right for clocks of any epoch and
 * rate, within the error that is said; and which of them may be T2, or a departure.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <ntpk/ntp_math.h>
#include <ntpk/ntp_phc.h>
#include <ntpk/ntp_reply.h>

#define S	1000000000LL
#define MS	1000000LL

/* Fast by 100 ppm, on TAI. */
static const struct ntp_phc good = {
	.phc_ns = 1790000037 * S + 5,
	.raw_ns = 5000 * S,
	.rate_q48 = -28144683203LL,	/* 1/1.0001 - 1 */
	.valid_until_ns = 5010 * S,
	.err_ns = 100,
	.skew_ppb = 1000,
};

/* What such a clock shows at a raw instant. */
static int64_t shows(int64_t raw_ns)
{
	int64_t d = raw_ns - good.raw_ns;

	return good.phc_ns + d + d / 10000;
}

static void test_map(void **state)
{
	static const int64_t ds[] = { 0, 1, -1, 12345678, -12345678, 10 * S, -10 * S, 63 * S, -63 * S };
	__s64 raw_ns;
	__u32 err_ns;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(ds) / sizeof(ds[0]); i++) {
		int64_t want = good.raw_ns + ds[i];

		assert_true(ntp_phc_to_raw(&good, shows(want), &raw_ns, &err_ns));
		assert_in_range(raw_ns, want - 2, want + 2);
		/* 1 ppm, rounded up */
		assert_int_equal(err_ns, 100 + ceil(fabs((double)(shows(want) - good.phc_ns)) / 1e6));
	}
}

/* Whatever the clock shows and the map says, nothing overflows and the error fits. */
static void test_extremes(void **state)
{
	static const int64_t ends[] = { INT64_MIN, INT64_MIN + 1, -S, 0, S, INT64_MAX - 1, INT64_MAX };
	struct ntp_phc map = good;
	__s64 raw_ns;
	__u32 err_ns;
	size_t i, j;

	(void)state;
	map.err_ns = NTPK_PHC_ERR_MAX_NS;
	map.skew_ppb = NTPK_PHC_SKEW_PPB_MAX;
	for (i = 0; i < 7; i++) {
		map.phc_ns = ends[i];
		map.rate_q48 = i % 2 ? NTPK_RATE_Q48_MAX : NTPK_RATE_Q48_MIN;
		for (j = 0; j < 7; j++) {
			bool near = fabs((double)ends[i] - (double)ends[j]) < 64e9;

			assert_int_equal(ntp_phc_to_raw(&map, ends[j], &raw_ns, &err_ns), near);
		}
	}
	map.phc_ns = 0;
	map.rate_q48 = NTPK_RATE_Q48_MAX;
	assert_true(ntp_phc_to_raw(&map, NTPK_PHC_SPAN_MAX_NS, &raw_ns, &err_ns));
	assert_int_equal(raw_ns, map.raw_ns + NTPK_PHC_SPAN_MAX_NS + 640 * MS - 1);
	assert_int_equal(err_ns, 10 * MS + 640 * MS);
	assert_false(ntp_phc_to_raw(&map, NTPK_PHC_SPAN_MAX_NS + 1, &raw_ns, &err_ns));
	assert_false(ntp_phc_to_raw(&map, -NTPK_PHC_SPAN_MAX_NS - 1, &raw_ns, &err_ns));
	assert_true(ntp_phc_to_raw(&map, -NTPK_PHC_SPAN_MAX_NS, &raw_ns, &err_ns));
	assert_int_equal(err_ns, 10 * MS + 640 * MS);
}

/* A request that the device stamped so long before now, and the kernel so long. */
static enum ntpk_t2 judge(int64_t hard_age_ns, int64_t soft_age_ns, struct ntp_phc_stamp *stamp)
{
	int64_t now_ns = good.raw_ns + S;

	memset(stamp, 0xff, sizeof(*stamp));
	return ntp_phc_judge(&good, shows(now_ns - hard_age_ns), now_ns, soft_age_ns, stamp);
}

/* The error is 100 ns and 1 ppm of a second: 1.1 us; and an eighth of the kernel's age. */
static void test_judge(void **state)
{
	static const struct {
		int64_t hard_age_ns, soft_age_ns;
		enum ntpk_t2 want;
		int64_t age_ns;
		int64_t more_ns;
	} rows[] = {
		{ 50000, 8000, NTPK_T2_HARDWARE, 50000, 0 },
		{ 8000, 8000, NTPK_T2_HARDWARE, 8000, 0 },
		/* later, but within the error: never later than the kernel's */
		{ 6910, 8000, NTPK_T2_HARDWARE, 8000, 0 },
		/* by more than that: one of the two is wrong by so much */
		{ 6800, 8000, NTPK_T2_HARDWARE, 8000, 1200 },
		{ 5903, 8000, NTPK_T2_HARDWARE, 8000, 2097 },
		{ 5890, 8000, NTPK_T2_HW_FUTURE, 0, 0 },
		{ -1000, 8000, NTPK_T2_HW_FUTURE, 0, 0 },
		{ -63 * S, 8000, NTPK_T2_HW_FUTURE, 0, 0 },
		/* 10 ms before the kernel's */
		{ 10 * MS + 7995, 8000, NTPK_T2_HARDWARE, 10 * MS + 7995, 0 },
		{ 10 * MS + 8005, 8000, NTPK_T2_HW_FAR, 0, 0 },
		{ 62 * S, 8000, NTPK_T2_HW_FAR, 0, 0 },
		/* another clock altogether */
		{ -1000000000 * S, 8000, NTPK_T2_HW_FUTURE, 0, 0 },
		{ 1000000000 * S, 8000, NTPK_T2_HW_FAR, 0, 0 },
		/* the kernel has none: it is here now */
		{ 20000, 0, NTPK_T2_HARDWARE, 20000, 0 },
		{ -1000, 0, NTPK_T2_HARDWARE, 0, 0 },
		{ -1200, 0, NTPK_T2_HW_FUTURE, 0, 0 },
	};
	struct ntp_phc_stamp stamp;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(judge(rows[i].hard_age_ns, rows[i].soft_age_ns, &stamp), rows[i].want);
		if (rows[i].want != NTPK_T2_HARDWARE)
			continue;
		assert_true(llabs(stamp.age_ns - rows[i].age_ns) <= 2);
		assert_in_range(stamp.err_ns - rows[i].more_ns, 1087, 1104);
		assert_true(stamp.age_ns >= rows[i].soft_age_ns);
	}
}

/* A request is there when its frame has ended. */
static void test_rx_later(void **state)
{
	struct ntp_phc later = good;
	struct ntp_phc_stamp stamp;
	int64_t now_ns = good.raw_ns + S;

	(void)state;
	later.rx_later_ns = 7520;
	assert_int_equal(ntp_phc_judge(&later, shows(now_ns - 50000), now_ns, 8000, &stamp),
			 NTPK_T2_HARDWARE);
	assert_in_range(stamp.age_ns, 50000 - 7520 - 2, 50000 - 7520 + 2);
	assert_int_equal(ntp_phc_judge(&later, shows(now_ns - 11000), now_ns, 8000, &stamp),
			 NTPK_T2_HW_FUTURE);
}

/* A reply that the device had a second after the reference, stamped so long after that, reported in between. */
static void test_judge_left(void **state)
{
	static const struct {
		int64_t left_ns, reported_ns;
		enum ntpk_t3 want;
		int64_t at_ns;
	} rows[] = {
		{ 3000, 50000, NTPK_T3_HARDWARE, 3000 },
		{ 0, 50000, NTPK_T3_HARDWARE, 0 },
		/* earlier, but within the error of 1.1 us: not before it had it */
		{ -1090, 50000, NTPK_T3_HARDWARE, 0 },
		{ -1110, 50000, NTPK_T3_HW_EARLY, 0 },
		{ -5 * MS, 50000, NTPK_T3_HW_EARLY, 0 },
		/* later than it is reported, but within the error: no later than that */
		{ 51080, 50000, NTPK_T3_HARDWARE, 50000 },
		{ 51120, 50000, NTPK_T3_HW_FUTURE, 0 },
		{ 5 * S, 50000, NTPK_T3_HW_FUTURE, 0 },
		{ 10 * MS - 5, 20 * MS, NTPK_T3_HARDWARE, 10 * MS - 5 },
		{ 10 * MS + 5, 20 * MS, NTPK_T3_HW_FAR, 0 },
		/* the map has run out meanwhile */
		{ 3000, 9 * S, NTPK_T3_HARDWARE, 3000 },
		{ 3000, 9 * S + 1, NTPK_T3_HW_STALE, 0 },
		/* another clock altogether */
		{ 1000000000 * S, 50000, NTPK_T3_HW_FUTURE, 0 },
		{ -1000000000 * S, 50000, NTPK_T3_HW_EARLY, 0 },
	};
	int64_t had_ns = good.raw_ns + S;
	struct ntp_phc_left left;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(ntp_phc_judge_left(&good, shows(had_ns + rows[i].left_ns), had_ns,
						    had_ns + rows[i].reported_ns, &left),
				 rows[i].want);
		if (rows[i].want != NTPK_T3_HARDWARE)
			continue;
		assert_true(left.raw_ns >= had_ns && left.raw_ns <= had_ns + rows[i].reported_ns);
		assert_true(llabs(left.raw_ns - had_ns - rows[i].at_ns) <= 2);
		assert_in_range(left.err_ns, 1100, 1200);
	}
}

static void test_missing_and_stale(void **state)
{
	struct ntp_phc_stamp stamp;
	int64_t stamped_ns = shows(good.valid_until_ns - 50000);

	(void)state;
	assert_int_equal(ntp_phc_judge(&good, 0, good.raw_ns + S, 8000, &stamp), NTPK_T2_HW_MISSING);
	assert_int_equal(ntp_phc_judge(&good, stamped_ns, good.valid_until_ns, 8000, &stamp),
			 NTPK_T2_HARDWARE);
	assert_int_equal(ntp_phc_judge(&good, stamped_ns, good.valid_until_ns + 1, 8000, &stamp),
			 NTPK_T2_HW_STALE);
	/* which it would be, too */
	assert_int_equal(ntp_phc_judge(&good, 0, good.valid_until_ns + 1, 8000, &stamp),
			 NTPK_T2_HW_MISSING);
}

static void test_check(void **state)
{
	static const struct {
		struct ntp_phc map;
		const char *word;
	} bad[] = {
		{ { .raw_ns = -1, .valid_until_ns = 10 * S }, "RAW_NS must not" },
		{ { .raw_ns = 102 * S, .valid_until_ns = 110 * S }, "RAW_NS must not" },
		{ { .raw_ns = 36 * S, .valid_until_ns = 101 * S }, "RAW_NS must be" },
		{ { .raw_ns = 99 * S, .valid_until_ns = 101 * S,
		    .rate_q48 = NTPK_RATE_Q48_MAX + 1 }, "RATE" },
		{ { .raw_ns = 99 * S, .valid_until_ns = 101 * S,
		    .rate_q48 = NTPK_RATE_Q48_MIN - 1 }, "RATE" },
		{ { .raw_ns = 99 * S, .valid_until_ns = 101 * S,
		    .err_ns = NTPK_PHC_ERR_MAX_NS + 1 }, "ERR_NS" },
		{ { .raw_ns = 99 * S, .valid_until_ns = 101 * S,
		    .skew_ppb = NTPK_PHC_SKEW_PPB_MAX + 1 }, "SKEW_PPB" },
		{ { .raw_ns = 99 * S, .valid_until_ns = 101 * S, .rx_later_ns = -2 }, "RX_LATER_NS" },
		{ { .raw_ns = 99 * S, .valid_until_ns = 101 * S,
		    .rx_later_ns = NTPK_PHC_RX_LATER_MAX_NS + 1 }, "RX_LATER_NS" },
		{ { .raw_ns = 99 * S, .valid_until_ns = 100 * S }, "VALID_UNTIL_NS has" },
		{ { .raw_ns = 99 * S, .valid_until_ns = INT64_MIN }, "VALID_UNTIL_NS has" },
		{ { .raw_ns = 99 * S, .valid_until_ns = INT64_MAX }, "VALID_UNTIL_NS must" },
		{ { .raw_ns = 99 * S, .valid_until_ns = 163 * S }, "VALID_UNTIL_NS must" },
	};
	struct ntp_phc map = { .phc_ns = INT64_MIN, .raw_ns = 99 * S, .valid_until_ns = 163 * S - 1,
			       .rate_q48 = NTPK_RATE_Q48_MAX, .err_ns = NTPK_PHC_ERR_MAX_NS,
			       .skew_ppb = NTPK_PHC_SKEW_PPB_MAX };
	const char *text;
	size_t i;

	(void)state;
	assert_null(ntp_phc_check(&good, good.raw_ns));
	assert_null(ntp_phc_check(&map, 100 * S));
	map.raw_ns = 101 * S;
	assert_null(ntp_phc_check(&map, 100 * S));
	map.rx_later_ns = NTPK_PHC_NO_RX;
	assert_null(ntp_phc_check(&map, 100 * S));
	map.rx_later_ns = NTPK_PHC_RX_LATER_MAX_NS;
	map.raw_ns = 36 * S + 1;
	map.valid_until_ns = 100 * S;
	assert_null(ntp_phc_check(&map, 100 * S - 1));
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		text = ntp_phc_check(&bad[i].map, 100 * S);
		assert_non_null(text);
		assert_ptr_equal(strstr(text, bad[i].word), text);
	}
}

/* Any stamp at all: what is taken is plausible. */
static void test_any(void **state)
{
	__u64 random = 1;
	unsigned int i, taken = 0;

	(void)state;
	for (i = 0; i < 1000000; i++) {
		int64_t soft_ns = (int64_t)(ntp_noise(&random) >> 35);
		/* of all sizes */
		int64_t off_ns = (int64_t)ntp_noise(&random) >> (ntp_noise(&random) & 63);
		int64_t now_ns = good.raw_ns + S, phc_ns;
		struct ntp_phc_stamp stamp;
		__s64 raw_ns;
		__u32 err_ns;

		if (__builtin_add_overflow(shows(now_ns), off_ns, &phc_ns))
			continue;
		if (ntp_phc_judge(&good, phc_ns, now_ns, soft_ns, &stamp) != NTPK_T2_HARDWARE)
			continue;
		taken++;
		assert_true(stamp.age_ns >= soft_ns && stamp.age_ns <= soft_ns + NTP_PHC_FAR_NS);
		/* the stamp is within it, whichever of the two T2 is */
		assert_true(ntp_phc_to_raw(&good, phc_ns, &raw_ns, &err_ns));
		assert_true(llabs(raw_ns - (now_ns - stamp.age_ns)) <= stamp.err_ns);
		assert_true(stamp.err_ns < 1200 + NTP_PHC_FAR_NS);
	}
	assert_true(taken > 1000);
}

static void test_names(void **state)
{
	unsigned int i, j;

	(void)state;
	for (i = 0; i < __NTPK_T2_MAX; i++) {
		assert_true(ntp_t2_name(i)[0] && ntp_t2_text(i)[0]);
		for (j = 0; j < i; j++)
			assert_string_not_equal(ntp_t2_name(i), ntp_t2_name(j));
	}
	assert_string_equal(ntp_t2_name(NTPK_T2_HW_FAR), "hw_far");
	assert_string_equal(ntp_t2_name(__NTPK_T2_MAX), "unknown");
	assert_string_equal(ntp_t2_text(__NTPK_T2_MAX), "");
	for (i = 0; i < __NTPK_T3_MAX; i++) {
		assert_true(ntp_t3_name(i)[0] && ntp_t3_text(i)[0]);
		for (j = 0; j < i; j++)
			assert_string_not_equal(ntp_t3_name(i), ntp_t3_name(j));
	}
	assert_string_equal(ntp_t3_name(NTPK_T3_HW_EARLY), "hw_early");
	assert_string_equal(ntp_t3_name(__NTPK_T3_MAX), "unknown");
	assert_string_equal(ntp_t3_text(__NTPK_T3_MAX), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_map),
		cmocka_unit_test(test_extremes),
		cmocka_unit_test(test_judge),
		cmocka_unit_test(test_rx_later),
		cmocka_unit_test(test_judge_left),
		cmocka_unit_test(test_missing_and_stale),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_any),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
