// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loading, unloading, namespaces: nothing else.
 * Process context.  ORDER comments say what would break the other way round.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <net/net_namespace.h>

#include "departure.h"
#include "hwleft.h"
#include "interleave.h"
#include "netlink.h"
#include "phc.h"
#include "rx.h"
#include "state.h"
#include "sysfs.h"
#include "watch.h"

unsigned int ntpk_net_id __read_mostly;

static int __net_init net_init(struct net *net)
{
	ntpk_state_net_init(net);
	return 0;
}

static struct pernet_operations net_ops = {
	.init = net_init,
	/* ORDER: the core waits for a grace period between pre_exit and exit */
	.pre_exit = ntpk_state_net_pre_exit,
	.exit = ntpk_state_net_exit,
	.id = &ntpk_net_id,
	.size = sizeof(struct ntpk_net),
};

static int __init ntpk_init(void)
{
	int err;

	ntpk_rx_setup();
	/* ORDER: the queue before anything can be attached */
	err = ntpk_state_setup();
	if (err)
		return err;
	err = ntpk_interleave_setup();
	if (err)
		goto teardown_state;
	ntpk_departure_setup();
	err = ntpk_hwleft_setup();
	if (err)
		goto teardown_interleave;
	/* ORDER: after those that it tells */
	err = ntpk_watch_setup();
	if (err)
		goto teardown_hwleft;
	/* ORDER: namespaces before the family, whose commands look into them */
	err = register_pernet_subsys(&net_ops);
	if (err)
		goto teardown_watch;
	/* ORDER: namespaces before devices that go are heard of, and that before there are maps */
	err = ntpk_phc_setup();
	if (err)
		goto unregister_pernet;
	err = ntpk_nl_setup();
	if (err)
		goto teardown_phc;
	err = ntpk_sysfs_setup();
	if (err)
		goto teardown_nl;
	return 0;

teardown_nl:
	ntpk_nl_teardown();
teardown_phc:
	ntpk_phc_teardown();
unregister_pernet:
	unregister_pernet_subsys(&net_ops);
teardown_watch:
	ntpk_watch_teardown();
teardown_hwleft:
	ntpk_hwleft_teardown();
teardown_interleave:
	ntpk_interleave_teardown();
teardown_state:
	ntpk_state_teardown();
	return err;
}

static void __exit ntpk_exit(void)
{
	ntpk_sysfs_teardown();
	/* ORDER: no command may attach anew, no event be raised through a family that is gone */
	ntpk_nl_teardown();
	/* ORDER: no map may come any more, and it looks into namespaces */
	ntpk_phc_teardown();
	/* ORDER: detaches every namespace and waits for their packets and works */
	unregister_pernet_subsys(&net_ops);
	/* ORDER: after the last reply, and before those that it tells */
	ntpk_watch_teardown();
	ntpk_hwleft_teardown();
	ntpk_interleave_teardown();
	ntpk_state_teardown();
}

module_init(ntpk_init);
module_exit(ntpk_exit);
MODULE_DESCRIPTION("NTP server that answers in softirq");
MODULE_AUTHOR("The ntpk developers");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1.0");
