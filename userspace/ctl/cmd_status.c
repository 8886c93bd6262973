// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ntpkctl status: what is served and how good it is.  Without the daemon it
 * shows what the module still knows.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "ctl/ctl.h"
#include "ctl/fmt.h"
#include "ctl/module_line.h"

#define BOLD	"\033[1m"
#define GREEN	"\033[32m"
#define YELLOW	"\033[33m"
#define RED	"\033[31m"
#define PLAIN	"\033[0m"

static void line(const char *name, const char *value)
{
	printf("%-16s: %s\n", name, value);
}

static void line_ns(struct json_object *d, const char *name, const char *key, bool sign)
{
	char buf[FMT_MAX];

	line(name, fmt_member_ns(buf, d, key, sign));
}

static const char *leap_text(int64_t leap)
{
	static const char *const text[] = {
		"none", "a second will be inserted at the end of the day",
		"a second will be left out at the end of the day", "unsynchronised",
	};

	return leap >= 0 && leap < 4 ? text[leap] : "-";
}

static const char *state_colour(const char *state)
{
	if (!state)
		return "";
	if (strcmp(state, "synchronised") == 0)
		return GREEN;
	return strcmp(state, "unsynchronised") == 0 ? RED : YELLOW;
}

static void print_head(const struct ctl *ctl, struct json_object *d)
{
	char state[FMT_TEXT_MAX], ref[FMT_TEXT_MAX], refid[FMT_TEXT_MAX], stratum[FMT_MAX];
	const char *s = fmt_str(d, "state");
	int64_t n;

	printf("%-16s: %s%s%s%s%s\n", "State", ctl->colour ? state_colour(s) : "",
	       fmt_safe(state, sizeof(state), s), ctl->colour ? PLAIN : "",
	       fmt_str(d, "reference") ? " to " : "",
	       fmt_str(d, "reference") ? fmt_safe(ref, sizeof(ref), fmt_str(d, "reference")) : "");
	line("Stratum", fmt_member_int(stratum, d, "stratum"));
	line("Reference id", fmt_reference(refid, sizeof(refid), d, "stratum"));
	if (fmt_int(d, "leap", &n))
		line("Leap second", leap_text(n));
}

static void print_frequency(struct json_object *d)
{
	char freq[FMT_MAX], skew[FMT_MAX], text[2 * FMT_MAX + 8];
	double f, s;

	if (!fmt_double(d, "frequency_ppb", &f))
		return line("Frequency", "-");
	fmt_double(d, "skew_ppb", &s);
	snprintf(text, sizeof(text), "%s +- %s", fmt_ppb(freq, f, true),
		 fmt_ppb(skew, s, false));
	line("Frequency", text);
}

static void print_counts(struct json_object *d)
{
	char age[FMT_MAX], u[FMT_MAX], st[FMT_MAX], su[FMT_MAX], so[FMT_MAX];
	int64_t ns;

	if (fmt_int(d, "last_update_age_ns", &ns))
		printf("%-16s: %s ago (%s updates, %s steps)\n", "Last update", fmt_age(age, ns),
		       fmt_member_int(u, d, "updates"), fmt_member_int(st, d, "steps"));
	else
		line("Last update", "never");
	printf("%-16s: %s of %s combined\n", "Sources", fmt_member_int(su, d, "survivors"),
	       fmt_member_int(so, d, "sources"));
}

static void print_serving(struct json_object *d)
{
	char text[FMT_TEXT_MAX];

	line("Clients", fmt_safe(text, sizeof(text), fmt_str(d, "serving")));
	print_module(d);
}

/* One line for each interface whose stamps are asked for; none where there is none. */
static void print_hwtimestamp(struct json_object *d)
{
	struct json_object *list = ctl_list(d, "hwtimestamp"), *o;
	char name[FMT_TEXT_MAX], clock[FMT_TEXT_MAX], err[FMT_MAX];
	int64_t n;

	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		o = json_object_array_get_idx(list, i);
		fmt_safe(name, sizeof(name), fmt_str(o, "interface"));
		fmt_safe(clock, sizeof(clock), fmt_str(o, "clock"));
		printf("%-16s: %s, %s%s%s%s\n", "Hardware stamps", name, clock,
		       fmt_int(o, "err_ns", &n) ? " within " : ", not used now",
		       fmt_int(o, "err_ns", &n) ? fmt_member_ns(err, o, "err_ns", false) : "",
		       fmt_bool(o, "rx") ? "" : ", not used: of no NTP that comes in");
	}
}

static void print_status(const struct ctl *ctl, struct json_object *d)
{
	char now[FMT_MAX];
	int64_t ns;

	printf("%sOffset > 0: UTC is ahead of the system clock%s\n", ctl->colour ? BOLD : "",
	       ctl->colour ? PLAIN : "");
	print_head(ctl, d);
	line("Served time", fmt_int(d, "served_unix_ns", &ns) ? fmt_time(now, ns) : "-");
	line_ns(d, "Clock offset", "clock_offset_ns", true);
	line_ns(d, "Last offset", "last_offset_ns", true);
	line_ns(d, "Estimated error", "est_error_ns", false);
	print_frequency(d);
	line_ns(d, "Root delay", "root_delay_ns", false);
	line_ns(d, "Root dispersion", "root_disp_ns", false);
	line_ns(d, "Root distance", "root_dist_ns", false);
	print_counts(d);
	line("System clock", fmt_bool(d, "clock_control") ? "steered" : "left alone");
	print_hwtimestamp(d);
	print_serving(d);
}

static int without_daemon(const struct ctl *ctl, const struct ctl_error *err)
{
	struct json_object *module = NULL, *data = NULL;
	struct ctl_error why;
	int ret = ctl_module_state(&module, &why);

	if (ctl->json) {
		data = json_object_new_object();
		json_object_object_add(data, "module", module);
		return ctl_fail(ctl, err, data);
	}
	ctl_fail(ctl, err, NULL);
	if (ret == CTL_OK)
		ctl_print_module(ctl, module);
	else
		ctl_fail(ctl, &why, NULL);
	json_object_put(module);
	return err->exit;
}

int cmd_status(const struct ctl *ctl, int argc, char **argv)
{
	struct json_object *answer, *data;
	struct ctl_error err;

	(void)argc;
	(void)argv;
	if (ctl_request(ctl, "status", NULL, NULL, &answer, &err) != CTL_OK)
		return err.exit == CTL_NO_DAEMON ? without_daemon(ctl, &err) :
		       ctl_fail(ctl, &err, NULL);
	json_object_object_get_ex(answer, "data", &data);
	if (ctl->json)
		ctl_print_json(answer);
	else
		print_status(ctl, data);
	json_object_put(answer);
	return CTL_OK;
}
