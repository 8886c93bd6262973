// SPDX-License-Identifier: GPL-2.0-only
/*
 * Listeners in SET_STATE and GET_STATE: from attributes to struct ntpk_listener
 * and back.  Process context; a push is checked whole before anything is replaced.
 */
#include <linux/netfilter.h>
#include <linux/sort.h>
#include <net/genetlink.h>
#include <net/ipv6.h>

#include "netlink_priv.h"
#include "state.h"

static const struct nla_policy piece_policy[NTPK_A_PIECE_MAX + 1] = {
	[NTPK_A_PIECE_FROM_UNIX_NS] = { .type = NLA_S64 },
	[NTPK_A_PIECE_OFFSET_NS] = { .type = NLA_S64 },
	[NTPK_A_PIECE_RATE_Q48] = { .type = NLA_S64 },
	[NTPK_A_PIECE_CURVE_Q112] = { .type = NLA_S64 },
};

/* not const: the policy of older kernels points to it without */
static struct netlink_range_validation nat_range = {
	.min = 1,
	.max = NTPK_LIMIT_NAT_MAX,
};

static const struct nla_policy limit_policy[NTPK_A_LIMIT_MAX + 1] = {
	[NTPK_A_LIMIT_INTERVAL_LOG2S] = NLA_POLICY_RANGE(NLA_S8, NTPK_LIMIT_INTERVAL_LOG2S_MIN,
							 NTPK_LIMIT_INTERVAL_LOG2S_MAX),
	[NTPK_A_LIMIT_BURST] = NLA_POLICY_RANGE(NLA_U32, 1, NTPK_LIMIT_BURST_MAX),
	[NTPK_A_LIMIT_LEAK_LOG2] = NLA_POLICY_MAX(NLA_U8, NTPK_LIMIT_ODDS_LOG2_MAX),
	[NTPK_A_LIMIT_KOD_LOG2] = NLA_POLICY_MAX(NLA_U8, NTPK_LIMIT_ODDS_LOG2_MAX),
	[NTPK_A_LIMIT_NAT] = NLA_POLICY_FULL_RANGE(NLA_U32, &nat_range),
	[NTPK_A_LIMIT_PREFIX_V4] = NLA_POLICY_RANGE(NLA_U8, 1, 32),
	[NTPK_A_LIMIT_PREFIX_V6] = NLA_POLICY_RANGE(NLA_U8, 1, 128),
};

const struct nla_policy ntpk_nl_listener_policy[NTPK_A_LISTENER_MAX + 1] = {
	[NTPK_A_LISTENER_PORT] = NLA_POLICY_MIN(NLA_U16, 1),
	[NTPK_A_LISTENER_ADDR] = { .type = NLA_BINARY, .len = 16 },
	[NTPK_A_LISTENER_IFINDEX] = { .type = NLA_U32 },
	[NTPK_A_LISTENER_NEVER_SYNCED] = NLA_POLICY_MAX(NLA_U32, NTPK_POLICY_UNSYNC),
	[NTPK_A_LISTENER_EXPIRED] = NLA_POLICY_MAX(NLA_U32, NTPK_POLICY_UNSYNC),
	[NTPK_A_LISTENER_FLAGS] = NLA_POLICY_MASK(NLA_U32, NTPK_LISTENER_F_ALL),
	[NTPK_A_LISTENER_MAX_STRATUM] = NLA_POLICY_RANGE(NLA_U8, 1, 15),
	[NTPK_A_LISTENER_VERSIONS] = NLA_POLICY_MASK(NLA_U8, 30),
	[NTPK_A_LISTENER_MAX_DIST_NS] = { .type = NLA_U64 },
	[NTPK_A_LISTENER_PIECE] = NLA_POLICY_NESTED(piece_policy),
	[NTPK_A_LISTENER_LIMIT] = NLA_POLICY_NESTED(limit_policy),
	[NTPK_A_LISTENER_ACL] = { .type = NLA_NUL_STRING, .len = NTPK_ACL_NAME_MAX },
};

static const struct ntpk_nl_required listener_required[] = {
	{ NTPK_A_LISTENER_PORT, "PORT is missing in LISTENER" },
	{ NTPK_A_LISTENER_NEVER_SYNCED, "NEVER_SYNCED is missing in LISTENER" },
	{ NTPK_A_LISTENER_EXPIRED, "EXPIRED is missing in LISTENER" },
};

static const struct ntpk_nl_required piece_required[] = {
	{ NTPK_A_PIECE_FROM_UNIX_NS, "FROM_UNIX_NS is missing in PIECE" },
	{ NTPK_A_PIECE_OFFSET_NS, "OFFSET_NS is missing in PIECE" },
	{ NTPK_A_PIECE_RATE_Q48, "RATE_Q48 is missing in PIECE" },
	{ NTPK_A_PIECE_CURVE_Q112, "CURVE_Q112 is missing in PIECE" },
};

static const struct ntpk_nl_required limit_required[] = {
	{ NTPK_A_LIMIT_INTERVAL_LOG2S, "INTERVAL_LOG2S is missing in LIMIT" },
	{ NTPK_A_LIMIT_BURST, "BURST is missing in LIMIT" },
};

static u8 get_u8_or(const struct nlattr *attr, u8 otherwise)
{
	return attr ? nla_get_u8(attr) : otherwise;
}

static int parse_limit(const struct nlattr *nest, struct ntp_limit *limit,
		       struct netlink_ext_ack *extack)
{
	struct nlattr *tb[NTPK_A_LIMIT_MAX + 1];
	int err;

	err = nla_parse_nested(tb, NTPK_A_LIMIT_MAX, nest, limit_policy, extack);
	if (!err)
		err = ntpk_nl_check_once(nest, 0, extack);
	if (!err)
		err = ntpk_nl_check_required(tb, nest, limit_required, ARRAY_SIZE(limit_required),
					     extack);
	if (err)
		return err;
	limit->interval_log2s = nla_get_s8(tb[NTPK_A_LIMIT_INTERVAL_LOG2S]);
	limit->burst = nla_get_u32(tb[NTPK_A_LIMIT_BURST]);
	limit->leak_log2 = get_u8_or(tb[NTPK_A_LIMIT_LEAK_LOG2], NTP_LIMIT_LEAK_LOG2);
	limit->kod_log2 = get_u8_or(tb[NTPK_A_LIMIT_KOD_LOG2], 0);
	limit->nat = tb[NTPK_A_LIMIT_NAT] ? nla_get_u32(tb[NTPK_A_LIMIT_NAT]) : 1;
	limit->prefix_v4 = get_u8_or(tb[NTPK_A_LIMIT_PREFIX_V4], NTP_LIMIT_PREFIX_V4);
	limit->prefix_v6 = get_u8_or(tb[NTPK_A_LIMIT_PREFIX_V6], NTP_LIMIT_PREFIX_V6);
	if (!ntp_limit_complete(limit))
		return ntpk_nl_refuse(extack, nest, -ERANGE, "INTERVAL_LOG2S and NAT allow more than 7629 requests a second: leave LIMIT out");
	return 0;
}

static int parse_piece(const struct nlattr *nest, struct ntp_correction *c,
		       struct netlink_ext_ack *extack)
{
	struct nlattr *tb[NTPK_A_PIECE_MAX + 1];
	struct ntp_piece *p;
	int err;

	if (c->len == NTPK_PIECES_MAX)
		return ntpk_nl_refuse(extack, nest, -E2BIG, "too many PIECEs: at most 4");
	err = nla_parse_nested(tb, NTPK_A_PIECE_MAX, nest, piece_policy, extack);
	if (!err)
		err = ntpk_nl_check_once(nest, 0, extack);
	if (!err)
		err = ntpk_nl_check_required(tb, nest, piece_required, ARRAY_SIZE(piece_required),
					     extack);
	if (err)
		return err;
	p = &c->piece[c->len++];
	p->from_unix_ns = nla_get_s64(tb[NTPK_A_PIECE_FROM_UNIX_NS]);
	p->offset_ns = nla_get_s64(tb[NTPK_A_PIECE_OFFSET_NS]);
	p->rate_q48 = nla_get_s64(tb[NTPK_A_PIECE_RATE_Q48]);
	p->curve_q112 = nla_get_s64(tb[NTPK_A_PIECE_CURVE_Q112]);
	return 0;
}

static int parse_correction(const struct nlattr *nest, struct ntp_correction *c,
			    struct netlink_ext_ack *extack)
{
	const struct nlattr *attr;
	const char *text;
	int rem, err;

	nla_for_each_nested(attr, nest, rem) {
		if (nla_type(attr) != NTPK_A_LISTENER_PIECE)
			continue;
		err = parse_piece(attr, c, extack);
		if (err)
			return err;
	}
	text = ntp_correction_check(c);
	return text ? ntpk_nl_refuse(extack, nest, -ERANGE, text) : 0;
}

static int parse_addr(const struct nlattr *attr, struct ntpk_listener *listener,
		      struct netlink_ext_ack *extack)
{
	int type;

	switch (nla_len(attr)) {
	case sizeof(struct in_addr):
		listener->pf = NFPROTO_IPV4;
		ipv6_addr_set_v4mapped(nla_get_in_addr(attr), &listener->addr);
		if (ipv4_is_multicast(listener->addr.s6_addr32[3]) ||
		    ipv4_is_lbcast(listener->addr.s6_addr32[3]))
			break;
		return 0;
	case sizeof(struct in6_addr):
		listener->pf = NFPROTO_IPV6;
		listener->addr = nla_get_in6_addr(attr);
		type = ipv6_addr_type(&listener->addr);
		if (type != IPV6_ADDR_ANY && !(type & IPV6_ADDR_UNICAST))
			break;
		return 0;
	default:
		return ntpk_nl_refuse(extack, attr, -EINVAL, "ADDR must be 4 or 16 bytes long");
	}
	return ntpk_nl_refuse(extack, attr, -EADDRNOTAVAIL,
			      "ADDR must be a unicast address, or zeros for all of its family");
}

static void parse_policy(struct nlattr **tb, struct ntp_policy *policy)
{
	policy->never_synced = nla_get_u32(tb[NTPK_A_LISTENER_NEVER_SYNCED]);
	policy->expired = nla_get_u32(tb[NTPK_A_LISTENER_EXPIRED]);
	if (tb[NTPK_A_LISTENER_FLAGS])
		policy->flags = nla_get_u32(tb[NTPK_A_LISTENER_FLAGS]);
	if (tb[NTPK_A_LISTENER_VERSIONS])
		policy->versions = nla_get_u8(tb[NTPK_A_LISTENER_VERSIONS]);
	if (tb[NTPK_A_LISTENER_MAX_STRATUM])
		policy->max_stratum = nla_get_u8(tb[NTPK_A_LISTENER_MAX_STRATUM]);
	if (tb[NTPK_A_LISTENER_MAX_DIST_NS])
		policy->max_dist_ns = nla_get_u64(tb[NTPK_A_LISTENER_MAX_DIST_NS]);
}

/* What means "all" by its absence must not mean that by a zero. */
static int check_values(struct nlattr **tb, struct netlink_ext_ack *extack)
{
	if (tb[NTPK_A_LISTENER_VERSIONS] && !nla_get_u8(tb[NTPK_A_LISTENER_VERSIONS]))
		return ntpk_nl_refuse(extack, tb[NTPK_A_LISTENER_VERSIONS], -ERANGE,
				      "VERSIONS must have a bit of 1..4");
	if (tb[NTPK_A_LISTENER_MAX_DIST_NS] && !nla_get_u64(tb[NTPK_A_LISTENER_MAX_DIST_NS]))
		return ntpk_nl_refuse(extack, tb[NTPK_A_LISTENER_MAX_DIST_NS], -ERANGE,
				      "MAX_DIST_NS must not be 0");
	if (tb[NTPK_A_LISTENER_IFINDEX] && nla_get_u32(tb[NTPK_A_LISTENER_IFINDEX]) > S32_MAX)
		return ntpk_nl_refuse(extack, tb[NTPK_A_LISTENER_IFINDEX], -ERANGE,
				      "IFINDEX is out of range");
	return 0;
}

static int parse_listener(const struct nlattr *nest, struct ntpk_listener *listener,
			  struct netlink_ext_ack *extack)
{
	struct nlattr *tb[NTPK_A_LISTENER_MAX + 1];
	const char *acl;
	int err;

	err = nla_parse_nested(tb, NTPK_A_LISTENER_MAX, nest, ntpk_nl_listener_policy, extack);
	if (!err)
		err = ntpk_nl_check_once(nest, NTPK_A_LISTENER_PIECE, extack);
	if (!err)
		err = ntpk_nl_check_required(tb, nest, listener_required,
					     ARRAY_SIZE(listener_required), extack);
	if (!err)
		err = check_values(tb, extack);
	if (!err)
		err = ntpk_nl_acl_name(tb[NTPK_A_LISTENER_ACL], &acl, extack);
	if (!err && tb[NTPK_A_LISTENER_ADDR])
		err = parse_addr(tb[NTPK_A_LISTENER_ADDR], listener, extack);
	if (err)
		return err;
	listener->port = nla_get_u16(tb[NTPK_A_LISTENER_PORT]);
	if (tb[NTPK_A_LISTENER_IFINDEX])
		listener->ifindex = nla_get_u32(tb[NTPK_A_LISTENER_IFINDEX]);
	parse_policy(tb, &listener->policy);
	strscpy(listener->acl_name, acl, sizeof(listener->acl_name));
	if (tb[NTPK_A_LISTENER_LIMIT])
		err = parse_limit(tb[NTPK_A_LISTENER_LIMIT], &listener->policy.limit, extack);
	return err ? err : parse_correction(nest, &listener->policy.correction, extack);
}

static bool same_place(const struct ntpk_listener *a, const struct ntpk_listener *b)
{
	return a->port == b->port && a->pf == b->pf && a->ifindex == b->ifindex &&
	       ipv6_addr_equal(&a->addr, &b->addr);
}

static int specialty(const struct ntpk_listener *listener)
{
	bool all = listener->pf == NFPROTO_IPV4 ? !listener->addr.s6_addr32[3] :
		   ipv6_addr_any(&listener->addr);

	return !all * 4 + (listener->pf != NFPROTO_UNSPEC) * 2 + !!listener->ifindex;
}

static int by_specialty(const void *a, const void *b)
{
	return specialty(b) - specialty(a);
}

/**
 * ntpk_nl_count_listeners() - how many are there?
 * @nest: NTPK_A_STATE
 * @extack: of the command
 *
 * Return: 0..NTPK_LISTENERS_MAX, or -E2BIG.
 */
int ntpk_nl_count_listeners(const struct nlattr *nest, struct netlink_ext_ack *extack)
{
	const struct nlattr *attr;
	int rem, n = 0;

	nla_for_each_nested(attr, nest, rem) {
		if (nla_type(attr) != NTPK_A_STATE_LISTENER)
			continue;
		if (++n > NTPK_LISTENERS_MAX)
			return ntpk_nl_refuse(extack, attr, -E2BIG,
					      "too many LISTENERs: at most 16");
	}
	return n;
}

/**
 * ntpk_nl_parse_listeners() - all of a push
 * @nest: NTPK_A_STATE
 * @state: allocated for as many as ntpk_nl_count_listeners() found; they are filled in
 * @extack: of the command
 *
 * Return: 0 or -errno.
 */
int ntpk_nl_parse_listeners(const struct nlattr *nest, struct ntpk_state *state,
			    struct netlink_ext_ack *extack)
{
	const struct nlattr *attr;
	unsigned int n = 0, i;
	int rem, err;

	nla_for_each_nested(attr, nest, rem) {
		if (nla_type(attr) != NTPK_A_STATE_LISTENER || n == state->n_listeners)
			continue;
		err = parse_listener(attr, &state->listeners[n], extack);
		if (err)
			return err;
		for (i = 0; i < n; i++)
			if (same_place(&state->listeners[i], &state->listeners[n]))
				return ntpk_nl_refuse(extack, attr, -EEXIST,
						      "a second LISTENER with the same port, address and interface");
		n++;
	}
	sort(state->listeners, n, sizeof(state->listeners[0]), by_specialty, NULL);
	return 0;
}

static int fill_piece(struct sk_buff *msg, const struct ntp_piece *p)
{
	struct nlattr *nest = nla_nest_start(msg, NTPK_A_LISTENER_PIECE);

	if (!nest ||
	    nla_put_s64(msg, NTPK_A_PIECE_FROM_UNIX_NS, p->from_unix_ns, NTPK_A_PIECE_PAD) ||
	    nla_put_s64(msg, NTPK_A_PIECE_OFFSET_NS, p->offset_ns, NTPK_A_PIECE_PAD) ||
	    nla_put_s64(msg, NTPK_A_PIECE_RATE_Q48, p->rate_q48, NTPK_A_PIECE_PAD) ||
	    nla_put_s64(msg, NTPK_A_PIECE_CURVE_Q112, p->curve_q112, NTPK_A_PIECE_PAD))
		return -EMSGSIZE;
	nla_nest_end(msg, nest);
	return 0;
}

static int fill_limit(struct sk_buff *msg, const struct ntp_limit *limit)
{
	struct nlattr *nest = nla_nest_start(msg, NTPK_A_LISTENER_LIMIT);

	if (!nest || nla_put_s8(msg, NTPK_A_LIMIT_INTERVAL_LOG2S, limit->interval_log2s) ||
	    nla_put_u32(msg, NTPK_A_LIMIT_BURST, limit->burst) ||
	    nla_put_u8(msg, NTPK_A_LIMIT_LEAK_LOG2, limit->leak_log2) ||
	    nla_put_u8(msg, NTPK_A_LIMIT_KOD_LOG2, limit->kod_log2) ||
	    nla_put_u32(msg, NTPK_A_LIMIT_NAT, limit->nat) ||
	    nla_put_u8(msg, NTPK_A_LIMIT_PREFIX_V4, limit->prefix_v4) ||
	    nla_put_u8(msg, NTPK_A_LIMIT_PREFIX_V6, limit->prefix_v6))
		return -EMSGSIZE;
	nla_nest_end(msg, nest);
	return 0;
}

static int fill_place(struct sk_buff *msg, const struct ntpk_listener *listener)
{
	if (listener->pf == NFPROTO_IPV4 &&
	    nla_put_in_addr(msg, NTPK_A_LISTENER_ADDR, listener->addr.s6_addr32[3]))
		return -EMSGSIZE;
	if (listener->pf == NFPROTO_IPV6 &&
	    nla_put_in6_addr(msg, NTPK_A_LISTENER_ADDR, &listener->addr))
		return -EMSGSIZE;
	if (listener->ifindex && nla_put_u32(msg, NTPK_A_LISTENER_IFINDEX, listener->ifindex))
		return -EMSGSIZE;
	if (listener->acl_name[0] &&
	    nla_put_string(msg, NTPK_A_LISTENER_ACL, listener->acl_name))
		return -EMSGSIZE;
	return nla_put_u16(msg, NTPK_A_LISTENER_PORT, listener->port);
}

static int fill_policy(struct sk_buff *msg, const struct ntp_policy *policy)
{
	u32 i;

	if (nla_put_u32(msg, NTPK_A_LISTENER_NEVER_SYNCED, policy->never_synced) ||
	    nla_put_u32(msg, NTPK_A_LISTENER_EXPIRED, policy->expired) ||
	    nla_put_u32(msg, NTPK_A_LISTENER_FLAGS, policy->flags))
		return -EMSGSIZE;
	if ((policy->versions && nla_put_u8(msg, NTPK_A_LISTENER_VERSIONS, policy->versions)) ||
	    (policy->max_stratum &&
	     nla_put_u8(msg, NTPK_A_LISTENER_MAX_STRATUM, policy->max_stratum)) ||
	    (policy->max_dist_ns &&
	     nla_put_u64_64bit(msg, NTPK_A_LISTENER_MAX_DIST_NS, policy->max_dist_ns,
			       NTPK_A_LISTENER_PAD)))
		return -EMSGSIZE;
	for (i = 0; i < policy->correction.len; i++)
		if (fill_piece(msg, &policy->correction.piece[i]))
			return -EMSGSIZE;
	return policy->limit.cost ? fill_limit(msg, &policy->limit) : 0;
}

/**
 * ntpk_nl_fill_listeners() - all of a push, back into attributes
 * @msg: answer
 * @state: the push
 *
 * Context: any, RCU or not: @state must not go meanwhile.
 * Return: 0 or -EMSGSIZE.
 */
int ntpk_nl_fill_listeners(struct sk_buff *msg, const struct ntpk_state *state)
{
	struct nlattr *nest;
	unsigned int i;

	for (i = 0; i < state->n_listeners; i++) {
		nest = nla_nest_start(msg, NTPK_A_STATE_LISTENER);
		if (!nest || fill_place(msg, &state->listeners[i]) ||
		    fill_policy(msg, &state->listeners[i].policy))
			return -EMSGSIZE;
		nla_nest_end(msg, nest);
	}
	return 0;
}
