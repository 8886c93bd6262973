// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where T2 and T3 come from, and the reading of all clocks at one instant.
 * Softirq and process context; no locks: the timekeeper's own seqcount makes
 * each snapshot consistent.
 */
#include <linux/skbuff.h>

#include "compat.h"
#include "tstamp.h"

/* A receive stamp older than this is not one of this packet's arrival. */
#define T2_AGE_MAX_NS	NSEC_PER_SEC

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

/**
 * ntpk_tstamp_rx() - clocks for one request, and how old it is
 * @skb: the request
 * @since_real_ns: earlier stamps may be from before a step of the clock
 * @now: out; boot_ns may be wrong where the clock is being set at this moment,
 *	which costs at most this one packet the right side of a deadline
 *
 * The stamp is on CLOCK_REALTIME and served time is not, so only the age counts:
 * the difference of two readings of the same clock, microseconds apart.
 * skb_tstamp() gives 0 where the field holds a delivery time instead.
 *
 * Context: softirq.
 * Return: nanoseconds from the receive stamp to @now; 0 without a usable stamp.
 */
s64 ntpk_tstamp_rx(const struct sk_buff *skb, s64 since_real_ns, struct ntp_now *now)
{
	s64 stamp_ns = ktime_to_ns(skb_tstamp(skb));
	struct ntpk_snapshot snap;
	s64 age_ns;

	ntpk_snapshot_read(&snap);
	now->raw_ns = snap.raw_ns;
	now->clock_seq = snap.clock_seq;
	now->boot_ns = snap.real_ns + real_to_boot_ns();
	if (!stamp_ns || stamp_ns < since_real_ns)
		return 0;
	age_ns = snap.real_ns - stamp_ns;
	return age_ns > 0 && age_ns < T2_AGE_MAX_NS ? age_ns : 0;
}

/**
 * ntpk_tstamp_tx() - the clock for T3
 *
 * Context: any but NMI.
 * Return: CLOCK_MONOTONIC_RAW.
 */
s64 ntpk_tstamp_tx(void)
{
	return ktime_to_ns(ktime_get_raw());
}
