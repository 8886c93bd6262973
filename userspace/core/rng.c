// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Random numbers of the engine, see rng.h.  Pure, no locking: the state is
 * the caller's.
 */
#include "rng.h"

#include <ntpk/ntp_math.h>

static inline uint64_t rotl(uint64_t x, int n)
{
	return x << n | x >> (64 - n);
}

static void sip_rounds(uint64_t v[4], int n)
{
	while (n--) {
		v[0] += v[1];
		v[2] += v[3];
		v[1] = rotl(v[1], 13) ^ v[0];
		v[3] = rotl(v[3], 16) ^ v[2];
		v[0] = rotl(v[0], 32);
		v[2] += v[1];
		v[0] += v[3];
		v[1] = rotl(v[1], 17) ^ v[2];
		v[3] = rotl(v[3], 21) ^ v[0];
		v[2] = rotl(v[2], 32);
	}
}

void rng_init(struct rng *r, uint64_t seed)
{
	__u64 state = seed;

	r->key[0] = ntp_noise(&state);
	r->key[1] = ntp_noise(&state);
	r->counter = 0;
}

uint64_t rng_u64(struct rng *r)
{
	uint64_t m[2] = { r->counter++, 8ULL << 56 };
	uint64_t v[4] = {
		r->key[0] ^ 0x736f6d6570736575ULL, r->key[1] ^ 0x646f72616e646f6dULL,
		r->key[0] ^ 0x6c7967656e657261ULL, r->key[1] ^ 0x7465646279746573ULL,
	};
	int i;

	for (i = 0; i < 2; i++) {
		v[3] ^= m[i];
		sip_rounds(v, 2);
		v[0] ^= m[i];
	}
	v[2] ^= 0xff;
	sip_rounds(v, 4);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

double rng_unit(struct rng *r)
{
	return (double)(rng_u64(r) >> 11) * 0x1p-53;
}
