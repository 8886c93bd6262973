// SPDX-License-Identifier: GPL-2.0-only
/*
 * A network device's clock for tests: writes the receive stamps of NTP requests, as a
 * driver would, from a counter that runs at another rate and began at another time than
 * CLOCK_MONOTONIC_RAW.  In all namespaces, on all devices, before any other hook.
 * Softirq; the parameters are read without a lock, and set while nothing comes in.
 */
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/netfilter_ipv4.h>
#include <linux/timekeeping.h>

#include "hooks.h"

static bool on;
module_param(on, bool, 0644);
MODULE_PARM_DESC(on, "write stamps");

static int rate_ppb;
module_param(rate_ppb, int, 0644);
MODULE_PARM_DESC(rate_ppb, "how much faster than CLOCK_MONOTONIC_RAW the clock is");

static long offset_ns;
module_param(offset_ns, long, 0644);
MODULE_PARM_DESC(offset_ns, "what the clock shows where that is 0");

static long earlier_ns;
module_param(earlier_ns, long, 0644);
MODULE_PARM_DESC(earlier_ns, "how long before the kernel had it a request is said to have come");

enum { NOW, LATER_BY_NOBODY, LATER_BY_DEVICE };

static int read;
module_param(read, int, 0644);
MODULE_PARM_DESC(read, "0: the stamp is there; 1: it is left for later, and the device cannot read it; 2: and can");

static long came_raw_ns;
module_param(came_raw_ns, long, 0444);
MODULE_PARM_DESC(came_raw_ns, "CLOCK_MONOTONIC_RAW when the last request is said to have come");

/* What a device keeps of a stamp that is read later. */
static s64 kept_ns;

/* A device that was taught to read stamps, with its own operations and ours. */
static struct net_device *taught;
static const struct net_device_ops *ops_before;
static struct net_device_ops ops_taught;

static s64 shows_ns(s64 raw_ns)
{
	return offset_ns + raw_ns + div_s64(div_s64(raw_ns, 1000) * rate_ppb, 1000000);
}

/* By the kernel's stamp, which is of some time before now, and on CLOCK_REALTIME. */
static s64 kernel_had_raw_ns(const struct sk_buff *skb)
{
	s64 now_raw_ns = ktime_to_ns(ktime_get_raw());
	ktime_t had = skb_tstamp(skb);

	return had ? now_raw_ns - ktime_to_ns(ktime_sub(ktime_get_real(), had)) : now_raw_ns;
}

static ktime_t get_tstamp(struct net_device *dev, const struct skb_shared_hwtstamps *hwtstamps,
			  bool cycles)
{
	return ns_to_ktime(*(s64 *)hwtstamps->netdev_data);
}

static void teach(struct net_device *dev)
{
	if (taught)
		return;
	dev_hold(dev);
	taught = dev;
	ops_before = dev->netdev_ops;
	ops_taught = *ops_before;
	ops_taught.ndo_get_tstamp = get_tstamp;
	dev->netdev_ops = &ops_taught;
}

static unsigned int hook(void *priv, struct sk_buff *skb, const struct nf_hook_state *hs)
{
	const struct udphdr *uh = on ? udp_of(skb, hs->pf) : NULL;

	if (!uh || uh->dest != htons(123))
		return NF_ACCEPT;
	came_raw_ns = kernel_had_raw_ns(skb) - earlier_ns;
	if (read == NOW) {
		skb_hwtstamps(skb)->hwtstamp = ns_to_ktime(shows_ns(came_raw_ns));
		return NF_ACCEPT;
	}
	if (read == LATER_BY_DEVICE)
		teach(skb->dev);
	kept_ns = shows_ns(came_raw_ns);
	skb_shinfo(skb)->tx_flags |= SKBTX_HW_TSTAMP_NETDEV;
	skb_hwtstamps(skb)->netdev_data = &kept_ns;
	return NF_ACCEPT;
}

static const struct nf_hook_ops hooks[2] = {
	{
		.hook = hook,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_PRE_ROUTING,
		.priority = NF_IP_PRI_FIRST,
	},
	{
		.hook = hook,
		.pf = NFPROTO_IPV6,
		.hooknum = NF_INET_PRE_ROUTING,
		.priority = NF_IP_PRI_FIRST,
	},
};

static int __init hwstamp_init(void)
{
	return register_pernet_subsys(&net_ops);
}

static void __exit hwstamp_exit(void)
{
	unregister_pernet_subsys(&net_ops);
	if (!taught)
		return;
	taught->netdev_ops = ops_before;
	/* who has looked at ours still may be in there */
	synchronize_net();
	dev_put(taught);
}

module_init(hwstamp_init);
module_exit(hwstamp_exit);
MODULE_DESCRIPTION("Receive stamps of a device's clock, for the tests of ntpk");
MODULE_LICENSE("GPL");
