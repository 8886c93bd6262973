/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket in the file system.  Process context, start-up only.
 */
#ifndef NTPKD_CONTROL_PATH_H
#define NTPKD_CONTROL_PATH_H

#include <sys/stat.h>

/**
 * control_path_listen() - make the folder, put away a stale socket, listen
 * @path: of the socket
 * @id: out: device and inode of the socket, to know it again
 *
 * Return: a non-blocking, close-on-exec listening descriptor; -EADDRINUSE when
 * a daemon answers there, -EEXIST when @path is no socket, -ENOTDIR or -ELOOP
 * when its folder is none or a symbolic link, other -errno.
 */
int control_path_listen(const char *path, struct stat *id);

/**
 * control_path_remove() - unlink the socket if it is still ours
 * @path: of the socket
 * @id: from control_path_listen()
 */
void control_path_remove(const char *path, const struct stat *id);

#endif /* NTPKD_CONTROL_PATH_H */
