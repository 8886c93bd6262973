// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the service manager is told.  Event loop only, but notify_open().
 */
#include "daemon/notify.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_US	1000LL
#define US_PER_S	1000000LL

static int64_t read_watchdog_ns(void)
{
	const char *usec = getenv("WATCHDOG_USEC");
	const char *pid = getenv("WATCHDOG_PID");
	char *end;
	long long us;

	if (!usec || (pid && strtoll(pid, NULL, 10) != getpid()))
		return 0;
	errno = 0;
	us = strtoll(usec, &end, 10);
	if (errno || *end || end == usec || us <= 0 || us > INT64_MAX / NS_PER_US)
		return 0;
	return us * NS_PER_US / 2;
}

/* '@' stands for the NUL byte of an abstract address. */
static int connect_to(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	size_t len = strlen(path);
	int fd;

	if ((path[0] != '/' && path[0] != '@') || len < 2)
		return -EAFNOSUPPORT;
	if (len >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	memcpy(addr.sun_path, path, len);
	if (path[0] == '@')
		addr.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	len += offsetof(struct sockaddr_un, sun_path) + (path[0] == '/');
	if (connect(fd, (const struct sockaddr *)&addr, (socklen_t)len)) {
		int err = -errno;

		close(fd);
		return err;
	}
	return fd;
}

int notify_open(struct notify *n)
{
	const char *path = getenv("NOTIFY_SOCKET");
	int err = 0;

	memset(n, 0, sizeof(*n));
	n->fd = -1;
	if (path && *path) {
		n->fd = connect_to(path);
		n->watchdog_ns = read_watchdog_ns();
	}
	if (n->fd < 0) {
		err = path && *path ? n->fd : 0;
		n->fd = -1;
		n->watchdog_ns = 0;
	}
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	return err;
}

void notify_close(struct notify *n)
{
	if (n->fd >= 0)
		close(n->fd);
	n->fd = -1;
}

void notify_send(struct notify *n, const char *text)
{
	/* a manager that is busy or restarting misses a line: the next one comes */
	if (n->fd >= 0)
		(void)!send(n->fd, text, strlen(text), MSG_NOSIGNAL);
}

void notify_status(struct notify *n, const char *fmt, ...)
{
	char text[sizeof(n->status)], line[sizeof(text) + 8];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n->fd < 0 || !strcmp(text, n->status))
		return;
	memcpy(n->status, text, sizeof(text));
	snprintf(line, sizeof(line), "STATUS=%s", text);
	notify_send(n, line);
}

void notify_reloading(struct notify *n)
{
	struct timespec ts = { 0 };
	char text[80];

	clock_gettime(CLOCK_MONOTONIC, &ts);
	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%lld",
		 (long long)ts.tv_sec * US_PER_S + ts.tv_nsec / NS_PER_US);
	notify_send(n, text);
}

void notify_alive(struct notify *n, int64_t local_ns)
{
	if (n->fd < 0 || !n->watchdog_ns || local_ns - n->fed_local_ns < n->watchdog_ns)
		return;
	n->fed_local_ns = local_ns;
	notify_send(n, "WATCHDOG=1");
}
