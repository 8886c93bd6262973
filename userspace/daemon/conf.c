// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The configuration file: its table of directives, and the walk through its
 * lines.  A wrong line is reported and the next one read, so that one run
 * shows every error.  Process context; no global state.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "core/engine.h"
#include "daemon/conf.h"
#include "daemon/conf_word.h"

#define NS_PER_S	1000000000LL
#define NS_PER_US	1000LL
#define YEAR_S		(365LL * 86400)
/* NTP's own ceiling of root distance (RFC 5905, MAXDISP). */
#define DISTANCE_MAX_NS	(16 * NS_PER_S)
#define LOCAL_STRATUM	10

/* NAME, SYNOPSIS, ONCE, HELP */
#define DIRECTIVES(X)									\
	X(server, "NAME [port N] [minpoll N] [maxpoll N] [version N] [iburst] [prefer] "	\
	  "[noselect] [trust] [require]", false,					\
	  "one upstream server, by name or address")					\
	X(pool, "NAME [maxsources N] [options of server]", false,			\
	  "a name with many addresses: up to maxsources of them (default 4)")		\
	X(driftfile, "PATH", true, "where the clock's frequency is kept")		\
	X(makestep, "THRESHOLD LIMIT", true,						\
	  "step instead of slewing when off by more than THRESHOLD seconds, in the first "	\
	  "LIMIT updates (-1: always, 0: never; default 1 3)")				\
	X(local, "[stratum N]", true,							\
	  "serve the own time at this stratum when there is no source (default 10)")	\
	X(holdover, "SECONDS", true,							\
	  "how long to serve without upstreams or daemon (default 86400)")		\
	X(maxserved, "SECONDS", true,							\
	  "stop serving when the root distance exceeds this (default 1)")		\
	X(maxdistance, "SECONDS", true,							\
	  "do not use sources with a larger root distance (default 3)")			\
	X(minsources, "N", true, "sources that must agree before the clock is touched (default 1)") \
	X(port, "N", true, "UDP port to serve on (default 123, 0: serve nobody)")	\
	X(kernel, "on|off", true, "answer through the kernel module when it is there (default on)") \
	X(neversynced, "silent|unsynchronised", true,					\
	  "what clients get before the first synchronisation (default silent)")		\
	X(expired, "unsynchronised|silent", true,					\
	  "what clients get when the time is too old to serve (default unsynchronised)")

#define AS_ENUM(name, args, once, help)		D_##name,
#define AS_PUBLIC(name, args, once, help)	{ #name, args, help },
#define AS_ONCE(name, args, once, help)		once,

enum { DIRECTIVES(AS_ENUM) D_COUNT };

static const struct conf_directive directives[] = { DIRECTIVES(AS_PUBLIC) };
static const bool only_once[] = { DIRECTIVES(AS_ONCE) };

/* struct parse - one run over a text; @seen: line of each directive, 0 = none */
struct parse {
	struct conf *conf;
	struct conf_line line;
	unsigned int seen[D_COUNT];
	unsigned int errors;
};

const struct conf_directive *conf_directives(size_t *len)
{
	*len = D_COUNT;
	return directives;
}

void conf_init(struct conf *conf)
{
	memset(conf, 0, sizeof(*conf));
	conf->makestep_threshold_ns = NS_PER_S;
	conf->makestep_limit = 3;
	conf->holdover_ns = 86400 * NS_PER_S;
	conf->maxserved_ns = NS_PER_S;
	conf->maxdistance_ns = 3 * NS_PER_S;
	conf->minsources = 1;
	conf->port = 123;
	conf->kernel = true;
	conf->never_synced = NTPK_POLICY_SILENT;
	conf->expired = NTPK_POLICY_UNSYNC;
}

void conf_clean(struct conf *conf)
{
	free(conf->upstreams);
	conf->upstreams = NULL;
	conf->upstreams_len = 0;
}

static int parse_upstream(struct parse *p)
{
	struct conf *conf = p->conf;
	struct conf_upstream up, *grown;
	size_t i;
	int ret = conf_upstream_words(&up, &p->line);

	if (ret < 0)
		return ret;
	for (i = 0; i < conf->upstreams_len; i++)
		if (conf_host_same(conf->upstreams[i].name, up.name))
			return conf_line_error(&p->line, p->line.words[1].column,
					       "'%.60s' is an upstream already, line %u", up.name,
					       conf->upstreams[i].line);
	if (conf->upstreams_len == ENGINE_MAX_SOURCES)
		return conf_line_error(&p->line, p->line.words[0].column,
				       "more than %d upstreams", ENGINE_MAX_SOURCES);
	grown = realloc(conf->upstreams, (conf->upstreams_len + 1) * sizeof(*grown));
	if (!grown)
		return conf_line_error(&p->line, 1, "out of memory");
	conf->upstreams = grown;
	conf->upstreams[conf->upstreams_len++] = up;
	return 0;
}

static int parse_driftfile(struct parse *p)
{
	const struct conf_word *w = conf_line_word(&p->line, "driftfile", "a path");

	if (!w)
		return -EINVAL;
	if (w->text[0] != '/')
		return conf_line_error(&p->line, w->column, "driftfile: '%.60s' is not an absolute "
				       "path (it must start with '/')", w->text);
	if (w->text[strlen(w->text) - 1] == '/')
		return conf_line_error(&p->line, w->column, "driftfile: '%.60s' names a folder, "
				       "not a file", w->text);
	snprintf(p->conf->driftfile, sizeof(p->conf->driftfile), "%s", w->text);
	return 0;
}

static int parse_makestep(struct parse *p)
{
	long limit;
	int ret;

	ret = conf_line_seconds(&p->line, "makestep", NS_PER_US, 1000000000LL * NS_PER_S,
				&p->conf->makestep_threshold_ns);
	if (ret < 0)
		return ret;
	ret = conf_line_int(&p->line, "makestep's limit of updates", -1, INT32_MAX, &limit);
	if (ret == 0)
		p->conf->makestep_limit = (int)limit;
	return ret;
}

static int parse_local(struct parse *p)
{
	const struct conf_word *w;
	long stratum = LOCAL_STRATUM;
	int ret = 0;

	if (p->line.next < p->line.len) {
		w = &p->line.words[p->line.next++];
		if (strcasecmp(w->text, "stratum") != 0)
			return conf_line_error(&p->line, w->column, "local: unknown option "
					       "'%.60s' (accepted: stratum N)", w->text);
		ret = conf_line_int(&p->line, "local stratum", 1, 15, &stratum);
	}
	if (ret == 0)
		p->conf->local_stratum = (uint8_t)stratum;
	return ret;
}

static int parse_policy(struct parse *p, const char *name, enum ntpk_policy *out)
{
	bool silent;
	int ret = conf_line_choice(&p->line, name, "silent", "unsynchronised", &silent);

	if (ret == 0)
		*out = silent ? NTPK_POLICY_SILENT : NTPK_POLICY_UNSYNC;
	return ret;
}

static int parse_number(struct parse *p, unsigned int d)
{
	struct conf *conf = p->conf;
	long v = 0;
	int ret;

	if (d == D_port) {
		ret = conf_line_int(&p->line, "port", 0, 65535, &v);
		conf->port = (uint16_t)v;
	} else {
		ret = conf_line_int(&p->line, "minsources", 1, ENGINE_MAX_SOURCES, &v);
		conf->minsources = (unsigned int)v;
	}
	return ret;
}

static int parse_args(struct parse *p, unsigned int d)
{
	struct conf *conf = p->conf;

	switch (d) {
	case D_server:
	case D_pool:
		return parse_upstream(p);
	case D_driftfile:
		return parse_driftfile(p);
	case D_makestep:
		return parse_makestep(p);
	case D_local:
		return parse_local(p);
	case D_holdover:
		return conf_line_seconds(&p->line, "holdover", NS_PER_S, YEAR_S * NS_PER_S,
					 &conf->holdover_ns);
	case D_maxserved:
		return conf_line_seconds(&p->line, "maxserved", NS_PER_US, DISTANCE_MAX_NS,
					 &conf->maxserved_ns);
	case D_maxdistance:
		return conf_line_seconds(&p->line, "maxdistance", NS_PER_US, DISTANCE_MAX_NS,
					 &conf->maxdistance_ns);
	case D_kernel:
		return conf_line_choice(&p->line, "kernel", "on", "off", &conf->kernel);
	case D_neversynced:
		return parse_policy(p, "neversynced", &conf->never_synced);
	case D_expired:
		return parse_policy(p, "expired", &conf->expired);
	default:
		return parse_number(p, d);
	}
}

static const char *directive_name(const void *ctx, size_t i)
{
	(void)ctx;
	return i < D_COUNT ? directives[i].name : NULL;
}

static int unknown_directive(struct parse *p, const struct conf_word *w)
{
	const char *near = conf_nearest(w->text, directive_name, NULL);
	char list[256] = "";
	size_t i, n = 0;

	for (i = 0; i < D_COUNT; i++)
		n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%s", i ? ", " : "",
				      directives[i].name);
	if (near)
		return conf_line_error(&p->line, w->column, "unknown directive '%.60s', did you "
				       "mean '%s'? (accepted: %s)", w->text, near, list);
	return conf_line_error(&p->line, w->column, "unknown directive '%.60s' (accepted: %s)",
			       w->text, list);
}

static void parse_line(struct parse *p, const char *text, size_t len)
{
	const struct conf_word *w = p->line.words;
	unsigned int d;

	p->line.errors = 0;
	if (conf_line_split(&p->line, text, len) < 0 || !p->line.len)
		goto out;
	for (d = 0; d < D_COUNT && strcasecmp(w->text, directives[d].name) != 0; d++)
		;
	if (d == D_COUNT) {
		unknown_directive(p, w);
		goto out;
	}
	p->line.next = 1;
	if (parse_args(p, d) == 0)
		conf_line_end(&p->line, directives[d].name);
	if (only_once[d] && p->seen[d])
		conf_line_error(&p->line, w->column, "%s stands in line %u already",
				directives[d].name, p->seen[d]);
	if (!p->seen[d])
		p->seen[d] = p->line.number;
out:
	p->errors += p->line.errors;
}

/*
 * One line without its newline; of one that is too long the first
 * CONF_LINE_MAX + 1 bytes, so that it is seen to be.
 * Return: false at the end of the text.
 */
static bool read_line(FILE *in, char *buf, size_t *len)
{
	bool any = false;
	int c;

	*len = 0;
	while ((c = getc(in)) != EOF) {
		any = true;
		if (c == '\n')
			break;
		if (*len <= CONF_LINE_MAX)
			buf[(*len)++] = (char)c;
	}
	return any;
}

int conf_parse(struct conf *conf, FILE *in, const char *file, const struct conf_diag *diag)
{
	struct parse p = { .conf = conf, .line = { .file = file, .diag = diag } };
	char buf[CONF_LINE_MAX + 1];
	size_t len;

	errno = 0;
	while (read_line(in, buf, &len)) {
		p.line.number++;
		parse_line(&p, buf, len);
	}
	if (ferror(in)) {
		p.line.number++;
		conf_line_error(&p.line, 1, "cannot be read: %s", strerror(errno));
		p.errors++;
	}
	return p.errors ? -EINVAL : 0;
}
