// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Scenarios of sources and networks, and what must hold in each.
 */
#include "test_sim.h"

#include <math.h>
#include "anchor.h"
#include "scenarios.h"

static void test_converge_lan(void **state)
{
	struct sim_conf c;
	struct sim_result r;

	(void)state;
	sim_defaults(&c);
	c.name = "converge from 250 ms and 50 ppm";
	for (c.engine.seed = 1; c.engine.seed <= 4 * SEEDS; c.engine.seed++) {
		sim_run(&c, &r);
		expect(r.sync_s > 0 && r.sync_s <= 8);
		expect(r.p50_ns < MS && r.max_ns < MS);
		expect(r.clock_p50_ns < MS && r.clock_max_ns < MS);
		expect(r.violations == 0);
		expect(r.steps == 1);
		expect(r.foreign_logs == 0);
		expect(r.freq_err_ppb < 1000 && r.freq_err_ppb > -1000);
		expect(r.states[0] == SRC_SYSPEER);
	}
	show(&r);
}

/* The last second in which served time was wrong by more than 100 us, or there was none. */
static void note_bad(void *ctx, const struct sim_point *p)
{
	if (!p->valid || fabs(p->err_ns) > 100000)
		*(int64_t *)ctx = p->t_s;
}

/* A LAN, the clock 100 ppm and more off: 100 us in 6 s, whatever the clock's own offset. */
static void test_start(void **state)
{
	static const char *const names[] = { "start_10ms", "start_100ms", "start_10s", "start_1y" };
	struct sim_conf c;
	struct sim_result r;
	int64_t bad_s;
	uint64_t seed;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		for (seed = 1; seed <= 4 * SEEDS; seed++) {
			scenario_conf(scenario_find(names[i]), seed, &c);
			c.trace = note_bad;
			c.trace_ctx = &bad_s;
			sim_run(&c, &r);
			expect(bad_s > 0 && bad_s < 6);
		}
}

static void test_two_false_of_five(void **state)
{
	struct sim_conf c;
	struct sim_result r;

	(void)state;
	sim_defaults(&c);
	n_servers(&c, 5);
	c.name = "2 of 5 false";
	c.delay_ns = 10 * MS;
	c.jitter_ns = MS;
	c.servers[1].false_ns = 50 * MS;
	c.servers[3].false_ns = 50 * MS;
	c.duration_s = 7200;
	for (c.engine.seed = 1; c.engine.seed <= SEEDS; c.engine.seed++) {
		sim_run(&c, &r);
		expect(r.sync_s > 0 && r.sync_s <= 10);
		expect(r.max_ns < 3 * MS);
		expect(r.violations == 0);
		expect(r.states[1] == SRC_FALSETICKER && r.states[3] == SRC_FALSETICKER);
	}
	show(&r);
}

/* Right at first, then off by 20 us more each second: found out, and no harm is left. */
static void test_one_drifts_of_three(void **state)
{
	struct sim_conf c;
	struct sim_result r;

	(void)state;
	sim_defaults(&c);
	n_servers(&c, 3);
	c.name = "1 of 3 drifts";
	c.servers[2].drift_ppb = 20000;
	c.duration_s = 3600;
	c.from_s = 600;
	for (c.engine.seed = 1; c.engine.seed <= 4 * SEEDS; c.engine.seed++) {
		sim_run(&c, &r);
		expect(r.max_ns < MS);
		expect(r.states[2] == SRC_FALSETICKER);
	}
}

static void test_three_different_false_of_five(void **state)
{
	struct sim_conf c;
	struct sim_result r;
	unsigned int i;

	(void)state;
	sim_defaults(&c);
	n_servers(&c, 5);
	c.name = "3 different false of 5";
	for (i = 0; i < 3; i++)
		c.servers[i].false_ns = (int64_t)(i + 1) * 100 * MS;
	for (c.engine.seed = 1; c.engine.seed <= SEEDS; c.engine.seed++) {
		sim_run(&c, &r);
		expect(r.sync_s == -1);
		expect(r.clock_actions == 0);
		for (i = 0; i < 5; i++)
			expect(r.states[i] == SRC_NO_MAJORITY);
	}
}

static void test_outage_of_a_day(void **state)
{
	struct sim_conf c;
	struct sim_result r;

	(void)state;
	sim_defaults(&c);
	n_servers(&c, 3);
	c.name = "all sources lost for a day";
	c.wander_ppb = 5;
	c.outage_from_s = 3600;
	c.outage_to_s = 3600 + 85000;
	c.duration_s = c.outage_to_s + 7200;
	c.from_s = 60;
	for (c.engine.seed = 1; c.engine.seed <= SEEDS; c.engine.seed++) {
		sim_run(&c, &r);
		expect(r.violations == 0);
		expect(r.served_s >= c.duration_s - 10);
		expect(r.max_dist_ns > 20 * MS && r.max_dist_ns < 1000 * MS);
		expect(r.report.synchronised && r.report.survivors == 3);
		expect(r.final_dist_ns < 2 * MS);
	}
	show(&r);
}

static void test_holdover_ends(void **state)
{
	struct sim_conf c;
	struct sim_result r;

	(void)state;
	sim_defaults(&c);
	c.name = "holdover of 30 s";
	c.engine.holdover_ns = 30 * NTP_NS_PER_S;
	c.maxpoll_log2s = 4;
	c.outage_from_s = 300;
	c.outage_to_s = 100000;
	sim_run(&c, &r);
	expect(!r.report.synchronised);
	expect(r.served_s > 300 - 10 + 30 && r.served_s <= 300 + 30 + 20);
	expect(r.violations == 0);
}

static void test_local_stratum(void **state)
{
	struct sim_conf c;
	struct sim_result r;

	(void)state;
	sim_defaults(&c);
	c.name = "local stratum, no server ever answers";
	c.engine.local_stratum = 10;
	c.servers[0].loss = 1;
	sim_run(&c, &r);
	expect(r.report.synchronised && r.report.local && r.report.stratum == 10);
	expect(r.report.refid == ntp_htobe32(0x7f7f0101));
	expect(r.local_logs == 1);
	expect(r.states[0] == SRC_UNREACHABLE);
}

static void test_leap_second(void **state)
{
	struct sim_conf c;
	struct sim_result r;

	(void)state;
	sim_defaults(&c);
	n_servers(&c, 3);
	c.name = "a second inserted";
	/* 2027-06-30 23:50:00 UTC */
	c.start_unix_ns = 1814399400LL * NTP_NS_PER_S;
	c.leap_at_s = 600;
	c.servers[0].leap = NTP_LEAP_INSERT;
	c.servers[1].leap = NTP_LEAP_INSERT;
	c.duration_s = 1200;
	for (c.engine.seed = 1; c.engine.seed <= SEEDS; c.engine.seed++) {
		sim_run(&c, &r);
		/* The second of the leap itself is a matter of a microsecond, either way. */
		expect(r.violations <= 1);
		expect(r.report.synchronised);
		expect(r.p50_ns < MS);
		expect(r.final_dist_ns < 2 * MS);
		expect(r.states[0] != SRC_FALSETICKER);
	}
}

static void test_loss(void **state)
{
	struct sim_conf c;
	struct sim_result r;

	(void)state;
	sim_defaults(&c);
	n_servers(&c, 3);
	c.name = "one in five packets lost, each way";
	c.servers[0].loss = c.servers[1].loss = c.servers[2].loss = 0.2;
	c.duration_s = 3600;
	c.from_s = 120;
	for (c.engine.seed = 1; c.engine.seed <= SEEDS; c.engine.seed++) {
		sim_run(&c, &r);
		expect(r.sync_s > 0 && r.sync_s <= 20);
		expect(r.max_ns < MS && r.violations == 0);
	}
}

static void test_poll_lengthens(void **state)
{
	struct sim_conf c;
	struct sim_result r;

	(void)state;
	sim_defaults(&c);
	c.name = "a WAN for two days";
	c.delay_ns = 10 * MS;
	c.jitter_ns = MS;
	c.wander_ppb = 10;
	c.minpoll_log2s = 6;
	c.maxpoll_log2s = 10;
	c.duration_s = 200000;
	c.from_s = 40000;
	sim_run(&c, &r);
	show(&r);
	expect(r.violations == 0);
	expect(r.p50_ns < 2 * MS);
	expect(r.requests < 200000 / 64);
}

/* The server's own transmit path is 100 us slow: half of it is seen, unless it tells. */
static void test_interleaved(void **state)
{
	struct sim_result r, basic;
	struct sim_conf c;

	(void)state;
	sim_defaults(&c);
	c.name = "interleaved";
	c.jitter_ns = 5000;
	c.servers[0].lag_ns = 100000;
	c.minpoll_log2s = c.maxpoll_log2s = 5;
	c.duration_s = 7200;
	c.from_s = 1800;
	for (c.engine.seed = 1; c.engine.seed <= SEEDS; c.engine.seed++) {
		c.servers[0].flags = SOURCE_F_IBURST;
		sim_run(&c, &basic);
		expect(basic.interleaved == 0);
		c.servers[0].flags = SOURCE_F_IBURST | SOURCE_F_XLEAVE;
		c.servers[0].loss = 0;
		sim_run(&c, &r);
		expect(r.interleaved > r.requests * 9 / 10 - 10);
		expect(r.requests <= basic.requests);
		expect(basic.p50_ns > 40000 && r.p50_ns < 15000);
		expect(r.violations == 0);
		/* lost packets cost accuracy of the one sample only */
		c.servers[0].loss = 0.1;
		sim_run(&c, &r);
		expect(r.interleaved > r.requests / 3);
		expect(r.p50_ns < 40000 && r.violations == 0);
	}
	show(&r);
}

static void test_same_seed_same_bytes(void **state)
{
	struct sim_conf c;
	struct sim_result r, again, other;

	(void)state;
	sim_defaults(&c);
	n_servers(&c, 4);
	c.name = "same seed";
	sim_run(&c, &r);
	sim_run(&c, &again);
	expect(r.hash == again.hash && !memcmp(&r.report.line, &again.report.line,
					       sizeof(r.report.line)));
	c.engine.seed = 2;
	sim_run(&c, &other);
	expect(r.hash != other.hash);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The oracle must have the figures that are known of it, or the simulator is wrong. */
static void test_anchor(void **state)
{
	double rms_s[101];
	size_t i, k;

	(void)state;
	for (i = 0; i < anchors_len; i++) {
		for (k = 0; k < 101; k++)
			rms_s[k] = anchor_rms_s(&anchors[i], 1 + k);
		qsort(rms_s, 101, sizeof(rms_s[0]), compare);
		fprintf(stderr, "%s: oracle %.4g s, known %.4g s\n", anchors[i].name, rms_s[50],
			anchors[i].want_s);
		assert_true(fabs(rms_s[50] / anchors[i].want_s - 1) < 0.05);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_anchor),
		cmocka_unit_test(test_converge_lan),
		cmocka_unit_test(test_start),
		cmocka_unit_test(test_two_false_of_five),
		cmocka_unit_test(test_one_drifts_of_three),
		cmocka_unit_test(test_three_different_false_of_five),
		cmocka_unit_test(test_outage_of_a_day),
		cmocka_unit_test(test_holdover_ends),
		cmocka_unit_test(test_local_stratum),
		cmocka_unit_test(test_leap_second),
		cmocka_unit_test(test_loss),
		cmocka_unit_test(test_poll_lengthens),
		cmocka_unit_test(test_interleaved),
		cmocka_unit_test(test_same_seed_same_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
