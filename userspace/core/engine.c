// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The engine's face: what happens when.  Each event goes through the same
 * sequence: watch the system clock, handle the event, judge the sources,
 * learn, see to leap seconds and expiry, publish, ask for the next timer.
 * Pure; no locking, one event at a time.
 */
#include "engine_priv.h"

#define ALIGN			16
#define SELECT_INTERVAL_NS	NTP_NS_PER_S
#define LOG_STEP_MIN_NS		1000000		/* smaller ones are noise of our readings */
#define LEAP_STEP_SLACK_NS	100000000
#define FREQ_KNOWN_PPB		50000.0		/* a drift file was read */
#define TIMER_MIN_NS		1000000
#define TIMER_ACTIONS_MAX	64	/* the rest of what is due, with the next timer */
#define LOCAL_GRACE_NS		(5 * NTP_NS_PER_S)	/* names are resolved meanwhile */
#define STEP_RETRY_NS		(2 * NTP_NS_PER_S)

static size_t capacity(unsigned int max_sources)
{
	return max_sources < 1 ? 1 : max_sources > ENGINE_MAX_SOURCES ? ENGINE_MAX_SOURCES
								       : max_sources;
}

/* Takes @len elements of @size at offset *@at, which moves on, aligned as for malloc(). */
static void *carve(void *mem, size_t *at, size_t len, size_t size)
{
	void *here = mem ? (char *)mem + *at : NULL;

	*at += (len * size + ALIGN - 1) / ALIGN * ALIGN;
	return here;
}

/* The arrays behind the engine.  Return: the size of all. */
static size_t lay_out(struct engine *e, void *mem, size_t n)
{
	size_t at = 0;

	carve(mem, &at, 1, sizeof(*e));
	e->src_max = n;
	e->src = carve(mem, &at, n, sizeof(*e->src));
	e->judged = carve(mem, &at, n, sizeof(*e->judged));
	e->work.edges = carve(mem, &at, 2 * n, sizeof(*e->work.edges));
	e->work.c = carve(mem, &at, n, sizeof(*e->work.c));
	e->work.kept = carve(mem, &at, n, sizeof(*e->work.kept));
	e->samples = carve(mem, &at, n * FILTER_STAGES, sizeof(*e->samples));
	return at;
}

size_t engine_size(unsigned int max_sources)
{
	struct engine e;

	return lay_out(&e, NULL, capacity(max_sources));
}

struct engine *engine_init(void *mem, unsigned int max_sources,
			   const struct engine_config *conf)
{
	static const struct engine zero;
	struct engine *e = mem;

	*e = zero;
	lay_out(e, mem, capacity(max_sources));
	e->conf = *conf;
	e->disc.max_slew_ppb = conf->max_slew_ppb;
	e->disc.min_phase_ns = conf->min_phase_ns;
	e->disc.slew_ppb = conf->slew_ppb;
	e->sel.syspeer = ENGINE_NO_SOURCE;
	rng_init(&e->rng, conf->seed);
	est_init(&e->est, conf->freq_ppb, conf->freq_sd_ppb);
	return e;
}

void engine_reconfigure(struct engine *e, const struct engine_config *conf)
{
	struct engine_config was = e->conf;

	e->conf = *conf;
	e->conf.freq_ppb = was.freq_ppb;
	e->conf.freq_sd_ppb = was.freq_sd_ppb;
	e->conf.seed = was.seed;
	e->conf.floor_unix_ns = was.floor_unix_ns;
	e->disc.max_slew_ppb = conf->max_slew_ppb;
	e->disc.min_phase_ns = conf->min_phase_ns;
	e->disc.slew_ppb = conf->slew_ppb;
	e->push_wanted = true;
}

static struct assoc_env env_of(struct engine *e, const struct clocks *now, struct actions *out)
{
	return (struct assoc_env){
		.line = &e->est,
		.rng = &e->rng,
		.out = out,
		.now_local_ns = now->local_ns,
		.floor_unix_ns = e->conf.floor_unix_ns,
		.precision_ns = engine_precision_ns(e),
		.settled = e->synchronised,
		.authentic = false,
	};
}

/*
 * Until the first update the line is the system clock; but where that is
 * impossible (a clock without battery), it runs on from the earliest time
 * that is not.
 */
static void follow_clock(struct engine *e, const struct clocks *now)
{
	if (now->real_ns >= e->conf.floor_unix_ns)
		est_start(&e->est, now->local_ns, now->real_ns);
	else if (est_at(&e->est, now->local_ns) < e->conf.floor_unix_ns)
		est_start(&e->est, now->local_ns, e->conf.floor_unix_ns);
}

static void on_start(struct engine *e, const struct clocks *now, struct actions *out)
{
	follow_clock(e, now);
	e->start_local_ns = now->local_ns;
	e->push_wanted = true;
	if (e->conf.control_clock && e->conf.freq_sd_ppb < FREQ_KNOWN_PPB)
		disc_steer(&e->disc, now, 0, e->est.freq_ppb, out);
}

static void on_add(struct engine *e, const struct event *ev, struct assoc_env *env)
{
	if (engine_source(e, ev->source))
		return;
	if (e->src_len == e->src_max) {
		out_log(env->out, LOG_TOO_MANY, ev->source, 0, 0);
		return;
	}
	assoc_init(&e->src[e->src_len++], ev->source, &ev->add, env);
}

static void on_del(struct engine *e, uint32_t id, struct actions *out)
{
	struct assoc *a = engine_source(e, id);

	if (!a)
		return;
	if (assoc_waits(a))
		out_add(out, ACT_CLOSE, id);
	*a = e->src[--e->src_len];
}

static void on_each(struct engine *e, const struct event *ev, struct assoc_env *env)
{
	struct assoc *a;

	for (a = e->src; a < e->src + e->src_len; a++) {
		if (ev->source != ENGINE_NO_SOURCE && ev->source != a->id)
			continue;
		if (ev->type == EV_BURST)
			assoc_burst(a, env);
		else
			assoc_online(a, ev->type == EV_ONLINE, env);
	}
}

/*
 * The local timescale stood still.  How long is known only roughly: the offset
 * has to be measured anew, the frequency is what it was.
 */
static void on_suspended(struct engine *e, const struct event *ev, struct assoc_env *env)
{
	struct assoc *a;

	out_log(env->out, LOG_SUSPENDED, ENGINE_NO_SOURCE, ev->suspended_ns, 0);
	est_shift(&e->est, ev->suspended_ns);
	est_lose_phase(&e->est);
	for (a = e->src; a < e->src + e->src_len; a++) {
		assoc_forget(a, env);
		assoc_burst(a, env);
	}
}

static void on_sent(struct engine *e, const struct event *ev)
{
	struct assoc *a = engine_source(e, ev->source);

	if (!a)
		return;
	assoc_sent(a, ev->sent.cookie, ev->sent.t1_local_ns, ev->sent.t1_err_ns);
	if (ev->sent.own_refid)
		a->own_refid = ev->sent.own_refid;
}

/* Return: what it was, and *from the source when it is a true reply. */
static enum assoc_verdict on_reply(struct engine *e, const struct event *ev, struct assoc_env *env,
				   struct assoc **from)
{
	struct assoc *a = engine_source(e, ev->source);
	enum assoc_verdict v;

	e->select_wanted = false;
	if (!a)
		return ASSOC_UNEXPECTED;
	env->authentic = ev->reply.authentic;
	v = assoc_reply(a, ev->reply.data, ev->reply.len, ev->reply.t4_local_ns,
			ev->reply.t4_err_ns, env);
	/* What is refused changes nothing, and costs little: anybody may send it. */
	e->select_wanted = v <= ASSOC_KOD;
	*from = v < ASSOC_KOD ? a : NULL;
	return v;
}

/* All that became of a true reply, learning included. */
static void tell_sample(const struct engine *e, struct assoc *a, struct actions *out)
{
	if (a->state != SRC_FALSETICKER)
		a->report.tests |= SAMPLE_T_C;
	if (!engine_loops(e, a))
		a->report.tests |= SAMPLE_T_D;
	out_add(out, ACT_SAMPLE, a->id)->sample = a->report;
}

static void on_leap(struct engine *e, const struct event *ev)
{
	leap_list(&e->leap, ev->leap.leap, ev->leap.at_unix_ns);
	if (ev->leap.past != NTP_LEAP_NONE)
		leap_past(&e->leap, ev->leap.past, ev->leap.past_unix_ns);
	e->push_wanted = true;	/* what is smeared may be another leap second now */
}

static void on_timer(struct engine *e, struct assoc_env *env)
{
	size_t silent = 0;
	struct assoc *a;

	for (a = e->src; a < e->src + e->src_len && env->out->len < TIMER_ACTIONS_MAX; a++) {
		silent -= a->unreachable;
		assoc_timer(a, env);
		silent += a->unreachable;
	}
	/* Time alone changes little; but who is still in a first burst decides the start. */
	e->select_wanted = silent || e->select_due || !e->est.valid ||
			   env->now_local_ns - e->select_local_ns >= SELECT_INTERVAL_NS;
}

static void on_makestep(struct engine *e, const struct clocks *now, struct actions *out)
{
	if (e->conf.control_clock && e->synchronised && !e->disc.stepping)
		engine_step(e, now, out);
}

static void dispatch(struct engine *e, const struct event *ev, struct actions *out)
{
	struct assoc_env env = env_of(e, &ev->now, out);
	struct assoc *a;

	switch (ev->type) {
	case EV_START:
		on_start(e, &ev->now, out);
		break;
	case EV_TIMER:
		on_timer(e, &env);
		break;
	case EV_SOURCE_ADD:
		on_add(e, ev, &env);
		break;
	case EV_SOURCE_DEL:
		on_del(e, ev->source, out);
		break;
	case EV_SENT:
		on_sent(e, ev);
		break;
	case EV_SEND_FAILED:
		a = engine_source(e, ev->source);
		if (a)
			assoc_send_failed(a, &env);
		break;
	case EV_REPLY:	/* on_datagram() */
		break;
	case EV_ONLINE:
	case EV_OFFLINE:
	case EV_BURST:
		on_each(e, ev, &env);
		break;
	case EV_SUSPENDED:
		on_suspended(e, ev, &env);
		break;
	case EV_MAKESTEP:
		on_makestep(e, &ev->now, out);
		break;
	case EV_RESELECT:
		e->sel.syspeer = ENGINE_NO_SOURCE;
		break;
	case EV_LEAP:
		on_leap(e, ev);
		break;
	case EV_CLOCK_STEPPED:	/* watch_clock() saw to it */
		break;
	}
}

static bool is_leap_step(const struct engine *e, const struct clocks *now, int64_t step_ns)
{
	int64_t off_ns = (step_ns < 0 ? -step_ns : step_ns) - NTP_NS_PER_S;

	return engine_near_leap(e, now) && off_ns < LEAP_STEP_SLACK_NS &&
	       off_ns > -LEAP_STEP_SLACK_NS;
}

/* Steps of the system clock: the served line stays, but must be published anew. */
static void watch_clock(struct engine *e, const struct event *ev, struct actions *out)
{
	const struct clocks *now = &ev->now;
	enum disc_change change;
	int64_t step_ns;

	if (ev->type == EV_SUSPENDED)
		e->disc.seen.real_ns = 0;	/* it went on while the local timescale stood */
	change = disc_observe(&e->disc, now, ev->type == EV_CLOCK_STEPPED, &step_ns);
	if (change == DISC_NONE) {
		/* after a sleep the line is not shifted yet */
		if (ev->type != EV_SUSPENDED && disc_due(&e->disc, now->local_ns))
			engine_steer(e, now, out);
		return;
	}
	e->push_wanted = true;
	if (change == DISC_FOREIGN_STEP && !is_leap_step(e, now, step_ns) &&
	    (step_ns > LOG_STEP_MIN_NS || step_ns < -LOG_STEP_MIN_NS)) {
		out_log(out, LOG_FOREIGN_STEP, ENGINE_NO_SOURCE, step_ns, 0);
		/* to be undone by an update that `maxchange` lets pass */
		if (e->synchronised && e->conf.max_change_ns > 0 && e->conf.control_clock)
			e->foreign_ns += step_ns;
	}
	if (!e->synchronised)
		return;
	engine_steer(e, now, out);
	if (!e->disc.stepping)
		engine_sync_status(e, now, out);
}

static void see_to_leap(struct engine *e, const struct clocks *now, struct actions *out)
{
	int64_t unix_ns = est_at(&e->est, now->local_ns), shift_ns;
	struct assoc *a;

	if (e->synchronised && leap_listed(&e->leap, unix_ns)) {
		e->push_wanted = true;
		engine_sync_status(e, now, out);
	}
	shift_ns = leap_due_ns(&e->leap, unix_ns);
	if (!shift_ns)
		return;
	est_shift(&e->est, shift_ns);
	e->ref.unix_ns += shift_ns;
	for (a = e->src; a < e->src + e->src_len; a++) {
		filter_shift(&a->filter, shift_ns);
		a->last.mid_unix_ns += shift_ns;
		a->prev.valid = false;
	}
	e->push_wanted = true;
	engine_sync_status(e, now, out);
}

/* `local stratum`: with no other time at all, or none that is near enough. */
static bool wants_local(const struct engine *e, const struct clocks *now)
{
	if (!e->conf.local_stratum)
		return false;
	if (e->synchronised)
		return e->conf.local_distance_ns > 0 &&
		       e->ref.root_delay_ns / 2 + engine_ref_disp_ns(e, now->local_ns) >
			       e->conf.local_distance_ns;
	return !e->sel.selected &&
	       (e->local || (!engine_starting(e) &&
			     now->local_ns - e->start_local_ns >= LOCAL_GRACE_NS));
}

/* Expiry of what was learnt, and `local stratum` in its place. */
static void see_to_state(struct engine *e, const struct clocks *now, struct actions *out)
{
	bool local;

	if (e->synchronised && !e->refused_ns && engine_fresh(e))
		e->ref.fresh_boot_ns = now->boot_ns;
	if (e->synchronised && !engine_may_serve(e, now)) {
		e->synchronised = false;
		e->push_wanted = true;
		out_log(out, LOG_UNSYNCHRONISED, ENGINE_NO_SOURCE, 0, 0);
		engine_sync_status(e, now, out);
	}
	local = wants_local(e, now);
	if (local == e->local)
		return;
	e->local = local;
	e->push_wanted = true;
	if (local)
		out_log(out, LOG_LOCAL, ENGINE_NO_SOURCE, 0, 0);
}

static void see_to_push(struct engine *e, const struct clocks *now, struct actions *out)
{
	if (e->disc.stepping)
		return;
	if (!e->push_wanted && now->local_ns - e->push_local_ns < e->conf.push_interval_ns)
		return;
	if (!e->updates)
		follow_clock(e, now);
	engine_push(e, now, false, out);
}

static int64_t earlier(int64_t a_ns, int64_t b_ns)
{
	return a_ns < b_ns ? a_ns : b_ns;
}

static void ask_for_timer(const struct engine *e, const struct clocks *now, struct actions *out)
{
	int64_t at_ns = e->push_local_ns + e->conf.push_interval_ns;
	const struct assoc *a;

	for (a = e->src; a < e->src + e->src_len; a++)
		at_ns = earlier(at_ns, assoc_next_ns(a));
	if (e->synchronised)
		at_ns = earlier(at_ns, now->local_ns + e->ref.fresh_boot_ns +
				       e->conf.holdover_ns - now->boot_ns);
	if (e->conf.local_stratum && !e->local && !e->synchronised &&
	    now->local_ns < e->start_local_ns + LOCAL_GRACE_NS)
		at_ns = earlier(at_ns, e->start_local_ns + LOCAL_GRACE_NS);
	if (e->leap.armed)
		at_ns = earlier(at_ns, now->local_ns + e->leap.at_unix_ns -
				       est_at(&e->est, now->local_ns));
	if (e->disc.more)
		at_ns = earlier(at_ns, e->disc.chunk_local_ns);
	if (e->disc.stepping)
		at_ns = e->disc.step_local_ns + STEP_RETRY_NS;
	if (at_ns < now->local_ns + TIMER_MIN_NS || e->select_due)
		at_ns = now->local_ns + TIMER_MIN_NS;
	out_add(out, ACT_TIMER, ENGINE_NO_SOURCE)->at_local_ns = at_ns;
}

static void on_datagram(struct engine *e, const struct event *ev, struct actions *out)
{
	struct assoc_env env = env_of(e, &ev->now, out);
	struct assoc *from = NULL;
	enum assoc_verdict v = on_reply(e, ev, &env, &from);

	if (e->select_wanted) {
		engine_select(e, &ev->now, out);
		engine_learn(e, v == ASSOC_SAMPLE ? from : NULL, &ev->now, out);
	}
	if (from)
		tell_sample(e, from, out);
}

/* What may come for each of a thousand sources in a row. */
static bool is_of_sources(const struct event *ev)
{
	switch (ev->type) {
	case EV_SOURCE_ADD:
	case EV_SOURCE_DEL:
	case EV_SEND_FAILED:
	case EV_ONLINE:
	case EV_OFFLINE:
	case EV_BURST:
		return true;
	default:
		return false;
	}
}

static void on_other(struct engine *e, const struct event *ev, struct actions *out)
{
	e->select_wanted = ev->type != EV_SENT && !is_of_sources(ev);
	e->select_due |= is_of_sources(ev);
	dispatch(e, ev, out);
	if (!e->select_wanted)
		return;
	engine_select(e, &ev->now, out);
	engine_learn(e, NULL, &ev->now, out);
}

size_t engine_event(struct engine *e, const struct event *ev, struct action *out)
{
	struct actions o = out_to(out, e->src_max);

	if (e->exiting)
		return 0;
	watch_clock(e, ev, &o);
	if (ev->type == EV_REPLY)
		on_datagram(e, ev, &o);
	else
		on_other(e, ev, &o);
	if (e->exiting)
		return o.len;
	see_to_leap(e, &ev->now, &o);
	see_to_state(e, &ev->now, &o);
	see_to_push(e, &ev->now, &o);
	ask_for_timer(e, &ev->now, &o);
	return o.len;
}
