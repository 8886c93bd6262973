// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sockets of generic netlink, see nl_stream.h.
 */
#include "nl/nl_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <linux/netlink.h>

int nl_socket_open(struct mnl_socket **out)
{
	struct mnl_socket *s = mnl_socket_open(NETLINK_GENERIC);
	int one = 1;

	if (!s)
		return -errno;
	if (fcntl(mnl_socket_get_fd(s), F_SETFD, FD_CLOEXEC) < 0 ||
	    mnl_socket_bind(s, 0, MNL_SOCKET_AUTOPID) < 0) {
		int ret = -errno;

		mnl_socket_close(s);
		return ret;
	}
	/* Better words, not needed ones: kernels without them still serve. */
	mnl_socket_setsockopt(s, NETLINK_EXT_ACK, &one, sizeof(one));
	mnl_socket_setsockopt(s, NETLINK_CAP_ACK, &one, sizeof(one));
	mnl_socket_setsockopt(s, NETLINK_GET_STRICT_CHK, &one, sizeof(one));
	*out = s;
	return 0;
}

int nl_socket_receive(struct mnl_socket *s, void *buf, size_t size)
{
	struct sockaddr_nl from = { 0 };
	socklen_t from_len = sizeof(from);
	ssize_t n;

	n = recvfrom(mnl_socket_get_fd(s), buf, size, MSG_TRUNC | MSG_DONTWAIT,
		     (struct sockaddr *)&from, &from_len);
	if (n < 0)
		return -errno;
	if ((size_t)n > size)
		return -EMSGSIZE;
	if (from.nl_pid != 0)
		return 0;
	return (int)n;
}

int nl_stream_open(struct nl_stream *s, int group)
{
	int ret = nl_socket_open(&s->socket);
	int fd;

	if (ret < 0)
		return ret;
	fd = mnl_socket_get_fd(s->socket);
	if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0 ||
	    mnl_socket_setsockopt(s->socket, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0) {
		ret = -errno;
		nl_stream_close(s);
		return ret;
	}
	return fd;
}

int nl_stream_next(struct nl_stream *s, const struct nlmsghdr **nlh)
{
	int n;

	while (!s->left || !mnl_nlmsg_ok(s->at, s->left)) {
		s->left = 0;
		n = nl_socket_receive(s->socket, &s->buf, sizeof(s->buf));
		if (n == -EAGAIN)
			return 0;
		if (n == -EINTR)
			continue;
		if (n < 0)
			return n;
		s->left = n;
		s->at = &s->buf.nlh;
	}
	*nlh = s->at;
	s->at = mnl_nlmsg_next(s->at, &s->left);
	return 1;
}

void nl_stream_close(struct nl_stream *s)
{
	if (s->socket)
		mnl_socket_close(s->socket);
	s->socket = NULL;
	s->left = 0;
}
