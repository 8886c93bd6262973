// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The user, capabilities and the background.  Start-up only, before any thread.
 */
#include "daemon/privs.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "daemon/log.h"

int privs_find_user(struct privs_user *user, const char *name)
{
	const struct passwd *pw;

	memset(user, 0, sizeof(*user));
	if (geteuid())
		return 0;
	errno = 0;
	pw = getpwnam(*name ? name : PRIVS_DEFAULT_USER);
	/* only the default may be missing; a directory service that is away is no answer */
	if (!pw && (*name || (errno && errno != ENOENT)))
		return errno ? -errno : -ENOENT;
	if (!pw) {
		log_info("no user %s here: ntpkd stays root", PRIVS_DEFAULT_USER);
		return 0;
	}
	user->change = pw->pw_uid != 0;
	user->uid = pw->pw_uid;
	user->gid = pw->pw_gid;
	snprintf(user->name, sizeof(user->name), "%s", pw->pw_name);
	return 0;
}

/* For the user, as the permission bits say it; capabilities are gone by then. */
static bool may_write(const struct stat *st, const struct privs_user *user)
{
	uid_t uid = user->change ? user->uid : geteuid();
	gid_t gid = user->change ? user->gid : getegid();

	if (st->st_uid == uid)
		return st->st_mode & S_IWUSR;
	return st->st_mode & (st->st_gid == gid ? S_IWGRP : S_IWOTH);
}

int privs_make_folder(const char *path, const struct privs_user *user)
{
	bool made = !mkdir(path, 0700);
	struct stat st;
	int fd, err = 0;

	if (!made && errno != EEXIST)
		return -errno;
	/* one that is there may be a link: it was not made by us, only looked at */
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (made ? O_NOFOLLOW : 0));
	if (fd < 0)
		return -errno;
	if (made && user->change && fchown(fd, user->uid, user->gid))
		err = -errno;
	else if (made ? fchmod(fd, 0750) : fstat(fd, &st))
		err = -errno;
	else if (!made && !may_write(&st, user))
		err = -EACCES;
	close(fd);
	return err;
}

static void keep(bool has[], int cap)
{
	if (has[cap])
		capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, (unsigned int)cap);
}

int privs_drop(const struct privs_user *user, bool clock)
{
	bool has[CAP_LAST_CAP + 1];
	bool may_bound;

	if (geteuid())
		return 0;
	/* in a container some may be missing already: those cannot be kept */
	capng_get_caps_process();
	for (int cap = 0; cap <= CAP_LAST_CAP; cap++)
		has[cap] = capng_have_capability(CAPNG_PERMITTED, (unsigned int)cap);
	may_bound = has[CAP_SETPCAP];
	capng_clear(may_bound ? CAPNG_SELECT_BOTH : CAPNG_SELECT_CAPS);
	keep(has, CAP_NET_ADMIN);
	keep(has, CAP_NET_BIND_SERVICE);
	if (clock)
		keep(has, CAP_SYS_TIME);
	if (user->change)
		return capng_change_id((int)user->uid, (int)user->gid, CAPNG_DROP_SUPP_GRP |
				       (may_bound ? CAPNG_CLEAR_BOUNDING : 0)) ? -EPERM : 0;
	return capng_apply(may_bound ? CAPNG_SELECT_BOTH : CAPNG_SELECT_CAPS) ? -EPERM : 0;
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
