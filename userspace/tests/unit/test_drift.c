// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The drift file: what is written is read back with chrony's sign, what is
 * broken is refused with a reason and changes nothing.  Files in a folder of
 * its own.
 */
#include <errno.h>
#include <math.h>
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
#include "daemon/drift.h"

static char folder[256];
static char path[300];

static int make_folder(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	snprintf(folder, sizeof(folder), "%s/drift.XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/drift", folder);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);	/* fails, and so does the test, if a file was left */
}

static void put_file(const char *text, size_t len)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static void keep_err(void *ctx, int err)
{
	*(int *)ctx = err;
}

static int write_now(const char *file, double freq_ppb, double sd_ppb)
{
	int err = 1;

	drift_write(NULL, file, freq_ppb, sd_ppb, keep_err, &err);
	return err;
}

static void test_round_trip(void **state)
{
	static const double freqs[] = { 0, 1, -1, 12345.678, -499999.5, 5e8, -5e8 };
	double freq, sd;
	char why[128];

	(void)state;
	for (size_t i = 0; i < sizeof(freqs) / sizeof(freqs[0]); i++) {
		assert_int_equal(write_now(path, freqs[i], 250), 0);
		assert_int_equal(drift_read(path, &freq, &sd, why, sizeof(why)), 0);
		assert_true(fabs(freq - freqs[i]) < 0.001);
		assert_true(fabs(sd - 250) < 0.001);
	}
}

static void test_sign_and_mode(void **state)
{
	char text[128] = "";
	struct stat st;
	FILE *f;

	(void)state;
	/* UTC is faster than the counter by 12.5 ppm: the clock is slow, chrony says -12.5 */
	assert_int_equal(write_now(path, 12500, 30), 0);
	f = fopen(path, "r");
	assert_non_null(f);
	assert_non_null(fgets(text, sizeof(text), f));
	fclose(f);
	assert_string_equal(text, "          -12.500000             0.030000\n");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
}

static void test_refused(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		const char *why;
	} rows[] = {
		{ "", 0, "empty" },
		{ "12.5 0.1", 8, "truncated" },
		{ "12.5\n", 5, "not two numbers" },
		{ "12.5 0.1 7\n", 11, "not two numbers" },
		{ "x 0.1\n", 6, "not two numbers" },
		{ "1 \0\n", 4, "not text" },
		{ "nan 0.1\n", 8, "absurd" },
		{ "inf 0.1\n", 8, "absurd" },
		{ "500001 0.1\n", 11, "absurd" },
		{ "-500001 0.1\n", 12, "absurd" },
		{ "1 -0.1\n", 7, "absurd" },
		{ "1 nan\n", 6, "absurd" },
		{ "1 2000000\n", 10, "absurd" },
	};
	double freq = 42, sd = 43;
	char why[128];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		put_file(rows[i].text, rows[i].len);
		assert_int_equal(drift_read(path, &freq, &sd, why, sizeof(why)), -EINVAL);
		assert_non_null(strstr(why, rows[i].why));
		assert_true(freq == 42 && sd == 43);
	}
}

/* Who can write the folder does not choose what root opens. */
static void test_no_regular_file(void **state)
{
	double freq = 42, sd = 43;
	char why[128], other[310];

	(void)state;
	assert_int_equal(write_now(path, 12500, 30), 0);
	snprintf(other, sizeof(other), "%s.other", path);
	assert_int_equal(rename(path, other), 0);
	assert_int_equal(symlink(other, path), 0);
	assert_int_equal(drift_read(path, &freq, &sd, why, sizeof(why)), -ELOOP);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(drift_read(path, &freq, &sd, why, sizeof(why)), -EMEDIUMTYPE);
	assert_true(freq == 42 && sd == 43);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(unlink(other), 0);
}

static void test_chrony_file(void **state)
{
	static const char text[] = "             -3.141593             0.002718\n";
	double freq, sd;
	char why[128];

	(void)state;
	put_file(text, strlen(text));
	assert_int_equal(drift_read(path, &freq, &sd, why, sizeof(why)), 0);
	assert_true(fabs(freq - 3141.593) < 1e-6);
	assert_true(fabs(sd - 2.718) < 1e-6);
}

static void test_missing(void **state)
{
	double freq, sd;
	char why[128];

	(void)state;
	unlink(path);
	assert_int_equal(drift_read(path, &freq, &sd, why, sizeof(why)), -ENOENT);
	assert_int_equal(write_now("/proc/no-such-folder/drift", 1, 1), -ENOENT);
	assert_int_equal(write_now(path, NAN, 1), -EINVAL);
	assert_int_equal(write_now(path, 1e12, 1), -EINVAL);
	assert_int_equal(access(path, F_OK), -1);
}

/* A folder in the way of the final rename: the old state stays, nothing is left. */
static void test_failed_write(void **state)
{
	char temp[320];

	(void)state;
	unlink(path);
	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(write_now(path, 1, 1), -EISDIR);
	snprintf(temp, sizeof(temp), "%s.new", path);
	assert_int_equal(access(temp, F_OK), -1);
	assert_int_equal(rmdir(path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_sign_and_mode),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_no_regular_file),
		cmocka_unit_test(test_chrony_file),
		cmocka_unit_test(test_missing),
		cmocka_unit_test(test_failed_write),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
