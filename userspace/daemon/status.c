// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the control socket is told (Documentation/control.md).  Event loop
 * only.  JSON that runs out of memory merely lacks a field.
 */
#include "daemon/ntpkd.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <ntpk/ntp_reason.h>
#include "daemon/control.h"
#include "daemon/kern.h"
#include "daemon/log.h"
#include "daemon/respond.h"

#define LINE_LEN	512

static void put(struct json_object *o, const char *key, struct json_object *value)
{
	json_object_object_add(o, key, value);
}

static void put_int(struct json_object *o, const char *key, int64_t v)
{
	put(o, key, json_object_new_int64(v));
}

static void put_text(struct json_object *o, const char *key, const char *v)
{
	put(o, key, v ? json_object_new_string(v) : NULL);
}

static void put_bool(struct json_object *o, const char *key, bool v)
{
	put(o, key, json_object_new_boolean(v));
}

static void put_refid(struct json_object *o, __be32 refid)
{
	char text[9];

	snprintf(text, sizeof(text), "%08x", ntp_be32toh(refid));
	put_text(o, "refid", text);
}

/* An instant of the local timescale as an age; 0 = never. */
static void put_age(struct json_object *o, const char *key, int64_t then_ns, int64_t now_ns)
{
	put(o, key, then_ns ? json_object_new_int64(now_ns - then_ns) : NULL);
}

static int say_version(void *ctx, struct json_object *data, struct control_error *err)
{
	(void)ctx;
	(void)err;
	put_text(data, "version", NTPK_VERSION);
	put_int(data, "build_unix", NTPK_BUILD_UNIX_S);
	return 0;
}

static const char *state_name(const struct engine_report *r)
{
	if (r->local)
		return "local";
	if (!r->synchronised)
		return "unsynchronised";
	return r->survivors ? "synchronised" : "holdover";
}

static const char *serving_name(const struct ntpkd *d)
{
	if (kern_attached(d->kern))
		return "kernel";
	return d->respond ? "userspace" : "off";
}

static struct json_object *module_object(struct ntpkd *d)
{
	struct ntpk_nl_state state;
	struct json_object *o;
	int err;

	if (!kern_attached(d->kern))
		return NULL;
	err = kern_state(d->kern, &state);
	o = json_object_new_object();
	put_text(o, "status", err ? NULL : ntp_status_name(state.status));
	put(o, "age_ns", err || !state.pushed ? NULL :
	    json_object_new_int64((int64_t)state.age_ns));
	put(o, "pushes", err ? NULL : json_object_new_int64((int64_t)state.pushes));
	put_text(o, "error", kern_error(d->kern));
	return o;
}

static struct json_object *responder_object(const struct ntpkd *d)
{
	struct json_object *o;

	if (!d->respond)
		return NULL;
	o = json_object_new_object();
	for (unsigned int i = 1; i < NTPK_REASON_MAX + 1u; i++)
		if (respond_count(d->respond, i))
			put_int(o, ntp_reason_name(i), (int64_t)respond_count(d->respond, i));
	return o;
}

static unsigned int sources_count(const struct ntpkd *d)
{
	unsigned int n = 0;

	for (size_t i = 0; i < ENGINE_MAX_SOURCES; i++)
		n += d->upstreams.sources[i].up != NULL;
	return n;
}

static void put_clock(struct json_object *o, const struct engine_report *r,
		      const struct clocks *now)
{
	put_int(o, "clock_offset_ns", r->clock_offset_ns);
	put_int(o, "last_offset_ns", r->last_offset_ns);
	put(o, "frequency_ppb", json_object_new_double(r->freq_ppb));
	put(o, "skew_ppb", json_object_new_double(r->freq_sd_ppb));
	put_int(o, "est_error_ns", r->est_error_ns);
	put_int(o, "root_delay_ns", r->root_delay_ns);
	put_int(o, "root_disp_ns", r->root_disp_ns);
	put_int(o, "root_dist_ns", r->root_delay_ns / 2 + r->root_disp_ns);
	put_int(o, "served_unix_ns", ntp_line_at(&r->line, now->local_ns));
	put_age(o, "last_update_age_ns", r->last_update_local_ns, now->local_ns);
}

static int say_status(void *ctx, struct json_object *data, struct control_error *err)
{
	char name[UPSTREAM_NAME_LEN];
	struct engine_report r;
	struct ntpkd *d = ctx;
	struct clocks now;

	(void)err;
	clocks_read(&now, d->stepwatch.count);
	engine_get_report(d->engine, &now, &r);
	put_bool(data, "synchronised", r.synchronised);
	put_text(data, "state", state_name(&r));
	put_int(data, "leap", r.leap);
	put_int(data, "stratum", r.stratum);
	put_refid(data, r.refid);
	upstreams_name(&d->upstreams, r.syspeer, name);
	put_text(data, "reference", name[0] ? name : NULL);
	put_clock(data, &r, &now);
	put_int(data, "updates", (int64_t)r.updates);
	put_int(data, "steps", (int64_t)r.steps);
	put_int(data, "survivors", r.survivors);
	put_int(data, "sources", sources_count(d));
	put_bool(data, "clock_control", !d->opt.no_clock);
	put_text(data, "serving", serving_name(d));
	put(data, "module", module_object(d));
	put(data, "responder", responder_object(d));
	return 0;
}

static struct json_object *flags_array(uint32_t flags)
{
	static const struct {
		uint32_t flag;
		const char *word;
	} words[] = {
		{ SOURCE_F_IBURST, "iburst" },
		{ SOURCE_F_PREFER, "prefer" },
		{ SOURCE_F_NOSELECT, "noselect" },
		{ SOURCE_F_TRUST, "trust" },
		{ SOURCE_F_REQUIRE, "require" },
	};
	struct json_object *a = json_object_new_array();

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (flags & words[i].flag)
			json_object_array_add(a, json_object_new_string(words[i].word));
	return a;
}

static void put_measured(struct json_object *o, const struct source_report *r)
{
	bool known = r->last_rx_local_ns != 0;
	const struct {
		const char *key;
		int64_t v;
	} fields[] = {
		{ "offset_ns", r->offset_ns },
		{ "last_offset_ns", r->last_offset_ns },
		{ "delay_ns", r->delay_ns },
		{ "disp_ns", r->disp_ns },
		{ "jitter_ns", r->jitter_ns },
		{ "root_delay_ns", r->root_delay_ns },
		{ "root_disp_ns", r->root_disp_ns },
		{ "root_dist_ns", r->root_dist_ns },
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		put(o, fields[i].key, known ? json_object_new_int64(fields[i].v) : NULL);
}

static struct json_object *source_object(const struct upstream_source *s,
					 const struct source_report *r, int64_t now_ns)
{
	struct json_object *o = json_object_new_object();
	char addr[SOCK_ADDR_TEXT_LEN];

	put_text(o, "name", s->up->conf.name);
	put_text(o, "address", sock_addr_text(&s->addr, addr));
	put_int(o, "port", s->up->conf.port);
	put_text(o, "state", source_state_name(r->state));
	put_text(o, "state_text", source_state_text(r->state));
	put(o, "flags", flags_array(r->flags));
	put_int(o, "stratum", r->stratum);
	put_int(o, "leap", r->leap);
	put_int(o, "poll_log2s", r->poll_log2s);
	put_int(o, "reach", r->reach);
	put_refid(o, r->refid);
	put_age(o, "last_rx_age_ns", r->last_rx_local_ns, now_ns);
	put_measured(o, r);
	put_int(o, "sent_pkts", (int64_t)r->sent_pkts);
	put_int(o, "received_pkts", (int64_t)r->received_pkts);
	put_int(o, "bad_pkts", (int64_t)r->bad_pkts);
	put_text(o, "kod", r->kod[0] ? r->kod : NULL);
	return o;
}

static int say_sources(void *ctx, struct json_object *data, struct control_error *err)
{
	struct json_object *a = json_object_new_array();
	struct source_report r;
	struct ntpkd *d = ctx;
	struct clocks now;

	(void)err;
	clocks_read(&now, d->stepwatch.count);
	for (const struct upstream *up = d->upstreams.head; up; up = up->next)
		for (size_t i = 0; i < ENGINE_MAX_SOURCES; i++) {
			const struct upstream_source *s = &d->upstreams.sources[i];

			if (s->up == up && engine_get_source(d->engine, s->id, &now, &r))
				json_object_array_add(a, source_object(s, &r, now.local_ns));
		}
	put(data, "sources", a);
	return 0;
}

static struct json_object *upstream_object(const struct upstream *up)
{
	struct json_object *o = json_object_new_object();
	struct json_object *addresses = json_object_new_array();
	char text[SOCK_ADDR_TEXT_LEN];
	char line[LINE_LEN];
	int n = 0;

	for (size_t i = 0; i < ENGINE_MAX_SOURCES; i++) {
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

static int say_upstreams(void *ctx, struct json_object *data, struct control_error *err)
{
	struct json_object *a = json_object_new_array();
	struct ntpkd *d = ctx;

	(void)err;
	for (const struct upstream *up = d->upstreams.head; up; up = up->next)
		json_object_array_add(a, upstream_object(up));
	put(data, "upstreams", a);
	return 0;
}

/* The parser's first complaint, with its column, is the answer's text. */
static void keep_first(void *ctx, const char *file, unsigned int line, unsigned int column,
		       const char *text)
{
	struct control_error *err = ctx;

	(void)line;
	if (!err->text[0])
		snprintf(err->text, sizeof(err->text), "%s:%u: %s", file, column, text);
}

static int fail(struct control_error *err, int result, const char *code, const char *name,
		const char *text)
{
	err->code = code;
	snprintf(err->text, sizeof(err->text), "%s: %s", name, text);
	return result;
}

static int add_upstream(void *ctx, const char *line, struct json_object *data,
			struct control_error *err)
{
	const struct conf_diag diag = { .report = keep_first, .ctx = err };
	struct conf_upstream up;
	char text[LINE_LEN];
	struct ntpkd *d = ctx;
	int result;

	err->code = "invalid";
	err->text[0] = '\0';
	if (conf_parse_upstream(&up, line, "upstream add", 1, &diag))
		return -EINVAL;
	up.line = 0;
	result = upstreams_add(&d->upstreams, &up, true);
	if (result == -EEXIST)
		return fail(err, result, "exists", up.name, "is an upstream already");
	if (result == -ENOSPC)
		return fail(err, result, "too-many", up.name,
			    "no room: remove another upstream first");
	if (result)
		return fail(err, result, "internal", up.name, strerror(-result));
	conf_format_upstream(&up, text, sizeof(text));
	log_info("upstream added: %s", text);
	put_text(data, "added", text);
	return 0;
}

static int del_upstream(void *ctx, const char *name, struct json_object *data,
			struct control_error *err)
{
	struct ntpkd *d = ctx;
	unsigned int n = upstreams_del(&d->upstreams, name);

	if (!n)
		return fail(err, -ENOENT, "not-found", name,
			    "no upstream has this name; see ntpkctl upstream list");
	log_info("upstream removed: %s", name);
	put_int(data, "removed", n);
	return 0;
}

const struct control_ops ntpkd_control_ops = {
	.version = say_version,
	.status = say_status,
	.sources = say_sources,
	.upstream_list = say_upstreams,
	.upstream_add = add_upstream,
	.upstream_del = del_upstream,
};
