/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table of clients, for the files that it is made of.
 */
#ifndef NTPK_CLIENTS_PRIV_H
#define NTPK_CLIENTS_PRIV_H

#include <linux/cache.h>
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
