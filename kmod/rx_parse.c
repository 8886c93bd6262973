// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a packet is: the stages of the receive path that look at the packet
 * itself and at nothing else, in the order of their use.
 * Softirq under RCU, no locks.  No pointer into the packet outlives a function,
 * so nothing needs a reload when the data moves.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netfilter.h>
#include <linux/overflow.h>
#include <linux/udp.h>
#include <net/ip.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/l3mdev.h>
#include <net/route.h>
#include <net/tcp.h>
#include <net/xfrm.h>

#include "rx_priv.h"
#include "state.h"

#define HEADER_DATAGRAM		((unsigned int)(sizeof(struct udphdr) + NTP_HEADER_LEN))

static bool to_unicast(const struct ntpk_rx *rx)
{
	const struct dst_entry *dst = skb_dst(rx->skb);

	if (rx->skb->pkt_type != PACKET_HOST || !dst)
		return false;
	/* for another host, whose proxy here has been given it (TPROXY) */
	if (unlikely(rx->skb->sk) && inet_sk_transparent(rx->skb->sk))
		return false;
	if (rx->pf == NFPROTO_IPV4)
		return !(skb_rtable(rx->skb)->rt_flags & (RTCF_BROADCAST | RTCF_MULTICAST));
	/* an anycast address must not be the source of the reply (RFC 4291) */
	return !ipv6_addr_is_multicast(&ipv6_hdr(rx->skb)->daddr) &&
	       !ipv6_anycast_destination(dst, &ipv6_hdr(rx->skb)->daddr);
}

/* What the stack handles better. */
static enum ntpk_reason check_form(const struct ntpk_rx *rx)
{
	if (!to_unicast(rx))
		return NTPK_REASON_NOT_UNICAST;
	if (skb_is_gso(rx->skb))
		return NTPK_REASON_GSO;
	if (rx->pf == NFPROTO_IPV6 &&
	    rx->udp_off != skb_network_offset(rx->skb) + sizeof(struct ipv6hdr))
		return NTPK_REASON_EXT_HEADERS;
	if (rx->pf == NFPROTO_IPV4 && ip_hdr(rx->skb)->ihl != sizeof(struct iphdr) / 4)
		return NTPK_REASON_IP_OPTIONS;
	return NTPK_REASON_NONE;
}

/*
 * Sent by this very host?  Over lo, or inside a VRF over the VRF's own device,
 * which then is both the device and the one that IP received it by.
 */
static bool from_here(const struct ntpk_rx *rx)
{
	const struct net_device *dev = rx->skb->dev;
	int iif = rx->pf == NFPROTO_IPV4 ? IPCB(rx->skb)->iif : IP6CB(rx->skb)->iif;

	if (dev->flags & IFF_LOOPBACK)
		return true;
	return netif_is_l3_master(dev) && iif == dev->ifindex;
}

static bool good_source_v4(const struct ntpk_rx *rx)
{
	const struct iphdr *iph = ip_hdr(rx->skb);

	if (ipv4_is_multicast(iph->saddr) || ipv4_is_lbcast(iph->saddr) ||
	    ipv4_is_zeronet(iph->saddr))
		return false;
	if (ipv4_is_loopback(iph->saddr) || iph->saddr == iph->daddr)
		return from_here(rx);
	return true;
}

static bool good_source_v6(const struct ntpk_rx *rx)
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

/* Can the sender be answered? */
static bool good_source(const struct ntpk_rx *rx)
{
	if (!rx->sport)
		return false;
	return rx->pf == NFPROTO_IPV4 ? good_source_v4(rx) : good_source_v6(rx);
}

/* UDP length against what is there, then what NTP says. */
static enum ntpk_reason classify(struct ntpk_rx *rx)
{
	const struct udphdr *uh;
	bool whole;
	size_t len;

	whole = likely(skb_headlen(rx->skb) >= rx->udp_off + sizeof(*uh) + NTP_HEADER_LEN);
	if (!whole && !pskb_may_pull(rx->skb, rx->udp_off + sizeof(*uh)))
		return NTPK_REASON_BAD_LENGTH;
	uh = (const struct udphdr *)(rx->skb->data + rx->udp_off);
	rx->udp_len = ntohs(uh->len);
	rx->check = uh->check;
	if (rx->udp_len < sizeof(*uh) || rx->udp_len > rx->skb->len - rx->udp_off)
		return NTPK_REASON_BAD_LENGTH;
	len = rx->udp_len - sizeof(*uh);
	if (!whole && !pskb_may_pull(rx->skb, rx->udp_off + sizeof(*uh) +
					      min_t(size_t, len, NTP_HEADER_LEN)))
		return NTPK_REASON_NO_MEMORY;
	return ntp_reply_classify(ntpk_rx_req(rx), len, ntohs(rx->sport), &rx->listener->policy);
}

/* IPsec policy, which UDP would have asked, too. */
static bool good_xfrm(const struct ntpk_rx *rx)
{
	return rx->pf == NFPROTO_IPV4 ? xfrm4_policy_check(NULL, XFRM_POLICY_IN, rx->skb) :
					xfrm6_policy_check(NULL, XFRM_POLICY_IN, rx->skb);
}

#ifdef CONFIG_64BIT
/* Wherever it is: the headers before it are of any length. */
static u64 word_at(const u8 *p)
{
	u64 word;

	memcpy(&word, p, sizeof(word));
	return word;
}

/*
 * What csum_tcpudp_magic() says of a datagram that is a header and nothing else, as most
 * are: seven words and the pseudo header, whose sum is folded once.  Not as a loop: each
 * word is an addition and its carry.
 */
static bool good_header_sum_v4(const struct ntpk_rx *rx)
{
	const u8 *datagram = rx->skb->data + rx->udp_off;
	const struct iphdr *iph = ip_hdr(rx->skb);
	u64 sum = (u64)(__force u32)iph->saddr + (__force u32)iph->daddr +
		  (__force u32)htonl(IPPROTO_UDP << 16 | HEADER_DATAGRAM);
	u64 carries = 0;
	unsigned int i;

#if defined(__clang__) || __GNUC__ >= 8
#pragma GCC unroll 7
#endif
	for (i = 0; i < HEADER_DATAGRAM; i += sizeof(u64))
		carries += check_add_overflow(sum, word_at(datagram + i), &sum);
	/*
	 * There are at most 7.  Where these carry, 0 to 6 are left of 1 to 7, and none of
	 * those is the sum of a good datagram.
	 */
	sum += carries;
	return !csum_fold(csum_add((__force __wsum)(u32)sum, (__force __wsum)(u32)(sum >> 32)));
}
#endif

/* What nf_checksum() does, for the packet that a card without checksums gives. */
static bool good_plain_sum_v4(const struct ntpk_rx *rx)
{
	const struct iphdr *iph = ip_hdr(rx->skb);
	__wsum sum;

#ifdef CONFIG_64BIT
	if (likely(rx->udp_len == HEADER_DATAGRAM))
		return good_header_sum_v4(rx);
#endif
	sum = csum_partial(rx->skb->data + rx->udp_off, rx->udp_len, 0);
	return !csum_tcpudp_magic(iph->saddr, iph->daddr, rx->udp_len, IPPROTO_UDP, sum);
}

/*
 * skb_csum_unnecessary() without what was validated in software: that may be the sum of
 * a tunnel's datagram, of which this one came out.
 */
static bool sum_is_known(const struct sk_buff *skb)
{
	return skb->ip_summed == CHECKSUM_UNNECESSARY ||
	       (skb->ip_summed == CHECKSUM_PARTIAL && skb_checksum_start_offset(skb) >= 0);
}

static bool good_sum(const struct ntpk_rx *rx)
{
	struct sk_buff *skb = rx->skb;

	if (sum_is_known(skb))
		return true;
	if (likely(rx->pf == NFPROTO_IPV4 && skb->ip_summed == CHECKSUM_NONE &&
		   !skb_is_nonlinear(skb)))
		return good_plain_sum_v4(rx);
	return !nf_checksum(skb, NF_INET_LOCAL_IN, rx->udp_off, IPPROTO_UDP, rx->pf);
}

/*
 * The UDP checksum.  Last of the checks, as it may change the packet: like UDP,
 * cut off what lies behind the datagram.  Only packets that are dropped or
 * answered get here.
 */
static enum ntpk_reason check_sum(const struct ntpk_rx *rx)
{
	if (!rx->check && rx->skb->ip_summed != CHECKSUM_PARTIAL)
		/* none was computed: allowed in IPv4 only (RFC 8200 section 8.1) */
		return rx->pf == NFPROTO_IPV4 ? NTPK_REASON_NONE : NTPK_REASON_BAD_CHECKSUM;
	if (pskb_trim_rcsum(rx->skb, rx->udp_off + rx->udp_len))
		return NTPK_REASON_NO_MEMORY;
	return good_sum(rx) ? NTPK_REASON_NONE : NTPK_REASON_BAD_CHECKSUM;
}

/**
 * ntpk_rx_check() - is it a request, whole, from somebody, and in a form for us?
 * @rx: packet for one of our ports; its length goes into it, and its NTP header is
 *	where ntpk_rx_req() looks
 *
 * What the stack handles better first, then what is dropped.
 *
 * Context: softirq, RCU.
 * Return: NTPK_REASON_NONE, NOT_UNICAST, GSO, EXT_HEADERS, IP_OPTIONS, BAD_SOURCE,
 * BAD_LENGTH, VERSION, MODE, XFRM, BAD_CHECKSUM or NO_MEMORY.
 */
static enum ntpk_reason ntpk_rx_check(struct ntpk_rx *rx)
{
	enum ntpk_reason reason = check_form(rx);

	if (reason != NTPK_REASON_NONE)
		return reason;
	if (!good_source(rx))
		return NTPK_REASON_BAD_SOURCE;
	reason = classify(rx);
	if (reason != NTPK_REASON_NONE)
		return reason;
	if (!good_xfrm(rx))
		return NTPK_REASON_XFRM;
	return check_sum(rx);
}
