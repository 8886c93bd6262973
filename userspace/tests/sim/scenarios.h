/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of scenarios that the estimator is scored on.
 */
#ifndef NTPK_TESTS_SCENARIOS_H
#define NTPK_TESTS_SCENARIOS_H

#include "sim.h"

/* enum scenario_must - what is asked of a row beside honest claims */
enum scenario_must {
	MUST_SERVE,		/* figures, and time served nearly all along */
	MUST_REFUSE,		/* never serves: nobody has a majority */
	MUST_FOLLOW,		/* follows the majority, which is false: a limit that is known */
};

/**
 * struct scenario - a row
 * @c: what differs from sim_defaults(); zero = as there
 * @servers: how many; the first @false_servers have the error of c.servers[0], each
 *	@false_factor times that of the one before
 * @false_servers: see there
 * @false_factor: 0 = 1
 * @odd: only the first server is as in c.servers[0]; the others are good
 * @chrony_rms_ns: chrony 4.8, measured with the real daemon on an independent
 *	simulator of the same kind, medians of 11 seeds; 0 = not known, as below
 * @chrony_max_ns: see there
 * @chrony_pkts: see there
 * @want: of chrony's RMS, at most
 * @biased: est_error is not asked for: paths not alike, or servers false
 * @no_rfc: the plain RFC 5905 filter, which is told which server is false, is no measure
 * @must: see enum scenario_must
 */
struct scenario {
	struct sim_conf c;
	unsigned int servers;
	unsigned int false_servers;
	double	 false_factor;
	bool	 odd;
	double	 chrony_rms_ns;
	double	 chrony_max_ns;
	unsigned int chrony_pkts;
	double	 want;
	bool	 biased;
	bool	 no_rfc;
	enum scenario_must must;
};

extern const struct scenario scenarios[];
extern const unsigned int scenarios_len;

/**
 * scenario_conf() - a row for one seed
 * @r: row
 * @seed: of it
 * @c: filled
 */
void scenario_conf(const struct scenario *r, uint64_t seed, struct sim_conf *c);

/**
 * scenario_find() - a row by its name
 * @name: of it
 *
 * Return: the row or NULL.
 */
const struct scenario *scenario_find(const char *name);

#endif /* NTPK_TESTS_SCENARIOS_H */
