/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Leap smears: what a listener that knows no leap seconds adds to UTC, as pieces
 * that the module and the responder evaluate.  Pure; no locking.
 */
#ifndef NTPK_CORE_SMEAR_H
#define NTPK_CORE_SMEAR_H

#include <stdbool.h>
#include <stdint.h>
#include <ntpk/ntp_correction.h>

/**
 * enum smear_kind - how the second is spread
 * @SMEAR_NONE: not at all
 * @SMEAR_LINEAR: from noon before to noon after, at a constant rate (11.57 ppm), as
 *	the large providers do
 * @SMEAR_QUADRATIC: from the leap on, the rate growing by 0.001 ppm/s to 31.6 ppm and
 *	back within 17 h 34 min: chrony's `smoothtime 400 0.001 leaponly`
 */
enum smear_kind { SMEAR_NONE, SMEAR_LINEAR, SMEAR_QUADRATIC };

/**
 * smear_pieces() - the correction around one leap second
 * @kind: of the smear
 * @leap: NTP_LEAP_INSERT or NTP_LEAP_DELETE; else there is none
 * @at_unix_ns: UTC as the line counts it where the second begins or is left out
 * @after: the line has leapt already
 * @out: filled
 *
 * The corrected time is the same before and after the line leaps, whenever that is:
 * what the line jumps by, the pieces jump back.
 */
void smear_pieces(enum smear_kind kind, uint8_t leap, int64_t at_unix_ns, bool after,
		  struct ntp_correction *out);

#endif /* NTPK_CORE_SMEAR_H */
