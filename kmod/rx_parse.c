// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a packet is: the stages of the receive path that look at the packet
 * itself and at nothing else, in the order of their use.
 * Softirq under RCU, no locks.  Header values are copied, never pointed to, so
 * nothing needs a reload when the data moves.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netfilter.h>
#include <linux/udp.h>
#include <net/ip.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/l3mdev.h>
#include <net/route.h>
#include <net/xfrm.h>

#include "rx_priv.h"
#include "state.h"

/**
 * ntpk_rx_find_udp() - where is the UDP header?
 * @rx: packet that may be UDP
 *
 * Context: softirq.
 * Return: false when there is none after all.
 */
bool ntpk_rx_find_udp(struct ntpk_rx *rx)
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

/**
 * ntpk_rx_match_listener() - ours at all?
 * @rx: packet with its UDP header found
 *
 * Everything that is for another port leaves here.
 *
 * Context: softirq, RCU: the state belongs to the packet from here on.
 * Return: NTPK_REASON_NONE with the listener set, else NTPK_REASON_OTHER_PORT.
 */
enum ntpk_reason ntpk_rx_match_listener(struct ntpk_rx *rx)
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

static bool to_unicast(const struct ntpk_rx *rx)
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

/**
 * ntpk_rx_check_form() - leave to the stack what it handles better
 * @rx: packet for one of our ports
 *
 * Context: softirq, RCU.
 * Return: NTPK_REASON_NONE, NOT_UNICAST, GSO, EXT_HEADERS or IP_OPTIONS.
 */
enum ntpk_reason ntpk_rx_check_form(const struct ntpk_rx *rx)
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

/**
 * ntpk_rx_check_source() - can the sender be answered?
 * @rx: packet in a form that we answer
 *
 * Context: softirq, RCU.
 * Return: NTPK_REASON_NONE or NTPK_REASON_BAD_SOURCE.
 */
enum ntpk_reason ntpk_rx_check_source(const struct ntpk_rx *rx)
{
	bool good = rx->pf == NFPROTO_IPV4 ? good_source_v4(rx) : good_source_v6(rx);

	return good && rx->sport ? NTPK_REASON_NONE : NTPK_REASON_BAD_SOURCE;
}

/**
 * ntpk_rx_classify() - UDP length against what is there, then what NTP says
 * @rx: packet in a form that we answer; its NTP header is copied
 *
 * Context: softirq.
 * Return: as ntp_reply_classify().
 */
enum ntpk_reason ntpk_rx_classify(struct ntpk_rx *rx)
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
	return ntp_reply_classify(&rx->req, len, ntohs(rx->sport), &rx->listener->policy);
}

/**
 * ntpk_rx_check_xfrm() - IPsec policy, which UDP would have asked, too
 * @rx: a request
 *
 * Context: softirq, RCU.
 * Return: NTPK_REASON_NONE or NTPK_REASON_XFRM.
 */
enum ntpk_reason ntpk_rx_check_xfrm(const struct ntpk_rx *rx)
{
	bool good = rx->pf == NFPROTO_IPV4 ? xfrm4_policy_check(NULL, XFRM_POLICY_IN, rx->skb) :
					     xfrm6_policy_check(NULL, XFRM_POLICY_IN, rx->skb);

	return good ? NTPK_REASON_NONE : NTPK_REASON_XFRM;
}

/**
 * ntpk_rx_check_sum() - the UDP checksum
 * @rx: a request
 *
 * Last of the checks of the packet, as it may change it: like UDP, cut off what
 * lies behind the datagram.  Only packets that are dropped or answered get here.
 *
 * Context: softirq.
 * Return: NTPK_REASON_NONE, BAD_CHECKSUM or NO_MEMORY.
 */
enum ntpk_reason ntpk_rx_check_sum(const struct ntpk_rx *rx)
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
