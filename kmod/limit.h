/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Buckets of clients: a table of a fixed size for each limit that listeners have.
 */
#ifndef NTPK_LIMIT_H
#define NTPK_LIMIT_H

#include <linux/types.h>

struct net;
struct ntpk_rx;
struct ntpk_state;

int ntpk_limit_prepare(const struct net *net, struct ntpk_state *state,
		       const struct ntpk_state *old);
void ntpk_limit_retire(const struct ntpk_state *old, const struct ntpk_state *state);
void ntpk_limit_clean(const struct ntpk_state *state);
bool ntpk_limit_allows(const struct ntpk_rx *rx);

#endif /* NTPK_LIMIT_H */
