/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Buckets of clients: a table of a fixed size, there while a listener has a limit.
 */
#ifndef NTPK_LIMIT_H
#define NTPK_LIMIT_H

#include <linux/types.h>

struct ntpk_inst;
struct ntpk_rx;
struct ntpk_state;

int ntpk_limit_prepare(struct ntpk_inst *inst, const struct ntpk_state *state);
void ntpk_limit_clean(struct ntpk_inst *inst);
bool ntpk_limit_allows(const struct ntpk_rx *rx);

#endif /* NTPK_LIMIT_H */
