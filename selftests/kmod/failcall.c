// SPDX-License-Identifier: GPL-2.0-only
/*
 * One call of ntpk into the kernel fails, whoever makes it for what: a command, a worker,
 * a packet.  Where failslab is not: on stock kernels, and for what is not of the slabs.
 * To be loaded before ntpk.  Only the calls of its own text count, by the address that
 * they return to.  x86-64; any context.
 */
#include <linux/kprobes.h>
#include <linux/linkage.h>
#include <linux/module.h>
#include <linux/objtool.h>
#include <linux/rcupdate.h>

static atomic_t calls = ATOMIC_INIT(0);
module_param_named(calls, calls.counter, int, 0444);
MODULE_PARM_DESC(calls, "how many there were since nth was set");

static atomic_t percpu = ATOMIC_INIT(0);
module_param_named(percpu, percpu.counter, int, 0444);
MODULE_PARM_DESC(percpu, "per-CPU memory that is not freed yet, pieces");

static const char *hit = "";
static int get_hit(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%s\n", READ_ONCE(hit));
}

static const struct kernel_param_ops hit_ops = { .get = get_hit };
module_param_cb(hit, &hit_ops, NULL, 0444);
MODULE_PARM_DESC(hit, "what failed since nth was set");

static int nth;
static int set_nth(const char *val, const struct kernel_param *kp)
{
	WRITE_ONCE(hit, "");
	atomic_set(&calls, 0);
	return param_set_int(val, kp);
}

static const struct kernel_param_ops nth_ops = { .set = set_nth, .get = param_get_int };
module_param_cb(nth, &nth_ops, &nth, 0644);
MODULE_PARM_DESC(nth, "which call from now on fails, 0 = none");

/* Whose calls; NULL while it is not there. */
static struct module *target;

/* What a point does besides failing. */
enum { PLAIN, TAKES_PERCPU, GIVES_PERCPU };

struct point {
	struct kprobe kp;
	long	fails_with;
	int	kind;
	bool	or_last;	/* another name for the point before it */
	bool	set;
};

#define POINT(name, value)	{ .kp.symbol_name = name, .fails_with = value }
#define OR(name, value)		{ .kp.symbol_name = name, .fails_with = value, .or_last = true }

/* By all names that kernels have for them; each kernel has at least one of each. */
static struct point points[] = {
	POINT("__kmalloc", 0), OR("__kmalloc_noprof", 0),
	POINT("kmalloc_trace", 0), OR("__kmalloc_cache_noprof", 0),
	POINT("kvmalloc_node", 0), OR("__kvmalloc_node_noprof", 0),
	POINT("__alloc_skb", 0), POINT("__pskb_pull_tail", 0),
	POINT("alloc_workqueue", 0), OR("alloc_workqueue_noprof", 0),
	POINT("kobject_create_and_add", 0),
	{ .kp.symbol_name = "__alloc_percpu_gfp", .kind = TAKES_PERCPU },
	{ .kp.symbol_name = "__alloc_percpu", .kind = TAKES_PERCPU, .or_last = true },
	{ .kp.symbol_name = "pcpu_alloc_noprof", .kind = TAKES_PERCPU, .or_last = true },
	{ .kp.symbol_name = "free_percpu", .kind = GIVES_PERCPU },
	POINT("crypto_alloc_shash", -ENOMEM), POINT("crypto_shash_setkey", -ENOMEM),
	POINT("ip_route_output_flow", -ENOMEM), POINT("ip6_dst_lookup_flow", -ENOMEM),
	POINT("sock_create_kern", -ENOMEM), POINT("genl_register_family", -ENOMEM),
	POINT("netlink_register_notifier", -ENOMEM), POINT("nf_register_net_hooks", -ENOMEM),
	POINT("register_netdevice_notifier", -ENOMEM), POINT("register_pernet_subsys", -ENOMEM),
	POINT("sysfs_create_groups", -ENOMEM),
};

void failcall_return(void);
asm(".text\n"
	".type failcall_return, @function\n"
	".globl failcall_return\n"
	"failcall_return:\n\t"
	/* not every kernel's macros end their last line */
	ANNOTATE_NOENDBR "\n\t"
	ASM_RET "\n\t"
	".size failcall_return, .-failcall_return\n");

static bool is_nth(void)
{
	int n = READ_ONCE(nth);

	return n && atomic_inc_return(&calls) == n;
}

/* On the first instruction: what it returns to is what the stack begins with. */
static int at_point(struct kprobe *kp, struct pt_regs *regs)
{
	const struct point *p = container_of(kp, struct point, kp);
	const struct module *mod = READ_ONCE(target);

	if (!mod || !within_module(*(unsigned long *)regs->sp, mod))
		return 0;
	if (p->kind == GIVES_PERCPU) {
		/* NULL is fine */
		if (regs->di)
			atomic_dec(&percpu);
		return 0;
	}
	if (is_nth()) {
		WRITE_ONCE(hit, kp->symbol_name);
		regs->ax = p->fails_with;
		regs->ip = (unsigned long)failcall_return;
		return 1;
	}
	if (p->kind == TAKES_PERCPU)
		atomic_inc(&percpu);
	return 0;
}

NOKPROBE_SYMBOL(at_point);

/*
 * Never called where at_point() has changed the way, but where there is one the kernel does
 * not make a jump of the probe, in which a changed regs->ip would count for nothing.
 */
static void after_point(struct kprobe *kp, struct pt_regs *regs, unsigned long flags)
{
}

NOKPROBE_SYMBOL(after_point);

static int on_module(struct notifier_block *nb, unsigned long event, void *data)
{
	struct module *mod = data;

	if (strcmp(mod->name, "ntpk"))
		return NOTIFY_DONE;
	WRITE_ONCE(target, event == MODULE_STATE_GOING ? NULL : mod);
	/* probes run without preemption */
	if (event == MODULE_STATE_GOING)
		synchronize_rcu();
	return NOTIFY_DONE;
}

static struct notifier_block module_nb = { .notifier_call = on_module };

static void remove_points(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(points); i++)
		if (points[i].set)
			unregister_kprobe(&points[i].kp);
}

/* Has each of them a name that this kernel knows? */
static int check_points(void)
{
	bool set = true;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(points); i++) {
		set = points[i].set || (points[i].or_last && set);
		if (set || (i + 1 < ARRAY_SIZE(points) && points[i + 1].or_last))
			continue;
		pr_err("failcall: no %s in this kernel, by any name\n", points[i].kp.symbol_name);
		return -ENOENT;
	}
	return 0;
}

static int __init failcall_init(void)
{
	unsigned int i;
	int err;

	for (i = 0; i < ARRAY_SIZE(points); i++) {
		points[i].kp.pre_handler = at_point;
		points[i].kp.post_handler = after_point;
		err = register_kprobe(&points[i].kp);
		points[i].set = !err;
		/* a name of another kernel */
		if (err && err != -ENOENT)
			goto remove;
	}
	err = check_points();
	if (err)
		goto remove;
	err = register_module_notifier(&module_nb);
	if (!err)
		return 0;
remove:
	remove_points();
	return err;
}

static void __exit failcall_exit(void)
{
	unregister_module_notifier(&module_nb);
	remove_points();
}

module_init(failcall_init);
module_exit(failcall_exit);
MODULE_DESCRIPTION("Calls of ntpk that fail, for tests");
MODULE_LICENSE("GPL");
