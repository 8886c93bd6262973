/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The directive `hwtimestamp`: interfaces whose own time stamps are used.
 */
#ifndef NTPKD_CONF_HWTS_H
#define NTPKD_CONF_HWTS_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

#define CONF_HWTS_MAX	16

/* enum conf_rxfilter - which packets an interface is to stamp as they come in */
enum conf_rxfilter {
	CONF_RXFILTER_BEST,	/* NTP's, else all, else as it is */
	CONF_RXFILTER_NONE,
	CONF_RXFILTER_NTP,
	CONF_RXFILTER_PTP,
	CONF_RXFILTER_ALL,
};

/**
 * struct conf_hwts - one `hwtimestamp` line; zeroed before it is filled, as it is compared
 * @name: of an interface; with a `*` at its end: of all that begin so
 * @rxfilter: `rxfilter all|ntp|ptp|none`
 * @nocrossts: `nocrossts`: do not let the hardware compare its clock with the system's
 */
struct conf_hwts {
	char	 name[IFNAMSIZ];
	enum conf_rxfilter rxfilter;
	bool	 nocrossts;
};

struct conf;
struct conf_row;
struct conf_parse;

/* handler of the directive */
int conf_parse_hwtimestamp(struct conf_parse *p, const struct conf_row *row);

/**
 * conf_hwts_find() - the line that is about an interface
 * @conf: configuration
 * @interface: name
 *
 * Return: that with its name, else the first with a pattern of it, or NULL.
 */
const struct conf_hwts *conf_hwts_find(const struct conf *conf, const char *interface);

#endif /* NTPKD_CONF_HWTS_H */
