/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sockets of the daemon's own responder: one for each address and port that
 * listeners name.  Event loop only.
 */
#ifndef NTPKD_RESPOND_SOCK_H
#define NTPKD_RESPOND_SOCK_H

#include <stdbool.h>
#include <stdint.h>
#include "daemon/sock.h"
#include "nl/ntpk_nl.h"

/* One of each family where a listener is for both. */
#define RESPOND_SOCKS_MAX	(2 * NTPK_LISTENERS_MAX)

struct event_base;
struct libevent;

/**
 * struct respond_sock - one socket
 * @addr: that it is bound to, with the port
 * @fd: non-blocking
 * @ev: its event
 */
struct respond_sock {
	union sock_addr addr;
	int	 fd;
	struct libevent *ev;
};

/**
 * struct respond_socks - all; the first four members are the owner's, the rest zeroed
 * @base: the loop
 * @readable: called with @ctx when there is something to read
 * @ctx: its argument
 * @shared_port: requests of ours leave from this port too, 0 = from none of these
 * @of: sockets
 * @len: how many
 */
struct respond_socks {
	struct event_base *base;
	void (*readable)(int fd, short what, void *ctx);
	void	*ctx;
	uint16_t shared_port;
	struct respond_sock of[RESPOND_SOCKS_MAX];
	size_t	 len;
};

/**
 * respond_socks_set() - have those that these listeners need, and no others
 * @s: sockets
 * @want: listeners
 * @port: out: of the first that could not be had
 *
 * Those that are there already stay open.
 *
 * Return: 0, or the first error: -EADDRINUSE when somebody else has the port; the
 * others are opened nevertheless.
 */
int respond_socks_set(struct respond_socks *s, const struct ntpk_nl_listeners *want,
		      uint16_t *port);

/**
 * respond_socks_port() - which port a socket is bound to
 * @s: sockets
 * @fd: of one
 *
 * Return: host order.
 */
uint16_t respond_socks_port(const struct respond_socks *s, int fd);

/** respond_socks_close() - all */
void respond_socks_close(struct respond_socks *s);

#endif /* NTPKD_RESPOND_SOCK_H */
