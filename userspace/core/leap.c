// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Leap seconds, see leap.h.  Pure, no locking.
 */
#include "leap.h"

#define DAY_NS		(86400 * NTP_NS_PER_S)
#define QUIET_NS	(10 * NTP_NS_PER_S)

/* Month (1..12) and day of month of a day counted from 1970-01-01. */
static void civil(int64_t days, unsigned int *month, unsigned int *day)
{
	int64_t z = days + 719468;
	int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	unsigned int doe = (unsigned int)(z - era * 146097);
	unsigned int yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	unsigned int doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	unsigned int mp = (5 * doy + 2) / 153;

	*day = doy - (153 * mp + 2) / 5 + 1;
	*month = mp < 10 ? mp + 3 : mp - 9;
}

int64_t leap_day_end_ns(int64_t unix_ns)
{
	int64_t days = unix_ns / DAY_NS - (unix_ns % DAY_NS < 0);
	unsigned int month, day;

	civil(days, &month, &day);
	if ((month == 6 && day == 30) || (month == 12 && day == 31))
		return (days + 1) * DAY_NS;
	return 0;
}

bool leap_vote(struct leap *l, int64_t unix_ns, const unsigned int votes[3])
{
	int64_t end_ns = leap_day_end_ns(unix_ns);
	struct leap was = *l;

	if (unix_ns < l->quiet_until_unix_ns)
		return false;
	l->armed = NTP_LEAP_NONE;
	l->at_unix_ns = 0;
	if (end_ns && votes[NTP_LEAP_INSERT] > votes[NTP_LEAP_NONE] + votes[NTP_LEAP_DELETE]) {
		l->armed = NTP_LEAP_INSERT;
		l->at_unix_ns = end_ns;
	} else if (end_ns &&
		   votes[NTP_LEAP_DELETE] > votes[NTP_LEAP_NONE] + votes[NTP_LEAP_INSERT]) {
		l->armed = NTP_LEAP_DELETE;
		l->at_unix_ns = end_ns - NTP_NS_PER_S;
	}
	return l->armed != was.armed;
}

int64_t leap_due_ns(struct leap *l, int64_t unix_ns)
{
	int64_t shift_ns;

	if (l->armed == NTP_LEAP_NONE || unix_ns < l->at_unix_ns)
		return 0;
	shift_ns = l->armed == NTP_LEAP_INSERT ? -NTP_NS_PER_S : NTP_NS_PER_S;
	l->quiet_until_unix_ns = leap_day_end_ns(l->at_unix_ns - 1) + QUIET_NS;
	l->armed = NTP_LEAP_NONE;
	return shift_ns;
}
