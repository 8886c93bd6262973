// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Building and parsing the messages about clients.  Pure.
 */
#include "nl/nl_clients.h"

#include <errno.h>
#include <string.h>
#include "nl/nl_fields.h"

static const struct nl_field filter_fields[] = {
	NL_FIELD(ntpk_nl_client_filter, NTPK_A_CLIENT_FILTER_REQUESTS, requests, false),
	NL_FIELD(ntpk_nl_client_filter, NTPK_A_CLIENT_FILTER_LAST_AGE_NS, last_age_ns, false),
};

/* struct head - what the clients of a message share */
struct head {
	int64_t	 now_raw_ns;
	uint8_t	 prefix_v6;
	uint32_t record_kind;
};

static const struct nl_field head_fields[] = {
	NL_FIELD(head, NTPK_A_CLIENTS_NOW_RAW_NS, now_raw_ns, true),
	NL_FIELD(head, NTPK_A_CLIENTS_PREFIX_V6, prefix_v6, true),
	NL_FIELD(head, NTPK_A_CLIENTS_RECORD_KIND, record_kind, true),
};

void nl_clients_put_filter(struct nlmsghdr *nlh, const struct ntpk_nl_client_filter *filter)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, NTPK_A_CLIENT_FILTER);

	nl_put_nonzero(nlh, filter_fields, NL_LEN(filter_fields), filter);
	if (filter->addr_len) {
		mnl_attr_put(nlh, NTPK_A_CLIENT_FILTER_ADDR, filter->addr_len, filter->addr);
		mnl_attr_put_u8(nlh, NTPK_A_CLIENT_FILTER_LEN, filter->len);
	}
	if (filter->by_quirk)
		mnl_attr_put_u32(nlh, NTPK_A_CLIENT_FILTER_QUIRK, filter->quirk);
	mnl_attr_nest_end(nlh, nest);
}

/* A value of host byte order. */
static bool take(const struct nlattr *attr, void *out, size_t size)
{
	if (nl_attr_len(attr) != size)
		return false;
	memcpy(out, nl_attr_data(attr), size);
	return true;
}

static void take_record(const struct nlattr *attr, const struct head *head,
			struct ntpk_nl_client *c)
{
	c->has_record = head->record_kind == NTPK_RECORD_KIND &&
			take(attr, &c->record, sizeof(c->record));
}

/* By hand, not by a table: there may be a million. */
static bool take_attr(uint16_t type, const struct nlattr *attr, const struct head *head,
		      struct ntpk_nl_client *c)
{
	switch (type) {
	case NTPK_A_CLIENT_ADDR:
		c->addr_len = nl_attr_len(attr) == 4 ? 4 : 16;
		c->len = c->addr_len == 4 ? 32 : head->prefix_v6;
		return take(attr, c->addr, c->addr_len);
	case NTPK_A_CLIENT_REQUESTS:
		return take(attr, &c->requests, sizeof(c->requests));
	case NTPK_A_CLIENT_DROPPED:
		return take(attr, &c->dropped, sizeof(c->dropped));
	case NTPK_A_CLIENT_FIRST_AGE_NS:
		return take(attr, &c->first_age_ns, sizeof(c->first_age_ns));
	case NTPK_A_CLIENT_LAST_AGE_NS:
		return take(attr, &c->last_age_ns, sizeof(c->last_age_ns));
	case NTPK_A_CLIENT_QUIRK:
		return take(attr, &c->quirk, sizeof(c->quirk));
	case NTPK_A_CLIENT_RECORD:
		take_record(attr, head, c);
		return true;
	default:
		return true;
	}
}

#define BIT(type)	(1u << (type))
#define REQUIRED	(BIT(NTPK_A_CLIENT_ADDR) | BIT(NTPK_A_CLIENT_REQUESTS) |		\
			 BIT(NTPK_A_CLIENT_DROPPED) | BIT(NTPK_A_CLIENT_FIRST_AGE_NS) |		\
			 BIT(NTPK_A_CLIENT_LAST_AGE_NS) | BIT(NTPK_A_CLIENT_QUIRK))

static int parse_client(struct nl_walk w, const struct head *head, struct ntpk_nl_client *c)
{
	const struct nlattr *attr;
	uint32_t seen = 0;
	uint16_t type;
	int ret;

	memset(c, 0, sizeof(*c));
	c->now_raw_ns = head->now_raw_ns;
	while ((ret = nl_walk_next(&w, &attr)) > 0) {
		type = nl_attr_type(attr);
		if (!take_attr(type, attr, head, c))
			return -EBADMSG;
		if (type <= NTPK_A_CLIENT_MAX)
			seen |= BIT(type);
	}
	return ret < 0 || (seen & REQUIRED) != REQUIRED ? -EBADMSG : 0;
}

/* What is before the first client, as the module has it. */
static struct nl_walk head_of(struct nl_walk w)
{
	const struct nlattr *attr;
	struct nl_walk rest = w;

	while (nl_walk_next(&rest, &attr) > 0)
		if (nl_attr_type(attr) == NTPK_A_CLIENTS_CLIENT) {
			w.left = (size_t)((const char *)attr - w.at);
			break;
		}
	return w;
}

int nl_clients_parse(const struct nlmsghdr *nlh,
		     int (*each)(void *ctx, const struct ntpk_nl_client *client), void *ctx)
{
	struct ntpk_nl_client c;
	const struct nlattr *attr;
	struct head head = { 0 };
	struct nl_walk w;
	int ret = nl_walk_top(nlh, NTPK_A_CLIENTS, &w);

	if (ret == 0)
		ret = nl_parse_fields(head_of(w), head_fields, NL_LEN(head_fields), &head);
	if (ret < 0)
		return ret;
	while ((ret = nl_walk_next(&w, &attr)) > 0) {
		if (nl_attr_type(attr) != NTPK_A_CLIENTS_CLIENT)
			continue;
		ret = parse_client(nl_walk_nest(attr), &head, &c);
		if (ret == 0)
			ret = each(ctx, &c);
		if (ret)
			return ret;
	}
	return ret;
}
