/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Clock readings: of one packet, and of all clocks at one instant.
 * Any context but NMI; no locks.
 */
#ifndef NTPK_TSTAMP_H
#define NTPK_TSTAMP_H

#include <linux/ktime.h>
#include <linux/skbuff.h>
#include <linux/timekeeping.h>
#include <ntpk/ntp_reply.h>

#include "compat.h"
#include "state.h"

/* A receive stamp older than this is not one of this packet's arrival. */
#define NTPK_T2_AGE_MAX_NS	NSEC_PER_SEC

/**
 * struct ntpk_clock - all clocks at one instant
 * @now: raw, boot and the sequence number, as the shared code wants them
 * @real_ns: CLOCK_REALTIME
 */
struct ntpk_clock {
	struct ntp_now now;
	s64	real_ns;
};

void ntpk_tstamp_clock(struct ntpk_clock *clock);

/**
 * ntpk_tstamp_rx() - clocks for one request, and how old it is
 * @skb: the request
 * @state: what is served: stamps from before a step of the clock are of no use
 * @now: out; where the clock was set since the push, which makes @state expire,
 *	boot_ns means nothing
 *
 * The stamp is on CLOCK_REALTIME and served time is not, so only the age counts:
 * the difference of two readings of the same clock, microseconds apart.
 * skb_tstamp() gives 0 where the field holds a delivery time instead.
 *
 * Context: softirq.
 * Return: nanoseconds from the receive stamp to @now; 0 without a usable stamp.
 */
static inline s64 ntpk_tstamp_rx(const struct sk_buff *skb, const struct ntpk_state *state,
				 struct ntp_now *now)
{
	s64 stamp_ns = ktime_to_ns(skb_tstamp(skb));
	struct ntpk_snapshot snap ntpk_filled;
	s64 age_ns;

	ntpk_snapshot_read(&snap);
	now->raw_ns = snap.raw_ns;
	now->clock_seq = snap.clock_seq;
	now->boot_ns = snap.real_ns + state->real_to_boot_ns;
	if (!stamp_ns || stamp_ns < state->since_real_ns)
		return 0;
	age_ns = snap.real_ns - stamp_ns;
	return age_ns > 0 && age_ns < NTPK_T2_AGE_MAX_NS ? age_ns : 0;
}

/**
 * ntpk_tstamp_tx() - the clock for T3
 *
 * Context: any but NMI.
 * Return: CLOCK_MONOTONIC_RAW.
 */
static inline s64 ntpk_tstamp_tx(void)
{
	return ktime_to_ns(ktime_get_raw());
}

#endif /* NTPK_TSTAMP_H */
