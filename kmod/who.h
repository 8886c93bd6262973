/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The hash of who asks, for the tables that are kept by address.
 */
#ifndef NTPK_WHO_H
#define NTPK_WHO_H

#include <linux/siphash.h>
#include <ntpk/ntp_acl.h>

/**
 * struct ntpk_who_key - what SipHash makes of its key before it comes to the message
 * @a: with the half of its first round that the message has no part in, as @b
 * @b: likewise
 * @c: as at the beginning, as @d
 * @d: likewise
 */
struct ntpk_who_key {
	u64	a;
	u64	b;
	u64	c;
	u64	d;
};

/**
 * ntpk_who_key() - ready to be hashed with
 * @key: random
 *
 * Context: any.
 * Return: for ntpk_who_hash().
 */
static inline struct ntpk_who_key ntpk_who_key(const siphash_key_t *key)
{
	struct ntpk_who_key k = {
		.a = SIPHASH_CONST_0 ^ key->key[0],
		.b = SIPHASH_CONST_1 ^ key->key[1],
		.c = SIPHASH_CONST_2 ^ key->key[0],
		.d = SIPHASH_CONST_3 ^ key->key[1],
	};

	k.a += k.b;
	k.b = rol64(k.b, 13) ^ k.a;
	k.a = rol64(k.a, 32);
	return k;
}

/**
 * ntpk_who_hash() - 64 bits that nobody can foresee
 * @who: address, or network
 * @v6: its family
 * @key: from ntpk_who_key()
 *
 * SipHash-1-3, as hsiphash() on a 64-bit machine, whose 32 bits are not enough here.  The
 * length, which SipHash ends with, is the same for all of a family.
 *
 * Context: any.
 * Return: them.
 */
static __always_inline u64 ntpk_who_hash(struct ntp_acl_addr who, bool v6,
					 const struct ntpk_who_key *key)
{
	u64 a = key->a, b = key->b, c = key->c, d = key->d ^ who.hi;

	/* the rest of SIPHASH_PERMUTATION() */
	c += d;
	d = rol64(d, 16) ^ c;
	a += d;
	d = rol64(d, 21) ^ a;
	c += b;
	b = rol64(b, 17) ^ c;
	c = rol64(c, 32);
	a ^= who.hi;
	if (v6) {
		d ^= who.lo;
		SIPHASH_PERMUTATION(a, b, c, d);
		a ^= who.lo;
	}
	c ^= v6 ? 0xee : 0xff;
	SIPHASH_PERMUTATION(a, b, c, d);
	SIPHASH_PERMUTATION(a, b, c, d);
	SIPHASH_PERMUTATION(a, b, c, d);
	return a ^ b ^ c ^ d;
}

#endif /* NTPK_WHO_H */
