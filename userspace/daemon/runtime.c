// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * runtime.conf: the lines that ntpkctl --save keeps.  Each change reads the
 * file, drops the lines that it replaces, appends one and replaces the file
 * whole.  Event loop only.
 */
#include "daemon/runtime.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>
#include "daemon/conf_priv.h"
#include "daemon/replace.h"

#define FILE_MAX_LEN	(256u * 1024)
#define LINE_LEN	(CONF_LINE_MAX + 2)

static const char heading[] = "# Written by ntpkctl --save and read after ntpk.conf: one change a line.\n";

/* struct text - a file in memory */
struct text {
	char	*s;
	size_t	 len;
};

/*
 * struct edit - what a change does to the lines that are there
 * @name: drop this upstream's server, pool and removed; NULL = none
 * @row: drop this directive; NULL = none
 * @line: drop lines that say the same; NULL = none
 */
struct edit {
	const char *name;
	const struct conf_row *row;
	const char *line;
};

static const struct conf_row *find_row(const char *word)
{
	const struct conf_row *rows;
	size_t len, i;

	rows = conf_rows(&len);
	for (i = 0; i < len; i++)
		if (strcasecmp(rows[i].d.name, word) == 0)
			return &rows[i];
	return NULL;
}

static int parse_line(struct conf *conf, const char *line, const char *file,
		      const struct conf_diag *diag, bool whole)
{
	struct conf_seen seen[CONF_ROWS] = { 0 };
	struct conf_parse p = {
		.conf = conf, .seen = seen, .scope = CONF_SCOPE_RUNTIME,
		.line = { .file = file, .diag = diag },
	};
	size_t acl_len = conf->acl_len;
	FILE *in;

	/* a newline within would be a second line */
	if (!*line || strpbrk(line, "\n")) {
		p.line.number = 1;
		return conf_line_error(&p.line, 1, "one line of the configuration, please");
	}
	in = fmemopen((void *)line, strlen(line), "r");
	if (!in)
		return -ENOMEM;
	conf_text(&p, in);
	fclose(in);
	/* a program may say the same again and again */
	conf_acl_drop_repeated(conf, acl_len);
	if (!p.errors && !p.line.len)
		return conf_line_error(&p.line, 1, "one line of the configuration, please");
	return p.errors || (whole && conf_listen_check(&p) < 0) ? -EINVAL : 0;
}

int runtime_parse(struct conf *conf, const char *line, const char *file,
		  const struct conf_diag *diag)
{
	return parse_line(conf, line, file, diag, true);
}

bool runtime_names_upstream(const char *line)
{
	struct conf_line l = { .file = "" };
	const struct conf_row *row;

	if (strlen(line) > CONF_LINE_MAX || conf_line_split(&l, line, strlen(line)) < 0 || !l.len)
		return false;
	row = find_row(l.words[0].text);
	return row && row->change == CONF_CHANGE_SOURCES;
}

static int fail(char *why, const char *path, int err)
{
	snprintf(why, RUNTIME_WHY_LEN, "%.400s: %s", path, strerror(-err));
	return err;
}

static int read_all(int fd, struct text *t)
{
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (st.st_size > FILE_MAX_LEN)
		return -EFBIG;
	n = read(fd, t->s, (size_t)st.st_size);
	if (n < 0)
		return -errno;
	t->len = (size_t)n;
	return 0;
}

static int drop_text(struct text *t, int err)
{
	free(t->s);
	return err;
}

/* Room for the file and for a line more.  A file that is not there has the heading alone. */
static int load_text(const char *path, struct text *t, const struct runtime_writer *w)
{
	const void *pending = w ? saver_pending(w->saver, path, &t->len) : NULL;
	int fd, err = 0;

	t->s = malloc(FILE_MAX_LEN + sizeof(heading) + 2 * LINE_LEN);
	if (!t->s)
		return -ENOMEM;
	if (pending) {
		memcpy(t->s, pending, t->len);
		return t->len > FILE_MAX_LEN ? drop_text(t, -EFBIG) : 0;
	}
	t->len = 0;
	fd = replace_open(path);
	if (fd >= 0) {
		err = read_all(fd, t);
		close(fd);
	} else if (fd != -ENOENT) {
		err = fd;
	}
	if (err)
		return drop_text(t, err);
	if (!t->len) {
		t->len = sizeof(heading) - 1;
		memcpy(t->s, heading, t->len);
	}
	if (t->s[t->len - 1] != '\n')
		t->s[t->len++] = '\n';
	return 0;
}

/* Is this line replaced by the change? */
static bool dropped(const struct edit *e, const char *text, size_t len)
{
	struct conf_line l = { .file = "" };
	const struct conf_row *row;

	if (e->line && strlen(e->line) == len && memcmp(e->line, text, len) == 0)
		return true;
	if (conf_line_split(&l, text, len) < 0 || !l.len)
		return false;
	row = find_row(l.words[0].text);
	if (e->row && row == e->row)
		return true;
	return e->name && row && row->change == CONF_CHANGE_SOURCES && l.len > 1 &&
	       conf_host_same(l.words[1].text, e->name);
}

/* Return: how many. */
static unsigned int drop_lines(struct text *t, const struct edit *e)
{
	unsigned int dropped_len = 0;
	char *from = t->s, *to = t->s, *end = t->s + t->len;

	while (from < end) {
		char *newline = memchr(from, '\n', (size_t)(end - from));
		size_t len = (size_t)(newline - from);

		if (!dropped(e, from, len)) {
			memmove(to, from, len + 1);
			to += len + 1;
		} else {
			dropped_len++;
		}
		from = newline + 1;
	}
	t->len = (size_t)(to - t->s);
	return dropped_len;
}

/* @append: a line, NULL = only drop; -ENOENT: there is nothing to do */
static int change(const struct conf *conf, const struct edit *e, const char *append, char *why,
		  const struct runtime_writer *w)
{
	static const struct replace how = { .mode = 0640, .sync = true };
	char path[CONF_PATH_MAX + sizeof("/runtime.conf")];
	struct text t;
	int err;

	conf_runtime_path(conf, path, sizeof(path));
	err = load_text(path, &t, w);
	if (err)
		return fail(why, path, err);
	if (!drop_lines(&t, e) && !append && e->row)
		return drop_text(&t, -ENOENT);
	if (append)
		t.len += (size_t)snprintf(t.s + t.len, LINE_LEN, "%s\n", append);
	if (w)
		saver_put(w->saver, path, t.s, t.len, &how, w->done, w->ctx);
	else
		err = replace_file(path, t.s, t.len, &how);
	free(t.s);
	return err ? fail(why, path, err) : 0;
}

int runtime_add_upstream(const struct conf *conf, const struct conf_upstream *up, char *why,
			 const struct runtime_writer *w)
{
	const struct edit e = { .name = up->name };
	char line[CONF_LINE_MAX];

	conf_format_upstream(up, line, sizeof(line));
	return change(conf, &e, line, why, w);
}

/* Does the file, or a drop-in, bring it back? */
static bool in_file(const struct conf *conf, const char *name)
{
	char path[CONF_PATH_MAX + sizeof("/runtime.conf")];
	size_t i;

	conf_runtime_path(conf, path, sizeof(path));
	for (i = 0; i < conf->upstreams_len; i++) {
		const struct conf_upstream *up = &conf->upstreams[i];

		if (conf_host_same(up->name, name))
			return up->shadows || strncmp(up->file, path, sizeof(up->file) - 1) != 0;
	}
	return false;
}

int runtime_del_upstream(const struct conf *conf, const char *name, char *why,
			 const struct runtime_writer *w)
{
	const struct edit e = { .name = name };
	char line[CONF_LINE_MAX];

	if (!in_file(conf, name))
		return change(conf, &e, NULL, why, w);
	snprintf(line, sizeof(line), "removed %s", name);
	return change(conf, &e, line, why, w);
}

/* The parser's first complaint. */
static void keep_first(void *ctx, const char *file, unsigned int line, unsigned int column,
		       const char *text)
{
	char *why = ctx;

	(void)line;
	if (!why[0])
		snprintf(why, RUNTIME_WHY_LEN, "%s:%u: %.400s", file, column, text);
}

int runtime_set(const struct conf *conf, const char *line, char *why,
		const struct runtime_writer *w)
{
	const struct conf_diag diag = { .report = keep_first, .ctx = why };
	struct conf_line l = { .file = "" };
	struct edit e = { .line = line };
	struct conf *scratch;
	int err;

	why[0] = '\0';
	scratch = malloc(sizeof(*scratch));
	if (!scratch)
		return fail(why, "save", -ENOMEM);
	conf_init(scratch);
	err = parse_line(scratch, line, "save", &diag, false);
	conf_clean(scratch);
	free(scratch);
	if (!err)
		err = conf_line_split(&l, line, strlen(line));
	if (err)
		return err;
	if (!l.len) {
		snprintf(why, RUNTIME_WHY_LEN, "save: nothing to save");
		return -EINVAL;
	}
	e.row = find_row(l.words[0].text);
	if (e.row->change == CONF_CHANGE_SOURCES)
		e.name = l.words[1].text;
	if (e.row->flags & CONF_MANY)
		e.row = NULL;
	return change(conf, &e, line, why, w);
}

const char *runtime_setting(const char *name)
{
	const struct conf_row *row = find_row(name);

	return row && row->change != CONF_CHANGE_SOURCES && (row->flags & CONF_RUNTIME) ?
	       row->d.name : NULL;
}

int runtime_unset(const struct conf *conf, const char *name, char *why,
		  const struct runtime_writer *w)
{
	struct edit e = { .row = find_row(name) };
	int err;

	if (!runtime_setting(name)) {
		snprintf(why, RUNTIME_WHY_LEN, "%.60s: is no setting that can be saved", name);
		return -EINVAL;
	}
	err = change(conf, &e, NULL, why, w);
	if (err == -ENOENT)
		snprintf(why, RUNTIME_WHY_LEN, "%s: none is saved", e.row->d.name);
	return err;
}
