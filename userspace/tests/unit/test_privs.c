// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whom ntpkd becomes: a user that is asked for and not there is an error, never
 * a reason to stay root.  Needs root.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <pwd.h>
#include <unistd.h>
#include <cmocka.h>
#include "daemon/privs.h"

static void test_named(void **state)
{
	struct privs_user user;

	(void)state;
	assert_int_equal(privs_find_user(&user, "nobody"), 0);
	assert_true(user.change && user.uid);
	assert_int_equal(privs_find_user(&user, "root"), 0);
	assert_false(user.change);
	assert_true(privs_find_user(&user, "no-such-user") < 0);
	assert_false(user.change);
}

/* To ask for it is not the same as to have it by default. */
static void test_default(void **state)
{
	bool there = getpwnam(PRIVS_DEFAULT_USER);
	struct privs_user user;

	(void)state;
	assert_int_equal(privs_find_user(&user, ""), 0);
	assert_int_equal(user.change, there);
	assert_int_equal(privs_find_user(&user, PRIVS_DEFAULT_USER), there ? 0 : -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_named),
		cmocka_unit_test(test_default),
	};

	if (geteuid()) {
		print_message("1..0 # SKIP needs root\n");
		return 4;
	}
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("privs", tests, NULL, NULL);
}
