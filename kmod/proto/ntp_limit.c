// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The table of buckets, see ntp_limit.h.  Any context.
 */
#include <ntpk/ntp_limit.h>

#define NS_PER_S	1000000000ULL

bool ntp_limit_complete(struct ntp_limit *limit)
{
	__u64 interval_ns = limit->interval_log2s < 0 ?
			    NS_PER_S >> -limit->interval_log2s :
			    NS_PER_S << limit->interval_log2s;
	__u64 interval = interval_ns >> NTP_LIMIT_UNIT_LOG2NS;

	limit->span = interval * limit->burst;
	/* 32 bits are enough for 2^12 s, and their division is everywhere */
	limit->cost = (__u32)interval / limit->nat;
	limit->step = limit->cost << NTP_LIMIT_TAG_BITS;
	limit->room = (limit->span - limit->cost + 1) << NTP_LIMIT_TAG_BITS;
	limit->past = (limit->span + NTP_LIMIT_SLACK + 1) << NTP_LIMIT_TAG_BITS;
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

static inline void bucket_init(ntp_limit_bucket *b, __u64 value)
{
#ifdef __KERNEL__
	atomic64_set(b, (__s64)value);
#else
	*b = value;
#endif
}

void ntp_limit_init(struct ntp_limit_line *lines, __u32 n_lines, __s64 now_ns)
{
	unsigned int i;

	for (; n_lines; n_lines--, lines++)
		for (i = 0; i < NTP_LIMIT_WAYS; i++)
			bucket_init(&lines->bucket[i], ntp_limit_at(now_ns));
}

/* Until it is full again, and a tag.  What is further away than it could be is long past. */
static inline __u64 level(__u64 bucket, __u64 now, const struct ntp_limit *limit)
{
	__u64 ahead = bucket - now;

	return ahead >= limit->past ? 0 : ahead;
}

/* The bucket of @tag, else the fullest, its place first; @its: its level, 0 of another's. */
static inline ntp_limit_bucket *choose(ntp_limit_bucket *line, unsigned int place, __u64 tag,
				       __u64 now, const struct ntp_limit *limit, __u64 *old,
				       __u64 *its)
{
	__u64 lowest = ~0ULL, seen, seen_level;
	ntp_limit_bucket *chosen = line, *b;
	unsigned int i;

	*its = 0;
	for (i = 0; i < NTP_LIMIT_WAYS; i++) {
		b = &line[(place + i) % NTP_LIMIT_WAYS];
		seen = ntp_limit_bucket_read(b);
		seen_level = level(seen, now, limit) & ~NTP_LIMIT_TAG_MASK;
		if ((seen & NTP_LIMIT_TAG_MASK) == tag) {
			*old = seen;
			*its = seen_level;
			return b;
		}
		if (seen_level < lowest) {
			lowest = seen_level;
			*old = seen;
			chosen = b;
		}
	}
	return chosen;
}

bool ntp_limit_take_line(struct ntp_limit_line *lines, __u32 n_lines, __u64 hash, __s64 now_ns,
			 const struct ntp_limit *limit, unsigned int tries)
{
	__u32 place = ntp_limit_place(n_lines, hash);
	ntp_limit_bucket *line = lines[place / NTP_LIMIT_WAYS].bucket, *bucket;
	__u64 now = ntp_limit_at(now_ns), tag = hash >> NTP_LIMIT_TIME_BITS, old, its;

	while (tries--) {
		bucket = choose(line, place, tag, now, limit, &old, &its);
		if (its >= limit->room)
			return false;
		if (ntp_limit_bucket_swap(bucket, old, (now + its + limit->step) | tag))
			return true;
	}
	return true;
}
