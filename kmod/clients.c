// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a request does to the table of clients.
 *
 * A client may be in either of two sets that its hash names, so that all sets are nearly
 * full before anybody is displaced.  A set has one lock, held for one look-up and one
 * update; its first cache line says which of its entries is worth a look, and which of
 * them is to go.  Who was seen once only goes first: a flood of sources that do not come
 * again displaces itself.
 *
 * Softirq under RCU.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/kernel.h>
#include <linux/netfilter.h>
#include <linux/prefetch.h>
#include <linux/udp.h>

#include "clients_priv.h"
#include "rx_priv.h"
#include "state.h"
#include "who.h"

/* Up to here a client goes into its first set, which is looked at first. */
#define WAYS_FIRST		8
/* Times are in units of 2^30 ns. */
#define UNIT_LOG2NS		30
/* Who came again is kept as if he had been here so much later: three days. */
#define KEEP_UNITS		241399
/* Where all came again: each is kept for so many times as long as it has been coming. */
#define STAY_FACTOR		8
/* No class. */
#define NOT_HERE		__NTP_CLIENT_QUIRK_MAX
/* Another CPU has its set: as many requests as this meets are not in the record. */
#define BUSY			(__NTP_CLIENT_QUIRK_MAX + 1)

static u32 units(const struct ntpk_rx *rx)
{
	return (u32)(rx->now.raw_ns >> UNIT_LOG2NS) + 1;
}

static struct ntpk_clients_set *set_of(const struct ntpk_clients *table, u32 hash)
{
	return &table->sets[reciprocal_scale(hash, table->n_sets)];
}

/* Always another one. */
static struct ntpk_clients_set *second_set(const struct ntpk_rx *rx)
{
	const struct ntpk_clients *table = rx->state->clients;
	struct ntpk_clients_set *set = set_of(table, lower_32_bits(rx->note.hash));

	if (unlikely(set == rx->note.first))
		return set == table->sets ? set + 1 : set - 1;
	return set;
}

/* Of bits that the sets do not depend on: the lowest of what the first one is scaled from. */
static u8 tag_of(const struct ntpk_note *note)
{
	return (u8)(note->hash >> 32);
}

/* Top bit of each byte that is zero, and perhaps of one of 1 above such. */
static u64 zero_bytes(u64 bytes)
{
	return (bytes - 0x0101010101010101ULL) & ~bytes & 0x8080808080808080ULL;
}

static bool is_here(const struct ntpk_clients_set *set, unsigned int way,
		    const struct ntpk_note *note)
{
	const struct ntp_acl_addr *who = &set->front[way].who;

	return who->lo == note->who.lo && who->hi == note->who.hi && set->seen[way];
}

/* Of the first eight ways, those that are worth a look: the top bits of their bytes. */
static u64 likely_low(const struct ntpk_clients_set *set, const struct ntpk_note *note)
{
	u64 tags = tag_of(note) * 0x0101010101010101ULL;

	return zero_bytes(le64_to_cpup((const __le64 *)set->tag) ^ tags);
}

/* Likewise of the last four. */
static u64 likely_high(const struct ntpk_clients_set *set, const struct ntpk_note *note)
{
	u32 tags = tag_of(note) * 0x01010101U;
	u32 high = le32_to_cpup((const __le32 *)(set->tag + 8));

	return zero_bytes((high ^ tags) | ~0ULL << 32);
}

/* Which of these ways it has, WAYS = none.  Under the lock. */
static unsigned int find_in(const struct ntpk_clients_set *set, u64 tops, unsigned int first,
			    const struct ntpk_note *note)
{
	unsigned int way;

	for (; tops; tops &= tops - 1) {
		way = first + (__ffs64(tops) >> 3);
		if (is_here(set, way, note))
			return way;
	}
	return WAYS;
}

/* Under the lock. */
static unsigned int find(const struct ntpk_clients_set *set, const struct ntpk_note *note)
{
	unsigned int way = find_in(set, likely_low(set, note), 0, note);

	return way < WAYS ? way : find_in(set, likely_high(set, note), 8, note);
}

/* Not one of those that ask most. */
static noinline void look_at(struct ntp_client *client, struct ntp_client_rest *rest,
			     const struct ntpk_rx *rx, enum ntp_client_verdict verdict)
{
	struct ntp_client_req q = {
		.now_ns = rx->now.raw_ns,
		.verdict = verdict,
		.step_gen = rx->state->step_gen,
	};

	ntp_client_req_header(&q, &rx->note.req, rx->udp_len - sizeof(struct udphdr));
	if (verdict < NTP_CLIENT_LIMITED)
		q.t2 = be64_to_cpu(rx->note.t2);
	ntp_client_update(client, rest, &q);
}

/* Under the lock.  Return: its class. */
static __always_inline unsigned int update(struct ntpk_clients_set *set, unsigned int way,
					   const struct ntpk_rx *rx,
					   enum ntp_client_verdict verdict)
{
	struct ntp_client *client = &set->front[way].client;
	u32 now = units(rx);

	/* not worked out anew for each of its members */
	OPTIMIZER_HIDE_VAR(client);
	if (set->seen[way] >> 1 != now)
		set->seen[way] = now << 1 | 1;
	if (!ntp_client_skim(client, rx->now.raw_ns, verdict))
		look_at(client, &set->rest[way], rx, verdict);
	return client->quirk;
}

/* Among the last four.  Under the lock. */
static noinline unsigned int update_high(struct ntpk_clients_set *set, const struct ntpk_rx *rx,
					 enum ntp_client_verdict verdict)
{
	unsigned int way = find_in(set, likely_high(set, &rx->note), 8, &rx->note);

	return way < WAYS ? update(set, way, rx, verdict) : NOT_HERE;
}

/* What find() finds, where it finds it.  Under the lock.  Return: its class, NOT_HERE. */
static __always_inline unsigned int find_update(struct ntpk_clients_set *set,
						const struct ntpk_rx *rx,
						enum ntp_client_verdict verdict)
{
	u64 tops = likely_low(set, &rx->note);
	unsigned int way;

	for (; tops; tops &= tops - 1) {
		way = __ffs64(tops) >> 3;
		if (likely(is_here(set, way, &rx->note)))
			return update(set, way, rx, verdict);
	}
	return update_high(set, rx, verdict);
}

/*
 * A flood in one client's name, by several queues, does not make CPUs wait for each other.
 * Return: its class, NOT_HERE where it is in another set or in none, BUSY.
 */
static __always_inline unsigned int update_in(struct ntpk_clients_set *set,
					      const struct ntpk_rx *rx,
					      enum ntp_client_verdict verdict)
{
	unsigned int quirk;

	if (unlikely(!raw_spin_trylock(&set->lock)))
		return BUSY;
	quirk = find_update(set, rx, verdict);
	raw_spin_unlock(&set->lock);
	return quirk;
}

/* The less, the sooner it goes. */
static u32 worth(const struct ntpk_clients_set *set, unsigned int way)
{
	u32 seen = set->seen[way];

	return (seen >> 1) + (seen & 1 ? KEEP_UNITS : 0);
}

/* The longer it has been coming, the longer it is kept: who wants its place has to come as long. */
static u32 worth_of_stay(const struct ntpk_clients_set *set, unsigned int way)
{
	const struct ntp_client *client = &set->front[way].client;
	u32 stay = (client->last - client->first) >> (UNIT_LOG2NS - NTP_CLIENT_TICK_LOG2NS);

	return (set->seen[way] >> 1) + min_t(u32, stay * STAY_FACTOR, KEEP_UNITS);
}

static unsigned int least(const struct ntpk_clients_set *set,
			  u32 (*of)(const struct ntpk_clients_set *set, unsigned int way))
{
	unsigned int way, found = 0;

	for (way = 1; way < WAYS; way++)
		if (of(set, way) < of(set, found))
			found = way;
	return found;
}

/* Of least worth: a free one if there is any; where all came again, by how long they have. */
static unsigned int worst(const struct ntpk_clients_set *set)
{
	unsigned int way = least(set, worth);

	return set->seen[way] & 1 ? least(set, worth_of_stay) : way;
}

static unsigned int ways_used(const struct ntpk_clients_set *set)
{
	unsigned int way, n = 0;

	for (way = 0; way < WAYS; way++)
		n += !!set->seen[way];
	return n;
}

/* In which of its sets shall a new client be? */
static struct ntpk_clients_set *choose(struct ntpk_clients_set *first,
				       struct ntpk_clients_set *second)
{
	unsigned int n = ways_used(first), m;

	if (n < WAYS_FIRST)
		return first;
	m = ways_used(second);
	if (m == WAYS && n == WAYS)
		return worth(first, worst(first)) <= worth(second, worst(second)) ? first : second;
	return n <= m ? first : second;
}

static void put_new(struct ntpk_clients_set *set, unsigned int way, const struct ntpk_rx *rx)
{
	set->tag[way] = tag_of(&rx->note);
	/* once for now */
	set->seen[way] = units(rx) << 1;
	set->front[way].who = rx->note.who;
	ntp_client_init(&set->front[way].client, &set->rest[way]);
}

/*
 * It is in neither set, or came into one just now.  Both locks, in the order of their
 * addresses, so that it does not come into both.
 */
static noinline unsigned int insert(struct ntpk_clients_set *first,
				    struct ntpk_clients_set *second, const struct ntpk_rx *rx,
				    enum ntp_client_verdict verdict)
{
	struct ntpk_clients_set *low = min(first, second), *high = max(first, second);
	struct ntpk_clients_set *set = first;
	unsigned int way, quirk;

	raw_spin_lock(&low->lock);
	raw_spin_lock_nested(&high->lock, SINGLE_DEPTH_NESTING);
	way = find(first, &rx->note);
	if (way == WAYS) {
		set = second;
		way = find(second, &rx->note);
	}
	if (way == WAYS) {
		set = choose(first, second);
		way = worst(set);
		put_new(set, way, rx);
	}
	quirk = update(set, way, rx, verdict);
	raw_spin_unlock(&high->lock);
	raw_spin_unlock(&low->lock);
	return quirk;
}

static void note_who_v4(struct ntpk_rx *rx)
{
	u32 addr = ntohl(ip_hdr(rx->skb)->saddr);

	rx->note.who = (struct ntp_acl_addr){ .lo = NTPK_CLIENTS_MAPPED | addr };
	rx->note.hash = ntpk_who_hash(ntp_acl_addr_v4(addr), false, &rx->inst->hash_key);
}

static noinline void note_who_v6(struct ntpk_rx *rx)
{
	rx->note.who = ntp_acl_cut(ntp_acl_addr_v6(ipv6_hdr(rx->skb)->saddr.s6_addr32),
				   ntpk_clients_prefix6());
	rx->note.hash = ntpk_who_hash(rx->note.who, true, &rx->inst->hash_key);
}

/**
 * ntpk_clients_note() - keep of a request what the reply may be written over
 * @rx: request, with the clocks read; its note is filled but for t2
 *
 * Context: softirq, RCU.
 */
static void ntpk_clients_note(struct ntpk_rx *rx)
{
	struct ntpk_note *note = &rx->note;

	rx->noted = true;
	if (likely(rx->pf == NFPROTO_IPV4))
		note_who_v4(rx);
	else
		note_who_v6(rx);
	note->first = set_of(rx->state->clients, upper_32_bits(note->hash));
	prefetchw(note->first);
	note->req = *ntpk_rx_req(rx);
}

static enum ntp_client_verdict client_verdict(enum ntpk_reason reason)
{
	if (likely(reason == NTPK_REASON_REPLIED))
		return NTP_CLIENT_ANSWERED;
	switch (reason) {
	case NTPK_REASON_REPLIED_INTERLEAVED:
		return NTP_CLIENT_ANSWERED;
	case NTPK_REASON_REPLIED_UNSYNC:
		return NTP_CLIENT_UNSYNC;
	case NTPK_REASON_REPLIED_NAK:
	case NTPK_REASON_REPLIED_RATE:
		return NTP_CLIENT_TOLD;
	case NTPK_REASON_LIMITED:
	case NTPK_REASON_OVER_BUDGET:
		return NTP_CLIENT_LIMITED;
	default:
		return NTP_CLIENT_DENIED;
	}
}

/* It is not where it is looked for first. */
static noinline unsigned int update_elsewhere(const struct ntpk_rx *rx,
					      enum ntp_client_verdict verdict)
{
	struct ntpk_clients_set *second = second_set(rx);

	/* looks into both */
	if (verdict <= NTP_CLIENT_UNSYNC)
		return insert(rx->note.first, second, rx, verdict);
	return update_in(second, rx, verdict);
}

/**
 * ntpk_clients_saw() - a client asked
 * @rx: request that was noted
 * @reason: what became of it
 *
 * Only who gets an answer comes into the table.  After the reply, which it does not
 * keep waiting.
 *
 * Context: softirq, RCU.
 */
static void ntpk_clients_saw(const struct ntpk_rx *rx, enum ntpk_reason reason)
{
	enum ntp_client_verdict verdict = client_verdict(reason);
	unsigned int quirk = update_in(rx->note.first, rx, verdict);

	if (unlikely(quirk >= NOT_HERE)) {
		if (quirk == NOT_HERE)
			quirk = update_elsewhere(rx, verdict);
		if (quirk >= NOT_HERE)
			return;
	}
	if (unlikely(ntpk_stats_quirk(rx->inst->stats, quirk)))
		ntpk_notice_quirk(&rx->inst->notices, quirk);
}
