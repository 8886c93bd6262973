/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between upstream.c (the list and its names) and upstream_source.c (slots and
 * routes).  Event loop only.
 */
#ifndef NTPKD_UPSTREAM_PRIV_H
#define NTPKD_UPSTREAM_PRIV_H

#include "daemon/upstream.h"

/** upstream_address_used() - is there a source with this address? */
bool upstream_address_used(const struct upstreams *us, const union sock_addr *addr);

/**
 * upstream_add_source() - start an association
 * @up: whose
 * @addr: with it
 *
 * Return: false when there is no room, logged and noted in @up.
 */
bool upstream_add_source(struct upstream *up, const union sock_addr *addr);

/** upstream_remove_source() - end it */
void upstream_remove_source(struct upstreams *us, struct upstream_source *s);

/** upstream_probe_some() - look for the ways to the next sources, later to the rest */
void upstream_probe_some(struct upstreams *us);

#endif /* NTPKD_UPSTREAM_PRIV_H */
