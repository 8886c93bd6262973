/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A packet on its way through the stages of the receive path.
 * Softirq under RCU.
 */
#ifndef NTPK_RX_PRIV_H
#define NTPK_RX_PRIV_H

#include <ntpk/ntp_ext.h>

struct ntpk_inst;
struct ntpk_key;
struct ntpk_listener;
struct ntpk_state;
struct sk_buff;

/**
 * struct ntpk_rx - one packet on its way through the stages
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
 * @ext: what follows it
 * @key: whose MAC it has, NULL = none
 * @nak: its MAC is not right, and it is to be told so
 */
struct ntpk_rx {
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
	bool	nak;
	struct ntp_header req;
	struct ntp_ext ext;
	struct ntpk_key *key;
};

bool ntpk_rx_find_udp(struct ntpk_rx *rx);
enum ntpk_reason ntpk_rx_match_listener(struct ntpk_rx *rx);
enum ntpk_reason ntpk_rx_check_form(const struct ntpk_rx *rx);
enum ntpk_reason ntpk_rx_check_source(const struct ntpk_rx *rx);
enum ntpk_reason ntpk_rx_classify(struct ntpk_rx *rx);
enum ntpk_reason ntpk_rx_check_xfrm(const struct ntpk_rx *rx);
enum ntpk_reason ntpk_rx_check_sum(const struct ntpk_rx *rx);

#endif /* NTPK_RX_PRIV_H */
