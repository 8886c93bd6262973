// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The directive `hwtimestamp`, in chrony's words.  Process context; no global state.
 */
#include "daemon/conf_hwts.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include "daemon/conf_priv.h"

enum option { O_RXFILTER, O_NOCROSSTS, O_COUNT };

static const char *const options[O_COUNT] = {
	[O_RXFILTER] = "rxfilter", [O_NOCROSSTS] = "nocrossts",
};

static const char *const filters[] = {
	[CONF_RXFILTER_BEST] = "", [CONF_RXFILTER_NONE] = "none", [CONF_RXFILTER_NTP] = "ntp",
	[CONF_RXFILTER_PTP] = "ptp", [CONF_RXFILTER_ALL] = "all",
};

static const char *option_name(const void *ctx, size_t i)
{
	(void)ctx;
	return i < O_COUNT ? options[i] : NULL;
}

static size_t fixed_len(const char *pattern)
{
	size_t len = strlen(pattern);

	return len && pattern[len - 1] == '*' ? len - 1 : len;
}

static bool is_pattern(const char *pattern)
{
	return pattern[fixed_len(pattern)] == '*';
}

static int take_name(struct conf_line *l, struct conf_hwts *out)
{
	const struct conf_word *w = conf_line_word(l, "hwtimestamp", "an interface");
	char name[IFNAMSIZ];
	size_t len;

	if (!w)
		return -EINVAL;
	len = fixed_len(w->text);
	if (strlen(w->text) < IFNAMSIZ) {
		memcpy(name, w->text, len);
		name[len] = '\0';
	}
	if (strlen(w->text) >= IFNAMSIZ || (len && !conf_is_interface(name)) || !w->text[0])
		return conf_line_error(l, w->column, "hwtimestamp: '%.60s' is not the name of an "
				       "interface, nor the begin of some with * behind it", w->text);
	strcpy(out->name, w->text);
	return 0;
}

static int take_filter(struct conf_line *l, struct conf_hwts *out)
{
	const struct conf_word *w = conf_line_word(l, "rxfilter", "all, ntp, ptp or none");
	size_t i;

	if (!w)
		return -EINVAL;
	for (i = 1; i < sizeof(filters) / sizeof(filters[0]); i++) {
		if (strcasecmp(filters[i], w->text) == 0) {
			out->rxfilter = (enum conf_rxfilter)i;
			return 0;
		}
	}
	return conf_line_error(l, w->column, "rxfilter: '%.60s' is not accepted, only all, ntp, "
			       "ptp or none", w->text);
}

static int take_options(struct conf_line *l, struct conf_hwts *out)
{
	unsigned int given = 0;
	int o, ret = 0;

	while (ret == 0 && l->next < l->len) {
		o = conf_line_option(l, "hwtimestamp", option_name, NULL, &given);
		if (o < 0)
			return o;
		if (o == O_NOCROSSTS)
			out->nocrossts = true;
		else
			ret = take_filter(l, out);
	}
	return ret;
}

int conf_parse_hwtimestamp(struct conf_parse *p, const struct conf_row *row)
{
	struct conf *conf = p->conf;
	struct conf_hwts hwts;
	size_t i;
	int ret;

	(void)row;
	memset(&hwts, 0, sizeof(hwts));
	ret = take_name(&p->line, &hwts);
	if (ret == 0)
		ret = take_options(&p->line, &hwts);
	if (ret < 0)
		return ret;
	for (i = 0; i < conf->hwts_len; i++)
		if (strcmp(conf->hwts[i].name, hwts.name) == 0)
			return conf_line_error(&p->line, p->line.words[1].column,
					       "hwtimestamp: '%s' is given twice", hwts.name);
	if (conf->hwts_len == CONF_HWTS_MAX)
		return conf_line_error(&p->line, 1, "hwtimestamp: more than %d lines",
				       CONF_HWTS_MAX);
	memcpy(&conf->hwts[conf->hwts_len++], &hwts, sizeof(hwts));
	return 0;
}

const struct conf_hwts *conf_hwts_find(const struct conf *conf, const char *interface)
{
	const struct conf_hwts *found = NULL;
	size_t i;

	for (i = 0; i < conf->hwts_len; i++) {
		const struct conf_hwts *h = &conf->hwts[i];

		if (strcmp(h->name, interface) == 0)
			return h;
		if (!found && is_pattern(h->name) &&
		    strncmp(h->name, interface, fixed_len(h->name)) == 0)
			found = h;
	}
	return found;
}
