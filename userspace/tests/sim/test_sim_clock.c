// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Scenarios of the system clock and of those who touch it, and what must hold.
 */
#include "test_sim.h"

static void test_no_step_slews(void **state)
{
	struct sim_conf c;
	struct sim_result r;

	(void)state;
	sim_defaults(&c);
	c.name = "250 ms without makestep";
	c.engine.makestep_limit = 0;
	c.duration_s = 1200;
	c.from_s = 900;
	for (c.engine.seed = 1; c.engine.seed <= SEEDS; c.engine.seed++) {
		sim_run(&c, &r);
		expect(r.steps == 0);
		expect(r.sync_s > 0 && r.sync_s <= 8);
		expect(r.clock_max_ns < MS);
		expect(r.violations == 0);
	}
}

static void test_clock_untouched(void **state)
{
	struct sim_conf c;
	struct sim_result r;

	(void)state;
	sim_defaults(&c);
	c.name = "-x";
	c.engine.control_clock = false;
	sim_run(&c, &r);
	expect(r.clock_actions == 0);
	expect(r.max_ns < MS);
	expect(r.violations == 0);
	expect(r.clock_p50_ns > 200 * MS);
}

static void test_foreign_step(void **state)
{
	static const int64_t by_ns[] = { 3600 * NTP_NS_PER_S, -10 * NTP_NS_PER_S, 20 * MS };
	struct sim_conf c;
	struct sim_result r;
	unsigned int i;

	(void)state;
	sim_defaults(&c);
	c.name = "a foreigner steps the clock";
	c.step_at_s = 300;
	for (i = 0; i < 3; i++) {
		c.step_ns = by_ns[i];
		sim_run(&c, &r);
		expect(r.foreign_logs == 1);
		expect(r.violations == 0);
		expect(r.max_ns < MS);
		expect(r.republish_s == 0);
	}
	/* The last is small enough to be slewed away in time. */
	expect(r.report.clock_offset_ns < MS && r.report.clock_offset_ns > -MS);
}

static void test_suspend(void **state)
{
	struct sim_conf c;
	struct sim_result r;

	(void)state;
	sim_defaults(&c);
	c.name = "suspended for an hour";
	c.suspend_at_s = 300;
	c.suspend_s = 3600;
	c.duration_s = 4400;
	c.from_s = 3910;
	sim_run(&c, &r);
	expect(r.report.synchronised);
	expect(r.violations == 0);
	expect(r.max_ns < MS);
	expect(r.served_s < 796 && r.served_s > 760);
}

/* 50 ms at 100 ppm are 500 s, in parts: neither much sooner nor much later. */
static void test_slow_slew(void **state)
{
	struct sim_conf c;
	struct sim_result r;

	(void)state;
	sim_defaults(&c);
	c.name = "50 ms at 100 ppm at most";
	c.offset_ns = 50 * MS;
	c.freq_ppb = 0;
	c.engine.max_slew_ppb = 100000;
	for (c.engine.seed = 1; c.engine.seed <= SEEDS; c.engine.seed++) {
		c.duration_s = 250;
		c.from_s = 20;
		sim_run(&c, &r);
		expect(r.report.clock_offset_ns > 24 * MS && r.report.clock_offset_ns < 30 * MS);
		expect(r.max_ns < MS && r.steps == 0);
		c.duration_s = 800;
		c.from_s = 600;
		sim_run(&c, &r);
		expect(r.clock_max_ns < MS && r.violations == 0);
		expect(r.phases > 400);
	}
}

/* What is served does not notice; the clock is off by what 100 ppm do until it is seen. */
static void test_foreign_frequency(void **state)
{
	struct sim_conf c;
	struct sim_result r;

	(void)state;
	sim_defaults(&c);
	c.name = "somebody sets the frequency 100 ppm off";
	c.foreign_at_s = 1000;
	c.foreign_ppb = 100000;
	c.minpoll_log2s = c.maxpoll_log2s = 8;
	c.servers[0].flags = SOURCE_F_IBURST;
	c.duration_s = 3000;
	c.from_s = 600;
	for (c.engine.seed = 1; c.engine.seed <= SEEDS; c.engine.seed++) {
		sim_run(&c, &r);
		expect(r.max_ns < MS && r.violations == 0);
		/* noticed within a push interval of 2 ms: long before the next reply */
		expect(r.clock_max_ns < 6 * MS);
		expect(r.report.clock_offset_ns < MS && r.report.clock_offset_ns > -MS);
		expect(r.foreign_logs == 0);
	}
	show(&r);
}

/* A slew of 100 ms is cut after a fifth of it: by the old daemon's end, then by the new one. */
static void test_killed_in_a_slew(void **state)
{
	struct sim_conf c;
	struct sim_result r;
	int drift;

	(void)state;
	sim_defaults(&c);
	c.name = "killed in a slew";
	c.offset_ns = 100 * MS;
	c.engine.makestep_limit = 0;
	c.kill_at_s = 60;
	c.restart_at_s = 75;
	c.from_s = 30;
	c.duration_s = 1200;
	for (drift = 0; drift < 2; drift++)
		for (c.engine.seed = 1; c.engine.seed <= SEEDS; c.engine.seed++) {
			c.maxpoll_log2s = drift ? 4 : 6;
			sim_run(&c, &r);
			expect(r.steps == 0);
			/* the module serves on, on the line that it has */
			expect(r.max_ns < MS && r.violations == 0);
			expect(r.served_s >= c.duration_s - 10);
			expect(r.report.clock_offset_ns < MS && r.report.clock_offset_ns > -MS);
			expect(r.clock_max_ns > 50 * MS);
		}
	show(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_step_slews),
		cmocka_unit_test(test_clock_untouched),
		cmocka_unit_test(test_foreign_step),
		cmocka_unit_test(test_suspend),
		cmocka_unit_test(test_slow_slew),
		cmocka_unit_test(test_foreign_frequency),
		cmocka_unit_test(test_killed_in_a_slew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
