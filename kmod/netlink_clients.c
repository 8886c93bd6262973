// SPDX-License-Identifier: GPL-2.0-only
/*
 * GET_CLIENTS: who asked.  Process context.
 */
#include <linux/netlink.h>
#include <net/genetlink.h>
#include <net/sock.h>
#include <ntpk/ntp_client.h>

#include "clients.h"
#include "netlink_priv.h"
#include "state.h"
#include "tstamp.h"

/* So many at once and no more, as RCU is held. */
#define SETS_AT_ONCE	2048
/* Of IPv4 in a mapped address. */
#define MAPPED_LEN	96

const struct nla_policy ntpk_nl_client_filter_policy[NTPK_A_CLIENT_FILTER_MAX + 1] = {
	[NTPK_A_CLIENT_FILTER_ADDR] = { .type = NLA_BINARY, .len = 16 },
	[NTPK_A_CLIENT_FILTER_LEN] = NLA_POLICY_MAX(NLA_U8, 128),
	[NTPK_A_CLIENT_FILTER_QUIRK] = { .type = NLA_U32 },
	[NTPK_A_CLIENT_FILTER_REQUESTS] = { .type = NLA_U32 },
	[NTPK_A_CLIENT_FILTER_LAST_AGE_NS] = { .type = NLA_U64 },
};

/**
 * struct filter - which clients are asked for
 * @net: network that they are of
 * @net_len: length of its prefix
 * @by_net: only those
 * @v6: IPv6, where @by_net
 * @quirk: class that they are of, __NTP_CLIENT_QUIRK_MAX = any
 * @requests: at least so many
 * @last_ticks: seen no longer ago
 */
struct filter {
	struct ntp_acl_addr net;
	u8	net_len;
	bool	by_net;
	bool	v6;
	u32	quirk;
	u32	requests;
	u32	last_ticks;
};

/* struct dump - in the struct netlink_callback; @table: its id, 0 = not begun */
struct dump {
	struct ntpk_clients_pos pos;
	u32	table;
	bool	begun;
};

static bool is_v4(struct ntp_acl_addr who)
{
	return !who.hi && who.lo >> 32 == NTPK_CLIENTS_MAPPED >> 32;
}

static int take_len(struct nlattr **tb, struct filter *f, struct netlink_ext_ack *extack)
{
	const struct nlattr *attr = tb[NTPK_A_CLIENT_FILTER_LEN];
	u8 most = f->v6 ? 128 : 32, len = attr ? nla_get_u8(attr) : most;
	struct ntp_acl_addr cut;

	if (len > most)
		return ntpk_nl_refuse(extack, attr, -ERANGE, "LEN is longer than ADDR");
	f->net_len = f->v6 ? len : len + MAPPED_LEN;
	cut = ntp_acl_cut(f->net, f->net_len);
	if (cut.hi != f->net.hi || cut.lo != f->net.lo)
		return ntpk_nl_refuse(extack, tb[NTPK_A_CLIENT_FILTER_ADDR], -ERANGE,
				      "ADDR must be zero behind LEN");
	/* longer ones are all the same client */
	if (f->v6)
		f->net_len = min(f->net_len, ntpk_clients_prefix6());
	f->net = ntp_acl_cut(f->net, f->net_len);
	return 0;
}

static int take_net(struct nlattr **tb, struct filter *f, struct netlink_ext_ack *extack)
{
	const struct nlattr *attr = tb[NTPK_A_CLIENT_FILTER_ADDR];
	int err;

	if (!attr)
		return tb[NTPK_A_CLIENT_FILTER_LEN] ?
		       ntpk_nl_refuse(extack, tb[NTPK_A_CLIENT_FILTER_LEN], -EINVAL,
				      "LEN without ADDR in CLIENT_FILTER") : 0;
	err = ntpk_nl_acl_addr(attr, &f->net, &f->v6, extack);
	if (err)
		return err;
	f->by_net = true;
	if (!f->v6)
		f->net = (struct ntp_acl_addr){ .lo = NTPK_CLIENTS_MAPPED | f->net.hi >> 32 };
	return take_len(tb, f, extack);
}

static int take_rest(struct nlattr **tb, struct filter *f, struct netlink_ext_ack *extack)
{
	u64 last_ns = U64_MAX;

	if (tb[NTPK_A_CLIENT_FILTER_QUIRK]) {
		f->quirk = nla_get_u32(tb[NTPK_A_CLIENT_FILTER_QUIRK]);
		if (f->quirk >= __NTP_CLIENT_QUIRK_MAX)
			return ntpk_nl_refuse(extack, tb[NTPK_A_CLIENT_FILTER_QUIRK], -ERANGE,
					      "there is no class of this number");
	}
	if (tb[NTPK_A_CLIENT_FILTER_REQUESTS])
		f->requests = nla_get_u32(tb[NTPK_A_CLIENT_FILTER_REQUESTS]);
	if (tb[NTPK_A_CLIENT_FILTER_LAST_AGE_NS])
		last_ns = nla_get_u64(tb[NTPK_A_CLIENT_FILTER_LAST_AGE_NS]);
	f->last_ticks = min_t(u64, last_ns >> NTP_CLIENT_TICK_LOG2NS, U32_MAX);
	return 0;
}

/* The core has checked the message by the family's policy. */
static int parse_filter(struct netlink_callback *cb, struct filter *f)
{
	const struct nlattr *nest = nlmsg_find_attr(cb->nlh, GENL_HDRLEN, NTPK_A_CLIENT_FILTER);
	struct nlattr *tb[NTPK_A_CLIENT_FILTER_MAX + 1] = { NULL };
	int len = nlmsg_attrlen(cb->nlh, GENL_HDRLEN), err = 0;

	memset(f, 0, sizeof(*f));
	f->quirk = __NTP_CLIENT_QUIRK_MAX;
	if (len && (!nest || nla_total_size(nla_len(nest)) != len))
		return ntpk_nl_refuse(cb->extack, NULL, -EINVAL,
				      "this command does not take the attribute");
	if (nest)
		err = ntpk_nl_check_once(nest, 0, cb->extack);
	if (nest && !err)
		err = nla_parse_nested(tb, NTPK_A_CLIENT_FILTER_MAX, nest,
				       ntpk_nl_client_filter_policy, cb->extack);
	if (!err)
		err = take_net(tb, f, cb->extack);
	return err ? err : take_rest(tb, f, cb->extack);
}

static bool is_of_net(const struct ntpk_clients_entry *entry, const struct filter *f)
{
	struct ntp_acl_addr net;

	if (!f->by_net)
		return true;
	net = ntp_acl_cut(entry->who, f->net_len);
	return f->v6 != is_v4(entry->who) && net.hi == f->net.hi && net.lo == f->net.lo;
}

static bool is_meant(const struct ntpk_clients_entry *entry, const struct filter *f, u32 now)
{
	const struct ntp_client *c = &entry->record.client;

	return c->requests >= f->requests && now - c->last <= f->last_ticks &&
	       (f->quirk == __NTP_CLIENT_QUIRK_MAX || f->quirk == c->quirk) && is_of_net(entry, f);
}

static u64 ticks_ns(u32 ticks)
{
	return (u64)ticks << NTP_CLIENT_TICK_LOG2NS;
}

static int put_who(struct sk_buff *msg, struct ntp_acl_addr who)
{
	__be64 raw[2] = { cpu_to_be64(who.hi), cpu_to_be64(who.lo) };

	return is_v4(who) ? nla_put_u32(msg, NTPK_A_CLIENT_ADDR, (__force u32)htonl((u32)who.lo)) :
			    nla_put(msg, NTPK_A_CLIENT_ADDR, sizeof(raw), raw);
}

static int put_client(struct sk_buff *msg, const struct ntpk_clients_entry *entry, u32 now)
{
	struct nlattr *nest = nla_nest_start(msg, NTPK_A_CLIENTS_CLIENT);
	const struct ntp_client *c = &entry->record.client;

	if (!nest)
		return -EMSGSIZE;
	if (put_who(msg, entry->who) ||
	    nla_put_u32(msg, NTPK_A_CLIENT_REQUESTS, c->requests) ||
	    nla_put_u32(msg, NTPK_A_CLIENT_DROPPED, c->dropped) ||
	    nla_put_u64_64bit(msg, NTPK_A_CLIENT_FIRST_AGE_NS, ticks_ns(now - c->first),
			      NTPK_A_CLIENT_PAD) ||
	    nla_put_u64_64bit(msg, NTPK_A_CLIENT_LAST_AGE_NS, ticks_ns(now - c->last),
			      NTPK_A_CLIENT_PAD) ||
	    nla_put_u32(msg, NTPK_A_CLIENT_QUIRK, c->quirk) ||
	    nla_put(msg, NTPK_A_CLIENT_RECORD, sizeof(entry->record), &entry->record)) {
		nla_nest_cancel(msg, nest);
		return -EMSGSIZE;
	}
	nla_nest_end(msg, nest);
	return 0;
}

/* As many as there is room for, of some sets. */
static void put_clients(struct sk_buff *msg, struct ntpk_clients *table,
			struct ntpk_clients_pos *pos, const struct filter *f, s64 now_ns)
{
	struct ntpk_clients_pos at = *pos;
	struct ntpk_clients_entry entry;
	u32 now = ntp_client_tick(now_ns), end = pos->set + SETS_AT_ONCE;

	while (ntpk_clients_next(table, &at, end, &entry)) {
		/* seen since now was */
		if ((s32)(entry.record.client.last - now) > 0)
			now = entry.record.client.last;
		if (is_meant(&entry, f, now) && put_client(msg, &entry, now))
			return;
		*pos = at;
	}
	*pos = at;
}

static int put_summary(struct sk_buff *msg, s64 now_ns)
{
	if (nla_put_s64(msg, NTPK_A_CLIENTS_NOW_RAW_NS, now_ns, NTPK_A_CLIENTS_PAD) ||
	    nla_put_u8(msg, NTPK_A_CLIENTS_PREFIX_V6, ntpk_clients_prefix6()) ||
	    nla_put_u32(msg, NTPK_A_CLIENTS_RECORD_KIND, NTPK_RECORD_KIND))
		return -EMSGSIZE;
	return 0;
}

static int dump_message(struct sk_buff *msg, struct netlink_callback *cb,
			struct ntpk_clients *table, const struct filter *f)
{
	struct dump *d = (struct dump *)cb->ctx;
	void *hdr = ntpk_nl_dump_put(msg, cb, NTPK_CMD_GET_CLIENTS);
	s64 now_ns = ntpk_tstamp_tx();
	struct nlattr *nest;

	if (!hdr)
		return -EMSGSIZE;
	nest = nla_nest_start(msg, NTPK_A_CLIENTS);
	if (!nest || put_summary(msg, now_ns)) {
		genlmsg_cancel(msg, hdr);
		return -EMSGSIZE;
	}
	put_clients(msg, table, &d->pos, f, now_ns);
	nla_nest_end(msg, nest);
	genlmsg_end(msg, hdr);
	return msg->len;
}

/* Under RCU. */
static int dump_next(struct sk_buff *msg, struct netlink_callback *cb, const struct net *net,
		     const struct filter *f)
{
	const struct ntpk_inst *inst = ntpk_state_inst(net);
	const struct ntpk_state *state = inst ? rcu_dereference(inst->state) : NULL;
	struct dump *d = (struct dump *)cb->ctx;
	struct ntpk_clients *table;

	if (!inst)
		return ntpk_nl_refuse(cb->extack, NULL, -ENOTCONN,
				      "this network namespace is not attached: send ATTACH first");
	table = rcu_dereference(inst->clients);
	if (!table)
		return ntpk_nl_refuse(cb->extack, NULL, -ENODATA, "no clients are kept: ntpk was loaded with clients=0, or there was no memory at ATTACH, which may be sent again");
	if (state && state->no_clientlog)
		return ntpk_nl_refuse(cb->extack, NULL, -ENODATA,
				      "no clients are kept, as the configuration says noclientlog");
	if (!d->table)
		d->table = ntpk_clients_id(table);
	/* attached anew: told by NLM_F_DUMP_INTR */
	cb->seq = ntpk_clients_id(table);
	if (d->table != cb->seq)
		d->pos.set = ntpk_clients_sets(table);
	if (d->pos.set >= ntpk_clients_sets(table))
		return 0;
	return dump_message(msg, cb, table, f);
}

/** ntpk_nl_get_clients_dumpit() - NTPK_CMD_GET_CLIENTS */
int ntpk_nl_get_clients_dumpit(struct sk_buff *msg, struct netlink_callback *cb)
{
	struct net *net = sock_net(cb->skb->sk);
	struct dump *d = (struct dump *)cb->ctx;
	struct filter f;
	int ret = 0;

	BUILD_BUG_ON(sizeof(*d) > sizeof(cb->ctx));
	if (!d->begun)
		ret = ntpk_nl_check_rights(cb->skb, net, cb->extack);
	if (!ret)
		ret = parse_filter(cb, &f);
	if (ret)
		return ret;
	if (!d->begun)
		d->pos.began = ntpk_clients_begin();
	d->begun = true;
	rcu_read_lock();
	ret = dump_next(msg, cb, net, &f);
	rcu_read_unlock();
	return ret;
}
