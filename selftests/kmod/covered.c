// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where ntpk.ko has been, over all of its loads.  To be loaded before it, which has to be built
 * with NTPK_COVER=y: gcc then has each piece of straight code call what is here.
 *
 *	/sys/kernel/debug/ntpk_covered/map	a byte for each of the module's text, 1 where a call
 *						that was made comes back to
 *	/sys/kernel/debug/ntpk_covered/base	where that text began, the last time
 */
#include <linux/debugfs.h>
#include <linux/module.h>

#define TEXT_MAX	(1 << 20)

static u8 map[TEXT_MAX];
static u64 base;
static struct dentry *dir;
static struct debugfs_blob_wrapper blob = { .data = map, .size = sizeof(map) };

void __sanitizer_cov_trace_pc(void);

notrace void __sanitizer_cov_trace_pc(void)
{
	unsigned long at = (unsigned long)__builtin_return_address(0) - READ_ONCE(base);

	if (at < TEXT_MAX)
		WRITE_ONCE(map[at], 1);
}
EXPORT_SYMBOL_GPL(__sanitizer_cov_trace_pc);

static int see_module(struct notifier_block *nb, unsigned long what, void *data)
{
	const struct module *mod = data;

	if (what == MODULE_STATE_COMING && !strcmp(mod->name, "ntpk"))
		WRITE_ONCE(base, (unsigned long)mod->mem[MOD_TEXT].base);
	return NOTIFY_DONE;
}

static struct notifier_block seer = { .notifier_call = see_module };

static int __init covered_init(void)
{
	int err = register_module_notifier(&seer);

	if (err)
		return err;
	dir = debugfs_create_dir("ntpk_covered", NULL);
	debugfs_create_blob("map", 0400, dir, &blob);
	debugfs_create_x64("base", 0400, dir, &base);
	return 0;
}

static void __exit covered_exit(void)
{
	debugfs_remove(dir);
	unregister_module_notifier(&seer);
}

module_init(covered_init);
module_exit(covered_exit);
MODULE_DESCRIPTION("Where ntpk.ko has been, for tests");
MODULE_LICENSE("GPL");
