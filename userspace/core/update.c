// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From a sample to the clock: judge the sources, teach the line, take note of
 * what we are now synchronised to, steer.  Pure, no locking.
 */
#include "engine_priv.h"

#include <math.h>
#include "sort.h"

#define DRIFT_GOOD_PPB		500.0	/* worth saving for the first time */
#define DRIFT_INTERVAL_NS	(3600 * NTP_NS_PER_S)
#define TEACH_MAX		1024	/* samples in one event */
#define LEAP_NEAR_NS		(3 * NTP_NS_PER_S)

/* What the line says about a new sample teaches the source's noise, the sample the line. */
static bool teach(struct engine *e, struct assoc *a, const struct filter_sample *s,
		  double *surprise)
{
	double innov_ns = (double)filter_offset_ns(s, &e->est), sd_ns = 0;
	bool known = e->est.valid;
	struct law law;
	bool learnt;

	noise_law(&a->noise, s->delay_ns, s->err_ns, s->step_ns, &law);
	if (known)
		sd_ns = est_sd_ns(&e->est, s->mid_local_ns);
	learnt = est_update(&e->est, s->mid_local_ns, s->mid_unix_ns, &law, surprise);
	if (known && learnt)
		noise_learn(&a->noise, s->delay_ns, innov_ns, sd_ns * sd_ns, s->err_ns, s->step_ns);
	if (known)
		noise_follow(&a->noise, (double)filter_offset_ns(s, &e->est),
			     est_sd_ns(&e->est, s->mid_local_ns));
	return learnt;
}

static bool sample_before(const void *a, const void *b)
{
	const struct engine_sample *x = a, *y = b;

	if (x->s->mid_local_ns != y->s->mid_local_ns)
		return x->s->mid_local_ns < y->s->mid_local_ns;
	return x->a->id < y->a->id;
}

/*
 * The offset is not known: begin with what the survivors said, in order; of
 * hundreds with the latest, which is enough to know and takes no time to speak of.
 */
static void teach_all(struct engine *e)
{
	struct engine_sample *v = e->samples;
	struct assoc *a;
	size_t n = 0, i;
	double surprise;

	for (a = e->src; a < e->src + e->src_len; a++)
		for (i = 0; engine_survivor(a) && i < a->filter.len; i++)
			v[n++] = (struct engine_sample){ a, &a->filter.s[i] };
	sort_heap(v, n, sizeof(*v), sample_before);
	for (i = n > TEACH_MAX ? n - TEACH_MAX : 0; i < n; i++)
		teach(e, v[i].a, v[i].s, &surprise);
}

/* RFC 5905 11.2.3, with our estimate's own error added by whoever publishes. */
static void note_reference(struct engine *e, int64_t offset_ns, const struct clocks *now)
{
	struct assoc *p = engine_source(e, e->sel.syspeer);
	int64_t bias_ns;

	/* the line has just moved */
	engine_eval(e, p, now->local_ns, engine_phi_ppb(e, now->local_ns));
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
		if (engine_survivor(a) && a->leap < NTP_LEAP_UNSYNC)
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
	e->push_wanted = true;	/* once it is done, or given up */
	e->foreign_ns = 0;
	disc_step(&e->disc, now, est_at(&e->est, now->local_ns) - now->real_ns, out);
}

void engine_steer(struct engine *e, const struct clocks *now, struct actions *out)
{
	int64_t residual_ns = est_at(&e->est, now->local_ns) - now->real_ns;

	/* what is left of a slew waits for the next update */
	e->disc.more = false;
	if (!e->conf.control_clock || !e->synchronised || !e->est.valid || e->disc.stepping ||
	    e->foreign_ns)
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
	out_add(out, ACT_UPDATE, ENGINE_NO_SOURCE);
}

/* chrony's `maxchange`: may the clock be moved by so much? */
static bool change_allowed(struct engine *e, const struct assoc *a, int64_t change_ns,
			   struct actions *out)
{
	int64_t ignore = e->conf.max_change_ignore;

	e->refused_ns = 0;
	if (e->conf.max_change_ns <= 0)
		return true;
	if (e->changes < e->conf.max_change_start) {
		e->changes++;
		return true;
	}
	if (change_ns <= e->conf.max_change_ns && change_ns >= -e->conf.max_change_ns)
		return true;
	/* what is served is not what the sources say: its claim grows, and ages */
	e->refused_ns = change_ns < 0 ? -change_ns : change_ns;
	e->push_wanted = true;
	/* one count per round of polls */
	if (!a || a->id != e->sel.syspeer)
		return false;
	if (ignore < 0 || e->changes_ignored < (uint64_t)ignore) {
		e->changes_ignored++;
		out_log(out, LOG_CHANGE_IGNORED, ENGINE_NO_SOURCE, change_ns, 0);
		return false;
	}
	e->exiting = true;
	out_log(out, LOG_CHANGE_EXIT, ENGINE_NO_SOURCE, change_ns, 0);
	out_add(out, ACT_EXIT, ENGINE_NO_SOURCE);
	return false;
}

static bool learn(struct engine *e, struct assoc *a, struct actions *out, double *surprise)
{
	bool learnt = true;

	if (!e->sel.selected || (e->est.valid && !(a && engine_survivor(a))))
		return false;
	if (!change_allowed(e, a, e->sel.offset_ns - e->foreign_ns, out))
		return false;
	e->foreign_ns = 0;
	if (!e->est.valid)
		teach_all(e);
	else
		learnt = teach(e, a, &a->last, surprise);
	if (learnt && a)
		a->report.tests |= SAMPLE_T_B;
	return learnt;
}

void engine_learn(struct engine *e, struct assoc *a, const struct clocks *now,
		  struct actions *out)
{
	int64_t offset_ns = e->sel.offset_ns;
	double surprise = 0;

	if (learn(e, a, out, &surprise))
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
