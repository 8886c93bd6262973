// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The table of buckets, see ntp_limit.h.  Any context.
 */
#include <ntpk/ntp_limit.h>

#define NS_PER_S	1000000000ULL
#define TRIES		2

#ifdef __KERNEL__
static inline __u64 bucket_read(const ntp_limit_bucket *b)
{
	return (__u64)atomic64_read(b);
}

static inline void bucket_init(ntp_limit_bucket *b, __u64 value)
{
	atomic64_set(b, (__s64)value);
}

static inline bool bucket_swap(ntp_limit_bucket *b, __u64 old, __u64 new)
{
	return atomic64_cmpxchg_relaxed(b, (__s64)old, (__s64)new) == (__s64)old;
}
#else
static inline __u64 bucket_read(const ntp_limit_bucket *b)
{
	return __atomic_load_n(b, __ATOMIC_RELAXED);
}

static inline void bucket_init(ntp_limit_bucket *b, __u64 value)
{
	*b = value;
}

static inline bool bucket_swap(ntp_limit_bucket *b, __u64 old, __u64 new)
{
	return __atomic_compare_exchange_n(b, &old, new, false, __ATOMIC_RELAXED,
					   __ATOMIC_RELAXED);
}
#endif

bool ntp_limit_complete(struct ntp_limit *limit)
{
	__u64 interval_ns = limit->interval_log2s < 0 ?
			    NS_PER_S >> -limit->interval_log2s :
			    NS_PER_S << limit->interval_log2s;
	__u64 interval = interval_ns >> NTP_LIMIT_UNIT_LOG2NS;

	limit->span = interval * limit->burst;
	/* 32 bits are enough for 2^12 s, and their division is everywhere */
	limit->cost = (__u32)interval / limit->nat;
	limit->kind = (__u64)(__u8)limit->interval_log2s << 48 | (__u64)limit->burst << 32 |
		      (__u64)limit->nat << 16 | (__u32)limit->prefix_v4 << 8 | limit->prefix_v6;
	return limit->cost >= NTP_LIMIT_COST_MIN;
}

__u32 ntp_limit_lines(__u32 clients)
{
	__u32 lines = 1;

	while (lines < 1U << 31 && (__u64)lines * NTP_LIMIT_WAYS < clients)
		lines <<= 1;
	return lines;
}

static inline __u64 units(__s64 now_ns)
{
	return ((__u64)now_ns >> NTP_LIMIT_UNIT_LOG2NS) & NTP_LIMIT_TIME_MASK;
}

void ntp_limit_init(struct ntp_limit_line *lines, __u32 n_lines, __s64 now_ns)
{
	unsigned int i;

	for (; n_lines; n_lines--, lines++)
		for (i = 0; i < NTP_LIMIT_WAYS; i++)
			bucket_init(&lines->bucket[i], units(now_ns));
}

/* Units until it is full again.  What is further away than it could be is long past. */
static inline __u64 level(__u64 bucket, __u64 now, __u64 span)
{
	__u64 ahead = (bucket - now) & NTP_LIMIT_TIME_MASK;

	return ahead > span + NTP_LIMIT_SLACK ? 0 : ahead;
}

/* The bucket of @tag, else the fullest; @found: which it is. */
static inline ntp_limit_bucket *choose(struct ntp_limit_line *line, __u64 tag, __u64 now,
				       __u64 span, __u64 *value, bool *found)
{
	__u64 lowest = ~0ULL, seen, its;
	ntp_limit_bucket *chosen = NULL;
	unsigned int i;

	*found = false;
	for (i = 0; i < NTP_LIMIT_WAYS; i++) {
		seen = bucket_read(&line->bucket[i]);
		if (seen >> NTP_LIMIT_TIME_BITS == tag) {
			*value = seen;
			*found = true;
			return &line->bucket[i];
		}
		its = level(seen, now, span);
		if (its < lowest) {
			lowest = its;
			*value = seen;
			chosen = &line->bucket[i];
		}
	}
	return chosen;
}

bool ntp_limit_take(struct ntp_limit_line *lines, __u32 n_lines, __u64 hash, __s64 now_ns,
		    const struct ntp_limit *limit)
{
	struct ntp_limit_line *line = &lines[(__u32)hash & (n_lines - 1)];
	__u64 now = units(now_ns);
	__u64 tag = hash >> NTP_LIMIT_TIME_BITS;
	unsigned int i;

	for (i = 0; i < TRIES; i++) {
		ntp_limit_bucket *bucket;
		__u64 old, its;
		bool found;

		bucket = choose(line, tag, now, limit->span, &old, &found);
		its = (found ? level(old, now, limit->span) : 0) + limit->cost;
		if (its > limit->span)
			return false;
		if (bucket_swap(bucket, old, tag << NTP_LIMIT_TIME_BITS |
				((now + its) & NTP_LIMIT_TIME_MASK)))
			return true;
	}
	return true;
}
