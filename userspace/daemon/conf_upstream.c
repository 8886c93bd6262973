// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `server` and `pool` lines: one table of options for reading and writing
 * them.  Used by the file and by `ntpkctl upstream add`.  Process context.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "core/engine.h"
#include "daemon/conf_word.h"

#define MINPOLL_DEFAULT_LOG2S	6
#define MAXPOLL_DEFAULT_LOG2S	10

/* Options, in the order in which they are written. */
enum opt {
	OPT_PORT, OPT_MINPOLL, OPT_MAXPOLL, OPT_VERSION, OPT_MAXSOURCES,
	OPT_IBURST, OPT_PREFER, OPT_NOSELECT, OPT_TRUST, OPT_REQUIRE,
	OPT_COUNT
};

/* @flag: 0 = the option takes a number from @min to @max, default @def */
static const struct {
	const char *name;
	uint32_t flag;
	long	 min;
	long	 max;
	long	 def;
} options[OPT_COUNT] = {
	[OPT_PORT]	 = { "port", 0, 1, 65535, 123 },
	[OPT_MINPOLL]	 = { "minpoll", 0, -7, 24, MINPOLL_DEFAULT_LOG2S },
	[OPT_MAXPOLL]	 = { "maxpoll", 0, -7, 24, MAXPOLL_DEFAULT_LOG2S },
	[OPT_VERSION]	 = { "version", 0, 1, 4, 4 },
	[OPT_MAXSOURCES] = { "maxsources", 0, 1, 16, 4 },
	[OPT_IBURST]	 = { "iburst", SOURCE_F_IBURST, 0, 0, 0 },
	[OPT_PREFER]	 = { "prefer", SOURCE_F_PREFER, 0, 0, 0 },
	[OPT_NOSELECT]	 = { "noselect", SOURCE_F_NOSELECT, 0, 0, 0 },
	[OPT_TRUST]	 = { "trust", SOURCE_F_TRUST, 0, 0, 0 },
	[OPT_REQUIRE]	 = { "require", SOURCE_F_REQUIRE, 0, 0, 0 },
};

/* What the options of one line said; @column 0 = not given. */
struct given {
	long	 value[OPT_COUNT];
	unsigned int column[OPT_COUNT];
};

static const char *option_name(const void *ctx, size_t i)
{
	(void)ctx;
	return i < OPT_COUNT ? options[i].name : NULL;
}

static int unknown_option(struct conf_line *l, const struct conf_word *w)
{
	const char *near = conf_nearest(w->text, option_name, NULL);
	char list[160] = "";
	size_t i, n = 0;

	if (strchr("#%!;", w->text[0]))
		return conf_line_error(l, w->column, "'%.60s': a comment stands on a line of its "
				       "own", w->text);
	for (i = 0; i < OPT_COUNT; i++)
		n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%s", i ? ", " : "",
				      options[i].name);
	if (near)
		return conf_line_error(l, w->column, "unknown option '%.60s', did you mean '%s'? "
				       "(accepted: %s)", w->text, near, list);
	return conf_line_error(l, w->column, "unknown option '%.60s' (accepted: %s)", w->text,
			       list);
}

/* One mistake is told once: the number that belongs to the option goes with it. */
static int refuse_option(struct conf_line *l, const struct conf_word *w, unsigned int i,
			 const struct given *g)
{
	const char *next = l->next < l->len ? l->words[l->next].text : "";

	if (next[strspn(next, "+-")] && !next[strspn(next, "+-.0123456789")])
		l->next++;
	if (i == OPT_COUNT)
		return unknown_option(l, w);
	if (g->column[i])
		return conf_line_error(l, w->column, "%s is given twice, first at column %u",
				       options[i].name, g->column[i]);
	return conf_line_error(l, w->column, "maxsources belongs to pool: a server is one source");
}

static int take_option(struct conf_line *l, enum conf_upstream_kind kind, struct given *g)
{
	const struct conf_word *w = &l->words[l->next++];
	unsigned int i;

	for (i = 0; i < OPT_COUNT && strcasecmp(w->text, options[i].name) != 0; i++)
		;
	if (i == OPT_COUNT || g->column[i] || (i == OPT_MAXSOURCES && kind == CONF_SERVER))
		return refuse_option(l, w, i, g);
	g->column[i] = w->column;
	if (options[i].flag)
		return 0;
	return conf_line_int(l, options[i].name, options[i].min, options[i].max, &g->value[i]);
}

static int check_poll(struct conf_line *l, struct given *g)
{
	long *min = &g->value[OPT_MINPOLL], *max = &g->value[OPT_MAXPOLL];

	if (*min <= *max)
		return 0;
	/* One alone moves the other's default out of its way, as in chrony. */
	if (!g->column[OPT_MAXPOLL]) {
		*max = *min;
		return 0;
	}
	if (!g->column[OPT_MINPOLL]) {
		*min = *max;
		return 0;
	}
	return conf_line_error(l, g->column[OPT_MINPOLL], "minpoll %ld is longer than maxpoll %ld",
			       *min, *max);
}

static int check_flags(struct conf_line *l, const struct given *g)
{
	static const enum opt against[] = { OPT_PREFER, OPT_REQUIRE };
	size_t i;

	if (!g->column[OPT_NOSELECT])
		return 0;
	for (i = 0; i < sizeof(against) / sizeof(against[0]); i++)
		if (g->column[against[i]])
			return conf_line_error(l, g->column[against[i]],
					       "%s contradicts noselect: such a source is never "
					       "used", options[against[i]].name);
	return 0;
}

static int take_name(struct conf_upstream *up, struct conf_line *l)
{
	const struct conf_word *w;
	const char *bad;
	unsigned int i;

	w = conf_line_word(l, up->kind == CONF_POOL ? "pool" : "server",
			   "a host name or an address");
	if (!w)
		return -EINVAL;
	for (i = 0; i < OPT_COUNT; i++)
		if (strcasecmp(w->text, options[i].name) == 0)
			return conf_line_error(l, w->column, "'%.60s' is an option: the name "
					       "comes before it", w->text);
	bad = conf_host_check(w->text);
	if (bad)
		return conf_line_error(l, w->column, "'%.60s': %s", w->text, bad);
	snprintf(up->name, sizeof(up->name), "%s", w->text);
	return 0;
}

static void apply(struct conf_upstream *up, const struct given *g)
{
	unsigned int i;

	up->port = (uint16_t)g->value[OPT_PORT];
	up->minpoll_log2s = (int8_t)g->value[OPT_MINPOLL];
	up->maxpoll_log2s = (int8_t)g->value[OPT_MAXPOLL];
	up->version = (uint8_t)g->value[OPT_VERSION];
	up->maxsources = (uint8_t)g->value[OPT_MAXSOURCES];
	for (i = 0; i < OPT_COUNT; i++)
		if (g->column[i])
			up->flags |= options[i].flag;
}

int conf_upstream_words(struct conf_upstream *up, struct conf_line *l)
{
	struct given g = { 0 };
	unsigned int i;

	memset(up, 0, sizeof(*up));
	up->line = l->number;
	up->kind = strcasecmp(l->words[0].text, "pool") == 0 ? CONF_POOL : CONF_SERVER;
	l->next = 1;
	for (i = 0; i < OPT_COUNT; i++)
		g.value[i] = options[i].def;
	if (take_name(up, l) < 0 && l->next == 1)
		return -EINVAL;
	/* The options are looked at even behind a bad name: all errors at once. */
	while (l->next < l->len)
		take_option(l, up->kind, &g);
	if (!l->errors)
		check_poll(l, &g);
	if (!l->errors)
		check_flags(l, &g);
	if (l->errors)
		return -EINVAL;
	apply(up, &g);
	return 0;
}

int conf_parse_upstream(struct conf_upstream *up, const char *text, const char *file,
			unsigned int line, const struct conf_diag *diag)
{
	struct conf_line l = { .file = file, .number = line, .diag = diag };
	int ret = conf_line_split(&l, text, strlen(text));

	if (ret < 0)
		return ret;
	if (!l.len)
		return conf_line_error(&l, 1, "empty: write 'server NAME' or 'pool NAME' with "
				       "options");
	if (strcasecmp(l.words[0].text, "server") != 0 && strcasecmp(l.words[0].text, "pool") != 0)
		return conf_line_error(&l, l.words[0].column, "'%.60s': an upstream starts with "
				       "'server' or 'pool'", l.words[0].text);
	return conf_upstream_words(up, &l);
}

static long option_value(const struct conf_upstream *up, enum opt i)
{
	switch (i) {
	case OPT_PORT:
		return up->port;
	case OPT_MINPOLL:
		return up->minpoll_log2s;
	case OPT_MAXPOLL:
		return up->maxpoll_log2s;
	case OPT_VERSION:
		return up->version;
	case OPT_MAXSOURCES:
		return up->kind == CONF_POOL ? up->maxsources : options[i].def;
	default:
		return 0;
	}
}

__attribute__((format(printf, 4, 5)))
static void append(char *buf, size_t len, size_t *n, const char *fmt, ...)
{
	va_list ap;
	int ret;

	if (*n >= len)
		return;
	va_start(ap, fmt);
	ret = vsnprintf(buf + *n, len - *n, fmt, ap);
	va_end(ap);
	if (ret > 0)
		*n += (size_t)ret;
}

void conf_format_upstream(const struct conf_upstream *up, char *buf, size_t len)
{
	unsigned int i;
	size_t n = 0;

	append(buf, len, &n, "%s %s", up->kind == CONF_POOL ? "pool" : "server", up->name);
	for (i = 0; i < OPT_COUNT; i++) {
		if (options[i].flag) {
			if (up->flags & options[i].flag)
				append(buf, len, &n, " %s", options[i].name);
		} else if (option_value(up, i) != options[i].def) {
			append(buf, len, &n, " %s %ld", options[i].name, option_value(up, i));
		}
	}
}
