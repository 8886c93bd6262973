/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the daemon keeps of root's rights, and going into the background.
 * Start-up only.
 */
#ifndef NTPKD_PRIVS_H
#define NTPKD_PRIVS_H

/**
 * privs_drop() - keep CAP_SYS_TIME, CAP_NET_ADMIN and CAP_NET_BIND_SERVICE
 *
 * Nothing happens for who is not root.
 *
 * Return: 0 or -EPERM.
 */
int privs_drop(void);

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
