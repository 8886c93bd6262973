// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ntpkctl ntpdata: the last reply of a source in full, in chronyc's words.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "ctl/ctl.h"
#include "ctl/fmt.h"

static void line(const char *name, const char *value)
{
	printf("%-16s: %s\n", name, value);
}

static void line_ns(struct json_object *o, const char *name, const char *key, bool sign)
{
	char buf[FMT_MAX];

	line(name, fmt_member_ns(buf, o, key, sign));
}

static void line_int(struct json_object *o, const char *name, const char *key)
{
	char buf[FMT_MAX];

	line(name, fmt_member_int(buf, o, key));
}

static const char *leap_words(int64_t leap)
{
	static const char *const words[] = { "Normal", "Insert second", "Delete second",
					     "Not synchronised" };

	return leap >= 0 && leap < 4 ? words[leap] : "-";
}

/* As in chronyc. */
static const char *stamp_words(const char *from)
{
	return !from ? "-" : !strcmp(from, "hardware") ? "Hardware" :
	       !strcmp(from, "kernel") ? "Kernel" : "Daemon";
}

static void print_failed(struct json_object *reply)
{
	struct json_object *list = ctl_list(reply, "failed");
	char text[FMT_TEXT_MAX];

	for (size_t i = 0; list && i < json_object_array_length(list); i++)
		printf("%-16s: %s\n", i ? "" : "Failed tests",
		       fmt_safe(text, sizeof(text), json_object_get_string(
				json_object_array_get_idx(list, i))));
}

static void print_reply(struct json_object *r)
{
	char text[FMT_TEXT_MAX], buf[FMT_MAX];
	int64_t n;

	line("Leap status", fmt_int(r, "leap", &n) ? leap_words(n) : "-");
	line_int(r, "Stratum", "stratum");
	if (fmt_int(r, "poll_log2s", &n))
		printf("%-16s: %" PRId64 " (%g seconds)\n", "Poll interval", n,
		       n > -32 && n < 32 ? n < 0 ? 1.0 / (1LL << -n) : (double)(1LL << n) : 0);
	line_ns(r, "Root delay", "root_delay_ns", false);
	line_ns(r, "Root dispersion", "root_disp_ns", false);
	line("Reference ID", fmt_reference(text, sizeof(text), r, "stratum"));
	line("Received at", fmt_int(r, "t4_unix_ns", &n) ? fmt_time(buf, n) : "-");
	line_ns(r, "Offset", "offset_ns", true);
	line_ns(r, "Peer delay", "delay_ns", false);
	line_ns(r, "Peer dispersion", "disp_ns", false);
	line_ns(r, "Response time", "response_ns", false);
	line("NTP tests", fmt_safe(text, sizeof(text), fmt_str(r, "tests")));
	print_failed(r);
	line("Interleaved", fmt_bool(r, "interleaved") ? "Yes" : "No");
	line("TX timestamping", stamp_words(fmt_str(r, "tx_stamp")));
	line("RX timestamping", stamp_words(fmt_str(r, "rx_stamp")));
}

static void print_one(struct json_object *s)
{
	char text[FMT_TEXT_MAX];
	struct json_object *reply;
	int64_t key;

	printf("%-16s: %s\n", "Remote address", fmt_source_name(text, sizeof(text), s));
	line_int(s, "Remote port", "port");
	if (json_object_object_get_ex(s, "reply", &reply) &&
	    json_object_is_type(reply, json_type_object))
		print_reply(reply);
	else
		line("Last reply", "none yet");
	if (fmt_int(s, "key_id", &key))
		printf("%-16s: with key %" PRId64 "\n", "Authenticated", key);
	else
		line("Authenticated", "No");
	line_int(s, "Total TX", "sent_pkts");
	line_int(s, "Total valid RX", "received_pkts");
	line_int(s, "Total refused RX", "bad_pkts");
	if (fmt_str(s, "kod"))
		line("Kiss code", fmt_kod(text, sizeof(text), s));
}

static void print_ntpdata(const struct ctl *ctl, struct json_object *data)
{
	struct json_object *list = ctl_list(data, "sources");

	(void)ctl;
	if (!list) {
		puts("No sources: add one with 'ntpkctl upstream add NAME'.");
		return;
	}
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		if (i)
			putchar('\n');
		print_one(json_object_array_get_idx(list, i));
	}
}

int cmd_ntpdata(const struct ctl *ctl, int argc, char **argv)
{
	return ctl_show(ctl, "ntpdata", argc ? "name" : NULL, argv[0], print_ntpdata);
}
