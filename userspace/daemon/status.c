// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The daemon as a whole, for the control socket (Documentation/control.md).
 * Event loop only.
 */
#include "daemon/command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <ntpk/ntp_reason.h>
#include "daemon/hwts.h"
#include "daemon/kern.h"
#include "daemon/metrics_text.h"
#include "daemon/net.h"
#include "daemon/ntpkd.h"
#include "daemon/respond.h"
#include "daemon/status.h"
#include "daemon/status_json.h"
#include "daemon/status_module.h"
#include "daemon/turn.h"

int status_version(void *ctx, const struct control_value *args, struct json_object *data,
		   struct control_error *err)
{
	(void)ctx;
	(void)args;
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

static struct json_object *responder_object(const struct ntpkd *d)
{
	struct json_object *o;

	if (!d->respond)
		return NULL;
	o = json_object_new_object();
	for (unsigned int i = 1; i < NTPK_REASON_MAX + 1u; i++)
		if (respond_count(d->respond, i))
			put_int(o, ntp_reason_name(i), (int64_t)respond_count(d->respond, i));
	if (respond_denied(d->respond))
		put_int(o, "denied", (int64_t)respond_denied(d->respond));
	return o;
}

static struct json_object *hwts_list(const struct ntpkd *d, int64_t now_ns)
{
	struct json_object *list = json_object_new_array(), *o;
	struct hwts_report r;
	char clock[32];

	for (size_t i = 0; hwts_get_report(d->hwts, i, now_ns, &r); i++) {
		o = json_object_new_object();
		snprintf(clock, sizeof(clock), "/dev/ptp%d", r.phc);
		put_text(o, "interface", r.name);
		put_text(o, "clock", clock);
		put_bool(o, "rx", r.rx);
		put_int(o, "sent", (int64_t)r.sent);
		put_int_if(o, "sent_later_ns", r.sent_later_ns, r.sent);
		put_int_if(o, "err_ns", r.err_ns, r.known);
		put_real_if(o, "rate_ppb", r.rate_ppb, r.known);
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *loop_object(void)
{
	struct turn_longest longest = turn_longest();
	struct json_object *o = json_object_new_object();

	put_int(o, "longest_turn_ns", longest.wall_ns);
	put_int(o, "longest_turn_cpu_ns", longest.cpu_ns);
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

int status_all(void *ctx, const struct control_value *args, struct json_object *data,
	       struct control_error *err)
{
	char name[UPSTREAM_NAME_LEN];
	struct engine_report r;
	struct ntpkd *d = ctx;
	struct clocks now;

	(void)args;
	(void)err;
	ntpkd_report(d, &now, &r);
	put_bool(data, "synchronised", r.synchronised);
	put_text(data, "state", state_name(&r));
	put_int(data, "leap", r.leap);
	put_int(data, "stratum", r.stratum);
	status_put_refid(d, data, r.refid, r.stratum);
	upstreams_name(&d->upstreams, r.syspeer, name);
	put_text(data, "reference", name[0] ? name : NULL);
	put_clock(data, &r, &now);
	put_int(data, "updates", (int64_t)r.updates);
	put_int(data, "steps", (int64_t)r.steps);
	put_int(data, "survivors", r.survivors);
	put_int(data, "sources", sources_count(d));
	put_text(data, "started_from", coldstart_from_name(d->host.cold.from));
	put_bool(data, "clock_control", !d->opt.no_clock);
	put_text(data, "serving", serving_name(d));
	put_text(data, "serving_reason", d->conf.kernel ? ntpkd_userspace_reason(d) : NULL);
	status_put_module(d, data);
	put(data, "responder", responder_object(d));
	put(data, "hwtimestamp", hwts_list(d, now.local_ns));
	put(data, "loop", loop_object());
	return 0;
}

/* What the system peer's samples say of the rate of our line. */
static void put_residual(struct ntpkd *d, struct json_object *data, uint32_t id,
			 const struct clocks *now)
{
	struct source_report s;
	bool known = engine_get_source(d->engine, id, now, &s) && s.samples > 2;

	put_real_if(data, "residual_ppb", known ? s.freq_ppb : 0, known);
}

int status_tracking(void *ctx, const struct control_value *args, struct json_object *data,
		    struct control_error *err)
{
	char name[UPSTREAM_NAME_LEN];
	struct engine_report r;
	struct ntpkd *d = ctx;
	struct clocks now;

	(void)args;
	(void)err;
	ntpkd_report(d, &now, &r);
	status_put_refid(d, data, r.refid, r.stratum);
	upstreams_name(&d->upstreams, r.syspeer, name);
	put_text(data, "reference", name[0] ? name : NULL);
	put_int(data, "stratum", r.stratum);
	put_int(data, "leap", r.leap);
	put_int_if(data, "ref_unix_ns", r.ref_unix_ns, r.last_update_local_ns != 0);
	put_clock(data, &r, &now);
	put_real_if(data, "rms_offset_ns", tracking_rms_ns(&d->tracking), d->tracking.updates);
	put_residual(d, data, r.syspeer, &now);
	put_int_if(data, "update_interval_ns", d->tracking.interval_ns, d->tracking.interval_ns);
	return 0;
}

static unsigned int unresolved_count(const struct ntpkd *d)
{
	unsigned int n = 0;

	for (const struct upstream *up = d->upstreams.head; up; up = up->next)
		n += !up->sources_len;
	return n;
}

int status_activity(void *ctx, const struct control_value *args, struct json_object *data,
		    struct control_error *err)
{
	unsigned int online = 0, offline = 0, reachable = 0, selected = 0;
	struct source_report r;
	struct ntpkd *d = ctx;
	struct clocks now;

	(void)args;
	(void)err;
	clocks_read(&now, d->stepwatch.count);
	for (size_t i = 0; i < ENGINE_MAX_SOURCES; i++) {
		const struct upstream_source *s = &d->upstreams.sources[i];

		if (!s->up || !engine_get_source(d->engine, s->id, &now, &r))
			continue;
		online += r.state != SRC_OFFLINE;
		offline += r.state == SRC_OFFLINE;
		reachable += r.reach != 0;
		selected += r.state == SRC_SURVIVOR || r.state == SRC_SYSPEER;
	}
	put_int(data, "online", online);
	put_int(data, "offline", offline);
	put_int(data, "reachable", reachable);
	put_int(data, "selected", selected);
	put_int(data, "unresolved", unresolved_count(d));
	return 0;
}

static bool next_metrics(void *ctx, struct json_object **piece)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	bool more = out && metrics_more(ctx, out);

	if (out && !fclose(out))
		*piece = json_object_new_string_len(text, (int)len);
	free(text);
	return more;
}

static void end_metrics(void *ctx)
{
	metrics_end(ctx);
}

int status_metrics(void *ctx, const struct control_value *args, struct json_object *data,
		   struct control_error *err)
{
	struct ntpkd *d = ctx;
	const struct control_stream s = {
		.key = "text", .text = true, .next = next_metrics, .done = end_metrics,
		.ctx = metrics_begin(d),
	};

	(void)args;
	if (!s.ctx)
		return control_refuse(err, -ENOMEM, "internal", "out of memory");
	return control_send(d->control, &s, data);
}
