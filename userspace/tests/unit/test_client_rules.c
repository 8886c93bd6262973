// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How requests change a client's record, by hand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "client_world.h"

/* Who is not answered does not follow us, whatever its clock does. */
static void test_unanswered(void **state)
{
	struct ntp_client_record r;

	(void)state;
	ntp_client_init(&r.client, &r.rest);
	for (int i = 0; i < 40; i++) {
		struct ntp_client_req q = request(i * 64);

		q.verdict = NTP_CLIENT_LIMITED;
		q.t1 += i < 20 ? 500ULL << 32 : 0;
		feed(&r, &q);
		assert_int_equal(ntp_client_follows(&r.client), NTP_CLIENT_FOLLOWS_UNKNOWN);
		assert_int_equal(!!(r.client.flags & NTP_CLIENT_F_JUMPED), i >= 20);
	}
}

/* As long as we do not know the time, nothing is known of theirs. */
static void test_unsynchronised(void **state)
{
	struct ntp_client_record r;

	(void)state;
	ntp_client_init(&r.client, &r.rest);
	for (int i = 0; i < 20; i++) {
		struct ntp_client_req q = request(i * 64);

		q.verdict = i < 10 ? NTP_CLIENT_UNSYNC : NTP_CLIENT_ANSWERED;
		q.t2 += i < 10 ? 5000ULL << 32 : 0;
		feed(&r, &q);
		assert_int_equal(view_at(&r, i * 64, NULL).has_error, i >= 10);
	}
	assert_false(r.client.flags & NTP_CLIENT_F_JUMPED);
	assert_int_equal(r.client.requests, 20);
}

/* A clock that is always right has nothing to show but that: after long it is no chance. */
static void test_always_right(void **state)
{
	struct ntp_client_record r;

	(void)state;
	ntp_client_init(&r.client, &r.rest);
	for (int i = 0; i < 300; i++) {
		struct ntp_client_req q = request(i * 64);

		feed(&r, &q);
		if (i < 200) {
			assert_int_equal(ntp_client_follows(&r.client), NTP_CLIENT_FOLLOWS_UNKNOWN);
			assert_false(view_at(&r, i * 64, NULL).has_drift);
		}
	}
	assert_int_equal(ntp_client_follows(&r.client), NTP_CLIENT_FOLLOWS);
}

/* The highest d counts, and is forgotten slowly. */
static void test_highest(void **state)
{
	struct ntp_client_record r;
	int32_t high = 0;

	(void)state;
	ntp_client_init(&r.client, &r.rest);
	for (int i = 0; i < 60; i++) {
		struct ntp_client_req q = request(i * 64);
		unsigned int delay = i == 9 ? 20 : i % 2 ? 50 : 40;

		q.t1 -= i ? delay << 22 : 500ULL << 32;
		feed(&r, &q);
		if (i == 9)
			high = r.rest.point[0].d;
		if (i > 9)
			assert_in_range(high - r.rest.point[0].d, (i - 9) * 20, (i - 9) * 800);
	}
	assert_int_equal(r.client.points, 1);
	assert_true(high - r.rest.point[0].d < 20 << 10);
}

/* A hull that leans on what is long ago does not say more than its last point allows. */
static void test_last_bounds(void **state)
{
	struct ntp_client_record r = {
		.client = {
			.t1_class = NTP_CLIENT_T1_NTP, .points = 3, .requests = 3, .interval = 500,
			.flags = NTP_CLIENT_FOLLOWS_NOT | NTP_CLIENT_F_FRACTION | NTP_CLIENT_F_FINE,
		},
		.rest.point = { { 0, 0 }, { 600, 0 }, { 1000, -(1 << 17) } },
	};
	struct client_view v = view_at(&r, 0, NULL);

	(void)state;
	assert_true(fabs(v.error_ns - (-125e6 + CLIENT_VIEW_DELAY_MAX_NS)) < 1);
}

static void test_duplicates(void **state)
{
	struct ntp_client_record r, before;
	struct ntp_client_req q;

	(void)state;
	ntp_client_init(&r.client, &r.rest);
	for (int i = 0; i < 20; i++) {
		q = request(i * 64);
		feed(&r, &q);
		before = r;
		q.now_ns += 30000000;
		q.t2 += 0x8000000;
		feed(&r, &q);
		assert_int_equal(r.client.requests, before.client.requests + 1);
		before.client.requests++;
		before.client.fast_run = r.client.fast_run;
		assert_memory_equal(&r, &before, sizeof(r));
		/* the table may have no skim */
		ntp_client_update(&r.client, &r.rest, &q);
	}
	assert_int_equal(r.client.t1_class, NTP_CLIENT_T1_NTP);
	assert_false(r.client.flags & (NTP_CLIENT_F_REPEATS | NTP_CLIENT_F_JUMPED));
}

static void test_clock_is_late(void **state)
{
	struct ntp_client_record r;
	struct ntp_client_req q = request(64), late = request(60);

	(void)state;
	ntp_client_init(&r.client, &r.rest);
	ntp_client_update(&r.client, &r.rest, &q);
	late.t1 = q.t1 + 1;
	late.t2 = q.t2 + 1;
	ntp_client_update(&r.client, &r.rest, &late);
	assert_int_equal(r.client.last, ntp_client_tick(q.now_ns));
	assert_int_equal(r.client.requests, 2);
	assert_true(r.client.interval < 2);
	/* a record that nothing is in yet is not one of somebody who asked just now */
	assert_false(ntp_client_skim(&(struct ntp_client){ 0 }, 5, NTP_CLIENT_ANSWERED));
	late.now_ns = q.now_ns - 200000000;
	assert_true(ntp_client_skim(&r.client, late.now_ns, NTP_CLIENT_ANSWERED));
	assert_int_equal(r.client.last, ntp_client_tick(q.now_ns));
}

static void test_counters(void **state)
{
	struct ntp_client_req q = request(0);
	struct ntp_client_record r;

	(void)state;
	ntp_client_init(&r.client, &r.rest);
	for (unsigned int i = 0; i < 12; i++) {
		q = request(i * 64);
		q.verdict = i % 4 == 3 ? NTP_CLIENT_LIMITED : i % 4 == 2 ? NTP_CLIENT_DENIED :
			    NTP_CLIENT_ANSWERED;
		feed(&r, &q);
	}
	assert_int_equal(r.client.requests, 12);
	assert_int_equal(r.client.dropped, 6);
	assert_int_equal(view_at(&r, 11 * 64, NULL).answered, 6);
	assert_int_equal(view_at(&r, 11 * 64 + 10, NULL).last_ago_ns / 1000000000, 9);
	r.client.requests = UINT32_MAX - 1;
	r.client.dropped = UINT32_MAX - 1;
	for (unsigned int i = 20; i < 400; i++) {
		q = request(i * 2);
		q.verdict = NTP_CLIENT_ANSWERED;
		feed(&r, &q);
		q.now_ns += 100000000;
		q.verdict = NTP_CLIENT_LIMITED;
		feed(&r, &q);
	}
	assert_int_equal(r.client.requests, UINT32_MAX);
	assert_int_equal(r.client.dropped, UINT32_MAX);
	assert_int_equal(r.client.fast_run, 0xff);
	/* long silence */
	q = request(400 * 86400);
	feed(&r, &q);
	assert_true(r.client.interval < 0xffff / 4);
	q = request(800 * 86400);
	q.verdict = NTP_CLIENT_DENIED;
	feed(&r, &q);
	assert_int_equal(r.client.since, NTP_CLIENT_SINCE_MAX);
}

/* Between requests that come faster than they are looked at, too. */
static void test_interval(void **state)
{
	static const double every_s[] = { 0.1, 0.7, 2, 64, 40000 };

	(void)state;
	for (int i = 0; i < 5; i++) {
		struct ntp_client_record r;

		ntp_client_init(&r.client, &r.rest);
		for (int j = 0; j < 200; j++) {
			struct ntp_client_req q = request(j * every_s[i]);

			feed(&r, &q);
			if (!j)
				assert_true(view_at(&r, 0, NULL).interval_ns < 0);
		}
		assert_true(fabs(view_at(&r, 0, NULL).interval_ns / 1e9 / every_s[i] - 1) < 0.1);
	}
}

/* One of each way to make milliseconds, and what is none. */
static void test_quantum(void **state)
{
	static const struct {
		uint32_t fraction[3];
		double	 quantum_ns;
	} rows[] = {
		{ { 0, 0, 0 }, 1e9 },
		{ { 4294967, 8589934, 536870912 }, 1e6 },	/* cut down */
		{ { 4294968, 8589935, 536870913 }, 1e6 },	/* rounded up */
		{ { 4294967, 999u * 4294967, 500u * 4294967 }, 1e6 },
		{ { 0, 4294967296 / 4, 4294967296 / 8 }, 1e6 },	/* 0.125 s */
		{ { 0, 4294967296 / 64, 0 }, 0 },
		{ { 4294967, 4294967 + 43000, 0 }, 0 },		/* ten microseconds more */
		{ { 0xffffffff, 0, 0 }, 1e6 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ntp_client_record r;

		ntp_client_init(&r.client, &r.rest);
		for (int j = 0; j < 3; j++) {
			struct ntp_client_req q = request(j * 64);

			q.t1 = (q.t1 & ~0xffffffffULL) | rows[i].fraction[j];
			feed(&r, &q);
		}
		assert_true(view_at(&r, 200, NULL).quantum_ns == rows[i].quantum_ns);
	}
}

/* A client that is disciplined and tells when it got the answer, as ntpd does. */
static void test_told_rtt(void **state)
{
	struct world w = { .utc0_s = UTC0_S };
	const double up = 3e-3, down = 5e-3, error = 0.0412345;
	struct client_view v;
	struct ntp_client_record r;

	(void)state;
	ntp_client_init(&r.client, &r.rest);
	for (int i = 0; i < 20; i++) {
		double s = i * 64.0, jitter = i % 4 * 1e-3;
		struct ntp_client_req q = {
			.now_ns = (int64_t)((MONO0_S + s) * 1e9),
			.t1 = world_ntp64(&w, s - up - jitter + error),
			.t2 = world_ntp64(&w, s),
			.head = 0x23 | (uint32_t)NTP_CLIENT_HAS_ORG_TS << 24,
		};

		if (i) {
			q.org = world_ntp64(&w, s - 64 + 20e-6);
			q.rec = world_ntp64(&w, s - 64 + 20e-6 + down + error);
		}
		feed(&r, &q);
	}
	assert_in_range(r.rest.rtt, 8 * 65536 / 1000, 8 * 65536 / 1000 + 2);
	v = view_at(&r, 20 * 64, NULL);
	assert_true(fabs(v.error_ns - error * 1e9) < 2e6);
	assert_true(v.error_unc_ns <= CLIENT_VIEW_DELAY_MAX_NS);
	/* the answer to another request is not one to this */
	ntp_client_init(&r.client, &r.rest);
	for (int i = 0; i < 20; i++) {
		struct ntp_client_req q = request(i * 64);

		q.org = q.t2 - (128ULL << 32);
		q.rec = q.org + (q.t1 - q.t2) + (1 << 24);
		feed(&r, &q);
	}
	assert_int_equal(r.rest.rtt, 0);
}

/* A constant that by chance looked like a clock does so for one request more. */
static void test_constant_looks_right(void **state)
{
	struct ntp_client_record r;

	(void)state;
	ntp_client_init(&r.client, &r.rest);
	for (int i = 0; i < 3; i++) {
		struct ntp_client_req q = request(i * 1024);

		q.t1 = request(0).t1;
		feed(&r, &q);
		assert_int_equal(r.client.t1_class, i < 2 ? NTP_CLIENT_T1_NTP : NTP_CLIENT_T1_CONSTANT);
	}
}

/* A jitter of a second and more may be of any size, and so may be what it hides. */
static void test_jitter_unknown(void **state)
{
	struct ntp_client_record r = {
		.client = {
			.t1_class = NTP_CLIENT_T1_NTP, .points = 1, .requests = 40, .interval = 60000,
			.flags = NTP_CLIENT_FOLLOWS | NTP_CLIENT_F_FRACTION | NTP_CLIENT_F_FINE,
			.near_run = 30, .jitter = 0xfff0,
		},
		.rest.point = { { 86400 * 15, 1 << 20 } },
	};

	(void)state;
	assert_true(view_at(&r, 0, NULL).has_drift);
	r.client.jitter = 0xffff;
	assert_false(view_at(&r, 0, NULL).has_drift);
}

/* One T1 that does not fit makes no other class, and two of one kind do. */
static void test_stray(void **state)
{
	struct ntp_client_req q;
	struct ntp_client_record r;

	(void)state;
	ntp_client_init(&r.client, &r.rest);
	for (int i = 0; i < 60; i++) {
		q = request(i * 64);
		q.t1 += 100ULL << 32;
		if (i % 10 == 9)
			q.t1 ^= 0x5a5a5a5a00000000ULL;
		feed(&r, &q);
		assert_int_equal(r.client.t1_class, NTP_CLIENT_T1_NTP);
		assert_true(view_at(&r, i * 64, NULL).error_ns < 101e9);
	}
	assert_false(r.client.flags & NTP_CLIENT_F_JUMPED);
}

/* A datagram that comes twice is not a client that asks for the same again. */
static void test_again(void **state)
{
	struct ntp_client_req q;
	struct ntp_client_record r;
	__u64 noise = 3;

	(void)state;
	ntp_client_init(&r.client, &r.rest);
	for (int i = 0; i < 40; i++) {
		q = request(i * 64);
		q.t1 = ntp_noise(&noise);
		ntp_client_update(&r.client, &r.rest, &q);
		q.now_ns += 500000000;
		ntp_client_update(&r.client, &r.rest, &q);
		assert_int_equal(r.client.t1_class, i ? NTP_CLIENT_T1_RANDOM : NTP_CLIENT_T1_UNKNOWN);
	}
	assert_false(r.client.flags & NTP_CLIENT_F_REPEATS);
	for (int i = 0; i < 5; i++) {
		q.now_ns += 2000000000;
		q.t2 += 2ULL << 32;
		feed(&r, &q);
		assert_int_equal(r.client.t1_class, i < 3 ? NTP_CLIENT_T1_RANDOM :
						     NTP_CLIENT_T1_CONSTANT);
		assert_true(r.client.flags & NTP_CLIENT_F_REPEATS);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unanswered),
		cmocka_unit_test(test_unsynchronised),
		cmocka_unit_test(test_always_right),
		cmocka_unit_test(test_highest),
		cmocka_unit_test(test_last_bounds),
		cmocka_unit_test(test_duplicates),
		cmocka_unit_test(test_clock_is_late),
		cmocka_unit_test(test_counters),
		cmocka_unit_test(test_interval),
		cmocka_unit_test(test_quantum),
		cmocka_unit_test(test_told_rtt),
		cmocka_unit_test(test_constant_looks_right),
		cmocka_unit_test(test_jitter_unknown),
		cmocka_unit_test(test_stray),
		cmocka_unit_test(test_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
