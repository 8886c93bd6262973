/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon's own responder: holds the port, and answers with the module's
 * decision code what the module is not there to answer, or passed on (IP
 * options, extension headers, aggregated packets).  Event loop only.
 */
#ifndef NTPKD_RESPOND_H
#define NTPKD_RESPOND_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <ntpk/ntp_reply.h>
#include "daemon/sock.h"

struct access;
struct event_base;
struct keys;
struct ntpk_nl_listeners;
struct respond;
struct respond_tail;

/**
 * struct respond_env - what it needs from the daemon
 * @shared_port: requests of ours leave from this one, 0 = from a random one
 * @clock_seq: the daemon's count of steps, now; the state that is published
 *	carries the count that it was computed under
 * @stepped_local_ns: when the clock was last stepped
 * @before_turn: called before datagrams are handled, to notice steps; or NULL
 * @ctx: its argument
 */
struct respond_env {
	uint16_t shared_port;
	const uint32_t *clock_seq;
	const int64_t *stepped_local_ns;
	void (*before_turn)(void *ctx);
	void *ctx;
};

/**
 * struct respond_packet - one datagram on its way through
 * @data: payload, 4-byte aligned
 * @len: of it
 * @from: where it came from
 * @src_port: host order
 * @unicast: it was sent to an address of this host
 * @policy: of the listener
 * @stamp_real_ns: kernel receive stamp, 0 = none
 */
struct respond_packet {
	const void *data;
	size_t	 len;
	const union sock_addr *from;
	uint16_t src_port;
	bool	 unicast;
	const struct ntp_policy *policy;
	int64_t	 stamp_real_ns;
};

/**
 * respond_open() - serve there
 * @base: the loop
 * @listeners: as respond_set_listeners()
 * @env: copied
 * @out: filled
 * @port: out: of the first socket that could not be had
 *
 * Return: 0; -EADDRINUSE when somebody else has the port; other -errno.
 */
int respond_open(struct event_base *base, const struct ntpk_nl_listeners *listeners,
		 const struct respond_env *env, struct respond **out, uint16_t *port);

/** respond_close() - NULL is fine */
void respond_close(struct respond *r);

/**
 * respond_publish() - what is served from now on
 * @r: responder, NULL is fine
 * @serve: copied
 */
void respond_publish(struct respond *r, const struct ntp_serve *serve);

/**
 * respond_set_access() - who may ask from now on
 * @r: responder, NULL is fine
 * @access: owned by the caller, until the next call or respond_close(); NULL = no lists
 */
void respond_set_access(struct respond *r, const struct access *access);

/**
 * respond_set_listeners() - where and what is served from now on
 * @r: responder, NULL is fine
 * @listeners: copied, the most special first
 * @port: out: of the first socket that could not be had
 *
 * Return: 0 or the first error of a socket; the others serve nevertheless.
 */
int respond_set_listeners(struct respond *r, const struct ntpk_nl_listeners *listeners,
			  uint16_t *port);

/**
 * respond_set_keys() - who may sign from now on
 * @r: responder, NULL is fine
 * @keys: owned by the caller, until the next call or respond_close(); NULL = none
 */
void respond_set_keys(struct respond *r, const struct keys *keys);

/**
 * respond_denied() - packets that access lists refused so far
 * @r: responder, NULL is fine
 */
uint64_t respond_denied(const struct respond *r);

/**
 * respond_decide() - all of the reply but T3 and the MAC
 * @r: responder
 * @packet: request
 * @reply: out, RESPOND_REPLY_MAX bytes, 8-byte aligned
 * @reply_len: out: header and extension fields
 * @tail: out: what the request had behind its header
 *
 * Return: REPLIED, REPLIED_UNSYNC, REPLIED_NAK or REPLIED_RATE with @reply filled, else
 * the reason.
 */
enum ntpk_reason respond_decide(struct respond *r, const struct respond_packet *packet,
				void *reply, size_t *reply_len, struct respond_tail *tail);

/**
 * respond_new() - a responder without sockets, for respond_open() and tests
 * @env: copied
 */
struct respond *respond_new(const struct respond_env *env);

/**
 * respond_count() - packets with this reason so far
 * @r: responder, NULL is fine
 * @reason: enum ntpk_reason
 */
uint64_t respond_count(const struct respond *r, unsigned int reason);

/**
 * respond_answered() - packets that got an answer so far
 * @r: responder, NULL is fine
 */
uint64_t respond_answered(const struct respond *r);

#endif /* NTPKD_RESPOND_H */
