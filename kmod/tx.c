// SPDX-License-Identifier: GPL-2.0-only
/*
 * Building, routing and sending the reply, with T3 written last.
 * Softirq under RCU; allocates the one skb of the reply and nothing else.
 * The request is only read: its fate is the caller's.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netfilter.h>
#include <linux/pkt_sched.h>
#include <linux/security.h>
#include <linux/udp.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/l3mdev.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/route.h>
#include <net/udp.h>

#include "auth.h"
#include "tstamp.h"
#include "tx.h"

/*
 * The reply continues the request's conversation, as far as conntrack is
 * concerned: established for the OUTPUT chains, translated back by NAT, and
 * never entered in the table, as a reply to an unconfirmed entry is not
 * confirmed.  Untracked answers untracked.
 */
static void set_conntrack(struct sk_buff *skb, const struct sk_buff *req)
{
#if IS_ENABLED(CONFIG_NF_CONNTRACK)
	enum ip_conntrack_info ctinfo;
	struct nf_conn *ct = nf_ct_get(req, &ctinfo);

	if (!ct) {
		if (ctinfo == IP_CT_UNTRACKED)
			nf_ct_set(skb, NULL, IP_CT_UNTRACKED);
		return;
	}
	/* a request in reply direction is somebody's odd use of port 123 */
	if (CTINFO2DIR(ctinfo) != IP_CT_DIR_ORIGINAL)
		return;
	nf_conntrack_get(&ct->ct_general);
	nf_ct_set(skb, ct, IP_CT_ESTABLISHED_REPLY);
#endif
}

static size_t udp_len(const struct ntpk_tx *tx)
{
	return sizeof(struct udphdr) + tx->reply_len + tx->mac_len;
}

static struct sk_buff *alloc_reply(const struct ntpk_tx *tx, size_t ip_len, u32 mark)
{
	struct sk_buff *skb;

	skb = alloc_skb(LL_MAX_HEADER + ip_len + udp_len(tx), GFP_ATOMIC);
	if (!skb)
		return NULL;
	skb_reserve(skb, LL_MAX_HEADER);
	skb_reset_network_header(skb);
	skb_put(skb, ip_len);
	skb_set_transport_header(skb, ip_len);
	skb->mark = mark;
	skb->priority = TC_PRIO_CONTROL;
	/* transmit where it was received, if the queues are paired */
	if (skb_rx_queue_recorded(tx->req))
		skb_record_rx_queue(skb, skb_get_rx_queue(tx->req));
	set_conntrack(skb, tx->req);
	return skb;
}

/*
 * The UDP datagram but for its checksum.  T3 is taken here, and is what it will be
 * once the MAC over it is made.
 */
static enum ntpk_reason put_udp(struct sk_buff *skb, struct ntpk_tx *tx)
{
	struct udphdr *uh = skb_put(skb, udp_len(tx));
	enum ntpk_reason reason;

	uh->source = tx->dport;
	uh->dest = tx->sport;
	uh->len = htons(udp_len(tx));
	uh->check = 0;
	tx->t3_raw_ns = ntpk_tstamp_tx() + ntpk_auth_work_ns(tx->key);
	reason = ntp_reply_stamp(&tx->reply->hdr, tx->serve, tx->t3_raw_ns, tx->random);
	memcpy(uh + 1, tx->reply, tx->reply_len);
	if (tx->mac_len)
		ntpk_auth_put_mac(tx->key, (u8 *)(uh + 1), tx->reply_len, tx->mac_len);
	return reason;
}

static enum ntpk_reason sent(int err)
{
	return net_xmit_eval(err) ? NTPK_REASON_SEND_FAILED : NTPK_REASON_NONE;
}

static struct rtable *route_v4(const struct ntpk_tx *tx, u32 mark)
{
	const struct iphdr *iph = ip_hdr(tx->req);
	struct flowi4 fl4 = {
		.daddr = iph->saddr,
		.saddr = iph->daddr,
		.fl4_sport = tx->dport,
		.fl4_dport = tx->sport,
		.flowi4_proto = IPPROTO_UDP,
		.flowi4_mark = mark,
		.flowi4_uid = sock_net_uid(tx->net, NULL),
		.flowi4_l3mdev = l3mdev_master_ifindex_rcu(tx->req->dev),
		/* the address asked may be local by a route only (AnyIP) */
		.flowi4_flags = FLOWI_FLAG_ANYSRC,
	};

	security_skb_classify_flow(tx->req, flowi4_to_flowi_common(&fl4));
	return ip_route_output_flow(tx->net, &fl4, NULL);
}

static void put_iphdr(struct sk_buff *skb, const struct iphdr *req, const struct rtable *rt)
{
	struct iphdr *iph = ip_hdr(skb);

	iph->version = 4;
	iph->ihl = sizeof(*iph) / 4;
	iph->tos = 0;
	iph->id = 0;			/* fine with DF: RFC 6864 */
	iph->frag_off = htons(IP_DF);
	iph->ttl = ip4_dst_hoplimit(&rt->dst);
	iph->protocol = IPPROTO_UDP;
	iph->saddr = req->daddr;
	iph->daddr = req->saddr;
	skb->protocol = htons(ETH_P_IP);
}

static enum ntpk_reason send_v4(struct ntpk_tx *tx)
{
	u32 mark = IP4_REPLY_MARK(tx->net, tx->req->mark);
	struct rtable *rt = route_v4(tx, mark);
	enum ntpk_reason reason;
	struct sk_buff *skb;

	if (IS_ERR(rt))
		return NTPK_REASON_NO_ROUTE;
	if (rt->rt_flags & (RTCF_BROADCAST | RTCF_MULTICAST)) {
		ip_rt_put(rt);
		return NTPK_REASON_BAD_SOURCE;
	}
	skb = alloc_reply(tx, sizeof(struct iphdr), mark);
	if (!skb) {
		ip_rt_put(rt);
		return NTPK_REASON_NO_MEMORY;
	}
	skb_dst_set(skb, &rt->dst);
	put_iphdr(skb, ip_hdr(tx->req), rt);
	reason = put_udp(skb, tx);
	if (reason != NTPK_REASON_NONE) {
		kfree_skb(skb);
		return reason;
	}
	udp_set_csum(false, skb, ip_hdr(skb)->saddr, ip_hdr(skb)->daddr, udp_len(tx));
	return sent(ip_local_out(tx->net, NULL, skb));
}

#if IS_ENABLED(CONFIG_IPV6)
static struct dst_entry *route_v6(const struct ntpk_tx *tx, u32 mark)
{
	const struct ipv6hdr *ip6h = ipv6_hdr(tx->req);
	struct flowi6 fl6 = {
		.daddr = ip6h->saddr,
		.saddr = ip6h->daddr,
		.fl6_sport = tx->dport,
		.fl6_dport = tx->sport,
		.flowi6_proto = IPPROTO_UDP,
		.flowi6_mark = mark,
		.flowi6_uid = sock_net_uid(tx->net, NULL),
	};

	/* a link-local end: through the interface it came in by, not its VRF */
	if ((ipv6_addr_type(&ip6h->saddr) | ipv6_addr_type(&ip6h->daddr)) & IPV6_ADDR_LINKLOCAL)
		fl6.flowi6_oif = IP6CB(tx->req)->iif;
	else
		fl6.flowi6_l3mdev = l3mdev_master_ifindex_rcu(tx->req->dev);
	security_skb_classify_flow(tx->req, flowi6_to_flowi_common(&fl6));
	return ip6_dst_lookup_flow(tx->net, NULL, &fl6, NULL);
}

static void put_ipv6hdr(struct sk_buff *skb, const struct ipv6hdr *req, struct dst_entry *dst)
{
	struct ipv6hdr *ip6h = ipv6_hdr(skb);

	ip6_flow_hdr(ip6h, 0, 0);
	ip6h->nexthdr = IPPROTO_UDP;
	ip6h->hop_limit = ip6_dst_hoplimit(dst);
	ip6h->saddr = req->daddr;
	ip6h->daddr = req->saddr;
	skb->protocol = htons(ETH_P_IPV6);
}

static enum ntpk_reason send_v6(struct ntpk_tx *tx)
{
	u32 mark = IP6_REPLY_MARK(tx->net, tx->req->mark);
	struct dst_entry *dst = route_v6(tx, mark);
	enum ntpk_reason reason;
	struct sk_buff *skb;

	if (IS_ERR(dst))
		return NTPK_REASON_NO_ROUTE;
	skb = alloc_reply(tx, sizeof(struct ipv6hdr), mark);
	if (!skb) {
		dst_release(dst);
		return NTPK_REASON_NO_MEMORY;
	}
	skb_dst_set(skb, dst);
	put_ipv6hdr(skb, ipv6_hdr(tx->req), dst);
	reason = put_udp(skb, tx);
	if (reason != NTPK_REASON_NONE) {
		kfree_skb(skb);
		return reason;
	}
	udp6_set_csum(false, skb, &ipv6_hdr(skb)->saddr, &ipv6_hdr(skb)->daddr, udp_len(tx));
	return sent(ip6_local_out(tx->net, NULL, skb));
}
#else
static enum ntpk_reason send_v6(struct ntpk_tx *tx)
{
	return NTPK_REASON_NO_ROUTE;
}
#endif

/**
 * ntpk_tx_send() - build the packet, stamp it and send it
 * @tx: what to send, and what to tell
 *
 * Context: softirq, RCU.
 * Return: NTPK_REASON_NONE when the reply is on its way, else why it is not.
 */
enum ntpk_reason ntpk_tx_send(struct ntpk_tx *tx)
{
	return tx->pf == NFPROTO_IPV6 ? send_v6(tx) : send_v4(tx);
}
