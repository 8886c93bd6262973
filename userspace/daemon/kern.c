// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The link to the module.  Event loop only.  Three things can change under us:
 * the clock (a push is refused with -ESTALE and done again), the module (the
 * kernel says when it goes and comes; calls say -ENOENT, and it is looked for
 * every few seconds, should that be missed), and what the module holds from a
 * daemon before us (takeover: it stays until we know better or it expires).
 */
#include "daemon/kern.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "daemon/clocks.h"
#include "daemon/ev.h"
#include "daemon/kern_acl.h"
#include "daemon/kern_event.h"
#include "daemon/kern_gap.h"
#include "daemon/kern_keys.h"
#include "daemon/kern_phc.h"
#include "daemon/log.h"
#include "daemon/turn.h"
#include "nl/nl_watch.h"

#define RETRY_S		3
/* Between two readings; clocks of a time namespace are further apart. */
#define CLOCKS_AGREE_NS		NTP_NS_PER_S
/* The clock may be stepped between GET_CLOCK and the push, but not for ever. */
#define PUSH_TRIES	5
/* After which is tried again what the module had no room for, or no algorithm. */
#define AGAIN_NS		(60 * NTP_NS_PER_S)

struct kern {
	struct event_base *base;
	const struct kern_ops *ops;
	void	*ctx;
	struct ntpk_nl *nl;		/* NULL = no module */
	struct ntpk_nl_listeners listeners;
	char	 no_limits[KERN_ERROR_MAX];	/* why they are left out, "" = they are not */
	int64_t	 limits_again_ns;		/* when they are tried again */
	bool	 limits_taken;			/* the module has these */
	struct ntpk_nl_watch *watch;	/* NULL = could not be had */
	struct libevent *ev_watch;
	struct libevent *ev_events;
	struct libevent *ev_retry;
	struct kern_gaps gaps;
	struct ntp_serve last;		/* of kern_push() */
	bool	 has_last;
	const struct keys *keys;	/* the owner's */
	uint32_t generation;		/* of the set of keys that was sent last */
	bool	 keys_due;		/* the module does not have @keys */
	bool	 keys_said;		/* that it refused them */
	unsigned int keys_lacking;	/* types that it has no algorithm for, by 1 << type */
	int64_t	 keys_again_ns;		/* when those are tried again */
	struct kern_acl acl;
	struct kern_phc phc;
	bool	 pushed;		/* it has a state of ours ... */
	struct ntpk_nl_listeners accepted;	/* ... with these */
	bool	 takeover;		/* it serves our predecessor's state */
	bool	 absence_said;
	char	 error[KERN_ERROR_MAX];
	char	 said[KERN_ERROR_MAX];
};

bool kern_attached(const struct kern *k)
{
	return k && k->nl;
}

const char *kern_error(const struct kern *k)
{
	if (k->error[0])
		return k->error;
	return k->no_limits[0] ? k->no_limits : NULL;
}

bool kern_detach(void)
{
	struct ntpk_nl *nl = NULL;
	bool done;

	if (ntpk_nl_open(&nl))
		return false;
	done = !ntpk_nl_detach(nl);
	ntpk_nl_close(nl);
	return done;
}

static void lose(struct kern *k)
{
	if (k->ev_events)
		event_free(k->ev_events);
	k->ev_events = NULL;
	ntpk_nl_close(k->nl);
	k->nl = NULL;
	k->takeover = false;
}

static void lose_module(struct kern *k)
{
	kern_gaps_went(&k->gaps);
	log_warn("module ntpk was unloaded: ntpkd answers by itself until it is back");
	lose(k);
	k->error[0] = '\0';
	k->absence_said = true;
}

/* Remember and log a failure, the same one only once. */
static void note_error(struct kern *k, const char *what, int err)
{
	snprintf(k->error, sizeof(k->error), "%s: %s", what, ntpk_nl_words(k->nl, err));
	if (!strcmp(k->error, k->said))
		return;
	memcpy(k->said, k->error, sizeof(k->said));
	log_err("module ntpk: %s", k->error);
}

/* Has it let go of us, or gone?  That is seen to elsewhere. */
static bool is_parted(int err)
{
	return err == -ENOTCONN || err == -ENOENT;
}

/* What the module answers with; tried again until it has them. */
static int push_keys(struct kern *k)
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
	int err = k->pushed ? 0 : push_keys(k);

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
		lose_module(k);
	else
		note_error(k, err == -EXDEV ? "no push: this process is in a time namespace, its "
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
	push_keys(k);
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

int kern_acl_check(struct kern *k, const char *name, struct ntp_acl_addr addr, bool v6,
		   struct ntpk_nl_acl *out)
{
	char theirs[NTPK_ACL_NAME_MAX + 1];

	if (!kern_attached(k))
		return -ENODEV;
	kern_acl_name(&k->acl, name, true, theirs);
	return ntpk_nl_acl_check(k->nl, theirs, addr, v6, out);
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

static void on_events(evutil_socket_t fd, short what, void *arg)
{
	struct ntpk_nl_event event;
	struct kern *k = arg;
	int n;

	(void)fd;
	(void)what;
	turn_begin();
	while (k->nl && (n = ntpk_nl_events_read(k->nl, &event)) != 0) {
		if (n < 0 && n != -ENOBUFS) {
			note_error(k, "events", n);
			lose(k);
			return;
		}
		/* lost ones may have been steps */
		if (n < 0 || event.kind == NTPK_EVENT_STEP)
			k->ops->stepped(k->ctx);
		else
			kern_event_say(&event);
	}
}

static int follow_events(struct kern *k)
{
	int fd = ntpk_nl_events_open(k->nl);

	if (fd < 0)
		return fd;
	k->ev_events = event_new(k->base, fd, EV_READ | EV_PERSIST, on_events, k);
	if (!k->ev_events || event_add(k->ev_events, NULL))
		return -ENOMEM;
	return 0;
}

static int connect_module(struct kern *k)
{
	struct ntpk_nl_state state;
	int err = ntpk_nl_open(&k->nl);

	if (err) {
		k->nl = NULL;
		return err;
	}
	k->takeover = !ntpk_nl_get_state(k->nl, &state) && serves_truth(state.status);
	err = ntpk_nl_attach(k->nl);
	if (err == -EALREADY || err == -EEXIST)
		err = 0;
	if (!err)
		err = follow_events(k);
	if (err) {
		note_error(k, "attach", err);
		lose(k);
	}
	return err;
}

static void try_connect(struct kern *k)
{
	int err = connect_module(k);

	if (err == -ENOENT && !k->absence_said)
		log_info("module ntpk is not loaded: ntpkd answers by itself until it is");
	else if (err && err != -ENOENT && !k->error[0])
		note_error(k, "netlink", err);
	k->absence_said = err == -ENOENT;
	/* should it not have been seen before */
	if (err == -ENOENT)
		kern_gaps_went(&k->gaps);
	if (err)
		return;
	k->error[0] = '\0';
	kern_gaps_came(&k->gaps);
	/* another module, which has nothing yet */
	forget_pushed(k);
	k->limits_taken = false;
	k->limits_again_ns = 0;
	k->phc.said = 0;
	/* before the first answer, or some would be refused for want of a key */
	k->keys_due = true;
	k->keys_lacking = 0;
	push_keys(k);
	log_info("module ntpk answers%s",
		 k->takeover ? "; it still serves what it was given before" : "");
	/* what we answer to, and how, is ours from now on, whose time ever it is */
	if (k->takeover)
		push_back(k);
	if (k->has_last) {
		struct ntp_serve last = k->last;

		kern_push(k, &last);
	}
}

/* Is it still the one that we know? */
static void look_at_module(struct kern *k)
{
	struct ntpk_nl_clock clock;

	if (k->nl && ntpk_nl_get_clock(k->nl, &clock) == -ENOENT)
		lose_module(k);
}

static void on_watch(evutil_socket_t fd, short what, void *arg)
{
	enum ntpk_nl_change change;
	struct kern *k = arg;
	bool came = false;
	int n;

	(void)fd;
	(void)what;
	/* what was computed before a sleep or a step is not for the new one */
	k->ops->turn(k->ctx);
	while ((n = ntpk_nl_watch_read(k->watch, &change)) > 0 || n == -ENOBUFS)
		came |= n < 0 || change == NTPK_NL_CAME;
	/* looked, as what is read late may be of a module before this one */
	look_at_module(k);
	/* not where it just went: to ask for one that is not there starts modprobe, and waits */
	if (came && !k->nl)
		try_connect(k);
}

/* Without it the module is looked for every few seconds. */
static void watch_module(struct kern *k)
{
	int fd = ntpk_nl_watch_open(&k->watch);

	if (fd < 0) {
		log_warn_no(fd, "it is seen late that the module goes or comes");
		return;
	}
	k->ev_watch = event_new(k->base, fd, EV_READ | EV_PERSIST, on_watch, k);
	if (!k->ev_watch || event_add(k->ev_watch, NULL))
		log_warn_no(-ENOMEM, "it is seen late that the module goes or comes");
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
	struct kern *k = arg;

	(void)fd;
	(void)what;
	k->ops->turn(k->ctx);
	look_at_module(k);
	if (!k->nl) {
		try_connect(k);
		return;
	}
	push_keys(k);
	if (!kern_acl_verify(&k->acl, k->nl))
		kern_repush(k);
}

struct kern *kern_open(struct event_base *base, const struct ntpk_nl_listeners *listeners,
		       const struct keys *keys, const struct access *access,
		       const struct kern_ops *ops, void *ctx)
{
	const struct timeval every = { .tv_sec = RETRY_S };
	struct kern *k = calloc(1, sizeof(*k));

	if (!k)
		return NULL;
	k->base = base;
	k->listeners = *listeners;
	k->keys = keys;
	k->generation = (uint32_t)clocks_boot_ns();
	kern_acl_init(&k->acl, access, k->generation);
	k->ops = ops;
	k->ctx = ctx;
	k->ev_retry = event_new(base, -1, EV_PERSIST, on_retry, k);
	if (!k->ev_retry || event_add(k->ev_retry, &every) ||
	    kern_gaps_init(&k->gaps, base, ops->answered, ctx)) {
		kern_close(k);
		return NULL;
	}
	/* before it is looked for, or what happens between would be missed */
	watch_module(k);
	try_connect(k);
	return k;
}

int kern_state(struct kern *k, struct ntpk_nl_state *state)
{
	return ntpk_nl_get_state(k->nl, state);
}

int kern_stats(struct kern *k, struct ntpk_nl_stats *out)
{
	return kern_attached(k) ? ntpk_nl_get_stats(k->nl, out) : -ENOENT;
}

const struct kern_build *kern_build(const struct kern *k)
{
	return kern_attached(k) ? &k->gaps.is : NULL;
}

bool kern_gap(const struct kern *k, struct kern_gap *out)
{
	return k && kern_gaps_get(&k->gaps, out);
}

void kern_close(struct kern *k)
{
	if (!k)
		return;
	if (k->nl)
		lose(k);
	if (k->ev_retry)
		event_free(k->ev_retry);
	if (k->ev_watch)
		event_free(k->ev_watch);
	ntpk_nl_watch_close(k->watch);
	kern_gaps_clean(&k->gaps);
	free(k);
}
