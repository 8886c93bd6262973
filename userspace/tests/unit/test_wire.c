// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Time formats: tables at the edges, properties over random values, and both
 * ways of multiplying against arithmetic by single bits.  Pure, one thread;
 * the generator's seed is fixed, so a failure repeats.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include <ntpk/ntp_math.h>
#include <ntpk/ntp_wire.h>

#include "wide.h"

#define S	NTP_NS_PER_S
#define ROUNDS	200000
#define ERA1_UNIX_S	2085978496LL	/* 2036-02-07 06:28:16 */

static __u64 rng_state;

/* splitmix64, with a random number of leading zeros so that all sizes occur */
static uint64_t rng(void)
{
	return ntp_noise(&rng_state);
}

static uint64_t rng_any_size(void)
{
	unsigned int shift = rng() % 64;

	return rng() >> shift;
}

static int seed(void **state)
{
	(void)state;
	rng_state = 20260101;
	return 0;
}

static void check_mul(uint64_t a, uint64_t b)
{
	struct ntp_u128 want = wide_mul(a, b);
	struct ntp_u128 pieces = ntp_mul_u64_pieces(a, b);
	struct ntp_u128 best = ntp_mul_u64(a, b);

	assert_int_equal(pieces.hi, want.hi);
	assert_int_equal(pieces.lo, want.lo);
	assert_int_equal(best.hi, pieces.hi);
	assert_int_equal(best.lo, pieces.lo);
}

static void multiplication_is_exact(void **state)
{
	static const uint64_t edge[] = { 0, 1, 0xffffffff, 0x100000000, 0x100000001,
					 0x7fffffffffffffff, 0x8000000000000000, ~0ULL };
	size_t i, j;

	(void)state;
	for (i = 0; i < sizeof(edge) / sizeof(edge[0]); i++)
		for (j = 0; j < sizeof(edge) / sizeof(edge[0]); j++)
			check_mul(edge[i], edge[j]);
	for (i = 0; i < ROUNDS; i++)
		check_mul(rng_any_size(), rng_any_size());
}

static void check_div(uint64_t ns)
{
	uint32_t rem;

	assert_int_equal(ntp_div_ns(ns), ns / 1000000000);
	assert_int_equal(ntp_div_ns_pieces(ns), ns / 1000000000);
	assert_int_equal(ntp_div_ns_per_s(ns, &rem), ns / 1000000000);
	assert_int_equal(rem, ns % 1000000000);
}

static void division_is_exact(void **state)
{
	uint64_t q;
	size_t i;

	(void)state;
	check_div(0);
	check_div(~0ULL);
	for (i = 0; i < ROUNDS; i++) {
		check_div(rng_any_size());
		/* both sides of a multiple, where a wrong reciprocal shows */
		q = rng_any_size() % (~0ULL / 1000000000) * 1000000000;
		check_div(q);
		check_div(q - 1);
		check_div(q + 1);
	}
	q = ~0ULL / 1000000000 * 1000000000;
	check_div(q);
	check_div(q - 1);
}

static void check_scale(int64_t d, int64_t rate)
{
	__s64 got = 1, pieces = 2;
	int64_t want;
	bool fits = wide_scale(d, rate, &want);

	assert_int_equal(ntp_scale(d, rate, &got), fits);
	assert_int_equal(ntp_scale_pieces(d, rate, &pieces), fits);
	if (fits) {
		assert_true(got == want);
		assert_true(pieces == want);
	}
}

static void scaling_is_exact(void **state)
{
	static const int64_t edge[] = { 0, 1, -1, 1LL << 58, -(1LL << 58), 1LL << 48, -(1LL << 48) };
	size_t i, j;

	(void)state;
	for (i = 0; i < sizeof(edge) / sizeof(edge[0]); i++)
		for (j = 0; j < sizeof(edge) / sizeof(edge[0]); j++)
			check_scale(edge[i], edge[j]);
	for (i = 0; i < ROUNDS; i++)
		check_scale((int64_t)(rng_any_size() >> 6) * (rng_any_size() & 1 ? 1 : -1),
			    (int64_t)rng_any_size());
}

static uint64_t ref_ntp64(int64_t unix_ns)
{
	const int64_t epoch_ns = 2208988800LL * S;
	uint64_t t = (uint64_t)unix_ns + (uint64_t)epoch_ns;

	if (unix_ns >= -epoch_ns)
		return wide_div(wide_mul(t, 1ULL << 32), S).lo;
	return -wide_div(wide_add(wide_mul(-t, 1ULL << 32), S - 1), S).lo;
}

static void ntp64_known_values(void **state)
{
	static const struct {
		int64_t unix_ns;
		uint64_t ts;
	} t[] = {
		{ 0, 0x83aa7e8000000000 },
		{ -2208988800LL * S, 0 },
		{ S / 2, 0x83aa7e8080000000 },
		{ 1, 0x83aa7e8000000004 },
		{ -1, 0x83aa7e7ffffffffb },
		{ 999999999, 0x83aa7e80fffffffb },
		{ ERA1_UNIX_S * S, 0 },
		{ ERA1_UNIX_S * S - 1, 0xfffffffffffffffb },
		{ (ERA1_UNIX_S + 1) * S, 0x100000000 },
		{ INT64_MAX, 0 },
		{ INT64_MIN, 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(t[0]) - 2; i++)
		assert_int_equal(ntp64_from_unix_ns(t[i].unix_ns), t[i].ts);
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		assert_int_equal(ntp64_from_unix_ns(t[i].unix_ns), ref_ntp64(t[i].unix_ns));
}

static void ntp64_rounds_down_everywhere(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ROUNDS; i++) {
		int64_t ns = (int64_t)rng_any_size();

		assert_int_equal(ntp64_from_unix_ns(ns), ref_ntp64(ns));
		assert_int_equal(ntp64_from_unix_ns(-ns), ref_ntp64(-ns));
	}
}

/* To the wire and back is the same nanosecond, in every era and sign. */
static void ntp64_round_trip(void **state)
{
	const int64_t half_era_s = 1LL << 31;
	size_t i;

	(void)state;
	for (i = 0; i < ROUNDS; i++) {
		int64_t ns = (int64_t)(rng() % (9000000000ULL * S)) * (rng() & 1 ? 1 : -1);
		int64_t off_s = (int64_t)(rng() % (uint64_t)(2 * half_era_s - 2)) - half_era_s + 1;
		int64_t pivot;

		if (__builtin_add_overflow(ns, off_s * S, &pivot))
			continue;
		assert_int_equal(ntp64_to_unix_ns(ntp64_from_unix_ns(ns), pivot), ns);
	}
}

static void ntp64_eras_by_pivot(void **state)
{
	int64_t now = 1800000000LL * S;

	(void)state;
	/* the era's end and a millisecond each side of it, seen from 2027 */
	assert_int_equal(ntp64_to_unix_ns(0, now), ERA1_UNIX_S * S);
	assert_int_equal(ntp64_to_unix_ns(0xffffffffffbe76c8, now), ERA1_UNIX_S * S - 1000000);
	assert_int_equal(ntp64_to_unix_ns(0x0000000000418937, now), ERA1_UNIX_S * S + 1000000);
	assert_int_equal(ntp64_diff_ns(0x100000000, 0xffffffff00000000), 2 * S);
	assert_int_equal(ntp64_diff_ns(0xffffffff00000000, 0x100000000), -2 * S);
	/* seen from 1965 the same bits are 1900 */
	assert_int_equal(ntp64_to_unix_ns(0, -157766400LL * S), -2208988800LL * S);
}

static void ntp64_differences(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ROUNDS; i++) {
		uint64_t a = rng(), d = rng_any_size() >> 1;
		int64_t want = (int64_t)wide_div(wide_add(wide_mul(d, S), 1ULL << 31),
						 1ULL << 32).lo;

		assert_int_equal(ntp64_diff_ns(a + d, a), want);
		assert_int_equal(ntp64_diff_ns(a, a + d), -want);
	}
	assert_int_equal(ntp64_diff_ns(0x8000000000000000, 0), -2147483648LL * S);
}

static void ntp32_is_never_too_small(void **state)
{
	static const struct {
		uint64_t ns;
		uint32_t v;
	} t[] = {
		{ 0, 0 }, { 1, 1 }, { 15258, 1 }, { 15259, 2 }, { S, 0x10000 },
		{ S + 1, 0x10001 }, { 16 * S, 0x100000 }, { S - 1, 0x10000 },
		{ 65535 * S, 0xffff0000 }, { 65536 * S - 15258, 0xffffffff },
		{ 65536 * S - 1, 0xffffffff }, { 65536 * S, 0xffffffff }, { ~0ULL, 0xffffffff },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		assert_int_equal(ntp32_from_ns(t[i].ns), t[i].v);
	for (i = 0; i < ROUNDS; i++) {
		uint64_t ns = rng() % (65535ULL * S);
		uint32_t v = rng() & 0xffffffff;

		assert_int_equal(ntp32_from_ns(ns),
				 wide_div(wide_add(wide_mul(ns, 65536), S - 1), S).lo);
		assert_true(ntp32_to_ns(ntp32_from_ns(ns)) >= ns);
		assert_int_equal(ntp32_to_ns(v), wide_div(wide_add(wide_mul(v, S), 65535), 65536).lo);
	}
}

static void header_is_the_wire(void **state)
{
	struct ntp_header h;
	unsigned char b[NTP_HEADER_LEN];

	(void)state;
	memset(&h, 0, sizeof(h));
	assert_int_equal(sizeof(h), NTP_HEADER_LEN);
	assert_int_equal(offsetof(struct ntp_header, refid), 12);
	assert_int_equal(offsetof(struct ntp_header, ref_ts), 16);
	assert_int_equal(offsetof(struct ntp_header, org_ts), 24);
	assert_int_equal(offsetof(struct ntp_header, rec_ts), 32);
	assert_int_equal(offsetof(struct ntp_header, xmt_ts), 40);
	h.lvm = ntp_lvm(3, 4, 5);
	h.root_disp = ntp_htobe32(0x01020304);
	h.xmt_ts = ntp_htobe64(0x1122334455667788);
	memcpy(b, &h, sizeof(b));
	assert_int_equal(b[0], 0xe5);
	assert_memory_equal(b + 8, "\x01\x02\x03\x04", 4);
	assert_memory_equal(b + 40, "\x11\x22\x33\x44\x55\x66\x77\x88", 8);
	assert_int_equal(ntp_be64toh(h.xmt_ts), 0x1122334455667788);
	assert_int_equal(ntp_be32toh(h.root_disp), 0x01020304);
	assert_int_equal(ntp_lvm_leap(b[0]), 3);
	assert_int_equal(ntp_lvm_version(b[0]), 4);
	assert_int_equal(ntp_lvm_mode(b[0]), 5);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(multiplication_is_exact, seed),
		cmocka_unit_test_setup(division_is_exact, seed),
		cmocka_unit_test_setup(scaling_is_exact, seed),
		cmocka_unit_test(ntp64_known_values),
		cmocka_unit_test_setup(ntp64_rounds_down_everywhere, seed),
		cmocka_unit_test_setup(ntp64_round_trip, seed),
		cmocka_unit_test(ntp64_eras_by_pivot),
		cmocka_unit_test_setup(ntp64_differences, seed),
		cmocka_unit_test_setup(ntp32_is_never_too_small, seed),
		cmocka_unit_test(header_is_the_wire),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
