// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The map of a network interface's clock against a simulated one that is read in
 * brackets of any width: the error stays within its bound, the rate is found, a step
 * or a change of the frequency ends the map at once, and what comes after makes one.
 */
#include <core/phc.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "core/rng.h"

#define PERIOD_NS	500000000LL
#define EPOCH_NS	1700000037000000000LL	/* the clocks of interfaces have TAI */
#define SEEDS		200

/*
 * struct nic - a clock and how it is read
 * @raw_ns: now
 * @ahead_ns: of the clock, against EPOCH_NS + RAW
 * @ppb: of its oscillator
 * @wander_ppb: by how much that changes each second, standard deviation
 * @half_ns: of the narrowest bracket
 */
struct nic {
	struct rng rng;
	int64_t	 raw_ns;
	double	 ahead_ns;
	double	 ppb;
	double	 wander_ppb;
	double	 half_ns;
};

static struct nic nic_make(uint64_t seed, double ppb, double half_ns)
{
	struct nic n = { .raw_ns = 5000000000LL, .ppb = ppb, .half_ns = half_ns, .wander_ppb = 1 };

	rng_init(&n.rng, seed);
	return n;
}

static double normal(struct rng *r)
{
	double sum = -6;

	for (int i = 0; i < 12; i++)
		sum += rng_unit(r);
	return sum;
}

static void pass(struct nic *n, int64_t ns)
{
	n->ppb += n->wander_ppb * normal(&n->rng) * sqrt((double)ns * 1e-9);
	n->ahead_ns += (double)ns * n->ppb * 1e-9;
	n->raw_ns += ns;
}

static int64_t phc_now(const struct nic *n)
{
	return EPOCH_NS + n->raw_ns + llrint(n->ahead_ns);
}

/* Usually near the narrowest bracket, sometimes interrupted; anywhere within it. */
static struct phc_sample reading(struct nic *n)
{
	double half = n->half_ns * (1 - 0.3 * log(1 - rng_unit(&n->rng)));
	double where;

	if (rng_unit(&n->rng) < 0.1)
		half *= 30;
	where = (2 * rng_unit(&n->rng) - 1) * half;
	return (struct phc_sample){ .phc_ns = phc_now(n), .raw_ns = n->raw_ns + (int64_t)where,
				    .half_ns = (int64_t)half + 1 };
}

static enum phc_news read_on(struct phc *p, struct nic *n)
{
	struct phc_sample s;

	pass(n, PERIOD_NS);
	s = reading(n);
	return phc_add(p, &s);
}

/* What the map makes of a stamp of this moment, and what it says of that. */
static double miss_ns(const struct phc *p, const struct nic *n, int64_t *err_ns)
{
	int64_t raw_ns;

	assert_true(phc_to_raw(&p->map, phc_now(n), &raw_ns, err_ns));
	return (double)(raw_ns - n->raw_ns);
}

static void learn(struct phc *p, struct nic *n, int readings)
{
	*p = (struct phc){ .period_ns = PERIOD_NS };
	for (int i = 0; i < readings; i++)
		assert_int_equal(read_on(p, n),
				 i < PHC_SAMPLES_MIN - 1 ? PHC_LEARNING : PHC_MAP);
	assert_true(p->has_map);
}

/* At the reading, and half a period later, when the next is still to come. */
static void test_bound(void **state)
{
	double worst = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct nic n = nic_make(seed, seed % 2 ? 40000 : -25000, seed % 3 ? 400 : 15000);
		struct phc p;
		int64_t err;

		learn(&p, &n, PHC_SAMPLES_MIN);
		for (int i = 0; i < 100; i++) {
			/* some brackets are too wide to say anything */
			enum phc_news news = read_on(&p, &n);

			assert_true(news == PHC_MAP || (seed % 3 == 0 && news == PHC_NOTHING));
			assert_true(fabs(miss_ns(&p, &n, &err)) <= (double)err);
			pass(&n, PERIOD_NS - 1);
			assert_true(fabs(miss_ns(&p, &n, &err)) <= (double)err);
			if (i < PHC_SAMPLES)
				continue;
			/* the bound is no idle one */
			assert_true((double)err < 10 * n.half_ns);
			worst = fmax(worst, fabs(miss_ns(&p, &n, &err)) / n.half_ns);
		}
	}
	assert_true(worst > 0.5 && worst < 4);
}

static void test_rate(void **state)
{
	struct nic n = nic_make(7, 40000, 400);
	struct phc p;

	(void)state;
	learn(&p, &n, 3 * PHC_SAMPLES);
	assert_true(fabs(phc_gain_ppb(&p.map) - n.ppb) < p.map.skew_ppb);
	/* the clock gains on RAW: RAW loses on the clock */
	assert_true(p.map.rate_q48 < 0);
	assert_in_range(p.map.skew_ppb, 21, 600);
	assert_true(p.map.valid_until_ns - n.raw_ns > 3 * PERIOD_NS);
	assert_true(p.map.valid_until_ns - n.raw_ns < 5 * PERIOD_NS);
}

/* One reading is enough, and no map mixes both sides of it. */
static void step(double ns)
{
	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct nic n = nic_make(seed, 12000, 400);
		enum phc_news news;
		struct phc p;
		int64_t err;

		learn(&p, &n, PHC_SAMPLES + (int)seed);
		n.ahead_ns += ns;
		do {
			news = read_on(&p, &n);
		} while (news == PHC_MAP && p.of[p.len - 1].half_ns > 5000);
		assert_int_equal(news, PHC_JUMPED);
		assert_false(p.has_map);
		for (int i = 1; i < PHC_SAMPLES_MIN - 1; i++)
			assert_int_equal(read_on(&p, &n), PHC_LEARNING);
		assert_int_equal(read_on(&p, &n), PHC_MAP);
		assert_true(fabs(miss_ns(&p, &n, &err)) <= (double)err);
	}
}

static void test_step(void **state)
{
	(void)state;
	step(20000);
	step(-20000);
	step(37e9);
	step(-1.7e18);
	step(1e18);
}

static void test_step_while_learning(void **state)
{
	struct nic n = nic_make(3, 0, 400);
	struct phc p = { .period_ns = PERIOD_NS };
	int64_t err;

	(void)state;
	read_on(&p, &n);
	read_on(&p, &n);
	n.ahead_ns += 1e9;
	assert_int_equal(read_on(&p, &n), PHC_LEARNING);
	for (int i = 1; i < PHC_SAMPLES_MIN - 1; i++)
		assert_int_equal(read_on(&p, &n), PHC_LEARNING);
	assert_int_equal(read_on(&p, &n), PHC_MAP);
	assert_true(fabs(miss_ns(&p, &n, &err)) <= (double)err);
}

/* As ptp4l steers: much at first, then little. */
static void test_steered(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 50; seed++) {
		struct nic n = nic_make(seed, 0, 400);
		enum phc_news news = PHC_MAP;
		struct phc p;
		int64_t err;

		learn(&p, &n, 2 * PHC_SAMPLES);
		n.ppb += 50000;
		for (int i = 0; i < 20 && news == PHC_MAP; i++)
			news = read_on(&p, &n);
		assert_int_equal(news, PHC_JUMPED);
		learn(&p, &n, 2 * PHC_SAMPLES);
		for (int i = 0; i < 100; i++) {
			n.ppb += 20 * (2 * rng_unit(&n.rng) - 1);
			assert_int_equal(read_on(&p, &n), PHC_MAP);
			assert_true(fabs(miss_ns(&p, &n, &err)) <= (double)err);
		}
	}
}

/* What says nothing changes nothing, and a map has its end. */
static void test_gaps(void **state)
{
	struct nic n = nic_make(9, 5000, 400);
	struct phc_sample s;
	struct phc p, before;
	int64_t raw, err;

	(void)state;
	learn(&p, &n, PHC_SAMPLES);
	before = p;
	pass(&n, PERIOD_NS / 10);
	s = reading(&n);
	assert_int_equal(phc_add(&p, &s), PHC_NOTHING);
	pass(&n, PERIOD_NS);
	s = reading(&n);
	s.half_ns = PHC_HALF_MAX_NS + 1;
	s.raw_ns += 100000000;
	assert_int_equal(phc_add(&p, &s), PHC_NOTHING);
	assert_memory_equal(&p, &before, sizeof(p));
	miss_ns(&p, &n, &err);
	pass(&n, 4 * PERIOD_NS);
	assert_false(phc_to_raw(&p.map, phc_now(&n), &raw, &err));
	/* a minute without readings, as of a debugger, is no step */
	pass(&n, 60 * 1000000000LL);
	assert_int_equal(read_on(&p, &n), PHC_MAP);
	assert_true(fabs(miss_ns(&p, &n, &err)) <= (double)err);
	/* RAW does not go back */
	n.raw_ns -= 2 * PERIOD_NS;
	assert_int_equal(read_on(&p, &n), PHC_JUMPED);
}

static void test_to_raw(void **state)
{
	const struct ntp_phc m = { .phc_ns = EPOCH_NS, .raw_ns = 77, .rate_q48 = 281474977,
				   .err_ns = 100, .skew_ppb = 50, .valid_until_ns = INT64_MAX };
	int64_t raw, err;

	(void)state;
	/* 1 ppm, and a second at 50 ppb */
	assert_true(phc_to_raw(&m, EPOCH_NS + 1000000000, &raw, &err));
	assert_int_equal(raw, 77 + 1000000000 + 1000);
	assert_int_equal(err, 151);
	assert_true(phc_to_raw(&m, EPOCH_NS - 1000000000, &raw, &err));
	assert_int_equal(raw, 77 - 1000000000 - 1000);
	assert_int_equal(err, 151);
	assert_true(phc_to_raw(&m, EPOCH_NS + NTPK_PHC_SPAN_MAX_NS, &raw, &err));
	assert_false(phc_to_raw(&m, EPOCH_NS + NTPK_PHC_SPAN_MAX_NS + 1, &raw, &err));
	assert_false(phc_to_raw(&m, EPOCH_NS - NTPK_PHC_SPAN_MAX_NS - 1, &raw, &err));
	assert_false(phc_to_raw(&m, 0, &raw, &err));
	assert_false(phc_to_raw(&m, INT64_MIN, &raw, &err));
	assert_false(phc_to_raw(&m, INT64_MAX, &raw, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bound),
		cmocka_unit_test(test_rate),
		cmocka_unit_test(test_step),
		cmocka_unit_test(test_step_while_learning),
		cmocka_unit_test(test_steered),
		cmocka_unit_test(test_gaps),
		cmocka_unit_test(test_to_raw),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("phc", tests, NULL, NULL);
}
