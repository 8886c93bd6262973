// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ntpkctl sourcestats and selectdata: one row per source, of its samples and
 * of the selection.
 */
#include <stdio.h>
#include <string.h>
#include "ctl/ctl.h"
#include "ctl/fmt.h"

static const char *member_ppb(char *buf, struct json_object *o, const char *key, bool sign)
{
	double v;

	return fmt_double(o, key, &v) ? fmt_ppb(buf, v, sign) : "-";
}

static bool add_stats(struct fmt_table *t, struct json_object *s)
{
	char name[400], np[FMT_MAX], span[FMT_MAX], freq[FMT_MAX], skew[FMT_MAX];
	char offset[FMT_MAX], sd[FMT_MAX];
	const char *cells[7];
	double v;

	cells[0] = fmt_source_name(name, sizeof(name), s);
	cells[1] = fmt_member_int(np, s, "samples");
	cells[2] = fmt_member_age(span, s, "span_ns");
	cells[3] = member_ppb(freq, s, "frequency_ppb", true);
	cells[4] = member_ppb(skew, s, "skew_ppb", false);
	cells[5] = fmt_member_ns(offset, s, "offset_ns", true);
	cells[6] = fmt_double(s, "sd_ns", &v) && v < 9e18 && v > -9e18 ?
		   fmt_ns(sd, (int64_t)v, false) : "-";
	return fmt_table_add(t, cells);
}

static void print_stats(const struct ctl *ctl, struct json_object *data)
{
	static const char *const head[] = { "Name", "NP", "Span", "Frequency", "Freq Skew",
					    "Offset", "Std Dev" };
	struct fmt_table t = { .columns = 7, .right = 0x7e };
	struct json_object *list = ctl_list(data, "sources");

	if (!list) {
		puts("No sources: add one with 'ntpkctl upstream add NAME'.");
		return;
	}
	puts("NP: samples in use. Frequency, Offset > 0: the source is faster, ahead of our time.");
	fmt_table_add(&t, head);
	for (size_t i = 0; i < json_object_array_length(list); i++)
		if (!add_stats(&t, json_object_array_get_idx(list, i)))
			break;
	fmt_table_print(&t, stdout, ctl->colour);
}

int cmd_sourcestats(const struct ctl *ctl, int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return ctl_show(ctl, "sourcestats", NULL, NULL, print_stats);
}

/* "iburst,prefer" */
static void join_flags(char *buf, size_t len, struct json_object *s)
{
	struct json_object *list = ctl_list(s, "flags");
	char word[32];
	size_t n = 0;

	snprintf(buf, len, "-");
	for (size_t i = 0; list && i < json_object_array_length(list) && n < len; i++) {
		const char *flag = json_object_get_string(json_object_array_get_idx(list, i));

		n += (size_t)snprintf(buf + n, len - n, "%s%s", i ? "," : "",
				      fmt_safe(word, sizeof(word), flag));
	}
}

static bool add_select(struct fmt_table *t, struct json_object *s)
{
	char mark[2] = { ctl_source_mark(fmt_str(s, "state")), '\0' };
	char name[400], flags[128], last[FMT_MAX], low[FMT_MAX], high[FMT_MAX];
	char interval[2 * FMT_MAX + 8] = "-", why[FMT_WHY_MAX];
	const char *cells[] = { mark, name, flags, last, interval, why };
	int64_t a, b;

	fmt_source_name(name, sizeof(name), s);
	join_flags(flags, sizeof(flags), s);
	cells[3] = fmt_member_age(last, s, "last_rx_age_ns");
	if (fmt_int(s, "low_ns", &a) && fmt_int(s, "high_ns", &b))
		snprintf(interval, sizeof(interval), "%s .. %s", fmt_ns(low, a, true),
			 fmt_ns(high, b, true));
	fmt_source_why(why, sizeof(why), s);
	return fmt_table_add(t, cells);
}

static void print_select(const struct ctl *ctl, struct json_object *data)
{
	static const char *const head[] = { "S", "Name", "Options", "LastRx", "Interval",
					    "Reason" };
	struct fmt_table t = { .columns = 6, .right = 1u << 3 | 1u << 4 };
	struct json_object *list = ctl_list(data, "sources");

	if (!list) {
		puts("No sources: add one with 'ntpkctl upstream add NAME'.");
		return;
	}
	puts("Interval: where true time is, against ours, if the source is right. Sources whose\n"
	     "intervals overlap agree; the majority that does is combined.");
	fmt_table_add(&t, head);
	for (size_t i = 0; i < json_object_array_length(list); i++)
		if (!add_select(&t, json_object_array_get_idx(list, i)))
			break;
	fmt_table_print(&t, stdout, ctl->colour);
}

int cmd_selectdata(const struct ctl *ctl, int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return ctl_show(ctl, "selectdata", NULL, NULL, print_select);
}
