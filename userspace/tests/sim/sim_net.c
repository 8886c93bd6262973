// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The simulator's network and servers, see sim.h.
 */
#include "sim_priv.h"

#include <math.h>
#include <string.h>

#define SERVER_NS	20000		/* from receive to transmit */
#define PARETO		1.5
#define PARETO_MAX	1000.0
#define FORGED_NS	(10 * NTP_NS_PER_S)

static bool passes(struct sim *s, uint32_t source)
{
	int64_t t_s = s->t_ns / NTP_NS_PER_S;

	if (sim_unit(s) < s->conf->servers[source].loss)
		return false;
	if (t_s >= s->conf->servers[source].gone_from_s && t_s < s->conf->servers[source].gone_to_s)
		return false;
	return t_s < s->conf->outage_from_s || t_s >= s->conf->outage_to_s;
}

static double spike(struct sim *s)
{
	if (!s->conf->heavy_tail)
		return -log(sim_unit(s));
	return fmin(pow(sim_unit(s), -1 / PARETO) - 1, PARETO_MAX);
}

/* What a packet waits on its way, on top of the least delay. */
static int64_t queue(struct sim *s, bool back)
{
	const struct sim_conf *c = s->conf;
	int64_t t_s = s->t_ns / NTP_NS_PER_S;
	double ns = -log(sim_unit(s)) *
		    (double)(back && c->jitter_back_ns ? c->jitter_back_ns : c->jitter_ns);

	if (!back && c->busy_ns && t_s % 3600 < c->busy_s)
		ns += -log(sim_unit(s)) * (double)c->busy_ns;

	if (s->conf->spike_p > 0 && sim_unit(s) < s->conf->spike_p)
		ns += spike(s) * (double)c->spike_ns;
	return (int64_t)ns;
}

/* A virtual machine may not run when it should take a stamp. */
static int64_t stamp_err_ns(struct sim *s)
{
	double ns = (2 * sim_unit(s) - 1) * STAMP_ERR_NS;

	if (s->conf->steal_p > 0 && sim_unit(s) < s->conf->steal_p)
		ns += -log(sim_unit(s)) * (double)s->conf->steal_ns;
	return (int64_t)ns;
}

/* The least delay of a request. */
static int64_t out_ns(const struct sim *s)
{
	const struct sim_conf *c = s->conf;
	int64_t t_s = s->t_ns / NTP_NS_PER_S;

	return c->delay_ns + c->asymmetry_ns +
	       (t_s >= c->route_from_s && t_s < c->route_to_s ? c->route_ns : 0);
}

void sim_send(struct sim *s, const struct action *a)
{
	struct event ev = { .type = EV_SENT, .source = a->source };
	struct sim_event *e = NULL;
	int64_t err_ns;

	s->res->requests++;
	if (passes(s, a->source)) {
		int64_t queue_ns = queue(s, false);

		e = sim_post(s, s->t_ns + out_ns(s) + queue_ns, SIM_AT_SERVER);
		e->queue_ns[0] = queue_ns;
		e->out_ns = out_ns(s);
		e->source = a->source;
		e->packet = a->send.packet;
	}
	err_ns = stamp_err_ns(s);
	/* what is stolen before the request leaves makes T1 early */
	err_ns = err_ns > STAMP_ERR_NS ? -err_ns : err_ns;
	if (e)
		e->stamp_ns[0] = err_ns;
	ev.now = sim_clocks(s);
	ev.sent.cookie = a->send.cookie;
	ev.sent.t1_local_ns = sim_stamp_ns(s, err_ns);
	ev.sent.t1_err_ns = STAMP_ERR_NS;
	sim_feed(s, &ev);
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

/* What is wrong with a server's clock now. */
static int64_t wrong_ns(const struct sim *s, const struct sim_server *v)
{
	int64_t t_s = s->t_ns / NTP_NS_PER_S;

	if (v->jump_s && t_s / v->jump_s % 2)
		return 0;
	return v->false_ns + (int64_t)((double)s->t_ns * v->drift_ppb * 1e-9);
}

static int64_t read_server_ns(const struct sim *s, const struct sim_server *v, int64_t later_ns)
{
	int64_t ns = sim_utc(s, s->t_ns) + wrong_ns(s, v) + later_ns;

	return s->conf->quantum_ns ? ns - ns % s->conf->quantum_ns : ns;
}

static void kiss(struct ntp_header *reply, uint32_t code)
{
	reply->lvm = ntp_lvm(NTP_LEAP_UNSYNC, 4, NTP_MODE_SERVER);
	reply->stratum = 0;
	reply->refid = ntp_htobe32(code);
}

static void limit(struct sim *s, const struct sim_event *e, struct ntp_header *reply)
{
	const struct sim_server *v = &s->conf->servers[e->source];
	int64_t since_ns = s->t_ns - s->asked_ns[e->source];

	if (v->deny_at_s && s->t_ns >= v->deny_at_s * NTP_NS_PER_S)
		kiss(reply, 0x44454e59);
	else if (v->rate_s && s->asked_ns[e->source] && since_ns < v->rate_s * NTP_NS_PER_S)
		kiss(reply, 0x52415445);
	s->asked_ns[e->source] = s->t_ns;
}

static void forge(struct sim *s, uint32_t source, const struct ntp_header *packet)
{
	struct sim_event *e = sim_post(s, s->t_ns + s->conf->delay_ns / 2, SIM_REPLY);

	e->source = source;
	e->packet = *packet;
	e->forged = true;
}

/*
 * Somebody off the path, who has seen earlier packets but not this request:
 * the reply before once more, one with a time of his own, one that denies.
 */
static void attack(struct sim *s, uint32_t source, const struct ntp_header *reply)
{
	struct ntp_header p = *reply;

	if (s->replay[source].lvm)
		forge(s, source, &s->replay[source]);
	s->replay[source] = *reply;
	p.org_ts = ntp_htobe64(sim_rnd(s));
	p.rec_ts = ntp_htobe64(ntp64_from_unix_ns(sim_utc(s, s->t_ns) + FORGED_NS));
	p.xmt_ts = p.rec_ts;
	forge(s, source, &p);
	kiss(&p, 0x44454e59);
	forge(s, source, &p);
	p.org_ts = 0;
	forge(s, source, &p);
}

void sim_at_server(struct sim *s, struct sim_event *e)
{
	const struct sim_server *v = &s->conf->servers[e->source];
	int64_t clock_ns = read_server_ns(s, v, 0);
	struct sim_event *r;
	int64_t queue_ns;

	if (!passes(s, e->source))
		return;
	queue_ns = queue(s, true);
	r = sim_post(s, s->t_ns + SERVER_NS + v->lag_ns + s->conf->delay_ns + queue_ns, SIM_REPLY);
	r->queue_ns[0] = e->queue_ns[0];
	r->stamp_ns[0] = e->stamp_ns[0];
	r->out_ns = e->out_ns;
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
	r->packet.xmt_ts = ntp_htobe64(ntp64_from_unix_ns(read_server_ns(s, v, SERVER_NS)));
	limit(s, e, &r->packet);
	if (s->conf->attack)
		attack(s, e->source, &r->packet);
	if (v->lag_ns)
		interleave(s, e, &r->packet, clock_ns + SERVER_NS + v->lag_ns);
}

/* What the oracle and the plain filter are told: the same sample, its truth apart. */
static void compare(struct sim *s, const struct sim_event *e, int64_t t4_err_ns)
{
	double excess_ns = (double)(e->queue_ns[0] + e->queue_ns[1]);
	double err_ns = (double)(e->queue_ns[0] - e->queue_ns[1] - e->stamp_ns[0] - t4_err_ns) / 2;
	double bias_ns = (double)(e->out_ns - s->conf->delay_ns) / 2;

	oracle_learn(&s->oracle, sim_lead_ns(s) + err_ns, excess_ns, STAMP_ERR_NS);
	rfc5905_learn(&s->rfc, e->source, sim_lead_ns(s) + err_ns + bias_ns,
		      2 * (double)s->conf->delay_ns + excess_ns + 2 * bias_ns,
		      (double)s->t_ns * 1e-9);
}

void sim_at_client(struct sim *s, const struct sim_event *e)
{
	struct event ev = { .type = EV_REPLY, .source = e->source };
	const struct sim_server *v = &s->conf->servers[e->source];
	int64_t err_ns = stamp_err_ns(s);

	if (!e->forged && e->packet.stratum && !v->false_ns && v->drift_ppb == 0)
		compare(s, e, err_ns);
	ev.reply.data = &e->packet;
	ev.reply.len = sizeof(e->packet);
	ev.reply.t4_local_ns = sim_stamp_ns(s, err_ns);
	ev.reply.t4_err_ns = STAMP_ERR_NS;
	sim_feed(s, &ev);
}
