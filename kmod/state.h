/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What one namespace serves, and its life from attach to detach.
 */
#ifndef NTPK_STATE_H
#define NTPK_STATE_H

#include <linux/in6.h>
#include <linux/mutex.h>
#include <linux/netfilter.h>
#include <linux/rcupdate.h>
#include <linux/workqueue.h>
#include <net/net_namespace.h>
#include <ntpk/ntp_reply.h>

#include "acl.h"
#include "notice.h"
#include "stats.h"
#include "who.h"

struct ntpk_acl_coming;
struct ntpk_departure;
struct ntpk_hist;
struct ntpk_clients;
struct ntpk_keys;
struct ntpk_limits;
struct ntpk_hwleft_stats;
struct ntpk_phc_stats;
struct ntpk_phcs;
struct ntpk_routes;

/**
 * struct ntpk_listener - where requests are accepted
 * @port: UDP port, host order
 * @pf: NFPROTO_IPV4 or NFPROTO_IPV6 where @addr counts, else NFPROTO_UNSPEC
 * @ifindex: the interface, or the VRF, that requests come by; 0 = any
 * @addr: what requests are sent to, 0 = all of @pf; IPv4 is v4-mapped
 * @policy: what is answered there
 * @limits: buckets of its clients, NULL = it has no limit; shared with listeners of
 *	equal limits
 * @acl: who may ask there; not before the push is taken
 * @acl_name: of that list, "" = that of all
 */
struct ntpk_listener {
	u16	port;
	u8	pf;
	int	ifindex;
	struct in6_addr	addr;
	struct ntp_policy policy;
	struct ntpk_limits *limits;
	const struct ntpk_acl_place *acl;
	char	acl_name[NTPK_ACL_NAME_MAX + 1];
};

/* IPv4 and IPv6 */
#define NTPK_HOOKS		2

/* Bits of struct ntpk_state.events: each event goes out once per push. */
enum {
	NTPK_EV_STEP_SEEN,	/* a reply met another clock_seq */
	NTPK_EV_STEP_SENT,
	NTPK_EV_EXPIRED_SENT,
};

/**
 * struct ntpk_state - one push; immutable once published, but for @events
 * @rcu: freed by kfree_rcu()
 * @serve: what is served
 * @since_real_ns: CLOCK_REALTIME at the first push under this clock_seq
 * @real_to_boot_ns: CLOCK_BOOTTIME - CLOCK_REALTIME, as long as clock_seq is the same
 * @pushes: accepted since attach, this one included
 * @events: atomic bits NTPK_EV_*
 * @limit_clients: that the limits of listeners are kept of
 * @budget_per_s: that each CPU answers, 0 = all
 * @clients: who asked, NULL = that is not kept
 * @no_clientlog: nor wanted
 * @step_gen: another number after each step of what is served
 * @any_port: the only listener's, which takes whatever is sent there; 0 = it is not so simple
 * @listeners: all of them, what is more special first
 * @n_listeners: how many
 */
struct ntpk_state {
	struct rcu_head	rcu;
	struct ntp_serve serve;
	s64	since_real_ns;
	s64	real_to_boot_ns;
	u64	pushes;
	unsigned long	events;
	u32	limit_clients;
	u32	budget_per_s;
	u8	step_gen;
	bool	no_clientlog;
	__be16	any_port;
	struct ntpk_clients *clients;
	unsigned int	n_listeners;
	struct ntpk_listener listeners[];
};

/**
 * struct ntpk_inst - an attached namespace
 * @net: which; the instance goes before the namespace does
 * @state: served now, NULL before the first push; written under ntpk_net.lock
 * @phcs: maps of devices' clocks, NULL = none; written under @phcs_lock
 * @stats: counters
 * @any_port: of @state, for packets that are not for NTP, in the line of @stats; may be of
 *	the state before or after
 * @hist: what answers take
 * @routes: the ways back to clients
 * @hash_key: so that nobody can choose whose place he shares
 * @t2_secret: so that nobody can name the replies of another namespace
 * @clients: room for who asks, NULL = none yet; once there it stays; written under
 *	ntpk_net.lock
 * @phc_stats: what became of devices' receive stamps
 * @phcs_lock: nothing that waits is done under it, as devices go under rtnl
 * @hooks: where packets for this host come in
 * @notices: events about those who ask
 * @work: raises events; re-armed by itself, by a push and by the receive path
 * @keys: for symmetric authentication, NULL = none; written under ntpk_net.lock
 * @coming_lock: nothing that waits is done under it, as closing a socket takes it with a
 *	lock of all netlink sockets
 * @keys_coming: a set that is being sent, under @coming_lock; put there under ntpk_net.lock
 *	as well, by a command that has it for itself meanwhile
 * @acl_common: who may ask, where a listener names no other list; written under
 *	ntpk_net.lock
 * @acl_named: the others, RCU
 * @acl_changes: another number after each change of a list
 * @acl_coming: a list that is being sent, likewise
 * @departures: when replies leave
 * @hwleft_stats: what became of devices' transmit stamps
 */
struct ntpk_inst {
	struct net	*net;
	struct ntpk_state __rcu *state;
	struct ntpk_phcs __rcu *phcs;
	struct ntpk_stats __percpu *stats;
	__be16	any_port;
	struct ntpk_hist __percpu *hist;
	struct ntpk_routes __percpu *routes;
	struct ntpk_who_key hash_key;
	u64	t2_secret;
	struct ntpk_clients __rcu *clients;
	struct ntpk_phc_stats __percpu *phc_stats;
	spinlock_t phcs_lock;
	struct nf_hook_ops hooks[NTPK_HOOKS];
	struct ntpk_notices notices;
	struct delayed_work work;
	struct ntpk_keys __rcu *keys;
	spinlock_t coming_lock;
	struct ntpk_keys *keys_coming;
	struct ntpk_acl_place acl_common;
	struct list_head acl_named;
	u32	acl_changes;
	struct ntpk_acl_coming *acl_coming;
	struct ntpk_departure *departures;
	struct ntpk_hwleft_stats __percpu *hwleft_stats;
};

static_assert(offsetof(struct ntpk_inst, any_port) / 64 == offsetof(struct ntpk_inst, stats) / 64);

/**
 * struct ntpk_net - all that a namespace costs which nobody attached to
 * @lock: serialises attach, detach and push
 * @inst: NULL while not attached; RCU readers may see it until a grace period
 *	after it was taken out
 * @dying: between pre_exit and exit of the namespace, waiting to be freed
 */
struct ntpk_net {
	struct mutex	lock;
	struct ntpk_inst __rcu *inst;
	struct ntpk_inst *dying;
};

/* Key of struct ntpk_net in a namespace, owned by main.c. */
extern unsigned int ntpk_net_id;

/* state.c */
struct ntpk_inst *ntpk_state_inst(const struct net *net);
struct ntpk_inst *ntpk_state_lock(struct net *net);
void ntpk_state_unlock(struct net *net);
bool ntpk_state_is_locked(const struct net *net);
int ntpk_state_attach(struct net *net);
int ntpk_state_detach(struct net *net);
void ntpk_state_net_init(struct net *net);
void ntpk_state_net_pre_exit(struct net *net);
void ntpk_state_net_exit(struct net *net);

/* state_push.c */
struct ntpk_state *ntpk_state_alloc(unsigned int n_listeners);
int ntpk_state_push(struct net *net, struct ntpk_state *state);

/* state_events.c */
void ntpk_state_queue_release(struct rcu_work *work);
void ntpk_state_queue(struct delayed_work *work);
void ntpk_state_queue_later(struct delayed_work *work, unsigned long delay);
void ntpk_state_saw_step(struct ntpk_inst *inst, struct ntpk_state *state);
int ntpk_state_setup(void);
void ntpk_state_teardown(void);

#endif /* NTPK_STATE_H */
