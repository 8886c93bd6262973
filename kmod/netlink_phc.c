// SPDX-License-Identifier: GPL-2.0-only
/*
 * SET_PHC and GET_PHC: maps of devices' clocks.  Process context.
 */
#include <net/genetlink.h>
#include <net/sock.h>

#include "hwleft.h"
#include "netlink_priv.h"
#include "phc.h"
#include "tstamp.h"

/* In the args of a struct netlink_callback. */
enum { DUMP_ASKED, DUMP_PLACE };

/* not const: the policy of older kernels points to it without */
static struct netlink_range_validation_signed phc_rate_range = {
	.min = NTPK_RATE_Q48_MIN,
	.max = NTPK_RATE_Q48_MAX,
};

static struct netlink_range_validation err_range = {
	.min = 0,
	.max = NTPK_PHC_ERR_MAX_NS,
};

static struct netlink_range_validation_signed rx_later_range = {
	.min = NTPK_PHC_NO_RX,
	.max = NTPK_PHC_RX_LATER_MAX_NS,
};

static struct netlink_range_validation skew_range = {
	.min = 0,
	.max = NTPK_PHC_SKEW_PPB_MAX,
};

const struct nla_policy ntpk_nl_phc_policy[NTPK_A_PHC_MAX + 1] = {
	[NTPK_A_PHC_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[NTPK_A_PHC_PHC_NS] = { .type = NLA_S64 },
	[NTPK_A_PHC_RAW_NS] = { .type = NLA_S64 },
	[NTPK_A_PHC_RATE] = NLA_POLICY_FULL_RANGE_SIGNED(NLA_S64, &phc_rate_range),
	[NTPK_A_PHC_ERR_NS] = NLA_POLICY_FULL_RANGE(NLA_U32, &err_range),
	[NTPK_A_PHC_SKEW_PPB] = NLA_POLICY_FULL_RANGE(NLA_U32, &skew_range),
	[NTPK_A_PHC_VALID_UNTIL_NS] = { .type = NLA_S64 },
	[NTPK_A_PHC_RX_LATER_NS] = NLA_POLICY_FULL_RANGE_SIGNED(NLA_S32, &rx_later_range),
	[NTPK_A_PHC_T2] = NTPK_NL_GET_ONLY,
};

static const struct ntpk_nl_required phc_required[] = {
	{ NTPK_A_PHC_IFINDEX, "IFINDEX is missing in PHC" },
	/* without the others the map is dropped */
	{ NTPK_A_PHC_PHC_NS, "PHC_NS is missing in PHC" },
	{ NTPK_A_PHC_RAW_NS, "RAW_NS is missing in PHC" },
	{ NTPK_A_PHC_RATE, "RATE is missing in PHC" },
	{ NTPK_A_PHC_ERR_NS, "ERR_NS is missing in PHC" },
	{ NTPK_A_PHC_SKEW_PPB, "SKEW_PPB is missing in PHC" },
	{ NTPK_A_PHC_VALID_UNTIL_NS, "VALID_UNTIL_NS is missing in PHC" },
};

static bool is_drop(struct nlattr **tb)
{
	unsigned int i;

	for (i = 1; i <= NTPK_A_PHC_MAX; i++)
		if (tb[i] && i != NTPK_A_PHC_IFINDEX)
			return false;
	return true;
}

static int parse_phc(const struct nlattr *nest, struct nlattr **tb, bool *drop,
		     struct netlink_ext_ack *extack)
{
	int err = nla_parse_nested(tb, NTPK_A_PHC_MAX, nest, ntpk_nl_phc_policy, extack);

	if (!err)
		err = ntpk_nl_check_once(nest, 0, extack);
	if (err)
		return err;
	*drop = is_drop(tb);
	return ntpk_nl_check_required(tb, nest, phc_required,
				      *drop ? 1 : ARRAY_SIZE(phc_required), extack);
}

static int parse_map(const struct nlattr *nest, struct nlattr **tb, struct ntp_phc *map,
		     struct netlink_ext_ack *extack)
{
	const char *text;

	map->phc_ns = nla_get_s64(tb[NTPK_A_PHC_PHC_NS]);
	map->raw_ns = nla_get_s64(tb[NTPK_A_PHC_RAW_NS]);
	map->rate_q48 = nla_get_s64(tb[NTPK_A_PHC_RATE]);
	map->err_ns = nla_get_u32(tb[NTPK_A_PHC_ERR_NS]);
	map->skew_ppb = nla_get_u32(tb[NTPK_A_PHC_SKEW_PPB]);
	map->valid_until_ns = nla_get_s64(tb[NTPK_A_PHC_VALID_UNTIL_NS]);
	/* who does not say has a map of the end of frames, as it was */
	map->rx_later_ns = tb[NTPK_A_PHC_RX_LATER_NS] ? nla_get_s32(tb[NTPK_A_PHC_RX_LATER_NS]) : 0;
	text = ntp_phc_check(map, ntpk_tstamp_tx());
	return text ? ntpk_nl_refuse(extack, nest, -ERANGE, text) : 0;
}

static int set_refused(struct netlink_ext_ack *extack, const struct nlattr *ifindex, int err)
{
	switch (err) {
	case -ENOTCONN:
		return ntpk_nl_refuse(extack, NULL, err,
				      "this network namespace is not attached: send ATTACH first");
	case -ENODEV:
		return ntpk_nl_refuse(extack, ifindex, err,
				      "there is no device of this IFINDEX in this network namespace");
	case -ENOENT:
		return ntpk_nl_refuse(extack, ifindex, err,
				      "there is no map of this IFINDEX to be dropped");
	case -E2BIG:
		return ntpk_nl_refuse(extack, ifindex, err, "16 other devices have a map");
	case -ENOMEM:
		return ntpk_nl_refuse(extack, NULL, err, "no memory for the map");
	default:
		return err;
	}
}

/** ntpk_nl_set_phc_doit() - NTPK_CMD_SET_PHC */
int ntpk_nl_set_phc_doit(struct sk_buff *skb, struct genl_info *info)
{
	const struct nlattr *nest = info->attrs[NTPK_A_PHC];
	struct nlattr *tb[NTPK_A_PHC_MAX + 1];
	struct ntp_phc map;
	int ifindex, err;
	bool drop;

	err = ntpk_nl_check_change(skb, info, NTPK_A_PHC);
	if (err)
		return err;
	if (!nest) {
		NL_SET_ERR_ATTR_MISS(info->extack, NULL, NTPK_A_PHC);
		return ntpk_nl_refuse(info->extack, NULL, -EINVAL, "PHC is missing");
	}
	err = parse_phc(nest, tb, &drop, info->extack);
	if (!err && !drop)
		err = parse_map(nest, tb, &map, info->extack);
	if (err)
		return err;
	ifindex = nla_get_u32(tb[NTPK_A_PHC_IFINDEX]);
	err = drop ? ntpk_phc_drop(genl_info_net(info), ifindex) :
		     ntpk_phc_set(genl_info_net(info), ifindex, &map);
	return set_refused(info->extack, tb[NTPK_A_PHC_IFINDEX], err);
}

/**
 * ntpk_nl_fill_t2() - one counter
 * @msg: answer
 * @type: of its nest
 * @kind: enum ntpk_t2
 * @pkts: answers
 *
 * Return: 0 or -EMSGSIZE.
 */
int ntpk_nl_fill_t2(struct sk_buff *msg, int type, u32 kind, u64 pkts)
{
	struct nlattr *nest = nla_nest_start(msg, type);

	if (!nest || nla_put_u32(msg, NTPK_A_T2_KIND, kind) ||
	    nla_put_string(msg, NTPK_A_T2_NAME, ntp_t2_name(kind)) ||
	    nla_put_u64_64bit(msg, NTPK_A_T2_PKTS, pkts, NTPK_A_T2_PAD))
		return -EMSGSIZE;
	nla_nest_end(msg, nest);
	return 0;
}

static int fill_t3(struct sk_buff *msg, u32 kind, u64 pkts)
{
	struct nlattr *nest = nla_nest_start(msg, NTPK_A_STATS_T3);

	if (!nest || nla_put_u32(msg, NTPK_A_T3_KIND, kind) ||
	    nla_put_string(msg, NTPK_A_T3_NAME, ntp_t3_name(kind)) ||
	    nla_put_u64_64bit(msg, NTPK_A_T3_PKTS, pkts, NTPK_A_T3_PAD))
		return -EMSGSIZE;
	nla_nest_end(msg, nest);
	return 0;
}

/**
 * ntpk_nl_fill_t3s() - where departures are known from
 * @msg: answer
 * @net: of which namespace
 *
 * Return: 0 or -EMSGSIZE.
 */
int ntpk_nl_fill_t3s(struct sk_buff *msg, struct net *net)
{
	u64 pkts[__NTPK_T3_MAX];
	unsigned int i;

	ntpk_hwleft_read(net, pkts);
	for (i = 0; i < __NTPK_T3_MAX; i++)
		if (fill_t3(msg, i, pkts[i]))
			return -EMSGSIZE;
	return 0;
}

static int put_map(struct sk_buff *msg, const struct ntpk_phc_view *view)
{
	const struct ntp_phc *map = &view->map;

	if (nla_put_u32(msg, NTPK_A_PHC_IFINDEX, view->ifindex) ||
	    nla_put_s64(msg, NTPK_A_PHC_PHC_NS, map->phc_ns, NTPK_A_PHC_PAD) ||
	    nla_put_s64(msg, NTPK_A_PHC_RAW_NS, map->raw_ns, NTPK_A_PHC_PAD) ||
	    nla_put_s64(msg, NTPK_A_PHC_RATE, map->rate_q48, NTPK_A_PHC_PAD) ||
	    nla_put_u32(msg, NTPK_A_PHC_ERR_NS, map->err_ns) ||
	    nla_put_u32(msg, NTPK_A_PHC_SKEW_PPB, map->skew_ppb) ||
	    nla_put_s64(msg, NTPK_A_PHC_VALID_UNTIL_NS, map->valid_until_ns, NTPK_A_PHC_PAD) ||
	    nla_put_s32(msg, NTPK_A_PHC_RX_LATER_NS, map->rx_later_ns))
		return -EMSGSIZE;
	return 0;
}

static int put_view(struct sk_buff *msg, const struct ntpk_phc_view *view)
{
	struct nlattr *nest = nla_nest_start(msg, NTPK_A_PHC);
	unsigned int i;

	if (!nest || put_map(msg, view))
		return -EMSGSIZE;
	for (i = 0; i < __NTPK_T2_MAX; i++)
		/* there is a map, so that this cannot be */
		if (i != NTPK_T2_HW_NO_MAP &&
		    ntpk_nl_fill_t2(msg, NTPK_A_PHC_T2, i, view->pkts[i]))
			return -EMSGSIZE;
	nla_nest_end(msg, nest);
	return 0;
}

/* One message for each map. */
static int dump_view(struct sk_buff *msg, struct netlink_callback *cb,
		     const struct ntpk_phc_view *view)
{
	void *hdr = ntpk_nl_dump_put(msg, cb, NTPK_CMD_GET_PHC);

	if (!hdr)
		return -EMSGSIZE;
	if (put_view(msg, view)) {
		genlmsg_cancel(msg, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(msg, hdr);
	return 0;
}

/** ntpk_nl_get_phc_dumpit() - NTPK_CMD_GET_PHC */
int ntpk_nl_get_phc_dumpit(struct sk_buff *msg, struct netlink_callback *cb)
{
	struct net *net = sock_net(cb->skb->sk);
	struct ntpk_phc_view view;
	long *args = cb->args;
	int err = 0;

	if (!args[DUMP_ASKED])
		err = ntpk_nl_check_dump(cb);
	if (err)
		return err;
	args[DUMP_ASKED] = 1;
	for (; args[DUMP_PLACE] < NTPK_PHC_MAX; args[DUMP_PLACE]++)
		if (ntpk_phc_view(net, args[DUMP_PLACE], &view) && dump_view(msg, cb, &view))
			return msg->len ? msg->len : -EMSGSIZE;
	return msg->len;
}
