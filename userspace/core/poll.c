// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The poll interval, see poll.h.  Pure, no locking.
 */
#include "poll.h"

#define POLL_SURPRISE_SD	4.0	/* shorten at once */
#define POLL_SCORE		4	/* votes needed for a change */

void poll_reset(struct poll *p, int8_t minpoll_log2s)
{
	p->log2s = minpoll_log2s;
	p->score = 0;
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
		move(p, -2, minpoll_log2s, maxpoll_log2s);
		return;
	}
	if (est_growth_ns(line, interval_s(p->log2s + 1)) < noise_ns)
		p->score++;
	else if (est_growth_ns(line, interval_s(p->log2s)) > 2 * noise_ns)
		p->score--;
	if (p->score >= POLL_SCORE)
		move(p, 1, minpoll_log2s, maxpoll_log2s);
	else if (p->score <= -POLL_SCORE)
		move(p, -1, minpoll_log2s, maxpoll_log2s);
}
