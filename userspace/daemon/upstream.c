// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Upstreams and the look-up of their names.  Event loop only.  A `server` has
 * one source, a `pool` up to maxsources; no two sources have the same address.
 * Names are looked up again when a source's address is dead, when nothing was
 * found, when a pool is not full, and every two weeks.
 */
#include "daemon/upstream_priv.h"

#include <errno.h>
#include <ifaddrs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "daemon/addr_check.h"
#include "daemon/conf_word.h"
#include "daemon/ev.h"
#include "daemon/log.h"
#include "daemon/resolve.h"
#include "daemon/turn.h"

#define RETRY_FIRST_S		2
#define RETRY_MAX_S		1024
#define REFILL_FIRST_S		64
#define REFRESH_S		(14 * 86400)
/* An engine that finds address after address dead does not flood the DNS. */
#define RESOLVE_AGAIN_MIN_NS	(30 * NTP_NS_PER_S)

static unsigned int sources_max(const struct upstream *up)
{
	return up->conf.kind == CONF_POOL ? up->conf.maxsources : 1;
}

static void retry_in(struct upstream *up, unsigned int seconds)
{
	struct timeval delay = { .tv_sec = seconds };

	event_add(up->ev_retry, &delay);
}

static unsigned int backoff_s(unsigned int first_s, unsigned int failures)
{
	unsigned int s = first_s << (failures < 10 ? failures : 10);

	return s < RETRY_MAX_S ? s : RETRY_MAX_S;
}

static void note_failure(struct upstream *up, const char *error)
{
	/* the first time, and again when the reason changes */
	if (!up->failures || strcmp(up->error, error))
		log_warn("%s: %s", up->conf.name, error);
	snprintf(up->error, sizeof(up->error), "%s", error);
	retry_in(up, backoff_s(RETRY_FIRST_S, up->failures++));
}

static void use_addresses(struct upstream *up, const union sock_addr *addrs, size_t len);

static void use_number(struct upstream *up, const union sock_addr *addr)
{
	if (up->conf.family == AF_UNSPEC || up->conf.family == addr->sa.sa_family) {
		use_addresses(up, addr, 1);
		return;
	}
	snprintf(up->error, sizeof(up->error), "is no IPv%d address, as its options demand",
		 up->conf.family == AF_INET ? 4 : 6);
	log_err("%s: %s", up->conf.name, up->error);
}

static void start_lookup(struct upstream *up)
{
	union sock_addr addr;
	int err;

	if (up->resolving)
		return;
	up->numeric = sock_addr_parse(&addr, up->conf.name, up->conf.port);
	if (up->numeric) {
		use_number(up, &addr);
		return;
	}
	up->resolved_local_ns = clocks_local_ns();
	err = resolve_start(up->all->resolver, up->conf.name, up->conf.port, up->conf.family,
			    up->tag);
	up->resolving = !err;
	if (err)
		note_failure(up, strerror(-err));
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	turn_begin();
	start_lookup(arg);
}

static const union sock_addr *pick_unused(const struct upstreams *us,
					  const union sock_addr *addrs, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!upstream_address_used(us, &addrs[i]))
			return &addrs[i];
	return NULL;
}

/* The source that is to go: a dead one; or one whose address the name has left. */
static struct upstream_source *find_stale(struct upstream *up, const union sock_addr *addrs,
					  size_t len)
{
	struct upstreams *us = up->all;
	struct upstream_source *stale = NULL;

	if (up->replace != ENGINE_NO_SOURCE)
		return upstreams_source(us, up->replace);
	if (up->numeric || up->sources_len < sources_max(up))
		return NULL;
	for (size_t i = 0; i < ENGINE_MAX_SOURCES && !stale; i++) {
		if (us->sources[i].up != up)
			continue;
		stale = &us->sources[i];
		for (size_t j = 0; j < len && stale; j++)
			if (sock_addr_equal(&stale->addr, &addrs[j]))
				stale = NULL;
	}
	/* a pool's answers are a few of many: other ones mean nothing */
	return up->conf.kind == CONF_POOL ? NULL : stale;
}

static void replace_stale(struct upstream *up, const union sock_addr *addrs, size_t len)
{
	struct upstream_source *stale = find_stale(up, addrs, len);
	const union sock_addr *addr = pick_unused(up->all, addrs, len);
	char was[SOCK_ADDR_TEXT_LEN], is[SOCK_ADDR_TEXT_LEN];

	up->replace = ENGINE_NO_SOURCE;
	if (!stale || !addr)
		return;
	log_info("%s: trying %s instead of %s", up->conf.name, sock_addr_text(addr, is),
		 sock_addr_text(&stale->addr, was));
	upstream_remove_source(up->all, stale);
	upstream_add_source(up, addr);
}

static void use_addresses(struct upstream *up, const union sock_addr *addrs, size_t len)
{
	const union sock_addr *addr;

	up->error[0] = '\0';
	replace_stale(up, addrs, len);
	while (up->sources_len < sources_max(up) && (addr = pick_unused(up->all, addrs, len)) &&
	       upstream_add_source(up, addr))
		;
	if (!up->sources_len && !up->error[0]) {
		note_failure(up, "its address is another upstream's already");
		return;
	}
	if (!up->numeric && up->sources_len && up->sources_len < sources_max(up)) {
		retry_in(up, backoff_s(REFILL_FIRST_S, up->failures++));
		return;
	}
	up->failures = 0;
	if (!up->numeric)
		retry_in(up, REFRESH_S);
}

/* What no honest DNS says is left out, with a warning. Return: how many are left. */
static size_t refuse_lies(const struct upstream *up, const union sock_addr *addrs, size_t len,
			  union sock_addr kept[RESOLVE_ADDRS_MAX])
{
	struct ifaddrs *own = NULL;
	char text[SOCK_ADDR_TEXT_LEN];
	size_t n = 0;

	/* RFC 6761: this name is meant to be the loopback address */
	bool localhost = !strcasecmp(up->conf.name, "localhost");

	if (getifaddrs(&own))
		own = NULL;
	for (size_t i = 0; i < len && n < RESOLVE_ADDRS_MAX; i++) {
		const char *bad = localhost ? NULL : addr_check(&addrs[i], own);

		if (!bad)
			kept[n++] = addrs[i];
		else if (!up->failures)
			log_warn("%s: the DNS says %s, %s: refused", up->conf.name,
				 sock_addr_text(&addrs[i], text), bad);
	}
	freeifaddrs(own);
	return n;
}

static void on_resolved(void *ctx, uint32_t tag, const union sock_addr *addrs, size_t len,
			const char *error)
{
	union sock_addr kept[RESOLVE_ADDRS_MAX];
	struct upstreams *us = ctx;
	struct upstream *up;

	for (up = us->head; up && up->tag != tag; up = up->next)
		;
	if (!up)
		return;
	up->resolving = false;
	if (!error) {
		len = refuse_lies(up, addrs, len, kept);
		if (!len)
			error = "the DNS has no address for it that could be right";
	}
	if (!error) {
		use_addresses(up, kept, len);
		return;
	}
	up->replace = ENGINE_NO_SOURCE;
	note_failure(up, error);
}

static void on_routes(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	turn_begin();
	upstream_probe_some(arg);
}

int upstreams_init(struct upstreams *us, struct event_base *base,
		   const struct upstream_ops *ops, void *ctx, const struct sock_local *local)
{
	memset(us, 0, sizeof(*us));
	us->base = base;
	us->ops = ops;
	us->ctx = ctx;
	us->local = local;
	us->tail = &us->head;
	us->sources = calloc(ENGINE_MAX_SOURCES, sizeof(*us->sources));
	us->ev_routes = event_new(base, -1, 0, on_routes, us);
	us->resolver = resolve_open(base, on_resolved, us);
	if (us->sources && us->ev_routes && us->resolver)
		return 0;
	upstreams_clean(us);
	return -ENOMEM;
}

static void free_upstream(struct upstream *up)
{
	if (up->ev_retry)
		event_free(up->ev_retry);
	free(up);
}

void upstreams_clean(struct upstreams *us)
{
	for (size_t i = 0; us->sources && i < ENGINE_MAX_SOURCES; i++)
		if (us->sources[i].up)
			sock_close(&us->sources[i].sock);
	while (us->head) {
		struct upstream *up = us->head;

		us->head = up->next;
		free_upstream(up);
	}
	resolve_close(us->resolver);
	us->resolver = NULL;
	if (us->ev_routes)
		event_free(us->ev_routes);
	us->ev_routes = NULL;
	free(us->sources);
	us->sources = NULL;
}

int upstreams_add(struct upstreams *us, const struct conf_upstream *conf, bool runtime)
{
	struct upstream *up;

	for (up = us->head; up; up = up->next)
		if (up->conf.key == conf->key && conf_host_same(up->conf.name, conf->name))
			return -EEXIST;
	if (us->sources_len == ENGINE_MAX_SOURCES)
		return -ENOSPC;
	up = calloc(1, sizeof(*up));
	if (!up)
		return -ENOMEM;
	up->ev_retry = event_new(us->base, -1, 0, on_retry, up);
	if (!up->ev_retry) {
		free(up);
		return -ENOMEM;
	}
	up->all = us;
	up->conf = *conf;
	up->runtime = runtime;
	up->flags = conf->flags;
	up->replace = ENGINE_NO_SOURCE;
	up->tag = us->next_tag++;
	*us->tail = up;
	us->tail = &up->next;
	start_lookup(up);
	return 0;
}

const struct upstream *upstreams_from(struct upstreams *us, uint32_t tag)
{
	const struct upstream *up = us->found && us->found->tag <= tag ? us->found : us->head;

	while (up && up->tag < tag)
		up = up->next;
	us->found = up;
	return up;
}

static void end_upstream(struct upstreams *us, struct upstream *up)
{
	for (size_t i = 0; i < ENGINE_MAX_SOURCES && up->sources_len; i++)
		if (us->sources[i].up == up)
			upstream_remove_source(us, &us->sources[i]);
	us->found = NULL;
	free_upstream(up);
}

void upstreams_del_one(struct upstreams *us, struct upstream *gone)
{
	struct upstream **at = &us->head;

	while (*at != gone)
		at = &(*at)->next;
	*at = gone->next;
	end_upstream(us, gone);
	while (*at)
		at = &(*at)->next;
	us->tail = at;
}

bool upstreams_del(struct upstreams *us, const char *name)
{
	for (struct upstream *up = us->head; up; up = up->next)
		if (conf_host_same(up->conf.name, name)) {
			upstreams_del_one(us, up);
			return true;
		}
	return false;
}

void upstreams_resolve_again(struct upstreams *us, uint32_t id)
{
	struct upstream_source *s = upstreams_source(us, id);

	if (!s || s->up->numeric || s->up->resolving)
		return;
	if (clocks_local_ns() - s->up->resolved_local_ns < RESOLVE_AGAIN_MIN_NS)
		return;
	s->up->replace = id;
	start_lookup(s->up);
}

void upstreams_network_changed(struct upstreams *us)
{
	us->watch_routes = true;
	us->routes_next = 0;
	upstream_probe_some(us);
	for (struct upstream *up = us->head; up; up = up->next)
		if (!up->sources_len && !up->numeric && up->failures) {
			up->failures = 1;
			start_lookup(up);
		}
}
