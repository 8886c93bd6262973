// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of clients from ATTACH to DETACH: of fixed size, nothing is allocated for a
 * packet; and reading it.
 * Process context; the locks of sets keep softirqs away.
 */
#include <linux/atomic.h>
#include <linux/delay.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <net/net_namespace.h>
#include <ntpk/ntp_limit.h>

#include "clients_priv.h"
#include "tstamp.h"

#define CLIENTS_MAX		(1 << 23)
/* In a namespace of an unprivileged owner. */
#define CLIENTS_USERNS_MAX	4096
/* No dump lasts so long: 19 hours. */
#define DUMP_TICKS		(1 << 20)

static unsigned int clients = 65536;
module_param(clients, uint, 0444);
MODULE_PARM_DESC(clients, "how many clients a namespace keeps a record of, 128 bytes each (default 65536, 0 = none, at most 8388608)");

static unsigned int clients_prefix6 = NTP_LIMIT_PREFIX_V6;
module_param(clients_prefix6, uint, 0444);
MODULE_PARM_DESC(clients_prefix6, "IPv6 addresses that have so many leading bits in common are one client there (1 to 128, default 64)");

static void sets_init(struct ntpk_clients *table)
{
	u32 i;

	for (i = 0; i < table->n_sets; i++) {
		raw_spin_lock_init(&table->sets[i].lock);
		if (!(i % 1024))
			cond_resched();
	}
}

/**
 * ntpk_clients_alloc() - room for the clients of a namespace
 * @net: which
 *
 * Context: process.
 * Return: nobody is in there yet; NULL where the module is to keep none, or where there
 * is no memory for it without killing anybody: answers are worth more than to know who
 * got them.
 */
struct ntpk_clients *ntpk_clients_alloc(const struct net *net)
{
	static atomic_t last_id = ATOMIC_INIT(0);
	struct ntpk_clients *table;
	u32 n = min_t(u32, clients, CLIENTS_MAX);

	/* without what lockdep adds to a lock */
	BUILD_BUG_ON(sizeof(struct ntpk_clients_set) - sizeof(raw_spinlock_t) + sizeof(u32) >
		     WAYS_USED * BYTES_PER_CLIENT && sizeof(raw_spinlock_t) == sizeof(u32));
	if (net->user_ns != &init_user_ns)
		n = min_t(u32, n, CLIENTS_USERNS_MAX);
	if (!n)
		return NULL;
	table = kzalloc(sizeof(*table), GFP_KERNEL_ACCOUNT);
	if (!table)
		goto no_memory;
	table->n_sets = max(DIV_ROUND_UP(n, WAYS_USED), 2U);
	table->id = atomic_inc_return(&last_id);
	table->sets = kvcalloc(table->n_sets, sizeof(table->sets[0]),
			       GFP_KERNEL_ACCOUNT | __GFP_NOWARN | __GFP_RETRY_MAYFAIL);
	if (!table->sets)
		goto no_memory;
	sets_init(table);
	return table;

no_memory:
	pr_warn_ratelimited("ntpk: no memory for %u clients: nothing is kept of them until ATTACH comes again\n",
			    n);
	kfree(table);
	return NULL;
}

/**
 * ntpk_clients_release() - forget them all
 * @table: no reader is left; NULL is fine
 *
 * Context: process.
 */
void ntpk_clients_release(struct ntpk_clients *table)
{
	if (!table)
		return;
	kvfree(table->sets);
	kfree(table);
}

/**
 * ntpk_clients_flush() - forget who is in there now
 * @table: table; NULL is fine
 *
 * Context: process.
 */
void ntpk_clients_flush(struct ntpk_clients *table)
{
	struct ntpk_clients_set *set;
	u32 i;

	for (i = 0; table && i < table->n_sets; i++) {
		set = &table->sets[i];
		raw_spin_lock_bh(&set->lock);
		memset(set->seen, 0, sizeof(set->seen));
		memset(set->front, 0, sizeof(set->front));
		memset(set->rest, 0, sizeof(set->rest));
		raw_spin_unlock_bh(&set->lock);
		cond_resched();
	}
}

/**
 * ntpk_clients_begin() - the beginning of a dump
 *
 * Waits until who comes in from now on can be told from who is there.
 *
 * Context: process; sleeps for less than 0.1 s.
 * Return: for struct ntpk_clients_pos.
 */
u32 ntpk_clients_begin(void)
{
	u32 tick = ntp_client_tick(ntpk_tstamp_tx());

	while (ntp_client_tick(ntpk_tstamp_tx()) == tick)
		msleep(20);
	/* who read the clock before is in there by then */
	synchronize_net();
	return tick;
}

/*
 * Did it come in while the dump was going on?  Perhaps it was there, left and came back.
 * Who came nine years before is not meant.
 */
static bool came_since(const struct ntp_client *client, u32 began)
{
	return client->first - began - 1 < DUMP_TICKS;
}

/**
 * ntpk_clients_next() - one client more
 * @table: table
 * @pos: where to begin, and then behind the client
 * @end: set to stop at
 * @out: a copy of it
 *
 * Each is found once at most, and found if it is there all the time.
 *
 * Context: process.
 * Return: false where there is none left before @end.
 */
bool ntpk_clients_next(struct ntpk_clients *table, struct ntpk_clients_pos *pos, u32 end,
		       struct ntpk_clients_entry *out)
{
	struct ntpk_clients_set *set;
	unsigned int way;

	for (; pos->set < min(end, table->n_sets); pos->set++, pos->way = 0) {
		set = &table->sets[pos->set];
		raw_spin_lock_bh(&set->lock);
		for (way = pos->way; way < WAYS; way++)
			if (set->seen[way] &&
			    !came_since(&set->front[way].client, pos->began))
				break;
		if (way < WAYS)
			*out = (struct ntpk_clients_entry){
				.who = set->front[way].who,
				.record = { set->front[way].client, set->rest[way] },
			};
		raw_spin_unlock_bh(&set->lock);
		pos->way = way + 1;
		if (way < WAYS)
			return true;
	}
	return false;
}

/**
 * ntpk_clients_id() - to tell tables apart
 * @table: table
 *
 * Return: a number that no other table has.
 */
u32 ntpk_clients_id(const struct ntpk_clients *table)
{
	return table->id;
}

/**
 * ntpk_clients_sets() - where the positions of a dump end
 * @table: table
 *
 * Return: how many sets it has.
 */
u32 ntpk_clients_sets(const struct ntpk_clients *table)
{
	return table->n_sets;
}

/**
 * ntpk_clients_prefix6() - what is one client among IPv6 addresses
 *
 * Return: length of the prefix.
 */
u8 ntpk_clients_prefix6(void)
{
	return clamp_t(unsigned int, clients_prefix6, 1, NTP_ACL_V6_LEN_MAX);
}
