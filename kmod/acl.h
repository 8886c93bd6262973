/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Access lists: built in process context, used in softirq, replaced whole.  One is
 * everybody's; a listener may have another by its name.
 */
#ifndef NTPK_ACL_H
#define NTPK_ACL_H

#include <linux/list.h>
#include <linux/ntpk.h>
#include <linux/rcupdate.h>
#include <linux/types.h>
#include <linux/workqueue.h>
#include <ntpk/ntp_acl.h>

struct net;
struct ntpk_inst;
struct ntpk_state;
struct sk_buff;

/**
 * struct ntpk_acl - a list; immutable in use
 * @release: frees it in process context after a grace period
 * @list: ranges, in @room
 * @generation: the sender's name for it
 * @count: prefixes of IPv4 and of IPv6
 * @allow: may those ask whom no prefix holds?
 * @bytes: of memory
 * @room: what @list needs
 */
struct ntpk_acl {
	struct rcu_work	release;
	struct ntp_acl list;
	u32	generation;
	u32	count[2];
	bool	allow;
	size_t	bytes;
	u64	room[];
};

/**
 * struct ntpk_acl_place - what listeners hold on to, while lists come and go
 * @list: in use; NULL: everybody may ask, or nobody where there is a name
 * @node: in the namespace's acl_named, unless it is acl_common
 * @release: frees it in process context after a grace period
 * @name: "" for the one of all that name none
 */
struct ntpk_acl_place {
	struct ntpk_acl __rcu *list;
	struct list_head node;
	struct rcu_work	release;
	char	name[NTPK_ACL_NAME_MAX + 1];
};

/**
 * struct ntpk_acl_coming - a list that is being sent
 * @owner: netlink port of the sender
 * @place: where it will be in use
 * @acl: to become it
 * @build: how far it is
 */
struct ntpk_acl_coming {
	u32	owner;
	struct ntpk_acl_place *place;
	struct ntpk_acl *acl;
	struct ntp_acl_build build;
};

int ntpk_acl_begin(struct net *net, u32 owner, const char *name, u32 generation,
		   const u32 count[2], bool allow);
int ntpk_acl_add(struct net *net, u32 owner, u32 generation, const struct ntp_acl_prefix *p,
		 const char **text);
int ntpk_acl_commit(struct net *net, u32 owner, u32 generation);
void ntpk_acl_forget_owner(struct net *net, u32 owner);
void ntpk_acl_clean(struct ntpk_inst *inst);
int ntpk_acl_bind(struct ntpk_inst *inst, struct ntpk_state *state);
void ntpk_acl_unbind(struct ntpk_inst *inst, const struct ntpk_state *old);
void ntpk_acl_collect(struct ntpk_inst *inst, const struct ntpk_state *state);
const struct ntpk_acl_place *ntpk_acl_find(const struct net *net, const char *name);
const struct ntpk_acl_place *ntpk_acl_nth(const struct net *net, unsigned int n);
u32 ntpk_acl_changes(const struct net *net);
bool ntpk_acl_finds(const struct ntpk_acl *acl, const struct sk_buff *skb, u8 pf);

/**
 * ntpk_acl_allows() - may the sender of a packet ask?
 * @place: of the list
 * @skb: packet
 * @pf: NFPROTO_IPV4 or NFPROTO_IPV6
 *
 * Context: softirq, RCU.
 * Return: whether.
 */
static inline bool ntpk_acl_allows(const struct ntpk_acl_place *place, const struct sk_buff *skb,
				   u8 pf)
{
	const struct ntpk_acl *acl = rcu_dereference(place->list);

	if (likely(!acl))
		return !place->name[0];
	return ntpk_acl_finds(acl, skb, pf);
}

#endif /* NTPK_ACL_H */
