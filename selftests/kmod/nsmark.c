// SPDX-License-Identifier: GPL-2.0-only
/*
 * How many allocations a network namespace takes before those are told of it that were
 * loaded after ntpk: the last of them is ntpk's own.  Of the task that makes it, by its
 * fail-nth.  To be loaded after ntpk; process context.
 */
#include <linux/module.h>
#include <linux/sched.h>
#include <net/net_namespace.h>

static int left;
module_param(left, int, 0444);
MODULE_PARM_DESC(left, "fail-nth of the last task that made a namespace");

static int __net_init mark(struct net *net)
{
	WRITE_ONCE(left, current->fail_nth);
	return 0;
}

/* No memory of its own. */
static struct pernet_operations ops = { .init = mark };

static int __init nsmark_init(void)
{
	return register_pernet_subsys(&ops);
}

static void __exit nsmark_exit(void)
{
	unregister_pernet_subsys(&ops);
}

module_init(nsmark_init);
module_exit(nsmark_exit);
MODULE_DESCRIPTION("Where the making of a namespace is, for tests");
MODULE_LICENSE("GPL");
