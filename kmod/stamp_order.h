/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whose stamps are made before the device has the reply.
 */
#ifndef NTPK_STAMP_ORDER_H
#define NTPK_STAMP_ORDER_H

#include <linux/types.h>

struct net_device;

bool ntpk_stamp_order_waits(const struct net_device *dev);

#endif /* NTPK_STAMP_ORDER_H */
