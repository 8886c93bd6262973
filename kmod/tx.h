/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From a decided reply to a packet on its way.
 */
#ifndef NTPK_TX_H
#define NTPK_TX_H

#include <ntpk/ntp_reply.h>

struct net;
struct ntpk_key;
struct sk_buff;

/**
 * struct ntpk_tx - a reply to be sent
 * @net: namespace
 * @req: the request, its network header in place
 * @serve: the state that @reply was built of
 * @reply: header from ntp_reply_build(), extension fields behind it; T3 and the
 *	MAC are added here
 * @reply_len: header and extension fields, at most what the request had there
 * @key: for the MAC, NULL = none
 * @mac_len: of the MAC, key id included; 4 without @key: a crypto-NAK; 0 = none
 * @sport: UDP port of the client, which is the reply's destination
 * @dport: UDP port that was asked
 * @pf: NFPROTO_IPV4 or NFPROTO_IPV6
 * @random: uniform bits for T3
 * @t3_raw_ns: out: CLOCK_MONOTONIC_RAW of T3
 */
struct ntpk_tx {
	struct net	*net;
	struct sk_buff	*req;
	const struct ntp_serve *serve;
	struct ntp_packet *reply;
	size_t	reply_len;
	struct ntpk_key *key;
	size_t	mac_len;
	__be16	sport;
	__be16	dport;
	u8	pf;
	u32	random;
	s64	t3_raw_ns;
};

enum ntpk_reason ntpk_tx_send(struct ntpk_tx *tx);

#endif /* NTPK_TX_H */
