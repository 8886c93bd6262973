// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Gaps between modules, see kern_gap.h.
 */
#include "daemon/kern_gap.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "daemon/clocks.h"
#include "daemon/ev.h"
#include "daemon/log.h"
#include "daemon/turn.h"

#define TEXT_MAX	96
/* After a gap requests may wait at ntpkd's socket that came in it, and few others come there. */
#define COUNTED_S	1

/* One line of a file of the kernel's, printable; "" where there is none. */
static void read_line(const char *path, char *out, size_t len)
{
	FILE *f = fopen(path, "re");
	size_t n = 0;
	int c;

	while (f && n + 1 < len && (c = fgetc(f)) > ' ' && c < 0x7f)
		out[n++] = (char)c;
	out[n] = '\0';
	if (f)
		fclose(f);
}

static const char *build_text(const struct kern_build *build, char text[TEXT_MAX])
{
	if (!build->version[0])
		snprintf(text, TEXT_MAX, "ntpk (which, the kernel does not say)");
	else if (build->srcversion[0])
		snprintf(text, TEXT_MAX, "ntpk %s (srcversion %s)", build->version,
			 build->srcversion);
	else
		snprintf(text, TEXT_MAX, "ntpk %s", build->version);
	return text;
}

static void stop_counting(struct kern_gaps *g)
{
	if (!g->counting)
		return;
	g->counting = false;
	g->last.answered = g->answered(g->ctx) - g->answered_before;
}

static void say(struct kern_gaps *g)
{
	char was[TEXT_MAX], is[TEXT_MAX];

	stop_counting(g);
	log_warn("module %s is in place of %s: for %.1f ms the kernel did not serve, and ntpkd "
		 "answered %" PRIu64 " requests; counters of the module and its table of clients "
		 "have begun anew", build_text(&g->is, is), build_text(&g->last.was, was),
		 (double)g->last.length_ns / 1e6, g->last.answered);
}

static void on_counted(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	turn_begin();
	say(arg);
}

int kern_gaps_init(struct kern_gaps *g, struct event_base *base, uint64_t (*answered)(void *ctx),
		   void *ctx)
{
	g->answered = answered;
	g->ctx = ctx;
	g->ev_counted = event_new(base, -1, 0, on_counted, g);
	return g->ev_counted ? 0 : -ENOMEM;
}

void kern_gaps_clean(struct kern_gaps *g)
{
	if (g->ev_counted)
		event_free(g->ev_counted);
	g->ev_counted = NULL;
}

void kern_gaps_came(struct kern_gaps *g)
{
	read_line("/sys/module/ntpk/version", g->is.version, sizeof(g->is.version));
	read_line("/sys/module/ntpk/srcversion", g->is.srcversion, sizeof(g->is.srcversion));
}

void kern_gaps_went(struct kern_gaps *g)
{
	if (!g->serves)
		return;
	/* the next one so soon */
	if (g->counting && g->last.over)
		say(g);
	event_del(g->ev_counted);
	g->serves = false;
	g->counting = true;
	g->answered_before = g->answered(g->ctx);
	g->last = (struct kern_gap){
		.count = g->last.count + 1,
		.began_ns = clocks_boot_ns(),
		.was = g->is,
	};
}

void kern_gaps_served(struct kern_gaps *g)
{
	const struct timeval counted = { .tv_sec = COUNTED_S };

	if (!g->serves && g->last.count) {
		g->last.length_ns = clocks_boot_ns() - g->last.began_ns;
		g->last.over = true;
		event_add(g->ev_counted, &counted);
	}
	g->serves = true;
}

bool kern_gaps_get(const struct kern_gaps *g, struct kern_gap *out)
{
	*out = g->last;
	if (g->counting)
		out->answered = g->answered(g->ctx) - g->answered_before;
	if (out->count && !out->over)
		out->length_ns = clocks_boot_ns() - out->began_ns;
	return out->count;
}

bool kern_build_same(const struct kern_build *a, const struct kern_build *b)
{
	return a->version[0] && !strcmp(a->version, b->version) && !strcmp(a->srcversion, b->srcversion);
}
