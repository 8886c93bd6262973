// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The short way to a reply beside the long one: over random states both give the same
 * bytes, but for the roundings that ntp_plain.h names, and the short one is taken nowhere
 * where the long one would have more to say.  The generator's seed is fixed.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include <ntpk/ntp_math.h>
#include <ntpk/ntp_plain.h>
#include "bench.h"

#define S	NTP_NS_PER_S
#define ROUNDS	100000
#define BASE_RAW	BENCH_RAW
#define BASE_UNIX	BENCH_UNIX
#define FLOOR_UNIX	BENCH_FLOOR
/* of 2^-32 s: a nanosecond that the long way cuts off, and a rounding each of both */
#define UNITS	7

static __u64 rng_state = 7;

static uint64_t rng(void)
{
	return ntp_noise(&rng_state);
}

static void bench_init(struct bench *b)
{
	bench_usual(b);
	b->serve.deadline_boot_ns = 9000 * S;
	b->serve.precision_log2s = -25;
	b->random = 0x5555aaaa33339999ULL;
}

static bool is_plain(struct bench *b)
{
	ntp_serve_complete(&b->serve, NULL, 1);
	ntp_plain_complete(&b->policy, &b->serve);
	return ntp_plain_ok(&b->serve, &b->policy, &b->now, b->age_ns);
}

static void randomise(struct bench *b)
{
	b->serve.line.base_raw_ns = (int64_t)(rng() >> 2 >> rng() % 30);
	b->serve.line.base_unix_ns = FLOOR_UNIX + (int64_t)(rng() >> 2 >> rng() % 30);
	b->serve.line.rate_q48 = (int64_t)(rng() % (2 * NTPK_RATE_Q48_MAX + 1)) - NTPK_RATE_Q48_MAX;
	b->serve.root_disp_ns = rng() >> 20 >> rng() % 40;
	b->serve.root_delay_ns = rng() >> 20 >> rng() % 40;
	b->serve.max_dist_ns = rng() >> rng() % 40;
	b->serve.disp_rate_ppb = (uint32_t)rng() >> rng() % 32;
	b->serve.leap = (uint8_t)(rng() % 3);
	b->serve.stratum = (uint8_t)(1 + rng() % 15);
	b->serve.precision_log2s = (int8_t)-(int)(rng() % 33);
	b->now.raw_ns = b->serve.line.base_raw_ns + (int64_t)(rng() >> 20 >> rng() % 40);
	b->age_ns = (int64_t)(rng() >> 33 >> rng() % 31);
	b->req.lvm = ntp_lvm(0, 1 + rng() % 4, rng() & 1 ? NTP_MODE_CLIENT : NTP_MODE_SYM_ACTIVE);
	b->req.poll_log2s = (int8_t)rng();
	b->req.xmt_ts = rng();
	b->random = rng();
	b->policy.max_stratum = rng() & 1 ? 0 : (uint8_t)(rng() % 16);
	b->policy.max_dist_ns = rng() & 1 ? 0 : rng() >> rng() % 60;
}

/* They may be on two sides of a step of the precision. */
static void assert_ts_near(const struct bench *b, __be64 plain, __be64 other)
{
	int64_t off = (int64_t)(ntp_be64toh(plain) - ntp_be64toh(other));
	uint64_t below = ntp_below_precision(b->serve.precision_log2s);

	assert_in_range(llabs(off), 0, below + UNITS);
	assert_true(!((ntp_be64toh(plain) ^ ntp_be64toh(other)) & below & ~1ULL) ||
		    !b->serve.precision_log2s || below < 2 * UNITS);
}

static void assert_twins(struct bench *b)
{
	struct ntp_header plain = b->req;
	int64_t t3_raw_ns = b->now.raw_ns + (int64_t)(rng() % (60 * S));
	uint32_t more_ns = (uint32_t)rng() >> rng() % 32, off;

	assert_int_equal(bench_build(b, &b->serve) , NTPK_REASON_REPLIED);
	ntp_answer_add_disp(&b->answer, more_ns);
	ntp_reply_fill(&b->reply, &b->req, &b->serve, &b->answer, b->random);
	/* over the request, as the module does */
	ntp_plain_fill(&plain, &plain, &b->serve, &b->now, b->age_ns,
		       ntp_t2_age_err_ns(b->age_ns) + more_ns, b->random);
	assert_int_equal(ntp_reply_stamp(&b->reply, &b->serve, t3_raw_ns, 0, b->random >> 32),
			 NTPK_REASON_NONE);
	assert_int_equal(ntp_plain_stamp(&plain, &b->serve, t3_raw_ns, b->random >> 32),
			 NTPK_REASON_NONE);
	off = ntp_be32toh(plain.root_disp) - ntp_be32toh(b->reply.root_disp);
	assert_in_range(off, 0, 1);
	assert_in_range(ntp_plain_disp_ns(&b->serve, b->now.raw_ns) + ntp_t2_age_err_ns(b->age_ns) + more_ns -
			b->answer.disp_ns, 0, 1);
	assert_ts_near(b, plain.rec_ts, b->reply.rec_ts);
	assert_true(ntp_be64toh(plain.rec_ts) & NTP_T2_BIT);
	assert_true((int64_t)(ntp_be64toh(plain.xmt_ts) - ntp_be64toh(plain.rec_ts)) >= 0);
	if (t3_raw_ns > b->now.raw_ns + 2 * (S >> -b->serve.precision_log2s))
		assert_ts_near(b, plain.xmt_ts, b->reply.xmt_ts);
	plain.root_disp = b->reply.root_disp;
	plain.rec_ts = b->reply.rec_ts;
	plain.xmt_ts = b->reply.xmt_ts;
	assert_memory_equal(&plain, &b->reply, sizeof(plain));
}

static void both_ways_say_the_same(void **state)
{
	size_t i, n = 0;

	(void)state;
	for (i = 0; i < ROUNDS; i++) {
		struct bench b;

		bench_init(&b);
		randomise(&b);
		if (ntp_serve_check(&b.serve) || !is_plain(&b))
			continue;
		n++;
		assert_twins(&b);
	}
	assert_in_range(n, ROUNDS / 20, ROUNDS);
}

static void usual_is_plain(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b);
	assert_true(is_plain(&b));
	assert_twins(&b);
	/* to the end of an hour, at the least */
	b.now.raw_ns = BASE_RAW + 3600 * S;
	assert_true(is_plain(&b));
	assert_twins(&b);
}

#define NOT_PLAIN(change) do {						\
	struct bench b;							\
									\
	bench_init(&b);							\
	b.change;							\
	assert_false(is_plain(&b));					\
} while (0)

static void the_rest_is_not(void **state)
{
	(void)state;
	NOT_PLAIN(now.raw_ns = BASE_RAW - 1);
	NOT_PLAIN(now.raw_ns = BASE_RAW + NTP_PLAIN_MAX_NS);
	NOT_PLAIN(now.raw_ns = INT64_MIN);
	NOT_PLAIN(now.boot_ns = 9000 * S);
	NOT_PLAIN(now.clock_seq = 8);
	NOT_PLAIN(age_ns = S);
	NOT_PLAIN(serve.leap = NTP_LEAP_UNSYNC);
	NOT_PLAIN(serve.disp_rate_ppb = 1000000000);
	NOT_PLAIN(serve.root_disp_ns = S);
	NOT_PLAIN(serve.root_delay_ns = 2 * S);
	NOT_PLAIN(serve.floor_unix_ns = BASE_UNIX - S + 1);
	NOT_PLAIN(serve.line.base_unix_ns = NTP_UNIX_MAX_NS - 1);
	NOT_PLAIN(serve.line.base_raw_ns = INT64_MAX);
	NOT_PLAIN(policy.correction.len = 1);
	NOT_PLAIN(policy.flags = NTPK_LISTENER_F_NO_LEAP);
	NOT_PLAIN(policy.max_stratum = 1);
	NOT_PLAIN(policy.max_dist_ns = 11000000);
}

static void time_goes_backwards(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b);
	assert_true(is_plain(&b));
	ntp_plain_fill(&b.reply, &b.req, &b.serve, &b.now, 0, 0, UINT32_MAX);
	/* by the random bits only */
	assert_int_equal(ntp_plain_stamp(&b.reply, &b.serve, b.now.raw_ns, 0), NTPK_REASON_NONE);
	assert_int_equal(ntp_be64toh(b.reply.xmt_ts), ntp_be64toh(b.reply.rec_ts) + 1);
	assert_int_equal(ntp_plain_stamp(&b.reply, &b.serve, b.now.raw_ns - 100, 0),
			 NTPK_REASON_T3_BEFORE_T2);
}

static void short_format_is_the_same(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ROUNDS; i++) {
		uint64_t ns = rng() >> 21 >> rng() % 43;
		/* where 2^-16 s are a whole number of ns, and beside that */
		uint64_t edge = ns - ns % 1953125 + rng() % 3 - 1;

		assert_int_equal(ntp_plain_short(ns), ntp32_from_ns(ns));
		if (edge < 1ULL << 43)
			assert_int_equal(ntp_plain_short(edge), ntp32_from_ns(edge));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(usual_is_plain),
		cmocka_unit_test(the_rest_is_not),
		cmocka_unit_test(both_ways_say_the_same),
		cmocka_unit_test(time_goes_backwards),
		cmocka_unit_test(short_format_is_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
