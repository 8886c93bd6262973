// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The module's lines of `ntpkctl status`, see module_line.h.
 */
#include "ctl/module_line.h"

#include <stdio.h>
#include <string.h>
#include "ctl/ctl.h"
#include "ctl/fmt.h"

static struct json_object *member(struct json_object *o, const char *key)
{
	struct json_object *m;

	return json_object_object_get_ex(o, key, &m) && json_object_is_type(m, json_type_object) ?
	       m : NULL;
}

/* ", ntpk 1.2 (srcversion ...)", or nothing. */
static void print_build(struct json_object *m)
{
	char text[FMT_TEXT_MAX];
	const char *s = fmt_str(m, "version");

	if (s)
		printf(", ntpk %s", fmt_safe(text, sizeof(text), s));
	s = fmt_str(m, "srcversion");
	if (s)
		printf(" (srcversion %s)", fmt_safe(text, sizeof(text), s));
}

static void print_over(struct json_object *gap)
{
	char age[FMT_MAX], length[FMT_MAX], answered[FMT_MAX];

	printf("%-16s: %s ago, not served by the kernel for %s (%s requests answered by ntpkd meanwhile)\n",
	       fmt_bool(gap, "same_build") ? "Loaded again" : "Replaced",
	       fmt_member_age(age, gap, "began_age_ns"),
	       fmt_member_ns(length, gap, "length_ns", false),
	       fmt_member_int(answered, gap, "answered"));
}

static void print_open(struct json_object *gap, bool is_there)
{
	const char *error = fmt_str(gap, "error"), *now;
	char age[FMT_MAX], answered[FMT_MAX], text[FMT_TEXT_MAX];

	if (is_there)
		now = error ? "what is loaded now does not take the settings" :
			      "what is loaded now has not been given the time yet";
	else if (error)
		now = fmt_safe(text, sizeof(text), error);
	else
		now = "`modprobe ntpk` loads it, `dmesg` says why it does not load";
	printf("%-16s: %s ago, %s requests answered by ntpkd since; %s\n", "Unloaded",
	       fmt_member_age(age, gap, "began_age_ns"),
	       fmt_member_int(answered, gap, "answered"), now);
}

void print_module(struct json_object *status)
{
	struct json_object *m = member(status, "module"), *gap = member(status, "module_gap");
	char text[FMT_TEXT_MAX], age[FMT_MAX];
	const char *error;

	if (m) {
		printf("%-16s: %s, last push %s ago", "Kernel module",
		       fmt_safe(text, sizeof(text), fmt_str(m, "status")),
		       fmt_member_age(age, m, "age_ns"));
		print_build(m);
		printf("\n");
	} else {
		printf("%-16s: not in use\n", "Kernel module");
	}
	if (gap && fmt_bool(gap, "over"))
		print_over(gap);
	else if (gap)
		print_open(gap, m != NULL);
	error = m ? fmt_str(m, "error") : NULL;
	if (error)
		printf("%-16s: %s\n", "Last push failed", fmt_safe(text, sizeof(text), error));
}
