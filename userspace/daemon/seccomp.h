/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The system calls that are left once the daemon is at work: what it, libevent
 * and the resolver of the C library need.  Any other ends the process.
 */
#ifndef NTPKD_SECCOMP_H
#define NTPKD_SECCOMP_H

/**
 * seccomp_apply() - load the filter, for all threads, now and later
 *
 * The process can gain no rights from then on (no_new_privs).
 *
 * Return: 0, or -errno with nothing changed: -ENOSYS from a kernel without such
 * filters.
 */
int seccomp_apply(void);

#endif /* NTPKD_SECCOMP_H */
