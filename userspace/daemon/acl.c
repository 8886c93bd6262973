// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Access list, see acl.h.  What the rules say is put into sorted prefixes, each
 * with the rule that it stands for: void rules and earlier ones of the same prefix
 * are left out.  The prefixes are what the module is given, and what the list for
 * our own look-ups is made of, by the same code.  Immutable afterwards.
 */
#include "daemon/acl.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct acl {
	struct conf_acl_rule *rules;
	struct ntp_acl_prefix *prefixes;
	uint32_t *rule_of;		/* of each prefix */
	size_t	 prefixes_len;
	struct ntp_acl list;
	void	*room;			/* of @list */
	bool	 otherwise;		/* whom no rule names may ask */
};

/* a rule on its way into the list */
struct item {
	struct ntp_acl_prefix prefix;
	uint32_t rule;
};

/* networks that hold the current one, the widest first */
struct sweep {
	struct {
		struct ntp_acl_prefix prefix;
		uint32_t all_before;	/* rules in here that came before are void */
	} stack[NTP_ACL_V6_LEN_MAX + 1];
	size_t	 depth;
};

/* sock_addr and conf_acl_rule alike: bytes as on the wire */
static struct ntp_acl_addr addr_of(const void *bytes, bool v6)
{
	__be32 words[4] = { 0 };

	memcpy(words, bytes, v6 ? 16 : 4);
	return ntp_acl_addr_v6(words);
}

static int by_prefix(const struct ntp_acl_prefix *x, const struct ntp_acl_prefix *y)
{
	if (x->v6 != y->v6)
		return x->v6 ? 1 : -1;
	if (x->addr.hi != y->addr.hi)
		return x->addr.hi < y->addr.hi ? -1 : 1;
	if (x->addr.lo != y->addr.lo)
		return x->addr.lo < y->addr.lo ? -1 : 1;
	return (x->len > y->len) - (x->len < y->len);
}

/* By network; the wider first; of the same the earlier rule first. */
static int by_network(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	int c = by_prefix(&x->prefix, &y->prefix);

	return c ? c : (x->rule > y->rule) - (x->rule < y->rule);
}

static size_t collect(const struct acl *acl, size_t len, struct item *items)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		const struct conf_acl_rule *r = &acl->rules[i];
		bool v6 = r->family == AF_INET6;

		if (r->prefix > (v6 ? NTP_ACL_V6_LEN_MAX : NTP_ACL_V4_LEN_MAX))
			continue;
		items[n].prefix = (struct ntp_acl_prefix){
			.addr = ntp_acl_cut(addr_of(r->addr, v6), r->prefix),
			.len = r->prefix, .v6 = v6, .allow = r->allow,
		};
		items[n++].rule = (uint32_t)i;
	}
	qsort(items, n, sizeof(*items), by_network);
	return n;
}

static bool holds(const struct ntp_acl_prefix *outer, const struct ntp_acl_prefix *inner)
{
	struct ntp_acl_addr net = ntp_acl_cut(inner->addr, outer->len);

	return outer->v6 == inner->v6 && outer->len <= inner->len &&
	       net.hi == outer->addr.hi && net.lo == outer->addr.lo;
}

/* Rules items[0] up to items[n - 1] have the same network: the last one counts. */
static void take(struct sweep *s, struct acl *acl, const struct item *items, size_t n)
{
	const struct item *last = &items[n - 1];
	uint32_t before;

	while (s->depth && !holds(&s->stack[s->depth - 1].prefix, &last->prefix))
		s->depth--;
	before = s->depth ? s->stack[s->depth - 1].all_before : 0;
	if (last->rule >= before) {
		acl->rule_of[acl->prefixes_len] = last->rule;
		acl->prefixes[acl->prefixes_len++] = last->prefix;
	}
	for (size_t i = 0; i < n; i++)
		if (acl->rules[items[i].rule].all && items[i].rule > before)
			before = items[i].rule;
	s->stack[s->depth].prefix = last->prefix;
	s->stack[s->depth++].all_before = before;
}

static void sweep(struct acl *acl, const struct item *items, size_t len)
{
	struct sweep s = { .depth = 0 };
	size_t n;

	for (size_t i = 0; i < len; i += n) {
		for (n = 1; i + n < len && !by_prefix(&items[i + n].prefix, &items[i].prefix); n++)
			;
		take(&s, acl, &items[i], n);
	}
}

static bool compile(struct acl *acl)
{
	struct ntp_acl_build b;
	uint32_t count[2];

	acl_count(acl, count);
	acl->room = malloc(ntp_acl_size(count[0], count[1]));
	if (!acl->room)
		return false;
	ntp_acl_begin(&b, &acl->list, acl->room, count[0], count[1], acl->otherwise);
	for (size_t i = 0; i < acl->prefixes_len; i++)
		ntp_acl_add(&b, &acl->prefixes[i]);
	ntp_acl_end(&b);
	return true;
}

static bool fill(struct acl *acl, const struct conf_acl_rule *rules, size_t len)
{
	struct item *items = calloc(len + 1, sizeof(*items));

	acl->rules = calloc(len + 1, sizeof(*rules));
	acl->prefixes = calloc(len + 1, sizeof(*acl->prefixes));
	acl->rule_of = calloc(len + 1, sizeof(*acl->rule_of));
	if (!items || !acl->rules || !acl->prefixes || !acl->rule_of) {
		free(items);
		return false;
	}
	if (len)
		memcpy(acl->rules, rules, len * sizeof(*rules));
	acl->otherwise = true;
	for (size_t i = 0; i < len; i++)
		acl->otherwise &= !rules[i].allow;
	sweep(acl, items, collect(acl, len, items));
	free(items);
	return compile(acl);
}

struct acl *acl_alloc(const struct conf_acl_rule *rules, size_t len)
{
	struct acl *acl = calloc(1, sizeof(*acl));

	if (acl && !fill(acl, rules, len)) {
		acl_release(acl);
		return NULL;
	}
	return acl;
}

void acl_release(struct acl *acl)
{
	if (!acl)
		return;
	free(acl->room);
	free(acl->rule_of);
	free(acl->prefixes);
	free(acl->rules);
	free(acl);
}

const struct ntp_acl_prefix *acl_prefixes(const struct acl *acl, size_t *len)
{
	*len = acl->prefixes_len;
	return acl->prefixes;
}

void acl_count(const struct acl *acl, uint32_t count[2])
{
	count[0] = count[1] = 0;
	for (size_t i = 0; i < acl->prefixes_len; i++)
		count[acl->prefixes[i].v6]++;
}

bool acl_otherwise(const struct acl *acl)
{
	return acl->otherwise;
}

bool acl_is_same(const struct acl *a, const struct acl *b)
{
	size_t i;

	if (a->prefixes_len != b->prefixes_len || a->otherwise != b->otherwise)
		return false;
	for (i = 0; i < a->prefixes_len; i++)
		if (by_prefix(&a->prefixes[i], &b->prefixes[i]) ||
		    a->prefixes[i].allow != b->prefixes[i].allow)
			return false;
	return true;
}

const struct conf_acl_rule *acl_rule_at(const struct acl *acl, const struct ntp_acl_prefix *p)
{
	size_t low = 0, high = acl ? acl->prefixes_len : 0;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int c = by_prefix(&acl->prefixes[mid], p);

		if (!c)
			return &acl->rules[acl->rule_of[mid]];
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

struct ntp_acl_addr acl_addr(const union sock_addr *addr, bool *v6)
{
	const uint8_t *bytes = addr->in6.sin6_addr.s6_addr;

	*v6 = false;
	if (addr->sa.sa_family == AF_INET)
		return addr_of(&addr->in.sin_addr, false);
	if (IN6_IS_ADDR_V4MAPPED(&addr->in6.sin6_addr))
		return addr_of(bytes + 12, false);
	*v6 = true;
	return addr_of(bytes, true);
}

struct acl_verdict acl_check(const struct acl *acl, const union sock_addr *addr)
{
	struct acl_verdict v = { .allow = true };
	struct ntp_acl_prefix p = { .len = 0 };
	uint16_t code;

	if (!acl)
		return v;
	p.addr = acl_addr(addr, &p.v6);
	code = p.v6 ? ntp_acl_find_v6(&acl->list.v6, &p.addr) :
		      ntp_acl_find_v4(&acl->list.v4, (uint32_t)(p.addr.hi >> 32));
	v.allow = code & NTP_ACL_ALLOW;
	if (code & NTP_ACL_RULE) {
		p.len = code & NTP_ACL_LEN;
		p.addr = ntp_acl_cut(p.addr, p.len);
		v.rule = acl_rule_at(acl, &p);
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

const char *acl_prefix_text(const struct ntp_acl_prefix *p, char buf[ACL_RULE_TEXT_LEN])
{
	__be64 raw[2] = { ntp_htobe64(p->addr.hi), ntp_htobe64(p->addr.lo) };
	struct conf_acl_rule rule = {
		.family = p->v6 ? AF_INET6 : AF_INET, .prefix = p->len, .allow = p->allow,
	};

	memcpy(rule.addr, raw, sizeof(rule.addr));
	return acl_rule_text(&rule, buf);
}
