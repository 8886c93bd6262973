/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * 64 x 64 -> 128 bit multiplication and division by constants with it.  A
 * 32-bit kernel has neither __int128 nor the library's 64-bit division, so
 * both ways of multiplying are here and are held equal by the unit tests.
 * Pure C.
 */
#ifndef _NTPK_NTP_MATH_H
#define _NTPK_NTP_MATH_H

#include <linux/types.h>
#ifndef __KERNEL__
#include <stdbool.h>
#endif

/* struct ntp_u128 - an unsigned 128-bit number */
struct ntp_u128 {
	__u64	hi;
	__u64	lo;
};

/**
 * ntp_mul_u64_pieces() - full product from 32 x 32 bit products
 * @a: factor
 * @b: factor
 *
 * Return: @a * @b.
 */
static inline struct ntp_u128 ntp_mul_u64_pieces(__u64 a, __u64 b)
{
	__u32 a_lo = (__u32)a, a_hi = (__u32)(a >> 32);
	__u32 b_lo = (__u32)b, b_hi = (__u32)(b >> 32);
	__u64 ll = (__u64)a_lo * b_lo;
	__u64 lh = (__u64)a_lo * b_hi;
	__u64 hl = (__u64)a_hi * b_lo;
	__u64 hh = (__u64)a_hi * b_hi;
	/* (2^32-1)^2 plus two 32-bit numbers just fits */
	__u64 mid = lh + (ll >> 32) + (__u32)hl;
	struct ntp_u128 r = {
		.hi = hh + (hl >> 32) + (mid >> 32),
		.lo = mid << 32 | (__u32)ll,
	};

	return r;
}

/**
 * ntp_mul_u64() - full product by the best means of this machine
 * @a: factor
 * @b: factor
 *
 * Return: @a * @b.
 */
static inline struct ntp_u128 ntp_mul_u64(__u64 a, __u64 b)
{
#ifdef __SIZEOF_INT128__
	unsigned __int128 p = (unsigned __int128)a * b;
	struct ntp_u128 r = { .hi = (__u64)(p >> 64), .lo = (__u64)p };

	return r;
#else
	return ntp_mul_u64_pieces(a, b);
#endif
}

/**
 * ntp_scale_pieces() - @d * @rate / 2^48 from 64 x 64 -> 128 bit products
 * @d: |d| <= 2^58
 * @rate: any value
 * @out: the result, rounded towards zero
 *
 * Return: false where @out would be 2^62 or more.
 */
static inline bool ntp_scale_pieces(__s64 d, __s64 rate, __s64 *out)
{
	struct ntp_u128 p = ntp_mul_u64(d < 0 ? -(__u64)d : (__u64)d,
					rate < 0 ? -(__u64)rate : (__u64)rate);

	if (p.hi >> 46)
		return false;
	*out = (__s64)(p.hi << 16 | p.lo >> 48);
	if ((d < 0) != (rate < 0))
		*out = -*out;
	return true;
}

/**
 * ntp_scale() - @d * @rate / 2^48 by the best means of this machine
 * @d: |d| <= 2^58
 * @rate: any value
 * @out: the result, rounded towards zero
 *
 * Return: false where @out would be 2^62 or more.
 */
static inline bool ntp_scale(__s64 d, __s64 rate, __s64 *out)
{
#ifdef __SIZEOF_INT128__
	__int128 p = (__int128)d * rate;
	__s64 hi = (__s64)(p >> 64);

	if (hi >= 1LL << 46 || hi < -(1LL << 46))
		return false;
	/* a shift rounds down */
	*out = (__s64)((p + (hi < 0 ? (1LL << 48) - 1 : 0)) >> 48);
	return true;
#else
	return ntp_scale_pieces(d, rate, out);
#endif
}

/* 10^9 = 2^9 * 1953125, and 2^75 / 1953125 rounded up: exact for every u64. */
#define NTP_NS_SHIFT		9
#define NTP_NS_RECIPROCAL	0x44b82fa09b5a53ULL
#define NTP_NS_POST_SHIFT	(75 - 64)

/**
 * ntp_div_ns_pieces() - @ns / 10^9 without __int128
 * @ns: any value
 *
 * Return: the quotient.
 */
static inline __u64 ntp_div_ns_pieces(__u64 ns)
{
	return ntp_mul_u64_pieces(ns >> NTP_NS_SHIFT, NTP_NS_RECIPROCAL).hi >> NTP_NS_POST_SHIFT;
}

/**
 * ntp_div_ns() - @ns / 10^9 by the best means of this machine
 * @ns: any value
 *
 * Return: the quotient.
 */
static inline __u64 ntp_div_ns(__u64 ns)
{
	return ntp_mul_u64(ns >> NTP_NS_SHIFT, NTP_NS_RECIPROCAL).hi >> NTP_NS_POST_SHIFT;
}

/**
 * ntp_noise() - bits that nobody need be unable to guess, at the price of nothing
 * @state: any value to begin with; changed
 *
 * SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number
 * generators, OOPSLA 2014).  For the bits below a clock's precision.
 *
 * Return: 64 bits, uniform.
 */
static inline __u64 ntp_noise(__u64 *state)
{
	__u64 z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

/**
 * ntp_div_ns_per_s() - split nanoseconds into seconds and the rest
 * @ns: any value
 * @rem_ns: out, 0..999999999
 *
 * Inline, as this and the function below are half of what an answer computes.
 *
 * Return: @ns / 10^9.  Never calls a division helper.
 */
static inline __u64 ntp_div_ns_per_s(__u64 ns, __u32 *rem_ns)
{
	__u64 s = ntp_div_ns(ns);

	*rem_ns = (__u32)(ns - s * 1000000000);
	return s;
}

/**
 * ntp_div_ns_up() - @ns / 10^9, rounded up
 * @ns: any value
 *
 * Return: the quotient.
 */
static inline __u64 ntp_div_ns_up(__u64 ns)
{
	__u64 s = ntp_div_ns(ns);

	return s + (s * 1000000000 != ns);
}

#endif /* _NTPK_NTP_MATH_H */
