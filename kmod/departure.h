/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * T3 is read some time before the reply leaves: by how much, per device and family.
 */
#ifndef NTPK_DEPARTURE_H
#define NTPK_DEPARTURE_H

#include <linux/cache.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/ntpk.h>
#include <ntpk/ntp_latency.h>

struct ntpk_inst;
struct ntpk_left;
struct ntpk_rx;

/* What is learned is at least this, as 0 is not known. */
#define NTPK_DEPARTURE_LEAST_NS	1

/**
 * struct ntpk_departure - what is known of the replies that leave one way
 * @way: which, from ntpk_departure_way(); 0 = none yet
 * @correction_ns: what T3 is moved on by
 * @residual_ns: how early it is after that, on average
 * @due_raw_ns: the next one is watched from then on
 * @watched: how many were since the latency was not known
 * @again: how many more in a row
 * @spared: how many could have been since, and were not
 * @unreported: how many were since something was learned
 * @lock: of what follows
 * @learned_raw_ns: when something was
 * @samples: how many were learned
 * @latency: what was
 *
 * Read by all CPUs for each reply, written for the few that are watched.
 */
struct ntpk_departure {
	u32	way;
	u32	correction_ns;
	u32	residual_ns;
	s64	due_raw_ns;
	u32	watched;
	u32	again;
	u32	spared;
	u32	unreported;
	raw_spinlock_t lock;
	s64	learned_raw_ns;
	u64	samples;
	struct ntp_latency latency;
} ____cacheline_aligned;

/**
 * struct ntpk_departure_view - a copy of it
 * @ifindex: of the device
 * @is_v6: the family
 * @correction_ns: what T3 is moved on by
 * @residual_ns: how early it is after that, on average
 * @samples: how many were learned
 */
struct ntpk_departure_view {
	int	ifindex;
	bool	is_v6;
	u32	correction_ns;
	u32	residual_ns;
	u64	samples;
};

/**
 * ntpk_departure_way() - what the time until the departure depends on
 * @ifindex: of the device
 * @is_v6: the family
 *
 * Return: never 0, as no index is.
 */
static inline u32 ntpk_departure_way(int ifindex, bool is_v6)
{
	return (u32)ifindex << 1 | is_v6;
}

/**
 * ntpk_departure_place() - where that is known, if it is
 * @table: of the namespace
 * @way: from ntpk_departure_way()
 *
 * Return: its place, which another way may have.
 */
static inline struct ntpk_departure *ntpk_departure_place(struct ntpk_departure *table, u32 way)
{
	return &table[way % NTPK_DEPARTURES_MAX];
}

struct ntpk_departure *ntpk_departure_alloc(void);
void ntpk_departure_release(struct ntpk_departure *table);
bool ntpk_departure_watch(struct ntpk_departure *d, u32 way, u32 key, const struct ntpk_rx *rx);
void ntpk_departure_left_at(s64 t3_raw_ns);
void ntpk_departure_learn(const struct ntpk_left *left);
bool ntpk_departure_view(struct ntpk_departure *d, struct ntpk_departure_view *view);
void ntpk_departure_setup(void);

#endif /* NTPK_DEPARTURE_H */
