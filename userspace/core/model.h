/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One hypothesis about clock and noise: a Kalman filter of two states, offset
 * and frequency, whose frequency walks at random at an assumed rate, and which
 * takes the measurements' law as told, or as a Gaussian that is wider by an
 * assumed factor.  Pure; no locking.
 * Units: nanoseconds and ppb, so that one second of one ppb is one nanosecond.
 */
#ifndef NTPK_CORE_MODEL_H
#define NTPK_CORE_MODEL_H

#include "law.h"

/**
 * struct model - hypothesis and state
 * @q: growth of the frequency's variance, ppb^2/s
 * @noise: factor of the measurements' variances; 1 = the law as told
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
 * model_noise_ns2() - variance of a measurement as this model takes it
 * @m: model
 * @l: law
 */
double model_noise_ns2(const struct model *m, const struct law *l);

/**
 * model_correct() - learn from a measurement
 * @m: model
 * @offset_ns: measured, from the same base
 * @secs: when, from now; <= 0
 * @l: its law
 * @extra_ns2: variance of the clock between then and now
 *
 * Return: log of the measurement's likelihood.
 */
double model_correct(struct model *m, double offset_ns, double secs, const struct law *l,
		     double extra_ns2);

#endif /* NTPK_CORE_MODEL_H */
