// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A small graph of offsets over time, each with its error bar.  A cell is two
 * steps high: the point is half a block, the bar a shade behind it.
 */
#include "ctl/watch_graph.h"

#include <math.h>
#include "ctl/fmt.h"

#define SCALE_WIDTH	11

/* What a cell shows. */
enum cell { CELL_EMPTY, CELL_ZERO, CELL_BAR, CELL_UPPER, CELL_LOWER, CELL_LEN };

static const char *const blocks[CELL_LEN] = { " ", "┄", "░", "▀", "▄" };
static const char *const ascii[CELL_LEN] = { " ", "-", ":", "o", "o" };

void watch_history_add(struct watch_history *h, const struct watch_point *p)
{
	h->points[h->next] = *p;
	h->next = (h->next + 1) % WATCH_POINTS_MAX;
	if (h->len < WATCH_POINTS_MAX)
		h->len++;
}

/* @age 0: the youngest; NULL before the first. */
static const struct watch_point *point_at(const struct watch_history *h, size_t age)
{
	if (age >= h->len)
		return NULL;
	return &h->points[(h->next + WATCH_POINTS_MAX - 1 - age) % WATCH_POINTS_MAX];
}

/* The next 1, 2 or 5 of a decade that holds all that is shown. */
static double full_scale_ns(const struct watch_history *h, size_t columns)
{
	static const double steps[] = { 1, 2, 5, 10 };
	double most = 1, decade;
	size_t i;

	for (i = 0; i < columns; i++) {
		const struct watch_point *p = point_at(h, i);

		if (p && p->known)
			most = fmax(most, fabs((double)p->offset_ns) + fabs((double)p->error_ns));
	}
	decade = pow(10, floor(log10(most)));
	for (i = 0; i < 3 && steps[i] * decade < most; i++)
		;
	return steps[i] * decade;
}

/* Half lines from the top: 0 is the upper half of the first line. */
static int half_of(double v_ns, double scale_ns, int halves)
{
	double at = (scale_ns - v_ns) / (2 * scale_ns) * halves;

	return at < 0 ? 0 : at >= halves ? halves - 1 : (int)at;
}

static enum cell cell_at(const struct watch_point *p, double scale_ns, int line, int height)
{
	int at, top, bottom;

	if (p && p->known) {
		at = half_of((double)p->offset_ns, scale_ns, 2 * height);
		top = half_of((double)p->offset_ns + (double)p->error_ns, scale_ns, 2 * height);
		bottom = half_of((double)p->offset_ns - (double)p->error_ns, scale_ns, 2 * height);
		if (at / 2 == line)
			return at % 2 ? CELL_LOWER : CELL_UPPER;
		if (line >= top / 2 && line <= bottom / 2)
			return CELL_BAR;
	}
	return line == height / 2 && height % 2 ? CELL_ZERO : CELL_EMPTY;
}

static void put_scale(FILE *out, double scale_ns, int line, int height)
{
	char text[FMT_MAX] = "";

	if (line == 0)
		fmt_ns(text, (int64_t)scale_ns, true);
	else if (line == height - 1)
		fmt_ns(text, (int64_t)-scale_ns, true);
	else if (line == height / 2 && height % 2)
		snprintf(text, sizeof(text), "0");
	fprintf(out, "%*s ", SCALE_WIDTH - 1, text);
}

void watch_graph(FILE *out, const struct watch_history *h, int width, int height, bool utf8)
{
	int columns = width - SCALE_WIDTH, line, i;
	double scale_ns;

	if (columns < 1)
		return;
	if (columns > WATCH_POINTS_MAX)
		columns = WATCH_POINTS_MAX;
	scale_ns = full_scale_ns(h, (size_t)columns);
	for (line = 0; line < height; line++) {
		put_scale(out, scale_ns, line, height);
		for (i = columns - 1; i >= 0; i--)
			fputs((utf8 ? blocks : ascii)[cell_at(point_at(h, (size_t)i), scale_ns,
							      line, height)], out);
		fputc('\n', out);
	}
}
