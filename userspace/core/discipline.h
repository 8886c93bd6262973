/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Steering CLOCK_REALTIME towards the line: rate, slew, step by policy, and
 * the watch for steps that others make.  What is served does not depend on it.
 * Pure; no locking.
 */
#ifndef NTPK_CORE_DISCIPLINE_H
#define NTPK_CORE_DISCIPLINE_H

#include "estimate.h"
#include "out.h"

#define DISC_SLEW_PPB	500000.0	/* adjtime in the kernel: 0.5 ms per second */
#define DISC_SLEW_SPAN_S 1.0	/* a slew by rate is to take so long */

/**
 * struct disc - what was asked of the system clock, and what it showed
 * @seen: the clocks at the last event; local_ns of 0 = none yet
 * @freq_set: a rate was asked for
 * @freq_ppb: that rate, against the local timescale
 * @phase_ns: slew asked for at ...
 * @phase_local_ns: ... this instant
 * @stepping: a step was asked for and is not reported yet
 * @step_local_ns: when
 * @steps: ours
 * @max_slew_ppb: fastest slew asked for on average; 0 = the kernel's
 * @slew_ppb: a slew is a rate for DISC_SLEW_SPAN_S, this fast at most; 0 = adjtime
 * @min_phase_ns: what the clock is off by less is left to the next update; 0 = what
 *	adjtime resolves
 * @chunk_local_ns: slower than the kernel: no part of a slew is asked for before
 * @more: ... and there is more to slew then
 * @off_ns: how far the clock has run off what was asked for, since it was
 * @disturbed: it did so by too much: another changed its rate or its slew
 */
struct disc {
	struct clocks seen;
	bool	 freq_set;
	double	 freq_ppb;
	int64_t	 phase_ns;
	int64_t	 phase_local_ns;
	bool	 stepping;
	int64_t	 step_local_ns;
	uint64_t steps;
	double	 max_slew_ppb;
	double	 slew_ppb;
	int64_t	 min_phase_ns;
	int64_t	 chunk_local_ns;
	bool	 more;
	int64_t	 off_ns;
	bool	 disturbed;
};

/* What disc_observe() found. */
enum disc_change {
	DISC_NONE,
	DISC_OWN_STEP,
	DISC_FOREIGN_STEP,
};

/**
 * disc_observe() - compare the system clock with what it should show
 * @d: discipline
 * @now: clocks of the event
 * @told: the event says that the clock was stepped
 * @step_ns: out, how far off what was expected
 *
 * Return: whether it was stepped, and by whom.
 */
enum disc_change disc_observe(struct disc *d, const struct clocks *now, bool told,
			      int64_t *step_ns);

/**
 * disc_due() - has something to be asked of the clock before the next update?
 * @d: discipline
 * @local_ns: now
 */
bool disc_due(const struct disc *d, int64_t local_ns);

/**
 * disc_may_step() - does the policy let us step now?
 * @conf: makestep
 * @updates: clock updates so far, this one included
 * @residual_ns: line minus clock
 */
bool disc_may_step(const struct engine_config *conf, uint64_t updates, int64_t residual_ns);

/**
 * disc_step() - ask for a step
 * @d: discipline
 * @now: clocks
 * @step_ns: how far
 * @out: actions
 */
void disc_step(struct disc *d, const struct clocks *now, int64_t step_ns, struct actions *out);

/**
 * disc_steer() - ask for rate and slew, where they differ from those running
 * @d: discipline
 * @now: clocks
 * @residual_ns: line minus clock
 * @freq_ppb: the line's
 * @out: actions
 */
void disc_steer(struct disc *d, const struct clocks *now, int64_t residual_ns, double freq_ppb,
		struct actions *out);

#endif /* NTPK_CORE_DISCIPLINE_H */
