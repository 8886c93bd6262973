// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whose stamps are made before the device has the reply.
 */
#include <linux/netdevice.h>
#include <linux/string.h>
#include <net/rtnetlink.h>

#include "stamp_order.h"

/*
 * As their sources have it: the stamp comes before what makes the device take the frame.
 * Others give it the descriptors first (fec, macb, stmmac), or the frame (smsc911x, ethoc).
 */
static const char *const stamp_first[] = {
	"veth", "tun", "virtio_net",
	"e1000", "e1000e", "igb", "igc", "ixgbe", "i40e", "ice",
	"r8169", "tg3", "bnxt_en", "bcmgenet",
};

/* What makes it, without those that only pass packets on to another. */
static const char *driver_of(const struct net_device *dev)
{
	const struct device *parent = dev->dev.parent;

	if (dev->rtnl_link_ops)
		return dev->rtnl_link_ops->kind;
	return parent && parent->driver ? parent->driver->name : NULL;
}

/**
 * ntpk_stamp_order_waits() - does a reply wait for the report of its stamp?
 * @dev: by which it leaves
 *
 * Context: softirq, RCU.
 * Return: whether that is known; where it is not, a stamp may be of one that is on its way.
 */
bool ntpk_stamp_order_waits(const struct net_device *dev)
{
	const char *driver = driver_of(dev);
	unsigned int i;

	if (dev->flags & IFF_LOOPBACK)
		return true;
	for (i = 0; driver && i < ARRAY_SIZE(stamp_first); i++)
		if (!strcmp(driver, stamp_first[i]))
			return true;
	return false;
}
