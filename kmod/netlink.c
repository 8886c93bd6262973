// SPDX-License-Identifier: GPL-2.0-only
/*
 * The generic netlink family "ntpk": every change from userspace, and all that
 * can be read.  Process context; commands run in parallel, and what they change
 * is serialised per namespace by state.c.  Every refusal carries a text.
 */
#include <linux/capability.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <net/genetlink.h>
#include <net/sock.h>

#include <ntpk/ntp_reason.h>

#include "acl.h"
#include "departure.h"
#include "keys.h"
#include "netlink.h"
#include "netlink_priv.h"
#include "phc.h"
#include "state.h"
#include "state_view.h"
#include "tstamp.h"

static bool userns;
module_param(userns, bool, 0444);
MODULE_PARM_DESC(userns, "let the owner of a network namespace attach it (default: only CAP_NET_ADMIN in the initial user namespace)");

/* Guards events_on: no event is sent through a family that is gone. */
static DEFINE_MUTEX(events_lock);
static bool events_on;

/* All listeners with all their pieces; all counters with all that is known of departures. */
#define ANSWER_SIZE	8192

static struct genl_family family;

static const struct nla_policy family_policy[NTPK_A_MAX + 1] = {
	[NTPK_A_CLOCK] = NTPK_NL_GET_ONLY,
	[NTPK_A_STATE] = NLA_POLICY_NESTED(ntpk_nl_state_policy),
	[NTPK_A_STATS] = NTPK_NL_GET_ONLY,
	[NTPK_A_EVENT] = NTPK_NL_GET_ONLY,
	[NTPK_A_KEYS] = NLA_POLICY_NESTED(ntpk_nl_keys_policy),
	[NTPK_A_ACL] = NLA_POLICY_NESTED(ntpk_nl_acl_policy),
	[NTPK_A_HIST] = NTPK_NL_GET_ONLY,
	[NTPK_A_CLIENTS] = NTPK_NL_GET_ONLY,
	[NTPK_A_CLIENT_FILTER] = NLA_POLICY_NESTED(ntpk_nl_client_filter_policy),
	[NTPK_A_PHC] = NLA_POLICY_NESTED(ntpk_nl_phc_policy),
};

/**
 * ntpk_nl_refuse() - fail with a text that is not a literal at the caller's
 * @extack: of the command, NULL is fine
 * @attr: the bad one, or the nest that misses one; NULL = none in particular
 * @err: -errno
 * @text: lives as long as the module
 *
 * Return: @err.
 */
int ntpk_nl_refuse(struct netlink_ext_ack *extack, const struct nlattr *attr, int err,
		   const char *text)
{
	if (extack) {
		extack->_msg = text;
		NL_SET_BAD_ATTR(extack, attr);
	}
	return err;
}

/**
 * ntpk_nl_check_required() - is everything there that must be?
 * @tb: parsed attributes
 * @nest: where they stand
 * @req: those that must be there
 * @n: how many
 * @extack: of the command
 *
 * Return: 0, or -EINVAL with the first missing one named.
 */
int ntpk_nl_check_required(struct nlattr **tb, const struct nlattr *nest,
			   const struct ntpk_nl_required *req, size_t n,
			   struct netlink_ext_ack *extack)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (tb[req[i].type])
			continue;
		NL_SET_ERR_ATTR_MISS(extack, nest, req[i].type);
		return ntpk_nl_refuse(extack, nest, -EINVAL, req[i].missing);
	}
	return 0;
}

/**
 * ntpk_nl_check_once() - is anything there twice?
 * @nest: attributes with types below 64
 * @many: the type that may be, 0 = none
 * @extack: of the command
 *
 * Values are replaced whole: what is there twice is not what the sender thinks it is.
 *
 * Return: 0 or -EINVAL.
 */
int ntpk_nl_check_once(const struct nlattr *nest, int many, struct netlink_ext_ack *extack)
{
	const struct nlattr *attr;
	u64 seen = 0;
	int rem;

	nla_for_each_nested(attr, nest, rem) {
		u64 bit = BIT_ULL(nla_type(attr) & 63);

		if ((seen & bit) && nla_type(attr) != many)
			return ntpk_nl_refuse(extack, attr, -EINVAL, "given twice");
		seen |= bit;
	}
	return 0;
}

/**
 * ntpk_nl_refuse_others() - attributes that mean nothing to a command are a misunderstanding
 * @tb: attributes by type
 * @max: the highest type, below 64
 * @allowed: types that the command takes, by BIT_ULL()
 * @extack: of the command
 *
 * Return: 0 or -EINVAL.
 */
int ntpk_nl_refuse_others(struct nlattr **tb, unsigned int max, u64 allowed,
			  struct netlink_ext_ack *extack)
{
	unsigned int i;

	for (i = 1; i <= max; i++)
		if (tb[i] && !(allowed & BIT_ULL(i)))
			return ntpk_nl_refuse(extack, tb[i], -EINVAL,
					      "this command does not take the attribute");
	return 0;
}

/**
 * ntpk_nl_check_foreign() - commands take no attribute but those that they name
 * @info: command
 * @allowed: enum ntpk_attr that it takes, 0 = none
 *
 * Return: 0 or -EINVAL.
 */
int ntpk_nl_check_foreign(const struct genl_info *info, unsigned int allowed)
{
	return ntpk_nl_refuse_others(info->attrs, NTPK_A_MAX, BIT_ULL(allowed), info->extack);
}

/**
 * ntpk_nl_check_rights() - is the sender an administrator?
 * @skb: message
 * @net: of what
 * @extack: of the command
 *
 * Return: 0 or -EPERM.
 */
int ntpk_nl_check_rights(struct sk_buff *skb, struct net *net, struct netlink_ext_ack *extack)
{
	if (netlink_capable(skb, CAP_NET_ADMIN))
		return 0;
	if (!userns) {
		NL_SET_ERR_MSG(extack, "needs CAP_NET_ADMIN in the initial user namespace (or load ntpk with userns=1)");
		return -EPERM;
	}
	if (netlink_ns_capable(skb, net->user_ns, CAP_NET_ADMIN))
		return 0;
	NL_SET_ERR_MSG(extack, "needs CAP_NET_ADMIN over this network namespace");
	return -EPERM;
}

/**
 * ntpk_nl_check_change() - may the sender change anything, and is it well-formed?
 * @skb: message
 * @info: command
 * @allowed: enum ntpk_attr that it takes, 0 = none
 *
 * Return: 0, -EPERM or -EINVAL.
 */
int ntpk_nl_check_change(struct sk_buff *skb, struct genl_info *info, unsigned int allowed)
{
	int err = ntpk_nl_check_rights(skb, genl_info_net(info), info->extack);

	return err ? err : ntpk_nl_check_foreign(info, allowed);
}

static int ntpk_nl_attach_doit(struct sk_buff *skb, struct genl_info *info)
{
	int err = ntpk_nl_check_change(skb, info, 0);

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
	int err = ntpk_nl_check_change(skb, info, 0);

	if (err)
		return err;
	err = ntpk_state_detach(genl_info_net(info));
	if (err)
		NL_SET_ERR_MSG(info->extack, "this network namespace is not attached");
	return err;
}

static struct sk_buff *new_answer(const struct genl_info *info, u8 cmd, void **hdr)
{
	struct sk_buff *msg = genlmsg_new(ANSWER_SIZE, GFP_KERNEL);

	if (!msg)
		return NULL;
	*hdr = genlmsg_put(msg, info->snd_portid, info->snd_seq, &family, 0, cmd);
	if (!*hdr) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

/**
 * ntpk_nl_reply_about() - answer a command
 * @info: command
 * @cmd: enum ntpk_cmd of the answer
 * @fill: puts what is to be said into the message, or -EMSGSIZE
 * @about: for @fill
 *
 * Return: 0 or -errno, with a text.
 */
int ntpk_nl_reply_about(struct genl_info *info, u8 cmd,
			int (*fill)(struct sk_buff *msg, struct net *net, const void *about),
			const void *about)
{
	struct sk_buff *msg;
	void *hdr;
	int err;

	msg = new_answer(info, cmd, &hdr);
	if (!msg) {
		NL_SET_ERR_MSG(info->extack, "no memory for the answer");
		return -ENOMEM;
	}
	err = fill(msg, genl_info_net(info), about);
	if (err) {
		if (err == -EMSGSIZE)
			NL_SET_ERR_MSG(info->extack, "the answer does not fit into a message");
		else if (err == -ENOMEM)
			NL_SET_ERR_MSG(info->extack, "no memory for the answer");
		nlmsg_free(msg);
		return err;
	}
	genlmsg_end(msg, hdr);
	return genlmsg_reply(msg, info);
}

/**
 * ntpk_nl_check_dump() - a dump of all takes no attribute
 * @cb: of the dump
 *
 * Return: 0 or -EINVAL.
 */
int ntpk_nl_check_dump(const struct netlink_callback *cb)
{
	if (nlmsg_attrlen(cb->nlh, GENL_HDRLEN))
		return ntpk_nl_refuse(cb->extack, NULL, -EINVAL,
				      "this command does not take the attribute");
	return 0;
}

/**
 * ntpk_nl_dump_put() - begin one message of a dump
 * @msg: where
 * @cb: of the dump; its seq names the state of what is dumped
 * @cmd: enum ntpk_cmd of the answer
 *
 * Return: for genlmsg_end(); NULL: no room.
 */
void *ntpk_nl_dump_put(struct sk_buff *msg, struct netlink_callback *cb, u8 cmd)
{
	void *hdr = genlmsg_put(msg, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq, &family,
				NLM_F_MULTI, cmd);

	if (hdr)
		genl_dump_check_consistent(cb, hdr);
	return hdr;
}

static int fill_without(struct sk_buff *msg, struct net *net, const void *about)
{
	int (*const *fill)(struct sk_buff *msg, struct net *net) = about;

	return (*fill)(msg, net);
}

/**
 * ntpk_nl_reply_with() - answer a command that takes no attribute
 * @info: command
 * @cmd: enum ntpk_cmd of the answer
 * @fill: puts what is to be said into the message, or -EMSGSIZE
 *
 * Return: 0 or -errno, with a text.
 */
int ntpk_nl_reply_with(struct genl_info *info, u8 cmd,
		       int (*fill)(struct sk_buff *msg, struct net *net))
{
	int err = ntpk_nl_check_foreign(info, 0);

	return err ? err : ntpk_nl_reply_about(info, cmd, fill_without, &fill);
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
	return ntpk_nl_reply_with(info, NTPK_CMD_GET_CLOCK, fill_clock);
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

static int fill_departure(struct sk_buff *msg, const struct ntpk_departure_view *view)
{
	struct nlattr *nest = nla_nest_start(msg, NTPK_A_STATS_DEPARTURE);

	if (!nest ||
	    nla_put_u32(msg, NTPK_A_DEPARTURE_IFINDEX, view->ifindex) ||
	    nla_put_u8(msg, NTPK_A_DEPARTURE_IS_V6, view->is_v6) ||
	    nla_put_u32(msg, NTPK_A_DEPARTURE_CORRECTION_NS, view->correction_ns) ||
	    nla_put_u32(msg, NTPK_A_DEPARTURE_RESIDUAL_NS, view->residual_ns) ||
	    nla_put_u64_64bit(msg, NTPK_A_DEPARTURE_SAMPLES, view->samples, NTPK_A_DEPARTURE_PAD))
		return -EMSGSIZE;
	nla_nest_end(msg, nest);
	return 0;
}

static int fill_quirk(struct sk_buff *msg, u32 quirk, u64 pkts)
{
	struct nlattr *nest = nla_nest_start(msg, NTPK_A_STATS_QUIRK);

	if (!nest ||
	    nla_put_u32(msg, NTPK_A_QUIRK_NUMBER, quirk) ||
	    nla_put_string(msg, NTPK_A_QUIRK_NAME, ntp_client_quirk_name(quirk)) ||
	    nla_put_u64_64bit(msg, NTPK_A_QUIRK_PKTS, pkts, NTPK_A_QUIRK_PAD))
		return -EMSGSIZE;
	nla_nest_end(msg, nest);
	return 0;
}

static int fill_departures(struct sk_buff *msg, struct net *net)
{
	struct ntpk_departure_view view;
	unsigned int i;

	for (i = 0; i < NTPK_DEPARTURES_MAX; i++)
		if (ntpk_state_view_departure(net, i, &view) && fill_departure(msg, &view))
			return -EMSGSIZE;
	return 0;
}

static int fill_t2s(struct sk_buff *msg, struct net *net)
{
	u64 pkts[__NTPK_T2_MAX];
	unsigned int i;

	ntpk_phc_read(net, pkts);
	for (i = 0; i < __NTPK_T2_MAX; i++)
		if (ntpk_nl_fill_t2(msg, NTPK_A_STATS_T2, i, pkts[i]))
			return -EMSGSIZE;
	return 0;
}

static int fill_quirks(struct sk_buff *msg, struct net *net)
{
	u64 pkts[__NTP_CLIENT_QUIRK_MAX];
	unsigned int i;

	ntpk_state_read_quirks(net, pkts);
	for (i = 0; i < __NTP_CLIENT_QUIRK_MAX; i++)
		if (fill_quirk(msg, i, pkts[i]))
			return -EMSGSIZE;
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
	if (fill_departures(msg, net) || fill_quirks(msg, net) || fill_t2s(msg, net) ||
	    ntpk_nl_fill_t3s(msg, net))
		return -EMSGSIZE;
	nla_nest_end(msg, nest);
	return 0;
}

static int ntpk_nl_get_stats_doit(struct sk_buff *skb, struct genl_info *info)
{
	return ntpk_nl_reply_with(info, NTPK_CMD_GET_STATS, fill_stats);
}

/*
 * No GENL_ADMIN_PERM: the core would refuse without a word, and with userns=1
 * it would refuse too much.  ntpk_nl_check_rights() is its equal.
 */
static const struct genl_small_ops ops[] = {
	{ .cmd = NTPK_CMD_ATTACH, .doit = ntpk_nl_attach_doit },
	{ .cmd = NTPK_CMD_DETACH, .doit = ntpk_nl_detach_doit },
	{ .cmd = NTPK_CMD_GET_CLOCK, .doit = ntpk_nl_get_clock_doit },
	{ .cmd = NTPK_CMD_SET_STATE, .doit = ntpk_nl_set_state_doit },
	{ .cmd = NTPK_CMD_GET_STATE, .doit = ntpk_nl_get_state_doit },
	{ .cmd = NTPK_CMD_GET_STATS, .doit = ntpk_nl_get_stats_doit },
	{ .cmd = NTPK_CMD_KEYS_BEGIN, .doit = ntpk_nl_keys_begin_doit },
	{ .cmd = NTPK_CMD_KEYS_ADD, .doit = ntpk_nl_keys_add_doit },
	{ .cmd = NTPK_CMD_KEYS_COMMIT, .doit = ntpk_nl_keys_commit_doit },
	{ .cmd = NTPK_CMD_GET_KEYS, .doit = ntpk_nl_get_keys_doit },
	{ .cmd = NTPK_CMD_ACL_BEGIN, .doit = ntpk_nl_acl_begin_doit },
	{ .cmd = NTPK_CMD_ACL_ADD, .doit = ntpk_nl_acl_add_doit },
	{ .cmd = NTPK_CMD_ACL_COMMIT, .doit = ntpk_nl_acl_commit_doit },
	{ .cmd = NTPK_CMD_GET_ACL, .doit = ntpk_nl_get_acl_doit, .dumpit = ntpk_nl_get_acl_dumpit },
	{ .cmd = NTPK_CMD_ACL_CHECK, .doit = ntpk_nl_acl_check_doit },
	{ .cmd = NTPK_CMD_GET_HIST, .doit = ntpk_nl_get_hist_doit },
	{ .cmd = NTPK_CMD_GET_CLIENTS, .dumpit = ntpk_nl_get_clients_dumpit },
	{ .cmd = NTPK_CMD_SET_PHC, .doit = ntpk_nl_set_phc_doit },
	{ .cmd = NTPK_CMD_GET_PHC, .dumpit = ntpk_nl_get_phc_dumpit },
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

static int fill_event(struct sk_buff *msg, const struct ntpk_event_what *what)
{
	void *hdr = genlmsg_put(msg, 0, 0, &family, 0, NTPK_CMD_EVENT);
	struct nlattr *nest;

	if (!hdr)
		return -EMSGSIZE;
	nest = nla_nest_start(msg, NTPK_A_EVENT);
	if (!nest || nla_put_u32(msg, NTPK_A_EVENT_KIND, what->kind) ||
	    nla_put_u32(msg, NTPK_A_EVENT_STATUS, what->status) ||
	    (what->kind == NTPK_EVENT_NEW_QUIRK &&
	     nla_put_u32(msg, NTPK_A_EVENT_QUIRK, what->quirk)) ||
	    (what->kind == NTPK_EVENT_OVERLOAD_OVER &&
	     nla_put_u64_64bit(msg, NTPK_A_EVENT_PKTS, what->pkts, NTPK_A_EVENT_PAD)))
		return -EMSGSIZE;
	nla_nest_end(msg, nest);
	genlmsg_end(msg, hdr);
	return 0;
}

/**
 * ntpk_nl_event() - tell the group "events"
 * @net: namespace that it happened in, and that is told
 * @what: what
 *
 * Context: process.
 * Return: 0, also where nobody listens; -ENOMEM: told to nobody; -ENOBUFS, where a listener
 * has no room.
 */
int ntpk_nl_event(struct net *net, const struct ntpk_event_what *what)
{
	struct sk_buff *msg = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);

	int err = 0;

	if (!msg)
		return -ENOMEM;
	mutex_lock(&events_lock);
	if (!events_on || fill_event(msg, what))
		nlmsg_free(msg);
	else
		err = genlmsg_multicast_netns(&family, net, msg, 0, 0, GFP_KERNEL);
	mutex_unlock(&events_lock);
	return err == -ESRCH ? 0 : err;
}

/* What a sender had begun and not committed goes with its socket. */
static int on_netlink(struct notifier_block *nb, unsigned long event, void *arg)
{
	const struct netlink_notify *n = arg;

	if (event == NETLINK_URELEASE && n->protocol == NETLINK_GENERIC) {
		ntpk_keys_forget_owner(n->net, n->portid);
		ntpk_acl_forget_owner(n->net, n->portid);
	}
	return NOTIFY_DONE;
}

static struct notifier_block netlink_nb = { .notifier_call = on_netlink };

/**
 * ntpk_nl_setup() - offer the family
 *
 * Return: 0 or -errno.
 */
int ntpk_nl_setup(void)
{
	int err = netlink_register_notifier(&netlink_nb);

	if (err)
		return err;
	err = genl_register_family(&family);
	if (err) {
		netlink_unregister_notifier(&netlink_nb);
		return err;
	}
	mutex_lock(&events_lock);
	events_on = true;
	mutex_unlock(&events_lock);
	return 0;
}

/** ntpk_nl_teardown() - withdraw it; waits for running commands and events */
void ntpk_nl_teardown(void)
{
	mutex_lock(&events_lock);
	events_on = false;
	mutex_unlock(&events_lock);
	genl_unregister_family(&family);
	netlink_unregister_notifier(&netlink_nb);
}
