// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the operator tells the daemon about the clock, the selection and the
 * messages.  Event loop only.
 */
#include "daemon/command.h"

#include <errno.h>
#include "daemon/log.h"
#include "daemon/ntpkd.h"
#include "daemon/status_json.h"

/* Return: NULL when a step can be made, else why not. */
static const char *step_obstacle(const struct ntpkd *d, const struct engine_report *r)
{
	if (d->opt.no_clock)
		return "ntpkd runs with -x and leaves the clock alone";
	if (r->local || !r->synchronised)
		return "not synchronised yet, so the right time is not known; see ntpkctl sources";
	return NULL;
}

int command_makestep(void *ctx, const struct control_value *args, struct json_object *data,
		     struct control_error *err)
{
	struct engine_report before, after;
	struct ntpkd *d = ctx;
	struct clocks now;
	const char *why;

	(void)args;
	ntpkd_report(d, &now, &before);
	why = step_obstacle(d, &before);
	if (why)
		return control_refuse(err, -EPERM, "not-possible", "%s", why);
	ntpkd_simple_event(d, EV_MAKESTEP, ENGINE_NO_SOURCE);
	ntpkd_report(d, &now, &after);
	if (after.steps == before.steps)
		return control_refuse(err, -EBUSY, "not-possible", "the clock was not stepped: "
				      "a step is under way; try again in a second");
	put_int(data, "stepped_ns", before.clock_offset_ns);
	return 0;
}

int command_reselect(void *ctx, const struct control_value *args, struct json_object *data,
		     struct control_error *err)
{
	char name[UPSTREAM_NAME_LEN];
	struct engine_report r;
	struct ntpkd *d = ctx;
	struct clocks now;

	(void)args;
	(void)err;
	ntpkd_simple_event(d, EV_RESELECT, ENGINE_NO_SOURCE);
	ntpkd_report(d, &now, &r);
	upstreams_name(&d->upstreams, r.syspeer, name);
	put_text(data, "reference", name[0] ? name : NULL);
	return 0;
}

int command_log_level(void *ctx, const struct control_value *args, struct json_object *data,
		      struct control_error *err)
{
	int level = log_level_parse(args[0].text);
	const char *was = log_level_name(log_level_get());

	(void)ctx;
	if (level < 0)
		return control_refuse(err, -EINVAL, "invalid", "\"%.64s\" is no level "
				      "(accepted: debug, info, warn, err)", args[0].text);
	log_level_set((enum log_level)level);
	log_info("messages from level %s on, by ntpkctl", args[0].text);
	put_text(data, "level", log_level_name((enum log_level)level));
	put_text(data, "was", was);
	return 0;
}
