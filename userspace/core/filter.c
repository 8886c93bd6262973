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

/* Sums over the samples: t seconds and x nanoseconds of offset from one of them. */
struct sums {
	double n, st, sx, stt, stx, sxx;
};

static void sum_up(const struct filter *f, const struct estimate *line,
		   const struct filter_sample *from, struct sums *m)
{
	int64_t from_ns = filter_offset_ns(from, line);
	unsigned int i;
	double t, x;

	*m = (struct sums){ .n = f->len };
	for (i = 0; i < f->len; i++) {
		t = (double)(f->s[i].mid_local_ns - from->mid_local_ns) * 1e-9;
		x = (double)(filter_offset_ns(&f->s[i], line) - from_ns);
		m->st += t;
		m->sx += x;
		m->stt += t * t;
		m->stx += t * x;
		m->sxx += x * x;
	}
}

/*
 * Scatter of the offsets about a straight line of their own, where there are
 * enough: while our frequency is still wrong all offsets drift alike, and that
 * is no jitter of the source.
 */
static double jitter_ns(const struct filter *f, const struct estimate *line,
			const struct filter_sample *b)
{
	struct sums m;

	if (f->len < 2)
		return 0;
	sum_up(f, line, b, &m);
	if (f->len < TREND_SAMPLES || m.stt - m.st * m.st / m.n <= 0)
		return sqrt(m.sxx / (m.n - 1));
	m.stx -= m.st * m.sx / m.n;
	m.sxx -= m.sx * m.sx / m.n + m.stx * m.stx / (m.stt - m.st * m.st / m.n);
	return sqrt(fmax(m.sxx, 0) / (m.n - 2));
}

void filter_trend(const struct filter *f, const struct estimate *line, struct filter_trend *out)
{
	static const struct filter_trend zero;
	int64_t first_ns, last_ns;
	struct sums m;
	unsigned int i;
	double rest;

	*out = zero;
	if (f->len < 2)
		return;
	first_ns = last_ns = f->s[0].mid_local_ns;
	for (i = 1; i < f->len; i++) {
		first_ns = f->s[i].mid_local_ns < first_ns ? f->s[i].mid_local_ns : first_ns;
		last_ns = f->s[i].mid_local_ns > last_ns ? f->s[i].mid_local_ns : last_ns;
	}
	out->span_ns = last_ns - first_ns;
	sum_up(f, line, &f->s[0], &m);
	m.stt -= m.st * m.st / m.n;
	m.stx -= m.st * m.sx / m.n;
	m.sxx -= m.sx * m.sx / m.n;
	if (m.stt <= 0)
		return;
	out->freq_ppb = m.stx / m.stt;
	if (f->len < 3)
		return;
	rest = fmax(m.sxx - m.stx * m.stx / m.stt, 0) / (m.n - 2);
	out->sd_ns = sqrt(rest);
	out->freq_sd_ppb = sqrt(rest / m.stt);
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
	out->age_ns = local_ns > b->mid_local_ns ? local_ns - b->mid_local_ns : 0;
	out->delay_ns = b->delay_ns;
	out->disp_ns = (int64_t)ceil(aged_ns(b, local_ns, phi_ppb));
	out->jitter_ns = (int64_t)ceil(jitter_ns(f, line, b));
}
