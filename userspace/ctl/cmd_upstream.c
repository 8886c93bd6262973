// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ntpkctl upstream ...: the upstreams of the running daemon, in the
 * words of the configuration file.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "ctl/ctl.h"
#include "ctl/fmt.h"

/* "a, b, c" */
static void join_addresses(char *buf, size_t len, struct json_object *up)
{
	struct json_object *list;
	char one[FMT_TEXT_MAX];
	size_t i, n = 0;

	buf[0] = '\0';
	if (!json_object_object_get_ex(up, "addresses", &list) ||
	    !json_object_is_type(list, json_type_array))
		return;
	for (i = 0; i < json_object_array_length(list) && n < len; i++) {
		const char *s = json_object_get_string(json_object_array_get_idx(list, i));

		n += (size_t)snprintf(buf + n, len - n, "%s%s", i ? ", " : "",
				      fmt_safe(one, sizeof(one), s));
	}
}

static bool add_row(struct fmt_table *t, struct json_object *up)
{
	char text[FMT_TEXT_MAX], sources[FMT_MAX], addresses[FMT_TEXT_MAX];
	const char *cells[4];

	cells[0] = fmt_safe(text, sizeof(text), fmt_str(up, "line"));
	cells[1] = fmt_bool(up, "runtime") ? "at run time" : "configuration";
	cells[2] = fmt_member_int(sources, up, "sources");
	if (fmt_str(up, "resolve_error"))
		fmt_safe(addresses, sizeof(addresses), fmt_str(up, "resolve_error"));
	else
		join_addresses(addresses, sizeof(addresses), up);
	cells[3] = addresses[0] ? addresses : "-";
	return fmt_table_add(t, cells);
}

static void print_list(const struct ctl *ctl, struct json_object *data)
{
	static const char *const head[] = { "Line", "From", "Sources", "Addresses" };
	struct fmt_table t = { .columns = 4, .right = 1u << 2 };
	struct json_object *list = ctl_list(data, "upstreams");
	size_t i;

	if (!list) {
		puts("No upstreams: add one with 'ntpkctl upstream add NAME'.");
		return;
	}
	fmt_table_add(&t, head);
	for (i = 0; i < json_object_array_length(list); i++)
		if (!add_row(&t, json_object_array_get_idx(list, i)))
			break;
	fmt_table_print(&t, stdout, ctl->colour);
}

static void print_added(const struct ctl *ctl, struct json_object *data)
{
	char text[FMT_TEXT_MAX];

	printf("Added%s: %s\n", ctl->options & CTL_O_SAVE ? " and saved" : "",
	       fmt_safe(text, sizeof(text), fmt_str(data, "added")));
}

static void print_removed(const struct ctl *ctl, struct json_object *data)
{
	char n[FMT_MAX];

	printf("Removed%s: %s\n", ctl->options & CTL_O_SAVE ? " for good" : "",
	       fmt_member_int(n, data, "removed"));
}

/*
 * "NAME options" means "server NAME options"; "pool.example.org" is a name,
 * "pool" and "server x" are not.
 */
static bool has_kind(const char *word)
{
	size_t len = strcspn(word, " \t");

	return (len == 6 && strncasecmp(word, "server", 6) == 0) ||
	       (len == 4 && strncasecmp(word, "pool", 4) == 0);
}

int cmd_upstream_add(const struct ctl *ctl, int argc, char **argv)
{
	char text[CTL_LINE_LEN];

	snprintf(text, sizeof(text), "%s", has_kind(argv[0]) ? "" : "server ");
	if (!ctl_join(text, sizeof(text), argc, argv))
		return CTL_USAGE;
	return ctl_show(ctl, "upstream-add", "line", text, print_added);
}

int cmd_upstream_list(const struct ctl *ctl, int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return ctl_show(ctl, "upstream-list", NULL, NULL, print_list);
}

int cmd_upstream_del(const struct ctl *ctl, int argc, char **argv)
{
	(void)argc;
	return ctl_show(ctl, "upstream-del", "name", argv[0], print_removed);
}

static void print_count(struct json_object *data, const char *what)
{
	char n[FMT_MAX];
	int64_t v;

	fmt_int(data, "sources", &v);
	printf("%s: %s source%s\n", what, fmt_member_int(n, data, "sources"), v == 1 ? "" : "s");
}

static void print_online(const struct ctl *ctl, struct json_object *data)
{
	(void)ctl;
	print_count(data, "Online");
}

static void print_offline(const struct ctl *ctl, struct json_object *data)
{
	(void)ctl;
	print_count(data, "Offline");
}

static void print_burst(const struct ctl *ctl, struct json_object *data)
{
	(void)ctl;
	print_count(data, "Burst");
}

int cmd_upstream_online(const struct ctl *ctl, int argc, char **argv)
{
	return ctl_show(ctl, "upstream-online", argc ? "name" : NULL, argv[0], print_online);
}

int cmd_upstream_offline(const struct ctl *ctl, int argc, char **argv)
{
	return ctl_show(ctl, "upstream-offline", argc ? "name" : NULL, argv[0], print_offline);
}

int cmd_upstream_burst(const struct ctl *ctl, int argc, char **argv)
{
	return ctl_show(ctl, "upstream-burst", argc ? "name" : NULL, argv[0], print_burst);
}
