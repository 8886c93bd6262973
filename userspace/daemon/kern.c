// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The link to the module.  Event loop only.  The module can change under us: the kernel
 * says when it goes and comes; calls say -ENOENT, and it is looked for every few seconds,
 * should that be missed.
 */
#include "daemon/kern.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "daemon/clocks.h"
#include "daemon/ev.h"
#include "daemon/kern_event.h"
#include "daemon/kern_priv.h"
#include "daemon/log.h"
#include "daemon/turn.h"

#define RETRY_S		3

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

void kern_lose_module(struct kern *k)
{
	kern_gaps_went(&k->gaps);
	log_warn("module ntpk was unloaded: ntpkd answers by itself until it is back");
	lose(k);
	k->error[0] = '\0';
	k->absence_said = true;
}

void kern_note_error(struct kern *k, const char *what, int err)
{
	snprintf(k->error, sizeof(k->error), "%s: %s", what, ntpk_nl_words(k->nl, err));
	if (!strcmp(k->error, k->said))
		return;
	memcpy(k->said, k->error, sizeof(k->said));
	log_err("module ntpk: %s", k->error);
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
			kern_note_error(k, "events", n);
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
	int err = ntpk_nl_open(&k->nl);

	if (err) {
		k->nl = NULL;
		return err;
	}
	kern_push_find(k);
	err = ntpk_nl_attach(k->nl);
	if (err == -EALREADY || err == -EEXIST)
		err = 0;
	if (!err)
		err = follow_events(k);
	if (err) {
		kern_note_error(k, "attach", err);
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
		kern_note_error(k, "netlink", err);
	k->absence_said = err == -ENOENT;
	/* should it not have been seen before */
	if (err == -ENOENT)
		kern_gaps_went(&k->gaps);
	if (err)
		return;
	k->error[0] = '\0';
	kern_gaps_came(&k->gaps);
	kern_push_keys_first(k);
	log_info("module ntpk answers%s",
		 k->takeover ? "; it still serves what it was given before" : "");
	kern_push_first(k);
}

/* Is it still the one that we know? */
static void look_at_module(struct kern *k)
{
	struct ntpk_nl_clock clock;

	if (k->nl && ntpk_nl_get_clock(k->nl, &clock) == -ENOENT)
		kern_lose_module(k);
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
	kern_push_keys(k);
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
