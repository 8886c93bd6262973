/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Buckets of clients: a table of a fixed size for each limit that listeners have.
 */
#ifndef NTPK_LIMIT_H
#define NTPK_LIMIT_H

#include <linux/types.h>
#include <linux/workqueue.h>
#include <ntpk/ntp_limit.h>

struct net;
struct ntpk_state;

/**
 * struct ntpk_limits - a table
 * @release: frees it in process context after a grace period: it may be megabytes
 * @n_lines: of @lines
 * @lines: their size is a power of two, which aligns them
 */
struct ntpk_limits {
	struct rcu_work	release;
	u32	n_lines;
	struct ntp_limit_line *lines;
};

int ntpk_limit_prepare(const struct net *net, struct ntpk_state *state,
		       const struct ntpk_state *old);
void ntpk_limit_retire(const struct ntpk_state *old, const struct ntpk_state *state);
void ntpk_limit_clean(const struct ntpk_state *state);

#endif /* NTPK_LIMIT_H */
