// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Upstreams and their sources.  Event loop only.  A `server` has one source, a
 * `pool` up to maxsources; no two sources have the same address.  Names are
 * looked up again when a source's address is dead, when nothing was found, and
 * when a pool is not full.
 */
#include "daemon/upstream.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <nettle/md5.h>
#include "daemon/ev.h"
#include "daemon/log.h"
#include "daemon/resolve.h"

#define RETRY_FIRST_S		2
#define RETRY_MAX_S		1024
#define REFILL_FIRST_S		64
/* An engine that finds address after address dead does not flood the DNS. */
#define RESOLVE_AGAIN_MIN_NS	(30 * NTP_NS_PER_S)

static unsigned int sources_max(const struct upstream *up)
{
	return up->conf.kind == CONF_POOL ? up->conf.maxsources : 1;
}

static unsigned int sources_count(const struct upstream *up)
{
	unsigned int n = 0;

	for (size_t i = 0; i < ENGINE_MAX_SOURCES; i++)
		n += up->all->sources[i].up == up;
	return n;
}

static bool address_used(const struct upstreams *us, const union sock_addr *addr)
{
	for (size_t i = 0; i < ENGINE_MAX_SOURCES; i++)
		if (us->sources[i].up && sock_addr_equal(&us->sources[i].addr, addr))
			return true;
	return false;
}

__be32 upstream_refid(const union sock_addr *addr)
{
	uint8_t digest[MD5_DIGEST_SIZE];
	struct md5_ctx ctx;
	__be32 refid;

	if (addr->sa.sa_family == AF_INET) {
		memcpy(&refid, &addr->in.sin_addr, sizeof(refid));
		return refid;
	}
	md5_init(&ctx);
	md5_update(&ctx, sizeof(addr->in6.sin6_addr), addr->in6.sin6_addr.s6_addr);
	md5_digest(&ctx, sizeof(digest), digest);
	memcpy(&refid, digest, sizeof(refid));
	return refid;
}

static bool add_source(struct upstream *up, const union sock_addr *addr)
{
	struct upstreams *us = up->all;
	struct source_config conf = {
		.minpoll_log2s = up->conf.minpoll_log2s,
		.maxpoll_log2s = up->conf.maxpoll_log2s,
		.version = up->conf.version,
		.flags = up->flags,
		.refid = upstream_refid(addr),
	};
	char text[SOCK_ADDR_TEXT_LEN];

	for (size_t i = 0; i < ENGINE_MAX_SOURCES; i++) {
		struct upstream_source *s = &us->sources[i];

		if (s->up)
			continue;
		memset(s, 0, sizeof(*s));
		s->up = up;
		s->id = us->next_id++;
		s->addr = *addr;
		if (!up->numeric)
			log_debug("%s is %s", up->conf.name, sock_addr_text(addr, text));
		us->ops->added(us->ctx, s->id, &conf);
		return true;
	}
	snprintf(up->error, sizeof(up->error), "no room: there are %d sources already",
		 ENGINE_MAX_SOURCES);
	log_err("%s: %s", up->conf.name, up->error);
	return false;
}

static void remove_source(struct upstreams *us, struct upstream_source *s)
{
	uint32_t id = s->id;

	sock_close(&s->sock);
	us->ops->removed(us->ctx, id);
	s->up = NULL;
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

static void start_lookup(struct upstream *up)
{
	union sock_addr addr;
	int err;

	if (up->resolving)
		return;
	up->numeric = sock_addr_parse(&addr, up->conf.name, up->conf.port);
	if (up->numeric) {
		use_addresses(up, &addr, 1);
		return;
	}
	up->resolved_local_ns = clocks_local_ns();
	err = resolve_start(up->all->resolver, up->conf.name, up->conf.port, up->tag);
	up->resolving = !err;
	if (err)
		note_failure(up, strerror(-err));
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	start_lookup(arg);
}

static const union sock_addr *pick_unused(const struct upstreams *us,
					  const union sock_addr *addrs, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!address_used(us, &addrs[i]))
			return &addrs[i];
	return NULL;
}

static void replace_dead(struct upstream *up, const union sock_addr *addrs, size_t len)
{
	struct upstream_source *dead = upstreams_source(up->all, up->replace);
	const union sock_addr *addr = pick_unused(up->all, addrs, len);
	char was[SOCK_ADDR_TEXT_LEN], is[SOCK_ADDR_TEXT_LEN];

	up->replace = ENGINE_NO_SOURCE;
	if (!dead || !addr)
		return;
	log_info("%s: trying %s instead of %s", up->conf.name, sock_addr_text(addr, is),
		 sock_addr_text(&dead->addr, was));
	remove_source(up->all, dead);
	add_source(up, addr);
}

static void use_addresses(struct upstream *up, const union sock_addr *addrs, size_t len)
{
	const union sock_addr *addr;
	unsigned int have = sources_count(up);

	up->error[0] = '\0';
	if (up->replace != ENGINE_NO_SOURCE)
		replace_dead(up, addrs, len);
	while (have < sources_max(up) && (addr = pick_unused(up->all, addrs, len)) &&
	       add_source(up, addr))
		have++;
	if (!have && !up->error[0])
		note_failure(up, "its address is another upstream's already");
	else if (!up->numeric && have && have < sources_max(up))
		retry_in(up, backoff_s(REFILL_FIRST_S, up->failures++));
	else
		up->failures = 0;
}

static void on_resolved(void *ctx, uint32_t tag, const union sock_addr *addrs, size_t len,
			const char *error)
{
	struct upstreams *us = ctx;
	struct upstream *up;

	for (up = us->head; up && up->tag != tag; up = up->next)
		;
	if (!up)
		return;
	up->resolving = false;
	if (!error) {
		use_addresses(up, addrs, len);
		return;
	}
	up->replace = ENGINE_NO_SOURCE;
	note_failure(up, error);
}

int upstreams_init(struct upstreams *us, struct event_base *base,
		   const struct upstream_ops *ops, void *ctx)
{
	memset(us, 0, sizeof(*us));
	us->base = base;
	us->ops = ops;
	us->ctx = ctx;
	us->next_id = 1;
	us->sources = calloc(ENGINE_MAX_SOURCES, sizeof(*us->sources));
	if (!us->sources)
		return -ENOMEM;
	us->resolver = resolve_open(base, on_resolved, us);
	if (us->resolver)
		return 0;
	free(us->sources);
	us->sources = NULL;
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
	free(us->sources);
	us->sources = NULL;
}

static unsigned int slots_free(const struct upstreams *us)
{
	unsigned int n = 0;

	for (size_t i = 0; i < ENGINE_MAX_SOURCES; i++)
		n += !us->sources[i].up;
	return n;
}

int upstreams_add(struct upstreams *us, const struct conf_upstream *conf, bool runtime)
{
	struct upstream **end = &us->head;
	struct upstream *up;

	for (; *end; end = &(*end)->next)
		if (!strcasecmp((*end)->conf.name, conf->name) &&
		    (*end)->conf.port == conf->port)
			return -EEXIST;
	if (!slots_free(us))
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
	*end = up;
	start_lookup(up);
	return 0;
}

unsigned int upstreams_del(struct upstreams *us, const char *name)
{
	struct upstream **at = &us->head;
	unsigned int removed = 0;

	while (*at) {
		struct upstream *up = *at;

		if (strcasecmp(up->conf.name, name)) {
			at = &up->next;
			continue;
		}
		for (size_t i = 0; i < ENGINE_MAX_SOURCES; i++)
			if (us->sources[i].up == up)
				remove_source(us, &us->sources[i]);
		*at = up->next;
		free_upstream(up);
		removed++;
	}
	return removed;
}

struct upstream_source *upstreams_source(struct upstreams *us, uint32_t id)
{
	for (size_t i = 0; i < ENGINE_MAX_SOURCES; i++)
		if (us->sources[i].up && us->sources[i].id == id)
			return &us->sources[i];
	return NULL;
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

const char *upstreams_name(struct upstreams *us, uint32_t id, char buf[UPSTREAM_NAME_LEN])
{
	struct upstream_source *s = upstreams_source(us, id);
	char text[SOCK_ADDR_TEXT_LEN];

	buf[0] = '\0';
	if (!s)
		return buf;
	if (s->up->numeric)
		snprintf(buf, UPSTREAM_NAME_LEN, "%s", s->up->conf.name);
	else
		snprintf(buf, UPSTREAM_NAME_LEN, "%s (%s)", s->up->conf.name,
			 sock_addr_text(&s->addr, text));
	return buf;
}
