/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A packet on its way through the stages of the receive path.
 * Softirq under RCU.
 */
#ifndef NTPK_RX_PRIV_H
#define NTPK_RX_PRIV_H

#include <linux/ipv6.h>
#include <linux/netfilter.h>
#include <linux/skbuff.h>
#include <linux/stddef.h>
#include <linux/udp.h>
#include <net/ip.h>
#include <ntpk/ntp_acl.h>
#include <ntpk/ntp_ext.h>

struct dst_entry;
struct ntpk_clients_set;
struct ntpk_inst;
struct ntpk_key;
struct ntpk_listener;
struct ntpk_state;

/**
 * struct ntpk_note - what the table of clients wants to know of a request
 * @who: whose it is, IPv4 as a v4-mapped address
 * @hash: of @who
 * @first: where to look for it first
 * @req: its header, over which the reply may be written
 * @t2: the reply's T2, as on the wire
 */
struct ntpk_note {
	struct ntp_acl_addr who;
	u64	hash;
	struct ntpk_clients_set *first;
	struct ntp_header req;
	__be64	t2;
};

/**
 * struct ntpk_rx - one packet on its way through the stages
 * @inst: its namespace
 * @state: served state, with the listener that it is for
 * @listener: where it arrived
 * @skb: the packet
 * @now: clocks
 * @t2_age_ns: from receive stamp to @now
 * @t2_err_ns: how wrong that may be
 * @residence_ns: from T2 to T3
 * @ifindex: of the device that it came by
 * @queue: of that, from 1 on; 0 = not told
 * @udp_off: offset of the UDP header
 * @udp_len: length that the UDP header claims
 * @sport: source port
 * @dport: destination port
 * @check: UDP checksum
 * @pf: NFPROTO_IPV4 or NFPROTO_IPV6
 * @ext: what follows the NTP header
 * @key: whose MAC it has, NULL = none
 * @dst: the way back
 * @answer: what was decided
 * @random: below the precision of T2, and of T3 (upper half): 32 bits are all that
 *	a precision of 1 s could use
 * @mac_len: of the reply's MAC, key id included; 0 = it has none
 * @reply_len: bytes of NTP in the reply, at most what the request had
 * @dst_held: @dst has a reference that is ours to give on
 * @reused: the reply is made in the request's buffer
 * @consumed: the packet is gone with its reply
 * @nak: its MAC is not right, and it is to be told so
 * @rate: its client asks too much, and is to be told so
 * @bare: it has nothing behind its header, and needs nothing
 * @plain: it is answered the short way of ntp_plain.h, without @answer
 * @interleaves: it asks in interleaved mode
 * @noted: @note is filled
 * @phc_place: of the map of its device and one more, 0 = nothing is to be counted
 * @t2: of that, enum ntpk_t2
 * @note: what is kept of the request until the reply has left; its t2 in any case
 *
 * What is not known from the beginning is zero, or nothing until its stage has filled it.
 */
struct ntpk_rx {
	struct ntpk_inst *inst;
	struct ntpk_state *state;
	const struct ntpk_listener *listener;
	struct sk_buff	*skb;
	int	ifindex;
	u16	queue;
	unsigned int	udp_off;
	__be16	sport;
	__be16	dport;
	u8	pf;
	s64	t2_age_ns;
	s64	residence_ns;
	struct ntpk_key *key;
	struct_group(zeroed,
		     bool dst_held;
		     bool reused;
		     bool consumed;
		     bool nak;
		     bool rate;
		     bool bare;
		     bool plain;
		     bool interleaves;
		     bool noted;
		     u8 phc_place;
		     u8 t2;
		     u16 mac_len;
		     struct ntp_ext ext;
	);
	unsigned int	udp_len;
	__sum16	check;
	u16	reply_len;
	struct ntp_now	now;
	u64	t2_err_ns;
	struct dst_entry *dst;
	struct ntp_answer answer;
	u64	random;
	struct ntpk_note note;
};

/**
 * ntpk_rx_iif() - the device by which a packet came, as IP sees it
 * @skb: the packet; where a VRF has made it its own, the device in that
 * @pf: NFPROTO_IPV4 or NFPROTO_IPV6
 *
 * Return: its index.
 */
static inline int ntpk_rx_iif(const struct sk_buff *skb, u8 pf)
{
	return pf == NFPROTO_IPV4 ? IPCB(skb)->iif : IP6CB(skb)->iif;
}

/**
 * ntpk_rx_req() - the NTP header of a packet
 * @rx: which; ntpk_rx_check() has made sure that it is there
 *
 * Return: it, until the packet's data move.
 */
static inline const struct ntp_header *ntpk_rx_req(const struct ntpk_rx *rx)
{
	return (const struct ntp_header *)(rx->skb->data + rx->udp_off + sizeof(struct udphdr));
}

#endif /* NTPK_RX_PRIV_H */
