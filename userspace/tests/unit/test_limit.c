// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Rate limits: what a bucket allows by the definition of a token bucket, what a flood
 * from everywhere does to regular clients, and the table under several threads.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <ntpk/ntp_limit.h>
#include <ntpk/ntp_math.h>

#define S		1000000000LL
#define START_NS	(1000 * S)
/* After which the time of a bucket repeats. */
#define WRAP_NS		((int64_t)1 << (NTP_LIMIT_TIME_BITS + NTP_LIMIT_UNIT_LOG2NS))

struct table {
	struct ntp_limit_line *lines;
	uint32_t n;
};

static struct table table(uint32_t clients)
{
	struct table t = { .n = ntp_limit_lines(clients) };

	t.lines = aligned_alloc(64, t.n * sizeof(t.lines[0]));
	assert_non_null(t.lines);
	memset(t.lines, 0, t.n * sizeof(t.lines[0]));
	return t;
}

static struct ntp_limit limit(int interval_log2s, unsigned int burst, unsigned int nat)
{
	struct ntp_limit l = {
		.interval_log2s = (__s8)interval_log2s,
		.burst = (__u8)burst,
		.nat = (__u8)nat,
		.prefix_v4 = 32,
		.prefix_v6 = 64,
	};

	ntp_limit_complete(&l);
	return l;
}

static uint64_t hash(uint64_t who)
{
	__u64 state = who * 0x9e3779b97f4a7c15ULL;

	return ntp_noise(&state);
}

static bool take(struct table *t, uint64_t who, int64_t now_ns, const struct ntp_limit *l)
{
	return ntp_limit_take(t->lines, t->n, hash(who), now_ns, l);
}

static unsigned int take_many(struct table *t, uint64_t who, int64_t now_ns,
			      const struct ntp_limit *l, unsigned int n)
{
	unsigned int took = 0;

	while (n--)
		took += take(t, who, now_ns, l);
	return took;
}

static void test_burst_and_refill(void **state)
{
	struct ntp_limit l = limit(3, 16, 1);
	struct table t = table(1024);
	int64_t now_ns = START_NS;

	(void)state;
	assert_int_equal(take_many(&t, 1, now_ns, &l, 100), 16);
	/* refusals cost nothing: one interval later there is one, and not two */
	assert_int_equal(take_many(&t, 1, now_ns + 8 * S - S / 100, &l, 9), 0);
	assert_int_equal(take_many(&t, 1, now_ns + 8 * S + S / 100, &l, 9), 1);
	/* never more than the burst, however long it was silent */
	assert_int_equal(take_many(&t, 1, now_ns + 100000 * S, &l, 100), 16);
	/* nobody else is concerned */
	assert_int_equal(take_many(&t, 2, now_ns, &l, 100), 16);
	free(t.lines);
}

/* Every interval from 2^-12 to 2^12 s lets through what it says, within 1 %. */
static void test_rates(void **state)
{
	int i;

	(void)state;
	for (i = -12; i <= 12; i++) {
		struct ntp_limit l = limit(i, 1, 1);
		struct table t = table(1024);
		int64_t interval_ns = i < 0 ? S >> -i : S << i, now_ns = START_NS;
		unsigned int took = 0, n;

		for (n = 0; n < 10000; n++, now_ns += interval_ns / 10)
			took += take(&t, 7, now_ns, &l);
		assert_in_range(took, 900, 1010);
		free(t.lines);
	}
}

/* Eight requests two seconds apart, and then one in 64 s, is how clients begin. */
static void test_iburst_never_trips(void **state)
{
	struct ntp_limit l = limit(3, 16, 1);
	struct table t = table(1024);
	int64_t now_ns = START_NS;
	unsigned int i, restart;

	(void)state;
	for (restart = 0; restart < 2; restart++) {
		for (i = 0; i < 8; i++, now_ns += 2 * S)
			assert_true(take(&t, 1, now_ns, &l));
	}
	for (i = 0; i < 1000; i++, now_ns += 64 * S)
		assert_true(take(&t, 1, now_ns, &l));
	free(t.lines);
}

static void test_nat(void **state)
{
	struct ntp_limit one = limit(3, 16, 1), many = limit(3, 16, 100);
	struct table t = table(1024);

	(void)state;
	assert_int_equal(take_many(&t, 1, START_NS, &many, 9999), 1600);
	assert_int_equal(take_many(&t, 1, START_NS + 8 * S + S / 100, &many, 9999), 100);
	/* another limit is another bucket, once its kind is hashed */
	assert_int_not_equal(one.kind, many.kind);
	free(t.lines);
}

static void test_who(void **state)
{
	static const __be32 words[4] = { 0, 0, 0, 0 };
	struct ntp_limit l = limit(3, 16, 1);
	struct ntp_acl_addr a = ntp_acl_addr_v6(words);

	(void)state;
	l.prefix_v4 = 24;
	assert_int_equal(ntp_limit_who(&l, ntp_acl_addr_v4(0xc00002fe), false).hi >> 32,
			 0xc0000200);
	a.hi = 0x20010db800000001ULL;
	a.lo = 77;
	assert_int_equal(ntp_limit_who(&l, a, true).hi, a.hi);
	assert_int_equal(ntp_limit_who(&l, a, true).lo, 0);
}

/*
 * Far more forged sources than there are buckets, and regular clients that begin
 * anew among them: who asks as one may is answered but for one in a thousand.
 */
static void test_flood_locks_nobody_out(void **state)
{
	struct ntp_limit l = limit(3, 16, 1);
	struct table t = table(4096);
	unsigned int round, i, refused = 0, asked = 0;
	int64_t now_ns = START_NS;
	uint64_t forged = 1000000;

	(void)state;
	for (round = 0; round < 100; round++, now_ns += 16 * S) {
		for (i = 0; i < 20000; i++)
			take(&t, forged++, now_ns + i, &l);
		for (i = 0; i < 1000; i++, asked++)
			refused += !take(&t, i, now_ns + 20000, &l);
	}
	assert_true(refused * 1000 <= asked);
	free(t.lines);
}

/* Who asks too much keeps his bucket, whatever comes from elsewhere. */
static void test_flood_hides_nobody(void **state)
{
	struct ntp_limit l = limit(3, 16, 1);
	struct table t = table(64);
	unsigned int i, took = 0;
	uint64_t forged = 1000000;

	(void)state;
	for (i = 0; i < 10000; i++) {
		take(&t, forged++, START_NS + i, &l);
		took += take(&t, 5, START_NS + i, &l);
	}
	assert_in_range(took, 16, 40);
	free(t.lines);
}

static void test_time_wraps(void **state)
{
	struct ntp_limit l = limit(3, 16, 1), longest = limit(12, 255, 1);
	int64_t now_ns = 3 * WRAP_NS - 4 * S;
	struct table t = table(1024);

	(void)state;
	assert_int_equal(take_many(&t, 1, now_ns, &l, 100), 16);
	assert_int_equal(take_many(&t, 1, now_ns + 8 * S + S / 100, &l, 100), 1);
	/* all of its time behind or before the wrap counts as long past */
	assert_int_equal(take_many(&t, 1, now_ns + WRAP_NS / 2, &l, 100), 16);
	assert_int_equal(take_many(&t, 1, now_ns + WRAP_NS * 3 / 2 - 1000 * S, &l, 100), 16);
	assert_true(longest.span < NTP_LIMIT_SPAN_MAX);
	assert_int_equal(take_many(&t, 2, now_ns, &longest, 1000), 255);
	assert_int_equal(take_many(&t, 2, now_ns + 4097 * S, &longest, 1000), 1);
	free(t.lines);
}

static void test_over(void **state)
{
	struct ntp_limit l = limit(3, 16, 1);
	unsigned int got[3] = { 0 }, i;
	__u64 noise = 1;

	(void)state;
	for (i = 0; i < 1000; i++)
		assert_int_equal(ntp_limit_over(&l, ntp_noise(&noise)), NTP_LIMIT_SILENCE);
	l.leak_log2 = 2;
	l.kod_log2 = 3;
	for (i = 0; i < 100000; i++)
		got[ntp_limit_over(&l, ntp_noise(&noise))]++;
	assert_in_range(got[NTP_LIMIT_ANSWER], 24000, 26000);
	/* one in eight of the rest */
	assert_in_range(got[NTP_LIMIT_KOD], 8900, 9900);
}

static void test_pace(void **state)
{
	__s64 at_ns = 0, now_ns = START_NS;
	unsigned int i, went = 0;

	(void)state;
	for (i = 0; i < 1000; i++)
		went += ntp_pace(&at_ns, now_ns, S / 100, 10);
	assert_int_equal(went, 10);
	for (went = 0, i = 0; i < 10000; i++)
		went += ntp_pace(&at_ns, now_ns += S / 1000, S / 100, 10);
	assert_in_range(went, 999, 1001);
}

static void test_lines(void **state)
{
	(void)state;
	assert_int_equal(sizeof(struct ntp_limit_line), 64);
	assert_int_equal(ntp_limit_lines(0), 1);
	assert_int_equal(ntp_limit_lines(8), 1);
	assert_int_equal(ntp_limit_lines(9), 2);
	assert_int_equal(ntp_limit_lines(65536), 8192);
	assert_int_equal(ntp_limit_lines(UINT32_MAX), 1U << 29);
}

#define THREADS	4

static struct table shared;

static void *hammer(void *arg)
{
	struct ntp_limit l = limit(3, 255, 1);
	unsigned int *took = arg, i;

	for (i = 0; i < 100000; i++)
		*took += take(&shared, 1, START_NS, &l);
	return NULL;
}

/* What two writers meet in is counted at least once. */
static void test_threads(void **state)
{
	unsigned int took[THREADS] = { 0 }, sum = 0, i;
	pthread_t id[THREADS];

	(void)state;
	shared = table(8);
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&id[i], NULL, hammer, &took[i]), 0);
	for (i = 0; i < THREADS; i++) {
		pthread_join(id[i], NULL);
		sum += took[i];
	}
	assert_in_range(sum, 255, 255 * THREADS);
	free(shared.lines);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_burst_and_refill),
		cmocka_unit_test(test_rates),
		cmocka_unit_test(test_iburst_never_trips),
		cmocka_unit_test(test_nat),
		cmocka_unit_test(test_who),
		cmocka_unit_test(test_flood_locks_nobody_out),
		cmocka_unit_test(test_flood_hides_nobody),
		cmocka_unit_test(test_time_wraps),
		cmocka_unit_test(test_over),
		cmocka_unit_test(test_pace),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
