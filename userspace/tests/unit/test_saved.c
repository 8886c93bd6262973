// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Files that are replaced whole, the saved time, and what a cold start makes of
 * it.  Files in a folder of its own.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include <ntpk/ntp_wire.h>
#include "daemon/coldstart.h"
#include "daemon/replace.h"
#include "daemon/saved.h"

#define S	NTP_NS_PER_S
#define BUILD	(1767225600 * S)

static char folder[256];
static char path[300], beside[300];

static int make_folder(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	snprintf(folder, sizeof(folder), "%s/saved.XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/time", folder);
	snprintf(beside, sizeof(beside), "%s/time.new", folder);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);	/* fails, and so does the test, if a file was left */
}

static void put_file(const char *name, const char *text)
{
	FILE *f = fopen(name, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void check_file(const char *name, const char *text)
{
	char buf[64] = "";
	FILE *f = fopen(name, "r");

	assert_non_null(f);
	assert_non_null(fgets(buf, sizeof(buf), f));
	fclose(f);
	assert_string_equal(buf, text);
}

static void keep_err(void *ctx, int err)
{
	*(int *)ctx = err;
}

static int write_now(int64_t unix_ns)
{
	int err = 1;

	saved_write(NULL, folder, unix_ns, keep_err, &err);
	return err;
}

static void test_round_trip(void **state)
{
	int64_t t = 0, later = BUILD + 5 * S + 999999999;
	struct stat st;
	char why[128];

	(void)state;
	assert_int_equal(saved_read(folder, BUILD, &t, why, sizeof(why)), -ENOENT);
	assert_int_equal(write_now(later), 0);
	assert_int_equal(saved_read(folder, BUILD, &t, why, sizeof(why)), 0);
	assert_true(t == BUILD + 5 * S);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_true(st.st_mtim.tv_sec == later / S && st.st_mtim.tv_nsec == later % S);
}

static void test_damaged(void **state)
{
	static const char *const texts[] = {
		"", "\n", "soon\n", "1767225605", "1767225605 \n", "1767225605x\n", "-1\n",
		"1767225599\n", "99999999999\n", "9999999999999999999999\n",
	};
	char why[128];
	int64_t t = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		put_file(path, texts[i]);
		assert_int_equal(saved_read(folder, BUILD, &t, why, sizeof(why)), -EINVAL);
		assert_true(strlen(why) > 5);
		assert_true(t == 7);
	}
}

/* Nothing in a folder that others can write leads us elsewhere. */
static void test_links(void **state)
{
	char victim[300], why[128];
	int64_t t;

	(void)state;
	snprintf(victim, sizeof(victim), "%s/victim", folder);
	put_file(victim, "1767225700\n");
	assert_int_equal(symlink(victim, path), 0);
	assert_int_equal(saved_read(folder, BUILD, &t, why, sizeof(why)), -ELOOP);
	assert_int_equal(symlink(victim, beside), 0);
	assert_int_equal(write_now(BUILD + S), 0);
	check_file(victim, "1767225700\n");
	check_file(path, "1767225601\n");
	assert_int_equal(unlink(victim), 0);
}

static void test_failed_write(void **state)
{
	const struct replace how = { .mode = 0640 };

	(void)state;
	put_file(path, "old\n");
	/* a folder in the way of PATH.new: the old contents stay */
	assert_int_equal(mkdir(beside, 0700), 0);
	assert_int_not_equal(replace_file(path, "new\n", 4, &how), 0);
	check_file(path, "old\n");
	assert_int_equal(rmdir(beside), 0);
	assert_int_equal(replace_file(path, "new\n", 4, &how), 0);
	check_file(path, "new\n");
}

static struct coldstart decide(int64_t saved, int64_t rtc, int64_t real)
{
	struct coldstart cs = { .build_unix_ns = BUILD, .saved_unix_ns = saved, .rtc_unix_ns = rtc };

	coldstart_decide(&cs, real);
	return cs;
}

#define assert_start(cs, where, floor, start) do {	\
	assert_int_equal((cs).from, where);		\
	assert_true((cs).floor_unix_ns == (floor));	\
	assert_true((cs).start_unix_ns == (start));	\
} while (0)

static void test_cold_start(void **state)
{
	int64_t day = 86400 * S;
	struct coldstart cs;

	(void)state;
	cs = decide(0, 0, 0);
	assert_start(cs, COLDSTART_BUILD, BUILD, BUILD);
	cs = decide(BUILD + day, 0, 5 * S);
	assert_start(cs, COLDSTART_SAVED, BUILD + day, BUILD + day);
	cs = decide(BUILD + day, BUILD + 2 * day, 5 * S);
	assert_start(cs, COLDSTART_RTC, BUILD + day, BUILD + 2 * day);
	/* an RTC that lost its time on the way does not win over the saved time */
	cs = decide(BUILD + 3 * day, BUILD + 2 * day, 5 * S);
	assert_start(cs, COLDSTART_SAVED, BUILD + 3 * day, BUILD + 3 * day);
	/* a clock that may be right stays, an RTC that is fast is no floor */
	cs = decide(BUILD + day, BUILD + 9 * day, BUILD + 2 * day);
	assert_start(cs, COLDSTART_CLOCK, BUILD + day, BUILD + 2 * day);
	cs = decide(BUILD - day, 0, BUILD);
	assert_start(cs, COLDSTART_CLOCK, BUILD, BUILD);
}

static void test_no_rtc(void **state)
{
	int64_t t = 7;

	(void)state;
	assert_int_equal(coldstart_read_rtc("/nonexistent/rtc0", &t), -ENOENT);
	assert_int_equal(coldstart_read_rtc("/dev/null", &t), -ENOTTY);
	assert_true(t == 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_round_trip, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_damaged, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_links, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_failed_write, make_folder, remove_folder),
		cmocka_unit_test(test_cold_start),
		cmocka_unit_test(test_no_rtc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
