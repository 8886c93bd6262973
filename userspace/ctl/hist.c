// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What answers take, drawn in text: see hist.h.
 */
#include <inttypes.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include "ctl/fmt.h"
#include "ctl/hist.h"

#define BAR_MAX		40

static struct json_object *buckets_json(const uint64_t *buckets)
{
	struct json_object *list = json_object_new_array();
	size_t i;

	for (i = 0; i < NTPK_HIST_BUCKETS; i++)
		json_object_array_add(list, json_object_new_uint64(buckets[i]));
	return list;
}

static struct json_object *worst_json(const struct ntpk_nl_worst *w, uint64_t raw_ns)
{
	struct json_object *o = json_object_new_object();
	char name[IF_NAMESIZE];

	json_object_object_add(o, "residence_ns", json_object_new_uint64(w->residence_ns));
	json_object_object_add(o, "t2_age_ns", json_object_new_uint64(w->t2_age_ns));
	json_object_object_add(o, "age_ns",
			       json_object_new_uint64(raw_ns > w->raw_ns ? raw_ns - w->raw_ns : 0));
	json_object_object_add(o, "cpu", json_object_new_int64(w->cpu));
	/* of a device that has gone there is a number only */
	if (if_indextoname(w->ifindex, name))
		json_object_object_add(o, "device", json_object_new_string(name));
	json_object_object_add(o, "ifindex", json_object_new_int64(w->ifindex));
	json_object_object_add(o, "queue", w->queue ? json_object_new_int64(w->queue - 1) : NULL);
	return o;
}

struct json_object *hist_json(const struct ntpk_nl_hist *hist, uint64_t raw_ns)
{
	struct json_object *o = json_object_new_object(), *worst = json_object_new_array();
	size_t i;

	for (i = 0; i < hist->n_worst; i++)
		json_object_array_add(worst, worst_json(&hist->worst[i], raw_ns));
	json_object_object_add(o, "residence", buckets_json(hist->residence));
	json_object_object_add(o, "t2_age", buckets_json(hist->t2_age));
	json_object_object_add(o, "worst", worst);
	return o;
}

uint64_t hist_quantile_ns(const uint64_t *buckets, double part)
{
	uint64_t all = 0, seen = 0;
	size_t i;

	for (i = 0; i < NTPK_HIST_BUCKETS; i++)
		all += buckets[i];
	for (i = 0; all && i < NTPK_HIST_BUCKETS; i++) {
		seen += buckets[i];
		if ((double)seen >= part * (double)all)
			return 2ULL << i;
	}
	return 0;
}

static void read_buckets(struct json_object *list, uint64_t *buckets)
{
	size_t i;

	for (i = 0; i < NTPK_HIST_BUCKETS; i++)
		buckets[i] = json_object_get_uint64(json_object_array_get_idx(list, i));
}

static void print_bar(uint64_t n, uint64_t most)
{
	/* something where there is anything */
	int len = (int)((double)n * BAR_MAX / (double)most + 0.5);

	if (n && !len)
		len = 1;
	printf("%.*s\n", len, "########################################");
}

static void print_buckets(const uint64_t *buckets)
{
	size_t i, first = NTPK_HIST_BUCKETS, last = 0;
	uint64_t most = 0;
	char a[FMT_MAX];

	for (i = 0; i < NTPK_HIST_BUCKETS; i++) {
		if (!buckets[i])
			continue;
		first = i < first ? i : first;
		last = i;
		most = buckets[i] > most ? buckets[i] : most;
	}
	for (i = first; i <= last; i++) {
		if (i == NTPK_HIST_BUCKETS - 1)
			printf("    longer      ");
		else
			printf("  < %12s", fmt_ns(a, (int64_t)(2ULL << i), false));
		printf("  %12" PRIu64 "  ", buckets[i]);
		print_bar(buckets[i], most);
	}
}

static void print_hist(const struct ctl *ctl, const char *title, struct json_object *list)
{
	char half[FMT_MAX], p99[FMT_MAX], p999[FMT_MAX];
	uint64_t buckets[NTPK_HIST_BUCKETS];

	read_buckets(list, buckets);
	printf("\n%s%s%s: ", ctl->colour ? "\033[1m" : "", title, ctl->colour ? "\033[0m" : "");
	if (!hist_quantile_ns(buckets, 1)) {
		puts("nothing was answered yet");
		return;
	}
	printf("half below %s, 99 %% below %s, 99.9 %% below %s\n",
	       fmt_ns(half, (int64_t)hist_quantile_ns(buckets, 0.5), false),
	       fmt_ns(p99, (int64_t)hist_quantile_ns(buckets, 0.99), false),
	       fmt_ns(p999, (int64_t)hist_quantile_ns(buckets, 0.999), false));
	print_buckets(buckets);
}

static void print_worst(const struct ctl *ctl, struct json_object *list)
{
	static const char *const head[] = { "Residence", "Of it T2's age", "Ago", "CPU", "Device", "Queue" };
	char cell[6][FMT_MAX], name[FMT_TEXT_MAX];
	struct fmt_table t = { .columns = 6, .right = 0x2f };
	size_t i;

	if (!json_object_array_length(list))
		return;
	printf("\n%sThe worst answers%s\n", ctl->colour ? "\033[1m" : "", ctl->colour ? "\033[0m" : "");
	fmt_table_add(&t, head);
	for (i = 0; i < json_object_array_length(list); i++) {
		struct json_object *o = json_object_array_get_idx(list, i);
		const char *cells[6] = {
			fmt_member_ns(cell[0], o, "residence_ns", false),
			fmt_member_ns(cell[1], o, "t2_age_ns", false),
			fmt_member_age(cell[2], o, "age_ns"),
			fmt_member_int(cell[3], o, "cpu"),
			fmt_safe(name, sizeof(name), fmt_str(o, "device")),
			fmt_member_int(cell[5], o, "queue"),
		};

		if (!fmt_table_add(&t, cells))
			break;
	}
	fmt_table_print(&t, stdout, ctl->colour);
}

void hist_print(const struct ctl *ctl, struct json_object *hist)
{
	print_hist(ctl, "Residence, from T2 to T3",
		   json_object_object_get(hist, "residence"));
	print_hist(ctl, "Age of T2 when it was looked at", json_object_object_get(hist, "t2_age"));
	print_worst(ctl, json_object_object_get(hist, "worst"));
}
