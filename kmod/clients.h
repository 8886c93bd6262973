/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The clients of a namespace: who asked, when, and what its requests show of it.
 */
#ifndef NTPK_CLIENTS_H
#define NTPK_CLIENTS_H

#include <linux/types.h>
#include <linux/ntpk.h>
#include <ntpk/ntp_acl.h>
#include <ntpk/ntp_client.h>

struct net;
struct ntpk_clients;

/* IPv4 addresses are v4-mapped: no packet has such a source. */
#define NTPK_CLIENTS_MAPPED	0x0000ffff00000000ULL

/**
 * struct ntpk_clients_entry - a client
 * @who: its network; IPv4 is v4-mapped
 * @record: what is known of it
 */
struct ntpk_clients_entry {
	struct ntp_acl_addr who;
	struct ntp_client_record record;
};

/**
 * struct ntpk_clients_pos - how far a dump is
 * @set: to be looked at next
 * @way: in there
 * @began: tick before the dump began; who came in since is left out
 */
struct ntpk_clients_pos {
	u32	set;
	u32	way;
	u32	began;
};

struct ntpk_clients *ntpk_clients_alloc(const struct net *net);
void ntpk_clients_release(struct ntpk_clients *table);
void ntpk_clients_flush(struct ntpk_clients *table);
u32 ntpk_clients_id(const struct ntpk_clients *table);
u8 ntpk_clients_prefix6(void);
u32 ntpk_clients_begin(void);
bool ntpk_clients_next(struct ntpk_clients *table, struct ntpk_clients_pos *pos, u32 end,
		       struct ntpk_clients_entry *out);
u32 ntpk_clients_sets(const struct ntpk_clients *table);

#endif /* NTPK_CLIENTS_H */
