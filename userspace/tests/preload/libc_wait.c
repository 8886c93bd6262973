// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The C library's waiting, in the world: select(2) and poll(2), where time
 * passes, and sleep.  LD_PRELOAD.
 */
#include "libc_priv.h"

#include <errno.h>
/* glibc says of its own that it only writes to the array */
#define poll poll_declared
#include <poll.h>
#undef poll
#include <string.h>
#include <sys/select.h>
#include <time.h>
#include <unistd.h>

#define FINE_AFTER_S	0.1

static bool any(int n, fd_set *set, const char *what, bool allowed)
{
	bool found = false;

	for (int fd = 0; set && fd < n; fd++) {
		if (!FD_ISSET(fd, set))
			continue;
		if (!net_is_socket(fd))
			world_fault("waits for descriptor %d, which is no UDP socket", fd);
		if (!allowed)
			world_fault("waits for a socket to be %s", what);
		found = true;
	}
	return found;
}

/* A packet that nobody waits for is lost. */
static int wait_for(int n, fd_set *read, double timeout_s)
{
	for (;;) {
		double before_s = world_mono_s();
		enum world_event ev = world_wait(timeout_s, any(n, read, "readable", true));
		int fd;

		if (world_mono_s() >= FINE_AFTER_S || ev != WORLD_TIMEOUT)
			time_is_fine = true;
		if (ev == WORLD_END) {
			errno = EINTR;
			return -1;
		}
		if (ev == WORLD_TIMEOUT)
			return 0;
		fd = net_receiver(world_head());
		if (fd >= 0 && fd < n && FD_ISSET(fd, read)) {
			FD_ZERO(read);
			FD_SET(fd, read);
			return 1;
		}
		world_pop();
		if (timeout_s >= 0)
			timeout_s -= world_mono_s() - before_s;
	}
}

int select(int n, fd_set *restrict read, fd_set *restrict write, fd_set *restrict except,
	   struct timeval *restrict timeout)
{
	double timeout_s = -1;
	int ret;

	any(n, write, "writable", false);
	any(n, except, "exceptional", false);
	if (timeout)
		timeout_s = (double)timeout->tv_sec + (double)(timeout->tv_usec + 1) * 1e-6;
	else if (!any(n, read, "readable", true))
		world_fault("waits for nothing, for ever");
	if (write)
		FD_ZERO(write);
	ret = wait_for(n, read, timeout_s);
	if (!ret && read)
		FD_ZERO(read);
	return ret;
}

int poll(struct pollfd *fds, nfds_t len, int timeout_ms);

int poll(struct pollfd *fds, nfds_t len, int timeout_ms)
{
	struct timeval tv = { .tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000 };
	fd_set read;
	int ret, n = 0;

	FD_ZERO(&read);
	for (nfds_t i = 0; i < len; i++) {
		fds[i].revents = 0;
		if (fds[i].fd < 0)
			continue;
		if (fds[i].fd >= FD_SETSIZE || fds[i].events & ~POLLIN)
			world_fault("polls descriptor %d for %#x", fds[i].fd, fds[i].events);
		FD_SET(fds[i].fd, &read);
		n = fds[i].fd >= n ? fds[i].fd + 1 : n;
	}
	ret = select(n, &read, NULL, NULL, timeout_ms < 0 ? NULL : &tv);
	for (nfds_t i = 0; ret > 0 && i < len; i++)
		if (fds[i].fd >= 0 && FD_ISSET(fds[i].fd, &read))
			fds[i].revents = POLLIN;
	return ret;
}

int __poll_chk(struct pollfd *fds, nfds_t len, int timeout_ms, size_t size);

int __poll_chk(struct pollfd *fds, nfds_t len, int timeout_ms, size_t size)
{
	(void)size;
	return poll(fds, len, timeout_ms);
}

int nanosleep(const struct timespec *req, struct timespec *rem)
{
	(void)rem;
	return wait_for(0, NULL, (double)req->tv_sec + (double)req->tv_nsec * 1e-9);
}

int usleep(useconds_t us)
{
	return wait_for(0, NULL, us * 1e-6);
}
