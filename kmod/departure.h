/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * T3 is read some time before the reply leaves: by how much, per device and family.
 */
#ifndef NTPK_DEPARTURE_H
#define NTPK_DEPARTURE_H

#include <linux/cache.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <ntpk/ntp_latency.h>

struct ntpk_left;
struct ntpk_rx;

#define NTPK_DEPARTURES	256

/**
 * struct ntpk_departure - what is known of the replies that leave one way
 * @way: which, see ntpk_departure_way(); 0 = none yet
 * @due_raw_ns: the next one is watched from then on
 * @correction_ns: what T3 is moved on by
 * @residual_ns: how early it is after that, on average
 * @watched: how many were, up to DEPARTURE_EAGER
 * @lock: of what follows
 * @latency: what was learned
 *
 * Read by all CPUs for each reply, written for the few that are watched.
 */
struct ntpk_departure {
	u64	way;
	s64	due_raw_ns;
	u32	correction_ns;
	u32	residual_ns;
	u32	watched;
	raw_spinlock_t lock;
	struct ntp_latency latency;
} ____cacheline_aligned;

/**
 * struct ntpk_departure_view - a copy of it
 * @ifindex: of the device
 * @is_v6: the family
 * @correction_ns: what T3 is moved on by
 * @residual_ns: how early it is after that, on average
 */
struct ntpk_departure_view {
	int	ifindex;
	bool	is_v6;
	u32	correction_ns;
	u32	residual_ns;
};

/* By ways; one that meets another in its place forgets it. */
extern struct ntpk_departure ntpk_departures[NTPK_DEPARTURES];

/**
 * ntpk_departure_way() - what the time until the departure depends on
 * @serial: of the namespace
 * @ifindex: of the device
 * @is_v6: the family
 *
 * Return: never 0, as no index is.
 */
static inline u64 ntpk_departure_way(u32 serial, int ifindex, bool is_v6)
{
	return (u64)serial << 32 | (u32)ifindex << 1 | is_v6;
}

/**
 * ntpk_departure_place() - where that is known, if it is
 * @way: from ntpk_departure_way()
 */
static inline struct ntpk_departure *ntpk_departure_place(u64 way)
{
	return &ntpk_departures[(u32)(way ^ way >> 32) % NTPK_DEPARTURES];
}

void ntpk_departure_watch(struct ntpk_departure *d, u64 way, u32 key, const struct ntpk_rx *rx);
void ntpk_departure_left_at(s64 t3_raw_ns);
void ntpk_departure_learn(const struct ntpk_left *left);
bool ntpk_departure_view(u32 serial, unsigned int i, struct ntpk_departure_view *view);
u32 ntpk_departure_serial(void);
void ntpk_departure_setup(void);

#endif /* NTPK_DEPARTURE_H */
