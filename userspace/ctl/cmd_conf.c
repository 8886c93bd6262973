// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ntpkctl reload, set, unset and acl check: the configuration of the running daemon.
 */
#include <stdio.h>
#include <string.h>
#include "ctl/ctl.h"
#include "ctl/fmt.h"

static void print_words(const char *what, struct json_object *list)
{
	char text[FMT_TEXT_MAX];

	if (!list)
		return;
	fputs(what, stdout);
	for (size_t i = 0; i < json_object_array_length(list); i++)
		printf("%s%s", i ? ", " : "", fmt_safe(text, sizeof(text), json_object_get_string(
		       json_object_array_get_idx(list, i))));
	putchar('\n');
}

static void print_reloaded(const struct ctl *ctl, struct json_object *data)
{
	char a[FMT_MAX], r[FMT_MAX], c[FMT_MAX], text[FMT_TEXT_MAX];

	(void)ctl;
	printf("Upstreams: %s added, %s removed, %s changed\n", fmt_member_int(a, data, "added"),
	       fmt_member_int(r, data, "removed"), fmt_member_int(c, data, "changed"));
	print_words("Now in force: ", ctl_list(data, "settings"));
	print_words("After a restart only: ", ctl_list(data, "restart"));
	if (fmt_str(data, "error"))
		printf("Left out: %s\n", fmt_safe(text, sizeof(text), fmt_str(data, "error")));
}

int cmd_reload(const struct ctl *ctl, int argc, char **argv)
{
	if (argc && strcmp(argv[0], "sources") != 0) {
		fprintf(stderr, "ntpkctl: reload is followed by nothing or by 'sources'\n");
		return CTL_USAGE;
	}
	return ctl_show(ctl, "reload", argc ? "sources" : NULL, NULL, print_reloaded);
}

bool ctl_join(char *buf, size_t len, int argc, char **argv)
{
	size_t n = strlen(buf);
	int i;

	for (i = 0; i < argc && n < len; i++)
		n += (size_t)snprintf(buf + n, len - n, "%s%s", i ? " " : "", argv[i]);
	if (n < len)
		return true;
	fprintf(stderr, "ntpkctl: the line is longer than %zu bytes\n", len - 1);
	return false;
}

static void print_set(const struct ctl *ctl, struct json_object *data)
{
	struct json_object *settings = ctl_list(data, "settings");

	if (settings)
		print_words("Now in force: ", settings);
	else
		puts("It is so already");
	if (ctl->options & CTL_O_SAVE)
		puts("Saved");
}

int cmd_set(const struct ctl *ctl, int argc, char **argv)
{
	char text[CTL_LINE_LEN] = "";

	if (!ctl_join(text, sizeof(text), argc, argv))
		return CTL_USAGE;
	return ctl_show(ctl, "set", "line", text, print_set);
}

static void print_unset(const struct ctl *ctl, struct json_object *data)
{
	struct json_object *settings = ctl_list(data, "settings");

	(void)ctl;
	if (settings)
		print_words("Back to the configuration file: ", settings);
	else
		puts("Saved no longer; the configuration file says the same");
}

int cmd_unset(const struct ctl *ctl, int argc, char **argv)
{
	(void)argc;
	return ctl_show(ctl, "unset", "name", argv[0], print_unset);
}

static void print_one(struct json_object *o)
{
	bool allowed = fmt_bool(o, "allowed");
	char rule[FMT_TEXT_MAX], line[FMT_MAX];
	int64_t n;

	fputs(allowed ? "may ask: " : "may not ask: ", stdout);
	if (!fmt_bool(o, "present") && !allowed)
		puts("this list is not there");
	else if (!fmt_str(o, "rule"))
		puts(allowed ? "no rule says otherwise" : "there are allow lines, and none names it");
	else if (fmt_int(o, "line", &n))
		printf("%s (line %s)\n", fmt_safe(rule, sizeof(rule), fmt_str(o, "rule")),
		       fmt_member_int(line, o, "line"));
	else
		printf("%s (of the module)\n", fmt_safe(rule, sizeof(rule), fmt_str(o, "rule")));
}

static void print_verdict(const struct ctl *ctl, struct json_object *data)
{
	struct json_object *all = ctl_list(data, "acls"), *one;
	char text[FMT_TEXT_MAX];
	size_t i;

	(void)ctl;
	printf("%s ", fmt_safe(text, sizeof(text), fmt_str(data, "address")));
	print_one(data);
	for (i = 0; all && i < json_object_array_length(all); i++) {
		one = json_object_array_get_idx(all, i);
		printf("where listen has acl %s it ", fmt_safe(text, sizeof(text), fmt_str(one, "acl")));
		print_one(one);
	}
}

int cmd_acl_check(const struct ctl *ctl, int argc, char **argv)
{
	(void)argc;
	return ctl_show(ctl, "acl-check", "address", argv[0], print_verdict);
}
