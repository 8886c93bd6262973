// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ntpkctl makestep, reselect, rekey, log level and metrics: small commands with small
 * answers.
 */
#include <stdio.h>
#include "ctl/ctl.h"
#include "ctl/fmt.h"

static void print_stepped(const struct ctl *ctl, struct json_object *data)
{
	char buf[FMT_MAX];

	(void)ctl;
	printf("Clock stepped by %s\n", fmt_member_ns(buf, data, "stepped_ns", true));
}

int cmd_makestep(const struct ctl *ctl, int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return ctl_show(ctl, "makestep", NULL, NULL, print_stepped);
}

static void print_reselected(const struct ctl *ctl, struct json_object *data)
{
	char text[FMT_TEXT_MAX];

	(void)ctl;
	if (fmt_str(data, "reference"))
		printf("Reference: %s\n", fmt_safe(text, sizeof(text), fmt_str(data, "reference")));
	else
		puts("No reference: no source can be selected now; see ntpkctl selectdata");
}

int cmd_reselect(const struct ctl *ctl, int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return ctl_show(ctl, "reselect", NULL, NULL, print_reselected);
}

static void print_level(const struct ctl *ctl, struct json_object *data)
{
	char is[32], was[32];

	(void)ctl;
	printf("Log level: %s (was %s)\n", fmt_safe(is, sizeof(is), fmt_str(data, "level")),
	       fmt_safe(was, sizeof(was), fmt_str(data, "was")));
}

int cmd_log_level(const struct ctl *ctl, int argc, char **argv)
{
	(void)argc;
	return ctl_show(ctl, "log-level", "level", argv[0], print_level);
}

static void print_keys(const struct ctl *ctl, struct json_object *data)
{
	int64_t keys = 0;

	(void)ctl;
	if (fmt_int(data, "keys", &keys))
		printf("Keys: %lld\n", (long long)keys);
}

int cmd_rekey(const struct ctl *ctl, int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return ctl_show(ctl, "rekey", NULL, NULL, print_keys);
}

/* Lines stay lines; nothing else that a terminal would obey. */
static void print_metrics(const struct ctl *ctl, struct json_object *data)
{
	const char *s = fmt_str(data, "text");

	(void)ctl;
	for (; s && *s; s++)
		if (*s == '\n' || (*s >= ' ' && *s < 0x7f))
			putchar(*s);
		else
			printf("\\\\x%02x", (unsigned char)*s);
}

int cmd_metrics(const struct ctl *ctl, int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return ctl_show(ctl, "metrics", NULL, NULL, print_metrics);
}
