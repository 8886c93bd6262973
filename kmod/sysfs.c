// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/kernel/ntpk/{state,stats,hist,quirks,t2}: the initial namespace, one value per file,
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

/* stats/: one file per reason, named and filled in at load from the one table. */
static struct kobj_attribute stats_files[__NTPK_REASON_MAX];
static struct attribute *stats_attrs[__NTPK_REASON_MAX];

static ssize_t stats_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	u64 pkts[__NTPK_REASON_MAX];

	ntpk_state_read_stats(&init_net, pkts);
	return sysfs_emit(buf, "%llu\n", pkts[attr - stats_files]);
}

static const struct attribute_group stats_group = {
	.name = "stats",
	.attrs = stats_attrs,
};

/* quirks/: one file per class of clients, likewise. */
static struct kobj_attribute quirk_files[__NTP_CLIENT_QUIRK_MAX];
static struct attribute *quirk_attrs[__NTP_CLIENT_QUIRK_MAX + 1];

static ssize_t quirk_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%llu\n", ntpk_state_read_quirk(&init_net, attr - quirk_files));
}

static const struct attribute_group quirk_group = {
	.name = "quirks",
	.attrs = quirk_attrs,
};

/* t2/: one file per kind of T2, likewise. */
static struct kobj_attribute t2_files[__NTPK_T2_MAX];
static struct attribute *t2_attrs[__NTPK_T2_MAX + 1];

static ssize_t t2_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	u64 pkts[__NTPK_T2_MAX];

	ntpk_phc_read(&init_net, pkts);
	return sysfs_emit(buf, "%llu\n", pkts[attr - t2_files]);
}

static const struct attribute_group t2_group = {
	.name = "t2",
	.attrs = t2_attrs,
};

/* t3/: one file per kind of departure, likewise. */
static struct kobj_attribute t3_files[__NTPK_T3_MAX];
static struct attribute *t3_attrs[__NTPK_T3_MAX + 1];

static ssize_t t3_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	u64 pkts[__NTPK_T3_MAX];

	ntpk_hwleft_read(&init_net, pkts);
	return sysfs_emit(buf, "%llu\n", pkts[attr - t3_files]);
}

static const struct attribute_group t3_group = {
	.name = "t3",
	.attrs = t3_attrs,
};

static void __init name_file(struct kobj_attribute *file, const char *name,
			     ssize_t (*show)(struct kobject *kobj, struct kobj_attribute *attr,
					     char *buf))
{
	sysfs_attr_init(&file->attr);
	file->attr.name = name;
	file->attr.mode = 0444;
	file->show = show;
}

static void __init name_files(void)
{
	unsigned int i;

	/* all but NTPK_REASON_NONE; the last pointer stays NULL */
	for (i = 1; i < __NTPK_REASON_MAX; i++) {
		name_file(&stats_files[i], ntp_reason_name(i), stats_show);
		stats_attrs[i - 1] = &stats_files[i].attr;
	}
	for (i = 0; i < __NTP_CLIENT_QUIRK_MAX; i++) {
		name_file(&quirk_files[i], ntp_client_quirk_name(i), quirk_show);
		quirk_attrs[i] = &quirk_files[i].attr;
	}
	for (i = 0; i < __NTPK_T2_MAX; i++) {
		name_file(&t2_files[i], ntp_t2_name(i), t2_show);
		t2_attrs[i] = &t2_files[i].attr;
	}
	for (i = 0; i < __NTPK_T3_MAX; i++) {
		name_file(&t3_files[i], ntp_t3_name(i), t3_show);
		t3_attrs[i] = &t3_files[i].attr;
	}
}

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
	&quirk_group,
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

	name_files();
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
