// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a request takes from its client's bucket.  Softirq under RCU; without locks
 * where there are 64-bit atomics.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netfilter.h>
#include <ntpk/ntp_limit.h>

#include "clients.h"
#include "limit.h"
#include "rx_priv.h"
#include "state.h"
#include "who.h"

/* Most limits mean the same by a client as the table of clients: one hash serves both. */
static bool has_hash(const struct ntpk_rx *rx, const struct ntp_limit *limit)
{
	if (!rx->noted)
		return false;
	return rx->pf == NFPROTO_IPV4 ? limit->prefix_v4 == NTP_ACL_V4_LEN_MAX :
					limit->prefix_v6 == ntpk_clients_prefix6();
}

static noinline u64 hash_anew(const struct ntpk_rx *rx, const struct ntp_limit *limit)
{
	bool v6 = rx->pf == NFPROTO_IPV6;
	struct ntp_acl_addr who;

	who = v6 ? ntp_acl_addr_v6(ipv6_hdr(rx->skb)->saddr.s6_addr32) :
		   ntp_acl_addr_v4(ntohl(ip_hdr(rx->skb)->saddr));
	return ntpk_who_hash(ntp_limit_who(limit, who, v6), v6, &rx->inst->hash_key);
}

/**
 * ntpk_limit_allows() - is this request within its client's share?
 * @rx: of a listener with a limit, with the clocks read
 *
 * Context: softirq, RCU.
 * Return: whether.
 */
static bool ntpk_limit_allows(const struct ntpk_rx *rx)
{
	const struct ntp_limit *limit = &rx->listener->policy.limit;
	struct ntpk_limits *limits = rx->listener->limits;
	u64 hash = likely(has_hash(rx, limit)) ? rx->note.hash : hash_anew(rx, limit);

	return ntp_limit_take(limits->lines, limits->n_lines, hash, rx->now.raw_ns, limit);
}
