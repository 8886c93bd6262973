// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the module is given: keys, access lists and the state with its listeners, in that
 * order.  Event loop only.  A push is refused with -ESTALE where the clock changed under us,
 * and done again; what the module holds from a daemon before us (takeover) stays until
 * we know better or it expires.
 */
#include "daemon/kern.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "daemon/clocks.h"
#include "daemon/kern_keys.h"
#include "daemon/kern_priv.h"
#include "daemon/log.h"

/* Between two readings; clocks of a time namespace are further apart. */
#define CLOCKS_AGREE_NS		NTP_NS_PER_S
/* The clock may be stepped between GET_CLOCK and the push, but not for ever. */
#define PUSH_TRIES	5
/* After which is tried again what the module had no room for, or no algorithm. */
#define AGAIN_NS		(60 * NTP_NS_PER_S)

/* Has it let go of us, or gone?  That is seen to elsewhere. */
static bool is_parted(int err)
{
	return err == -ENOTCONN || err == -ENOENT;
}

int kern_push_keys(struct kern *k)
{
	unsigned int lacking = k->keys_lacking;
	int err;

	if (!k->nl || (!k->keys_due && (!lacking || clocks_local_ns() < k->keys_again_ns)))
		return 0;
	err = kern_keys_push(k->nl, k->keys, ++k->generation, &k->keys_lacking);
	k->keys_due = !!err;
	k->keys_again_ns = clocks_local_ns() + AGAIN_NS;
	/* said before */
	if (is_parted(err) || (!err && !k->keys_said && lacking && k->keys_lacking == lacking))
		return err;
	if (err && !k->keys_said) {
		log_err("module ntpk: %s: %s", k->pushed ? "the keys from before stay in use there" :
			"it does not take the keys", ntpk_nl_words(k->nl, err));
	} else if (!err && keys_count(k->keys)) {
		log_info("module ntpk has %zu keys", keys_count(k->keys));
	}
	k->keys_said = !!err;
	return err;
}

static bool has_limits(const struct ntpk_nl_listeners *listeners)
{
	size_t i;

	for (i = 0; i < listeners->len; i++)
		if (listeners->of[i].policy.limit.cost)
			return true;
	return false;
}

static int set_state_with(struct kern *k, const struct ntp_serve *serve,
			  struct ntpk_nl_listeners *listeners)
{
	kern_acl_translate(&k->acl, listeners, &k->accepted);
	return ntpk_nl_set_state(k->nl, serve, listeners);
}

static int set_state_without_limits(struct kern *k, const struct ntp_serve *serve)
{
	struct ntpk_nl_listeners without = k->listeners;
	size_t i;

	without.limit_clients = 0;
	for (i = 0; i < without.len; i++)
		memset(&without.of[i].policy.limit, 0, sizeof(without.of[i].policy.limit));
	return set_state_with(k, serve, &without);
}

/* No limit is worth the time that is served: what there is no room for is left out. */
static int set_state(struct kern *k, const struct ntp_serve *serve)
{
	struct ntpk_nl_listeners listeners = k->listeners;
	bool refused = k->no_limits[0];
	int err;

	if (refused && clocks_local_ns() < k->limits_again_ns)
		return set_state_without_limits(k, serve);
	err = set_state_with(k, serve, &listeners);
	if (!err && refused && has_limits(&k->listeners))
		log_info("module ntpk: clients are limited again");
	if (!err) {
		k->limits_taken = true;
		k->no_limits[0] = '\0';
	}
	/* those that it has cost nothing: memory is short for the push itself, and the last one holds */
	if ((err != -E2BIG && err != -ENOMEM) || k->limits_taken || !has_limits(&k->listeners))
		return err;
	snprintf(k->no_limits, sizeof(k->no_limits), "nobody is limited, as the module refused the "
		 "rate limits: %s", ntpk_nl_words(k->nl, err));
	if (!refused)
		log_err("module ntpk: %s", k->no_limits);
	k->limits_again_ns = clocks_local_ns() + AGAIN_NS;
	return set_state_without_limits(k, serve);
}

static int push_once(struct kern *k, struct ntp_serve *serve)
{
	struct ntpk_nl_clock clock;
	int err = ntpk_nl_get_clock(k->nl, &clock);

	if (err)
		return err;
	if (llabs(clock.raw_ns - clocks_local_ns()) > CLOCKS_AGREE_NS)
		return -EXDEV;
	serve->clock_seq = clock.seq;
	return set_state(k, serve);
}

static bool serves_truth(enum ntpk_status status)
{
	return status == NTPK_STATUS_SYNC || status == NTPK_STATUS_HOLDOVER;
}

static bool takeover_lasts(struct kern *k)
{
	struct ntpk_nl_state state;

	if (k->takeover && (ntpk_nl_get_state(k->nl, &state) || !serves_truth(state.status))) {
		log_warn("what the module served from before has expired");
		k->takeover = false;
	}
	return k->takeover;
}

/* The module, or its attachment, is another one. */
static void forget_pushed(struct kern *k)
{
	k->pushed = false;
	k->accepted.len = 0;
	kern_acl_forget(&k->acl);
}

/*
 * A list that is refused leaves the one before it in use, and keys likewise.  Where there was
 * no push before, the module is not given anything to answer with: we can do that by ourselves.
 */
static int push_sets(struct kern *k)
{
	int err = k->pushed ? 0 : kern_push_keys(k);

	if (!err)
		err = kern_acl_push(&k->acl, k->nl, &k->listeners);
	if (!err || is_parted(err))
		return err;
	if (k->pushed)
		return 0;
	if (!takeover_lasts(k))
		ntpk_nl_detach(k->nl);
	return err;
}

static int push_all(struct kern *k, const struct ntp_serve *serve)
{
	struct ntp_serve copy = *serve;
	int err = push_sets(k);

	if (err)
		return err;
	err = -ESTALE;
	for (int i = 0; i < PUSH_TRIES && err == -ESTALE; i++)
		err = push_once(k, &copy);
	return err;
}

static int push(struct kern *k, const struct ntp_serve *serve)
{
	int err = push_all(k, serve);

	/* somebody detached the namespace: we are here to serve it */
	if (err == -ENOTCONN && !ntpk_nl_attach(k->nl)) {
		k->keys_due = true;
		k->takeover = false;
		forget_pushed(k);
		err = push_all(k, serve);
	}
	if (!err) {
		k->pushed = true;
		kern_gaps_served(&k->gaps);
		k->accepted = k->listeners;
		k->error[0] = '\0';
		k->said[0] = '\0';
		return 0;
	}
	if (err == -ENOENT)
		kern_lose_module(k);
	else
		kern_note_error(k, err == -EXDEV ? "no push: this process is in a time namespace, its "
					      "clocks are not the kernel's" : "push refused", err);
	return err;
}

void kern_push(struct kern *k, const struct ntp_serve *serve)
{
	if (!k)
		return;
	k->last = *serve;
	k->has_last = true;
	if (!k->nl)
		return;
	if (serve->leap == NTP_LEAP_UNSYNC && takeover_lasts(k))
		return;
	if (!push(k, serve) && serve->leap != NTP_LEAP_UNSYNC && k->takeover) {
		log_info("took over from the state that the module served before");
		k->takeover = false;
	}
}

static bool leap_announced(const struct ntp_serve *serve)
{
	return serve->leap == NTP_LEAP_INSERT || serve->leap == NTP_LEAP_DELETE;
}

/* Its own line under the new clock_seq: base, deadline and dispersion stay. */
static int push_back(struct kern *k)
{
	struct ntpk_nl_state state;

	if (ntpk_nl_get_state(k->nl, &state) || !state.pushed ||
	    state.serve.leap == NTP_LEAP_UNSYNC || leap_announced(&state.serve))
		return 0;
	if (state.status == NTPK_STATUS_EXPIRED_STEP || serves_truth(state.status))
		return push(k, &state.serve);
	return 0;
}

void kern_push_find(struct kern *k)
{
	struct ntpk_nl_state state;

	k->takeover = !ntpk_nl_get_state(k->nl, &state) && serves_truth(state.status);
}

void kern_push_keys_first(struct kern *k)
{
	forget_pushed(k);
	k->limits_taken = false;
	k->limits_again_ns = 0;
	k->phc.said = 0;
	k->keys_due = true;
	k->keys_lacking = 0;
	kern_push_keys(k);
}

void kern_push_first(struct kern *k)
{
	struct ntp_serve last = k->last;

	/* what we answer to, and how, is ours from now on, whose time ever it is */
	if (k->takeover)
		push_back(k);
	if (k->has_last)
		kern_push(k, &last);
}

void kern_forget(struct kern *k)
{
	if (!k)
		return;
	k->takeover = false;
	k->has_last = false;
}

int kern_repush(struct kern *k)
{
	if (!k || !k->nl)
		return 0;
	if (k->takeover)
		return push_back(k);
	return k->has_last && !leap_announced(&k->last) ? push(k, &k->last) : 0;
}

const char *kern_no_limits(const struct kern *k)
{
	return k && k->nl && k->no_limits[0] ? k->no_limits : NULL;
}

void kern_set_keys(struct kern *k, const struct keys *keys)
{
	if (!k)
		return;
	k->keys = keys;
	k->keys_due = true;
	k->keys_said = false;
	k->keys_lacking = 0;
	kern_push_keys(k);
}

void kern_set_phc(struct kern *k, const struct ntpk_nl_phc *map)
{
	if (kern_attached(k))
		kern_phc_push(&k->phc, k->nl, map);
}

void kern_drop_phc(struct kern *k, uint32_t ifindex)
{
	if (kern_attached(k))
		ntpk_nl_drop_phc(k->nl, ifindex);
}

void kern_set_access(struct kern *k, const struct access *access)
{
	if (k)
		kern_acl_want(&k->acl, access);
}

void kern_set_listeners(struct kern *k, const struct ntpk_nl_listeners *listeners)
{
	if (!k)
		return;
	if (!kern_same_limits(&k->listeners, listeners)) {
		k->limits_taken = false;
		k->limits_again_ns = 0;
	}
	k->listeners = *listeners;
}

bool kern_same_limits(const struct ntpk_nl_listeners *a, const struct ntpk_nl_listeners *b)
{
	size_t i;

	for (i = 0; i < a->len && i < b->len; i++)
		if (a->of[i].policy.limit.kind != b->of[i].policy.limit.kind)
			return false;
	return a->len == b->len && a->limit_clients == b->limit_clients;
}
