// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * leap-seconds.list, see leaplist.h.  The file's stamps count from 1900 and
 * go on beyond 2^32.  Pure.
 */
#include "daemon/leaplist.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <nettle/sha1.h>
#include <ntpk/ntp_wire.h>

#define UNIX_1900_S	2208988800LL
#define DAY_S		86400
#define LINE_LEN	512
#define HASH_WORDS	5
#define TAI_MAX_S	1000

/* struct parse - one run over a text; @sha: of all numbers, as they are written */
struct parse {
	struct leaplist *list;
	struct sha1_ctx sha;
	uint32_t hash[HASH_WORDS];
	bool	 has_hash;
	bool	 has_expiry;
	unsigned int number;
	long	 tai_s;			/* of the line before, 0 = none */
	int64_t	 last_unix_s;
	char	*why;
};

__attribute__((format(printf, 2, 3)))
static int wrong(struct parse *p, const char *fmt, ...)
{
	int n = snprintf(p->why, LEAPLIST_WHY_MAX, "line %u: ", p->number);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(p->why + n, (size_t)(LEAPLIST_WHY_MAX - n), fmt, ap);
	va_end(ap);
	return -EINVAL;
}

/* A number of at most 12 digits; it goes into the hash, as its digits stand there. */
static bool take_number(struct parse *p, const char **s, int64_t *v)
{
	const char *start;
	size_t n;

	while (isblank((unsigned char)**s))
		(*s)++;
	start = *s;
	n = strspn(start, "0123456789");
	if (!n || n > 12)
		return false;
	*v = strtoll(start, NULL, 10);
	*s += n;
	sha1_update(&p->sha, n, (const uint8_t *)start);
	return !**s || isspace((unsigned char)**s) || **s == '#';
}

static int take_stamp(struct parse *p, const char *s, int64_t *unix_s)
{
	if (!take_number(p, &s, unix_s))
		return wrong(p, "seconds since 1900 are expected");
	*unix_s -= UNIX_1900_S;
	return 0;
}

static int take_hash(struct parse *p, const char *s)
{
	/* leading zeros of a word may be missing */
	if (sscanf(s, "%8" SCNx32 " %8" SCNx32 " %8" SCNx32 " %8" SCNx32 " %8" SCNx32, &p->hash[0],
		   &p->hash[1], &p->hash[2], &p->hash[3], &p->hash[4]) != HASH_WORDS)
		return wrong(p, "five hexadecimal words are expected after #h");
	p->has_hash = true;
	return 0;
}

static int take_comment(struct parse *p, const char *s)
{
	int64_t unix_s;

	switch (s[1]) {
	case '$':
		return take_stamp(p, s + 2, &unix_s);
	case '@':
		p->has_expiry = true;
		return take_stamp(p, s + 2, &p->list->expires_unix_s);
	case 'h':
		return take_hash(p, s + 2);
	default:
		return 0;
	}
}

static int take_leap(struct parse *p, int64_t unix_s, long tai_s)
{
	struct leaplist *list = p->list;

	if (tai_s - p->tai_s != 1 && tai_s - p->tai_s != -1)
		return wrong(p, "TAI - UTC goes from %ld to %ld s: not one leap second", p->tai_s,
			     tai_s);
	if (unix_s % DAY_S)
		return wrong(p, "not at midnight");
	if (list->len == LEAPLIST_MAX)
		return wrong(p, "more than %d leap seconds", LEAPLIST_MAX);
	list->entries[list->len].at_unix_s = unix_s;
	list->entries[list->len++].leap = tai_s > p->tai_s ? NTP_LEAP_INSERT : NTP_LEAP_DELETE;
	return 0;
}

static int take_data(struct parse *p, const char *s)
{
	int64_t stamp, tai_s, unix_s;
	int err = 0;

	if (!take_number(p, &s, &stamp) || !take_number(p, &s, &tai_s))
		return wrong(p, "'SECONDS-SINCE-1900 TAI-UTC' is expected");
	unix_s = stamp - UNIX_1900_S;
	if (tai_s < 1 || tai_s > TAI_MAX_S || (p->tai_s && unix_s <= p->last_unix_s))
		return wrong(p, "not after the line before, or no such TAI - UTC");
	/* the first line only says where it starts */
	if (p->tai_s)
		err = take_leap(p, unix_s, (long)tai_s);
	p->tai_s = (long)tai_s;
	p->last_unix_s = unix_s;
	return err;
}

static int take_line(struct parse *p, const char *s)
{
	while (isblank((unsigned char)*s))
		s++;
	if (!*s || *s == '\r')
		return 0;
	return *s == '#' ? take_comment(p, s) : take_data(p, s);
}

static int check_hash(struct parse *p)
{
	uint8_t digest[SHA1_DIGEST_SIZE];

	if (!p->has_hash)
		return 0;
	sha1_digest(&p->sha, sizeof(digest), digest);
	for (int i = 0; i < HASH_WORDS; i++) {
		const uint8_t *d = &digest[4 * i];

		if (p->hash[i] != ((uint32_t)d[0] << 24 | d[1] << 16 | d[2] << 8 | d[3])) {
			snprintf(p->why, LEAPLIST_WHY_MAX, "its hash is wrong: the file is "
				 "damaged or was edited");
			return -EINVAL;
		}
	}
	return 0;
}

int leaplist_parse(struct leaplist *list, const char *text, size_t len,
		   char why[LEAPLIST_WHY_MAX])
{
	struct parse p = { .list = list, .why = why };
	const char *end = text + len;
	char line[LINE_LEN];
	int err;

	list->len = 0;
	list->expires_unix_s = INT64_MAX;
	sha1_init(&p.sha);
	while (text < end) {
		const char *eol = memchr(text, '\n', (size_t)(end - text));
		size_t n = (size_t)((eol ? eol : end) - text);

		p.number++;
		if (n >= sizeof(line))
			return wrong(&p, "longer than %d bytes", LINE_LEN - 1);
		memcpy(line, text, n);
		line[n] = '\0';
		err = take_line(&p, line);
		if (err)
			return err;
		text += n + 1;
	}
	if (!p.tai_s || !p.has_expiry) {
		snprintf(why, LEAPLIST_WHY_MAX, "no list of leap seconds: it has no %s",
			 p.tai_s ? "expiry date (#@)" : "line with numbers");
		return -EINVAL;
	}
	return check_hash(&p);
}

const struct leaplist_entry *leaplist_next(const struct leaplist *list, int64_t unix_s)
{
	for (size_t i = 0; i < list->len; i++)
		if (list->entries[i].at_unix_s > unix_s)
			return &list->entries[i];
	return NULL;
}

const struct leaplist_entry *leaplist_last(const struct leaplist *list, int64_t unix_s)
{
	const struct leaplist_entry *next = leaplist_next(list, unix_s);
	size_t n = next ? (size_t)(next - list->entries) : list->len;

	return n ? &list->entries[n - 1] : NULL;
}
