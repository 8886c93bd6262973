/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small graph of offsets over time, each with its error bar.  Pure but for
 * the writing.
 */
#ifndef NTPKCTL_WATCH_GRAPH_H
#define NTPKCTL_WATCH_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define WATCH_POINTS_MAX	512

/* struct watch_point - one column; @known is false where there was no answer */
struct watch_point {
	int64_t	 offset_ns;
	int64_t	 error_ns;
	bool	 known;
};

/* struct watch_history - the last points, a ring: the youngest is @next - 1 */
struct watch_history {
	struct watch_point points[WATCH_POINTS_MAX];
	size_t	 next;
	size_t	 len;
};

/**
 * watch_history_add() - one more, the oldest goes
 * @h: history
 * @p: point
 */
void watch_history_add(struct watch_history *h, const struct watch_point *p);

/**
 * watch_graph() - draw it, the youngest at the right
 * @out: where to
 * @h: history
 * @width: columns, the scale included
 * @height: lines; an odd number has a line for zero in the middle
 * @utf8: Unicode blocks, two steps per line; else ASCII
 */
void watch_graph(FILE *out, const struct watch_history *h, int width, int height, bool utf8);

#endif /* NTPKCTL_WATCH_GRAPH_H */
