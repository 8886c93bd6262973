/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sets of symmetric keys: built in process context, used in softirq, replaced
 * whole.
 */
#ifndef NTPK_KEYS_H
#define NTPK_KEYS_H

#include <linux/types.h>
#include <linux/workqueue.h>
#include <linux/ntpk.h>

struct crypto_shash;
struct net;
struct ntpk_inst;

/**
 * struct ntpk_key - one key; immutable in use but for @work_ns
 * @tfm: its algorithm, with the key set where that is AES
 * @id: as on the wire, host order
 * @type: enum ntpk_key_type
 * @work_ns: what one MAC with it takes, 0 = not measured yet; a smoothed value
 *	that every CPU reads and writes without a lock, as one lost is no loss
 * @secret_len: of @secret
 * @secret: wiped before it is freed; empty for AES, where @tfm has it
 */
struct ntpk_key {
	struct crypto_shash *tfm;
	u32	id;
	u32	type;
	u32	work_ns;
	u16	secret_len;
	u8	secret[];
};

/**
 * struct ntpk_keys - a set
 * @release: frees it in process context after a grace period
 * @generation: the sender's name for it
 * @want: how many keys were announced, which is the room in @key
 * @n: how many there are
 * @owner: netlink port that is building it
 * @key: in use sorted by id
 */
struct ntpk_keys {
	struct rcu_work	release;
	u32	generation;
	u32	want;
	u32	n;
	u32	owner;
	struct ntpk_key *key[];
};

struct ntpk_key *ntpk_key_alloc(u32 id, u32 type, const u8 *secret, size_t len,
				const char **text);
void ntpk_key_release(struct ntpk_key *key);
struct ntpk_key *ntpk_keys_find(const struct ntpk_keys *keys, u32 id);

int ntpk_keys_begin(struct net *net, u32 owner, u32 generation, u32 count);
int ntpk_keys_add(struct net *net, u32 owner, u32 generation, struct ntpk_key *key);
int ntpk_keys_commit(struct net *net, u32 owner, u32 generation);
bool ntpk_keys_info(struct net *net, u32 *generation, u32 *count);
void ntpk_keys_forget_owner(struct net *net, u32 owner);
void ntpk_keys_clean(struct ntpk_inst *inst);

#endif /* NTPK_KEYS_H */
