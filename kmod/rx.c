// SPDX-License-Identifier: GPL-2.0-only
/*
 * The front end: parse -> classify -> check -> decide -> send.  Each stage
 * returns NTPK_REASON_NONE to go on, or the reason that ends the packet.
 * Softirq under RCU, no locks.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/random.h>
#include <net/ipv6.h>

#include <ntpk/ntp_reason.h>

#include "auth.h"
#include "rx.h"
#include "rx_priv.h"
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

/* Cheap enough for every local packet: may UDP be in it at all? */
static bool may_be_udp(const struct sk_buff *skb, u8 pf)
{
	u8 nexthdr;

	if (pf == NFPROTO_IPV4)
		return ip_hdr(skb)->protocol == IPPROTO_UDP;
	nexthdr = ipv6_hdr(skb)->nexthdr;
	return nexthdr == IPPROTO_UDP || ipv6_ext_hdr(nexthdr);
}

/* Fields that were asked for, so the request had room for them; bytes of them. */
static size_t put_fields(const struct ntpk_rx *rx, struct ntp_packet *reply)
{
	if (!rx->ext.mono_root)
		return 0;
	ntp_ext_put_mono_root(reply->tail, &reply->hdr, &rx->state->serve, &rx->now, rx->t2_age_ns);
	return NTP_EXT_MONO_ROOT_LEN;
}

static enum ntpk_reason answer(struct ntpk_rx *rx)
{
	const struct ntp_serve *serve = &rx->state->serve;
	struct ntp_packet reply;
	struct ntpk_tx tx = {
		.net = rx->inst->net,
		.req = rx->skb,
		.serve = serve,
		.reply = &reply,
		.reply_len = NTP_HEADER_LEN,
		.sport = rx->sport,
		.dport = rx->dport,
		.key = rx->key,
		.mac_len = rx->nak ? NTP_MAC_ID_LEN : rx->key ? rx->ext.mac_len : 0,
		.pf = rx->pf,
	};
	enum ntpk_reason verdict, failure;
	u64 random = get_random_u64();

	rx->t2_age_ns = ntpk_tstamp_rx(rx->skb, rx->state->since_real_ns, &rx->now);
	if (unlikely(rx->now.clock_seq != serve->clock_seq))
		ntpk_state_saw_step(rx->inst, rx->state);
	/* 32 bits are all that a precision of 1 s could use, for T2 and for T3 */
	verdict = ntp_reply_build(&reply.hdr, &rx->req, serve, &rx->listener->policy, &rx->now,
				  rx->t2_age_ns, random & U32_MAX);
	if (ntp_reason_class(verdict) != NTPK_CLASS_ANSWER)
		return verdict;
	tx.random = random >> 32;
	tx.reply_len += put_fields(rx, &reply);
	failure = ntpk_tx_send(&tx);
	if (failure != NTPK_REASON_NONE)
		return failure;
	rx->residence_ns = tx.t3_raw_ns - rx->now.raw_ns + rx->t2_age_ns;
	return rx->nak ? NTPK_REASON_REPLIED_NAK : verdict;
}

/* The stages, in their order: what is cheap and what is not ours first. */
static enum ntpk_reason receive(struct ntpk_rx *rx)
{
	enum ntpk_reason reason = ntpk_rx_match_listener(rx);

	if (reason == NTPK_REASON_NONE)
		reason = ntpk_rx_check_form(rx);
	if (reason == NTPK_REASON_NONE)
		reason = ntpk_rx_check_source(rx);
	if (reason == NTPK_REASON_NONE)
		reason = ntpk_rx_classify(rx);
	if (reason == NTPK_REASON_NONE)
		reason = ntpk_rx_check_xfrm(rx);
	if (reason == NTPK_REASON_NONE)
		reason = ntpk_rx_check_sum(rx);
	if (reason == NTPK_REASON_NONE)
		reason = ntpk_auth_check(rx);
	if (reason == NTPK_REASON_NONE)
		reason = answer(rx);
	return reason;
}

/* One packet, one reason: counted and traced here and nowhere else. */
static enum ntpk_reason judge(struct ntpk_rx *rx)
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
static enum ntpk_reason judge_bh(struct ntpk_rx *rx)
{
	enum ntpk_reason reason;

	local_bh_disable();
	reason = judge(rx);
	local_bh_enable();
	return reason;
}

static unsigned int handle_udp(struct sk_buff *skb, const struct nf_hook_state *hs)
{
	struct ntpk_rx rx = { .skb = skb, .pf = hs->pf };

	rx.inst = ntpk_state_inst(hs->net);
	/* none: about to be unregistered */
	if (unlikely(!rx.inst) || !ntpk_rx_find_udp(&rx))
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
