// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Capabilities and the background.  Start-up only, before any thread.
 */
#include "daemon/privs.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "daemon/log.h"

int privs_drop(void)
{
	if (geteuid())
		return 0;
	capng_clear(CAPNG_SELECT_BOTH);
	/* in a container some may be missing already: those cannot be kept */
	capng_get_caps_process();
	for (int cap = 0; cap <= CAP_LAST_CAP; cap++) {
		if (cap == CAP_SYS_TIME || cap == CAP_NET_ADMIN || cap == CAP_NET_BIND_SERVICE)
			continue;
		capng_update(CAPNG_DROP, CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_INHERITABLE,
			     (unsigned int)cap);
	}
	return capng_apply(CAPNG_SELECT_CAPS) ? -EPERM : 0;
}

int privs_background(int *ready_fd)
{
	char byte = 1;
	int fds[2];
	ssize_t n;
	pid_t pid;

	if (pipe(fds) || (pid = fork()) < 0) {
		fprintf(stderr, "ntpkd: cannot go into the background: %s\n", strerror(errno));
		return 1;
	}
	if (pid) {
		close(fds[1]);
		n = read(fds[0], &byte, sizeof(byte));
		return n == sizeof(byte) ? 0 : 1;
	}
	close(fds[0]);
	fcntl(fds[1], F_SETFD, FD_CLOEXEC);
	setsid();
	*ready_fd = fds[1];
	return -1;
}

void privs_ready(int ready_fd)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	char byte = 0;

	if (fd >= 0) {
		for (int i = STDIN_FILENO; i <= STDERR_FILENO; i++)
			dup2(fd, i);
		if (fd > STDERR_FILENO)
			close(fd);
	}
	if (chdir("/"))
		log_debug_no(errno, "chdir");
	if (write(ready_fd, &byte, sizeof(byte)) != sizeof(byte))
		log_debug("the parent process has gone already");
	close(ready_fd);
}
