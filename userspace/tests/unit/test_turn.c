// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Turns of the loop: what is measured, and when one is over.  Only lower
 * bounds: the machine may take as long as it likes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <cmocka.h>
#include "daemon/clocks.h"
#include "daemon/turn.h"

static int64_t cpu_ns(void)
{
	struct timespec ts;

	assert_int_equal(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts), 0);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static void work(int64_t ns)
{
	int64_t end_ns = cpu_ns() + ns;

	while (cpu_ns() < end_ns)
		;
}

static void wait(int64_t ns)
{
	int64_t end_ns = clocks_local_ns() + ns;

	while (clocks_local_ns() < end_ns)
		nanosleep(&(struct timespec){ .tv_nsec = 500000 }, NULL);
}

static void test_longest(void **state)
{
	struct turn_longest t;

	(void)state;
	turn_open(true);
	turn_begin();
	work(3 * TURN_SLICE_NS);
	turn_end();
	t = turn_longest();
	assert_true(t.cpu_ns >= 3 * TURN_SLICE_NS);
	assert_true(t.wall_ns >= t.cpu_ns / 2);
	/* a shorter one changes nothing, nor does waiting between two */
	wait(t.wall_ns + TURN_SLICE_NS);
	turn_begin();
	turn_end();
	assert_true(turn_longest().wall_ns == t.wall_ns);
	assert_true(turn_longest().cpu_ns == t.cpu_ns);
	/* waiting within one does */
	turn_begin();
	wait(t.wall_ns + TURN_SLICE_NS);
	turn_end();
	assert_true(turn_longest().wall_ns >= t.wall_ns + TURN_SLICE_NS);
}

/* Work before the first callback of a turn is the loop's too. */
static void test_no_callback(void **state)
{
	(void)state;
	turn_open(true);
	work(TURN_SLICE_NS);
	turn_end();
	assert_true(turn_longest().cpu_ns >= TURN_SLICE_NS);
	assert_true(turn_longest().wall_ns == 0);
	turn_open(false);
	work(TURN_SLICE_NS);
	turn_end();
	assert_true(turn_longest().cpu_ns == 0);
}

static void test_over(void **state)
{
	(void)state;
	turn_open(false);
	assert_false(turn_is_over());
	turn_begin();
	wait(TURN_SLICE_NS);
	turn_begin();	/* its second callback */
	assert_true(turn_is_over());
	turn_end();
	assert_false(turn_is_over());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_longest),
		cmocka_unit_test(test_no_callback),
		cmocka_unit_test(test_over),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("turn", tests, NULL, NULL);
}
