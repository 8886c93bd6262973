/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tests in the simulator share: every scenario runs with several
 * seeds; a failure prints scenario, seed and what was seen.
 */
#ifndef NTPK_TESTS_TEST_SIM_H
#define NTPK_TESTS_TEST_SIM_H

#include "sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define SEEDS	5
#define MS	1000000LL

/* In a test with a struct sim_conf c and a struct sim_result r. */
#define expect(what) \
	do { \
		if (!(what)) { \
			print_error("%s, seed %llu: %s\n", c.name, \
				    (unsigned long long)c.engine.seed, #what); \
			show(&r); \
			fail(); \
		} \
	} while (0)

static inline void show(const struct sim_result *r)
{
	print_error("sync %lld s, served p50 %lld max %lld ns, clock p50 %lld max %lld ns, "
		    "violations %llu, dist %lld ns, freq error %.1f ppb sd %.1f, steps %llu, "
		    "requests %llu\n",
		    (long long)r->sync_s, (long long)r->p50_ns, (long long)r->max_ns,
		    (long long)r->clock_p50_ns, (long long)r->clock_max_ns,
		    (unsigned long long)r->violations, (long long)r->final_dist_ns,
		    r->freq_err_ppb, r->report.freq_sd_ppb, (unsigned long long)r->steps,
		    (unsigned long long)r->requests);
}

static inline void n_servers(struct sim_conf *c, unsigned int n)
{
	unsigned int i;

	for (i = 1; i < n; i++)
		c->servers[i] = c->servers[0];
	c->servers_len = n;
}

#endif /* NTPK_TESTS_TEST_SIM_H */
