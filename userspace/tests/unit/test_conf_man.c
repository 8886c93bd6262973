// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ntpk.conf(5) and the parser's tables say the same, both ways: every directive,
 * option and refused word is in the page, and the page has no others.  Runs at
 * the top of the tree.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "daemon/conf.h"

#define PAGE	"Documentation/man/ntpk.conf.5"
#define WORDS	256

/* struct words - what one macro of the page marks */
struct words {
	char	 word[WORDS][40];
	size_t	 len;
};

static bool has(const struct words *w, const char *word)
{
	size_t i;

	for (i = 0; i < w->len; i++)
		if (strcmp(w->word[i], word) == 0)
			return true;
	return false;
}

static void take(struct words *w, const char *word)
{
	if (has(w, word))
		return;
	assert_true(w->len < WORDS);
	snprintf(w->word[w->len++], sizeof(w->word[0]), "%s", word);
}

/* The words behind a macro at the start of a line; the first of them, or all. */
static void read_page(const char *macro, bool all, struct words *w)
{
	FILE *in = fopen(PAGE, "r");
	char line[512], *word, *at;

	w->len = 0;
	assert_non_null(in);
	while (fgets(line, sizeof(line), in)) {
		if (strncmp(line, macro, strlen(macro)) != 0)
			continue;
		for (word = strtok_r(line + strlen(macro), " \n", &at); word;
		     word = strtok_r(NULL, " \n", &at)) {
			take(w, word);
			if (!all)
				break;
		}
	}
	fclose(in);
}

static void compare(const struct words *page, const struct words *table, const char *what)
{
	size_t i;

	for (i = 0; i < table->len; i++)
		if (!has(page, table->word[i]))
			fail_msg("%s %s is not in " PAGE, what, table->word[i]);
	for (i = 0; i < page->len; i++)
		if (!has(table, page->word[i]))
			fail_msg("%s %s of " PAGE " is not in the parser", what, page->word[i]);
	assert_true(page->len > 10);
}

static void test_directives(void **state)
{
	struct words page, table = { .len = 0 };
	size_t i;

	(void)state;
	for (i = 0; conf_directive(i); i++)
		take(&table, conf_directive(i)->name);
	read_page(".It Ic ", false, &page);
	compare(&page, &table, "directive");
}

static void test_options(void **state)
{
	struct words page, table = { .len = 0 };
	size_t i;

	(void)state;
	for (i = 0; conf_option(i); i++)
		take(&table, conf_option(i)->name);
	read_page(".It Cm ", false, &page);
	compare(&page, &table, "option");
}

static void test_refused(void **state)
{
	struct words page, table = { .len = 0 };
	const struct conf_refused *r;
	size_t i, len;

	(void)state;
	r = conf_refused_words(&len);
	for (i = 0; i < len; i++)
		take(&table, r[i].name);
	read_page(".Sy ", true, &page);
	compare(&page, &table, "refused word");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_directives),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_refused),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("conf_man", tests, NULL, NULL);
}
