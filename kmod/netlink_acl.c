// SPDX-License-Identifier: GPL-2.0-only
/*
 * ACL_BEGIN, ACL_ADD and ACL_COMMIT.  Process context.
 */
#include <linux/netlink.h>
#include <linux/sched.h>
#include <net/genetlink.h>

#include "acl.h"
#include "netlink_priv.h"

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
	[NTPK_A_ACL_NAME] = { .type = NLA_NUL_STRING, .len = NTPK_ACL_NAME_MAX },
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

static const struct ntpk_nl_upload upload = {
	.attr = NTPK_A_ACL,
	.many = NTPK_A_ACL_PREFIX,
	.max = NTPK_A_ACL_MAX,
	.policy = ntpk_nl_acl_policy,
	.required = acl_required,
	.missing = "ACL is missing",
	.stale = "no list of this GENERATION was begun by this socket: send ACL_BEGIN",
	.too_many = "more prefixes than are allowed here",
	.too_few = "fewer prefixes were sent than COUNT_V4 and COUNT_V6 said",
	.no_memory = "no memory for the list",
};

/**
 * ntpk_nl_acl_name() - which list is meant?
 * @attr: its name, NULL = none is given
 * @name: out; "" where none is given, which is the name of everybody's
 * @extack: of the command
 *
 * Return: 0 or -ERANGE.
 */
int ntpk_nl_acl_name(const struct nlattr *attr, const char **name, struct netlink_ext_ack *extack)
{
	*name = attr ? nla_data(attr) : "";
	return attr && !**name ? ntpk_nl_refuse(extack, attr, -ERANGE,
						"the name of a list must not be empty") : 0;
}

/**
 * ntpk_nl_acl_refused() - the words for what a list is refused for
 * @info: command
 * @attr: the bad one
 * @err: 0 or -errno
 *
 * Return: @err.
 */
int ntpk_nl_acl_refused(struct genl_info *info, const struct nlattr *attr, int err)
{
	switch (err) {
	case -ENOSPC:
		return ntpk_nl_refuse(info->extack, attr, err,
				      "too many lists with a NAME: those that no LISTENER has go with the next SET_STATE");
	case -ENOENT:
		return ntpk_nl_refuse(info->extack, attr, err, "there is no list of this NAME");
	default:
		return ntpk_nl_upload_refused(info, &upload, attr, err);
	}
}

/** ntpk_nl_acl_begin_doit() - NTPK_CMD_ACL_BEGIN */
int ntpk_nl_acl_begin_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *tb[NTPK_A_ACL_MAX + 1];
	int err = ntpk_nl_upload_parse(skb, info, &upload, tb, ARRAY_SIZE(acl_required));
	const char *name;
	u32 count[2];

	if (!err)
		err = ntpk_nl_refuse_others(tb, NTPK_A_ACL_MAX, BIT_ULL(NTPK_A_ACL_GENERATION) |
					    BIT_ULL(NTPK_A_ACL_COUNT_V4) |
					    BIT_ULL(NTPK_A_ACL_COUNT_V6) |
					    BIT_ULL(NTPK_A_ACL_OTHERWISE) |
					    BIT_ULL(NTPK_A_ACL_NAME), info->extack);
	if (!err)
		err = ntpk_nl_acl_name(tb[NTPK_A_ACL_NAME], &name, info->extack);
	if (err)
		return err;
	count[0] = nla_get_u32(tb[NTPK_A_ACL_COUNT_V4]);
	count[1] = nla_get_u32(tb[NTPK_A_ACL_COUNT_V6]);
	err = ntpk_acl_begin(genl_info_net(info), info->snd_portid, name,
			     nla_get_u32(tb[NTPK_A_ACL_GENERATION]), count,
			     nla_get_u32(tb[NTPK_A_ACL_OTHERWISE]) == NTPK_ACCESS_ALLOW);
	return ntpk_nl_acl_refused(info, info->attrs[NTPK_A_ACL], err);
}

/**
 * ntpk_nl_acl_addr() - an address, whose length says its family
 * @attr: binary
 * @addr: out
 * @v6: out
 * @extack: of the command
 *
 * Return: 0 or -EINVAL.
 */
int ntpk_nl_acl_addr(const struct nlattr *attr, struct ntp_acl_addr *addr, bool *v6,
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
	return ntpk_nl_acl_addr(tb[NTPK_A_PREFIX_ADDR], &p->addr, &p->v6, extack);
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
