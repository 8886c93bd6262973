// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reading a chrony.conf with its includes.  Nothing is judged here: who may have
 * written the files is the reader's matter, ntpkd will look at the result.
 * Process context; no global state.
 */
#include "daemon/conf_import_text.h"

#include <errno.h>
#include <glob.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LINES_MAX	100000u
#define DEPTH_MAX	8

static int read_file(struct import_text *t, const char *path, unsigned int depth);

static int add_line(struct import_text *t, const char *file, unsigned int number,
		    const char *text)
{
	struct import_line *l;
	size_t start = strspn(text, " \t"), n = strcspn(text + start, " \t");

	if (t->len == LINES_MAX)
		return -EFBIG;
	/* grown by powers of two */
	if (!(t->len & (t->len - 1))) {
		l = realloc(t->lines, (t->len ? 2 * t->len : 1) * sizeof(*l));
		if (!l)
			return -ENOMEM;
		t->lines = l;
	}
	l = &t->lines[t->len];
	memset(l, 0, sizeof(*l));
	l->text = strdup(text);
	if (!l->text)
		return -ENOMEM;
	l->file = file;
	l->number = number;
	if (n < sizeof(l->word) && !strchr("#%!;", text[start]))
		memcpy(l->word, text + start, n);
	t->len++;
	return 0;
}

static int read_pattern(struct import_text *t, const char *pattern, unsigned int depth)
{
	glob_t found;
	int err = 0;
	size_t i;

	switch (glob(pattern, GLOB_NOMAGIC, NULL, &found)) {
	case 0:
		break;
	case GLOB_NOMATCH:
		return 0;
	default:
		return -EIO;
	}
	for (i = 0; !err && i < found.gl_pathc; i++)
		err = read_file(t, found.gl_pathv[i], depth);
	globfree(&found);
	return err;
}

/* The directive as a comment, then what it names. */
static int follow(struct import_text *t, char *text, unsigned int depth)
{
	bool folder = strcasecmp(t->lines[t->len - 1].word, "confdir") == 0;
	char *comment, *word, *at;
	int err = 0;

	if (depth == DEPTH_MAX)
		return -ELOOP;
	if (asprintf(&comment, "# %s", text) < 0)
		return -ENOMEM;
	/* @text is not the copy of the line */
	free(t->lines[t->len - 1].text);
	t->lines[t->len - 1].text = comment;
	t->lines[t->len - 1].word[0] = '\0';
	strtok_r(text, " \t", &at);
	for (word = strtok_r(NULL, " \t", &at); !err && word; word = strtok_r(NULL, " \t", &at)) {
		char pattern[4200];

		snprintf(pattern, sizeof(pattern), folder ? "%s/*.conf" : "%s", word);
		err = read_pattern(t, pattern, depth + 1);
	}
	return err;
}

static int add_file(struct import_text *t, const char *path)
{
	char **grown = realloc(t->files, (t->files_len + 1) * sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	t->files = grown;
	t->files[t->files_len] = strdup(path);
	return t->files[t->files_len++] ? 0 : -ENOMEM;
}

static int read_lines(struct import_text *t, FILE *in, const char *file, unsigned int depth)
{
	unsigned int number = 0;
	char *line = NULL;
	size_t size = 0;
	ssize_t n;
	int err = 0;

	errno = 0;
	while (!err && (n = getline(&line, &size, in)) >= 0) {
		if (memchr(line, '\0', (size_t)n)) {
			err = -EILSEQ;
			break;
		}
		line[strcspn(line, "\r\n")] = '\0';
		err = add_line(t, file, ++number, line);
		if (!err && (strcasecmp(t->lines[t->len - 1].word, "include") == 0 ||
			     strcasecmp(t->lines[t->len - 1].word, "confdir") == 0))
			err = follow(t, line, depth);
	}
	if (!err && ferror(in))
		err = errno ? -errno : -EIO;
	free(line);
	return err;
}

static int read_file(struct import_text *t, const char *path, unsigned int depth)
{
	FILE *in = fopen(path, "re");
	int err;

	if (!in)
		return -errno;
	err = add_file(t, path);
	if (!err)
		err = read_lines(t, in, t->files[t->files_len - 1], depth);
	fclose(in);
	return err;
}

int import_text_read(struct import_text *t, const char *path)
{
	return read_file(t, path, 0);
}

void import_text_clean(struct import_text *t)
{
	size_t i;

	for (i = 0; i < t->len; i++)
		free(t->lines[i].text);
	for (i = 0; i < t->files_len; i++)
		free(t->files[i]);
	free(t->lines);
	free(t->files);
	memset(t, 0, sizeof(*t));
}
