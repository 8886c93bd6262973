// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From a sample to the clock: judge the sources, teach the line, take note of
 * what we are now synchronised to, steer.  Pure, no locking.
 */
#include "engine_priv.h"

#include <math.h>
#include "sort.h"

#define MIN_SAMPLES		3	/* of a source before it is a candidate */
#define PHI_MIN_PPB		1000.0
#define PHI_MAX_PPB		500000.0
#define DRIFT_GOOD_PPB		500.0	/* worth saving for the first time */
#define DRIFT_INTERVAL_NS	(3600 * NTP_NS_PER_S)
#define LEAP_NEAR_NS		(3 * NTP_NS_PER_S)

double engine_phi_ppb(const struct engine *e, int64_t local_ns)
{
	double phi = est_sigmas(&e->est) * est_freq_sd_ppb(&e->est, local_ns);

	return fmax(PHI_MIN_PPB, fmin(PHI_MAX_PPB, phi));
}

static void eval_peer(const struct engine *e, struct assoc *a, int64_t local_ns, double phi_ppb)
{
	filter_eval(&a->filter, &e->est, local_ns, phi_ppb, &a->peer);
	a->root_dist_ns = (a->root_delay_ns + a->peer.delay_ns) / 2 + a->root_disp_ns +
			  a->peer.disp_ns + a->peer.jitter_ns;
}

static void eval_peers(struct engine *e, int64_t local_ns)
{
	double phi_ppb = engine_phi_ppb(e, local_ns);
	struct assoc *a;

	for (a = e->src; a < e->src + e->src_len; a++)
		eval_peer(e, a, local_ns, phi_ppb);
}

/* Its address may be one of ours, or its reference may be us. */
static bool loops(const struct engine *e, const struct assoc *a)
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
		return SRC_UNSYNC;
	if (loops(e, a))
		return SRC_LOOP;
	if (a->conf.flags & SOURCE_F_NOSELECT)
		return SRC_NOSELECT;
	*candidate = a->peer.samples >= MIN_SAMPLES;
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

static struct assoc *by_id(struct engine *e, uint32_t id)
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
	a = by_id(e, e->sel.syspeer);
	out_log(out, LOG_SELECTED, a->id, a->peer.offset_ns, a->conf.refid);
}

static size_t list_sources(const struct engine *e, struct select_source *s, bool wait)
{
	size_t i;

	for (i = 0; i < e->src_len; i++) {
		const struct assoc *a = &e->src[i];

		s[i].id = a->id;
		s[i].flags = a->conf.flags;
		s[i].stratum = a->stratum;
		s[i].offset_ns = a->peer.offset_ns;
		s[i].jitter_ns = a->peer.jitter_ns;
		s[i].root_dist_ns = a->root_dist_ns;
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
	eval_peers(e, now->local_ns);
	n = list_sources(e, e->judged, !e->est.valid && engine_starting(e));
	select_run(e->judged, n, &policy, &e->work, &e->sel);
	for (i = 0; i < n; i++)
		log_state(&e->src[i], e->judged[i].state, out);
	log_selection(e, &was, out);
}

static bool survivor(const struct assoc *a)
{
	return a->state == SRC_SURVIVOR || a->state == SRC_SYSPEER;
}

/* The request that is under way may yet be answered: it does not count. */
bool engine_fresh(const struct engine *e)
{
	const struct assoc *a;

	for (a = e->src; e->sel.selected && a < e->src + e->src_len; a++)
		if (survivor(a) && a->unanswered <= (a->pending ? 1u : 0u))
			return true;
	return false;
}

static bool teach(struct engine *e, const struct assoc *a, const struct filter_sample *s,
		  double *surprise)
{
	return est_update(&e->est, s->mid_local_ns, s->mid_unix_ns,
			  noise_var_ns2(&a->noise, s->delay_ns, s->err_ns), surprise);
}

static bool sample_before(const void *a, const void *b)
{
	const struct engine_sample *x = a, *y = b;

	if (x->s->mid_local_ns != y->s->mid_local_ns)
		return x->s->mid_local_ns < y->s->mid_local_ns;
	return x->a->id < y->a->id;
}

/* The offset is not known: begin with all that the survivors ever said, in order. */
static void teach_all(struct engine *e)
{
	struct engine_sample *v = e->samples;
	const struct assoc *a;
	size_t n = 0, i;
	double surprise;

	for (a = e->src; a < e->src + e->src_len; a++)
		for (i = 0; survivor(a) && i < a->filter.len; i++)
			v[n++] = (struct engine_sample){ a, &a->filter.s[i] };
	sort_heap(v, n, sizeof(*v), sample_before);
	for (i = 0; i < n; i++)
		teach(e, v[i].a, v[i].s, &surprise);
}

/* RFC 5905 11.2.3, with our estimate's own error added by whoever publishes. */
static void note_reference(struct engine *e, int64_t offset_ns, const struct clocks *now)
{
	struct assoc *p = by_id(e, e->sel.syspeer);
	int64_t bias_ns;

	/* the line has just moved */
	eval_peer(e, p, now->local_ns, engine_phi_ppb(e, now->local_ns));
	bias_ns = p->peer.offset_ns < 0 ? -p->peer.offset_ns : p->peer.offset_ns;
	e->ref.stratum = (uint8_t)(p->stratum + 1);
	e->ref.refid = p->conf.refid;
	e->ref.root_delay_ns = p->root_delay_ns + p->peer.delay_ns;
	e->ref.disp_ns = p->root_disp_ns + p->peer.disp_ns + p->peer.jitter_ns + bias_ns +
			 engine_precision_ns(e);
	e->ref.local_ns = now->local_ns;
	e->ref.fresh_boot_ns = now->boot_ns;
	e->ref.unix_ns = est_at(&e->est, now->local_ns);
	e->ref.offset_ns = offset_ns;
}

static void vote_leap(struct engine *e, const struct clocks *now)
{
	unsigned int votes[3] = { 0 };
	const struct assoc *a;

	for (a = e->src; a < e->src + e->src_len; a++)
		if (survivor(a) && a->leap < NTP_LEAP_UNSYNC)
			votes[a->leap]++;
	leap_vote(&e->leap, est_at(&e->est, now->local_ns), votes);
}

static void save_drift(struct engine *e, const struct clocks *now, struct actions *out)
{
	double sd = est_freq_sd_ppb(&e->est, now->local_ns);
	struct action *a;

	if (sd > DRIFT_GOOD_PPB)
		return;
	if (e->drift_saved && now->local_ns - e->drift_local_ns < DRIFT_INTERVAL_NS)
		return;
	e->drift_saved = true;
	e->drift_local_ns = now->local_ns;
	a = out_add(out, ACT_DRIFT, ENGINE_NO_SOURCE);
	a->drift.freq_ppb = e->est.freq_ppb;
	a->drift.freq_sd_ppb = sd;
}

bool engine_near_leap(const struct engine *e, const struct clocks *now)
{
	int64_t d_ns = est_at(&e->est, now->local_ns) - e->leap.at_unix_ns;

	return e->leap.at_unix_ns && d_ns < LEAP_NEAR_NS && d_ns > -LEAP_NEAR_NS;
}

void engine_step(struct engine *e, const struct clocks *now, struct actions *out)
{
	engine_push(e, now, true, out);
	disc_step(&e->disc, now, est_at(&e->est, now->local_ns) - now->real_ns, out);
}

void engine_steer(struct engine *e, const struct clocks *now, struct actions *out)
{
	int64_t residual_ns = est_at(&e->est, now->local_ns) - now->real_ns;

	if (!e->conf.control_clock || !e->synchronised || e->disc.stepping)
		return;
	/* The kernel leaps by itself, a moment before or after the line does. */
	if (engine_near_leap(e, now))
		return;
	if (disc_may_step(&e->conf, e->updates, residual_ns))
		engine_step(e, now, out);
	else
		disc_steer(&e->disc, now, residual_ns, e->est.freq_ppb, out);
}

static void note_update(struct engine *e, int64_t offset_ns, const struct clocks *now,
			struct actions *out)
{
	e->updates++;
	note_reference(e, offset_ns, now);
	vote_leap(e, now);
	if (!e->synchronised && engine_may_serve(e, now)) {
		e->synchronised = true;
		e->local = false;
		out_log(out, LOG_SYNCHRONISED, e->sel.syspeer,
			e->ref.root_delay_ns / 2 + engine_root_disp_ns(e, now->local_ns),
			e->ref.refid);
	}
	e->push_wanted = true;
	save_drift(e, now, out);
	engine_steer(e, now, out);
	if (!e->disc.stepping)
		engine_sync_status(e, now, out);
}

void engine_learn(struct engine *e, struct assoc *a, const struct clocks *now,
		  struct actions *out)
{
	int64_t offset_ns = e->sel.offset_ns;
	double surprise = 0;
	bool learnt = false;

	if (e->sel.selected && !e->est.valid) {
		teach_all(e);
		learnt = true;
	} else if (e->sel.selected && a && survivor(a)) {
		learnt = teach(e, a, &a->last, &surprise);
	}
	if (learnt)
		note_update(e, offset_ns, now, out);
	if (a) {
		struct assoc_env env = {
			.line = &e->est,
			.rng = &e->rng,
			.out = out,
			.now_local_ns = now->local_ns,
			.settled = e->synchronised,
		};

		assoc_adapt(a, surprise, &env);
	}
}
