/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lists of leap seconds: leap-seconds.list as IERS and NIST publish it, and
 * the records of a "right" time zone file.  Both are read whole, checked, and
 * kept as a small table.  Any context; no global state.
 */
#ifndef NTPKD_LEAPLIST_H
#define NTPKD_LEAPLIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LEAPLIST_MAX		256
#define LEAPLIST_WHY_MAX	160

/**
 * struct leaplist_entry - one leap second
 * @at_unix_s: 00:00:00 UTC after it
 * @leap: NTP_LEAP_INSERT or NTP_LEAP_DELETE
 */
struct leaplist_entry {
	int64_t	at_unix_s;
	uint8_t	leap;
};

/**
 * struct leaplist - the table, in order
 * @entries: @len of them
 * @len: how many
 * @expires_unix_s: nothing is known from here on; INT64_MAX = not said
 */
struct leaplist {
	struct leaplist_entry entries[LEAPLIST_MAX];
	size_t	 len;
	int64_t	 expires_unix_s;
};

/**
 * leaplist_parse() - leap-seconds.list
 * @list: filled
 * @text: of the file
 * @len: of it
 * @why: what is wrong with it, where it starts with the line's number
 *
 * Lines "NTP-SECONDS TAI-UTC", "#@ NTP-SECONDS" (expiry, demanded) and "#h" with the
 * SHA1 of the numbers, which must be right where there is one.
 *
 * Return: 0 or -EINVAL.
 */
int leaplist_parse(struct leaplist *list, const char *text, size_t len,
		   char why[LEAPLIST_WHY_MAX]);

/**
 * leaplist_parse_tz() - a TZif file (RFC 9636) with leap second records
 * @list: filled; without any record that is an error: not a "right" zone
 * @data: of the file
 * @len: of it
 * @why: what is wrong
 *
 * Return: 0 or -EINVAL.
 */
int leaplist_parse_tz(struct leaplist *list, const uint8_t *data, size_t len,
		      char why[LEAPLIST_WHY_MAX]);

/**
 * leaplist_last() - the last leap second before or at now
 * @list: list
 * @unix_s: now
 *
 * Return: it, NULL = none is known.
 */
const struct leaplist_entry *leaplist_last(const struct leaplist *list, int64_t unix_s);

/**
 * leaplist_next() - the first leap second after now
 * @list: list
 * @unix_s: now
 *
 * Return: it, NULL = none is known.
 */
const struct leaplist_entry *leaplist_next(const struct leaplist *list, int64_t unix_s);

#endif /* NTPKD_LEAPLIST_H */
