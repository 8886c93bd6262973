/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the daemon keeps of root's rights, and going into the background.
 * Start-up only.
 */
#ifndef NTPKD_PRIVS_H
#define NTPKD_PRIVS_H

#include <stdbool.h>
#include <sys/types.h>

#define PRIVS_DEFAULT_USER	"ntpk"

/**
 * struct privs_user - who the daemon becomes
 * @change: false: stay who we are
 * @name: of the user
 * @uid: its id
 * @gid: its group
 */
struct privs_user {
	bool	 change;
	char	 name[33];
	uid_t	 uid;
	gid_t	 gid;
};

/**
 * privs_find_user() - look the user up
 * @user: filled
 * @name: of `user NAME`; "" = ntpk, where that user exists
 *
 * Nobody but root can change: for others, and for the name root, @user says so.
 *
 * Return: 0; -ENOENT: there is no user of that name.
 */
int privs_find_user(struct privs_user *user, const char *name);

/**
 * privs_make_folder() - a folder for the daemon's files, if it is missing
 * @path: absolute; only its last part is made
 * @user: who is to own it
 *
 * Mode 0750.  No link is followed in the place of the folder.
 *
 * Return: 0, also when it is there already; -EACCES when it is there and @user
 * cannot write in it; other -errno.
 */
int privs_make_folder(const char *path, const struct privs_user *user);

/**
 * privs_drop() - become the user, with a few of root's capabilities
 * @user: of privs_find_user()
 * @clock: keep CAP_SYS_TIME; CAP_NET_ADMIN and CAP_NET_BIND_SERVICE stay anyway
 *
 * Who is not root keeps what there is.
 *
 * Return: 0, or -errno: -EPERM when the user could not be changed.
 */
int privs_drop(const struct privs_user *user, bool clock);

/**
 * privs_background() - fork; the parent waits until the child is at work
 * @ready_fd: out, in the child: for privs_ready()
 *
 * Return: in the child -1; in the parent the exit status, once the child has
 * said that it is ready (0) or has gone without (1).
 */
int privs_background(int *ready_fd);

/**
 * privs_ready() - tell the parent, let go of the terminal
 * @ready_fd: of privs_background()
 */
void privs_ready(int ready_fd);

#endif /* NTPKD_PRIVS_H */
