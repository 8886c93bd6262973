// SPDX-License-Identifier: GPL-2.0-only
/*
 * The maps of network devices' clocks that userspace pushes, as a module has no way to
 * read such a clock; and the devices' receive stamps for T2 by them.
 * Requests read the maps under RCU, without a lock; while a namespace has none, they cost
 * it one look at a pointer.  Changes are made in process context under a lock of their own,
 * pushes under ntpk_net.lock, too: a push replaces all maps of the namespace by a copy, and a
 * map that is dropped loses its device in place, as a device that goes cannot wait for memory.
 */
#include <linux/netdevice.h>
#include <linux/slab.h>

#include <ntpk/ntp_math.h>

#include "hist.h"
#include "phc.h"
#include "rx_priv.h"
#include "state.h"

/**
 * struct mapped - a device with a map
 * @ifindex: its index, 0 = the place is free; that alone may change
 * @map: map
 * @base: what was counted in this place before it had it
 */
struct mapped {
	int	ifindex;
	struct ntp_phc map;
	u64	base[__NTPK_T2_MAX];
};

/**
 * struct ntpk_phcs - the maps of a namespace
 * @rcu: freed by kfree_rcu()
 * @n: places, at most NTPK_PHC_MAX
 * @of: in no order
 */
struct ntpk_phcs {
	struct rcu_head	rcu;
	unsigned int	n;
	struct mapped	of[];
};

/**
 * ntpk_phc_alloc() - counters for one namespace, all zero
 *
 * Context: process.
 * Return: to be freed by free_percpu(); NULL without memory.
 */
struct ntpk_phc_stats __percpu *ntpk_phc_alloc(void)
{
	return __netdev_alloc_pcpu_stats(struct ntpk_phc_stats, GFP_KERNEL_ACCOUNT);
}

/**
 * ntpk_phc_clean() - no maps any more
 * @inst: nobody uses it any more
 *
 * Context: process.
 */
void ntpk_phc_clean(struct ntpk_inst *inst)
{
	kfree(rcu_dereference_protected(inst->phcs, true));
	free_percpu(inst->phc_stats);
}

/* The place of a device's map, or one past the last. */
static unsigned int find(const struct ntpk_phcs *phcs, int ifindex)
{
	unsigned int i;

	for (i = 0; i < phcs->n; i++)
		if (READ_ONCE(phcs->of[i].ifindex) == ifindex)
			break;
	return i;
}

/*
 * The device's stamp, 0 = none.  Some drivers leave the reading of theirs for later: that
 * is of no use where another device, such as a VLAN, has taken the packet over.
 */
static s64 stamp_of(struct sk_buff *skb)
{
	const struct net_device_ops *ops = skb->dev->netdev_ops;

	if (likely(!(skb_shinfo(skb)->tx_flags & SKBTX_HW_TSTAMP_NETDEV)))
		return ktime_to_ns(skb_hwtstamps(skb)->hwtstamp);
	if (!ops->ndo_get_tstamp)
		return 0;
	return ktime_to_ns(ops->ndo_get_tstamp(skb->dev, skb_hwtstamps(skb), false));
}

/*
 * Served time does not run as CLOCK_MONOTONIC_RAW does, but T2 is that moment on it.  Of
 * the 1.01 s at most that a stamp is old, next to nothing.
 */
static s64 served_ns(const struct ntp_line *line, s64 raw_ns)
{
	s64 corr;

	return ntp_scale(raw_ns, line->rate_q48, &corr) ? raw_ns + corr : raw_ns;
}

/**
 * ntpk_phc_stamp() - take the device's stamp for T2, where that may be
 * @rx: a request, whose @t2_age_ns is that of the kernel's stamp; that and @t2_err_ns may
 *	change, and @phc_place and @t2 are set where something is to be counted
 *
 * Context: softirq, RCU.
 */
void ntpk_phc_stamp(struct ntpk_rx *rx)
{
	const struct ntpk_phcs *phcs = rcu_dereference(rx->inst->phcs);
	s64 phc_ns = stamp_of(rx->skb);
	struct ntp_phc_stamp stamp;
	unsigned int place;

	/* dropped since it was looked at */
	if (!phcs)
		return;
	place = find(phcs, ntpk_rx_iif(rx->skb, rx->pf));
	/* of those that leave only: what comes in has no stamp */
	if (place < phcs->n && phcs->of[place].map.rx_later_ns == NTPK_PHC_NO_RX)
		return;
	if (place == phcs->n) {
		rx->t2 = NTPK_T2_HW_NO_MAP;
		rx->phc_place = phc_ns ? NTPK_PHC_NO_MAP + 1 : 0;
		return;
	}
	rx->phc_place = place + 1;
	rx->t2 = ntp_phc_judge(&phcs->of[place].map, phc_ns, rx->now.raw_ns, rx->t2_age_ns,
			       &stamp);
	if (rx->t2 != NTPK_T2_HARDWARE)
		return;
	rx->t2_age_ns = served_ns(&rx->state->serve.line, stamp.age_ns);
	rx->t2_err_ns = stamp.err_ns;
}

/**
 * ntpk_phc_map() - the map of a device's clock
 * @inst: in which namespace
 * @ifindex: of the device
 * @map: out
 *
 * Context: softirq, RCU.
 * Return: whether it has one, which need not be valid any more.
 */
bool ntpk_phc_map(const struct ntpk_inst *inst, int ifindex, struct ntp_phc *map)
{
	const struct ntpk_phcs *phcs = rcu_dereference(inst->phcs);
	unsigned int place = phcs ? find(phcs, ifindex) : 0;

	if (!phcs || place == phcs->n)
		return false;
	*map = phcs->of[place].map;
	return true;
}

/**
 * ntpk_phc_count() - one answer
 * @rx: its request, which ntpk_phc_stamp() gave a @phc_place
 *
 * Context: softirq.
 */
void ntpk_phc_count(const struct ntpk_rx *rx)
{
	struct ntpk_phc_stats *mine = this_cpu_ptr(rx->inst->phc_stats);

	u64_stats_update_begin(&mine->syncp);
	u64_stats_inc(&mine->pkts[rx->phc_place - 1][rx->t2]);
	u64_stats_update_end(&mine->syncp);
}

/* What was counted in one place, added to what is there. */
static void add_place(const struct ntpk_inst *inst, unsigned int place, u64 *pkts)
{
	const struct ntpk_phc_stats __percpu *stats = inst->phc_stats;
	unsigned int i;

	for (i = 0; i < __NTPK_T2_MAX; i++)
		pkts[i] += ntpk_stats_sum(&stats->pkts[place][i], &stats->syncp);
}

static struct ntpk_phcs *phcs_locked(const struct ntpk_inst *inst)
{
	return rcu_dereference_protected(inst->phcs, lockdep_is_held(&inst->phcs_lock));
}

/* Room for one map more than there are, under ntpk_net.lock: they only become fewer meanwhile. */
static struct ntpk_phcs *alloc_more(const struct ntpk_inst *inst)
{
	const struct ntpk_phcs *phcs;
	struct ntpk_phcs *new;
	unsigned int n;

	rcu_read_lock();
	phcs = rcu_dereference(inst->phcs);
	n = min_t(unsigned int, phcs ? phcs->n + 1 : 1, NTPK_PHC_MAX);
	rcu_read_unlock();
	return kzalloc(struct_size(new, of, n), GFP_KERNEL_ACCOUNT);
}

/* The maps of before, and room for one in that place. */
static void copy(struct ntpk_phcs *new, const struct ntpk_phcs *old, unsigned int place)
{
	new->n = max(old ? old->n : 0, place + 1);
	if (old)
		memcpy(new->of, old->of, old->n * sizeof(old->of[0]));
}

/* Where a device's map is, or may be put. */
static unsigned int place_for(const struct ntpk_phcs *phcs, int ifindex)
{
	unsigned int place;

	if (!phcs)
		return 0;
	place = find(phcs, ifindex);
	return place < phcs->n ? place : find(phcs, 0);
}

/*
 * ORDER: that the device is there is seen in the same section in which its map is
 * published, so that when it goes, who drops the map sees that there is one: the core
 * waits for a grace period between unlisting it and saying so.
 */
static bool publish(struct ntpk_inst *inst, struct ntpk_phcs *new, int ifindex)
{
	bool there;

	rcu_read_lock();
	there = dev_get_by_index_rcu(inst->net, ifindex);
	if (there)
		rcu_assign_pointer(inst->phcs, new);
	rcu_read_unlock();
	return there;
}

static int set_locked(struct ntpk_inst *inst, struct ntpk_phcs *new, int ifindex,
		      const struct ntp_phc *map)
{
	struct ntpk_phcs *old = phcs_locked(inst);
	unsigned int place = place_for(old, ifindex);
	struct mapped *m;

	if (place == NTPK_PHC_MAX)
		return -E2BIG;
	copy(new, old, place);
	m = &new->of[place];
	if (m->ifindex != ifindex) {
		memset(m->base, 0, sizeof(m->base));
		add_place(inst, place, m->base);
	}
	m->ifindex = ifindex;
	m->map = *map;
	if (!publish(inst, new, ifindex))
		return -ENODEV;
	if (old)
		kfree_rcu(old, rcu);
	return 0;
}

static int set(struct ntpk_inst *inst, int ifindex, const struct ntp_phc *map)
{
	struct ntpk_phcs *new = alloc_more(inst);
	int err;

	if (!new)
		return -ENOMEM;
	spin_lock(&inst->phcs_lock);
	err = set_locked(inst, new, ifindex, map);
	spin_unlock(&inst->phcs_lock);
	if (err)
		kfree(new);
	return err;
}

/**
 * ntpk_phc_set() - replace the map of a device
 * @net: where the device is
 * @ifindex: its index
 * @map: one that ntp_phc_check() accepted
 *
 * Context: process.
 * Return: 0; -ENOTCONN: not attached; -ENODEV: no such device; -E2BIG: NTPK_PHC_MAX
 * others have one; -ENOMEM.
 */
int ntpk_phc_set(struct net *net, int ifindex, const struct ntp_phc *map)
{
	struct ntpk_inst *inst = ntpk_state_lock(net);
	int err = inst ? set(inst, ifindex, map) : -ENOTCONN;

	ntpk_state_unlock(net);
	return err;
}

static bool is_empty(const struct ntpk_phcs *phcs)
{
	unsigned int i;

	for (i = 0; i < phcs->n; i++)
		if (phcs->of[i].ifindex)
			return false;
	return true;
}

static int drop_locked(struct ntpk_inst *inst, int ifindex)
{
	struct ntpk_phcs *phcs = phcs_locked(inst);
	unsigned int place = phcs ? find(phcs, ifindex) : 0;

	if (!phcs || place == phcs->n)
		return -ENOENT;
	WRITE_ONCE(phcs->of[place].ifindex, 0);
	if (is_empty(phcs)) {
		RCU_INIT_POINTER(inst->phcs, NULL);
		kfree_rcu(phcs, rcu);
	}
	return 0;
}

/**
 * ntpk_phc_drop() - forget the map of a device
 * @net: where the device is
 * @ifindex: its index, not 0
 *
 * Waits for no push.
 *
 * Context: process.
 * Return: 0; -ENOTCONN: not attached; -ENOENT: there is no such map.
 */
int ntpk_phc_drop(struct net *net, int ifindex)
{
	struct ntpk_inst *inst;
	int err = -ENOTCONN;

	rcu_read_lock();
	inst = ntpk_state_inst(net);
	if (inst) {
		spin_lock(&inst->phcs_lock);
		err = drop_locked(inst, ifindex);
		spin_unlock(&inst->phcs_lock);
	}
	rcu_read_unlock();
	return err;
}

static bool view_rcu(const struct ntpk_inst *inst, unsigned int place,
		     struct ntpk_phc_view *view)
{
	const struct ntpk_phcs *phcs = rcu_dereference(inst->phcs);
	const struct mapped *m;
	unsigned int i;

	if (!phcs || place >= phcs->n)
		return false;
	m = &phcs->of[place];
	memset(view, 0, sizeof(*view));
	/* it may go meanwhile */
	view->ifindex = READ_ONCE(m->ifindex);
	if (!view->ifindex)
		return false;
	view->map = m->map;
	add_place(inst, place, view->pkts);
	for (i = 0; i < __NTPK_T2_MAX; i++) {
		view->pkts[i] -= m->base[i];
		if (i != NTPK_T2_HARDWARE)
			view->pkts[NTPK_T2_SOFTWARE] += view->pkts[i];
	}
	return true;
}

/**
 * ntpk_phc_view() - one map, for whoever looks
 * @net: of which namespace
 * @place: below NTPK_PHC_MAX
 * @view: out
 *
 * Context: process.
 * Return: whether there is one.
 */
bool ntpk_phc_view(struct net *net, unsigned int place, struct ntpk_phc_view *view)
{
	const struct ntpk_inst *inst;
	bool there;

	rcu_read_lock();
	inst = ntpk_state_inst(net);
	there = inst && view_rcu(inst, place, view);
	rcu_read_unlock();
	return there;
}

/**
 * ntpk_phc_read() - where T2 of all answers was from
 * @net: of which namespace
 * @pkts: out, __NTPK_T2_MAX of them, zero while not attached
 *
 * Context: process.
 */
void ntpk_phc_read(struct net *net, u64 *pkts)
{
	const struct ntpk_inst *inst;
	unsigned int place;
	u64 all;

	memset(pkts, 0, __NTPK_T2_MAX * sizeof(*pkts));
	rcu_read_lock();
	inst = ntpk_state_inst(net);
	if (inst) {
		/* ORDER: an answer is counted in all before it is in these */
		for (place = 0; place <= NTPK_PHC_NO_MAP; place++)
			add_place(inst, place, pkts);
		all = ntpk_hist_answers(inst->hist);
		pkts[NTPK_T2_SOFTWARE] = all - min(all, pkts[NTPK_T2_HARDWARE]);
	}
	rcu_read_unlock();
}

/*
 * A device goes, or leaves its namespace: the index means nothing there any more.  Under
 * rtnl, for which all wait: not for ntpk_net.lock, under which a push may allocate for long.
 */
static int on_netdev(struct notifier_block *nb, unsigned long event, void *ptr)
{
	const struct net_device *dev = netdev_notifier_info_to_dev(ptr);

	if (event == NETDEV_UNREGISTER)
		ntpk_phc_drop(dev_net(dev), dev->ifindex);
	return NOTIFY_DONE;
}

static struct notifier_block netdev_nb = { .notifier_call = on_netdev };

/**
 * ntpk_phc_setup() - once, at load: hear of devices that go
 *
 * Return: 0 or -errno.
 */
int ntpk_phc_setup(void)
{
	return register_netdevice_notifier(&netdev_nb);
}

/** ntpk_phc_teardown() - once, while there are namespaces still */
void ntpk_phc_teardown(void)
{
	unregister_netdevice_notifier(&netdev_nb);
}
