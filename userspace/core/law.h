/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The law of one measurement: where the truth may lie, given what was measured.
 * A mixture of boxes with soft edges and of Gaussians, for which a Gaussian
 * prior has its evidence and its posterior's mean and variance in closed form
 * (assumed density filtering: Maybeck 1982, Minka 2001).  Pure; no locking.
 */
#ifndef NTPK_CORE_LAW_H
#define NTPK_CORE_LAW_H

#define LAW_PARTS	4

/**
 * struct law_part - one way in which a measurement can have come about
 * @weight: its probability
 * @mean_ns: the truth's mean, less what was measured
 * @half_ns: half the width of the box, 0 = a Gaussian
 * @var_ns2: of the Gaussian, or of the box's edges
 */
struct law_part {
	double	 weight;
	double	 mean_ns;
	double	 half_ns;
	double	 var_ns2;
};

/**
 * struct law - the whole
 * @part: its parts, @parts of them
 * @parts: see there
 * @mean_ns: of all
 * @var_ns2: of all, rare surprises apart
 * @scale_ns: what is usual for the source: how wrong a part may be
 */
struct law {
	struct law_part part[LAW_PARTS];
	unsigned int parts;
	double	 mean_ns;
	double	 var_ns2;
	double	 scale_ns;
};

/**
 * struct law_score - what a measurement says
 * @log: logarithm of its likelihood
 * @d1: derivative of that by the prior's mean, 1/ns
 * @d2: second derivative, 1/ns^2
 */
struct law_score {
	double	 log;
	double	 d1;
	double	 d2;
};

/**
 * law_gauss() - nothing is known but a variance
 * @l: filled
 * @var_ns2: that
 */
void law_gauss(struct law *l, double var_ns2);

/**
 * law_add() - one more part; room is the caller's care
 * @l: law
 * @p: part
 */
void law_add(struct law *l, const struct law_part *p);

/**
 * law_close() - all parts are in: weights sum to one, moments are known
 * @l: law
 *
 * A last part, rare and wide, is added for what no model foresees.
 */
void law_close(struct law *l);

/**
 * law_score() - evidence of a measurement for a Gaussian prior
 * @l: law
 * @prior_ns: the prior's mean, less what was measured
 * @prior_var_ns2: its variance
 * @out: filled; the posterior's mean is @prior_ns + @prior_var_ns2 * d1, its
 *	variance @prior_var_ns2 + @prior_var_ns2^2 * d2
 */
void law_score(const struct law *l, double prior_ns, double prior_var_ns2,
	       struct law_score *out);

#endif /* NTPK_CORE_LAW_H */
