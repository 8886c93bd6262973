// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Leap seconds from a "right" time zone file, RFC 9636.  Read directly rather
 * than by setting TZ, which is the whole process's.  Pure.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <ntpk/ntp_wire.h>
#include "daemon/leaplist.h"

#define HEADER_LEN	44
#define DAY_S		86400

/* counts of a header, in its order */
struct counts {
	uint32_t isut, isstd, leap, time, type, chars;
};

static int64_t get(const uint8_t *p, size_t n)
{
	uint64_t v = p[0] & 0x80 ? UINT64_MAX : 0;

	for (size_t i = 0; i < n; i++)
		v = v << 8 | p[i];
	return (int64_t)v;
}

static int wrong(char why[LEAPLIST_WHY_MAX], const char *text)
{
	snprintf(why, LEAPLIST_WHY_MAX, "%s", text);
	return -EINVAL;
}

static bool read_header(const uint8_t *p, size_t len, struct counts *c)
{
	uint32_t *fields[] = { &c->isut, &c->isstd, &c->leap, &c->time, &c->type, &c->chars };

	if (len < HEADER_LEN || memcmp(p, "TZif", 4))
		return false;
	for (size_t i = 0; i < 6; i++) {
		*fields[i] = (uint32_t)get(p + 20 + 4 * i, 4);
		/* so that no sum below overflows */
		if (*fields[i] > 1000000)
			return false;
	}
	return true;
}

/* Bytes of a block before its leap records, and of those; @size of a time value. */
static size_t before_leaps(const struct counts *c, size_t size)
{
	return c->time * size + c->time + c->type * 6 + c->chars;
}

static size_t block_len(const struct counts *c, size_t size)
{
	return before_leaps(c, size) + c->leap * (size + 4) + c->isstd + c->isut;
}

/*
 * A record's time counts the leap seconds before it, its correction all up to
 * and with it.  A last record that repeats the correction is an expiry date.
 */
static int take_record(struct leaplist *list, int64_t at, int64_t corr, int64_t was, bool last,
		       char why[LEAPLIST_WHY_MAX])
{
	int64_t unix_s = at - was + (corr < was);

	if (corr == was && last) {
		list->expires_unix_s = unix_s;
		return 0;
	}
	if (corr != was + 1 && corr != was - 1)
		return wrong(why, "a leap second record is not one leap second");
	if (unix_s % DAY_S || (list->len && list->entries[list->len - 1].at_unix_s >= unix_s))
		return wrong(why, "a leap second record is not at midnight, or out of order");
	if (list->len == LEAPLIST_MAX)
		return wrong(why, "too many leap seconds");
	list->entries[list->len].at_unix_s = unix_s;
	list->entries[list->len++].leap = corr > was ? NTP_LEAP_INSERT : NTP_LEAP_DELETE;
	return 0;
}

static int take_records(struct leaplist *list, const uint8_t *p, uint32_t n, size_t size,
			char why[LEAPLIST_WHY_MAX])
{
	int64_t was = 0;
	int err = 0;

	for (uint32_t i = 0; i < n && !err; i++, p += size + 4) {
		int64_t corr = get(p + size, 4);

		/* version 4 may leave out the oldest */
		if (!i && corr != 1 && corr != -1)
			was = corr - 1;
		err = take_record(list, get(p, size), corr, was, i && i == n - 1, why);
		was = corr;
	}
	return err;
}

int leaplist_parse_tz(struct leaplist *list, const uint8_t *data, size_t len,
		      char why[LEAPLIST_WHY_MAX])
{
	size_t size = 4;
	struct counts c;

	list->len = 0;
	list->expires_unix_s = INT64_MAX;
	if (!read_header(data, len, &c))
		return wrong(why, "no time zone file");
	/* a second block with 64-bit times follows since version 2 */
	if (data[4] >= '2') {
		size_t skip = HEADER_LEN + block_len(&c, 4);

		if (skip > len || !read_header(data + skip, len - skip, &c))
			return wrong(why, "a time zone file that ends too early");
		data += skip;
		len -= skip;
		size = 8;
	}
	if (HEADER_LEN + block_len(&c, size) > len)
		return wrong(why, "a time zone file that ends too early");
	if (!c.leap)
		return wrong(why, "it has no leap seconds: right/UTC is such a zone");
	return take_records(list, data + HEADER_LEN + before_leaps(&c, size), c.leap, size, why);
}
