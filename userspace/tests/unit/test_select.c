// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Selection: tables of who must win, and properties over random sources.
 */
#include <core/rng.h>
#include <core/select.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define MS	1000000LL
#define SOURCES	64

static const struct select_policy usual = {
	.max_distance_ns = 3000 * MS,
	.min_sources = 1,
	.syspeer = ENGINE_NO_SOURCE,
};

static void run(struct select_source *s, size_t n, const struct select_policy *policy,
		struct select_result *out)
{
	static int64_t edges[2 * SOURCES];
	static struct select_source *rows[2][SOURCES];
	const struct select_work work = { edges, rows[0], rows[1] };

	assert_in_range(n, 0, SOURCES);
	select_run(s, n, policy, &work, out);
}

static struct select_source src(uint32_t id, int64_t offset_ns, int64_t dist_ns)
{
	return (struct select_source){
		.id = id, .stratum = 2, .offset_ns = offset_ns, .jitter_ns = MS / 10,
		.root_dist_ns = dist_ns, .claim_ns = dist_ns, .candidate = true,
	};
}

static void test_none(void **state)
{
	struct select_result r;

	(void)state;
	run(NULL, 0, &usual, &r);
	assert_false(r.selected);
	assert_int_equal(r.syspeer, ENGINE_NO_SOURCE);
}

static void test_one(void **state)
{
	struct select_source s[] = { src(9, 250 * MS, 10 * MS) };
	struct select_result r;

	(void)state;
	run(s, 1, &usual, &r);
	assert_true(r.selected);
	assert_int_equal(r.syspeer, 9);
	assert_int_equal(r.offset_ns, 250 * MS);
	assert_int_equal(s[0].state, SRC_SYSPEER);
	assert_true(s[0].weight == 1);
}

static void test_two_that_disagree(void **state)
{
	struct select_source s[] = { src(1, 0, 10 * MS), src(2, 100 * MS, 10 * MS) };
	struct select_result r;

	(void)state;
	run(s, 2, &usual, &r);
	assert_false(r.selected);
	assert_int_equal(s[0].state, SRC_NO_MAJORITY);
	assert_int_equal(s[1].state, SRC_NO_MAJORITY);
}

static void test_two_false_of_five(void **state)
{
	struct select_source s[] = {
		src(1, 0, 10 * MS), src(2, 50 * MS, 10 * MS), src(3, MS, 10 * MS),
		src(4, 50 * MS, 10 * MS), src(5, -MS, 10 * MS),
	};
	struct select_result r;

	(void)state;
	run(s, 5, &usual, &r);
	assert_true(r.selected);
	assert_int_equal(r.survivors, 3);
	assert_int_equal(s[1].state, SRC_FALSETICKER);
	assert_int_equal(s[3].state, SRC_FALSETICKER);
	assert_true(r.offset_ns > -MS && r.offset_ns < MS);
}

static void test_three_different_false_of_five(void **state)
{
	struct select_source s[] = {
		src(1, 0, 10 * MS), src(2, 50 * MS, 10 * MS), src(3, MS, 10 * MS),
		src(4, 100 * MS, 10 * MS), src(5, -100 * MS, 10 * MS),
	};
	struct select_result r;
	int i;

	(void)state;
	run(s, 5, &usual, &r);
	assert_false(r.selected);
	for (i = 0; i < 5; i++)
		assert_int_equal(s[i].state, SRC_NO_MAJORITY);
}

static void test_majority_of_liars_wins(void **state)
{
	struct select_source s[] = {
		src(1, 0, MS), src(2, 50 * MS, MS), src(3, 50 * MS, MS), src(4, 50 * MS, MS),
	};
	struct select_result r;

	(void)state;
	run(s, 4, &usual, &r);
	assert_true(r.selected);
	assert_int_equal(s[0].state, SRC_FALSETICKER);
	assert_int_equal(r.offset_ns, 50 * MS);
}

static void test_far_source_with_wide_interval(void **state)
{
	struct select_source s[] = { src(1, 0, MS), src(2, 30 * MS, 50 * MS) };
	struct select_result r;

	(void)state;
	run(s, 2, &usual, &r);
	assert_true(r.selected);
	assert_int_equal(r.syspeer, 1);
	assert_true(s[0].weight > 0.9);
	assert_true(r.offset_ns < 2 * MS);
}

/* It may be off by all that it claims, and is right by that: but teaches nobody. */
static void test_wide_one_is_left_out(void **state)
{
	struct select_source s[] = { src(1, 0, 5 * MS), src(2, MS, 5 * MS),
				     src(3, 900 * MS, 1000 * MS), src(4, 10 * MS, 15 * MS) };
	struct select_result r;

	(void)state;
	run(s, 4, &usual, &r);
	assert_int_equal(s[2].state, SRC_OUTLIER);
	assert_int_equal(s[3].state, SRC_SURVIVOR);
	assert_int_equal(r.survivors, 3);
	/* one that claims next to nothing is no measure, nor is what some have grown old */
	s[0].root_dist_ns = s[0].claim_ns = 1;
	s[1].root_dist_ns = 50 * MS;
	run(s, 4, &usual, &r);
	assert_int_equal(s[2].state, SRC_OUTLIER);
	assert_int_equal(r.survivors, 3);
	/* nor are those that have gone: the only one that is there stays */
	run(s, 3, &usual, &r);
	assert_int_equal(r.survivors, 2);
	s[0].stale = s[1].stale = true;
	run(s, 3, &usual, &r);
	assert_int_equal(r.survivors, 3);
	s[0].stale = s[1].stale = false;
	/* the operator's word is above that */
	s[2].flags = SOURCE_F_TRUST;
	s[2].offset_ns = 0;
	run(s, 4, &usual, &r);
	assert_int_equal(s[2].state, SRC_SURVIVOR);
	s[2].flags = SOURCE_F_PREFER;
	run(s, 4, &usual, &r);
	assert_int_equal(s[2].state, SRC_SYSPEER);
	assert_int_equal(r.survivors, 1);
}

static void test_distance_and_candidates(void **state)
{
	struct select_source s[] = { src(1, 0, 4000 * MS), src(2, 0, MS), src(3, 0, MS) };
	struct select_result r;

	(void)state;
	s[1].candidate = false;
	s[1].state = SRC_NOSELECT;
	run(s, 3, &usual, &r);
	assert_int_equal(s[0].state, SRC_DISTANT);
	assert_int_equal(s[1].state, SRC_NOSELECT);
	assert_int_equal(r.syspeer, 3);
	assert_int_equal(r.survivors, 1);
}

static void test_min_sources(void **state)
{
	struct select_policy p = usual;
	struct select_source s[] = { src(1, 0, MS), src(2, 0, MS) };
	struct select_result r;

	(void)state;
	p.min_sources = 3;
	run(s, 2, &p, &r);
	assert_false(r.selected);
	assert_int_equal(s[0].state, SRC_NO_MAJORITY);
	p.min_sources = 2;
	run(s, 2, &p, &r);
	assert_true(r.selected);
}

static void test_prefer(void **state)
{
	struct select_source s[] = { src(1, 0, MS), src(2, MS / 2, 2 * MS), src(3, 0, MS) };
	struct select_result r;

	(void)state;
	s[1].flags = SOURCE_F_PREFER;
	run(s, 3, &usual, &r);
	assert_int_equal(r.syspeer, 2);
	assert_int_equal(r.survivors, 1);
	assert_int_equal(s[0].state, SRC_OUTLIER);
	/* but not when it lies */
	s[1].offset_ns = 100 * MS;
	run(s, 3, &usual, &r);
	assert_int_equal(s[1].state, SRC_FALSETICKER);
	assert_int_equal(r.survivors, 2);
}

static void test_trust(void **state)
{
	struct select_source s[] = { src(1, 50 * MS, MS), src(2, 50 * MS, MS), src(3, 0, MS) };
	struct select_result r;

	(void)state;
	s[2].flags = SOURCE_F_TRUST;
	run(s, 3, &usual, &r);
	assert_int_equal(r.syspeer, 3);
	assert_int_equal(s[0].state, SRC_FALSETICKER);
	assert_int_equal(r.offset_ns, 0);
}

static void test_require(void **state)
{
	struct select_source s[] = { src(1, 0, MS), src(2, 0, MS), src(3, 90 * MS, MS) };
	struct select_result r;

	(void)state;
	s[2].flags = SOURCE_F_REQUIRE;
	run(s, 3, &usual, &r);
	assert_false(r.selected);
	s[1].flags = SOURCE_F_REQUIRE;
	run(s, 3, &usual, &r);
	assert_true(r.selected);
}

static void test_cluster_casts_out(void **state)
{
	struct select_source s[] = {
		src(1, 0, 50 * MS), src(2, MS, 50 * MS), src(3, -MS, 50 * MS), src(4, 30 * MS, 50 * MS),
	};
	struct select_result r;

	(void)state;
	run(s, 4, &usual, &r);
	assert_int_equal(s[3].state, SRC_OUTLIER);
	assert_int_equal(r.survivors, 3);
	assert_true(r.offset_ns < MS && r.offset_ns > -MS);
}

/* Whose last samples agree is chance: what each one's jitter explains makes no outlier. */
static void test_cluster_keeps_the_noisy(void **state)
{
	struct select_source s[] = {
		src(1, 0, 50 * MS), src(2, 0, 50 * MS), src(3, 0, 50 * MS), src(4, 30 * MS, 50 * MS),
		src(5, -20 * MS, 50 * MS),
	};
	struct select_result r;

	(void)state;
	s[3].jitter_ns = s[4].jitter_ns = 15 * MS;
	run(s, 5, &usual, &r);
	assert_int_equal(r.survivors, 5);
	s[3].jitter_ns = 5 * MS;
	run(s, 5, &usual, &r);
	assert_int_equal(r.survivors, 4);
	assert_int_equal(s[3].state, SRC_OUTLIER);
}

static void test_stratum_leads(void **state)
{
	struct select_policy p = usual;
	struct select_source s[] = { src(1, 0, MS), src(2, 0, 2 * MS) };
	struct select_result r;

	(void)state;
	s[1].stratum = 1;
	run(s, 2, &p, &r);
	assert_int_equal(r.syspeer, 2);
	/* the present peer stays while it is as good */
	s[0].stratum = 1;
	p.syspeer = 2;
	run(s, 2, &p, &r);
	assert_int_equal(r.syspeer, 2);
	p.syspeer = ENGINE_NO_SOURCE;
	run(s, 2, &p, &r);
	assert_int_equal(r.syspeer, 1);
}

static size_t random_sources(struct rng *rng, struct select_source *s)
{
	size_t n = 1 + rng_u64(rng) % 12, i;

	for (i = 0; i < n; i++) {
		s[i] = src((uint32_t)i, (int64_t)(rng_u64(rng) % 40) * MS,
			   (int64_t)(1 + rng_u64(rng) % 20) * MS);
		s[i].stratum = (uint8_t)(1 + rng_u64(rng) % 3);
		s[i].jitter_ns = (int64_t)(rng_u64(rng) % 5) * MS;
		s[i].candidate = rng_u64(rng) % 8 != 0;
		s[i].state = s[i].candidate ? SRC_NEW : SRC_UNREACHABLE;
	}
	return n;
}

static int by_id(const void *a, const void *b)
{
	const struct select_source *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static void shuffle(struct rng *rng, struct select_source *s, size_t n)
{
	size_t i, k;

	for (i = n; i > 1; i--) {
		struct select_source t;

		k = rng_u64(rng) % i;
		t = s[i - 1];
		s[i - 1] = s[k];
		s[k] = t;
	}
}

static void test_order_does_not_matter(void **state)
{
	struct select_source s[SOURCES], t[SOURCES];
	struct select_result r, q;
	struct rng rng;
	size_t n, i;
	int round;

	(void)state;
	rng_init(&rng, 11);
	for (round = 0; round < 5000; round++) {
		n = random_sources(&rng, s);
		memcpy(t, s, sizeof(s));
		shuffle(&rng, t, n);
		run(s, n, &usual, &r);
		run(t, n, &usual, &q);
		qsort(t, n, sizeof(t[0]), by_id);
		assert_int_equal(r.syspeer, q.syspeer);
		assert_int_equal(r.offset_ns, q.offset_ns);
		for (i = 0; i < n; i++)
			assert_int_equal(s[i].state, t[i].state);
	}
}

static void test_invariants(void **state)
{
	struct select_source s[SOURCES];
	unsigned int survivors, cands, chimers, peers;
	struct select_result r;
	struct rng rng;
	double weight;
	int round;
	size_t n, i;

	(void)state;
	rng_init(&rng, 12);
	for (round = 0; round < 5000; round++) {
		n = random_sources(&rng, s);
		run(s, n, &usual, &r);
		survivors = cands = chimers = peers = 0;
		weight = 0;
		for (i = 0; i < n; i++) {
			cands += s[i].candidate;
			chimers += s[i].state >= SRC_OUTLIER;
			survivors += s[i].state >= SRC_SURVIVOR;
			peers += s[i].state == SRC_SYSPEER;
			weight += s[i].weight;
			if (!s[i].candidate)
				assert_int_equal(s[i].state, SRC_UNREACHABLE);
			else
				assert_int_not_equal(s[i].state, SRC_NEW);
		}
		assert_int_equal(r.survivors, survivors);
		assert_int_equal(peers, r.selected ? 1 : 0);
		if (r.selected) {
			assert_true(2 * chimers > cands);
			assert_true(weight > 0.999999 && weight < 1.000001);
		}
	}
}

/* A thousand that agree, and one short of as many that do not, each on its own or together. */
static void test_a_thousand(void **state)
{
	static struct select_source s[1024];
	static int64_t edges[2 * 1024];
	static struct select_source *rows[2][1024];
	const struct select_work work = { edges, rows[0], rows[1] };
	unsigned int false_n = 0, peers = 0;
	struct select_result r;
	size_t i;

	(void)state;
	for (i = 0; i < 1023; i++) {
		s[i] = src((uint32_t)i, i % 2 ? 1000 * MS : (int64_t)(i % 7) * 1000, MS);
		s[i].jitter_ns = 1;
	}
	select_run(s, 1023, &usual, &work, &r);
	assert_true(r.selected);
	assert_in_range(r.survivors, 3, 512);
	for (i = 0; i < 1023; i++) {
		false_n += s[i].state == SRC_FALSETICKER;
		peers += s[i].state == SRC_SYSPEER;
	}
	assert_int_equal(false_n, 511);
	assert_int_equal(peers, 1);
	s[1023] = src(1023, 1000 * MS, MS);
	select_run(s, 1024, &usual, &work, &r);
	assert_false(r.selected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_one),
		cmocka_unit_test(test_two_that_disagree),
		cmocka_unit_test(test_two_false_of_five),
		cmocka_unit_test(test_three_different_false_of_five),
		cmocka_unit_test(test_majority_of_liars_wins),
		cmocka_unit_test(test_far_source_with_wide_interval),
		cmocka_unit_test(test_wide_one_is_left_out),
		cmocka_unit_test(test_distance_and_candidates),
		cmocka_unit_test(test_min_sources),
		cmocka_unit_test(test_prefer),
		cmocka_unit_test(test_trust),
		cmocka_unit_test(test_require),
		cmocka_unit_test(test_cluster_casts_out),
		cmocka_unit_test(test_cluster_keeps_the_noisy),
		cmocka_unit_test(test_stratum_leads),
		cmocka_unit_test(test_order_does_not_matter),
		cmocka_unit_test(test_invariants),
		cmocka_unit_test(test_a_thousand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
