// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * What a listener adds to served time, see ntp_correction.h.
 * Any context: pure functions of their arguments, no state, no locking.
 */
#include <ntpk/ntp_correction.h>
#include <ntpk/ntp_math.h>
#include <ntpk/ntp_reply.h>

/* d^2 * curve / 2^112 is d * (d * curve / 2^64) / 2^48, and ntp_scale() divides by 2^48. */
#define CURVE_SHIFT	16

/* d * curve / 2^64: half of what the rate has grown by. */
static bool half_growth(const struct ntp_piece *p, __s64 d, __s64 *out)
{
	if (!ntp_scale(d, p->curve_q112, out))
		return false;
	*out >>= CURVE_SHIFT;
	return true;
}

static bool piece_at(const struct ntp_piece *p, __s64 unix_ns, __s64 *out_ns)
{
	__s64 d, rate, gain;

	/* a constant holds at any distance */
	*out_ns = p->offset_ns;
	if (!p->rate_q48 && !p->curve_q112)
		return true;
	return ntp_span_ns(unix_ns, p->from_unix_ns, &d) && half_growth(p, d, &rate) &&
	       !__builtin_add_overflow(rate, p->rate_q48, &rate) && ntp_scale(d, rate, &gain) &&
	       !__builtin_add_overflow(p->offset_ns, gain, out_ns);
}

bool ntp_correction_at(const struct ntp_correction *c, __s64 unix_ns, __s64 *out_ns)
{
	__u32 i = c->len;

	while (i-- > 0)
		if (c->piece[i].from_unix_ns <= unix_ns)
			return piece_at(&c->piece[i], unix_ns, out_ns);
	*out_ns = 0;
	return true;
}

static bool rate_ok(__s64 rate_q48)
{
	return rate_q48 >= NTPK_RATE_Q48_MIN && rate_q48 <= NTPK_RATE_Q48_MAX;
}

/* The rate changes steadily, so that both ends tell all. */
static bool slopes_ok(const struct ntp_piece *p, __s64 until_unix_ns)
{
	__s64 d, half, rate;

	return rate_ok(p->rate_q48) && ntp_span_ns(until_unix_ns, p->from_unix_ns, &d) &&
	       half_growth(p, d, &half) && !__builtin_mul_overflow(half, 2, &half) &&
	       !__builtin_add_overflow(p->rate_q48, half, &rate) && rate_ok(rate);
}

const char *ntp_correction_check(const struct ntp_correction *c)
{
	const struct ntp_piece *p = c->piece;
	__u32 i;

	if (c->len > NTPK_PIECES_MAX)
		return "more than 4 PIECEs";
	for (i = 0; i < c->len; i++, p++) {
		if (!ntp_unix_ok(p->from_unix_ns))
			return "FROM_UNIX_NS must be in the years 1970..2261";
		if (p->offset_ns > NTP_SPAN_MAX_NS || p->offset_ns < -NTP_SPAN_MAX_NS)
			return "OFFSET_NS must be at most 2^58";
		if (i + 1 < c->len && p[1].from_unix_ns <= p->from_unix_ns)
			return "each PIECE must begin later than the one before";
		if (i + 1 < c->len && !slopes_ok(p, p[1].from_unix_ns))
			return "the rate of a PIECE must stay within +-1 %";
		if (i + 1 == c->len && (p->rate_q48 || p->curve_q112))
			return "the last PIECE must be constant, as nobody may renew it";
	}
	return NULL;
}
