// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Handlers of plain values, which find limits and field in their row, and of
 * the directives with several values.  A handler changes nothing when it
 * fails.  Process context; no global state.
 */
#include <ctype.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "daemon/conf_priv.h"

#define NS_PER_S	1000000000LL
#define NS_PER_US	1000LL
#define CHANGE_MAX_NS	(1000000000LL * NS_PER_S)
#define LOCAL_STRATUM	10

int conf_parse_seconds(struct conf_parse *p, const struct conf_row *row)
{
	return conf_line_seconds(&p->line, row->d.name, row->min, row->max,
				 conf_row_field(p->conf, row));
}

int conf_parse_number(struct conf_parse *p, const struct conf_row *row)
{
	int64_t v;
	int ret = conf_line_int(&p->line, row->d.name, row->min, row->max, &v);

	if (ret < 0)
		return ret;
	if (row->fields[0].size == sizeof(uint16_t))
		*(uint16_t *)conf_row_field(p->conf, row) = (uint16_t)v;
	else
		*(unsigned int *)conf_row_field(p->conf, row) = (unsigned int)v;
	return 0;
}

int conf_parse_ppm(struct conf_parse *p, const struct conf_row *row)
{
	int64_t nano;
	int ret = conf_line_decimal(&p->line, row->d.name, "ppm", row->min * NS_PER_US * NS_PER_US,
				    row->max * NS_PER_US * NS_PER_US, &nano);

	if (ret == 0)
		*(double *)conf_row_field(p->conf, row) = (double)nano / (NS_PER_US * NS_PER_US);
	return ret;
}

const struct conf_word *conf_take_path(struct conf_parse *p, const char *name, const char *what,
				       size_t max)
{
	const struct conf_word *w = conf_line_word(&p->line, name, what);

	if (!w)
		return NULL;
	if (w->text[0] != '/') {
		conf_line_error(&p->line, w->column, "%s: '%.60s' is not an absolute path (it must "
				"start with '/')", name, w->text);
		return NULL;
	}
	if (strlen(w->text) >= max) {
		conf_line_error(&p->line, w->column, "%s: this path is longer than %zu bytes", name,
				max - 1);
		return NULL;
	}
	return w;
}

int conf_parse_file(struct conf_parse *p, const struct conf_row *row)
{
	const struct conf_word *w = conf_take_path(p, row->d.name, "a path", row->fields[0].size);

	if (!w)
		return -EINVAL;
	if (w->text[strlen(w->text) - 1] == '/')
		return conf_line_error(&p->line, w->column, "%s: '%.60s' names a folder, not a file",
				       row->d.name, w->text);
	snprintf(conf_row_field(p->conf, row), row->fields[0].size, "%s", w->text);
	return 0;
}

int conf_parse_folder(struct conf_parse *p, const struct conf_row *row)
{
	const struct conf_word *w = conf_take_path(p, row->d.name, "a folder",
						   row->fields[0].size);
	char *out = conf_row_field(p->conf, row);
	size_t len;

	if (!w)
		return -EINVAL;
	snprintf(out, row->fields[0].size, "%s", w->text);
	for (len = strlen(out); len > 1 && out[len - 1] == '/'; len--)
		out[len - 1] = '\0';
	return 0;
}

int conf_parse_yes(struct conf_parse *p, const struct conf_row *row)
{
	int ret = conf_line_end(&p->line, row->d.name);

	/* said here; the walk would say it once more */
	p->line.next = p->line.len;
	if (ret == 0)
		*(bool *)conf_row_field(p->conf, row) = true;
	return ret;
}

int conf_parse_on_off(struct conf_parse *p, const struct conf_row *row)
{
	return conf_line_choice(&p->line, row->d.name, "on", "off", conf_row_field(p->conf, row));
}

int conf_take_policy(struct conf_line *l, const char *name, enum ntpk_policy *out)
{
	bool silent;
	int ret = conf_line_choice(l, name, "silent", "unsynchronised", &silent);

	if (ret == 0)
		*out = silent ? NTPK_POLICY_SILENT : NTPK_POLICY_UNSYNC;
	return ret;
}

int conf_parse_policy(struct conf_parse *p, const struct conf_row *row)
{
	return conf_take_policy(&p->line, row->d.name, conf_row_field(p->conf, row));
}

/* Each kind of name has its letters, none a path's dots. */
static bool is_name(const char *text, const char *more)
{
	const char *s;

	for (s = text; *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr(more, *s))
			return false;
	return isalnum((unsigned char)text[0]);
}

bool conf_is_interface(const char *text)
{
	return is_name(text, "._-@") && strlen(text) < IFNAMSIZ;
}

/* A user, an interface, a time zone. */
int conf_parse_name(struct conf_parse *p, const struct conf_row *row)
{
	const struct conf_word *w = conf_line_word(&p->line, row->d.name, "a name");
	bool zone = strcmp(row->d.name, "leapsectz") == 0;

	if (!w)
		return -EINVAL;
	if (strlen(w->text) >= row->fields[0].size)
		return conf_line_error(&p->line, w->column, "%s: '%.60s' is longer than %zu bytes",
				       row->d.name, w->text, row->fields[0].size - 1);
	if (!is_name(w->text, zone ? "/_+-" : "._-@") ||
	    (zone && (strstr(w->text, "//") || w->text[strlen(w->text) - 1] == '/')))
		return conf_line_error(&p->line, w->column, "%s: '%.60s' is not the name of %s",
				       row->d.name, w->text, zone ? "a time zone such as right/UTC" :
				       strcmp(row->d.name, "user") ? "an interface" : "a user");
	snprintf(conf_row_field(p->conf, row), row->fields[0].size, "%s", w->text);
	return 0;
}

static const char *no_option(const void *ctx, size_t i)
{
	(void)ctx;
	(void)i;
	return NULL;
}

int conf_parse_driftfile(struct conf_parse *p, const struct conf_row *row)
{
	int ret = conf_parse_file(p, row);
	const struct conf_word *w = &p->line.words[p->line.next];

	if (ret < 0 || p->line.next >= p->line.len || !conf_refused_find(row->d.name, w->text))
		return ret;
	p->line.next = p->line.len;
	return conf_line_unknown(&p->line, w, row->d.name, no_option, NULL);
}

int conf_parse_makestep(struct conf_parse *p, const struct conf_row *row)
{
	int64_t threshold_ns, limit;
	int ret;

	(void)row;
	ret = conf_line_seconds(&p->line, "makestep", NS_PER_US, CHANGE_MAX_NS, &threshold_ns);
	if (ret == 0)
		ret = conf_line_int(&p->line, "makestep's limit of updates", -1, INT32_MAX, &limit);
	if (ret < 0)
		return ret;
	p->conf->makestep_threshold_ns = threshold_ns;
	p->conf->makestep_limit = (int)limit;
	return 0;
}

int conf_parse_maxchange(struct conf_parse *p, const struct conf_row *row)
{
	int64_t change_ns, start, ignore;
	int ret;

	(void)row;
	ret = conf_line_seconds(&p->line, "maxchange", NS_PER_US, CHANGE_MAX_NS, &change_ns);
	if (ret == 0)
		ret = conf_line_int(&p->line, "maxchange's first updates", 0, INT32_MAX, &start);
	if (ret == 0)
		ret = conf_line_int(&p->line, "maxchange's ignored changes", -1, INT32_MAX,
				    &ignore);
	if (ret < 0)
		return ret;
	p->conf->max_change_ns = change_ns;
	p->conf->max_change_start = (unsigned int)start;
	p->conf->max_change_ignore = (int)ignore;
	return 0;
}

enum local_option { LOCAL_O_STRATUM, LOCAL_O_DISTANCE, LOCAL_O_ORPHAN, LOCAL_O_COUNT };

static const char *local_option(const void *ctx, size_t i)
{
	static const char *const names[LOCAL_O_COUNT] = { "stratum", "distance", "orphan" };

	(void)ctx;
	return i < LOCAL_O_COUNT ? names[i] : NULL;
}

int conf_parse_local(struct conf_parse *p, const struct conf_row *row)
{
	struct conf_line *l = &p->line;
	int64_t stratum = LOCAL_STRATUM, distance_ns = CONF_LOCAL_DISTANCE_NS;
	unsigned int given = 0;
	int ret = 0;

	while (ret == 0 && l->next < l->len) {
		int o = conf_line_option(l, row->d.name, local_option, NULL, &given);

		if (o < 0)
			return o;
		if (o == LOCAL_O_STRATUM)
			ret = conf_line_int(l, "local stratum", 1, 15, &stratum);
		else if (o == LOCAL_O_DISTANCE)
			ret = conf_line_seconds(l, "local distance", 0, CONF_DISTANCE_MAX_NS,
						&distance_ns);
	}
	if (ret < 0)
		return ret;
	p->conf->local_stratum = (uint8_t)stratum;
	p->conf->local_distance_ns = distance_ns;
	p->conf->local_orphan = given & 1u << LOCAL_O_ORPHAN;
	return 0;
}

/* In the order of CONF_LOG_*. */
static const char *log_option(const void *ctx, size_t i)
{
	static const char *const names[] = { "measurements", "statistics", "tracking" };

	(void)ctx;
	return i < sizeof(names) / sizeof(names[0]) ? names[i] : NULL;
}

int conf_parse_log(struct conf_parse *p, const struct conf_row *row)
{
	struct conf_line *l = &p->line;
	unsigned int log = 0;

	if (l->next == l->len)
		return conf_line_error(l, l->end_column, "log needs measurements, statistics or "
				       "tracking after it");
	while (l->next < l->len)
		if (conf_line_option(l, row->d.name, log_option, NULL, &log) < 0)
			return -EINVAL;
	p->conf->log = log;
	return 0;
}
