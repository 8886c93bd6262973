/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is worth an event but is no state: an overload, and the first client of a class.
 */
#ifndef NTPK_NOTICE_H
#define NTPK_NOTICE_H

#include <linux/types.h>
#include <linux/workqueue.h>
#include <ntpk/ntp_client.h>

struct ntpk_inst;

/**
 * struct ntpk_notices - what is to be told of an attached namespace
 * @work: tells it, and looks whether an overload is over
 * @flags: atomic bits, of notice.c
 * @quirks: atomic bits: classes that a client was of
 * @quirks_told: those of them that were told; of @work, as all below
 * @overloaded: its beginning was told, not its end
 * @look_at: jiffies: when it may be over
 * @over_budget: requests that were not answered, when it was looked last
 * @over_before: the same before the overload
 */
struct ntpk_notices {
	struct delayed_work work;
	unsigned long	flags;
	unsigned long	quirks;
	unsigned long	quirks_told;
	bool	overloaded;
	unsigned long	look_at;
	u64	over_budget;
	u64	over_before;
};

void ntpk_notice_init(struct ntpk_notices *n);
void ntpk_notice_stop(struct ntpk_notices *n);
void ntpk_notice_overload(struct ntpk_notices *n);
void ntpk_notice_quirk(struct ntpk_notices *n, enum ntp_client_quirk quirk);

#endif /* NTPK_NOTICE_H */
