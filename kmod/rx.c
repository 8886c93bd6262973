// SPDX-License-Identifier: GPL-2.0-only
/*
 * The front end: parse -> classify -> check -> decide -> send.  Each stage
 * returns NTPK_REASON_NONE to go on, or the reason that ends the packet.
 * Softirq under RCU, no locks.  Header values are copied, never pointed to, so
 * nothing needs a reload when the data moves.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/random.h>
#include <linux/udp.h>
#include <net/ip.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/l3mdev.h>
#include <net/route.h>
#include <net/xfrm.h>

#include <ntpk/ntp_reason.h>

#include "rx.h"
#include "state.h"
#include "tstamp.h"
#include "tx.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

/*
 * After every chain that a user can write, before both of conntrack's confirm
 * hooks: IPv6's is at LAST - 1, IPv4's at LAST.
 */
#define NTPK_HOOK_PRIORITY	(NF_IP_PRI_LAST - 2)

/**
 * struct rx - one packet on its way through the stages
 * @inst: its namespace
 * @state: served state, with the listener that it is for
 * @listener: where it arrived
 * @skb: the packet
 * @now: clocks
 * @t2_age_ns: from receive stamp to @now
 * @residence_ns: from T2 to T3
 * @udp_off: offset of the UDP header
 * @udp_len: length that the UDP header claims
 * @sport: source port
 * @dport: destination port
 * @check: UDP checksum
 * @pf: NFPROTO_IPV4 or NFPROTO_IPV6
 * @ext_headers: IPv6 extension headers lie before the UDP header
 * @req: the NTP header
 */
struct rx {
	struct ntpk_inst *inst;
	struct ntpk_state *state;
	const struct ntpk_listener *listener;
	struct sk_buff	*skb;
	struct ntp_now	now;
	s64	t2_age_ns;
	s64	residence_ns;
	unsigned int	udp_off;
	unsigned int	udp_len;
	__be16	sport;
	__be16	dport;
	__sum16	check;
	u8	pf;
	bool	ext_headers;
	struct ntp_header req;
};

/* Cheap enough for every local packet: may UDP be in it at all? */
static bool may_be_udp(const struct sk_buff *skb, u8 pf)
{
	u8 nexthdr;

	if (pf == NFPROTO_IPV4)
		return ip_hdr(skb)->protocol == IPPROTO_UDP;
	nexthdr = ipv6_hdr(skb)->nexthdr;
	return nexthdr == IPPROTO_UDP || ipv6_ext_hdr(nexthdr);
}

/* Find the UDP header; false when there is none after all. */
static bool find_udp(struct rx *rx)
{
	struct sk_buff *skb = rx->skb;
	__be16 frag_off;
	u8 nexthdr;
	int off;

	if (rx->pf == NFPROTO_IPV4) {
		rx->udp_off = skb_network_offset(skb) + ip_hdrlen(skb);
		return true;
	}
	nexthdr = ipv6_hdr(skb)->nexthdr;
	rx->udp_off = skb_network_offset(skb) + sizeof(struct ipv6hdr);
	if (likely(nexthdr == IPPROTO_UDP))
		return true;
	off = ipv6_skip_exthdr(skb, rx->udp_off, &nexthdr, &frag_off);
	/* only the first fragment has ports */
	if (off < 0 || nexthdr != IPPROTO_UDP || (frag_off & htons(~0x7)))
		return false;
	rx->udp_off = off;
	rx->ext_headers = true;
	return true;
}

static const struct ntpk_listener *find_listener(const struct ntpk_state *state, u16 port)
{
	unsigned int i;

	for (i = 0; state && i < state->n_listeners; i++)
		if (state->listeners[i].port == port)
			return &state->listeners[i];
	return NULL;
}

/* Ours at all?  Everything that is for another port leaves here. */
static enum ntpk_reason match_listener(struct rx *rx)
{
	__be16 buf[2];
	const __be16 *ports;

	ports = skb_header_pointer(rx->skb, rx->udp_off, sizeof(buf), buf);
	if (!ports)
		return NTPK_REASON_OTHER_PORT;
	rx->sport = ports[0];
	rx->dport = ports[1];
	rx->state = rcu_dereference(rx->inst->state);
	rx->listener = find_listener(rx->state, ntohs(rx->dport));
	return rx->listener ? NTPK_REASON_NONE : NTPK_REASON_OTHER_PORT;
}

static bool to_unicast(const struct rx *rx)
{
	const struct dst_entry *dst = skb_dst(rx->skb);

	if (rx->skb->pkt_type != PACKET_HOST || !dst)
		return false;
	if (rx->pf == NFPROTO_IPV4)
		return !(skb_rtable(rx->skb)->rt_flags & (RTCF_BROADCAST | RTCF_MULTICAST));
	/* an anycast address must not be the source of the reply (RFC 4291) */
	return !ipv6_addr_is_multicast(&ipv6_hdr(rx->skb)->daddr) &&
	       !ipv6_anycast_destination(dst, &ipv6_hdr(rx->skb)->daddr);
}

/* Forms that the stack handles better: it goes on as if ntpk were absent. */
static enum ntpk_reason check_form(const struct rx *rx)
{
	if (!to_unicast(rx))
		return NTPK_REASON_NOT_UNICAST;
	if (skb_is_gso(rx->skb))
		return NTPK_REASON_GSO;
	if (rx->ext_headers)
		return NTPK_REASON_EXT_HEADERS;
	if (rx->pf == NFPROTO_IPV4 && ip_hdr(rx->skb)->ihl != sizeof(struct iphdr) / 4)
		return NTPK_REASON_IP_OPTIONS;
	return NTPK_REASON_NONE;
}

/*
 * Sent by this very host?  Over lo, or inside a VRF over the VRF's own device,
 * which then is both the device and the one that IP received it by.
 */
static bool from_here(const struct rx *rx)
{
	const struct net_device *dev = rx->skb->dev;
	int iif = rx->pf == NFPROTO_IPV4 ? IPCB(rx->skb)->iif : IP6CB(rx->skb)->iif;

	if (dev->flags & IFF_LOOPBACK)
		return true;
	return netif_is_l3_master(dev) && iif == dev->ifindex;
}

static bool good_source_v4(const struct rx *rx)
{
	const struct iphdr *iph = ip_hdr(rx->skb);

	if (ipv4_is_multicast(iph->saddr) || ipv4_is_lbcast(iph->saddr) ||
	    ipv4_is_zeronet(iph->saddr))
		return false;
	if (ipv4_is_loopback(iph->saddr) || iph->saddr == iph->daddr)
		return from_here(rx);
	return true;
}

static bool good_source_v6(const struct rx *rx)
{
	const struct ipv6hdr *ip6h = ipv6_hdr(rx->skb);
	int type = ipv6_addr_type(&ip6h->saddr);

	/* neither the unspecified nor a v4-mapped address counts as unicast */
	if (!(type & IPV6_ADDR_UNICAST))
		return false;
	if ((type & IPV6_ADDR_LOOPBACK) || ipv6_addr_equal(&ip6h->saddr, &ip6h->daddr))
		return from_here(rx);
	return true;
}

static enum ntpk_reason check_source(const struct rx *rx)
{
	bool good = rx->pf == NFPROTO_IPV4 ? good_source_v4(rx) : good_source_v6(rx);

	return good && rx->sport ? NTPK_REASON_NONE : NTPK_REASON_BAD_SOURCE;
}

/* UDP length against what is there, then what NTP says. */
static enum ntpk_reason classify(struct rx *rx)
{
	const struct udphdr *uh;
	struct udphdr buf;
	size_t len;

	uh = skb_header_pointer(rx->skb, rx->udp_off, sizeof(buf), &buf);
	if (!uh)
		return NTPK_REASON_BAD_LENGTH;
	rx->udp_len = ntohs(uh->len);
	rx->check = uh->check;
	if (rx->udp_len < sizeof(*uh) || rx->udp_len > rx->skb->len - rx->udp_off)
		return NTPK_REASON_BAD_LENGTH;
	len = rx->udp_len - sizeof(*uh);
	if (skb_copy_bits(rx->skb, rx->udp_off + sizeof(*uh), &rx->req,
			  min_t(size_t, len, NTP_HEADER_LEN)))
		return NTPK_REASON_BAD_LENGTH;
	return ntp_reply_classify(&rx->req, len, ntohs(rx->sport));
}

static bool xfrm_allows(const struct rx *rx)
{
	if (rx->pf == NFPROTO_IPV4)
		return xfrm4_policy_check(NULL, XFRM_POLICY_IN, rx->skb);
	return xfrm6_policy_check(NULL, XFRM_POLICY_IN, rx->skb);
}

/*
 * Last of the checks, as it may change the packet: like UDP, cut off what lies
 * behind the datagram.  Only packets that are dropped or answered get here.
 */
static enum ntpk_reason check_sum(const struct rx *rx)
{
	if (!rx->check && rx->skb->ip_summed != CHECKSUM_PARTIAL)
		/* none was computed: allowed in IPv4 only (RFC 8200 section 8.1) */
		return rx->pf == NFPROTO_IPV4 ? NTPK_REASON_NONE : NTPK_REASON_BAD_CHECKSUM;
	if (pskb_trim_rcsum(rx->skb, rx->udp_off + rx->udp_len))
		return NTPK_REASON_NO_MEMORY;
	if (nf_checksum(rx->skb, NF_INET_LOCAL_IN, rx->udp_off, IPPROTO_UDP, rx->pf))
		return NTPK_REASON_BAD_CHECKSUM;
	return NTPK_REASON_NONE;
}

static enum ntpk_reason check_request(struct rx *rx)
{
	enum ntpk_reason reason = check_source(rx);

	if (reason == NTPK_REASON_NONE)
		reason = classify(rx);
	if (reason != NTPK_REASON_NONE)
		return reason;
	if (!xfrm_allows(rx))
		return NTPK_REASON_XFRM;
	return check_sum(rx);
}

static enum ntpk_reason answer(struct rx *rx)
{
	const struct ntp_serve *serve = &rx->state->serve;
	struct ntp_header reply;
	struct ntpk_tx tx = {
		.net = rx->inst->net,
		.req = rx->skb,
		.serve = serve,
		.reply = &reply,
		.sport = rx->sport,
		.dport = rx->dport,
		.pf = rx->pf,
	};
	enum ntpk_reason verdict, failure;
	u64 random = get_random_u64();

	rx->t2_age_ns = ntpk_tstamp_rx(rx->skb, rx->state->since_real_ns, &rx->now);
	if (unlikely(rx->now.clock_seq != serve->clock_seq))
		ntpk_state_saw_step(rx->inst, rx->state);
	/* 32 bits are all that a precision of 1 s could use, for T2 and for T3 */
	verdict = ntp_reply_build(&reply, &rx->req, serve, &rx->listener->policy, &rx->now,
				  rx->t2_age_ns, random & U32_MAX);
	if (ntp_reason_class(verdict) != NTPK_CLASS_ANSWER)
		return verdict;
	tx.random = random >> 32;
	failure = ntpk_tx_send(&tx);
	if (failure != NTPK_REASON_NONE)
		return failure;
	rx->residence_ns = tx.t3_raw_ns - rx->now.raw_ns + rx->t2_age_ns;
	return verdict;
}

static enum ntpk_reason receive(struct rx *rx)
{
	enum ntpk_reason reason = match_listener(rx);

	if (reason == NTPK_REASON_NONE)
		reason = check_form(rx);
	if (reason == NTPK_REASON_NONE)
		reason = check_request(rx);
	if (reason == NTPK_REASON_NONE)
		reason = answer(rx);
	return reason;
}

/* One packet, one reason: counted and traced here and nowhere else. */
static enum ntpk_reason judge(struct rx *rx)
{
	enum ntpk_reason reason = receive(rx);

	ntpk_stats_count(rx->inst->stats, reason);
	trace_ntpk_verdict(rx->pf, reason, rx->t2_age_ns, rx->residence_ns);
	return reason;
}

/*
 * A packet that an INPUT rule gave to NFQUEUE comes back in the context of the
 * process that judged it: softirqs are kept out, so that the rest may rely on it.
 */
static enum ntpk_reason judge_bh(struct rx *rx)
{
	enum ntpk_reason reason;

	local_bh_disable();
	reason = judge(rx);
	local_bh_enable();
	return reason;
}

static unsigned int handle_udp(struct sk_buff *skb, const struct nf_hook_state *hs)
{
	struct rx rx = { .skb = skb, .pf = hs->pf };

	rx.inst = ntpk_state_inst(hs->net);
	/* none: about to be unregistered */
	if (unlikely(!rx.inst) || !find_udp(&rx))
		return NF_ACCEPT;

	switch (ntp_reason_class(judge_bh(&rx))) {
	case NTPK_CLASS_PASS:
		return NF_ACCEPT;
	case NTPK_CLASS_ANSWER:
		consume_skb(skb);
		return NF_STOLEN;
	default:
		return NF_DROP;
	}
}

static unsigned int hook(void *priv, struct sk_buff *skb, const struct nf_hook_state *hs)
{
	return may_be_udp(skb, hs->pf) ? handle_udp(skb, hs) : NF_ACCEPT;
}

static const struct nf_hook_ops hooks[] = {
	{
		.hook = hook,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_LOCAL_IN,
		.priority = NTPK_HOOK_PRIORITY,
	},
#if IS_ENABLED(CONFIG_IPV6)
	{
		.hook = hook,
		.pf = NFPROTO_IPV6,
		.hooknum = NF_INET_LOCAL_IN,
		.priority = NTPK_HOOK_PRIORITY,
	},
#endif
};

/**
 * ntpk_rx_register() - see the packets of a namespace
 * @net: which
 *
 * Context: process.
 * Return: 0 or -errno.
 */
int ntpk_rx_register(struct net *net)
{
	return nf_register_net_hooks(net, hooks, ARRAY_SIZE(hooks));
}

/**
 * ntpk_rx_unregister() - see them no more
 * @net: which
 *
 * Context: process.  A hook may still be running on another CPU: the caller
 * waits for a grace period before freeing what it uses.
 */
void ntpk_rx_unregister(struct net *net)
{
	nf_unregister_net_hooks(net, hooks, ARRAY_SIZE(hooks));
}
