/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * How long a reply still takes when its T3 has been read, learned from those whose
 * departure is known.  Pure C; any context.
 *
 * T3 is to be late in next to no reply, as a client takes that for a shorter way than
 * there is, and early by as little as can be.  So it is moved on by the smallest
 * latency of the last 128 to 256 that were learned: of values that are independent and
 * alike, the next one is below the least of n with the probability 1/(n + 1), at most
 * 1 in 129.  What is left over on average is an error that the server knows of.
 */
#ifndef _NTPK_NTP_LATENCY_H
#define _NTPK_NTP_LATENCY_H

#include <linux/types.h>
#ifndef __KERNEL__
#include <stdbool.h>
#endif

/* Half a window. */
#define NTP_LATENCY_HALF	128
/*
 * A longer wait is a queue's, which can be gone with the next packet: T3 is never moved
 * on by more.
 */
#define NTP_LATENCY_CORRECTION_MAX_NS	20000
/* What is longer counts as this: one neighbour that has to be found is not everybody's error. */
#define NTP_LATENCY_MAX_NS	1000000

/**
 * struct ntp_latency - what was learned; all zero at first
 * @n: in the half that is being filled
 * @min_ns: the least of them
 * @sum_ns: of them
 * @last_min_ns: of the half before that, which is full
 * @last_sum_ns: likewise; 0 = there is none yet
 */
struct ntp_latency {
	__u32	n;
	__u32	min_ns;
	__u32	sum_ns;
	__u32	last_min_ns;
	__u32	last_sum_ns;
};

/**
 * ntp_latency_add() - one more departure that is known
 * @l: what was learned before
 * @ns: from T3, not corrected, to the departure; at least 1
 */
void ntp_latency_add(struct ntp_latency *l, __u32 ns);

/**
 * ntp_latency_known() - is there enough to go by?
 * @l: what was learned
 *
 * Return: whether half a window has been full.
 */
static inline bool ntp_latency_known(const struct ntp_latency *l)
{
	return l->last_sum_ns;
}

/**
 * ntp_latency_correction_ns() - what to move T3 on by
 * @l: what was learned
 *
 * Return: at most NTP_LATENCY_CORRECTION_MAX_NS; 0 while not known.
 */
__u32 ntp_latency_correction_ns(const struct ntp_latency *l);

/**
 * ntp_latency_residual_ns() - how early a corrected T3 still is, on average
 * @l: what was learned
 *
 * Return: the mean of the window less the correction; 0 while not known.
 */
__u32 ntp_latency_residual_ns(const struct ntp_latency *l);

#endif /* _NTPK_NTP_LATENCY_H */
