// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The thread that waits for the disk, see saver.h.  A job is the thread's while
 * it is in the list between @next and the end, and the loop's again once its
 * @written is set; both under the lock.  The pipe only wakes the loop.
 */
#include "daemon/saver.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "daemon/ev.h"
#include "daemon/turn.h"

#define STACK_SIZE	(64 * 1024 + PTHREAD_STACK_MIN)

struct job {
	struct job *next;
	char	 path[PATH_MAX];
	char	*text;
	size_t	 len;
	struct replace how;
	saver_done *done;
	void	*ctx;
	bool	 written;
	int	 err;
};

/*
 * @head: all jobs that the loop was not told of, the oldest first
 * @work: signalled when there is one more, or @over
 * @idle: signalled when one is written
 */
struct saver {
	struct event_base *base;
	struct libevent *ev;
	int	 fds[2];
	pthread_t thread;
	bool	 running;
	pthread_mutex_t lock;
	pthread_cond_t work;
	pthread_cond_t idle;
	struct job *head;
	struct job **tail;
	bool	 over;
};

struct saver *saver_open(struct event_base *base)
{
	struct saver *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->base = base;
	s->tail = &s->head;
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->work, NULL);
	pthread_cond_init(&s->idle, NULL);
	return s;
}

static struct job *first_unwritten(const struct saver *s)
{
	struct job *j = s->head;

	while (j && j->written)
		j = j->next;
	return j;
}

static void *work(void *arg)
{
	struct saver *s = arg;
	struct job *j;

	pthread_mutex_lock(&s->lock);
	for (;;) {
		while (!(j = first_unwritten(s)) && !s->over)
			pthread_cond_wait(&s->work, &s->lock);
		if (!j)
			break;
		pthread_mutex_unlock(&s->lock);
		j->err = replace_file(j->path, j->text, j->len, &j->how);
		pthread_mutex_lock(&s->lock);
		j->written = true;
		pthread_cond_signal(&s->idle);
		/* a full pipe wakes the loop as well */
		if (write(s->fds[1], "", 1) < 0)
			continue;
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

/* Takes the written ones off the list, and tells whoever gave them. */
static void tell(struct saver *s)
{
	struct job *j;

	pthread_mutex_lock(&s->lock);
	while ((j = s->head) && j->written) {
		s->head = j->next;
		if (!s->head)
			s->tail = &s->head;
		pthread_mutex_unlock(&s->lock);
		j->done(j->ctx, j->err);
		free(j->text);
		free(j);
		pthread_mutex_lock(&s->lock);
	}
	pthread_mutex_unlock(&s->lock);
}

static void on_written(evutil_socket_t fd, short what, void *arg)
{
	char bytes[16];

	(void)what;
	turn_begin();
	while (read(fd, bytes, sizeof(bytes)) > 0)
		;
	tell(arg);
}

static int open_pipe(struct saver *s)
{
	if (pipe(s->fds))
		return -errno;
	for (int i = 0; i < 2; i++)
		if (fcntl(s->fds[i], F_SETFD, FD_CLOEXEC) || fcntl(s->fds[i], F_SETFL, O_NONBLOCK))
			goto out_close;
	s->ev = event_new(s->base, s->fds[0], EV_READ | EV_PERSIST, on_written, s);
	if (s->ev && !event_add(s->ev, NULL))
		return 0;
	if (s->ev)
		event_free(s->ev);
	s->ev = NULL;
out_close:
	close(s->fds[0]);
	close(s->fds[1]);
	return -ENOMEM;
}

/* Signals are the loop's: a thread must not take them from it. */
static int start_thread(struct saver *s)
{
	sigset_t all, before;
	pthread_attr_t attr;
	int err;

	if (s->running)
		return 0;
	if (!s->ev && open_pipe(s))
		return -ENOMEM;
	sigfillset(&all);
	err = pthread_attr_init(&attr);
	if (err)
		return -err;
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	err = pthread_create(&s->thread, &attr, work, s);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	s->running = !err;
	return -err;
}

static struct job *new_job(const char *path, const void *text, size_t len)
{
	struct job *j = calloc(1, sizeof(*j));

	if (!j)
		return NULL;
	j->text = malloc(len + 1);
	if (!j->text || snprintf(j->path, sizeof(j->path), "%s", path) >= (int)sizeof(j->path)) {
		free(j->text);
		free(j);
		return NULL;
	}
	memcpy(j->text, text, len);
	j->len = len;
	return j;
}

void saver_put(struct saver *s, const char *path, const void *text, size_t len,
	       const struct replace *how, saver_done *done, void *ctx)
{
	struct job *j = s && !start_thread(s) ? new_job(path, text, len) : NULL;

	if (!j) {
		done(ctx, replace_file(path, text, len, how));
		return;
	}
	j->how = *how;
	j->done = done;
	j->ctx = ctx;
	pthread_mutex_lock(&s->lock);
	*s->tail = j;
	s->tail = &j->next;
	pthread_cond_signal(&s->work);
	pthread_mutex_unlock(&s->lock);
}

void saver_flush(struct saver *s)
{
	if (!s || !s->running)
		return;
	pthread_mutex_lock(&s->lock);
	while (first_unwritten(s))
		pthread_cond_wait(&s->idle, &s->lock);
	pthread_mutex_unlock(&s->lock);
	tell(s);
}

const void *saver_pending(struct saver *s, const char *path, size_t *len)
{
	const struct job *j, *last = NULL;

	if (!s || !s->running)
		return NULL;
	pthread_mutex_lock(&s->lock);
	for (j = first_unwritten(s); j; j = j->next)
		if (!strcmp(j->path, path))
			last = j;
	pthread_mutex_unlock(&s->lock);
	if (!last)
		return NULL;
	*len = last->len;
	return last->text;
}

void saver_close(struct saver *s)
{
	if (!s)
		return;
	if (s->running) {
		saver_flush(s);
		pthread_mutex_lock(&s->lock);
		s->over = true;
		pthread_cond_signal(&s->work);
		pthread_mutex_unlock(&s->lock);
		pthread_join(s->thread, NULL);
	}
	if (s->ev) {
		event_free(s->ev);
		close(s->fds[0]);
		close(s->fds[1]);
	}
	pthread_cond_destroy(&s->idle);
	pthread_cond_destroy(&s->work);
	pthread_mutex_destroy(&s->lock);
	free(s);
}
