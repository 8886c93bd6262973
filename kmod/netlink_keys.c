// SPDX-License-Identifier: GPL-2.0-only
/*
 * KEYS_BEGIN, KEYS_ADD, KEYS_COMMIT and GET_KEYS.  Process context.  Secrets are
 * wiped from a message that was read, and are never put into one.
 */
#include <linux/err.h>
#include <linux/netlink.h>
#include <net/genetlink.h>

#include "keys.h"
#include "netlink_priv.h"

static const struct nla_policy key_policy[NTPK_A_KEY_MAX + 1] = {
	[NTPK_A_KEY_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[NTPK_A_KEY_TYPE] = NLA_POLICY_MAX(NLA_U32, NTPK_KEY_AES256),
	[NTPK_A_KEY_SECRET] = { .type = NLA_BINARY, .len = NTPK_SECRET_MAX },
};

const struct nla_policy ntpk_nl_keys_policy[NTPK_A_KEYS_MAX + 1] = {
	[NTPK_A_KEYS_GENERATION] = { .type = NLA_U32 },
	[NTPK_A_KEYS_COUNT] = NLA_POLICY_MAX(NLA_U32, NTPK_KEYS_MAX),
	[NTPK_A_KEYS_KEY] = NLA_POLICY_NESTED(key_policy),
};

static const struct ntpk_nl_required key_required[] = {
	{ NTPK_A_KEY_ID, "ID is missing in KEY" },
	{ NTPK_A_KEY_TYPE, "TYPE is missing in KEY" },
	{ NTPK_A_KEY_SECRET, "SECRET is missing in KEY" },
};

static const struct ntpk_nl_required keys_required[] = {
	{ NTPK_A_KEYS_GENERATION, "GENERATION is missing in KEYS" },
	{ NTPK_A_KEYS_COUNT, "COUNT is missing in KEYS" },
};

static const struct ntpk_nl_upload upload = {
	.attr = NTPK_A_KEYS,
	.many = NTPK_A_KEYS_KEY,
	.max = NTPK_A_KEYS_MAX,
	.policy = ntpk_nl_keys_policy,
	.required = keys_required,
	.missing = "KEYS is missing",
	.stale = "no set of this GENERATION was begun by this socket: send KEYS_BEGIN",
	.too_many = "more keys than COUNT, or than are allowed here",
	.too_few = "fewer keys were sent than COUNT said",
	.no_memory = "no memory for the keys",
};

static int refused(struct genl_info *info, const struct nlattr *attr, int err)
{
	if (err == -EEXIST)
		return ntpk_nl_refuse(info->extack, attr, err, "two keys have the same ID");
	return ntpk_nl_upload_refused(info, &upload, attr, err);
}

/** ntpk_nl_keys_begin_doit() - NTPK_CMD_KEYS_BEGIN */
int ntpk_nl_keys_begin_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *tb[NTPK_A_KEYS_MAX + 1];
	int err = ntpk_nl_upload_parse(skb, info, &upload, tb, 2);

	if (err)
		return err;
	if (tb[NTPK_A_KEYS_KEY])
		return ntpk_nl_refuse(info->extack, tb[NTPK_A_KEYS_KEY], -EINVAL,
				      "this command does not take the attribute");
	err = ntpk_keys_begin(genl_info_net(info), info->snd_portid,
			      nla_get_u32(tb[NTPK_A_KEYS_GENERATION]),
			      nla_get_u32(tb[NTPK_A_KEYS_COUNT]));
	return refused(info, tb[NTPK_A_KEYS_COUNT], err);
}

static struct ntpk_key *parse_key(struct nlattr *nest, struct netlink_ext_ack *extack)
{
	struct nlattr *tb[NTPK_A_KEY_MAX + 1];
	struct nlattr *secret;
	struct ntpk_key *key;
	const char *text;
	int err;

	err = nla_parse_nested(tb, NTPK_A_KEY_MAX, nest, key_policy, extack);
	if (!err)
		err = ntpk_nl_check_once(nest, 0, extack);
	if (!err)
		err = ntpk_nl_check_required(tb, nest, key_required, ARRAY_SIZE(key_required),
					     extack);
	if (err)
		return ERR_PTR(err);
	secret = tb[NTPK_A_KEY_SECRET];
	key = ntpk_key_alloc(nla_get_u32(tb[NTPK_A_KEY_ID]), nla_get_u32(tb[NTPK_A_KEY_TYPE]),
			     nla_data(secret), nla_len(secret), &text);
	if (IS_ERR(key))
		ntpk_nl_refuse(extack, secret, PTR_ERR(key), text);
	return key;
}

static int add_keys(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *tb[NTPK_A_KEYS_MAX + 1];
	struct ntpk_key *key;
	struct nlattr *attr;
	int err = ntpk_nl_upload_parse(skb, info, &upload, tb, 1);
	int rem;

	if (err)
		return err;
	nla_for_each_nested(attr, info->attrs[NTPK_A_KEYS], rem) {
		if (nla_type(attr) != NTPK_A_KEYS_KEY)
			continue;
		key = parse_key(attr, info->extack);
		if (IS_ERR(key))
			return PTR_ERR(key);
		err = ntpk_keys_add(genl_info_net(info), info->snd_portid,
				    nla_get_u32(tb[NTPK_A_KEYS_GENERATION]), key);
		if (err) {
			ntpk_key_release(key);
			return refused(info, attr, err);
		}
	}
	return 0;
}

static void wipe_secrets(const struct nlattr *keys)
{
	struct nlattr *key, *attr;
	int rem, key_rem;

	nla_for_each_nested(key, keys, rem) {
		if (nla_type(key) != NTPK_A_KEYS_KEY)
			continue;
		nla_for_each_nested(attr, key, key_rem)
			if (nla_type(attr) == NTPK_A_KEY_SECRET)
				memzero_explicit(nla_data(attr), nla_len(attr));
	}
}

/** ntpk_nl_keys_add_doit() - NTPK_CMD_KEYS_ADD */
int ntpk_nl_keys_add_doit(struct sk_buff *skb, struct genl_info *info)
{
	int err = add_keys(skb, info);

	if (info->attrs[NTPK_A_KEYS])
		wipe_secrets(info->attrs[NTPK_A_KEYS]);
	return err;
}

/** ntpk_nl_keys_commit_doit() - NTPK_CMD_KEYS_COMMIT */
int ntpk_nl_keys_commit_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *tb[NTPK_A_KEYS_MAX + 1];
	int err = ntpk_nl_upload_parse(skb, info, &upload, tb, 1);

	if (err)
		return err;
	err = ntpk_keys_commit(genl_info_net(info), info->snd_portid,
			       nla_get_u32(tb[NTPK_A_KEYS_GENERATION]));
	return refused(info, tb[NTPK_A_KEYS_GENERATION], err);
}

static int fill_keys(struct sk_buff *msg, struct net *net)
{
	struct nlattr *nest = nla_nest_start(msg, NTPK_A_KEYS);
	u32 generation, count;

	if (!nest)
		return -EMSGSIZE;
	if (ntpk_keys_info(net, &generation, &count) &&
	    (nla_put_u32(msg, NTPK_A_KEYS_GENERATION, generation) ||
	     nla_put_u32(msg, NTPK_A_KEYS_COUNT, count)))
		return -EMSGSIZE;
	nla_nest_end(msg, nest);
	return 0;
}

/** ntpk_nl_get_keys_doit() - NTPK_CMD_GET_KEYS */
int ntpk_nl_get_keys_doit(struct sk_buff *skb, struct genl_info *info)
{
	int err = ntpk_nl_check_change(skb, info, 0);

	return err ? err : ntpk_nl_reply_with(info, NTPK_CMD_GET_KEYS, fill_keys);
}
