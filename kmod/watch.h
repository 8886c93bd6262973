/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Being told when a reply leaves.
 */
#ifndef NTPK_WATCH_H
#define NTPK_WATCH_H

#include <linux/hash.h>
#include <linux/time64.h>
#include <linux/types.h>

struct sk_buff;

/* Making a stamp is not held to take longer than this. */
#define NTPK_STAMP_WORK_MAX_NS	(10 * NSEC_PER_MSEC)

/**
 * struct ntpk_left - a reply that left
 * @key: given to ntpk_watch()
 * @cpu: that ntpk_watch() was called on
 * @hw: it is the device's stamp, and was taken for good; else the kernel's
 * @raw_ns: when it was stamped, on CLOCK_MONOTONIC_RAW
 * @waits_ns: what it then still waits, if it waits for its report; 0 = not known
 * @work_ns: about what making that stamp took, if it is the kernel's; 0 = not known
 * @clock_seq: the clock was not set since
 */
struct ntpk_left {
	u32	key;
	unsigned int cpu;
	bool	hw;
	s64	raw_ns;
	u32	waits_ns;
	u32	work_ns;
	u32	clock_seq;
};

/**
 * ntpk_watch_key() - a name for a reply
 * @name: what interleave.c calls it
 *
 * Return: the name; two replies may have the same.
 */
static inline u32 ntpk_watch_key(u64 name)
{
	return hash_64(name, 32);
}

bool ntpk_watch_can(const struct sk_buff *skb);
void ntpk_watch_rehearse(void);
u32 ntpk_watch_delay_ns(void);
void ntpk_watch(struct sk_buff *skb, u32 key, bool hw);
int ntpk_watch_setup(void);
void ntpk_watch_teardown(void);

#endif /* NTPK_WATCH_H */
