// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ntpkctl's printing of values, and its command line as far as it needs no
 * daemon.  The subcommands against a daemon: selftests/host/test_ctl.py.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <limits.h>
#include <fcntl.h>
#include <unistd.h>
#include <cmocka.h>
#include "ctl/ctl.h"
#include "ctl/fmt.h"
#include "ctl/hist.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

static void test_ns(void **state)
{
	static const struct {
		int64_t ns;
		const char *plain, *sign;
	} t[] = {
		{ 0, "0 ns", "+0 ns" },
		{ -1, "-1 ns", "-1 ns" },
		{ 999, "999 ns", "+999 ns" },
		{ 1000, "1.000 us", "+1.000 us" },
		{ -12345, "-12.35 us", "-12.35 us" },
		{ 123456, "123.5 us", "+123.5 us" },
		{ 999949, "999.9 us", "+999.9 us" },
		{ 999951, "1.000 ms", "+1.000 ms" },
		{ 250000000, "250.0 ms", "+250.0 ms" },
		{ 999999999, "1.000 s", "+1.000 s" },
		{ -1500000000, "-1.500 s", "-1.500 s" },
		{ 86400000000000, "86400 s", "+86400 s" },
		{ INT64_MAX, "9223372037 s", "+9223372037 s" },
		{ INT64_MIN, "-9223372037 s", "-9223372037 s" },
	};
	char buf[FMT_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < LEN(t); i++) {
		assert_string_equal(fmt_ns(buf, t[i].ns, false), t[i].plain);
		assert_string_equal(fmt_ns(buf, t[i].ns, true), t[i].sign);
	}
}

/* Never two values of one unit that do not grow with the number. */
static void test_ns_monotone(void **state)
{
	char buf[FMT_MAX], *end;
	double last = 0, v;
	int64_t ns;

	(void)state;
	for (ns = 1; ns < INT64_MAX / 2; ns += ns / 997 + 1) {
		v = strtod(fmt_ns(buf, ns, false), &end);
		v *= !strcmp(end, " ns") ? 1 : !strcmp(end, " us") ? 1e3 :
		     !strcmp(end, " ms") ? 1e6 : 1e9;
		assert_true(v >= last * 0.999999);
		assert_true(v > (double)ns * 0.9994 && v < (double)ns * 1.0006);
		last = v;
	}
}

static void test_device(void **state)
{
	struct json_object *o = json_object_new_object();
	char buf[FMT_TEXT_MAX];

	(void)state;
	assert_string_equal(fmt_device(buf, sizeof(buf), o), "a device that has gone");
	json_object_object_add(o, "device", json_object_new_string("eth\033"));
	assert_string_equal(fmt_device(buf, sizeof(buf), o), "eth\\x1b");
	json_object_put(o);
}

static void test_age_ppb_time(void **state)
{
	char buf[FMT_MAX];

	(void)state;
	assert_string_equal(fmt_age(buf, 0), "0 s");
	assert_string_equal(fmt_age(buf, 599999999999), "599 s");
	assert_string_equal(fmt_age(buf, 600000000000), "10 min");
	assert_string_equal(fmt_age(buf, 36000000000000), "10 h");
	assert_string_equal(fmt_age(buf, 100 * 3600 * 1000000000LL), "4 d");
	assert_string_equal(fmt_ppb(buf, 50000, true), "+50.000 ppm");
	assert_string_equal(fmt_ppb(buf, -1.4, false), "-0.001 ppm");
	assert_string_equal(fmt_time(buf, 0), "1970-01-01 00:00:00.000 UTC");
	assert_string_equal(fmt_time(buf, -1), "1969-12-31 23:59:59.999 UTC");
	assert_string_equal(fmt_time(buf, 2085978496000000000), "2036-02-07 06:28:16.000 UTC");
	fmt_time(buf, INT64_MAX);
	fmt_time(buf, INT64_MIN);
}

static void test_refid(void **state)
{
	char buf[FMT_MAX];

	(void)state;
	assert_string_equal(fmt_refid(buf, "47505300", 1), "GPS");
	assert_string_equal(fmt_refid(buf, "50505331", 1), "PPS1");
	assert_string_equal(fmt_refid(buf, "c0000201", 2), "192.0.2.1");
	assert_string_equal(fmt_refid(buf, "1b5b333a", 1), "27.91.51.58");
	assert_string_equal(fmt_refid(buf, "00000000", 0), "0.0.0.0");
	assert_string_equal(fmt_refid(buf, NULL, 1), "-");
	assert_string_equal(fmt_refid(buf, "0x123456", 1), "-");
	assert_string_equal(fmt_refid(buf, "123", 1), "-");
}

static void test_safe(void **state)
{
	char buf[12];

	(void)state;
	assert_string_equal(fmt_safe(buf, sizeof(buf), NULL), "-");
	assert_string_equal(fmt_safe(buf, sizeof(buf), "a b~"), "a b~");
	assert_string_equal(fmt_safe(buf, sizeof(buf), "\033[1m"), "\\x1b[1m");
	assert_string_equal(fmt_safe(buf, sizeof(buf), "\x7f\xc2\x9b"), "\\x7f\\xc2");
	assert_string_equal(fmt_safe(buf, sizeof(buf), "0123456789abcdef"), "0123456789a");
	assert_string_equal(fmt_safe(buf, 1, "x"), "");
}

static void test_members(void **state)
{
	struct json_object *o = json_tokener_parse("{\"i\":5,\"d\":1.5,\"s\":\"x\",\"n\":null,"
						   "\"b\":true}");
	char buf[FMT_MAX];
	int64_t i;
	double d;

	(void)state;
	assert_true(fmt_int(o, "i", &i) && i == 5);
	assert_false(fmt_int(o, "d", &i) || fmt_int(o, "s", &i) || fmt_int(o, "n", &i) ||
		     fmt_int(o, "none", &i) || fmt_int(NULL, "i", &i));
	assert_true(fmt_double(o, "d", &d) && fmt_double(o, "i", &d));
	assert_false(fmt_double(o, "s", &d));
	assert_string_equal(fmt_str(o, "s"), "x");
	assert_null(fmt_str(o, "i"));
	assert_true(fmt_bool(o, "b"));
	assert_false(fmt_bool(o, "i"));
	assert_string_equal(fmt_member_ns(buf, o, "n", true), "-");
	assert_string_equal(fmt_member_age(buf, o, "s"), "-");
	assert_string_equal(fmt_member_int(buf, o, "i"), "5");
	json_object_put(o);
}

static void test_table(void **state)
{
	static const char *const rows[][3] = { { "S", "Name", "N" }, { "*", "a", "10" },
					       { "", "longer", "7" } };
	struct fmt_table t = { .columns = 3, .right = 1u << 2 };
	char *text = NULL;
	size_t len, i;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	for (i = 0; i < 3; i++)
		assert_true(fmt_table_add(&t, rows[i]));
	fmt_table_print(&t, out, false);
	fclose(out);
	assert_string_equal(text, "S  Name     N\n*  a       10\n   longer   7\n");
	free(text);
	/* many rows, and none */
	t = (struct fmt_table){ .columns = 3 };
	for (i = 0; i < 1000; i++)
		assert_true(fmt_table_add(&t, rows[i % 3]));
	out = open_memstream(&text, &len);
	fmt_table_print(&t, out, true);
	t.columns = 3;
	fmt_table_print(&t, out, true);
	fclose(out);
	assert_memory_equal(text, "\033[1mS  Name    N\033[0m\n", 21);
	free(text);
}

/* What it exits with, its output thrown away. */
static int run(const char *line)
{
	char copy[256], *argv[40] = { "ntpkctl" }, *word, *save;
	int out = dup(1), err = dup(2), null = open("/dev/null", O_WRONLY), argc = 1, ret;

	snprintf(copy, sizeof(copy), "%s", line);
	for (word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save))
		argv[argc++] = word;
	fflush(stdout);
	dup2(null, 1);
	dup2(null, 2);
	ret = ctl_run(argc, argv);
	fflush(stdout);
	dup2(out, 1);
	dup2(err, 2);
	close(out);
	close(err);
	close(null);
	return ret;
}

/* A quantile is told by the end of its bucket, which it is below for sure. */
static void test_quantiles(void **state)
{
	uint64_t buckets[NTPK_HIST_BUCKETS] = { 0 };

	(void)state;
	assert_true(hist_quantile_ns(buckets, 0.5) == 0);
	buckets[10] = 98;
	buckets[12] = 1;
	buckets[31] = 1;
	assert_true(hist_quantile_ns(buckets, 0.5) == 2048);
	assert_true(hist_quantile_ns(buckets, 0.98) == 2048);
	assert_true(hist_quantile_ns(buckets, 0.99) == 8192);
	assert_true(hist_quantile_ns(buckets, 0.999) == 1ULL << 32);
}

static void test_usage(void **state)
{
	static const char *const wrong[] = {
		"", "bogus", "Status", "--bogus", "-x", "status -x", "status x", "sources x",
		"stats x", "version x", "upstream", "upstream x", "upstream add",
		"upstream del", "upstream del a b", "upstream list x", "waitsync x",
		"waitsync -1", "waitsync 1.5", "waitsync 1 x", "waitsync 1 -1", "waitsync 1 nan",
		"waitsync 1 1 inf", "waitsync 1 1 1 1", "waitsync 99999999999", "--socket",
		"status --socket", "status --socket=", "status --all", "--all sources",
		"waitsync 1 1 1e9", "waitsync 1 1s", "--jsonn status",
	};
	size_t i;

	(void)state;
	for (i = 0; i < LEN(wrong); i++)
		if (run(wrong[i]) != CTL_USAGE)
			fail_msg("'%s' is accepted", wrong[i]);
	assert_int_equal(run("help"), CTL_OK);
	assert_int_equal(run("-h"), CTL_OK);
	assert_int_equal(run("status --help"), CTL_OK);
}

static void test_no_daemon(void **state)
{
	(void)state;
	assert_int_equal(run("--socket /nonexistent/x status"), CTL_NO_DAEMON);
	assert_int_equal(run("sources --json --socket=/nonexistent/x"), CTL_NO_DAEMON);
	assert_int_equal(run("upstream add a minpoll -6 --socket /nonexistent/x"), CTL_NO_DAEMON);
	assert_int_equal(run("upstream list --socket /"), CTL_NO_DAEMON);
	assert_int_equal(run("waitsync 2 0 0 --socket /nonexistent/x"), CTL_NO_DAEMON);
	assert_int_equal(run("version --socket /nonexistent/x"), CTL_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ns),
		cmocka_unit_test(test_ns_monotone),
		cmocka_unit_test(test_age_ppb_time),
		cmocka_unit_test(test_device),
		cmocka_unit_test(test_refid),
		cmocka_unit_test(test_safe),
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_quantiles),
		cmocka_unit_test(test_usage),
		cmocka_unit_test(test_no_daemon),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("ctl", tests, NULL, NULL);
}
