// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lines of Prometheus' text format, and what is remembered from update to
 * update.  The whole text: selftests/host/test_control.py.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "daemon/metrics_out.h"
#include "daemon/tracking.h"

static void test_lines(void **state)
{
	const struct metrics_label labels[] = { { "a", "x\\y\"z\n" }, { "b", "" }, { 0 } };
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	metrics_family(out, "n_total", "counter", "Help.");
	metrics_count(out, "n_total", labels, UINT64_MAX);
	metrics_ns(out, "s", NULL, 0);
	metrics_ns(out, "s", NULL, -1);
	metrics_ns(out, "s", NULL, -1500000000);
	metrics_ns(out, "s", NULL, INT64_MIN);
	metrics_ns(out, "s", NULL, 1795477752123456789);
	metrics_real(out, "r", NULL, -1.25e-7);
	fclose(out);
	assert_string_equal(text,
			    "# HELP n_total Help.\n# TYPE n_total counter\n"
			    "n_total{a=\"x\\\\y\\\"z\\n\",b=\"\"} 18446744073709551615\n"
			    "s 0.000000000\ns -0.000000001\ns -1.500000000\n"
			    "s -9223372036.854775808\ns 1795477752.123456789\nr -1.25e-07\n");
	free(text);
}

static void test_tracking(void **state)
{
	struct engine_report r = { .updates = 0 };
	struct tracking t = { 0 };

	(void)state;
	tracking_note(&t, &r);
	assert_true(tracking_rms_ns(&t) == 0 && !t.updates);
	r = (struct engine_report){ .updates = 1, .last_offset_ns = -100,
				    .last_update_local_ns = 1000 };
	tracking_note(&t, &r);
	tracking_note(&t, &r);	/* nothing new */
	assert_true(tracking_rms_ns(&t) == 100);
	assert_int_equal(t.interval_ns, 0);
	r = (struct engine_report){ .updates = 2, .last_offset_ns = 0,
				    .last_update_local_ns = 64000 };
	tracking_note(&t, &r);
	assert_true(tracking_rms_ns(&t) > 94 && tracking_rms_ns(&t) < 95);
	assert_int_equal(t.interval_ns, 63000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_tracking),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
