/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Host names to addresses without blocking: each look-up runs getaddrinfo(3)
 * in a thread of its own and comes back through a pipe into the event loop.
 * No thread and no pipe is made before the first name.  A few look-ups run at
 * a time, the others wait for their turn.  A simulator knows no threads, and its
 * getaddrinfo(3) takes no time: there it is called at once.
 */
#ifndef NTPKD_RESOLVE_H
#define NTPKD_RESOLVE_H

#include <stddef.h>
#include <stdint.h>
#include "daemon/sock.h"

#define RESOLVE_ADDRS_MAX	16

struct event_base;
struct resolver;

/**
 * resolve_cb - the outcome
 * @ctx: of resolve_open()
 * @tag: of resolve_start()
 * @addrs: in the system's order of preference
 * @len: how many, 0 with @error
 * @error: text, NULL = none
 */
typedef void (*resolve_cb)(void *ctx, uint32_t tag, const union sock_addr *addrs, size_t len,
			   const char *error);

/**
 * resolve_open() - get ready; makes nothing yet
 * @base: the loop
 * @cb: called in the loop
 * @ctx: its argument
 *
 * Return: resolver, NULL without memory.
 */
struct resolver *resolve_open(struct event_base *base, resolve_cb cb, void *ctx);

/** resolve_close() - forget what is under way; NULL is fine */
void resolve_close(struct resolver *r);

/**
 * resolve_start() - look a name up
 * @r: resolver
 * @name: host name
 * @port: UDP, put into the addresses
 * @family: AF_INET, AF_INET6, or AF_UNSPEC for both
 * @tag: handed back
 *
 * Return: 0 with @cb called later, or -errno.
 */
int resolve_start(struct resolver *r, const char *name, uint16_t port, int family,
		  uint32_t tag);

#endif /* NTPKD_RESOLVE_H */
