// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ntpkctl clients: who asks, straight from the kernel, so that it can be seen while the
 * daemon is down.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ctl/client_view.h"
#include "ctl/clients.h"
#include "ctl/ctl.h"
#include "ctl/fmt.h"
#include "nl/ntpk_nl.h"

#define NAMES_MAX	1000	/* more are not looked up: each is a question to others */
#define CELL_MAX	128

static int bad_value(const char *option, const char *value, const char *what)
{
	fprintf(stderr, "ntpkctl: %s '%s': %s\n", option, value, what);
	return CTL_USAGE;
}

/* A whole number of at least 1; @value NULL leaves @out as it is. */
static int take_number(const char *option, const char *value, uint64_t most, uint64_t *out)
{
	char *end;

	if (!value)
		return CTL_OK;
	errno = 0;
	*out = strtoull(value, &end, 10);
	if (errno || *end || value[0] < '0' || value[0] > '9' || !*out || *out > most)
		return bad_value(option, value, "a whole number from 1 on is needed");
	return CTL_OK;
}

static int take_network(const char *text, struct ntpk_nl_client_filter *f)
{
	const char *slash = strchr(text, '/');
	char addr[INET6_ADDRSTRLEN];
	uint64_t len;

	snprintf(addr, sizeof(addr), "%.*s", slash ? (int)(slash - text) : (int)strlen(text), text);
	if (inet_pton(AF_INET, addr, f->addr) == 1)
		f->addr_len = 4;
	else if (inet_pton(AF_INET6, addr, f->addr) == 1)
		f->addr_len = 16;
	else
		return bad_value("clients", text, "an address or a network is needed, such as "
				 "192.0.2.1 or 2001:db8::/32");
	len = 8 * f->addr_len;
	if (slash && strcmp(slash, "/0") == 0)
		len = 0;
	else if (slash && take_number("clients", slash + 1, len, &len) != CTL_OK)
		return CTL_USAGE;
	f->len = (uint8_t)len;
	return CTL_OK;
}

static int take_options(const struct ctl *ctl, int argc, char **argv,
			struct ntpk_nl_client_filter *f, uint64_t *top)
{
	uint64_t requests = 0, seen_s = 0;

	*top = SIZE_MAX;
	if ((argc && take_network(argv[0], f) != CTL_OK) ||
	    take_number("--top", ctl->top, SIZE_MAX, top) != CTL_OK ||
	    take_number("--requests", ctl->requests, UINT32_MAX, &requests) != CTL_OK ||
	    take_number("--seen", ctl->seen, UINT32_MAX, &seen_s) != CTL_OK)
		return CTL_USAGE;
	f->requests = (uint32_t)requests;
	f->last_age_ns = seen_s * 1000000000ULL;
	return CTL_OK;
}

/* The number of --class in the module. */
static int find_class(struct ntpk_nl *nl, const char *name, struct ntpk_nl_client_filter *f,
		      struct ctl_error *err)
{
	struct ntpk_nl_stats stats;
	size_t i;
	int ret;

	if (!name)
		return CTL_OK;
	ret = ntpk_nl_get_stats(nl, &stats);
	if (ret < 0)
		return ctl_module_failed(nl, ret, "read the classes of clients", err);
	for (i = 0; i < stats.n_quirks; i++)
		if (strcmp(stats.quirks[i].name, name) == 0) {
			f->by_quirk = true;
			f->quirk = stats.quirks[i].number;
			return CTL_OK;
		}
	return ctl_set_error(err, CTL_USAGE, "no-class", "there is no class '%s': those that there "
			     "are stand in /sys/kernel/ntpk/quirks", name);
}

static int add_client(void *ctx, const struct ntpk_nl_client *c)
{
	return client_list_add(ctx, c);
}

static int read_clients(const struct ctl *ctl, struct ntpk_nl_client_filter *f,
			struct client_list *list, struct ctl_error *err)
{
	struct ntpk_nl *nl;
	int ret = ctl_module_open(&nl, err);

	if (ret == CTL_OK)
		ret = find_class(nl, ctl->class, f, err);
	if (ret == CTL_OK) {
		ret = ntpk_nl_get_clients(nl, f, add_client, list);
		if (ret == -EINTR)
			ret = ctl_set_error(err, CTL_ERROR, "module", "the module was attached anew "
					    "while its clients were read: ask again");
		else if (ret < 0)
			ret = ctl_module_failed(nl, ret, "read the clients", err);
	}
	ntpk_nl_close(nl);
	return ret;
}

static const char *address_of(char *buf, const struct ntpk_nl_client *c)
{
	size_t n;

	inet_ntop(c->addr_len == 4 ? AF_INET : AF_INET6, c->addr, buf, INET6_ADDRSTRLEN);
	n = strlen(buf);
	if (c->len != 8 * c->addr_len)
		snprintf(buf + n, CELL_MAX - n, "/%u", c->len);
	return buf;
}

static struct json_object *number_if(bool known, double v)
{
	return known ? json_object_new_int64((int64_t)v) : NULL;
}

static void add_record(struct json_object *o, const struct ntpk_nl_client *c)
{
	const struct ntp_client_record *r = &c->record;
	struct client_view v;

	client_view(&v, r, c->now_raw_ns, NULL);
	json_object_object_add(o, "class", json_object_new_string(v.quirk));
	json_object_object_add(o, "version", json_object_new_int((int)ntp_client_version(&r->rest)));
	json_object_object_add(o, "mode", json_object_new_int((int)ntp_client_mode(&r->rest)));
	json_object_object_add(o, "poll_log2s", json_object_new_int(ntp_client_poll_log2s(&r->rest)));
	json_object_object_add(o, "interval_ns", number_if(v.interval_ns >= 0, v.interval_ns));
	json_object_object_add(o, "t1", json_object_new_string(v.t1));
	json_object_object_add(o, "clock", json_object_new_string(v.clock));
	json_object_object_add(o, "quantum_ns", number_if(v.quantum_ns >= 0, v.quantum_ns));
	json_object_object_add(o, "error_ns", number_if(v.has_error, v.error_ns));
	json_object_object_add(o, "error_unc_ns", number_if(v.has_error, v.error_unc_ns));
	json_object_object_add(o, "drift_ppb", number_if(v.has_drift, v.drift_ppb));
	json_object_object_add(o, "drift_unc_ppb", number_if(v.has_drift, v.drift_unc_ppb));
	json_object_object_add(o, "fast_reason", v.reason ? json_object_new_string(v.reason) : NULL);
}

static struct json_object *client_json(const struct ctl *ctl, const struct client_row *row)
{
	const struct ntpk_nl_client *c = &row->c;
	struct json_object *o = json_object_new_object();
	char addr[CELL_MAX];

	inet_ntop(c->addr_len == 4 ? AF_INET : AF_INET6, c->addr, addr, sizeof(addr));
	json_object_object_add(o, "address", json_object_new_string(addr));
	json_object_object_add(o, "prefix", json_object_new_int(c->len));
	if (ctl->options & CTL_O_NAMES)
		json_object_object_add(o, "name", row->name ? json_object_new_string(row->name) :
				       NULL);
	json_object_object_add(o, "requests", json_object_new_int64(c->requests));
	json_object_object_add(o, "dropped", json_object_new_int64(c->dropped));
	json_object_object_add(o, "first_age_ns", json_object_new_uint64(c->first_age_ns));
	json_object_object_add(o, "last_age_ns", json_object_new_uint64(c->last_age_ns));
	if (c->has_record)
		add_record(o, c);
	return o;
}

/* One after the other, as there may be a million; the envelope of ctl_print_data(). */
static void print_json(const struct ctl *ctl, const struct client_list *list)
{
	struct json_object *o;
	size_t i;

	ctl_put_envelope();
	printf("\"data\":{\"total\":%zu,\"clients\":[", list->total);
	for (i = 0; i < list->len; i++) {
		o = client_json(ctl, &list->rows[i]);
		fputs(i ? "," : "", stdout);
		ctl_put_json(o);
		json_object_put(o);
	}
	puts("]}}");
}

/* struct cells - what a row is made of */
struct cells {
	char	who[CELL_MAX];
	char	requests[FMT_MAX];
	char	dropped[FMT_MAX];
	char	last[FMT_MAX];
	char	every[FMT_MAX];
	char	error[2 * FMT_MAX + 8];
	char	drift[2 * FMT_MAX + 8];
	char	first[FMT_MAX];
	char	asks[64];
};

static void error_cell(char *buf, size_t len, const struct client_view *v)
{
	char a[FMT_MAX], b[FMT_MAX];

	if (!v->has_error)
		snprintf(buf, len, "%s", v->clock);
	else
		snprintf(buf, len, "%s +-%s", fmt_ns(a, (int64_t)v->error_ns, true),
			 fmt_ns(b, (int64_t)v->error_unc_ns, false));
}

static void drift_cell(char *buf, size_t len, const struct client_view *v)
{
	if (!v->has_drift)
		snprintf(buf, len, "-");
	else
		snprintf(buf, len, "%+.1f +-%.1f ppm", v->drift_ppb / 1000, v->drift_unc_ppb / 1000);
}

/* A name is what its owner says, so the address is there too; too long a one is none. */
static void who_cell(char *buf, const struct client_row *row)
{
	char address[CELL_MAX], name[CELL_MAX];

	address_of(address, &row->c);
	if (row->name && strlen(fmt_safe(name, sizeof(name), row->name)) < 64)
		snprintf(buf, CELL_MAX, "%.63s (%.60s)", name, address);
	else
		snprintf(buf, CELL_MAX, "%s", address);
}

static bool add_row(const struct ctl *ctl, struct fmt_table *t, const struct client_row *row)
{
	static const struct ntp_client_record nothing;
	const struct ntpk_nl_client *c = &row->c;
	const struct ntp_client_record *r = c->has_record ? &c->record : &nothing;
	struct client_view v;
	struct cells x;

	client_view(&v, r, c->now_raw_ns, NULL);
	who_cell(x.who, row);
	snprintf(x.requests, sizeof(x.requests), "%" PRIu32, c->requests);
	snprintf(x.dropped, sizeof(x.dropped), "%" PRIu32, c->dropped);
	fmt_age(x.last, (int64_t)c->last_age_ns);
	fmt_age(x.first, (int64_t)c->first_age_ns);
	snprintf(x.every, sizeof(x.every), "-");
	if (v.interval_ns >= 0)
		fmt_ns(x.every, (int64_t)v.interval_ns, false);
	error_cell(x.error, sizeof(x.error), &v);
	drift_cell(x.drift, sizeof(x.drift), &v);
	snprintf(x.asks, sizeof(x.asks), "v%u mode %u poll %d", ntp_client_version(&r->rest),
		 ntp_client_mode(&r->rest), ntp_client_poll_log2s(&r->rest));
	if (ctl->options & CTL_O_VERBOSE)
		return fmt_table_add(t, (const char *const []){
			x.who, x.requests, x.dropped, x.first, x.last, x.every, v.quirk, x.asks,
			v.t1, x.error, x.drift, v.reason ? v.reason : "" });
	return fmt_table_add(t, (const char *const []){
		x.who, x.requests, x.dropped, x.last, x.every, v.quirk, x.error, x.drift,
		v.reason ? v.reason : "" });
}

static void print_legend(void)
{
	fputs("Address   of the client, of IPv6 its network; with --names its name too\n"
	      "Requests  that it sent, and Dropped: of those got no answer\n"
	      "First     since its first request, and Last: since its last one\n"
	      "Every     between its requests, of late\n"
	      "Class     what its requests look like: 'ntpkctl stats' has each class in words\n"
	      "Asks      NTP version, mode and poll interval (log2 s) as it says them\n"
	      "T1        what its transmit timestamps are\n"
	      "Error     of its clock, > 0: it is ahead of our time; the true one is within +-\n"
	      "Drift     > 0: its clock gains\n"
	      "Why       of a client that keeps asking fast although it is answered\n\n", stdout);
}

static void print_table(const struct ctl *ctl, const struct client_list *list)
{
	static const char *const head[] = { "Address", "Requests", "Dropped", "Last", "Every",
					    "Class", "Error", "Drift", "Why it asks fast" };
	static const char *const more[] = { "Address", "Requests", "Dropped", "First", "Last",
					    "Every", "Class", "Asks", "T1", "Error", "Drift",
					    "Why it asks fast" };
	bool verbose = ctl->options & CTL_O_VERBOSE;
	struct fmt_table t = { .columns = verbose ? 12 : 9, .right = 6 };
	size_t i;

	if (!list->len) {
		puts("No clients.");
		return;
	}
	if (verbose)
		print_legend();
	else
		puts("Error > 0: the client's clock is ahead of our time. (-v: legend)");
	fmt_table_add(&t, verbose ? more : head);
	for (i = 0; i < list->len; i++)
		if (!add_row(ctl, &t, &list->rows[i]))
			break;
	fmt_table_print(&t, stdout, ctl->colour);
	if (list->len < list->total)
		printf("%zu of %zu clients\n", list->len, list->total);
}

static void show(const struct ctl *ctl, const struct client_list *list)
{
	if (ctl->options & CTL_O_NAMES)
		client_names(list->rows, list->len < NAMES_MAX ? list->len : NAMES_MAX,
			     ctl->timeout_s);
	if (ctl->json)
		print_json(ctl, list);
	else
		print_table(ctl, list);
}

int cmd_clients(const struct ctl *ctl, int argc, char **argv)
{
	const char *sort = ctl->sort ? ctl->sort : "requests";
	struct ntpk_nl_client_filter filter = { 0 };
	struct client_list list;
	struct ctl_error err;
	uint64_t top;
	int ret = take_options(ctl, argc, argv, &filter, &top);

	if (ret == CTL_OK && client_list_begin(&list, sort, top) < 0)
		ret = bad_value("--sort", sort, "one of requests, dropped, last, first, interval, "
				"error, drift, address is needed");
	if (ret != CTL_OK)
		return ret;
	ret = read_clients(ctl, &filter, &list, &err);
	if (ret == CTL_OK) {
		client_list_end(&list);
		show(ctl, &list);
	} else {
		ctl_fail(ctl, &err, NULL);
	}
	client_list_clean(&list);
	return ret;
}
