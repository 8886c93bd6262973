// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The sources of the upstreams: slots, addresses, and whether there is a way
 * to them.  Event loop only.  An id names a generation and a slot, so that it is
 * found at once and never given twice.
 */
#include "daemon/upstream_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <nettle/md5.h>
#include "daemon/ev.h"
#include "daemon/log.h"

/* A probe is a few system calls: so many per turn of the loop keep it under a millisecond. */
#define ROUTES_PER_TURN		32
#define GENERATIONS		(UINT32_MAX / ENGINE_MAX_SOURCES)

bool upstream_address_used(const struct upstreams *us, const union sock_addr *addr)
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

static struct source_config source_config(const struct upstream *up, const union sock_addr *addr)
{
	return (struct source_config){
		.minpoll_log2s = up->conf.minpoll_log2s,
		.maxpoll_log2s = up->conf.maxpoll_log2s,
		.version = up->conf.version,
		.flags = up->flags,
		.refid = upstream_refid(addr),
		.offset_ns = up->conf.offset_ns,
		.max_delay_ns = up->conf.max_delay_ns,
		.presend_log2s = up->conf.presend_log2s,
		.keyed = up->conf.key_id != 0,
	};
}

static bool is_online(const struct upstream_source *s)
{
	return !s->offline && !s->no_route;
}

/* Does this -errno of sock_route() tell of the network? */
static bool is_no_route(int err)
{
	switch (-err) {
	case ENETUNREACH:
	case EHOSTUNREACH:
	case ENETDOWN:
	case EADDRNOTAVAIL:
	case ENODEV:
	case EACCES:		/* a route of type prohibit, or to a broadcast address */
	case EINVAL:		/* a blackhole route; a link-local address of a link that left */
		return true;
	default:
		return false;
	}
}

/* Looks for a way to a source, and tells the engine when that changes something. */
static void probe(struct upstreams *us, struct upstream_source *s)
{
	bool was = is_online(s);
	char name[UPSTREAM_NAME_LEN];
	int err = sock_route(us->local, &s->addr);

	/* out of descriptors, say: that is not about routes */
	if (err && !is_no_route(err))
		return;
	if (s->no_route != !!err) {
		upstreams_name(us, s->id, name);
		if (err)
			log_info_no(err, "%s is offline", name);
		else
			log_info("%s can be asked again: there is a route", name);
	}
	s->no_route = err != 0;
	if (is_online(s) != was)
		us->ops->online(us->ctx, s->id, is_online(s));
}

static void start_source(struct upstream *up, struct upstream_source *s,
			 const union sock_addr *addr)
{
	struct source_config conf = source_config(up, addr);
	struct upstreams *us = up->all;
	char text[SOCK_ADDR_TEXT_LEN];

	memset(s, 0, sizeof(*s));
	us->generation = us->generation % (GENERATIONS - 1) + 1;
	s->id = us->generation * ENGINE_MAX_SOURCES + (uint32_t)(s - us->sources);
	s->up = up;
	s->addr = *addr;
	s->offline = up->flags & SOURCE_F_OFFLINE;
	up->sources_len++;
	us->sources_len++;
	if (!up->numeric)
		log_debug("%s is %s", up->conf.name, sock_addr_text(addr, text));
	us->ops->added(us->ctx, s->id, &conf);
	if (s->offline)
		us->ops->online(us->ctx, s->id, false);
	if (us->watch_routes)
		probe(us, s);
}

bool upstream_add_source(struct upstream *up, const union sock_addr *addr)
{
	struct upstreams *us = up->all;

	for (size_t i = 0; i < ENGINE_MAX_SOURCES; i++) {
		if (us->sources[i].up)
			continue;
		start_source(up, &us->sources[i], addr);
		return true;
	}
	snprintf(up->error, sizeof(up->error), "no room: there are %d sources already",
		 ENGINE_MAX_SOURCES);
	log_err("%s: %s", up->conf.name, up->error);
	return false;
}

void upstream_remove_source(struct upstreams *us, struct upstream_source *s)
{
	uint32_t id = s->id;

	sock_close(&s->sock);
	us->ops->removed(us->ctx, id);
	s->up->sources_len--;
	us->sources_len--;
	s->up = NULL;
}

struct upstream_source *upstreams_source(struct upstreams *us, uint32_t id)
{
	struct upstream_source *s = &us->sources[id % ENGINE_MAX_SOURCES];

	return s->up && s->id == id ? s : NULL;
}

void upstreams_switch(struct upstreams *us, struct upstream_source *s, bool online)
{
	bool was = is_online(s);

	s->offline = !online;
	/* even if it was: the server may have wanted not to be asked */
	if (was || is_online(s))
		us->ops->online(us->ctx, s->id, is_online(s));
}

void upstream_probe_some(struct upstreams *us)
{
	const struct timeval now = { 0 };

	for (int n = 0; n < ROUTES_PER_TURN && us->routes_next < ENGINE_MAX_SOURCES;
	     us->routes_next++) {
		if (!us->sources[us->routes_next].up)
			continue;
		probe(us, &us->sources[us->routes_next]);
		n++;
	}
	if (us->routes_next < ENGINE_MAX_SOURCES)
		event_add(us->ev_routes, &now);
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
