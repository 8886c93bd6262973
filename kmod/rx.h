/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The front end: netfilter hooks where packets for this host come in.
 */
#ifndef NTPK_RX_H
#define NTPK_RX_H

struct ntpk_inst;

int ntpk_rx_register(struct ntpk_inst *inst);
void ntpk_rx_unregister(struct ntpk_inst *inst);
void ntpk_rx_setup(void);

#endif /* NTPK_RX_H */
