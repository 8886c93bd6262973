/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The clock of a network device (PHC) against CLOCK_MONOTONIC_RAW: what a stamp of the
 * device is there, within which error, and whether it can be true.  Pure C; any context.
 *
 * The kernel had a packet after it arrived, and soon after, and one that leaves before it
 * does: a stamp that says otherwise is of another clock, or the map is wrong.  Then the
 * kernel's own stamp, which is there in any case, is what counts.
 *
 * Devices stamp the begin of a frame, and so the map is of that.  It is what a departure
 * is (as for chronyd, which adds nothing to it), whereas a request is there with its end,
 * which is later by what it takes on the wire.
 */
#ifndef _NTPK_NTP_PHC_H
#define _NTPK_NTP_PHC_H

#include <linux/types.h>
#include <linux/ntpk.h>
#ifndef __KERNEL__
#include <stdbool.h>
#endif

/* A packet waits no longer than this from the device's stamp to the kernel's, or back. */
#define NTP_PHC_FAR_NS		10000000
/* A map is made before it arrives; this much is a tick's slack. */
#define NTP_PHC_AHEAD_MAX_NS	1000000000LL

/**
 * struct ntp_phc - a map, as pushed
 * @phc_ns: the device's clock at the reference
 * @raw_ns: CLOCK_MONOTONIC_RAW at the same moment
 * @rate_q48: (draw/dPHC - 1) * 2^48
 * @valid_until_ns: CLOCK_MONOTONIC_RAW, not used after that
 * @err_ns: bound of the error at the reference
 * @skew_ppb: growth of that, before and after
 * @rx_later_ns: how long after its receive stamp a request is complete; NTPK_PHC_NO_RX:
 *	the device stamps only what leaves
 */
struct ntp_phc {
	__s64	phc_ns;
	__s64	raw_ns;
	__s64	rate_q48;
	__s64	valid_until_ns;
	__u32	err_ns;
	__u32	skew_ppb;
	__s32	rx_later_ns;
};

/**
 * ntp_phc_check() - is a pushed map one that may be used?
 * @map: map
 * @now_raw_ns: CLOCK_MONOTONIC_RAW
 *
 * Return: NULL when fine, else a static text that names the field and what is
 * accepted (used as netlink extack).
 */
const char *ntp_phc_check(const struct ntp_phc *map, __s64 now_raw_ns);

/**
 * ntp_phc_to_raw() - a time of the device's clock on CLOCK_MONOTONIC_RAW
 * @map: one that ntp_phc_check() accepted
 * @phc_ns: the device's clock; any value
 * @raw_ns: out
 * @err_ns: out, bound of its error
 *
 * Return: false further than NTPK_PHC_SPAN_MAX_NS from the reference.
 */
bool ntp_phc_to_raw(const struct ntp_phc *map, __s64 phc_ns, __s64 *raw_ns, __u32 *err_ns);

/**
 * struct ntp_phc_stamp - a receive stamp of the device
 * @age_ns: how long ago it was on CLOCK_MONOTONIC_RAW, never less than the kernel's
 * @err_ns: bound of its error
 */
struct ntp_phc_stamp {
	__s64	age_ns;
	__u32	err_ns;
};

/**
 * ntp_phc_judge() - may a receive stamp of the device be T2?
 * @map: one that ntp_phc_check() accepted
 * @phc_ns: the stamp, 0 = there is none
 * @now_raw_ns: CLOCK_MONOTONIC_RAW
 * @soft_age_ns: the age of the kernel's stamp, 0 = there is none
 * @stamp: out where it may
 *
 * Return: NTPK_T2_HARDWARE where it may, else the reason.
 */
enum ntpk_t2 ntp_phc_judge(const struct ntp_phc *map, __s64 phc_ns, __s64 now_raw_ns,
			   __s64 soft_age_ns, struct ntp_phc_stamp *stamp);

/**
 * struct ntp_phc_left - a transmit stamp of the device
 * @raw_ns: when that was on CLOCK_MONOTONIC_RAW, never before the device had the packet
 * @err_ns: bound of its error
 */
struct ntp_phc_left {
	__s64	raw_ns;
	__u32	err_ns;
};

/**
 * ntp_phc_judge_left() - may a transmit stamp of the device be the departure?
 * @map: one that ntp_phc_check() accepted
 * @phc_ns: the stamp
 * @had_raw_ns: CLOCK_MONOTONIC_RAW, the device did not have the packet before
 * @now_raw_ns: CLOCK_MONOTONIC_RAW, the stamp is reported
 * @left: out where it may
 *
 * Return: NTPK_T3_HARDWARE where it may, else the reason.
 */
enum ntpk_t3 ntp_phc_judge_left(const struct ntp_phc *map, __s64 phc_ns, __s64 had_raw_ns,
				__s64 now_raw_ns, struct ntp_phc_left *left);

/**
 * ntp_t2_name() - what T2 is of, as in statistics
 * @kind: enum ntpk_t2
 *
 * Return: a static string of [a-z0-9_]; "unknown" out of range.
 */
const char *ntp_t2_name(unsigned int kind);

/**
 * ntp_t2_text() - a few words for people
 * @kind: enum ntpk_t2
 *
 * Return: a static string, "" out of range.
 */
const char *ntp_t2_text(unsigned int kind);

/**
 * ntp_t3_name() - where a departure is known from, as in statistics
 * @kind: enum ntpk_t3
 *
 * Return: a static string of [a-z0-9_]; "unknown" out of range.
 */
const char *ntp_t3_name(unsigned int kind);

/**
 * ntp_t3_text() - a few words for people
 * @kind: enum ntpk_t3
 *
 * Return: a static string, "" out of range.
 */
const char *ntp_t3_text(unsigned int kind);

#endif /* _NTPK_NTP_PHC_H */
