/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Other programs that discipline the system clock, found by name.
 */
#ifndef NTPKD_CLOCKOWNER_H
#define NTPKD_CLOCKOWNER_H

#include <stddef.h>

/**
 * clockowner_find() - is another time daemon running?
 * @proc: "/proc", or a test's likeness of it
 * @buf: out, such as "chronyd (process 123)"; "" = none
 * @len: of @buf
 *
 * Return: its process id, 0 = none.
 */
int clockowner_find(const char *proc, char *buf, size_t len);

#endif /* NTPKD_CLOCKOWNER_H */
