// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The directive `metricsfile`, see metrics_file.h.  Event loop only.
 */
#include "daemon/metrics_file.h"

#include <errno.h>
#include <stdlib.h>
#include "daemon/ev.h"
#include "daemon/metrics_text.h"
#include "daemon/ntpkd.h"
#include "daemon/replace.h"
#include "daemon/saver.h"
#include "daemon/turn.h"

static void on_written(void *ctx, int err)
{
	struct ntpkd *d = ctx;

	replace_say(&d->host.metrics.err, err, "metricsfile", d->conf.metricsfile);
}

static void drop(struct metrics_file *m)
{
	if (m->out)
		fclose(m->out);
	m->out = NULL;
	free(m->text);
	m->text = NULL;
	metrics_end(m->run);
	m->run = NULL;
}

/* 0644: who collects it is another user; there is no secret in it. */
static void write_file(struct ntpkd *d)
{
	const struct replace how = { .mode = 0644 };
	struct metrics_file *m = &d->host.metrics;
	int err = fflush(m->out) ? -ENOMEM : 0;

	if (err)
		on_written(d, err);
	else if (d->conf.metricsfile[0])	/* as it is now, after a reload too */
		saver_put(d->saver, d->conf.metricsfile, m->text, m->len, &how, on_written, d);
	drop(m);
}

static void on_turn(evutil_socket_t fd, short what, void *arg)
{
	const struct timeval now = { 0 };
	struct ntpkd *d = arg;
	struct metrics_file *m = &d->host.metrics;
	bool more = true;

	(void)fd;
	(void)what;
	turn_begin();
	while (more && !turn_is_over())
		more = metrics_more(m->run, m->out);
	if (more)
		event_add(m->ev, &now);
	else
		write_file(d);
}

void metrics_file_due(struct ntpkd *d)
{
	struct metrics_file *m = &d->host.metrics;
	const struct timeval now = { 0 };
	size_t len;

	/* a disk that hangs must not be given more and more */
	if (m->run || saver_pending(d->saver, d->conf.metricsfile, &len))
		return;
	if (!m->ev)
		m->ev = event_new(d->base, -1, 0, on_turn, d);
	m->run = metrics_begin(d);
	m->out = open_memstream(&m->text, &m->len);
	if (!m->ev || !m->run || !m->out || event_add(m->ev, &now)) {
		drop(m);
		on_written(d, -ENOMEM);
	}
}

void metrics_file_close(struct ntpkd *d)
{
	struct metrics_file *m = &d->host.metrics;

	drop(m);
	if (m->ev)
		event_free(m->ev);
	m->ev = NULL;
}
