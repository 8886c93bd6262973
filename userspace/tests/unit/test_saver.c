// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The thread that writes files: order, errors, what waits, the end.  Files in
 * a folder of its own.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <event2/event.h>
#include "daemon/saver.h"

#define FILES	40

static const struct replace how = { .mode = 0640, .sync = true };
static char folder[256];
static char path[300];

/* What was told: in which order, and with what result. */
static struct {
	int order[FILES];
	int errs[FILES];
	int len;
} told;

static int ids[FILES];

static void note(void *ctx, int err)
{
	told.order[told.len] = *(int *)ctx;
	told.errs[told.len++] = err;
}

static int make_folder(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	snprintf(folder, sizeof(folder), "%s/saver.XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/file", folder);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);	/* fails, and so does the test, if a file was left */
}

static int begin(void **state)
{
	memset(&told, 0, sizeof(told));
	for (int i = 0; i < FILES; i++)
		ids[i] = i;
	*state = event_base_new();
	return *state ? 0 : -1;
}

static int end(void **state)
{
	event_base_free(*state);
	return 0;
}

static void check_file(const char *text)
{
	char buf[64] = "";
	FILE *f = fopen(path, "r");

	assert_non_null(f);
	assert_non_null(fgets(buf, sizeof(buf), f));
	fclose(f);
	assert_string_equal(buf, text);
}

static void put(struct saver *s, int i)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", i);
	saver_put(s, path, text, strlen(text), &how, note, &ids[i]);
}

static void check_order(int n)
{
	assert_int_equal(told.len, n);
	for (int i = 0; i < n; i++) {
		assert_int_equal(told.order[i], i);
		assert_int_equal(told.errs[i], 0);
	}
}

/* Nobody is told before the loop runs, everybody in order when it does. */
static void test_order(void **state)
{
	struct saver *s = saver_open(*state);

	assert_non_null(s);
	for (int i = 0; i < FILES; i++)
		put(s, i);
	assert_int_equal(told.len, 0);
	while (told.len < FILES)
		assert_int_equal(event_base_loop(*state, EVLOOP_ONCE), 0);
	check_order(FILES);
	check_file("39");
	saver_close(s);
	assert_int_equal(told.len, FILES);
}

/* What waits is what the last one said, or it is in the file already. */
static void test_pending(void **state)
{
	struct saver *s = saver_open(*state);
	const char *text;
	size_t len = 99;

	assert_null(saver_pending(s, path, &len));
	for (int i = 0; i < FILES; i++) {
		char want[16];

		snprintf(want, sizeof(want), "%d", i);
		put(s, i);
		text = saver_pending(s, path, &len);
		if (!text) {
			check_file(want);
			continue;
		}
		assert_int_equal(len, strlen(want));
		assert_memory_equal(text, want, len);
		assert_null(saver_pending(s, "/another", &len));
	}
	saver_flush(s);
	assert_null(saver_pending(s, path, &len));
	check_order(FILES);
	saver_flush(s);
	check_order(FILES);
	saver_close(s);
}

static void test_close_writes(void **state)
{
	struct saver *s = saver_open(*state);

	for (int i = 0; i < 5; i++)
		put(s, i);
	saver_close(s);
	check_order(5);
	check_file("4");
}

/* A failure is told, and does not end the thread; too long a path fails at once. */
static void test_errors(void **state)
{
	struct saver *s = saver_open(*state);
	static char name[6000];

	saver_put(s, "/proc/no-such-folder/file", "x", 1, &how, note, &ids[0]);
	put(s, 1);
	saver_flush(s);
	assert_int_equal(told.len, 2);
	assert_int_equal(told.errs[0], -ENOENT);
	assert_int_equal(told.errs[1], 0);
	memset(name, 'x', sizeof(name) - 1);
	saver_put(s, name, "x", 1, &how, note, &ids[2]);
	assert_int_equal(told.len, 3);
	assert_int_equal(told.errs[2], -ENAMETOOLONG);
	saver_close(s);
}

/* Bare mode: no thread, done when it returns. */
static void test_none(void **state)
{
	size_t len;

	(void)state;
	put(NULL, 0);
	check_order(1);
	check_file("0");
	assert_null(saver_pending(NULL, path, &len));
	saver_flush(NULL);
	saver_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_order, begin, end),
		cmocka_unit_test_setup_teardown(test_pending, begin, end),
		cmocka_unit_test_setup_teardown(test_close_writes, begin, end),
		cmocka_unit_test_setup_teardown(test_errors, begin, end),
		cmocka_unit_test_setup_teardown(test_none, begin, end),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("saver", tests, make_folder, remove_folder);
}
