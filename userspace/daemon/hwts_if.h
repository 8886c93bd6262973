/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The time stamps of a network interface: what it has, and switching them on.
 * Start-up only, but for the link's speed and which clock it is.
 */
#ifndef NTPKD_HWTS_IF_H
#define NTPKD_HWTS_IF_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include "daemon/conf_hwts.h"

/**
 * struct hwts_if - an interface with stamps of its own
 * @name: of it
 * @ifindex: its number
 * @phc: N of its clock, /dev/ptpN
 * @rx: it stamps NTP packets as they come in; those that leave it does always
 */
struct hwts_if {
	char	 name[IFNAMSIZ];
	uint32_t ifindex;
	int	 phc;
	bool	 rx;
};

/**
 * hwts_if_open() - switch its stamps on, where it has any
 * @name: of an interface
 * @conf: what is wanted
 * @out: filled
 *
 * Return: 0; -EOPNOTSUPP: it has none; -EXDEV: it has those of several cards, as a bond
 * or a VLAN upon one; other -errno of what stands in the way.
 */
int hwts_if_open(const char *name, const struct conf_hwts *conf, struct hwts_if *out);

/**
 * hwts_if_filter() - which packets are to be stamped as they come in
 * @want: by the configuration
 * @can: bits of HWTSTAMP_FILTER_* that the driver has
 * @is: the one that is set now: one that PTP needs is not taken away, unless that is asked for
 *
 * Return: HWTSTAMP_FILTER_*, -1 when the driver has none of those that are wanted.
 */
int hwts_if_filter(enum conf_rxfilter want, uint32_t can, int is);

/**
 * hwts_if_speed() - of its link, now
 * @name: of an interface
 *
 * Return: Mbit/s, 0 = not known.
 */
uint32_t hwts_if_speed(const char *name);

/**
 * hwts_if_moved() - are its stamps by another clock now than when it was opened?
 * @i: interface
 */
bool hwts_if_moved(const struct hwts_if *i);

/**
 * hwts_if_wire_ns() - how long a frame takes to come in
 * @frame_len: bytes, without its checksum
 * @speed: Mbit/s, 0 = not known
 *
 * Return: nanoseconds from its begin to its end; 0 where that is not known.
 */
int64_t hwts_if_wire_ns(uint32_t frame_len, uint32_t speed);

#endif /* NTPKD_HWTS_IF_H */
