// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The configuration read anew: into a struct of its own first, so that an error
 * changes nothing; then what differs is carried out.  Event loop only.
 */
#include "daemon/reload.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "daemon/log.h"
#include "daemon/net.h"
#include "daemon/ntpkd.h"
#include "daemon/runtime.h"
#include "daemon/saver.h"
#include "daemon/signals.h"

static void report(void *ctx, const char *file, unsigned int line, unsigned int column,
		   const char *text)
{
	struct reload_report *r = ctx;
	char place[64] = "";

	if (line)
		snprintf(place, sizeof(place), ":%u:%u", line, column);
	log_err("%s%s: %s", file, place, text);
	if (!r->error[0])
		snprintf(r->error, sizeof(r->error), "%.200s%s: %.350s", file, place, text);
}

/* What --save has just kept may be on its way to a slow disk still. */
static void see_saved(struct ntpkd *d, struct conf *conf)
{
	char path[CONF_PATH_MAX + sizeof("/runtime.conf")];

	conf->runtime_text = saver_pending(d->saver, conf_runtime_path(&d->conf, path, sizeof(path)),
					   &conf->runtime_len);
}

static int load(struct ntpkd *d, enum reload_what what, struct conf *fresh,
		struct reload_report *r)
{
	const struct conf_diag diag = { .report = report, .ctx = r };
	int err;

	if (what == RELOAD_SOURCES) {
		see_saved(d, &d->conf);
		err = conf_load_sources(fresh, &d->conf, &diag);
		d->conf.runtime_text = NULL;
		return err;
	}
	conf_init(fresh);
	fresh->runtime_uid = d->conf.runtime_uid;
	see_saved(d, fresh);
	return conf_load(fresh, d->opt.file, &diag);
}

static void list(char *buf, size_t len, const char *name)
{
	size_t n = strlen(buf);

	snprintf(buf + n, len - n, "%s%s", n ? ", " : "", name);
}

/* Does this reload decide about that upstream? */
static bool concerns(const struct conf_upstream *up, enum reload_what what)
{
	return what == RELOAD_ALL || up->drop_in;
}

/* The old ones go first: they may hold the slots, and the addresses. */
static void remove_upstreams(struct ntpkd *d, const struct conf *fresh, enum reload_what what,
			     struct reload_report *r)
{
	struct upstream *up = d->upstreams.head;

	while (up) {
		const struct conf_upstream *now = conf_upstream_find(fresh, up->conf.name);
		struct upstream *next = up->next;
		char name[CONF_NAME_MAX + 1];

		if (now && concerns(now, what) && conf_upstream_equal(now, &up->conf)) {
			up->conf = *now;
			up->runtime = false;
		} else if (now ? concerns(now, what) : !up->runtime && concerns(&up->conf, what)) {
			r->changed += !!now;
			r->removed += !now;
			snprintf(name, sizeof(name), "%s", up->conf.name);
			upstreams_del_one(&d->upstreams, up);
			if (!now)
				log_info("upstream removed: %s", name);
		}
		up = next;
	}
}

static bool is_running(const struct ntpkd *d, const struct conf_upstream *conf)
{
	const struct upstream *up;

	for (up = d->upstreams.head; up; up = up->next)
		if (conf_upstream_equal(&up->conf, conf))
			return true;
	return false;
}

/* What is still to be started is dropped where this reload says it again. */
static void drop_starting(struct ntpkd *d, enum reload_what what)
{
	size_t from, to = d->started;

	for (from = d->started; from < d->starting_len; from++)
		if (!concerns(&d->starting[from], what))
			d->starting[to++] = d->starting[from];
	d->starting_len = to;
}

static int add_upstreams(struct ntpkd *d, const struct conf *fresh, enum reload_what what,
			 struct reload_report *r)
{
	struct conf_upstream *add = malloc(fresh->upstreams_len * sizeof(*add) + 1);
	char line[CONF_NAME_MAX + 256];
	size_t i;
	int err;

	if (!add)
		return -ENOMEM;
	for (i = 0; i < fresh->upstreams_len; i++) {
		const struct conf_upstream *conf = &fresh->upstreams[i];

		if (!concerns(conf, what) || is_running(d, conf))
			continue;
		add[r->added++] = *conf;
		conf_format_upstream(conf, line, sizeof(line));
		log_info("upstream added: %s", line);
	}
	err = ntpkd_start_upstreams(d, add, r->added);
	free(add);
	/* what changed was taken away and added */
	r->added -= r->added < r->changed ? r->added : r->changed;
	return err;
}

/* The configuration says so now, and it is not so. */
static void not_applied(struct reload_report *r, const char *text)
{
	log_err("%s", text);
	if (!r->error[0])
		snprintf(r->error, sizeof(r->error), "%s", text);
}

static void apply_engine(struct ntpkd *d, struct reload_report *r)
{
	(void)r;
	ntpkd_engine_policy(&d->conf, &d->engine_conf);
	engine_reconfigure(d->engine, &d->engine_conf);
}

static void apply_keys(struct ntpkd *d, struct reload_report *r)
{
	if (ntpkd_load_keys(d, NULL))
		not_applied(r, "the keys from before stay in use");
}

static void apply_leap(struct ntpkd *d, struct reload_report *r)
{
	(void)r;
	memset(&d->leapwatch, 0, sizeof(d->leapwatch));
	/* to be told again, also that there is no list any more */
	d->leap_told_local_ns = 1;
	d->leap_told = UINT8_MAX;
	ntpkd_check_leap(d);
}

static void apply_logs(struct ntpkd *d, struct reload_report *r)
{
	(void)r;
	host_open_logs(d);
}

static void apply_listeners(struct ntpkd *d, struct reload_report *r)
{
	char why[NTPKD_WHY_LEN];

	if (ntpkd_access_apply(d)) {
		not_applied(r, "places, allow and deny are as before: out of memory");
		return;
	}
	ntpkd_listeners_apply(d, why);
	if (why[0] && !r->error[0])
		snprintf(r->error, sizeof(r->error), "%s", why);
}

/* By enum conf_change; who may ask comes into force with the listeners, in one push. */
static void (*const appliers[])(struct ntpkd *d, struct reload_report *r) = {
	[CONF_CHANGE_ENGINE] = apply_engine,
	[CONF_CHANGE_LOGS] = apply_logs,
	[CONF_CHANGE_RESTART] = NULL,
	[CONF_CHANGE_KEYS] = apply_keys,
	[CONF_CHANGE_LEAP] = apply_leap,
	[CONF_CHANGE_LISTENERS] = apply_listeners,
};

static bool needs_restart(enum conf_change change)
{
	return change == CONF_CHANGE_RESTART;
}

/* What decides about places, their smear and who may ask there: each must go with the others. */
static bool is_of_places(enum conf_change change)
{
	return change == CONF_CHANGE_LISTENERS || change == CONF_CHANGE_LEAP ||
	       change == CONF_CHANGE_ACL;
}

/* Where places only go with a port that waits for a restart, they wait, too. */
static bool places_wait(struct ntpkd *d, struct conf *fresh,
			const struct conf_difference *diff, size_t n, struct reload_report *r)
{
	const struct conf_diag diag = { .report = report, .ctx = r };
	bool kept = false;
	size_t i;

	for (i = 0; i < n; i++) {
		if (!needs_restart(diff[i].change))
			continue;
		conf_keep(fresh, &d->conf, diff[i].name);
		kept = true;
	}
	if (!kept || conf_check(fresh, &diag) == 0)
		return false;
	for (i = 0; i < n; i++) {
		if (diff[i].change == CONF_CHANGE_ACL)
			conf_take(fresh, &d->conf, diff[i].name);
		else if (is_of_places(diff[i].change))
			conf_keep(fresh, &d->conf, diff[i].name);
	}
	return true;
}

/* The values come into force; those that cannot stay as they were, to be named again. */
static void apply_settings(struct ntpkd *d, struct conf *fresh, bool rekey,
			   struct reload_report *r)
{
	struct conf_difference diff[CONF_DIFFERENCES_MAX];
	bool due[sizeof(appliers) / sizeof(appliers[0])] = { false };
	size_t i, n = conf_diff(&d->conf, fresh, diff);
	bool places = places_wait(d, fresh, diff, n, r);

	for (i = 0; i < n; i++) {
		bool wait = needs_restart(diff[i].change) ||
			    (places && is_of_places(diff[i].change));

		due[diff[i].change] |= !wait;
		list(wait ? r->restart : r->settings, sizeof(r->settings), diff[i].name);
	}
	conf_clean(&d->conf);
	d->conf = *fresh;
	due[CONF_CHANGE_LISTENERS] |= due[CONF_CHANGE_ACL];
	/* a key may be revoked without a change of the configuration */
	due[CONF_CHANGE_KEYS] |= rekey;
	for (i = 0; i < sizeof(due) / sizeof(due[0]); i++)
		if (due[i] && appliers[i])
			appliers[i](d, r);
}

static void say(const struct reload_report *r, enum reload_what what)
{
	log_info("%s read anew: %u upstreams added, %u removed, %u changed",
		 what == RELOAD_ALL ? "configuration" : "sources", r->added, r->removed, r->changed);
	if (r->settings[0])
		log_info("changed: %s", r->settings);
	if (r->restart[0])
		log_warn("changed in the file, at work after a restart only: %s", r->restart);
}

int ntpkd_reload(struct ntpkd *d, enum reload_what what, struct reload_report *r)
{
	struct conf *fresh = malloc(sizeof(*fresh));
	int err;

	memset(r, 0, sizeof(*r));
	if (!fresh)
		return -ENOMEM;
	err = load(d, what, fresh, r);
	if (err) {
		conf_clean(fresh);
		free(fresh);
		log_err("nothing was changed: the configuration has errors");
		return err;
	}
	r->skipped = fresh->skipped;
	drop_starting(d, what);
	remove_upstreams(d, fresh, what, r);
	if (add_upstreams(d, fresh, what, r))
		log_err_no(ENOMEM, "upstreams are missing");
	if (what == RELOAD_ALL) {
		apply_settings(d, fresh, true, r);
	} else {
		struct conf_upstream *old = d->conf.upstreams;

		d->conf.upstreams = fresh->upstreams;
		d->conf.upstreams_len = fresh->upstreams_len;
		fresh->upstreams = old;
		conf_clean(fresh);
	}
	free(fresh);
	say(r, what);
	return 0;
}

int ntpkd_set(struct ntpkd *d, const char *line, const struct conf_diag *diag,
	      struct reload_report *r)
{
	struct conf *fresh = malloc(sizeof(*fresh));
	int err;

	memset(r, 0, sizeof(*r));
	if (!fresh)
		return -ENOMEM;
	err = conf_copy(fresh, &d->conf);
	if (!err)
		err = runtime_parse(fresh, line, "set", diag);
	if (!err && conf_listen_needs_keys(fresh) && !conf_listen_needs_keys(&d->conf)) {
		diag->report(diag->ctx, "set", 1, 1, "requirekey needs a `keyfile PATH` in the "
			     "configuration file: nobody would be answered");
		err = -EINVAL;
	}
	if (err) {
		conf_clean(fresh);
	} else {
		log_info("set: %s", line);
		apply_settings(d, fresh, false, r);
	}
	free(fresh);
	return err;
}

static int take_back(struct ntpkd *d, const char *name, struct conf *file, struct conf *fresh,
		     struct reload_report *r)
{
	const struct conf_diag diag = { .report = report, .ctx = r };
	int err;

	conf_init(file);
	file->runtime_uid = d->conf.runtime_uid;
	see_saved(d, file);
	err = conf_load(file, d->opt.file, &diag);
	if (err)
		return err;
	r->error[0] = '\0';
	err = conf_copy(fresh, &d->conf);
	if (!err) {
		conf_take(fresh, file, name);
		err = conf_check(fresh, &diag);
	}
	if (err)
		conf_clean(fresh);
	return err;
}

int ntpkd_unset(struct ntpkd *d, const char *name, struct reload_report *r)
{
	struct conf *conf = calloc(2, sizeof(*conf));
	int err;

	memset(r, 0, sizeof(*r));
	if (!conf)
		return -ENOMEM;
	err = take_back(d, name, &conf[0], &conf[1], r);
	conf_clean(&conf[0]);
	if (!err) {
		log_info("unset: %s", name);
		apply_settings(d, &conf[1], false, r);
	}
	free(conf);
	return err;
}

void reload_on_signal(struct ntpkd *d)
{
	struct reload_report r;

	if (!signals_reload())
		return;
	notify_reloading(&d->host.notify);
	ntpkd_reload(d, RELOAD_ALL, &r);
	notify_send(&d->host.notify, "READY=1");
}
