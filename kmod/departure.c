// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long a reply still takes when its T3 has been read: learned from a few, whose
 * departure the core reports.
 * A table per namespace, of fixed size.  What is read for each reply is read without a
 * lock; what is learned is under a lock per place, interrupts off, as a driver may report
 * from its own.
 */
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "departure.h"
#include "rx_priv.h"
#include "tstamp.h"
#include "watch.h"

/*
 * Every reply is watched until the latency is known, but no more than these; then two in
 * so long: behind the first of a burst, which finds the caches cold, others are quicker.
 */
#define EAGER			1024
#define INTERVAL_NS		(100 * NSEC_PER_MSEC)
/*
 * And after so many that were not, which takes at most so long: being watched delays a
 * reply, and few shall be.  Until a shorter way is noticed T3 is late in no more than these,
 * or those of the interval.
 */
#define SPARED			62
/* Not where so much may be a queue, which can be gone with the next packet. */
#define SPARED_MAX_NS		(NTP_LATENCY_CORRECTION_MAX_NS / 2)
#define SPARING_NS		(64LL * INTERVAL_NS)
/* Behind one that was much shorter than any: the least of few is soon undercut. */
#define AGAIN			16
/* So many without a report are none that are on their way. */
#define MISSED			2
/* So many have left without a report: what was known is of another time. */
#define UNREPORTED_MAX		16
/* Who learned nothing for so long has to make room for another way. */
#define OWNED_NS		(30LL * NSEC_PER_SEC)

static bool t3_correction = true;
module_param(t3_correction, bool, 0444);
MODULE_PARM_DESC(t3_correction, "correct transmit timestamps for what replies still take to leave (default 1)");

/**
 * struct sample - the reply of one CPU whose departure is waited for
 * @lock: a report may come on another CPU
 * @place: of the way by which it leaves, NULL = there is none
 * @way: that
 * @key: by which it is reported
 * @clock_seq: the clock has not been set since
 * @watched_raw_ns: when that began
 * @t3_raw_ns: when its T3 was read
 */
struct sample {
	raw_spinlock_t lock;
	struct ntpk_departure *place;
	u32	way;
	u32	key;
	u32	clock_seq;
	s64	watched_raw_ns;
	s64	t3_raw_ns;
};

static DEFINE_PER_CPU(struct sample, samples);

/**
 * ntpk_departure_alloc() - for one namespace, nothing is known
 *
 * Context: process.
 * Return: for ntpk_departure_release(); NULL without memory.
 */
struct ntpk_departure *ntpk_departure_alloc(void)
{
	struct ntpk_departure *table;
	unsigned int i;

	table = kcalloc(NTPK_DEPARTURES_MAX, sizeof(*table), GFP_KERNEL_ACCOUNT);
	for (i = 0; table && i < NTPK_DEPARTURES_MAX; i++) {
		raw_spin_lock_init(&table[i].lock);
		table[i].due_raw_ns = t3_correction ? 0 : S64_MAX;
	}
	return table;
}

/**
 * ntpk_departure_release() - forget it all
 * @table: no reply uses it any more, but reports may come; NULL is fine
 *
 * Context: process.
 */
void ntpk_departure_release(struct ntpk_departure *table)
{
	unsigned long flags;
	struct sample *s;
	int cpu;

	for_each_possible_cpu(cpu) {
		s = per_cpu_ptr(&samples, cpu);
		raw_spin_lock_irqsave(&s->lock, flags);
		if (table && s->place >= table && s->place < table + NTPK_DEPARTURES_MAX)
			s->place = NULL;
		raw_spin_unlock_irqrestore(&s->lock, flags);
	}
	kfree(table);
}

/* Of a reply that has not been reported, and may still be. */
static bool is_waiting(const struct sample *s, s64 now_raw_ns)
{
	return s->place && now_raw_ns - s->watched_raw_ns < INTERVAL_NS;
}

/* Two in a row while the latency is known, more after a shorter one; all until then. */
static void set_due(struct ntpk_departure *d, s64 now_raw_ns)
{
	u32 watched = READ_ONCE(d->watched) + 1, again = READ_ONCE(d->again);
	bool known = READ_ONCE(d->correction_ns);

	WRITE_ONCE(d->watched, watched);
	if (known && again) {
		WRITE_ONCE(d->again, again - 1);
	} else if (known || watched > EAGER) {
		WRITE_ONCE(d->again, 1);
		WRITE_ONCE(d->spared, 0);
		WRITE_ONCE(d->due_raw_ns, now_raw_ns + INTERVAL_NS);
	}
}

/* One is due by time.  Is it to be another one?  CPUs that meet here spare one more. */
static bool is_spared(struct ntpk_departure *d, u32 way, s64 now_raw_ns)
{
	s64 due_raw_ns = READ_ONCE(d->due_raw_ns);
	u32 spared = READ_ONCE(d->spared), correction_ns = READ_ONCE(d->correction_ns);

	if (READ_ONCE(d->way) != way || !due_raw_ns || now_raw_ns - due_raw_ns > SPARING_NS ||
	    spared >= SPARED || !correction_ns || correction_ns > SPARED_MAX_NS ||
	    READ_ONCE(d->unreported) >= MISSED)
		return false;
	WRITE_ONCE(d->spared, spared + 1);
	return true;
}

/* Nothing leaves any more, or nothing is reported: nothing is known. */
static void forget(struct ntpk_departure *d, u32 way)
{
	/* who was reported, and is again, need not be learned two in 100 ms */
	if (d->correction_ns)
		WRITE_ONCE(d->watched, 0);
	WRITE_ONCE(d->spared, 0);
	WRITE_ONCE(d->correction_ns, 0);
	WRITE_ONCE(d->residual_ns, 0);
	WRITE_ONCE(d->unreported, 0);
	memset(&d->latency, 0, sizeof(d->latency));
	/* ORDER: whoever sees the new way sees nothing of the old one */
	smp_store_release(&d->way, way);
}

static bool may_take(const struct ntpk_departure *d, u32 way, s64 now_raw_ns)
{
	return d->way == way || !d->way || now_raw_ns - d->learned_raw_ns > OWNED_NS;
}

/* One more is watched, unless another way has the place. */
static bool enter(struct ntpk_departure *d, u32 way, s64 now_raw_ns)
{
	unsigned long flags;
	bool mine;

	raw_spin_lock_irqsave(&d->lock, flags);
	mine = may_take(d, way, now_raw_ns);
	if (mine && (d->way != way || d->unreported == UNREPORTED_MAX)) {
		if (d->way != way) {
			WRITE_ONCE(d->watched, 0);
			d->samples = 0;
		}
		forget(d, way);
		d->learned_raw_ns = now_raw_ns;
	}
	if (mine)
		WRITE_ONCE(d->unreported, d->unreported + 1);
	raw_spin_unlock_irqrestore(&d->lock, flags);
	return mine;
}

/**
 * ntpk_departure_watch() - is the next reply one to learn from?
 * @d: place of @way, where one is due
 * @way: by which it leaves
 * @key: by which ntpk_watch() names it
 * @rx: its request
 *
 * Context: softirq, before T3 is read, as it takes its time.
 * Return: whether; then ntpk_departure_left_at() follows.
 */
bool ntpk_departure_watch(struct ntpk_departure *d, u32 way, u32 key, const struct ntpk_rx *rx)
{
	struct sample *s = this_cpu_ptr(&samples);
	s64 now_raw_ns = rx->now.raw_ns;
	unsigned long flags;
	bool waiting;

	if (is_spared(d, way, now_raw_ns))
		return false;
	raw_spin_lock_irqsave(&s->lock, flags);
	waiting = is_waiting(s, now_raw_ns);
	raw_spin_unlock_irqrestore(&s->lock, flags);
	if (waiting || !enter(d, way, now_raw_ns))
		return false;
	set_due(d, now_raw_ns);
	ntpk_watch_rehearse();
	raw_spin_lock_irqsave(&s->lock, flags);
	s->place = d;
	s->way = way;
	s->key = key;
	s->clock_seq = rx->now.clock_seq;
	s->watched_raw_ns = now_raw_ns;
	raw_spin_unlock_irqrestore(&s->lock, flags);
	return true;
}

/**
 * ntpk_departure_left_at() - T3 of the reply to learn from
 * @t3_raw_ns: as it was read
 *
 * Without a lock, which would count as part of the way: no report is made of a reply that
 * has not been given to the device.  Where softirqs of one CPU preempt each other it may be
 * that of another reply, later than its own; then what is learned is too little, or nothing.
 *
 * Context: softirq.
 */
void ntpk_departure_left_at(s64 t3_raw_ns)
{
	this_cpu_ptr(&samples)->t3_raw_ns = t3_raw_ns;
}

static void add(struct ntpk_departure *d, const struct sample *s, const struct ntpk_left *left)
{
	s64 ns = left->raw_ns - left->work_ns - s->t3_raw_ns;

	/* the stamp may have taken less than the rehearsals, but no reply leaves before T3 */
	if (!left->work_ns || ns < -(s64)left->work_ns || ns > NTPK_T2_AGE_MAX_NS)
		return;
	raw_spin_lock(&d->lock);
	if (d->way == s->way) {
		/* the next one may be shorter still, and T3 must not be late meanwhile */
		if (ns < d->correction_ns) {
			/* not by what it varies by */
			if (ns < d->correction_ns / 8 * 7)
				WRITE_ONCE(d->again, AGAIN);
			WRITE_ONCE(d->due_raw_ns, 0);
		}
		ntp_latency_add(&d->latency, max_t(s64, ns, NTPK_DEPARTURE_LEAST_NS));
		WRITE_ONCE(d->residual_ns, ntp_latency_residual_ns(&d->latency));
		WRITE_ONCE(d->correction_ns, ntp_latency_correction_ns(&d->latency));
		WRITE_ONCE(d->unreported, 0);
		d->learned_raw_ns = left->raw_ns;
		d->samples++;
	}
	raw_spin_unlock(&d->lock);
}

/**
 * ntpk_departure_learn() - a reply has left
 * @left: which, and when
 *
 * Context: softirq or interrupt.
 */
void ntpk_departure_learn(const struct ntpk_left *left)
{
	struct sample *s = per_cpu_ptr(&samples, left->cpu);
	unsigned long flags;

	raw_spin_lock_irqsave(&s->lock, flags);
	/* the first of several devices that it goes through */
	if (s->place && s->key == left->key) {
		if (s->clock_seq == left->clock_seq)
			add(s->place, s, left);
		s->place = NULL;
	}
	raw_spin_unlock_irqrestore(&s->lock, flags);
}

/**
 * ntpk_departure_view() - what is known, for whoever looks
 * @d: one place of a table
 * @view: out
 *
 * Context: process.
 * Return: whether there is anything.
 */
bool ntpk_departure_view(struct ntpk_departure *d, struct ntpk_departure_view *view)
{
	unsigned long flags;

	if (!READ_ONCE(d->correction_ns))
		return false;
	raw_spin_lock_irqsave(&d->lock, flags);
	view->ifindex = d->way >> 1;
	view->is_v6 = d->way & 1;
	view->correction_ns = d->correction_ns;
	view->residual_ns = d->residual_ns;
	view->samples = d->samples;
	raw_spin_unlock_irqrestore(&d->lock, flags);
	return view->correction_ns;
}

/** ntpk_departure_setup() - once, at load */
void ntpk_departure_setup(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		raw_spin_lock_init(&per_cpu(samples, cpu).lock);
}
