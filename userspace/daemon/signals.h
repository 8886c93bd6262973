/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SIGTERM and SIGINT end the loop, SIGHUP asks for a reload, SIGUSR1 for new log
 * files, SIGPIPE is ignored.  Plain sigaction and a
 * flag: libevent's own signal events need a descriptor in the poll set.
 */
#ifndef NTPKD_SIGNALS_H
#define NTPKD_SIGNALS_H

#include <stdbool.h>

struct event_base;

/**
 * signals_open() - install the handlers
 * @base: loop to break out of
 * @bare: no pipe to wake the loop: a signal that ends the wait ends the loop, one
 *	that comes just before it is noticed a second later
 *
 * Return: 0 or -errno.
 */
int signals_open(struct event_base *base, bool bare);

/** signals_close() - forget the loop */
void signals_close(void);

/** signals_stop() - has one of them come? */
bool signals_stop(void);

/** signals_reload() - has SIGHUP come since the last call? */
bool signals_reload(void);

/** signals_reopen() - has SIGUSR1 come since the last call? */
bool signals_reopen(void);

#endif /* NTPKD_SIGNALS_H */
