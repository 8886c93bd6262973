/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Queues that differ by direction.  Of two exponential queues with means m and
 * n, the part of an excess e that was waited on the way back has the density
 * exp(-k b) on 0 <= b <= e, with k = 1/n - 1/m: uniform where the queues are
 * alike, at one end where they are not.  Which k holds is learnt from where
 * the line says that the truth lay.  Pure; no locking.
 */
#ifndef NTPK_CORE_TILT_H
#define NTPK_CORE_TILT_H

#define TILT_RATES	13

/**
 * struct tilt_rate - what one rate makes of the line
 * @weight: of what follows, 1/ns^2, fading
 * @sum: how far off the line lies, weighted
 */
struct tilt_rate {
	double	 weight;
	double	 sum;
};

/**
 * struct tilt - what is known; all zero = nothing
 * @log_e: evidence of each rate over that of queues alike
 * @off: see there
 * @rate: the likeliest, per scale: > 0 where requests wait the longer; 0 = alike
 */
struct tilt {
	double	 log_e[TILT_RATES];
	struct tilt_rate off[TILT_RATES];
	double	 rate;
};

/**
 * tilt_flush() - know nothing
 * @t: tilt
 */
void tilt_flush(struct tilt *t);

/**
 * tilt_moments() - where in an excess the truth lies
 * @per_ns: rate k
 * @e_ns: excess
 * @mean_ns: out: the truth's mean, less what was measured
 * @var_ns2: out: its variance
 */
void tilt_moments(double per_ns, double e_ns, double *mean_ns, double *var_ns2);

/**
 * tilt_learn() - learn from a sample that a good line had foretold
 * @t: tilt
 * @scale_ns: the unit of the rates
 * @e_ns: excess
 * @truth_ns: the line, less what was measured
 * @var_ns2: variance of that
 */
void tilt_learn(struct tilt *t, double scale_ns, double e_ns, double truth_ns, double var_ns2);

#endif /* NTPK_CORE_TILT_H */
