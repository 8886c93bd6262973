// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A chrony.conf as ntpk.conf: each line is tried with ntpkd's own parser; words
 * that it refuses are taken away where the rest stays true, else the whole line,
 * and either is told.  What a file means without the line counts too: chrony
 * answers nobody without `allow`, and of two lines the last one rules.  Process
 * context; no global state.
 */
#include "daemon/conf_import.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "daemon/conf_import_text.h"
#include "daemon/conf_priv.h"

#define DRIFTFILE	CONF_DEFAULT_SAVEDIR "/drift"

/*
 * struct run - one conversion
 * @im: the caller's
 * @out: the caller's
 * @text: all lines
 * @conf: what was written so far, for names that come twice
 * @allows: is there any `allow`?
 * @now: line in hand
 */
struct run {
	struct conf_import *im;
	FILE	*out;
	struct import_text text;
	struct conf *conf;
	bool	 allows;
	const struct import_line *now;
};

/* struct complaint - the parser's first */
struct complaint {
	unsigned int column;
	char	 text[1024];
};

const char *conf_import_kind_name(enum conf_import_kind kind)
{
	static const char *const names[CONF_IMPORT_KINDS] = { "changed", "not-needed", "lost" };

	return names[kind];
}

__attribute__((format(printf, 3, 4)))
static void note(struct run *r, enum conf_import_kind kind, const char *fmt, ...)
{
	char text[1200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	r->im->notes[kind]++;
	fprintf(r->out, "# %s: %s\n", conf_import_kind_name(kind), text);
	if (r->im->note)
		r->im->note(r->im->ctx, kind, r->now->file, r->now->number, text);
}

static void leave_out(struct run *r, enum conf_import_kind kind, const char *why)
{
	note(r, kind, "%s", why);
	fprintf(r->out, "#%s\n", r->now->text);
}

static void keep_first(void *ctx, const char *file, unsigned int line, unsigned int column,
		       const char *text)
{
	struct complaint *c = ctx;

	(void)file;
	(void)line;
	if (c->text[0])
		return;
	c->column = column;
	snprintf(c->text, sizeof(c->text), "%s", text);
}

/* Would ntpkd take it, after all that was written before? */
static bool accepted(struct run *r, const char *line, struct complaint *c)
{
	const struct conf_diag diag = { .report = keep_first, .ctx = c };
	FILE *in = fmemopen((void *)line, strlen(line), "r");
	int ret = -ENOMEM;

	memset(c, 0, sizeof(*c));
	if (in) {
		ret = conf_parse(r->conf, in, r->now->file, &diag);
		fclose(in);
	}
	return ret == 0;
}

/* Takes @n words away, from the one at this column on. */
static void cut_words(char *line, unsigned int column, unsigned int n)
{
	char *from = line + column - 1, *to = from;

	for (; n && *to; n--) {
		to += strcspn(to, " \t");
		to += strspn(to, " \t");
	}
	while (from > line && (from[-1] == ' ' || from[-1] == '\t'))
		from--;
	if (*to)
		*from++ = ' ';
	memmove(from, to, strlen(to) + 1);
}

static void copy(struct run *r, const char *line)
{
	fprintf(r->out, "%s\n", line);
	r->im->kept++;
}

/* A refused option goes and the rest stays, unless that would be dangerous. */
static void convert_options(struct run *r, const char *directive)
{
	const struct conf_refused *option;
	struct complaint c;
	char *line = strdup(r->now->text);
	char word[64];

	while (line && !accepted(r, line, &c)) {
		snprintf(word, sizeof(word), "%.*s", (int)strcspn(line + c.column - 1, " \t"),
			 line + c.column - 1);
		option = conf_refused_find(directive, word);
		if (!option || option->loss == CONF_UNSAFE_WITHOUT || c.column == 1) {
			leave_out(r, CONF_IMPORT_LOST, c.text);
			free(line);
			return;
		}
		note(r, option->loss == CONF_NOT_NEEDED ? CONF_IMPORT_NOT_NEEDED :
		     CONF_IMPORT_LOST, "%s", c.text);
		cut_words(line, c.column, 1 + option->values);
	}
	if (line)
		copy(r, line);
	free(line);
}

static bool refuse_directive(struct run *r, const char *word)
{
	const struct conf_refused *refused = conf_refused_find(NULL, word);
	char why[512];

	if (!refused)
		return false;
	snprintf(why, sizeof(why), "%s: %s", refused->name, refused->why);
	leave_out(r, refused->loss == CONF_NOT_NEEDED ? CONF_IMPORT_NOT_NEEDED : CONF_IMPORT_LOST,
		  why);
	return true;
}

/* Folders and users of chronyd's own are not ntpkd's. */
static bool convert_own(struct run *r, const struct conf_line *l)
{
	const char *word = l->words[0].text;
	struct complaint c;

	if (strcasecmp(word, "driftfile") == 0 && l->len > 1) {
		note(r, CONF_IMPORT_CHANGED, "driftfile: ntpkd keeps its own; `cp %.200s " DRIFTFILE
		     "` takes chronyd's over", l->words[1].text);
		copy(r, "driftfile " DRIFTFILE);
	} else if (strcasecmp(word, "logdir") == 0) {
		note(r, CONF_IMPORT_CHANGED, "logdir: ntpkd has a folder of its own");
		copy(r, "logdir " CONF_DEFAULT_LOGDIR);
	} else if (strcasecmp(word, "user") == 0) {
		leave_out(r, CONF_IMPORT_NOT_NEEDED, "user: ntpkd has a user of its own");
	} else if (strcasecmp(word, "maxslewrate") == 0 && !accepted(r, r->now->text, &c)) {
		leave_out(r, CONF_IMPORT_CHANGED, "maxslewrate: ntpkd slews by 500 ppm at most, "
			  "which is its default");
	} else if (strcasecmp(word, "deny") == 0 && !r->allows) {
		leave_out(r, CONF_IMPORT_NOT_NEEDED, "deny: without allow nobody is answered, see "
			  "the end");
	} else {
		return false;
	}
	return true;
}

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

/* Of two lines chrony's last one rules; here it is an error. */
static bool overruled(struct run *r, size_t at, const char *word)
{
	const struct conf_row *row = find_row(word);
	char why[256];
	size_t i;

	if (!row || row->flags & CONF_MANY)
		return false;
	for (i = at + 1; i < r->text.len; i++) {
		const struct import_line *later = &r->text.lines[i];

		if (strcasecmp(later->word, word) != 0)
			continue;
		snprintf(why, sizeof(why), "%s: stands again in %.150s:%u, where chrony takes it from",
			 row->d.name, later->file, later->number);
		leave_out(r, CONF_IMPORT_NOT_NEEDED, why);
		return true;
	}
	return false;
}

static void convert_line(struct run *r, size_t at)
{
	struct conf_line l = { .file = "" };
	struct complaint c = { 0 };
	const struct conf_diag diag = { .report = keep_first, .ctx = &c };

	r->now = &r->text.lines[at];
	l.diag = &diag;
	if (conf_line_split(&l, r->now->text, strlen(r->now->text)) < 0) {
		r->im->lines++;
		leave_out(r, CONF_IMPORT_LOST, c.text);
		return;
	}
	if (!l.len) {
		fprintf(r->out, "%s\n", r->now->text);
		return;
	}
	r->im->lines++;
	if (refuse_directive(r, l.words[0].text) || overruled(r, at, l.words[0].text) ||
	    convert_own(r, &l))
		return;
	convert_options(r, l.words[0].text);
}

static void convert(struct run *r)
{
	size_t i;

	for (i = 0; i < r->text.len; i++)
		r->allows |= strcasecmp(r->text.lines[i].word, "allow") == 0;
	for (i = 0; i < r->text.len; i++)
		convert_line(r, i);
	if (r->allows || !r->text.len)
		return;
	r->now = &r->text.lines[r->text.len - 1];
	note(r, CONF_IMPORT_CHANGED, "no allow: chrony answers nobody then, so does `deny all`");
	copy(r, "deny all");
}

int conf_import(struct conf_import *im, const char *path, FILE *out)
{
	struct run r = { .im = im, .out = out, .conf = malloc(sizeof(*r.conf)) };
	int err;

	im->lines = 0;
	im->kept = 0;
	memset(im->notes, 0, sizeof(im->notes));
	if (!r.conf)
		return -ENOMEM;
	conf_init(r.conf);
	err = import_text_read(&r.text, path);
	if (!err)
		convert(&r);
	import_text_clean(&r.text);
	conf_clean(r.conf);
	free(r.conf);
	return err;
}
