/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table of clients, for the files that it is made of.
 */
#ifndef NTPK_CLIENTS_PRIV_H
#define NTPK_CLIENTS_PRIV_H

#include <linux/build_bug.h>
#include <linux/cache.h>
#include <linux/math.h>
#include <linux/spinlock.h>

#include "clients.h"

#define WAYS			12
/* So full, all but one in 300 have found room. */
#define WAYS_USED		11
#define BYTES_PER_CLIENT	128

/**
 * struct ntpk_clients_set - a few clients
 * @tag: bits of the hash of each
 * @seen: of each: when last, in units and from 1 on, times two, plus one where it came
 *	again; 0 = nobody
 * @lock: of all; with its 4 bytes, which it has on PREEMPT_RT too, the line is full
 * @entry: who
 */
struct ntpk_clients_set {
	u8	tag[WAYS] __aligned(8);
	u32	seen[WAYS];
	raw_spinlock_t lock;
	struct ntpk_clients_entry entry[WAYS];
} ____cacheline_aligned;

/* Lines of so many bytes that begin anywhere at a multiple of 16. */
#define NTPK_LINES(bytes)	DIV_ROUND_UP((bytes) + 48, 64)

/* All that a request of somebody who asks often comes to: the set's line, and a record's. */
static_assert(1 + NTPK_LINES(offsetof(struct ntpk_clients_entry, client) +
			     NTP_CLIENT_SKIMMED) <= 3);
/* Once a second a record is looked at in full. */
static_assert(1 + NTPK_LINES(sizeof(struct ntpk_clients_entry)) <= 4);
static_assert(!(sizeof(struct ntpk_clients_entry) % 16));
/* But for what lockdep adds to a lock. */
static_assert(offsetof(struct ntpk_clients_set, entry) == 64 ||
	      sizeof(raw_spinlock_t) != sizeof(u32));

/**
 * struct ntpk_clients - a table
 * @sets: where clients are
 * @n_sets: of them
 * @id: that no other table has had
 */
struct ntpk_clients {
	struct ntpk_clients_set *sets;
	u32	n_sets;
	u32	id;
};

#endif /* NTPK_CLIENTS_PRIV_H */
