/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * UDP sockets and kernel timestamps.  The client side: one fresh socket per
 * request, on a random port, connected to the server (RFC 9109), closed when
 * its reply is no longer awaited.  Event loop only.
 */
#ifndef NTPKD_SOCK_H
#define NTPKD_SOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include "core/engine.h"
#include "daemon/clocks.h"
#include "daemon/stamp.h"

#define SOCK_ADDR_TEXT_LEN	(INET6_ADDRSTRLEN + 18)	/* %interface */
#define SOCK_DATAGRAM_MAX	2048

struct libevent;
struct event_base;
struct hwts;

/* union sock_addr - where a server is; v4 or v6 */
union sock_addr {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

/**
 * struct sock_time - when a packet left or came
 * @local_ns: local timescale
 * @err_ns: bound of its error
 * @from: who says so
 */
struct sock_time {
	int64_t	 local_ns;
	int64_t	 err_ns;
	enum stamp_from from;
};

/**
 * struct sock_ops - what the client sockets report
 * @turn: called before the stamps of a turn are read, to notice steps
 * @sent: a request left; called again, for the same cookie, when the kernel tells the
 *	instant better, and before a reply whose stamp goes with another one of the request
 * @reply: a datagram came; the interface's stamp counts where the request has one, too
 */
struct sock_ops {
	void (*turn)(void *ctx);
	void (*sent)(void *ctx, uint32_t source, uint32_t cookie, const struct sock_time *t1);
	void (*reply)(void *ctx, uint32_t source, const void *data, size_t len,
		      const struct sock_time *t4);
};

/**
 * struct sock_local - where requests leave from; zeroed = as the routes say,
 *	from a random port
 * @addr: source addresses, v4 and v6; sa_family 0 = any
 * @device: interface, "" = any
 * @port: shared by all requests, host order; 0 = a random one each (RFC 9109)
 */
struct sock_local {
	union sock_addr addr[2];
	char	 device[16];
	uint16_t port;
};

/**
 * struct sock_env - what all client sockets share
 * @base: the loop
 * @ops: reports
 * @ctx: their argument
 * @stepped_local_ns: when the system clock was last stepped: stamps from before
 *	are not used
 * @local: where requests leave from
 * @hwts: interfaces whose stamps are used, NULL = none
 * @anchor_fd: keeps receive stamping on between requests; -1 = none
 */
struct sock_env {
	struct event_base *base;
	const struct sock_ops *ops;
	void	*ctx;
	const int64_t *stepped_local_ns;
	struct sock_local local;
	struct hwts *hwts;
	int	 anchor_fd;
};

#define SOCK_AWAIT_SOFT	1u
#define SOCK_AWAIT_HARD	2u

/**
 * struct sock - the socket of one source; zeroed = closed
 * @env: shared things
 * @ev: read event, NULL = closed
 * @fd: valid while @ev is set
 * @source: id
 * @cookie: of the request
 * @t1: when the request left, as far as it is known without the interface
 * @hard_t1: by the interface's stamp; @from is STAMP_HARDWARE when there is one
 * @told_t1: that of both which was reported last
 * @awaited: SOCK_AWAIT_* stamps of it that have not come yet
 * @hard_missed: requests in a row whose hardware stamp did not come before the reply
 */
struct sock {
	struct sock_env *env;
	struct libevent *ev;
	int	 fd;
	uint32_t source;
	uint32_t cookie;
	struct sock_time t1;
	struct sock_time hard_t1;
	struct sock_time told_t1;
	unsigned int awaited;
	unsigned int hard_missed;
};

/**
 * sock_env_init() - open the anchor, make room for a socket per source
 * @env: with all but @anchor_fd set
 *
 * Failure only costs the first stamps, or requests that are sent again.
 */
void sock_env_init(struct sock_env *env);

/** sock_env_clean() - close it */
void sock_env_clean(struct sock_env *env);

/**
 * sock_send() - send a request from a new socket
 * @s: closed first if it is open
 * @env: shared things
 * @source: id
 * @cookie: of the request
 * @to: the server
 * @packet: the request
 * @len: of it
 *
 * Return: 0 with env->ops->sent called, or -errno with the socket closed.
 */
int sock_send(struct sock *s, struct sock_env *env, uint32_t source, uint32_t cookie,
	      const union sock_addr *to, const void *packet, size_t len);

/**
 * sock_route() - could a request leave for this server now?
 * @local: where it would leave from
 * @to: the server
 *
 * Return: 0, or -errno of what stands in the way (no route, address or device).
 */
int sock_route(const struct sock_local *local, const union sock_addr *to);

/** sock_close() - no reply is awaited; closed already is fine */
void sock_close(struct sock *s);

/**
 * sock_udp() - a non-blocking UDP socket with time stamps
 * @family: AF_INET or AF_INET6
 * @tx: the kernel stamps what is sent, too
 * @hard: the interface stamps, too
 *
 * Return: descriptor or -errno.
 */
int sock_udp(int family, bool tx, bool hard);

/**
 * sock_addr_parse() - a numeric address, without any look-up
 * @addr: filled
 * @text: v4, v6, or v6%interface
 * @port: UDP, host order
 */
bool sock_addr_parse(union sock_addr *addr, const char *text, uint16_t port);

/**
 * sock_addr_text() - the address without its port
 * @addr: address
 * @buf: SOCK_ADDR_TEXT_LEN bytes
 *
 * Return: @buf.
 */
const char *sock_addr_text(const union sock_addr *addr, char buf[SOCK_ADDR_TEXT_LEN]);

/** sock_addr_equal() - same address, scope and port? */
bool sock_addr_equal(const union sock_addr *a, const union sock_addr *b);

/** sock_addr_len() - for connect() */
socklen_t sock_addr_len(const union sock_addr *addr);

#endif /* NTPKD_SOCK_H */
