// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The line through the readings of a network interface's clock: of those with the
 * tightest brackets the median of the slopes (Theil and Sen), then the median of
 * what is left.  Its bound is the worst of bracket and distance together, which
 * holds wherever the clock was read within the bracket.  Pure; no locking.
 */
#include "core/phc.h"

#include <math.h>
#include <string.h>
#include <ntpk/ntp_math.h>
#include "core/sort.h"

#define NS_PER_S	1000000000.0
/* What a crystal may do between two readings, and the rounding of the clocks. */
#define STEADY_NS	200
#define STEADY_PPB	100
/* How the frequency of a crystal wanders while a map holds. */
#define WANDER_PPB	20
/* No oscillator is that wrong: the clock was stepped. */
#define RATE_MAX	1e-3
/* A map holds for so many periods: some readings may be missed. */
#define VALID_PERIODS	4

#define PAIRS_MAX	(PHC_SAMPLES * (PHC_SAMPLES - 1) / 2)
#define Q48		281474976710656.0

static bool tighter(const void *a, const void *b)
{
	return ((const struct phc_sample *)a)->half_ns < ((const struct phc_sample *)b)->half_ns;
}

static bool less(const void *a, const void *b)
{
	return *(const double *)a < *(const double *)b;
}

static double median(double *v, size_t n)
{
	sort_heap(v, n, sizeof(*v), less);
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

/* What RAW gains on the clock between two readings. */
static double gain_ns(const struct phc_sample *from, const struct phc_sample *to)
{
	return (double)((to->raw_ns - from->raw_ns) - (to->phc_ns - from->phc_ns));
}

static double span_ns(const struct phc_sample *from, const struct phc_sample *to)
{
	return (double)(to->phc_ns - from->phc_ns);
}

/* The readings that count, in no order; at least PHC_SAMPLES_MIN. */
static size_t tightest(const struct phc *p, struct phc_sample *out)
{
	size_t n = p->len / 2;

	memcpy(out, p->of, p->len * sizeof(*out));
	sort_heap(out, p->len, sizeof(*out), tighter);
	return n < PHC_SAMPLES_MIN ? PHC_SAMPLES_MIN : n;
}

/* How far the readings that count reach. */
static double width_ns(const struct phc_sample *s, size_t n)
{
	double least = 0, most = 0;
	size_t i;

	for (i = 1; i < n; i++) {
		least = fmin(least, span_ns(&s[0], &s[i]));
		most = fmax(most, span_ns(&s[0], &s[i]));
	}
	return most - least;
}

/* Median of the slopes; pairs that are close together say little. */
static double slope(const struct phc_sample *s, size_t n, double width)
{
	double of[PAIRS_MAX];
	size_t i, j, k = 0;

	for (i = 0; i < n; i++) {
		for (j = 0; j < i; j++) {
			double span = span_ns(&s[j], &s[i]);

			if (fabs(span) >= width / 3)
				of[k++] = gain_ns(&s[j], &s[i]) / span;
		}
	}
	return median(of, k);
}

/* A line through @ref's place: what it misses each reading by goes into @left. */
static void residuals(const struct phc_sample *s, size_t n, const struct phc_sample *ref,
		      double rate, double *left)
{
	size_t i;

	for (i = 0; i < n; i++)
		left[i] = gain_ns(ref, &s[i]) - rate * span_ns(ref, &s[i]);
}

static uint32_t to_u32(double v)
{
	return v >= UINT32_MAX ? UINT32_MAX : (uint32_t)ceil(v);
}

static void fit(struct phc *p)
{
	const struct phc_sample *last = &p->of[p->len - 1];
	struct phc_sample s[PHC_SAMPLES];
	size_t i, n = tightest(p, s);
	double left[PHC_SAMPLES], sorted[PHC_SAMPLES];
	double width = width_ns(s, n), rate = slope(s, n, width);
	double at, skew, bound = 0, away = INFINITY;

	residuals(s, n, last, rate, left);
	memcpy(sorted, left, n * sizeof(*left));
	at = median(sorted, n);
	for (i = 0; i < n; i++) {
		bound = fmax(bound, (double)s[i].half_ns + fabs(left[i] - at));
		away = fmin(away, span_ns(&s[i], last));
	}
	skew = 2 * bound / width + WANDER_PPB / NS_PER_S;
	p->map.phc_ns = last->phc_ns;
	p->map.raw_ns = last->raw_ns + llrint(at);
	p->map.rate_q48 = llrint(rate * Q48);
	/* the last of those that count may be some time ago */
	p->map.err_ns = to_u32(bound + away * skew);
	p->map.skew_ppb = to_u32(skew * NS_PER_S);
	p->map.valid_until_ns = last->raw_ns + VALID_PERIODS * p->period_ns;
	p->has_map = true;
}

/* Could a steady clock read this, after what it has read before? */
static bool continues(const struct phc *p, const struct phc_sample *s)
{
	const struct phc_sample *last = &p->of[p->len - 1];
	double span = span_ns(last, s), ran = (double)(s->raw_ns - last->raw_ns), missed, bound;

	if (fabs(gain_ns(last, s)) >
	    RATE_MAX * ran + (double)(s->half_ns + last->half_ns) + STEADY_NS)
		return false;
	if (!p->has_map)
		return true;
	missed = (double)((s->raw_ns - p->map.raw_ns) - (s->phc_ns - p->map.phc_ns)) -
		 (double)p->map.rate_q48 / Q48 * span;
	bound = (double)s->half_ns + p->map.err_ns + STEADY_NS +
		(p->map.skew_ppb + STEADY_PPB) / NS_PER_S * span;
	return fabs(missed) <= bound;
}

void phc_forget(struct phc *p)
{
	p->len = 0;
	p->has_map = false;
}

/* Too soon after the last, or too vague. */
static bool says_nothing(const struct phc *p, const struct phc_sample *s)
{
	int64_t ran_ns = p->len ? s->raw_ns - p->of[p->len - 1].raw_ns : p->period_ns;

	return s->half_ns > PHC_HALF_MAX_NS || (ran_ns >= 0 && ran_ns < p->period_ns / 2);
}

enum phc_news phc_add(struct phc *p, const struct phc_sample *s)
{
	bool jumped, had = p->has_map;

	if (says_nothing(p, s))
		return PHC_NOTHING;
	jumped = p->len && !continues(p, s);
	if (jumped)
		phc_forget(p);
	if (p->len == PHC_SAMPLES)
		memmove(p->of, p->of + 1, --p->len * sizeof(p->of[0]));
	p->of[p->len++] = *s;
	if (jumped)
		return had ? PHC_JUMPED : PHC_LEARNING;
	if (p->len < PHC_SAMPLES_MIN)
		return PHC_LEARNING;
	fit(p);
	return PHC_MAP;
}

bool phc_to_raw(const struct ntp_phc *m, int64_t phc_ns, int64_t *raw_ns, int64_t *err_ns)
{
	__s64 raw;
	__u32 bound;

	if (!ntp_phc_to_raw(m, phc_ns, &raw, &bound) || raw > m->valid_until_ns)
		return false;
	*raw_ns = raw;
	/* that bound, with the rounding of what is reported */
	*err_ns = phc_err_ns(m, phc_ns - m->phc_ns);
	return true;
}

int64_t phc_err_ns(const struct ntp_phc *m, int64_t away_ns)
{
	return m->err_ns + (away_ns < 0 ? -away_ns : away_ns) / 1000 * m->skew_ppb / 1000000 + 1;
}

double phc_gain_ppb(const struct ntp_phc *m)
{
	return -(double)m->rate_q48 / Q48 * NS_PER_S;
}
