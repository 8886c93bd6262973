// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The poll interval, see poll.h.  Pure, no locking.
 */
#include "poll.h"

#define POLL_SURPRISE_SD	4.0	/* ask again soon; if it is no outlier, shorten */
/* Error gathered until the next measurement, in its standard deviations. */
#define POLL_LONGER		1.5
#define POLL_SHORTER		3.0
/* Votes needed for a change: while the wander is hardly known, a longer interval teaches it late. */
#define POLL_SCORE		6

void poll_reset(struct poll *p, int8_t minpoll_log2s)
{
	p->log2s = minpoll_log2s;
	p->score = 0;
	p->doubt = false;
}

static void move(struct poll *p, int by, int8_t minpoll_log2s, int8_t maxpoll_log2s)
{
	int to = p->log2s + by;

	if (to > maxpoll_log2s)
		to = maxpoll_log2s;
	if (to < minpoll_log2s)
		to = minpoll_log2s;
	p->log2s = (int8_t)to;
	p->score = 0;
}

static double interval_s(int log2s)
{
	return log2s < 0 ? 1.0 / (double)(1u << -log2s) : (double)(1u << log2s);
}

void poll_adapt(struct poll *p, int8_t minpoll_log2s, int8_t maxpoll_log2s,
		const struct estimate *line, double noise_ns, double surprise)
{
	if (surprise > POLL_SURPRISE_SD) {
		if (p->doubt)
			move(p, -2, minpoll_log2s, maxpoll_log2s);
		p->doubt = true;
		return;
	}
	p->doubt = false;
	if (est_growth_ns(line, interval_s(p->log2s + 1)) < POLL_LONGER * noise_ns)
		p->score++;
	else if (est_growth_ns(line, interval_s(p->log2s)) > POLL_SHORTER * noise_ns)
		p->score--;
	if (p->score >= POLL_SCORE)
		move(p, 1, minpoll_log2s, maxpoll_log2s);
	else if (p->score <= -POLL_SCORE)
		move(p, -1, minpoll_log2s, maxpoll_log2s);
}
