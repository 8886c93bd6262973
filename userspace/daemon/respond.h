/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon's own responder: holds the port, and answers with the module's
 * decision code what the module is not there to answer, or passed on (IP
 * options, extension headers, aggregated packets).  Event loop only.
 */
#ifndef NTPKD_RESPOND_H
#define NTPKD_RESPOND_H

#include <stdint.h>
#include <sys/socket.h>
#include <ntpk/ntp_reply.h>

struct event_base;
struct respond;

/**
 * struct respond_env - what it needs from the daemon
 * @policy: without truth
 * @clock_seq: the daemon's count of steps, now; the state that is published
 *	carries the count that it was computed under
 * @stepped_local_ns: when the clock was last stepped
 * @before_turn: called before datagrams are handled, to notice steps; or NULL
 * @ctx: its argument
 */
struct respond_env {
	struct ntp_policy policy;
	const uint32_t *clock_seq;
	const int64_t *stepped_local_ns;
	void (*before_turn)(void *ctx);
	void *ctx;
};

/**
 * struct respond_packet - one datagram on its way through
 * @data: payload, 4-byte aligned
 * @len: of it
 * @src_port: host order
 * @unicast: it was sent to an address of this host
 * @stamp_real_ns: kernel receive stamp, 0 = none
 */
struct respond_packet {
	const void *data;
	size_t	 len;
	uint16_t src_port;
	bool	 unicast;
	int64_t	 stamp_real_ns;
};

/**
 * respond_open() - bind the port, v4 and v6
 * @base: the loop
 * @port: UDP
 * @env: copied
 * @out: filled
 *
 * Return: 0; -EADDRINUSE when somebody else has the port; other -errno.
 */
int respond_open(struct event_base *base, uint16_t port, const struct respond_env *env,
		 struct respond **out);

/** respond_close() - NULL is fine */
void respond_close(struct respond *r);

/**
 * respond_publish() - what is served from now on
 * @r: responder, NULL is fine
 * @serve: copied
 */
void respond_publish(struct respond *r, const struct ntp_serve *serve);

/**
 * respond_decide() - all of the reply but T3
 * @r: responder
 * @packet: request
 * @reply: out
 *
 * Return: REPLIED or REPLIED_UNSYNC with @reply filled, else the reason.
 */
enum ntpk_reason respond_decide(struct respond *r, const struct respond_packet *packet,
				struct ntp_header *reply);

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

#endif /* NTPKD_RESPOND_H */
