/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What modules with netfilter hooks for requests share: the array "hooks" of who
 * includes this is registered in every namespace.
 */
#ifndef SELFTESTS_KMOD_HOOKS_H
#define SELFTESTS_KMOD_HOOKS_H

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netfilter.h>
#include <linux/udp.h>
#include <net/net_namespace.h>

static const struct nf_hook_ops hooks[2];

/* The UDP header of a packet without options; NULL: it has none. */
static struct udphdr *udp_of(struct sk_buff *skb, u8 pf)
{
	unsigned int off = pf == NFPROTO_IPV4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);

	if (pf == NFPROTO_IPV4 ? ip_hdr(skb)->protocol != IPPROTO_UDP :
				 ipv6_hdr(skb)->nexthdr != IPPROTO_UDP)
		return NULL;
	if (!pskb_may_pull(skb, off + sizeof(struct udphdr)))
		return NULL;
	return (struct udphdr *)(skb_network_header(skb) + off);
}

static int __net_init net_init(struct net *net)
{
	return nf_register_net_hooks(net, hooks, ARRAY_SIZE(hooks));
}

static void __net_exit net_exit(struct net *net)
{
	nf_unregister_net_hooks(net, hooks, ARRAY_SIZE(hooks));
}

static struct pernet_operations net_ops = {
	.init = net_init,
	.exit = net_exit,
};

#endif /* SELFTESTS_KMOD_HOOKS_H */
