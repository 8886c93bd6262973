/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Interleaved mode (RFC 9769): when replies really left, for the clients that ask.
 */
#ifndef NTPK_INTERLEAVE_H
#define NTPK_INTERLEAVE_H

#include <linux/types.h>

struct ntpk_left;
struct ntpk_rx;

void ntpk_interleave_find(struct ntpk_rx *rx);
u64 ntpk_interleave_name(const struct ntpk_rx *rx, u64 t2);
void ntpk_interleave_note(const struct ntpk_rx *rx, u64 name);
void ntpk_interleave_learn(const struct ntpk_left *left);
int ntpk_interleave_setup(void);
void ntpk_interleave_teardown(void);

#endif /* NTPK_INTERLEAVE_H */
