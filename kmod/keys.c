// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sets of symmetric keys: the one in use and the one that is being sent.
 * Built in process context under ntpk_net.lock, looked up in softirq under RCU.
 * A set is replaced whole; the old one is freed after a grace period by a work,
 * as freeing an algorithm may sleep.
 */
#include <crypto/hash.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/sort.h>

#include "keys.h"
#include "state.h"

/* With userns=1: keys of an unprivileged owner. */
#define USERNS_KEYS_MAX	64

struct algorithm {
	const char *name;		/* of the kernel's crypto API */
	const char *missing;
	u8	aes_key_len;		/* 0 = digest of secret and message */
};

static const struct algorithm algorithms[__NTPK_KEY_TYPE_MAX] = {
	[NTPK_KEY_MD5] = { "md5", "this kernel has no md5 (CONFIG_CRYPTO_MD5, or FIPS mode)" },
	[NTPK_KEY_SHA1] = { "sha1", "this kernel has no sha1 (CONFIG_CRYPTO_SHA1)" },
	[NTPK_KEY_SHA256] = { "sha256", "this kernel has no sha256 (CONFIG_CRYPTO_SHA256)" },
	[NTPK_KEY_SHA384] = { "sha384", "this kernel has no sha384 (CONFIG_CRYPTO_SHA512)" },
	[NTPK_KEY_SHA512] = { "sha512", "this kernel has no sha512 (CONFIG_CRYPTO_SHA512)" },
	[NTPK_KEY_AES128] = {
		"cmac(aes)", "this kernel has no cmac(aes) (CONFIG_CRYPTO_CMAC, module cmac)", 16 },
	[NTPK_KEY_AES256] = {
		"cmac(aes)", "this kernel has no cmac(aes) (CONFIG_CRYPTO_CMAC, module cmac)", 32 },
};

static const char *check_secret(u32 type, size_t len)
{
	u8 want = algorithms[type].aes_key_len;

	if (!len)
		return "SECRET must not be empty";
	if (want == 16 && len != 16)
		return "SECRET of an AES128 key must have 16 bytes";
	if (want == 32 && len != 32)
		return "SECRET of an AES256 key must have 32 bytes";
	return NULL;
}

/* The algorithm, ready for use in softirq. */
static int set_up(struct ntpk_key *key, const u8 *secret, size_t len, const char **text)
{
	const struct algorithm *alg = &algorithms[key->type];

	/* may load a module */
	key->tfm = crypto_alloc_shash(alg->name, 0, 0);
	if (IS_ERR(key->tfm)) {
		int err = PTR_ERR(key->tfm);

		key->tfm = NULL;
		*text = err == -ENOENT ? alg->missing : "no memory for the algorithm of a key";
		return err == -ENOENT ? -EOPNOTSUPP : err;
	}
	if (alg->aes_key_len) {
		*text = "the algorithm refused SECRET";
		return crypto_shash_setkey(key->tfm, secret, len);
	}
	memcpy(key->secret, secret, len);
	key->secret_len = len;
	return 0;
}

/**
 * ntpk_key_alloc() - make a key
 * @id: not 0
 * @type: enum ntpk_key_type, in range
 * @secret: copied
 * @len: of it, at most NTPK_SECRET_MAX
 * @text: out: what is wrong
 *
 * Context: process; may load the module of an algorithm.
 * Return: key, or ERR_PTR: -EINVAL; -EOPNOTSUPP: no such algorithm here; -ENOMEM.
 */
struct ntpk_key *ntpk_key_alloc(u32 id, u32 type, const u8 *secret, size_t len,
				const char **text)
{
	struct ntpk_key *key;
	int err;

	*text = check_secret(type, len);
	if (*text)
		return ERR_PTR(-EINVAL);
	*text = "no memory for a key";
	key = kzalloc(struct_size(key, secret, len), GFP_KERNEL_ACCOUNT);
	if (!key)
		return ERR_PTR(-ENOMEM);
	key->id = id;
	key->type = type;
	err = set_up(key, secret, len, text);
	if (err) {
		ntpk_key_release(key);
		return ERR_PTR(err);
	}
	*text = NULL;
	return key;
}

/**
 * ntpk_key_release() - wipe and free a key
 * @key: nobody uses it
 *
 * Context: process.
 */
void ntpk_key_release(struct ntpk_key *key)
{
	if (key->tfm)
		crypto_free_shash(key->tfm);
	kfree_sensitive(key);
}

/* Nobody uses it any more, or nobody ever did. */
static void release_set(struct ntpk_keys *keys)
{
	u32 i;

	if (!keys)
		return;
	for (i = 0; i < keys->n; i++) {
		ntpk_key_release(keys->key[i]);
		cond_resched();
	}
	kvfree(keys);
}

static void release_work(struct work_struct *work)
{
	release_set(container_of(to_rcu_work(work), struct ntpk_keys, release));
}

/**
 * ntpk_keys_find() - look a key up
 * @keys: set in use, NULL = none
 * @id: of the key
 *
 * Context: RCU.  At most 13 steps.
 * Return: key or NULL.
 */
struct ntpk_key *ntpk_keys_find(const struct ntpk_keys *keys, u32 id)
{
	u32 low = 0, high = keys ? keys->n : 0;

	while (low < high) {
		u32 mid = low + (high - low) / 2;

		if (keys->key[mid]->id == id)
			return keys->key[mid];
		if (keys->key[mid]->id < id)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

/* Return: what was coming before. */
static struct ntpk_keys *replace_coming(struct ntpk_inst *inst, struct ntpk_keys *keys)
{
	struct ntpk_keys *old;

	spin_lock(&inst->coming_lock);
	old = inst->keys_coming;
	inst->keys_coming = keys;
	spin_unlock(&inst->coming_lock);
	return old;
}

/**
 * ntpk_keys_begin() - start a new set, and forget one that was begun before
 * @net: namespace
 * @owner: netlink port of the sender
 * @generation: its name for the set
 * @count: keys that will come, at most NTPK_KEYS_MAX; 0 is fine
 *
 * Context: process.
 * Return: 0; -ENOTCONN: not attached; -E2BIG: too many; -ENOMEM.
 */
int ntpk_keys_begin(struct net *net, u32 owner, u32 generation, u32 count)
{
	struct ntpk_inst *inst;
	struct ntpk_keys *keys;

	if (count > NTPK_KEYS_MAX || (net->user_ns != &init_user_ns && count > USERNS_KEYS_MAX))
		return -E2BIG;
	keys = kvzalloc(struct_size(keys, key, count), GFP_KERNEL_ACCOUNT);
	if (!keys)
		return -ENOMEM;
	keys->generation = generation;
	keys->want = count;
	keys->owner = owner;
	inst = ntpk_state_lock(net);
	if (!inst) {
		ntpk_state_unlock(net);
		kvfree(keys);
		return -ENOTCONN;
	}
	keys = replace_coming(inst, keys);
	ntpk_state_unlock(net);
	release_set(keys);
	return 0;
}

/* The set that this sender is building, under the lock: out of reach of all others. */
static struct ntpk_keys *take_coming(struct ntpk_inst *inst, u32 owner, u32 generation)
{
	struct ntpk_keys *keys = NULL;

	if (!inst)
		return NULL;
	spin_lock(&inst->coming_lock);
	if (inst->keys_coming && inst->keys_coming->owner == owner &&
	    inst->keys_coming->generation == generation)
		swap(keys, inst->keys_coming);
	spin_unlock(&inst->coming_lock);
	return keys;
}

/**
 * ntpk_keys_add() - one key more for the set that was begun
 * @net: namespace
 * @owner: netlink port of the sender
 * @generation: as at the beginning
 * @key: taken over on success
 *
 * Context: process.
 * Return: 0; -ESTALE: no such set was begun; -E2BIG: more than were announced.
 */
int ntpk_keys_add(struct net *net, u32 owner, u32 generation, struct ntpk_key *key)
{
	struct ntpk_inst *inst = ntpk_state_lock(net);
	struct ntpk_keys *keys = take_coming(inst, owner, generation);
	int err = 0;

	if (!keys)
		err = -ESTALE;
	else if (keys->n == keys->want)
		err = -E2BIG;
	else
		keys->key[keys->n++] = key;
	if (keys)
		replace_coming(inst, keys);
	ntpk_state_unlock(net);
	return err;
}

static int by_id(const void *a, const void *b)
{
	const struct ntpk_key *const *x = a, *const *y = b;

	return (*x)->id < (*y)->id ? -1 : (*x)->id > (*y)->id;
}

static bool has_twice(const struct ntpk_keys *keys)
{
	u32 i;

	for (i = 1; i < keys->n; i++)
		if (keys->key[i - 1]->id == keys->key[i]->id)
			return true;
	return false;
}

/* Is it whole? */
static int check_set(struct ntpk_keys *keys)
{
	if (keys->n != keys->want)
		return -ENODATA;
	sort(keys->key, keys->n, sizeof(keys->key[0]), by_id, NULL);
	return has_twice(keys) ? -EEXIST : 0;
}

/**
 * ntpk_keys_commit() - the set that was begun replaces the one in use
 * @net: namespace
 * @owner: netlink port of the sender
 * @generation: as at the beginning
 *
 * Context: process.
 * Return: 0; -ESTALE: no such set was begun; -ENODATA: fewer keys than were
 * announced; -EEXIST: two with one id.  Nothing has changed unless 0.
 */
int ntpk_keys_commit(struct net *net, u32 owner, u32 generation)
{
	struct ntpk_inst *inst = ntpk_state_lock(net);
	struct ntpk_keys *keys = take_coming(inst, owner, generation);
	int err = keys ? check_set(keys) : -ESTALE;
	struct ntpk_keys *old = NULL;

	if (!err)
		old = rcu_replace_pointer(inst->keys, keys, true);
	else if (keys)
		replace_coming(inst, keys);
	ntpk_state_unlock(net);
	if (old) {
		INIT_RCU_WORK(&old->release, release_work);
		ntpk_state_queue_release(&old->release);
	}
	return err;
}

/**
 * ntpk_keys_info() - which set is in use
 * @net: namespace
 * @generation: out
 * @count: out: its keys
 *
 * Context: process.
 * Return: whether there is one.
 */
bool ntpk_keys_info(struct net *net, u32 *generation, u32 *count)
{
	const struct ntpk_keys *keys = NULL;
	struct ntpk_inst *inst;

	rcu_read_lock();
	inst = ntpk_state_inst(net);
	if (inst)
		keys = rcu_dereference(inst->keys);
	*generation = keys ? keys->generation : 0;
	*count = keys ? keys->n : 0;
	rcu_read_unlock();
	return keys;
}

/**
 * ntpk_keys_forget_owner() - a netlink socket was closed: drop what it had begun
 * @net: its namespace
 * @owner: its port
 *
 * Context: process.  Does not wait for commands: other sockets wait for it.
 */
void ntpk_keys_forget_owner(struct net *net, u32 owner)
{
	struct ntpk_keys *keys = NULL;
	struct ntpk_inst *inst;

	rcu_read_lock();
	inst = ntpk_state_inst(net);
	if (inst) {
		spin_lock(&inst->coming_lock);
		if (inst->keys_coming && inst->keys_coming->owner == owner)
			swap(keys, inst->keys_coming);
		spin_unlock(&inst->coming_lock);
	}
	rcu_read_unlock();
	release_set(keys);
}

/**
 * ntpk_keys_clean() - free all keys of an instance
 * @inst: no reader is left
 *
 * Context: process.
 */
void ntpk_keys_clean(struct ntpk_inst *inst)
{
	release_set(inst->keys_coming);
	release_set(rcu_dereference_protected(inst->keys, true));
}
