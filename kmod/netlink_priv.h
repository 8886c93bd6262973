/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the generic netlink family share: checks of a message, and
 * the commands that are not in netlink.c.  Process context.
 */
#ifndef NTPK_NETLINK_PRIV_H
#define NTPK_NETLINK_PRIV_H

#include <linux/ntpk.h>
#include <net/netlink.h>

struct genl_info;
struct net;
struct netlink_ext_ack;
struct sk_buff;

#define NTPK_NL_GET_ONLY { .type = NLA_REJECT, .reject_message = "can only be read" }

/**
 * struct ntpk_nl_required - an attribute that must be there
 * @type: which
 * @missing: the words for its absence
 */
struct ntpk_nl_required {
	u16	type;
	char	missing[40];
};

int ntpk_nl_refuse(struct netlink_ext_ack *extack, const struct nlattr *attr, int err,
		   const char *text);
int ntpk_nl_check_required(struct nlattr **tb, const struct nlattr *nest,
			   const struct ntpk_nl_required *req, size_t n,
			   struct netlink_ext_ack *extack);
int ntpk_nl_check_once(const struct nlattr *nest, struct netlink_ext_ack *extack);
int ntpk_nl_check_foreign(const struct genl_info *info, unsigned int allowed);
int ntpk_nl_check_change(struct sk_buff *skb, struct genl_info *info, unsigned int allowed);
int ntpk_nl_reply_with(struct genl_info *info, u8 cmd,
		       int (*fill)(struct sk_buff *msg, struct net *net));

/* netlink_state.c */
extern const struct nla_policy ntpk_nl_state_policy[NTPK_A_STATE_MAX + 1];
int ntpk_nl_set_state_doit(struct sk_buff *skb, struct genl_info *info);
int ntpk_nl_get_state_doit(struct sk_buff *skb, struct genl_info *info);

/* netlink_keys.c */
extern const struct nla_policy ntpk_nl_keys_policy[NTPK_A_KEYS_MAX + 1];
int ntpk_nl_keys_begin_doit(struct sk_buff *skb, struct genl_info *info);
int ntpk_nl_keys_add_doit(struct sk_buff *skb, struct genl_info *info);
int ntpk_nl_keys_commit_doit(struct sk_buff *skb, struct genl_info *info);
int ntpk_nl_get_keys_doit(struct sk_buff *skb, struct genl_info *info);

#endif /* NTPK_NETLINK_PRIV_H */
