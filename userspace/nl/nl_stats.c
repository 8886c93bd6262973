// SPDX-License-Identifier: GPL-2.0-or-later
/* The answer of NTPK_CMD_GET_STATS: lists of several kinds in one nest.  Pure. */
#include <errno.h>
#include <string.h>
#include "nl/nl_fields.h"
#include "nl/nl_msg.h"

static const struct nl_field counter_fields[] = {
	NL_FIELD(ntpk_nl_counter, NTPK_A_COUNTER_REASON, reason, true),
	NL_FIELD(ntpk_nl_counter, NTPK_A_COUNTER_CLASS, class, true),
	NL_FIELD(ntpk_nl_counter, NTPK_A_COUNTER_PKTS, pkts, true),
};

static const struct nl_field departure_fields[] = {
	NL_FIELD(ntpk_nl_departure, NTPK_A_DEPARTURE_IFINDEX, ifindex, true),
	NL_FIELD(ntpk_nl_departure, NTPK_A_DEPARTURE_IS_V6, is_v6, true),
	NL_FIELD(ntpk_nl_departure, NTPK_A_DEPARTURE_CORRECTION_NS, correction_ns, true),
	NL_FIELD(ntpk_nl_departure, NTPK_A_DEPARTURE_RESIDUAL_NS, residual_ns, true),
	NL_FIELD(ntpk_nl_departure, NTPK_A_DEPARTURE_SAMPLES, samples, true),
};

static const struct nl_field quirk_fields[] = {
	NL_FIELD(ntpk_nl_quirk, NTPK_A_QUIRK_NUMBER, number, true),
	NL_FIELD(ntpk_nl_quirk, NTPK_A_QUIRK_PKTS, pkts, true),
};

/*
 * struct kind - one list: its attribute, the attribute and member of its name
 * (0 = has none), and where it is kept
 */
struct kind {
	uint16_t type;
	uint16_t name_type;
	size_t	 name;
	size_t	 name_size;
	const struct nl_field *fields;
	size_t	 n_fields;
	size_t	 list;
	size_t	 size;
	size_t	 max;
	size_t	 count;
};

#define KIND(attr, table, st, member, counter)						\
	.type = (attr), .fields = (table), .n_fields = NL_LEN(table),			\
	.list = offsetof(struct ntpk_nl_stats, member), .size = sizeof(struct st),	\
	.max = NL_LEN(((struct ntpk_nl_stats *)0)->member),				\
	.count = offsetof(struct ntpk_nl_stats, counter)
#define NAMED(attr, st)									\
	.name_type = (attr), .name = offsetof(struct st, name),				\
	.name_size = sizeof(((struct st *)0)->name)

static const struct kind kinds[] = {
	{ KIND(NTPK_A_STATS_COUNTER, counter_fields, ntpk_nl_counter, counters, n_counters),
	  NAMED(NTPK_A_COUNTER_NAME, ntpk_nl_counter) },
	{ KIND(NTPK_A_STATS_DEPARTURE, departure_fields, ntpk_nl_departure, departures,
	       n_departures) },
	{ KIND(NTPK_A_STATS_QUIRK, quirk_fields, ntpk_nl_quirk, quirks, n_quirks),
	  NAMED(NTPK_A_QUIRK_NAME, ntpk_nl_quirk) },
};

static int parse_name(struct nl_walk w, uint16_t type, char *name, size_t len)
{
	const struct nlattr *attr;
	size_t n;
	int ret;

	name[0] = '\0';
	while ((ret = nl_walk_next(&w, &attr)) > 0) {
		if (mnl_attr_get_type(attr) != type)
			continue;
		n = strnlen(mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr));
		if (!n || n >= len)
			return -EBADMSG;
		memcpy(name, mnl_attr_get_payload(attr), n);
		name[n] = '\0';
	}
	if (ret < 0)
		return ret;
	return name[0] ? 0 : -EBADMSG;
}

static int add(const struct kind *k, const struct nlattr *attr, struct ntpk_nl_stats *out)
{
	size_t *n = (size_t *)((char *)out + k->count);
	char *item;
	int ret;

	if (*n >= k->max)
		return 0;
	item = (char *)out + k->list + *n * k->size;
	ret = nl_parse_fields(nl_walk_nest(attr), k->fields, k->n_fields, item);
	if (ret == 0 && k->name_type)
		ret = parse_name(nl_walk_nest(attr), k->name_type, item + k->name, k->name_size);
	if (ret == 0)
		++*n;
	return ret;
}

int nl_msg_parse_stats(const struct nlmsghdr *nlh, struct ntpk_nl_stats *out)
{
	const struct nlattr *attr;
	struct nl_walk w;
	size_t i;
	int ret;

	memset(out, 0, sizeof(*out));
	ret = nl_walk_top(nlh, NTPK_A_STATS, &w);
	while (ret >= 0 && (ret = nl_walk_next(&w, &attr)) > 0)
		for (i = 0; i < NL_LEN(kinds) && ret >= 0; i++)
			if (kinds[i].type == mnl_attr_get_type(attr))
				ret = add(&kinds[i], attr, out);
	return ret;
}
