/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The generic netlink family "ntpk".
 */
#ifndef NTPK_NETLINK_H
#define NTPK_NETLINK_H

#include <linux/ntpk.h>

struct net;

void ntpk_nl_event(struct net *net, enum ntpk_event kind, enum ntpk_status status);
int ntpk_nl_setup(void);
void ntpk_nl_teardown(void);

#endif /* NTPK_NETLINK_H */
