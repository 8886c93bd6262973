/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The system clock's controls: the single place that calls clock_adjtime(2)
 * and adjtime(3), and that knows their units.  Event loop only.  Offsets: > 0
 * moves the clock forward.
 */
#ifndef NTPKD_SYSCLOCK_H
#define NTPKD_SYSCLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/time.h>
#include <sys/timex.h>

/* Fastest slew by rate: half of what tick and frequency can do together. */
#define SYSCLOCK_SLEW_PPB	50e6

/* struct sysclock_ops - the system calls, so that tests can stand in for them */
struct sysclock_ops {
	int (*adjtimex)(struct timex *tx);
	int (*adjtime)(const struct timeval *delta, struct timeval *old);
};

/* enum sysclock_foreign - what somebody else has done to the clock */
enum sysclock_foreign {
	SYSCLOCK_OURS,		/* nothing */
	SYSCLOCK_FREQ,		/* frequency or tick */
	SYSCLOCK_PLL,		/* the kernel's own loop is on (STA_PLL) */
	SYSCLOCK_SLEW,		/* an adjtime() that we did not ask for */
};

/**
 * struct sysclock - what we last set
 * @ops: system calls
 * @control: false: look, never touch (-x)
 * @rtcsync: clear STA_UNSYNC while synchronised, which makes the kernel copy
 *	the time into the RTC every 11 minutes
 * @known: @freq_scaled_ppm and @tick_us were set by us
 * @foreign: the values last read back are somebody else's, as counted
 * @untold: what was found and sysclock_check() has not returned yet
 * @foreign_ppb: the frequency then
 * @start_freq_ppb: what the kernel's frequency was when we came
 * @by_rate: a slew is a change of the rate that sysclock_slew_end() ends, exact to
 *	nanoseconds: for simulators, where no daemon is killed in the middle of one and
 *	adjtime() may not be there
 * @freq_ppb: rate without such a slew
 * @slew_ppb: and what it adds ...
 * @slew_local_ns: ... from this instant, 0 = none ...
 * @slew_ns: ... to remove so much
 * @slew_us: what was left of our slew at the last look
 * @tick_nominal_us: tick without correction, 10000 with USER_HZ 100
 * @tick_us: last set
 * @freq_scaled_ppm: last set, 2^-16 ppm
 * @foreign_changes: how often somebody else changed them
 */
struct sysclock {
	const struct sysclock_ops *ops;
	bool	 control;
	bool	 known;
	enum sysclock_foreign foreign;
	enum sysclock_foreign untold;
	double	 foreign_ppb;
	bool	 rtcsync;
	double	 start_freq_ppb;
	bool	 by_rate;
	double	 freq_ppb;
	double	 slew_ppb;
	int64_t	 slew_local_ns;
	int64_t	 slew_ns;
	int64_t	 slew_us;
	long	 tick_nominal_us;
	long	 tick_us;
	long	 freq_scaled_ppm;
	uint64_t foreign_changes;
};

/**
 * sysclock_init() - take the clock over
 * @sc: filled
 * @ops: NULL = the real ones
 * @control: may it be touched?
 *
 * Ends what an earlier daemon may have left going: PLL, PPS and frequency
 * hold, an offset being slewed.  Frequency and the synchronised bit stay.
 *
 * Return: 0, or -EPERM and the like.
 */
int sysclock_init(struct sysclock *sc, const struct sysclock_ops *ops, bool control);

/**
 * sysclock_clean() - let go: a slew in progress ends, the frequency stays
 * @sc: clock
 */
void sysclock_clean(struct sysclock *sc);

/**
 * sysclock_split_freq() - a frequency as tick and fine part
 * @sc: for the nominal and the present tick
 * @freq_ppb: wanted, limited to what the kernel can do (10 % and 500 ppm)
 * @tick_us: out
 * @freq_scaled_ppm: out, within +-500 ppm
 */
void sysclock_split_freq(const struct sysclock *sc, double freq_ppb, long *tick_us,
			 long *freq_scaled_ppm);

/**
 * sysclock_set_freq() - rate of the clock against the free-running counter
 * @sc: clock
 * @freq_ppb: > 0 faster
 *
 * Return: 0 or -errno.
 */
int sysclock_set_freq(struct sysclock *sc, double freq_ppb);

/**
 * sysclock_slew() - remove a phase error at 500 ppm, ends by itself
 * @sc: clock
 * @phase_ns: to be added; what is below a microsecond is left
 *
 * Replaces a slew in progress.
 *
 * Return: 0 or -errno.
 */
int sysclock_slew(struct sysclock *sc, int64_t phase_ns);

/**
 * sysclock_slew_due() - when does a slew by rate have to be ended?
 * @sc: clock
 *
 * Return: local time, 0 = there is none.
 */
int64_t sysclock_slew_due(const struct sysclock *sc);

/**
 * sysclock_slew_end() - end it, now that it is due
 * @sc: clock
 *
 * What is left by then, because a timer was early, goes on.
 *
 * Return: 0 or -errno.
 */
int sysclock_slew_end(struct sysclock *sc);

/**
 * sysclock_step() - move the clock at once
 * @sc: clock
 * @phase_ns: to be added
 *
 * A slew in progress is part of the error that is stepped away: it ends.
 *
 * Return: 0 or -errno.
 */
int sysclock_step(struct sysclock *sc, int64_t phase_ns);

/**
 * sysclock_set_status() - what the kernel tells others of the clock
 * @sc: clock
 * @synchronised: clears STA_UNSYNC, with rtcsync
 * @leap: enum ntp_leap: 1 and 2 arm the kernel's leap second
 * @est_error_ns: 1 sigma
 * @max_error_ns: bound
 *
 * Return: 0 or -errno.
 */
int sysclock_set_status(struct sysclock *sc, bool synchronised, unsigned int leap,
			int64_t est_error_ns, int64_t max_error_ns);

/**
 * sysclock_check() - has somebody else had a hand in the clock?
 * @sc: clock
 * @freq_ppb: out for SYSCLOCK_FREQ, the frequency found
 *
 * A foreign PLL is switched off; a foreign frequency or slew is replaced by
 * the next of ours, which looks first: what it covers is returned here later.
 *
 * Return: what was found, once as long as it lasts; else SYSCLOCK_OURS.
 */
enum sysclock_foreign sysclock_check(struct sysclock *sc, double *freq_ppb);

#endif /* NTPKD_SYSCLOCK_H */
