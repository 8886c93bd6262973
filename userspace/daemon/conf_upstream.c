// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `server` and `pool` lines: one table of options for reading and writing
 * them.  Used by the file and by `ntpkctl upstream add`.  Process context.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include "core/engine.h"
#include "daemon/conf_word.h"

#define NS_PER_S		1000000000LL
#define NS_PER_US		1000LL
#define MINPOLL_DEFAULT_LOG2S	6
#define MAXPOLL_DEFAULT_LOG2S	10
#define POLL_LEAST_LOG2S	(-7)
#define POLL_MOST_LOG2S		24

/* Options, in the order in which they are written. */
enum opt {
	OPT_PORT, OPT_MINPOLL, OPT_MAXPOLL, OPT_PRESEND, OPT_VERSION, OPT_MAXSOURCES, OPT_KEY,
	OPT_OFFSET, OPT_MAXDELAY, OPT_IPV4, OPT_IPV6, OPT_IBURST, OPT_BURST, OPT_XLEAVE,
	OPT_PREFER, OPT_NOSELECT, OPT_TRUST, OPT_REQUIRE, OPT_OFFLINE,
	OPT_COUNT
};

enum opt_type {
	TYPE_FLAG,		/* no value, sets @flag */
	TYPE_FAMILY,		/* no value, @def is the family */
	TYPE_INT,		/* a number from @min to @max */
	TYPE_SECONDS,		/* likewise, in nanoseconds */
};

static const struct {
	struct conf_option o;
	enum opt_type type;
	uint32_t flag;
	int64_t	 min;
	int64_t	 max;
	int64_t	 def;
} options[OPT_COUNT] = {
	[OPT_PORT] = { { "port", "N", "UDP port (default 123)" }, TYPE_INT, 0, 1, 65535, 123 },
	[OPT_MINPOLL] = { { "minpoll", "N", "shortest poll interval, 2^N s (-7 to 24, default 6)" },
		TYPE_INT, 0, POLL_LEAST_LOG2S, POLL_MOST_LOG2S, MINPOLL_DEFAULT_LOG2S },
	[OPT_MAXPOLL] = { { "maxpoll", "N", "longest poll interval, 2^N s (-7 to 24, default 10)" },
		TYPE_INT, 0, POLL_LEAST_LOG2S, POLL_MOST_LOG2S, MAXPOLL_DEFAULT_LOG2S },
	[OPT_PRESEND] = { { "presend", "N", "from this interval on, 2^N s, wake the path with a "
		"request of no use first (default: never)" },
		TYPE_INT, 0, POLL_LEAST_LOG2S, POLL_MOST_LOG2S, CONF_PRESEND_NEVER },
	[OPT_VERSION] = { { "version", "N", "NTP version of requests (1 to 4, default 4)" },
		TYPE_INT, 0, 1, 4, 4 },
	[OPT_MAXSOURCES] = { { "maxsources", "N", "of a pool: how many servers (1 to 16, default 4)" },
		TYPE_INT, 0, 1, 16, 4 },
	[OPT_KEY] = { { "key", "N", "authenticate with this key of keyfile" },
		TYPE_INT, 0, 1, UINT32_MAX, 0 },
	[OPT_OFFSET] = { { "offset", "SECONDS", "add this to each measured offset (default 0)" },
		TYPE_SECONDS, 0, -3600 * NS_PER_S, 3600 * NS_PER_S, 0 },
	[OPT_MAXDELAY] = { { "maxdelay", "SECONDS", "refuse replies that took longer (default 3)" },
		TYPE_SECONDS, 0, NS_PER_US, 1000 * NS_PER_S, 3 * NS_PER_S },
	[OPT_IPV4] = { { "ipv4", "", "use IPv4 addresses of the name only" },
		TYPE_FAMILY, 0, 0, 0, AF_INET },
	[OPT_IPV6] = { { "ipv6", "", "use IPv6 addresses of the name only" },
		TYPE_FAMILY, 0, 0, 0, AF_INET6 },
	[OPT_IBURST] = { { "iburst", "", "synchronise fast at start: some quick requests" },
		TYPE_FLAG, SOURCE_F_IBURST, 0, 0, 0 },
	[OPT_BURST] = { { "burst", "", "each poll is some quick requests" },
		TYPE_FLAG, SOURCE_F_BURST, 0, 0, 0 },
	[OPT_XLEAVE] = { { "xleave", "", "interleaved mode (RFC 9769)" },
		TYPE_FLAG, SOURCE_F_XLEAVE, 0, 0, 0 },
	[OPT_PREFER] = { { "prefer", "", "use this one before those without it" },
		TYPE_FLAG, SOURCE_F_PREFER, 0, 0, 0 },
	[OPT_NOSELECT] = { { "noselect", "", "watched, never used" }, TYPE_FLAG, SOURCE_F_NOSELECT, 0, 0, 0 },
	[OPT_TRUST] = { { "trust", "", "its time is right: who disagrees is a falseticker" },
		TYPE_FLAG, SOURCE_F_TRUST, 0, 0, 0 },
	[OPT_REQUIRE] = { { "require", "", "set the clock only while such a source is selectable" },
		TYPE_FLAG, SOURCE_F_REQUIRE, 0, 0, 0 },
	[OPT_OFFLINE] = { { "offline", "", "not asked before `ntpkctl online`" },
		TYPE_FLAG, SOURCE_F_OFFLINE, 0, 0, 0 },
};

/* What the options of one line said; @column 0 = not given. */
struct given {
	int64_t	 value[OPT_COUNT];
	unsigned int column[OPT_COUNT];
};

const struct conf_option *conf_option(size_t i)
{
	return i < OPT_COUNT ? &options[i].o : NULL;
}

static const char *option_name(const void *ctx, size_t i)
{
	(void)ctx;
	return i < OPT_COUNT ? options[i].o.name : NULL;
}

/* One mistake is told once: the number that belongs to the option goes with it. */
static int refuse_option(struct conf_line *l, const struct conf_word *w, unsigned int i,
			 const struct given *g)
{
	const char *next = l->next < l->len ? l->words[l->next].text : "";
	const struct conf_refused *refused = conf_refused_find("server", w->text);

	if (next[strspn(next, "+-")] && !next[strspn(next, "+-.0123456789")])
		l->next++;
	else if (refused && refused->values && *next)
		l->next++;
	if (i == OPT_COUNT)
		return conf_line_unknown(l, w, "server", option_name, NULL);
	if (g->column[i])
		return conf_line_error(l, w->column, "%s is given twice, first at column %u",
				       options[i].o.name, g->column[i]);
	return conf_line_error(l, w->column, "maxsources belongs to pool: a server is one source");
}

static int take_option(struct conf_line *l, enum conf_upstream_kind kind, struct given *g)
{
	const struct conf_word *w = &l->words[l->next++];
	unsigned int i;

	for (i = 0; i < OPT_COUNT && strcasecmp(w->text, options[i].o.name) != 0; i++)
		;
	if (i == OPT_COUNT || g->column[i] || (i == OPT_MAXSOURCES && kind == CONF_SERVER))
		return refuse_option(l, w, i, g);
	g->column[i] = w->column;
	switch (options[i].type) {
	case TYPE_INT:
		return conf_line_int(l, options[i].o.name, options[i].min, options[i].max,
				     &g->value[i]);
	case TYPE_SECONDS:
		return conf_line_seconds(l, options[i].o.name, options[i].min, options[i].max,
					 &g->value[i]);
	default:
		return 0;
	}
}

static int check_poll(struct conf_line *l, struct given *g)
{
	int64_t *min = &g->value[OPT_MINPOLL], *max = &g->value[OPT_MAXPOLL];

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
	return conf_line_error(l, g->column[OPT_MINPOLL], "minpoll %" PRId64 " is longer than "
			       "maxpoll %" PRId64, *min, *max);
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
					       "used", options[against[i]].o.name);
	return 0;
}

/* An address is of one family: the option may repeat that, no more. */
static int check_family(struct conf_line *l, const char *name, const struct given *g)
{
	bool v6 = strchr(name, ':');
	bool v4 = !v6 && name[strspn(name, "0123456789.")] == '\0';

	if (g->column[OPT_IPV4] && g->column[OPT_IPV6])
		return conf_line_error(l, g->column[OPT_IPV6], "ipv6 contradicts ipv4: leave both "
				       "out to use either");
	if (g->column[OPT_IPV4] && v6)
		return conf_line_error(l, g->column[OPT_IPV4], "ipv4: the address is an IPv6 one");
	if (g->column[OPT_IPV6] && v4)
		return conf_line_error(l, g->column[OPT_IPV6], "ipv6: the address is an IPv4 one");
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
		if (strcasecmp(w->text, options[i].o.name) == 0)
			return conf_line_error(l, w->column, "'%.60s' is an option: the name "
					       "comes before it", w->text);
	bad = conf_host_check(w->text);
	if (bad)
		return conf_line_error(l, w->column, "'%.60s': %s", w->text, bad);
	snprintf(up->name, sizeof(up->name), "%s", w->text);
	up->key = conf_host_key(up->name);
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
	up->presend_log2s = (int8_t)g->value[OPT_PRESEND];
	up->key_id = (uint32_t)g->value[OPT_KEY];
	up->offset_ns = g->value[OPT_OFFSET];
	up->max_delay_ns = g->value[OPT_MAXDELAY];
	up->family = AF_UNSPEC;
	for (i = 0; i < OPT_COUNT; i++) {
		if (g->column[i])
			up->flags |= options[i].flag;
		if (g->column[i] && options[i].type == TYPE_FAMILY)
			up->family = (int)options[i].def;
	}
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
	if (!l->errors)
		check_family(l, up->name, &g);
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

static int64_t option_value(const struct conf_upstream *up, enum opt i)
{
	switch (i) {
	case OPT_PORT:
		return up->port;
	case OPT_MINPOLL:
		return up->minpoll_log2s;
	case OPT_MAXPOLL:
		return up->maxpoll_log2s;
	case OPT_PRESEND:
		return up->presend_log2s;
	case OPT_VERSION:
		return up->version;
	case OPT_MAXSOURCES:
		return up->kind == CONF_POOL ? up->maxsources : options[i].def;
	case OPT_KEY:
		return up->key_id;
	case OPT_OFFSET:
		return up->offset_ns;
	case OPT_MAXDELAY:
		return up->max_delay_ns;
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

/* Minpoll and maxpoll go together: one alone may move the other's default. */
static bool is_default(const struct conf_upstream *up, unsigned int i)
{
	if (i == OPT_MINPOLL || i == OPT_MAXPOLL)
		return up->minpoll_log2s == MINPOLL_DEFAULT_LOG2S &&
		       up->maxpoll_log2s == MAXPOLL_DEFAULT_LOG2S;
	return option_value(up, i) == options[i].def;
}

void conf_format_upstream(const struct conf_upstream *up, char *buf, size_t len)
{
	char seconds[32];
	unsigned int i;
	size_t n = 0;

	append(buf, len, &n, "%s %s", up->kind == CONF_POOL ? "pool" : "server", up->name);
	for (i = 0; i < OPT_COUNT; i++) {
		const char *name = options[i].o.name;
		bool number = options[i].type == TYPE_INT || options[i].type == TYPE_SECONDS;

		if (number ? is_default(up, i) : options[i].type == TYPE_FLAG ?
		    !(up->flags & options[i].flag) : up->family != options[i].def)
			continue;
		append(buf, len, &n, " %s", name);
		if (options[i].type == TYPE_INT)
			append(buf, len, &n, " %" PRId64, option_value(up, i));
		if (options[i].type == TYPE_SECONDS)
			append(buf, len, &n, " %s", conf_format_decimal(seconds, sizeof(seconds),
									option_value(up, i)));
	}
}
