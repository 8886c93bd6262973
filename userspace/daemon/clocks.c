// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reading the clocks.  Event loop only once they are simulated, else any thread.
 * A clock that the system lacks is replaced by CLOCK_MONOTONIC.
 */
#include "daemon/clocks.h"

#include <dlfcn.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_S	NTP_NS_PER_S
#define PAIR_TRIES	3
#define STAMP_AGE_MAX_NS NS_PER_S
/* A kernel stamp is taken within so much of the event that it stands for. */
#define STAMP_ERR_NS	1000
/* More between two readings than any rate explains: a step (as stepwatch.c sees it). */
#define STEP_MIN_NS	10000000
#define STEP_PERCENT	11
/* The simulated local timescale at its start: CLOCK_MONOTONIC may be 0 then. */
#define SIMULATED_START_NS (1000 * NS_PER_S)
#define SIMULATED_PRECISION_LOG2S (-30)

/*
 * The local timescale of a simulator: CLOCK_REALTIME without our own rate and
 * without steps, as of the last reading.
 */
static struct {
	bool	 on;
	int64_t	 real_ns;
	int64_t	 mono_ns;
	int64_t	 local_ns;
	double	 local_frac_ns;
	double	 rate_ppb;
} sim;

int64_t clocks_ts_ns(const struct timespec *ts)
{
	return (int64_t)ts->tv_sec * NS_PER_S + ts->tv_nsec;
}

static bool read_ns(clockid_t id, int64_t *ns)
{
	struct timespec ts;

	if (clock_gettime(id, &ts))
		return false;
	*ns = clocks_ts_ns(&ts);
	return true;
}

static int64_t read_or_monotonic(clockid_t id)
{
	int64_t ns = 0;

	if (!read_ns(id, &ns))
		read_ns(CLOCK_MONOTONIC, &ns);
	return ns;
}

static void *provider(const char *name)
{
	void *at = dlsym(RTLD_DEFAULT, name);
	Dl_info from;

	return at && dladdr(at, &from) ? from.dli_fbase : NULL;
}

/* Are the clock and its control another's, and the same one's?  Sanitizers bring only the first. */
static bool interposed(void)
{
	void *clock = provider("clock_gettime"), *control = provider("adjtimex");

	return clock && clock == control && clock != provider("gnu_get_libc_version");
}

static void sim_anchor(void)
{
	read_ns(CLOCK_REALTIME, &sim.real_ns);
	read_ns(CLOCK_MONOTONIC, &sim.mono_ns);
}

bool clocks_simulate(void)
{
	if (!interposed())
		return false;
	memset(&sim, 0, sizeof(sim));
	sim.on = true;
	sim.local_ns = SIMULATED_START_NS;
	sim_anchor();
	return true;
}

bool clocks_simulated(void)
{
	return sim.on;
}

/*
 * Which clock of a simulator follows adjtimex() beside CLOCK_REALTIME is not
 * known.  CLOCK_MONOTONIC only tells of a step, and what passed meanwhile.
 */
static int64_t sim_local_ns(void)
{
	int64_t real_ns = sim.real_ns, mono_ns = sim.mono_ns;
	int64_t real, mono, passed;
	double local;

	sim_anchor();
	real = sim.real_ns - real_ns;
	mono = sim.mono_ns - mono_ns;
	passed = llabs(real - mono) > STEP_MIN_NS + mono / 100 * STEP_PERCENT ? mono : real;
	local = (double)passed / (1 + sim.rate_ppb * 1e-9) + sim.local_frac_ns;
	sim.local_ns += (int64_t)floor(local);
	sim.local_frac_ns = local - floor(local);
	return sim.local_ns;
}

void clocks_before_change(void)
{
	if (sim.on)
		sim_local_ns();
}

void clocks_after_change(double rate_ppb)
{
	if (!sim.on)
		return;
	sim_anchor();
	sim.rate_ppb = rate_ppb;
}

int64_t clocks_local_ns(void)
{
	return sim.on ? sim_local_ns() : read_or_monotonic(CLOCK_MONOTONIC_RAW);
}

int64_t clocks_boot_ns(void)
{
	return sim.on ? sim_local_ns() : read_or_monotonic(CLOCK_BOOTTIME);
}

/* No time passes between two readings. */
static void sim_pair(struct clock_pair *pair)
{
	pair->local_ns = sim_local_ns();
	pair->real_ns = sim.real_ns;
	pair->width_ns = 0;
}

void clocks_pair(struct clock_pair *pair)
{
	if (sim.on) {
		sim_pair(pair);
		return;
	}
	pair->width_ns = INT64_MAX;
	for (int i = 0; i < PAIR_TRIES; i++) {
		int64_t before = clocks_local_ns();
		int64_t real = 0;
		int64_t after;

		read_ns(CLOCK_REALTIME, &real);
		after = clocks_local_ns();
		if (after - before >= pair->width_ns)
			continue;
		pair->width_ns = after - before;
		pair->local_ns = before + (after - before) / 2;
		pair->real_ns = real;
	}
}

void clocks_read(struct clocks *now, uint32_t clock_seq)
{
	struct clock_pair pair;

	clocks_pair(&pair);
	now->local_ns = pair.local_ns;
	now->real_ns = pair.real_ns;
	now->boot_ns = clocks_boot_ns();
	now->clock_seq = clock_seq;
}

int64_t clocks_suspended_ns(void)
{
	int64_t width = INT64_MAX;
	int64_t suspended = 0;

	if (sim.on)
		return 0;
	for (int i = 0; i < PAIR_TRIES; i++) {
		int64_t before = 0, after = 0, boot;

		read_ns(CLOCK_MONOTONIC, &before);
		boot = clocks_boot_ns();
		read_ns(CLOCK_MONOTONIC, &after);
		if (after - before >= width)
			continue;
		width = after - before;
		suspended = boot - before - width / 2;
	}
	return suspended;
}

int8_t clocks_precision_log2s(void)
{
	int64_t best = NS_PER_S / 64;
	int64_t prev = clocks_local_ns();
	int8_t log2s = -32;

	/* nothing to be measured: each reading takes no time, or is made to take some */
	if (sim.on)
		return SIMULATED_PRECISION_LOG2S;

	for (int i = 0; i < 1000; i++) {
		int64_t now = clocks_local_ns();

		if (now > prev && now - prev < best)
			best = now - prev;
		prev = now;
	}
	/* 2^log2s seconds, not less than what was seen */
	while (log2s < -6 && (NS_PER_S >> -log2s) < best)
		log2s++;
	return log2s;
}

bool clocks_stamp_to_local(const struct clock_pair *now, int64_t stamp_real_ns,
			   int64_t not_before_local_ns, int64_t *local_ns, int64_t *err_ns)
{
	int64_t age = now->real_ns - stamp_real_ns;

	if (!stamp_real_ns || age < 0 || age >= STAMP_AGE_MAX_NS)
		return false;
	if (now->local_ns - age <= not_before_local_ns)
		return false;
	*local_ns = now->local_ns - age;
	/*
	 * Handled at once the age is microseconds and the rate does not matter;
	 * the bound has to hold for a loop that was kept waiting too, though no
	 * sane clock comes near the 10 %: a thousandth covers any slew of ours.
	 */
	*err_ns = STAMP_ERR_NS + now->width_ns + age / 1000;
	return true;
}
