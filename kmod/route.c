// SPDX-License-Identifier: GPL-2.0-only
/*
 * The way back to a client.  A lookup costs a third of an answer, so that the
 * last ones are remembered, per CPU: a small direct-mapped table of references,
 * as struct dst_cache is one of a single entry.  What the kernel makes invalid
 * (routes, devices, policies: the generation that dst_check() looks at) is looked
 * up anew; where ports or IPsec policies could choose the way, nothing is
 * remembered at all.
 * Softirq under RCU with softirqs off; the table is this CPU's alone, which on
 * PREEMPT_RT its local lock says.
 */
#include <linux/hash.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/local_lock.h>
#include <linux/netfilter.h>
#include <linux/percpu.h>
#include <linux/security.h>
#include <net/dst.h>
#include <net/ip.h>
#include <net/ip6_fib.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/l3mdev.h>
#include <net/route.h>
#include <net/xfrm.h>

#include "compat.h"
#include "route.h"
#include "rx_priv.h"
#include "state.h"

#define ROUTES_LOG2	6

/**
 * struct route_v4 - one remembered way
 * @dst: reference held, NULL = empty
 * @saddr: address of ours that was asked
 * @daddr: client
 * @mark: of the reply
 * @dev: index of the VRF's device, 0 = none
 */
struct route_v4 {
	struct dst_entry *dst;
	__be32	saddr;
	__be32	daddr;
	u32	mark;
	int	dev;
} __aligned(32);

static_assert(sizeof(struct route_v4) == 32);

/**
 * struct route_v6 - one remembered way
 * @dst: reference held, NULL = empty
 * @saddr: address of ours that was asked
 * @daddr: client
 * @mark: of the reply
 * @dev: index of the device that decides: VRF, or the link of a link-local address
 * @cookie: for dst_check()
 */
struct route_v6 {
	struct dst_entry *dst;
	struct in6_addr	saddr;
	struct in6_addr	daddr;
	u32	mark;
	int	dev;
	u32	cookie;
};

/**
 * struct ntpk_routes - those of one CPU
 * @lock: for PREEMPT_RT, where softirqs of one CPU can preempt each other
 * @v4: by hash of the client's address; two share a cache line
 * @v6: by hash of the client's address
 */
struct ntpk_routes {
	local_lock_t	lock;
	struct route_v4	v4[1 << ROUTES_LOG2] ____cacheline_aligned;
#if IS_ENABLED(CONFIG_IPV6)
	struct route_v6	v6[1 << ROUTES_LOG2];
#endif
};

/**
 * ntpk_route_alloc() - an empty table for each CPU
 *
 * Context: process.
 * Return: for ntpk_route_release(); NULL without memory.
 */
struct ntpk_routes __percpu *ntpk_route_alloc(void)
{
	struct ntpk_routes __percpu *routes;
	int cpu;

	routes = alloc_percpu_gfp(struct ntpk_routes, GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (!routes)
		return NULL;
	for_each_possible_cpu(cpu)
		local_lock_init(&per_cpu_ptr(routes, cpu)->lock);
	return routes;
}

static void release_cpu(struct ntpk_routes *routes)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(routes->v4); i++)
		dst_release(routes->v4[i].dst);
#if IS_ENABLED(CONFIG_IPV6)
	for (i = 0; i < ARRAY_SIZE(routes->v6); i++)
		dst_release(routes->v6[i].dst);
#endif
}

/**
 * ntpk_route_release() - give all references back
 * @routes: nobody uses it any more; NULL is fine
 *
 * Context: process.
 */
void ntpk_route_release(struct ntpk_routes __percpu *routes)
{
	int cpu;

	if (!routes)
		return;
	for_each_possible_cpu(cpu)
		release_cpu(per_cpu_ptr(routes, cpu));
	free_percpu(routes);
}

/* Could IPsec policies choose the way?  Then each packet asks anew. */
static bool has_policies(const struct net *net)
{
#ifdef CONFIG_XFRM
	return net->xfrm.policy_count[XFRM_POLICY_OUT];
#else
	return false;
#endif
}

/* The VRF that a packet came in by, 0 = none. */
static int vrf_of(const struct ntpk_rx *rx)
{
	const struct net_device *dev = rx->skb->dev;

	if (likely(!netif_is_l3_master(dev) && !netif_is_l3_slave(dev)))
		return 0;
	return l3mdev_master_ifindex_rcu(dev);
}

static enum ntpk_reason lookup_v4(const struct ntpk_rx *rx, u32 mark, int vrf,
				  struct dst_entry **dst)
{
	const struct iphdr *iph = ip_hdr(rx->skb);
	struct flowi4 fl4 = {
		.daddr = iph->saddr,
		.saddr = iph->daddr,
		.fl4_sport = rx->dport,
		.fl4_dport = rx->sport,
		.flowi4_proto = IPPROTO_UDP,
		.flowi4_mark = mark,
		.flowi4_uid = sock_net_uid(rx->inst->net, NULL),
		.flowi4_l3mdev = vrf,
		/* the address asked may be local by a route only (AnyIP) */
		.flowi4_flags = FLOWI_FLAG_ANYSRC,
	};
	struct rtable *rt;

	security_skb_classify_flow(rx->skb, flowi4_to_flowi_common(&fl4));
	rt = ip_route_output_flow(rx->inst->net, &fl4, NULL);
	if (IS_ERR(rt))
		return NTPK_REASON_NO_ROUTE;
	/* a way that ends in many hosts is none: the source was not one host's */
	if (rt->rt_flags & (RTCF_BROADCAST | RTCF_MULTICAST)) {
		ip_rt_put(rt);
		return NTPK_REASON_BAD_SOURCE;
	}
	*dst = &rt->dst;
	return NTPK_REASON_NONE;
}

/*
 * Could a rule look at ports?  fib_rules_require_fldissect does not tell of those that have
 * `iif lo`, which are for what is sent from here.  A change of rules ends IPv4's generation.
 */
static bool rules_ask_ports_v4(const struct net *net)
{
#ifdef CONFIG_IP_MULTIPLE_TABLES
	return net->ipv4.fib_has_custom_rules;
#else
	return false;
#endif
}

static bool is_way_v4(const struct route_v4 *slot, const struct iphdr *iph, u32 mark, int vrf)
{
	return slot->daddr == iph->saddr && slot->saddr == iph->daddr && slot->mark == mark &&
	       slot->dev == vrf && slot->dst && dst_check(slot->dst, 0);
}

/* The table's own reference is all there is: freed no sooner than RCU allows. */
static noinline enum ntpk_reason renew_v4(struct route_v4 *slot, const struct ntpk_rx *rx,
					  u32 mark, int vrf)
{
	struct dst_entry *dst;
	enum ntpk_reason reason = lookup_v4(rx, mark, vrf, &dst);

	if (reason != NTPK_REASON_NONE)
		return reason;
	dst_release(slot->dst);
	slot->dst = dst;
	slot->saddr = ip_hdr(rx->skb)->daddr;
	slot->daddr = ip_hdr(rx->skb)->saddr;
	slot->mark = mark;
	slot->dev = vrf;
	return NTPK_REASON_NONE;
}

static enum ntpk_reason get_v4(struct ntpk_rx *rx, u32 mark)
{
	const struct iphdr *iph = ip_hdr(rx->skb);
	enum ntpk_reason reason = NTPK_REASON_NONE;
	struct ntpk_inst *inst = rx->inst;
	struct route_v4 *slot;
	int vrf = vrf_of(rx);

	if (unlikely(has_policies(inst->net) || rules_ask_ports_v4(inst->net))) {
		rx->dst_held = true;
		return lookup_v4(rx, mark, vrf, &rx->dst);
	}
	local_lock_nested_bh(&inst->routes->lock);
	slot = &this_cpu_ptr(inst->routes)->v4[hash_32((__force u32)iph->saddr, ROUTES_LOG2)];
	if (unlikely(!is_way_v4(slot, iph, mark, vrf)))
		reason = renew_v4(slot, rx, mark, vrf);
	rx->dst = slot->dst;
	local_unlock_nested_bh(&inst->routes->lock);
	return reason;
}

#if IS_ENABLED(CONFIG_IPV6)
/* @dev: of a link-local end the interface it came in by, else the VRF or 0 */
static enum ntpk_reason lookup_v6(const struct ntpk_rx *rx, u32 mark, int dev, bool link_local,
				  struct dst_entry **dst)
{
	const struct ipv6hdr *ip6h = ipv6_hdr(rx->skb);
	struct flowi6 fl6 = {
		.daddr = ip6h->saddr,
		.saddr = ip6h->daddr,
		.fl6_sport = rx->dport,
		.fl6_dport = rx->sport,
		.flowi6_proto = IPPROTO_UDP,
		.flowi6_mark = mark,
		.flowi6_uid = sock_net_uid(rx->inst->net, NULL),
		.flowi6_oif = link_local ? dev : 0,
		.flowi6_l3mdev = link_local ? 0 : dev,
	};

	security_skb_classify_flow(rx->skb, flowi6_to_flowi_common(&fl6));
	*dst = ip6_dst_lookup_flow(rx->inst->net, NULL, &fl6, NULL);
	return IS_ERR(*dst) ? NTPK_REASON_NO_ROUTE : NTPK_REASON_NONE;
}

static bool is_link_local(const struct ipv6hdr *ip6h)
{
	return (ipv6_addr_type(&ip6h->saddr) | ipv6_addr_type(&ip6h->daddr)) & IPV6_ADDR_LINKLOCAL;
}

/* Could a rule look at ports, and would nobody tell of a change of rules? */
static bool rules_ask_ports_v6(const struct net *net)
{
#ifdef CONFIG_IPV6_MULTIPLE_TABLES
	return net->ipv6.fib6_has_custom_rules;
#else
	return false;
#endif
}

static bool is_way_v6(const struct route_v6 *slot, const struct ipv6hdr *ip6h, u32 mark, int dev)
{
	return slot->dst && ipv6_addr_equal(&slot->daddr, &ip6h->saddr) &&
	       ipv6_addr_equal(&slot->saddr, &ip6h->daddr) && slot->mark == mark &&
	       slot->dev == dev && dst_check(slot->dst, slot->cookie);
}

static noinline enum ntpk_reason renew_v6(struct route_v6 *slot, const struct ntpk_rx *rx,
					  u32 mark, int dev, bool link_local)
{
	struct dst_entry *dst;
	enum ntpk_reason reason = lookup_v6(rx, mark, dev, link_local, &dst);

	if (reason != NTPK_REASON_NONE)
		return reason;
	dst_release(slot->dst);
	slot->dst = dst;
	slot->saddr = ipv6_hdr(rx->skb)->daddr;
	slot->daddr = ipv6_hdr(rx->skb)->saddr;
	slot->mark = mark;
	slot->dev = dev;
	slot->cookie = rt6_get_cookie(dst_rt6_info(dst));
	return NTPK_REASON_NONE;
}

static enum ntpk_reason get_v6(struct ntpk_rx *rx, u32 mark)
{
	const struct ipv6hdr *ip6h = ipv6_hdr(rx->skb);
	bool link_local = is_link_local(ip6h);
	int dev = link_local ? IP6CB(rx->skb)->iif : vrf_of(rx);
	enum ntpk_reason reason = NTPK_REASON_NONE;
	struct ntpk_inst *inst = rx->inst;
	struct route_v6 *slot;

	if (unlikely(has_policies(inst->net) || rules_ask_ports_v6(inst->net))) {
		rx->dst_held = true;
		return lookup_v6(rx, mark, dev, link_local, &rx->dst);
	}
	local_lock_nested_bh(&inst->routes->lock);
	slot = &this_cpu_ptr(inst->routes)->v6[hash_32(ipv6_addr_hash(&ip6h->saddr), ROUTES_LOG2)];
	if (unlikely(!is_way_v6(slot, ip6h, mark, dev)))
		reason = renew_v6(slot, rx, mark, dev, link_local);
	rx->dst = slot->dst;
	local_unlock_nested_bh(&inst->routes->lock);
	return reason;
}
#endif

/**
 * ntpk_route_get() - the way back
 * @rx: request to be answered; gets the way, and whether a reference of it goes
 *	with it: one that is remembered stays while RCU is read, as one of an input
 *	lookup does
 * @mark: of the reply
 *
 * Context: softirq, RCU.
 * Return: NTPK_REASON_NONE; NO_ROUTE when there is no way; BAD_SOURCE when it ends
 * in many hosts.
 */
static enum ntpk_reason ntpk_route_get(struct ntpk_rx *rx, u32 mark)
{
#if IS_ENABLED(CONFIG_IPV6)
	if (rx->pf == NFPROTO_IPV6)
		return get_v6(rx, mark);
#endif
	return get_v4(rx, mark);
}

/**
 * ntpk_route_put() - the way is not taken after all
 * @rx: request that ntpk_route_get() was called for
 *
 * Context: softirq, RCU.
 */
static void ntpk_route_put(const struct ntpk_rx *rx)
{
	if (rx->dst_held)
		dst_release(rx->dst);
}
