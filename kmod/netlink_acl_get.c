// SPDX-License-Identifier: GPL-2.0-only
/*
 * GET_ACL and ACL_CHECK: which lists there are, and what they say.  Process context.
 */
#include <linux/err.h>
#include <linux/netlink.h>
#include <net/genetlink.h>
#include <net/sock.h>

#include "acl.h"
#include "netlink_priv.h"

/* Where a dump goes on, in the args of its struct netlink_callback. */
enum { DUMP_LIST, DUMP_FAMILY, DUMP_INDEX, DUMP_ASKED };

static const struct ntpk_nl_required check_required[] = {
	{ NTPK_A_ACL_ADDR, "ADDR is missing in ACL" },
};

static const struct ntpk_nl_upload check = {
	.attr = NTPK_A_ACL,
	.max = NTPK_A_ACL_MAX,
	.policy = ntpk_nl_acl_policy,
	.required = check_required,
	.missing = "ACL is missing",
};

static u32 access_of(u16 code)
{
	return code & NTP_ACL_ALLOW ? NTPK_ACCESS_ALLOW : NTPK_ACCESS_DENY;
}

static int put_addr(struct sk_buff *msg, int type, bool v6, struct ntp_acl_addr addr)
{
	__be64 raw[2] = { cpu_to_be64(addr.hi), cpu_to_be64(addr.lo) };

	return nla_put(msg, type, v6 ? 16 : 4, raw);
}

/* LEN says that there is a rule. */
static int put_prefix(struct sk_buff *msg, bool v6, struct ntp_acl_addr addr, u16 code)
{
	struct nlattr *nest = nla_nest_start(msg, NTPK_A_ACL_PREFIX);

	if (!nest)
		return -EMSGSIZE;
	if (put_addr(msg, NTPK_A_PREFIX_ADDR, v6, addr) ||
	    nla_put_u32(msg, NTPK_A_PREFIX_ACCESS, access_of(code)) ||
	    ((code & NTP_ACL_RULE) && nla_put_u8(msg, NTPK_A_PREFIX_LEN, code & NTP_ACL_LEN))) {
		nla_nest_cancel(msg, nest);
		return -EMSGSIZE;
	}
	nla_nest_end(msg, nest);
	return 0;
}

static int put_summary(struct sk_buff *msg, const struct ntpk_acl_place *place,
		       const struct ntpk_acl *acl)
{
	if ((place->name[0] && nla_put_string(msg, NTPK_A_ACL_NAME, place->name)) ||
	    nla_put_u32(msg, NTPK_A_ACL_GENERATION, acl->generation) ||
	    nla_put_u32(msg, NTPK_A_ACL_COUNT_V4, acl->count[0]) ||
	    nla_put_u32(msg, NTPK_A_ACL_COUNT_V6, acl->count[1]) ||
	    nla_put_u32(msg, NTPK_A_ACL_OTHERWISE,
			acl->allow ? NTPK_ACCESS_ALLOW : NTPK_ACCESS_DENY) ||
	    nla_put_u64_64bit(msg, NTPK_A_ACL_BYTES, acl->bytes, NTPK_A_ACL_PAD))
		return -EMSGSIZE;
	return 0;
}

static int fill_acl(struct sk_buff *msg, struct net *net, const void *about)
{
	struct nlattr *nest = nla_nest_start(msg, NTPK_A_ACL);
	const struct ntpk_acl_place *place;
	const struct ntpk_acl *acl;
	int err = 0;

	if (!nest)
		return -EMSGSIZE;
	rcu_read_lock();
	place = ntpk_acl_find(net, about);
	acl = IS_ERR(place) ? NULL : rcu_dereference(place->list);
	if (acl)
		err = put_summary(msg, place, acl);
	rcu_read_unlock();
	nla_nest_end(msg, nest);
	return err;
}

/** ntpk_nl_get_acl_doit() - NTPK_CMD_GET_ACL */
int ntpk_nl_get_acl_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *tb[NTPK_A_ACL_MAX + 1];
	const char *name = "";
	int err;

	if (!info->attrs[NTPK_A_ACL]) {
		err = ntpk_nl_check_change(skb, info, 0);
	} else {
		err = ntpk_nl_upload_parse(skb, info, &check, tb, 0);
		if (!err)
			err = ntpk_nl_refuse_others(tb, NTPK_A_ACL_MAX, BIT_ULL(NTPK_A_ACL_NAME),
						    info->extack);
		if (!err)
			err = ntpk_nl_acl_name(tb[NTPK_A_ACL_NAME], &name, info->extack);
	}
	return err ? err : ntpk_nl_reply_about(info, NTPK_CMD_GET_ACL, fill_acl, name);
}

/* struct asked - of ACL_CHECK */
struct asked {
	const char *name;
	struct ntp_acl_addr addr;
	bool v6;
};

/* As ntpk_acl_allows(), of an address. */
static u16 find(const struct ntpk_acl_place *place, const struct ntpk_acl *acl,
		const struct asked *asked)
{
	if (!acl)
		return place->name[0] ? 0 : NTP_ACL_ALLOW;
	return asked->v6 ? ntp_acl_find_v6(&acl->list.v6, &asked->addr) :
			   ntp_acl_find_v4(&acl->list.v4, (u32)(asked->addr.hi >> 32));
}

/* Under RCU. */
static int put_verdict(struct sk_buff *msg, const struct ntpk_acl_place *place,
		       const struct asked *asked)
{
	const struct ntpk_acl *acl = rcu_dereference(place->list);
	u16 code = find(place, acl, asked);

	if ((acl && nla_put_u32(msg, NTPK_A_ACL_GENERATION, acl->generation)) ||
	    put_addr(msg, NTPK_A_ACL_ADDR, asked->v6, asked->addr) ||
	    nla_put_u32(msg, NTPK_A_ACL_ACCESS, access_of(code)))
		return -EMSGSIZE;
	if (!(code & NTP_ACL_RULE))
		return 0;
	return put_prefix(msg, asked->v6, ntp_acl_cut(asked->addr, code & NTP_ACL_LEN), code);
}

static int fill_check(struct sk_buff *msg, struct net *net, const void *about)
{
	struct nlattr *nest = nla_nest_start(msg, NTPK_A_ACL);
	const struct ntpk_acl_place *place;
	const struct asked *asked = about;
	int err;

	if (!nest)
		return -EMSGSIZE;
	rcu_read_lock();
	place = ntpk_acl_find(net, asked->name);
	err = IS_ERR(place) ? PTR_ERR(place) : put_verdict(msg, place, asked);
	rcu_read_unlock();
	if (!err)
		nla_nest_end(msg, nest);
	return err;
}

/** ntpk_nl_acl_check_doit() - NTPK_CMD_ACL_CHECK */
int ntpk_nl_acl_check_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *tb[NTPK_A_ACL_MAX + 1];
	int err = ntpk_nl_upload_parse(skb, info, &check, tb, ARRAY_SIZE(check_required));
	struct asked asked;

	if (!err)
		err = ntpk_nl_refuse_others(tb, NTPK_A_ACL_MAX, BIT_ULL(NTPK_A_ACL_ADDR) |
					    BIT_ULL(NTPK_A_ACL_NAME), info->extack);
	if (!err)
		err = ntpk_nl_acl_name(tb[NTPK_A_ACL_NAME], &asked.name, info->extack);
	if (!err)
		err = ntpk_nl_acl_addr(tb[NTPK_A_ACL_ADDR], &asked.addr, &asked.v6, info->extack);
	if (err)
		return err;
	err = ntpk_nl_reply_about(info, NTPK_CMD_ACL_CHECK, fill_check, &asked);
	return ntpk_nl_acl_refused(info, tb[NTPK_A_ACL_NAME], err);
}

static int put_range(struct sk_buff *msg, const struct ntp_acl *list, bool v6, u32 i)
{
	if (v6)
		return put_prefix(msg, true, list->v6.start[i], list->v6.code[i]);
	return put_prefix(msg, false, ntp_acl_addr_v4(list->v4.start[i]), list->v4.code[i]);
}

/* As many ranges as there is room for. */
static void put_ranges(struct sk_buff *msg, const struct ntpk_acl *acl, long *args)
{
	for (; args[DUMP_FAMILY] < 2; args[DUMP_FAMILY]++, args[DUMP_INDEX] = 0) {
		bool v6 = args[DUMP_FAMILY];
		u32 n = v6 ? acl->list.v6.n : acl->list.v4.n;

		for (; args[DUMP_INDEX] < n; args[DUMP_INDEX]++)
			if (put_range(msg, &acl->list, v6, args[DUMP_INDEX]))
				return;
	}
}

static int dump_message(struct sk_buff *msg, struct netlink_callback *cb,
			const struct ntpk_acl_place *place, const struct ntpk_acl *acl)
{
	struct nlattr *nest;
	void *hdr = ntpk_nl_dump_put(msg, cb, NTPK_CMD_GET_ACL);

	if (!hdr)
		return -EMSGSIZE;
	nest = nla_nest_start(msg, NTPK_A_ACL);
	if (!nest || put_summary(msg, place, acl)) {
		genlmsg_cancel(msg, hdr);
		return -EMSGSIZE;
	}
	put_ranges(msg, acl, cb->args);
	nla_nest_end(msg, nest);
	genlmsg_end(msg, hdr);
	return msg->len;
}

/* What is left of the list that the dump is at, or of the next one.  Under RCU. */
static int dump_next(struct sk_buff *msg, struct netlink_callback *cb, const struct net *net)
{
	const struct ntpk_acl_place *place;
	const struct ntpk_acl *acl;
	long *args = cb->args;

	/* a change in between is told by NLM_F_DUMP_INTR */
	cb->seq = ntpk_acl_changes(net);
	while ((place = ntpk_acl_nth(net, args[DUMP_LIST]))) {
		acl = rcu_dereference(place->list);
		if (acl && args[DUMP_FAMILY] < 2)
			return dump_message(msg, cb, place, acl);
		args[DUMP_LIST]++;
		args[DUMP_FAMILY] = 0;
		args[DUMP_INDEX] = 0;
	}
	return 0;
}

static int check_dump(struct netlink_callback *cb, struct net *net)
{
	int err;

	if (cb->args[DUMP_ASKED])
		return 0;
	err = ntpk_nl_check_rights(cb->skb, net, cb->extack);
	if (!err)
		err = ntpk_nl_check_dump(cb);
	if (!err)
		cb->args[DUMP_ASKED] = 1;
	return err;
}

/** ntpk_nl_get_acl_dumpit() - NTPK_CMD_GET_ACL, all ranges of all lists */
int ntpk_nl_get_acl_dumpit(struct sk_buff *msg, struct netlink_callback *cb)
{
	struct net *net = sock_net(cb->skb->sk);
	int ret = check_dump(cb, net);

	if (ret)
		return ret;
	rcu_read_lock();
	ret = dump_next(msg, cb, net);
	rcu_read_unlock();
	return ret;
}
