// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Clocks of network devices and what their receive stamps were good for, see phcs.h.
 */
#include "ctl/phcs.h"

#include <errno.h>
#include <math.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <ntpk/ntp_phc.h>
#include "ctl/fmt.h"

/* struct reading - the maps that are coming, and when that is */
struct reading {
	struct json_object *list;
	int64_t raw_ns;
	bool	all;
};

static struct json_object *kinds_json(const struct ntpk_nl_t2 *t2s, size_t n, bool all,
				      const char *(*text)(unsigned int kind))
{
	struct json_object *list = json_object_new_array(), *o;
	size_t i;

	for (i = 0; i < n; i++) {
		if (!t2s[i].pkts && !all)
			continue;
		o = json_object_new_object();
		json_object_object_add(o, "name", json_object_new_string(t2s[i].name));
		json_object_object_add(o, "text", json_object_new_string(text(t2s[i].kind)));
		json_object_object_add(o, "pkts", json_object_new_uint64(t2s[i].pkts));
		json_object_array_add(list, o);
	}
	return list;
}

struct json_object *phcs_t2_json(const struct ntpk_nl_t2 *t2s, size_t n, bool all)
{
	return kinds_json(t2s, n, all, ntp_t2_text);
}

struct json_object *phcs_t3_json(const struct ntpk_nl_t2 *t3s, size_t n, bool all)
{
	return kinds_json(t3s, n, all, ntp_t3_text);
}

/* How much faster than CLOCK_MONOTONIC_RAW the clock is. */
static double clock_ppb(const struct ntp_phc *map)
{
	double rate = (double)map->rate_q48 / 0x1p48;

	return -rate / (1 + rate) * 1e9;
}

/* Of the error as it is now. */
static int64_t error_ns(const struct ntp_phc *map, int64_t raw_ns)
{
	return map->err_ns + (int64_t)ceil(fabs((double)(raw_ns - map->raw_ns)) *
					   map->skew_ppb / 1e9);
}

static struct json_object *phc_json(const struct ntpk_nl_phc_view *view, int64_t raw_ns, bool all)
{
	const struct ntp_phc *map = &view->phc.map;
	struct json_object *o = json_object_new_object();
	int64_t left_ns = map->valid_until_ns - raw_ns;
	char name[IF_NAMESIZE];

	if (if_indextoname(view->phc.ifindex, name))
		json_object_object_add(o, "device", json_object_new_string(name));
	json_object_object_add(o, "ifindex", json_object_new_int64(view->phc.ifindex));
	json_object_object_add(o, "frequency_ppb", json_object_new_double(clock_ppb(map)));
	json_object_object_add(o, "age_ns", json_object_new_int64(raw_ns - map->raw_ns));
	json_object_object_add(o, "error_ns", json_object_new_int64(error_ns(map, raw_ns)));
	json_object_object_add(o, "skew_ppb", json_object_new_int64(map->skew_ppb));
	json_object_object_add(o, "valid_ns", json_object_new_int64(left_ns > 0 ? left_ns : 0));
	json_object_object_add(o, "t2", phcs_t2_json(view->t2s, view->n_t2s, all));
	return o;
}

static int take(void *ctx, const struct ntpk_nl_phc_view *view)
{
	const struct reading *r = ctx;

	json_object_array_add(r->list, phc_json(view, r->raw_ns, r->all));
	return 0;
}

int phcs_read(struct ntpk_nl *nl, bool all, struct json_object **phcs)
{
	struct reading r = { .list = json_object_new_array(), .all = all };
	struct ntpk_nl_clock clock;
	int ret = ntpk_nl_get_clock(nl, &clock);

	if (ret == 0) {
		r.raw_ns = clock.raw_ns;
		ret = ntpk_nl_get_phcs(nl, take, &r);
	}
	if (ret < 0 && ret != -EOPNOTSUPP) {
		json_object_put(r.list);
		return ret;
	}
	*phcs = r.list;
	return 0;
}

static void print_one(struct json_object *o)
{
	char ppm[FMT_MAX], age[FMT_MAX], err[FMT_MAX], left[FMT_MAX], name[FMT_TEXT_MAX];
	int64_t valid_ns = 0;
	double ppb = 0;

	fmt_double(o, "frequency_ppb", &ppb);
	fmt_int(o, "valid_ns", &valid_ns);
	printf("Device clock    : %s, ", fmt_device(name, sizeof(name), o));
	printf("%s, sampled %s ago, within %s, ", fmt_ppb(ppm, ppb, true),
	       fmt_member_age(age, o, "age_ns"), fmt_member_ns(err, o, "error_ns", false));
	if (valid_ns)
		printf("good for %s more\n", fmt_ns(left, valid_ns, false));
	else
		puts("too old to be used");
}

void phcs_print(struct json_object *phcs)
{
	size_t i;

	for (i = 0; i < json_object_array_length(phcs); i++)
		print_one(json_object_array_get_idx(phcs, i));
}

bool phcs_tell_t2(struct json_object *t2, struct json_object *phcs)
{
	size_t i;

	for (i = 0; i < json_object_array_length(t2); i++)
		if (strcmp(fmt_str(json_object_array_get_idx(t2, i), "name"),
			   ntp_t2_name(NTPK_T2_SOFTWARE)) != 0)
			return true;
	return json_object_array_length(phcs);
}
