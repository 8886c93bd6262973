// SPDX-License-Identifier: GPL-2.0-only
/*
 * Building and sending the reply, with T3 written last.
 * Softirq under RCU.  Where the request's own buffer is ours alone the reply is
 * made in it; else, which gives the same bytes, one is allocated.  Where the way
 * is plain it goes past the hooks straight to the neighbour; else, and where
 * OUTPUT chains are, through ip_local_out().
 */
#include <linux/if_vlan.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netfilter.h>
#include <linux/pkt_sched.h>
#include <linux/udp.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/route.h>
#include <net/udp.h>
#include <ntpk/ntp_plain.h>

#include "auth.h"
#include "compat.h"
#include "departure.h"
#include "hwleft.h"
#include "interleave.h"
#include "route.h"
#include "rx_priv.h"
#include "state.h"
#include "tstamp.h"
#include "watch.h"

/*
 * The reply continues the request's conversation, as far as conntrack is
 * concerned: established for the OUTPUT chains, translated back by NAT, and
 * never entered in the table, as a reply to an unconfirmed entry is not
 * confirmed.  Untracked answers untracked.  The entry goes with the reply: one
 * that is not confirmed must have one packet only, or NFQUEUE throws that away.
 */
static void move_conntrack(struct sk_buff *skb, struct sk_buff *req)
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
	nf_ct_set(skb, ct, IP_CT_ESTABLISHED_REPLY);
	nf_ct_set(req, NULL, 0);
#endif
}

/* The same in the request's own buffer. */
static void turn_conntrack(struct sk_buff *skb)
{
#if IS_ENABLED(CONFIG_NF_CONNTRACK)
	enum ip_conntrack_info ctinfo;
	struct nf_conn *ct = nf_ct_get(skb, &ctinfo);

	if (likely(!ct))
		return;
	if (CTINFO2DIR(ctinfo) == IP_CT_DIR_ORIGINAL)
		nf_ct_set(skb, ct, IP_CT_ESTABLISHED_REPLY);
	else
		nf_reset_ct(skb);
#endif
}

static size_t ip_len(const struct ntpk_rx *rx)
{
	return rx->pf == NFPROTO_IPV6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr);
}

static size_t udp_len(const struct ntpk_rx *rx)
{
	return sizeof(struct udphdr) + rx->reply_len;
}

static noinline struct sk_buff *alloc_reply(const struct ntpk_rx *rx)
{
	/* a tunnel without encapsulation of its own route may take more than any link */
	size_t room = max_t(size_t, LL_MAX_HEADER, LL_RESERVED_SPACE(rx->dst->dev));
	struct sk_buff *skb;

	skb = alloc_skb(room + ip_len(rx) + udp_len(rx), GFP_ATOMIC);
	if (!skb)
		return NULL;
	skb_reserve(skb, room);
	skb_put(skb, ip_len(rx) + udp_len(rx));
	skb_reset_network_header(skb);
	skb_set_transport_header(skb, ip_len(rx));
	/* transmit where it was received, if the queues are paired */
	if (skb_rx_queue_recorded(rx->skb))
		skb_record_rx_queue(skb, skb_get_rx_queue(rx->skb));
	move_conntrack(skb, rx->skb);
	return skb;
}

/*
 * Is the buffer of the request ours alone, in one piece, with room for the link's
 * header?  Not where a packet socket looks on, nor where a driver keeps pages.
 */
static bool can_reuse(const struct ntpk_rx *rx)
{
	const struct sk_buff *skb = rx->skb;

	return !skb_shared(skb) && !skb_cloned(skb) && !skb_is_nonlinear(skb) &&
	       !skb_network_offset(skb) && !skb_vlan_tag_present(skb) && !skb_pfmemalloc(skb) &&
	       !skb_zcopy((struct sk_buff *)skb) && skb->len >= rx->udp_off + udp_len(rx) &&
	       skb_headroom(skb) >= LL_RESERVED_SPACE(rx->dst->dev);
}

/*
 * Forget all that the packet brought with it: what forwarding forgets, and what
 * a packet that begins here never had.
 */
static void scrub(struct sk_buff *skb)
{
	skb_orphan(skb);
	skb_dst_drop(skb);
	skb_ext_reset(skb);
	nf_reset_trace(skb);
	/* skb_clear_tstamp() keeps the time at which the request was to leave its sender */
	skb_set_delivery_time(skb, 0, 0);
	skb_clear_hash(skb);
	skb_reset_redirect(skb);
	skb_init_secmark(skb);
	skb_metadata_clear(skb);
	/* or what IPVS turned round on its way in is not turned back */
	ipvs_reset(skb);
#ifdef CONFIG_NET_SCHED
	skb->tc_index = 0;
#endif
	skb->ip_summed = CHECKSUM_NONE;
	skb->encapsulation = 0;
	skb->ignore_df = 0;
	skb->dev = NULL;
	skb->skb_iif = 0;
#ifdef CONFIG_NET_SWITCHDEV
	skb->offload_fwd_mark = 0;
	skb->offload_l3_fwd_mark = 0;
#endif
	skb_shinfo(skb)->tx_flags = 0;
	skb_hwtstamps(skb)->hwtstamp = 0;
	memset(skb->cb, 0, max(sizeof(struct inet_skb_parm), sizeof(struct inet6_skb_parm)));
}

/* Both headers are where they are in a request, which has no options. */
static struct sk_buff *reuse_request(const struct ntpk_rx *rx)
{
	struct sk_buff *skb = rx->skb;

	scrub(skb);
	turn_conntrack(skb);
	/* who had it in NFQUEUE may have moved it */
	skb_set_transport_header(skb, rx->udp_off);
	__skb_trim(skb, rx->udp_off + udp_len(rx));
	return skb;
}

/* A buffer of the right size with everything but bytes in it. */
static struct sk_buff *get_buffer(struct ntpk_rx *rx, u32 mark)
{
	struct sk_buff *skb;

	rx->reused = can_reuse(rx);
	skb = rx->reused ? reuse_request(rx) : alloc_reply(rx);
	if (unlikely(!skb))
		return NULL;
	skb->mark = mark;
	skb->priority = TC_PRIO_CONTROL;
	if (unlikely(rx->dst_held))
		skb_dst_set(skb, rx->dst);
	else
		skb_dst_set_noref(skb, rx->dst);
	return skb;
}

/* What follows the header: extension fields, and the MAC over all of it. */
static void put_tail(struct ntp_header *reply, const struct ntpk_rx *rx)
{
	u8 *message = (u8 *)reply;
	size_t len = NTP_HEADER_LEN;

	if (rx->ext.mono_root) {
		ntp_ext_put_mono_root(message + len, reply, &rx->state->serve,
				      &rx->answer);
		len += NTP_EXT_MONO_ROOT_LEN;
	}
	if (rx->mac_len)
		ntpk_auth_put_mac(rx->key, message, len, rx->mac_len);
}

/* Not where more than the header is made after T3, nor where IPsec makes a way longer. */
static bool can_learn(const struct ntpk_rx *rx)
{
	return rx->reply_len == NTP_HEADER_LEN && !dst_xfrm(rx->dst);
}

/*
 * Who asks in interleaved mode is told of the departure, and a few are learned from.
 * Return: whether this one is.
 */
static noinline bool watch(struct ntpk_rx *rx, struct sk_buff *skb, u64 t2, u32 way,
			   struct ntpk_departure *d)
{
	u64 name = ntpk_interleave_name(rx, t2);
	u32 key = ntpk_watch_key(name);
	bool learns = false, hw = false;

	if (!ntpk_watch_can(skb))
		return false;
	if (rx->interleaves) {
		ntpk_interleave_note(rx, name);
		hw = ntpk_hwleft_wait(rx, rx->dst->dev->ifindex, key);
	}
	/* a driver may do more for one that is to be stamped before the kernel stamps it */
	if (!hw && rx->now.raw_ns >= READ_ONCE(d->due_raw_ns) && can_learn(rx))
		learns = ntpk_departure_watch(d, way, key, rx);
	if (rx->interleaves || learns)
		ntpk_watch(skb, key, hw);
	return learns;
}

/* All but T3, the long way. */
static noinline void fill(struct ntp_header *reply, struct ntpk_rx *rx, u32 residual_ns)
{
	ntp_answer_add_disp(&rx->answer, residual_ns);
	ntp_reply_fill(reply, ntpk_rx_req(rx), &rx->state->serve, &rx->answer,
		       rx->random & U32_MAX);
}

/* And T3, which may be followed by more. */
static noinline enum ntpk_reason stamp(struct ntp_header *reply, const struct ntpk_rx *rx,
				       s64 t3_raw_ns)
{
	enum ntpk_reason reason = ntp_reply_stamp(reply, &rx->state->serve, t3_raw_ns,
						  rx->answer.correction_ns, rx->random >> 32);

	if (rx->answer.departed)
		reply->xmt_ts = cpu_to_be64(rx->answer.departed);
	if (rx->reply_len != NTP_HEADER_LEN)
		put_tail(reply, rx);
	return reason;
}

/*
 * The UDP datagram but for its checksum; in the request's own buffer the reply is
 * written over it.  T3 is taken here, and is what it will be once the MAC is made.
 */
static enum ntpk_reason put_udp(struct sk_buff *skb, struct ntpk_rx *rx)
{
	const struct ntp_serve *serve = &rx->state->serve;
	struct udphdr *uh = udp_hdr(skb);
	struct ntp_header *reply = (struct ntp_header *)(uh + 1);
	u32 way = ntpk_departure_way(rx->dst->dev->ifindex, rx->pf == NFPROTO_IPV6);
	struct ntpk_departure *d = ntpk_departure_place(rx->inst->departures, way);
	u32 correction_ns = 0, residual_ns = 0;
	bool learns = false;
	s64 t3_raw_ns;

	/* what was learned is of this way: pairs with the release in departure.c */
	if (likely(smp_load_acquire(&d->way) == way)) {
		correction_ns = READ_ONCE(d->correction_ns);
		residual_ns = READ_ONCE(d->residual_ns);
	}
	uh->source = rx->dport;
	uh->dest = rx->sport;
	uh->len = htons(udp_len(rx));
	if (likely(rx->plain))
		ntp_plain_fill(reply, ntpk_rx_req(rx), serve, &rx->now, rx->t2_age_ns,
			       rx->t2_err_ns + residual_ns, rx->random & U32_MAX);
	else
		fill(reply, rx, residual_ns);
	/* takes its time, so before T3 */
	if (unlikely(rx->interleaves || rx->now.raw_ns >= READ_ONCE(d->due_raw_ns))) {
		learns = watch(rx, skb, be64_to_cpu(reply->rec_ts), way, d);
		/* waits for its stamp, if it gets one */
		if (skb_shinfo(skb)->tx_flags & SKBTX_SW_TSTAMP &&
		    correction_ns > NTPK_DEPARTURE_LEAST_NS)
			correction_ns += ntpk_watch_delay_ns();
	}
	t3_raw_ns = ntpk_tstamp_tx();
	if (unlikely(learns))
		ntpk_departure_left_at(t3_raw_ns);
	t3_raw_ns += correction_ns;
	if (unlikely(rx->key))
		t3_raw_ns += ntpk_auth_work_ns(rx->key);
	rx->residence_ns = t3_raw_ns - rx->now.raw_ns + rx->t2_age_ns;
	rx->note.t2 = reply->rec_ts;
	if (likely(rx->plain))
		return ntp_plain_stamp(reply, serve, t3_raw_ns, rx->random >> 32);
	return stamp(reply, rx, t3_raw_ns);
}

static enum ntpk_reason sent(int err)
{
	return net_xmit_eval(err) ? NTPK_REASON_SEND_FAILED : NTPK_REASON_NONE;
}

/* ip4_dst_hoplimit() for somebody who knows the namespace. */
static u8 hoplimit_v4(const struct net *net, const struct dst_entry *dst)
{
	u8 hoplimit = dst_metric_raw(dst, RTAX_HOPLIMIT);

	return hoplimit ? hoplimit : READ_ONCE(net->ipv4.sysctl_ip_default_ttl);
}

static void put_iphdr(struct sk_buff *skb, __be32 saddr, __be32 daddr, u8 ttl)
{
	struct iphdr *iph = ip_hdr(skb);

	iph->version = 4;
	iph->ihl = sizeof(*iph) / 4;
	iph->tos = 0;
	iph->tot_len = htons(skb->len);
	iph->id = 0;			/* fine with DF: RFC 6864 */
	iph->frag_off = htons(IP_DF);
	iph->ttl = ttl;
	iph->protocol = IPPROTO_UDP;
	iph->saddr = saddr;
	iph->daddr = daddr;
	skb->protocol = htons(ETH_P_IP);
}

/* Is sending no more than finding the neighbour?  No tunnel, IPsec, VRF, fragment. */
static bool is_plain_v4(const struct sk_buff *skb)
{
	const struct dst_entry *dst = skb_dst(skb);
	const struct net_device *dev = dst->dev;

	return dst->output == ip_output && !dst->lwtstate && skb->len <= READ_ONCE(dev->mtu) &&
	       !netif_is_l3_master(dev) && !netif_is_l3_slave(dev);
}

/*
 * nf_hook() for somebody who reads RCU already: 1 to go on.  What a hook keeps for later,
 * which may be after the module has gone, goes on by a function of the kernel's own.
 */
static int run_postrouting_v4(struct net *net, struct sk_buff *skb)
{
	struct nf_hook_entries *hooks = rcu_dereference(net->nf.hooks_ipv4[NF_INET_POST_ROUTING]);
	struct nf_hook_state state ntpk_filled;

	if (!hooks)
		return 1;
	nf_hook_state_init(&state, NF_INET_POST_ROUTING, NFPROTO_IPV4, NULL, skb_dst(skb)->dev,
			   NULL, net, ip_output);
	return nf_hook_slow(skb, &state, hooks, 0);
}

/* What ip_output() does for it, hooks and all. */
static int output_plain_v4(struct net *net, struct sk_buff *skb)
{
	const struct dst_entry *dst = skb_dst(skb);
	struct neighbour *neigh;
	bool is_v6gw = false;
	int err;

	IP_UPD_PO_STATS(net, IPSTATS_MIB_OUT, skb->len);
	skb->dev = dst->dev;
	/* it shall not ask again */
	IPCB(skb)->flags |= IPSKB_REROUTED;
	err = run_postrouting_v4(net, skb);
	if (unlikely(err != 1))
		return err;
	/* NAT may have chosen another way */
	if (unlikely(skb_dst(skb) != dst))
		return dst_output(net, NULL, skb);
	neigh = ip_neigh_for_gw(skb_rtable(skb), skb, &is_v6gw);
	if (IS_ERR(neigh)) {
		kfree_skb(skb);
		return PTR_ERR(neigh);
	}
	return neigh_output(neigh, skb, is_v6gw);
}

/*
 * ip_fast_csum() of what put_iphdr() makes.  The address words and two 16-bit numbers
 * are what a pseudo header has as well, and which words make a sum is all the same.
 */
static __sum16 sum_v4(const struct iphdr *iph)
{
	return csum_tcpudp_magic(iph->saddr, iph->daddr,
				 ntohs(iph->tot_len) + (0x45 << 8) + IP_DF + (iph->ttl << 8),
				 IPPROTO_UDP, 0);
}

/*
 * What ip_local_out() does for it.  Where there are hooks that does it itself: the function
 * that a packet they keep goes on by is inline, and a copy of ours would go with the module.
 */
static int local_out_plain_v4(struct net *net, struct sk_buff *skb)
{
	if (unlikely(rcu_access_pointer(net->nf.hooks_ipv4[NF_INET_LOCAL_OUT])))
		return ip_local_out(net, NULL, skb);
	ip_hdr(skb)->check = sum_v4(ip_hdr(skb));
	ntpk_count_out_request(net);
	return output_plain_v4(net, skb);
}

/* The device computes the sum, or the core does for it. */
static void set_csum_v4(struct sk_buff *skb, size_t len)
{
	const struct iphdr *iph = ip_hdr(skb);
	struct udphdr *uh = udp_hdr(skb);

	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = skb_transport_header(skb) - skb->head;
	skb->csum_offset = offsetof(struct udphdr, check);
	uh->check = ~udp_v4_check(len, iph->saddr, iph->daddr, 0);
}

static enum ntpk_reason send_v4(struct ntpk_rx *rx, struct sk_buff *skb)
{
	set_csum_v4(skb, udp_len(rx));
	if (likely(is_plain_v4(skb)))
		return sent(local_out_plain_v4(rx->inst->net, skb));
	return sent(ip_local_out(rx->inst->net, NULL, skb));
}

#if IS_ENABLED(CONFIG_IPV6)
static void put_ipv6hdr(struct sk_buff *skb, const struct in6_addr *saddr,
			const struct in6_addr *daddr, struct dst_entry *dst)
{
	struct ipv6hdr *ip6h = ipv6_hdr(skb);
	struct in6_addr client = *daddr;	/* may be where the other one goes */

	ip6_flow_hdr(ip6h, 0, 0);
	ip6h->payload_len = htons(skb->len - sizeof(*ip6h));
	ip6h->nexthdr = IPPROTO_UDP;
	ip6h->hop_limit = ip6_dst_hoplimit(dst);
	ip6h->saddr = *saddr;
	ip6h->daddr = client;
	skb->protocol = htons(ETH_P_IPV6);
}

static enum ntpk_reason send_v6(struct ntpk_rx *rx, struct sk_buff *skb)
{
	const struct ipv6hdr *ip6h = ipv6_hdr(skb);

	udp6_set_csum(false, skb, &ip6h->saddr, &ip6h->daddr, udp_len(rx));
	return sent(ip6_local_out(rx->inst->net, NULL, skb));
}
#endif

static void put_ip(struct sk_buff *skb, const struct ntpk_rx *rx)
{
#if IS_ENABLED(CONFIG_IPV6)
	if (rx->pf == NFPROTO_IPV6) {
		const struct ipv6hdr *req = ipv6_hdr(rx->skb);

		put_ipv6hdr(skb, &req->daddr, &req->saddr, rx->dst);
		return;
	}
#endif
	put_iphdr(skb, ip_hdr(rx->skb)->daddr, ip_hdr(rx->skb)->saddr,
		  hoplimit_v4(rx->inst->net, rx->dst));
}

static enum ntpk_reason send(struct ntpk_rx *rx, struct sk_buff *skb)
{
#if IS_ENABLED(CONFIG_IPV6)
	if (rx->pf == NFPROTO_IPV6)
		return send_v6(rx, skb);
#endif
	return send_v4(rx, skb);
}

static u32 reply_mark(const struct ntpk_rx *rx)
{
	if (rx->pf == NFPROTO_IPV6)
		return IP6_REPLY_MARK(rx->inst->net, rx->skb->mark);
	return IP4_REPLY_MARK(rx->inst->net, rx->skb->mark);
}

/**
 * ntpk_tx_send() - build the packet, stamp it and send it
 * @rx: a request with its answer; its member consumed says whether it is gone, which it may be
 *	whatever is returned
 *
 * Context: softirq, RCU.
 * Return: NTPK_REASON_NONE when the reply is on its way, else why it is not.
 */
static enum ntpk_reason ntpk_tx_send(struct ntpk_rx *rx)
{
	u32 mark = reply_mark(rx);
	enum ntpk_reason reason;
	struct sk_buff *skb;

	reason = ntpk_route_get(rx, mark);
	if (unlikely(reason != NTPK_REASON_NONE))
		return reason;
	skb = get_buffer(rx, mark);
	if (unlikely(!skb)) {
		ntpk_route_put(rx);
		return NTPK_REASON_NO_MEMORY;
	}
	put_ip(skb, rx);
	reason = put_udp(skb, rx);
	if (likely(reason == NTPK_REASON_NONE)) {
		rx->consumed = rx->reused;
		return send(rx, skb);
	}
	if (!rx->reused)
		kfree_skb(skb);
	return reason;
}
