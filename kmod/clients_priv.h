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
 * struct ntpk_clients_front - a line of a client, and all that most requests of it come to
 * @who: its network; IPv4 is v4-mapped
 * @client: what is known of it
 */
struct ntpk_clients_front {
	struct ntp_acl_addr who;
	struct ntp_client client;
};

/**
 * struct ntpk_clients_set - a few clients, for lines of 64 bytes, as most machines have
 * @tag: bits of the hash of each
 * @seen: of each: when last, in units and from 1 on, times two, plus one where it came
 *	again; 0 = nobody
 * @lock: of all; with its 4 bytes, which it has on PREEMPT_RT too, the line is full
 * @front: who, a line each
 * @rest: of what is known of each
 */
struct ntpk_clients_set {
	u8	tag[WAYS] __aligned(8);
	u32	seen[WAYS];
	raw_spinlock_t lock;
	struct ntpk_clients_front front[WAYS];
	struct ntp_client_rest rest[WAYS];
} __aligned(64);

/*
 * A request of somebody who asks often comes to two lines, the set's and the client's: with
 * that of its bucket, where a rate limit is, three.  But for what lockdep adds to a lock.
 */
static_assert(sizeof(struct ntpk_clients_front) == 64);
static_assert(offsetof(struct ntpk_clients_set, front) == 64 ||
	      sizeof(raw_spinlock_t) != sizeof(u32));
/* Once a second the rest is looked at, in one line or two. */
static_assert(sizeof(struct ntp_client_rest) <= 64 && !(sizeof(struct ntp_client_rest) % 16));

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
