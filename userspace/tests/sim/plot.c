// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One simulated run as SVG on stdout: error and what was claimed of it,
 * frequency, poll interval, the sources' states.
 *
 *	plot SCENARIO [SEED [SECONDS]]
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "scenarios.h"

#define COLUMNS		1000
#define LEFT		80
#define WIDTH		(LEFT + COLUMNS + 20)
#define PANEL		170
#define GAP		34
#define STRIP		16
#define FROM_NS		10.0		/* bottom of the logarithmic panel */

/* struct column - what happened within one column of pixels */
struct column {
	bool	 seen, served;
	double	 err_lo, err_hi, abs_hi, est, dist, freq, freq_est;
	int8_t	 poll_log2s;
	enum source_state state[SIM_MAX_SERVERS];
};

static struct column columns[COLUMNS];
static const struct sim_conf *conf;

static const char *colour(enum source_state s)
{
	switch (s) {
	case SRC_SYSPEER:	return "#1a7f37";
	case SRC_SURVIVOR:	return "#7bc47f";
	case SRC_OUTLIER:	return "#d9c21f";
	case SRC_FALSETICKER:	return "#cc3322";
	case SRC_NO_MAJORITY:	return "#dd8800";
	case SRC_NEW:		return "#dddddd";
	default:		return "#888888";
	}
}

static void take(void *ctx, const struct sim_point *p)
{
	struct column *c = &columns[p->t_s * COLUMNS / (conf->duration_s + 1)];
	unsigned int i;

	(void)ctx;
	c->err_lo = c->served ? fmin(c->err_lo, p->err_ns) : p->err_ns;
	c->err_hi = c->served ? fmax(c->err_hi, p->err_ns) : p->err_ns;
	c->abs_hi = fmax(c->served ? c->abs_hi : 0, fabs(p->err_ns));
	c->served |= p->valid;
	c->seen = true;
	c->est = (double)p->report.est_error_ns;
	c->dist = p->dist_ns;
	c->freq = p->freq_ppb;
	c->freq_est = p->report.freq_ppb;
	c->poll_log2s = p->sources[0].poll_log2s;
	for (i = 0; i < conf->servers_len; i++)
		c->state[i] = p->sources[i].state;
}

/* A panel: values from @lo at its bottom to @hi at its top. */
struct panel {
	double top, lo, hi;
};

static double y_of(const struct panel *p, double v)
{
	v = fmax(p->lo, fmin(p->hi, v));
	return p->top + PANEL * (p->hi - v) / (p->hi - p->lo);
}

static double log_of(double ns)
{
	return log10(fmax(ns, FROM_NS));
}

static void open_panel(const struct panel *p, const char *title)
{
	printf("<text x='%d' y='%.0f'>%s</text>\n<rect x='%d' y='%.0f' width='%d' height='%d' "
	       "fill='none' stroke='#999'/>\n", LEFT, p->top - 6, title, LEFT, p->top, COLUMNS, PANEL);
}

static void tick(const struct panel *p, double v, const char *label)
{
	printf("<text x='%d' y='%.1f' text-anchor='end'>%s</text>\n<line x1='%d' x2='%d' y1='%.1f' "
	       "y2='%.1f' stroke='#e4e4e4'/>\n", LEFT - 6, y_of(p, v) + 4, label, LEFT,
	       LEFT + COLUMNS, y_of(p, v), y_of(p, v));
}

static double get(const struct column *c, size_t at)
{
	return *(const double *)((const char *)c + at);
}

/* Field @at of struct column, in a line that is broken where nothing is served. */
static void line(const struct panel *p, size_t at, double sign, bool logarithmic,
		 const char *stroke)
{
	bool open = false;
	unsigned int i;

	printf("<path fill='none' stroke='%s' d='", stroke);
	for (i = 0; i < COLUMNS; i++) {
		double v = sign * get(&columns[i], at);

		if (!columns[i].served) {
			open = false;
			continue;
		}
		printf("%c%u %.1f", open ? 'L' : 'M', LEFT + i, y_of(p, logarithmic ? log_of(v) : v));
		open = true;
	}
	printf("'/>\n");
}

static double largest(size_t at, double from)
{
	double v = from;
	unsigned int i;

	/* the start apart: it would flatten all the rest */
	for (i = COLUMNS / 10; i < COLUMNS; i++)
		if (columns[i].served)
			v = fmax(v, fabs(get(&columns[i], at)));
	return v;
}

static double plot_error(double top)
{
	double most = 1.1 * fmax(largest(offsetof(struct column, abs_hi), 1),
				 largest(offsetof(struct column, est), 1));
	struct panel p = { top, -most, most };
	char label[32];
	unsigned int i;

	open_panel(&p, "served time minus UTC, us; shaded: claimed est_error, one sigma");
	for (i = 0; i < COLUMNS; i++)
		if (columns[i].served)
			printf("<rect x='%u' y='%.1f' width='1' height='%.1f' fill='#cfe3f7'/>\n", LEFT + i,
			       y_of(&p, columns[i].est),
			       y_of(&p, -columns[i].est) - y_of(&p, columns[i].est));
	for (i = 0; i < 3; i++) {
		snprintf(label, sizeof(label), "%.3g", (i - 1.0) * most / 1.1e3);
		tick(&p, (i - 1.0) * most / 1.1, label);
	}
	line(&p, offsetof(struct column, err_lo), 1, false, "#0b5cad");
	line(&p, offsetof(struct column, err_hi), 1, false, "#0b5cad");
	return top + PANEL + GAP;
}

static double plot_claims(double top)
{
	static const char *const labels[] = { "10 ns", "100 ns", "1 us", "10 us", "100 us", "1 ms",
					      "10 ms", "100 ms", "1 s" };
	struct panel p = { top, 1, 9 };
	unsigned int i;

	open_panel(&p, "|error| (blue), est_error (green), root distance (red)");
	for (i = 0; i < sizeof(labels) / sizeof(labels[0]); i++)
		tick(&p, 1 + i, labels[i]);
	line(&p, offsetof(struct column, abs_hi), 1, true, "#0b5cad");
	line(&p, offsetof(struct column, est), 1, true, "#1a7f37");
	line(&p, offsetof(struct column, dist), 1, true, "#cc3322");
	return top + PANEL + GAP;
}

static double plot_freq(double top)
{
	struct panel p = { top, INFINITY, -INFINITY };
	char label[32];
	unsigned int i;

	for (i = COLUMNS / 10; i < COLUMNS; i++) {
		p.lo = fmin(p.lo, columns[i].freq);
		p.hi = fmax(p.hi, columns[i].freq);
	}
	p.lo -= 0.1 * (p.hi - p.lo) + 1;
	p.hi += 0.1 * (p.hi - p.lo) + 1;
	open_panel(&p, "frequency, ppb: true (grey), estimated (blue)");
	for (i = 0; i < 3; i++) {
		snprintf(label, sizeof(label), "%.0f", p.lo + i * (p.hi - p.lo) / 2);
		tick(&p, p.lo + i * (p.hi - p.lo) / 2, label);
	}
	line(&p, offsetof(struct column, freq), 1, false, "#888888");
	line(&p, offsetof(struct column, freq_est), 1, false, "#0b5cad");
	return top + PANEL + GAP;
}

static double plot_sources(double top)
{
	unsigned int i, s, from;

	printf("<text x='%d' y='%.0f'>sources: system peer, survivor (green), outlier (yellow), "
	       "falseticker (red), no majority (orange), none or new (grey); poll of the first, "
	       "log2 s</text>\n", LEFT, top - 6);
	for (s = 0; s < conf->servers_len; s++) {
		printf("<text x='%d' y='%.0f' text-anchor='end'>%u</text>\n", LEFT - 6, top + 12, s + 1);
		for (i = 0; i < COLUMNS; i = from) {
			for (from = i; from < COLUMNS && columns[from].state[s] == columns[i].state[s];)
				from++;
			printf("<rect x='%u' y='%.0f' width='%u' height='%d' fill='%s'/>\n", LEFT + i, top,
			       from - i, STRIP - 2, colour(columns[i].state[s]));
		}
		top += STRIP;
	}
	for (i = 0; i < COLUMNS; i = from) {
		for (from = i; from < COLUMNS && columns[from].poll_log2s == columns[i].poll_log2s;)
			from++;
		if (from - i > 20)
			printf("<text x='%u' y='%.0f'>|%d</text>\n", LEFT + i, top + 14,
			       columns[i].poll_log2s);
	}
	return top + 2 * STRIP;
}

/* Columns in which no second fell are as those before them. */
static void fill(void)
{
	unsigned int i;

	for (i = 1; i < COLUMNS; i++)
		if (!columns[i].seen)
			columns[i] = columns[i - 1];
}

int main(int argc, char **argv)
{
	const struct scenario *r = argc > 1 ? scenario_find(argv[1]) : NULL;
	double top = 2.0 * GAP;
	struct sim_result res;
	struct sim_conf c;

	if (!r) {
		fprintf(stderr, "usage: plot SCENARIO [SEED [SECONDS]]; scenarios are in scenarios.c\n");
		return 2;
	}
	scenario_conf(r, argc > 2 ? strtoull(argv[2], NULL, 0) : 1, &c);
	if (argc > 3)
		c.duration_s = atoi(argv[3]);
	if (c.duration_s < 1) {
		fprintf(stderr, "plot: no seconds to simulate: %s\n", argv[3]);
		return 2;
	}
	c.trace = take;
	conf = &c;
	sim_run(&c, &res);
	fill();
	printf("<svg xmlns='http://www.w3.org/2000/svg' width='%d' height='%d' font-family='sans-serif' "
	       "font-size='12'>\n<rect width='100%%' height='100%%' fill='white'/>\n", WIDTH,
	       2 * GAP + 3 * (PANEL + GAP) + (int)(conf->servers_len + 3) * STRIP);
	printf("<text x='%d' y='24' font-size='16'>%s, seed %llu, %lld s: RMS %.3g us, %llu requests, "
	       "%llu updates</text>\n", LEFT, c.name, (unsigned long long)c.engine.seed,
	       (long long)c.duration_s, res.rms_ns / 1e3, (unsigned long long)res.requests,
	       (unsigned long long)res.report.updates);
	top = plot_error(top);
	top = plot_claims(top);
	top = plot_freq(top);
	plot_sources(top);
	printf("</svg>\n");
	return 0;
}
