/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The front end: netfilter hooks where packets for this host come in.
 */
#ifndef NTPK_RX_H
#define NTPK_RX_H

struct net;

int ntpk_rx_register(struct net *net);
void ntpk_rx_unregister(struct net *net);

#endif /* NTPK_RX_H */
