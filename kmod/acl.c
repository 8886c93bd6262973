// SPDX-License-Identifier: GPL-2.0-only
/*
 * Access lists: the one in use and the one that is being sent.
 * Built in process context under ntpk_net.lock, looked up in softirq under RCU.
 * A list is replaced whole; the old one is freed after a grace period by a work,
 * as it may be megabytes.
 */
#include <linux/atomic.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/mm.h>
#include <linux/netfilter.h>
#include <linux/ntpk.h>
#include <linux/skbuff.h>
#include <linux/slab.h>

#include "acl.h"
#include "state.h"

/* With userns=1: prefixes of an unprivileged owner. */
#define USERNS_PREFIXES_MAX	4096

static atomic_t serial = ATOMIC_INIT(0);

static struct ntpk_acl_coming *alloc_coming(const u32 count[2])
{
	struct ntpk_acl_coming *coming = kzalloc(sizeof(*coming), GFP_KERNEL_ACCOUNT);
	size_t bytes = sizeof(struct ntpk_acl) + ntp_acl_size(count[0], count[1]);

	if (!coming)
		return NULL;
	coming->acl = kvmalloc(bytes, GFP_KERNEL_ACCOUNT);
	if (!coming->acl) {
		kfree(coming);
		return NULL;
	}
	coming->acl->bytes = bytes;
	return coming;
}

static void release_coming(struct ntpk_acl_coming *coming)
{
	if (!coming)
		return;
	kvfree(coming->acl);
	kfree(coming);
}

static void release_work(struct work_struct *work)
{
	kvfree(container_of(to_rcu_work(work), struct ntpk_acl, release));
}

/**
 * ntpk_acl_begin() - start a new list, and forget one that was begun before
 * @net: namespace
 * @owner: netlink port of the sender
 * @generation: its name for the list
 * @count: IPv4 and IPv6 prefixes that will come, at most NTPK_ACL_PREFIXES_MAX in all
 * @allow: may those ask whom no prefix holds?
 *
 * Context: process.
 * Return: 0; -ENOTCONN: not attached; -E2BIG: too many; -ENOMEM.
 */
int ntpk_acl_begin(struct net *net, u32 owner, u32 generation, const u32 count[2], bool allow)
{
	u64 max = net->user_ns == &init_user_ns ? NTPK_ACL_PREFIXES_MAX : USERNS_PREFIXES_MAX;
	struct ntpk_acl_coming *coming, *old;
	struct ntpk_inst *inst;

	if ((u64)count[0] + count[1] > max)
		return -E2BIG;
	coming = alloc_coming(count);
	if (!coming)
		return -ENOMEM;
	coming->owner = owner;
	coming->acl->generation = generation;
	coming->acl->allow = allow;
	memcpy(coming->acl->count, count, sizeof(coming->acl->count));
	ntp_acl_begin(&coming->build, &coming->acl->list, coming->acl->room, count[0], count[1],
		      allow);
	inst = ntpk_state_lock(net);
	if (!inst) {
		ntpk_state_unlock(net);
		release_coming(coming);
		return -ENOTCONN;
	}
	old = inst->acl_coming;
	inst->acl_coming = coming;
	ntpk_state_unlock(net);
	release_coming(old);
	return 0;
}

/* The list that this sender is building, under the lock. */
static struct ntpk_acl_coming *find_coming(struct ntpk_inst *inst, u32 owner, u32 generation)
{
	struct ntpk_acl_coming *coming = inst ? inst->acl_coming : NULL;

	if (!coming || coming->owner != owner || coming->acl->generation != generation)
		return NULL;
	return coming;
}

static int refused(enum ntp_acl_fault fault, const char **text)
{
	switch (fault) {
	case NTP_ACL_OK:
		return 0;
	case NTP_ACL_BAD_LEN:
		*text = "LEN is more than ADDR has bits";
		return -EINVAL;
	case NTP_ACL_HOST_BITS:
		*text = "ADDR has bits behind LEN";
		return -EINVAL;
	case NTP_ACL_FULL:
		*text = "more prefixes than COUNT_V4 or COUNT_V6";
		return -E2BIG;
	case NTP_ACL_ORDER:
		break;
	}
	*text = "prefixes must come sorted, IPv4 first, by ADDR, then by LEN, none twice";
	return -EINVAL;
}

/**
 * ntpk_acl_add() - one prefix more for the list that was begun
 * @net: namespace
 * @owner: netlink port of the sender
 * @generation: as at the beginning
 * @p: prefix; any bits
 * @text: out: what is wrong, unless 0 or -ESTALE
 *
 * Context: process.
 * Return: 0; -ESTALE: no such list was begun; -E2BIG: more than were announced;
 * -EINVAL: not a prefix, or not sorted.
 */
int ntpk_acl_add(struct net *net, u32 owner, u32 generation, const struct ntp_acl_prefix *p,
		 const char **text)
{
	struct ntpk_acl_coming *coming = find_coming(ntpk_state_lock(net), owner, generation);
	enum ntp_acl_fault fault = NTP_ACL_OK;

	if (coming)
		fault = ntp_acl_add(&coming->build, p);
	ntpk_state_unlock(net);
	return coming ? refused(fault, text) : -ESTALE;
}

/* Publish, under the lock; the list that was in use before. */
static struct ntpk_acl *publish(struct ntpk_inst *inst, struct ntpk_acl_coming *coming)
{
	struct ntpk_acl *old = rcu_dereference_protected(inst->acl, true);

	ntp_acl_end(&coming->build);
	coming->acl->serial = atomic_inc_return(&serial);
	inst->acl_coming = NULL;
	rcu_assign_pointer(inst->acl, coming->acl);
	return old;
}

/**
 * ntpk_acl_commit() - the list that was begun replaces the one in use
 * @net: namespace
 * @owner: netlink port of the sender
 * @generation: as at the beginning
 *
 * Context: process.
 * Return: 0; -ESTALE: no such list was begun; -ENODATA: fewer prefixes than were
 * announced.  Nothing has changed unless 0.
 */
int ntpk_acl_commit(struct net *net, u32 owner, u32 generation)
{
	struct ntpk_inst *inst = ntpk_state_lock(net);
	struct ntpk_acl_coming *coming = find_coming(inst, owner, generation);
	struct ntpk_acl *old;

	if (!coming || coming->build.left[0] || coming->build.left[1]) {
		ntpk_state_unlock(net);
		return coming ? -ENODATA : -ESTALE;
	}
	old = publish(inst, coming);
	ntpk_state_unlock(net);
	kfree(coming);
	if (old) {
		INIT_RCU_WORK(&old->release, release_work);
		ntpk_state_queue_release(&old->release);
	}
	return 0;
}

/**
 * ntpk_acl_forget_owner() - a netlink socket was closed: drop what it had begun
 * @net: its namespace
 * @owner: its port
 *
 * Context: process.
 */
void ntpk_acl_forget_owner(struct net *net, u32 owner)
{
	struct ntpk_acl_coming *coming = NULL;
	struct ntpk_inst *inst = ntpk_state_lock(net);

	if (inst && inst->acl_coming && inst->acl_coming->owner == owner) {
		coming = inst->acl_coming;
		inst->acl_coming = NULL;
	}
	ntpk_state_unlock(net);
	release_coming(coming);
}

/**
 * ntpk_acl_clean() - free the lists of an instance
 * @inst: no reader is left
 *
 * Context: process.
 */
void ntpk_acl_clean(struct ntpk_inst *inst)
{
	release_coming(inst->acl_coming);
	kvfree(rcu_dereference_protected(inst->acl, true));
}

/**
 * ntpk_acl_in_use() - the list of a namespace
 * @net: which
 *
 * Context: RCU.
 * Return: list, good until rcu_read_unlock(); NULL: everybody may ask;
 * ERR_PTR(-ENOTCONN): not attached.
 */
const struct ntpk_acl *ntpk_acl_in_use(const struct net *net)
{
	const struct ntpk_inst *inst = ntpk_state_inst(net);

	return inst ? rcu_dereference(inst->acl) : ERR_PTR(-ENOTCONN);
}

/**
 * ntpk_acl_allows() - may the sender of a packet ask?
 * @acl: list
 * @skb: packet
 * @pf: NFPROTO_IPV4 or NFPROTO_IPV6
 *
 * Context: softirq, RCU.  At most 20 steps.
 * Return: whether.
 */
bool ntpk_acl_allows(const struct ntpk_acl *acl, const struct sk_buff *skb, u8 pf)
{
	struct ntp_acl_addr addr;

	if (pf == NFPROTO_IPV4)
		return ntp_acl_find_v4(&acl->list.v4, ntohl(ip_hdr(skb)->saddr)) & NTP_ACL_ALLOW;
	addr = ntp_acl_addr_v6(ipv6_hdr(skb)->saddr.s6_addr32);
	return ntp_acl_find_v6(&acl->list.v6, &addr) & NTP_ACL_ALLOW;
}
