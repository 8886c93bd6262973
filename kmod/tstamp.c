// SPDX-License-Identifier: GPL-2.0-only
/*
 * The reading of all clocks at one instant.
 * Softirq and process context; no locks: the timekeeper's own seqcount makes
 * each snapshot consistent.
 */
#include "compat.h"
#include "tstamp.h"

/* CLOCK_BOOTTIME - CLOCK_REALTIME */
static s64 real_to_boot_ns(void)
{
	return ktime_to_ns(ktime_sub(ktime_mono_to_any(0, TK_OFFS_BOOT),
				     ktime_mono_to_any(0, TK_OFFS_REAL)));
}

/**
 * ntpk_tstamp_clock() - read all clocks at one instant
 * @clock: out
 *
 * CLOCK_BOOTTIME is not part of the kernel's snapshot.  It differs from
 * CLOCK_REALTIME by two offsets, which only change together with clock_seq: so
 * offsets read between two snapshots of the same clock_seq belong to both.
 *
 * Context: any but NMI.
 */
void ntpk_tstamp_clock(struct ntpk_clock *clock)
{
	struct ntpk_snapshot snap, again;
	s64 offset_ns;

	ntpk_snapshot_read(&again);
	do {
		snap = again;
		offset_ns = real_to_boot_ns();
		ntpk_snapshot_read(&again);
	} while (snap.clock_seq != again.clock_seq);

	clock->now.raw_ns = again.raw_ns;
	clock->now.boot_ns = again.real_ns + offset_ns;
	clock->now.clock_seq = again.clock_seq;
	clock->real_ns = again.real_ns;
}
