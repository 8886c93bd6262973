// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What T3 is moved on by: never before half a window is full, late in no more replies
 * than it says, at once where the way becomes shorter, and no further than it may.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <ntpk/ntp_latency.h>
#include <ntpk/ntp_math.h>

static void add(struct ntp_latency *l, uint32_t ns, unsigned int n)
{
	while (n--)
		ntp_latency_add(l, ns);
}

static void test_unknown(void **state)
{
	struct ntp_latency l = { 0 };

	(void)state;
	add(&l, 900, NTP_LATENCY_HALF - 1);
	assert_false(ntp_latency_known(&l));
	assert_int_equal(ntp_latency_correction_ns(&l), 0);
	assert_int_equal(ntp_latency_residual_ns(&l), 0);
	add(&l, 900, 1);
	assert_true(ntp_latency_known(&l));
	assert_int_equal(ntp_latency_correction_ns(&l), 900);
	assert_int_equal(ntp_latency_residual_ns(&l), 0);
}

static void test_window(void **state)
{
	struct ntp_latency l = { 0 };

	(void)state;
	add(&l, 900, NTP_LATENCY_HALF);
	add(&l, 700, 1);
	assert_int_equal(ntp_latency_correction_ns(&l), 700);
	/* remembered for at least half a window and at most a whole one */
	add(&l, 1000, NTP_LATENCY_HALF - 1);
	assert_int_equal(ntp_latency_correction_ns(&l), 700);
	add(&l, 1000, NTP_LATENCY_HALF - 1);
	assert_int_equal(ntp_latency_correction_ns(&l), 700);
	add(&l, 1000, 1);
	assert_int_equal(ntp_latency_correction_ns(&l), 1000);
}

static void test_residual(void **state)
{
	struct ntp_latency l = { 0 };
	unsigned int i;

	(void)state;
	for (i = 0; i < NTP_LATENCY_HALF; i++)
		add(&l, i % 2 ? 1000 : 2000, 1);
	assert_int_equal(ntp_latency_residual_ns(&l), 500);
	add(&l, 4000, NTP_LATENCY_HALF / 2);
	assert_int_equal(ntp_latency_residual_ns(&l), (128 * 1500 + 64 * 4000) / 192 - 1000);
}

/* A queue's wait is left over, however long, and overflows nothing. */
static void test_bounds(void **state)
{
	struct ntp_latency l = { 0 };

	(void)state;
	add(&l, UINT32_MAX, 2 * NTP_LATENCY_HALF - 1);
	assert_int_equal(ntp_latency_correction_ns(&l), NTP_LATENCY_CORRECTION_MAX_NS);
	assert_int_equal(ntp_latency_residual_ns(&l),
			 NTP_LATENCY_MAX_NS - NTP_LATENCY_CORRECTION_MAX_NS);
}

/* Of independent ones with no floor to speak of, the worst there is: at most 1 in 129. */
static void test_late(void **state)
{
	struct ntp_latency l = { 0 };
	unsigned int i, late = 0, n = 200000;
	uint32_t ns, correction;
	__u64 seed = 5;

	(void)state;
	for (i = 0; i < n; i++) {
		ns = (uint32_t)(-log(((double)ntp_noise(&seed) + 1) / 0x1p64) * 10000) + 1;
		correction = ntp_latency_correction_ns(&l);
		late += ns < correction;
		ntp_latency_add(&l, ns);
	}
	print_message("# %u of %u late\n", late, n);
	assert_in_range(late, n / 300, n / 129);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_residual),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_late),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
