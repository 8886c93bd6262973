/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Clock readings: of one packet, and of all clocks at one instant.
 * Any context but NMI; no locks.
 */
#ifndef NTPK_TSTAMP_H
#define NTPK_TSTAMP_H

#include <ntpk/ntp_reply.h>

struct sk_buff;

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
s64 ntpk_tstamp_rx(const struct sk_buff *skb, s64 since_real_ns, struct ntp_now *now);
s64 ntpk_tstamp_tx(void);

#endif /* NTPK_TSTAMP_H */
