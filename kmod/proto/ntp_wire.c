// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Time formats of NTP (RFC 5905 section 6).
 * Any context: pure functions of their arguments, no state, no locking.
 */
#include <ntpk/ntp_wire.h>

/* Seconds rounded down, so that the rest is 0..999999999 before 1970 too. */
static __s64 floor_div_ns(__s64 ns, __u32 *rem_ns)
{
	__u64 s;

	if (ns >= 0)
		return (__s64)ntp_div_ns_per_s((__u64)ns, rem_ns);
	/* -1 - ns cannot overflow, and floor(x) = -1 - floor(-1 - x) */
	s = ntp_div_ns_per_s((__u64)(-1 - ns), rem_ns);
	*rem_ns = (__u32)(NTP_NS_PER_S - 1 - *rem_ns);
	return -1 - (__s64)s;
}

ntp64_t ntp64_before_unix(__s64 unix_ns)
{
	__u32 rem_ns;
	__u64 s = (__u64)floor_div_ns(unix_ns, &rem_ns) + NTP_UNIX_EPOCH_S;

	return s << 32 | ntp_div_ns((__u64)rem_ns << 32);
}

/* A 32.32 difference in nanoseconds, to nearest; |d| <= 2^63. */
static __s64 signed_fraction_to_ns(__s64 d)
{
	__u64 mag = d < 0 ? -(__u64)d : (__u64)d;
	__u64 ns = (mag >> 32) * NTP_NS_PER_S;

	ns += ((mag & 0xffffffffULL) * NTP_NS_PER_S + (1ULL << 31)) >> 32;
	return d < 0 ? -(__s64)ns : (__s64)ns;
}

__s64 ntp64_diff_ns(ntp64_t a, ntp64_t b)
{
	return signed_fraction_to_ns((__s64)(a - b));
}

__s64 ntp64_to_unix_ns(ntp64_t ts, __s64 pivot_unix_ns)
{
	__u32 rem_ns;
	__s64 pivot_s = floor_div_ns(pivot_unix_ns, &rem_ns);
	__u32 pivot_ntp = (__u32)((__u64)pivot_s + NTP_UNIX_EPOCH_S);
	/* within half an era of the pivot, whichever era that is */
	__s64 s = pivot_s + (__s32)((__u32)(ts >> 32) - pivot_ntp);
	__u64 ns = ((ts & 0xffffffffULL) * NTP_NS_PER_S + (1ULL << 31)) >> 32;

	return (__s64)((__u64)s * NTP_NS_PER_S + ns);
}

__u64 ntp32_to_ns(ntp32_t v)
{
	return ((__u64)v * NTP_NS_PER_S + 0xffff) >> 16;
}
