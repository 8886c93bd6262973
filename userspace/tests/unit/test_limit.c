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

static struct table table_at(uint32_t clients, int64_t now_ns)
{
	struct table t = { .n = ntp_limit_lines(clients) };

	t.lines = aligned_alloc(64, t.n * sizeof(t.lines[0]));
	assert_non_null(t.lines);
	ntp_limit_init(t.lines, t.n, now_ns);
	return t;
}

static struct table table(uint32_t clients)
{
	return table_at(clients, START_NS);
}

static struct ntp_limit limit(int interval_log2s, unsigned int burst, unsigned int nat)
{
	struct ntp_limit l = {
		.interval_log2s = (__s8)interval_log2s,
		.burst = burst,
		.nat = nat,
		.prefix_v4 = 32,
		.prefix_v6 = 64,
	};

	assert_true(ntp_limit_complete(&l));
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
	/* another limit is another table */
	assert_int_not_equal(one.kind, many.kind);
	free(t.lines);
}

/* What cannot be counted well is refused, and everything else is exact to a 32nd. */
static void test_costs(void **state)
{
	struct ntp_limit l = { .burst = 1 };
	double want;
	int i;

	(void)state;
	for (i = -12; i <= 12; i++) {
		for (l.nat = 1; l.nat <= NTPK_LIMIT_NAT_MAX; l.nat += 1 + l.nat / 16) {
			l.interval_log2s = (__s8)i;
			want = (i < 0 ? (double)S / (1 << -i) : (double)S * (1 << i)) / l.nat;
			assert_true(ntp_limit_complete(&l) == (want >= 32 * 4096));
			if (l.cost >= NTP_LIMIT_COST_MIN)
				assert_true(want / (double)(l.cost << NTP_LIMIT_UNIT_LOG2NS) < 1.04);
		}
	}
	l.interval_log2s = -12;
	l.nat = 1;
	assert_true(ntp_limit_complete(&l));
	assert_true((double)S / NTPK_LIMIT_PER_S_MAX >= 32 * 4096);
	assert_true((double)S / (NTPK_LIMIT_PER_S_MAX + 1) < 32 * 4096);
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

/* Days since the machine began: buckets of another age must not look as if used. */
static const int64_t uptimes[] = { 0, 7, 35, 40, 45, 50, 52, 95, 100, 1000 };

#define DAY	(86400 * S)

/*
 * Far more forged sources than there are buckets, and regular clients that begin
 * anew among them: who asks as one may is answered but for one in a thousand.
 */
static void flood_locks_nobody_out(int64_t now_ns)
{
	/* one at once: whoever took over anything of a forged one would be refused */
	struct table t = table_at(4096, now_ns);
	struct ntp_limit l = limit(3, 1, 1);
	unsigned int round, i, refused = 0, asked = 0;
	uint64_t forged = 1000000;

	for (round = 0; round < 20; round++, now_ns += 16 * S) {
		for (i = 0; i < 20000; i++)
			take(&t, forged++, now_ns + i, &l);
		for (i = 0; i < 1000; i++, asked++)
			refused += !take(&t, i, now_ns + 20000, &l);
	}
	assert_true(refused * 1000 <= asked);
	free(t.lines);
}

static void test_flood_locks_nobody_out(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(uptimes) / sizeof(uptimes[0]); i++)
		flood_locks_nobody_out(uptimes[i] * DAY + START_NS);
}

/* Who asks too much keeps his bucket, whatever comes from elsewhere. */
static void flood_hides_nobody(struct table *t, int64_t now_ns)
{
	struct ntp_limit l = limit(3, 16, 1);
	unsigned int i, took = 0;
	uint64_t forged = 1000000;

	for (i = 0; i < 10000; i++) {
		take(t, forged++, now_ns + i, &l);
		took += take(t, 5, now_ns + i, &l);
	}
	assert_in_range(took, 16, 40);
}

static void test_flood_hides_nobody(void **state)
{
	struct table t, old = table_at(64, 0);
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(uptimes) / sizeof(uptimes[0]); i++) {
		t = table_at(64, uptimes[i] * DAY);
		flood_hides_nobody(&t, uptimes[i] * DAY + S);
		free(t.lines);
		/* a table that was used, and then not for long */
		flood_hides_nobody(&old, uptimes[i] * DAY + 3600 * S);
	}
	/* where what is zero would be a time to come */
	t = table_at(8, WRAP_NS - 64 * S);
	flood_hides_nobody(&t, WRAP_NS - 64 * S);
	free(t.lines);
	free(old.lines);
}

/* Another CPU read the clock a moment earlier, and comes later. */
static void test_clock_is_late(void **state)
{
	struct ntp_limit l = limit(3, 16, 1);
	int64_t at[] = { START_NS, 3 * WRAP_NS, 3 * WRAP_NS + 100 };
	int64_t late[] = { 1, 5000, 1000000, S / 2 };
	size_t i, j;

	(void)state;
	for (i = 0; i < 3; i++) {
		for (j = 0; j < 4; j++) {
			struct table t = table_at(1024, at[i]);

			assert_int_equal(take_many(&t, 1, at[i], &l, 100), 16);
			assert_int_equal(take_many(&t, 1, at[i] - late[j], &l, 100), 0);
			assert_int_equal(take_many(&t, 1, at[i], &l, 100), 0);
			free(t.lines);
		}
	}
}

/* A bucket by its definition: full again at so many units, and what one may take. */
static bool take_by_definition(uint64_t *full_at, int64_t now_ns, const struct ntp_limit *l)
{
	uint64_t now = (uint64_t)now_ns >> NTP_LIMIT_UNIT_LOG2NS;
	uint64_t from = *full_at > now ? *full_at : now;

	if (from + l->cost - now > l->span)
		return false;
	*full_at = from + l->cost;
	return true;
}

/*
 * As many as a line holds, each with a tag of its own and all with one place: the first
 * is found there, the others are looked for.  What they may does not depend on it.
 */
static void test_wherever_it_is(void **state)
{
	struct ntp_limit l = limit(3, 16, 1);
	uint64_t full_at[NTP_LIMIT_WAYS] = { 0 };
	int64_t now_ns = 2 * WRAP_NS - 1000 * S, edge;
	struct table t = table_at(1024, now_ns);
	const ntp_limit_bucket *place = &t.lines[77 / NTP_LIMIT_WAYS].bucket[77 % NTP_LIMIT_WAYS];
	unsigned int i, n, took = 0;
	__u64 noise = 1, who;

	(void)state;
	assert_true(ntp_limit_take(t.lines, t.n, 1ULL << NTP_LIMIT_TIME_BITS | 77, 0, &l));
	assert_int_equal(*place & NTP_LIMIT_TAG_MASK, 1);
	for (n = 0; n < 20000; n++) {
		i = ntp_noise(&noise) % NTP_LIMIT_WAYS;
		who = (uint64_t)(i + 1) << NTP_LIMIT_TIME_BITS | 77;
		/* when there is room for one, and a unit before and after */
		edge = (int64_t)(full_at[i] + l.cost - l.span + ntp_noise(&noise) % 3) - 1;
		if (edge > now_ns >> NTP_LIMIT_UNIT_LOG2NS)
			now_ns = edge << NTP_LIMIT_UNIT_LOG2NS;
		if (take_by_definition(&full_at[i], now_ns, &l)) {
			assert_true(ntp_limit_take(t.lines, t.n, who, now_ns, &l));
			took++;
		} else {
			assert_false(ntp_limit_take(t.lines, t.n, who, now_ns, &l));
		}
	}
	assert_in_range(took, 10000, 19999);
	free(t.lines);
}

/* One whose tag is 0, in its place; and long after it was seen last. */
static void test_tag_of_zero(void **state)
{
	struct ntp_limit l = limit(3, 16, 1);
	struct table t = table_at(1024, START_NS);
	int64_t now_ns = START_NS;
	uint64_t full_at = 0;
	__u64 noise = 1;
	unsigned int n, took = 0;

	(void)state;
	for (n = 0; n < 20000; n++) {
		int64_t edge = (int64_t)(full_at + l.cost - l.span + ntp_noise(&noise) % 3) - 1;
		bool may;

		if (edge > now_ns >> NTP_LIMIT_UNIT_LOG2NS)
			now_ns = edge << NTP_LIMIT_UNIT_LOG2NS;
		may = take_by_definition(&full_at, now_ns, &l);
		took += may;
		assert_int_equal(ntp_limit_take(t.lines, t.n, 77, now_ns, &l), may);
	}
	assert_in_range(took, 10000, 19999);
	free(t.lines);
}

/* A table has room for as many as it says, each of whom is known when it comes again. */
static void test_all_of_it_is_used(void **state)
{
	struct ntp_limit l = limit(3, 1, 1);
	struct table t = table(1024);
	uint64_t i, who;
	int again;

	(void)state;
	for (again = 0; again < 2; again++)
		for (i = 0; i < 1024; i++) {
			who = (i + 1) << NTP_LIMIT_TIME_BITS | i;
			assert_int_equal(ntp_limit_take(t.lines, t.n, who, START_NS, &l), !again);
		}
	free(t.lines);
}

static void test_time_wraps(void **state)
{
	struct ntp_limit l = limit(3, 16, 1), longest = limit(12, 255, 1);
	int64_t now_ns = 3 * WRAP_NS - 4 * S;
	struct table t = table_at(1024, now_ns);

	(void)state;
	assert_int_equal(take_many(&t, 1, now_ns, &l, 100), 16);
	assert_int_equal(take_many(&t, 1, now_ns + 8 * S + S / 100, &l, 100), 1);
	/* all of its time behind or before the wrap counts as long past */
	assert_int_equal(take_many(&t, 1, now_ns + WRAP_NS / 2, &l, 100), 16);
	assert_int_equal(take_many(&t, 1, now_ns + WRAP_NS * 3 / 2 - 1000 * S, &l, 100), 16);
	assert_true(longest.span < NTP_LIMIT_TIME_MASK / 4);
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

/* What nobody could have written is no reason to wait for it. */
static void test_pace_recovers(void **state)
{
	__s64 at_ns = START_NS + 4 * S;

	(void)state;
	assert_true(ntp_pace(&at_ns, START_NS, S / 100, 10));
	assert_int_equal(at_ns, START_NS + S / 100);
	assert_false(ntp_pace(&at_ns, START_NS, S / 100, 10));
	at_ns = INT64_MIN;
	assert_true(ntp_pace(&at_ns, 0, S, 64));
}

#define THREADS	4
#define ROUNDS	200000

static struct table shared;
static int64_t shared_now_ns;

/* All ask as one client, twice as often as it may. */
static void *hammer(void *arg)
{
	struct ntp_limit l = limit(-6, 16, 1);
	unsigned int *took = arg, i;
	int64_t now_ns;

	for (i = 0; i < ROUNDS; i++) {
		now_ns = __atomic_add_fetch(&shared_now_ns, S / 128, __ATOMIC_RELAXED);
		*took += take(&shared, 1, now_ns, &l);
	}
	return NULL;
}

/*
 * Where two write at once one of them tries again: what is allowed is that, and a little
 * for those that meet twice, on as many CPUs as there are.
 */
static void test_threads(void **state)
{
	unsigned int took[THREADS] = { 0 }, sum = 0, i;
	const unsigned int allowed = THREADS * ROUNDS / 2 + 16;
	pthread_t id[THREADS];

	(void)state;
	shared_now_ns = START_NS;
	shared = table(8);
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&id[i], NULL, hammer, &took[i]), 0);
	for (i = 0; i < THREADS; i++) {
		pthread_join(id[i], NULL);
		sum += took[i];
	}
	print_message("%u of %u, which is %.4f\n", sum, allowed, sum / (double)allowed);
	assert_true(sum < allowed + allowed / 50);
	free(shared.lines);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_burst_and_refill),
		cmocka_unit_test(test_rates),
		cmocka_unit_test(test_iburst_never_trips),
		cmocka_unit_test(test_nat),
		cmocka_unit_test(test_costs),
		cmocka_unit_test(test_who),
		cmocka_unit_test(test_flood_locks_nobody_out),
		cmocka_unit_test(test_flood_hides_nobody),
		cmocka_unit_test(test_clock_is_late),
		cmocka_unit_test(test_wherever_it_is),
		cmocka_unit_test(test_tag_of_zero),
		cmocka_unit_test(test_all_of_it_is_used),
		cmocka_unit_test(test_time_wraps),
		cmocka_unit_test(test_over),
		cmocka_unit_test(test_pace),
		cmocka_unit_test(test_pace_recovers),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
