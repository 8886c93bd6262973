/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The short way to a reply, for where served time can be told and nothing else is to be
 * said, which is nearly always.  What needs divisions, and what could go wrong, is looked
 * at once when a state is pushed: then there is a span of time in which a reply is three
 * products.  ntp_reply.h is the long way, and gives the same reply but for the roundings
 * that are named here.  Pure C, like that.
 */
#ifndef _NTPK_NTP_PLAIN_H
#define _NTPK_NTP_PLAIN_H

#include <ntpk/ntp_math.h>
#include <ntpk/ntp_reply.h>

/* A span is at most so long: below 2^43 ns the short format comes out of one product. */
#define NTP_PLAIN_MAX_NS	(1LL << 42)
/* 2^64 / 10^9 and 2^80 / 10^9, rounded down */
#define NTP_PLAIN_TS_PER_NS	18446744073ULL
#define NTP_PLAIN_SHORT_PER_NS	0x44b82fa09b5a5ULL
#define NTP_PLAIN_SHIFT		3

/**
 * ntp_plain_complete() - where may a listener answer the short way?
 * @policy: its plain_ns is set, 0 = nowhere
 * @serve: state, from ntp_serve_complete()
 */
void ntp_plain_complete(struct ntp_policy *policy, const struct ntp_serve *serve);

/**
 * ntp_plain_ok() - may a request be answered the short way?
 * @serve: state
 * @policy: of the listener, from ntp_plain_complete()
 * @now: clocks
 * @t2_age_ns: how long before @now the request was received, >= 0
 *
 * Return: whether; then ntp_reply_decide() gives NTPK_REASON_REPLIED, and neither the
 * listener nor the state has more to say than ntp_plain_fill() does.
 */
static inline bool ntp_plain_ok(const struct ntp_serve *serve, const struct ntp_policy *policy,
				const struct ntp_now *now, __s64 t2_age_ns)
{
	return (__u64)now->raw_ns - (__u64)serve->line.base_raw_ns < policy->plain_ns &&
	       (__u64)t2_age_ns < NTP_NS_PER_S && now->clock_seq == serve->clock_seq &&
	       now->boot_ns < serve->deadline_boot_ns;
}

/**
 * ntp_plain_at() - served time as a timestamp
 * @serve: state
 * @raw_ns: CLOCK_MONOTONIC_RAW, not before the base
 *
 * Return: it, at most 2^-31 s early.
 */
static inline ntp64_t ntp_plain_at(const struct ntp_serve *serve, __s64 raw_ns)
{
	__u64 d = (__u64)raw_ns - (__u64)serve->line.base_raw_ns;

	return serve->plain.base_ts + ntp_mul_u64(d << NTP_PLAIN_SHIFT, serve->plain.ts_per_ns).hi;
}

/**
 * ntp_plain_short() - ntp32_from_ns() of what is not long
 * @ns: below 2^43: a fraction of 2^-16 s is a whole number of 1/1953125, which is more than
 *	the reciprocal is off by
 *
 * Return: rounded up to 2^-16 s.
 */
static inline ntp32_t ntp_plain_short(__u64 ns)
{
	struct ntp_u128 p = ntp_mul_u64(ns, NTP_PLAIN_SHORT_PER_NS);

	return (ntp32_t)(p.hi + !!p.lo);
}

/**
 * ntp_plain_disp_ns() - root dispersion of a reply
 * @serve: state
 * @raw_ns: CLOCK_MONOTONIC_RAW, within the span
 *
 * Return: that of ntp_reply_decide() where T2 has no error, or a nanosecond more.
 */
static inline __u64 ntp_plain_disp_ns(const struct ntp_serve *serve, __s64 raw_ns)
{
	__u64 d = (__u64)raw_ns - (__u64)serve->line.base_raw_ns;

	return serve->plain.disp_ns + ntp_mul_u64(d, serve->plain.disp_per_ns).hi;
}

/**
 * ntp_plain_fill() - all of the reply but T3, as ntp_reply_fill() does
 * @reply: out, the whole header, xmt_ts undefined; may be @req
 * @req: a request that ntp_reply_classify() accepted, not in interleaved mode
 * @serve: state
 * @now: clocks that ntp_plain_ok() was asked with
 * @t2_age_ns: likewise
 * @more_disp_ns: what is known of other errors, T2's among them; below 2^41
 * @random: uniform bits; those of T2 below the precision are taken from it
 */
static inline void ntp_plain_fill(struct ntp_header *reply, const struct ntp_header *req,
				  const struct ntp_serve *serve, const struct ntp_now *now,
				  __s64 t2_age_ns, __u64 more_disp_ns, __u64 random)
{
	__u64 disp_ns = ntp_plain_disp_ns(serve, now->raw_ns) + more_disp_ns;
	ntp64_t t2 = ntp_plain_at(serve, now->raw_ns) -
		     ((__u64)t2_age_ns * NTP_PLAIN_TS_PER_NS >> 32);
	/* before anything is written where it may be */
	__be64 origin = req->xmt_ts;

	reply->lvm = ntp_reply_lvm(serve->reply.lvm, req->lvm);
	reply->stratum = serve->reply.stratum;
	reply->poll_log2s = req->poll_log2s;
	reply->precision_log2s = serve->precision_log2s;
	reply->root_delay = serve->reply.root_delay;
	reply->root_disp = ntp_htobe32(ntp_plain_short(disp_ns));
	reply->refid = serve->reply.refid;
	reply->ref_ts = serve->reply.ref_ts;
	reply->org_ts = origin;
	reply->rec_ts = ntp_htobe64((t2 & ~serve->plain.below) | (random & serve->plain.below) |
				    NTP_T2_BIT);
}

/**
 * ntp_plain_stamp() - write T3, as ntp_reply_stamp() does
 * @reply: from ntp_plain_fill()
 * @serve: the same state
 * @raw_ns: CLOCK_MONOTONIC_RAW at departure
 * @random: uniform bits, used below the precision
 *
 * Return: NTPK_REASON_NONE, or T3_BEFORE_T2 when time really went backwards.
 */
static inline enum ntpk_reason ntp_plain_stamp(struct ntp_header *reply,
					       const struct ntp_serve *serve, __s64 raw_ns,
					       __u64 random)
{
	__u64 below = serve->plain.below;
	ntp64_t t3 = ((ntp_plain_at(serve, raw_ns) & ~below) | (random & below)) & ~NTP_T2_BIT;

	return ntp_reply_put_t3(reply, t3, below | NTP_T2_BIT);
}

#endif /* _NTPK_NTP_PLAIN_H */
