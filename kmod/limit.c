// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buckets of clients.  The table is made and freed by pushes, in process context
 * under ntpk_net.lock, and used in softirq under RCU, without locks.  Nothing is
 * allocated for a packet.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/mm.h>
#include <linux/netfilter.h>
#include <linux/random.h>
#include <linux/siphash.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <ntpk/ntp_limit.h>

#include "limit.h"
#include "rx_priv.h"
#include "state.h"

/**
 * struct ntpk_limits - a table
 * @release: frees it in process context after a grace period: it may be megabytes
 * @key: so that nobody can choose whose line he shares
 * @n_lines: of @lines
 * @lines: their size is a power of two, which aligns them
 */
struct ntpk_limits {
	struct rcu_work	release;
	siphash_key_t	key;
	u32	n_lines;
	struct ntp_limit_line *lines;
};

static void limits_free(struct ntpk_limits *limits)
{
	if (!limits)
		return;
	kvfree(limits->lines);
	kfree(limits);
}

static void release_work(struct work_struct *work)
{
	limits_free(container_of(to_rcu_work(work), struct ntpk_limits, release));
}

static struct ntpk_limits *limits_alloc(u32 n_lines)
{
	struct ntpk_limits *limits = kzalloc(sizeof(*limits), GFP_KERNEL_ACCOUNT);

	if (!limits)
		return NULL;
	limits->lines = kvcalloc(n_lines, sizeof(limits->lines[0]), GFP_KERNEL_ACCOUNT);
	if (!limits->lines) {
		kfree(limits);
		return NULL;
	}
	get_random_bytes(&limits->key, sizeof(limits->key));
	limits->n_lines = n_lines;
	return limits;
}

static u32 lines_wanted(const struct ntpk_state *state)
{
	unsigned int i;

	for (i = 0; i < state->n_listeners; i++)
		if (state->listeners[i].policy.limit.cost)
			return ntp_limit_lines(state->limit_clients);
	return 0;
}

/**
 * ntpk_limit_prepare() - the table that a push needs
 * @inst: attached, ntpk_net.lock is held
 * @state: to be published
 *
 * A table of the right size stays, with what it knows.
 *
 * Context: process.
 * Return: 0; -E2BIG: more clients than an unprivileged owner may have; -ENOMEM.
 * Nothing has changed unless 0.
 */
int ntpk_limit_prepare(struct ntpk_inst *inst, const struct ntpk_state *state)
{
	struct ntpk_limits *old = rcu_dereference_protected(inst->limits, true);
	struct ntpk_limits *limits = NULL;
	u32 n_lines = lines_wanted(state);

	if ((old ? old->n_lines : 0) == n_lines)
		return 0;
	if (inst->net->user_ns != &init_user_ns &&
	    n_lines > ntp_limit_lines(NTPK_LIMIT_CLIENTS_DEFAULT))
		return -E2BIG;
	if (n_lines) {
		limits = limits_alloc(n_lines);
		if (!limits)
			return -ENOMEM;
	}
	rcu_assign_pointer(inst->limits, limits);
	if (old) {
		INIT_RCU_WORK(&old->release, release_work);
		ntpk_state_queue_release(&old->release);
	}
	return 0;
}

/**
 * ntpk_limit_clean() - free the table of an instance
 * @inst: no reader is left
 *
 * Context: process.
 */
void ntpk_limit_clean(struct ntpk_inst *inst)
{
	limits_free(rcu_dereference_protected(inst->limits, true));
}

static u64 hash_of(const struct ntpk_limits *limits, const struct ntp_limit *limit,
		   const struct sk_buff *skb, u8 pf)
{
	struct ntp_acl_addr who;

	if (pf == NFPROTO_IPV4) {
		who = ntp_limit_who(limit, ntp_acl_addr_v4(ntohl(ip_hdr(skb)->saddr)), false);
		return siphash_2u64(who.hi, limit->kind, &limits->key);
	}
	who = ntp_limit_who(limit, ntp_acl_addr_v6(ipv6_hdr(skb)->saddr.s6_addr32), true);
	return siphash_3u64(who.hi, who.lo, limit->kind, &limits->key);
}

/**
 * ntpk_limit_allows() - is this request within its client's share?
 * @rx: of a listener with a limit, with the clocks read
 *
 * Context: softirq, RCU.
 * Return: whether.
 */
bool ntpk_limit_allows(const struct ntpk_rx *rx)
{
	const struct ntp_limit *limit = &rx->listener->policy.limit;
	struct ntpk_limits *limits = rcu_dereference(rx->inst->limits);

	/* a push that ends all limits is on its way */
	if (unlikely(!limits))
		return true;
	return ntp_limit_take(limits->lines, limits->n_lines,
			      hash_of(limits, limit, rx->skb, rx->pf), rx->now.raw_ns, limit);
}
