// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/kernel/ntpk/{state,stats,hist,quirks,t2,t3}: the initial namespace, one value per file,
 * as documented in Documentation/ABI/sysfs-kernel-ntpk.
 * Process context; every read takes its own copy under RCU.
 */
#include <linux/kobject.h>
#include <linux/module.h>
#include <linux/sysfs.h>

#include <ntpk/ntp_reason.h>

#include "hist.h"
#include "hwleft.h"
#include "phc.h"
#include "state_view.h"
#include "sysfs.h"
#include "tstamp.h"

static struct kobject *ntpk_kobj;

static bool is_sync(const struct ntpk_view *v)
{
	return v->status == NTPK_STATUS_SYNC || v->status == NTPK_STATUS_HOLDOVER;
}

static s64 expires_in_ns(const struct ntpk_view *v)
{
	struct ntpk_clock clock;

	if (!v->pushed)
		return 0;
	ntpk_tstamp_clock(&clock);
	return max_t(s64, v->serve.deadline_boot_ns - clock.now.boot_ns, 0);
}

/* How fast served time runs against CLOCK_MONOTONIC_RAW, rounded to nearest. */
static s64 rate_ppb(const struct ntpk_view *v)
{
	s64 q48 = v->serve.line.rate_q48;
	/* |q48| < 2^42, so the shifted product stays inside 64 bits */
	s64 ppb = (abs(q48) * (NSEC_PER_SEC >> 9) + (1LL << 38)) >> 39;

	return q48 < 0 ? -ppb : ppb;
}

/* A file of state/: @expr over "const struct ntpk_view *v", printed by @fmt. */
#define STATE_FILE(name, fmt, expr)						\
static ssize_t name##_show(struct kobject *kobj, struct kobj_attribute *attr,	\
			   char *buf)						\
{										\
	struct ntpk_view view;							\
	const struct ntpk_view *v = &view;					\
										\
	ntpk_state_view(&init_net, &view);					\
	return sysfs_emit(buf, fmt "\n", expr);					\
}										\
static struct kobj_attribute name##_attr = __ATTR_RO(name)

STATE_FILE(status, "%s", ntp_status_name(v->status));
STATE_FILE(attached, "%d", v->status != NTPK_STATUS_DETACHED);
STATE_FILE(holdover, "%d", v->status == NTPK_STATUS_HOLDOVER);
STATE_FILE(leap, "%u", is_sync(v) ? v->serve.leap : NTP_LEAP_UNSYNC);
STATE_FILE(stratum, "%u", is_sync(v) ? v->serve.stratum : 0);
STATE_FILE(refid, "%08x", is_sync(v) ? be32_to_cpu(v->serve.refid) : 0);
STATE_FILE(root_delay_ns, "%llu", is_sync(v) ? v->serve.root_delay_ns : 0);
STATE_FILE(root_disp_ns, "%llu", v->disp_ns);
STATE_FILE(ref_unix_ns, "%lld", is_sync(v) ? v->serve.ref_unix_ns : 0);
STATE_FILE(precision_log2s, "%d", v->serve.precision_log2s);
STATE_FILE(served_unix_ns, "%lld", v->unix_ns == NTP_LINE_NOWHERE ? 0 : v->unix_ns);
STATE_FILE(rate_ppb, "%lld", rate_ppb(v));
STATE_FILE(clock_seq, "%u", v->serve.clock_seq);
STATE_FILE(pushes, "%llu", v->pushes);
STATE_FILE(age_ns, "%llu", v->age_ns);
STATE_FILE(expires_in_ns, "%lld", expires_in_ns(v));
STATE_FILE(port, "%u", v->port);

static struct attribute *state_attrs[] = {
	&status_attr.attr,
	&attached_attr.attr,
	&holdover_attr.attr,
	&leap_attr.attr,
	&stratum_attr.attr,
	&refid_attr.attr,
	&root_delay_ns_attr.attr,
	&root_disp_ns_attr.attr,
	&ref_unix_ns_attr.attr,
	&precision_log2s_attr.attr,
	&served_unix_ns_attr.attr,
	&rate_ppb_attr.attr,
	&clock_seq_attr.attr,
	&pushes_attr.attr,
	&age_ns_attr.attr,
	&expires_in_ns_attr.attr,
	&port_attr.attr,
	NULL
};

static const struct attribute_group state_group = {
	.name = "state",
	.attrs = state_attrs,
};

/*
 * A directory of counters, one file per kind from @first to @end - 1; @read() fills an array
 * of all @end, @name_of() is asked at load, by name_@dir().
 */
#define COUNTERS(dir, first, end, read, name_of)				\
static struct kobj_attribute dir##_files[end];					\
static struct attribute *dir##_attrs[(end) - (first) + 1];			\
										\
static ssize_t dir##_show(struct kobject *kobj, struct kobj_attribute *attr,	\
			  char *buf)						\
{										\
	u64 pkts[end];								\
										\
	read(&init_net, pkts);							\
	return sysfs_emit(buf, "%llu\n", pkts[attr - dir##_files]);		\
}										\
										\
static void __init name_##dir(void)						\
{										\
	unsigned int i;								\
										\
	for (i = (first); i < (end); i++)					\
		dir##_attrs[i - (first)] = name_file(&dir##_files[i],		\
						     name_of(i), dir##_show);	\
}										\
										\
static const struct attribute_group dir##_group = {				\
	.name = #dir,								\
	.attrs = dir##_attrs,							\
}

static struct attribute * __init name_file(struct kobj_attribute *file, const char *name,
					   ssize_t (*show)(struct kobject *kobj,
							   struct kobj_attribute *attr,
							   char *buf))
{
	sysfs_attr_init(&file->attr);
	file->attr.name = name;
	file->attr.mode = 0444;
	file->show = show;
	return &file->attr;
}

COUNTERS(stats, NTPK_REASON_NONE + 1, __NTPK_REASON_MAX, ntpk_state_read_stats, ntp_reason_name);
COUNTERS(quirks, 0, __NTP_CLIENT_QUIRK_MAX, ntpk_state_read_quirks, ntp_client_quirk_name);
COUNTERS(t2, 0, __NTPK_T2_MAX, ntpk_phc_read, ntp_t2_name);
COUNTERS(t3, 0, __NTPK_T3_MAX, ntpk_hwleft_read, ntp_t3_name);

/* hist/: the buckets of one histogram, a space between. */
static ssize_t show_buckets(char *buf, const u64 *buckets)
{
	ssize_t len = 0;
	unsigned int i;

	for (i = 0; i < NTPK_HIST_BUCKETS; i++)
		len += sysfs_emit_at(buf, len, "%llu%c", buckets[i],
				     i < NTPK_HIST_BUCKETS - 1 ? ' ' : '\n');
	return len;
}

#define HIST_FILE(name)								\
static ssize_t name##_show(struct kobject *kobj, struct kobj_attribute *attr,	\
			   char *buf)						\
{										\
	struct ntpk_hist_view view;						\
										\
	ntpk_state_read_hist(&init_net, &view);					\
	return show_buckets(buf, view.name);					\
}										\
static struct kobj_attribute name##_attr = __ATTR(name##_log2ns, 0444, name##_show, NULL)

HIST_FILE(residence);
HIST_FILE(t2_age);

static struct attribute *hist_attrs[] = {
	&residence_attr.attr,
	&t2_age_attr.attr,
	NULL
};

static const struct attribute_group hist_group = {
	.name = "hist",
	.attrs = hist_attrs,
};

static ssize_t version_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", THIS_MODULE->version);
}

static struct kobj_attribute version_attr = __ATTR_RO(version);

static struct attribute *top_attrs[] = {
	&version_attr.attr,
	NULL
};

static const struct attribute_group top_group = {
	.attrs = top_attrs,
};

static const struct attribute_group *groups[] = {
	&top_group,
	&state_group,
	&stats_group,
	&hist_group,
	&quirks_group,
	&t2_group,
	&t3_group,
	NULL
};

/**
 * ntpk_sysfs_setup() - publish the files
 *
 * Return: 0 or -errno.
 */
int __init ntpk_sysfs_setup(void)
{
	int err;

	name_stats();
	name_quirks();
	name_t2();
	name_t3();
	ntpk_kobj = kobject_create_and_add("ntpk", kernel_kobj);
	if (!ntpk_kobj)
		return -ENOMEM;
	err = sysfs_create_groups(ntpk_kobj, groups);
	if (err)
		kobject_put(ntpk_kobj);
	return err;
}

/** ntpk_sysfs_teardown() - withdraw them; waits for readers */
void ntpk_sysfs_teardown(void)
{
	sysfs_remove_groups(ntpk_kobj, groups);
	kobject_put(ntpk_kobj);
}
