/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From a decided reply to a packet on its way.
 */
#ifndef NTPK_TX_H
#define NTPK_TX_H

#include <ntpk/ntp_reply.h>

struct ntpk_rx;

enum ntpk_reason ntpk_tx_send(struct ntpk_rx *rx);

#endif /* NTPK_TX_H */
