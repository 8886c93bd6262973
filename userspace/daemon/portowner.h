/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who holds a UDP port: so that a message can say which program to stop.
 * Reads /proc; called only on the way out.
 */
#ifndef NTPKD_PORTOWNER_H
#define NTPKD_PORTOWNER_H

#include <stddef.h>
#include <stdint.h>

/**
 * portowner_find() - the process with a UDP socket on this port
 * @port: host order
 * @buf: out, "chronyd (pid 123)", or "another program" when it cannot be seen
 * @len: of @buf
 *
 * Return: @buf.
 */
const char *portowner_find(uint16_t port, char *buf, size_t len);

#endif /* NTPKD_PORTOWNER_H */
