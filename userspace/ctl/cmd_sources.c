// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ntpkctl sources: one row per association, with the mark that chronyc's users
 * know and the reason in words.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "ctl/ctl.h"
#include "ctl/fmt.h"

/* Everything that is not in the list cannot be used now: '?'. */
static char mark_of(const char *state)
{
	static const struct {
		const char *state;
		char mark;
	} marks[] = {
		{ "syspeer", '*' }, { "survivor", '+' }, { "outlier", '-' },
		{ "falseticker", 'x' }, { "distant", '~' }, { "noselect", 'n' },
		{ "offline", 'o' },
	};
	size_t i;

	for (i = 0; state && i < sizeof(marks) / sizeof(marks[0]); i++)
		if (strcmp(marks[i].state, state) == 0)
			return marks[i].mark;
	return '?';
}

/* The name, and behind it the address where it says more. */
static void format_name(char *buf, size_t len, struct json_object *s)
{
	const char *name = fmt_str(s, "name"), *address = fmt_str(s, "address");
	char n[FMT_TEXT_MAX], a[FMT_TEXT_MAX];

	fmt_safe(n, sizeof(n), name);
	if (!name || !address || strcmp(name, address) == 0)
		snprintf(buf, len, "%.300s", n);
	else
		snprintf(buf, len, "%.300s (%.64s)", n, fmt_safe(a, sizeof(a), address));
}

/* "-12.3 us +- 1.20 ms" */
static void format_offset(char *buf, size_t len, struct json_object *s)
{
	char offset[FMT_MAX], error[FMT_MAX];
	int64_t unused;

	if (!fmt_int(s, "offset_ns", &unused))
		snprintf(buf, len, "-");
	else
		snprintf(buf, len, "%s +- %s", fmt_member_ns(offset, s, "offset_ns", true),
			 fmt_member_ns(error, s, "root_dist_ns", false));
}

static bool add_source(struct fmt_table *t, struct json_object *s)
{
	char mark[2] = { mark_of(fmt_str(s, "state")), '\0' };
	char name[400], stratum[FMT_MAX], poll[FMT_MAX], reach[FMT_MAX] = "-", age[FMT_MAX];
	char offset[2 * FMT_MAX + 8], text[FMT_TEXT_MAX], kod[FMT_MAX], why[FMT_TEXT_MAX + 64];
	const char *cells[] = { mark, name, stratum, poll, reach, age, offset, why };
	int64_t n;

	format_name(name, sizeof(name), s);
	cells[2] = fmt_member_int(stratum, s, "stratum");
	cells[3] = fmt_member_int(poll, s, "poll_log2s");
	if (fmt_int(s, "reach", &n))
		snprintf(reach, sizeof(reach), "%" PRIo64, (uint64_t)n);
	cells[5] = fmt_member_age(age, s, "last_rx_age_ns");
	format_offset(offset, sizeof(offset), s);
	fmt_safe(text, sizeof(text), fmt_str(s, "state_text"));
	if (fmt_str(s, "kod") && fmt_str(s, "kod")[0])
		snprintf(why, sizeof(why), "%s, kiss code %s", text,
			 fmt_safe(kod, sizeof(kod), fmt_str(s, "kod")));
	else
		snprintf(why, sizeof(why), "%s", text);
	return fmt_table_add(t, cells);
}

static void print_sources(const struct ctl *ctl, struct json_object *list)
{
	static const char *const head[] = { "S", "Name", "Stratum", "Poll", "Reach", "LastRx",
					    "Offset +- error", "State" };
	struct fmt_table t = { .columns = 8, .right = 0x7c };
	size_t i, len = json_object_array_length(list);

	if (!len) {
		puts("No sources: add one with 'ntpkctl upstream add NAME' or a server line in the "
		     "configuration.");
		return;
	}
	puts("Offset > 0: the source is ahead of our time. Error: root distance through it.");
	fmt_table_add(&t, head);
	for (i = 0; i < len; i++)
		if (!add_source(&t, json_object_array_get_idx(list, i)))
			break;
	fmt_table_print(&t, stdout, ctl->colour);
}

int cmd_sources(const struct ctl *ctl, int argc, char **argv)
{
	struct json_object *answer, *data, *list;
	struct ctl_error err;

	(void)argc;
	(void)argv;
	if (ctl_request(ctl, "sources", NULL, NULL, &answer, &err) != CTL_OK)
		return ctl_fail(ctl, &err, NULL);
	json_object_object_get_ex(answer, "data", &data);
	if (ctl->json) {
		ctl_print_json(answer);
	} else if (json_object_object_get_ex(data, "sources", &list) &&
		   json_object_is_type(list, json_type_array)) {
		print_sources(ctl, list);
	} else {
		ctl_set_error(&err, CTL_ERROR, "bad-answer", "ntpkd sent no list of sources");
		json_object_put(answer);
		return ctl_fail(ctl, &err, NULL);
	}
	json_object_put(answer);
	return CTL_OK;
}
