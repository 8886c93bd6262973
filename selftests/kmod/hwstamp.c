// SPDX-License-Identifier: GPL-2.0-only
/*
 * A network device's clock for tests: writes the receive stamps of NTP requests, as a
 * driver would, from a counter that runs at another rate and began at another time than
 * CLOCK_MONOTONIC_RAW.  In all namespaces, on all devices, before any other hook.  And
 * reports the transmit stamps that are asked for, one at a time, of the first device by
 * which a request comes while it is to.
 * Softirq, but the reports; the parameters are read without a lock, and set while nothing
 * comes in.
 */
#include <linux/irq_work.h>
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

static bool tx;
module_param(tx, bool, 0644);
MODULE_PARM_DESC(tx, "report transmit stamps");

static long later_ns;
module_param(later_ns, long, 0644);
MODULE_PARM_DESC(later_ns, "how long after the driver had it a reply is said to have left, at least when the driver was done; below 0: so long before");

static int report_ms;
module_param(report_ms, int, 0644);
MODULE_PARM_DESC(report_ms, "0: that is reported at once, by an interrupt; else so much later, by a thread");

static long left_raw_ns;
module_param(left_raw_ns, long, 0444);
MODULE_PARM_DESC(left_raw_ns, "CLOCK_MONOTONIC_RAW when the last reply is said to have left");

/* What a device keeps of a stamp that is read later. */
static s64 kept_ns;

/* The reply whose stamp is not reported yet, of which there is one. */
static struct sk_buff *kept;
static unsigned long is_kept;
module_param(is_kept, ulong, 0444);
MODULE_PARM_DESC(is_kept, "1 while a transmit stamp is to be reported");

/* A device that was taught to read and to make stamps, with its own operations and ours. */
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

static void report(void)
{
	struct skb_shared_hwtstamps stamps = { .hwtstamp = ns_to_ktime(shows_ns(left_raw_ns)) };

	skb_tstamp_tx(kept, &stamps);
	dev_kfree_skb_any(kept);
	kept = NULL;
	clear_bit_unlock(0, &is_kept);
}

static void report_irq(struct irq_work *work)
{
	report();
}

static void report_work(struct work_struct *work)
{
	report();
}

static DEFINE_IRQ_WORK(by_irq, report_irq);
static DECLARE_DELAYED_WORK(by_work, report_work);

/* As drivers do it: the core is told that a stamp is to come, and then gets it. */
static netdev_tx_t start_xmit(struct sk_buff *skb, struct net_device *dev)
{
	s64 had_raw_ns = ktime_to_ns(ktime_get_raw());
	netdev_tx_t ret;

	if (!tx || !(skb_shinfo(skb)->tx_flags & SKBTX_HW_TSTAMP) ||
	    test_and_set_bit_lock(0, &is_kept))
		return ops_before->ndo_start_xmit(skb, dev);
	skb_shinfo(skb)->tx_flags |= SKBTX_IN_PROGRESS;
	kept = skb_clone_sk(skb);
	ret = ops_before->ndo_start_xmit(skb, dev);
	left_raw_ns = had_raw_ns + later_ns;
	/* the kernel's stamp is made in there, which may take any time: none leaves before it */
	if (later_ns >= 0)
		left_raw_ns = max_t(s64, left_raw_ns, ktime_to_ns(ktime_get_raw()));
	if (!kept)
		clear_bit_unlock(0, &is_kept);
	else if (report_ms)
		schedule_delayed_work(&by_work, msecs_to_jiffies(report_ms));
	else
		irq_work_queue(&by_irq);
	return ret;
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
	ops_taught.ndo_start_xmit = start_xmit;
	dev->netdev_ops = &ops_taught;
}

static unsigned int hook(void *priv, struct sk_buff *skb, const struct nf_hook_state *hs)
{
	const struct udphdr *uh = on ? udp_of(skb, hs->pf) : NULL;

	if (!uh || uh->dest != htons(123))
		return NF_ACCEPT;
	if (tx)
		teach(skb->dev);
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
	irq_work_sync(&by_irq);
	flush_delayed_work(&by_work);
}

module_init(hwstamp_init);
module_exit(hwstamp_exit);
MODULE_DESCRIPTION("Stamps of a device's clock, for the tests of ntpk");
MODULE_LICENSE("GPL");
