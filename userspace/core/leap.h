/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Leap seconds: what the survivors announce, believed on the last day of June
 * and December only, and the shift of the line when the moment comes.
 * Pure; no locking.
 */
#ifndef NTPK_CORE_LEAP_H
#define NTPK_CORE_LEAP_H

#include <stdbool.h>
#include <stdint.h>
#include <ntpk/ntp_wire.h>

/**
 * struct leap - what is announced
 * @armed: NTP_LEAP_NONE, _INSERT or _DELETE
 * @at_unix_ns: UTC as the line counts it when the shift is due
 * @quiet_until_unix_ns: after a shift nothing is armed before: an inserted
 *	second repeats the end of the same day
 * @past: what came last, or before we did ...
 * @past_at_unix_ns: ... and where on the line before it
 * @listed: a trusted list decides, not the sources
 * @list_leap: what it tells ...
 * @list_end_unix_ns: ... for the day that ends then, 0 = nothing
 */
struct leap {
	uint8_t	 armed;
	int64_t	 at_unix_ns;
	int64_t	 quiet_until_unix_ns;
	uint8_t	 past;
	int64_t	 past_at_unix_ns;
	bool	 listed;
	uint8_t	 list_leap;
	int64_t	 list_end_unix_ns;
};

/**
 * leap_day_end_ns() - end of a day on which a leap second may be
 * @unix_ns: now
 *
 * Return: midnight after, if today is June 30th or December 31st; else 0.
 */
int64_t leap_day_end_ns(int64_t unix_ns);

/**
 * leap_vote() - arm or disarm by what the sources say
 * @l: leap
 * @unix_ns: now
 * @votes: how many survivors announce NONE, INSERT, DELETE
 *
 * Return: whether @l changed.
 */
bool leap_vote(struct leap *l, int64_t unix_ns, const unsigned int votes[3]);

/**
 * leap_list() - what a trusted list tells; it beats the sources, also by telling nothing
 * @l: leap
 * @leap: NTP_LEAP_INSERT, _DELETE; NTP_LEAP_UNSYNC: there is no list any more
 * @end_unix_ns: 00:00:00 after it, 0 = it tells of none
 */
void leap_list(struct leap *l, uint8_t leap, int64_t end_unix_ns);

/**
 * leap_listed() - arm or disarm by the list, if there is one
 * @l: leap
 * @unix_ns: now
 *
 * Return: whether @l changed.
 */
bool leap_listed(struct leap *l, int64_t unix_ns);

/**
 * leap_due_ns() - the shift of UTC if its moment has come
 * @l: leap, disarmed by it
 * @unix_ns: now, by the line
 *
 * Return: -10^9 for an inserted second, +10^9 for a deleted, 0 = nothing yet.
 */
int64_t leap_due_ns(struct leap *l, int64_t unix_ns);

/**
 * leap_of_clock() - what the kernel is to be told
 * @l: leap
 * @unix_ns: now
 *
 * The kernel leaps with the tick after midnight, maybe a little after the
 * line: were it told at once that there is no leap second, it would do without.
 * It inserts or leaves out one second only, however long it is told.
 */
uint8_t leap_of_clock(const struct leap *l, int64_t unix_ns);

/**
 * leap_past() - what a trusted list tells of the last one
 * @l: leap; one that it has seen itself and that is not older counts more
 * @leap: NTP_LEAP_INSERT or _DELETE
 * @end_unix_ns: 00:00:00 after it
 */
void leap_past(struct leap *l, uint8_t leap, int64_t end_unix_ns);

/**
 * leap_near() - which leap second a smear is of, if any
 * @l: leap
 * @unix_ns: now, by the line
 * @at_unix_ns: out: where it is on the line before it
 * @after: out: the line has leapt
 *
 * Return: NTP_LEAP_INSERT or _DELETE: within a day to come or two days past; else _NONE.
 */
uint8_t leap_near(const struct leap *l, int64_t unix_ns, int64_t *at_unix_ns, bool *after);

#endif /* NTPK_CORE_LEAP_H */
