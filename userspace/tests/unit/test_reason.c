// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The table of reasons: every reason has a name, a class and a sentence, and
 * names are fit to be file names.  Pure, one thread.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include <ntpk/ntp_reason.h>

static void every_reason_is_described(void **state)
{
	unsigned int i, j;

	(void)state;
	for (i = 0; i < __NTPK_REASON_MAX; i++) {
		const char *name = ntp_reason_name(i);

		assert_true(strlen(name) > 0);
		assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_"),
				 strlen(name));
		assert_true(strlen(ntp_reason_text(i)) > 0);
		assert_true(strlen(ntp_reason_text(i)) < 76);
		assert_string_not_equal(name, "unknown");
		for (j = 0; j < i; j++)
			assert_string_not_equal(name, ntp_reason_name(j));
	}
}

/* The classes as the UAPI header groups them. */
static void classes_follow_the_header(void **state)
{
	unsigned int i;

	(void)state;
	for (i = NTPK_REASON_REPLIED; i <= NTPK_REASON_REPLIED_UNSYNC; i++)
		assert_int_equal(ntp_reason_class(i), NTPK_CLASS_ANSWER);
	for (i = NTPK_REASON_OTHER_PORT; i <= NTPK_REASON_MODE; i++)
		assert_int_equal(ntp_reason_class(i), NTPK_CLASS_PASS);
	for (i = NTPK_REASON_BAD_LENGTH; i <= NTPK_REASON_AUTH_REQUIRED; i++)
		assert_int_equal(ntp_reason_class(i), NTPK_CLASS_DROP);
	assert_int_equal(ntp_reason_class(NTPK_REASON_REPLIED_NAK), NTPK_CLASS_ANSWER);
	assert_int_equal(ntp_reason_class(NTPK_REASON_ACL_DENIED), NTPK_CLASS_DROP);
}

static void out_of_range_is_harmless(void **state)
{
	static const unsigned int bad[] = { __NTPK_REASON_MAX, 255, 0x80000000U, ~0U };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_string_equal(ntp_reason_name(bad[i]), "unknown");
		assert_string_equal(ntp_reason_text(bad[i]), "");
		assert_int_equal(ntp_reason_class(bad[i]), NTPK_CLASS_DROP);
		assert_string_equal(ntp_status_name(bad[i]), "unknown");
	}
	assert_string_equal(ntp_reason_name(NTPK_REASON_NONE), "none");
}

static void every_status_has_its_name(void **state)
{
	unsigned int i, j;

	(void)state;
	for (i = 0; i < __NTPK_STATUS_MAX; i++) {
		assert_true(strlen(ntp_status_name(i)) > 0);
		for (j = 0; j < i; j++)
			assert_string_not_equal(ntp_status_name(i), ntp_status_name(j));
	}
	assert_string_equal(ntp_status_name(NTPK_STATUS_HOLDOVER), "holdover");
	assert_string_equal(ntp_status_name(NTPK_STATUS_SYNC), "synchronised");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_reason_is_described),
		cmocka_unit_test(classes_follow_the_header),
		cmocka_unit_test(out_of_range_is_harmless),
		cmocka_unit_test(every_status_has_its_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
