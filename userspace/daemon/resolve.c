// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Host names to addresses.  The loop owns the resolver; a thread owns its
 * struct lookup until it writes the pointer into the pipe (atomic, being
 * shorter than PIPE_BUF), the loop from then on.  A thread that outlives the
 * resolver keeps the pipe's end that it was given and ends by EPIPE.
 */
#include "daemon/resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "daemon/conf.h"
#include "daemon/clocks.h"
#include "daemon/ev.h"
#include "daemon/turn.h"

/* getaddrinfo() of a broken resolver takes up to half a minute */
#define LOOKUPS_MAX	32
/* enough for the modules of nsswitch.conf; the rest of the usual 8 MiB is not needed */
#define STACK_SIZE	(512 * 1024)

struct resolver {
	struct event_base *base;
	resolve_cb cb;
	void	*ctx;
	struct libevent *ev;
	int	 fds[2];
	unsigned int running;
	struct lookup *head;		/* in waiting */
	struct lookup **tail;
};

struct lookup {
	struct lookup *next;
	struct resolver *resolver;
	char	 name[CONF_NAME_MAX + 1];
	char	 error[128];
	union sock_addr addrs[RESOLVE_ADDRS_MAX];
	size_t	 len;
	uint32_t tag;
	uint16_t port;
	int	 family;
	int	 fd;
};

struct resolver *resolve_open(struct event_base *base, resolve_cb cb, void *ctx)
{
	struct resolver *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->base = base;
	r->cb = cb;
	r->ctx = ctx;
	r->tail = &r->head;
	return r;
}

static void deliver(evutil_socket_t fd, short what, void *arg);

static int set_flags(const int fds[2])
{
	for (int i = 0; i < 2; i++)
		if (fcntl(fds[i], F_SETFD, FD_CLOEXEC))
			return -errno;
	/* the writing end blocks: it belongs to the threads */
	return fcntl(fds[0], F_SETFL, O_NONBLOCK) ? -errno : 0;
}

static int open_pipe(struct resolver *r)
{
	int err;

	if (r->ev)
		return 0;
	if (pipe(r->fds))
		return -errno;
	err = set_flags(r->fds);
	if (!err) {
		r->ev = event_new(r->base, r->fds[0], EV_READ | EV_PERSIST, deliver, r);
		if (r->ev && !event_add(r->ev, NULL))
			return 0;
		err = -ENOMEM;
	}
	if (r->ev)
		event_free(r->ev);
	r->ev = NULL;
	close(r->fds[0]);
	close(r->fds[1]);
	return err;
}

static void collect(struct lookup *l, const struct addrinfo *list)
{
	const struct addrinfo *ai;

	for (ai = list; ai && l->len < RESOLVE_ADDRS_MAX; ai = ai->ai_next) {
		union sock_addr *addr = &l->addrs[l->len];

		if (ai->ai_addrlen > sizeof(*addr))
			continue;
		memset(addr, 0, sizeof(*addr));
		memcpy(addr, ai->ai_addr, ai->ai_addrlen);
		if (addr->sa.sa_family == AF_INET)
			addr->in.sin_port = htons(l->port);
		else if (addr->sa.sa_family == AF_INET6)
			addr->in6.sin6_port = htons(l->port);
		else
			continue;
		l->len++;
	}
}

static void find(struct lookup *l)
{
	struct addrinfo hints = { .ai_socktype = SOCK_DGRAM, .ai_flags = AI_ADDRCONFIG };
	struct addrinfo *list = NULL;
	int err;

	hints.ai_family = l->family;
	err = getaddrinfo(l->name, NULL, &hints, &list);
	if (!err)
		collect(l, list);
	if (!l->len)
		snprintf(l->error, sizeof(l->error), "%s",
			 err ? gai_strerror(err) : "no usable address");
	if (list)
		freeaddrinfo(list);
}

static void *look_up(void *arg)
{
	struct lookup *l = arg;
	int fd = l->fd;

	find(l);
	if (write(fd, &l, sizeof(l)) != sizeof(l))
		free(l);
	close(fd);
	return NULL;
}

/* Signals are the loop's: a thread must not take them from it. */
static int start_thread(struct lookup *l)
{
	sigset_t all, before;
	pthread_attr_t attr;
	pthread_t thread;
	int err;

	sigfillset(&all);
	err = pthread_attr_init(&attr);
	if (err)
		return -err;
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	err = pthread_create(&thread, &attr, look_up, l);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return -err;
}

static int run(struct resolver *r, struct lookup *l)
{
	int err;

	l->fd = fcntl(r->fds[1], F_DUPFD_CLOEXEC, 0);
	err = l->fd < 0 ? -errno : start_thread(l);
	if (err && l->fd >= 0)
		close(l->fd);
	r->running += !err;
	return err;
}

/* The next in waiting; one that cannot be started has failed. */
static void run_next(struct resolver *r)
{
	while (r->head && r->running < LOOKUPS_MAX) {
		struct lookup *l = r->head;
		int err;

		r->head = l->next;
		if (!r->head)
			r->tail = &r->head;
		err = run(r, l);
		if (!err)
			continue;
		r->cb(r->ctx, l->tag, NULL, 0, strerror(-err));
		free(l);
	}
}

static void on_found(evutil_socket_t fd, short what, void *arg)
{
	struct lookup *l = arg;
	struct resolver *r = l->resolver;

	(void)fd;
	(void)what;
	r->cb(r->ctx, l->tag, l->addrs, l->len, l->len ? NULL : l->error);
	free(l);
}

/* The outcome still comes from the loop. */
static int run_at_once(struct resolver *r, struct lookup *l)
{
	const struct timeval now = { 0 };

	find(l);
	return event_base_once(r->base, -1, EV_TIMEOUT, on_found, l, &now) ? -ENOMEM : 0;
}

static void deliver(evutil_socket_t fd, short what, void *arg)
{
	struct resolver *r = arg;
	struct lookup *l;

	(void)what;
	turn_begin();
	if (read(fd, &l, sizeof(l)) != sizeof(l))
		return;
	r->running--;
	r->cb(r->ctx, l->tag, l->addrs, l->len, l->len ? NULL : l->error);
	free(l);
	run_next(r);
}

int resolve_start(struct resolver *r, const char *name, uint16_t port, int family,
		  uint32_t tag)
{
	struct lookup *l;
	int err = clocks_simulated() ? 0 : open_pipe(r);

	if (err)
		return err;
	l = calloc(1, sizeof(*l));
	if (!l)
		return -ENOMEM;
	snprintf(l->name, sizeof(l->name), "%s", name);
	l->port = port;
	l->family = family;
	l->tag = tag;
	l->resolver = r;
	if (r->running < LOOKUPS_MAX) {
		err = clocks_simulated() ? run_at_once(r, l) : run(r, l);
		if (err)
			free(l);
		return err;
	}
	*r->tail = l;
	r->tail = &l->next;
	return 0;
}

void resolve_close(struct resolver *r)
{
	struct lookup *l;

	if (!r)
		return;
	while ((l = r->head)) {
		r->head = l->next;
		free(l);
	}
	if (r->ev) {
		event_free(r->ev);
		while (read(r->fds[0], &l, sizeof(l)) == sizeof(l))
			free(l);
		close(r->fds[0]);
		close(r->fds[1]);
	}
	free(r);
}
