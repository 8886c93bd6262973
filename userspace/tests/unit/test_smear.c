// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Leap smears: smeared time against the formulas of time that has truly passed,
 * through the leap of the line, wherever it comes.  Pure, one thread.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <math.h>
#include <cmocka.h>

#include <ntpk/ntp_wire.h>
#include "core/leap.h"
#include "core/smear.h"

#define S	NTP_NS_PER_S
#define END	(1483228800LL * S)	/* 2017-01-01 00:00:00 */
#define STEP_NS	(7 * S + 12345677)
#define MAX_ERROR_NS	2.0L

struct leap_case {
	uint8_t	 leap;
	int64_t	 at_ns;
	int64_t	 shift_ns;
};

static const struct leap_case cases[] = {
	{ NTP_LEAP_INSERT, END, -S }, { NTP_LEAP_DELETE, END - S, S },
};

/* What is added to the line as if it never leapt; e: seconds that have passed since noon, or the leap. */
static long double formula(enum smear_kind kind, int64_t shift_ns, int64_t from_at_ns, int64_t at_ns)
{
	long double e, span;

	if (kind == SMEAR_LINEAR) {
		e = (long double)(from_at_ns + at_ns - (END - 43200 * S));
		span = (long double)(86400 * S - shift_ns);
		return (long double)shift_ns * fminl(fmaxl(e / span, 0), 1);
	}
	e = (long double)from_at_ns / 1e9L;
	span = 2 * sqrtl(1e9L);
	if (e < 0)
		return 0;
	if (e >= span)
		return (long double)shift_ns;
	return (long double)shift_ns *
	       (e < span / 2 ? 0.5e-9L * e * e : 1 - 0.5e-9L * (span - e) * (span - e));
}

static int64_t smeared(enum smear_kind kind, const struct leap_case *k, int64_t from_at_ns, bool after)
{
	int64_t line_ns = k->at_ns + from_at_ns + (after ? k->shift_ns : 0);
	struct ntp_correction c;
	__s64 got;

	smear_pieces(kind, k->leap, k->at_ns, after, &c);
	assert_null(ntp_correction_check(&c));
	assert_true(ntp_correction_at(&c, line_ns, &got));
	return line_ns + got;
}

static void test_formula(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++)
		for (enum smear_kind kind = SMEAR_LINEAR; kind <= SMEAR_QUADRATIC; kind++)
			for (int64_t t = -90000 * S; t < 90000 * S; t += STEP_NS) {
				int64_t at_ns = cases[i].at_ns;
				long double want = (long double)t +
						   formula(kind, cases[i].shift_ns, t, at_ns);
				int64_t early = smeared(kind, &cases[i], t, false);

				assert_true(fabsl((long double)(early - at_ns) - want) < MAX_ERROR_NS);
				/* the line may have leapt by now, a little late or not yet */
				assert_int_equal(smeared(kind, &cases[i], t, true), early);
			}
}

/* A day later the smeared clock says what the others say. */
static void test_end(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++)
		for (enum smear_kind kind = SMEAR_LINEAR; kind <= SMEAR_QUADRATIC; kind++)
			assert_int_equal(smeared(kind, &cases[i], 86400 * S, true),
					 cases[i].at_ns + 86400 * S + cases[i].shift_ns);
}

static void test_nothing(void **state)
{
	struct ntp_correction c = { .len = 3 };

	(void)state;
	smear_pieces(SMEAR_NONE, NTP_LEAP_INSERT, END, false, &c);
	assert_int_equal(c.len, 0);
	c.len = 3;
	smear_pieces(SMEAR_LINEAR, NTP_LEAP_NONE, END, true, &c);
	assert_int_equal(c.len, 0);
	c.len = 3;
	smear_pieces(SMEAR_QUADRATIC, NTP_LEAP_UNSYNC, END, true, &c);
	assert_int_equal(c.len, 0);
}

/* Which leap a smear is of: the one that is coming, then the one that came. */
static void test_which(void **state)
{
	struct leap l = { 0 };
	int64_t at_ns = 0;
	bool after = false;

	(void)state;
	assert_int_equal(leap_near(&l, END, &at_ns, &after), NTP_LEAP_NONE);
	leap_list(&l, NTP_LEAP_INSERT, END);
	leap_listed(&l, END - 86400 * S);
	assert_int_equal(leap_near(&l, END - 86400 * S, &at_ns, &after), NTP_LEAP_INSERT);
	assert_int_equal(at_ns, END);
	assert_false(after);
	assert_int_equal(leap_due_ns(&l, END + 5000), -S);
	assert_int_equal(leap_near(&l, END - S + 5000, &at_ns, &after), NTP_LEAP_INSERT);
	assert_int_equal(at_ns, END);
	assert_true(after);
	/* the list goes on to the next one */
	leap_list(&l, NTP_LEAP_INSERT, END + 86400 * 365 * S);
	leap_listed(&l, END + 3600 * S);
	assert_int_equal(leap_near(&l, END + 43200 * S, &at_ns, &after), NTP_LEAP_INSERT);
	assert_int_equal(leap_near(&l, END + 3 * 86400 * S, &at_ns, &after), NTP_LEAP_NONE);
	/* a clock that was wrong has taken for past what is to come */
	assert_int_equal(leap_near(&l, END - 3 * S, &at_ns, &after), NTP_LEAP_NONE);
	assert_int_equal(leap_near(&l, END - 50 * 86400 * S, &at_ns, &after), NTP_LEAP_NONE);
}

/* A daemon that starts in the middle of a smear has it from the list. */
static void test_past(void **state)
{
	struct leap l = { 0 };
	int64_t at_ns = 0;
	bool after = false;

	(void)state;
	leap_past(&l, NTP_LEAP_DELETE, END);
	assert_int_equal(leap_near(&l, END + 3600 * S, &at_ns, &after), NTP_LEAP_DELETE);
	assert_int_equal(at_ns, END - S);
	assert_true(after);
	/* what it has lived through it knows better */
	leap_list(&l, NTP_LEAP_INSERT, END + 86400 * 181 * S);
	leap_listed(&l, END + 86400 * 181 * S - S);
	assert_int_equal(leap_due_ns(&l, END + 86400 * 181 * S), -S);
	leap_past(&l, NTP_LEAP_DELETE, END);
	assert_int_equal(leap_near(&l, END + 86400 * 181 * S, &at_ns, &after), NTP_LEAP_INSERT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_formula),
		cmocka_unit_test(test_end),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_which),
		cmocka_unit_test(test_past),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
