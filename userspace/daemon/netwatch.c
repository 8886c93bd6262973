// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Changes of the network.  Event loop only.  What changed is not looked at: the
 * sources are asked anew whether there is a way to them.  Between the first
 * message and the end of the second the socket is left alone, so that a router
 * with a million routes costs no more than anybody; what overflows it meanwhile
 * is one more change.
 */
#include "daemon/netwatch.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include "daemon/ev.h"
#include "daemon/turn.h"

#define DEBOUNCE_S	1
#define BUFFER_SIZE	65536
/* A full receive buffer has fewer. */
#define MESSAGES_MAX	1024

struct netwatch {
	void (*changed)(void *ctx);
	void	*ctx;
	struct mnl_socket *nl;
	struct libevent *ev_read;
	struct libevent *ev_settled;
};

static void on_message(evutil_socket_t fd, short what, void *arg)
{
	const struct timeval wait = { .tv_sec = DEBOUNCE_S };
	struct netwatch *w = arg;

	(void)fd;
	(void)what;
	event_del(w->ev_read);
	event_add(w->ev_settled, &wait);
}

static void drain(struct netwatch *w)
{
	char buf[8192];

	for (int i = 0; i < MESSAGES_MAX; i++)
		if (recv(mnl_socket_get_fd(w->nl), buf, sizeof(buf), MSG_DONTWAIT) < 0 &&
		    errno != ENOBUFS && errno != EINTR)
			return;
}

static void on_settled(evutil_socket_t fd, short what, void *arg)
{
	struct netwatch *w = arg;

	(void)fd;
	(void)what;
	turn_begin();
	/* first: what comes while the sources are asked is seen again */
	drain(w);
	event_add(w->ev_read, NULL);
	w->changed(w->ctx);
}

static int subscribe(struct netwatch *w)
{
	const unsigned int groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR |
				    RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE | RTMGRP_IPV4_RULE;
	int size = BUFFER_SIZE;

	w->nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!w->nl || mnl_socket_bind(w->nl, groups, MNL_SOCKET_AUTOPID))
		return -errno;
	setsockopt(mnl_socket_get_fd(w->nl), SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	return 0;
}

int netwatch_open(struct event_base *base, void (*changed)(void *ctx), void *ctx,
		  struct netwatch **out)
{
	struct netwatch *w = calloc(1, sizeof(*w));
	int err;

	if (!w)
		return -ENOMEM;
	w->changed = changed;
	w->ctx = ctx;
	err = subscribe(w);
	if (!err) {
		w->ev_read = event_new(base, mnl_socket_get_fd(w->nl), EV_READ | EV_PERSIST,
				       on_message, w);
		w->ev_settled = event_new(base, -1, 0, on_settled, w);
		if (!w->ev_read || !w->ev_settled || event_add(w->ev_read, NULL))
			err = -ENOMEM;
	}
	if (err) {
		netwatch_close(w);
		return err;
	}
	*out = w;
	return 0;
}

void netwatch_close(struct netwatch *w)
{
	if (!w)
		return;
	if (w->ev_read)
		event_free(w->ev_read);
	if (w->ev_settled)
		event_free(w->ev_settled);
	if (w->nl)
		mnl_socket_close(w->nl);
	free(w);
}
