// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The upstreams, listed and changed over the control socket.  Event loop only.
 */
#include "daemon/command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "daemon/command_keep.h"
#include "daemon/conf_word.h"
#include "daemon/log.h"
#include "daemon/ntpkd.h"
#include "daemon/status_json.h"

#define LINE_LEN	512

static struct json_object *upstream_object(const struct upstream *up)
{
	struct json_object *o = json_object_new_object();
	struct json_object *addresses = json_object_new_array();
	char text[SOCK_ADDR_TEXT_LEN];
	char line[LINE_LEN];
	int n = 0;

	for (size_t i = 0; up->sources_len && i < ENGINE_MAX_SOURCES; i++) {
		const struct upstream_source *s = &up->all->sources[i];

		if (s->up != up)
			continue;
		n++;
		json_object_array_add(addresses,
				      json_object_new_string(sock_addr_text(&s->addr, text)));
	}
	conf_format_upstream(&up->conf, line, sizeof(line));
	put_text(o, "line", line);
	put_text(o, "name", up->conf.name);
	put_text(o, "kind", up->conf.kind == CONF_POOL ? "pool" : "server");
	put_bool(o, "runtime", up->runtime);
	put_int(o, "sources", n);
	put(o, "addresses", addresses);
	put_text(o, "resolve_error", up->error[0] ? up->error : NULL);
	return o;
}

/* struct walk - through the upstreams; @tag: of the next, or of one that has gone */
struct walk {
	struct ntpkd *d;
	uint32_t tag;
};

static bool next_upstream(void *ctx, struct json_object **piece)
{
	struct walk *w = ctx;
	const struct upstream *up = upstreams_from(&w->d->upstreams, w->tag);

	if (!up)
		return false;
	*piece = upstream_object(up);
	w->tag = up->tag + 1;
	return true;
}

int command_upstream_list(void *ctx, const struct control_value *args, struct json_object *data,
			  struct control_error *err)
{
	struct walk *w = calloc(1, sizeof(*w));
	struct ntpkd *d = ctx;
	const struct control_stream s = {
		.key = "upstreams", .next = next_upstream, .done = free, .ctx = w,
	};

	(void)args;
	(void)err;
	if (!w)
		return -ENOMEM;
	w->d = d;
	return control_send(d->control, &s, data);
}

static int keep_added(const struct conf *conf, const void *what, char *why,
		      const struct runtime_writer *w)
{
	return runtime_add_upstream(conf, what, why, w);
}

static int keep_deleted(const struct conf *conf, const void *what, char *why,
			const struct runtime_writer *w)
{
	return runtime_del_upstream(conf, what, why, w);
}

int command_upstream_add(void *ctx, const struct control_value *args, struct json_object *data,
			 struct control_error *err)
{
	const struct conf_diag diag = { .report = command_keep_first, .ctx = err };
	struct conf_upstream up;
	char text[LINE_LEN];
	struct ntpkd *d = ctx;
	int result;

	err->code = "invalid";
	err->text[0] = '\0';
	if (conf_parse_upstream(&up, args[0].text, "upstream add", 1, &diag))
		return -EINVAL;
	up.line = 0;
	result = upstreams_add(&d->upstreams, &up, true);
	if (result == -EEXIST)
		return control_refuse(err, result, "exists", "%s: is an upstream already",
				      up.name);
	if (result == -ENOSPC)
		return control_refuse(err, result, "too-many", "%s: no room: remove another "
				      "upstream first", up.name);
	if (result)
		return control_refuse(err, result, "internal", "%s: %s", up.name,
				      strerror(-result));
	conf_format_upstream(&up, text, sizeof(text));
	log_info("upstream added: %s", text);
	put_text(data, "added", text);
	put_bool(data, "saved", args[1].flag);
	return args[1].flag ? command_keep(d, keep_added, &up, err) : 0;
}

static int unknown(struct control_error *err, const char *name)
{
	return control_refuse(err, -ENOENT, "not-found", "%s: no upstream has this name; see "
			      "ntpkctl upstream list", name);
}

int command_upstream_del(void *ctx, const struct control_value *args, struct json_object *data,
			 struct control_error *err)
{
	struct ntpkd *d = ctx;

	if (!upstreams_del(&d->upstreams, args[0].text))
		return unknown(err, args[0].text);
	log_info("upstream removed: %s", args[0].text);
	put_int(data, "removed", 1);
	put_bool(data, "saved", args[1].flag);
	return args[1].flag ? command_keep(d, keep_deleted, args[0].text, err) : 0;
}

/* By the upstream's name or by one source's address; NULL means all. */
static bool is_meant(const struct upstream_source *s, const char *name)
{
	char addr[SOCK_ADDR_TEXT_LEN];

	return !name || conf_host_same(s->up->conf.name, name) ||
	       conf_host_same(sock_addr_text(&s->addr, addr), name);
}

/* A source that takes the place of a dead one begins as this one is. */
static void note_offline(struct upstream *up, enum event_type type)
{
	if (type == EV_OFFLINE)
		up->flags |= SOURCE_F_OFFLINE;
	else if (type == EV_ONLINE)
		up->flags &= ~SOURCE_F_OFFLINE;
}

static int tell_sources(struct ntpkd *d, const char *name, enum event_type type,
			struct json_object *data, struct control_error *err)
{
	unsigned int n = 0, named = 0;

	for (struct upstream *up = d->upstreams.head; up; up = up->next)
		if (!name || conf_host_same(up->conf.name, name)) {
			note_offline(up, type);
			named++;
		}
	for (size_t i = 0; i < ENGINE_MAX_SOURCES; i++) {
		struct upstream_source *s = &d->upstreams.sources[i];

		if (!s->up || !is_meant(s, name))
			continue;
		if (type == EV_BURST)
			ntpkd_simple_event(d, type, s->id);
		else
			upstreams_switch(&d->upstreams, s, type == EV_ONLINE);
		n++;
	}
	if (name && !n && !named)
		return unknown(err, name);
	put_int(data, "sources", n);
	return 0;
}

int command_upstream_online(void *ctx, const struct control_value *args, struct json_object *data,
			    struct control_error *err)
{
	return tell_sources(ctx, args[0].text, EV_ONLINE, data, err);
}

int command_upstream_offline(void *ctx, const struct control_value *args, struct json_object *data,
			     struct control_error *err)
{
	return tell_sources(ctx, args[0].text, EV_OFFLINE, data, err);
}

int command_upstream_burst(void *ctx, const struct control_value *args, struct json_object *data,
			   struct control_error *err)
{
	return tell_sources(ctx, args[0].text, EV_BURST, data, err);
}
