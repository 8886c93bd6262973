/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What time it is at least, before any source has answered: from the build
 * date, the saved time, the RTC and the system clock.
 */
#ifndef NTPKD_COLDSTART_H
#define NTPKD_COLDSTART_H

#include <stdbool.h>
#include <stdint.h>

enum coldstart_from {
	COLDSTART_CLOCK,	/* the system clock is later than the floor: believed */
	COLDSTART_RTC,
	COLDSTART_SAVED,
	COLDSTART_BUILD,
};

/**
 * struct coldstart - what is known
 * @build_unix_ns: of this program
 * @saved_unix_ns: 0 = none
 * @rtc_unix_ns: 0 = no RTC, or its time is not to be believed
 * @floor_unix_ns: out: time is certainly not earlier: build date or saved time.
 *	The RTC is no part of it: one that is fast, or keeps local time, would
 *	keep every true source out
 * @start_unix_ns: out: the best guess, never earlier than @floor_unix_ns
 * @from: out: where @start_unix_ns is from
 */
struct coldstart {
	int64_t	 build_unix_ns;
	int64_t	 saved_unix_ns;
	int64_t	 rtc_unix_ns;
	int64_t	 floor_unix_ns;
	int64_t	 start_unix_ns;
	enum coldstart_from from;
};

/**
 * coldstart_decide() - fill in what is out
 * @cs: the rest of it filled
 * @real_unix_ns: the system clock
 */
void coldstart_decide(struct coldstart *cs, int64_t real_unix_ns);

/**
 * coldstart_from_name() - the word for it
 * @from: enum coldstart_from
 */
const char *coldstart_from_name(enum coldstart_from from);

/**
 * coldstart_read_rtc() - the battery's clock
 * @path: device, e.g. /dev/rtc0
 * @unix_ns: out; the RTC is taken to keep UTC
 *
 * Return: 0, -ERANGE when it does not know a date, other -errno.
 */
int coldstart_read_rtc(const char *path, int64_t *unix_ns);

#endif /* NTPKD_COLDSTART_H */
