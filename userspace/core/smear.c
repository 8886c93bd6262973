// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Leap smears, see smear.h.  Pure, no locking.
 */
#include "smear.h"

#include <math.h>
#include <ntpk/ntp_wire.h>

#define HALF_DAY_NS	(43200 * NTP_NS_PER_S)
#define BEFORE_NS	(4 * HALF_DAY_NS)
#define Q48		0x1p48
/* 10^-9 per second; half a second is gained after sqrt(10^9) s at 10^-9 * sqrt(10^9) */
#define QUAD_HALF_NS	31622776601683LL
#define QUAD_CURVE_Q112	2596148429267414LL	/* 10^-9 / 2 per s */
#define QUAD_RATE_Q48	8901020307LL

static void linear(int64_t end_unix_ns, int64_t shift_ns, struct ntp_correction *out)
{
	int64_t from_ns = end_unix_ns - HALF_DAY_NS, span_ns = 2 * HALF_DAY_NS - shift_ns;

	out->len = 2;
	out->piece[0] = (struct ntp_piece){
		.from_unix_ns = from_ns,
		.rate_q48 = llrint((double)shift_ns / (double)span_ns * Q48),
	};
	out->piece[1] = (struct ntp_piece){
		.from_unix_ns = from_ns + span_ns,
		.offset_ns = shift_ns,
	};
}

static void quadratic(int64_t at_unix_ns, int64_t shift_ns, struct ntp_correction *out)
{
	int sign = shift_ns < 0 ? -1 : 1;

	out->len = 3;
	out->piece[0] = (struct ntp_piece){
		.from_unix_ns = at_unix_ns,
		.curve_q112 = sign * QUAD_CURVE_Q112,
	};
	out->piece[1] = (struct ntp_piece){
		.from_unix_ns = at_unix_ns + QUAD_HALF_NS,
		.offset_ns = shift_ns / 2,
		.rate_q48 = sign * QUAD_RATE_Q48,
		.curve_q112 = -sign * QUAD_CURVE_Q112,
	};
	out->piece[2] = (struct ntp_piece){
		.from_unix_ns = at_unix_ns + 2 * QUAD_HALF_NS,
		.offset_ns = shift_ns,
	};
}

/* What the line has jumped by, the pieces jump back: also for times before the smear. */
static void follow_leap(int64_t shift_ns, struct ntp_correction *out)
{
	uint32_t i;

	for (i = out->len; i > 0; i--) {
		out->piece[i] = out->piece[i - 1];
		out->piece[i].from_unix_ns += shift_ns;
		out->piece[i].offset_ns -= shift_ns;
	}
	out->piece[0] = (struct ntp_piece){
		.from_unix_ns = out->piece[1].from_unix_ns - BEFORE_NS,
		.offset_ns = -shift_ns,
	};
	out->len++;
}

void smear_pieces(enum smear_kind kind, uint8_t leap, int64_t at_unix_ns, bool after,
		  struct ntp_correction *out)
{
	/* what the line jumps by; a second is left out one before the day's end */
	int64_t shift_ns = leap == NTP_LEAP_INSERT ? -NTP_NS_PER_S : NTP_NS_PER_S;

	out->len = 0;
	if (leap != NTP_LEAP_INSERT && leap != NTP_LEAP_DELETE)
		return;
	if (kind == SMEAR_LINEAR)
		linear(at_unix_ns + (leap == NTP_LEAP_DELETE ? NTP_NS_PER_S : 0), shift_ns, out);
	else if (kind == SMEAR_QUADRATIC)
		quadratic(at_unix_ns, shift_ns, out);
	if (after && out->len)
		follow_leap(shift_ns, out);
}
