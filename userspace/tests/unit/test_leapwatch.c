// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the configured lists know of the next leap second, and that the sources
 * decide where that is nothing: no list, a broken one, an expired one, a time
 * zone that may be older than the news.  Files in a folder of its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <ntpk/ntp_wire.h>
#include "daemon/leapwatch.h"

#define JULY_1972	78796800LL
#define JANUARY_1973	94694400LL
#define EXPIRES		1782604800LL

static const char list[] =
	"#$\t3960835200\n"
	"#@\t3991593600\n"
	"2272060800      10\n"
	"2287785600      11\n"
	"2303683200      12\n"
	"#h\t02bb8744 05934785 7040be45 616b5dfe 6348ed4b\n";

static char folder[] = "/tmp/ntpk-leapwatch-XXXXXX";
static struct conf conf;

static void put(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

/* @answer: at @unix_s, with nothing remembered */
static void expect(enum leapwatch_answer answer, int64_t unix_s)
{
	struct leaplist_entry next, last;
	struct leapwatch w = { 0 };

	assert_int_equal(leapwatch_next(&w, &conf, unix_s, &next, &last), answer);
	if (answer == LEAPWATCH_NEXT)
		assert_int_equal(next.at_unix_s, unix_s < JULY_1972 ? JULY_1972 : JANUARY_1973);
}

static void test_list(void **state)
{
	(void)state;
	unlink(conf.leapseclist);
	expect(LEAPWATCH_UNKNOWN, JULY_1972);
	put(conf.leapseclist, list);
	expect(LEAPWATCH_NEXT, JULY_1972 - 1);
	expect(LEAPWATCH_NEXT, JULY_1972);
	expect(LEAPWATCH_NONE, JANUARY_1973);
	expect(LEAPWATCH_NONE, EXPIRES - 1);
	expect(LEAPWATCH_UNKNOWN, EXPIRES);
	put(conf.leapseclist, "#@\t3991593600\nrubbish\n");
	expect(LEAPWATCH_UNKNOWN, JANUARY_1973);
}

/* It may go away or break while it is in use. */
static void test_changes(void **state)
{
	struct leaplist_entry next, last;
	struct leapwatch w = { 0 };

	(void)state;
	put(conf.leapseclist, list);
	assert_int_equal(leapwatch_next(&w, &conf, JANUARY_1973, &next, &last), LEAPWATCH_NONE);
	unlink(conf.leapseclist);
	assert_int_equal(leapwatch_next(&w, &conf, JANUARY_1973, &next, &last), LEAPWATCH_NONE);
	assert_int_equal(leapwatch_next(&w, &conf, EXPIRES, &next, &last), LEAPWATCH_UNKNOWN);
	put(conf.leapseclist, "");
	assert_int_equal(leapwatch_next(&w, &conf, JANUARY_1973, &next, &last), LEAPWATCH_UNKNOWN);
}

static void test_zone(void **state)
{
	(void)state;
	unlink(conf.leapseclist);
	conf.leapseclist[0] = '\0';
	expect(LEAPWATCH_UNKNOWN, JANUARY_1973);
	strcpy(conf.leapsectz, "none/such");
	expect(LEAPWATCH_UNKNOWN, JANUARY_1973);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_zone),
	};
	int failed;

	if (!mkdtemp(folder))
		return 1;
	conf_init(&conf);
	snprintf(conf.leapseclist, sizeof(conf.leapseclist), "%s/list", folder);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	failed = cmocka_run_group_tests_name("leapwatch", tests, NULL, NULL);
	conf_clean(&conf);
	rmdir(folder);
	return failed;
}
