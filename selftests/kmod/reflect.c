// SPDX-License-Identifier: GPL-2.0-only
/*
 * The least that any answer in softirq can cost: a hook at the module's own
 * place that swaps the addresses of a UDP packet for port 123 in place and
 * sends it back by the device it came from.  No route, no checksum (a swap does
 * not change it), no time.  For the bench only: it answers anything.
 * Softirq, no state.
 */
#include <linux/etherdevice.h>
#include <linux/if_ether.h>
#include <linux/module.h>
#include <linux/netfilter_ipv4.h>

#include "hooks.h"

static unsigned int hook(void *priv, struct sk_buff *skb, const struct nf_hook_state *hs)
{
	struct udphdr *uh = udp_of(skb, hs->pf);
	unsigned char dest[ETH_ALEN];
	struct ethhdr *eth;

	if (!uh || uh->dest != htons(123) || !skb_mac_header_was_set(skb))
		return NF_ACCEPT;
	if (hs->pf == NFPROTO_IPV4)
		swap(ip_hdr(skb)->saddr, ip_hdr(skb)->daddr);
	else
		swap(ipv6_hdr(skb)->saddr, ipv6_hdr(skb)->daddr);
	swap(uh->source, uh->dest);
	eth = eth_hdr(skb);
	ether_addr_copy(dest, eth->h_source);
	ether_addr_copy(eth->h_source, eth->h_dest);
	ether_addr_copy(eth->h_dest, dest);
	skb_push(skb, skb->data - skb_mac_header(skb));
	skb->ip_summed = CHECKSUM_NONE;
	dev_queue_xmit(skb);
	return NF_STOLEN;
}

static const struct nf_hook_ops hooks[2] = {
	{
		.hook = hook,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_LOCAL_IN,
		.priority = NF_IP_PRI_LAST - 2,
	},
	{
		.hook = hook,
		.pf = NFPROTO_IPV6,
		.hooknum = NF_INET_LOCAL_IN,
		.priority = NF_IP_PRI_LAST - 2,
	},
};

static int __init reflect_init(void)
{
	return register_pernet_subsys(&net_ops);
}

static void __exit reflect_exit(void)
{
	unregister_pernet_subsys(&net_ops);
}

module_init(reflect_init);
module_exit(reflect_exit);
MODULE_DESCRIPTION("Reflects UDP packets for port 123, for the bench of ntpk");
MODULE_LICENSE("GPL");
