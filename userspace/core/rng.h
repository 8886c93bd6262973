/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The engine's own random numbers: SipHash-2-4 of a counter under a key made
 * from the seed.  Not a bare splitmix or xoshiro: a server sees its transmit
 * stamps, and must not be able to compute those sent to other servers.
 * Pure; same seed, same numbers.
 */
#ifndef NTPK_CORE_RNG_H
#define NTPK_CORE_RNG_H

#include <stdint.h>

struct rng {
	uint64_t key[2];
	uint64_t counter;
};

/**
 * rng_init() - start a sequence
 * @r: generator
 * @seed: of it; the daemon draws it from the kernel
 */
void rng_init(struct rng *r, uint64_t seed);

/**
 * rng_u64() - next 64 uniform bits
 * @r: generator
 */
uint64_t rng_u64(struct rng *r);

/**
 * rng_unit() - next uniform number in [0, 1)
 * @r: generator
 */
double rng_unit(struct rng *r);

#endif /* NTPK_CORE_RNG_H */
