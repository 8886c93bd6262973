/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The noise of one source, as its delays tell it.  A delay is a floor plus an
 * excess e; for independent exponential queues each way the offset's error is
 * uniform within +-e/2, so each sample's variance is known from its own delay.
 * Floor and mean excess are learnt over many samples and forgotten when the
 * route changes.  Pure; no locking.
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
 */
struct noise {
	uint32_t delay_ns[NOISE_LEN];
	unsigned int len;
	unsigned int next;
	unsigned int high;
	double	 floor_ns;
	double	 scale_ns;
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

#endif /* NTPK_CORE_NOISE_H */
