// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Messages of the family without a kernel: what is built is parsed back, newer
 * attributes do no harm, broken ones are refused, noise crashes nothing.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <cmocka.h>
#include <linux/genetlink.h>
#include "nl/nl_acl.h"
#include "nl/nl_msg.h"
#include "nl/nl_phc.h"

#define FAMILY	0x21

static union {
	struct nlmsghdr nlh;
	char bytes[4 * NL_MSG_REQUEST_MAX];
} out;

static uint64_t seed = 88172645463325252ULL;

static uint64_t rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static struct nlmsghdr *begin(uint8_t cmd)
{
	memset(&out, 0, sizeof(out));
	return nl_msg_begin(&out, FAMILY, cmd, NTPK_FAMILY_VERSION, 7, true);
}

/* An exact copy on the heap, so that one byte too far is seen. */
static struct nlmsghdr *exact(const struct nlmsghdr *nlh)
{
	struct nlmsghdr *copy = malloc(nlh->nlmsg_len);

	assert_non_null(copy);
	memcpy(copy, nlh, nlh->nlmsg_len);
	return copy;
}

static void random_limit(struct ntp_limit *limit)
{
	limit->interval_log2s = (int8_t)(rnd() % 13);
	limit->burst = 1 + rnd() % 255;
	limit->leak_log2 = rnd() % 3;
	limit->kod_log2 = rnd() % 3;
	limit->nat = 1 + rnd() % 1000;
	limit->prefix_v4 = 1 + rnd() % 32;
	limit->prefix_v6 = 1 + rnd() % 128;
	assert_true(ntp_limit_complete(limit));
}

static void random_listener(struct ntpk_nl_listener *l)
{
	struct ntp_correction *c = &l->policy.correction;
	static const uint8_t lens[] = { 0, 4, 16 };

	l->port = (uint16_t)rnd();
	l->addr_len = lens[rnd() % 3];
	for (uint8_t i = 0; i < l->addr_len; i++)
		l->addr[i] = (uint8_t)rnd();
	l->ifindex = (uint32_t)rnd() % 3;
	l->policy.never_synced = rnd() & 1;
	l->policy.expired = rnd() & 1;
	l->policy.flags = (uint32_t)rnd();
	l->policy.versions = (uint8_t)rnd() % 3;
	l->policy.max_stratum = (uint8_t)rnd() % 3;
	l->policy.max_dist_ns = rnd() % 2 ? 0 : rnd();
	if (rnd() % 2)
		random_limit(&l->policy.limit);
	memset(l->acl, 'a', rnd() % sizeof(l->acl));
	c->len = (uint32_t)rnd() % (NTPK_PIECES_MAX + 1);
	for (uint32_t i = 0; i < c->len; i++)
		c->piece[i] = (struct ntp_piece){ (int64_t)rnd(), (int64_t)rnd(), (int64_t)rnd(),
						  (int64_t)rnd() };
}

static void random_serve(struct ntp_serve *s, struct ntpk_nl_listeners *l)
{
	memset(s, 0, sizeof(*s));
	memset(l, 0, sizeof(*l));
	s->line.base_raw_ns = (int64_t)rnd();
	s->line.base_unix_ns = (int64_t)rnd();
	s->line.rate_q48 = (int64_t)rnd();
	s->root_disp_ns = rnd();
	s->root_delay_ns = rnd();
	s->max_dist_ns = rnd();
	s->push_interval_ns = rnd();
	s->deadline_boot_ns = (int64_t)rnd();
	s->ref_unix_ns = (int64_t)rnd();
	s->disp_rate_ppb = (uint32_t)rnd();
	s->clock_seq = (uint32_t)rnd();
	s->refid = (__be32)rnd();
	s->leap = (uint8_t)rnd();
	s->stratum = (uint8_t)rnd();
	s->precision_log2s = (int8_t)rnd();
	l->limit_clients = (uint32_t)rnd() % 3;
	l->no_clientlog = rnd() & 1;
	l->budget_per_s = (uint32_t)rnd() % 3;
	l->len = 1 + rnd() % NTPK_LISTENERS_MAX;
	for (size_t i = 0; i < l->len; i++)
		random_listener(&l->of[i]);
}

static void test_header(void **state)
{
	struct nlmsghdr *nlh = begin(NTPK_CMD_GET_CLOCK);
	const struct genlmsghdr *genl = mnl_nlmsg_get_payload(nlh);

	(void)state;
	assert_int_equal(nlh->nlmsg_type, FAMILY);
	assert_int_equal(nlh->nlmsg_flags, NLM_F_REQUEST | NLM_F_ACK);
	assert_int_equal(nlh->nlmsg_seq, 7);
	assert_int_equal(nlh->nlmsg_len, 20);
	assert_int_equal(genl->cmd, NTPK_CMD_GET_CLOCK);
	assert_int_equal(genl->version, NTPK_FAMILY_VERSION);
	assert_int_equal(genl->reserved, 0);
	nlh = nl_msg_begin(&out, FAMILY, 1, 1, 8, false);
	assert_int_equal(nlh->nlmsg_flags, NLM_F_REQUEST);
}

static void test_state_round_trip(void **state)
{
	struct ntpk_nl_listeners l;
	struct ntpk_nl_state st;
	struct nlmsghdr *nlh;
	struct ntp_serve s;
	int i;

	(void)state;
	for (i = 0; i < 1000; i++) {
		random_serve(&s, &l);
		nlh = begin(NTPK_CMD_SET_STATE);
		nl_msg_put_state(nlh, &s, &l);
		assert_true(nlh->nlmsg_len <= NL_MSG_REQUEST_MAX);
		nlh = exact(nlh);
		assert_int_equal(nl_msg_parse_state(nlh, &st), 0);
		free(nlh);
		assert_true(st.pushed);
		assert_memory_equal(&st.serve, &s, sizeof(s));
		assert_memory_equal(&st.listeners, &l, sizeof(l));
	}
}

/* The widths on the wire are the header's words, independently of our table. */
static void test_state_widths(void **state)
{
	static const uint16_t width[__NTPK_A_STATE_MAX] = {
		[NTPK_A_STATE_CLOCK_SEQ] = 4, [NTPK_A_STATE_BASE_RAW_NS] = 8,
		[NTPK_A_STATE_BASE_UNIX_NS] = 8, [NTPK_A_STATE_RATE_Q48] = 8,
		[NTPK_A_STATE_ROOT_DISP_NS] = 8, [NTPK_A_STATE_DISP_RATE_PPB] = 4,
		[NTPK_A_STATE_LEAP] = 1, [NTPK_A_STATE_STRATUM] = 1, [NTPK_A_STATE_REFID] = 4,
		[NTPK_A_STATE_REF_UNIX_NS] = 8, [NTPK_A_STATE_ROOT_DELAY_NS] = 8,
		[NTPK_A_STATE_PRECISION_LOG2S] = 1, [NTPK_A_STATE_DEADLINE_BOOT_NS] = 8,
		[NTPK_A_STATE_MAX_DIST_NS] = 8, [NTPK_A_STATE_PUSH_INTERVAL_NS] = 8,
		[NTPK_A_STATE_LIMIT_CLIENTS] = 4, [NTPK_A_STATE_BUDGET_PER_S] = 4,
		[NTPK_A_STATE_NO_CLIENTLOG] = 1,
	};
	const unsigned int always = (1u << NTPK_A_STATE_STATUS) - (1u << NTPK_A_STATE_CLOCK_SEQ);
	const unsigned int optional = 1u << NTPK_A_STATE_LIMIT_CLIENTS |
				      1u << NTPK_A_STATE_BUDGET_PER_S |
				      1u << NTPK_A_STATE_NO_CLIENTLOG;
	struct ntpk_nl_listeners l;
	const struct nlattr *attr;
	unsigned int seen = 0;
	struct nlmsghdr *nlh;
	struct ntp_serve s;

	(void)state;
	random_serve(&s, &l);
	nlh = begin(NTPK_CMD_SET_STATE);
	nl_msg_put_state(nlh, &s, &l);
	attr = mnl_nlmsg_get_payload_offset(nlh, sizeof(struct genlmsghdr));
	assert_int_equal(attr->nla_type, NTPK_A_STATE | NLA_F_NESTED);
	const struct nlattr *nest = attr;
	mnl_attr_for_each_nested(attr, nest) {
		uint16_t type = mnl_attr_get_type(attr);

		assert_true(type == NTPK_A_STATE_LISTENER || !(seen & 1u << type));
		seen |= 1u << type;
		if (type == NTPK_A_STATE_LISTENER) {
			assert_true(attr->nla_type & NLA_F_NESTED);
			continue;
		}
		assert_int_equal(mnl_attr_get_payload_len(attr), width[type]);
	}
	/* all that a push has, and nothing that the module refuses */
	assert_int_equal(seen & ~optional, always);
	assert_int_equal(!!(seen & 1u << NTPK_A_STATE_LIMIT_CLIENTS), !!l.limit_clients);
	assert_int_equal(!!(seen & 1u << NTPK_A_STATE_BUDGET_PER_S), !!l.budget_per_s);
	assert_int_equal(!!(seen & 1u << NTPK_A_STATE_NO_CLIENTLOG), l.no_clientlog);
}

static void put_clock(struct nlmsghdr *nlh, unsigned int skip, bool newer)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, NTPK_A_CLOCK);

	if (newer)
		mnl_attr_put_strz(nlh, 200, "from the future");
	if (skip != 0)
		mnl_attr_put_u32(nlh, NTPK_A_CLOCK_SEQ, 5);
	mnl_attr_put(nlh, NTPK_A_CLOCK_PAD, 0, NULL);
	if (skip != 1)
		mnl_attr_put_u64(nlh, NTPK_A_CLOCK_RAW_NS, 11);
	if (skip != 2)
		mnl_attr_put_u64(nlh, NTPK_A_CLOCK_REAL_NS, (uint64_t)-22);
	if (skip != 3)
		mnl_attr_put_u64(nlh, NTPK_A_CLOCK_BOOT_NS, 33);
	mnl_attr_nest_end(nlh, nest);
	if (newer)
		mnl_attr_put_u32(nlh, 99, 1);
}

static void test_clock(void **state)
{
	struct ntpk_nl_clock c;
	struct nlmsghdr *nlh;
	unsigned int i;

	(void)state;
	for (i = 0; i < 6; i++) {
		nlh = begin(NTPK_CMD_GET_CLOCK);
		put_clock(nlh, i < 4 ? i : 9, i == 5);
		nlh = exact(nlh);
		assert_int_equal(nl_msg_parse_clock(nlh, &c), i < 4 ? -EBADMSG : 0);
		free(nlh);
	}
	assert_int_equal(c.seq, 5);
	assert_int_equal(c.raw_ns, 11);
	assert_int_equal(c.real_ns, -22);
	assert_int_equal(c.boot_ns, 33);
	nlh = begin(NTPK_CMD_GET_CLOCK);
	assert_int_equal(nl_msg_parse_clock(nlh, &c), -EBADMSG);
	nlh->nlmsg_len = 18;
	assert_int_equal(nl_msg_parse_clock(nlh, &c), -EBADMSG);
}

static void test_state_without_push(void **state)
{
	struct nlmsghdr *nlh = begin(NTPK_CMD_GET_STATE);
	struct nlattr *nest = mnl_attr_nest_start(nlh, NTPK_A_STATE);
	struct ntpk_nl_state st;

	(void)state;
	mnl_attr_put_u32(nlh, NTPK_A_STATE_STATUS, NTPK_STATUS_DETACHED);
	mnl_attr_put_u64(nlh, NTPK_A_STATE_PUSHES, 3);
	mnl_attr_nest_end(nlh, nest);
	assert_int_equal(nl_msg_parse_state(nlh, &st), 0);
	assert_false(st.pushed);
	assert_int_equal(st.status, NTPK_STATUS_DETACHED);
	assert_int_equal(st.pushes, 3);
	/* a known attribute of another width is a lie about what it is */
	nlh = begin(NTPK_CMD_GET_STATE);
	nest = mnl_attr_nest_start(nlh, NTPK_A_STATE);
	mnl_attr_put_u64(nlh, NTPK_A_STATE_STATUS, NTPK_STATUS_DETACHED);
	mnl_attr_nest_end(nlh, nest);
	assert_int_equal(nl_msg_parse_state(nlh, &st), -EBADMSG);
	/* half a push */
	nlh = begin(NTPK_CMD_GET_STATE);
	nest = mnl_attr_nest_start(nlh, NTPK_A_STATE);
	mnl_attr_put_u64(nlh, NTPK_A_STATE_BASE_RAW_NS, 1);
	mnl_attr_nest_end(nlh, nest);
	assert_int_equal(nl_msg_parse_state(nlh, &st), -EBADMSG);
}

static void put_counter(struct nlmsghdr *nlh, uint32_t reason, const char *name, uint64_t pkts)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, NTPK_A_STATS_COUNTER);

	mnl_attr_put_u32(nlh, NTPK_A_COUNTER_REASON, reason);
	mnl_attr_put_u32(nlh, NTPK_A_COUNTER_CLASS, NTPK_CLASS_PASS);
	if (name)
		mnl_attr_put_strz(nlh, NTPK_A_COUNTER_NAME, name);
	mnl_attr_put_u64(nlh, NTPK_A_COUNTER_PKTS, pkts);
	mnl_attr_nest_end(nlh, nest);
}

static int parse_counters(const char *second, unsigned int more, struct ntpk_nl_stats *stats)
{
	struct nlmsghdr *nlh = begin(NTPK_CMD_GET_STATS);
	struct nlattr *nest = mnl_attr_nest_start(nlh, NTPK_A_STATS);
	int ret;

	put_counter(nlh, NTPK_REASON_MODE, "mode", 1ULL << 40);
	put_counter(nlh, 77, second, 2);
	while (more--)
		put_counter(nlh, 78, "more", 3);
	mnl_attr_put_u32(nlh, 55, 1);
	mnl_attr_nest_end(nlh, nest);
	nlh = exact(nlh);
	ret = nl_msg_parse_stats(nlh, stats);
	free(nlh);
	return ret;
}

static void test_stats(void **state)
{
	struct ntpk_nl_stats stats;
	struct ntpk_nl_counter *c = stats.counters;

	(void)state;
	assert_int_equal(parse_counters("from_a_newer_module", 0, &stats), 0);
	assert_int_equal(stats.n_counters, 2);
	assert_int_equal(stats.n_departures, 0);
	assert_string_equal(c[0].name, "mode");
	assert_true(c[0].pkts == 1ULL << 40);
	assert_int_equal(c[0].class, NTPK_CLASS_PASS);
	assert_string_equal(c[1].name, "from_a_newer_module");
	assert_int_equal(c[1].reason, 77);
	assert_int_equal(parse_counters("x", NTPK_NL_COUNTERS_MAX, &stats), 0);
	assert_int_equal(stats.n_counters, NTPK_NL_COUNTERS_MAX);
	assert_int_equal(parse_counters(NULL, 0, &stats), -EBADMSG);
	assert_int_equal(parse_counters("", 0, &stats), -EBADMSG);
	assert_int_equal(parse_counters("this_name_is_longer_than_the_room", 0, &stats), -EBADMSG);
}

static int parse_departures(bool whole, struct ntpk_nl_stats *stats)
{
	struct nlmsghdr *nlh = begin(NTPK_CMD_GET_STATS);
	struct nlattr *nest = mnl_attr_nest_start(nlh, NTPK_A_STATS), *one;
	uint32_t i;
	int ret;

	put_counter(nlh, NTPK_REASON_MODE, "mode", 1);
	for (i = 0; i < 2; i++) {
		one = mnl_attr_nest_start(nlh, NTPK_A_STATS_DEPARTURE);
		mnl_attr_put_u32(nlh, NTPK_A_DEPARTURE_IFINDEX, 7 + i);
		mnl_attr_put_u8(nlh, NTPK_A_DEPARTURE_IS_V6, (uint8_t)i);
		mnl_attr_put_u32(nlh, NTPK_A_DEPARTURE_CORRECTION_NS, 900);
		if (whole)
			mnl_attr_put_u32(nlh, NTPK_A_DEPARTURE_RESIDUAL_NS, 50);
		mnl_attr_put_u64(nlh, NTPK_A_DEPARTURE_SAMPLES, 9);
		mnl_attr_nest_end(nlh, one);
	}
	mnl_attr_nest_end(nlh, nest);
	nlh = exact(nlh);
	ret = nl_msg_parse_stats(nlh, stats);
	free(nlh);
	return ret;
}

static void test_departures(void **state)
{
	struct ntpk_nl_stats stats;
	struct ntpk_nl_departure *d = stats.departures;

	(void)state;
	assert_int_equal(parse_departures(true, &stats), 0);
	assert_int_equal(stats.n_departures, 2);
	assert_int_equal(stats.n_counters, 1);
	assert_int_equal(d[1].ifindex, 8);
	assert_int_equal(d[1].is_v6, 1);
	assert_int_equal(d[1].correction_ns, 900);
	assert_int_equal(d[1].residual_ns, 50);
	assert_int_equal(d[1].samples, 9);
	assert_int_equal(parse_departures(false, &stats), -EBADMSG);
}

static int parse_hist(size_t buckets, size_t worst, struct ntpk_nl_hist *h)
{
	struct nlmsghdr *nlh = begin(NTPK_CMD_GET_HIST);
	struct nlattr *nest = mnl_attr_nest_start(nlh, NTPK_A_HIST), *one;
	uint64_t counts[NTPK_HIST_BUCKETS + 1] = { 1, 2, [NTPK_HIST_BUCKETS - 1] = 9 };
	size_t i;
	int ret;

	mnl_attr_put(nlh, NTPK_A_HIST_RESIDENCE, buckets * sizeof(counts[0]), counts);
	mnl_attr_put(nlh, NTPK_A_HIST_T2_AGE, sizeof(h->t2_age), counts);
	for (i = 0; i < worst; i++) {
		one = mnl_attr_nest_start(nlh, NTPK_A_HIST_WORST);
		mnl_attr_put_u64(nlh, NTPK_A_WORST_RESIDENCE_NS, 1000 - i);
		mnl_attr_put_u64(nlh, NTPK_A_WORST_T2_AGE_NS, 400);
		mnl_attr_put_u64(nlh, NTPK_A_WORST_RAW_NS, 5);
		mnl_attr_put_u32(nlh, NTPK_A_WORST_CPU, 1);
		mnl_attr_put_u32(nlh, NTPK_A_WORST_IFINDEX, 2);
		mnl_attr_put_u32(nlh, NTPK_A_WORST_QUEUE, 3);
		mnl_attr_nest_end(nlh, one);
	}
	mnl_attr_nest_end(nlh, nest);
	nlh = exact(nlh);
	ret = nl_msg_parse_hist(nlh, h);
	free(nlh);
	return ret;
}

static void test_hist(void **state)
{
	struct ntpk_nl_hist h;

	(void)state;
	assert_int_equal(parse_hist(NTPK_HIST_BUCKETS, 0, &h), 0);
	assert_int_equal(h.n_worst, 0);
	assert_int_equal(h.residence[1], 2);
	assert_int_equal(h.residence[NTPK_HIST_BUCKETS - 1], 9);
	assert_int_equal(parse_hist(NTPK_HIST_BUCKETS, NTPK_WORST_MAX + 1, &h), 0);
	assert_int_equal(h.n_worst, NTPK_WORST_MAX);
	assert_int_equal(h.worst[1].residence_ns, 999);
	assert_int_equal(h.worst[1].queue, 3);
	assert_int_equal(parse_hist(NTPK_HIST_BUCKETS - 1, 1, &h), -EBADMSG);
	assert_int_equal(parse_hist(NTPK_HIST_BUCKETS + 1, 1, &h), -EBADMSG);
}

static void test_event(void **state)
{
	struct nlmsghdr *nlh = begin(NTPK_CMD_EVENT);
	struct nlattr *nest = mnl_attr_nest_start(nlh, NTPK_A_EVENT);
	struct ntpk_nl_event event;

	(void)state;
	mnl_attr_put_u32(nlh, NTPK_A_EVENT_KIND, NTPK_EVENT_STEP);
	mnl_attr_nest_end(nlh, nest);
	assert_int_equal(nl_msg_parse_event(nlh, &event), -EBADMSG);
	nlh = begin(NTPK_CMD_EVENT);
	nest = mnl_attr_nest_start(nlh, NTPK_A_EVENT);
	mnl_attr_put_u32(nlh, NTPK_A_EVENT_KIND, NTPK_EVENT_STEP);
	mnl_attr_put_u32(nlh, NTPK_A_EVENT_STATUS, NTPK_STATUS_EXPIRED_STEP);
	mnl_attr_nest_end(nlh, nest);
	assert_int_equal(nl_msg_parse_event(nlh, &event), 0);
	assert_int_equal(event.kind, NTPK_EVENT_STEP);
	assert_int_equal(event.status, NTPK_STATUS_EXPIRED_STEP);
	assert_int_equal(event.pkts, 0);
	nlh = begin(NTPK_CMD_EVENT);
	nest = mnl_attr_nest_start(nlh, NTPK_A_EVENT);
	mnl_attr_put_u32(nlh, NTPK_A_EVENT_KIND, NTPK_EVENT_OVERLOAD_OVER);
	mnl_attr_put_u32(nlh, NTPK_A_EVENT_STATUS, NTPK_STATUS_SYNC);
	mnl_attr_put_u32(nlh, NTPK_A_EVENT_QUIRK, 3);
	mnl_attr_put_u64(nlh, NTPK_A_EVENT_PKTS, 1ULL << 33);
	mnl_attr_nest_end(nlh, nest);
	assert_int_equal(nl_msg_parse_event(nlh, &event), 0);
	assert_int_equal(event.quirk, 3);
	assert_true(event.pkts == 1ULL << 33);
}

static void test_family(void **state)
{
	struct nlmsghdr *nlh;
	struct nlattr *groups, *group;
	struct nl_family f;
	int i;

	(void)state;
	nlh = nl_msg_begin(&out, GENL_ID_CTRL, CTRL_CMD_NEWFAMILY, 2, 1, false);
	assert_int_equal(nl_msg_parse_family(nlh, &f), -EBADMSG);
	mnl_attr_put_u16(nlh, CTRL_ATTR_FAMILY_ID, FAMILY);
	groups = mnl_attr_nest_start(nlh, CTRL_ATTR_MCAST_GROUPS);
	for (i = 1; i < 4; i++) {
		group = mnl_attr_nest_start(nlh, (uint16_t)i);
		mnl_attr_put_u32(nlh, CTRL_ATTR_MCAST_GRP_ID, (uint32_t)(40 + i));
		mnl_attr_put_strz(nlh, CTRL_ATTR_MCAST_GRP_NAME,
				  i == 2 ? NTPK_MCGRP_EVENTS : i == 1 ? "event" : "eventss");
		mnl_attr_nest_end(nlh, group);
	}
	mnl_attr_nest_end(nlh, groups);
	nlh = exact(nlh);
	assert_int_equal(nl_msg_parse_family(nlh, &f), 0);
	assert_int_equal(f.id, FAMILY);
	assert_int_equal(f.events_group, 42);
	nlh->nlmsg_type = FAMILY;
	assert_int_equal(nl_msg_parse_family(nlh, &f), -EBADMSG);
	free(nlh);
}

static enum ntpk_nl_change change(uint8_t cmd, const char *name)
{
	struct nlmsghdr *nlh;
	enum ntpk_nl_change c;

	memset(&out, 0, sizeof(out));
	nlh = nl_msg_begin(&out, GENL_ID_CTRL, cmd, 2, 0, false);
	if (name)
		mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, name);
	mnl_attr_put_u16(nlh, CTRL_ATTR_FAMILY_ID, FAMILY);
	nlh = exact(nlh);
	c = nl_msg_parse_change(nlh);
	nlh->nlmsg_type = FAMILY;
	assert_int_equal(nl_msg_parse_change(nlh), NTPK_NL_NO_CHANGE);
	free(nlh);
	return c;
}

static void test_change(void **state)
{
	(void)state;
	assert_int_equal(change(CTRL_CMD_NEWFAMILY, NTPK_FAMILY_NAME), NTPK_NL_CAME);
	assert_int_equal(change(CTRL_CMD_DELFAMILY, NTPK_FAMILY_NAME), NTPK_NL_WENT);
	assert_int_equal(change(CTRL_CMD_NEWMCAST_GRP, NTPK_FAMILY_NAME), NTPK_NL_NO_CHANGE);
	assert_int_equal(change(CTRL_CMD_DELFAMILY, NTPK_FAMILY_NAME "2"), NTPK_NL_NO_CHANGE);
	assert_int_equal(change(CTRL_CMD_DELFAMILY, "ntp"), NTPK_NL_NO_CHANGE);
	assert_int_equal(change(CTRL_CMD_DELFAMILY, NULL), NTPK_NL_NO_CHANGE);
}

/* NLMSG_ERROR as the kernel makes it. */
static struct nlmsghdr *make_error(int error, bool capped, const struct nlmsghdr *req)
{
	struct nlmsgerr *e;
	struct nlmsghdr *nlh;

	memset(&out, 0, sizeof(out));
	nlh = mnl_nlmsg_put_header(&out);
	nlh->nlmsg_type = NLMSG_ERROR;
	nlh->nlmsg_flags = (uint16_t)(NLM_F_ACK_TLVS | (capped ? NLM_F_CAPPED : 0));
	e = mnl_nlmsg_put_extra_header(nlh, sizeof(*e));
	e->error = error;
	e->msg = *req;
	if (!capped)
		mnl_nlmsg_put_extra_header(nlh, req->nlmsg_len - sizeof(*req));
	return nlh;
}

static void test_error(void **state)
{
	union {
		struct nlmsghdr nlh;
		char bytes[256];
	} req;
	char text[NL_MSG_TEXT_MAX];
	struct nlmsghdr *nlh;
	int capped;

	(void)state;
	nl_msg_begin(&req, FAMILY, NTPK_CMD_SET_STATE, 1, 7, true);
	mnl_attr_put_u32(&req.nlh, NTPK_A_STATE, 1);
	for (capped = 0; capped < 2; capped++) {
		nlh = make_error(-ESTALE, capped, &req.nlh);
		mnl_attr_put_strz(nlh, NLMSGERR_ATTR_MSG, "clock\nstepped");
		mnl_attr_put_u32(nlh, NLMSGERR_ATTR_OFFS, 20);
		assert_int_equal(nl_msg_parse_error(nlh, &req.nlh, text, sizeof(text)), -ESTALE);
		assert_string_equal(text, "clock?stepped (attribute 3)");
		nl_msg_parse_error(nlh, &req.nlh, text, 6);
		assert_string_equal(text, "clock");
		nlh = make_error(-EINVAL, capped, &req.nlh);
		mnl_attr_put_u32(nlh, NLMSGERR_ATTR_MISS_TYPE, 9);
		assert_int_equal(nl_msg_parse_error(nlh, NULL, text, sizeof(text)), -EINVAL);
		assert_string_equal(text, "(attribute 9 is missing)");
		nlh = make_error(-EINVAL, capped, &req.nlh);
		mnl_attr_put_u32(nlh, NLMSGERR_ATTR_OFFS, 100000);
		assert_int_equal(nl_msg_parse_error(nlh, &req.nlh, text, sizeof(text)), -EINVAL);
		assert_string_equal(text, "");
	}
	nlh = make_error(0, true, &req.nlh);
	assert_int_equal(nl_msg_parse_error(nlh, &req.nlh, text, sizeof(text)), 0);
	nlh = make_error(5, true, &req.nlh);
	assert_int_equal(nl_msg_parse_error(nlh, &req.nlh, text, sizeof(text)), -EBADMSG);
	nlh = make_error(-EPERM, false, &req.nlh);
	((struct nlmsgerr *)mnl_nlmsg_get_payload(nlh))->msg.nlmsg_len = 0xfffffff0;
	assert_int_equal(nl_msg_parse_error(nlh, &req.nlh, text, sizeof(text)), -EPERM);
	nlh->nlmsg_len = 17;
	assert_int_equal(nl_msg_parse_error(nlh, &req.nlh, text, sizeof(text)), -EBADMSG);
}

static void parse_all(struct nlmsghdr *nlh)
{
	struct ntpk_nl_stats stats;
	struct ntpk_nl_hist hist = { 0 };
	struct ntpk_nl_phc_view phc;
	char text[NL_MSG_TEXT_MAX];
	struct ntpk_nl_clock clock;
	struct ntpk_nl_state st;
	struct nl_family family;
	struct ntpk_nl_event event;

	nl_msg_parse_clock(nlh, &clock);
	nl_msg_parse_state(nlh, &st);
	nl_msg_parse_stats(nlh, &stats);
	assert_true(stats.n_counters <= NTPK_NL_COUNTERS_MAX);
	assert_true(stats.n_departures <= NTPK_DEPARTURES_MAX);
	nl_msg_parse_hist(nlh, &hist);
	assert_true(hist.n_worst <= NTPK_WORST_MAX);
	nl_phc_parse(nlh, &phc);
	assert_true(phc.n_t2s <= NTPK_NL_T2S_MAX);
	nl_msg_parse_event(nlh, &event);
	nlh->nlmsg_type = GENL_ID_CTRL;
	nl_msg_parse_family(nlh, &family);
	nl_msg_parse_change(nlh);
	nlh->nlmsg_type = NLMSG_ERROR;
	nl_msg_parse_error(nlh, nlh, text, sizeof(text));
	assert_true(strlen(text) < sizeof(text));
}

/* True messages cut short and with bytes changed, on a heap of exactly that size. */
static void test_broken(void **state)
{
	struct ntpk_nl_listeners l;
	struct nlmsghdr *nlh, *copy;
	struct ntp_serve s;
	uint32_t len, i, n;

	(void)state;
	for (i = 0; i < 30000; i++) {
		nlh = begin((uint8_t)rnd());
		random_serve(&s, &l);
		if (rnd() & 1)
			nl_msg_put_state(nlh, &s, &l);
		put_clock(nlh, 9, true);
		put_counter(nlh, 1, "x", 1);
		nl_phc_put_map(nlh, &(struct ntpk_nl_phc){ .ifindex = 3 });
		len = nlh->nlmsg_len;
		for (n = (uint32_t)(rnd() % 4); n; n--)
			out.bytes[16 + rnd() % (len - 16)] = (char)rnd();
		nlh->nlmsg_len = 16 + (uint32_t)(rnd() % (len - 15));
		nlh->nlmsg_flags = (uint16_t)rnd();
		copy = exact(nlh);
		parse_all(copy);
		free(copy);
	}
}

static const struct nlattr *attr_in(const struct nlattr *nest, uint16_t type)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, nest)
		if (mnl_attr_get_type(attr) == type)
			return attr;
	return NULL;
}

/* What the module's policy asks for, up to the longest secret. */
static void test_keys(void **state)
{
	uint8_t secret[NTPK_SECRET_MAX];
	const struct ntpk_nl_key key = {
		.id = UINT32_MAX, .type = NTPK_KEY_AES256,
		.secret = secret, .secret_len = sizeof(secret),
	};
	const struct nlattr *keys, *nest;
	const uint32_t count = 4096;
	struct nlmsghdr *nlh;

	(void)state;
	memset(secret, 0xa5, sizeof(secret));
	nlh = begin(NTPK_CMD_KEYS_BEGIN);
	nl_msg_put_keys(nlh, 7, &count, NULL);
	keys = mnl_nlmsg_get_payload_offset(nlh, GENL_HDRLEN);
	assert_int_equal(mnl_attr_get_type(keys), NTPK_A_KEYS);
	assert_int_equal(mnl_attr_get_u32(attr_in(keys, NTPK_A_KEYS_GENERATION)), 7);
	assert_int_equal(mnl_attr_get_u32(attr_in(keys, NTPK_A_KEYS_COUNT)), 4096);
	assert_null(attr_in(keys, NTPK_A_KEYS_KEY));
	nlh = begin(NTPK_CMD_KEYS_ADD);
	nl_msg_put_keys(nlh, 8, NULL, &key);
	assert_true(nlh->nlmsg_len <= NL_MSG_REQUEST_MAX);
	keys = mnl_nlmsg_get_payload_offset(nlh, GENL_HDRLEN);
	assert_null(attr_in(keys, NTPK_A_KEYS_COUNT));
	nest = attr_in(keys, NTPK_A_KEYS_KEY);
	assert_int_equal(mnl_attr_get_u32(attr_in(nest, NTPK_A_KEY_ID)), UINT32_MAX);
	assert_int_equal(mnl_attr_get_u32(attr_in(nest, NTPK_A_KEY_TYPE)), NTPK_KEY_AES256);
	assert_int_equal(mnl_attr_get_payload_len(attr_in(nest, NTPK_A_KEY_SECRET)), 512);
	assert_memory_equal(mnl_attr_get_payload(attr_in(nest, NTPK_A_KEY_SECRET)), secret, 512);
}

static void test_phc(void **state)
{
	const struct ntpk_nl_phc map = {
		.ifindex = 7, .map = {
			.phc_ns = 1700000037000000001LL, .raw_ns = -3, .rate_q48 = -281474977,
			.err_ns = 4000000000u, .skew_ppb = 12, .valid_until_ns = INT64_MAX,
			.rx_later_ns = NTPK_PHC_NO_RX },
	};
	const struct nlattr *phc;
	struct nlmsghdr *nlh;

	(void)state;
	nlh = begin(NTPK_CMD_SET_PHC);
	nl_phc_put_map(nlh, &map);
	phc = mnl_nlmsg_get_payload_offset(nlh, GENL_HDRLEN);
	assert_int_equal(mnl_attr_get_type(phc), NTPK_A_PHC);
	assert_int_equal(mnl_attr_get_u32(attr_in(phc, NTPK_A_PHC_IFINDEX)), 7);
	assert_int_equal(mnl_attr_get_u64(attr_in(phc, NTPK_A_PHC_PHC_NS)), 1700000037000000001LL);
	assert_int_equal((int64_t)mnl_attr_get_u64(attr_in(phc, NTPK_A_PHC_RAW_NS)), -3);
	assert_int_equal((int64_t)mnl_attr_get_u64(attr_in(phc, NTPK_A_PHC_RATE)), -281474977);
	assert_int_equal(mnl_attr_get_u32(attr_in(phc, NTPK_A_PHC_ERR_NS)), 4000000000u);
	assert_int_equal(mnl_attr_get_u32(attr_in(phc, NTPK_A_PHC_SKEW_PPB)), 12);
	assert_int_equal(mnl_attr_get_u64(attr_in(phc, NTPK_A_PHC_VALID_UNTIL_NS)), INT64_MAX);
	assert_int_equal((int32_t)mnl_attr_get_u32(attr_in(phc, NTPK_A_PHC_RX_LATER_NS)), -1);
	nlh = begin(NTPK_CMD_SET_PHC);
	nl_phc_put_none(nlh, 9);
	phc = mnl_nlmsg_get_payload_offset(nlh, GENL_HDRLEN);
	assert_int_equal(mnl_attr_get_u32(attr_in(phc, NTPK_A_PHC_IFINDEX)), 9);
	/* any other would be half a map */
	assert_int_equal(mnl_attr_get_payload_len(phc), MNL_ATTR_HDRLEN + sizeof(uint32_t));
}

static void put_t2(struct nlmsghdr *nlh, uint16_t type, uint32_t kind, const char *name,
		   uint64_t pkts)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, type);

	mnl_attr_put_u32(nlh, NTPK_A_T2_KIND, kind);
	if (name)
		mnl_attr_put_strz(nlh, NTPK_A_T2_NAME, name);
	mnl_attr_put_u64(nlh, NTPK_A_T2_PKTS, pkts);
	mnl_attr_nest_end(nlh, nest);
}

/* A map as it is sent, with counters; of a newer module more than there is room for. */
static int parse_phc(const struct ntpk_nl_phc *map, const char *name, struct ntpk_nl_phc_view *view)
{
	struct nlmsghdr *nlh = begin(NTPK_CMD_GET_PHC);
	struct nlattr *nest;
	uint32_t i;
	int ret;

	if (map)
		nl_phc_put_map(nlh, map);
	else
		nl_phc_put_none(nlh, 7);
	nest = mnl_nlmsg_get_payload_offset(nlh, GENL_HDRLEN);
	for (i = 0; i <= NTPK_NL_T2S_MAX; i++)
		put_t2(nlh, NTPK_A_PHC_T2, i, name, i * 10);
	mnl_attr_nest_end(nlh, nest);
	nlh = exact(nlh);
	ret = nl_phc_parse(nlh, view);
	free(nlh);
	return ret;
}

static void test_phc_view(void **state)
{
	static const struct ntpk_nl_phc map = {
		.ifindex = 7, .map = {
			.phc_ns = INT64_MIN, .raw_ns = 3, .rate_q48 = -281474977,
			.err_ns = 5, .skew_ppb = 12, .valid_until_ns = INT64_MAX,
			.rx_later_ns = 752 },
	};
	struct ntpk_nl_phc_view view;

	(void)state;
	assert_int_equal(parse_phc(&map, "kind", &view), 0);
	assert_memory_equal(&view.phc, &map, sizeof(map));
	assert_int_equal(view.n_t2s, NTPK_NL_T2S_MAX);
	assert_int_equal(view.t2s[3].kind, 3);
	assert_int_equal(view.t2s[3].pkts, 30);
	assert_string_equal(view.t2s[3].name, "kind");
	assert_int_equal(parse_phc(&map, NULL, &view), -EBADMSG);
	assert_int_equal(parse_phc(NULL, "kind", &view), -EBADMSG);
}

static int parse_t2s(const char *name, struct ntpk_nl_stats *stats)
{
	struct nlmsghdr *nlh = begin(NTPK_CMD_GET_STATS);
	struct nlattr *nest = mnl_attr_nest_start(nlh, NTPK_A_STATS);
	int ret;

	put_t2(nlh, NTPK_A_STATS_T2, NTPK_T2_HW_FAR, name, 1ULL << 40);
	put_counter(nlh, NTPK_REASON_MODE, "mode", 1);
	put_t2(nlh, NTPK_A_STATS_T2, 99, "new", 2);
	put_t2(nlh, NTPK_A_STATS_T3, NTPK_T3_HW_EARLY, "hw_early", 3);
	mnl_attr_nest_end(nlh, nest);
	nlh = exact(nlh);
	ret = nl_msg_parse_stats(nlh, stats);
	free(nlh);
	return ret;
}

static void test_t2s(void **state)
{
	struct ntpk_nl_stats stats;

	(void)state;
	assert_int_equal(parse_t2s("hw_far", &stats), 0);
	assert_int_equal(stats.n_t2s, 2);
	assert_int_equal(stats.t2s[0].kind, NTPK_T2_HW_FAR);
	assert_string_equal(stats.t2s[0].name, "hw_far");
	assert_int_equal(stats.t2s[0].pkts, 1ULL << 40);
	assert_int_equal(stats.t2s[1].kind, 99);
	assert_int_equal(stats.n_t3s, 1);
	assert_int_equal(stats.t3s[0].kind, NTPK_T3_HW_EARLY);
	assert_int_equal(stats.t3s[0].pkts, 3);
	assert_string_equal(stats.t3s[0].name, "hw_early");
	assert_int_equal(parse_t2s("", &stats), -EBADMSG);
}

static struct ntp_acl_prefix acl_prefix(unsigned int i)
{
	struct ntp_acl_prefix p = { .v6 = i & 1, .len = i & 1 ? 96 : 24, .allow = i & 2 };

	p.addr.hi = 0x0a00000000000000ULL | (uint64_t)i << 40;
	p.addr.lo = p.v6 ? 0x123456700000000ULL : 0;
	return p;
}

/* An answer of ACL_CHECK that says what was sent: the attributes are the same. */
static void test_acl(void **state)
{
	const uint32_t count[2] = { 100000, 7 };
	struct ntp_acl_prefix p[2000];
	struct ntpk_nl_acl got;
	const struct nlattr *nest;
	struct nlmsghdr *nlh;
	size_t n, done;

	(void)state;
	for (n = 0; n < 2000; n++)
		p[n] = acl_prefix((unsigned int)n);
	nlh = begin(NTPK_CMD_ACL_BEGIN);
	nl_acl_put_begin(nlh, "cams", 7, count, true);
	nest = mnl_nlmsg_get_payload_offset(nlh, GENL_HDRLEN);
	assert_int_equal(mnl_attr_get_type(nest), NTPK_A_ACL);
	assert_string_equal(mnl_attr_get_str(attr_in(nest, NTPK_A_ACL_NAME)), "cams");
	assert_int_equal(mnl_attr_get_u32(attr_in(nest, NTPK_A_ACL_COUNT_V4)), 100000);
	assert_int_equal(mnl_attr_get_u32(attr_in(nest, NTPK_A_ACL_COUNT_V6)), 7);
	assert_int_equal(nl_acl_parse(nlh, &got), 0);
	assert_true(got.present && got.generation == 7 && got.allow && !got.has_rule);
	/* as many as fit, and every message is within its bounds */
	for (n = 0; n < 2000; n += done) {
		nlh = begin(NTPK_CMD_ACL_ADD);
		done = nl_acl_put_prefixes(nlh, 7, &p[n], 2000 - n);
		assert_true(done > 0);
		assert_in_range(nlh->nlmsg_len, 1, NL_MSG_REQUEST_MAX);
	}
	for (n = 0; n < 8; n++) {
		nlh = begin(NTPK_CMD_ACL_ADD);
		assert_int_equal(nl_acl_put_prefixes(nlh, 8, &p[n], 1), 1);
		assert_int_equal(nl_acl_parse(nlh, &got), 0);
		assert_true(got.has_rule && got.rule.v6 == p[n].v6 && got.rule.len == p[n].len &&
			    got.rule.allow == p[n].allow && got.rule.addr.hi == p[n].addr.hi &&
			    got.rule.addr.lo == p[n].addr.lo);
	}
}

/* Answers that are not whole; a list that is absent is fine. */
static void test_acl_broken(void **state)
{
	const struct ntp_acl_prefix p = acl_prefix(1);
	struct ntpk_nl_acl got;
	struct nlmsghdr *nlh = begin(NTPK_CMD_ACL_CHECK);
	struct nlattr *nest;

	(void)state;
	assert_int_equal(nl_acl_parse(nlh, &got), -EBADMSG);
	nest = mnl_attr_nest_start(nlh, NTPK_A_ACL);
	mnl_attr_nest_end(nlh, nest);
	assert_int_equal(nl_acl_parse(nlh, &got), 0);
	assert_true(!got.present && got.allow && !got.has_rule);
	nlh = begin(NTPK_CMD_ACL_CHECK);
	nl_acl_put_addr(nlh, "", p.addr, true);
	assert_int_equal(nl_acl_parse(nlh, &got), 0);
	for (uint16_t type = NTPK_A_ACL_GENERATION; type <= NTPK_A_ACL_ACCESS; type++) {
		if (type != NTPK_A_ACL_GENERATION && type != NTPK_A_ACL_PREFIX &&
		    type != NTPK_A_ACL_ACCESS)
			continue;
		nlh = begin(NTPK_CMD_ACL_CHECK);
		nest = mnl_attr_nest_start(nlh, NTPK_A_ACL);
		mnl_attr_put_u8(nlh, type, 1);
		mnl_attr_nest_end(nlh, nest);
		assert_int_equal(nl_acl_parse(nlh, &got), -EBADMSG);
	}
}

static void test_closed(void **state)
{
	(void)state;
	ntpk_nl_close(NULL);
	assert_string_equal(ntpk_nl_error(NULL), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_state_round_trip),
		cmocka_unit_test(test_state_widths),
		cmocka_unit_test(test_clock),
		cmocka_unit_test(test_state_without_push),
		cmocka_unit_test(test_stats),
		cmocka_unit_test(test_departures),
		cmocka_unit_test(test_phc_view),
		cmocka_unit_test(test_t2s),
		cmocka_unit_test(test_hist),
		cmocka_unit_test(test_event),
		cmocka_unit_test(test_family),
		cmocka_unit_test(test_change),
		cmocka_unit_test(test_error),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_phc),
		cmocka_unit_test(test_acl),
		cmocka_unit_test(test_acl_broken),
		cmocka_unit_test(test_closed),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("nl", tests, NULL, NULL);
}
