/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The generic netlink family "ntpk".
 */
#ifndef NTPK_NETLINK_H
#define NTPK_NETLINK_H

#include <linux/types.h>
#include <linux/ntpk.h>

struct net;

/**
 * struct ntpk_event_what - an event
 * @kind: which
 * @status: what the state is worth at this moment
 * @quirk: of NEW_QUIRK: class of clients
 * @pkts: of OVERLOAD_OVER: requests that were not answered
 */
struct ntpk_event_what {
	enum ntpk_event kind;
	enum ntpk_status status;
	u32	quirk;
	u64	pkts;
};

int ntpk_nl_event(struct net *net, const struct ntpk_event_what *what);
int ntpk_nl_setup(void);
void ntpk_nl_teardown(void);

#endif /* NTPK_NETLINK_H */
