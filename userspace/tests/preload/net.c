// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The network of the world, its NTP servers, and a client that asks us.
 */
#include "world_priv.h"

#include <math.h>
#include <string.h>
#include <ntpk/ntp_wire.h>

#define NTP_PORT	123
#define CLIENT_PORT	40123
#define CLIENT_START_S	100
#define CLIENT_EVERY_S	64
#define UNIX_1900_S	2208988800.0

/* on the wire as an offset from the start: a double holds nanoseconds of that */
static __be64 stamp(double since_start_s)
{
	double whole = floor(since_start_s);
	uint64_t s = (uint64_t)(whole + world.conf.start + UNIX_1900_S);

	return ntp_htobe64(s << 32 | (uint64_t)((since_start_s - whole) * 0x1p32));
}

static double unstamp(__be64 ts)
{
	uint64_t v = ntp_be64toh(ts);

	return (double)(v >> 32) - UNIX_1900_S - world.conf.start +
	       (double)(v & 0xffffffff) * 0x1p-32;
}

static double delay_s(void)
{
	double s = world.conf.delay - world.conf.jitter * log(world_unit(&world.net_rng));

	if (world.conf.spike_p > 0 && world_unit(&world.net_rng) < world.conf.spike_p)
		s -= world.conf.spike * log(world_unit(&world.net_rng));
	return s;
}

/* Kept in order of arrival; of two at the same instant the first sent is first. */
static void insert(struct world_packet *v, unsigned int *len, const struct world_packet *p)
{
	unsigned int i = *len;

	if (i == WORLD_PACKETS)
		world_fault("lets more than %d packets wait", WORLD_PACKETS);
	for (; i && v[i - 1].at_s > p->at_s; i--)
		v[i] = v[i - 1];
	v[i] = *p;
	++*len;
}

static void drop_first(struct world_packet *v, unsigned int *len)
{
	--*len;
	memmove(v, v + 1, *len * sizeof(*v));
}

static void travel(struct world_packet *p)
{
	p->at_s = world.true_s + delay_s();
	insert(world.on_way, &world.on_way_len, p);
}

void world_send(const struct world_packet *p)
{
	struct world_packet copy = *p;

	/* nothing leaves a world that has ended */
	if (world.ends)
		return;
	world.sent_pkts += p->to != WORLD_CLIENT;
	travel(&copy);
}

static void serve(const struct world_packet *q)
{
	struct world_packet r = { .from = q->to, .to = q->from, .src_port = q->dst_port,
				  .dst_port = q->src_port, .len = sizeof(struct ntp_header) };
	struct ntp_header req, h = { 0 };
	double clock_s = world.true_s;

	memcpy(&req, q->data, sizeof(req));
	if (q->len < sizeof(req) || ntp_lvm_mode(req.lvm) != NTP_MODE_CLIENT || q->dst_port != NTP_PORT)
		world_fault("sends what is no request");
	if (q->to <= world.conf.false_servers)
		clock_s += world.conf.false_s;
	h.lvm = ntp_lvm(NTP_LEAP_NONE, 4, NTP_MODE_SERVER);
	h.stratum = 1;
	h.poll_log2s = req.poll_log2s;
	h.precision_log2s = -25;
	/* "local stratum 1" of a real server */
	h.refid = ntp_htobe32(0x7f7f0101);
	h.ref_ts = stamp(floor(clock_s));
	h.org_ts = req.xmt_ts;
	h.rec_ts = stamp(clock_s);
	h.xmt_ts = stamp(clock_s);
	memcpy(r.data, &h, sizeof(h));
	travel(&r);
}

/* The answer's own stamps against true time: what the client would be told. */
static void learn(const struct world_packet *r)
{
	struct ntp_header h;

	memcpy(&h, r->data, sizeof(h));
	if (r->len < sizeof(h) || ntp_lvm_mode(h.lvm) != NTP_MODE_SERVER ||
	    ntp_lvm_leap(h.lvm) == NTP_LEAP_UNSYNC || r->src_port != NTP_PORT)
		return;
	world.answered_pkts++;
	/* it was sent when it arrived less its delay; T1 is in it */
	world.worst_answer_s = fmax(world.worst_answer_s,
				    fabs(unstamp(h.rec_ts) - unstamp(h.org_ts)));
}

void net_second(void)
{
	struct world_packet q = { .from = WORLD_CLIENT, .to = WORLD_SELF, .src_port = CLIENT_PORT,
				  .dst_port = NTP_PORT, .len = sizeof(struct ntp_header) };
	struct ntp_header h = { 0 };

	if (!world.conf.clients || world.true_s < CLIENT_START_S ||
	    fmod(world.true_s, CLIENT_EVERY_S) != 0)
		return;
	q.at_s = world.true_s + delay_s();
	h.lvm = ntp_lvm(NTP_LEAP_NONE, 4, NTP_MODE_CLIENT);
	/* when it will be here, in true time: T2 should say just that */
	h.xmt_ts = stamp(q.at_s);
	memcpy(q.data, &h, sizeof(h));
	world.asked_pkts++;
	insert(world.on_way, &world.on_way_len, &q);
}

void net_arrivals(void)
{
	while (world.on_way_len && world.on_way[0].at_s <= world.true_s + 1e-12) {
		struct world_packet p = world.on_way[0];

		drop_first(world.on_way, &world.on_way_len);
		if (p.to == WORLD_SELF)
			insert(world.here, &world.here_len, &p);
		else if (p.to == WORLD_CLIENT)
			learn(&p);
		else if (p.to >= 1 && p.to <= world.conf.servers)
			serve(&p);
		else
			world_fault("sends to node %u, which is not there", p.to);
	}
}

double net_next_s(void)
{
	return world.on_way_len ? world.on_way[0].at_s : INFINITY;
}

const struct world_packet *world_head(void)
{
	return world.here_len ? &world.here[0] : NULL;
}

void world_pop(void)
{
	drop_first(world.here, &world.here_len);
}
