// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz target: any bytes as the requests of one client.  Beyond what the sanitizers see:
 * every request counts, the points are a hull where they shall be one, a client without a
 * clock has no error, and every number is one, with an uncertainty that is stated.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "ctl/client_view.h"
#include "fuzz.h"

/* struct step - 24 bytes are one request, and how it differs from the one before */
struct step {
	uint64_t t1;
	uint32_t later;
	uint32_t head;
	uint32_t org;
	uint8_t	later_log2ns;
	uint8_t	kind;
	uint8_t	verdict;
	uint8_t	step_gen;
} __attribute__((packed));

/* Most of them near to something that means a time. */
static uint64_t t1_of(const struct step *s, const struct ntp_client_req *q)
{
	int64_t off = (int64_t)s->t1 >> (s->kind >> 3);

	switch (s->kind & 7) {
	case 0:
		return s->t1;
	case 1:
		return q->t2 - (NTP_UNIX_EPOCH_S << 32) + (uint64_t)off;
	case 2:
		return q->t1;
	case 3:
		return (NTP_UNIX_EPOCH_S << 32) + (uint64_t)off;
	case 4:
		return (q->t2 + (uint64_t)off) & ~0xffffffffULL;
	default:
		return q->t2 + (uint64_t)off;
	}
}

static void next(struct ntp_client_req *q, const struct step *s)
{
	uint64_t dt = (uint64_t)s->later << s->later_log2ns % 24;

	q->now_ns += (int64_t)dt;
	q->t2 += ((dt / 1000000000) << 32) + (dt % 1000000000) * 4;
	q->org = s->org ? q->t2 - s->org * 1000ULL : 0;
	q->rec = s->org ? q->org + s->t1 % (1ULL << 34) : 0;
	q->t1 = t1_of(s, q);
	q->head = s->head;
	q->verdict = s->verdict % (NTP_CLIENT_DENIED + 1);
	/* now and then */
	q->step_gen = s->step_gen >> 6;
	if (!(s->verdict >> 5))
		q->t2 = s->t1;
}

static void check_hull(const struct ntp_client_record *r)
{
	const struct ntp_client_point *p = r->rest.point;
	const struct ntp_client *c = &r->client;

	if (!c->points)
		abort();
	for (unsigned int i = 1; i < c->points; i++) {
		/* products of differences fit into 64 bits */
		if (p[i].x == p[i - 1].x || p[i].x - p[0].x >= 1U << 30)
			abort();
		if (i > 1 && ((double)p[i].d - p[i - 1].d) * (p[i - 1].x - p[i - 2].x) >=
			     ((double)p[i - 1].d - p[i - 2].d) * (p[i].x - p[i - 1].x))
			abort();
	}
}

static void check_view(const struct ntp_client_record *r, int64_t now_ns)
{
	struct client_view v;

	client_view(&v, r, now_ns, NULL);
	if (!v.t1 || !v.quirk || !v.clock || !strcmp(v.quirk, "unknown") ||
	    !strcmp(v.t1, "unknown"))
		abort();
	if (v.has_error != ntp_client_has_clock(&r->client) || (v.has_drift && !v.has_error))
		abort();
	if (!isfinite(v.error_ns) || !isfinite(v.drift_ppb) || !(v.error_unc_ns >= 0) ||
	    !(v.drift_unc_ppb >= 0) || !isfinite(v.interval_ns))
		abort();
	if (v.has_drift &&
	    !(v.drift_unc_ppb > 0 && v.drift_unc_ppb <= CLIENT_VIEW_DRIFT_UNC_MAX_PPB))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ntp_client_req q = { .now_ns = 1000000000000, .t2 = 0xee00000000000000ULL };
	struct ntp_client_record r;
	struct ntp_client *c = &r.client;
	struct step s;

	ntp_client_init(c, &r.rest);
	/* ticks are told apart for so long */
	for (; size >= sizeof(s) && q.now_ns < 1LL << 57; size -= sizeof(s), data += sizeof(s)) {
		uint32_t requests = c->requests;

		memcpy(&s, data, sizeof(s));
		next(&q, &s);
		if (s.step_gen & 1 || !ntp_client_skim(c, q.now_ns, q.verdict))
			ntp_client_update(c, &r.rest, &q);
		if (c->requests != requests + 1 || c->dropped > c->requests ||
		    c->points > NTP_CLIENT_POINTS || ntp_client_follows(c) > NTP_CLIENT_FOLLOWS)
			abort();
		if (ntp_client_has_clock(c) && ntp_client_follows(c) != NTP_CLIENT_FOLLOWS)
			check_hull(&r);
		check_view(&r, q.now_ns);
	}
	return 0;
}
