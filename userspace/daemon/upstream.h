/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The upstreams that were asked for, and the sources (associations with one
 * address each) that they became.  Event loop only.
 */
#ifndef NTPKD_UPSTREAM_H
#define NTPKD_UPSTREAM_H

#include <stdbool.h>
#include <stdint.h>
#include "core/engine.h"
#include "daemon/conf.h"
#include "daemon/sock.h"

#define UPSTREAM_ERROR_MAX	192
#define UPSTREAM_NAME_LEN	(CONF_NAME_MAX + SOCK_ADDR_TEXT_LEN + 4)

struct libevent;
struct event_base;
struct resolver;
struct upstreams;

/**
 * struct upstream_ops - what becomes of sources
 * @added: start an association
 * @removed: end it
 * @online: it may be asked, or no more
 */
struct upstream_ops {
	void (*added)(void *ctx, uint32_t id, const struct source_config *conf);
	void (*removed)(void *ctx, uint32_t id);
	void (*online)(void *ctx, uint32_t id, bool online);
};

/**
 * struct upstream - one `server` or `pool`
 * @all: the list that it is in
 * @next: in that list
 * @conf: as configured
 * @runtime: added over the control socket
 * @flags: of its sources: the configured ones, but for SOURCE_F_OFFLINE
 * @numeric: no name to look up
 * @resolving: a look-up is under way
 * @tag: of its look-ups
 * @sources_len: associations that it has
 * @replace: source whose address is dead, ENGINE_NO_SOURCE = none
 * @failures: look-ups since the last good one, for the back-off
 * @resolved_local_ns: last look-up, 0 = never
 * @ev_retry: next look-up; far away while all is well
 * @error: why there is no address, "" = none
 */
struct upstream {
	struct upstreams *all;
	struct upstream *next;
	struct conf_upstream conf;
	bool	 runtime;
	uint32_t flags;
	bool	 numeric;
	bool	 resolving;
	uint32_t tag;
	unsigned int sources_len;
	uint32_t replace;
	unsigned int failures;
	int64_t	 resolved_local_ns;
	struct libevent *ev_retry;
	char	 error[UPSTREAM_ERROR_MAX];
};

/**
 * struct upstream_source - one association
 * @up: whose, NULL = free slot
 * @id: of the engine's source
 * @addr: server
 * @offline: by the operator
 * @no_route: no way to it now; asked again when there is one
 * @sock: of the request under way
 * @rx_from: who stamped the last datagram
 * @last_tx: who stamped the request of the last true reply ...
 * @last_rx: ... and that reply
 */
struct upstream_source {
	struct upstream *up;
	uint32_t id;
	union sock_addr addr;
	bool	 offline;
	bool	 no_route;
	struct sock sock;
	enum stamp_from rx_from;
	enum stamp_from last_tx;
	enum stamp_from last_rx;
};

/**
 * struct upstreams - all of them
 * @base: the loop
 * @ops: callbacks
 * @ctx: their argument
 * @resolver: of names
 * @head: list in the order of configuration
 * @tail: where the next one goes
 * @sources: ENGINE_MAX_SOURCES slots; an id is a generation and a slot
 * @sources_len: in use
 * @generation: of the next source's id
 * @local: where requests leave from
 * @watch_routes: sources without a route go offline
 * @ev_routes: looks at the routes of a few sources per turn of the loop
 * @routes_next: slot to be looked at next
 * @next_tag: for the next upstream; they stand in the order of their tags
 * @found: what upstreams_from() found last, NULL when it may have gone
 */
struct upstreams {
	struct event_base *base;
	const struct upstream_ops *ops;
	void	*ctx;
	struct resolver *resolver;
	struct upstream *head;
	struct upstream **tail;
	struct upstream_source *sources;
	unsigned int sources_len;
	uint32_t generation;
	const struct sock_local *local;
	bool	 watch_routes;
	struct libevent *ev_routes;
	unsigned int routes_next;
	uint32_t next_tag;
	const struct upstream *found;
};

/**
 * upstreams_from() - the first upstream that is not older than a tag
 * @us: all
 * @tag: 0 for the first of all, then the last one's + 1
 *
 * Return: NULL at the end.
 */
const struct upstream *upstreams_from(struct upstreams *us, uint32_t tag);

/**
 * upstreams_init() - none yet
 * @us: filled
 * @base: the loop
 * @ops: callbacks
 * @ctx: their argument
 * @local: where requests leave from; stays the caller's
 *
 * Return: 0 or -ENOMEM.
 */
int upstreams_init(struct upstreams *us, struct event_base *base,
		   const struct upstream_ops *ops, void *ctx, const struct sock_local *local);

/** upstreams_clean() - free all, telling nobody */
void upstreams_clean(struct upstreams *us);

/**
 * upstreams_add() - one more
 * @us: list
 * @conf: copied
 * @runtime: not from the file
 *
 * Return: 0; -EEXIST for a name that is there already; -ENOSPC when all
 * ENGINE_MAX_SOURCES slots are taken; -ENOMEM.
 */
int upstreams_add(struct upstreams *us, const struct conf_upstream *conf, bool runtime);

/**
 * upstreams_del() - end it and its sources
 * @us: list
 * @name: in any spelling; no two upstreams have the same
 *
 * Return: false when there is none.
 */
bool upstreams_del(struct upstreams *us, const char *name);

/**
 * upstreams_del_one() - end this one and its sources
 * @us: list
 * @gone: of that list; freed
 */
void upstreams_del_one(struct upstreams *us, struct upstream *gone);

/**
 * upstreams_source() - an association by its id
 * @us: list
 * @id: of the engine's source
 *
 * Return: it, or NULL.
 */
struct upstream_source *upstreams_source(struct upstreams *us, uint32_t id);

/**
 * upstreams_resolve_again() - this source's address looks dead
 * @us: list
 * @id: source
 */
void upstreams_resolve_again(struct upstreams *us, uint32_t id);

/**
 * upstreams_switch() - the operator says whether a source may be asked
 * @us: list
 * @s: source
 * @online: which; one without a route waits for it, one that has said DENY or RATE is asked again
 */
void upstreams_switch(struct upstreams *us, struct upstream_source *s, bool online);

/**
 * upstreams_network_changed() - routes, addresses or links are other than before
 * @us: list
 *
 * Sources without a route go offline, others come back with a burst; names that
 * could not be looked up are tried again.  From the first call on.
 */
void upstreams_network_changed(struct upstreams *us);

/**
 * upstreams_name() - a source for people: "192.0.2.1" or "host (192.0.2.1)"
 * @us: list
 * @id: source; unknown ones give ""
 * @buf: UPSTREAM_NAME_LEN bytes
 *
 * Return: @buf.
 */
const char *upstreams_name(struct upstreams *us, uint32_t id, char buf[UPSTREAM_NAME_LEN]);

/**
 * upstream_refid() - an address as a reference id (RFC 5905 7.3)
 * @addr: address
 */
__be32 upstream_refid(const union sock_addr *addr);

#endif /* NTPKD_UPSTREAM_H */
