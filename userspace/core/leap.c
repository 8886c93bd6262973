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

static void arm(struct leap *l, uint8_t leap, int64_t end_ns)
{
	l->armed = leap;
	l->at_unix_ns = leap == NTP_LEAP_INSERT ? end_ns :
			leap == NTP_LEAP_DELETE ? end_ns - NTP_NS_PER_S : 0;
}

void leap_list(struct leap *l, uint8_t leap, int64_t end_unix_ns)
{
	l->listed = leap != NTP_LEAP_UNSYNC;
	l->list_leap = leap == NTP_LEAP_DELETE ? NTP_LEAP_DELETE : NTP_LEAP_INSERT;
	l->list_end_unix_ns = end_unix_ns;
}

bool leap_listed(struct leap *l, int64_t unix_ns)
{
	uint8_t was = l->armed;
	int64_t left_ns = l->list_end_unix_ns - unix_ns;

	if (!l->listed || unix_ns < l->quiet_until_unix_ns)
		return false;
	if (l->list_end_unix_ns && left_ns > 0 && left_ns <= DAY_NS)
		arm(l, l->list_leap, l->list_end_unix_ns);
	else if (l->armed != NTP_LEAP_NONE && unix_ns < l->at_unix_ns)
		arm(l, NTP_LEAP_NONE, 0);
	return l->armed != was;
}

bool leap_vote(struct leap *l, int64_t unix_ns, const unsigned int votes[3])
{
	int64_t end_ns = leap_day_end_ns(unix_ns);
	struct leap was = *l;

	if (l->listed)
		return leap_listed(l, unix_ns);
	if (unix_ns < l->quiet_until_unix_ns)
		return false;
	if (end_ns && votes[NTP_LEAP_INSERT] > votes[NTP_LEAP_NONE] + votes[NTP_LEAP_DELETE])
		arm(l, NTP_LEAP_INSERT, end_ns);
	else if (end_ns && votes[NTP_LEAP_DELETE] > votes[NTP_LEAP_NONE] + votes[NTP_LEAP_INSERT])
		arm(l, NTP_LEAP_DELETE, end_ns);
	else
		arm(l, NTP_LEAP_NONE, 0);
	return l->armed != was.armed;
}

int64_t leap_due_ns(struct leap *l, int64_t unix_ns)
{
	int64_t shift_ns;

	if (l->armed == NTP_LEAP_NONE || unix_ns < l->at_unix_ns)
		return 0;
	shift_ns = l->armed == NTP_LEAP_INSERT ? -NTP_NS_PER_S : NTP_NS_PER_S;
	l->quiet_until_unix_ns = l->at_unix_ns + QUIET_NS +
				 (l->armed == NTP_LEAP_DELETE ? NTP_NS_PER_S : 0);
	l->past = l->armed;
	l->past_at_unix_ns = l->at_unix_ns;
	l->armed = NTP_LEAP_NONE;
	return shift_ns;
}

void leap_past(struct leap *l, uint8_t leap, int64_t end_unix_ns)
{
	int64_t at_ns = end_unix_ns - (leap == NTP_LEAP_DELETE ? NTP_NS_PER_S : 0);

	if (l->past != NTP_LEAP_NONE && l->past_at_unix_ns >= at_ns)
		return;
	l->past = leap;
	l->past_at_unix_ns = at_ns;
}

uint8_t leap_near(const struct leap *l, int64_t unix_ns, int64_t *at_unix_ns, bool *after)
{
	*after = l->armed == NTP_LEAP_NONE;
	*at_unix_ns = *after ? l->past_at_unix_ns : l->at_unix_ns;
	if (!*after)
		return l->armed;
	if (l->past == NTP_LEAP_NONE || unix_ns - l->past_at_unix_ns >= 2 * DAY_NS)
		return NTP_LEAP_NONE;
	/* one that a wrong clock took for past is to come; the line itself goes back by a second */
	return unix_ns < l->past_at_unix_ns - 2 * NTP_NS_PER_S ? NTP_LEAP_NONE : l->past;
}

uint8_t leap_of_clock(const struct leap *l, int64_t unix_ns)
{
	return l->armed == NTP_LEAP_NONE && unix_ns < l->quiet_until_unix_ns ? l->past : l->armed;
}
