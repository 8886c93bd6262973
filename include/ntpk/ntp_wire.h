/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * NTP on the wire (RFC 5905 section 7.3) and its time formats (section 6).
 * Pure C, for kernel and userspace: no kernel or libc call, no state, no
 * 64-bit division that a 32-bit kernel could not link.
 */
#ifndef _NTPK_NTP_WIRE_H
#define _NTPK_NTP_WIRE_H

#include <linux/types.h>
#include <ntpk/ntp_math.h>
#ifndef __KERNEL__
#include <stdbool.h>
#include <stddef.h>
#endif

#ifndef __force		/* sparse annotations, for userspace */
#define __force
#endif

#define NTP_PORT		123
#define NTP_HEADER_LEN		48
#define NTP_UNIX_EPOCH_S	2208988800ULL	/* 1970 in seconds of NTP era 0 */
#define NTP_NS_PER_S		1000000000LL

#define NTP_KOD_RATE		0x52415445	/* "RATE", where the reference id is */

#define NTP_VERSION_MIN		1
#define NTP_VERSION_MAX		4

enum ntp_mode {
	NTP_MODE_UNSPEC = 0,
	NTP_MODE_SYM_ACTIVE = 1,
	NTP_MODE_SYM_PASSIVE = 2,
	NTP_MODE_CLIENT = 3,
	NTP_MODE_SERVER = 4,
	NTP_MODE_BROADCAST = 5,
	NTP_MODE_CONTROL = 6,
	NTP_MODE_PRIVATE = 7,
};

enum ntp_leap {
	NTP_LEAP_NONE = 0,
	NTP_LEAP_INSERT = 1,
	NTP_LEAP_DELETE = 2,
	NTP_LEAP_UNSYNC = 3,
};

/* struct ntp_header - the 48 bytes of every packet, network byte order */
struct ntp_header {
	__u8	lvm;			/* leap << 6 | version << 3 | mode */
	__u8	stratum;		/* 0 = unspecified or kiss-o'-death */
	__s8	poll_log2s;
	__s8	precision_log2s;
	__be32	root_delay;		/* ntp32, 16.16 s */
	__be32	root_disp;		/* ntp32 */
	__be32	refid;
	__be64	ref_ts;			/* ntp64, 32.32 s */
	__be64	org_ts;			/* T1 as echoed by the server */
	__be64	rec_ts;			/* T2 */
	__be64	xmt_ts;			/* T3; in a request T1 */
} __attribute__((packed, aligned(4)));

#define NTP_TAIL_MAX	128	/* one extension field of ours, key id, longest MAC; and room */

/* struct ntp_packet - a reply with what follows its header */
struct ntp_packet {
	struct ntp_header hdr;
	__u8	tail[NTP_TAIL_MAX];	/* extension fields, then the MAC */
} __attribute__((packed, aligned(4)));

/* Seconds since 1900 mod 2^32, 32.32, host order.  0 = unknown. */
typedef __u64 ntp64_t;
/* Unsigned seconds 16.16, host order. */
typedef __u32 ntp32_t;

#define NTP_LVM_NO_LEAP		0x3f

static inline __u8 ntp_lvm(unsigned int leap, unsigned int version, unsigned int mode)
{
	return (__u8)(leap << 6 | version << 3 | mode);
}

static inline unsigned int ntp_lvm_leap(__u8 lvm)
{
	return lvm >> 6;
}

static inline unsigned int ntp_lvm_version(__u8 lvm)
{
	return lvm >> 3 & 7;
}

static inline unsigned int ntp_lvm_mode(__u8 lvm)
{
	return lvm & 7;
}

static inline __be32 ntp_htobe32(__u32 v)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	v = __builtin_bswap32(v);
#endif
	return (__force __be32)v;
}

static inline __u32 ntp_be32toh(__be32 v)
{
	__u32 u = (__force __u32)v;

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	u = __builtin_bswap32(u);
#endif
	return u;
}

static inline __be64 ntp_htobe64(__u64 v)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	v = __builtin_bswap64(v);
#endif
	return (__force __be64)v;
}

static inline __u64 ntp_be64toh(__be64 v)
{
	__u64 u = (__force __u64)v;

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	u = __builtin_bswap64(u);
#endif
	return u;
}

/**
 * ntp64_before_unix() - ntp64_from_unix_ns() of what is before 1970
 * @unix_ns: negative
 *
 * Return: as there.
 */
ntp64_t ntp64_before_unix(__s64 unix_ns);

/**
 * ntp64_from_unix_ns() - UTC to NTP timestamp, wrapping at each era
 * @unix_ns: nanoseconds since 1970, may be negative
 *
 * Return: the timestamp, rounded down to 2^-32 s (RFC 5905 section 6).
 */
static inline ntp64_t ntp64_from_unix_ns(__s64 unix_ns)
{
	__u32 rem_ns;
	__u64 s;

	if (unix_ns < 0)
		return ntp64_before_unix(unix_ns);
	s = ntp_div_ns_per_s((__u64)unix_ns, &rem_ns) + NTP_UNIX_EPOCH_S;
	return s << 32 | ntp_div_ns((__u64)rem_ns << 32);
}

/**
 * ntp64_to_unix_ns() - NTP timestamp to UTC, in the era nearest to a pivot
 * @ts: timestamp
 * @pivot_unix_ns: an instant known to be within 68 years of the result
 *
 * Return: nanoseconds since 1970.
 */
__s64 ntp64_to_unix_ns(ntp64_t ts, __s64 pivot_unix_ns);

/**
 * ntp64_diff_ns() - difference of two timestamps, right across eras
 * @a: minuend
 * @b: subtrahend, within 68 years of @a
 *
 * Return: @a - @b in nanoseconds, rounded to nearest.
 */
__s64 ntp64_diff_ns(ntp64_t a, ntp64_t b);

/**
 * ntp32_from_ns() - duration to the short format, never too small
 * @ns: duration
 *
 * Return: rounded up to 2^-16 s, saturated at 0xffffffff.
 */
static inline ntp32_t ntp32_from_ns(__u64 ns)
{
	__u64 v;

	if (ns >= 0x10000 * NTP_NS_PER_S)
		return 0xffffffff;
	v = ntp_div_ns_up(ns << 16);
	return v > 0xffffffff ? 0xffffffff : (ntp32_t)v;
}

/**
 * ntp32_to_ns() - duration from the short format
 * @v: 16.16 seconds
 *
 * Return: nanoseconds, rounded up (at most 65536 s).
 */
__u64 ntp32_to_ns(ntp32_t v);

#endif /* _NTPK_NTP_WIRE_H */
