// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which sources are right now: what each is worth by itself, then selection,
 * and what is said and done about those that are wrong.  Pure, no locking.
 */
#include "engine_priv.h"

#include <math.h>

#define PHI_MIN_PPB		1000.0
#define PHI_MAX_PPB		500000.0
#define AGE_SLACK_NS		5000000
#define TREND_SAMPLES		5
#define TREND_SIGMAS		6.0	/* few samples */
#define STALE_POLLS		3	/* without a sample */
#define TREND_MAX_PPB		1e7	/* the served line's limit */
#define BAD_POLLS		8	/* wrong for so many intervals: another address is tried ... */
#define REPLACE_MIN_NS		(1800 * NTP_NS_PER_S)	/* ... one source at a time */

double engine_phi_ppb(const struct engine *e, int64_t local_ns)
{
	double phi = est_sigmas(&e->est) * est_freq_sd_ppb(&e->est, local_ns);

	return fmax(PHI_MIN_PPB, fmin(PHI_MAX_PPB, phi));
}

/*
 * As long as our frequency is not known, a source's own samples tell it best:
 * they are carried on along their own trend, so that sources asked at different
 * times can be compared.
 */
static double carry_on(const struct engine *e, struct assoc *a, double phi_ppb, double *freq_ppb)
{
	struct filter_trend t;
	double own_ppb;

	*freq_ppb = 0;
	if (e->est.valid)
		return phi_ppb;
	filter_trend(&a->filter, &e->est, &t);
	own_ppb = PHI_MIN_PPB + TREND_SIGMAS * t.freq_sd_ppb;
	/* nothing that is a clock runs so much off ours, and years must not come out of it */
	if (a->filter.len < TREND_SAMPLES || own_ppb > phi_ppb || fabs(t.freq_ppb) > TREND_MAX_PPB)
		return phi_ppb;
	*freq_ppb = t.freq_ppb;
	return own_ppb;
}

void engine_eval(const struct engine *e, struct assoc *a, int64_t local_ns, double phi_ppb)
{
	double freq_ppb;

	phi_ppb = carry_on(e, a, phi_ppb, &freq_ppb);
	filter_eval(&a->filter, &e->est, local_ns, phi_ppb, &a->peer);
	a->peer.offset_ns += (int64_t)((double)a->peer.age_ns * freq_ppb * 1e-9);
	a->aged_ns = (int64_t)((double)a->peer.age_ns * phi_ppb * 1e-9);
	a->root_dist_ns = (a->root_delay_ns + a->peer.delay_ns) / 2 + a->root_disp_ns +
			  a->peer.disp_ns + a->peer.jitter_ns;
}

static void eval_peers(struct engine *e, int64_t local_ns)
{
	double phi_ppb = engine_phi_ppb(e, local_ns);
	struct assoc *a;

	for (a = e->src; a < e->src + e->src_len; a++)
		engine_eval(e, a, local_ns, phi_ppb);
}

/* Its address may be one of ours, or its reference may be us. */
bool engine_loops(const struct engine *e, const struct assoc *a)
{
	unsigned int i;

	for (i = 0; i < e->conf.own_refids_len; i++) {
		if (a->conf.refid == e->conf.own_refids[i])
			return true;
		/* At stratum 1 the reference id is a name, not an address. */
		if (a->stratum > 1 && a->refid == e->conf.own_refids[i])
			return true;
	}
	return false;
}

/* Return: why a source is no candidate; SRC_NEW with *candidate when it is one. */
static enum source_state fitness(const struct engine *e, const struct assoc *a, bool *candidate)
{
	*candidate = false;
	if (!a->online || a->denied)
		return SRC_OFFLINE;
	if (a->unreachable)
		return SRC_UNREACHABLE;
	if (!a->heard || !a->last_rx_local_ns)
		return SRC_NEW;
	/* Ours would be one more, and 16 means unsynchronised. */
	if (a->stratum >= ASSOC_MAX_STRATUM - 1)
		return SRC_BAD_STRATUM;
	if (!a->usable)
		return assoc_only_kissed(a) ? SRC_NEW : SRC_UNSYNC;
	if (engine_loops(e, a))
		return SRC_LOOP;
	if (a->conf.flags & SOURCE_F_NOSELECT)
		return SRC_NOSELECT;
	if (e->conf.local_orphan && a->stratum == e->conf.local_stratum)
		return SRC_ORPHAN;
	if (e->conf.max_jitter_ns > 0 && a->peer.jitter_ns > e->conf.max_jitter_ns)
		return SRC_JITTERY;
	*candidate = a->peer.samples >= ASSOC_MIN_SAMPLES;
	return SRC_NEW;
}

static void log_state(struct assoc *a, enum source_state to, struct actions *out)
{
	enum source_state from = a->state;

	a->state = to;
	if (from == to)
		return;
	if (to == SRC_FALSETICKER)
		out_log(out, LOG_FALSETICKER, a->id, a->peer.offset_ns, 0);
	else if (from == SRC_FALSETICKER && to >= SRC_OUTLIER)
		out_log(out, LOG_TRUECHIMER, a->id, a->peer.offset_ns, 0);
	else if (to == SRC_LOOP)
		out_log(out, LOG_LOOP, a->id, 0, a->refid);
}

struct assoc *engine_source(struct engine *e, uint32_t id)
{
	struct assoc *a;

	for (a = e->src; a < e->src + e->src_len; a++)
		if (a->id == id)
			return a;
	return NULL;
}

static void log_selection(struct engine *e, const struct select_result *was, struct actions *out)
{
	const struct assoc *a;

	if (was->selected && !e->sel.selected) {
		out_log(out, LOG_SELECTION_LOST, ENGINE_NO_SOURCE, 0, 0);
		e->push_wanted = true;
	}
	if (!e->sel.selected || e->sel.syspeer == was->syspeer)
		return;
	a = engine_source(e, e->sel.syspeer);
	out_log(out, LOG_SELECTED, a->id, a->peer.offset_ns, a->conf.refid);
}

/*
 * What our own frequency may have done since a sample, it did to all samples: only
 * by how much they differ in age can sources disagree.
 */
static int64_t common_age_ns(const struct engine *e)
{
	int64_t least_ns = INT64_MAX;
	const struct assoc *a;

	for (a = e->src; a < e->src + e->src_len; a++)
		if (a->peer.samples >= ASSOC_MIN_SAMPLES && a->aged_ns < least_ns)
			least_ns = a->aged_ns;
	return least_ns < INT64_MAX ? least_ns : 0;
}

/*
 * With a frequency that is not known, samples of different ages agree with
 * everything.  Until each source tells its own trend there is no telling who is right.
 */
static bool comparable(const struct engine *e)
{
	int64_t common_ns = common_age_ns(e), more_ns;
	const struct assoc *a;
	bool candidate;

	for (a = e->src; a < e->src + e->src_len; a++) {
		fitness(e, a, &candidate);
		more_ns = a->aged_ns - common_ns;
		if (candidate && more_ns > AGE_SLACK_NS && more_ns > a->root_dist_ns - a->aged_ns)
			return false;
	}
	return true;
}

static bool is_stale(const struct assoc *a, int64_t local_ns)
{
	return local_ns - a->last.mid_local_ns >
	       STALE_POLLS * (NTP_NS_PER_S << a->poll.log2s);
}

static size_t list_sources(const struct engine *e, struct select_source *s, int64_t local_ns,
			   bool wait)
{
	int64_t common_ns = common_age_ns(e);
	size_t i;

	for (i = 0; i < e->src_len; i++) {
		const struct assoc *a = &e->src[i];

		s[i].id = a->id;
		s[i].flags = a->conf.flags;
		s[i].stratum = a->stratum;
		s[i].offset_ns = a->peer.offset_ns;
		s[i].jitter_ns = a->peer.jitter_ns;
		s[i].root_dist_ns = a->root_dist_ns;
		s[i].claim_ns = a->root_dist_ns - a->aged_ns;
		s[i].stale = is_stale(a, local_ns);
		/* ... but a source that is too distant is so by all that there is */
		if (a->root_dist_ns <= e->conf.max_distance_ns)
			s[i].root_dist_ns -= common_ns < a->aged_ns ? common_ns : a->aged_ns;
		s[i].state = fitness(e, a, &s[i].candidate);
		s[i].candidate &= !wait;
	}
	return e->src_len;
}

bool engine_starting(const struct engine *e)
{
	const struct assoc *a;

	for (a = e->src; a < e->src + e->src_len; a++)
		if (assoc_starting(a))
			return true;
	return false;
}

/* Reference ids are compared as the addresses that they are, or stand for. */
static bool refid_before(__be32 a, __be32 b)
{
	return ntp_be32toh(a) < ntp_be32toh(b);
}

/*
 * chrony's orphan mode: with no other time at all, of the servers at the common
 * local stratum that with the smallest reference id leads, and all others
 * follow it.  Ours is that of the address that the other one sees.
 */
static void select_orphan(struct engine *e, size_t n, const struct select_policy *policy)
{
	struct select_source *s, *first = NULL;
	const struct assoc *a;

	for (s = e->judged; s < e->judged + n; s++) {
		a = &e->src[s - e->judged];
		if (s->candidate && s->state != SRC_DISTANT)
			return;
		if (s->state != SRC_ORPHAN || a->peer.samples < ASSOC_MIN_SAMPLES ||
		    !refid_before(a->conf.refid, a->own_refid))
			continue;
		if (!first || refid_before(a->conf.refid, e->src[first - e->judged].conf.refid))
			first = s;
	}
	if (!first)
		return;
	first->candidate = true;
	select_run(first, 1, policy, &e->work, &e->sel);
}

/* A source that answers, but has been wrong for long: its name may lead to a better one. */
static void see_to_bad(struct engine *e, struct assoc *a, int64_t local_ns, struct actions *out)
{
	if (a->state != SRC_FALSETICKER && a->state != SRC_DISTANT && a->state != SRC_JITTERY) {
		a->bad_local_ns = 0;
		return;
	}
	if (!a->bad_local_ns)
		a->bad_local_ns = local_ns;
	if (local_ns - a->bad_local_ns < (NTP_NS_PER_S << assoc_poll_log2s(a)) * BAD_POLLS)
		return;
	if (e->replaced_local_ns && local_ns - e->replaced_local_ns < REPLACE_MIN_NS)
		return;
	e->replaced_local_ns = local_ns;
	a->bad_local_ns = local_ns;
	out_add(out, ACT_RESOLVE, a->id);
}

/*
 * Before the first synchronisation nobody is believed while others are still
 * in their first burst: the quickest to answer is no majority.
 */
void engine_select(struct engine *e, const struct clocks *now, struct actions *out)
{
	struct select_policy policy = {
		.max_distance_ns = e->conf.max_distance_ns,
		.min_sources = e->conf.min_sources,
		.syspeer = e->sel.syspeer,
	};
	struct select_result was = e->sel;
	size_t i, n;

	e->select_local_ns = now->local_ns;
	e->select_due = false;
	eval_peers(e, now->local_ns);
	n = list_sources(e, e->judged, now->local_ns,
			 !e->est.valid && (engine_starting(e) || !comparable(e)));
	select_run(e->judged, n, &policy, &e->work, &e->sel);
	if (e->conf.local_orphan && !e->sel.selected)
		select_orphan(e, n, &policy);
	for (i = 0; i < n; i++) {
		log_state(&e->src[i], e->judged[i].state, out);
		see_to_bad(e, &e->src[i], now->local_ns, out);
	}
	log_selection(e, &was, out);
}

bool engine_survivor(const struct assoc *a)
{
	return a->state == SRC_SURVIVOR || a->state == SRC_SYSPEER;
}

/* The request that is under way may yet be answered: it does not count. */
bool engine_fresh(const struct engine *e)
{
	const struct assoc *a;

	for (a = e->src; e->sel.selected && a < e->src + e->src_len; a++)
		if (engine_survivor(a) && a->unanswered <= (a->pending ? 1u : 0u))
			return true;
	return false;
}

