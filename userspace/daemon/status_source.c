// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The sources, for the control socket (Documentation/control.md).  Event loop
 * only.
 */
#include "daemon/command.h"

#include <errno.h>
#include <stdlib.h>
#include "daemon/conf_word.h"
#include "daemon/ntpkd.h"
#include "daemon/status.h"
#include "daemon/status_json.h"

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
		{ SOURCE_F_BURST, "burst" },
		{ SOURCE_F_XLEAVE, "xleave" },
		{ SOURCE_F_OFFLINE, "offline" },
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

void status_put_kod(struct json_object *o, const struct source_report *r)
{
	put_text(o, "kod", r->kod[0] ? r->kod : NULL);
	put_text(o, "kod_text", source_kod_text(r->kod));
}

/* What every list of sources begins a source with. */
static struct json_object *source_head(const struct upstream_source *s,
				       const struct source_report *r)
{
	struct json_object *o = json_object_new_object();
	char addr[SOCK_ADDR_TEXT_LEN];

	put_text(o, "name", s->up->conf.name);
	put_text(o, "address", sock_addr_text(&s->addr, addr));
	put_int(o, "port", s->up->conf.port);
	put_text(o, "state", source_state_name(r->state));
	put_text(o, "state_text", r->state == SRC_OFFLINE && s->no_route ?
		 "not asked: there is no route to it" : source_state_text(r));
	return o;
}

static struct json_object *source_object(struct ntpkd *d, const struct upstream_source *s,
					 const struct source_report *r, int64_t now_ns)
{
	struct json_object *o = source_head(s, r);

	put(o, "flags", flags_array(r->flags));
	put_int(o, "stratum", r->stratum);
	put_int(o, "leap", r->leap);
	put_int(o, "poll_log2s", r->poll_log2s);
	put_int(o, "reach", r->reach);
	status_put_refid(d, o, r->refid, r->stratum);
	put_age(o, "last_rx_age_ns", r->last_rx_local_ns, now_ns);
	put_measured(o, r);
	put_int(o, "sent_pkts", (int64_t)r->sent_pkts);
	put_int(o, "received_pkts", (int64_t)r->received_pkts);
	put_int(o, "bad_pkts", (int64_t)r->bad_pkts);
	status_put_kod(o, r);
	return o;
}

static struct json_object *stats_object(struct ntpkd *d, const struct upstream_source *s,
					const struct source_report *r, int64_t now_ns)
{
	struct json_object *o = source_head(s, r);
	bool known = r->samples > 0, line = r->samples > 2;

	(void)d;
	(void)now_ns;
	put_int(o, "samples", r->samples);
	put_int_if(o, "span_ns", r->span_ns, known);
	put_real_if(o, "frequency_ppb", r->freq_ppb, line);
	put_real_if(o, "skew_ppb", r->freq_sd_ppb, line);
	put_int_if(o, "offset_ns", r->offset_ns, known);
	put_real_if(o, "sd_ns", r->sd_ns, known);
	return o;
}

static struct json_object *select_object(struct ntpkd *d, const struct upstream_source *s,
					 const struct source_report *r, int64_t now_ns)
{
	struct json_object *o = source_head(s, r);
	bool known = r->last_rx_local_ns != 0;

	(void)d;
	put(o, "flags", flags_array(r->flags));
	put_int(o, "reach", r->reach);
	put_age(o, "last_rx_age_ns", r->last_rx_local_ns, now_ns);
	put_int(o, "leap", r->leap);
	put_int_if(o, "root_dist_ns", r->root_dist_ns, known);
	put_int_if(o, "low_ns", r->offset_ns - r->root_dist_ns, known);
	put_int_if(o, "high_ns", r->offset_ns + r->root_dist_ns, known);
	status_put_kod(o, r);
	return o;
}

/* By the upstream's name or the source's address; NULL means all. */
static bool is_named(const struct upstream_source *s, const char *name)
{
	char addr[SOCK_ADDR_TEXT_LEN];

	return !name || conf_host_same(s->up->conf.name, name) ||
	       conf_host_same(sock_addr_text(&s->addr, addr), name);
}

/*
 * struct walk - through the sources, in the order of configuration
 * @name: of those that are meant, NULL = all
 * @tag: of the upstream that is next: between two turns any of them may go
 * @slot: of its source that is next
 */
struct walk {
	struct ntpkd *d;
	status_source_fn *make;
	const char *name;
	uint32_t tag;
	unsigned int slot;
};

/* The next of an upstream's sources, or NULL. */
static struct json_object *next_of(struct walk *w, const struct upstream *up)
{
	struct source_report r;
	struct clocks now;

	for (; up->sources_len && w->slot < ENGINE_MAX_SOURCES; w->slot++) {
		const struct upstream_source *s = &w->d->upstreams.sources[w->slot];

		if (s->up != up || !is_named(s, w->name))
			continue;
		clocks_read(&now, w->d->stepwatch.count);
		if (!engine_get_source(w->d->engine, s->id, &now, &r))
			continue;
		w->slot++;
		return w->make(w->d, s, &r, now.local_ns);
	}
	return NULL;
}

static bool next_source(void *ctx, struct json_object **piece)
{
	struct walk *w = ctx;
	const struct upstream *up = upstreams_from(&w->d->upstreams, w->tag);

	if (!up)
		return false;
	if (up->tag != w->tag)
		w->slot = 0;
	w->tag = up->tag;
	*piece = next_of(w, up);
	if (!*piece) {
		w->tag++;
		w->slot = 0;
	}
	return true;
}

static int list_all(struct ntpkd *d, struct json_object *data, status_source_fn *make)
{
	struct walk *w = calloc(1, sizeof(*w));
	const struct control_stream s = {
		.key = "sources", .next = next_source, .done = free, .ctx = w,
	};

	if (!w)
		return -ENOMEM;
	w->d = d;
	w->make = make;
	return control_send(d->control, &s, data);
}

int status_sources(void *ctx, const struct control_value *args, struct json_object *data,
		   struct control_error *err)
{
	(void)args;
	(void)err;
	return list_all(ctx, data, source_object);
}

int status_sourcestats(void *ctx, const struct control_value *args, struct json_object *data,
		       struct control_error *err)
{
	(void)args;
	(void)err;
	return list_all(ctx, data, stats_object);
}

int status_selectdata(void *ctx, const struct control_value *args, struct json_object *data,
		      struct control_error *err)
{
	(void)args;
	(void)err;
	return list_all(ctx, data, select_object);
}

/* Those of one name are few, and whether there is one is part of the answer. */
static size_t list_named(struct ntpkd *d, const char *name, struct json_object *data)
{
	struct walk w = { .d = d, .make = status_ntpdata_object, .name = name };
	struct json_object *a = json_object_new_array(), *o;
	const struct upstream *up;

	for (up = d->upstreams.head; up; up = up->next)
		for (w.slot = 0; (o = next_of(&w, up)); )
			json_object_array_add(a, o);
	put(data, "sources", a);
	return json_object_array_length(a);
}

int status_ntpdata(void *ctx, const struct control_value *args, struct json_object *data,
		   struct control_error *err)
{
	const char *name = args[0].text;

	if (!name)
		return list_all(ctx, data, status_ntpdata_object);
	if (list_named(ctx, name, data))
		return 0;
	return control_refuse(err, -ENOENT, "not-found", "%s: no source has this name or address; "
			      "see ntpkctl sources", name);
}
