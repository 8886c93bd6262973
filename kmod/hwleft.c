// SPDX-License-Identifier: GPL-2.0-only
/*
 * Transmit stamps of network devices: the replies that wait for theirs.
 *
 * The stamp comes some time after the reply has left, or never: few devices have room for
 * many.  So each CPU keeps the last replies that it asked one for, with the map of the
 * device's clock as it was then: a report needs neither the device nor its namespace.  Who
 * is not told within a second is not told any more.
 * A ring per CPU, under a lock for a few dozen instructions, interrupts off as a driver may
 * report from its own.  Setup and teardown in process context, asking in softirq, reports
 * in any context but NMI.
 */
#include <linux/irqflags.h>
#include <linux/netdevice.h>
#include <linux/time64.h>

#include "hwleft.h"
#include "phc.h"
#include "rx_priv.h"
#include "state.h"
#include "tstamp.h"

/* Of one CPU, a power of two: as many as come in at once. */
#define WAITING_MAX	64
/*
 * So many are out at most, of one CPU within so long: many devices have room for one, which
 * others want as well, and none is left to them by who asks for that of each reply.
 */
#define OUT_MAX		8
#define OUT_NS		(100LL * NSEC_PER_MSEC)
/* Where the clock of a device is not known this well, the kernel's stamp is no worse. */
#define ERR_MAX_NS	5000

/**
 * struct waiting - a reply whose stamp was asked for
 * @stats: of its namespace, NULL = nobody waits any more
 * @key: by which it is reported
 * @asked_raw_ns: when it was
 * @had_raw_ns: the device did not have it before
 * @soft: there is a stamp of the kernel
 * @map: of the device's clock
 */
struct waiting {
	struct ntpk_hwleft_stats __percpu *stats;
	u32	key;
	s64	asked_raw_ns;
	s64	had_raw_ns;
	bool	soft;
	struct ntp_phc map;
};

/**
 * struct ring - those of one CPU
 * @lock: a report may come on another CPU
 * @begin: number of the oldest
 * @end: number of the next one
 * @of: those
 */
struct ring {
	raw_spinlock_t lock;
	u32	begin;
	u32	end;
	struct waiting of[WAITING_MAX];
};

static struct ring __percpu *rings;

/**
 * ntpk_hwleft_alloc() - counters for one namespace, all zero
 *
 * Context: process.
 * Return: for ntpk_hwleft_release(); NULL without memory.
 */
struct ntpk_hwleft_stats __percpu *ntpk_hwleft_alloc(void)
{
	return __netdev_alloc_pcpu_stats(struct ntpk_hwleft_stats, GFP_KERNEL_ACCOUNT);
}

/**
 * ntpk_hwleft_release() - nobody of a namespace waits any more
 * @stats: its counters; no reply is sent any more, but reports may come; NULL is fine
 *
 * Context: process.
 */
void ntpk_hwleft_release(struct ntpk_hwleft_stats __percpu *stats)
{
	unsigned long flags;
	struct ring *ring;
	int cpu, i;

	for_each_possible_cpu(cpu) {
		ring = per_cpu_ptr(rings, cpu);
		raw_spin_lock_irqsave(&ring->lock, flags);
		for (i = 0; i < WAITING_MAX; i++)
			if (ring->of[i].stats == stats)
				ring->of[i].stats = NULL;
		raw_spin_unlock_irqrestore(&ring->lock, flags);
	}
	free_percpu(stats);
}

/* Interrupts are off, as those of a driver may count as well. */
static void count(struct ntpk_hwleft_stats __percpu *stats, enum ntpk_t3 kind)
{
	struct ntpk_hwleft_stats *mine = this_cpu_ptr(stats);

	u64_stats_update_begin(&mine->syncp);
	if (kind != NTPK_T3_HARDWARE)
		u64_stats_inc(&mine->pkts[NTPK_T3_SOFTWARE]);
	if (kind != NTPK_T3_SOFTWARE)
		u64_stats_inc(&mine->pkts[kind]);
	u64_stats_update_end(&mine->syncp);
}

static struct waiting *waiting(struct ring *ring, u32 number)
{
	return &ring->of[number % WAITING_MAX];
}

/* The oldest that are settled, or will not be, make room. */
static void make_room(struct ring *ring, s64 now_raw_ns)
{
	while (ring->begin != ring->end) {
		struct waiting *oldest = waiting(ring, ring->begin);

		if (oldest->stats && ring->end - ring->begin < WAITING_MAX &&
		    now_raw_ns - oldest->asked_raw_ns < NTPK_T2_AGE_MAX_NS)
			break;
		if (oldest->stats)
			count(oldest->stats, NTPK_T3_HW_MISSING);
		oldest->stats = NULL;
		ring->begin++;
	}
}

/* Whether so many of the last ones are out that another one has to do without. */
static bool is_full(struct ring *ring, s64 now_raw_ns)
{
	unsigned int out = 0;
	struct waiting *w;
	u32 number;

	for (number = ring->end; number != ring->begin; number--) {
		w = waiting(ring, number - 1);
		if (now_raw_ns - w->asked_raw_ns >= OUT_NS)
			break;
		out += !!w->stats;
	}
	return out >= OUT_MAX;
}

static void enter(struct ring *ring, const struct ntpk_rx *rx, u32 key, const struct ntp_phc *map)
{
	struct waiting *w = waiting(ring, ring->end++);

	w->stats = rx->inst->hwleft_stats;
	w->key = key;
	w->asked_raw_ns = rx->now.raw_ns;
	w->had_raw_ns = rx->now.raw_ns;
	w->soft = false;
	w->map = *map;
}

/**
 * ntpk_hwleft_wait() - is the device's stamp of a reply to be asked for?
 * @rx: its request
 * @ifindex: of the device that the reply leaves by
 * @key: by which ntpk_watch() names it
 *
 * Context: softirq, RCU, before T3 is read.
 * Return: whether, and then it is waited for; else it is counted why not.
 */
bool ntpk_hwleft_wait(const struct ntpk_rx *rx, int ifindex, u32 key)
{
	struct ring *ring = this_cpu_ptr(rings);
	enum ntpk_t3 kind = NTPK_T3_HARDWARE;
	struct ntp_phc map;
	unsigned long flags;

	if (!ntpk_phc_map(rx->inst, ifindex, &map)) {
		local_irq_save(flags);
		count(rx->inst->hwleft_stats, NTPK_T3_SOFTWARE);
		local_irq_restore(flags);
		return false;
	}
	raw_spin_lock_irqsave(&ring->lock, flags);
	make_room(ring, rx->now.raw_ns);
	if (rx->now.raw_ns > map.valid_until_ns)
		kind = NTPK_T3_HW_STALE;
	else if (is_full(ring, rx->now.raw_ns))
		kind = NTPK_T3_SOFTWARE;
	if (kind == NTPK_T3_HARDWARE)
		enter(ring, rx, key, &map);
	else
		count(rx->inst->hwleft_stats, kind);
	raw_spin_unlock_irqrestore(&ring->lock, flags);
	return kind == NTPK_T3_HARDWARE;
}

/* The last that has this name and waits. */
static struct waiting *find(struct ring *ring, u32 key)
{
	struct waiting *w;
	u32 number;

	for (number = ring->end; number != ring->begin; number--) {
		w = waiting(ring, number - 1);
		if (w->stats && w->key == key)
			return w;
	}
	return NULL;
}

/**
 * ntpk_hwleft_had() - the kernel's stamp of a reply
 * @cpu: that it was watched on
 * @key: its name
 * @raw_ns: when that was, CLOCK_MONOTONIC_RAW: it leaves no earlier
 *
 * Context: any but NMI.
 */
void ntpk_hwleft_had(unsigned int cpu, u32 key, s64 raw_ns)
{
	struct ring *ring = per_cpu_ptr(rings, cpu);
	unsigned long flags;
	struct waiting *w;

	raw_spin_lock_irqsave(&ring->lock, flags);
	w = find(ring, key);
	if (w) {
		w->had_raw_ns = max(w->had_raw_ns, raw_ns);
		w->soft = true;
	}
	raw_spin_unlock_irqrestore(&ring->lock, flags);
}

/**
 * ntpk_hwleft_take() - the device's stamp of a reply
 * @cpu: that it was watched on
 * @key: its name
 * @phc_ns: the stamp
 * @now_raw_ns: CLOCK_MONOTONIC_RAW
 * @left: out
 *
 * Context: any but NMI.
 * Return: whether it is to be used; else it is counted why not, or nobody waits for it.
 */
bool ntpk_hwleft_take(unsigned int cpu, u32 key, s64 phc_ns, s64 now_raw_ns,
		      struct ntp_phc_left *left)
{
	struct ring *ring = per_cpu_ptr(rings, cpu);
	enum ntpk_t3 kind = NTPK_T3_HW_MISSING;
	unsigned long flags;
	struct waiting *w;

	raw_spin_lock_irqsave(&ring->lock, flags);
	w = find(ring, key);
	if (w) {
		/* else it is missing, as are those that make_room() finds */
		if (now_raw_ns - w->asked_raw_ns < NTPK_T2_AGE_MAX_NS)
			kind = ntp_phc_judge_left(&w->map, phc_ns, w->had_raw_ns, now_raw_ns,
						  left);
		if (kind == NTPK_T3_HARDWARE && w->soft && left->err_ns > ERR_MAX_NS)
			kind = NTPK_T3_HW_VAGUE;
		count(w->stats, kind);
		w->stats = NULL;
	}
	raw_spin_unlock_irqrestore(&ring->lock, flags);
	return kind == NTPK_T3_HARDWARE;
}

/**
 * ntpk_hwleft_read() - where departures are known from
 * @net: of which namespace
 * @pkts: out, __NTPK_T3_MAX of them, zero while not attached; those that wait for their
 *	stamp are not counted yet
 *
 * Context: process.
 */
void ntpk_hwleft_read(struct net *net, u64 *pkts)
{
	const struct ntpk_hwleft_stats __percpu *stats;
	const struct ntpk_inst *inst;
	unsigned int i;

	rcu_read_lock();
	inst = ntpk_state_inst(net);
	stats = inst ? inst->hwleft_stats : NULL;
	for (i = 0; i < __NTPK_T3_MAX; i++)
		pkts[i] = stats ? ntpk_stats_sum(&stats->pkts[i], &stats->syncp) : 0;
	rcu_read_unlock();
}

/**
 * ntpk_hwleft_setup() - once, at load, before the first packet
 *
 * Context: process.
 * Return: 0 or -ENOMEM.
 */
int ntpk_hwleft_setup(void)
{
	int cpu;

	rings = alloc_percpu(struct ring);
	if (!rings)
		return -ENOMEM;
	for_each_possible_cpu(cpu)
		raw_spin_lock_init(&per_cpu_ptr(rings, cpu)->lock);
	return 0;
}

/**
 * ntpk_hwleft_teardown() - once, after the last packet and report
 *
 * Context: process.
 */
void ntpk_hwleft_teardown(void)
{
	free_percpu(rings);
}
