/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reference arithmetic in 128 bits, one bit at a time: for machines whose
 * compiler has no __int128, and so plain that nothing of it is what is tested.
 * Pure.
 */
#ifndef WIDE_H
#define WIDE_H

#include <ntpk/ntp_math.h>

static inline struct ntp_u128 wide_add(struct ntp_u128 w, uint64_t v)
{
	struct ntp_u128 r = { .hi = w.hi + (w.lo + v < v), .lo = w.lo + v };

	return r;
}

static inline struct ntp_u128 wide_double(struct ntp_u128 w)
{
	struct ntp_u128 r = { .hi = w.hi << 1 | w.lo >> 63, .lo = w.lo << 1 };

	return r;
}

static inline struct ntp_u128 wide_mul(uint64_t a, uint64_t b)
{
	struct ntp_u128 r = { 0 };
	int bit;

	for (bit = 63; bit >= 0; bit--) {
		r = wide_double(r);
		if (b >> bit & 1)
			r = wide_add(r, a);
	}
	return r;
}

/* Rounded down; @d <= 2^63. */
static inline struct ntp_u128 wide_div(struct ntp_u128 w, uint64_t d)
{
	struct ntp_u128 r = { 0 };
	uint64_t rest = 0;
	int bit;

	for (bit = 127; bit >= 0; bit--) {
		rest = rest << 1 | ((bit < 64 ? w.lo >> bit : w.hi >> (bit - 64)) & 1);
		r = wide_double(r);
		if (rest >= d) {
			rest -= d;
			r.lo |= 1;
		}
	}
	return r;
}

static inline uint64_t wide_abs(int64_t v)
{
	return v < 0 ? -(uint64_t)v : (uint64_t)v;
}

/* @d * @rate / 2^48 towards zero, false where that is 2^62 or more. */
static inline bool wide_scale(int64_t d, int64_t rate, int64_t *out)
{
	struct ntp_u128 w = wide_div(wide_mul(wide_abs(d), wide_abs(rate)), 1ULL << 48);

	*out = (int64_t)((d < 0) != (rate < 0) ? -w.lo : w.lo);
	return !w.hi && w.lo < 1ULL << 62;
}

#endif
