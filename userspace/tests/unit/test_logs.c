// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The logs of numbers: columns and signs as chrony.conf(5) says, files that
 * rotate and that survive a full disk or a link in their place; and the names
 * of other time daemons.
 */
#include <arpa/inet.h>
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
#include "daemon/clockowner.h"
#include "daemon/conf.h"
#include "daemon/logs.h"

#define WHEN	(1478670640LL * 1000000000)	/* 2016-11-09 05:50:40 */

static char folder[256];
static char path[300], rotated[300];

static int make_folder(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	snprintf(folder, sizeof(folder), "%s/logs.XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/tracking.log", folder);
	snprintf(rotated, sizeof(rotated), "%s/tracking.log.1", folder);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	unlink(path);
	unlink(rotated);
	return rmdir(folder);
}

static void test_measurement(void **state)
{
	struct sample_report s = {
		.tests = 0x3ff & ~SAMPLE_T_C, .poll_log2s = 10, .leap = NTP_LEAP_INSERT, .stratum = 2,
		.refid = htonl(0xcb00717b), .root_delay_ns = 161500000, .root_disp_ns = 7446000,
		.offset_ns = -4966000, .delay_ns = 229600000, .disp_ns = 15770, .t4_unix_ns = WHEN,
	};
	char line[LOGS_LINE_MAX];

	(void)state;
	logs_line_measurement(line, "203.0.113.15", &s);
	assert_string_equal(line, "2016-11-09 05:50:40 203.0.113.15    +  2 111 111 1101  10 10 0.00 "
			    "-4.966e-03  2.296e-01  1.577e-05  1.615e-01  7.446e-03 CB00717B 4B K K");
	s.interleaved = true;
	s.disp_ns = 1000000;
	s.tests = SAMPLE_T_1 | SAMPLE_T_5;
	logs_line_measurement(line, "2001:db8::1", &s);
	assert_non_null(strstr(line, " 2001:db8::1     +  2 100 100 0000  10 "));
	assert_non_null(strstr(line, "4I D D"));
}

/* Our offset > 0 means slow, that of the log means fast. */
static void test_statistics(void **state)
{
	struct source_report s = {
		.offset_ns = 67920, .sd_ns = 6261e3, .freq_ppb = 22.28, .freq_sd_ppb = 1.541e3,
		.samples = 16,
	};
	char line[LOGS_LINE_MAX];

	(void)state;
	logs_line_statistics(line, "203.0.113.15", &s, WHEN);
	assert_string_equal(line, "2016-11-09 05:50:40 203.0.113.15     6.261e-03 -6.792e-05  "
			    "1.565e-03 -2.228e-08  1.541e-06 0.0e+00  16   0   0  0.00");
}

static void test_tracking(void **state)
{
	struct engine_report r = {
		.synchronised = true, .stratum = 2, .survivors = 2, .clock_offset_ns = -208400,
		.last_offset_ns = 8621, .freq_ppb = 3541, .freq_sd_ppb = 75, .est_error_ns = 2940000,
		.root_delay_ns = 15340000, .root_disp_ns = 347200,
	};
	char line[LOGS_LINE_MAX];

	(void)state;
	logs_line_tracking(line, "203.0.113.15", &r, WHEN);
	assert_string_equal(line, "2016-11-09 05:50:40 203.0.113.15     2     -3.541      0.075 "
			    "-8.621e-06 N  2  2.940e-03 -2.084e-04  1.534e-02  3.472e-04  8.234e-03");
	r.synchronised = false;
	logs_line_tracking(line, NULL, &r, WHEN);
	assert_non_null(strstr(line, " 0.0.0.0 "));
	assert_non_null(strstr(line, " ?  2 "));
}

/* Each column's name ends where its numbers end, as scripts that cut expect. */
static void test_banners(void **state)
{
	(void)state;
	assert_int_equal(strlen(logs_banner(LOGS_MEASUREMENTS)), 136);
	assert_int_equal(strlen(logs_banner(LOGS_STATISTICS)), 116);
	assert_int_equal(strlen(logs_banner(LOGS_TRACKING)), 131);
}

static unsigned int count_lines(const char *name, const char *what)
{
	FILE *f = fopen(name, "r");
	unsigned int n = 0;
	char line[512];

	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		n += strstr(line, what) != NULL;
	fclose(f);
	return n;
}

static void test_rotation(void **state)
{
	struct stat st;
	struct logs l;

	(void)state;
	logs_open(&l, folder, CONF_LOG_TRACKING, 2);
	logs_write(&l, LOGS_STATISTICS, "not wanted");
	for (int i = 0; i < 5; i++)
		logs_write(&l, LOGS_TRACKING, "line");
	assert_int_equal(count_lines(path, "line"), 5);
	assert_int_equal(count_lines(path, "Freq ppm"), 3);
	assert_int_equal(count_lines(path, "====="), 6);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777 & ~0640, 0);
	assert_int_equal(rename(path, rotated), 0);
	logs_write(&l, LOGS_TRACKING, "line");
	assert_int_equal(count_lines(rotated, "line"), 6);
	logs_reopen(&l);
	logs_write(&l, LOGS_TRACKING, "line");
	assert_int_equal(count_lines(rotated, "line"), 6);
	assert_int_equal(count_lines(path, "line"), 1);
	logs_close(&l);
}

static void test_link(void **state)
{
	struct logs l;

	(void)state;
	assert_int_equal(symlink(rotated, path), 0);
	logs_open(&l, folder, CONF_LOG_TRACKING, 0);
	logs_write(&l, LOGS_TRACKING, "line");
	assert_int_equal(access(rotated, F_OK), -1);
	/* and when it has gone, the log goes on */
	assert_int_equal(unlink(path), 0);
	logs_write(&l, LOGS_TRACKING, "line");
	assert_int_equal(count_lines(path, "line"), 1);
	logs_close(&l);
}

static void test_clock_owner(void **state)
{
	char dir[300], buf[64];
	FILE *f;

	(void)state;
	assert_int_equal(clockowner_find(folder, buf, sizeof(buf)), 0);
	assert_string_equal(buf, "");
	snprintf(dir, sizeof(dir), "%s/4711", folder);
	snprintf(path, sizeof(path), "%s/4711/comm", folder);
	assert_int_equal(mkdir(dir, 0700), 0);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs("systemd-timesyn\n", f);
	fclose(f);
	assert_int_equal(clockowner_find(folder, buf, sizeof(buf)), 4711);
	assert_string_equal(buf, "systemd-timesyn (process 4711)");
	f = fopen(path, "w");
	assert_non_null(f);
	fputs("chronydx\n", f);
	fclose(f);
	assert_int_equal(clockowner_find(folder, buf, sizeof(buf)), 0);
	unlink(path);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_measurement),
		cmocka_unit_test(test_statistics),
		cmocka_unit_test(test_tracking),
		cmocka_unit_test(test_banners),
		cmocka_unit_test_setup_teardown(test_rotation, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_link, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_clock_owner, make_folder, remove_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
