/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the service manager is told, by the protocol of sd_notify(3): datagrams
 * of VARIABLE=value lines to the socket that NOTIFY_SOCKET names.  Without a
 * manager nothing happens.
 */
#ifndef NTPKD_NOTIFY_H
#define NTPKD_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct notify - the link to the service manager
 * @fd: datagram socket, connected; -1 = nobody listens
 * @watchdog_ns: WATCHDOG=1 is due at least so often, 0 = not wanted
 * @fed_local_ns: when it was sent last
 * @status: the last STATUS= text, not sent again
 */
struct notify {
	int	 fd;
	int64_t	 watchdog_ns;
	int64_t	 fed_local_ns;
	char	 status[128];
};

/**
 * notify_open() - find the service manager
 * @n: filled
 *
 * The environment's variables are removed, so that nobody else answers.  A
 * watchdog that is meant for another process is none of ours.
 *
 * Return: 0, also without a manager; -errno when its socket cannot be used.
 */
int notify_open(struct notify *n);

/** notify_close() - let go */
void notify_close(struct notify *n);

/**
 * notify_send() - any message
 * @n: link
 * @text: VARIABLE=value lines
 */
void notify_send(struct notify *n, const char *text);

/**
 * notify_status() - one line for `systemctl status`, sent when it changes
 * @n: link
 * @fmt: as printf, without newline
 */
void notify_status(struct notify *n, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/**
 * notify_reloading() - RELOADING=1 with the time that Type=notify-reload wants
 * @n: link; READY=1 is to follow
 */
void notify_reloading(struct notify *n);

/**
 * notify_alive() - feed the watchdog when half its time is over
 * @n: link
 * @local_ns: now
 */
void notify_alive(struct notify *n, int64_t local_ns);

#endif /* NTPKD_NOTIFY_H */
