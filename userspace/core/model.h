/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One hypothesis about clock and noise: a Kalman filter of two states, offset
 * and frequency, whose frequency walks at random at an assumed rate, and which
 * takes the measurements' variances times an assumed factor.  Pure; no locking.
 * Units: nanoseconds and ppb, so that one second of one ppb is one nanosecond.
 */
#ifndef NTPK_CORE_MODEL_H
#define NTPK_CORE_MODEL_H

/**
 * struct model - hypothesis and state
 * @q: growth of the frequency's variance, ppb^2/s
 * @noise: factor of the measurements' variances
 * @x_ns: offset from a base that the caller keeps
 * @freq_ppb: frequency
 * @p00: variance of @x_ns, ns^2
 * @p01: covariance, ns * ppb
 * @p11: variance of @freq_ppb, ppb^2
 * @log_w: log of its weight, 0 = the likeliest
 */
struct model {
	double	 q;
	double	 noise;
	double	 x_ns;
	double	 freq_ppb;
	double	 p00;
	double	 p01;
	double	 p11;
	double	 log_w;
};

/**
 * model_predict() - some seconds later
 * @m: model
 * @secs: >= 0
 */
void model_predict(struct model *m, double secs);

/**
 * model_innov_var_ns2() - how far a measurement may be off
 * @m: model
 * @secs: when it was made, from now; <= 0
 * @var_ns2: its variance
 */
double model_innov_var_ns2(const struct model *m, double secs, double var_ns2);

/**
 * model_correct() - learn from a measurement
 * @m: model
 * @offset_ns: measured, from the same base
 * @secs: when, from now; <= 0
 * @var_ns2: its variance
 *
 * Return: log of the measurement's likelihood, but for a constant.
 */
double model_correct(struct model *m, double offset_ns, double secs, double var_ns2);

#endif /* NTPK_CORE_MODEL_H */
