/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Differences between kernels, by feature and never by version number, as
 * distributions backport.  NTPK_HAVE_* come from Kbuild, which looks into the
 * kernel's headers.  Any context.
 */
#ifndef NTPK_COMPAT_H
#define NTPK_COMPAT_H

#include <linux/timekeeping.h>

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
	struct system_time_snapshot snap;

#ifdef NTPK_HAVE_KTIME_GET_SNAPSHOT_ID
	ktime_get_snapshot_id(CLOCK_REALTIME, &snap);
	out->raw_ns = ktime_to_ns(snap.monoraw);
	out->real_ns = ktime_to_ns(snap.systime);
#else
	ktime_get_snapshot(&snap);
	out->raw_ns = ktime_to_ns(snap.raw);
	out->real_ns = ktime_to_ns(snap.real);
#endif
	out->clock_seq = snap.clock_was_set_seq;
}

#endif /* NTPK_COMPAT_H */
