// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of an attached namespace and the state it serves.
 * Changes come from process context under ntpk_net.lock; the receive path and
 * all readers are under RCU.  A namespace that nobody attached to holds a mutex
 * and two NULL pointers, nothing else.
 */
#include <linux/math64.h>
#include <linux/netdevice.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <net/netns/generic.h>
#include <ntpk/ntp_plain.h>

#include "acl.h"
#include "clients.h"
#include "departure.h"
#include "hist.h"
#include "hwleft.h"
#include "keys.h"
#include "limit.h"
#include "netlink.h"
#include "phc.h"
#include "route.h"
#include "rx.h"
#include "state.h"
#include "tstamp.h"

/* With userns=1: how many namespaces of unprivileged owners may be attached. */
#define USERNS_ATTACH_MAX	256
/* A push is computed before it arrives; this much is a tick's slack. */
#define BASE_AHEAD_MAX_NS	NSEC_PER_SEC
/* What is served may move so far in a push and has not been stepped. */
#define STEP_NS			(5 * NSEC_PER_MSEC)
/* A far deadline is looked at again after this. */
#define RECHECK_MAX_MS		(3600 * MSEC_PER_SEC)

static struct workqueue_struct *events_wq;
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
 * ntpk_state_queue_release() - free something in process context, after a grace period
 * @work: whose function frees it; waited for before the module goes
 *
 * Context: any.
 */
void ntpk_state_queue_release(struct rcu_work *work)
{
	queue_rcu_work(events_wq, work);
}

/**
 * ntpk_state_queue() - do something in process context as soon as can be
 * @work: what, of an instance, which waits for it before it goes
 *
 * Context: any.
 */
void ntpk_state_queue(struct delayed_work *work)
{
	mod_delayed_work(events_wq, work, 0);
}

/**
 * ntpk_state_queue_later() - the same after a time, where it was not queued meanwhile
 * @work: what, which calls this
 * @delay: jiffies
 *
 * Context: any.
 */
void ntpk_state_queue_later(struct delayed_work *work, unsigned long delay)
{
	queue_delayed_work(events_wq, work, delay);
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

/* Milliseconds until the state could expire, rounded up and bounded. */
static u64 ms_to_expiry(const struct ntp_serve *serve, const struct ntp_now *now)
{
	u64 deadline_ms = 0, distance_ms = RECHECK_MAX_MS;
	u64 dist_ns, margin_ns;

	if (serve->deadline_boot_ns > now->boot_ns)
		deadline_ms = div_u64(serve->deadline_boot_ns - now->boot_ns, NSEC_PER_MSEC) + 1;

	dist_ns = ntp_serve_disp_ns(serve, now->raw_ns);
	if (dist_ns > NTP_SPAN_MAX_NS)
		return 0;
	dist_ns += serve->root_delay_ns / 2;
	if (dist_ns > serve->max_dist_ns)
		return 0;
	margin_ns = serve->max_dist_ns - dist_ns;
	if (serve->disp_rate_ppb && margin_ns < U64_MAX / MSEC_PER_SEC)
		distance_ms = div_u64(margin_ns * MSEC_PER_SEC, serve->disp_rate_ppb) + 1;
	return min3(deadline_ms, distance_ms, (u64)RECHECK_MAX_MS);
}

static void arm_events(struct ntpk_inst *inst, u64 delay_ms)
{
	mod_delayed_work(events_wq, &inst->work, msecs_to_jiffies(max_t(u64, delay_ms, 1)));
}

static void events_work(struct work_struct *work)
{
	struct ntpk_inst *inst = container_of(to_delayed_work(work), struct ntpk_inst, work);
	enum ntpk_event kind = NTPK_EVENT_UNSPEC;
	enum ntpk_status status;
	struct ntpk_state *state;
	struct ntpk_clock clock;

	rcu_read_lock();
	state = rcu_dereference(inst->state);
	if (!state) {
		rcu_read_unlock();
		return;
	}
	ntpk_tstamp_clock(&clock);
	status = ntp_serve_status(&state->serve, &clock.now);
	switch (status) {
	case NTPK_STATUS_EXPIRED_STEP:
		if (!test_and_set_bit(NTPK_EV_STEP_SENT, &state->events))
			kind = NTPK_EVENT_STEP;
		break;
	case NTPK_STATUS_EXPIRED_DEADLINE:
	case NTPK_STATUS_EXPIRED_DISTANCE:
		if (!test_and_set_bit(NTPK_EV_EXPIRED_SENT, &state->events))
			kind = NTPK_EVENT_EXPIRED;
		break;
	case NTPK_STATUS_SYNC:
	case NTPK_STATUS_HOLDOVER:
		arm_events(inst, ms_to_expiry(&state->serve, &clock.now));
		break;
	default:
		break;
	}
	rcu_read_unlock();

	/* lost without memory: the status itself can always be asked for */
	if (kind != NTPK_EVENT_UNSPEC)
		ntpk_nl_event(inst->net, &(struct ntpk_event_what){
			.kind = kind, .status = status });
}

/**
 * ntpk_state_saw_step() - a reply met another clock_seq than that of the push
 * @inst: namespace
 * @state: the state that the reply was made of
 *
 * Context: softirq, RCU.  Raises the event once per push, from a workqueue.
 */
void ntpk_state_saw_step(struct ntpk_inst *inst, struct ntpk_state *state)
{
	/* the plain read keeps a flood from bouncing the cache line */
	if (test_bit(NTPK_EV_STEP_SEEN, &state->events) ||
	    test_and_set_bit(NTPK_EV_STEP_SEEN, &state->events))
		return;
	mod_delayed_work(events_wq, &inst->work, 0);
}

/**
 * ntpk_state_status() - what the state is worth now
 * @inst: namespace
 *
 * Context: any.
 * Return: as said.
 */
enum ntpk_status ntpk_state_status(const struct ntpk_inst *inst)
{
	enum ntpk_status status = NTPK_STATUS_EMPTY;
	const struct ntpk_state *state;
	struct ntpk_clock clock;

	rcu_read_lock();
	state = rcu_dereference(inst->state);
	ntpk_tstamp_clock(&clock);
	if (state)
		status = ntp_serve_status(&state->serve, &clock.now);
	rcu_read_unlock();
	return status;
}

static bool is_userns(const struct net *net)
{
	return net->user_ns != &init_user_ns;
}

static struct ntpk_who_key random_key(void)
{
	siphash_key_t key;

	get_random_bytes(&key, sizeof(key));
	return ntpk_who_key(&key);
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
	INIT_LIST_HEAD(&inst->acl_named);
	INIT_DELAYED_WORK(&inst->work, events_work);
	ntpk_notice_init(&inst->notices);
	inst->hash_key = random_key();
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
	cancel_delayed_work_sync(&inst->work);
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

static struct ntpk_clients *clients_locked(const struct ntpk_inst *inst)
{
	return rcu_dereference_protected(inst->clients, ntpk_state_is_locked(inst->net));
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
		if (!clients_locked(inst))
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
 * ntpk_state_alloc() - room for a push
 * @n_listeners: how many listeners it will have
 *
 * Context: process.
 * Return: zeroed, to be given to ntpk_state_push() or kfree(); NULL.
 */
struct ntpk_state *ntpk_state_alloc(unsigned int n_listeners)
{
	struct ntpk_state *state;

	state = kzalloc(struct_size(state, listeners, n_listeners), GFP_KERNEL_ACCOUNT);
	if (state)
		state->n_listeners = n_listeners;
	return state;
}

/* Does served time begin anew, or go on elsewhere?  No client is to blame for that. */
static bool is_step(const struct ntp_serve *next, const struct ntp_serve *old)
{
	return next->mono_epoch != old->mono_epoch ||
	       abs(next->mono_offset_ns - old->mono_offset_ns) > STEP_NS;
}

static __be16 any_port(const struct ntpk_state *state)
{
	const struct ntpk_listener *listener = state->listeners;

	if (state->n_listeners != 1 || listener->pf != NFPROTO_UNSPEC || listener->ifindex)
		return 0;
	return htons(listener->port);
}

/* What the kernel adds to a push. */
static void complete_state(struct ntpk_state *state, const struct ntpk_state *old,
			   const struct ntpk_clock *clock)
{
	bool same_clock = old && old->serve.clock_seq == state->serve.clock_seq;
	unsigned int i;

	state->since_real_ns = same_clock ? old->since_real_ns : clock->real_ns;
	state->real_to_boot_ns = clock->now.boot_ns - clock->real_ns;
	state->serve.pushed_boot_ns = clock->now.boot_ns;
	state->serve.floor_unix_ns = NTPK_BUILD_UNIX_S * NSEC_PER_SEC;
	state->serve.ever_synced = state->serve.leap != NTP_LEAP_UNSYNC ||
				   (old && old->serve.ever_synced);
	state->any_port = any_port(state);
	state->pushes = old ? old->pushes + 1 : 1;
	ntp_serve_complete(&state->serve, old ? &old->serve : NULL, get_random_u32());
	for (i = 0; i < state->n_listeners; i++)
		ntp_plain_complete(&state->listeners[i].policy, &state->serve);
	state->step_gen = old ? old->step_gen + is_step(&state->serve, &old->serve) : 0;
}

/**
 * ntpk_state_push() - replace what a namespace serves
 * @net: which
 * @state: checked; taken over on success
 *
 * Context: process.
 * Return: 0; -ENOTCONN: not attached; -ESTALE: the clock was set since @state
 * was computed; -ERANGE: its base is too far from now; -E2BIG: more clients than are
 * allowed here; -ENOMEM.
 */
int ntpk_state_push(struct net *net, struct ntpk_state *state)
{
	struct ntpk_net *nn = get_ntpk_net(net);
	struct ntpk_clock clock;
	struct ntpk_state *old;
	struct ntpk_inst *inst;
	int err = 0;

	mutex_lock(&nn->lock);
	inst = inst_locked(nn);
	if (!inst) {
		err = -ENOTCONN;
		goto unlock;
	}
	ntpk_tstamp_clock(&clock);
	if (clock.now.clock_seq != state->serve.clock_seq) {
		err = -ESTALE;
		goto unlock;
	}
	/* a base ahead of the counter is another counter: of a time namespace, say */
	if (state->serve.line.base_raw_ns > clock.now.raw_ns + BASE_AHEAD_MAX_NS ||
	    ntp_line_at(&state->serve.line, clock.now.raw_ns) == NTP_LINE_NOWHERE) {
		err = -ERANGE;
		goto unlock;
	}
	old = rcu_dereference_protected(inst->state, lockdep_is_held(&nn->lock));
	err = ntpk_acl_bind(inst, state);
	if (!err)
		err = ntpk_limit_prepare(net, state, old);
	if (err) {
		ntpk_acl_unbind(inst, old);
		goto unlock;
	}
	complete_state(state, old, &clock);
	state->clients = state->no_clientlog ? NULL : clients_locked(inst);
	rcu_assign_pointer(inst->state, state);
	if (!state->clients && old && old->clients) {
		synchronize_net();
		ntpk_clients_flush(clients_locked(inst));
	}
	if (old) {
		ntpk_limit_retire(old, state);
		kfree_rcu(old, rcu);
	}
	ntpk_acl_collect(inst, state);
	arm_events(inst, ms_to_expiry(&state->serve, &clock.now));
unlock:
	mutex_unlock(&nn->lock);
	return err;
}

/* Under RCU, so that the copy is of one push. */
static void fill_view(struct ntpk_view *view, const struct ntpk_state *state,
		      const struct ntpk_clock *clock)
{
	s64 age_ns;

	view->pushed = true;
	view->serve = state->serve;
	view->pushes = state->pushes;
	view->state = state;
	view->port = state->listeners[state->n_listeners - 1].port;
	view->status = ntp_serve_status(&state->serve, &clock->now);
	age_ns = clock->now.boot_ns - state->serve.pushed_boot_ns;
	view->age_ns = max_t(s64, age_ns, 0);
	view->unix_ns = ntp_line_at(&state->serve.line, clock->now.raw_ns);
	if (view->status == NTPK_STATUS_SYNC || view->status == NTPK_STATUS_HOLDOVER)
		view->disp_ns = ntp_serve_disp_ns(&state->serve, clock->now.raw_ns);
}

/**
 * ntpk_state_view() - a copy of everything that there is to see
 * @net: of which namespace
 * @view: out
 *
 * Context: process.
 */
void ntpk_state_view(struct net *net, struct ntpk_view *view)
{
	const struct ntpk_state *state;
	struct ntpk_clock clock;
	struct ntpk_inst *inst;

	memset(view, 0, sizeof(*view));
	view->serve.leap = NTP_LEAP_UNSYNC;
	view->status = NTPK_STATUS_DETACHED;
	view->unix_ns = NTP_LINE_NOWHERE;
	view->disp_ns = NTP_UNSYNC_DISP_NS;

	rcu_read_lock();
	inst = ntpk_state_inst(net);
	if (inst) {
		view->status = NTPK_STATUS_EMPTY;
		state = rcu_dereference(inst->state);
		/* the clocks after the state: a later push cannot make its age negative */
		ntpk_tstamp_clock(&clock);
		if (state)
			fill_view(view, state, &clock);
	}
	rcu_read_unlock();
}

/**
 * ntpk_state_read_stats() - all counters
 * @net: of which namespace
 * @pkts: out, __NTPK_REASON_MAX of them, zero while not attached
 *
 * Context: process.
 * Return: whether the namespace is attached.
 */
bool ntpk_state_read_stats(struct net *net, u64 *pkts)
{
	struct ntpk_inst *inst;
	unsigned int i;

	rcu_read_lock();
	inst = ntpk_state_inst(net);
	for (i = 0; i < __NTPK_REASON_MAX; i++)
		pkts[i] = inst ? ntpk_stats_read(inst->stats, i) : 0;
	rcu_read_unlock();
	return inst;
}

/**
 * ntpk_state_read_hist() - what answers take
 * @net: of which namespace
 * @view: out, all zero while not attached
 *
 * Context: process.
 */
void ntpk_state_read_hist(struct net *net, struct ntpk_hist_view *view)
{
	struct ntpk_inst *inst;

	memset(view, 0, sizeof(*view));
	rcu_read_lock();
	inst = ntpk_state_inst(net);
	if (inst)
		ntpk_hist_read(inst->hist, view);
	rcu_read_unlock();
}

/**
 * ntpk_state_view_departure() - what is known of the replies that leave one way
 * @net: of which namespace
 * @i: below NTPK_DEPARTURES_MAX
 * @view: out
 *
 * Context: process.
 * Return: whether there is anything.
 */
bool ntpk_state_view_departure(struct net *net, unsigned int i, struct ntpk_departure_view *view)
{
	struct ntpk_inst *inst;
	bool known;

	rcu_read_lock();
	inst = ntpk_state_inst(net);
	known = inst && ntpk_departure_view(&inst->departures[i], view);
	rcu_read_unlock();
	return known;
}

/**
 * ntpk_state_read_quirk() - how often clients of a class asked
 * @net: of which namespace
 * @quirk: class
 *
 * Context: process.
 * Return: requests, 0 while not attached.
 */
u64 ntpk_state_read_quirk(struct net *net, enum ntp_client_quirk quirk)
{
	struct ntpk_inst *inst;
	u64 pkts;

	rcu_read_lock();
	inst = ntpk_state_inst(net);
	pkts = inst ? ntpk_stats_read_quirk(inst->stats, quirk) : 0;
	rcu_read_unlock();
	return pkts;
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

/**
 * ntpk_state_setup() - once, at load
 *
 * Return: 0 or -ENOMEM.
 */
int ntpk_state_setup(void)
{
	/* one machine-wide queue; the work sleeps on memory for a message */
	events_wq = alloc_workqueue("ntpk", WQ_UNBOUND, 0);
	return events_wq ? 0 : -ENOMEM;
}

/** ntpk_state_teardown() - once, when no namespace is attached any more */
void ntpk_state_teardown(void)
{
	/* what ntpk_state_queue_release() was given may not be queued yet */
	rcu_barrier();
	destroy_workqueue(events_wq);
}
