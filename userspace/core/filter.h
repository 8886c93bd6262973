/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The clock filter of one source (RFC 5905 section 10): its last eight
 * samples, of which the nearest is believed.  Samples are points (local
 * instant, UTC there): offsets are taken against whatever line is current, so
 * they stay comparable when the line moves.  Pure; no locking.
 */
#ifndef NTPK_CORE_FILTER_H
#define NTPK_CORE_FILTER_H

#include "estimate.h"

#define FILTER_STAGES	8

/**
 * struct filter_sample - one exchange
 * @mid_local_ns: (t1 + t4) / 2
 * @mid_unix_ns: (t2 + t3) / 2
 * @delay_ns: (t4 - t1) - (t3 - t2), >= 0
 * @err_ns: bound of the stamps' errors ...
 * @step_ns: ... of which the steps of the server's clock, so coarse that both its stamps
 *	are the same: @mid_unix_ns is in the middle of one; 0 = not so
 */
struct filter_sample {
	int64_t	 mid_local_ns;
	int64_t	 mid_unix_ns;
	int64_t	 delay_ns;
	int64_t	 err_ns;
	int64_t	 step_ns;
};

/* struct filter - a ring; @next is where the next sample goes */
struct filter {
	struct filter_sample s[FILTER_STAGES];
	unsigned int len;
	unsigned int next;
};

/**
 * struct filter_peer - the filter's answer, RFC 5905's peer variables
 * @samples: how many it rests on, 0 = the rest is meaningless
 * @offset_ns: of the best sample, source minus line
 * @age_ns: of that one
 * @delay_ns: likewise
 * @disp_ns: its stamps' errors, aged
 * @jitter_ns: RMS distance of the others from it, or with four samples and
 *	more about their trend
 */
struct filter_peer {
	unsigned int samples;
	int64_t	 offset_ns;
	int64_t	 age_ns;
	int64_t	 delay_ns;
	int64_t	 disp_ns;
	int64_t	 jitter_ns;
};

/**
 * filter_flush() - forget all samples
 * @f: filter
 */
void filter_flush(struct filter *f);

/**
 * filter_add() - take in a sample, the oldest goes
 * @f: filter
 * @s: sample, copied
 */
void filter_add(struct filter *f, const struct filter_sample *s);

/**
 * filter_shift() - UTC made a jump (leap second)
 * @f: filter
 * @shift_ns: added to all samples
 */
void filter_shift(struct filter *f, int64_t shift_ns);

/**
 * filter_offset_ns() - offset of one sample
 * @s: sample
 * @line: current
 */
int64_t filter_offset_ns(const struct filter_sample *s, const struct estimate *line);

/**
 * filter_eval() - peer variables at an instant
 * @f: filter
 * @line: current
 * @local_ns: now
 * @phi_ppb: at which samples grow old
 * @out: filled
 */
void filter_eval(const struct filter *f, const struct estimate *line, int64_t local_ns,
		 double phi_ppb, struct filter_peer *out);

/**
 * struct filter_trend - the samples' offsets as a straight line of their own
 * @span_ns: from the oldest sample to the youngest
 * @freq_ppb: slope: the source's frequency against our line
 * @freq_sd_ppb: its standard deviation, 0 with fewer than three samples
 * @sd_ns: of the samples about it, likewise
 */
struct filter_trend {
	int64_t	 span_ns;
	double	 freq_ppb;
	double	 freq_sd_ppb;
	double	 sd_ns;
};

/**
 * filter_trend() - for reports
 * @f: filter
 * @line: current
 * @out: filled
 */
void filter_trend(const struct filter *f, const struct estimate *line, struct filter_trend *out);

#endif /* NTPK_CORE_FILTER_H */
