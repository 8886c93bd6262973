// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The simulator, see sim.h.  Simulated instants are nanoseconds since the
 * start on the scale of true time without leap seconds (t_ns).
 */
#include "sim.h"
#include "oracle.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_EVENTS	256
#define SLEW		500e-6		/* adjtime of the kernel */
#define STAMP_ERR_NS	500
#define SERVER_NS	20000		/* from receive to transmit */
#define LOCAL_START_NS	(1000 * NTP_NS_PER_S)

enum sim_kind { SIM_TIMER, SIM_AT_SERVER, SIM_REPLY, SIM_SECOND, SIM_TOLD };

struct sim_event {
	int64_t	 t_ns;
	uint64_t order;
	enum sim_kind kind;
	uint32_t source;
	struct ntp_header packet;
	int64_t	 queue_ns[2];	/* out and back, over the least delay */
};

struct sim {
	const struct sim_conf *conf;
	struct sim_result *res;
	struct engine *engine;
	uint64_t rng;
	int64_t	 t_ns;
	/* oscillator: local timescale as of t_ns */
	double	 freq_ppb;
	double	 local_frac_ns;
	int64_t	 local_ns;
	int64_t	 asleep_ns;	/* CLOCK_BOOTTIME's lead */
	/* system clock as of local_ns */
	int64_t	 real_ns;
	double	 real_frac_ns;
	double	 set_freq_ppb;
	double	 slew_left_ns;
	uint32_t clock_seq;
	struct ntp_serve served;
	bool	 published;
	bool	 killed;
	bool	 inherited;		/* what is served is a killed daemon's */
	double	 drift_ppb;		/* drift file, if @drift_sd_ppb */
	double	 drift_sd_ppb;
	struct {
		__be64	 rec_ts;
		__be64	 xmt_ts;
	} memory[SIM_MAX_SERVERS];	/* of the servers, for interleaved mode */
	struct sim_event ev[MAX_EVENTS];
	size_t	 ev_len;
	uint64_t order;
	int64_t	 *err_ns;
	int64_t	 *clock_err_ns;
	size_t	 err_len;
	struct oracle oracle;
	double	 sum2_ns2;
	double	 oracle_sum2_ns2;
};

static uint64_t rnd(struct sim *s)
{
	uint64_t z = s->rng += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

static double unit(struct sim *s)
{
	return ((double)(rnd(s) >> 11) + 0.5) * 0x1p-53;
}

static double gauss(struct sim *s)
{
	double r = sqrt(-2 * log(unit(s)));

	return r * cos(2 * M_PI * unit(s));
}

static int64_t utc(const struct sim *s, int64_t t_ns)
{
	int64_t start = s->conf->start_unix_ns ? s->conf->start_unix_ns : SIM_EPOCH_NS;

	if (s->conf->leap_at_s && t_ns >= s->conf->leap_at_s * NTP_NS_PER_S)
		start -= NTP_NS_PER_S;
	return start + t_ns;
}

static int64_t carry(double *frac)
{
	double whole = floor(*frac);

	*frac -= whole;
	return (int64_t)whole;
}

static void advance_real(struct sim *s, int64_t dlocal_ns)
{
	double slew = fmin(fabs(s->slew_left_ns), (double)dlocal_ns * SLEW);

	slew = s->slew_left_ns < 0 ? -slew : slew;
	s->slew_left_ns -= slew;
	s->real_frac_ns += (double)dlocal_ns * s->set_freq_ppb * 1e-9 + slew;
	s->real_ns += dlocal_ns + carry(&s->real_frac_ns);
}

static double sine_ppb(const struct sim *s)
{
	if (!s->conf->sine_s)
		return 0;
	return s->conf->sine_ppb * sin(2 * M_PI * (double)s->t_ns * 1e-9 / (double)s->conf->sine_s);
}

/* Walks in pieces of a second at most, each with its own frequency. */
static void advance(struct sim *s, int64_t t_ns)
{
	while (s->t_ns < t_ns) {
		int64_t d = t_ns - s->t_ns < NTP_NS_PER_S ? t_ns - s->t_ns : NTP_NS_PER_S;
		double rate = 1 / (1 + (s->freq_ppb + sine_ppb(s)) * 1e-9) - 1;
		int64_t dlocal;

		s->local_frac_ns += (double)d * rate;
		dlocal = d + carry(&s->local_frac_ns);
		s->local_ns += dlocal;
		s->t_ns += d;
		oracle_predict(&s->oracle, (double)d * 1e-9);
		advance_real(s, dlocal);
		s->freq_ppb += s->conf->wander_ppb * sqrt((double)d * 1e-9) * gauss(s);
	}
}

static struct clocks clocks(const struct sim *s)
{
	return (struct clocks){ s->local_ns, s->real_ns, s->local_ns + s->asleep_ns, s->clock_seq };
}

static struct sim_event *post(struct sim *s, int64_t t_ns, enum sim_kind kind)
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

static void feed(struct sim *s, struct event *ev);

static bool passes(struct sim *s, uint32_t source)
{
	int64_t t_s = s->t_ns / NTP_NS_PER_S;

	if (unit(s) < s->conf->servers[source].loss)
		return false;
	return t_s < s->conf->outage_from_s || t_s >= s->conf->outage_to_s;
}

/* What a packet waits on its way, on top of the least delay. */
static int64_t queue(struct sim *s, bool back)
{
	const struct sim_conf *c = s->conf;
	int64_t t_s = s->t_ns / NTP_NS_PER_S;
	double ns = -log(unit(s)) *
		    (double)(back && c->jitter_back_ns ? c->jitter_back_ns : c->jitter_ns);

	if (!back && c->busy_ns && t_s % 3600 < c->busy_s)
		ns += -log(unit(s)) * (double)c->busy_ns;

	if (s->conf->spike_p > 0 && unit(s) < s->conf->spike_p)
		ns += -log(unit(s)) * (double)s->conf->spike_ns;
	return (int64_t)ns;
}

static int64_t stamp_err_ns(struct sim *s)
{
	return (int64_t)((2 * unit(s) - 1) * STAMP_ERR_NS);
}

/* The least delay of a request. */
static int64_t out_ns(const struct sim *s)
{
	const struct sim_conf *c = s->conf;
	int64_t t_s = s->t_ns / NTP_NS_PER_S;

	return c->delay_ns + c->asymmetry_ns +
	       (t_s >= c->route_from_s && t_s < c->route_to_s ? c->route_ns : 0);
}

/* UTC minus local time since the start, small enough for a double. */
static double lead_ns(const struct sim *s)
{
	return (double)(s->t_ns - (s->local_ns - LOCAL_START_NS)) - s->local_frac_ns;
}

static void do_send(struct sim *s, const struct action *a)
{
	struct event ev = { .type = EV_SENT, .source = a->source };
	struct sim_event *e;

	s->res->requests++;
	if (passes(s, a->source)) {
		int64_t queue_ns = queue(s, false);

		e = post(s, s->t_ns + out_ns(s) + queue_ns, SIM_AT_SERVER);
		e->queue_ns[0] = queue_ns;
		e->source = a->source;
		e->packet = a->send.packet;
	}
	ev.now = clocks(s);
	ev.sent.cookie = a->send.cookie;
	ev.sent.t1_local_ns = s->local_ns + stamp_err_ns(s);
	ev.sent.t1_err_ns = STAMP_ERR_NS;
	feed(s, &ev);
}

static void do_step(struct sim *s, int64_t phase_ns)
{
	s->res->steps++;
	s->real_ns += phase_ns;
	s->slew_left_ns = 0;
	s->clock_seq++;
	post(s, s->t_ns, SIM_TOLD);
}

static void do_action(struct sim *s, const struct action *a)
{
	hash(s, a, sizeof(*a));
	switch (a->type) {
	case ACT_TIMER:
		drop_timers(s);
		post(s, s->t_ns + (int64_t)((double)(a->at_local_ns - s->local_ns) *
					    (1 + s->freq_ppb * 1e-9)) + 1000, SIM_TIMER);
		break;
	case ACT_SEND:
		do_send(s, a);
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

static void feed(struct sim *s, struct event *ev)
{
	struct action *act = malloc(sizeof(*act) * ENGINE_MAX_ACTIONS(SIM_MAX_SERVERS));
	size_t i, n;

	ev->now = clocks(s);
	n = s->killed ? 0 : engine_event(s->engine, ev, act);
	for (i = 0; i < n; i++)
		do_action(s, &act[i]);
	free(act);
}

/* RFC 9769: who asks for the exchange that is remembered is told its true stamp. */
static void interleave(struct sim *s, const struct sim_event *e, struct ntp_header *reply,
		       int64_t left_ns)
{
	__be64 *rec_ts = &s->memory[e->source].rec_ts;
	__be64 *xmt_ts = &s->memory[e->source].xmt_ts;

	if (*rec_ts && e->packet.org_ts == *rec_ts) {
		reply->org_ts = e->packet.rec_ts;
		reply->xmt_ts = *xmt_ts;
	}
	*rec_ts = reply->rec_ts;
	*xmt_ts = ntp_htobe64(ntp64_from_unix_ns(left_ns));
}

static void at_server(struct sim *s, struct sim_event *e)
{
	const struct sim_server *v = &s->conf->servers[e->source];
	int64_t clock_ns = utc(s, s->t_ns) + v->false_ns +
			   (int64_t)((double)s->t_ns * v->drift_ppb * 1e-9);
	struct sim_event *r;
	int64_t queue_ns;

	if (!passes(s, e->source))
		return;
	if (s->conf->quantum_ns)
		clock_ns -= clock_ns % s->conf->quantum_ns;
	queue_ns = queue(s, true);
	r = post(s, s->t_ns + SERVER_NS + v->lag_ns + s->conf->delay_ns + queue_ns, SIM_REPLY);
	r->queue_ns[0] = e->queue_ns[0];
	r->queue_ns[1] = queue_ns;
	r->source = e->source;
	r->packet.lvm = ntp_lvm(v->leap, 4, NTP_MODE_SERVER);
	r->packet.stratum = v->stratum;
	r->packet.precision_log2s = s->conf->quantum_ns > 1000 ? -6 :
				    s->conf->quantum_ns ? -20 : -24;
	r->packet.root_disp = ntp_htobe32(ntp32_from_ns((uint64_t)v->root_disp_ns));
	r->packet.refid = ntp_htobe32(0x47505300);
	r->packet.ref_ts = ntp_htobe64(ntp64_from_unix_ns(clock_ns - NTP_NS_PER_S));
	r->packet.org_ts = e->packet.xmt_ts;
	r->packet.rec_ts = ntp_htobe64(ntp64_from_unix_ns(clock_ns));
	r->packet.xmt_ts = ntp_htobe64(ntp64_from_unix_ns(clock_ns + SERVER_NS));
	if (v->lag_ns)
		interleave(s, e, &r->packet, clock_ns + SERVER_NS + v->lag_ns);
}

static void at_client(struct sim *s, const struct sim_event *e)
{
	struct event ev = { .type = EV_REPLY, .source = e->source };
	const struct sim_server *v = &s->conf->servers[e->source];

	if (!v->false_ns && v->drift_ppb == 0)
		oracle_learn(&s->oracle,
			     lead_ns(s) + (double)(e->queue_ns[0] - e->queue_ns[1]) / 2,
			     (double)(e->queue_ns[0] + e->queue_ns[1]));
	ev.reply.data = &e->packet;
	ev.reply.len = sizeof(e->packet);
	ev.reply.t4_local_ns = s->local_ns + stamp_err_ns(s);
	ev.reply.t4_err_ns = STAMP_ERR_NS;
	feed(s, &ev);
}

static void measure(struct sim *s)
{
	struct clocks c = clocks(s);
	struct ntp_now now = { c.local_ns, c.boot_ns, c.clock_seq };
	enum ntpk_status status = ntp_serve_status(s->published ? &s->served : NULL, &now);
	int64_t t_s = s->t_ns / NTP_NS_PER_S, err_ns, dist_ns, clock_err_ns;
	struct engine_report report;

	if (status != NTPK_STATUS_SYNC && status != NTPK_STATUS_HOLDOVER) {
		s->res->republish_s += s->conf->step_at_s && t_s > s->conf->step_at_s;
		return;
	}
	if (s->res->sync_s < 0)
		s->res->sync_s = t_s;
	s->res->served_s++;
	err_ns = llabs(ntp_line_at(&s->served.line, s->local_ns) - utc(s, s->t_ns));
	clock_err_ns = llabs(s->real_ns - utc(s, s->t_ns));
	dist_ns = (int64_t)(s->served.root_delay_ns / 2 + ntp_serve_disp_ns(&s->served, s->local_ns));
	s->res->violations += err_ns > dist_ns;
	s->res->max_dist_ns = dist_ns > s->res->max_dist_ns ? dist_ns : s->res->max_dist_ns;
	s->res->final_dist_ns = dist_ns;
	if (t_s < s->conf->from_s || s->err_len == SIM_MAX_SAMPLES)
		return;
	engine_get_report(s->engine, &c, &report);
	s->res->checked_s++;
	s->res->within1_s += err_ns <= report.est_error_ns;
	s->res->within3_s += err_ns <= 3 * report.est_error_ns;
	s->sum2_ns2 += (double)err_ns * (double)err_ns;
	s->oracle_sum2_ns2 += (s->oracle.x_ns - lead_ns(s)) * (s->oracle.x_ns - lead_ns(s));
	s->err_ns[s->err_len] = err_ns;
	s->clock_err_ns[s->err_len++] = clock_err_ns;
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
	ev.suspended_ns = d;
	feed(s, &ev);
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

	measure(s);
	accidents(s, t_s);
	if (s->conf->step_at_s && t_s == s->conf->step_at_s) {
		s->real_ns += s->conf->step_ns;
		s->slew_left_ns = 0;
		s->clock_seq++;
		post(s, s->t_ns + NTP_NS_PER_S / 20, SIM_TOLD);
	}
	if (s->conf->suspend_at_s && t_s == s->conf->suspend_at_s)
		suspend(s);
	post(s, (s->t_ns / NTP_NS_PER_S + 1) * NTP_NS_PER_S, SIM_SECOND);
}

static void handle(struct sim *s, struct sim_event *e)
{
	struct event ev = { .source = ENGINE_NO_SOURCE };

	advance(s, e->t_ns);
	switch (e->kind) {
	case SIM_TIMER:
		ev.type = EV_TIMER;
		feed(s, &ev);
		break;
	case SIM_TOLD:
		ev.type = EV_CLOCK_STEPPED;
		feed(s, &ev);
		break;
	case SIM_AT_SERVER:
		at_server(s, e);
		break;
	case SIM_REPLY:
		at_client(s, e);
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

	feed(s, &ev);
	for (i = 0; i < s->conf->servers_len; i++) {
		struct event add = { .type = EV_SOURCE_ADD, .source = i };

		add.add.minpoll_log2s = s->conf->minpoll_log2s;
		add.add.maxpoll_log2s = s->conf->maxpoll_log2s;
		add.add.version = 4;
		add.add.flags = s->conf->servers[i].flags;
		add.add.refid = ntp_htobe32(0xc0000201 + i);
		feed(s, &add);
	}
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void finish(struct sim *s)
{
	struct clocks c = clocks(s);
	struct source_report r;
	unsigned int i;

	qsort(s->err_ns, s->err_len, sizeof(int64_t), compare);
	qsort(s->clock_err_ns, s->err_len, sizeof(int64_t), compare);
	if (s->err_len) {
		s->res->p50_ns = s->err_ns[s->err_len / 2];
		s->res->max_ns = s->err_ns[s->err_len - 1];
		s->res->rms_ns = sqrt(s->sum2_ns2 / (double)s->err_len);
		s->res->oracle_rms_ns = sqrt(s->oracle_sum2_ns2 / (double)s->err_len);
		s->res->clock_p50_ns = s->clock_err_ns[s->err_len / 2];
		s->res->clock_max_ns = s->clock_err_ns[s->err_len - 1];
	}
	for (i = 0; i < s->conf->servers_len; i++)
		if (engine_get_source(s->engine, i, &c, &r))
			s->res->states[i] = r.state;
	engine_get_report(s->engine, &c, &s->res->report);
	s->res->freq_err_ppb = s->res->report.freq_ppb - s->freq_ppb;
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
	res->hash = 0xcbf29ce484222325ULL;
	s->conf = conf;
	s->res = res;
	s->rng = conf->engine.seed * 2 + 1;
	s->freq_ppb = conf->freq_ppb;
	s->local_ns = LOCAL_START_NS;
	oracle_init(&s->oracle, conf->wander_ppb);
	s->clock_seq = 1;
	s->real_ns = utc(s, 0) - conf->offset_ns;
	s->err_ns = malloc(sizeof(int64_t) * SIM_MAX_SAMPLES);
	s->clock_err_ns = malloc(sizeof(int64_t) * SIM_MAX_SAMPLES);
	s->engine = engine_init(mem, SIM_MAX_SERVERS, &conf->engine);
	start(s);
	post(s, NTP_NS_PER_S, SIM_SECOND);
	while (s->t_ns < conf->duration_s * NTP_NS_PER_S) {
		e = take(s);
		handle(s, &e);
	}
	finish(s);
	free(s->err_ns);
	free(s->clock_err_ns);
	free(mem);
	free(s);
}
