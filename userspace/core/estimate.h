/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * UTC as a line on the local timescale, and how well it is known: a bank of
 * Kalman filters (model.h), each with its own idea of how much the crystal
 * wanders and by how much the noise is misjudged, weighted by how well each
 * foretells the measurements (multiple model estimation, Magill 1965).  So
 * neither has to be configured.  Fed with measurements (local instant, UTC,
 * variance).  Pure; no locking.
 */
#ifndef NTPK_CORE_ESTIMATE_H
#define NTPK_CORE_ESTIMATE_H

#include <stdbool.h>
#include <stdint.h>
#include <ntpk/ntp_reply.h>
#include "model.h"

#define EST_WANDERS	7
#define EST_NOISES	4
#define EST_MODELS	(EST_WANDERS * EST_NOISES)

/**
 * struct estimate - the line and its covariance
 * @valid: the offset has been measured
 * @base_local_ns: local instant of the base point
 * @base_unix_ns: UTC there, whole nanoseconds ...
 * @frac_ns: ... and the rest, 0 <= . < 1
 * @freq_ppb: rate of UTC against the local timescale, less one
 * @p00: variance of the offset at the base point, ns^2
 * @p01: covariance, ns * ppb
 * @p11: variance of the frequency, ppb^2
 * @q: growth of @p11 per second, ppb^2/s, by the models' weights
 * @updates: measurements taken since the offset became known
 * @rejects: consecutive measurements outside the gate, on the same side
 * @reject_innov_ns: innovation of the first of these
 * @reject_local_ns: when that was
 * @models: the bank; their offsets count from @base_unix_ns
 */
struct estimate {
	bool	 valid;
	int64_t	 base_local_ns;
	int64_t	 base_unix_ns;
	double	 frac_ns;
	double	 freq_ppb;
	double	 p00;
	double	 p01;
	double	 p11;
	double	 q;
	unsigned int updates;
	unsigned int rejects;
	double	 reject_innov_ns;
	int64_t	 reject_local_ns;
	struct model models[EST_MODELS];
};

/**
 * est_init() - nothing measured yet
 * @e: estimate
 * @freq_ppb: frequency believed
 * @freq_sd_ppb: its standard deviation
 */
void est_init(struct estimate *e, double freq_ppb, double freq_sd_ppb);

/**
 * est_start() - let the line pass through a point, without claiming truth
 * @e: estimate
 * @local_ns: local instant
 * @unix_ns: time there, e.g. the system clock's
 */
void est_start(struct estimate *e, int64_t local_ns, int64_t unix_ns);

/**
 * est_at() - UTC at a local instant
 * @e: estimate
 * @local_ns: before or after the base
 */
int64_t est_at(const struct estimate *e, int64_t local_ns);

/**
 * est_update() - learn from a measurement
 * @e: estimate
 * @local_ns: local instant, may be a little before the last one
 * @unix_ns: UTC measured there
 * @law: of the measurement
 * @surprise: out, |innovation| in standard deviations; 0 for the first
 *
 * A measurement beyond the gate is refused, until several in a row say the
 * same: then the covariance is opened and they are believed.
 *
 * Return: false when it was refused.
 */
bool est_update(struct estimate *e, int64_t local_ns, int64_t unix_ns, const struct law *law,
		double *surprise);

/**
 * est_sd_ns() - standard deviation of the line at a local instant
 * @e: estimate
 * @local_ns: at or after the base
 */
double est_sd_ns(const struct estimate *e, int64_t local_ns);

/**
 * est_error_ns() - what to claim as one standard deviation
 * @e: estimate
 * @local_ns: at or after the base
 *
 * est_sd_ns(), and a little more while it rests on few measurements.
 */
double est_error_ns(const struct estimate *e, int64_t local_ns);

/**
 * est_freq_sd_ppb() - standard deviation of the frequency at a local instant
 * @e: estimate
 * @local_ns: at or after the base
 */
double est_freq_sd_ppb(const struct estimate *e, int64_t local_ns);

/**
 * est_sigmas() - how many standard deviations to claim as a bound
 * @e: estimate
 *
 * The measurements' noise is itself known only from the measurements, so the
 * quantile is Student's, of 99.7 % on both sides, for their number less the
 * two states: 19 after four, 4.5 after ten, 3 in the end.
 */
double est_sigmas(const struct estimate *e);

/**
 * est_bound_ns() - what the line may be off by at a local instant
 * @e: estimate
 * @local_ns: at or after the base
 *
 * For root distance: est_sigmas() of the standard deviation, as it grows with
 * the largest wander that the measurements leave possible.  A day after the
 * last of them that is all that counts.
 */
double est_bound_ns(const struct estimate *e, int64_t local_ns);

/**
 * est_growth_ns() - error that gathers in some time, from the frequency alone
 * @e: estimate
 * @secs: how long from the base
 *
 * Return: one standard deviation.
 */
double est_growth_ns(const struct estimate *e, double secs);

/**
 * est_shift() - move the line in UTC (leap second, suspended time)
 * @e: estimate
 * @shift_ns: > 0: later
 */
void est_shift(struct estimate *e, int64_t shift_ns);

/**
 * est_lose_phase() - the offset is unknown again, the frequency is not
 * @e: estimate
 */
void est_lose_phase(struct estimate *e);

/**
 * est_line() - the line as served
 * @e: estimate
 * @local_ns: base point wanted
 * @line: out
 */
void est_line(const struct estimate *e, int64_t local_ns, struct ntp_line *line);

#endif /* NTPK_CORE_ESTIMATE_H */
