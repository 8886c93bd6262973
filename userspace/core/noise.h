/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The noise of one source, as its delays tell it.  A delay is a floor plus an
 * excess e; for independent exponential queues each way the offset's error is
 * uniform within +-e/2, so each sample's variance is known from its own delay.
 * Where the queues differ by direction, the error grows with the excess: that
 * slope, within +-1/2, is learnt from the innovations.  All is learnt over many
 * samples and forgotten when the route changes.  Pure; no locking.
 */
#ifndef NTPK_CORE_NOISE_H
#define NTPK_CORE_NOISE_H

#include <stdint.h>

#define NOISE_LEN	128

/**
 * struct noise - what is known
 * @delay_ns: the last delays, a ring
 * @len: how many
 * @next: where the next goes
 * @high: delays in a row far above the floor
 * @floor_ns: the least of them
 * @scale_ns: mean excess of one direction
 * @slope: of the offset's error over the excess; 0 until it is significant
 * @sw: weighted sums over (excess, innovation) pairs, fading: weights ...
 * @swe: ... excesses
 * @swv: ... innovations
 * @swee: ... squared excesses
 * @swev: ... products
 */
struct noise {
	uint32_t delay_ns[NOISE_LEN];
	unsigned int len;
	unsigned int next;
	unsigned int high;
	double	 floor_ns;
	double	 scale_ns;
	double	 slope;
	double	 sw;
	double	 swe;
	double	 swv;
	double	 swee;
	double	 swev;
};

/**
 * noise_flush() - know nothing
 * @n: noise
 */
void noise_flush(struct noise *n);

/**
 * noise_add() - learn a delay
 * @n: noise
 * @delay_ns: >= 0; over 4 s counts as 4 s
 */
void noise_add(struct noise *n, int64_t delay_ns);

/**
 * noise_var_ns2() - variance of an offset
 * @n: noise, which has learnt this delay
 * @delay_ns: of the sample
 * @err_ns: bound of its stamps' errors
 */
double noise_var_ns2(const struct noise *n, int64_t delay_ns, int64_t err_ns);

/**
 * noise_bias_ns() - expected error of a sample's offset
 * @n: noise
 * @delay_ns: of the sample
 *
 * Return: to be taken from the offset.
 */
double noise_bias_ns(const struct noise *n, int64_t delay_ns);

/**
 * noise_learn() - learn the slope from a sample that a good line had foretold
 * @n: noise, which has learnt this delay
 * @delay_ns: of the sample
 * @innov_ns: its offset, as measured, less the line's
 * @var_ns2: variance of that
 */
void noise_learn(struct noise *n, int64_t delay_ns, double innov_ns, double var_ns2);

#endif /* NTPK_CORE_NOISE_H */
