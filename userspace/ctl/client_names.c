// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Names of addresses, looked up by a few threads at once.  The C library's look-up
 * cannot be ended: a thread that is still in one when the time is over is left behind,
 * and keeps alive what it works on.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include "ctl/clients.h"

#define THREADS		16

/**
 * struct work - what the threads share
 * @lock: of all below
 * @done: a thread ended
 * @users: threads, and who waits for them; the last one frees it
 * @over: nobody waits any more
 * @len: addresses
 * @next: to be looked up
 * @of: them, and their names
 */
struct work {
	pthread_mutex_t lock;
	pthread_cond_t done;
	size_t	 users;
	bool	 over;
	size_t	 len;
	size_t	 next;
	struct {
		struct ntpk_nl_client c;
		char	 *name;
	} of[];
};

static char *look_up(const struct ntpk_nl_client *c)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	char name[NI_MAXHOST];
	int ret;

	if (c->len != 8 * c->addr_len)
		return NULL;
	if (c->addr_len == sizeof(v4.sin_addr)) {
		memcpy(&v4.sin_addr, c->addr, sizeof(v4.sin_addr));
		ret = getnameinfo((struct sockaddr *)&v4, sizeof(v4), name, sizeof(name), NULL, 0,
				  NI_NAMEREQD);
	} else {
		memcpy(&v6.sin6_addr, c->addr, sizeof(v6.sin6_addr));
		ret = getnameinfo((struct sockaddr *)&v6, sizeof(v6), name, sizeof(name), NULL, 0,
				  NI_NAMEREQD);
	}
	return ret ? NULL : strdup(name);
}

/* The lock is held, and let go. */
static void leave(struct work *w)
{
	bool last = !--w->users;
	size_t i;

	pthread_cond_signal(&w->done);
	pthread_mutex_unlock(&w->lock);
	if (!last)
		return;
	for (i = 0; i < w->len; i++)
		free(w->of[i].name);
	pthread_cond_destroy(&w->done);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

static void *work_on(void *arg)
{
	struct work *w = arg;
	char *name;
	size_t i;

	pthread_mutex_lock(&w->lock);
	while (!w->over && w->next < w->len) {
		i = w->next++;
		pthread_mutex_unlock(&w->lock);
		name = look_up(&w->of[i].c);
		pthread_mutex_lock(&w->lock);
		w->of[i].name = name;
	}
	leave(w);
	return NULL;
}

static struct work *begin(const struct client_row *rows, size_t len)
{
	struct work *w = calloc(1, sizeof(*w) + len * sizeof(w->of[0]));
	pthread_condattr_t attr;
	size_t i;

	if (!w)
		return NULL;
	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w->done, &attr);
	pthread_condattr_destroy(&attr);
	w->users = 1;
	w->len = len;
	for (i = 0; i < len; i++)
		w->of[i].c = rows[i].c;
	return w;
}

static void start_threads(struct work *w)
{
	pthread_attr_t attr;
	pthread_t thread;
	size_t i;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	for (i = 0; i < THREADS && i < w->len; i++)
		if (pthread_create(&thread, &attr, work_on, w) == 0)
			w->users++;
	pthread_attr_destroy(&attr);
}

void client_names(struct client_row *rows, size_t len, int timeout_s)
{
	struct work *w = begin(rows, len);
	struct timespec until;
	size_t i;

	if (!w)
		return;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += timeout_s;
	pthread_mutex_lock(&w->lock);
	start_threads(w);
	while (w->users > 1 && pthread_cond_timedwait(&w->done, &w->lock, &until) != ETIMEDOUT)
		;
	w->over = true;
	for (i = 0; i < len; i++) {
		rows[i].name = w->of[i].name;
		w->of[i].name = NULL;
	}
	leave(w);
}
