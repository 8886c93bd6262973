// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The estimator's score: the scenarios for which chrony's figures are known,
 * over many seeds, medians, beside the oracle and chrony.
 *
 *	score [SEEDS [FIRST_SEED [SCENARIO...]]]
 *
 * TAP: a row passes when its RMS is at most so much of chrony's and 1.25 times
 * the oracle's, its worst error no worse than chrony's, with no more packets,
 * and the error stays within the claimed root distance.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "sim.h"

#define MAX_SEEDS	1001
#define MAX_OF_ORACLE	1.25

/* What a fraction of time an error of one sd must be within est_error, pooled. */
#define WITHIN_1_MIN	0.60
#define WITHIN_1_MAX	0.76
#define WITHIN_3_MIN	0.99
#define IN_DISTANCE_MIN	0.999

/**
 * struct row - a scenario
 * @c: what differs from sim_defaults(); zero = as there
 * @servers: how many
 * @false_servers: of these, 50 ms ahead
 * @chrony_rms_ns: chrony 4.8, measured with the real daemon on an independent
 *	simulator of the same kind, medians of 11 seeds; 0 = not known, as below
 * @chrony_max_ns: see there
 * @chrony_pkts: see there
 * @want: of chrony's RMS, at most
 * @biased: est_error is not asked for: the paths are not alike
 */
struct row {
	struct sim_conf c;
	unsigned int servers;
	unsigned int false_servers;
	double	 chrony_rms_ns;
	double	 chrony_max_ns;
	unsigned int chrony_pkts;
	double	 want;
	bool	 biased;
};

/* jitter in ns, poll in log2 s, wander in ppb per square root of a second */
#define LAN(jitter, minpoll, maxpoll)							\
	.delay_ns = 100000, .jitter_ns = (jitter), .wander_ppb = 1, .minpoll_log2s = (minpoll),	\
	.maxpoll_log2s = (maxpoll), .duration_s = 50000, .from_s = 10000
#define WAN(wander, maxpoll)								\
	.delay_ns = 10000000, .jitter_ns = 1000000, .wander_ppb = (wander), .minpoll_log2s = 6,	\
	.maxpoll_log2s = (maxpoll), .duration_s = 200000, .from_s = 40000
#define INET(wander)									\
	.delay_ns = 50000000, .jitter_ns = 10000000, .wander_ppb = (wander),		\
	.minpoll_log2s = 6, .maxpoll_log2s = 6, .duration_s = 100000, .from_s = 20000

static const struct row rows[] = {
	{ { .name = "a_lan", LAN(10000, 4, 6) }, 1, 0, 5600, 22700, 791, 0.62, false },
	{ { .name = "c_wan", WAN(10, 10) }, 1, 0, 1.07e6, 3.80e6, 230, 0.62, false },
	{ { .name = "d6_inet", INET(10) }, 1, 0, 1.08e6, 4.61e6, 1550, 0.70, false },
	{ { .name = "f1_spikes", .delay_ns = 1000000, .jitter_ns = 100000, .spike_p = 0.1,
	    .spike_ns = 5000000, .wander_ppb = 1, .minpoll_log2s = 6, .maxpoll_log2s = 10,
	    .duration_s = 100000, .from_s = 20000 }, 1, 0, 148e3, 443e3, 128, 0.50, false },
	{ { .name = "g_false2of5", WAN(10, 10) }, 5, 2, 1.29e6, 4.03e6, 1158, 0.29, false },
	{ .c = { .name = "lan_1us", LAN(1000, 4, 6) }, 1 },
	{ .c = { .name = "lan_poll0", LAN(1000, 0, 0) }, 1 },
	{ .c = { .name = "wan_1e-9", WAN(1, 10) }, 1 },
	{ .c = { .name = "wan_poll6", WAN(10, 6) }, 1 },
	{ .c = { .name = "inet_1e-9", INET(1) }, 1 },
	{ .c = { .name = "loss_30%", WAN(10, 10) }, 1 },
	{ .c = { .name = "sine", LAN(10000, 4, 6), .sine_ppb = 500, .sine_s = 3600 }, 1 },
	{ .c = { .name = "congestion", WAN(10, 10), .busy_ns = 20000000, .busy_s = 600 }, 1,
	  .biased = true },
	{ .c = { .name = "asym_jitter", LAN(1000000, 4, 6), .jitter_back_ns = 30000 }, 1,
	  .biased = true },
	{ .c = { .name = "asym_base", WAN(10, 10), .asymmetry_ns = 5000000 }, 1, .biased = true },
	{ .c = { .name = "route+20ms", WAN(10, 10), .route_ns = 20000000, .route_from_s = 80000,
		 .route_to_s = 140000 }, 1, .biased = true },
	{ .c = { .name = "quantum_1us", LAN(10000, 4, 6), .quantum_ns = 1000 }, 1 },
	{ .c = { .name = "quantum_15ms", WAN(10, 10), .quantum_ns = 15000000 }, 1, .biased = true },
};

static void scenario(const struct row *r, uint64_t seed, struct sim_conf *c)
{
	struct sim_conf base;
	unsigned int i;

	sim_defaults(&base);
	*c = r->c;
	c->engine = base.engine;
	c->offset_ns = 10000000;
	c->freq_ppb = 10000;
	c->servers_len = r->servers;
	for (i = 0; i < r->servers; i++) {
		c->servers[i] = base.servers[0];
		c->servers[i].false_ns = i < r->false_servers ? 50000000 : 0;
		c->servers[i].loss = c->name[0] == 'l' && c->name[1] == 'o' ? 0.3 : 0;
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

/* struct score - of one row over all seeds: medians, and sums of seconds */
struct score {
	double	 rms_ns;
	double	 max_ns;
	double	 oracle_ns;
	double	 pkts;
	double	 within1;
	double	 within3;
	double	 in_distance;
};

static void run_row(const struct row *r, unsigned int seeds, uint64_t first, struct score *out)
{
	static double rms[MAX_SEEDS], max[MAX_SEEDS], oracle[MAX_SEEDS], pkts[MAX_SEEDS];
	uint64_t violations = 0, served = 0, checked = 0, within1 = 0, within3 = 0;
	struct sim_result res;
	struct sim_conf c;
	unsigned int i;

	for (i = 0; i < seeds; i++) {
		scenario(r, first + i, &c);
		sim_run(&c, &res);
		rms[i] = res.rms_ns;
		max[i] = (double)res.max_ns;
		oracle[i] = res.oracle_rms_ns;
		pkts[i] = (double)res.requests;
		violations += res.violations;
		served += (uint64_t)res.served_s;
		checked += res.checked_s;
		within1 += res.within1_s;
		within3 += res.within3_s;
	}
	out->rms_ns = median(rms, seeds);
	out->max_ns = median(max, seeds);
	out->oracle_ns = median(oracle, seeds);
	out->pkts = median(pkts, seeds);
	out->within1 = (double)within1 / (double)checked;
	out->within3 = (double)within3 / (double)checked;
	out->in_distance = 1 - (double)violations / (double)served;
}

static void print_row(const struct row *r, const struct score *s)
{
	printf("# %-12s %10.2f %10.2f %10.2f %7.2f", r->c.name, s->rms_ns / 1e3, s->oracle_ns / 1e3,
	       s->max_ns / 1e3, s->rms_ns / s->oracle_ns);
	if (r->chrony_rms_ns > 0)
		printf(" %7.2f %7.2f", s->rms_ns / r->chrony_rms_ns, s->max_ns / r->chrony_max_ns);
	else
		printf("       -       -");
	printf(" %6.0f %6u %6.1f %6.1f %8.3f\n", s->pkts, r->chrony_pkts, 100 * s->within1,
	       100 * s->within3, 100 * s->in_distance);
}

/* Return: whether it is as good as it has to be. */
static bool good(const struct row *r, const struct score *s)
{
	if (s->in_distance < IN_DISTANCE_MIN)
		return false;
	if (!r->biased && (s->within1 < WITHIN_1_MIN || s->within1 > WITHIN_1_MAX ||
			   s->within3 < WITHIN_3_MIN))
		return false;
	if (r->chrony_rms_ns <= 0)
		return true;
	return s->rms_ns <= r->want * r->chrony_rms_ns && s->rms_ns <= MAX_OF_ORACLE * s->oracle_ns &&
	       s->max_ns <= r->chrony_max_ns && s->pkts <= r->chrony_pkts;
}

/* Return: whether a scenario is among those asked for by name, if any are. */
static bool wanted(const struct row *r, char *const *names)
{
	if (!*names)
		return true;
	while (*names)
		if (!strcmp(*names++, r->c.name))
			return true;
	return false;
}

int main(int argc, char **argv)
{
	unsigned int seeds = argc > 1 ? (unsigned int)atoi(argv[1]) : 31;
	uint64_t first = argc > 2 ? strtoull(argv[2], NULL, 0) : 1000;
	struct score s;
	size_t i, bad = 0;

	if (!seeds || seeds > MAX_SEEDS)
		return 2;
	printf("TAP version 13\n# medians of %u seeds; us; in %%: error within est_error, within three "
	       "times that, within the claimed root distance\n", seeds);
	printf("# %-12s %10s %10s %10s %7s %7s %7s %6s %6s %6s %6s %8s\n", "scenario", "RMS",
	       "oracle", "max", "/oracle", "/chrony", "/itsmax", "pkts", "its", "1 est", "3 est",
	       "distance");
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (argc > 3 && !wanted(&rows[i], argv + 3))
			continue;
		run_row(&rows[i], seeds, first, &s);
		print_row(&rows[i], &s);
		printf("%sok %zu - score: %s\n", good(&rows[i], &s) ? "" : "not ", i + 1,
		       rows[i].c.name);
		fflush(stdout);
		bad += !good(&rows[i], &s);
	}
	printf("1..%zu\n", i);
	return bad != 0;
}
