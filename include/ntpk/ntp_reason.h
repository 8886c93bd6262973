/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Names and classes of enum ntpk_reason: the one table, shared by the module,
 * the daemon and ntpkctl.  Pure C.
 */
#ifndef _NTPK_NTP_REASON_H
#define _NTPK_NTP_REASON_H

#include <linux/ntpk.h>

/**
 * ntp_reason_name() - name of a reason, as in /sys/kernel/ntpk/stats
 * @reason: enum ntpk_reason
 *
 * Return: a static string; "none" for NTPK_REASON_NONE, "unknown" out of range.
 */
const char *ntp_reason_name(unsigned int reason);

/**
 * ntp_reason_class() - what happens to a packet with this reason
 * @reason: enum ntpk_reason
 *
 * Return: its class; NTPK_CLASS_DROP out of range.
 */
enum ntpk_class ntp_reason_class(unsigned int reason);

/**
 * ntp_reason_text() - one sentence for people
 * @reason: enum ntpk_reason
 *
 * Return: a static string, "" out of range.
 */
const char *ntp_reason_text(unsigned int reason);

/**
 * ntp_status_name() - name of a status, as in /sys/kernel/ntpk/state/status
 * @status: enum ntpk_status
 *
 * Return: a static string such as "holdover"; "unknown" out of range.
 */
const char *ntp_status_name(unsigned int status);

#endif /* _NTPK_NTP_REASON_H */
