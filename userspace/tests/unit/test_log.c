// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The sentences of state changes: units, signs, and a line for every code.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "daemon/log.h"

static void test_durations(void **state)
{
	static const struct {
		int64_t ns;
		const char *text;
	} rows[] = {
		{ 0, "+0 ns" }, { 999, "+999 ns" }, { -1, "-1 ns" },
		{ 1234, "+1.234 us" }, { -99999, "-99.999 us" },
		{ 123456, "+0.123 ms" }, { -250000000, "-250.000 ms" },
		{ 1500000000, "+1.500 s" }, { -86400000000000, "-86400.000 s" },
	};
	char buf[LOG_NS_LEN];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(log_format_ns(buf, rows[i].ns), rows[i].text);
}

static void test_sentences(void **state)
{
	const __be32 rate = ntp_htobe32(0x52415445);
	char text[256];

	(void)state;
	assert_int_equal(log_format_code(text, sizeof(text), LOG_SELECTED, "10.0.0.1", 123456, 0),
			 LOG_LEVEL_INFO);
	assert_string_equal(text, "selected 10.0.0.1, offset +0.123 ms");
	log_format_code(text, sizeof(text), LOG_SYNCHRONISED, "10.0.0.1", 2000000, 0);
	assert_string_equal(text, "synchronised to 10.0.0.1, root distance 2.000 ms");
	assert_int_equal(log_format_code(text, sizeof(text), LOG_STEP, "", -1500000000, 0),
			 LOG_LEVEL_WARN);
	assert_string_equal(text, "stepping the system clock by -1.500 s");
	log_format_code(text, sizeof(text), LOG_KOD, "h (10.0.0.1)", 0, rate);
	assert_string_equal(text, "h (10.0.0.1) sent the kiss code RATE: it wants to be asked less often");
	log_format_code(text, sizeof(text), LOG_KOD, "h", 0, ntp_htobe32(0x1b5b324a));
	assert_string_equal(text, "h sent the kiss code .[2J");
}

static void test_every_code(void **state)
{
	char text[256];

	(void)state;
	for (unsigned int code = 0; code < LOG_CODES; code++) {
		log_format_code(text, sizeof(text), code, "name", 1, 0);
		assert_true(strlen(text) > 5);
		assert_null(strstr(text, "state change"));
	}
	log_format_code(text, sizeof(text), 4711, "name", 1, 0);
	assert_string_equal(text, "state change 4711 name");
}

static void test_levels(void **state)
{
	(void)state;
	assert_int_equal(log_level_parse("err"), LOG_LEVEL_ERR);
	assert_int_equal(log_level_parse("debug"), LOG_LEVEL_DEBUG);
	assert_int_equal(log_level_parse("Debug"), -EINVAL);
	assert_int_equal(log_level_parse(""), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_durations),
		cmocka_unit_test(test_sentences),
		cmocka_unit_test(test_every_code),
		cmocka_unit_test(test_levels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
