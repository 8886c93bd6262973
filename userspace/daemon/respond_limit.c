// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Limits of the own responder, see respond_limit.h.  Event loop only.
 */
#include "daemon/respond_limit.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include "daemon/clocks.h"
#include "daemon/log.h"
#include "daemon/mac.h"

static struct respond_table *find(struct respond_limit *l, uint64_t kind)
{
	size_t i;

	for (i = 0; i < l->len; i++)
		if (l->of[i].kind == kind)
			return &l->of[i];
	return NULL;
}

static void make_table(struct respond_table *t, uint64_t kind, uint32_t n_lines)
{
	memset(t, 0, sizeof(*t));
	t->kind = kind;
	t->n_lines = n_lines;
	t->lines = aligned_alloc(sizeof(*t->lines), n_lines * sizeof(*t->lines));
	if (t->lines && getrandom(t->key, sizeof(t->key), 0) == sizeof(t->key)) {
		ntp_limit_init(t->lines, n_lines, clocks_local_ns());
		return;
	}
	log_err("a rate limit does not work: there is no memory for its table, or nothing random");
	free(t->lines);
	t->lines = NULL;
}

/* One that was there already, which is no longer the old ones' then. */
static void take_table(struct respond_limit *old, struct respond_table *t, uint64_t kind,
		       uint32_t n_lines)
{
	struct respond_table *had = find(old, kind);

	if (!had || had->n_lines != n_lines || !had->lines) {
		make_table(t, kind, n_lines);
		return;
	}
	*t = *had;
	had->lines = NULL;
}

void respond_limit_clean(struct respond_limit *l)
{
	while (l->len)
		free(l->of[--l->len].lines);
}

void respond_limit_set(struct respond_limit *l, const struct ntpk_nl_listeners *listeners)
{
	uint32_t n_lines = ntp_limit_lines(listeners->limit_clients ? listeners->limit_clients :
					   NTPK_LIMIT_CLIENTS_DEFAULT);
	struct respond_limit old = *l;
	size_t i;

	l->budget_per_s = listeners->budget_per_s;
	l->len = 0;
	for (i = 0; i < listeners->len; i++) {
		const struct ntp_limit *limit = &listeners->of[i].policy.limit;

		if (!limit->cost || find(l, limit->kind))
			continue;
		take_table(&old, &l->of[l->len], limit->kind, n_lines);
		l->len++;
	}
	respond_limit_clean(&old);
}

/* AES-CMAC is a pseudo-random function (RFC 4615). */
static uint64_t hash_of(const struct respond_table *t, const struct ntp_limit *limit,
			const union sock_addr *from)
{
	bool v6 = from->sa.sa_family == AF_INET6;
	uint8_t code[MAC_SIZE_MAX];
	struct ntp_acl_addr who;
	uint64_t data[3], hash;
	__be32 words[4];

	if (v6) {
		memcpy(words, &from->in6.sin6_addr, sizeof(words));
		who = ntp_acl_addr_v6(words);
	} else {
		who = ntp_acl_addr_v4(ntohl(from->in.sin_addr.s_addr));
	}
	who = ntp_limit_who(limit, who, v6);
	data[0] = who.hi;
	data[1] = who.lo;
	data[2] = v6;
	mac_compute(MAC_AES128, t->key, sizeof(t->key), data, sizeof(data), code);
	memcpy(&hash, code, sizeof(hash));
	return hash;
}

static bool in_share(struct respond_limit *l, const struct ntp_limit *limit,
		     const union sock_addr *from, int64_t now_ns)
{
	struct respond_table *t = limit->cost ? find(l, limit->kind) : NULL;

	return !t || !t->lines ||
	       ntp_limit_take(t->lines, t->n_lines, hash_of(t, limit, from), now_ns, limit);
}

static bool in_budget(struct respond_limit *l, int64_t now_ns)
{
	return !l->budget_per_s || ntp_pace_budget(&l->budget_at_ns, now_ns, l->budget_per_s);
}

enum ntpk_reason respond_limit_check(struct respond_limit *l, const struct ntp_policy *policy,
				     const union sock_addr *from, bool bare, int64_t now_ns,
				     uint64_t random, bool *rate)
{
	const struct ntp_limit *limit = &policy->limit;
	enum ntp_limit_verdict verdict;

	*rate = false;
	if (!in_share(l, limit, from, now_ns)) {
		verdict = ntp_limit_over(limit, random);
		*rate = verdict == NTP_LIMIT_KOD && bare;
		if (verdict != NTP_LIMIT_ANSWER && !*rate)
			return NTPK_REASON_LIMITED;
	}
	return in_budget(l, now_ns) ? NTPK_REASON_NONE : NTPK_REASON_OVER_BUDGET;
}
