/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The hash of who asks, for the tables that are kept by address.
 */
#ifndef NTPK_WHO_H
#define NTPK_WHO_H

#include <linux/siphash.h>
#include <ntpk/ntp_acl.h>

/**
 * ntpk_who_hash() - 64 bits that nobody can foresee
 * @who: address, or network
 * @v6: its family
 * @key: random
 *
 * SipHash-1-3, as hsiphash() on a 64-bit machine, whose 32 bits are not enough here.  The
 * length, which SipHash ends with, is the same for all of a family.
 *
 * Context: any.
 * Return: them.
 */
static __always_inline u64 ntpk_who_hash(struct ntp_acl_addr who, bool v6,
					 const siphash_key_t *key)
{
	u64 a = SIPHASH_CONST_0 ^ key->key[0], b = SIPHASH_CONST_1 ^ key->key[1];
	u64 c = SIPHASH_CONST_2 ^ key->key[0], d = SIPHASH_CONST_3 ^ key->key[1];

	d ^= who.hi;
	SIPHASH_PERMUTATION(a, b, c, d);
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
