// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The simulator's clocks, see sim.h: an oscillator that wanders, the local
 * timescale that it drives, the system clock that the engine steers.
 */
#include "sim_priv.h"

#include <math.h>
#include <ntpk/ntp_math.h>

#define SLEW		500e-6		/* adjtime of the kernel */

uint64_t sim_rnd(struct sim *s)
{
	return ntp_noise(&s->rng);
}

double sim_unit(struct sim *s)
{
	return ((double)(sim_rnd(s) >> 11) + 0.5) * 0x1p-53;
}

double sim_gauss(struct sim *s)
{
	double r = sqrt(-2 * log(sim_unit(s)));

	return r * cos(2 * M_PI * sim_unit(s));
}

int64_t sim_utc(const struct sim *s, int64_t t_ns)
{
	int64_t start = s->conf->start_unix_ns ? s->conf->start_unix_ns : SIM_EPOCH_NS;

	if (s->conf->leap_at_s && t_ns >= s->conf->leap_at_s * NTP_NS_PER_S)
		start += s->conf->leap_deleted ? NTP_NS_PER_S : -NTP_NS_PER_S;
	return start + t_ns;
}

static int64_t carry(double *frac)
{
	double whole = floor(*frac);

	*frac -= whole;
	return (int64_t)whole;
}

static void advance_real(struct sim *s, int64_t dlocal_ns)
{
	double slew = fmin(fabs(s->slew_left_ns), (double)dlocal_ns * SLEW);

	slew = s->slew_left_ns < 0 ? -slew : slew;
	s->slew_left_ns -= slew;
	s->real_frac_ns += (double)dlocal_ns * s->set_freq_ppb * 1e-9 + slew;
	s->real_ns += dlocal_ns + carry(&s->real_frac_ns);
}

static double sine_ppb(const struct sim *s)
{
	if (!s->conf->sine_s)
		return 0;
	return s->conf->sine_ppb * sin(2 * M_PI * (double)s->t_ns * 1e-9 / (double)s->conf->sine_s);
}

double sim_freq_ppb(const struct sim *s)
{
	return s->freq_ppb + sine_ppb(s);
}

/* Walks in pieces of a second at most, each with its own frequency. */
void sim_advance(struct sim *s, int64_t t_ns)
{
	while (s->t_ns < t_ns) {
		int64_t d = t_ns - s->t_ns < NTP_NS_PER_S ? t_ns - s->t_ns : NTP_NS_PER_S;
		double rate = 1 / (1 + sim_freq_ppb(s) * 1e-9) - 1;
		int64_t dlocal;

		s->local_frac_ns += (double)d * rate;
		dlocal = d + carry(&s->local_frac_ns);
		s->local_ns += dlocal;
		s->t_ns += d;
		oracle_predict(&s->oracle, (double)d * 1e-9);
		rfc5905_advance(&s->rfc, (double)d * 1e-9);
		advance_real(s, dlocal);
		s->freq_ppb += s->conf->wander_ppb * sqrt((double)d * 1e-9) * sim_gauss(s);
	}
}

struct clocks sim_clocks(const struct sim *s)
{
	return (struct clocks){ s->local_ns, s->real_ns, s->local_ns + s->asleep_ns, s->clock_seq };
}

/* UTC minus local time since the start, small enough for a double. */
double sim_lead_ns(const struct sim *s)
{
	return (double)(s->t_ns - (s->local_ns - LOCAL_START_NS)) - s->local_frac_ns;
}

/* The local clock may be read in steps only. */
int64_t sim_stamp_ns(const struct sim *s, int64_t err_ns)
{
	int64_t ns = s->local_ns + err_ns;

	return s->conf->tick_ns ? ns - ns % s->conf->tick_ns : ns;
}
