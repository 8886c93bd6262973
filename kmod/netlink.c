// SPDX-License-Identifier: GPL-2.0-only
/*
 * The generic netlink family "ntpk": every change from userspace, and all that
 * can be read.  Process context; commands run in parallel, and what they change
 * is serialised per namespace by state.c.  Every refusal carries a text.
 */
#include <linux/capability.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <net/genetlink.h>
#include <net/sock.h>

#include <ntpk/ntp_reason.h>

#include "netlink.h"
#include "state.h"
#include "tstamp.h"

static bool userns;
module_param(userns, bool, 0444);
MODULE_PARM_DESC(userns, "let the owner of a network namespace attach it (default: only CAP_NET_ADMIN in the initial user namespace)");

/* Guards events_on: no event is sent through a family that is gone. */
static DEFINE_MUTEX(events_lock);
static bool events_on;

static struct genl_family family;

#define GET_ONLY	{ .type = NLA_REJECT, .reject_message = "can only be read" }
/* not const: the policy of older kernels points to it without */
static struct netlink_range_validation_signed rate_range = {
	.min = NTPK_RATE_Q48_MIN,
	.max = NTPK_RATE_Q48_MAX,
};

static const struct nla_policy listener_policy[NTPK_A_LISTENER_MAX + 1] = {
	[NTPK_A_LISTENER_PORT] = NLA_POLICY_MIN(NLA_U16, 1),
	[NTPK_A_LISTENER_ADDR] = { .type = NLA_BINARY, .len = 16 },
	[NTPK_A_LISTENER_IFINDEX] = { .type = NLA_U32 },
	[NTPK_A_LISTENER_NEVER_SYNCED] = NLA_POLICY_MAX(NLA_U32, NTPK_POLICY_UNSYNC),
	[NTPK_A_LISTENER_EXPIRED] = NLA_POLICY_MAX(NLA_U32, NTPK_POLICY_UNSYNC),
};

static const struct nla_policy state_policy[NTPK_A_STATE_MAX + 1] = {
	[NTPK_A_STATE_CLOCK_SEQ] = { .type = NLA_U32 },
	[NTPK_A_STATE_BASE_RAW_NS] = { .type = NLA_S64 },
	[NTPK_A_STATE_BASE_UNIX_NS] = { .type = NLA_S64 },
	[NTPK_A_STATE_RATE_Q48] = NLA_POLICY_FULL_RANGE_SIGNED(NLA_S64, &rate_range),
	[NTPK_A_STATE_ROOT_DISP_NS] = { .type = NLA_U64 },
	[NTPK_A_STATE_DISP_RATE_PPB] = { .type = NLA_U32 },
	[NTPK_A_STATE_LEAP] = NLA_POLICY_MAX(NLA_U8, NTP_LEAP_UNSYNC),
	[NTPK_A_STATE_STRATUM] = NLA_POLICY_MAX(NLA_U8, 15),
	[NTPK_A_STATE_REFID] = NLA_POLICY_EXACT_LEN(4),
	[NTPK_A_STATE_REF_UNIX_NS] = { .type = NLA_S64 },
	[NTPK_A_STATE_ROOT_DELAY_NS] = { .type = NLA_U64 },
	[NTPK_A_STATE_PRECISION_LOG2S] = NLA_POLICY_RANGE(NLA_S8, NTPK_PRECISION_LOG2S_MIN, 0),
	[NTPK_A_STATE_DEADLINE_BOOT_NS] = { .type = NLA_S64 },
	[NTPK_A_STATE_MAX_DIST_NS] = { .type = NLA_U64 },
	[NTPK_A_STATE_PUSH_INTERVAL_NS] = { .type = NLA_U64 },
	[NTPK_A_STATE_LISTENER] = NLA_POLICY_NESTED(listener_policy),
	[NTPK_A_STATE_STATUS] = GET_ONLY,
	[NTPK_A_STATE_AGE_NS] = GET_ONLY,
	[NTPK_A_STATE_PUSHES] = GET_ONLY,
	[NTPK_A_STATE_NOW_DISP_NS] = GET_ONLY,
	[NTPK_A_STATE_NOW_UNIX_NS] = GET_ONLY,
};

static const struct nla_policy family_policy[NTPK_A_MAX + 1] = {
	[NTPK_A_CLOCK] = GET_ONLY,
	[NTPK_A_STATE] = NLA_POLICY_NESTED(state_policy),
	[NTPK_A_STATS] = GET_ONLY,
	[NTPK_A_EVENT] = GET_ONLY,
};

/* What a push must have, and the words for its absence. */
struct required {
	u16	type;
	char	missing[40];
};

static const struct required state_required[] = {
	{ NTPK_A_STATE_CLOCK_SEQ, "CLOCK_SEQ is missing in STATE" },
	{ NTPK_A_STATE_BASE_RAW_NS, "BASE_RAW_NS is missing in STATE" },
	{ NTPK_A_STATE_BASE_UNIX_NS, "BASE_UNIX_NS is missing in STATE" },
	{ NTPK_A_STATE_RATE_Q48, "RATE_Q48 is missing in STATE" },
	{ NTPK_A_STATE_ROOT_DISP_NS, "ROOT_DISP_NS is missing in STATE" },
	{ NTPK_A_STATE_DISP_RATE_PPB, "DISP_RATE_PPB is missing in STATE" },
	{ NTPK_A_STATE_LEAP, "LEAP is missing in STATE" },
	{ NTPK_A_STATE_STRATUM, "STRATUM is missing in STATE" },
	{ NTPK_A_STATE_REFID, "REFID is missing in STATE" },
	{ NTPK_A_STATE_REF_UNIX_NS, "REF_UNIX_NS is missing in STATE" },
	{ NTPK_A_STATE_ROOT_DELAY_NS, "ROOT_DELAY_NS is missing in STATE" },
	{ NTPK_A_STATE_PRECISION_LOG2S, "PRECISION_LOG2S is missing in STATE" },
	{ NTPK_A_STATE_DEADLINE_BOOT_NS, "DEADLINE_BOOT_NS is missing in STATE" },
	{ NTPK_A_STATE_MAX_DIST_NS, "MAX_DIST_NS is missing in STATE" },
	{ NTPK_A_STATE_PUSH_INTERVAL_NS, "PUSH_INTERVAL_NS is missing in STATE" },
	{ NTPK_A_STATE_LISTENER, "LISTENER is missing in STATE" },
};

static const struct required listener_required[] = {
	{ NTPK_A_LISTENER_PORT, "PORT is missing in LISTENER" },
	{ NTPK_A_LISTENER_NEVER_SYNCED, "NEVER_SYNCED is missing in LISTENER" },
	{ NTPK_A_LISTENER_EXPIRED, "EXPIRED is missing in LISTENER" },
};

/* Refuse with a text that is not a literal here, but lives as long as the module. */
static int refuse(struct netlink_ext_ack *extack, const struct nlattr *attr, int err,
		  const char *text)
{
	if (extack) {
		extack->_msg = text;
		NL_SET_BAD_ATTR(extack, attr);
	}
	return err;
}

static int check_required(struct nlattr **tb, const struct nlattr *nest,
			  const struct required *req, size_t n, struct netlink_ext_ack *extack)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (tb[req[i].type])
			continue;
		NL_SET_ERR_ATTR_MISS(extack, nest, req[i].type);
		return refuse(extack, nest, -EINVAL, req[i].missing);
	}
	return 0;
}

/* Values are replaced whole: what is there twice is not what the sender thinks it is. */
static int check_once(const struct nlattr *nest, struct netlink_ext_ack *extack)
{
	const struct nlattr *attr;
	u64 seen = 0;
	int rem;

	nla_for_each_nested(attr, nest, rem) {
		u64 bit = BIT_ULL(nla_type(attr) & 63);

		if (seen & bit)
			return refuse(extack, attr, -EINVAL, "given twice");
		seen |= bit;
	}
	return 0;
}

/* Commands take no attribute but those that they name. */
static int check_foreign(const struct genl_info *info, unsigned int allowed)
{
	unsigned int i;

	for (i = 1; i <= NTPK_A_MAX; i++)
		if (info->attrs[i] && i != allowed)
			return refuse(info->extack, info->attrs[i], -EINVAL,
				      "this command does not take the attribute");
	return 0;
}

static int check_rights(struct sk_buff *skb, struct genl_info *info)
{
	if (netlink_capable(skb, CAP_NET_ADMIN))
		return 0;
	if (!userns) {
		NL_SET_ERR_MSG(info->extack, "needs CAP_NET_ADMIN in the initial user namespace (or load ntpk with userns=1)");
		return -EPERM;
	}
	if (netlink_ns_capable(skb, genl_info_net(info)->user_ns, CAP_NET_ADMIN))
		return 0;
	NL_SET_ERR_MSG(info->extack, "needs CAP_NET_ADMIN over this network namespace");
	return -EPERM;
}

static int check_change(struct sk_buff *skb, struct genl_info *info, unsigned int allowed)
{
	int err = check_rights(skb, info);

	return err ? err : check_foreign(info, allowed);
}

static int ntpk_nl_attach_doit(struct sk_buff *skb, struct genl_info *info)
{
	int err = check_change(skb, info, 0);

	if (err)
		return err;
	err = ntpk_state_attach(genl_info_net(info));
	if (err == -ENOSPC)
		NL_SET_ERR_MSG(info->extack, "too many namespaces of unprivileged owners are attached");
	else if (err)
		NL_SET_ERR_MSG(info->extack, "no memory to attach, or the hooks were refused");
	return err;
}

static int ntpk_nl_detach_doit(struct sk_buff *skb, struct genl_info *info)
{
	int err = check_change(skb, info, 0);

	if (err)
		return err;
	err = ntpk_state_detach(genl_info_net(info));
	if (err)
		NL_SET_ERR_MSG(info->extack, "this network namespace is not attached");
	return err;
}

static int parse_listener(const struct nlattr *nest, struct ntpk_listener *listener,
			  struct netlink_ext_ack *extack)
{
	struct nlattr *tb[NTPK_A_LISTENER_MAX + 1];
	int err;

	err = nla_parse_nested(tb, NTPK_A_LISTENER_MAX, nest, listener_policy, extack);
	if (!err)
		err = check_once(nest, extack);
	if (!err)
		err = check_required(tb, nest, listener_required, ARRAY_SIZE(listener_required),
				     extack);
	if (err)
		return err;
	if (tb[NTPK_A_LISTENER_ADDR])
		return refuse(extack, tb[NTPK_A_LISTENER_ADDR], -EOPNOTSUPP,
			      "ADDR is not supported: leave it out to listen on every address");
	if (tb[NTPK_A_LISTENER_IFINDEX] && nla_get_u32(tb[NTPK_A_LISTENER_IFINDEX]))
		return refuse(extack, tb[NTPK_A_LISTENER_IFINDEX], -EOPNOTSUPP,
			      "IFINDEX is not supported: leave it out to listen on every interface");
	listener->port = nla_get_u16(tb[NTPK_A_LISTENER_PORT]);
	listener->policy.never_synced = nla_get_u32(tb[NTPK_A_LISTENER_NEVER_SYNCED]);
	listener->policy.expired = nla_get_u32(tb[NTPK_A_LISTENER_EXPIRED]);
	return 0;
}

static void parse_serve(struct nlattr **tb, struct ntp_serve *serve)
{
	serve->clock_seq = nla_get_u32(tb[NTPK_A_STATE_CLOCK_SEQ]);
	serve->line.base_raw_ns = nla_get_s64(tb[NTPK_A_STATE_BASE_RAW_NS]);
	serve->line.base_unix_ns = nla_get_s64(tb[NTPK_A_STATE_BASE_UNIX_NS]);
	serve->line.rate_q48 = nla_get_s64(tb[NTPK_A_STATE_RATE_Q48]);
	serve->root_disp_ns = nla_get_u64(tb[NTPK_A_STATE_ROOT_DISP_NS]);
	serve->disp_rate_ppb = nla_get_u32(tb[NTPK_A_STATE_DISP_RATE_PPB]);
	serve->leap = nla_get_u8(tb[NTPK_A_STATE_LEAP]);
	serve->stratum = nla_get_u8(tb[NTPK_A_STATE_STRATUM]);
	nla_memcpy(&serve->refid, tb[NTPK_A_STATE_REFID], sizeof(serve->refid));
	serve->ref_unix_ns = nla_get_s64(tb[NTPK_A_STATE_REF_UNIX_NS]);
	serve->root_delay_ns = nla_get_u64(tb[NTPK_A_STATE_ROOT_DELAY_NS]);
	serve->precision_log2s = nla_get_s8(tb[NTPK_A_STATE_PRECISION_LOG2S]);
	serve->deadline_boot_ns = nla_get_s64(tb[NTPK_A_STATE_DEADLINE_BOOT_NS]);
	serve->max_dist_ns = nla_get_u64(tb[NTPK_A_STATE_MAX_DIST_NS]);
	serve->push_interval_ns = nla_get_u64(tb[NTPK_A_STATE_PUSH_INTERVAL_NS]);
}

/* Exactly one listener; everything else exactly once, too. */
static int check_state_once(const struct nlattr *nest, struct netlink_ext_ack *extack)
{
	const struct nlattr *attr;
	unsigned int listeners = 0;
	int rem;

	nla_for_each_nested(attr, nest, rem)
		if (nla_type(attr) == NTPK_A_STATE_LISTENER && listeners++)
			return refuse(extack, attr, -EOPNOTSUPP,
				      "a second LISTENER is not supported: give exactly one");
	return check_once(nest, extack);
}

static int parse_state(const struct nlattr *nest, struct ntpk_state *state,
		       struct netlink_ext_ack *extack)
{
	struct nlattr *tb[NTPK_A_STATE_MAX + 1];
	const char *text;
	int err;

	err = nla_parse_nested(tb, NTPK_A_STATE_MAX, nest, state_policy, extack);
	if (!err)
		err = check_state_once(nest, extack);
	if (!err)
		err = check_required(tb, nest, state_required, ARRAY_SIZE(state_required), extack);
	if (!err)
		err = parse_listener(tb[NTPK_A_STATE_LISTENER], &state->listeners[0], extack);
	if (err)
		return err;
	parse_serve(tb, &state->serve);
	text = ntp_serve_check(&state->serve);
	return text ? refuse(extack, nest, -ERANGE, text) : 0;
}

static int push_refused(struct genl_info *info, int err)
{
	struct nlattr *nest = info->attrs[NTPK_A_STATE];

	switch (err) {
	case -ENOTCONN:
		return refuse(info->extack, nest, err,
			      "this network namespace is not attached: send ATTACH first");
	case -ESTALE:
		return refuse(info->extack, nest, err,
			      "the clock was set since CLOCK_SEQ: send GET_CLOCK and compute anew");
	case -ERANGE:
		return refuse(info->extack, nest, err, "BASE_RAW_NS must not be ahead of CLOCK_MONOTONIC_RAW, nor years behind");
	default:
		return err;
	}
}

static int ntpk_nl_set_state_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct ntpk_state *state;
	int err = check_change(skb, info, NTPK_A_STATE);

	if (err)
		return err;
	if (!info->attrs[NTPK_A_STATE]) {
		NL_SET_ERR_ATTR_MISS(info->extack, NULL, NTPK_A_STATE);
		NL_SET_ERR_MSG(info->extack, "STATE is missing");
		return -EINVAL;
	}
	state = ntpk_state_alloc(1);
	if (!state) {
		NL_SET_ERR_MSG(info->extack, "no memory for the state");
		return -ENOMEM;
	}
	err = parse_state(info->attrs[NTPK_A_STATE], state, info->extack);
	if (err)
		goto free_state;
	err = ntpk_state_push(genl_info_net(info), state);
	if (err) {
		err = push_refused(info, err);
		goto free_state;
	}
	return 0;

free_state:
	kfree(state);
	return err;
}

static struct sk_buff *new_answer(const struct genl_info *info, u8 cmd, void **hdr)
{
	struct sk_buff *msg = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);

	if (!msg)
		return NULL;
	*hdr = genlmsg_put(msg, info->snd_portid, info->snd_seq, &family, 0, cmd);
	if (!*hdr) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

/* Either sends what @fill put into a message, or says why not. */
static int reply_with(struct genl_info *info, u8 cmd,
		      int (*fill)(struct sk_buff *msg, struct net *net))
{
	struct sk_buff *msg;
	void *hdr;
	int err;

	err = check_foreign(info, 0);
	if (err)
		return err;
	msg = new_answer(info, cmd, &hdr);
	if (!msg) {
		NL_SET_ERR_MSG(info->extack, "no memory for the answer");
		return -ENOMEM;
	}
	err = fill(msg, genl_info_net(info));
	if (err) {
		NL_SET_ERR_MSG(info->extack, "the answer does not fit into a message");
		nlmsg_free(msg);
		return err;
	}
	genlmsg_end(msg, hdr);
	return genlmsg_reply(msg, info);
}

static int fill_clock(struct sk_buff *msg, struct net *net)
{
	struct ntpk_clock clock;
	struct nlattr *nest = nla_nest_start(msg, NTPK_A_CLOCK);

	if (!nest)
		return -EMSGSIZE;
	ntpk_tstamp_clock(&clock);
	if (nla_put_u32(msg, NTPK_A_CLOCK_SEQ, clock.now.clock_seq) ||
	    nla_put_s64(msg, NTPK_A_CLOCK_RAW_NS, clock.now.raw_ns, NTPK_A_CLOCK_PAD) ||
	    nla_put_s64(msg, NTPK_A_CLOCK_REAL_NS, clock.real_ns, NTPK_A_CLOCK_PAD) ||
	    nla_put_s64(msg, NTPK_A_CLOCK_BOOT_NS, clock.now.boot_ns, NTPK_A_CLOCK_PAD))
		return -EMSGSIZE;
	nla_nest_end(msg, nest);
	return 0;
}

static int ntpk_nl_get_clock_doit(struct sk_buff *skb, struct genl_info *info)
{
	return reply_with(info, NTPK_CMD_GET_CLOCK, fill_clock);
}

static int put_u64(struct sk_buff *msg, int type, u64 v)
{
	return nla_put_u64_64bit(msg, type, v, NTPK_A_STATE_PAD);
}

static int put_s64(struct sk_buff *msg, int type, s64 v)
{
	return nla_put_s64(msg, type, v, NTPK_A_STATE_PAD);
}

static int fill_serve(struct sk_buff *msg, const struct ntp_serve *serve)
{
	if (nla_put_u32(msg, NTPK_A_STATE_CLOCK_SEQ, serve->clock_seq) ||
	    put_s64(msg, NTPK_A_STATE_BASE_RAW_NS, serve->line.base_raw_ns) ||
	    put_s64(msg, NTPK_A_STATE_BASE_UNIX_NS, serve->line.base_unix_ns) ||
	    put_s64(msg, NTPK_A_STATE_RATE_Q48, serve->line.rate_q48) ||
	    put_u64(msg, NTPK_A_STATE_ROOT_DISP_NS, serve->root_disp_ns) ||
	    nla_put_u32(msg, NTPK_A_STATE_DISP_RATE_PPB, serve->disp_rate_ppb) ||
	    nla_put_u8(msg, NTPK_A_STATE_LEAP, serve->leap) ||
	    nla_put_u8(msg, NTPK_A_STATE_STRATUM, serve->stratum) ||
	    nla_put(msg, NTPK_A_STATE_REFID, sizeof(serve->refid), &serve->refid) ||
	    put_s64(msg, NTPK_A_STATE_REF_UNIX_NS, serve->ref_unix_ns) ||
	    put_u64(msg, NTPK_A_STATE_ROOT_DELAY_NS, serve->root_delay_ns) ||
	    nla_put_s8(msg, NTPK_A_STATE_PRECISION_LOG2S, serve->precision_log2s) ||
	    put_s64(msg, NTPK_A_STATE_DEADLINE_BOOT_NS, serve->deadline_boot_ns) ||
	    put_u64(msg, NTPK_A_STATE_MAX_DIST_NS, serve->max_dist_ns) ||
	    put_u64(msg, NTPK_A_STATE_PUSH_INTERVAL_NS, serve->push_interval_ns))
		return -EMSGSIZE;
	return 0;
}

static int fill_listener(struct sk_buff *msg, const struct ntpk_listener *listener)
{
	struct nlattr *nest = nla_nest_start(msg, NTPK_A_STATE_LISTENER);

	if (!nest ||
	    nla_put_u16(msg, NTPK_A_LISTENER_PORT, listener->port) ||
	    nla_put_u32(msg, NTPK_A_LISTENER_NEVER_SYNCED, listener->policy.never_synced) ||
	    nla_put_u32(msg, NTPK_A_LISTENER_EXPIRED, listener->policy.expired))
		return -EMSGSIZE;
	nla_nest_end(msg, nest);
	return 0;
}

static int fill_pushed(struct sk_buff *msg, const struct ntpk_view *view)
{
	if (fill_serve(msg, &view->serve) || fill_listener(msg, &view->listener) ||
	    put_u64(msg, NTPK_A_STATE_AGE_NS, view->age_ns) ||
	    put_u64(msg, NTPK_A_STATE_NOW_DISP_NS, view->disp_ns))
		return -EMSGSIZE;
	if (view->unix_ns == NTP_LINE_NOWHERE)
		return 0;
	return put_s64(msg, NTPK_A_STATE_NOW_UNIX_NS, view->unix_ns);
}

static int fill_state(struct sk_buff *msg, struct net *net)
{
	struct nlattr *nest = nla_nest_start(msg, NTPK_A_STATE);
	struct ntpk_view view;

	ntpk_state_view(net, &view);
	if (!nest || nla_put_u32(msg, NTPK_A_STATE_STATUS, view.status) ||
	    put_u64(msg, NTPK_A_STATE_PUSHES, view.pushes))
		return -EMSGSIZE;
	if (view.pushed && fill_pushed(msg, &view))
		return -EMSGSIZE;
	nla_nest_end(msg, nest);
	return 0;
}

static int ntpk_nl_get_state_doit(struct sk_buff *skb, struct genl_info *info)
{
	return reply_with(info, NTPK_CMD_GET_STATE, fill_state);
}

static int fill_counter(struct sk_buff *msg, u32 reason, u64 pkts)
{
	struct nlattr *nest = nla_nest_start(msg, NTPK_A_STATS_COUNTER);

	if (!nest ||
	    nla_put_u32(msg, NTPK_A_COUNTER_REASON, reason) ||
	    nla_put_u32(msg, NTPK_A_COUNTER_CLASS, ntp_reason_class(reason)) ||
	    nla_put_string(msg, NTPK_A_COUNTER_NAME, ntp_reason_name(reason)) ||
	    nla_put_u64_64bit(msg, NTPK_A_COUNTER_PKTS, pkts, NTPK_A_COUNTER_PAD))
		return -EMSGSIZE;
	nla_nest_end(msg, nest);
	return 0;
}

static int fill_stats(struct sk_buff *msg, struct net *net)
{
	struct nlattr *nest = nla_nest_start(msg, NTPK_A_STATS);
	u64 pkts[__NTPK_REASON_MAX];
	unsigned int i;

	if (!nest)
		return -EMSGSIZE;
	ntpk_state_read_stats(net, pkts);
	for (i = NTPK_REASON_NONE + 1; i < __NTPK_REASON_MAX; i++)
		if (fill_counter(msg, i, pkts[i]))
			return -EMSGSIZE;
	nla_nest_end(msg, nest);
	return 0;
}

static int ntpk_nl_get_stats_doit(struct sk_buff *skb, struct genl_info *info)
{
	return reply_with(info, NTPK_CMD_GET_STATS, fill_stats);
}

/*
 * No GENL_ADMIN_PERM: the core would refuse without a word, and with userns=1
 * it would refuse too much.  check_rights() is its equal.
 */
static const struct genl_small_ops ops[] = {
	{ .cmd = NTPK_CMD_ATTACH, .doit = ntpk_nl_attach_doit },
	{ .cmd = NTPK_CMD_DETACH, .doit = ntpk_nl_detach_doit },
	{ .cmd = NTPK_CMD_GET_CLOCK, .doit = ntpk_nl_get_clock_doit },
	{ .cmd = NTPK_CMD_SET_STATE, .doit = ntpk_nl_set_state_doit },
	{ .cmd = NTPK_CMD_GET_STATE, .doit = ntpk_nl_get_state_doit },
	{ .cmd = NTPK_CMD_GET_STATS, .doit = ntpk_nl_get_stats_doit },
};

static const struct genl_multicast_group mcgrps[] = {
	{ .name = NTPK_MCGRP_EVENTS },
};

static struct genl_family family __ro_after_init = {
	.name = NTPK_FAMILY_NAME,
	.version = NTPK_FAMILY_VERSION,
	.maxattr = NTPK_A_MAX,
	.policy = family_policy,
	.netnsok = true,
	.parallel_ops = true,
	.module = THIS_MODULE,
	.small_ops = ops,
	.n_small_ops = ARRAY_SIZE(ops),
	.mcgrps = mcgrps,
	.n_mcgrps = ARRAY_SIZE(mcgrps),
};

static int fill_event(struct sk_buff *msg, enum ntpk_event kind, enum ntpk_status status)
{
	void *hdr = genlmsg_put(msg, 0, 0, &family, 0, NTPK_CMD_EVENT);
	struct nlattr *nest;

	if (!hdr)
		return -EMSGSIZE;
	nest = nla_nest_start(msg, NTPK_A_EVENT);
	if (!nest || nla_put_u32(msg, NTPK_A_EVENT_KIND, kind) ||
	    nla_put_u32(msg, NTPK_A_EVENT_STATUS, status))
		return -EMSGSIZE;
	nla_nest_end(msg, nest);
	genlmsg_end(msg, hdr);
	return 0;
}

/**
 * ntpk_nl_event() - tell the group "events"
 * @net: namespace that it happened in, and that is told
 * @kind: what
 * @status: what the state is worth at this moment
 *
 * Lost without memory: the status itself can always be asked for.
 *
 * Context: process.
 */
void ntpk_nl_event(struct net *net, enum ntpk_event kind, enum ntpk_status status)
{
	struct sk_buff *msg = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);

	if (!msg)
		return;
	mutex_lock(&events_lock);
	if (!events_on || fill_event(msg, kind, status))
		nlmsg_free(msg);
	else
		genlmsg_multicast_netns(&family, net, msg, 0, 0, GFP_KERNEL);
	mutex_unlock(&events_lock);
}

/**
 * ntpk_nl_setup() - offer the family
 *
 * Return: 0 or -errno.
 */
int ntpk_nl_setup(void)
{
	int err = genl_register_family(&family);

	if (!err) {
		mutex_lock(&events_lock);
		events_on = true;
		mutex_unlock(&events_lock);
	}
	return err;
}

/** ntpk_nl_teardown() - withdraw it; waits for running commands and events */
void ntpk_nl_teardown(void)
{
	mutex_lock(&events_lock);
	events_on = false;
	mutex_unlock(&events_lock);
	genl_unregister_family(&family);
}
