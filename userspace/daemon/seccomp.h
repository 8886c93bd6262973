/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The system calls that are left once the daemon is at work: what it, libevent
 * and the resolver of the C library need.  Any other ends the process.
 */
#ifndef NTPKD_SECCOMP_H
#define NTPKD_SECCOMP_H

#include <stdbool.h>

/**
 * seccomp_apply() - load the filter, for all threads, now and later
 * @cards: clocks of network cards are read, and which card is whose
 *
 * The process can gain no rights from then on (no_new_privs).
 *
 * Return: 0, or -errno with nothing changed: -ENOSYS from a kernel without such
 * filters.
 */
int seccomp_apply(bool cards);

#endif /* NTPKD_SECCOMP_H */
