/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * How much a client may ask.  A generic cell rate algorithm (ITU-T I.371: a token
 * bucket that is one number, the time at which it is full again) for each prefix of
 * addresses, in a table of fixed size without locks.  Time and randomness are
 * arguments.  Any context.
 */
#ifndef _NTPK_NTP_LIMIT_H
#define _NTPK_NTP_LIMIT_H

#include <linux/ntpk.h>
#include <ntpk/ntp_acl.h>

#ifdef __KERNEL__
#include <linux/atomic.h>
typedef atomic64_t ntp_limit_bucket;
#else
typedef __u64 ntp_limit_bucket;
#endif

#define NTP_LIMIT_WAYS		8	/* buckets of a cache line */
#define NTP_LIMIT_TRIES		2
#define NTP_LIMIT_UNIT_LOG2NS	12
/*
 * A bucket: so many bits of a time in units, and below them the tag of its owner, so that
 * times are compared, added to and wrap without being taken apart.
 */
#define NTP_LIMIT_TIME_BITS	40
#define NTP_LIMIT_TIME_MASK	((1ULL << NTP_LIMIT_TIME_BITS) - 1)
#define NTP_LIMIT_TAG_BITS	(64 - NTP_LIMIT_TIME_BITS)
#define NTP_LIMIT_TAG_MASK	((1ULL << NTP_LIMIT_TAG_BITS) - 1)
/*
 * Two CPUs do not read the clock in the order in which they come to a bucket: what is no
 * more than this further ahead than a bucket can be was emptied just now, and is not long
 * past.
 */
#define NTP_LIMIT_SLACK		(1ULL << 18)	/* a second, in units */
/* What a limit has unless told otherwise: chrony's leak; a host, and a site's network. */
#define NTP_LIMIT_LEAK_LOG2	2
#define NTP_LIMIT_PREFIX_V4	32
#define NTP_LIMIT_PREFIX_V6	64
/* Of a budget: a hundredth of a second at once, and no less than a poll of NAPI. */
#define NTP_BUDGET_BURST_PER_S	100
#define NTP_BUDGET_BURST_MIN	64
/* A cost is a whole number of units: from here on within 1/32 of what it should be. */
#define NTP_LIMIT_COST_MIN	32

/**
 * struct ntp_limit - how much is allowed; all zero = anything
 * @cost: of one request, in units of 2^NTP_LIMIT_UNIT_LOG2NS ns
 * @span: what a bucket holds, likewise
 * @step: @cost as a bucket has its time
 * @room: from here on, above now, a bucket has none for a request, likewise
 * @past: from here on what a bucket has is long past, likewise
 * @kind: the same for equal limits and for no others: listeners of equal limits
 *	share a table
 * @burst: so many at once, 1..255
 * @nat: so many clients may share a prefix, 1..65535
 * @interval_log2s: one request in so many seconds
 * @leak_log2: one in 2^this above the limit is answered all the same, 0 = none
 * @kod_log2: one in 2^this of the others is told so by a KoD, 0 = none
 * @prefix_v4: whose addresses are one client
 * @prefix_v6: likewise
 */
struct ntp_limit {
	__u64	cost;
	__u64	span;
	__u64	step;
	__u64	room;
	__u64	past;
	__u64	kind;
	__u32	burst;
	__u32	nat;
	__s8	interval_log2s;
	__u8	leak_log2;
	__u8	kod_log2;
	__u8	prefix_v4;
	__u8	prefix_v6;
};

/* struct ntp_limit_line - buckets of which a client has one; 64-byte aligned */
struct ntp_limit_line {
	ntp_limit_bucket bucket[NTP_LIMIT_WAYS];
};

_Static_assert(sizeof(struct ntp_limit_line) == 64, "a request reads one cache line");

/* What becomes of a request above the limit. */
enum ntp_limit_verdict {
	NTP_LIMIT_ANSWER,
	NTP_LIMIT_KOD,
	NTP_LIMIT_SILENCE,
};

/**
 * ntp_limit_complete() - what follows from the other members
 * @limit: in range; all that follow @cost up to @kind are set with it
 *
 * Return: false where a client may ask so often that it cannot be counted:
 * NTPK_LIMIT_PER_S_MAX times a second and more.
 */
bool ntp_limit_complete(struct ntp_limit *limit);

/**
 * ntp_limit_who() - whose bucket is it?
 * @limit: limit
 * @addr: of the request's source
 * @v6: its family
 *
 * Return: @addr cut to its prefix; to be hashed together with the family, under a key
 * that nobody knows.
 */
static inline struct ntp_acl_addr ntp_limit_who(const struct ntp_limit *limit,
						struct ntp_acl_addr addr, bool v6)
{
	return ntp_acl_cut(addr, v6 ? limit->prefix_v6 : limit->prefix_v4);
}

/**
 * ntp_limit_lines() - how long a table has to be
 * @clients: that it shall hold
 *
 * Return: lines, a power of two.
 */
__u32 ntp_limit_lines(__u32 clients);

/**
 * ntp_limit_init() - nobody has asked yet
 * @lines: table, of limits of one kind
 * @n_lines: from ntp_limit_lines()
 * @now_ns: of the clock of ntp_limit_take()
 */
void ntp_limit_init(struct ntp_limit_line *lines, __u32 n_lines, __s64 now_ns);

static inline __u64 ntp_limit_bucket_read(const ntp_limit_bucket *b)
{
#ifdef __KERNEL__
	return (__u64)atomic64_read(b);
#else
	return __atomic_load_n(b, __ATOMIC_RELAXED);
#endif
}

static inline bool ntp_limit_bucket_swap(ntp_limit_bucket *b, __u64 old, __u64 new)
{
#ifdef __KERNEL__
	return atomic64_cmpxchg_relaxed(b, (__s64)old, (__s64)new) == (__s64)old;
#else
	return __atomic_compare_exchange_n(b, &old, new, false, __ATOMIC_RELAXED,
					   __ATOMIC_RELAXED);
#endif
}

/* A time as a bucket has it. */
static inline __u64 ntp_limit_at(__s64 now_ns)
{
	return (__u64)now_ns >> NTP_LIMIT_UNIT_LOG2NS << NTP_LIMIT_TAG_BITS;
}

/* The bucket that a client has unless somebody else was there before. */
static inline __u32 ntp_limit_place(__u32 n_lines, __u64 hash)
{
	return (__u32)hash & (n_lines * NTP_LIMIT_WAYS - 1);
}

/* ntp_limit_take() where a client's bucket is not in its place, or another CPU has it. */
bool ntp_limit_take_line(struct ntp_limit_line *lines, __u32 n_lines, __u64 hash, __s64 now_ns,
			 const struct ntp_limit *limit, unsigned int tries);

/**
 * ntp_limit_take() - may this request be answered?
 * @lines: from ntp_limit_init()
 * @n_lines: of it
 * @hash: 64 uniform bits of who asks
 * @now_ns: of a clock that nobody sets
 * @limit: of the table's kind
 *
 * A client that has no bucket gets the fullest of its line, its place before others, so a
 * flood from everywhere cannot lock anybody out but by the tag: 24 bits, and the same line.
 * Reads one cache line.  When other CPUs write the bucket meanwhile it is tried twice, and
 * then the request goes uncounted.  A bucket that nobody asked for in 52 days, less its
 * span, is for that span taken for one that is used.
 *
 * Return: whether; refusals cost the client nothing.
 */
static inline bool ntp_limit_take(struct ntp_limit_line *lines, __u32 n_lines, __u64 hash,
				  __s64 now_ns, const struct ntp_limit *limit)
{
	ntp_limit_bucket *bucket = (ntp_limit_bucket *)lines + ntp_limit_place(n_lines, hash);
	__u64 tag = hash >> NTP_LIMIT_TIME_BITS, now = ntp_limit_at(now_ns), old, ahead;

	old = ntp_limit_bucket_read(bucket);
	if (__builtin_expect((old ^ tag) & NTP_LIMIT_TAG_MASK, 0))
		return ntp_limit_take_line(lines, n_lines, hash, now_ns, limit, NTP_LIMIT_TRIES);
	ahead = old - now;
	if (ahead >= limit->past)
		now |= tag;
	else if (ahead < limit->room)
		now = old;
	else
		return false;
	if (__builtin_expect(ntp_limit_bucket_swap(bucket, old, now + limit->step), 1))
		return true;
	return ntp_limit_take_line(lines, n_lines, hash, now_ns, limit, NTP_LIMIT_TRIES - 1);
}

/**
 * ntp_limit_over() - what becomes of a request above the limit
 * @limit: limit
 * @random: uniform bits
 *
 * Return: ANSWER with a probability of 2^-leak_log2, else KOD with one of
 * 2^-kod_log2, else SILENCE.
 */
static inline enum ntp_limit_verdict ntp_limit_over(const struct ntp_limit *limit, __u64 random)
{
	if (limit->leak_log2 && !((__u32)random >> (32 - limit->leak_log2)))
		return NTP_LIMIT_ANSWER;
	if (limit->kod_log2 && !(random >> (64 - limit->kod_log2)))
		return NTP_LIMIT_KOD;
	return NTP_LIMIT_SILENCE;
}

/**
 * ntp_pace() - so many a second and no more, of one writer
 * @at_ns: when the next one is due, less the burst; changed
 * @now_ns: of a clock that nobody sets
 * @per_ns: one in so many
 * @burst: so many at once
 *
 * Return: whether it may go.
 */
static inline bool ntp_pace(__s64 *at_ns, __s64 now_ns, __s64 per_ns, __u32 burst)
{
	__s64 earliest_ns = now_ns - per_ns * (burst - 1);
	__s64 due_ns = *at_ns > earliest_ns ? *at_ns : earliest_ns;

	if (due_ns > now_ns) {
		if (due_ns - now_ns <= per_ns)
			return false;
		/* never so far ahead: half of it was written by somebody else */
		due_ns = now_ns;
	}
	*at_ns = due_ns + per_ns;
	return true;
}

/**
 * ntp_pace_budget() - ntp_pace() of a budget
 * @at_ns: as there
 * @now_ns: as there
 * @per_s: so many a second, not 0
 *
 * Return: whether it may go.
 */
static inline bool ntp_pace_budget(__s64 *at_ns, __s64 now_ns, __u32 per_s)
{
	__u32 burst = per_s / NTP_BUDGET_BURST_PER_S;

	return ntp_pace(at_ns, now_ns, (__u32)NTP_NS_PER_S / per_s,
			burst > NTP_BUDGET_BURST_MIN ? burst : NTP_BUDGET_BURST_MIN);
}

#endif /* _NTPK_NTP_LIMIT_H */
