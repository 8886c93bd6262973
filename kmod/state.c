// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of an attached namespace, from attach to detach.
 * Changes come from process context under ntpk_net.lock; the receive path and
 * all readers are under RCU.  A namespace that nobody attached to holds a mutex
 * and two NULL pointers, nothing else.
 */
#include <linux/netdevice.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <net/netns/generic.h>

#include "acl.h"
#include "clients.h"
#include "departure.h"
#include "hist.h"
#include "hwleft.h"
#include "keys.h"
#include "limit.h"
#include "phc.h"
#include "route.h"
#include "rx.h"
#include "state.h"
#include "state_priv.h"

/* With userns=1: how many namespaces of unprivileged owners may be attached. */
#define USERNS_ATTACH_MAX	256

static atomic_t userns_attached = ATOMIC_INIT(0);

static struct ntpk_net *get_ntpk_net(const struct net *net)
{
	return net_generic(net, ntpk_net_id);
}

static struct ntpk_inst *inst_locked(struct ntpk_net *nn)
{
	return rcu_dereference_protected(nn->inst, lockdep_is_held(&nn->lock));
}

/**
 * ntpk_state_inst() - the attached instance of a namespace
 * @net: which
 *
 * Context: inside rcu_read_lock(), which also bounds the use of the result.
 * Return: NULL while not attached.
 */
struct ntpk_inst *ntpk_state_inst(const struct net *net)
{
	return rcu_dereference(get_ntpk_net(net)->inst);
}

/**
 * ntpk_state_lock() - keep a namespace from being attached, detached or changed
 * @net: which
 *
 * Context: process; ntpk_state_unlock() must follow, whatever was returned.
 * Return: the attached instance, NULL while not attached.
 */
struct ntpk_inst *ntpk_state_lock(struct net *net)
{
	struct ntpk_net *nn = get_ntpk_net(net);

	mutex_lock(&nn->lock);
	return inst_locked(nn);
}

/**
 * ntpk_state_unlock() - the end of ntpk_state_lock()
 * @net: which
 */
void ntpk_state_unlock(struct net *net)
{
	mutex_unlock(&get_ntpk_net(net)->lock);
}

/**
 * ntpk_state_is_locked() - for lockdep: inside ntpk_state_lock()?
 * @net: which
 *
 * Return: whether; true where that is not tracked.
 */
bool ntpk_state_is_locked(const struct net *net)
{
	return !IS_ENABLED(CONFIG_LOCKDEP) || lockdep_is_held(&get_ntpk_net(net)->lock);
}

static bool is_userns(const struct net *net)
{
	return net->user_ns != &init_user_ns;
}

static struct ntpk_who_key random_key(void)
{
	struct ntpk_who_key ready;
	siphash_key_t key;

	get_random_bytes(&key, sizeof(key));
	ready = ntpk_who_key(&key);
	memzero_explicit(&key, sizeof(key));
	return ready;
}

static struct ntpk_inst *inst_alloc(struct net *net)
{
	struct ntpk_inst *inst = kzalloc(sizeof(*inst), GFP_KERNEL_ACCOUNT);

	if (!inst)
		return NULL;
	inst->stats = ntpk_stats_alloc();
	inst->hist = ntpk_hist_alloc();
	inst->departures = ntpk_departure_alloc();
	inst->routes = ntpk_route_alloc();
	inst->phc_stats = ntpk_phc_alloc();
	inst->hwleft_stats = ntpk_hwleft_alloc();
	if (!inst->stats || !inst->hist || !inst->departures || !inst->routes ||
	    !inst->phc_stats || !inst->hwleft_stats)
		goto free;
	inst->net = net;
	spin_lock_init(&inst->phcs_lock);
	spin_lock_init(&inst->coming_lock);
	INIT_LIST_HEAD(&inst->acl_named);
	ntpk_state_events_init(inst);
	ntpk_notice_init(&inst->notices);
	inst->hash_key = random_key();
	inst->t2_secret = get_random_u64();
	RCU_INIT_POINTER(inst->clients, ntpk_clients_alloc(net));
	return inst;
free:
	ntpk_hwleft_release(inst->hwleft_stats);
	ntpk_phc_clean(inst);
	ntpk_route_release(inst->routes);
	ntpk_departure_release(inst->departures);
	free_percpu(inst->hist);
	free_percpu(inst->stats);
	kfree(inst);
	return NULL;
}

/* After a grace period since it was taken out: no reader is left. */
static void inst_release(struct ntpk_inst *inst)
{
	ntpk_state_events_stop(inst);
	ntpk_notice_stop(&inst->notices);
	if (is_userns(inst->net))
		atomic_dec(&userns_attached);
	ntpk_departure_release(inst->departures);
	ntpk_hwleft_release(inst->hwleft_stats);
	free_percpu(inst->hist);
	free_percpu(inst->stats);
	ntpk_route_release(inst->routes);
	ntpk_clients_release(rcu_dereference_protected(inst->clients, true));
	ntpk_phc_clean(inst);
	ntpk_keys_clean(inst);
	ntpk_acl_clean(inst);
	ntpk_limit_clean(rcu_dereference_protected(inst->state, true));
	kfree(rcu_dereference_protected(inst->state, true));
	kfree(inst);
}

/**
 * ntpk_state_attach() - make a namespace answer
 * @net: which
 *
 * Attaching twice is fine and changes nothing, so that a restarted daemon takes
 * over what is being served; but where there was no memory for a table of clients,
 * it is asked for again, and used from the next push on.
 *
 * Context: process.
 * Return: 0, -ENOSPC beyond the cap on unprivileged namespaces, -ENOMEM.
 */
int ntpk_state_attach(struct net *net)
{
	struct ntpk_net *nn = get_ntpk_net(net);
	struct ntpk_inst *inst;
	int err = 0;

	mutex_lock(&nn->lock);
	inst = inst_locked(nn);
	if (inst) {
		if (!rcu_access_pointer(inst->clients))
			rcu_assign_pointer(inst->clients, ntpk_clients_alloc(net));
		goto unlock;
	}
	if (is_userns(net) && !atomic_add_unless(&userns_attached, 1, USERNS_ATTACH_MAX)) {
		err = -ENOSPC;
		goto unlock;
	}
	inst = inst_alloc(net);
	if (!inst) {
		err = -ENOMEM;
		goto uncount;
	}
	rcu_assign_pointer(nn->inst, inst);
	err = ntpk_rx_register(inst);
	if (err)
		goto take_out;
	net_enable_timestamp();
	mutex_unlock(&nn->lock);
	return 0;

take_out:
	RCU_INIT_POINTER(nn->inst, NULL);
	synchronize_net();
	inst_release(inst);
	goto unlock;
uncount:
	if (is_userns(net))
		atomic_dec(&userns_attached);
unlock:
	mutex_unlock(&nn->lock);
	return err;
}

/* Stop answering; the caller waits for a grace period before inst_release(). */
static struct ntpk_inst *take_out(struct ntpk_net *nn)
{
	struct ntpk_inst *inst = inst_locked(nn);

	if (!inst)
		return NULL;
	ntpk_rx_unregister(inst);
	net_disable_timestamp();
	RCU_INIT_POINTER(nn->inst, NULL);
	return inst;
}

/**
 * ntpk_state_detach() - make a namespace answer nothing
 * @net: which
 *
 * Context: process; waits for a grace period.
 * Return: 0, -ENOTCONN when it was not attached.
 */
int ntpk_state_detach(struct net *net)
{
	struct ntpk_net *nn = get_ntpk_net(net);
	struct ntpk_inst *inst;

	mutex_lock(&nn->lock);
	inst = take_out(nn);
	mutex_unlock(&nn->lock);
	if (!inst)
		return -ENOTCONN;
	synchronize_net();
	inst_release(inst);
	return 0;
}

/**
 * ntpk_state_net_init() - a namespace begins
 * @net: which
 */
void ntpk_state_net_init(struct net *net)
{
	mutex_init(&get_ntpk_net(net)->lock);
}

/**
 * ntpk_state_net_pre_exit() - a namespace or the module goes: stop answering
 * @net: which
 *
 * The caller waits for a grace period before ntpk_state_net_exit().
 */
void ntpk_state_net_pre_exit(struct net *net)
{
	struct ntpk_net *nn = get_ntpk_net(net);

	mutex_lock(&nn->lock);
	nn->dying = take_out(nn);
	mutex_unlock(&nn->lock);
}

/**
 * ntpk_state_net_exit() - free what ntpk_state_net_pre_exit() took out
 * @net: which
 */
void ntpk_state_net_exit(struct net *net)
{
	struct ntpk_net *nn = get_ntpk_net(net);

	if (nn->dying)
		inst_release(nn->dying);
	nn->dying = NULL;
}
