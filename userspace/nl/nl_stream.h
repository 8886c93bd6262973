/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel sends of itself, by a socket that is never asked anything.
 * Process context; one per thread, no locking.
 */
#ifndef NTPK_NL_STREAM_H
#define NTPK_NL_STREAM_H

#include <libmnl/libmnl.h>
#include <stddef.h>

/* No message of generic netlink to a group is longer. */
#define NL_STREAM_MAX	8192

/**
 * struct nl_stream - a group's messages, one by one
 * @socket: NULL = not open
 * @left: bytes of @buf that were not looked at, from @at on
 * @at: next message
 * @buf: a datagram
 */
struct nl_stream {
	struct mnl_socket *socket;
	int	 left;
	struct nlmsghdr *at;
	union {				/* aligned for a struct nlmsghdr */
		struct nlmsghdr nlh;
		char	 bytes[NL_STREAM_MAX];
	} buf;
};

/**
 * nl_socket_open() - a socket of generic netlink, with the kernel's words for errors
 * @out: filled
 *
 * Return: 0 or -errno.
 */
int nl_socket_open(struct mnl_socket **out);

/**
 * nl_socket_receive() - one datagram, from the kernel and nobody else, if there is one
 * @s: socket
 * @buf: for it
 * @size: of @buf
 *
 * Return: its length, 0 for one to ignore, -errno; -EMSGSIZE: it is longer.
 */
int nl_socket_receive(struct mnl_socket *s, void *buf, size_t size);

/**
 * nl_stream_open() - join a group
 * @s: zeroed
 * @group: number
 *
 * Return: a non-blocking descriptor to poll, or -errno.
 */
int nl_stream_open(struct nl_stream *s, int group);

/**
 * nl_stream_next() - next message
 * @s: open
 * @nlh: out, good until the next call
 *
 * Return: 1, 0 when none waits, -ENOBUFS when some were lost, other -errno.
 */
int nl_stream_next(struct nl_stream *s, const struct nlmsghdr **nlh);

/** nl_stream_close() - one that is not open is fine */
void nl_stream_close(struct nl_stream *s);

#endif /* NTPK_NL_STREAM_H */
