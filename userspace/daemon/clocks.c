// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reading the clocks.  Any thread.  A clock that the system lacks is replaced
 * by CLOCK_MONOTONIC: simulators know neither CLOCK_MONOTONIC_RAW nor
 * CLOCK_BOOTTIME.
 */
#include "daemon/clocks.h"

#define NS_PER_S	NTP_NS_PER_S
#define PAIR_TRIES	3
#define STAMP_AGE_MAX_NS NS_PER_S
/* A kernel stamp is taken within so much of the event that it stands for. */
#define STAMP_ERR_NS	1000

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

int64_t clocks_local_ns(void)
{
	return read_or_monotonic(CLOCK_MONOTONIC_RAW);
}

int64_t clocks_boot_ns(void)
{
	return read_or_monotonic(CLOCK_BOOTTIME);
}

void clocks_pair(struct clock_pair *pair)
{
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
