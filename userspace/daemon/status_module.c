// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The module and the last time that it was replaced, see status_module.h.
 */
#include "daemon/status_module.h"

#include <ntpk/ntp_reason.h>
#include "daemon/clocks.h"
#include "daemon/kern.h"
#include "daemon/kern_gap.h"
#include "daemon/ntpkd.h"
#include "daemon/status_json.h"

static void put_build(struct json_object *o, const struct kern_build *build)
{
	put_text(o, "version", build->version[0] ? build->version : NULL);
	put_text(o, "srcversion", build->srcversion[0] ? build->srcversion : NULL);
}

static struct json_object *module_object(struct ntpkd *d)
{
	const struct kern_build *build = kern_build(d->kern);
	struct ntpk_nl_state state;
	struct json_object *o;
	int err;

	if (!build)
		return NULL;
	err = kern_state(d->kern, &state);
	o = json_object_new_object();
	put_build(o, build);
	put_text(o, "status", err ? NULL : ntp_status_name(state.status));
	put(o, "age_ns", err || !state.pushed ? NULL :
	    json_object_new_int64((int64_t)state.age_ns));
	put(o, "pushes", err ? NULL : json_object_new_int64((int64_t)state.pushes));
	put_text(o, "error", kern_error(d->kern));
	return o;
}

static struct json_object *gap_object(struct ntpkd *d)
{
	const struct kern_build *build = kern_build(d->kern);
	struct json_object *o, *was;
	struct kern_gap gap;

	if (!kern_gap(d->kern, &gap))
		return NULL;
	o = json_object_new_object();
	put_int(o, "count", (int64_t)gap.count);
	put_bool(o, "over", gap.over);
	put_bool(o, "same_build", build && kern_build_same(build, &gap.was));
	put_int(o, "began_age_ns", clocks_boot_ns() - gap.began_ns);
	put_int(o, "length_ns", gap.length_ns);
	put_int(o, "answered", (int64_t)gap.answered);
	put_text(o, "error", gap.over ? NULL : kern_error(d->kern));
	was = json_object_new_object();
	put_build(was, &gap.was);
	put(o, "was", was);
	return o;
}

void status_put_module(struct ntpkd *d, struct json_object *data)
{
	put(data, "module", module_object(d));
	put(data, "module_gap", gap_object(d));
}
