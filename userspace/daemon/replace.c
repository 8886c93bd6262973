// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Files of state, replaced whole or not at all.  replace_file(): any thread.
 */
#include "daemon/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "daemon/log.h"

#define NS_PER_S	1000000000LL

static int set_mtime(int fd, long long unix_ns)
{
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT } };

	if (!unix_ns)
		return 0;
	times[1].tv_sec = (time_t)(unix_ns / NS_PER_S);
	times[1].tv_nsec = (long)(unix_ns % NS_PER_S);
	return futimens(fd, times) ? -errno : 0;
}

static int fill(int fd, const void *text, size_t len, const struct replace *how)
{
	ssize_t n = write(fd, text, len);

	if (n < 0)
		return -errno;
	if ((size_t)n != len)
		return -ENOSPC;
	if (fchmod(fd, how->mode) || (how->sync && fsync(fd)))
		return -errno;
	return set_mtime(fd, how->mtime_unix_ns);
}

/* Always the same name, so that a killed daemon leaves one file at most. */
static int open_new(const char *path)
{
	int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	int fd;

	if (unlink(path) && errno != ENOENT)
		return -errno;
	fd = open(path, flags, 0600);
	return fd < 0 ? -errno : fd;
}

int replace_file(const char *path, const void *text, size_t len, const struct replace *how)
{
	char temp[PATH_MAX + 8];
	int fd, err;

	if (snprintf(temp, sizeof(temp), "%s.new", path) >= (int)sizeof(temp))
		return -ENAMETOOLONG;
	fd = open_new(temp);
	if (fd < 0)
		return fd;
	err = fill(fd, text, len, how);
	if (close(fd) && !err)
		err = -errno;
	if (!err && rename(temp, path))
		err = -errno;
	if (err)
		unlink(temp);
	return err;
}

int replace_open(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
	struct stat st;
	int err;

	if (fd < 0)
		return -errno;
	err = fstat(fd, &st) ? -errno : S_ISREG(st.st_mode) ? 0 : -EMEDIUMTYPE;
	if (err)
		close(fd);
	return err ? err : fd;
}

void replace_say(int *last, int err, const char *what, const char *path)
{
	if (err == *last)
		return;
	if (err == -ENOSPC || err == -EDQUOT)
		log_err("%s %s: the disk is full: the old contents stay, ntpkd goes on", what,
			path);
	else if (err == -EACCES || err == -EPERM)
		log_err_no(err, "%s %s: the folder must belong to the user of ntpkd", what, path);
	else if (err)
		log_err_no(err, "%s %s", what, path);
	else
		log_info("%s %s is written again", what, path);
	*last = err;
}
