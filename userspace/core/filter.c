// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The clock filter, see filter.h.  Pure, no locking.
 */
#include "filter.h"

#include <math.h>

#define TREND_SAMPLES	4

void filter_flush(struct filter *f)
{
	f->len = 0;
	f->next = 0;
}

void filter_add(struct filter *f, const struct filter_sample *s)
{
	f->s[f->next] = *s;
	f->next = (f->next + 1) % FILTER_STAGES;
	if (f->len < FILTER_STAGES)
		f->len++;
}

void filter_shift(struct filter *f, int64_t shift_ns)
{
	unsigned int i;

	for (i = 0; i < f->len; i++)
		f->s[i].mid_unix_ns += shift_ns;
}

int64_t filter_offset_ns(const struct filter_sample *s, const struct estimate *line)
{
	return s->mid_unix_ns - est_at(line, s->mid_local_ns);
}

static double aged_ns(const struct filter_sample *s, int64_t local_ns, double phi_ppb)
{
	double age_ns = (double)(local_ns - s->mid_local_ns);

	return (double)s->err_ns + fmax(age_ns, 0) * phi_ppb * 1e-9;
}

/* RFC 5905 section 10: least delay / 2 + dispersion, the younger when equal. */
static const struct filter_sample *best(const struct filter *f, int64_t local_ns, double phi_ppb)
{
	const struct filter_sample *b = &f->s[0];
	double d, least = INFINITY;
	unsigned int i;

	for (i = 0; i < f->len; i++) {
		d = (double)f->s[i].delay_ns / 2 + aged_ns(&f->s[i], local_ns, phi_ppb);
		if (d < least || (d == least && f->s[i].mid_local_ns > b->mid_local_ns)) {
			least = d;
			b = &f->s[i];
		}
	}
	return b;
}

/*
 * Scatter of the offsets about a straight line of their own, where there are
 * enough: while our frequency is still wrong all offsets drift alike, and that
 * is no jitter of the source.
 */
static double jitter_ns(const struct filter *f, const struct estimate *line,
			const struct filter_sample *b)
{
	double n = f->len, st = 0, sx = 0, stt = 0, stx = 0, sxx = 0, t, x;
	unsigned int i;

	if (f->len < 2)
		return 0;
	for (i = 0; i < f->len; i++) {
		t = (double)(f->s[i].mid_local_ns - b->mid_local_ns) * 1e-9;
		x = (double)(filter_offset_ns(&f->s[i], line) - filter_offset_ns(b, line));
		st += t;
		sx += x;
		stt += t * t;
		stx += t * x;
		sxx += x * x;
	}
	if (f->len < TREND_SAMPLES || stt - st * st / n <= 0)
		return sqrt(sxx / (n - 1));
	stx -= st * sx / n;
	sxx -= sx * sx / n + stx * stx / (stt - st * st / n);
	return sqrt(fmax(sxx, 0) / (n - 2));
}

void filter_eval(const struct filter *f, const struct estimate *line, int64_t local_ns,
		 double phi_ppb, struct filter_peer *out)
{
	static const struct filter_peer zero;
	const struct filter_sample *b;

	*out = zero;
	if (!f->len)
		return;
	b = best(f, local_ns, phi_ppb);
	out->samples = f->len;
	out->offset_ns = filter_offset_ns(b, line);
	out->delay_ns = b->delay_ns;
	out->disp_ns = (int64_t)ceil(aged_ns(b, local_ns, phi_ppb));
	out->jitter_ns = (int64_t)ceil(jitter_ns(f, line, b));
}
