// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ntpkctl upstream add|del|list: the upstreams of the running daemon, in the
 * words of the configuration file.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "ctl/ctl.h"
#include "ctl/fmt.h"

#define LINE_MAX_LEN	2048

static int usage(const char *text)
{
	fprintf(stderr, "ntpkctl: %s\n", text);
	return CTL_USAGE;
}

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
	struct json_object *list;
	size_t i;

	if (!json_object_object_get_ex(data, "upstreams", &list) ||
	    !json_object_is_type(list, json_type_array) || !json_object_array_length(list)) {
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

	(void)ctl;
	printf("Added: %s\n", fmt_safe(text, sizeof(text), fmt_str(data, "added")));
}

static void print_removed(const struct ctl *ctl, struct json_object *data)
{
	char n[FMT_MAX];

	(void)ctl;
	printf("Removed: %s\n", fmt_member_int(n, data, "removed"));
}

static int ask(const struct ctl *ctl, const char *cmd, const char *key, const char *value,
	       void (*print)(const struct ctl *ctl, struct json_object *data))
{
	struct json_object *answer, *data;
	struct ctl_error err;

	if (ctl_request(ctl, cmd, key, value, &answer, &err) != CTL_OK)
		return ctl_fail(ctl, &err, NULL);
	json_object_object_get_ex(answer, "data", &data);
	if (ctl->json)
		ctl_print_json(answer);
	else
		print(ctl, data);
	json_object_put(answer);
	return CTL_OK;
}

/* "NAME options" means "server NAME options". */
static int add(const struct ctl *ctl, int argc, char **argv)
{
	bool kind = strncasecmp(argv[0], "server", 6) == 0 || strncasecmp(argv[0], "pool", 4) == 0;
	char text[LINE_MAX_LEN];
	size_t n = 0;
	int i;

	/* "pool.example.org" is a name; "pool", "server x" are not. */
	if (kind) {
		char c = argv[0][strncasecmp(argv[0], "pool", 4) == 0 ? 4 : 6];

		kind = !c || c == ' ' || c == '\t';
	}
	n = (size_t)snprintf(text, sizeof(text), "%s", kind ? "" : "server ");
	for (i = 0; i < argc && n < sizeof(text); i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s", i ? " " : "", argv[i]);
	if (n >= sizeof(text))
		return usage("upstream add: the line is too long");
	return ask(ctl, "upstream-add", "line", text, print_added);
}

int cmd_upstream(const struct ctl *ctl, int argc, char **argv)
{
	if (strcmp(argv[0], "list") == 0)
		return argc == 1 ? ask(ctl, "upstream-list", NULL, NULL, print_list) :
		       usage("upstream list takes no arguments");
	if (strcmp(argv[0], "add") == 0)
		return argc > 1 ? add(ctl, argc - 1, argv + 1) :
		       usage("upstream add needs a name: upstream add [server|pool] NAME "
			     "[iburst] [minpoll N] ...");
	if (strcmp(argv[0], "del") == 0)
		return argc == 2 ? ask(ctl, "upstream-del", "name", argv[1], print_removed) :
		       usage("upstream del needs one name, as 'ntpkctl upstream list' shows it");
	return usage("upstream is followed by add, del or list");
}
