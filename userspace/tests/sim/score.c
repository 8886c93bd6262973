// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The estimator's score: the scenarios for which chrony's figures are known,
 * over many seeds, medians, beside the oracle and chrony.
 *
 *	score [SEEDS [FIRST_SEED]]
 *
 * TAP: a row passes when its RMS is at most so much of chrony's and 1.25 times
 * the oracle's, its worst error no worse than chrony's, with no more packets,
 * and the error stays within the claimed root distance.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "sim.h"

#define MAX_SEEDS	1001
#define MAX_OF_ORACLE	1.25

/*
 * chrony 4.8: measured with the real daemon on an independent simulator of the
 * same kind, medians of 11 seeds.
 */
struct row {
	const char *name;
	int64_t	 delay_ns;
	int64_t	 jitter_ns;
	double	 spike_p;
	int64_t	 spike_ns;
	double	 wander_ppb;
	int8_t	 minpoll_log2s;
	int8_t	 maxpoll_log2s;
	int64_t	 duration_s;
	int64_t	 from_s;
	unsigned int servers;
	unsigned int false_servers;
	double	 chrony_rms_ns;
	double	 chrony_max_ns;
	unsigned int chrony_pkts;
	double	 want;		/* of chrony's RMS, at most */
};

static const struct row rows[] = {
	{ "a_lan", 100000, 10000, 0, 0, 1, 4, 6, 50000, 10000, 1, 0, 5600, 22700, 791,
	  0.62 },
	{ "c_wan", 10000000, 1000000, 0, 0, 10, 6, 10, 200000, 40000, 1, 0, 1.07e6, 3.80e6, 230,
	  0.62 },
	{ "d6_inet", 50000000, 10000000, 0, 0, 10, 6, 6, 100000, 20000, 1, 0, 1.08e6, 4.61e6, 1550,
	  0.70 },
	{ "f1_spikes", 1000000, 100000, 0.1, 5000000, 1, 6, 10, 100000, 20000, 1, 0, 148e3, 443e3,
	  128, 0.50 },
	{ "g_false2of5", 10000000, 1000000, 0, 0, 10, 6, 10, 200000, 40000, 5, 2, 1.29e6, 4.03e6,
	  1158, 0.29 },
};

static void scenario(const struct row *r, uint64_t seed, struct sim_conf *c)
{
	unsigned int i;

	sim_defaults(c);
	c->name = r->name;
	c->offset_ns = 10000000;
	c->freq_ppb = 10000;
	c->delay_ns = r->delay_ns;
	c->jitter_ns = r->jitter_ns;
	c->spike_p = r->spike_p;
	c->spike_ns = r->spike_ns;
	c->wander_ppb = r->wander_ppb;
	c->minpoll_log2s = r->minpoll_log2s;
	c->maxpoll_log2s = r->maxpoll_log2s;
	c->duration_s = r->duration_s;
	c->from_s = r->from_s;
	c->servers_len = r->servers;
	for (i = 0; i < r->servers; i++) {
		c->servers[i] = c->servers[0];
		c->servers[i].false_ns = i < r->false_servers ? 50000000 : 0;
	}
	c->engine.seed = seed;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *v, unsigned int n)
{
	qsort(v, n, sizeof(*v), compare);
	return v[n / 2];
}

/* Return: whether it is as good as it has to be. */
static bool run_row(const struct row *r, unsigned int seeds, uint64_t first)
{
	static double rms[MAX_SEEDS], max[MAX_SEEDS], oracle[MAX_SEEDS], pkts[MAX_SEEDS];
	struct sim_result res;
	uint64_t violations = 0;
	struct sim_conf c;
	unsigned int i;
	double m, o, x, p;

	for (i = 0; i < seeds; i++) {
		scenario(r, first + i, &c);
		sim_run(&c, &res);
		rms[i] = res.rms_ns;
		max[i] = (double)res.max_ns;
		oracle[i] = res.oracle_rms_ns;
		pkts[i] = (double)res.requests;
		violations += res.violations;
	}
	m = median(rms, seeds);
	o = median(oracle, seeds);
	x = median(max, seeds);
	p = median(pkts, seeds);
	printf("# %-12s %9.2f %9.2f %9.2f %8.2f %8.2f %8.2f %6.0f %6u %6llu\n", r->name, m / 1e3,
	       o / 1e3, x / 1e3, m / r->chrony_rms_ns, m / o, x / r->chrony_max_ns, p,
	       r->chrony_pkts, (unsigned long long)violations);
	return m <= r->want * r->chrony_rms_ns && m <= MAX_OF_ORACLE * o &&
	       x <= r->chrony_max_ns && p <= r->chrony_pkts && !violations;
}

int main(int argc, char **argv)
{
	unsigned int seeds = argc > 1 ? (unsigned int)atoi(argv[1]) : 11;
	uint64_t first = argc > 2 ? strtoull(argv[2], NULL, 0) : 1000;
	size_t i, bad = 0;

	if (!seeds || seeds > MAX_SEEDS)
		return 2;
	printf("TAP version 13\n# medians of %u seeds; us; violations: seconds outside the claimed "
	       "root distance\n", seeds);
	printf("# %-12s %9s %9s %9s %8s %8s %8s %6s %6s %6s\n", "scenario", "RMS", "oracle", "max",
	       "/chrony", "/oracle", "/its max", "pkts", "its", "viol");
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool good = run_row(&rows[i], seeds, first);

		printf("%sok %zu - %s: RMS at most %.2f of chrony's, %.2f of the oracle's\n",
		       good ? "" : "not ", i + 1, rows[i].name, rows[i].want, MAX_OF_ORACLE);
		fflush(stdout);
		bad += !good;
	}
	printf("1..%zu\n", i);
	return bad != 0;
}
