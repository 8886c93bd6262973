// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Access lists: random prefixes of both families against a list that is walked
 * prefix by prefix, at random addresses and at the edges of every prefix; what is
 * refused; 100,000 prefixes; and that it stays within its room.  Pure, one
 * thread; the generator's seed is fixed, so a failure repeats.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include <ntpk/ntp_acl.h>
#include <ntpk/ntp_math.h>

#define ONES		UINT64_MAX
#define FEW		40
#define MANY		100000

static __u64 rng_state = 42;

static uint64_t rng(void)
{
	return ntp_noise(&rng_state);
}

/* Prefixes with what they became; @room is as large as it must be and no larger. */
struct list {
	struct ntp_acl acl;
	void	*room;
	struct ntp_acl_prefix *p;
	size_t	n;
	bool	allow;
};

static int by_order(const void *a, const void *b)
{
	const struct ntp_acl_prefix *x = a, *y = b;

	if (x->v6 != y->v6)
		return x->v6 ? 1 : -1;
	if (x->addr.hi != y->addr.hi)
		return x->addr.hi < y->addr.hi ? -1 : 1;
	if (x->addr.lo != y->addr.lo)
		return x->addr.lo < y->addr.lo ? -1 : 1;
	return (x->len > y->len) - (x->len < y->len);
}

/* Sort, and keep one of each. */
static void put_in_order(struct list *l)
{
	size_t kept = 0;

	qsort(l->p, l->n, sizeof(*l->p), by_order);
	for (size_t i = 0; i < l->n; i++)
		if (!kept || by_order(&l->p[kept - 1], &l->p[i]))
			l->p[kept++] = l->p[i];
	l->n = kept;
}

static void build(struct list *l)
{
	struct ntp_acl_build b;
	uint32_t n[2] = { 0 };

	for (size_t i = 0; i < l->n; i++)
		n[l->p[i].v6]++;
	l->room = malloc(ntp_acl_size(n[0], n[1]));
	assert_non_null(l->room);
	ntp_acl_begin(&b, &l->acl, l->room, n[0], n[1], l->allow);
	for (size_t i = 0; i < l->n; i++)
		assert_int_equal(ntp_acl_add(&b, &l->p[i]), NTP_ACL_OK);
	ntp_acl_end(&b);
	assert_in_range(l->acl.v4.n, 1, 2 * n[0] + 1);
	assert_in_range(l->acl.v6.n, 1, 2 * n[1] + 1);
}

/* What the words say: the longest of those that hold the address. */
static uint16_t by_hand(const struct list *l, bool v6, struct ntp_acl_addr a)
{
	const struct ntp_acl_prefix *best = NULL;

	for (size_t i = 0; i < l->n; i++) {
		const struct ntp_acl_prefix *p = &l->p[i];
		struct ntp_acl_addr net = ntp_acl_cut(a, p->len);

		if (p->v6 == v6 && net.hi == p->addr.hi && net.lo == p->addr.lo &&
		    (!best || p->len > best->len))
			best = p;
	}
	if (!best)
		return l->allow ? NTP_ACL_ALLOW : 0;
	return (uint16_t)(best->len | NTP_ACL_RULE | (best->allow ? NTP_ACL_ALLOW : 0));
}

static uint16_t find(const struct list *l, bool v6, struct ntp_acl_addr a)
{
	return v6 ? ntp_acl_find_v6(&l->acl.v6, &a) :
		    ntp_acl_find_v4(&l->acl.v4, (uint32_t)(a.hi >> 32));
}

static void check_at(const struct list *l, bool v6, struct ntp_acl_addr a)
{
	uint16_t got, want;

	if (!v6)
		a = ntp_acl_cut(a, 32);
	got = find(l, v6, a);
	want = by_hand(l, v6, a);
	if (got != want)
		fail_msg("%s %016llx %016llx: %#x, not %#x", v6 ? "v6" : "v4",
			 (unsigned long long)a.hi, (unsigned long long)a.lo, got, want);
}

/* First and last address of a prefix, and those beside it. */
static void check_edges(const struct list *l, const struct ntp_acl_prefix *p)
{
	struct ntp_acl_addr all = ntp_acl_cut((struct ntp_acl_addr){ ONES, ONES }, p->len);
	struct ntp_acl_addr a = p->addr;

	check_at(l, p->v6, a);
	a.hi -= p->v6 ? !a.lo : 1ULL << 32;
	a.lo -= p->v6;
	check_at(l, p->v6, a);
	a = (struct ntp_acl_addr){ p->addr.hi | ~all.hi, p->addr.lo | ~all.lo };
	check_at(l, p->v6, a);
	a.lo++;
	a.hi += !a.lo;
	check_at(l, p->v6, a);
}

/* Few distinct bits in odd places, so that prefixes nest, meet and repeat. */
static struct ntp_acl_addr any_addr(void)
{
	uint64_t r = rng();
	struct ntp_acl_addr a = {
		.hi = (r & 7) << 61 | (r >> 3 & 3) << 55 | (r >> 5 & 3) << 32 | (r >> 7 & 1),
		.lo = (r >> 8 & 3) << 62 | (r >> 10 & 3) << 31 | (r >> 12 & 3),
	};

	if (r >> 60 == 0)
		a = (struct ntp_acl_addr){ ONES, ONES };
	return a;
}

static struct ntp_acl_prefix any_prefix(void)
{
	static const uint8_t lens[2][10] = { { 0, 1, 2, 3, 8, 9, 10, 31, 32, 24 },
					     { 0, 1, 3, 63, 64, 65, 97, 127, 128, 10 } };
	uint64_t r = rng();
	struct ntp_acl_prefix p = { .v6 = r & 1, .allow = r >> 1 & 1 };

	p.len = lens[p.v6][(r >> 2) % 10];
	p.addr = ntp_acl_cut(any_addr(), p.len);
	return p;
}

static void test_random(void **state)
{
	struct ntp_acl_prefix p[FEW];
	struct list l = { .p = p };

	(void)state;
	for (int round = 0; round < 3000; round++) {
		l.n = rng() % FEW;
		l.allow = rng() & 1;
		for (size_t i = 0; i < l.n; i++)
			p[i] = any_prefix();
		put_in_order(&l);
		build(&l);
		for (size_t i = 0; i < l.n; i++)
			check_edges(&l, &p[i]);
		for (int i = 0; i < 50; i++)
			check_at(&l, i & 1, any_addr());
		free(l.room);
	}
}

/* Every length there is, all in one another: the stack at its deepest. */
static void test_deep(void **state)
{
	struct ntp_acl_prefix p[NTP_ACL_V4_LEN_MAX + NTP_ACL_V6_LEN_MAX + 2];
	struct list l = { .p = p };
	uint64_t ends[2] = { 0, ONES };

	(void)state;
	for (int end = 0; end < 2; end++) {
		struct ntp_acl_addr a = { ends[end], ends[end] };

		l.n = 0;
		for (unsigned int len = 0; len <= NTP_ACL_V4_LEN_MAX; len++)
			p[l.n++] = (struct ntp_acl_prefix){ ntp_acl_cut(a, len), (uint8_t)len,
							    false, len & 1 };
		for (unsigned int len = 0; len <= NTP_ACL_V6_LEN_MAX; len++)
			p[l.n++] = (struct ntp_acl_prefix){ ntp_acl_cut(a, len), (uint8_t)len,
							    true, len & 1 };
		build(&l);
		for (size_t i = 0; i < l.n; i++)
			check_edges(&l, &p[i]);
		free(l.room);
	}
}

static void test_empty(void **state)
{
	struct list l = { .allow = true };

	(void)state;
	build(&l);
	assert_int_equal(find(&l, false, any_addr()), NTP_ACL_ALLOW);
	assert_int_equal(find(&l, true, any_addr()), NTP_ACL_ALLOW);
	free(l.room);
}

struct refusal {
	struct ntp_acl_prefix first;
	struct ntp_acl_prefix p;
	enum ntp_acl_fault fault;
};

#define V4(addr, len)	{ { (uint64_t)(addr) << 32, 0 }, (len), false, true }
#define V6(hi, lo, len)	{ { (hi), (lo) }, (len), true, true }

static const struct refusal refusals[] = {
	{ V4(0, 0), V4(0, 33), NTP_ACL_BAD_LEN },
	{ V4(0, 0), V4(0, 255), NTP_ACL_BAD_LEN },
	{ V4(0, 0), V6(0, 0, 129), NTP_ACL_BAD_LEN },
	{ V4(0, 0), V4(0x0a000001, 8), NTP_ACL_HOST_BITS },
	{ V4(0, 0), V4(0x0a000001, 31), NTP_ACL_HOST_BITS },
	{ V4(0, 0), { { 0, 1 }, 32, false, true }, NTP_ACL_HOST_BITS },
	{ V4(0, 0), { { 1, 0 }, 32, false, true }, NTP_ACL_HOST_BITS },
	{ V4(0, 0), V6(0, 1, 64), NTP_ACL_HOST_BITS },
	{ V4(0, 0), V6(0, 1, 127), NTP_ACL_HOST_BITS },
	{ V4(0x0a000000, 8), V4(0x0a000000, 8), NTP_ACL_ORDER },
	{ V4(0x0a000000, 8), V4(0x0a000000, 7), NTP_ACL_ORDER },
	{ V4(0x0a000000, 8), V4(0x09000000, 8), NTP_ACL_ORDER },
	{ V6(0, 0, 0), V4(0x0a000000, 8), NTP_ACL_ORDER },
	{ V6(1, 0, 64), V6(0, 1, 128), NTP_ACL_ORDER },
	{ V6(1, 2, 128), V6(1, 1, 128), NTP_ACL_ORDER },
	{ V4(0x0a000000, 8), V4(0x0a000000, 9), NTP_ACL_OK },
	{ V4(0x0a000000, 8), V4(0x0b000000, 8), NTP_ACL_OK },
	{ V4(0xff000000, 8), V6(0, 0, 0), NTP_ACL_OK },
};

static void test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		const struct refusal *r = &refusals[i];
		struct ntp_acl_build b;
		struct ntp_acl acl;
		void *room = malloc(ntp_acl_size(2, 2));

		ntp_acl_begin(&b, &acl, room, 2, 2, true);
		assert_int_equal(ntp_acl_add(&b, &r->first), NTP_ACL_OK);
		assert_int_equal(ntp_acl_add(&b, &r->p), r->fault);
		ntp_acl_end(&b);
		free(room);
	}
}

static void test_full(void **state)
{
	const struct ntp_acl_prefix a = V4(1, 32), b4 = V4(2, 32), b6 = V6(0, 2, 128);
	struct ntp_acl_build b;
	struct ntp_acl acl;
	void *room = malloc(ntp_acl_size(1, 0));

	(void)state;
	ntp_acl_begin(&b, &acl, room, 1, 0, true);
	assert_int_equal(ntp_acl_add(&b, &a), NTP_ACL_OK);
	assert_int_equal(ntp_acl_add(&b, &b4), NTP_ACL_FULL);
	assert_int_equal(ntp_acl_add(&b, &b6), NTP_ACL_FULL);
	ntp_acl_end(&b);
	assert_int_equal(acl.v4.n, 3);
	free(room);
}

/* The order that is demanded is the one that is meant, whatever comes. */
static void test_any_order(void **state)
{
	(void)state;
	for (int round = 0; round < 3000; round++) {
		void *room = malloc(ntp_acl_size(FEW, FEW));
		struct ntp_acl_prefix p[FEW];
		struct list l = { .p = p, .allow = rng() & 1, .room = room };
		struct ntp_acl_build b;

		ntp_acl_begin(&b, &l.acl, room, FEW, FEW, l.allow);
		for (size_t i = 0; i < FEW; i++) {
			struct ntp_acl_prefix next = any_prefix();
			bool good = !l.n || by_order(&p[l.n - 1], &next) < 0;

			assert_int_equal(ntp_acl_add(&b, &next), good ? NTP_ACL_OK : NTP_ACL_ORDER);
			if (good)
				p[l.n++] = next;
		}
		ntp_acl_end(&b);
		for (size_t i = 0; i < l.n; i++)
			check_edges(&l, &p[i]);
		free(room);
	}
}

static void test_many(void **state)
{
	struct list l = { .n = MANY, .p = calloc(MANY, sizeof(*l.p)) };

	(void)state;
	assert_non_null(l.p);
	for (size_t i = 0; i < MANY; i++) {
		struct ntp_acl_prefix *p = &l.p[i];

		p->v6 = i & 1;
		p->allow = rng() & 1;
		p->len = (uint8_t)(p->v6 ? 20 + rng() % 109 : 10 + rng() % 23);
		p->addr = ntp_acl_cut((struct ntp_acl_addr){ rng(), p->v6 ? rng() : 0 }, p->len);
	}
	put_in_order(&l);
	build(&l);
	assert_true(ntp_acl_size(MANY / 2, MANY / 2) < 48 * (size_t)MANY / 2 + 64);
	/* walked by hand, each is 100,000 steps */
	for (int i = 0; i < 200; i++) {
		check_edges(&l, &l.p[rng() % l.n]);
		check_at(&l, i & 1, (struct ntp_acl_addr){ rng(), rng() });
	}
	free(l.room);
	free(l.p);
}

static void test_wire(void **state)
{
	uint8_t bytes[16] = { 0x20, 1, 0xd, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 };
	struct ntp_acl_addr a;
	__be32 words[4];

	(void)state;
	memcpy(words, bytes, sizeof(words));
	a = ntp_acl_addr_v6(words);
	assert_true(a.hi == 0x20010db801020304 && a.lo == 0x05060708090a0b0c);
	a = ntp_acl_addr_v4(0xc0000201);
	assert_true(a.hi == 0xc000020100000000 && a.lo == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_deep),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_any_order),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_wire),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
