// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Listeners, see listeners.h.  Event loop only; no global state.
 */
#include "daemon/listeners.h"

#include <net/if.h>
#include <string.h>
#include "daemon/conf.h"
#include "daemon/log.h"

static uint32_t flags_of(const struct conf *conf, const struct conf_listen *l)
{
	bool mode1 = l->given & CONF_GIVEN_MODE1 ? l->mode1 : conf->mode1;
	bool require = l->given & CONF_GIVEN_REQUIREKEY ? l->requirekey : conf->requirekey;
	bool nak = l->given & CONF_GIVEN_CRYPTONAK ? l->cryptonak : conf->cryptonak;

	return (mode1 ? 0 : NTPK_LISTENER_F_NO_MODE1) |
	       (require ? NTPK_LISTENER_F_REQUIRE_KEY : 0) |
	       (nak ? NTPK_LISTENER_F_CRYPTO_NAK : 0) |
	       /* who is smeared must not leap as well */
	       (l->smear == SMEAR_NONE ? 0 : NTPK_LISTENER_F_NO_LEAP);
}

static void take_policy(struct ntp_policy *out, const struct conf *conf,
			const struct conf_listen *l)
{
	out->never_synced = l->given & CONF_GIVEN_NEVER_SYNCED ? l->never_synced :
			    conf->never_synced;
	out->expired = l->given & CONF_GIVEN_EXPIRED ? l->expired : conf->expired;
	out->flags = flags_of(conf, l);
	out->versions = l->versions;
	out->max_stratum = l->max_stratum;
	out->max_dist_ns = (uint64_t)l->max_dist_ns;
	out->limit = l->given & CONF_GIVEN_RATELIMIT ? l->limit : conf->limit;
	if (!l->offset_ns)
		return;
	out->correction.len = 1;
	out->correction.piece[0].offset_ns = l->offset_ns;
}

static uint32_t ifindex_of(const struct conf_listen *l)
{
	return l->interface[0] ? if_nametoindex(l->interface) : 0;
}

static bool take(struct ntpk_nl_listener *out, const struct conf *conf,
		 const struct conf_listen *l)
{
	char name[80];

	memset(out, 0, sizeof(*out));
	out->ifindex = ifindex_of(l);
	if (l->interface[0] && !out->ifindex) {
		log_warn("listen %s: there is no such interface yet",
			 conf_listen_name(l, name, sizeof(name)));
		return false;
	}
	out->port = l->port;
	out->addr_len = l->addr_len;
	memcpy(out->addr, l->addr, sizeof(out->addr));
	memcpy(out->acl, l->acl, sizeof(l->acl));
	take_policy(&out->policy, conf, l);
	return true;
}

static bool is_any(const struct ntpk_nl_listener *l)
{
	static const uint8_t zeros[sizeof(l->addr)];

	return !memcmp(l->addr, zeros, sizeof(zeros));
}

/* As the module has it. */
static int specialty(const struct ntpk_nl_listener *l)
{
	return !is_any(l) * 4 + !!l->addr_len * 2 + !!l->ifindex;
}

/* Behind those that are as special. */
static void insert(struct listeners *ls, const struct ntpk_nl_listener *l, enum smear_kind smear)
{
	size_t i = ls->of.len++;

	for (; i > 0 && specialty(&ls->of.of[i - 1]) < specialty(l); i--) {
		ls->of.of[i] = ls->of.of[i - 1];
		ls->smear[i] = ls->smear[i - 1];
	}
	ls->of.of[i] = *l;
	ls->smear[i] = smear;
}

void listeners_init(struct listeners *ls, const struct conf *conf)
{
	struct conf_listen places[NTPK_LISTENERS_MAX];
	size_t n = conf_listen_places(conf, places), i;
	struct ntpk_nl_listener l;

	memset(ls, 0, sizeof(*ls));
	ls->of.budget_per_s = conf->maxanswers;
	ls->of.no_clientlog = conf->noclientlog;
	for (i = 0; i < n; i++) {
		if (!take(&l, conf, &places[i]))
			continue;
		insert(ls, &l, places[i].smear);
		if (l.policy.limit.cost)
			ls->of.limit_clients = conf->clientloglimit / CONF_CLIENT_BYTES;
	}
	for (i = 0; i < conf->listens_len; i++)
		ls->ifindex[i] = ifindex_of(&conf->listens[i]);
}

bool listeners_moved(const struct listeners *ls, const struct conf *conf)
{
	size_t i;

	for (i = 0; i < conf->listens_len; i++)
		if (ls->ifindex[i] != ifindex_of(&conf->listens[i]))
			return true;
	return false;
}

void listeners_smear(struct listeners *ls, uint8_t leap, int64_t at_unix_ns, bool after)
{
	size_t i;

	for (i = 0; i < ls->of.len; i++)
		if (ls->smear[i] != SMEAR_NONE)
			smear_pieces(ls->smear[i], leap, at_unix_ns, after,
				     &ls->of.of[i].policy.correction);
}

int listeners_find(const struct ntpk_nl_listeners *of, uint16_t port, const void *addr,
		   size_t addr_len, uint32_t ifindex)
{
	const struct ntpk_nl_listener *l;
	size_t i;

	for (i = 0; i < of->len; i++) {
		l = &of->of[i];
		if (l->port != port || (l->ifindex && l->ifindex != ifindex))
			continue;
		if (!l->addr_len || (l->addr_len == addr_len &&
				     (is_any(l) || !memcmp(l->addr, addr, addr_len))))
			return (int)i;
	}
	return -1;
}
