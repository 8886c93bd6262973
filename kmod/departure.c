// SPDX-License-Identifier: GPL-2.0-only
/*
 * How long a reply still takes when its T3 has been read: learned from one in a while,
 * whose departure the core reports.
 * The table is one for all namespaces, of fixed size; what is read for each reply is
 * read without a lock.  What is learned is under a lock per place, interrupts off, as a
 * driver may report from its own.
 */
#include <linux/atomic.h>
#include <linux/minmax.h>
#include <linux/percpu.h>

#include "departure.h"
#include "rx_priv.h"
#include "tstamp.h"
#include "watch.h"

/* Every reply is watched until the latency is known, but no more than these. */
#define DEPARTURE_EAGER		1024
/* After that, one in so long. */
#define INTERVAL_NS		(100 * NSEC_PER_MSEC)

/**
 * struct sample - the reply of one CPU whose departure is waited for
 * @lock: a report may come on another CPU
 * @way: by which it leaves, 0 = there is none
 * @t3_raw_ns: when its T3 was read
 * @key: by which it is reported
 * @clock_seq: the clock has not been set since
 */
struct sample {
	raw_spinlock_t lock;
	u64	way;
	s64	t3_raw_ns;
	u32	key;
	u32	clock_seq;
};

struct ntpk_departure ntpk_departures[NTPK_DEPARTURES];
static DEFINE_PER_CPU(struct sample, samples);
static atomic_t serials = ATOMIC_INIT(0);

/**
 * ntpk_departure_watch() - the next reply is one to learn from
 * @d: place of @way
 * @way: by which it leaves
 * @key: by which ntpk_watch() names it
 * @rx: its request
 *
 * Context: softirq, before T3 is read; ntpk_departure_left_at() follows.
 */
void ntpk_departure_watch(struct ntpk_departure *d, u64 way, u32 key, const struct ntpk_rx *rx)
{
	struct sample *s = this_cpu_ptr(&samples);
	unsigned long flags;
	u32 watched = READ_ONCE(d->watched);

	if (READ_ONCE(d->correction_ns) || watched == DEPARTURE_EAGER)
		WRITE_ONCE(d->due_raw_ns, rx->now.raw_ns + INTERVAL_NS);
	else
		WRITE_ONCE(d->watched, watched + 1);
	ntpk_watch_rehearse();
	raw_spin_lock_irqsave(&s->lock, flags);
	s->way = way;
	s->key = key;
	s->clock_seq = rx->now.clock_seq;
	raw_spin_unlock_irqrestore(&s->lock, flags);
}

/**
 * ntpk_departure_left_at() - T3 of the reply to learn from
 * @t3_raw_ns: as it was read
 *
 * Without a lock, as it counts as part of the way: no report is made of a reply that has
 * not been given to the device.
 *
 * Context: softirq.
 */
void ntpk_departure_left_at(s64 t3_raw_ns)
{
	this_cpu_ptr(&samples)->t3_raw_ns = t3_raw_ns;
}

/* The reply that left, if it is one to learn from; once. */
static bool take_sample(const struct ntpk_left *left, struct sample *out)
{
	struct sample *s = per_cpu_ptr(&samples, left->cpu);
	unsigned long flags;
	bool found;

	raw_spin_lock_irqsave(&s->lock, flags);
	found = s->way && s->key == left->key && s->clock_seq == left->clock_seq;
	if (found) {
		out->way = s->way;
		out->t3_raw_ns = s->t3_raw_ns;
		s->way = 0;
	}
	raw_spin_unlock_irqrestore(&s->lock, flags);
	return found;
}

static void forget(struct ntpk_departure *d, u64 way)
{
	WRITE_ONCE(d->correction_ns, 0);
	WRITE_ONCE(d->residual_ns, 0);
	WRITE_ONCE(d->watched, 0);
	memset(&d->latency, 0, sizeof(d->latency));
	/* ORDER: whoever sees the new way sees nothing of the old one */
	smp_wmb();
	WRITE_ONCE(d->way, way);
}

/**
 * ntpk_departure_learn() - a reply has left
 * @left: which, and when
 *
 * Context: softirq or interrupt.
 */
void ntpk_departure_learn(const struct ntpk_left *left)
{
	struct ntpk_departure *d;
	struct sample sample;
	unsigned long flags;
	s64 ns;

	if (!take_sample(left, &sample))
		return;
	ns = left->raw_ns - left->work_ns - sample.t3_raw_ns;
	if (!left->work_ns || ns < -NTPK_STAMP_WORK_MAX_NS || ns > NTPK_T2_AGE_MAX_NS)
		return;
	d = ntpk_departure_place(sample.way);
	raw_spin_lock_irqsave(&d->lock, flags);
	if (d->way != sample.way)
		forget(d, sample.way);
	/* shorter than any: the next one may be shorter still, and T3 must not be late meanwhile */
	if (ns < d->correction_ns)
		WRITE_ONCE(d->due_raw_ns, 0);
	ntp_latency_add(&d->latency, max_t(s64, ns, 1));
	WRITE_ONCE(d->correction_ns, ntp_latency_correction_ns(&d->latency));
	WRITE_ONCE(d->residual_ns, ntp_latency_residual_ns(&d->latency));
	raw_spin_unlock_irqrestore(&d->lock, flags);
}

/**
 * ntpk_departure_view() - what is known, for whoever looks
 * @serial: of the namespace
 * @i: place, below NTPK_DEPARTURES
 * @view: out
 *
 * Return: whether there is anything of that namespace.
 */
bool ntpk_departure_view(u32 serial, unsigned int i, struct ntpk_departure_view *view)
{
	struct ntpk_departure *d = &ntpk_departures[i];
	unsigned long flags;
	u64 way;

	raw_spin_lock_irqsave(&d->lock, flags);
	way = d->way;
	view->ifindex = (u32)way >> 1;
	view->is_v6 = way & 1;
	view->correction_ns = d->correction_ns;
	view->residual_ns = d->residual_ns;
	raw_spin_unlock_irqrestore(&d->lock, flags);
	return way >> 32 == serial && view->correction_ns;
}

/**
 * ntpk_departure_serial() - a number for a namespace that is attached
 *
 * Return: another one each time, until it begins anew after 2^32.
 */
u32 ntpk_departure_serial(void)
{
	return atomic_inc_return(&serials);
}

/** ntpk_departure_setup() - once, at load */
void ntpk_departure_setup(void)
{
	unsigned int i;
	int cpu;

	for (i = 0; i < NTPK_DEPARTURES; i++)
		raw_spin_lock_init(&ntpk_departures[i].lock);
	for_each_possible_cpu(cpu)
		raw_spin_lock_init(&per_cpu(samples, cpu).lock);
}
