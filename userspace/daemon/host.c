// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ntpkd as a guest of its host: the work that goes on.  host_start.c has what
 * comes before it.
 */
#include "daemon/ntpkd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "daemon/drift.h"
#include "daemon/host.h"
#include "daemon/log.h"
#include "daemon/replace.h"
#include "daemon/saved.h"
#include "daemon/saver.h"
#include "daemon/signals.h"

#define SAVE_INTERVAL_NS	(3600 * NTP_NS_PER_S)
#define METRICS_BEATS		15

static void get_report(struct ntpkd *d, struct engine_report *r, struct clocks *now)
{
	clocks_read(now, d->stepwatch.count);
	engine_get_report(d->engine, now, r);
}

static void on_drift(void *ctx, int err)
{
	struct ntpkd *d = ctx;

	replace_say(&d->host.drift_err, err, "driftfile", d->conf.driftfile);
}

void host_save_drift(struct ntpkd *d, double freq_ppb, double sd_ppb)
{
	if (d->conf.driftfile[0])
		drift_write(d->saver, d->conf.driftfile, freq_ppb, sd_ppb, on_drift, d);
}

static void on_saved(void *ctx, int err)
{
	struct ntpkd *d = ctx;

	replace_say(&d->host.saved_err, err, "saved time in", d->conf.savedir);
}

/* What is saved has certainly passed: the root distance is taken off. */
static void save_time(struct ntpkd *d, const struct engine_report *r, const struct clocks *now)
{
	int64_t unix_ns = now->real_ns + r->clock_offset_ns - r->root_delay_ns / 2 - r->root_disp_ns;

	if (d->bare || !d->conf.savedir[0] || unix_ns < d->engine_conf.floor_unix_ns)
		return;
	saved_write(d->saver, d->conf.savedir, unix_ns, on_saved, d);
	d->host.saved_local_ns = now->local_ns;
}

static void tell_manager(struct ntpkd *d, const struct engine_report *r)
{
	char name[UPSTREAM_NAME_LEN];

	upstreams_name(&d->upstreams, r->syspeer, name);
	if (r->local)
		notify_status(&d->host.notify, "own time, stratum %u", r->stratum);
	else if (r->synchronised)
		notify_status(&d->host.notify, "synchronised to %s, stratum %u", name, r->stratum);
	else
		notify_status(&d->host.notify, "not synchronised%s", r->updates ? "" :
			      d->host.cold.from == COLDSTART_CLOCK ? ": no source has answered" :
			      ": the clock is a guess, no source has answered");
}

void host_open_logs(struct ntpkd *d)
{
	logs_close(&d->host.logs);
	logs_open(&d->host.logs, d->conf.logdir, d->bare ? 0 : d->conf.log, d->conf.logbanner);
}

void host_beat(struct ntpkd *d)
{
	struct host *h = &d->host;
	struct engine_report r;
	struct clocks now;

	if (signals_reopen()) {
		log_info("SIGUSR1: log files are opened anew");
		logs_reopen(&h->logs);
	}
	get_report(d, &r, &now);
	if (r.synchronised && !r.local &&
	    (!h->saved_local_ns || now.local_ns - h->saved_local_ns >= SAVE_INTERVAL_NS))
		save_time(d, &r, &now);
	if (!d->bare && d->conf.metricsfile[0] && d->beats % METRICS_BEATS == 1)
		metrics_file_due(d);
	tell_manager(d, &r);
	notify_alive(&h->notify, now.local_ns);
}

static const char *source_address(struct ntpkd *d, uint32_t id, char buf[SOCK_ADDR_TEXT_LEN])
{
	const struct upstream_source *s = upstreams_source(&d->upstreams, id);

	return s ? sock_addr_text(&s->addr, buf) : NULL;
}

void host_sample(struct ntpkd *d, uint32_t source, const struct sample_report *s)
{
	char address[SOCK_ADDR_TEXT_LEN], line[LOGS_LINE_MAX];

	if (!logs_wants(&d->host.logs, LOGS_MEASUREMENTS) || !source_address(d, source, address))
		return;
	logs_line_measurement(line, address, s);
	logs_write(&d->host.logs, LOGS_MEASUREMENTS, line);
}

/* One line for each source that has answered since the last update. */
static void log_statistics(struct ntpkd *d, const struct clocks *now, int64_t unix_ns)
{
	struct logs *logs = &d->host.logs;
	char address[SOCK_ADDR_TEXT_LEN], line[LOGS_LINE_MAX];
	struct source_report r;

	if (!logs_wants(logs, LOGS_STATISTICS))
		return;
	for (size_t i = 0; i < ENGINE_MAX_SOURCES; i++) {
		const struct upstream_source *s = &d->upstreams.sources[i];

		if (!s->up || !engine_get_source(d->engine, s->id, now, &r) ||
		    r.last_rx_local_ns == logs->last_rx_local_ns[i])
			continue;
		logs->last_rx_local_ns[i] = r.last_rx_local_ns;
		logs_line_statistics(line, sock_addr_text(&s->addr, address), &r, unix_ns);
		logs_write(logs, LOGS_STATISTICS, line);
	}
}

void host_update(struct ntpkd *d)
{
	char address[SOCK_ADDR_TEXT_LEN], line[LOGS_LINE_MAX], text[LOG_NS_LEN];
	struct engine_report r;
	struct clocks now;
	int64_t unix_ns;

	get_report(d, &r, &now);
	unix_ns = now.real_ns + r.clock_offset_ns;
	log_statistics(d, &now, unix_ns);
	logs_line_tracking(line, source_address(d, r.syspeer, address), &r, unix_ns);
	logs_write(&d->host.logs, LOGS_TRACKING, line);
	if (d->conf.logchange_ns > 0 && llabs(r.last_offset_ns) > d->conf.logchange_ns)
		log_warn("the time was off by %s", log_format_ns(text, r.last_offset_ns));
}

void host_stop(struct ntpkd *d)
{
	struct engine_report r;
	struct clocks now;

	notify_send(&d->host.notify, "STOPPING=1");
	get_report(d, &r, &now);
	if (r.updates)
		host_save_drift(d, r.freq_ppb, r.freq_sd_ppb);
	if (r.synchronised && !r.local)
		save_time(d, &r, &now);
}
