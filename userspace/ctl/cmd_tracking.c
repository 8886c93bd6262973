// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ntpkctl tracking and activity: what chronyc's users know, in its words.
 * Signs are ours: an offset > 0 means that the sources are ahead; the text
 * says so.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <time.h>
#include "ctl/ctl.h"
#include "ctl/fmt.h"

static void line(const char *name, const char *value)
{
	printf("%-16s: %s\n", name, value);
}

/* "0.000006523 seconds", exact */
static const char *seconds(char *buf, int64_t ns, bool sign)
{
	uint64_t abs_ns = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;

	snprintf(buf, FMT_MAX, "%s%" PRIu64 ".%09" PRIu64 " seconds", ns < 0 ? "-" :
		 sign ? "+" : "", abs_ns / 1000000000, abs_ns % 1000000000);
	return buf;
}

static void line_s(struct json_object *d, const char *name, const char *key)
{
	char buf[FMT_MAX];
	int64_t ns;

	line(name, fmt_int(d, key, &ns) ? seconds(buf, ns, false) : "-");
}

static void print_reference(struct json_object *d)
{
	char refid[FMT_TEXT_MAX], ref[FMT_TEXT_MAX], n[FMT_MAX];
	const char *name = fmt_str(d, "reference");
	time_t s;
	int64_t ns;
	struct tm tm;

	fmt_reference(refid, sizeof(refid), d, "stratum");
	if (name && !fmt_str(d, "refid_name"))
		printf("%-16s: %s (%s)\n", "Reference ID", refid, fmt_safe(ref, sizeof(ref), name));
	else
		line("Reference ID", refid);
	line("Stratum", fmt_member_int(n, d, "stratum"));
	s = fmt_int(d, "ref_unix_ns", &ns) ? ns / 1000000000 : 0;
	if (!s || !gmtime_r(&s, &tm) || !strftime(ref, sizeof(ref), "%a %b %d %H:%M:%S %Y", &tm))
		return line("Ref time (UTC)", "-");
	line("Ref time (UTC)", ref);
}

static void print_offsets(struct json_object *d)
{
	char buf[FMT_MAX];
	double rms;
	int64_t ns;

	if (fmt_int(d, "clock_offset_ns", &ns))
		printf("%-16s: %s %s of NTP time\n", "System time",
		       seconds(buf, ns < 0 && ns > INT64_MIN ? -ns : ns, false),
		       ns < 0 ? "fast" : "slow");
	else
		line("System time", "-");
	if (fmt_int(d, "last_offset_ns", &ns))
		printf("%-16s: %s (sources %s)\n", "Last offset", seconds(buf, ns, true),
		       ns < 0 ? "behind" : "ahead");
	else
		line("Last offset", "-");
	if (fmt_double(d, "rms_offset_ns", &rms) && rms < 9e18)
		line("RMS offset", seconds(buf, (int64_t)rms, false));
	else
		line("RMS offset", "-");
}

static void print_rates(struct json_object *d)
{
	char buf[FMT_MAX];
	double ppb;

	if (fmt_double(d, "frequency_ppb", &ppb))
		printf("%-16s: %s %s\n", "Frequency", fmt_ppb(buf, fabs(ppb), false),
		       ppb < 0 ? "fast" : "slow");
	else
		line("Frequency", "-");
	line("Residual freq", fmt_double(d, "residual_ppb", &ppb) ? fmt_ppb(buf, ppb, true) : "-");
	line("Skew", fmt_double(d, "skew_ppb", &ppb) ? fmt_ppb(buf, ppb, false) : "-");
}

static const char *leap_words(int64_t leap)
{
	static const char *const words[] = { "Normal", "Insert second", "Delete second",
					     "Not synchronised" };

	return leap >= 0 && leap < 4 ? words[leap] : "-";
}

static void print_tracking(const struct ctl *ctl, struct json_object *d)
{
	char buf[FMT_MAX];
	int64_t n;

	(void)ctl;
	print_reference(d);
	print_offsets(d);
	print_rates(d);
	line_s(d, "Root delay", "root_delay_ns");
	line_s(d, "Root dispersion", "root_disp_ns");
	line_s(d, "Root distance", "root_dist_ns");
	if (fmt_int(d, "update_interval_ns", &n)) {
		snprintf(buf, sizeof(buf), "%.1f seconds", (double)n / 1e9);
		line("Update interval", buf);
	} else {
		line("Update interval", "-");
	}
	line("Leap status", fmt_int(d, "leap", &n) ? leap_words(n) : "-");
}

int cmd_tracking(const struct ctl *ctl, int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return ctl_show(ctl, "tracking", NULL, NULL, print_tracking);
}

static void print_activity(const struct ctl *ctl, struct json_object *d)
{
	static const struct {
		const char *key;
		const char *text;
	} rows[] = {
		{ "online", "sources online" }, { "offline", "sources offline" },
		{ "reachable", "sources reachable" }, { "selected", "sources combined" },
		{ "unresolved", "upstreams with unknown address" },
	};
	char n[FMT_MAX];

	(void)ctl;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		printf("%s %s\n", fmt_member_int(n, d, rows[i].key), rows[i].text);
}

int cmd_activity(const struct ctl *ctl, int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return ctl_show(ctl, "activity", NULL, NULL, print_activity);
}
