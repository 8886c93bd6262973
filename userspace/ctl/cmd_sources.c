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

char ctl_source_mark(const char *state)
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

static bool add_source(const struct ctl *ctl, struct fmt_table *t, struct json_object *s)
{
	char mark[2] = { ctl_source_mark(fmt_str(s, "state")), '\0' };
	char name[400], stratum[FMT_MAX], poll[FMT_MAX], reach[FMT_MAX] = "-", age[FMT_MAX];
	char offset[2 * FMT_MAX + 8], refid[FMT_TEXT_MAX], why[FMT_WHY_MAX];
	const char *cells[9], **c = cells;
	int64_t n;

	fmt_source_name(name, sizeof(name), s);
	if (fmt_int(s, "reach", &n))
		snprintf(reach, sizeof(reach), "%" PRIo64, (uint64_t)n);
	format_offset(offset, sizeof(offset), s);
	fmt_source_why(why, sizeof(why), s);
	*c++ = mark;
	*c++ = name;
	if (ctl->options & CTL_O_VERBOSE)
		*c++ = fmt_reference(refid, sizeof(refid), s, "stratum");
	*c++ = fmt_member_int(stratum, s, "stratum");
	*c++ = fmt_member_int(poll, s, "poll_log2s");
	*c++ = reach;
	*c++ = fmt_member_age(age, s, "last_rx_age_ns");
	*c++ = offset;
	*c++ = why;
	return fmt_table_add(t, cells);
}

void ctl_sources_table(const struct ctl *ctl, FILE *out, struct json_object *list)
{
	static const char *const head[] = { "S", "Name", "Stratum", "Poll", "Reach", "LastRx",
					    "Offset +- error", "State" };
	static const char *const wide[] = { "S", "Name", "RefID", "Stratum", "Poll", "Reach",
					    "LastRx", "Offset +- error", "State" };
	bool verbose = ctl->options & CTL_O_VERBOSE;
	struct fmt_table t = { .columns = verbose ? 9 : 8, .right = verbose ? 0xf8 : 0x7c };
	size_t i, len = json_object_array_length(list);

	fmt_table_add(&t, verbose ? wide : head);
	for (i = 0; i < len; i++)
		if (!add_source(ctl, &t, json_object_array_get_idx(list, i)))
			break;
	fmt_table_print(&t, out, ctl->colour);
}

static void print_legend(void)
{
	fputs("S        '*' combined, and our reference; '+' combined; '-' agrees, but not combined;\n"
	      "         'x' disagrees with the majority; '~' root distance above the limit;\n"
	      "         'n' noselect; 'o' offline; '?' cannot be used now, see State\n"
	      "Name     as configured, and the address\n"
	      "RefID    what the source is synchronised to\n"
	      "Stratum  1: has a reference clock; our own is one more than our reference's\n"
	      "Poll     log2 of the interval between requests in seconds: 6 is 64 s\n"
	      "Reach    the last eight requests as octal bits: 377 when all were answered\n"
	      "LastRx   time since the last valid reply\n"
	      "Offset   of the source against our time, > 0 when the source is ahead\n"
	      "error    root distance: the bound of the error through this source\n\n", stdout);
}

static void print_sources(const struct ctl *ctl, struct json_object *data)
{
	struct json_object *list = ctl_list(data, "sources");

	if (!list) {
		puts("No sources: add one with 'ntpkctl upstream add NAME' or a server line in the "
		     "configuration.");
		return;
	}
	if (ctl->options & CTL_O_VERBOSE)
		print_legend();
	else
		puts("Offset > 0: the source is ahead of our time. Error: root distance through "
		     "it. (-v: legend)");
	ctl_sources_table(ctl, stdout, list);
}

int cmd_sources(const struct ctl *ctl, int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return ctl_show(ctl, "sources", NULL, NULL, print_sources);
}
