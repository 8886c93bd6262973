// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lists of leap seconds: a short leap-seconds.list with its true hash, spoilt
 * in every way; the system's own files where there are any; time zone records
 * made here, with a deleted second and an expiry date.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <ntpk/ntp_wire.h>
#include "daemon/leaplist.h"

#define LEN(a)		(sizeof(a) / sizeof((a)[0]))
#define DATE_1972	78796800LL	/* 1972-07-01 */
#define DATE_1973	94694400LL	/* 1973-01-01 */
#define DATE_2017	1483228800LL

/* the layout of the published file; the hash is sha1("3960835200" "3991593600" "2272060800" ...) */
static const char good[] =
	"#\tATOMIC TIME\n"
	"#$\t3960835200\n"
	"#\n"
	"#@\t3991593600\n"
	"2272060800      10      # 1 Jan 1972\n"
	"2287785600      11      # 1 Jul 1972\n"
	"2303683200      12      # 1 Jan 1973\r\n"
	"\n"
	"#h\t02bb8744 05934785 7040be45 616b5dfe 6348ed4b\n";

static int parse(const char *text, struct leaplist *list, char *why)
{
	why[0] = '\0';
	return leaplist_parse(list, text, strlen(text), why);
}

static void test_list(void **state)
{
	char why[LEAPLIST_WHY_MAX];
	struct leaplist list;

	(void)state;
	if (parse(good, &list, why))
		fail_msg("%s", why);
	assert_int_equal(list.len, 2);
	assert_int_equal(list.entries[0].at_unix_s, DATE_1972);
	assert_int_equal(list.entries[1].at_unix_s, DATE_1973);
	assert_int_equal(list.entries[1].leap, NTP_LEAP_INSERT);
	assert_int_equal(list.expires_unix_s, 3991593600LL - 2208988800LL);
	assert_ptr_equal(leaplist_next(&list, 0), &list.entries[0]);
	assert_ptr_equal(leaplist_next(&list, DATE_1972 - 1), &list.entries[0]);
	assert_ptr_equal(leaplist_next(&list, DATE_1972), &list.entries[1]);
	assert_null(leaplist_next(&list, DATE_1973));
	assert_ptr_equal(leaplist_last(&list, DATE_1972), &list.entries[0]);
	assert_null(leaplist_last(&list, DATE_1972 - 1));
	assert_ptr_equal(leaplist_last(&list, DATE_1973), &list.entries[list.len - 1]);
}

static void test_wrong_lists(void **state)
{
	static const struct {
		const char *text;
		const char *says;
	} rows[] = {
		{ "", "no line with numbers" },
		{ "#@ 3991593600\n", "no line with numbers" },
		{ "2272060800 10\n2287785600 11\n", "expiry" },
		{ "hello\n", "line 1" },
		{ "#@ soon\n", "line 1" },
		{ "#@ 3991593600\n2272060800 10\n2287785600 12\n", "line 3: TAI" },
		{ "#@ 3991593600\n2272060800 10\n2287785601 11\n", "line 3: not at midnight" },
		{ "#@ 3991593600\n2287785600 10\n2272060800 11\n", "line 3: not after" },
		{ "#@ 3991593600\n2272060800\n", "line 2" },
		{ "#@ 3991593600\n2272060800 10x\n", "line 2" },
		{ "#@ 3991593600\n2272060800 99999\n", "line 2" },
		{ "#@ 3991593600\n99999999999999 10\n", "line 2" },
		{ "#@ 3991593600\n2272060800 10\n#h 1 2 3 4\n", "five hexadecimal" },
		{ "#@ 3991593600\n2272060800 10\n#h 1 2 3 4 5\n", "hash is wrong" },
	};
	static const char *const numbers[] = {
		"3960835200", "3991593600", "2272060800", "10", "2287785600", "2303683200", "12 ",
	};
	char why[LEAPLIST_WHY_MAX], text[sizeof(good)];
	struct leaplist list;

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		assert_int_equal(parse(rows[i].text, &list, why), -EINVAL);
		if (!strstr(why, rows[i].says))
			fail_msg("row %zu: %s", i, why);
	}
	/* any digit of the numbers changed: the hash sees it, or what it says is nonsense */
	for (size_t i = 0; i < LEN(numbers); i++) {
		size_t at = (size_t)(strstr(good, numbers[i]) - good);

		for (size_t d = 0; d < strlen(numbers[i]); d++) {
			strcpy(text, good);
			text[at + d] = text[at + d] == '1' ? '3' : '1';
			assert_int_equal(parse(text, &list, why), -EINVAL);
		}
	}
}

static void test_deleted(void **state)
{
	char why[LEAPLIST_WHY_MAX];
	struct leaplist list;

	(void)state;
	assert_int_equal(parse("#@ 3991593600\n2272060800 10\n2287785600 9\n", &list, why), 0);
	assert_int_equal(list.entries[0].leap, NTP_LEAP_DELETE);
}

static size_t read_whole(const char *path, char *buf, size_t len)
{
	FILE *f = fopen(path, "r");
	size_t n = f ? fread(buf, 1, len, f) : 0;

	if (f)
		fclose(f);
	return n;
}

/* Debian's tzdata has both, and they must agree on what has been. */
static void test_system_files(void **state)
{
	static char buf[1 << 17];
	char why[LEAPLIST_WHY_MAX];
	struct leaplist a, b;
	size_t n = read_whole("/usr/share/zoneinfo/leap-seconds.list", buf, sizeof(buf));

	(void)state;
	if (!n)
		skip();
	if (leaplist_parse(&a, buf, n, why))
		fail_msg("%s", why);
	assert_true(a.len >= 27);
	assert_int_equal(a.entries[26].at_unix_s, DATE_2017);
	n = read_whole("/usr/share/zoneinfo/right/UTC", buf, sizeof(buf));
	if (!n)
		skip();
	if (leaplist_parse_tz(&b, (uint8_t *)buf, n, why))
		fail_msg("%s", why);
	assert_int_equal(b.len, a.len);
	for (size_t i = 0; i < a.len; i++) {
		assert_int_equal(b.entries[i].at_unix_s, a.entries[i].at_unix_s);
		assert_int_equal(b.entries[i].leap, a.entries[i].leap);
	}
	n = read_whole("/usr/share/zoneinfo/UTC", buf, sizeof(buf));
	assert_int_equal(leaplist_parse_tz(&b, (uint8_t *)buf, n, why), -EINVAL);
}

static size_t put(uint8_t *at, int64_t v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		at[i] = (uint8_t)((uint64_t)v >> 8 * (n - 1 - i));
	return n;
}

static size_t header(uint8_t *at, char version, uint32_t leaps)
{
	memset(at, 0, 44);
	memcpy(at, "TZif", 4);
	at[4] = (uint8_t)version;
	put(at + 28, leaps, 4);
	put(at + 36, 1, 4);	/* one type, one character */
	put(at + 40, 1, 4);
	return 44;
}

struct record {
	int64_t	at;
	int32_t	corr;
};

/* A file with an empty first block and these records in the second. */
static size_t tzfile(uint8_t *buf, const struct record *r, uint32_t n)
{
	size_t len = header(buf, '4', 0);

	memset(buf + len, 0, 7);
	len += 7;
	len += header(buf + len, '4', n);
	memset(buf + len, 0, 7);
	len += 7;
	for (uint32_t i = 0; i < n; i++) {
		len += put(buf + len, r[i].at, 8);
		len += put(buf + len, r[i].corr, 4);
	}
	return len;
}

static void test_tz(void **state)
{
	/* inserted, inserted, deleted, and an expiry date */
	static const struct record records[] = {
		{ DATE_1972, 1 }, { DATE_1973 + 1, 2 }, { DATE_2017 + 2 - 1, 1 },
		{ 2000000000 + 1, 1 },
	};
	static const struct record bad[][2] = {
		{ { DATE_1972, 1 }, { DATE_1973 + 1, 3 } },
		{ { DATE_1972, 1 }, { DATE_1973, 2 } },
		{ { DATE_1973, 1 }, { DATE_1972 + 1, 2 } },
	};
	char why[LEAPLIST_WHY_MAX];
	struct leaplist list;
	uint8_t buf[512];
	size_t len = tzfile(buf, records, 4);

	(void)state;
	assert_int_equal(leaplist_parse_tz(&list, buf, len, why), 0);
	assert_int_equal(list.len, 3);
	assert_int_equal(list.entries[0].at_unix_s, DATE_1972);
	assert_int_equal(list.entries[1].at_unix_s, DATE_1973);
	assert_int_equal(list.entries[2].at_unix_s, DATE_2017);
	assert_int_equal(list.entries[2].leap, NTP_LEAP_DELETE);
	assert_int_equal(list.expires_unix_s, 2000000000);
	/* cut anywhere, it is refused */
	for (size_t cut = 0; cut < len; cut++)
		assert_int_equal(leaplist_parse_tz(&list, buf, cut, why), -EINVAL);
	for (size_t i = 0; i < LEN(bad); i++) {
		len = tzfile(buf, bad[i], 2);
		assert_int_equal(leaplist_parse_tz(&list, buf, len, why), -EINVAL);
	}
	/* the oldest left out */
	len = tzfile(buf, &records[1], 2);
	assert_int_equal(leaplist_parse_tz(&list, buf, len, why), 0);
	assert_int_equal(list.entries[0].at_unix_s, DATE_1973);
	len = tzfile(buf, records, 4);
	put(buf + 44 + 7 + 28, 0x7fffffff, 4);
	assert_int_equal(leaplist_parse_tz(&list, buf, len, why), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_wrong_lists),
		cmocka_unit_test(test_deleted),
		cmocka_unit_test(test_system_files),
		cmocka_unit_test(test_tz),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
