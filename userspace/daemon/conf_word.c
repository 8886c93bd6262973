// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Words, values and errors of one configuration line.  Process context; no
 * state but the caller's struct conf_line.  Text of the user is checked to be
 * printable before it can reach a message.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "daemon/conf_word.h"

#define TEXT_MAX	1024
/* A word quoted in a message is cut here. */
#define SHOW		"%.60s"

int conf_line_error(struct conf_line *l, unsigned int column, const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	l->errors++;
	if (l->diag && l->diag->report)
		l->diag->report(l->diag->ctx, l->file, l->number, column, text);
	return -EINVAL;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static int check_bytes(struct conf_line *l, const char *text, size_t len, bool comment)
{
	const char *nul = memchr(text, '\0', len);
	size_t i;

	if (nul)
		return conf_line_error(l, (unsigned int)(nul - text) + 1,
				       "NUL byte: this is not a text file");
	if (comment)
		return 0;
	for (i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '\r' && i + 1 == len)
			return conf_line_error(l, (unsigned int)i + 1,
					       "carriage return at the end of the line: "
					       "save the file with Unix line ends");
		if (!isprint(c) && !is_blank((char)c))
			return conf_line_error(l, (unsigned int)i + 1,
					       "byte 0x%02x: only printable ASCII is accepted "
					       "outside comments", c);
	}
	return 0;
}

static int cut_words(struct conf_line *l, size_t len)
{
	size_t i = 0;

	for (;;) {
		while (i < len && is_blank(l->buf[i]))
			l->buf[i++] = '\0';
		if (i == len)
			return 0;
		if (l->len == CONF_WORDS_MAX)
			return conf_line_error(l, (unsigned int)i + 1,
					       "more than %d words on one line", CONF_WORDS_MAX);
		l->words[l->len].text = l->buf + i;
		l->words[l->len++].column = (unsigned int)i + 1;
		while (i < len && !is_blank(l->buf[i]))
			i++;
		l->end_column = (unsigned int)i + 1;
	}
}

int conf_line_split(struct conf_line *l, const char *text, size_t len)
{
	size_t start = 0;
	bool comment;
	int ret;

	l->next = 0;
	l->len = 0;
	l->end_column = 1;
	if (len > CONF_LINE_MAX)
		return conf_line_error(l, CONF_LINE_MAX + 1, "line longer than %d bytes",
				       CONF_LINE_MAX);
	while (start < len && is_blank(text[start]))
		start++;
	comment = start < len && text[start] && strchr("#%!;", text[start]);
	ret = check_bytes(l, text, len, comment);
	if (ret < 0 || comment)
		return ret;
	memcpy(l->buf, text, len);
	l->buf[len] = '\0';
	return cut_words(l, len);
}

const struct conf_word *conf_line_word(struct conf_line *l, const char *after, const char *what)
{
	if (l->next < l->len)
		return &l->words[l->next++];
	conf_line_error(l, l->end_column, "%s needs %s after it", after, what);
	return NULL;
}

int conf_line_end(struct conf_line *l, const char *after)
{
	const struct conf_word *w;

	if (l->next >= l->len)
		return 0;
	w = &l->words[l->next];
	if (strchr("#%!;", w->text[0]))
		return conf_line_error(l, w->column,
				       "'" SHOW "': a comment stands on a line of its own", w->text);
	return conf_line_error(l, w->column, "'" SHOW "' is too much: %s ends before it", w->text,
			       after);
}

/* Return: 0, -EINVAL for no number at all, -ERANGE beyond any limit. */
static int read_int(const char *s, int64_t *out)
{
	bool negative = *s == '-';
	int64_t v = 0;

	if (*s == '-' || *s == '+')
		s++;
	if (!*s)
		return -EINVAL;
	if (s[strspn(s, "0123456789")])
		return -EINVAL;
	for (; *s; s++)
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, *s - '0', &v))
			return -ERANGE;
	*out = negative ? -v : v;
	return 0;
}

int conf_line_int(struct conf_line *l, const char *name, int64_t min, int64_t max, int64_t *out)
{
	const struct conf_word *w;
	char what[80];
	int64_t v = 0;
	int ret;

	snprintf(what, sizeof(what), "a number from %" PRId64 " to %" PRId64, min, max);
	w = conf_line_word(l, name, what);
	if (!w)
		return -EINVAL;
	ret = read_int(w->text, &v);
	if (ret == -EINVAL)
		return conf_line_error(l, w->column, "%s: '" SHOW "' is not a whole number "
				       "(accepted: %" PRId64 " to %" PRId64 ")", name, w->text,
				       min, max);
	if (ret == -ERANGE || v < min || v > max)
		return conf_line_error(l, w->column, "%s: " SHOW " is out of range "
				       "(accepted: %" PRId64 " to %" PRId64 ")", name, w->text,
				       min, max);
	*out = v;
	return 0;
}

/*
 * Exact: no binary fraction comes between the file and the nanoseconds.
 * Return: 0, -EINVAL for no number, -EDOM for a tenth decimal, -ERANGE.
 */
static int read_decimal(const char *s, int64_t *out_ns)
{
	bool negative = *s == '-';
	size_t whole, frac = 0, i;
	int64_t ns = 0;

	if (*s == '-' || *s == '+')
		s++;
	whole = strspn(s, "0123456789");
	if (s[whole] == '.')
		frac = strspn(s + whole + 1, "0123456789");
	if (!(whole + frac) || s[whole + (s[whole] == '.') + frac])
		return -EINVAL;
	if (frac > 9)
		return -EDOM;
	for (i = 0; i < whole; i++)
		if (__builtin_mul_overflow(ns, 10, &ns) ||
		    __builtin_add_overflow(ns, s[i] - '0', &ns))
			return -ERANGE;
	for (i = 0; i < 9; i++)
		if (__builtin_mul_overflow(ns, 10, &ns) ||
		    __builtin_add_overflow(ns, i < frac ? s[whole + 1 + i] - '0' : 0, &ns))
			return -ERANGE;
	*out_ns = negative ? -ns : ns;
	return 0;
}

const char *conf_format_decimal(char *buf, size_t len, int64_t nano)
{
	uint64_t v = nano < 0 ? -(uint64_t)nano : (uint64_t)nano;
	int n = snprintf(buf, len, "%s%" PRIu64 ".%09" PRIu64, nano < 0 ? "-" : "",
			 v / 1000000000, v % 1000000000);

	if (n >= (int)len)
		return buf;
	while (n > 0 && buf[n - 1] == '0')
		buf[--n] = '\0';
	if (n > 0 && buf[n - 1] == '.')
		buf[--n] = '\0';
	return buf;
}

int conf_line_decimal(struct conf_line *l, const char *name, const char *unit, int64_t min_nano,
		      int64_t max_nano, int64_t *out_nano)
{
	char min[32], max[32], what[96];
	const struct conf_word *w;
	int64_t v = 0;
	int ret;

	conf_format_decimal(min, sizeof(min), min_nano);
	conf_format_decimal(max, sizeof(max), max_nano);
	snprintf(what, sizeof(what), "%s from %s to %s", unit, min, max);
	w = conf_line_word(l, name, what);
	if (!w)
		return -EINVAL;
	ret = read_decimal(w->text, &v);
	if (ret == -EINVAL)
		return conf_line_error(l, w->column, "%s: '" SHOW "' is not a number of %s "
				       "such as 10 or 0.25 (accepted: %s to %s)", name, w->text,
				       unit, min, max);
	if (ret == -EDOM)
		return conf_line_error(l, w->column, "%s: '" SHOW "' is finer than a nanosecond "
				       "(at most nine decimals)", name, w->text);
	if (ret == -ERANGE || v < min_nano || v > max_nano)
		return conf_line_error(l, w->column, "%s: " SHOW " %s is out of range "
				       "(accepted: %s to %s)", name, w->text, unit, min, max);
	*out_nano = v;
	return 0;
}

int conf_line_seconds(struct conf_line *l, const char *name, int64_t min_ns, int64_t max_ns,
		      int64_t *out_ns)
{
	return conf_line_decimal(l, name, "seconds", min_ns, max_ns, out_ns);
}

int conf_line_choice(struct conf_line *l, const char *name, const char *yes, const char *no,
		     bool *out)
{
	const struct conf_word *w;
	char what[64];

	snprintf(what, sizeof(what), "'%s' or '%s'", yes, no);
	w = conf_line_word(l, name, what);
	if (!w)
		return -EINVAL;
	*out = strcasecmp(w->text, yes) == 0;
	if (!*out && strcasecmp(w->text, no) != 0)
		return conf_line_error(l, w->column, "%s: '" SHOW "' is not accepted, only '%s' "
				       "or '%s'", name, w->text, yes, no);
	return 0;
}

int conf_line_option(struct conf_line *l, const char *of,
		     const char *(*names)(const void *ctx, size_t i), const void *ctx,
		     unsigned int *given)
{
	const struct conf_word *w = &l->words[l->next++];
	const char *name;
	int i;

	for (i = 0; (name = names(ctx, (size_t)i)); i++)
		if (strcasecmp(name, w->text) == 0)
			break;
	if (!name)
		return conf_line_unknown(l, w, of, names, ctx);
	if (*given & 1u << i)
		return conf_line_error(l, w->column, "%s is given twice", name);
	*given |= 1u << i;
	return i;
}

#define WRONG_MAX	3

/* Edit distance with swaps of neighbours (optimal string alignment), 33 = far. */
static unsigned int distance(const char *a, const char *b)
{
	unsigned int d[3][33], *row = d[0], *prev = d[1], *before = d[2], *spare;
	size_t la = strlen(a), lb = strlen(b), i, j;

	if (la > 32 || lb > 32 || la > lb + WRONG_MAX || lb > la + WRONG_MAX)
		return 33;
	for (j = 0; j <= lb; j++)
		row[j] = (unsigned int)j;
	for (i = 1; i <= la; i++) {
		spare = before;
		before = prev;
		prev = row;
		row = spare;
		row[0] = (unsigned int)i;
		for (j = 1; j <= lb; j++) {
			int ca = tolower((unsigned char)a[i - 1]);
			int cb = tolower((unsigned char)b[j - 1]);
			unsigned int best = prev[j - 1] + (ca != cb);

			if (prev[j] + 1 < best)
				best = prev[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			if (i > 1 && j > 1 && ca == tolower((unsigned char)b[j - 2]) &&
			    cb == tolower((unsigned char)a[i - 2]) && before[j - 2] + 1 < best)
				best = before[j - 2] + 1;
			row[j] = best;
		}
	}
	return row[lb];
}

const char *conf_nearest(const char *word, const char *(*names)(const void *ctx, size_t i),
			 const void *ctx)
{
	/* A third of the word may be wrong, and at most these many letters of it. */
	unsigned int limit = (unsigned int)strlen(word) / 3 + 1, best, d;
	const char *name, *found = NULL;
	size_t i;

	best = limit > WRONG_MAX ? WRONG_MAX : limit;
	for (i = 0; (name = names(ctx, i)); i++) {
		d = distance(word, name);
		if (d < best || (d == best && !found)) {
			best = d;
			found = name;
		}
	}
	return found;
}

int conf_line_unknown(struct conf_line *l, const struct conf_word *w, const char *of,
		      const char *(*names)(const void *ctx, size_t i), const void *ctx)
{
	const struct conf_refused *refused = conf_refused_find(of, w->text);
	const char *near = conf_nearest(w->text, names, ctx);
	const char *kind = of ? "option" : "directive";
	char list[800] = "";
	const char *name;
	size_t i, n = 0;

	if (refused)
		return conf_line_error(l, w->column, "%s is not accepted: %s", refused->name,
				       refused->why);
	if (of && strchr("#%!;", w->text[0]))
		return conf_line_error(l, w->column, "'" SHOW "': a comment stands on a line of "
				       "its own", w->text);
	for (i = 0; (name = names(ctx, i)) && n < sizeof(list); i++)
		n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%s", i ? ", " : "", name);
	if (near)
		return conf_line_error(l, w->column, "unknown %s '" SHOW "', did you mean '%s'? "
				       "(accepted: %s)", kind, w->text, near, list);
	return conf_line_error(l, w->column, "unknown %s '" SHOW "' (accepted: %s)", kind,
			       w->text, list);
}
