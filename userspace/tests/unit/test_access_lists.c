// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Access lists by name: which lines count for whom, what a name without lines
 * means, and which version of a list counts in the module.  Process context, no input
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
#include "daemon/kern_acl.h"

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

static struct access *lists_of(const char *text)
{
	struct access *a;
	struct conf c;

	parse(&c, text);
	a = access_alloc(&c);
	assert_non_null(a);
	conf_clean(&c);
	return a;
}

static void is_named(const struct kern_acl *k, const char *name, bool stays, const char *want)
{
	char got[NTPK_ACL_NAME_MAX + 1];

	kern_acl_name(k, name, stays, got);
	assert_string_equal(got, want);
}

/* Which version of a list the module's listeners are given. */
static void test_versions(void **state)
{
	struct access *one = lists_of("listen ::1 acl cams\nallow 10 acl cams\n"),
		      *same = lists_of("allow 11\nlisten ::2 acl cams\n\nallow 10 acl cams\n"),
		      *other = lists_of("listen ::1 acl cams\nallow 12 acl cams\nallow 11\n"),
		      *gone;
	struct kern_acl k;
	struct conf c;

	(void)state;
	parse(&c, "listen ::1 acl cams\nallow 10 acl cams\n");
	c.acl_len = 0;
	gone = access_alloc(&c);
	conf_clean(&c);
	kern_acl_init(&k, one, 4);
	is_named(&k, "cams", true, "cams.00000000");
	is_named(&k, "", true, "");
	k.of[0].sent = 5;
	k.of[1].sent = 6;
	is_named(&k, "cams", false, "cams.00000006");
	kern_acl_want(&k, same);
	is_named(&k, "cams", false, "cams.00000006");
	/* everybody's list is another, and was none: only where it was does that stay */
	is_named(&k, "", true, "");
	is_named(&k, "", false, ".00000000");
	k.of[0].sent = 7;
	is_named(&k, "", false, ".00000007");
	kern_acl_want(&k, other);
	is_named(&k, "cams", true, "cams.00000006");
	is_named(&k, "cams", false, "cams.00000000");
	is_named(&k, "", false, ".00000007");
	k.of[1].sent = 8;
	is_named(&k, "cams", true, "cams.00000008");
	/* without lines nobody may ask, whatever was there before */
	kern_acl_want(&k, gone);
	is_named(&k, "cams", true, "cams.00000000");
	is_named(&k, "nowhere", true, "nowhere.00000000");
	access_release(one);
	access_release(same);
	access_release(other);
	access_release(gone);
}

/* A refused list is the one before for places that had that, and for no others. */
static void test_refused(void **state)
{
	struct access *one = lists_of("listen ::1 acl cams\nallow 10 acl cams\n"),
		      *other = lists_of("listen ::1 acl cams\nallow 12 acl cams\nallow 11\n");
	struct ntpk_nl_listeners had = { .len = 2 }, want = { .len = 3 };
	struct kern_acl k;

	(void)state;
	had.of[0] = (struct ntpk_nl_listener){ .port = 123 };
	had.of[1] = (struct ntpk_nl_listener){ .port = 1123, .acl = "cams" };
	want.of[0] = had.of[0];
	want.of[1] = (struct ntpk_nl_listener){ .port = 1123 };
	want.of[2] = (struct ntpk_nl_listener){ .port = 2123, .acl = "cams" };
	kern_acl_init(&k, one, 4);
	k.of[0].sent = 5;
	k.of[1].sent = 6;
	kern_acl_want(&k, other);
	kern_acl_translate(&k, &want, &had);
	assert_string_equal(want.of[0].acl, "");
	assert_string_equal(want.of[1].acl, ".00000000");
	assert_string_equal(want.of[2].acl, "cams.00000000");
	kern_acl_translate(&k, &had, &had);
	assert_string_equal(had.of[1].acl, "cams.00000006");
	access_release(one);
	access_release(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_no_lines),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
