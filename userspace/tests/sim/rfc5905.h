/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For comparison: a plain reading of RFC 5905, its clock filter of eight stages
 * (section 10, A.5.2) and its clock discipline of phase-locked and
 * frequency-locked loop (section 11.3, A.5.5.6), fed with the samples that the
 * engine asked for.  What is false it is not shown: its selection is taken for
 * perfect.
 */
#ifndef NTPK_TESTS_RFC5905_H
#define NTPK_TESTS_RFC5905_H

#include <stdbool.h>

#define RFC5905_SOURCES	8
#define RFC5905_STAGES	8

struct rfc5905_sample {
	double offset_ns, delay_ns, t_s;
};

/**
 * struct rfc5905 - one client
 * @x_ns: UTC less the local timescale, as this client has it
 * @freq_ppb: its rate
 * @left_ns: offset that the loop is still to remove
 * @base_ns: phase corrected since the frequency is being measured
 * @poll: exponent of its time constant, from @min_poll to @max_poll as A.5.5.6 has it;
 *	asked is as often as the engine likes
 * @jitter_ns: of the offsets
 * @count: for and against a longer one
 * @set: the first offset is in
 * @locked: the first frequency is in
 */
struct rfc5905 {
	double	 x_ns;
	double	 freq_ppb;
	double	 left_ns;
	double	 base_ns;
	int	 poll;
	int	 min_poll;
	int	 max_poll;
	double	 jitter_ns;
	double	 last_ns;
	int	 count;
	double	 update_s;
	double	 start_s;
	bool	 set;
	bool	 locked;
	struct {
		struct rfc5905_sample stage[RFC5905_STAGES];
		unsigned int len;
		double	 used_s;
	} src[RFC5905_SOURCES];
};

/** rfc5905_init() - nothing is known but the limits of the poll interval */
void rfc5905_init(struct rfc5905 *r, int min_poll, int max_poll);

/** rfc5905_advance() - time goes on */
void rfc5905_advance(struct rfc5905 *r, double secs);

/**
 * rfc5905_learn() - a sample
 * @r: client
 * @source: of it
 * @lead_ns: UTC less the local timescale, as measured
 * @delay_ns: of it
 * @t_s: now
 */
void rfc5905_learn(struct rfc5905 *r, unsigned int source, double lead_ns, double delay_ns,
		   double t_s);

#endif /* NTPK_TESTS_RFC5905_H */
