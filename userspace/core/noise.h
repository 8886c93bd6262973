/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The noise of one source, as its delays tell it.  A delay is a floor plus an
 * excess e; for independent exponential queues each way the offset's error is
 * uniform within +-e/2, so each sample's law is known from its own delay.
 * Where the queues differ by direction the truth lies nearer to one end
 * (tilt.h); of a packet that was much slower than usual it lies near either.
 * All is learnt over many samples and forgotten when the route changes.
 * Pure; no locking.
 */
#ifndef NTPK_CORE_NOISE_H
#define NTPK_CORE_NOISE_H

#include <stdint.h>
#include "law.h"
#include "tilt.h"

#define NOISE_LEN	128	/* delays kept one by one ... */
#define NOISE_BLOCKS	15	/* ... and, of so many times as many before, the least of each */

/**
 * struct noise - what is known
 * @delay_ns: the last delays, a ring
 * @len: how many
 * @next: where the next goes
 * @high: delays in a row far above the floor
 * @high_sum_ns: offsets of these from the line
 * @high_sd_ns: how well that was known at the first of them
 * @bias_ns: of the offsets, by how the route became longer: within half of what @floor_ns
 *	has over @base_ns
 * @base_ns: floor of the shortest route known
 * @block_ns: the least delays of earlier rounds of the ring, a ring of @blocks
 * @blocks: see there
 * @floor_ns: the least of all
 * @scale_ns: mean excess of one direction
 * @slow: probability that a packet is held up, one way ...
 * @slow_ns: ... and for how long, mean
 * @tilt: where in an excess the truth lies
 */
struct noise {
	uint32_t delay_ns[NOISE_LEN];
	unsigned int len;
	unsigned int next;
	unsigned int high;
	double	 high_sum_ns;
	double	 high_sd_ns;
	double	 bias_ns;
	double	 base_ns;
	uint32_t block_ns[NOISE_BLOCKS];
	unsigned int blocks;
	double	 floor_ns;
	double	 scale_ns;
	double	 slow;
	double	 slow_ns;
	struct tilt tilt;
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
 * noise_usual_ns() - standard deviation of an offset as they usually are
 * @n: noise
 * @err_ns: bound of the stamps' errors ...
 * @step_ns: ... of which the steps of the server's clock, read in their middle
 */
double noise_usual_ns(const struct noise *n, int64_t err_ns, int64_t step_ns);

/**
 * noise_law() - where the truth may lie
 * @n: noise, which has learnt this delay
 * @delay_ns: of the sample
 * @err_ns: bound of its stamps' errors ...
 * @step_ns: ... of which the steps of the server's clock, read in their middle
 * @l: filled
 */
void noise_law(const struct noise *n, int64_t delay_ns, int64_t err_ns, int64_t step_ns,
	       struct law *l);

/**
 * noise_learn() - learn from a sample that a good line had foretold
 * @n: noise, which has learnt this delay
 * @delay_ns: of the sample
 * @innov_ns: its offset, as measured, less the line's
 * @line_var_ns2: variance of the line
 * @err_ns: bound of the stamps' errors ...
 * @step_ns: ... of which the steps of the server's clock, read in their middle
 */
void noise_learn(struct noise *n, int64_t delay_ns, double innov_ns, double line_var_ns2,
		 int64_t err_ns, int64_t step_ns);

/**
 * noise_follow() - take note of where the sample lies, now that the line has learnt it
 * @n: noise, which has learnt its delay
 * @resid_ns: its offset, as measured, from the line
 * @line_sd_ns: standard deviation of the line
 *
 * While the delays say that the route may be another, this tells how much
 * longer it is one way than the other.
 */
void noise_follow(struct noise *n, double resid_ns, double line_sd_ns);

#endif /* NTPK_CORE_NOISE_H */
