// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The plain filter, see rfc5905.h.
 */
#include "rfc5905.h"

#include <math.h>

/* A.1.1 of RFC 5905 */
#define PHI_PPB		15000.0
#define PLL		16.0
#define FLL		18.0	/* FLL + 1 - poll exponent ... */
#define AVG		8.0	/* ... but not below this */
#define ALLAN_S		1500.0
#define STEP_NS		128e6
#define WATCH_S		900.0
#define PGATE		4.0
#define LIMIT		30
#define MAX_FREQ_PPB	500000.0

void rfc5905_init(struct rfc5905 *r, int min_poll, int max_poll)
{
	static const struct rfc5905 zero;

	*r = zero;
	r->poll = r->min_poll = min_poll;
	r->max_poll = max_poll;
}

/* A.5.6.1: each second a part of what is left. */
void rfc5905_advance(struct rfc5905 *r, double secs)
{
	double part = fmin(secs / (PLL * exp2(r->poll)), 1) * r->left_ns;

	r->x_ns += secs * r->freq_ppb + part;
	r->left_ns -= part;
}

/* The stage of the least delay / 2 + dispersion. */
static const struct rfc5905_sample *best(const struct rfc5905 *r, unsigned int source, double t_s)
{
	const struct rfc5905_sample *b = 0, *p;
	double least = INFINITY, d;
	unsigned int i;

	for (i = 0; i < RFC5905_STAGES && i < r->src[source].len; i++) {
		p = &r->src[source].stage[i];
		d = p->delay_ns / 2 + PHI_PPB * (t_s - p->t_s);
		if (d < least) {
			least = d;
			b = p;
		}
	}
	return b;
}

/* A.5.5.5: the sources' best offsets, weighted by root distance. */
static double combine(const struct rfc5905 *r, double t_s)
{
	const struct rfc5905_sample *p;
	double sum = 0, weight = 0, w;
	unsigned int i;

	for (i = 0; i < RFC5905_SOURCES; i++) {
		p = best(r, i, t_s);
		if (!p)
			continue;
		w = 1 / (p->delay_ns / 2 + PHI_PPB * (t_s - p->t_s) + 1);
		sum += w * p->offset_ns;
		weight += w;
	}
	return sum / weight;
}

static void step(struct rfc5905 *r, double offset_ns, double t_s)
{
	unsigned int i;

	r->x_ns += offset_ns;
	r->left_ns = 0;
	for (i = 0; i < RFC5905_SOURCES; i++)
		r->src[i].len = 0;
	r->start_s = t_s;
	r->update_s = t_s;
	r->set = true;
}

static void loop(struct rfc5905 *r, double offset_ns, double mu_s)
{
	double poll_s = exp2(r->poll), was_ns = r->left_ns;

	if (poll_s > ALLAN_S / 2)
		r->freq_ppb += (offset_ns - was_ns) /
			       (fmax(mu_s, ALLAN_S) * fmax(FLL + 1 - r->poll, AVG));
	r->freq_ppb += offset_ns * fmin(mu_s, poll_s) / (4 * PLL * poll_s * 4 * PLL * poll_s);
	r->left_ns = offset_ns;
}

static void adapt(struct rfc5905 *r, double offset_ns)
{
	double d = offset_ns - r->last_ns;

	r->jitter_ns = sqrt(r->jitter_ns * r->jitter_ns + (d * d - r->jitter_ns * r->jitter_ns) / 4);
	r->last_ns = offset_ns;
	if (fabs(offset_ns) < PGATE * r->jitter_ns)
		r->count += r->poll;
	else
		r->count -= 2 * r->poll;
	if (r->count > LIMIT && r->poll < r->max_poll)
		r->poll++;
	else if (r->count < -LIMIT && r->poll > r->min_poll)
		r->poll--;
	else if (r->count <= LIMIT && r->count >= -LIMIT)
		return;
	r->count = 0;
}

/* A.5.5.6 */
static void local_clock(struct rfc5905 *r, double offset_ns, double t_s)
{
	if (!r->set || fabs(offset_ns) > STEP_NS) {
		if (!r->set || t_s - r->update_s > WATCH_S)
			step(r, offset_ns, t_s);
		return;
	}
	if (!r->locked) {
		if (t_s - r->start_s < WATCH_S)
			return;
		r->freq_ppb += offset_ns / (t_s - r->start_s);
		r->locked = true;
		r->left_ns = offset_ns;
	} else {
		loop(r, offset_ns, t_s - r->update_s);
	}
	adapt(r, offset_ns);
	r->freq_ppb = fmax(-MAX_FREQ_PPB, fmin(MAX_FREQ_PPB, r->freq_ppb));
	r->update_s = t_s;
}

void rfc5905_learn(struct rfc5905 *r, unsigned int source, double lead_ns, double delay_ns,
		   double t_s)
{
	unsigned int at = r->src[source].len++ % RFC5905_STAGES;
	const struct rfc5905_sample *b;

	r->src[source].stage[at] = (struct rfc5905_sample){ lead_ns - r->x_ns, delay_ns, t_s };
	b = best(r, source, t_s);
	/* A.5.2: only what is younger than what was used before */
	if (b->t_s <= r->src[source].used_s)
		return;
	r->src[source].used_s = b->t_s;
	local_clock(r, combine(r, t_s), t_s);
}
