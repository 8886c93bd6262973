// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Access lists by name: which lines count for whom, what a name without lines
 * means, and when the lists are to be made anew.  Process context, no input
 * and no output.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/access.h"

static void report(void *ctx, const char *file, unsigned int line, unsigned int column,
		   const char *text)
{
	(void)ctx;
	(void)column;
	fail_msg("%s:%u: %s", file, line, text);
}

static void parse(struct conf *c, const char *text)
{
	const struct conf_diag diag = { .report = report };
	FILE *in = fmemopen((void *)text, strlen(text), "r");

	assert_non_null(in);
	conf_init(c);
	assert_int_equal(conf_parse(c, in, "x.conf", &diag), 0);
	fclose(in);
}

static bool may(const struct access *access, const char *name, const char *from)
{
	union sock_addr addr;

	assert_true(sock_addr_parse(&addr, from, 0));
	return access_check(access, name, &addr).allow;
}

static void test_lists(void **state)
{
	struct access *a;
	struct conf c;

	(void)state;
	parse(&c, "listen 192.0.2.1 acl cams\nlisten ::1 acl lab\nlisten ::2 acl cams\nlisten ::3\n"
		  "allow 10/8 acl cams\ndeny 10.1 acl cams\ndeny 10.2 acl lab\n"
		  "allow 192.168/16\nallow 2001:db8::/32\nallow 172.16 acl unused\n");
	a = access_alloc(&c);
	assert_non_null(a);
	assert_int_equal(a->len, 3);
	assert_true(may(a, "", "192.168.0.1") && may(a, "", "2001:db8::1"));
	assert_false(may(a, "", "10.0.0.1") || may(a, "", "172.16.0.1"));
	assert_true(may(a, "cams", "10.0.0.1"));
	assert_false(may(a, "cams", "10.1.0.1") || may(a, "cams", "192.168.0.1"));
	/* denials alone: the others may */
	assert_true(may(a, "lab", "10.0.0.1") && may(a, "lab", "::5"));
	assert_false(may(a, "lab", "10.2.0.1"));
	/* a name that nobody has lets nobody ask */
	assert_null(access_find(a, "unused"));
	assert_false(may(a, "unused", "172.16.0.1") || may(NULL, "cams", "10.0.0.1"));
	assert_true(may(NULL, "", "10.0.0.1"));
	access_release(a);
	conf_clean(&c);
}

static void test_no_lines(void **state)
{
	struct access *a;
	struct conf c;

	(void)state;
	parse(&c, "listen ::1 acl cams\nallow 10/8 acl cams\n");
	/* as where the lines went and the place still waits for a restart */
	c.acl_len = 0;
	a = access_alloc(&c);
	assert_int_equal(a->len, 2);
	assert_true(may(a, "", "10.0.0.1") && access_otherwise(&a->of[0]));
	assert_false(may(a, "cams", "10.0.0.1") || access_otherwise(&a->of[1]));
	access_release(a);
	conf_clean(&c);
}

static void test_fits(void **state)
{
	static const char one[] = "listen ::1 acl a\nlisten ::2 acl b\nallow acl a\nallow acl b\n";
	static const struct {
		const char *text;
		bool	 fits;
	} rows[] = {
		{ one, true },
		{ "listen ::2 acl b\nlisten ::1 acl a\nlisten ::3\nallow acl b\nallow acl a\n", true },
		{ "listen ::1 acl a\nlisten ::2\nallow acl a\nallow acl b\n", false },
		{ "listen ::1 acl a\nlisten ::2 acl c\nallow acl a\nallow acl c\n", false },
		{ "listen ::1 acl a\nlisten ::2 acl b\nlisten ::3 acl c\nallow acl a\nallow acl b\n"
		  "allow acl c\n", false },
		{ "", false },
	};
	struct access *a;
	struct conf c;

	(void)state;
	parse(&c, one);
	a = access_alloc(&c);
	conf_clean(&c);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		parse(&c, rows[i].text);
		if (access_fits(a, &c) != rows[i].fits)
			fail_msg("%s: %sfits", rows[i].text, rows[i].fits ? "" : "not ");
		conf_clean(&c);
	}
	access_release(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_no_lines),
		cmocka_unit_test(test_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
