// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The system clock's controls.  Event loop only.  Units of struct timex:
 * frequency in 2^-16 ppm, tick in microseconds per tick of USER_HZ, errors in
 * microseconds, time of ADJ_SETOFFSET in nanoseconds through ADJ_NANO.
 */
#include "daemon/sysclock.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <ntpk/ntp_wire.h>
#include "core/discipline.h"
#include "daemon/clocks.h"

#define SCALED_PPM_PER_PPB	65.536
#define FREQ_SCALED_PPM_MAX	(500L << 16)
#define PPB_PER_S		1e9
#define NS_PER_US		1000
#define US_PER_S		1000000
#define TICK_RANGE_DIV		10		/* the kernel accepts +-10 % */
/* What timex says when nothing is known: the kernel's own limit (16 s). */
#define ERROR_MAX_US		16000000L
#define SLEW_LEFT_NS		20
/* adjtime() of the C libraries takes no more than 2145 s, or 1000 */
#define SLEW_MAX_US		(1000LL * US_PER_S)

static int real_adjtimex(struct timex *tx)
{
	return adjtimex(tx);
}

static const struct sysclock_ops real_ops = {
	.adjtimex = real_adjtimex,
	.adjtime = adjtime,
};

static int call_adjtimex(struct sysclock *sc, struct timex *tx)
{
	return sc->ops->adjtimex(tx) < 0 ? -errno : 0;
}

static double tick_ppb(const struct sysclock *sc, long tick_us)
{
	return (double)(tick_us - sc->tick_nominal_us) * PPB_PER_S / (double)sc->tick_nominal_us;
}

static double rate_ppb(const struct sysclock *sc)
{
	return tick_ppb(sc, sc->tick_us) + (double)sc->freq_scaled_ppm / SCALED_PPM_PER_PPB;
}

/*
 * A PLL offset goes on decaying after STA_PLL is cleared, and it can be set
 * only while STA_PLL is: hence the two calls.
 */
static int stop_pll(struct sysclock *sc, int status)
{
	struct timex tx = { .modes = ADJ_STATUS | ADJ_OFFSET };
	int err;

	tx.status = STA_PLL | (status & STA_UNSYNC);
	err = call_adjtimex(sc, &tx);
	if (err)
		return err;
	tx = (struct timex){ .modes = ADJ_STATUS };
	tx.status = status & STA_UNSYNC;
	return call_adjtimex(sc, &tx);
}

int sysclock_init(struct sysclock *sc, const struct sysclock_ops *ops, bool control)
{
	struct timex tx = { .modes = 0 };
	long hz = sysconf(_SC_CLK_TCK);
	int err;

	memset(sc, 0, sizeof(*sc));
	sc->ops = ops ? ops : &real_ops;
	sc->control = control;
	sc->tick_nominal_us = (US_PER_S + hz / 2) / hz;
	err = call_adjtimex(sc, &tx);
	if (err)
		return err;
	sc->tick_us = tx.tick ? tx.tick : sc->tick_nominal_us;
	sc->freq_scaled_ppm = tx.freq;
	sc->start_freq_ppb = rate_ppb(sc);
	sc->freq_ppb = sc->start_freq_ppb;
	sc->by_rate = clocks_simulated();
	clocks_before_change();
	clocks_after_change(sc->start_freq_ppb);
	if (!control)
		return 0;
	err = stop_pll(sc, tx.status);
	/* a simulator need not have one */
	if (err && !(sc->by_rate && err == -EINVAL))
		return err;
	return sysclock_slew(sc, 0);
}

void sysclock_clean(struct sysclock *sc)
{
	if (sc->ops)
		sysclock_slew(sc, 0);
}

static long clamp_long(long v, long low, long high)
{
	return v < low ? low : v > high ? high : v;
}

static long to_scaled_ppm(double ppb)
{
	double limit = (double)FREQ_SCALED_PPM_MAX;

	return lrint(fmax(-limit, fmin(limit, ppb * SCALED_PPM_PER_PPB)));
}

static bool is_fine(double ppb)
{
	return fabs(ppb * SCALED_PPM_PER_PPB) <= (double)FREQ_SCALED_PPM_MAX;
}

void sysclock_split_freq(const struct sysclock *sc, double freq_ppb, long *tick_us,
			 long *freq_scaled_ppm)
{
	long range = sc->tick_nominal_us / TICK_RANGE_DIV;
	double ticks;

	if (isnan(freq_ppb))
		freq_ppb = 0;
	if (is_fine(freq_ppb)) {
		*tick_us = sc->tick_nominal_us;
	} else if (is_fine(freq_ppb - tick_ppb(sc, sc->tick_us))) {
		/* the present tick still does: no jump to and fro at a boundary */
		*tick_us = sc->tick_us;
	} else {
		ticks = freq_ppb / tick_ppb(sc, sc->tick_nominal_us + 1);
		ticks = fmax(-(double)range, fmin((double)range, ticks));
		*tick_us = sc->tick_nominal_us + lrint(ticks);
	}
	*tick_us = clamp_long(*tick_us, sc->tick_nominal_us - range,
			      sc->tick_nominal_us + range);
	*freq_scaled_ppm = to_scaled_ppm(freq_ppb - tick_ppb(sc, *tick_us));
}

/* Ours only shrinks, towards zero. */
static bool slew_is_foreign(struct sysclock *sc)
{
	struct timeval left = { 0 };
	int64_t us, ours = sc->slew_us;

	if (sc->ops->adjtime(NULL, &left))
		return false;
	us = (int64_t)left.tv_sec * US_PER_S + left.tv_usec;
	sc->slew_us = us;
	return ours >= 0 ? us < 0 || us > ours : us > 0 || us < ours;
}

static enum sysclock_foreign find_foreign(struct sysclock *sc, const struct timex *tx)
{
	if (tx->status & STA_PLL)
		return SYSCLOCK_PLL;
	/* the kernel keeps frequencies finer than it is told: one unit of slack */
	if (tx->tick != sc->tick_us || llabs(tx->freq - sc->freq_scaled_ppm) > 1)
		return SYSCLOCK_FREQ;
	return !sc->by_rate && slew_is_foreign(sc) ? SYSCLOCK_SLEW : SYSCLOCK_OURS;
}

/* Before anything of ours would cover what another has done. */
static void look(struct sysclock *sc)
{
	struct timex tx = { .modes = 0 };
	enum sysclock_foreign found;

	if (!sc->control || !sc->known || call_adjtimex(sc, &tx))
		return;
	found = find_foreign(sc, &tx);
	if (found == SYSCLOCK_PLL)
		stop_pll(sc, tx.status);
	if (found != SYSCLOCK_OURS && found != sc->foreign) {
		sc->foreign_changes++;
		sc->untold = found;
		sc->foreign_ppb = tick_ppb(sc, tx.tick) +
				  (double)tx.freq / SCALED_PPM_PER_PPB;
	}
	sc->foreign = found;
}

static int set_rate(struct sysclock *sc, double freq_ppb)
{
	struct timex tx = { .modes = ADJ_FREQUENCY | ADJ_TICK };
	int err;

	look(sc);
	/* not long but long long in struct timex where 32 bits have 64-bit time */
	sysclock_split_freq(sc, freq_ppb, &sc->tick_us, &sc->freq_scaled_ppm);
	tx.tick = sc->tick_us;
	tx.freq = sc->freq_scaled_ppm;
	clocks_before_change();
	err = call_adjtimex(sc, &tx);
	if (!err)
		clocks_after_change(rate_ppb(sc));
	sc->known = !err;
	if (sc->foreign == SYSCLOCK_FREQ)
		sc->foreign = SYSCLOCK_OURS;
	return err;
}

int sysclock_set_freq(struct sysclock *sc, double freq_ppb)
{
	if (!sc->control)
		return 0;
	sc->freq_ppb = freq_ppb;
	return set_rate(sc, freq_ppb + sc->slew_ppb);
}

/* A rate is set in steps of 0.015 ppb: the slew counts as it was set, not as it was wanted. */
static int slew_by_rate(struct sysclock *sc, int64_t phase_ns, double slew_ppb)
{
	int err = set_rate(sc, sc->freq_ppb + slew_ppb);

	sc->slew_ns = phase_ns;
	sc->slew_local_ns = slew_ppb != 0 ? clocks_local_ns() : 0;
	sc->slew_ppb = slew_ppb != 0 ? rate_ppb(sc) - sc->freq_ppb : 0;
	return err;
}

int64_t sysclock_slew_due(const struct sysclock *sc)
{
	if (!sc->slew_local_ns)
		return 0;
	return sc->slew_local_ns + (int64_t)((double)sc->slew_ns / sc->slew_ppb * PPB_PER_S);
}

int sysclock_slew_end(struct sysclock *sc)
{
	int64_t left_ns;

	if (!sc->slew_local_ns)
		return 0;
	left_ns = sc->slew_ns - (int64_t)((double)(clocks_local_ns() - sc->slew_local_ns) *
					  sc->slew_ppb / PPB_PER_S);
	/* a timer counts milliseconds: it may also have gone too far */
	return sysclock_slew(sc, llabs(left_ns) > SLEW_LEFT_NS ? left_ns : 0);
}

int sysclock_slew(struct sysclock *sc, int64_t phase_ns)
{
	int64_t us = phase_ns / NS_PER_US;
	struct timeval tv;

	if (!sc->control)
		return 0;
	if (sc->by_rate)
		return slew_by_rate(sc, phase_ns,
				    fmax(-SYSCLOCK_SLEW_PPB, fmin(SYSCLOCK_SLEW_PPB,
					 (double)phase_ns / DISC_SLEW_SPAN_S)));
	/* what is left is asked for with a later update */
	us = us > SLEW_MAX_US ? SLEW_MAX_US : us < -SLEW_MAX_US ? -SLEW_MAX_US : us;
	tv.tv_sec = (time_t)(us / US_PER_S);
	tv.tv_usec = (suseconds_t)(us % US_PER_S);
	if (tv.tv_usec < 0) {
		tv.tv_sec--;
		tv.tv_usec += US_PER_S;
	}
	if (sc->ops->adjtime(&tv, NULL))
		return -errno;
	sc->slew_us = us;
	if (sc->foreign == SYSCLOCK_SLEW)
		sc->foreign = SYSCLOCK_OURS;
	return 0;
}

/* Where ADJ_SETOFFSET is not known: a simulator may have settimeofday() only. */
static int set_time(int64_t phase_ns)
{
	struct timespec ts;
	int64_t ns;

	if (clock_gettime(CLOCK_REALTIME, &ts))
		return -errno;
	ns = clocks_ts_ns(&ts) + phase_ns;
	ts.tv_sec = (time_t)(ns / NTP_NS_PER_S);
	ts.tv_nsec = (long)(ns % NTP_NS_PER_S);
	return clock_settime(CLOCK_REALTIME, &ts) ? -errno : 0;
}

int sysclock_step(struct sysclock *sc, int64_t phase_ns)
{
	struct timex tx = { .modes = ADJ_SETOFFSET | ADJ_NANO };
	int64_t sec = phase_ns / NTP_NS_PER_S;
	int64_t ns = phase_ns % NTP_NS_PER_S;
	int err;

	if (!sc->control)
		return 0;
	/* the kernel wants 0 <= tv_usec (here nanoseconds) < 10^9 */
	if (ns < 0) {
		sec--;
		ns += NTP_NS_PER_S;
	}
	err = sysclock_slew(sc, 0);
	if (err)
		return err;
	tx.time.tv_sec = (time_t)sec;
	tx.time.tv_usec = (suseconds_t)ns;
	clocks_before_change();
	err = call_adjtimex(sc, &tx);
	if (err == -EINVAL && sc->by_rate)
		err = set_time(phase_ns);
	clocks_after_change(rate_ppb(sc));
	return err;
}

static long error_us(int64_t ns)
{
	int64_t us;

	if (ns < 0)
		ns = 0;
	us = ns / NS_PER_US + !!(ns % NS_PER_US);
	return us > ERROR_MAX_US ? ERROR_MAX_US : (long)us;
}

int sysclock_set_status(struct sysclock *sc, bool synchronised, unsigned int leap,
			int64_t est_error_ns, int64_t max_error_ns)
{
	struct timex tx = { .modes = ADJ_STATUS | ADJ_MAXERROR | ADJ_ESTERROR };

	if (!sc->control)
		return 0;
	look(sc);
	if (!synchronised || !sc->rtcsync)
		tx.status = STA_UNSYNC;
	if (synchronised && leap == NTP_LEAP_INSERT)
		tx.status |= STA_INS;
	else if (synchronised && leap == NTP_LEAP_DELETE)
		tx.status |= STA_DEL;
	tx.esterror = synchronised ? error_us(est_error_ns) : ERROR_MAX_US;
	tx.maxerror = synchronised ? error_us(max_error_ns) : ERROR_MAX_US;
	return call_adjtimex(sc, &tx);
}

enum sysclock_foreign sysclock_check(struct sysclock *sc, double *freq_ppb)
{
	enum sysclock_foreign what;

	look(sc);
	what = sc->untold;
	sc->untold = SYSCLOCK_OURS;
	*freq_ppb = sc->foreign_ppb;
	return what;
}
