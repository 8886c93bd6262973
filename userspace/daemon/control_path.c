// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The control socket in the file system: folder root:ntpk 0750, socket
 * root:ntpk 0660, stale sockets put away, live ones respected.  Process
 * context, start-up only: it may block on the name service for the group.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "daemon/control_path.h"

#define GROUP		"ntpk"
#define FOLDER_MODE	0750
#define SOCKET_MODE	0660
#define BACKLOG		16

/* The group that may read, -1 (leave as it is) where there is none. */
static gid_t reader_group(void)
{
	const struct group *gr = getgrnam(GROUP);

	return gr ? gr->gr_gid : (gid_t)-1;
}

/*
 * The folder is opened without following a link in its place, and changed
 * through the descriptor: what was made is what is chowned.
 */
static int make_folder(const char *folder)
{
	int made = mkdir(folder, 0700) == 0;
	int fd, ret = 0;

	if (!made && errno != EEXIST)
		return -errno;
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* Without the right to give it away (tests) it stays the caller's own. */
	if (made && ((fchown(fd, (uid_t)-1, reader_group()) < 0 && errno != EPERM) ||
		     fchmod(fd, FOLDER_MODE) < 0))
		ret = -errno;
	close(fd);
	return ret;
}

static int folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX];
	size_t len;

	if (!slash || slash == path)
		return 0;
	len = (size_t)(slash - path);
	if (len >= sizeof(folder))
		return -ENAMETOOLONG;
	memcpy(folder, path, len);
	folder[len] = '\0';
	return make_folder(folder);
}

static int socket_new(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	return fd < 0 ? -errno : fd;
}

/* Return: 0 when the place is free now, -EADDRINUSE, -EEXIST, -errno. */
static int put_away_stale(const struct sockaddr_un *addr)
{
	struct stat st;
	int fd, ret;

	if (lstat(addr->sun_path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	fd = socket_new();
	if (fd < 0)
		return fd;
	ret = connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) < 0 ? -errno : 0;
	close(fd);
	/* -EAGAIN: somebody listens, with a full backlog. */
	if (ret == 0 || ret == -EAGAIN)
		return -EADDRINUSE;
	if (ret != -ECONNREFUSED)
		return ret;
	return unlink(addr->sun_path) < 0 && errno != ENOENT ? -errno : 0;
}

/* Nobody else can connect before owner and mode are right. */
static int bind_private(int fd, const struct sockaddr_un *addr)
{
	/* first: it may take long, and who sees the socket wants to connect */
	gid_t group = reader_group();
	mode_t before = umask(0177);
	int ret = bind(fd, (const struct sockaddr *)addr, sizeof(*addr)) < 0 ? -errno : 0;

	umask(before);
	if (ret < 0)
		return ret;
	if ((lchown(addr->sun_path, (uid_t)-1, group) < 0 && errno != EPERM) ||
	    chmod(addr->sun_path, SOCKET_MODE) < 0)
		return -errno;
	return 0;
}

int control_path_listen(const char *path, struct stat *id)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd, ret;

	if (!*path || strlen(path) >= sizeof(addr.sun_path))
		return *path ? -ENAMETOOLONG : -EINVAL;
	memcpy(addr.sun_path, path, strlen(path) + 1);
	ret = folder_of(path);
	if (ret == 0)
		ret = put_away_stale(&addr);
	if (ret < 0)
		return ret;
	fd = socket_new();
	if (fd < 0)
		return fd;
	ret = bind_private(fd, &addr);
	if (ret == 0 && (listen(fd, BACKLOG) < 0 || lstat(path, id) < 0))
		ret = -errno;
	if (ret < 0) {
		close(fd);
		return ret;
	}
	return fd;
}

void control_path_remove(const char *path, const struct stat *id)
{
	struct stat st;

	if (lstat(path, &st) == 0 && st.st_dev == id->st_dev && st.st_ino == id->st_ino)
		unlink(path);
}
