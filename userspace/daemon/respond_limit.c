// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Limits of the own responder, see respond_limit.h.  Event loop only.
 */
#include "daemon/respond_limit.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include "daemon/log.h"
#include "daemon/mac.h"

/* Of the budget: a hundredth of a second at once, and no less than a turn of the loop. */
#define BUDGET_BURST_PER_S	100
#define BUDGET_BURST_MIN	64

static uint32_t lines_wanted(const struct ntpk_nl_listeners *listeners)
{
	uint32_t clients = listeners->limit_clients ? listeners->limit_clients :
			   NTPK_LIMIT_CLIENTS_DEFAULT;
	size_t i;

	for (i = 0; i < listeners->len; i++)
		if (listeners->of[i].policy.limit.cost)
			return ntp_limit_lines(clients);
	return 0;
}

void respond_limit_clean(struct respond_limit *l)
{
	free(l->lines);
	l->lines = NULL;
	l->n_lines = 0;
}

void respond_limit_set(struct respond_limit *l, const struct ntpk_nl_listeners *listeners)
{
	uint32_t n_lines = lines_wanted(listeners);
	size_t size = n_lines * sizeof(*l->lines);

	l->budget_per_s = listeners->budget_per_s;
	if (n_lines == l->n_lines)
		return;
	respond_limit_clean(l);
	if (!n_lines)
		return;
	l->lines = aligned_alloc(sizeof(*l->lines), size);
	if (!l->lines || getrandom(l->key, sizeof(l->key), 0) != sizeof(l->key)) {
		log_err("no rate limits: there is no memory for the table, or nothing random");
		respond_limit_clean(l);
		return;
	}
	memset(l->lines, 0, size);
	l->n_lines = n_lines;
}

/* AES-CMAC is a pseudo-random function (RFC 4615). */
static uint64_t hash_of(const struct respond_limit *l, const struct ntp_limit *limit,
			const union sock_addr *from)
{
	bool v6 = from->sa.sa_family == AF_INET6;
	uint8_t code[MAC_SIZE_MAX];
	struct ntp_acl_addr who;
	uint64_t data[4], hash;
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
	data[2] = limit->kind;
	data[3] = v6;
	mac_compute(MAC_AES128, l->key, sizeof(l->key), data, sizeof(data), code);
	memcpy(&hash, code, sizeof(hash));
	return hash;
}

static bool in_budget(struct respond_limit *l, int64_t now_ns)
{
	uint32_t burst = l->budget_per_s / BUDGET_BURST_PER_S;

	return !l->budget_per_s ||
	       ntp_pace(&l->budget_at_ns, now_ns, NTP_NS_PER_S / l->budget_per_s,
			burst > BUDGET_BURST_MIN ? burst : BUDGET_BURST_MIN);
}

enum ntpk_reason respond_limit_check(struct respond_limit *l, const struct ntp_policy *policy,
				     const union sock_addr *from, bool bare, int64_t now_ns,
				     uint64_t random, bool *rate)
{
	const struct ntp_limit *limit = &policy->limit;
	enum ntp_limit_verdict verdict;

	*rate = false;
	if (limit->cost && l->lines &&
	    !ntp_limit_take(l->lines, l->n_lines, hash_of(l, limit, from), now_ns, limit)) {
		verdict = ntp_limit_over(limit, random);
		*rate = verdict == NTP_LIMIT_KOD && bare;
		if (verdict != NTP_LIMIT_ANSWER && !*rate)
			return NTPK_REASON_LIMITED;
	}
	return in_budget(l, now_ns) ? NTPK_REASON_NONE : NTPK_REASON_OVER_BUDGET;
}
