// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a listener adds to served time: the parabolas against the same in long
 * double, what is refused, and what a reply makes of it.  Pure, one thread; the
 * generator's seed is fixed, so a failure repeats.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <math.h>
#include <string.h>
#include <cmocka.h>

#include <ntpk/ntp_correction.h>
#include <ntpk/ntp_math.h>
#include <ntpk/ntp_reply.h>
#include "bench.h"

#define S	NTP_NS_PER_S
#define T0	(1800000000LL * S)
#define ROUNDS	200000
#define MAX_ERROR_NS	2.0L

static __u64 rng_state = 4711;

static int64_t rng(int64_t below)
{
	return (int64_t)(ntp_noise(&rng_state) % (uint64_t)below);
}

static long double exact(const struct ntp_piece *p, int64_t t)
{
	long double d = (long double)(t - p->from_unix_ns);

	return (long double)p->offset_ns + d * (long double)p->rate_q48 / 0x1p48L +
	       d * d * (long double)p->curve_q112 / 0x1p112L;
}

/* All that may come in, over a day: an error of no more than what is cut off. */
static void test_formula(void **state)
{
	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		struct ntp_correction c = { .len = 1, .piece[0] = {
			.from_unix_ns = T0 + rng(S), .offset_ns = rng(4 * S) - 2 * S,
			.rate_q48 = rng(2 * NTPK_RATE_Q48_MAX) - NTPK_RATE_Q48_MAX,
			.curve_q112 = rng(INT64_MAX / 4) - INT64_MAX / 8,
		} };
		int64_t t = c.piece[0].from_unix_ns + rng(86400 * S);
		__s64 got;

		assert_true(ntp_correction_at(&c, t, &got));
		assert_true(fabsl((long double)got - exact(&c.piece[0], t)) < MAX_ERROR_NS);
	}
}

static const struct ntp_correction three = { .len = 3, .piece = {
	{ T0, 0, -3000000000LL, 0 },
	{ T0 + 100 * S, -1065814, 0, 1000000000LL },
	{ T0 + 200 * S, 777, 0, 0 },
} };

static void test_pieces(void **state)
{
	__s64 got;

	(void)state;
	assert_true(ntp_correction_at(&three, T0 - 1, &got));
	assert_int_equal(got, 0);
	assert_true(ntp_correction_at(&three, T0 + 50 * S, &got));
	assert_true(fabsl((long double)got - exact(&three.piece[0], T0 + 50 * S)) < MAX_ERROR_NS);
	assert_true(ntp_correction_at(&three, T0 + 100 * S, &got));
	assert_int_equal(got, -1065814);
	assert_true(ntp_correction_at(&three, T0 + 150 * S, &got));
	assert_true(fabsl((long double)got - exact(&three.piece[1], T0 + 150 * S)) < MAX_ERROR_NS);
	assert_true(ntp_correction_at(&three, T0 + 86400 * S, &got));
	assert_int_equal(got, 777);
	assert_true(ntp_correction_at(&(struct ntp_correction){ .len = 0 }, T0, &got));
	assert_int_equal(got, 0);
}

static void refused(struct ntp_correction c, const char *word)
{
	const char *text = ntp_correction_check(&c);

	assert_non_null(text);
	if (!strstr(text, word))
		fail_msg("\"%s\" does not say \"%s\"", text, word);
}

static void test_check(void **state)
{
	struct ntp_correction c = three;

	(void)state;
	assert_null(ntp_correction_check(&c));
	c.len = NTPK_PIECES_MAX + 1;
	refused(c, "PIECE");
	c = three;
	c.piece[0].from_unix_ns = -1;
	refused(c, "FROM_UNIX_NS");
	c = three;
	c.piece[1].offset_ns = NTP_SPAN_MAX_NS + 1;
	refused(c, "OFFSET_NS");
	c = three;
	c.piece[1].from_unix_ns = T0;
	refused(c, "later");
	c = three;
	c.piece[0].rate_q48 = NTPK_RATE_Q48_MAX + 1;
	refused(c, "1 %");
	c = three;
	c.piece[1].curve_q112 = INT64_MAX;	/* steep at its end only */
	c.piece[2].from_unix_ns += 86400 * S;
	refused(c, "1 %");
	c = three;
	c.piece[2].rate_q48 = 1;
	refused(c, "constant");
	c = three;
	c.piece[2].curve_q112 = 1;
	refused(c, "constant");
}

/* Whatever passes the check can be computed, and time goes forward. */
static void test_what_passes(void **state)
{
	unsigned int passed = 0;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		struct ntp_correction c = { .len = 2, .piece = {
			{ rng(NTP_UNIX_MAX_NS), rng(S), (int64_t)ntp_noise(&rng_state) >> rng(63),
			  (int64_t)ntp_noise(&rng_state) >> rng(63) },
			{ rng(NTP_UNIX_MAX_NS), rng(S), 0, 0 },
		} };
		int64_t span, t;
		__s64 a, b;

		if (ntp_correction_check(&c))
			continue;
		passed++;
		span = c.piece[1].from_unix_ns - c.piece[0].from_unix_ns;
		t = c.piece[0].from_unix_ns + rng(span);
		assert_true(ntp_correction_at(&c, t, &a));
		assert_true(ntp_correction_at(&c, t + 1000 < c.piece[1].from_unix_ns ? t + 1000 : t, &b));
		assert_true(b - a > -1000);
	}
	assert_in_range(passed, ROUNDS / 100, ROUNDS);
}

static void bench_init(struct bench *b)
{
	memset(b, 0, sizeof(*b));
	b->serve.line.base_raw_ns = 1000 * S;
	b->serve.line.base_unix_ns = T0;
	b->serve.root_delay_ns = 20000000;
	b->serve.root_disp_ns = 1000000;
	b->serve.max_dist_ns = S;
	b->serve.push_interval_ns = 16 * S;
	b->serve.deadline_boot_ns = 86400 * S;
	b->serve.ref_unix_ns = T0 - 30 * S;
	b->serve.leap = NTP_LEAP_INSERT;
	b->serve.stratum = 3;
	b->serve.ever_synced = true;
	b->serve.precision_log2s = -30;
	b->now.raw_ns = 1000 * S;
	b->req.lvm = ntp_lvm(0, 4, NTP_MODE_CLIENT);
	b->policy.expired = NTPK_POLICY_UNSYNC;
	ntp_serve_complete(&b->serve, NULL, 1);
}

static int ask(struct bench *b, int64_t age_ns)
{
	int reason;

	b->age_ns = age_ns;
	reason = bench_build(b, &b->serve);
	if (reason == NTPK_REASON_REPLIED)
		assert_int_equal(ntp_reply_stamp(&b->reply, &b->serve, b->now.raw_ns + 5000,
						 b->answer.correction_ns, 0), NTPK_REASON_NONE);
	return reason;
}

static void near(__be64 ts, int64_t unix_ns)
{
	int64_t got = ntp64_to_unix_ns(ntp_be64toh(ts), T0);

	assert_true(got - unix_ns <= 1 && got - unix_ns >= -2);
}

static void test_reply(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b);
	assert_int_equal(ask(&b, 3000), NTPK_REASON_REPLIED);
	near(b.reply.rec_ts, T0 - 3000);
	assert_int_equal(ntp_lvm_leap(b.reply.lvm), NTP_LEAP_INSERT);

	/* between T2 and T3 another piece begins */
	b.policy.correction = (struct ntp_correction){ .len = 2, .piece = {
		{ T0 - 1000 * S, 0, 3000000000LL, 0 }, { T0 - 2000, 500000000, 0, 0 } } };
	assert_int_equal(ask(&b, 3000), NTPK_REASON_REPLIED);
	near(b.reply.rec_ts, T0 - 3000 + (int64_t)(exact(&b.policy.correction.piece[0], T0 - 3000)));
	near(b.reply.xmt_ts, T0 + 5000 + 500000000);
	assert_int_equal(ntp_lvm_leap(b.reply.lvm), NTP_LEAP_INSERT);
	near(b.reply.ref_ts, T0 - 30 * S +
	     (int64_t)exact(&b.policy.correction.piece[0], T0 - 30 * S));

	b.policy.correction = (struct ntp_correction){ .len = 1, .piece = { { 0, -7 * S, 0, 0 } } };
	b.policy.flags = NTPK_LISTENER_F_NO_LEAP;
	assert_int_equal(ask(&b, 3000), NTPK_REASON_REPLIED);
	near(b.reply.rec_ts, T0 - 3000 - 7 * S);
	near(b.reply.xmt_ts, T0 + 5000 - 7 * S);
	near(b.reply.ref_ts, T0 - 37 * S);
	assert_int_equal(ntp_lvm_leap(b.reply.lvm), NTP_LEAP_NONE);
	assert_int_equal(ntp_lvm_version(b.reply.lvm), 4);
	assert_int_equal(ntp_lvm_mode(b.reply.lvm), NTP_MODE_SERVER);
	b.policy.correction.piece[0].offset_ns = -T0 - S;
	assert_int_equal(ask(&b, 3000), NTPK_REASON_INSANE_TIME);
}

/* Unsynchronised stays that, whatever the listener says of leap seconds. */
static void test_unsync(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b);
	b.serve.leap = NTP_LEAP_UNSYNC;
	b.serve.stratum = 0;
	ntp_serve_complete(&b.serve, NULL, 1);
	b.policy.flags = NTPK_LISTENER_F_NO_LEAP;
	b.policy.correction = three;
	assert_int_equal(ask(&b, 0), NTPK_REASON_REPLIED_UNSYNC);
	assert_int_equal(ntp_lvm_leap(b.reply.lvm), NTP_LEAP_UNSYNC);
	assert_int_equal(b.reply.ref_ts, 0);
}

static void test_listener_limits(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b);
	b.policy.max_stratum = 3;
	assert_int_equal(ask(&b, 0), NTPK_REASON_REPLIED);
	b.policy.max_stratum = 2;
	assert_int_equal(ask(&b, 0), NTPK_REASON_REPLIED_UNSYNC);
	b.policy.max_stratum = 0;
	b.policy.max_dist_ns = 11000000;
	assert_int_equal(ask(&b, 0), NTPK_REASON_REPLIED);
	b.policy.max_dist_ns = 10999999;
	assert_int_equal(ask(&b, 0), NTPK_REASON_REPLIED_UNSYNC);
	b.policy.expired = NTPK_POLICY_SILENT;
	assert_int_equal(ask(&b, 0), NTPK_REASON_SILENT_EXPIRED);

	b.policy.versions = 1 << 3 | 1 << 4;
	for (unsigned int v = 1; v <= 4; v++) {
		b.req.lvm = ntp_lvm(0, v, NTP_MODE_CLIENT);
		assert_int_equal(ntp_reply_classify(&b.req, NTP_HEADER_LEN, 5000, &b.policy),
				 v < 3 ? NTPK_REASON_VERSION : NTPK_REASON_NONE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_formula),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_what_passes),
		cmocka_unit_test(test_reply),
		cmocka_unit_test(test_unsync),
		cmocka_unit_test(test_listener_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
