// SPDX-License-Identifier: GPL-2.0-only
/*
 * A machine that sleeps, for tests: writing milliseconds to the parameter does what the
 * innermost part of a suspend to RAM does, without the devices, which a machine in QEMU
 * would not all get back: the kernel's timekeeping is suspended, time passes, and it is
 * resumed.  CLOCK_MONOTONIC_RAW stands still meanwhile, CLOCK_REALTIME and CLOCK_BOOTTIME
 * do not.  Process context; the other processors wait with interrupts off.
 */
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/stop_machine.h>
#include <linux/syscore_ops.h>

/* Short of what the kernel's watchdogs would report. */
#define MS_MAX	8000

static int sleep(void *data)
{
#ifdef CONFIG_PM_SLEEP
	const unsigned int *ms = data;
	int err = syscore_suspend();

	if (err)
		return err;
	mdelay(*ms);
	syscore_resume();
	return 0;
#else
	return -EOPNOTSUPP;
#endif
}

static int set_ms(const char *text, const struct kernel_param *kp)
{
	unsigned int ms;
	int err = kstrtouint(text, 10, &ms);

	if (err)
		return err;
	if (ms > MS_MAX)
		return -ERANGE;
	/* the first processor, as in a true suspend */
	return stop_machine(sleep, &ms, cpumask_of(0));
}

static const struct kernel_param_ops ms_ops = { .set = set_ms };
module_param_cb(ms, &ms_ops, NULL, 0200);
MODULE_PARM_DESC(ms, "sleep so long, now");

MODULE_DESCRIPTION("a machine that sleeps, for tests");
MODULE_AUTHOR("The ntpk developers");
MODULE_LICENSE("GPL");
