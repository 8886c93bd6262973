/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What a listener adds to served time: a leap smear or a fixed offset, as a few
 * parabolas over time.  Pure C, any context, no locking.
 */
#ifndef _NTPK_NTP_CORRECTION_H
#define _NTPK_NTP_CORRECTION_H

#include <linux/ntpk.h>
#include <linux/types.h>
#ifndef __KERNEL__
#include <stdbool.h>
#endif

/**
 * struct ntp_piece - one parabola
 * @from_unix_ns: it begins here, on the line that is corrected
 * @offset_ns: correction there
 * @rate_q48: and what it gains per time, * 2^48
 * @curve_q112: and per time squared (in ns), * 2^112
 */
struct ntp_piece {
	__s64	from_unix_ns;
	__s64	offset_ns;
	__s64	rate_q48;
	__s64	curve_q112;
};

/**
 * struct ntp_correction - pieces in order; the last one goes on for ever
 * @len: how many, 0 = no correction
 * @piece: they
 */
struct ntp_correction {
	__u32	len;
	struct ntp_piece piece[NTPK_PIECES_MAX];
};

/**
 * ntp_correction_at() - what is to be added to a time
 * @c: pieces
 * @unix_ns: the time without correction
 * @out_ns: the correction, positive = a later time is served; 0 before the first piece
 *
 * Return: false where it cannot be computed, far beyond what ntp_correction_check() lets pass.
 */
bool ntp_correction_at(const struct ntp_correction *c, __s64 unix_ns, __s64 *out_ns);

/**
 * ntp_correction_check() - may it be served?
 * @c: pieces
 *
 * In order, no faster than 1 %, so that corrected time never goes backwards within a
 * piece, and constant at last, as nobody may be there to renew it.
 *
 * Return: NULL when fine, else a static text that names what is wrong.
 */
const char *ntp_correction_check(const struct ntp_correction *c);

#endif /* _NTPK_NTP_CORRECTION_H */
