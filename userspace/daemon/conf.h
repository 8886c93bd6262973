/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration: one directive per line, in chrony's words.  The same
 * parser serves the file, `ntpkd -t` and `ntpkctl upstream add`.  Process
 * context; no global state: everything is in struct conf.
 */
#ifndef NTPKD_CONF_H
#define NTPKD_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <linux/ntpk.h>

#define CONF_DEFAULT_FILE	"/etc/ntpk.conf"
#define CONF_NAME_MAX		253	/* RFC 1035 */

enum conf_upstream_kind {
	CONF_SERVER,		/* one association, the first address that works */
	CONF_POOL,		/* up to maxsources associations */
};

/**
 * struct conf_upstream - one `server` or `pool` line
 * @kind: which
 * @name: host name or numeric address (v6 may carry %interface)
 * @port: UDP, default 123
 * @minpoll_log2s: default 6
 * @maxpoll_log2s: default 10
 * @version: 1..4, default 4
 * @maxsources: pool only, 1..16, default 4
 * @flags: SOURCE_F_* of core/engine.h
 * @line: of the file, 0 = added at run time
 */
struct conf_upstream {
	enum conf_upstream_kind kind;
	char	 name[CONF_NAME_MAX + 1];
	uint16_t port;
	int8_t	 minpoll_log2s;
	int8_t	 maxpoll_log2s;
	uint8_t	 version;
	uint8_t	 maxsources;
	uint32_t flags;
	unsigned int line;
};

/**
 * struct conf - a whole configuration, with defaults filled in
 * @upstreams: array of @upstreams_len
 * @driftfile: path, "" = none
 * @makestep_threshold_ns: `makestep THRESHOLD LIMIT`, default 1 s ...
 * @makestep_limit: ... in the first 3 updates; < 0 always; 0 never
 * @local_stratum: `local stratum N`, 0 = off
 * @holdover_ns: `holdover SECONDS`, default 86400
 * @maxserved_ns: `maxserved SECONDS`, default 1
 * @maxdistance_ns: `maxdistance SECONDS`, default 3
 * @minsources: default 1
 * @port: `port N` to serve on, default 123; 0 = serve nobody
 * @kernel: `kernel on|off`: answer through the module (default on: used when
 *	it is there, else the own responder)
 * @never_synced: `neversynced silent|unsynchronised`, default silent
 * @expired: `expired unsynchronised|silent`, default unsynchronised
 */
struct conf {
	struct conf_upstream *upstreams;
	size_t	 upstreams_len;
	char	 driftfile[4096];
	int64_t	 makestep_threshold_ns;
	int	 makestep_limit;
	uint8_t	 local_stratum;
	int64_t	 holdover_ns;
	int64_t	 maxserved_ns;
	int64_t	 maxdistance_ns;
	unsigned int minsources;
	uint16_t port;
	bool	 kernel;
	enum ntpk_policy never_synced;
	enum ntpk_policy expired;
};

/**
 * struct conf_diag - where the errors go
 * @report: called once per error; @text says what is wrong and what is accepted
 * @ctx: handed to @report
 */
struct conf_diag {
	void (*report)(void *ctx, const char *file, unsigned int line, unsigned int column,
		       const char *text);
	void *ctx;
};

/**
 * conf_init() - the defaults
 * @conf: filled
 */
void conf_init(struct conf *conf);

/**
 * conf_clean() - free what it holds
 * @conf: from conf_init()
 */
void conf_clean(struct conf *conf);

/**
 * conf_parse() - read a whole configuration on top of what @conf holds
 * @conf: from conf_init()
 * @in: text
 * @file: its name, for messages
 * @diag: every error of the whole text is reported, not only the first
 *
 * Return: 0, or -EINVAL with @conf unspecified but safe to clean.
 */
int conf_parse(struct conf *conf, FILE *in, const char *file, const struct conf_diag *diag);

/**
 * conf_parse_upstream() - one `server ...` or `pool ...` line
 * @up: filled
 * @text: the line
 * @file: its name, for messages (e.g. "upstream add")
 * @line: its number
 * @diag: errors
 *
 * Return: 0 or -EINVAL.
 */
int conf_parse_upstream(struct conf_upstream *up, const char *text, const char *file,
			unsigned int line, const struct conf_diag *diag);

/**
 * conf_format_upstream() - the line that gives this upstream
 * @up: upstream
 * @buf: out
 * @len: of @buf
 */
void conf_format_upstream(const struct conf_upstream *up, char *buf, size_t len);

/* One row per directive: what the man page and the tests go through. */
struct conf_directive {
	const char *name;
	const char *args;	/* synopsis, "NAME [port N] [iburst] ..." */
	const char *help;
};

/**
 * conf_directives() - the parser's table
 * @len: out, how many
 */
const struct conf_directive *conf_directives(size_t *len);

#endif /* NTPKD_CONF_H */
