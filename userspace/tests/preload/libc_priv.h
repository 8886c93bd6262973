/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts of the preloaded library share.
 */
#ifndef NTPK_TESTS_LIBC_PRIV_H
#define NTPK_TESTS_LIBC_PRIV_H

#include "world.h"

/* true once the loop has run: the clocks read exactly */
extern bool time_is_fine;

bool net_is_socket(int fd);

/** net_receiver() - the descriptor that a packet is for, -1 = nobody's */
int net_receiver(const struct world_packet *p);

#endif /* NTPK_TESTS_LIBC_PRIV_H */
