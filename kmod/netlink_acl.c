// SPDX-License-Identifier: GPL-2.0-only
/*
 * ACL_BEGIN, ACL_ADD, ACL_COMMIT, GET_ACL and ACL_CHECK.  Process context.
 */
#include <linux/err.h>
#include <linux/netlink.h>
#include <linux/sched.h>
#include <net/genetlink.h>
#include <net/sock.h>

#include "acl.h"
#include "netlink_priv.h"

/* Where a dump goes on, in the args of its struct netlink_callback. */
enum { DUMP_FAMILY, DUMP_INDEX, DUMP_ASKED };

static const struct nla_policy prefix_policy[NTPK_A_PREFIX_MAX + 1] = {
	[NTPK_A_PREFIX_ADDR] = { .type = NLA_BINARY, .len = 16 },
	[NTPK_A_PREFIX_LEN] = NLA_POLICY_MAX(NLA_U8, 128),
	[NTPK_A_PREFIX_ACCESS] = NLA_POLICY_MAX(NLA_U32, NTPK_ACCESS_ALLOW),
};

const struct nla_policy ntpk_nl_acl_policy[NTPK_A_ACL_MAX + 1] = {
	[NTPK_A_ACL_GENERATION] = { .type = NLA_U32 },
	[NTPK_A_ACL_COUNT_V4] = { .type = NLA_U32 },
	[NTPK_A_ACL_COUNT_V6] = { .type = NLA_U32 },
	[NTPK_A_ACL_OTHERWISE] = NLA_POLICY_MAX(NLA_U32, NTPK_ACCESS_ALLOW),
	[NTPK_A_ACL_PREFIX] = NLA_POLICY_NESTED(prefix_policy),
	[NTPK_A_ACL_ADDR] = { .type = NLA_BINARY, .len = 16 },
	[NTPK_A_ACL_ACCESS] = NTPK_NL_GET_ONLY,
	[NTPK_A_ACL_BYTES] = NTPK_NL_GET_ONLY,
};

static const struct ntpk_nl_required prefix_required[] = {
	{ NTPK_A_PREFIX_ADDR, "ADDR is missing in PREFIX" },
	{ NTPK_A_PREFIX_LEN, "LEN is missing in PREFIX" },
	{ NTPK_A_PREFIX_ACCESS, "ACCESS is missing in PREFIX" },
};

static const struct ntpk_nl_required acl_required[] = {
	{ NTPK_A_ACL_GENERATION, "GENERATION is missing in ACL" },
	{ NTPK_A_ACL_COUNT_V4, "COUNT_V4 is missing in ACL" },
	{ NTPK_A_ACL_COUNT_V6, "COUNT_V6 is missing in ACL" },
	{ NTPK_A_ACL_OTHERWISE, "OTHERWISE is missing in ACL" },
};

static const struct ntpk_nl_required check_required[] = {
	{ NTPK_A_ACL_ADDR, "ADDR is missing in ACL" },
};

static const struct ntpk_nl_upload upload = {
	.attr = NTPK_A_ACL,
	.max = NTPK_A_ACL_MAX,
	.policy = ntpk_nl_acl_policy,
	.required = acl_required,
	.missing = "ACL is missing",
	.stale = "no list of this GENERATION was begun by this socket: send ACL_BEGIN",
	.too_many = "more prefixes than are allowed here",
	.too_few = "fewer prefixes were sent than COUNT_V4 and COUNT_V6 said",
	.no_memory = "no memory for the list",
};

static const struct ntpk_nl_upload check = {
	.attr = NTPK_A_ACL,
	.max = NTPK_A_ACL_MAX,
	.policy = ntpk_nl_acl_policy,
	.required = check_required,
	.missing = "ACL is missing",
};

/** ntpk_nl_acl_begin_doit() - NTPK_CMD_ACL_BEGIN */
int ntpk_nl_acl_begin_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *tb[NTPK_A_ACL_MAX + 1];
	int err = ntpk_nl_upload_parse(skb, info, &upload, tb, ARRAY_SIZE(acl_required));
	u32 count[2];

	if (!err)
		err = ntpk_nl_refuse_others(tb, NTPK_A_ACL_MAX, BIT_ULL(NTPK_A_ACL_GENERATION) |
					    BIT_ULL(NTPK_A_ACL_COUNT_V4) |
					    BIT_ULL(NTPK_A_ACL_COUNT_V6) |
					    BIT_ULL(NTPK_A_ACL_OTHERWISE), info->extack);
	if (err)
		return err;
	count[0] = nla_get_u32(tb[NTPK_A_ACL_COUNT_V4]);
	count[1] = nla_get_u32(tb[NTPK_A_ACL_COUNT_V6]);
	err = ntpk_acl_begin(genl_info_net(info), info->snd_portid,
			     nla_get_u32(tb[NTPK_A_ACL_GENERATION]), count,
			     nla_get_u32(tb[NTPK_A_ACL_OTHERWISE]) == NTPK_ACCESS_ALLOW);
	return ntpk_nl_upload_refused(info, &upload, info->attrs[NTPK_A_ACL], err);
}

/* An address by its length. */
static int parse_addr(const struct nlattr *attr, struct ntp_acl_addr *addr, bool *v6,
		      struct netlink_ext_ack *extack)
{
	__be32 words[4];

	*v6 = nla_len(attr) == sizeof(words);
	if (*v6) {
		nla_memcpy(words, attr, sizeof(words));
		*addr = ntp_acl_addr_v6(words);
		return 0;
	}
	if (nla_len(attr) != sizeof(__be32))
		return ntpk_nl_refuse(extack, attr, -EINVAL, "ADDR must have 4 or 16 bytes");
	*addr = ntp_acl_addr_v4(ntohl(nla_get_in_addr(attr)));
	return 0;
}

static int parse_prefix(const struct nlattr *nest, struct ntp_acl_prefix *p,
			struct netlink_ext_ack *extack)
{
	struct nlattr *tb[NTPK_A_PREFIX_MAX + 1];
	int err = nla_parse_nested(tb, NTPK_A_PREFIX_MAX, nest, prefix_policy, extack);

	if (!err)
		err = ntpk_nl_check_once(nest, 0, extack);
	if (!err)
		err = ntpk_nl_check_required(tb, nest, prefix_required,
					     ARRAY_SIZE(prefix_required), extack);
	if (err)
		return err;
	p->len = nla_get_u8(tb[NTPK_A_PREFIX_LEN]);
	p->allow = nla_get_u32(tb[NTPK_A_PREFIX_ACCESS]) == NTPK_ACCESS_ALLOW;
	return parse_addr(tb[NTPK_A_PREFIX_ADDR], &p->addr, &p->v6, extack);
}

static int add_prefix(struct genl_info *info, u32 generation, const struct nlattr *attr)
{
	struct ntp_acl_prefix p;
	const char *text = NULL;
	int err = parse_prefix(attr, &p, info->extack);

	if (err)
		return err;
	err = ntpk_acl_add(genl_info_net(info), info->snd_portid, generation, &p, &text);
	if (text)
		return ntpk_nl_refuse(info->extack, attr, err, text);
	return ntpk_nl_upload_refused(info, &upload, attr, err);
}

/** ntpk_nl_acl_add_doit() - NTPK_CMD_ACL_ADD */
int ntpk_nl_acl_add_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *tb[NTPK_A_ACL_MAX + 1];
	int err = ntpk_nl_upload_parse(skb, info, &upload, tb, 1);
	const struct nlattr *attr;
	u32 generation;
	int rem;

	if (!err)
		err = ntpk_nl_refuse_others(tb, NTPK_A_ACL_MAX, BIT_ULL(NTPK_A_ACL_GENERATION) |
					    BIT_ULL(NTPK_A_ACL_PREFIX), info->extack);
	if (err)
		return err;
	generation = nla_get_u32(tb[NTPK_A_ACL_GENERATION]);
	nla_for_each_nested(attr, info->attrs[NTPK_A_ACL], rem) {
		if (nla_type(attr) != NTPK_A_ACL_PREFIX)
			continue;
		err = add_prefix(info, generation, attr);
		if (err)
			return err;
		cond_resched();
	}
	return 0;
}

/** ntpk_nl_acl_commit_doit() - NTPK_CMD_ACL_COMMIT */
int ntpk_nl_acl_commit_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *tb[NTPK_A_ACL_MAX + 1];
	int err = ntpk_nl_upload_parse(skb, info, &upload, tb, 1);

	if (!err)
		err = ntpk_nl_refuse_others(tb, NTPK_A_ACL_MAX, BIT_ULL(NTPK_A_ACL_GENERATION),
					    info->extack);
	if (err)
		return err;
	err = ntpk_acl_commit(genl_info_net(info), info->snd_portid,
			      nla_get_u32(tb[NTPK_A_ACL_GENERATION]));
	return ntpk_nl_upload_refused(info, &upload, tb[NTPK_A_ACL_GENERATION], err);
}

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

static int put_summary(struct sk_buff *msg, const struct ntpk_acl *acl)
{
	if (nla_put_u32(msg, NTPK_A_ACL_GENERATION, acl->generation) ||
	    nla_put_u32(msg, NTPK_A_ACL_COUNT_V4, acl->count[0]) ||
	    nla_put_u32(msg, NTPK_A_ACL_COUNT_V6, acl->count[1]) ||
	    nla_put_u32(msg, NTPK_A_ACL_OTHERWISE,
			acl->allow ? NTPK_ACCESS_ALLOW : NTPK_ACCESS_DENY) ||
	    nla_put_u64_64bit(msg, NTPK_A_ACL_BYTES, acl->bytes, NTPK_A_ACL_PAD))
		return -EMSGSIZE;
	return 0;
}

static int fill_acl(struct sk_buff *msg, struct net *net)
{
	struct nlattr *nest = nla_nest_start(msg, NTPK_A_ACL);
	const struct ntpk_acl *acl;
	int err = 0;

	if (!nest)
		return -EMSGSIZE;
	rcu_read_lock();
	acl = ntpk_acl_in_use(net);
	if (!IS_ERR_OR_NULL(acl))
		err = put_summary(msg, acl);
	rcu_read_unlock();
	nla_nest_end(msg, nest);
	return err;
}

/** ntpk_nl_get_acl_doit() - NTPK_CMD_GET_ACL */
int ntpk_nl_get_acl_doit(struct sk_buff *skb, struct genl_info *info)
{
	int err = ntpk_nl_check_change(skb, info, 0);

	return err ? err : ntpk_nl_reply_with(info, NTPK_CMD_GET_ACL, fill_acl);
}

/* struct asked - of ACL_CHECK */
struct asked {
	struct ntp_acl_addr addr;
	bool v6;
};

static u16 find(const struct ntpk_acl *acl, const struct asked *asked)
{
	if (!acl)
		return NTP_ACL_ALLOW;
	return asked->v6 ? ntp_acl_find_v6(&acl->list.v6, &asked->addr) :
			   ntp_acl_find_v4(&acl->list.v4, (u32)(asked->addr.hi >> 32));
}

static int fill_check(struct sk_buff *msg, struct net *net, const void *about)
{
	struct nlattr *nest = nla_nest_start(msg, NTPK_A_ACL);
	const struct asked *asked = about;
	const struct ntpk_acl *acl;
	u32 generation = 0;
	u16 code = 0;

	if (!nest)
		return -EMSGSIZE;
	rcu_read_lock();
	acl = ntpk_acl_in_use(net);
	if (!IS_ERR(acl)) {
		code = find(acl, asked);
		generation = acl ? acl->generation : 0;
	}
	rcu_read_unlock();
	if (IS_ERR(acl))
		return PTR_ERR(acl);
	if ((acl && nla_put_u32(msg, NTPK_A_ACL_GENERATION, generation)) ||
	    put_addr(msg, NTPK_A_ACL_ADDR, asked->v6, asked->addr) ||
	    nla_put_u32(msg, NTPK_A_ACL_ACCESS, access_of(code)))
		return -EMSGSIZE;
	if ((code & NTP_ACL_RULE) &&
	    put_prefix(msg, asked->v6, ntp_acl_cut(asked->addr, code & NTP_ACL_LEN), code))
		return -EMSGSIZE;
	nla_nest_end(msg, nest);
	return 0;
}

/** ntpk_nl_acl_check_doit() - NTPK_CMD_ACL_CHECK */
int ntpk_nl_acl_check_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *tb[NTPK_A_ACL_MAX + 1];
	int err = ntpk_nl_upload_parse(skb, info, &check, tb, ARRAY_SIZE(check_required));
	struct asked asked;

	if (!err)
		err = ntpk_nl_refuse_others(tb, NTPK_A_ACL_MAX, BIT_ULL(NTPK_A_ACL_ADDR),
					    info->extack);
	if (!err)
		err = parse_addr(tb[NTPK_A_ACL_ADDR], &asked.addr, &asked.v6, info->extack);
	if (err)
		return err;
	err = ntpk_nl_reply_about(info, NTPK_CMD_ACL_CHECK, fill_check, &asked);
	return ntpk_nl_upload_refused(info, &upload, NULL, err);
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
			const struct ntpk_acl *acl)
{
	struct nlattr *nest;
	void *hdr;

	/* a list that was replaced in between is told by NLM_F_DUMP_INTR */
	cb->seq = acl->serial;
	hdr = ntpk_nl_dump_put(msg, cb, NTPK_CMD_GET_ACL);
	if (!hdr)
		return -EMSGSIZE;
	nest = nla_nest_start(msg, NTPK_A_ACL);
	if (!nest || put_summary(msg, acl)) {
		genlmsg_cancel(msg, hdr);
		return -EMSGSIZE;
	}
	put_ranges(msg, acl, cb->args);
	nla_nest_end(msg, nest);
	genlmsg_end(msg, hdr);
	return msg->len;
}

static int check_dump(struct netlink_callback *cb, struct net *net)
{
	int err;

	if (cb->args[DUMP_ASKED])
		return 0;
	err = ntpk_nl_check_rights(cb->skb, net, cb->extack);
	if (err)
		return err;
	if (nlmsg_attrlen(cb->nlh, GENL_HDRLEN))
		return ntpk_nl_refuse(cb->extack, NULL, -EINVAL,
				      "this command does not take the attribute");
	cb->args[DUMP_ASKED] = 1;
	return 0;
}

/** ntpk_nl_get_acl_dumpit() - NTPK_CMD_GET_ACL, all ranges */
int ntpk_nl_get_acl_dumpit(struct sk_buff *msg, struct netlink_callback *cb)
{
	struct net *net = sock_net(cb->skb->sk);
	const struct ntpk_acl *acl;
	int ret = check_dump(cb, net);

	if (ret || cb->args[DUMP_FAMILY] == 2)
		return ret;
	rcu_read_lock();
	acl = ntpk_acl_in_use(net);
	ret = IS_ERR_OR_NULL(acl) ? 0 : dump_message(msg, cb, acl);
	rcu_read_unlock();
	return ret;
}
