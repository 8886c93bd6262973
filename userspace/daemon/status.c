// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The daemon as a whole, for the control socket (Documentation/control.md).
 * Event loop only.
 */
#include "daemon/command.h"

#include <ntpk/ntp_reason.h>
#include "daemon/kern.h"
#include "daemon/ntpkd.h"
#include "daemon/respond.h"
#include "daemon/status_json.h"

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

int status_all(void *ctx, const struct control_value *args, struct json_object *data,
	       struct control_error *err)
{
	char name[UPSTREAM_NAME_LEN];
	struct engine_report r;
	struct ntpkd *d = ctx;
	struct clocks now;

	(void)args;
	(void)err;
	clocks_read(&now, d->stepwatch.count);
	engine_get_report(d->engine, &now, &r);
	put_bool(data, "synchronised", r.synchronised);
	put_text(data, "state", state_name(&r));
	put_int(data, "leap", r.leap);
	put_int(data, "stratum", r.stratum);
	put_refid(data, "refid", r.refid);
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
