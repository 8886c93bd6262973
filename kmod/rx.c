// SPDX-License-Identifier: GPL-2.0-only
/*
 * The front end: parse -> classify -> check -> decide -> send.  Each stage
 * returns NTPK_REASON_NONE to go on, or the reason that ends the packet.
 * Under RCU, and from handle() on in softirq or with softirqs kept out; a lock only after
 * the reply has left, of a client's set.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/random.h>
#include <net/ip.h>
#include <net/ipv6.h>

#include <ntpk/ntp_math.h>
#include <ntpk/ntp_plain.h>
#include <ntpk/ntp_reason.h>

#include "acl.h"
#include "auth.h"
#include "clients.h"
#include "hist.h"
#include "interleave.h"
#include "limit.h"
#include "phc.h"
#include "rx.h"
#include "rx_priv.h"
#include "state.h"
#include "tstamp.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

/*
 * After every chain that a user can write, before both of conntrack's confirm
 * hooks: IPv6's is at LAST - 1, IPv4's at LAST.
 */
#define NTPK_HOOK_PRIORITY	(NF_IP_PRI_LAST - 2)

/* For the bits below the clock's precision; a lost update costs nothing. */
static DEFINE_PER_CPU(u64, noise);

static u64 next_noise(void)
{
	u64 state = this_cpu_read(noise);
	u64 bits = ntp_noise(&state);

	this_cpu_write(noise, state);
	return bits;
}

/* Most requests are a header and nothing else, and most listeners want no more. */
static bool needs_auth(const struct ntpk_rx *rx)
{
	return rx->udp_len > sizeof(struct udphdr) + NTP_HEADER_LEN ||
	       (rx->listener->policy.flags & NTPK_LISTENER_F_REQUIRE_KEY);
}

static bool is_plain(const struct ntpk_rx *rx)
{
	return rx->bare && !rx->rate && !ntp_reply_interleaves(ntpk_rx_req(rx)) &&
	       ntp_plain_ok(&rx->state->serve, &rx->listener->policy, &rx->now, rx->t2_age_ns);
}

/* The long way: what, if anything, and how long. */
static noinline enum ntpk_reason decide(struct ntpk_rx *rx)
{
	const struct ntp_serve *serve = &rx->state->serve;
	enum ntpk_reason verdict;

	verdict = ntp_reply_decide(&rx->answer, serve, &rx->listener->policy, &rx->now,
				   rx->t2_age_ns, rx->t2_err_ns);
	if (verdict != NTPK_REASON_REPLIED) {
		if (rx->now.clock_seq != serve->clock_seq)
			ntpk_state_saw_step(rx->inst, rx->state);
		if (verdict != NTPK_REASON_REPLIED_UNSYNC)
			return verdict;
	}
	if (rx->rate)
		ntp_reply_decide_rate(&rx->answer, &rx->listener->policy.limit);
	/* who is told no time has no use for the time of another reply */
	rx->interleaves = rx->answer.synced && !rx->nak &&
			  ntp_reply_interleaves(ntpk_rx_req(rx));
	if (rx->interleaves)
		ntpk_interleave_find(rx);
	/* the field was asked for and the MAC was there, so the request had room for them */
	rx->reply_len = NTP_HEADER_LEN + rx->mac_len +
			(rx->ext.mono_root ? NTP_EXT_MONO_ROOT_LEN : 0);
	return verdict;
}

static bool is_answer(enum ntpk_reason verdict)
{
	return verdict == NTPK_REASON_REPLIED || verdict == NTPK_REASON_REPLIED_UNSYNC;
}

static enum ntpk_reason answer(struct ntpk_rx *rx)
{
	enum ntpk_reason verdict, failure;

	rx->random = next_noise();
	rx->plain = is_plain(rx);
	if (likely(rx->plain)) {
		verdict = NTPK_REASON_REPLIED;
		rx->reply_len = NTP_HEADER_LEN;
	} else {
		verdict = decide(rx);
		if (!is_answer(verdict))
			return verdict;
	}
	failure = ntpk_tx_send(rx);
	if (unlikely(failure != NTPK_REASON_NONE)) {
		rx->residence_ns = 0;
		return failure;
	}
	if (likely(rx->plain))
		return verdict;
	if (rx->rate)
		return NTPK_REASON_REPLIED_RATE;
	if (rx->answer.departed)
		return NTPK_REASON_REPLIED_INTERLEAVED;
	return rx->nak ? NTPK_REASON_REPLIED_NAK : verdict;
}

/*
 * Above its share a client is answered now and then, told so, or met with silence.  Told
 * only where anybody could be whom it believes: a KoD is not signed.
 */
static noinline enum ntpk_reason above_limit(struct ntpk_rx *rx)
{
	switch (ntp_limit_over(&rx->listener->policy.limit, next_noise())) {
	case NTP_LIMIT_ANSWER:
		return NTPK_REASON_NONE;
	case NTP_LIMIT_KOD:
		rx->rate = !needs_auth(rx);
		return rx->rate ? NTPK_REASON_NONE : NTPK_REASON_LIMITED;
	case NTP_LIMIT_SILENCE:
		break;
	}
	return NTPK_REASON_LIMITED;
}

/* A lost update, where softirqs of one CPU preempt each other, is one packet too many. */
static noinline enum ntpk_reason check_budget(const struct ntpk_rx *rx)
{
	s64 *at_ns = &this_cpu_ptr(rx->inst->stats)->budget_at_ns;

	if (ntp_pace_budget(at_ns, rx->now.raw_ns, rx->state->budget_per_s))
		return NTPK_REASON_NONE;
	ntpk_notice_overload(&rx->inst->notices);
	return NTPK_REASON_OVER_BUDGET;
}

/*
 * Whoever asks too much shall not use up what is there for all, nor may a packet use up
 * anybody's share that has no MAC where one is required.
 */
static enum ntpk_reason check_amount(struct ntpk_rx *rx)
{
	enum ntpk_reason reason = NTPK_REASON_NONE;

	if (unlikely((rx->listener->policy.flags & NTPK_LISTENER_F_REQUIRE_KEY) &&
		     rx->udp_len == sizeof(struct udphdr) + NTP_HEADER_LEN))
		return NTPK_REASON_AUTH_REQUIRED;
	rx->t2_age_ns = ntpk_tstamp_rx(rx->skb, rx->state, &rx->now);
	rx->t2_err_ns = ntp_t2_age_err_ns(rx->t2_age_ns);
	if (unlikely(rcu_access_pointer(rx->inst->phcs)))
		ntpk_phc_stamp(rx);
	if (likely(rx->state->clients))
		ntpk_clients_note(rx);
	if (rx->listener->limits && unlikely(!ntpk_limit_allows(rx)))
		reason = above_limit(rx);
	if (reason == NTPK_REASON_NONE && unlikely(rx->state->budget_per_s))
		reason = check_budget(rx);
	return reason;
}

/* Who may not ask is not even told that there is a server. */
static enum ntpk_reason check_access(const struct ntpk_rx *rx)
{
	return ntpk_acl_allows(rx->listener->acl, rx->skb, rx->pf) ? NTPK_REASON_NONE :
								     NTPK_REASON_ACL_DENIED;
}

/* The stages, in their order: what is cheap and what is not ours first. */
static enum ntpk_reason receive(struct ntpk_rx *rx)
{
	enum ntpk_reason reason = ntpk_rx_check(rx);

	if (likely(reason == NTPK_REASON_NONE))
		reason = check_access(rx);
	if (likely(reason == NTPK_REASON_NONE))
		reason = check_amount(rx);
	if (unlikely(reason != NTPK_REASON_NONE))
		return reason;
	rx->bare = !needs_auth(rx);
	if (unlikely(!rx->bare))
		reason = ntpk_auth_check(rx);
	if (likely(reason == NTPK_REASON_NONE))
		reason = answer(rx);
	return reason;
}

static noinline void note_worst(const struct ntpk_rx *rx)
{
	const struct ntpk_worst worst = {
		.residence_ns = rx->residence_ns,
		.t2_age_ns = rx->t2_age_ns,
		.raw_ns = rx->now.raw_ns,
		.cpu = smp_processor_id(),
		.ifindex = rx->ifindex,
		.queue = rx->queue,
	};

	ntpk_hist_note(rx->inst->hist, &worst);
}

/* What an answer took. */
static void count_times(const struct ntpk_rx *rx)
{
	if (unlikely(rx->residence_ns <= 0))
		return;
	if (unlikely(ntpk_hist_count(rx->inst->hist, rx->residence_ns, rx->t2_age_ns)))
		note_worst(rx);
	if (unlikely(rx->phc_place))
		ntpk_phc_count(rx);
}

/* Out of line, so that who is not traced need not save what it would overwrite. */
static noinline void trace_verdict(u8 pf, enum ntpk_reason reason, s64 t2_age_ns, s64 residence_ns)
{
	trace_ntpk_verdict(pf, reason, t2_age_ns, residence_ns);
}

/* One packet, one reason: counted and traced here and nowhere else. */
static __always_inline void conclude(struct ntpk_inst *inst, u8 pf, enum ntpk_reason reason,
				     s64 t2_age_ns, s64 residence_ns)
{
	ntpk_stats_count(inst->stats, reason);
	if (trace_ntpk_verdict_enabled())
		trace_verdict(pf, reason, t2_age_ns, residence_ns);
}

static unsigned int verdict_of(const struct ntpk_rx *rx, enum ntpk_reason reason)
{
	if (likely(rx->consumed))
		return NF_STOLEN;
	switch (ntp_reason_class(reason)) {
	case NTPK_CLASS_PASS:
		return NF_ACCEPT;
	case NTPK_CLASS_ANSWER:
		consume_skb(rx->skb);
		return NF_STOLEN;
	default:
		return NF_DROP;
	}
}

/* Out of line, so that what is not ours need not pay for its stack. */
static noinline unsigned int handle(struct ntpk_inst *inst, struct ntpk_state *state,
				    const struct ntpk_listener *listener, struct sk_buff *skb,
				    unsigned int udp_off, u8 pf)
{
	const struct udphdr *uh = (const struct udphdr *)(skb->data + udp_off);
	struct ntpk_rx rx ntpk_filled;
	enum ntpk_reason reason;

	/* few enough for a store each: string instructions take long to begin */
	rx.zeroed = (typeof(rx.zeroed)){};
	rx.t2_age_ns = 0;
	rx.residence_ns = 0;
	rx.key = NULL;
	rx.inst = inst;
	rx.state = state;
	rx.listener = listener;
	rx.skb = skb;
	rx.ifindex = skb->dev->ifindex;
	rx.queue = skb->queue_mapping;
	rx.udp_off = udp_off;
	rx.sport = uh->source;
	rx.dport = uh->dest;
	rx.pf = pf;
	reason = receive(&rx);
	conclude(inst, pf, reason, rx.t2_age_ns, rx.residence_ns);
	count_times(&rx);
	if (likely(rx.noted))
		ntpk_clients_saw(&rx, reason);
	return verdict_of(&rx, reason);
}

static bool sent_to(const struct ntpk_listener *listener, const struct sk_buff *skb, u8 pf)
{
	if (listener->pf == NFPROTO_UNSPEC)
		return true;
	if (listener->pf != pf)
		return false;
	if (pf == NFPROTO_IPV4)
		return !listener->addr.s6_addr32[3] ||
		       listener->addr.s6_addr32[3] == ip_hdr(skb)->daddr;
	return ipv6_addr_any(&listener->addr) ||
	       ipv6_addr_equal(&listener->addr, &ipv6_hdr(skb)->daddr);
}

/* As SO_BINDTODEVICE has it: an interface, or the VRF that it is in. */
static bool came_by(const struct ntpk_listener *listener, const struct sk_buff *skb, u8 pf)
{
	return !listener->ifindex || listener->ifindex == skb->dev->ifindex ||
	       listener->ifindex == ntpk_rx_iif(skb, pf);
}

/*
 * The first that fits is the most special one, but for one of the interface itself where
 * that is of its VRF: nobody knew at the push which is in which.
 */
static noinline const struct ntpk_listener *
find_listener(const struct ntpk_state *state, const struct sk_buff *skb, __be16 port, u8 pf)
{
	const struct ntpk_listener *listener, *found = NULL;
	unsigned int i;

	for (i = 0; i < state->n_listeners; i++) {
		listener = &state->listeners[i];
		if (listener->port != ntohs(port) || !sent_to(listener, skb, pf) ||
		    !came_by(listener, skb, pf))
			continue;
		if (!found)
			found = listener;
		else if (listener->pf != found->pf ||
			 !ipv6_addr_equal(&listener->addr, &found->addr))
			break;
		else if (listener->ifindex)
			found = listener;
		if (!found->ifindex || found->ifindex == ntpk_rx_iif(skb, pf))
			break;
	}
	return found;
}

/*
 * A packet that an INPUT rule gave to NFQUEUE comes back in the context of the
 * process that judged it: softirqs are kept out, so that the rest may rely on it.
 */
static noinline unsigned int handle_in_process(struct ntpk_inst *inst, struct ntpk_state *state,
					       const struct ntpk_listener *listener,
					       struct sk_buff *skb, unsigned int udp_off, u8 pf)
{
	unsigned int verdict;

	local_bh_disable();
	verdict = handle(inst, state, listener, skb, udp_off, pf);
	local_bh_enable();
	return verdict;
}

static __always_inline unsigned int handle_anywhere(struct ntpk_inst *inst,
						    struct ntpk_state *state,
						    const struct ntpk_listener *listener,
						    struct sk_buff *skb, unsigned int udp_off,
						    u8 pf)
{
	if (unlikely(!in_softirq()))
		return handle_in_process(inst, state, listener, skb, udp_off, pf);
	return handle(inst, state, listener, skb, udp_off, pf);
}

/* Where it is not as simple as below. */
static noinline unsigned int look_for_listener(struct ntpk_inst *inst, struct sk_buff *skb,
					       unsigned int udp_off, u8 pf)
{
	struct ntpk_state *state = rcu_dereference(inst->state);
	const struct ntpk_listener *listener = NULL;
	__be16 port;

	if (state && pskb_may_pull(skb, udp_off + offsetofend(struct udphdr, dest))) {
		port = ((struct udphdr *)(skb->data + udp_off))->dest;
		if (port && port == state->any_port)
			listener = state->listeners;
		else if (!state->any_port)
			listener = find_listener(state, skb, port, pf);
	}
	if (listener)
		return handle_anywhere(inst, state, listener, skb, udp_off, pf);
	conclude(inst, pf, NTPK_REASON_OTHER_PORT, 0, 0);
	return NF_ACCEPT;
}

/* To the port that a moment ago was the only one. */
static __always_inline unsigned int handle_any_port(struct ntpk_inst *inst, struct sk_buff *skb,
						    unsigned int udp_off, __be16 port, u8 pf)
{
	struct ntpk_state *state = rcu_dereference(inst->state);

	if (unlikely(!state || state->any_port != port))
		return look_for_listener(inst, skb, udp_off, pf);
	return handle_anywhere(inst, state, state->listeners, skb, udp_off, pf);
}

/*
 * Everything that is for another port leaves here, having cost next to nothing: its UDP
 * header is looked for from skb->head on, where the network header's place is told from, and
 * whatever is called is called last, so that no register has to be saved (where counting
 * calls nothing, which is on 64 bits).
 */
static __always_inline unsigned int handle_udp(struct ntpk_inst *inst, struct sk_buff *skb,
					       unsigned long from_head, u8 pf)
{
	__be16 port = READ_ONCE(inst->any_port);

	if (unlikely(!port || skb_tail_pointer(skb) - skb->head <
			      from_head + offsetofend(struct udphdr, dest)))
		return look_for_listener(inst, skb, from_head - skb_headroom(skb), pf);
	if (((struct udphdr *)(skb->head + from_head))->dest == port)
		return handle_any_port(inst, skb, from_head - skb_headroom(skb), port, pf);
	conclude(inst, pf, NTPK_REASON_OTHER_PORT, 0, 0);
	return NF_ACCEPT;
}

static unsigned int hook_v4(void *priv, struct sk_buff *skb, const struct nf_hook_state *hs)
{
	const struct iphdr *iph = ip_hdr(skb);

	if (iph->protocol != IPPROTO_UDP)
		return NF_ACCEPT;
	return handle_udp(priv, skb, skb->network_header + iph->ihl * 4UL, NFPROTO_IPV4);
}

#if IS_ENABLED(CONFIG_IPV6)
/* Behind extension headers; in a fragment only where it is the first, which has ports. */
static noinline unsigned int look_for_udp_v6(struct ntpk_inst *inst, struct sk_buff *skb)
{
	u8 nexthdr = ipv6_hdr(skb)->nexthdr;
	__be16 frag_off;
	int off;

	if (!ipv6_ext_hdr(nexthdr))
		return NF_ACCEPT;
	off = ipv6_skip_exthdr(skb, skb_network_offset(skb) + sizeof(struct ipv6hdr), &nexthdr,
			       &frag_off);
	if (off < 0 || nexthdr != IPPROTO_UDP || (frag_off & htons(~0x7)))
		return NF_ACCEPT;
	return look_for_listener(inst, skb, off, NFPROTO_IPV6);
}

static unsigned int hook_v6(void *priv, struct sk_buff *skb, const struct nf_hook_state *hs)
{
	if (unlikely(ipv6_hdr(skb)->nexthdr != IPPROTO_UDP))
		return look_for_udp_v6(priv, skb);
	return handle_udp(priv, skb, skb->network_header + sizeof(struct ipv6hdr), NFPROTO_IPV6);
}
#endif

static const struct nf_hook_ops hooks[] = {
	{
		.hook = hook_v4,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_LOCAL_IN,
		.priority = NTPK_HOOK_PRIORITY,
	},
#if IS_ENABLED(CONFIG_IPV6)
	{
		.hook = hook_v6,
		.pf = NFPROTO_IPV6,
		.hooknum = NF_INET_LOCAL_IN,
		.priority = NTPK_HOOK_PRIORITY,
	},
#endif
};

/**
 * ntpk_rx_register() - see the packets of a namespace
 * @inst: which; given to the hooks, so that they need not look for it
 *
 * Context: process.
 * Return: 0 or -errno.
 */
int ntpk_rx_register(struct ntpk_inst *inst)
{
	unsigned int i;

	BUILD_BUG_ON(ARRAY_SIZE(hooks) > ARRAY_SIZE(inst->hooks));
	memcpy(inst->hooks, hooks, sizeof(hooks));
	for (i = 0; i < ARRAY_SIZE(hooks); i++)
		inst->hooks[i].priv = inst;
	return nf_register_net_hooks(inst->net, inst->hooks, ARRAY_SIZE(hooks));
}

/**
 * ntpk_rx_unregister() - see them no more
 * @inst: which
 *
 * Context: process.  A hook may still be running on another CPU: the caller
 * waits for a grace period before freeing what it uses.
 */
void ntpk_rx_unregister(struct ntpk_inst *inst)
{
	nf_unregister_net_hooks(inst->net, inst->hooks, ARRAY_SIZE(hooks));
}

/** ntpk_rx_setup() - once, at load */
void ntpk_rx_setup(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		per_cpu(noise, cpu) = get_random_u64();
}
