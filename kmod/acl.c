// SPDX-License-Identifier: GPL-2.0-only
/*
 * Access lists: those in use and the one that is being sent.
 * Built in process context under ntpk_net.lock, looked up in softirq under RCU.
 * A list is replaced whole; the old one is freed after a grace period by a work,
 * as it may be megabytes.  A name lives as long as a listener has it, or somebody is
 * sending its list.
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

/* With userns=1: prefixes in each list of an unprivileged owner. */
#define USERNS_PREFIXES_MAX	4096

/* No two moments since the module was loaded have had the same. */
static atomic_t changes = ATOMIC_INIT(0);

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

static void release_place(struct work_struct *work)
{
	struct ntpk_acl_place *place = container_of(to_rcu_work(work), struct ntpk_acl_place,
						    release);

	kvfree(rcu_dereference_protected(place->list, true));
	kfree(place);
}

/* By its name, under the lock or RCU. */
static struct ntpk_acl_place *find_place(struct ntpk_inst *inst, const char *name)
{
	struct ntpk_acl_place *place;

	if (!name[0])
		return &inst->acl_common;
	list_for_each_entry_rcu(place, &inst->acl_named, node, ntpk_state_is_locked(inst->net))
		if (!strcmp(place->name, name))
			return place;
	return NULL;
}

/* The same, made if there is none, under the lock. */
static struct ntpk_acl_place *get_place(struct ntpk_inst *inst, const char *name)
{
	struct ntpk_acl_place *place = find_place(inst, name);

	if (place)
		return place;
	place = kzalloc(sizeof(*place), GFP_KERNEL_ACCOUNT);
	if (!place)
		return NULL;
	strscpy(place->name, name, sizeof(place->name));
	list_add_tail_rcu(&place->node, &inst->acl_named);
	return place;
}

/* Names are made by whoever begins a list, and stay until the next push. */
static bool too_many_names(struct ntpk_inst *inst, const char *name)
{
	struct ntpk_acl_place *place;
	unsigned int n = 0;

	if (find_place(inst, name))
		return false;
	list_for_each_entry(place, &inst->acl_named, node)
		n++;
	return n >= NTPK_ACL_NAMES_MAX;
}

/* Return: what was coming before. */
static struct ntpk_acl_coming *replace_coming(struct ntpk_inst *inst,
					      struct ntpk_acl_coming *coming)
{
	struct ntpk_acl_coming *old;

	spin_lock(&inst->coming_lock);
	old = inst->acl_coming;
	inst->acl_coming = coming;
	spin_unlock(&inst->coming_lock);
	return old;
}

/* Under the lock.  @old: what was coming before, to be released. */
static int set_coming(struct ntpk_inst *inst, const char *name, struct ntpk_acl_coming *coming,
		      struct ntpk_acl_coming **old)
{
	if (!inst)
		return -ENOTCONN;
	if (too_many_names(inst, name))
		return -ENOSPC;
	coming->place = get_place(inst, name);
	if (!coming->place)
		return -ENOMEM;
	*old = replace_coming(inst, coming);
	return 0;
}

/**
 * ntpk_acl_begin() - start a new list, and forget one that was begun before
 * @net: namespace
 * @owner: netlink port of the sender
 * @name: of the list, at most NTPK_ACL_NAME_MAX bytes, "" = that of all
 * @generation: the sender's name for what it sends
 * @count: IPv4 and IPv6 prefixes that will come, at most NTPK_ACL_PREFIXES_MAX in all
 * @allow: may those ask whom no prefix holds?
 *
 * Context: process.
 * Return: 0; -ENOTCONN: not attached; -E2BIG: too many; -ENOSPC: too many names;
 * -ENOMEM.
 */
int ntpk_acl_begin(struct net *net, u32 owner, const char *name, u32 generation,
		   const u32 count[2], bool allow)
{
	u64 max = net->user_ns == &init_user_ns ? NTPK_ACL_PREFIXES_MAX : USERNS_PREFIXES_MAX;
	struct ntpk_acl_coming *coming, *old = NULL;
	int err;

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
	err = set_coming(ntpk_state_lock(net), name, coming, &old);
	ntpk_state_unlock(net);
	release_coming(err ? coming : old);
	return err;
}

/* The list that this sender is building, under the lock: out of reach of all others. */
static struct ntpk_acl_coming *take_coming(struct ntpk_inst *inst, u32 owner, u32 generation)
{
	struct ntpk_acl_coming *coming = NULL;

	if (!inst)
		return NULL;
	spin_lock(&inst->coming_lock);
	if (inst->acl_coming && inst->acl_coming->owner == owner &&
	    inst->acl_coming->acl->generation == generation)
		swap(coming, inst->acl_coming);
	spin_unlock(&inst->coming_lock);
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
	struct ntpk_inst *inst = ntpk_state_lock(net);
	struct ntpk_acl_coming *coming = take_coming(inst, owner, generation);
	enum ntp_acl_fault fault = NTP_ACL_OK;

	if (coming) {
		fault = ntp_acl_add(&coming->build, p);
		replace_coming(inst, coming);
	}
	ntpk_state_unlock(net);
	return coming ? refused(fault, text) : -ESTALE;
}

/* Publish, under the lock; the list that was in use before. */
static struct ntpk_acl *publish(struct ntpk_inst *inst, struct ntpk_acl_coming *coming)
{
	struct ntpk_acl *old = rcu_dereference_protected(coming->place->list, true);

	ntp_acl_end(&coming->build);
	rcu_assign_pointer(coming->place->list, coming->acl);
	WRITE_ONCE(inst->acl_changes, atomic_inc_return(&changes));
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
	struct ntpk_acl_coming *coming = take_coming(inst, owner, generation);
	struct ntpk_acl *old;

	if (!coming || coming->build.left[0] || coming->build.left[1]) {
		if (coming)
			replace_coming(inst, coming);
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
 * Context: process.  Does not wait for commands: other sockets wait for it.
 */
void ntpk_acl_forget_owner(struct net *net, u32 owner)
{
	struct ntpk_acl_coming *coming = NULL;
	struct ntpk_inst *inst;

	rcu_read_lock();
	inst = ntpk_state_inst(net);
	if (inst) {
		spin_lock(&inst->coming_lock);
		if (inst->acl_coming && inst->acl_coming->owner == owner)
			swap(coming, inst->acl_coming);
		spin_unlock(&inst->coming_lock);
	}
	rcu_read_unlock();
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
	struct ntpk_acl_place *place, *next;

	release_coming(inst->acl_coming);
	kvfree(rcu_dereference_protected(inst->acl_common.list, true));
	list_for_each_entry_safe(place, next, &inst->acl_named, node)
		release_place(&place->release.work);
}

/**
 * ntpk_acl_bind() - the lists of the listeners of a push
 * @inst: namespace
 * @state: on its way; its listeners get them by their names
 *
 * Context: process, under ntpk_state_lock().
 * Return: 0 or -ENOMEM; where the push fails for this or anything else,
 * ntpk_acl_unbind() must follow.
 */
int ntpk_acl_bind(struct ntpk_inst *inst, struct ntpk_state *state)
{
	struct ntpk_listener *listener;
	unsigned int i;

	for (i = 0; i < state->n_listeners; i++) {
		listener = &state->listeners[i];
		listener->acl = get_place(inst, listener->acl_name);
		if (!listener->acl)
			return -ENOMEM;
	}
	return 0;
}

static bool is_named(const struct ntpk_state *state, const struct ntpk_acl_place *place)
{
	unsigned int i;

	for (i = 0; state && i < state->n_listeners; i++)
		if (state->listeners[i].acl == place)
			return true;
	return false;
}

static bool is_coming(struct ntpk_inst *inst, const struct ntpk_acl_place *place)
{
	bool is;

	spin_lock(&inst->coming_lock);
	is = inst->acl_coming && inst->acl_coming->place == place;
	spin_unlock(&inst->coming_lock);
	return is;
}

static void drop_unnamed(struct ntpk_inst *inst, const struct ntpk_state *state, bool empty_only)
{
	struct ntpk_acl_place *place, *next;

	list_for_each_entry_safe(place, next, &inst->acl_named, node) {
		if (is_named(state, place) || is_coming(inst, place) ||
		    (empty_only && rcu_access_pointer(place->list)))
			continue;
		list_del_rcu(&place->node);
		WRITE_ONCE(inst->acl_changes, atomic_inc_return(&changes));
		INIT_RCU_WORK(&place->release, release_place);
		ntpk_state_queue_release(&place->release);
	}
}

/**
 * ntpk_acl_unbind() - the push failed: forget the names that it brought
 * @inst: namespace
 * @old: the push that stays, NULL = none
 *
 * Lists that were sent stay, as the push may be tried again.
 *
 * Context: process, under ntpk_state_lock().
 */
void ntpk_acl_unbind(struct ntpk_inst *inst, const struct ntpk_state *old)
{
	drop_unnamed(inst, old, true);
}

/**
 * ntpk_acl_collect() - drop the lists that nobody names any more
 * @inst: namespace
 * @state: the push, published; packets may still have the one before it
 *
 * Context: process, under ntpk_state_lock().
 */
void ntpk_acl_collect(struct ntpk_inst *inst, const struct ntpk_state *state)
{
	drop_unnamed(inst, state, false);
}

/**
 * ntpk_acl_find() - a list of a namespace
 * @net: which
 * @name: of the list, "" = that of all
 *
 * Context: RCU.
 * Return: place, good until rcu_read_unlock(); ERR_PTR(-ENOENT): no list has this
 * name, nor has any listener; ERR_PTR(-ENOTCONN): not attached.
 */
const struct ntpk_acl_place *ntpk_acl_find(const struct net *net, const char *name)
{
	struct ntpk_inst *inst = ntpk_state_inst(net);
	const struct ntpk_acl_place *place;

	if (!inst)
		return ERR_PTR(-ENOTCONN);
	place = find_place(inst, name);
	return place ? place : ERR_PTR(-ENOENT);
}

/**
 * ntpk_acl_nth() - each of a namespace's lists
 * @net: which
 * @n: 0 is that of all
 *
 * Context: RCU.
 * Return: place, good until rcu_read_unlock(); NULL: there are no more.
 */
const struct ntpk_acl_place *ntpk_acl_nth(const struct net *net, unsigned int n)
{
	struct ntpk_inst *inst = ntpk_state_inst(net);
	const struct ntpk_acl_place *place;

	if (!inst || !n)
		return inst ? &inst->acl_common : NULL;
	list_for_each_entry_rcu(place, &inst->acl_named, node)
		if (!--n)
			return place;
	return NULL;
}

/**
 * ntpk_acl_changes() - has any list of a namespace changed?
 * @net: which
 *
 * Context: RCU.
 * Return: another number after each change.
 */
u32 ntpk_acl_changes(const struct net *net)
{
	const struct ntpk_inst *inst = ntpk_state_inst(net);

	/* before the lists: what is read with this number is no older than it */
	return inst ? smp_load_acquire(&inst->acl_changes) : 0;
}

/**
 * ntpk_acl_finds() - does a list allow the sender of a packet?
 * @acl: list
 * @skb: packet
 * @pf: NFPROTO_IPV4 or NFPROTO_IPV6
 *
 * Context: softirq, RCU.  At most 20 steps.
 * Return: whether.
 */
bool ntpk_acl_finds(const struct ntpk_acl *acl, const struct sk_buff *skb, u8 pf)
{
	struct ntp_acl_addr addr;

	if (pf == NFPROTO_IPV4)
		return ntp_acl_find_v4(&acl->list.v4, ntohl(ip_hdr(skb)->saddr)) & NTP_ACL_ALLOW;
	addr = ntp_acl_addr_v6(ipv6_hdr(skb)->saddr.s6_addr32);
	return ntp_acl_find_v6(&acl->list.v6, &addr) & NTP_ACL_ALLOW;
}
