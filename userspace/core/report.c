// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the engine believes, for people and programs.  Pure, no locking.
 */
#include "engine_priv.h"

#include <string.h>

/* Arrays, not pointers: these need no relocation and so stay read-only. */
static const struct {
	char name[16];
	char text[64];
} states[SRC_STATES] = {
	[SRC_NEW] = { "new", "too few replies yet" },
	[SRC_OFFLINE] = { "offline", "not asked: offline" },
	[SRC_UNREACHABLE] = { "unreachable", "no reply to the last eight requests" },
	[SRC_UNSYNC] = { "unsync", "says that it is not synchronised" },
	[SRC_BAD_STRATUM] = { "bad-stratum", "its stratum is too high" },
	[SRC_LOOP] = { "loop", "is synchronised to us" },
	[SRC_DISTANT] = { "distant", "its root distance is above the limit" },
	[SRC_JITTERY] = { "jittery", "its jitter is above the limit" },
	[SRC_ORPHAN] = { "orphan", "serves its own time, as we would at this local stratum" },
	[SRC_NOSELECT] = { "noselect", "watched only, by configuration" },
	[SRC_FALSETICKER] = { "falseticker", "disagrees with the majority" },
	[SRC_NO_MAJORITY] = { "no-majority", "good by itself, but no majority agrees" },
	[SRC_OUTLIER] = { "outlier", "agrees, but others are better or preferred" },
	[SRC_SURVIVOR] = { "survivor", "combined into our time" },
	[SRC_SYSPEER] = { "syspeer", "combined into our time, and our reference" },
};

/* RFC 5905, figure 13: those that say what is to be done, or why there is no time. */
static const struct {
	char kod[5];
	char text[48];
} kisses[] = {
	{ "DENY", "it does not serve us" },
	{ "INIT", "it is not synchronised for the first time yet" },
	{ "RATE", "it wants to be asked less often" },
	{ "RSTR", "its access list does not let us in" },
	{ "STEP", "its clock has just been stepped" },
};

const char *source_state_name(enum source_state state)
{
	return (unsigned int)state < SRC_STATES ? states[state].name : "unknown";
}

const char *source_state_text(const struct source_report *r)
{
	if (r->state == SRC_OFFLINE && r->denied)
		return "not asked: the server told us to go away";
	return (unsigned int)r->state < SRC_STATES ? states[r->state].text : "";
}

const char *source_kod_text(const char *kod)
{
	size_t i;

	for (i = 0; i < sizeof(kisses) / sizeof(kisses[0]); i++)
		if (!memcmp(kisses[i].kod, kod, sizeof(kisses[i].kod) - 1))
			return kisses[i].text;
	return NULL;
}

uint8_t engine_leap_near(const struct engine *e, int64_t unix_ns, int64_t *at_unix_ns,
			 bool *after)
{
	return leap_near(&e->leap, unix_ns, at_unix_ns, after);
}

void engine_get_report(const struct engine *e, const struct clocks *now,
		       struct engine_report *out)
{
	static const struct engine_report zero;
	struct ntp_serve serve;

	*out = zero;
	engine_serve(e, now, &serve);
	out->synchronised = serve.stratum != 0;
	out->local = e->local;
	out->leap = serve.leap;
	out->stratum = serve.stratum;
	out->refid = serve.refid;
	out->syspeer = e->sel.syspeer;
	out->survivors = e->sel.survivors;
	out->line = serve.line;
	out->ref_unix_ns = serve.ref_unix_ns;
	out->clock_offset_ns = serve.line.base_unix_ns - now->real_ns;
	out->last_offset_ns = e->ref.offset_ns;
	out->freq_ppb = e->est.freq_ppb;
	out->freq_sd_ppb = est_freq_sd_ppb(&e->est, now->local_ns);
	out->est_error_ns = (int64_t)est_error_ns(&e->est, now->local_ns);
	out->root_delay_ns = (int64_t)serve.root_delay_ns;
	out->root_disp_ns = (int64_t)serve.root_disp_ns;
	out->last_update_local_ns = e->ref.local_ns;
	out->updates = e->updates;
	out->steps = e->disc.steps;
}

static void report_protocol(const struct assoc *a, struct source_report *out)
{
	out->id = a->id;
	out->state = a->state;
	out->flags = a->conf.flags;
	out->poll_log2s = a->poll.log2s > a->floor_log2s ? a->poll.log2s : a->floor_log2s;
	out->reach = a->reach;
	out->stratum = a->stratum;
	out->leap = a->leap;
	out->refid = a->refid;
	out->last_rx_local_ns = a->last_rx_local_ns;
	out->root_delay_ns = a->root_delay_ns;
	out->root_disp_ns = a->root_disp_ns;
	out->sent_pkts = a->sent_pkts;
	out->received_pkts = a->received_pkts;
	out->bad_pkts = a->bad_pkts;
	memcpy(out->kod, a->kod, sizeof(out->kod));
	out->denied = a->denied;
	out->last = a->report;
}

static void report_trend(const struct assoc *a, const struct estimate *line,
			 struct source_report *out)
{
	struct filter_trend t;

	filter_trend(&a->filter, line, &t);
	out->samples = a->filter.len;
	out->span_ns = t.span_ns;
	out->freq_ppb = t.freq_ppb;
	out->freq_sd_ppb = t.freq_sd_ppb;
	out->sd_ns = t.sd_ns;
}

bool engine_get_source(const struct engine *e, uint32_t id, const struct clocks *now,
		       struct source_report *out)
{
	static const struct source_report zero;
	const struct assoc *a = e->src;
	struct filter_peer p;

	while (a < e->src + e->src_len && a->id != id)
		a++;
	if (a == e->src + e->src_len)
		return false;
	*out = zero;
	report_protocol(a, out);
	filter_eval(&a->filter, &e->est, now->local_ns,
		    engine_phi_ppb(e, now->local_ns), &p);
	report_trend(a, &e->est, out);
	out->offset_ns = p.offset_ns;
	out->last_offset_ns = a->filter.len ? filter_offset_ns(&a->last, &e->est) : 0;
	out->delay_ns = p.delay_ns;
	out->disp_ns = p.disp_ns;
	out->jitter_ns = p.jitter_ns;
	out->root_dist_ns = (a->root_delay_ns + p.delay_ns) / 2 + a->root_disp_ns + p.disp_ns +
			    p.jitter_ns;
	return true;
}
