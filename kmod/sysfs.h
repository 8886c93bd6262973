/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /sys/kernel/ntpk: state and counters of the initial namespace.
 */
#ifndef NTPK_SYSFS_H
#define NTPK_SYSFS_H

int ntpk_sysfs_setup(void);
void ntpk_sysfs_teardown(void);

#endif /* NTPK_SYSFS_H */
