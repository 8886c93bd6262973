// SPDX-License-Identifier: GPL-2.0-only
/*
 * The nth allocation of a task that loads ntpk fails, counted from where the kernel has
 * told everybody else that it comes: what the kernel's trace events took before, which
 * changes, is not counted.  The task's fail-nth tells what is left.  Process context.
 */
#include <linux/limits.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/sched.h>
#include <linux/string.h>

static unsigned int nth;
module_param(nth, uint, 0644);
MODULE_PARM_DESC(nth, "fail-nth of who loads ntpk from then on; 0: none");

static int told(struct notifier_block *nb, unsigned long state, void *data)
{
	const struct module *mod = data;

	if (state == MODULE_STATE_COMING && !strcmp(mod->name, "ntpk") && nth)
		current->fail_nth = nth;
	return NOTIFY_DONE;
}

/* last of all */
static struct notifier_block nb = { .notifier_call = told, .priority = INT_MIN };

static int __init loadmark_init(void)
{
	return register_module_notifier(&nb);
}

static void __exit loadmark_exit(void)
{
	unregister_module_notifier(&nb);
}

module_init(loadmark_init);
module_exit(loadmark_exit);
MODULE_DESCRIPTION("Where the loading of ntpk is, for tests");
MODULE_LICENSE("GPL");
