// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ntpkctl stats: the module's state and counters, straight from the kernel, so
 * that they can be read while the daemon is down.
 */
#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <ntpk/ntp_client.h>
#include <ntpk/ntp_reason.h>
#include "ctl/ctl.h"
#include "ctl/fmt.h"
#include "ctl/hist.h"
#include "ctl/phcs.h"
#include "nl/ntpk_nl.h"

static const char *class_name(unsigned int class)
{
	static const char *const names[] = {
		[NTPK_CLASS_ANSWER] = "answer",
		[NTPK_CLASS_PASS] = "pass",
		[NTPK_CLASS_DROP] = "drop",
	};

	return class < sizeof(names) / sizeof(names[0]) ? names[class] : "unknown";
}

int ctl_module_failed(const struct ntpk_nl *nl, int ret, const char *what, struct ctl_error *err)
{
	const char *words = ntpk_nl_error(nl);

	if (ret == -ENOENT || ret == -EPROTONOSUPPORT)
		return ctl_set_error(err, CTL_NO_MODULE, "no-module", "the kernel module is not "
				     "loaded: modprobe ntpk");
	if (ret == -EPERM || ret == -EACCES)
		return ctl_set_error(err, CTL_ERROR, "no-permission", "no permission to %s: run "
				     "ntpkctl as root", what);
	return ctl_set_error(err, CTL_ERROR, "module", "cannot %s: %s%s%s%s", what,
			     strerror(-ret), words[0] ? " (" : "", words, words[0] ? ")" : "");
}

/* Of the listener for the most addresses, which comes last. */
static int port_of(const struct ntpk_nl_listeners *l)
{
	return l->len ? l->of[l->len - 1].port : 0;
}

static struct json_object *state_json(const struct ntpk_nl_state *st)
{
	struct json_object *o = json_object_new_object();
	char refid[9];

	json_object_object_add(o, "status", json_object_new_string(ntp_status_name(st->status)));
	if (!st->pushed)
		return o;
	snprintf(refid, sizeof(refid), "%08x", ntp_be32toh(st->serve.refid));
	json_object_object_add(o, "age_ns", json_object_new_uint64(st->age_ns));
	json_object_object_add(o, "pushes", json_object_new_uint64(st->pushes));
	json_object_object_add(o, "leap", json_object_new_int(st->serve.leap));
	json_object_object_add(o, "stratum", json_object_new_int(st->serve.stratum));
	json_object_object_add(o, "refid", json_object_new_string(refid));
	json_object_object_add(o, "root_delay_ns",
			       json_object_new_uint64(st->serve.root_delay_ns));
	json_object_object_add(o, "root_disp_ns", json_object_new_uint64(st->now_disp_ns));
	json_object_object_add(o, "served_unix_ns", json_object_new_int64(st->now_unix_ns));
	json_object_object_add(o, "port", json_object_new_int(port_of(&st->listeners)));
	return o;
}

static int read_state(struct ntpk_nl *nl, struct json_object **out, struct ctl_error *err)
{
	struct ntpk_nl_state st;
	int ret = ntpk_nl_get_state(nl, &st);

	if (ret < 0)
		return ctl_module_failed(nl, ret, "read the module's state", err);
	*out = state_json(&st);
	return CTL_OK;
}

int ctl_module_open(struct ntpk_nl **nl, struct ctl_error *err)
{
	int ret = ntpk_nl_open(nl);

	return ret < 0 ? ctl_module_failed(NULL, ret, "talk to the kernel module", err) : CTL_OK;
}

int ctl_module_state(struct json_object **out, struct ctl_error *err)
{
	struct ntpk_nl *nl;
	int ret = ctl_module_open(&nl, err);

	*out = NULL;
	if (ret == CTL_OK)
		ret = read_state(nl, out, err);
	ntpk_nl_close(nl);
	return ret;
}

void ctl_print_module(const struct ctl *ctl, struct json_object *m)
{
	char text[FMT_TEXT_MAX], a[FMT_MAX], b[FMT_MAX], refid[FMT_MAX];
	int64_t n;

	printf("%sKernel module%s   : %s\n", ctl->colour ? "\033[1m" : "",
	       ctl->colour ? "\033[0m" : "", fmt_safe(text, sizeof(text), fmt_str(m, "status")));
	if (!fmt_int(m, "age_ns", &n))
		return;
	printf("Last push       : %s ago (%s pushes)\n", fmt_age(a, n),
	       fmt_member_int(b, m, "pushes"));
	fmt_int(m, "stratum", &n);
	printf("Stratum         : %" PRId64 ", reference id %s\n", n,
	       fmt_refid(refid, fmt_str(m, "refid"), n));
	printf("Root delay      : %s\n", fmt_member_ns(a, m, "root_delay_ns", false));
	printf("Root dispersion : %s\n", fmt_member_ns(a, m, "root_disp_ns", false));
	if (fmt_int(m, "served_unix_ns", &n))
		printf("Served time     : %s\n", fmt_time(a, n));
}

static struct json_object *counters_json(const struct ntpk_nl_stats *stats, bool all)
{
	struct json_object *list = json_object_new_array(), *o;
	size_t i;

	for (i = 0; i < stats->n_counters; i++) {
		const struct ntpk_nl_counter *c = &stats->counters[i];

		if (!c->pkts && !all)
			continue;
		o = json_object_new_object();
		json_object_object_add(o, "reason", json_object_new_int64(c->reason));
		json_object_object_add(o, "name", json_object_new_string(c->name));
		json_object_object_add(o, "class", json_object_new_string(class_name(c->class)));
		json_object_object_add(o, "text", json_object_new_string(ntp_reason_text(c->reason)));
		json_object_object_add(o, "pkts", json_object_new_uint64(c->pkts));
		json_object_array_add(list, o);
	}
	return list;
}

static void print_counters(const struct ctl *ctl, struct json_object *list)
{
	static const char *const head[] = { "Packets", "Class", "Reason", "Meaning" };
	struct fmt_table t = { .columns = 4, .right = 1 };
	char name[64], pkts[FMT_MAX];
	const char *cells[4];
	size_t i;

	if (!json_object_array_length(list)) {
		puts("No packets counted yet (--all shows every counter).");
		return;
	}
	fmt_table_add(&t, head);
	for (i = 0; i < json_object_array_length(list); i++) {
		struct json_object *o = json_object_array_get_idx(list, i);

		cells[0] = fmt_member_int(pkts, o, "pkts");
		cells[1] = fmt_str(o, "class");
		cells[2] = fmt_safe(name, sizeof(name), fmt_str(o, "name"));
		cells[3] = fmt_str(o, "text");
		if (!fmt_table_add(&t, cells))
			break;
	}
	fmt_table_print(&t, stdout, ctl->colour);
}

static struct json_object *departure_json(const struct ntpk_nl_departure *d)
{
	struct json_object *o = json_object_new_object();
	char name[IF_NAMESIZE];

	/* of a device that has gone there is a number only */
	if (if_indextoname(d->ifindex, name))
		json_object_object_add(o, "device", json_object_new_string(name));
	json_object_object_add(o, "ifindex", json_object_new_int64(d->ifindex));
	json_object_object_add(o, "family", json_object_new_string(d->is_v6 ? "ipv6" : "ipv4"));
	json_object_object_add(o, "correction_ns", json_object_new_int64(d->correction_ns));
	json_object_object_add(o, "residual_ns", json_object_new_int64(d->residual_ns));
	json_object_object_add(o, "samples", json_object_new_uint64(d->samples));
	return o;
}

static void print_departures(struct json_object *list)
{
	char a[FMT_MAX], b[FMT_MAX], text[FMT_TEXT_MAX];
	size_t i;

	for (i = 0; i < json_object_array_length(list); i++) {
		struct json_object *o = json_object_array_get_idx(list, i);

		printf("T3 correction   : %s for the way out by %s (%s), early by %s after that\n",
		       fmt_member_ns(a, o, "correction_ns", false),
		       fmt_device(text, sizeof(text), o),
		       strcmp(fmt_str(o, "family"), "ipv6") ? "IPv4" : "IPv6",
		       fmt_member_ns(b, o, "residual_ns", false));
	}
}

static struct json_object *departures_json(const struct ntpk_nl_stats *stats)
{
	struct json_object *list = json_object_new_array();
	size_t i;

	for (i = 0; i < stats->n_departures; i++)
		json_object_array_add(list, departure_json(&stats->departures[i]));
	return list;
}

static int read_hist(struct ntpk_nl *nl, struct json_object **out, struct ctl_error *err)
{
	struct ntpk_nl_clock clock;
	struct ntpk_nl_hist hist;
	int ret = ntpk_nl_get_hist(nl, &hist);

	if (ret == 0)
		ret = ntpk_nl_get_clock(nl, &clock);
	if (ret)
		return ctl_module_failed(nl, ret, "read what answers take", err);
	*out = hist_json(&hist, (uint64_t)clock.raw_ns);
	return CTL_OK;
}

static struct json_object *classes_json(const struct ntpk_nl_stats *stats, bool all)
{
	struct json_object *list = json_object_new_array(), *o;
	size_t i;

	for (i = 0; i < stats->n_quirks; i++) {
		const struct ntpk_nl_quirk *q = &stats->quirks[i];

		if (!q->pkts && !all)
			continue;
		o = json_object_new_object();
		json_object_object_add(o, "name", json_object_new_string(q->name));
		json_object_object_add(o, "text",
				       json_object_new_string(ntp_client_quirk_text(q->number)));
		json_object_object_add(o, "pkts", json_object_new_uint64(q->pkts));
		json_object_array_add(list, o);
	}
	return list;
}

/* What was counted by kinds that have names. */
static void print_kinds(const struct ctl *ctl, struct json_object *list, const char *what,
			const char *kind)
{
	struct fmt_table t = { .columns = 3, .right = 1 };
	char name[64], pkts[FMT_MAX];
	size_t i;

	if (!json_object_array_length(list))
		return;
	putchar('\n');
	fmt_table_add(&t, (const char *const []){ what, kind, "Meaning" });
	for (i = 0; i < json_object_array_length(list); i++) {
		struct json_object *o = json_object_array_get_idx(list, i);

		if (!fmt_table_add(&t, (const char *const []){
				fmt_member_int(pkts, o, "pkts"),
				fmt_safe(name, sizeof(name), fmt_str(o, "name")),
				fmt_str(o, "text") }))
			break;
	}
	fmt_table_print(&t, stdout, ctl->colour);
}

/* All that is shown, as an object. */
static int read_all(const struct ctl *ctl, struct ntpk_nl *nl, struct json_object *data,
		    struct ctl_error *err)
{
	bool all = ctl->options & CTL_O_ALL;
	struct json_object *state = NULL, *hist = NULL, *phcs = NULL;
	struct ntpk_nl_stats stats;
	int ret = read_state(nl, &state, err);

	if (ret != CTL_OK)
		return ret;
	json_object_object_add(data, "module", state);
	ret = ntpk_nl_get_stats(nl, &stats);
	if (ret < 0)
		return ctl_module_failed(nl, ret, "read the module's counters", err);
	json_object_object_add(data, "counters", counters_json(&stats, all));
	json_object_object_add(data, "departures", departures_json(&stats));
	json_object_object_add(data, "t2", phcs_t2_json(stats.t2s, stats.n_t2s, all));
	json_object_object_add(data, "t3", phcs_t3_json(stats.t3s, stats.n_t3s, all));
	ret = phcs_read(nl, all, &phcs);
	if (ret < 0)
		return ctl_module_failed(nl, ret, "read the maps of devices' clocks", err);
	json_object_object_add(data, "phcs", phcs);
	if (ctl->options & CTL_O_HIST) {
		ret = read_hist(nl, &hist, err);
		if (ret != CTL_OK)
			return ret;
		json_object_object_add(data, "hist", hist);
	}
	json_object_object_add(data, "classes", classes_json(&stats, all));
	return CTL_OK;
}

static void print_all(const struct ctl *ctl, struct json_object *data)
{
	struct json_object *hist = json_object_object_get(data, "hist");
	struct json_object *phcs = json_object_object_get(data, "phcs");
	struct json_object *t2 = json_object_object_get(data, "t2");
	struct json_object *t3 = json_object_object_get(data, "t3");

	ctl_print_module(ctl, json_object_object_get(data, "module"));
	print_departures(json_object_object_get(data, "departures"));
	phcs_print(phcs);
	putchar('\n');
	print_counters(ctl, json_object_object_get(data, "counters"));
	if (phcs_tell_t2(t2, phcs))
		print_kinds(ctl, t2, "Answers", "T2");
	if (phcs_tell_t2(t3, phcs))
		print_kinds(ctl, t3, "Interleaved", "Departure");
	if (hist)
		hist_print(ctl, hist);
	print_kinds(ctl, json_object_object_get(data, "classes"), "Requests", "Class of client");
}

int cmd_stats(const struct ctl *ctl, int argc, char **argv)
{
	struct json_object *data;
	struct ctl_error err;
	struct ntpk_nl *nl;
	int ret = ctl_module_open(&nl, &err);

	(void)argc;
	(void)argv;
	data = json_object_new_object();
	if (ret == CTL_OK)
		ret = read_all(ctl, nl, data, &err);
	ntpk_nl_close(nl);
	if (ret != CTL_OK) {
		json_object_put(data);
		return ctl_fail(ctl, &err, NULL);
	}
	if (ctl->json) {
		ctl_print_data(data);
		return CTL_OK;
	}
	print_all(ctl, data);
	json_object_put(data);
	return CTL_OK;
}
