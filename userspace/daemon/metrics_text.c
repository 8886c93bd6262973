// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The daemon in numbers, in Prometheus' text format.  Event loop only.  Names
 * and meanings are ABI: see Documentation/control.md.
 */
#include "daemon/metrics_text.h"

#include <stdlib.h>
#include <ntpk/ntp_reason.h>
#include "daemon/kern.h"
#include "daemon/metrics_out.h"
#include "daemon/ntpkd.h"
#include "daemon/respond.h"
#include "daemon/turn.h"

#define ROWS_PER_PART	32
#define PPB		1e-9

static void one_ns(FILE *out, const char *name, const char *help, int64_t ns)
{
	metrics_family(out, name, "gauge", help);
	metrics_ns(out, name, NULL, ns);
}

static void one_real(FILE *out, const char *name, const char *help, double v)
{
	metrics_family(out, name, "gauge", help);
	metrics_real(out, name, NULL, v);
}

static void one_count(FILE *out, const char *name, const char *type, const char *help, uint64_t v)
{
	metrics_family(out, name, type, help);
	metrics_count(out, name, NULL, v);
}

static void put_state(FILE *out, const struct engine_report *r)
{
	const struct metrics_label version[] = { { "version", NTPK_VERSION }, { 0 } };

	metrics_family(out, "ntpk_build_info", "gauge", "The daemon's version, value 1.");
	metrics_count(out, "ntpk_build_info", version, 1);
	one_count(out, "ntpk_synchronised", "gauge", "1 when true time is served, from sources "
		  "or in holdover.", r->synchronised && !r->local);
	one_count(out, "ntpk_holdover", "gauge", "1 when served time goes on without a source.",
		  r->synchronised && !r->local && !r->survivors);
	one_count(out, "ntpk_stratum", "gauge", "Our stratum, 0 when unsynchronised.", r->stratum);
	one_count(out, "ntpk_leap_status", "gauge", "0 none, 1 insertion, 2 deletion announced, "
		  "3 unsynchronised.", r->leap);
	one_count(out, "ntpk_survivors", "gauge", "Sources that are combined into our time.",
		  r->survivors);
	one_count(out, "ntpk_updates_total", "counter", "Times that served time has learnt from "
		  "its sources.", r->updates);
	one_count(out, "ntpk_clock_steps_total", "counter", "Steps of the system clock made by "
		  "the daemon.", r->steps);
	one_ns(out, "ntpk_loop_longest_turn_seconds", "Longest time that the daemon was away from "
	       "its sockets since its start.", turn_longest().wall_ns);
}

static void put_clock(FILE *out, const struct ntpkd *d, const struct engine_report *r,
		      const struct clocks *now)
{
	int64_t unix_ns = ntp_line_at(&r->line, now->local_ns);

	one_ns(out, "ntpk_clock_offset_seconds", "Served time minus system clock.",
	       r->clock_offset_ns);
	one_real(out, "ntpk_frequency_offset_ratio", "Rate of UTC against the machine's counter, "
		 "minus 1.", r->freq_ppb * PPB);
	one_real(out, "ntpk_frequency_error_ratio", "Standard deviation of that rate.",
		 r->freq_sd_ppb * PPB);
	if (!r->last_update_local_ns)
		return;
	one_ns(out, "ntpk_last_offset_seconds", "Offset found by the last update, positive when "
	       "the sources were ahead.", r->last_offset_ns);
	if (d->tracking.updates)
		one_real(out, "ntpk_rms_offset_seconds", "Long-term root mean square of these "
			 "offsets.", tracking_rms_ns(&d->tracking) / 1e9);
	one_ns(out, "ntpk_estimated_error_seconds", "Standard deviation of served time.",
	       r->est_error_ns);
	one_ns(out, "ntpk_root_delay_seconds", "Delay to the primary source.", r->root_delay_ns);
	one_ns(out, "ntpk_root_dispersion_seconds", "Dispersion to the primary source, now.",
	       r->root_disp_ns);
	one_ns(out, "ntpk_root_distance_seconds", "Bound of the error of served time.",
	       r->root_delay_ns / 2 + r->root_disp_ns);
	one_ns(out, "ntpk_last_update_timestamp_seconds", "When served time last learnt.",
	       unix_ns - (now->local_ns - r->last_update_local_ns));
}

/* struct row - one source and what is known of it */
struct row {
	char	 addr[SOCK_ADDR_TEXT_LEN];
	char	 name[CONF_NAME_MAX + 1];
	struct source_report r;
	int64_t	 last_rx_unix_ns;
};

enum source_metric {
	M_INFO, M_USED, M_REACH, M_STRATUM, M_POLL, M_OFFSET, M_DELAY, M_JITTER, M_DISTANCE,
	M_LAST, M_SENT, M_RECEIVED, M_BAD, M_LEN
};

static const struct {
	const char *name;
	const char *type;
	const char *help;
} source_families[M_LEN] = {
	[M_INFO] = { "ntpk_source_info", "gauge", "The source's state, as a label; value 1." },
	[M_USED] = { "ntpk_source_selected", "gauge", "1 when it is combined into our time." },
	[M_REACH] = { "ntpk_source_reachable_ratio", "gauge", "Answered part of the last eight "
		      "requests." },
	[M_STRATUM] = { "ntpk_source_stratum", "gauge", "The source's stratum." },
	[M_POLL] = { "ntpk_source_poll_interval_seconds", "gauge", "Interval between requests." },
	[M_OFFSET] = { "ntpk_source_offset_seconds", "gauge", "Positive when the source is ahead "
		       "of served time." },
	[M_DELAY] = { "ntpk_source_delay_seconds", "gauge", "Round-trip delay." },
	[M_JITTER] = { "ntpk_source_jitter_seconds", "gauge", "Jitter of its offsets." },
	[M_DISTANCE] = { "ntpk_source_root_distance_seconds", "gauge", "Bound of the error of "
			 "time from this source." },
	[M_LAST] = { "ntpk_source_last_reply_timestamp_seconds", "gauge", "When its last valid "
		     "reply came." },
	[M_SENT] = { "ntpk_source_sent_packets_total", "counter", "Requests." },
	[M_RECEIVED] = { "ntpk_source_received_packets_total", "counter", "Valid replies." },
	[M_BAD] = { "ntpk_source_refused_packets_total", "counter", "Replies that failed a "
		    "test." },
};

static void put_sample(FILE *out, enum source_metric m, const struct row *row)
{
	const struct metrics_label labels[] = { { "source", row->name }, { "address", row->addr },
						{ m == M_INFO ? "state" : NULL,
						  source_state_name(row->r.state) }, { 0 } };
	const char *name = source_families[m].name;
	const struct source_report *r = &row->r;

	switch (m) {
	case M_INFO:
		return metrics_count(out, name, labels, 1);
	case M_USED:
		return metrics_count(out, name, labels, r->state == SRC_SURVIVOR ||
				     r->state == SRC_SYSPEER);
	case M_REACH:
		return metrics_real(out, name, labels, __builtin_popcount(r->reach) / 8.0);
	case M_POLL:
		return metrics_real(out, name, labels, r->poll_log2s < 0 ?
				    1.0 / (1 << -r->poll_log2s) : 1 << r->poll_log2s);
	case M_SENT:
		return metrics_count(out, name, labels, r->sent_pkts);
	case M_RECEIVED:
		return metrics_count(out, name, labels, r->received_pkts);
	case M_BAD:
		return metrics_count(out, name, labels, r->bad_pkts);
	default:
		break;
	}
	if (!r->last_rx_local_ns)
		return;
	if (m == M_STRATUM)
		return metrics_count(out, name, labels, r->stratum);
	metrics_ns(out, name, labels, m == M_OFFSET ? r->offset_ns : m == M_DELAY ? r->delay_ns :
		   m == M_JITTER ? r->jitter_ns : m == M_DISTANCE ? r->root_dist_ns :
		   row->last_rx_unix_ns);
}

static const char *class_name(unsigned int class)
{
	return class == NTPK_CLASS_ANSWER ? "answer" : class == NTPK_CLASS_PASS ? "pass" : "drop";
}

static void put_responder(FILE *out, const struct ntpkd *d)
{
	static const char name[] = "ntpk_responder_packets_total";

	if (!d->respond)
		return;
	metrics_family(out, name, "counter", "Packets that the daemon itself received on its "
		       "port, by what became of them.");
	for (unsigned int i = 1; i < NTPK_REASON_MAX + 1u; i++) {
		const struct metrics_label labels[] = { { "reason", ntp_reason_name(i) },
			{ "class", class_name(ntp_reason_class(i)) }, { 0 } };

		metrics_count(out, name, labels, respond_count(d->respond, i));
	}
}

static void put_module(FILE *out, struct ntpkd *d)
{
	static const char name[] = "ntpk_module_packets_total";
	struct ntpk_nl_state state;
	struct ntpk_nl_stats stats;

	one_count(out, "ntpk_module_attached", "gauge", "1 when the kernel module answers.",
		  kern_attached(d->kern));
	if (!kern_attached(d->kern))
		return;
	if (!kern_state(d->kern, &state) && state.pushed) {
		one_ns(out, "ntpk_module_state_age_seconds", "Age of the state that the module "
		       "serves.", (int64_t)state.age_ns);
		one_count(out, "ntpk_module_pushes_total", "counter", "States pushed to the "
			  "module.", state.pushes);
	}
	if (kern_stats(d->kern, &stats) < 0 || !stats.n_counters)
		return;
	metrics_family(out, name, "counter", "Packets that the module has seen, by what became of "
		       "them.");
	for (size_t i = 0; i < stats.n_counters; i++) {
		const struct ntpk_nl_counter *c = &stats.counters[i];
		const struct metrics_label labels[] = { { "reason", c->name },
			{ "class", class_name(c->class) }, { 0 } };

		metrics_count(out, name, labels, c->pkts);
	}
}

/*
 * struct metrics_run - a text under way
 * @now: when it began; each source is as of when it was looked at
 * @slot: the source to be looked at next ...
 * @rows: ... and those that were
 * @family: of what is put next ...
 * @row: ... and of which source
 */
struct metrics_run {
	struct ntpkd *d;
	struct clocks now;
	struct engine_report report;
	size_t	 slot;
	size_t	 rows_len;
	unsigned int family;
	size_t	 row;
	struct row rows[ENGINE_MAX_SOURCES];
};

struct metrics_run *metrics_begin(struct ntpkd *d)
{
	/* not calloc(): of most rows no page is ever touched */
	struct metrics_run *m = malloc(sizeof(*m));

	if (!m)
		return NULL;
	m->d = d;
	m->slot = m->rows_len = m->row = 0;
	m->family = 0;
	ntpkd_report(d, &m->now, &m->report);
	return m;
}

void metrics_end(struct metrics_run *m)
{
	free(m);
}

/* Looks at some sources.  Names are copied: an upstream may go meanwhile. */
static void collect(struct metrics_run *m)
{
	struct ntpkd *d = m->d;

	for (int n = 0; n < ROWS_PER_PART && m->slot < ENGINE_MAX_SOURCES; m->slot++) {
		const struct upstream_source *s = &d->upstreams.sources[m->slot];
		struct row *row = &m->rows[m->rows_len];

		if (!s->up || !engine_get_source(d->engine, s->id, &m->now, &row->r))
			continue;
		sock_addr_text(&s->addr, row->addr);
		snprintf(row->name, sizeof(row->name), "%s", s->up->conf.name);
		row->last_rx_unix_ns = ntp_line_at(&m->report.line, row->r.last_rx_local_ns);
		m->rows_len++;
		n++;
	}
}

/* Some samples of one family of metrics. */
static void put_samples(struct metrics_run *m, FILE *out)
{
	if (!m->family && !m->row)
		one_count(out, "ntpk_sources", "gauge", "Sources that are configured and have an "
			  "address.", m->rows_len);
	if (!m->rows_len) {
		m->family = M_LEN;
		return;
	}
	if (!m->row)
		metrics_family(out, source_families[m->family].name,
			       source_families[m->family].type, source_families[m->family].help);
	for (int n = 0; n < ROWS_PER_PART && m->row < m->rows_len; n++)
		put_sample(out, (enum source_metric)m->family, &m->rows[m->row++]);
	if (m->row < m->rows_len)
		return;
	m->row = 0;
	m->family++;
}

bool metrics_more(struct metrics_run *m, FILE *out)
{
	if (!m->slot) {
		put_state(out, &m->report);
		put_clock(out, m->d, &m->report, &m->now);
	}
	if (m->slot < ENGINE_MAX_SOURCES) {
		collect(m);
		return true;
	}
	if (m->family < M_LEN) {
		put_samples(m, out);
		return true;
	}
	put_responder(out, m->d);
	put_module(out, m->d);
	return false;
}
