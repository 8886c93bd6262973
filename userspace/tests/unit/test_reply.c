// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The server's decision: every reason and every status it can give, the fields
 * of a reply one by one, and properties over random states.  Pure, one thread;
 * the generator's seed is fixed, so a failure repeats.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include <ntpk/ntp_math.h>
#include <ntpk/ntp_reply.h>
#include "bench.h"
#include "wide.h"

#define S	NTP_NS_PER_S
#define ROUNDS	100000
#define BASE_RAW	BENCH_RAW
#define BASE_UNIX	BENCH_UNIX
#define ERA1_UNIX	(2085978496LL * S)	/* 2036-02-07 06:28:16 */
#define T1		BENCH_T1

static __u64 rng_state = 42;

static uint64_t rng(void)
{
	return ntp_noise(&rng_state);
}

static void bench_init(struct bench *b)
{
	bench_usual(b);
	b->serve.pushed_boot_ns = 5000 * S;
	b->serve.deadline_boot_ns = 5000 * S + 86400 * S;
	b->serve.leap = NTP_LEAP_INSERT;
	b->serve.precision_log2s = -23;
	b->policy.expired = NTPK_POLICY_UNSYNC;
}

static int ask(struct bench *b)
{
	memset(&b->reply, 0xa5, sizeof(b->reply));
	ntp_serve_complete(&b->serve, NULL, 1);
	return bench_build(b, &b->serve);
}

static int stamp(struct bench *b, int64_t later_ns)
{
	return ntp_reply_stamp(&b->reply, &b->serve, b->now.raw_ns + later_ns,
			       b->answer.correction_ns, b->random >> 32);
}

static int status(const struct bench *b)
{
	return ntp_serve_status(&b->serve, &b->now);
}

static void unsynchronise(struct bench *b)
{
	b->serve.leap = NTP_LEAP_UNSYNC;
	b->serve.stratum = 0;
}

static void line_is_a_line(void **state)
{
	struct ntp_line l = { .base_raw_ns = BASE_RAW, .base_unix_ns = BASE_UNIX };
	size_t i;

	(void)state;
	assert_int_equal(ntp_line_at(&l, BASE_RAW), BASE_UNIX);
	assert_int_equal(ntp_line_at(&l, BASE_RAW + 5), BASE_UNIX + 5);
	assert_int_equal(ntp_line_at(&l, 0), BASE_UNIX - BASE_RAW);
	l.rate_q48 = NTPK_RATE_Q48_MAX;
	assert_int_equal(ntp_line_at(&l, BASE_RAW + 100 * S), BASE_UNIX + 101 * S - 1);
	for (i = 0; i < ROUNDS; i++) {
		int64_t d = (int64_t)(rng() >> 6 >> rng() % 58) * (rng() & 1 ? 1 : -1);
		int64_t rate = (int64_t)(rng() % (2 * NTPK_RATE_Q48_MAX + 1)) - NTPK_RATE_Q48_MAX;
		int64_t want;

		assert_true(wide_scale(d, rate, &want));
		l.rate_q48 = rate;
		l.base_raw_ns = 1LL << 60;
		assert_int_equal(ntp_line_at(&l, l.base_raw_ns + d), BASE_UNIX + d + want);
	}
}

static void line_ends_somewhere(void **state)
{
	struct ntp_line l = { .base_raw_ns = BASE_RAW, .base_unix_ns = BASE_UNIX };

	(void)state;
	assert_int_equal(ntp_line_at(&l, BASE_RAW + NTP_SPAN_MAX_NS), BASE_UNIX + NTP_SPAN_MAX_NS);
	assert_int_equal(ntp_line_at(&l, BASE_RAW + NTP_SPAN_MAX_NS + 1), NTP_LINE_NOWHERE);
	assert_int_equal(ntp_line_at(&l, INT64_MAX), NTP_LINE_NOWHERE);
	assert_int_equal(ntp_line_at(&l, INT64_MIN), NTP_LINE_NOWHERE);
	l.base_unix_ns = INT64_MAX - 5;
	assert_int_equal(ntp_line_at(&l, BASE_RAW + 5), INT64_MAX);
	assert_int_equal(ntp_line_at(&l, BASE_RAW + 6), NTP_LINE_NOWHERE);
	l.rate_q48 = INT64_MIN;
	assert_int_equal(ntp_line_at(&l, BASE_RAW + NTP_SPAN_MAX_NS), NTP_LINE_NOWHERE);
}

static void dispersion_grows(void **state)
{
	struct bench b;
	size_t i;

	(void)state;
	bench_init(&b);
	assert_int_equal(ntp_serve_disp_ns(&b.serve, BASE_RAW), 1000000);
	assert_int_equal(ntp_serve_disp_ns(&b.serve, BASE_RAW + S), 1015000);
	assert_int_equal(ntp_serve_disp_ns(&b.serve, BASE_RAW - S), 1015000);
	assert_int_equal(ntp_serve_disp_ns(&b.serve, BASE_RAW + 1), 1000001);
	assert_int_equal(ntp_serve_disp_ns(&b.serve, BASE_RAW + 3 * 3600 * S), 163000000);
	for (i = 0; i < ROUNDS; i++) {
		uint64_t d = rng() >> 6 >> rng() % 58;
		struct ntp_u128 want;

		b.serve.disp_rate_ppb = (uint32_t)rng();
		want = wide_add(wide_div(wide_add(wide_mul(d, b.serve.disp_rate_ppb), S - 1), S),
				1000000);
		assert_int_equal(ntp_serve_disp_ns(&b.serve, BASE_RAW + (int64_t)d),
				 want.lo);
	}
	b.serve.root_disp_ns = UINT64_MAX - 1;
	assert_int_equal(ntp_serve_disp_ns(&b.serve, BASE_RAW + S), UINT64_MAX);
	assert_int_equal(ntp_serve_disp_ns(&b.serve, INT64_MAX), UINT64_MAX);
}

static void every_status(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b);
	assert_int_equal(ntp_serve_status(NULL, &b.now), NTPK_STATUS_EMPTY);
	assert_int_equal(status(&b), NTPK_STATUS_SYNC);

	b.now.boot_ns = 5000 * S + 48 * S;
	assert_int_equal(status(&b), NTPK_STATUS_SYNC);
	b.now.boot_ns++;
	assert_int_equal(status(&b), NTPK_STATUS_HOLDOVER);
	b.now.boot_ns = b.serve.deadline_boot_ns - 1;
	assert_int_equal(status(&b), NTPK_STATUS_HOLDOVER);
	b.now.boot_ns++;
	assert_int_equal(status(&b), NTPK_STATUS_EXPIRED_DEADLINE);

	bench_init(&b);
	b.serve.max_dist_ns = 10000000 + 1015000;
	assert_int_equal(status(&b), NTPK_STATUS_SYNC);
	b.now.raw_ns++;
	assert_int_equal(status(&b), NTPK_STATUS_EXPIRED_DISTANCE);
	b.now.boot_ns = b.serve.deadline_boot_ns;
	assert_int_equal(status(&b), NTPK_STATUS_EXPIRED_DEADLINE);
	b.now.clock_seq++;
	assert_int_equal(status(&b), NTPK_STATUS_EXPIRED_STEP);
	unsynchronise(&b);
	assert_int_equal(status(&b), NTPK_STATUS_UNSYNC);
}

static int classified(const struct ntp_header *h, size_t len, unsigned int port)
{
	const struct ntp_policy policy = { .flags = 0 };

	return ntp_reply_classify(h, len, (uint16_t)port, &policy);
}

static void classify(void **state)
{
	struct ntp_header h;
	unsigned int v, m, port;

	(void)state;
	memset(&h, 0, sizeof(h));
	for (v = 0; v < 8; v++)
		for (m = 0; m < 8; m++)
			for (port = 123; port < 125; port++) {
				int want = NTPK_REASON_NONE;

				if (v < 1 || v > 4)
					want = NTPK_REASON_VERSION;
				else if (m != 3 && m != 1 && !(v == 1 && m == 0 && port != 123))
					want = NTPK_REASON_MODE;
				h.lvm = ntp_lvm(rng() & 3, v, m);
				assert_int_equal(classified(&h, 48, port), want);
				assert_int_equal(classified(&h, 1472, port), want);
				if (!want)
					want = NTPK_REASON_BAD_LENGTH;
				assert_int_equal(classified(&h, 47, port), want);
				assert_int_equal(classified(&h, 1, port), want);
			}
	assert_int_equal(classified(&h, 0, 5000), NTPK_REASON_BAD_LENGTH);
}

/* Windows asks as a symmetric active peer: mode 2 and everything echoed, unless told not to. */
static void mode_1_gets_mode_2(void **state)
{
	struct ntp_policy no = { .flags = NTPK_LISTENER_F_NO_MODE1 };
	struct bench b;

	(void)state;
	for (unsigned int v = 1; v <= 4; v++) {
		bench_init(&b);
		b.req.lvm = ntp_lvm(3, v, NTP_MODE_SYM_ACTIVE);
		b.req.poll_log2s = 10;
		assert_int_equal(classified(&b.req, 48, 123), NTPK_REASON_NONE);
		assert_int_equal(ntp_reply_classify(&b.req, 48, 123, &no), NTPK_REASON_MODE);
		assert_int_equal(ask(&b), NTPK_REASON_REPLIED);
		assert_int_equal(b.reply.lvm, ntp_lvm(NTP_LEAP_INSERT, v, NTP_MODE_SYM_PASSIVE));
		assert_int_equal(b.reply.poll_log2s, 10);
		assert_int_equal(ntp_be64toh(b.reply.org_ts), T1);
		unsynchronise(&b);
		assert_int_equal(ask(&b), NTPK_REASON_REPLIED_UNSYNC);
		assert_int_equal(b.reply.lvm, ntp_lvm(NTP_LEAP_UNSYNC, v, NTP_MODE_SYM_PASSIVE));
	}
}

static void a_reply_field_by_field(void **state)
{
	struct bench b;
	ntp64_t t2;

	(void)state;
	bench_init(&b);
	b.req.poll_log2s = -128;
	b.age_ns = 250000;
	assert_int_equal(ask(&b), NTPK_REASON_REPLIED);
	assert_int_equal(b.reply.lvm, ntp_lvm(NTP_LEAP_INSERT, 4, NTP_MODE_SERVER));
	assert_int_equal(b.reply.stratum, 2);
	assert_int_equal(b.reply.poll_log2s, -128);
	assert_int_equal(b.reply.precision_log2s, -23);
	assert_int_equal(ntp_be32toh(b.reply.root_delay), ntp32_from_ns(20000000));
	/* an eighth of the age, as the clock it was measured on may be 10 % off */
	assert_int_equal(ntp_be32toh(b.reply.root_disp), ntp32_from_ns(1015000 + 250000 / 8));
	assert_int_equal(ntp_be32toh(b.reply.refid), 0x7f7f0101);
	assert_int_equal(ntp_be64toh(b.reply.ref_ts), ntp64_from_unix_ns(BASE_UNIX - 30 * S));
	assert_int_equal(ntp_be64toh(b.reply.org_ts), T1);
	assert_int_equal(b.reply.xmt_ts, 0);
	t2 = ntp_be64toh(b.reply.rec_ts);
	/* a T2 is odd, a T3 even */
	assert_int_equal(t2, (ntp64_from_unix_ns(BASE_UNIX + S - 250000) & ~0x1ffULL) | 1);
	assert_int_equal(stamp(&b, 3000), NTPK_REASON_NONE);
	assert_int_equal(ntp_be64toh(b.reply.xmt_ts),
			 ntp64_from_unix_ns(BASE_UNIX + S + 3000) & ~0x1ffULL);
	b.serve.ref_unix_ns = 0;
	assert_int_equal(ask(&b), NTPK_REASON_REPLIED);
	assert_int_equal(b.reply.ref_ts, 0);
}

/* RFC 5905 section 7.4: nothing but who is meant, and how seldom it shall ask. */
static void a_kod_rate(void **state)
{
	struct ntp_limit limit = { .interval_log2s = 8 };
	struct bench b;
	int poll;

	(void)state;
	for (poll = 4; poll <= 10; poll++) {
		bench_init(&b);
		b.policy.flags = NTPK_LISTENER_F_NO_LEAP;
		b.policy.correction.len = 1;
		b.policy.correction.piece[0].offset_ns = 5 * S;
		b.req.poll_log2s = (int8_t)poll;
		assert_int_equal(ask(&b), NTPK_REASON_REPLIED);
		ntp_reply_decide_rate(&b.answer, &limit);
		ntp_reply_fill(&b.reply, &b.req, &b.serve, &b.answer, b.random);
		assert_int_equal(b.reply.lvm, ntp_lvm(NTP_LEAP_UNSYNC, 4, NTP_MODE_SERVER));
		assert_int_equal(b.reply.stratum, 0);
		assert_memory_equal(&b.reply.refid, "RATE", 4);
		assert_int_equal(b.reply.poll_log2s, poll < 8 ? 8 : poll);
		assert_int_equal(b.reply.ref_ts, 0);
		assert_int_equal(ntp_be64toh(b.reply.org_ts), T1);
		assert_int_equal(ntp_be64toh(b.reply.rec_ts),
				 (ntp64_from_unix_ns(BASE_UNIX + 6 * S) & ~0x1ffULL) | 1);
		assert_int_equal(stamp(&b, 3000), NTPK_REASON_NONE);
	}
	/* and the next one is none */
	assert_int_equal(ask(&b), NTPK_REASON_REPLIED);
	assert_int_equal(b.reply.stratum, 2);
}

static void version_is_echoed(void **state)
{
	unsigned int v;
	struct bench b;

	(void)state;
	bench_init(&b);
	for (v = 1; v <= 4; v++) {
		b.req.lvm = ntp_lvm(3, v, v == 1 ? NTP_MODE_UNSPEC : NTP_MODE_CLIENT);
		assert_int_equal(ask(&b), NTPK_REASON_REPLIED);
		assert_int_equal(b.reply.lvm, ntp_lvm(NTP_LEAP_INSERT, v, NTP_MODE_SERVER));
	}
}

static void assert_unsync(struct bench *b)
{
	assert_int_equal(ask(b), NTPK_REASON_REPLIED_UNSYNC);
	assert_int_equal(b->reply.lvm, ntp_lvm(NTP_LEAP_UNSYNC, 4, NTP_MODE_SERVER));
	assert_int_equal(b->reply.stratum, 0);
	assert_int_equal(b->reply.root_delay, 0);
	assert_int_equal(ntp_be32toh(b->reply.root_disp), 16 << 16);
	assert_int_equal(b->reply.refid, 0);
	assert_int_equal(b->reply.ref_ts, 0);
	assert_int_equal(b->reply.poll_log2s, 6);
	assert_int_equal(ntp_be64toh(b->reply.org_ts), T1);
	/* real times all the same */
	assert_int_equal(ntp_be64toh(b->reply.rec_ts) & ~0x1ffULL,
			 ntp64_from_unix_ns(BASE_UNIX + S) & ~0x1ffULL);
	assert_int_equal(stamp(b, 1000), NTPK_REASON_NONE);
}

static void policies(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b);
	assert_int_equal(bench_build(&b, NULL), NTPK_REASON_SILENT_UNSYNC);
	b.now.clock_seq++;
	assert_unsync(&b);
	b.policy.expired = NTPK_POLICY_SILENT;
	assert_int_equal(ask(&b), NTPK_REASON_SILENT_EXPIRED);
	b.now.clock_seq--;
	assert_int_equal(ask(&b), NTPK_REASON_REPLIED);
	b.now.boot_ns = b.serve.deadline_boot_ns;
	assert_int_equal(ask(&b), NTPK_REASON_SILENT_EXPIRED);

	bench_init(&b);
	unsynchronise(&b);
	assert_unsync(&b);
	b.policy.expired = NTPK_POLICY_SILENT;
	assert_int_equal(ask(&b), NTPK_REASON_SILENT_EXPIRED);
	b.serve.ever_synced = false;
	b.policy.expired = NTPK_POLICY_UNSYNC;
	assert_int_equal(ask(&b), NTPK_REASON_SILENT_UNSYNC);
	b.policy.never_synced = NTPK_POLICY_UNSYNC;
	assert_unsync(&b);
}

static void insane_times_are_not_sent(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b);
	b.serve.floor_unix_ns = BASE_UNIX + S;
	assert_int_equal(ask(&b), NTPK_REASON_REPLIED);
	b.age_ns = 1;
	assert_int_equal(ask(&b), NTPK_REASON_INSANE_TIME);
	b.age_ns = INT64_MAX;
	assert_int_equal(ask(&b), NTPK_REASON_INSANE_TIME);

	bench_init(&b);
	b.serve.line.base_unix_ns = NTP_UNIX_MAX_NS - 2 * S;
	assert_int_equal(ask(&b), NTPK_REASON_REPLIED);
	assert_int_equal(stamp(&b, S), NTPK_REASON_T3_BEFORE_T2);
	b.serve.line.base_unix_ns += S;
	assert_int_equal(ask(&b), NTPK_REASON_INSANE_TIME);

	bench_init(&b);
	b.serve.max_dist_ns = UINT64_MAX;
	b.now.raw_ns = BASE_RAW + NTP_SPAN_MAX_NS + 1;
	assert_int_equal(ask(&b), NTPK_REASON_INSANE_TIME);
	unsynchronise(&b);
	assert_int_equal(ask(&b), NTPK_REASON_INSANE_TIME);
}

static void t3_never_before_t2(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b);
	b.random = 0x1ff;		/* T2 at the top of its unit, T3 at the bottom */
	assert_int_equal(ask(&b), NTPK_REASON_REPLIED);
	assert_int_equal(stamp(&b, 0), NTPK_REASON_NONE);
	/* one is odd and one even, which means something in interleaved mode */
	assert_int_equal(ntp_be64toh(b.reply.xmt_ts), ntp_be64toh(b.reply.rec_ts) + 1);
	assert_int_equal(stamp(&b, -1000), NTPK_REASON_T3_BEFORE_T2);
	assert_int_equal(ntp_reply_stamp(&b.reply, &b.serve, INT64_MAX, -S, 0),
			 NTPK_REASON_T3_BEFORE_T2);
}

/* The era ends between T2 and T3: bits wrap, the difference does not. */
static void across_the_era(void **state)
{
	struct bench b;
	ntp64_t t2, t3;

	(void)state;
	bench_init(&b);
	b.serve.precision_log2s = -32;
	b.serve.line.base_unix_ns = ERA1_UNIX - S - 1000;
	b.serve.floor_unix_ns = 0;
	assert_int_equal(ask(&b), NTPK_REASON_REPLIED);
	assert_int_equal(stamp(&b, 3000), NTPK_REASON_NONE);
	t2 = ntp_be64toh(b.reply.rec_ts);
	t3 = ntp_be64toh(b.reply.xmt_ts);
	assert_true(t2 > 0xffffffff00000000);
	assert_true(t3 < 0x100000000);
	assert_in_range(ntp64_diff_ns(t3, t2), 2999, 3000);

	/* exactly at the era's start the stamp would say "unknown" */
	b.now.raw_ns += 1000;
	assert_int_equal(ask(&b), NTPK_REASON_REPLIED);
	assert_int_equal(stamp(&b, 0), NTPK_REASON_NONE);
	assert_int_equal(ntp_be64toh(b.reply.rec_ts), 1);
	assert_int_equal(ntp_be64toh(b.reply.xmt_ts), 2);
}

/* Its origin, and nothing else, tells a client which mode a reply is in. */
static void interleaved_mode(void **state)
{
	struct bench b, basic;

	(void)state;
	bench_init(&b);
	b.req.org_ts = ntp_htobe64(5);		/* a T2, as it is odd */
	b.req.rec_ts = ntp_htobe64(6);
	b.req.xmt_ts = ntp_htobe64(7);
	assert_true(ntp_reply_interleaves(&b.req));
	assert_int_equal(ask(&b), NTPK_REASON_REPLIED);
	assert_int_equal(b.answer.departed, 0);
	assert_int_equal(b.reply.org_ts, b.req.xmt_ts);
	basic = b;
	b.answer.departed = 9;
	ntp_reply_fill(&b.reply, &b.req, &b.serve, &b.answer, b.random);
	assert_int_equal(b.reply.org_ts, b.req.rec_ts);
	basic.reply.org_ts = b.reply.org_ts;
	assert_memory_equal(&b.reply, &basic.reply, sizeof(b.reply));
	/* in the request's own buffer it is the same */
	ntp_reply_fill(&b.req, &b.req, &b.serve, &b.answer, b.random);
	assert_memory_equal(&b.req, &basic.reply, sizeof(b.req));
}

static void no_interleaved_mode(void **state)
{
	struct ntp_header req = { .lvm = ntp_lvm(0, 4, NTP_MODE_CLIENT),
				  .org_ts = ntp_htobe64(1), .rec_ts = 2, .xmt_ts = 3 };
	struct ntp_header no;

	(void)state;
	assert_true(ntp_reply_interleaves(&req));
	no = req;
	no.org_ts = 0;
	assert_false(ntp_reply_interleaves(&no));
	no.org_ts = ntp_htobe64(2);
	assert_false(ntp_reply_interleaves(&no));
	no = req;
	no.lvm = ntp_lvm(0, 3, NTP_MODE_CLIENT);
	assert_false(ntp_reply_interleaves(&no));
	no = req;
	no.rec_ts = 0;
	assert_false(ntp_reply_interleaves(&no));
	no = req;
	no.xmt_ts = no.rec_ts;
	assert_false(ntp_reply_interleaves(&no));
	no = req;
	no.lvm = ntp_lvm(0, 4, NTP_MODE_SYM_ACTIVE);
	assert_false(ntp_reply_interleaves(&no));
}

/* Any acceptable state, at any precision: order, bounds, and exact echo. */
static void random_replies(void **state)
{
	struct bench b;
	size_t i;

	(void)state;
	bench_init(&b);
	for (i = 0; i < ROUNDS; i++) {
		int64_t late = (int64_t)(rng() % 10000000);
		uint64_t t1 = rng(), unit;
		int64_t t2_err;

		b.serve.precision_log2s = -(int)(rng() % 33);
		b.serve.line.base_unix_ns = 1700000000LL * S + (int64_t)(rng() >> 3);
		b.serve.line.rate_q48 = (int64_t)(rng() % (2 * NTPK_RATE_Q48_MAX)) -
					NTPK_RATE_Q48_MAX;
		b.now.raw_ns = BASE_RAW + (int64_t)(rng() % (20 * S));
		b.age_ns = (int64_t)(rng() % (S / 10));
		b.random = rng();
		b.req.xmt_ts = ntp_htobe64(t1);
		b.req.poll_log2s = (int8_t)rng();
		assert_null(ntp_serve_check(&b.serve));
		assert_int_equal(ask(&b), NTPK_REASON_REPLIED);
		assert_int_equal(stamp(&b, late), NTPK_REASON_NONE);

		assert_int_equal(ntp_be64toh(b.reply.org_ts), t1);
		assert_int_equal(b.reply.poll_log2s, b.req.poll_log2s);
		assert_true(ntp64_diff_ns(ntp_be64toh(b.reply.xmt_ts),
					  ntp_be64toh(b.reply.rec_ts)) >= 0);
		unit = (S >> -b.serve.precision_log2s) + 2;
		t2_err = ntp64_to_unix_ns(ntp_be64toh(b.reply.rec_ts),
					  b.serve.line.base_unix_ns) -
			 (ntp_line_at(&b.serve.line, b.now.raw_ns) - b.age_ns);
		assert_true(t2_err <= (int64_t)unit && t2_err >= -(int64_t)unit);
	}
}

static void random_bits_are_used(void **state)
{
	struct bench b;
	ntp64_t ones, zeros;

	(void)state;
	bench_init(&b);
	b.random = 0;
	ask(&b);
	stamp(&b, 1000);
	zeros = ntp_be64toh(b.reply.rec_ts);
	assert_int_equal(ntp_be64toh(b.reply.xmt_ts) & 0x1ff, 0);
	b.random = UINT64_MAX;
	ask(&b);
	stamp(&b, 1000);
	ones = ntp_be64toh(b.reply.rec_ts);
	assert_int_equal(ones ^ zeros, 0x1fe);
	assert_int_equal(ntp_be64toh(b.reply.xmt_ts) & 0x1ff, 0x1fe);
}

#define REFUSED(field, value, word) do {				\
		struct bench r;						\
		const char *text;					\
									\
		bench_init(&r);						\
		r.serve.field = (value);				\
		text = ntp_serve_check(&r.serve);			\
		assert_non_null(text);					\
		assert_non_null(strstr(text, word));			\
	} while (0)

#define ACCEPTED(field, value) do {					\
		struct bench r;						\
									\
		bench_init(&r);						\
		r.serve.field = (value);				\
		assert_null(ntp_serve_check(&r.serve));			\
	} while (0)

static void pushes_are_checked(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b);
	assert_null(ntp_serve_check(&b.serve));
	unsynchronise(&b);
	assert_null(ntp_serve_check(&b.serve));
	b.serve.stratum = 1;
	assert_non_null(strstr(ntp_serve_check(&b.serve), "STRATUM"));

	REFUSED(line.base_raw_ns, -1, "BASE_RAW_NS");
	REFUSED(line.base_unix_ns, -1, "BASE_UNIX_NS");
	REFUSED(line.base_unix_ns, NTP_UNIX_MAX_NS, "BASE_UNIX_NS");
	ACCEPTED(line.base_unix_ns, NTP_UNIX_MAX_NS - 1);
	ACCEPTED(line.base_unix_ns, 0);
	REFUSED(line.rate_q48, NTPK_RATE_Q48_MAX + 1, "RATE_Q48");
	REFUSED(line.rate_q48, -NTPK_RATE_Q48_MAX - 1, "RATE_Q48");
	ACCEPTED(line.rate_q48, -NTPK_RATE_Q48_MAX);
	REFUSED(leap, 4, "LEAP");
	REFUSED(stratum, 0, "STRATUM");
	REFUSED(stratum, 16, "STRATUM");
	ACCEPTED(stratum, 15);
	REFUSED(precision_log2s, 1, "PRECISION");
	REFUSED(precision_log2s, -33, "PRECISION");
	ACCEPTED(precision_log2s, -32);
	REFUSED(ref_unix_ns, -1, "REF_UNIX_NS");
	REFUSED(ref_unix_ns, INT64_MAX, "REF_UNIX_NS");
	ACCEPTED(ref_unix_ns, 0);
	REFUSED(root_disp_ns, NTP_SPAN_MAX_NS + 1ULL, "ROOT_DISP_NS");
	REFUSED(root_delay_ns, UINT64_MAX, "ROOT_DELAY_NS");
	REFUSED(max_dist_ns, 0, "MAX_DIST_NS");
	REFUSED(max_dist_ns, NTP_SPAN_MAX_NS + 1ULL, "MAX_DIST_NS");
	ACCEPTED(max_dist_ns, NTP_SPAN_MAX_NS);
	REFUSED(push_interval_ns, 0, "PUSH_INTERVAL_NS");
	REFUSED(push_interval_ns, UINT64_MAX, "PUSH_INTERVAL_NS");
	REFUSED(deadline_boot_ns, -1, "DEADLINE_BOOT_NS");
	ACCEPTED(deadline_boot_ns, INT64_MAX);
}

/* Whatever the bits, no call overflows: the sanitizers are the judges. */
static void any_bits_are_survived(void **state)
{
	struct bench b;
	size_t i, k;

	(void)state;
	for (i = 0; i < ROUNDS; i++) {
		uint64_t *w = (uint64_t *)&b.serve;
		int reason;

		bench_init(&b);
		for (k = 0; k < offsetof(struct ntp_serve, disp_rate_ppb) / sizeof(*w); k++)
			w[k] = rng() << rng() % 64 >> rng() % 64;
		b.serve.disp_rate_ppb = (uint32_t)rng();
		b.now.raw_ns = (int64_t)(rng() >> rng() % 64);
		b.now.boot_ns = (int64_t)(rng() >> rng() % 64);
		b.age_ns = (int64_t)(rng() >> 1 >> rng() % 63);
		b.random = rng();
		ntp_serve_check(&b.serve);
		reason = ask(&b);
		assert_true(reason > NTPK_REASON_NONE && reason <= NTPK_REASON_MAX);
		if (reason == NTPK_REASON_REPLIED || reason == NTPK_REASON_REPLIED_UNSYNC)
			stamp(&b, (int64_t)(rng() % S));
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(line_is_a_line),
		cmocka_unit_test(line_ends_somewhere),
		cmocka_unit_test(dispersion_grows),
		cmocka_unit_test(every_status),
		cmocka_unit_test(classify),
		cmocka_unit_test(mode_1_gets_mode_2),
		cmocka_unit_test(a_reply_field_by_field),
		cmocka_unit_test(a_kod_rate),
		cmocka_unit_test(version_is_echoed),
		cmocka_unit_test(policies),
		cmocka_unit_test(insane_times_are_not_sent),
		cmocka_unit_test(t3_never_before_t2),
		cmocka_unit_test(interleaved_mode),
		cmocka_unit_test(no_interleaved_mode),
		cmocka_unit_test(across_the_era),
		cmocka_unit_test(random_replies),
		cmocka_unit_test(random_bits_are_used),
		cmocka_unit_test(pushes_are_checked),
		cmocka_unit_test(any_bits_are_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
