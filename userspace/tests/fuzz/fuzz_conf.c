// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz target: any bytes as configuration.  Beyond what the sanitizers see: an
 * error is reported if and only if the text is refused, messages point into the
 * text and are printable, each upstream is written and read back the same, and the
 * first line alone is taken or refused the same way by who sets it at run time.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "daemon/conf.h"
#include "daemon/conf_word.h"
#include "daemon/runtime.h"
#include "fuzz.h"

struct seen {
	unsigned int errors;
	size_t	 size;
};

static void note(void *ctx, const char *file, unsigned int line, unsigned int column,
		 const char *text)
{
	struct seen *s = ctx;

	(void)file;
	s->errors++;
	if (!line || line > s->size + 1 || !column || column > CONF_LINE_MAX + 1 || !*text)
		abort();
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			abort();
}

static void round_trip(const struct conf_upstream *up)
{
	struct seen s = { .size = 1 };
	const struct conf_diag diag = { note, &s };
	struct conf_upstream again;
	char text[CONF_LINE_MAX];

	conf_format_upstream(up, text, sizeof(text));
	if (conf_parse_upstream(&again, text, "again", up->line, &diag) < 0)
		abort();
	memcpy(again.file, up->file, sizeof(again.file));
	if (memcmp(up, &again, sizeof(again)) != 0)
		abort();
}

/* As `ntpkctl set` does: on top of a copy of what is there. */
static void set_first_line(const struct conf *conf, const uint8_t *data, size_t size)
{
	struct seen s = { .size = size };
	const struct conf_diag diag = { note, &s };
	const uint8_t *end = memchr(data, '\n', size);
	char *line = strndup((const char *)data, end ? (size_t)(end - data) : size);
	struct conf_difference diff[CONF_DIFFERENCES_MAX];
	struct conf fresh;

	if (!line || conf_copy(&fresh, conf))
		abort();
	if (runtime_parse(&fresh, line, "set", &diag) != (s.errors ? -EINVAL : 0))
		abort();
	if (!s.errors && conf_diff(conf, &fresh, diff) > CONF_DIFFERENCES_MAX)
		abort();
	conf_clean(&fresh);
	free(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seen s = { .size = size };
	const struct conf_diag diag = { note, &s };
	struct conf conf;
	FILE *in;
	size_t i;

	if (!size)
		return 0;
	in = fmemopen((void *)data, size, "r");
	if (!in)
		abort();
	conf_init(&conf);
	if (conf_parse(&conf, in, "fuzz", &diag) != (s.errors ? -EINVAL : 0))
		abort();
	fclose(in);
	for (i = 0; i < conf.upstreams_len; i++)
		round_trip(&conf.upstreams[i]);
	if (!s.errors)
		set_first_line(&conf, data, size);
	conf_clean(&conf);
	return 0;
}
