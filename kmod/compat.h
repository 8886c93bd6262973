/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Differences between kernels, by feature and never by version number, as
 * distributions backport.  NTPK_HAVE_* come from Kbuild, which looks into the
 * kernel's headers.  Any context.
 */
#ifndef NTPK_COMPAT_H
#define NTPK_COMPAT_H

#include <linux/ktime.h>
#include <linux/skbuff.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <net/ip.h>

/* For what is filled at once: kernels may be built to clear every variable before. */
#if __has_attribute(uninitialized)
#define ntpk_filled		__attribute__((uninitialized))
#else
#define ntpk_filled
#endif

/* struct ntpk_snapshot - three values of one reading of the timekeeper */
struct ntpk_snapshot {
	s64	raw_ns;		/* CLOCK_MONOTONIC_RAW */
	s64	real_ns;	/* CLOCK_REALTIME */
	u32	clock_seq;	/* changes when CLOCK_REALTIME is set */
};

/*
 * ktime_get_snapshot() became ktime_get_snapshot_id(), and the members real and
 * raw became systime and monoraw.
 */
static inline void ntpk_snapshot_read(struct ntpk_snapshot *out)
{
	struct system_time_snapshot snap ntpk_filled;

#ifdef NTPK_HAVE_KTIME_GET_SNAPSHOT_ID
	ktime_get_snapshot_id(CLOCK_REALTIME, &snap);
	/* not filled while timekeeping is suspended: a moment that no state is valid at */
	if (unlikely(!snap.valid))
		memset(&snap, 0, sizeof(snap));
	out->raw_ns = ktime_to_ns(snap.monoraw);
	out->real_ns = ktime_to_ns(snap.systime);
#else
	ktime_get_snapshot(&snap);
	out->raw_ns = ktime_to_ns(snap.raw);
	out->real_ns = ktime_to_ns(snap.real);
#endif
	out->clock_seq = snap.clock_was_set_seq;
}

/*
 * Before it was there, softirqs of one CPU did not preempt each other, on
 * PREEMPT_RT either.
 */
#ifndef local_lock_nested_bh
#define local_lock_nested_bh(lock)	do { (void)(lock); } while (0)
#define local_unlock_nested_bh(lock)	do { (void)(lock); } while (0)
#endif

/* ip_local_out() came to count what ip_output() counts as well. */
static inline void ntpk_count_out_request(struct net *net)
{
#ifdef NTPK_HAVE_IPSTATS_OUTREQUESTS
	IP_INC_STATS(net, IPSTATS_MIB_OUTREQUESTS);
#endif
}

/* SKBTX_HW_TSTAMP came to be two flags, of which one is what the other was. */
#ifdef SKBTX_HW_TSTAMP
#define NTPK_SKBTX_HW		SKBTX_HW_TSTAMP_NOBPF
#else
#define NTPK_SKBTX_HW		SKBTX_HW_TSTAMP
#endif

#ifndef dst_rt6_info
#define dst_rt6_info(ptr)	container_of(ptr, struct rt6_info, dst)
#endif

#endif /* NTPK_COMPAT_H */
