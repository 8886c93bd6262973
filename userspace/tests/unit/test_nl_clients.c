// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Messages about clients without a kernel, and the list that ntpkctl makes of them: what
 * is built is parsed back, newer attributes and records do no harm, broken ones are
 * refused, the orders are right.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <cmocka.h>
#include <linux/genetlink.h>
#include "ctl/clients.h"
#include "nl/nl_clients.h"

#define FAMILY	0x21

static union {
	struct nlmsghdr nlh;
	char bytes[NL_MSG_REQUEST_MAX];
} out;

static struct nlmsghdr *begin(void)
{
	memset(&out, 0, sizeof(out));
	return nl_msg_begin(&out, FAMILY, NTPK_CMD_GET_CLIENTS, NTPK_FAMILY_VERSION, 7, false);
}

/* A message as the module sends it; @skip: the attribute of the client that is missing. */
struct shape {
	unsigned int skip;
	uint32_t record_kind;
	size_t	 record_len;
	size_t	 addr_len;
	bool	 newer;
};

static const uint8_t addr[16] = { 192, 0, 2, 7 };

static void put_client(struct nlmsghdr *nlh, const struct shape *s, uint32_t requests)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, NTPK_A_CLIENTS_CLIENT);
	struct ntp_client_record record = { .client.requests = requests };
	char longer[sizeof(record) + 8] = "";

	memcpy(longer, &record, sizeof(record));
	if (s->skip != NTPK_A_CLIENT_ADDR)
		mnl_attr_put(nlh, NTPK_A_CLIENT_ADDR, s->addr_len, addr);
	if (s->skip != NTPK_A_CLIENT_REQUESTS)
		mnl_attr_put_u32(nlh, NTPK_A_CLIENT_REQUESTS, requests);
	if (s->skip != NTPK_A_CLIENT_DROPPED)
		mnl_attr_put_u32(nlh, NTPK_A_CLIENT_DROPPED, 3);
	if (s->skip != NTPK_A_CLIENT_FIRST_AGE_NS)
		mnl_attr_put_u64(nlh, NTPK_A_CLIENT_FIRST_AGE_NS, 9000);
	if (s->skip != NTPK_A_CLIENT_LAST_AGE_NS)
		mnl_attr_put_u64(nlh, NTPK_A_CLIENT_LAST_AGE_NS, 8000);
	if (s->skip != NTPK_A_CLIENT_QUIRK)
		mnl_attr_put_u32(nlh, NTPK_A_CLIENT_QUIRK, 4);
	mnl_attr_put(nlh, NTPK_A_CLIENT_RECORD, s->record_len, longer);
	if (s->newer)
		mnl_attr_put_strz(nlh, 200, "from the future");
	mnl_attr_nest_end(nlh, nest);
}

static struct nlmsghdr *message(const struct shape *s, uint32_t n)
{
	struct nlmsghdr *nlh = begin(), *copy;
	struct nlattr *nest = mnl_attr_nest_start(nlh, NTPK_A_CLIENTS);
	uint32_t i;

	mnl_attr_put_u64(nlh, NTPK_A_CLIENTS_NOW_RAW_NS, 77);
	mnl_attr_put_u8(nlh, NTPK_A_CLIENTS_PREFIX_V6, 64);
	mnl_attr_put_u32(nlh, NTPK_A_CLIENTS_RECORD_KIND, s->record_kind);
	for (i = 0; i < n; i++)
		put_client(nlh, s, i + 1);
	mnl_attr_nest_end(nlh, nest);
	/* on the heap, so that one byte too far is seen */
	copy = malloc(nlh->nlmsg_len);
	assert_non_null(copy);
	memcpy(copy, nlh, nlh->nlmsg_len);
	return copy;
}

static const struct shape good = { .record_kind = NTPK_RECORD_KIND,
				   .record_len = sizeof(struct ntp_client_record), .addr_len = 4 };

static int add(void *ctx, const struct ntpk_nl_client *c)
{
	return client_list_add(ctx, c);
}

/* Into a new list, in an order that needs the records; empty where it is refused. */
static int parse(const struct shape *s, uint32_t n, struct client_list *list)
{
	struct nlmsghdr *nlh = message(s, n);
	int ret;

	assert_int_equal(client_list_begin(list, "error", SIZE_MAX), 0);
	ret = nl_clients_parse(nlh, add, list);
	client_list_end(list);
	free(nlh);
	return ret;
}

static void test_parse(void **state)
{
	struct shape s = good;
	struct client_list list;
	const struct ntpk_nl_client *c;

	(void)state;
	s.newer = true;
	assert_int_equal(parse(&s, 20, &list), 0);
	assert_int_equal(list.len, 20);
	c = &list.rows[19].c;
	assert_int_equal(c->addr_len, 4);
	assert_memory_equal(c->addr, addr, 4);
	assert_int_equal(c->len, 32);
	assert_int_equal(c->requests, 20);
	assert_int_equal(c->dropped, 3);
	assert_int_equal(c->first_age_ns, 9000);
	assert_int_equal(c->last_age_ns, 8000);
	assert_int_equal(c->quirk, 4);
	assert_int_equal(c->now_raw_ns, 77);
	assert_true(c->has_record);
	assert_int_equal(c->record.client.requests, 20);
	client_list_clean(&list);
	s.addr_len = 16;
	assert_int_equal(parse(&s, 1, &list), 0);
	assert_int_equal(list.rows[0].c.len, 64);
	client_list_clean(&list);
}

/* A module of another version: all but what its records mean. */
static void test_other_record(void **state)
{
	const struct shape shapes[] = {
		{ .record_kind = NTPK_RECORD_KIND + 1, .record_len = good.record_len, .addr_len = 4 },
		{ .record_kind = NTPK_RECORD_KIND, .record_len = good.record_len + 8, .addr_len = 4 },
	};
	struct client_list list;
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		assert_int_equal(parse(&shapes[i], 1, &list), 0);
		assert_false(list.rows[0].c.has_record);
		assert_int_equal(list.rows[0].c.requests, 1);
		client_list_clean(&list);
	}
}

static int stop_there(void *ctx, const struct ntpk_nl_client *c)
{
	(void)c;
	return ++*(int *)ctx == 3 ? -ENOSPC : 0;
}

static void test_broken(void **state)
{
	struct client_list list;
	struct shape s = good;
	struct nlmsghdr *nlh;
	int n = 0;

	(void)state;
	for (s.skip = NTPK_A_CLIENT_ADDR; s.skip < NTPK_A_CLIENT_RECORD; s.skip++)
		assert_int_equal(parse(&s, 1, &list), -EBADMSG);
	s.skip = 0;
	s.addr_len = 5;
	assert_int_equal(parse(&s, 1, &list), -EBADMSG);
	assert_int_equal(list.len, 0);
	nlh = message(&good, 5);
	assert_int_equal(nl_clients_parse(nlh, stop_there, &n), -ENOSPC);
	assert_int_equal(n, 3);
	/* each length that it could be cut to */
	while (nlh->nlmsg_len > MNL_NLMSG_HDRLEN) {
		nlh->nlmsg_len--;
		n = 0;
		assert_true(nl_clients_parse(nlh, stop_there, &n) < 0);
	}
	free(nlh);
}

static void test_filter(void **state)
{
	struct ntpk_nl_client_filter f = { .addr_len = 4, .addr = { 10 }, .len = 8, .by_quirk = true,
					   .quirk = 0, .last_age_ns = 5 };
	const struct nlattr *nest, *attr;
	struct nlmsghdr *nlh = begin();
	unsigned int seen = 0;

	(void)state;
	nl_clients_put_filter(nlh, &f);
	nest = mnl_nlmsg_get_payload_offset(nlh, sizeof(struct genlmsghdr));
	assert_int_equal(nest->nla_type, NTPK_A_CLIENT_FILTER | NLA_F_NESTED);
	mnl_attr_for_each_nested(attr, nest)
		seen |= 1u << mnl_attr_get_type(attr);
	assert_int_equal(seen, 1u << NTPK_A_CLIENT_FILTER_ADDR | 1u << NTPK_A_CLIENT_FILTER_LEN |
			 1u << NTPK_A_CLIENT_FILTER_QUIRK | 1u << NTPK_A_CLIENT_FILTER_LAST_AGE_NS);
}

/* The end of a dump, with words or without. */
static void test_done(void **state)
{
	char text[NL_MSG_TEXT_MAX];
	struct nlmsghdr *nlh;
	int err;

	(void)state;
	for (err = 0; err > -3; err--) {
		memset(&out, 0, sizeof(out));
		nlh = mnl_nlmsg_put_header(&out);
		nlh->nlmsg_type = NLMSG_DONE;
		memcpy(mnl_nlmsg_put_extra_header(nlh, sizeof(err)), &err, sizeof(err));
		if (err == -2) {
			nlh->nlmsg_flags |= NLM_F_ACK_TLVS;
			mnl_attr_put_strz(nlh, NLMSGERR_ATTR_MSG, "no\nclients");
		}
		assert_int_equal(nl_msg_parse_done(nlh, NULL, text, sizeof(text)), err);
		assert_string_equal(text, err == -2 ? "no?clients" : "");
	}
	nlh->nlmsg_len = MNL_NLMSG_HDRLEN + 3;
	assert_int_equal(nl_msg_parse_done(nlh, NULL, text, sizeof(text)), -EBADMSG);
	nlh->nlmsg_type = NLMSG_ERROR;
	assert_int_equal(nl_msg_parse_done(nlh, NULL, text, sizeof(text)), -EBADMSG);
}

static void make(struct client_list *list, uint8_t last, uint32_t requests, uint64_t last_age_ns)
{
	struct ntpk_nl_client c = { .addr_len = 4, .addr = { 10, 0, 0, last }, .requests = requests,
				    .dropped = last, .last_age_ns = last_age_ns,
				    .first_age_ns = 100 * last };

	assert_int_equal(client_list_add(list, &c), 0);
}

static void fill(struct client_list *list)
{
	make(list, 3, 10, 5);
	make(list, 1, 10, 50);
	make(list, 2, 30, 500);
	make(list, 4, 1, 1);
}

static void check_order(const char *key, const char *want)
{
	struct client_list list;
	size_t i, most;

	for (most = 1; most < 6; most++) {
		assert_int_equal(client_list_begin(&list, key, most), 0);
		fill(&list);
		client_list_end(&list);
		assert_int_equal(list.total, 4);
		assert_int_equal(list.len, most < 4 ? most : 4);
		for (i = 0; i < list.len; i++)
			assert_int_equal(list.rows[i].c.addr[3], want[i] - '0');
		client_list_clean(&list);
	}
}

static void test_orders(void **state)
{
	struct client_list list;

	(void)state;
	check_order("address", "1234");
	check_order("requests", "2134");
	check_order("dropped", "4321");
	check_order("last", "4312");
	check_order("first", "1234");
	/* none of them is known: by address */
	check_order("drift", "1234");
	check_order("error", "1234");
	check_order("interval", "1234");
	assert_int_equal(client_list_begin(&list, "age", 1), -EINVAL);
}

/* Of many the first ones, and no more memory than for these. */
static void test_top(void **state)
{
	struct ntpk_nl_client c = { .addr_len = 4, .len = 32 };
	struct client_list list;
	uint32_t i, most;

	(void)state;
	for (most = 1; most < 3000; most = 7 * most) {
		assert_int_equal(client_list_begin(&list, "requests", most), 0);
		for (i = 0; i < 20011; i++) {
			c.requests = (uint32_t)((uint64_t)i * 7919 % 20011);
			assert_int_equal(client_list_add(&list, &c), 0);
		}
		client_list_end(&list);
		assert_int_equal(list.total, 20011);
		assert_int_equal(list.len, most);
		assert_true(list.room < 1600 + 3 * most);
		for (i = 0; i < most; i++)
			assert_int_equal(list.rows[i].c.requests, 20010 - i);
		client_list_clean(&list);
	}
}

/* 127.0.0.1 has a name on most machines; a network, and what is not answered, has none. */
static void test_names(void **state)
{
	struct client_row rows[3] = {
		{ .c = { .addr_len = 4, .addr = { 127, 0, 0, 1 }, .len = 32 } },
		{ .c = { .addr_len = 16, .addr = { 0x20, 1, 0x0d, 0xb8 }, .len = 64 } },
		{ .c = { .addr_len = 4, .addr = { 192, 0, 2, 1 }, .len = 31 } },
	};

	(void)state;
	client_names(rows, 3, 5);
	assert_null(rows[1].name);
	assert_null(rows[2].name);
	free(rows[0].name);
	/* no time at all */
	client_names(rows + 1, 2, 0);
	client_names(rows, 0, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse), cmocka_unit_test(test_other_record),
		cmocka_unit_test(test_broken), cmocka_unit_test(test_filter),
		cmocka_unit_test(test_done), cmocka_unit_test(test_orders),
		cmocka_unit_test(test_top),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
