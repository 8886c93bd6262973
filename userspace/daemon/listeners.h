/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where is served, and what: the configuration as the module and the own responder
 * take it.  Event loop only.
 */
#ifndef NTPKD_LISTENERS_H
#define NTPKD_LISTENERS_H

#include <stdbool.h>
#include <stdint.h>
#include "core/smear.h"
#include "daemon/conf_listen.h"
#include "nl/ntpk_nl.h"

struct conf;

/**
 * struct listeners - all of them
 * @of: with policies and corrections, the most special first, as the module has it
 * @smear: of each
 * @ifindex: of the interface of each `listen` line, 0 = none, or not there
 */
struct listeners {
	struct ntpk_nl_listeners of;
	enum smear_kind smear[NTPK_LISTENERS_MAX];
	uint32_t ifindex[CONF_LISTEN_MAX];
};

/**
 * listeners_init() - of a configuration
 * @ls: filled
 * @conf: one that was checked
 *
 * A listener of an interface that is not there is said and left out.
 */
void listeners_init(struct listeners *ls, const struct conf *conf);

/**
 * listeners_moved() - is an interface another one than it was, or come, or gone?
 * @ls: of this configuration
 * @conf: configuration
 */
bool listeners_moved(const struct listeners *ls, const struct conf *conf);

/**
 * listeners_smear() - the corrections of smeared listeners
 * @ls: listeners
 * @leap: as of engine_leap_near()
 * @at_unix_ns: likewise
 * @after: likewise
 */
void listeners_smear(struct listeners *ls, uint8_t leap, int64_t at_unix_ns, bool after);

/**
 * listeners_find() - whose is a datagram?
 * @of: listeners, the most special first
 * @port: that it was sent to
 * @addr: likewise, network order
 * @addr_len: 4, 16, or 0 = not known: then no listener of an address is meant
 * @ifindex: that it came by, 0 = not known
 *
 * Return: its index, or -1.
 */
int listeners_find(const struct ntpk_nl_listeners *of, uint16_t port, const void *addr,
		   size_t addr_len, uint32_t ifindex);

#endif /* NTPKD_LISTENERS_H */
