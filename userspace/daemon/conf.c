// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The configuration file: defaults, and the walk through its lines.  A wrong
 * line is reported and the next one read, so that one run shows every error.
 * The directives are rows of conf_table.c.  Process context; no global state.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "core/engine.h"
#include "daemon/conf_priv.h"

#define NS_PER_S	1000000000LL

void conf_init(struct conf *conf)
{
	memset(conf, 0, sizeof(*conf));
	conf->runtime_uid = CONF_UID_UNKNOWN;
	conf->makestep_threshold_ns = NS_PER_S;
	conf->makestep_limit = 3;
	conf->holdover_ns = 86400 * NS_PER_S;
	conf->maxserved_ns = NS_PER_S;
	conf->maxdistance_ns = 3 * NS_PER_S;
	conf->maxjitter_ns = NS_PER_S;
	conf->minsources = 1;
	conf->port = 123;
	conf->kernel = true;
	conf->never_synced = NTPK_POLICY_SILENT;
	conf->expired = NTPK_POLICY_UNSYNC;
	conf->mode1 = true;
	conf->clientloglimit = NTPK_LIMIT_CLIENTS_DEFAULT * CONF_CLIENT_BYTES;
	conf->local_distance_ns = CONF_LOCAL_DISTANCE_NS;
	conf->max_slew_ppb = 500000.0;
	conf->logbanner = 32;
	conf->logchange_ns = NS_PER_S;
	snprintf(conf->logdir, sizeof(conf->logdir), "%s", CONF_DEFAULT_LOGDIR);
	snprintf(conf->savedir, sizeof(conf->savedir), "%s", CONF_DEFAULT_SAVEDIR);
}

void conf_clean(struct conf *conf)
{
	free(conf->upstreams);
	free(conf->acl);
	conf->upstreams = NULL;
	conf->upstreams_len = 0;
	conf->acl = NULL;
	conf->acl_len = 0;
}

static void *copy_array(const void *from, size_t len, size_t size)
{
	/* one more, as none would be NULL */
	void *out = calloc(len + 1, size);

	return out && len ? memcpy(out, from, len * size) : out;
}

int conf_copy(struct conf *out, const struct conf *from)
{
	*out = *from;
	out->upstreams = copy_array(from->upstreams, from->upstreams_len, sizeof(*out->upstreams));
	out->acl = copy_array(from->acl, from->acl_len, sizeof(*out->acl));
	if (out->upstreams && out->acl)
		return 0;
	conf_clean(out);
	return -ENOMEM;
}

/* "line 5", with its file when that is another. */
static const char *place(const struct conf_line *l, const char *file, unsigned int line,
			 char *buf, size_t len)
{
	if (strncmp(file, l->file, CONF_FILE_MAX - 1) == 0)
		snprintf(buf, len, "line %u", line);
	else
		snprintf(buf, len, "%.200s:%u", file, line);
	return buf;
}

static void remove_upstream(struct conf *conf, size_t i)
{
	conf->upstreams_len--;
	memmove(&conf->upstreams[i], &conf->upstreams[i + 1],
		(conf->upstreams_len - i) * sizeof(*conf->upstreams));
}

/* What ntpkctl saved takes the place of what the file says. */
static int check_twice(struct conf_parse *p, const char *name, bool *shadows)
{
	struct conf *conf = p->conf;
	uint32_t key = conf_host_key(name);
	char at[256];
	size_t i;

	for (i = 0; i < conf->upstreams_len; i++) {
		const struct conf_upstream *up = &conf->upstreams[i];

		if (up->key != key || !conf_host_same(up->name, name))
			continue;
		if (p->scope == CONF_SCOPE_RUNTIME) {
			*shadows = up->shadows || strcmp(up->file, p->line.file) != 0;
			remove_upstream(conf, i);
			return 0;
		}
		return conf_line_error(&p->line, p->line.words[1].column,
				       "'%.60s' is an upstream already, %s", name,
				       place(&p->line, up->file, up->line, at, sizeof(at)));
	}
	return 0;
}

int conf_parse_source(struct conf_parse *p, const struct conf_row *row)
{
	struct conf *conf = p->conf;
	struct conf_upstream up, *grown;
	int ret = conf_upstream_words(&up, &p->line);

	(void)row;
	if (ret == 0)
		ret = check_twice(p, up.name, &up.shadows);
	if (ret < 0)
		return ret;
	if (conf->upstreams_len == ENGINE_MAX_SOURCES)
		return conf_line_error(&p->line, p->line.words[0].column,
				       "more than %d upstreams", (int)ENGINE_MAX_SOURCES);
	grown = realloc(conf->upstreams, (conf->upstreams_len + 1) * sizeof(*grown));
	if (!grown)
		return conf_line_error(&p->line, 1, "out of memory");
	up.drop_in = p->scope == CONF_SCOPE_DROP_IN;
	snprintf(up.file, sizeof(up.file), "%s", p->line.file);
	conf->upstreams = grown;
	conf->upstreams[conf->upstreams_len++] = up;
	return 0;
}

int conf_parse_removed(struct conf_parse *p, const struct conf_row *row)
{
	const struct conf_word *w = conf_line_word(&p->line, row->d.name, "the name of an upstream");
	size_t i;

	if (!w)
		return -EINVAL;
	for (i = p->conf->upstreams_len; i-- > 0;)
		if (conf_host_same(p->conf->upstreams[i].name, w->text))
			remove_upstream(p->conf, i);
	return 0;
}

static const char *directive_name(const void *ctx, size_t i)
{
	const struct conf_directive *d = conf_directive(i);

	(void)ctx;
	return d ? d->name : NULL;
}

/* Not every text may hold every directive. */
static int check_scope(struct conf_parse *p, const struct conf_row *row)
{
	unsigned int column = p->line.words[0].column;

	if (p->scope == CONF_SCOPE_DROP_IN && !(row->flags & CONF_SOURCES))
		return conf_line_error(&p->line, column, "%s: a drop-in of sourcedir may only hold "
				       "server and pool", row->d.name);
	if (p->scope == CONF_SCOPE_RUNTIME && !(row->flags & CONF_RUNTIME))
		return conf_line_error(&p->line, column, "%s: belongs into the configuration file, "
				       "not into runtime.conf", row->d.name);
	if (p->scope == CONF_SCOPE_FILE && row->parse == conf_parse_removed)
		return conf_line_error(&p->line, column, "removed: belongs into runtime.conf; here "
				       "take the line of the upstream away");
	return 0;
}

static int check_once(struct conf_parse *p, const struct conf_row *row, struct conf_seen *seen)
{
	char at[256];

	if (!seen->line) {
		seen->line = p->line.number;
		snprintf(seen->file, sizeof(seen->file), "%s", p->line.file);
		return 0;
	}
	if (row->flags & CONF_MANY)
		return 0;
	return conf_line_error(&p->line, p->line.words[0].column, "%s stands in %s already",
			       row->d.name, place(&p->line, seen->file, seen->line, at,
						  sizeof(at)));
}

static void parse_words(struct conf_parse *p)
{
	const struct conf_word *w = p->line.words;
	const struct conf_row *rows;
	size_t len, i;

	rows = conf_rows(&len);
	for (i = 0; i < len && strcasecmp(w->text, rows[i].d.name) != 0; i++)
		;
	if (i == len) {
		conf_line_unknown(&p->line, w, NULL, directive_name, NULL);
		return;
	}
	if (check_scope(p, &rows[i]) < 0 || check_once(p, &rows[i], &p->seen[i]) < 0)
		return;
	p->line.next = 1;
	if (rows[i].parse(p, &rows[i]) == 0)
		conf_line_end(&p->line, rows[i].d.name);
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

void conf_text(struct conf_parse *p, FILE *in)
{
	char buf[CONF_LINE_MAX + 1];
	size_t len;

	errno = 0;
	p->line.number = 0;
	while (read_line(in, buf, &len)) {
		p->line.number++;
		p->line.errors = 0;
		if (conf_line_split(&p->line, buf, len) == 0 && p->line.len)
			parse_words(p);
		p->errors += p->line.errors;
	}
	if (ferror(in)) {
		p->line.number++;
		conf_line_error(&p->line, 1, "cannot be read: %s", strerror(errno));
		p->errors++;
	}
}

int conf_check(struct conf *conf, const struct conf_diag *diag)
{
	struct conf_parse p = { .conf = conf, .line = { .diag = diag } };

	return conf_listen_check(&p);
}

int conf_parse(struct conf *conf, FILE *in, const char *file, const struct conf_diag *diag)
{
	struct conf_seen seen[CONF_ROWS] = { 0 };
	struct conf_parse p = {
		.conf = conf, .seen = seen, .line = { .file = file, .diag = diag },
	};

	conf_text(&p, in);
	if (!p.errors && conf_listen_check(&p) < 0)
		p.errors++;
	return p.errors ? -EINVAL : 0;
}
