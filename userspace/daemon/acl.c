// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Access list, see acl.h.  The rules are sorted by network, the wider first,
 * and swept once with the stack of networks that hold the current address:
 * each start and end of a network begins a range whose rule is then on top.
 * O(n log n) for any list; immutable afterwards.
 */
#include "daemon/acl.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX	(128 + 1)	/* prefix lengths 0..128, each at most once */
#define NO_RULE		UINT32_MAX

/* an address as a number; v4 sits in the upper 32 bits of @hi */
struct key {
	uint64_t hi;
	uint64_t lo;
};

/* from @start up to the next range's start, @rule (or none) decides */
struct range {
	struct key start;
	uint32_t rule;
};

struct acl {
	struct conf_acl_rule *rules;
	struct range *ranges[2];	/* v4, v6 */
	size_t	 ranges_len[2];
	bool	 otherwise;		/* whom no rule names may ask */
};

/* a rule on its way through the sweep */
struct item {
	struct key first;
	struct key last;
	uint32_t rule;
	uint8_t	 prefix;
};

/* networks that hold the current address, the widest first */
struct sweep {
	struct range *out;
	size_t	 len;
	struct {
		struct key last;
		uint32_t rule;		/* that decides, NO_RULE when it is void */
		uint32_t all_before;	/* rules in here that came before are void */
	} stack[DEPTH_MAX];
	size_t	 depth;
};

static struct key key_of(const uint8_t *addr, size_t len)
{
	uint8_t full[16] = { 0 };
	struct key k = { 0, 0 };

	memcpy(full, addr, len);
	for (size_t i = 0; i < 8; i++) {
		k.hi = k.hi << 8 | full[i];
		k.lo = k.lo << 8 | full[8 + i];
	}
	return k;
}

static int compare(const struct key *a, const struct key *b)
{
	if (a->hi != b->hi)
		return a->hi < b->hi ? -1 : 1;
	return a->lo < b->lo ? -1 : a->lo > b->lo;
}

/* Of width: the first and the last address of addr/prefix, host bits cleared. */
static void bounds(struct item *it, struct key k, uint8_t prefix)
{
	uint64_t hi = prefix >= 64 ? 0 : UINT64_MAX >> prefix;
	uint64_t lo = prefix >= 128 ? 0 : prefix <= 64 ? UINT64_MAX : UINT64_MAX >> (prefix - 64);

	it->prefix = prefix;
	it->first = (struct key){ k.hi & ~hi, k.lo & ~lo };
	it->last = (struct key){ k.hi | hi, k.lo | lo };
}

/* By network; the wider first; of the same the earlier rule first. */
static int by_network(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	int c = compare(&x->first, &y->first);

	if (c)
		return c;
	if (x->prefix != y->prefix)
		return x->prefix < y->prefix ? -1 : 1;
	return x->rule < y->rule ? -1 : x->rule > y->rule;
}

static size_t collect(const struct acl *acl, size_t len, int family, struct item *items)
{
	uint8_t max = family == AF_INET ? 32 : 128;
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		const struct conf_acl_rule *r = &acl->rules[i];

		if (r->family != family || r->prefix > max)
			continue;
		bounds(&items[n], key_of(r->addr, max / 8), r->prefix);
		items[n++].rule = (uint32_t)i;
	}
	qsort(items, n, sizeof(*items), by_network);
	return n;
}

static void emit(struct sweep *s, struct key start)
{
	uint32_t rule = NO_RULE;

	for (size_t d = s->depth; d && rule == NO_RULE; d--)
		rule = s->stack[d - 1].rule;
	/* a network that begins where another begins or ends has the last word */
	if (s->len && !compare(&s->out[s->len - 1].start, &start))
		s->len--;
	if (!s->len || s->out[s->len - 1].rule != rule)
		s->out[s->len++] = (struct range){ start, rule };
}

static struct key next(struct key k)
{
	k.lo++;
	k.hi += !k.lo;
	return k;
}

static void leave(struct sweep *s)
{
	struct key last = s->stack[--s->depth].last;

	if (last.hi != UINT64_MAX || last.lo != UINT64_MAX)
		emit(s, next(last));
}

/* Rules items[0] up to items[n - 1] have the same network: one entry of the stack. */
static void enter(struct sweep *s, const struct acl *acl, const struct item *items, size_t n)
{
	uint32_t before = s->depth ? s->stack[s->depth - 1].all_before : 0;
	uint32_t rule = items[n - 1].rule;

	s->stack[s->depth].rule = rule < before ? NO_RULE : rule;
	for (size_t i = 0; i < n; i++)
		if (acl->rules[items[i].rule].all && items[i].rule > before)
			before = items[i].rule;
	s->stack[s->depth].all_before = before;
	s->stack[s->depth++].last = items[0].last;
	emit(s, items[0].first);
}

static size_t sweep(const struct acl *acl, const struct item *items, size_t len,
		    struct range *out)
{
	struct sweep s = { .out = out };
	size_t n;

	emit(&s, (struct key){ 0, 0 });
	for (size_t i = 0; i < len; i += n) {
		while (s.depth && compare(&s.stack[s.depth - 1].last, &items[i].first) < 0)
			leave(&s);
		for (n = 1; i + n < len && items[i + n].prefix == items[i].prefix &&
		     !compare(&items[i + n].first, &items[i].first); n++)
			;
		enter(&s, acl, &items[i], n);
	}
	while (s.depth)
		leave(&s);
	return s.len;
}

static bool compile(struct acl *acl, size_t len, int slot, int family)
{
	struct item *items = calloc(len + 1, sizeof(*items));
	/* each network begins one range and ends one, after the first */
	struct range *out = items ? calloc(2 * len + 1, sizeof(*out)) : NULL;

	if (!out) {
		free(items);
		return false;
	}
	acl->ranges_len[slot] = sweep(acl, items, collect(acl, len, family, items), out);
	acl->ranges[slot] = realloc(out, acl->ranges_len[slot] * sizeof(*out));
	if (!acl->ranges[slot])
		acl->ranges[slot] = out;
	free(items);
	return true;
}

struct acl *acl_alloc(const struct conf_acl_rule *rules, size_t len)
{
	struct acl *acl = calloc(1, sizeof(*acl));

	if (!acl)
		return NULL;
	acl->rules = calloc(len + 1, sizeof(*rules));
	if (!acl->rules) {
		acl_release(acl);
		return NULL;
	}
	if (len)
		memcpy(acl->rules, rules, len * sizeof(*rules));
	acl->otherwise = true;
	for (size_t i = 0; i < len; i++)
		acl->otherwise &= !rules[i].allow;
	if (!compile(acl, len, 0, AF_INET) || !compile(acl, len, 1, AF_INET6)) {
		acl_release(acl);
		return NULL;
	}
	return acl;
}

void acl_release(struct acl *acl)
{
	if (!acl)
		return;
	free(acl->ranges[0]);
	free(acl->ranges[1]);
	free(acl->rules);
	free(acl);
}

/* The last range that starts at or before @k; the first one starts at 0. */
static uint32_t find(const struct range *ranges, size_t len, const struct key *k)
{
	size_t low = 0, high = len;

	while (high - low > 1) {
		size_t mid = low + (high - low) / 2;

		if (compare(&ranges[mid].start, k) <= 0)
			low = mid;
		else
			high = mid;
	}
	return ranges[low].rule;
}

struct acl_verdict acl_check(const struct acl *acl, const union sock_addr *addr)
{
	struct acl_verdict v = { .allow = true };
	struct key k;
	int slot = 0;
	uint32_t rule;

	if (!acl)
		return v;
	if (addr->sa.sa_family == AF_INET) {
		k = key_of((const uint8_t *)&addr->in.sin_addr, 4);
	} else if (IN6_IS_ADDR_V4MAPPED(&addr->in6.sin6_addr)) {
		k = key_of(addr->in6.sin6_addr.s6_addr + 12, 4);
	} else {
		k = key_of(addr->in6.sin6_addr.s6_addr, 16);
		slot = 1;
	}
	rule = find(acl->ranges[slot], acl->ranges_len[slot], &k);
	v.allow = acl->otherwise;
	if (rule != NO_RULE) {
		v.rule = &acl->rules[rule];
		v.allow = v.rule->allow;
	}
	return v;
}

const char *acl_rule_text(const struct conf_acl_rule *rule, char buf[ACL_RULE_TEXT_LEN])
{
	char net[INET6_ADDRSTRLEN];

	snprintf(buf, ACL_RULE_TEXT_LEN, "%s%s %s/%u", rule->allow ? "allow" : "deny",
		 rule->all ? " all" : "", inet_ntop(rule->family, rule->addr, net, sizeof(net)),
		 rule->prefix);
	return buf;
}
