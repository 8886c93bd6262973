// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The simulator, see sim.h: what happens when, and the engine in it.
 * Simulated instants are nanoseconds since the start on the scale of true time
 * without leap seconds (t_ns).
 */
#include "sim_priv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct sim_event *sim_post(struct sim *s, int64_t t_ns, enum sim_kind kind)
{
	struct sim_event *e = &s->ev[s->ev_len++];

	if (s->ev_len > MAX_EVENTS)
		abort();
	memset(e, 0, sizeof(*e));
	e->t_ns = t_ns < s->t_ns ? s->t_ns : t_ns;
	e->order = s->order++;
	e->kind = kind;
	return e;
}

static void drop_timers(struct sim *s)
{
	size_t i = 0;

	while (i < s->ev_len) {
		if (s->ev[i].kind == SIM_TIMER)
			s->ev[i] = s->ev[--s->ev_len];
		else
			i++;
	}
}

static struct sim_event take(struct sim *s)
{
	struct sim_event e;
	size_t i, m = 0;

	for (i = 1; i < s->ev_len; i++)
		if (s->ev[i].t_ns < s->ev[m].t_ns ||
		    (s->ev[i].t_ns == s->ev[m].t_ns && s->ev[i].order < s->ev[m].order))
			m = i;
	e = s->ev[m];
	s->ev[m] = s->ev[--s->ev_len];
	return e;
}

static void hash(struct sim *s, const void *p, size_t len)
{
	const unsigned char *c = p;

	while (len--)
		s->res->hash = (s->res->hash ^ *c++) * 0x100000001b3ULL;
}

static void do_step(struct sim *s, int64_t phase_ns)
{
	s->res->steps++;
	s->real_ns += phase_ns;
	s->slew_left_ns = 0;
	s->clock_seq++;
	sim_post(s, s->t_ns, SIM_TOLD);
}

static void do_action(struct sim *s, const struct action *a)
{
	hash(s, a, sizeof(*a));
	switch (a->type) {
	case ACT_TIMER:
		drop_timers(s);
		sim_post(s, s->t_ns + (int64_t)((double)(a->at_local_ns - s->local_ns) *
					    (1 + s->freq_ppb * 1e-9)) + 1000, SIM_TIMER);
		break;
	case ACT_SEND:
		sim_send(s, a);
		break;
	case ACT_PUSH:
		/* As the module does: nothing computed under another clock_seq. */
		if (a->serve.leap != NTP_LEAP_UNSYNC)
			s->inherited = false;
		if (a->serve.clock_seq == s->clock_seq && !s->inherited &&
		    !ntp_serve_check(&a->serve)) {
			s->served = a->serve;
			s->published = true;
		}
		break;
	case ACT_FREQ:
		s->set_freq_ppb = a->freq_ppb;
		break;
	case ACT_PHASE:
		s->res->phases++;
		s->slew_left_ns = (double)a->phase_ns;
		break;
	case ACT_STEP:
		do_step(s, a->phase_ns);
		break;
	case ACT_LOG:
		s->res->foreign_logs += a->log.code == LOG_FOREIGN_STEP;
		s->res->local_logs += a->log.code == LOG_LOCAL;
		s->res->selections += a->log.code == LOG_SELECTED || a->log.code == LOG_SELECTION_LOST;
		break;
	case ACT_CLOSE:
	case ACT_RESOLVE:
	case ACT_SYNC_STATUS:
		break;
	case ACT_DRIFT:
		s->drift_ppb = a->drift.freq_ppb;
		s->drift_sd_ppb = a->drift.freq_sd_ppb;
		break;
	case ACT_SAMPLE:
		s->res->interleaved += a->sample.interleaved;
		break;
	case ACT_UPDATE:
	case ACT_EXIT:
		break;
	}
	s->res->clock_actions += a->type == ACT_FREQ || a->type == ACT_PHASE ||
				 a->type == ACT_STEP || a->type == ACT_SYNC_STATUS;
}

void sim_feed(struct sim *s, struct event *ev)
{
	struct action *act = malloc(sizeof(*act) * ENGINE_MAX_ACTIONS(SIM_MAX_SERVERS));
	size_t i, n;

	ev->now = sim_clocks(s);
	n = s->killed ? 0 : engine_event(s->engine, ev, act);
	for (i = 0; i < n; i++)
		do_action(s, &act[i]);
	free(act);
}

/* The machine sleeps: true time and the system clock go on, the local timescale does not. */
static void suspend(struct sim *s)
{
	struct event ev = { .type = EV_SUSPENDED, .source = ENGINE_NO_SOURCE };
	int64_t d = s->conf->suspend_s * NTP_NS_PER_S;

	s->t_ns += d;
	s->asleep_ns += d;
	s->real_ns += d;
	s->clock_seq++;
	oracle_lost(&s->oracle, (double)d);
	s->rfc.x_ns += (double)d;
	ev.suspended_ns = d;
	sim_feed(s, &ev);
}

static void start(struct sim *s);

/* As the daemon does when it starts: an old slew ends, the old frequency goes on. */
static void restart(struct sim *s)
{
	struct engine_config conf = s->conf->engine;

	s->slew_left_ns = 0;
	if (s->drift_sd_ppb > 0) {
		conf.freq_ppb = s->drift_ppb;
		conf.freq_sd_ppb = s->drift_sd_ppb;
	}
	conf.seed += 1000;
	s->engine = engine_init(s->engine, SIM_MAX_SERVERS, &conf);
	s->killed = false;
	s->inherited = true;
	start(s);
}

/* What befalls the daemon and the clock's rate. */
static void accidents(struct sim *s, int64_t t_s)
{
	if (s->conf->foreign_at_s && t_s == s->conf->foreign_at_s)
		s->set_freq_ppb += s->conf->foreign_ppb;
	if (s->conf->kill_at_s && t_s == s->conf->kill_at_s)
		s->killed = true;
	if (s->conf->restart_at_s && t_s == s->conf->restart_at_s)
		restart(s);
}

static void second(struct sim *s)
{
	int64_t t_s = s->t_ns / NTP_NS_PER_S;

	sim_measure(s);
	accidents(s, t_s);
	if (s->conf->step_at_s && t_s == s->conf->step_at_s) {
		s->real_ns += s->conf->step_ns;
		s->slew_left_ns = 0;
		s->clock_seq++;
		sim_post(s, s->t_ns + NTP_NS_PER_S / 20, SIM_TOLD);
	}
	if (s->conf->suspend_at_s && t_s == s->conf->suspend_at_s)
		suspend(s);
	sim_post(s, (s->t_ns / NTP_NS_PER_S + 1) * NTP_NS_PER_S, SIM_SECOND);
}

static void handle(struct sim *s, struct sim_event *e)
{
	struct event ev = { .source = ENGINE_NO_SOURCE };

	sim_advance(s, e->t_ns);
	switch (e->kind) {
	case SIM_TIMER:
		ev.type = EV_TIMER;
		sim_feed(s, &ev);
		break;
	case SIM_TOLD:
		ev.type = EV_CLOCK_STEPPED;
		sim_feed(s, &ev);
		break;
	case SIM_AT_SERVER:
		sim_at_server(s, e);
		break;
	case SIM_REPLY:
		sim_at_client(s, e);
		break;
	case SIM_SECOND:
		second(s);
		break;
	}
}

static void start(struct sim *s)
{
	struct event ev = { .type = EV_START, .source = ENGINE_NO_SOURCE };
	unsigned int i;

	sim_feed(s, &ev);
	for (i = 0; i < s->conf->servers_len; i++) {
		struct event add = { .type = EV_SOURCE_ADD, .source = i };

		add.add.minpoll_log2s = s->conf->minpoll_log2s;
		add.add.maxpoll_log2s = s->conf->maxpoll_log2s;
		add.add.version = 4;
		add.add.flags = s->conf->servers[i].flags;
		add.add.refid = ntp_htobe32(0xc0000201 + i);
		sim_feed(s, &add);
	}
}

void sim_defaults(struct sim_conf *conf)
{
	memset(conf, 0, sizeof(*conf));
	conf->engine = (struct engine_config){
		.makestep_threshold_ns = 100000000,
		.makestep_limit = 3,
		.max_distance_ns = 3 * NTP_NS_PER_S,
		.min_sources = 1,
		.holdover_ns = 86400 * NTP_NS_PER_S,
		.max_served_ns = NTP_NS_PER_S,
		.push_interval_ns = 16 * NTP_NS_PER_S,
		.freq_sd_ppb = 100000,
		.precision_log2s = -24,
		.floor_unix_ns = 1700000000000000000LL,
		.control_clock = true,
		.seed = 1,
	};
	conf->offset_ns = 250000000;
	conf->freq_ppb = 50000;
	conf->wander_ppb = 1;
	conf->delay_ns = 300000;
	conf->jitter_ns = 100000;
	conf->servers_len = 1;
	conf->servers[0] = (struct sim_server){ .stratum = 1, .root_disp_ns = 10000,
						.flags = SOURCE_F_IBURST };
	conf->minpoll_log2s = 4;
	conf->maxpoll_log2s = 6;
	conf->duration_s = 600;
	conf->from_s = 60;
}

void sim_run(const struct sim_conf *conf, struct sim_result *res)
{
	struct sim *s = calloc(1, sizeof(*s));
	void *mem = malloc(engine_size(SIM_MAX_SERVERS));
	struct sim_event e;

	memset(res, 0, sizeof(*res));
	res->sync_s = -1;
	res->settle_s = -1;
	res->hash = 0xcbf29ce484222325ULL;
	s->conf = conf;
	s->res = res;
	s->rng = conf->engine.seed * 2 + 1;
	s->freq_ppb = conf->freq_ppb;
	s->local_ns = LOCAL_START_NS;
	oracle_init(&s->oracle, conf->wander_ppb);
	rfc5905_init(&s->rfc, conf->minpoll_log2s, conf->maxpoll_log2s);
	s->clock_seq = 1;
	s->real_ns = sim_utc(s, 0) - conf->offset_ns;
	s->err_ns = malloc(sizeof(int64_t) * SIM_MAX_SAMPLES);
	s->clock_err_ns = malloc(sizeof(int64_t) * SIM_MAX_SAMPLES);
	s->early_ns = malloc(sizeof(int64_t) * (size_t)(conf->from_s + 1));
	memset(s->early_ns, -1, sizeof(int64_t) * (size_t)(conf->from_s + 1));
	s->engine = engine_init(mem, SIM_MAX_SERVERS, &conf->engine);
	start(s);
	sim_post(s, NTP_NS_PER_S, SIM_SECOND);
	while (s->t_ns < conf->duration_s * NTP_NS_PER_S) {
		e = take(s);
		handle(s, &e);
	}
	sim_finish(s);
	free(s->err_ns);
	free(s->clock_err_ns);
	free(s->early_ns);
	free(mem);
	free(s);
}
