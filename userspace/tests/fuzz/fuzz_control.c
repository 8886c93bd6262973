// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz target: any lines to the control socket's real table of commands, over
 * an engine with two sources.  Commands that read are carried out; those that
 * change only check what reached them (and parse what they would parse), so
 * that no input leaves a trace for the next.  Bit 0 of the first byte: root.
 *
 * Beyond what the sanitizers see: each answer is one line that reads back, has
 * a code and a text when refused, and no reader reaches a change.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "daemon/access.h"
#include "daemon/command.h"
#include "daemon/conf.h"
#include "daemon/ntpkd.h"
#include "daemon/runtime.h"
#include "fuzz.h"

#define ROWS_MAX	64

static struct ntpkd daemon_of_ours;
static struct upstream ups[2];
static struct control_command rows[ROWS_MAX];
static struct control_table table;
static bool root;

static void no_report(void *ctx, const char *file, unsigned int line, unsigned int column,
		      const char *text)
{
	(void)ctx;
	(void)file;
	(void)line;
	(void)column;
	demand(*text);
}

/* What `set` would take, over an empty configuration. */
static int check_set(const char *line, const struct conf_diag *diag)
{
	static struct conf conf;
	int err;

	conf_init(&conf);
	err = runtime_parse(&conf, line, "set", diag);
	conf_clean(&conf);
	return err;
}

static int check_change(void *ctx, const struct control_value *args, struct json_object *data,
			struct control_error *err)
{
	const struct conf_diag diag = { no_report, NULL };
	struct conf_upstream up;
	char text[512];

	(void)ctx;
	(void)data;
	demand(root);
	for (unsigned int i = 0; i < CONTROL_ARGS_MAX; i++)
		if (args[i].text)
			demand(strlen(args[i].text) <= CONTROL_LINE_MAX);
	if (args[0].text && !runtime_names_upstream(args[0].text) &&
	    !check_set(args[0].text, &diag))
		return 0;
	if (!args[0].text || conf_parse_upstream(&up, args[0].text, "fuzz", 1, &diag))
		return control_refuse(err, -EINVAL, "invalid", "%s",
				      args[0].text ? args[0].text : "nothing");
	conf_format_upstream(&up, text, sizeof(text));
	return 0;
}

static void add_source(size_t i, const char *line)
{
	const struct conf_diag diag = { no_report, NULL };
	struct ntpkd *d = &daemon_of_ours;
	struct upstream_source *s = &d->upstreams.sources[i];
	struct event ev = { .type = EV_SOURCE_ADD, .source = (uint32_t)i + 1 };

	demand(!conf_parse_upstream(&ups[i].conf, line, "fuzz", 1, &diag));
	ups[i].all = &d->upstreams;
	ups[i].next = d->upstreams.head;
	d->upstreams.head = &ups[i];
	s->up = &ups[i];
	s->id = ev.source;
	demand(sock_addr_parse(&s->addr, ups[i].conf.name, ups[i].conf.port));
	ev.add.minpoll_log2s = 6;
	ev.add.maxpoll_log2s = 10;
	ev.add.version = 4;
	ev.add.refid = upstream_refid(&s->addr);
	clocks_read(&ev.now, 0);
	engine_event(d->engine, &ev, d->actions);
}

/* That of all, and one of a listener's own. */
static struct access *add_lists(void)
{
	static const char text[] = "allow 192.0.2\ndeny ::/1\n"
				   "listen 192.0.2.1 acl own\nallow 10 acl own\n";
	const struct conf_diag diag = { no_report, NULL };
	struct access *access;
	struct conf conf;
	FILE *in = fmemopen((void *)text, sizeof(text) - 1, "r");

	conf_init(&conf);
	demand(in && !conf_parse(&conf, in, "fuzz", &diag));
	access = access_alloc(&conf);
	demand(access);
	fclose(in);
	conf_clean(&conf);
	return access;
}

static void set_up(void)
{
	const struct engine_config conf = { .min_sources = 1, .max_distance_ns = 3000000000,
		.max_served_ns = 1000000000, .precision_log2s = -20, .freq_sd_ppb = 1e5,
		.push_interval_ns = 1000000000, .holdover_ns = 86400000000000 };
	struct ntpkd *d = &daemon_of_ours;

	d->upstreams.sources = calloc(ENGINE_MAX_SOURCES, sizeof(*d->upstreams.sources));
	d->actions = calloc(ENGINE_MAX_ACTIONS(4), sizeof(*d->actions));
	d->engine = engine_init(malloc(engine_size(4)), 4, &conf);
	d->access = add_lists();
	add_source(0, "server 192.0.2.1 iburst");
	add_source(1, "server 2001:db8::1 minpoll 4");
	table = command_table(d);
	demand(table.len <= ROWS_MAX);
	memcpy(rows, table.rows, table.len * sizeof(rows[0]));
	for (size_t i = 0; i < table.len; i++)
		if (rows[i].right == CONTROL_CHANGE)
			rows[i].run = check_change;
	table.rows = rows;
}

static void check_answer(struct json_object *answer)
{
	const char *text = json_object_to_json_string_ext(answer, JSON_C_TO_STRING_PLAIN);
	struct json_object *again = json_tokener_parse(text), *ok, *v;

	demand(!strchr(text, '\n') && again && json_object_equal(answer, again));
	demand(json_object_object_get_ex(again, "ok", &ok));
	if (json_object_get_boolean(ok)) {
		demand(json_object_object_get_ex(again, "data", &v));
		demand(json_object_is_type(v, json_type_object));
	} else {
		demand(json_object_object_get_ex(again, "error", &v));
		demand(json_object_object_get_ex(v, "code", &ok));
		demand(json_object_get_string_len(ok) > 0);
		demand(json_object_object_get_ex(v, "text", &ok));
		demand(json_object_get_string_len(ok) > 0);
	}
	json_object_put(again);
}

/* A copy of the line's own size, so that a read behind it is seen. */
static void one_line(const uint8_t *data, size_t len)
{
	char *copy = malloc(len ? len : 1);
	struct json_object *answer;

	demand(copy);
	memcpy(copy, data, len);
	answer = control_handle_line(&table, copy, len, root);
	demand(answer);
	check_answer(answer);
	json_object_put(answer);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end;

	if (!size)
		return 0;
	if (!table.len)
		set_up();
	root = *data++ & 1;
	size--;
	while (size) {
		end = memchr(data, '\n', size);
		size_t len = end ? (size_t)(end - data) : size;

		one_line(data, len);
		len += end != NULL;
		data += len;
		size -= len;
	}
	return 0;
}
