/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The oracle that the estimator is compared with: the best linear filter for
 * somebody who knows the crystal's wander, the floor of each delay, the excess
 * of each sample and who lies.  Two states, offset and frequency; polled when
 * the engine polled.
 */
#ifndef NTPK_TESTS_ORACLE_H
#define NTPK_TESTS_ORACLE_H

/**
 * struct oracle - state
 * @q: the wander's variance per second, ppb^2/s
 * @x_ns: estimate of UTC minus local time, from a base of the caller's
 * @f_ppb: and of its rate
 * @p00: variance of @x_ns
 * @p01: covariance
 * @p11: variance of @f_ppb
 */
struct oracle {
	double q;
	double x_ns;
	double f_ppb;
	double p00;
	double p01;
	double p11;
};

/**
 * oracle_init() - nothing measured
 * @o: filled
 * @wander_ppb: per square root of a second
 */
void oracle_init(struct oracle *o, double wander_ppb);

/**
 * oracle_predict() - time goes on
 * @o: oracle
 * @secs: so long
 */
void oracle_predict(struct oracle *o, double secs);

/**
 * oracle_learn() - a sample
 * @o: oracle
 * @offset_ns: measured
 * @excess_ns: of its delay over the floor, both ways together
 * @stamp_ns: each of two stamps is uniform within +- so much
 */
void oracle_learn(struct oracle *o, double offset_ns, double excess_ns, double stamp_ns);

/**
 * oracle_lost() - the local timescale stood still
 * @o: oracle
 * @ns: so long
 */
void oracle_lost(struct oracle *o, double ns);

#endif /* NTPK_TESTS_ORACLE_H */
