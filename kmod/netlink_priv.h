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
struct netlink_callback;
struct netlink_ext_ack;
struct ntp_acl_addr;
struct ntpk_state;
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

/**
 * struct ntpk_nl_upload - something that is sent in pieces, and its words
 * @attr: enum ntpk_attr of its nest
 * @many: the type in there that may be there more than once, 0 = none
 * @max: highest type in there
 * @policy: of the nest
 * @required: what must be there, what every command needs first
 * @missing: there is no nest
 * @stale: nothing of the kind was begun
 * @too_many: more than were announced, or than are allowed
 * @too_few: fewer than were announced
 * @no_memory: words
 */
struct ntpk_nl_upload {
	int	attr;
	int	many;
	int	max;
	const struct nla_policy *policy;
	const struct ntpk_nl_required *required;
	const char *missing;
	const char *stale;
	const char *too_many;
	const char *too_few;
	const char *no_memory;
};

int ntpk_nl_refuse(struct netlink_ext_ack *extack, const struct nlattr *attr, int err,
		   const char *text);
int ntpk_nl_check_required(struct nlattr **tb, const struct nlattr *nest,
			   const struct ntpk_nl_required *req, size_t n,
			   struct netlink_ext_ack *extack);
int ntpk_nl_check_once(const struct nlattr *nest, int many, struct netlink_ext_ack *extack);
int ntpk_nl_refuse_others(struct nlattr **tb, unsigned int max, u64 allowed,
			  struct netlink_ext_ack *extack);
int ntpk_nl_check_foreign(const struct genl_info *info, unsigned int allowed);
int ntpk_nl_check_rights(struct sk_buff *skb, struct net *net, struct netlink_ext_ack *extack);
int ntpk_nl_check_change(struct sk_buff *skb, struct genl_info *info, unsigned int allowed);
int ntpk_nl_reply_with(struct genl_info *info, u8 cmd,
		       int (*fill)(struct sk_buff *msg, struct net *net));
int ntpk_nl_reply_about(struct genl_info *info, u8 cmd,
			int (*fill)(struct sk_buff *msg, struct net *net, const void *about),
			const void *about);
int ntpk_nl_check_dump(const struct netlink_callback *cb);
void *ntpk_nl_dump_put(struct sk_buff *msg, struct netlink_callback *cb, u8 cmd);

/* netlink_state.c */
extern const struct nla_policy ntpk_nl_state_policy[NTPK_A_STATE_MAX + 1];
int ntpk_nl_set_state_doit(struct sk_buff *skb, struct genl_info *info);
int ntpk_nl_get_state_doit(struct sk_buff *skb, struct genl_info *info);

/* netlink_listener.c */
extern const struct nla_policy ntpk_nl_listener_policy[NTPK_A_LISTENER_MAX + 1];
int ntpk_nl_count_listeners(const struct nlattr *nest, struct netlink_ext_ack *extack);
int ntpk_nl_parse_listeners(const struct nlattr *nest, struct ntpk_state *state,
			    struct netlink_ext_ack *extack);
int ntpk_nl_fill_listeners(struct sk_buff *msg, const struct ntpk_state *state);

/* netlink_keys.c */
extern const struct nla_policy ntpk_nl_keys_policy[NTPK_A_KEYS_MAX + 1];
int ntpk_nl_keys_begin_doit(struct sk_buff *skb, struct genl_info *info);
int ntpk_nl_keys_add_doit(struct sk_buff *skb, struct genl_info *info);
int ntpk_nl_keys_commit_doit(struct sk_buff *skb, struct genl_info *info);
int ntpk_nl_get_keys_doit(struct sk_buff *skb, struct genl_info *info);

/* netlink_upload.c */
int ntpk_nl_upload_parse(struct sk_buff *skb, struct genl_info *info,
			 const struct ntpk_nl_upload *up, struct nlattr **tb, size_t n);
int ntpk_nl_upload_refused(struct genl_info *info, const struct ntpk_nl_upload *up,
			   const struct nlattr *attr, int err);

/* netlink_acl.c */
extern const struct nla_policy ntpk_nl_acl_policy[NTPK_A_ACL_MAX + 1];
int ntpk_nl_acl_name(const struct nlattr *attr, const char **name, struct netlink_ext_ack *extack);
int ntpk_nl_acl_refused(struct genl_info *info, const struct nlattr *attr, int err);
int ntpk_nl_acl_addr(const struct nlattr *attr, struct ntp_acl_addr *addr, bool *v6,
		     struct netlink_ext_ack *extack);
int ntpk_nl_acl_begin_doit(struct sk_buff *skb, struct genl_info *info);
int ntpk_nl_acl_add_doit(struct sk_buff *skb, struct genl_info *info);
int ntpk_nl_acl_commit_doit(struct sk_buff *skb, struct genl_info *info);

/* netlink_hist.c */
int ntpk_nl_get_hist_doit(struct sk_buff *skb, struct genl_info *info);

/* netlink_acl_get.c */
int ntpk_nl_get_acl_doit(struct sk_buff *skb, struct genl_info *info);
int ntpk_nl_get_acl_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int ntpk_nl_acl_check_doit(struct sk_buff *skb, struct genl_info *info);

/* netlink_clients.c */
extern const struct nla_policy ntpk_nl_client_filter_policy[NTPK_A_CLIENT_FILTER_MAX + 1];
int ntpk_nl_get_clients_dumpit(struct sk_buff *skb, struct netlink_callback *cb);

/* netlink_phc.c */
extern const struct nla_policy ntpk_nl_phc_policy[NTPK_A_PHC_MAX + 1];
int ntpk_nl_fill_t2(struct sk_buff *msg, int type, u32 kind, u64 pkts);
int ntpk_nl_fill_t3s(struct sk_buff *msg, struct net *net);
int ntpk_nl_set_phc_doit(struct sk_buff *skb, struct genl_info *info);
int ntpk_nl_get_phc_dumpit(struct sk_buff *msg, struct netlink_callback *cb);

#endif /* NTPK_NETLINK_PRIV_H */
