// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Signals.  A handler has no argument, hence the file-scope state: the flag,
 * and the pipe's end that wakes the loop.
 */
#include "daemon/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>
#include "daemon/ev.h"
#include "daemon/turn.h"

static volatile sig_atomic_t stop_wanted;
static volatile sig_atomic_t reload_wanted;
static volatile sig_atomic_t reopen_wanted;
static volatile int wake_fd = -1;
static struct event_base *volatile bare_base;
static int wait_fd = -1;
static struct libevent *ev_wake;

static void on_signal(int sig)
{
	int saved = errno;
	char byte = (char)sig;

	if (sig == SIGHUP)
		reload_wanted = 1;
	else if (sig == SIGUSR1)
		reopen_wanted = 1;
	else
		stop_wanted = 1;
	/* without threads this only stores a flag, which is looked at after the wait */
	if (bare_base)
		event_base_loopbreak(bare_base);
	/* a full pipe wakes the loop just as well */
	if (wake_fd >= 0 && write(wake_fd, &byte, 1) < 0)
		errno = saved;
	errno = saved;
}

bool signals_stop(void)
{
	return stop_wanted;
}

bool signals_reload(void)
{
	bool wanted = reload_wanted;

	reload_wanted = 0;
	return wanted;
}

bool signals_reopen(void)
{
	bool wanted = reopen_wanted;

	reopen_wanted = 0;
	return wanted;
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
	char bytes[16];

	(void)what;
	turn_begin();
	while (read(fd, bytes, sizeof(bytes)) > 0)
		;
	event_base_loopbreak(arg);
}

static int open_pipe(struct event_base *base)
{
	int fds[2];

	if (pipe(fds))
		return -errno;
	wait_fd = fds[0];
	wake_fd = fds[1];
	for (int i = 0; i < 2; i++)
		if (fcntl(fds[i], F_SETFD, FD_CLOEXEC) || fcntl(fds[i], F_SETFL, O_NONBLOCK))
			return -errno;
	ev_wake = event_new(base, wait_fd, EV_READ | EV_PERSIST, on_wake, base);
	return ev_wake && !event_add(ev_wake, NULL) ? 0 : -ENOMEM;
}

int signals_open(struct event_base *base, bool bare)
{
	struct sigaction stop = { .sa_handler = on_signal };
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	int err = bare ? 0 : open_pipe(base);

	if (err)
		return err;
	if (bare)
		bare_base = base;
	sigemptyset(&stop.sa_mask);
	sigemptyset(&ignore.sa_mask);
	if (sigaction(SIGTERM, &stop, NULL) || sigaction(SIGINT, &stop, NULL) ||
	    sigaction(SIGHUP, &stop, NULL) || sigaction(SIGUSR1, &stop, NULL) ||
	    sigaction(SIGPIPE, &ignore, NULL))
		return -errno;
	return 0;
}

void signals_close(void)
{
	int fd = wake_fd;

	bare_base = NULL;
	wake_fd = -1;
	if (ev_wake)
		event_free(ev_wake);
	ev_wake = NULL;
	if (fd >= 0)
		close(fd);
	if (wait_fd >= 0)
		close(wait_fd);
	wait_fd = -1;
}
