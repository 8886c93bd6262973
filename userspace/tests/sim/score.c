// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The estimator's score: all scenarios over many seeds, medians, beside the
 * oracle, a plain RFC 5905 filter and chrony.
 *
 *	score [SEEDS [FIRST_SEED [SCENARIO...]]]
 *
 * TAP.  A row passes when its claims are honest (the error stays within the
 * root distance, and as often as it should within est_error), when it is no
 * worse than the plain filter, and, where chrony's figures are known, its RMS is
 * at most so much of chrony's and 1.25 times the oracle's, its worst error no
 * worse than chrony's, with no more packets.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "scenarios.h"

#define MAX_SEEDS	1001
#define MAX_OF_ORACLE	1.25
#define MAX_OF_RFC	1.0

/* What a fraction of time an error of one sd must be within est_error, pooled. */
#define WITHIN_1_MIN	0.60
#define WITHIN_1_MAX	0.76
#define WITHIN_3_MIN	0.99
#define IN_DISTANCE_MIN	0.999
/* Fewer seeds than make a figure leave so much to chance. */
#define SEEDS_ENOUGH	101
#define CHANCE_1	0.04
#define CHANCE_3	0.01
#define SERVED_MIN	0.9

/* enum column - what is kept of each seed */
enum column {
	RMS, ORACLE, RFC, OF_RFC, MAX, P50, P99, FREQ, PKTS, SETTLE, STEPS, SELECTIONS, COLUMNS
};

/* struct score - of one row over all seeds: medians, and fractions of pooled seconds */
struct score {
	double	 median[COLUMNS];
	double	 within1;
	double	 within3;
	double	 in_distance;
	double	 served;
	double	 false_ns;	/* MUST_FOLLOW: median of the error */
};

static double columns[COLUMNS][MAX_SEEDS];

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void keep(unsigned int i, const struct sim_result *r)
{
	columns[RMS][i] = r->rms_ns;
	columns[ORACLE][i] = r->oracle_rms_ns;
	columns[RFC][i] = r->rfc_rms_ns;
	columns[OF_RFC][i] = r->rms_ns / fmax(r->rfc_rms_ns, 1);
	columns[MAX][i] = (double)r->max_ns;
	columns[P50][i] = (double)r->p50_ns;
	columns[P99][i] = (double)r->p99_ns;
	columns[FREQ][i] = r->freq_rms_ppb;
	columns[PKTS][i] = (double)r->requests;
	columns[SETTLE][i] = r->settle_s < 0 ? INFINITY : (double)r->settle_s;
	columns[STEPS][i] = (double)r->steps;
	columns[SELECTIONS][i] = (double)r->selections;
}

static void run_row(const struct scenario *r, unsigned int seeds, uint64_t first, struct score *out)
{
	double violations = 0, served = 0, checked = 0, within1 = 0, within3 = 0;
	struct sim_result res;
	struct sim_conf c;
	unsigned int i;

	for (i = 0; i < seeds; i++) {
		scenario_conf(r, first + i, &c);
		sim_run(&c, &res);
		keep(i, &res);
		violations += (double)res.violations;
		served += (double)res.served_s;
		checked += (double)res.checked_s;
		within1 += (double)res.within1_s;
		within3 += (double)res.within3_s;
	}
	for (i = 0; i < COLUMNS; i++) {
		qsort(columns[i], seeds, sizeof(double), compare);
		out->median[i] = columns[i][seeds / 2];
	}
	out->within1 = within1 / fmax(checked, 1);
	out->within3 = within3 / fmax(checked, 1);
	out->in_distance = 1 - violations / fmax(served, 1);
	out->served = served / ((double)seeds * (double)(c.duration_s - c.suspend_s));
}

static void print_ratio(double x, double of)
{
	if (of > 0)
		printf(" %7.2f", x / of);
	else
		printf("       -");
}

static void print_row(const struct scenario *r, const struct score *s)
{
	const double *m = s->median;

	printf("# %-16s %9.2f %9.2f %9.2f %9.2f %8.2f %7.0f %6.0f %5.0f", r->c.name, m[RMS] / 1e3,
	       m[P50] / 1e3, m[P99] / 1e3, m[MAX] / 1e3, m[FREQ], m[PKTS], m[SETTLE], m[STEPS]);
	printf(" %9.2f %9.2f", m[ORACLE] / 1e3, m[RFC] / 1e3);
	print_ratio(m[RMS], m[ORACLE]);
	print_ratio(m[RMS], r->chrony_rms_ns);
	print_ratio(m[MAX], r->chrony_max_ns);
	printf(" %6u %6.1f %6.1f %8.3f %6.1f\n", r->chrony_pkts, 100 * s->within1, 100 * s->within3,
	       100 * s->in_distance, 100 * s->served);
}

/* Return: what is wrong with it, NULL = nothing. */
static const char *fault(const struct scenario *r, const struct score *s, bool enough)
{
	double chance1 = enough ? 0 : CHANCE_1, chance3 = enough ? 0 : CHANCE_3;
	const double *m = s->median;

	if (r->must == MUST_REFUSE && s->served > 0)
		return "serves";
	if (r->must == MUST_REFUSE)
		return m[SELECTIONS] > 0 ? "selects now and then" : NULL;
	if (r->must == MUST_FOLLOW)
		return fabs(m[P50] - (double)r->c.servers[0].false_ns) > 1e6 ? "does not follow" : NULL;
	if (s->served < SERVED_MIN)
		return "does not serve";
	if (s->in_distance < IN_DISTANCE_MIN)
		return "root distance";
	if (!r->biased && (s->within1 < WITHIN_1_MIN - chance1 || s->within1 > WITHIN_1_MAX + chance1))
		return "est_error";
	if (!r->biased && s->within3 < WITHIN_3_MIN - chance3)
		return "three times est_error";
	/* seed by seed: what the crystal does in a day without sources is another each time */
	if (!r->no_rfc && m[OF_RFC] > MAX_OF_RFC)
		return "worse than the plain filter";
	if (r->chrony_rms_ns <= 0)
		return NULL;
	if (m[RMS] > MAX_OF_ORACLE * m[ORACLE])
		return "RMS beside the oracle's";
	if (m[RMS] > r->want * r->chrony_rms_ns || m[MAX] > r->chrony_max_ns)
		return "error beside chrony's";
	return m[PKTS] > r->chrony_pkts ? "packets" : NULL;
}

/* Return: whether a scenario is among those asked for by name, if any are. */
static bool wanted(const struct scenario *r, char *const *names)
{
	if (!*names)
		return true;
	while (*names)
		if (!strcmp(*names++, r->c.name))
			return true;
	return false;
}

static void print_head(unsigned int seeds)
{
	printf("TAP version 13\n# medians of %u seeds; us, ppb, s; of pooled seconds, in %%: error within "
	       "est_error, within three times that, within the claimed root distance; served\n", seeds);
	printf("# %-16s %9s %9s %9s %9s %8s %7s %6s %5s %9s %9s %7s %7s %7s %6s %6s %6s %8s %6s\n",
	       "scenario", "RMS", "median", "p99", "max", "RMS freq", "packets", "settle", "steps",
	       "oracle", "RFC5905", "/oracle", "/chrony", "/itsmax", "its", "1 est", "3 est",
	       "distance", "served");
}

int main(int argc, char **argv)
{
	unsigned int seeds = argc > 1 ? (unsigned int)atoi(argv[1]) : 11, i, n = 0, bad = 0;
	uint64_t first = argc > 2 ? strtoull(argv[2], NULL, 0) : 1000;
	const struct scenario *r;
	const char *why;
	struct score s;

	if (!seeds || seeds > MAX_SEEDS)
		return 2;
	print_head(seeds);
	for (i = 0; i < scenarios_len; i++) {
		r = &scenarios[i];
		if (argc > 3 && !wanted(r, argv + 3))
			continue;
		run_row(r, seeds, first, &s);
		print_row(r, &s);
		why = fault(r, &s, seeds >= SEEDS_ENOUGH);
		printf("%sok %u - score: %s%s%s\n", why ? "not " : "", ++n, r->c.name,
		       why ? ": " : "", why ? why : "");
		fflush(stdout);
		bad += why != NULL;
	}
	printf("1..%u\n", n);
	return bad != 0;
}
