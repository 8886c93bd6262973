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

#endif /* _NTPK_NTP_MATH_H */
