// SPDX-License-Identifier: GPL-2.0-only
/*
 * SET_STATE and GET_STATE: a push from attributes to struct ntpk_state, and
 * back.  Process context; a push is checked whole before anything is replaced.
 */
#include <linux/slab.h>
#include <net/genetlink.h>

#include "netlink_priv.h"
#include "state.h"
#include "state_view.h"

/* not const: the policy of older kernels points to it without */
static struct netlink_range_validation_signed rate_range = {
	.min = NTPK_RATE_Q48_MIN,
	.max = NTPK_RATE_Q48_MAX,
};

static struct netlink_range_validation clients_range = {
	.min = 1,
	.max = NTPK_LIMIT_CLIENTS_MAX,
};

static struct netlink_range_validation budget_range = {
	.min = 1,
	.max = NTPK_BUDGET_PER_S_MAX,
};

const struct nla_policy ntpk_nl_state_policy[NTPK_A_STATE_MAX + 1] = {
	[NTPK_A_STATE_CLOCK_SEQ] = { .type = NLA_U32 },
	[NTPK_A_STATE_BASE_RAW_NS] = { .type = NLA_S64 },
	[NTPK_A_STATE_BASE_UNIX_NS] = { .type = NLA_S64 },
	[NTPK_A_STATE_RATE_Q48] = NLA_POLICY_FULL_RANGE_SIGNED(NLA_S64, &rate_range),
	[NTPK_A_STATE_ROOT_DISP_NS] = { .type = NLA_U64 },
	[NTPK_A_STATE_DISP_RATE_PPB] = { .type = NLA_U32 },
	[NTPK_A_STATE_LEAP] = NLA_POLICY_MAX(NLA_U8, NTP_LEAP_UNSYNC),
	[NTPK_A_STATE_STRATUM] = NLA_POLICY_MAX(NLA_U8, 15),
	[NTPK_A_STATE_REFID] = NLA_POLICY_EXACT_LEN(4),
	[NTPK_A_STATE_REF_UNIX_NS] = { .type = NLA_S64 },
	[NTPK_A_STATE_ROOT_DELAY_NS] = { .type = NLA_U64 },
	[NTPK_A_STATE_PRECISION_LOG2S] = NLA_POLICY_RANGE(NLA_S8, NTPK_PRECISION_LOG2S_MIN, 0),
	[NTPK_A_STATE_DEADLINE_BOOT_NS] = { .type = NLA_S64 },
	[NTPK_A_STATE_MAX_DIST_NS] = { .type = NLA_U64 },
	[NTPK_A_STATE_PUSH_INTERVAL_NS] = { .type = NLA_U64 },
	[NTPK_A_STATE_LISTENER] = NLA_POLICY_NESTED(ntpk_nl_listener_policy),
	[NTPK_A_STATE_STATUS] = NTPK_NL_GET_ONLY,
	[NTPK_A_STATE_AGE_NS] = NTPK_NL_GET_ONLY,
	[NTPK_A_STATE_PUSHES] = NTPK_NL_GET_ONLY,
	[NTPK_A_STATE_NOW_DISP_NS] = NTPK_NL_GET_ONLY,
	[NTPK_A_STATE_NOW_UNIX_NS] = NTPK_NL_GET_ONLY,
	[NTPK_A_STATE_LIMIT_CLIENTS] = NLA_POLICY_FULL_RANGE(NLA_U32, &clients_range),
	[NTPK_A_STATE_BUDGET_PER_S] = NLA_POLICY_FULL_RANGE(NLA_U32, &budget_range),
	[NTPK_A_STATE_NO_CLIENTLOG] = NLA_POLICY_MAX(NLA_U8, 1),
};

static const struct ntpk_nl_required state_required[] = {
	{ NTPK_A_STATE_CLOCK_SEQ, "CLOCK_SEQ is missing in STATE" },
	{ NTPK_A_STATE_BASE_RAW_NS, "BASE_RAW_NS is missing in STATE" },
	{ NTPK_A_STATE_BASE_UNIX_NS, "BASE_UNIX_NS is missing in STATE" },
	{ NTPK_A_STATE_RATE_Q48, "RATE_Q48 is missing in STATE" },
	{ NTPK_A_STATE_ROOT_DISP_NS, "ROOT_DISP_NS is missing in STATE" },
	{ NTPK_A_STATE_DISP_RATE_PPB, "DISP_RATE_PPB is missing in STATE" },
	{ NTPK_A_STATE_LEAP, "LEAP is missing in STATE" },
	{ NTPK_A_STATE_STRATUM, "STRATUM is missing in STATE" },
	{ NTPK_A_STATE_REFID, "REFID is missing in STATE" },
	{ NTPK_A_STATE_REF_UNIX_NS, "REF_UNIX_NS is missing in STATE" },
	{ NTPK_A_STATE_ROOT_DELAY_NS, "ROOT_DELAY_NS is missing in STATE" },
	{ NTPK_A_STATE_PRECISION_LOG2S, "PRECISION_LOG2S is missing in STATE" },
	{ NTPK_A_STATE_DEADLINE_BOOT_NS, "DEADLINE_BOOT_NS is missing in STATE" },
	{ NTPK_A_STATE_MAX_DIST_NS, "MAX_DIST_NS is missing in STATE" },
	{ NTPK_A_STATE_PUSH_INTERVAL_NS, "PUSH_INTERVAL_NS is missing in STATE" },
	{ NTPK_A_STATE_LISTENER, "LISTENER is missing in STATE" },
};

static void parse_serve(struct nlattr **tb, struct ntp_serve *serve)
{
	serve->clock_seq = nla_get_u32(tb[NTPK_A_STATE_CLOCK_SEQ]);
	serve->line.base_raw_ns = nla_get_s64(tb[NTPK_A_STATE_BASE_RAW_NS]);
	serve->line.base_unix_ns = nla_get_s64(tb[NTPK_A_STATE_BASE_UNIX_NS]);
	serve->line.rate_q48 = nla_get_s64(tb[NTPK_A_STATE_RATE_Q48]);
	serve->root_disp_ns = nla_get_u64(tb[NTPK_A_STATE_ROOT_DISP_NS]);
	serve->disp_rate_ppb = nla_get_u32(tb[NTPK_A_STATE_DISP_RATE_PPB]);
	serve->leap = nla_get_u8(tb[NTPK_A_STATE_LEAP]);
	serve->stratum = nla_get_u8(tb[NTPK_A_STATE_STRATUM]);
	nla_memcpy(&serve->refid, tb[NTPK_A_STATE_REFID], sizeof(serve->refid));
	serve->ref_unix_ns = nla_get_s64(tb[NTPK_A_STATE_REF_UNIX_NS]);
	serve->root_delay_ns = nla_get_u64(tb[NTPK_A_STATE_ROOT_DELAY_NS]);
	serve->precision_log2s = nla_get_s8(tb[NTPK_A_STATE_PRECISION_LOG2S]);
	serve->deadline_boot_ns = nla_get_s64(tb[NTPK_A_STATE_DEADLINE_BOOT_NS]);
	serve->max_dist_ns = nla_get_u64(tb[NTPK_A_STATE_MAX_DIST_NS]);
	serve->push_interval_ns = nla_get_u64(tb[NTPK_A_STATE_PUSH_INTERVAL_NS]);
}

static int parse_state(const struct nlattr *nest, struct ntpk_state *state,
		       struct netlink_ext_ack *extack)
{
	struct nlattr *tb[NTPK_A_STATE_MAX + 1];
	const char *text;
	int err;

	err = nla_parse_nested(tb, NTPK_A_STATE_MAX, nest, ntpk_nl_state_policy, extack);
	if (!err)
		err = ntpk_nl_check_once(nest, NTPK_A_STATE_LISTENER, extack);
	if (!err)
		err = ntpk_nl_check_required(tb, nest, state_required, ARRAY_SIZE(state_required),
					     extack);
	if (!err)
		err = ntpk_nl_parse_listeners(nest, state, extack);
	if (err)
		return err;
	parse_serve(tb, &state->serve);
	state->limit_clients = tb[NTPK_A_STATE_LIMIT_CLIENTS] ?
			       nla_get_u32(tb[NTPK_A_STATE_LIMIT_CLIENTS]) :
			       NTPK_LIMIT_CLIENTS_DEFAULT;
	if (tb[NTPK_A_STATE_BUDGET_PER_S])
		state->budget_per_s = nla_get_u32(tb[NTPK_A_STATE_BUDGET_PER_S]);
	if (tb[NTPK_A_STATE_NO_CLIENTLOG])
		state->no_clientlog = nla_get_u8(tb[NTPK_A_STATE_NO_CLIENTLOG]);
	text = ntp_serve_check(&state->serve);
	return text ? ntpk_nl_refuse(extack, nest, -ERANGE, text) : 0;
}

static int push_refused(struct genl_info *info, int err)
{
	struct nlattr *nest = info->attrs[NTPK_A_STATE];

	switch (err) {
	case -ENOTCONN:
		return ntpk_nl_refuse(info->extack, nest, err,
				      "this network namespace is not attached: send ATTACH first");
	case -ESTALE:
		return ntpk_nl_refuse(info->extack, nest, err,
				      "the clock was set since CLOCK_SEQ: send GET_CLOCK and compute anew");
	case -ERANGE:
		return ntpk_nl_refuse(info->extack, nest, err, "BASE_RAW_NS must not be ahead of CLOCK_MONOTONIC_RAW, nor years behind");
	case -E2BIG:
		return ntpk_nl_refuse(info->extack, nest, err,
				      "LIMIT_CLIENTS may be 65536 at most in a namespace of an unprivileged owner");
	case -ENOMEM:
		return ntpk_nl_refuse(info->extack, nest, err, "no memory for so many LIMIT_CLIENTS");
	default:
		return err;
	}
}

/** ntpk_nl_set_state_doit() - NTPK_CMD_SET_STATE */
int ntpk_nl_set_state_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct ntpk_state *state;
	int err = ntpk_nl_check_change(skb, info, NTPK_A_STATE);

	if (err)
		return err;
	if (!info->attrs[NTPK_A_STATE]) {
		NL_SET_ERR_ATTR_MISS(info->extack, NULL, NTPK_A_STATE);
		NL_SET_ERR_MSG(info->extack, "STATE is missing");
		return -EINVAL;
	}
	err = ntpk_nl_count_listeners(info->attrs[NTPK_A_STATE], info->extack);
	if (err < 0)
		return err;
	state = ntpk_state_alloc(err);
	if (!state) {
		NL_SET_ERR_MSG(info->extack, "no memory for the state");
		return -ENOMEM;
	}
	err = parse_state(info->attrs[NTPK_A_STATE], state, info->extack);
	if (err)
		goto free_state;
	err = ntpk_state_push(genl_info_net(info), state);
	if (err) {
		err = push_refused(info, err);
		goto free_state;
	}
	return 0;

free_state:
	kfree(state);
	return err;
}

static int put_u64(struct sk_buff *msg, int type, u64 v)
{
	return nla_put_u64_64bit(msg, type, v, NTPK_A_STATE_PAD);
}

static int put_s64(struct sk_buff *msg, int type, s64 v)
{
	return nla_put_s64(msg, type, v, NTPK_A_STATE_PAD);
}

static int fill_serve(struct sk_buff *msg, const struct ntp_serve *serve)
{
	if (nla_put_u32(msg, NTPK_A_STATE_CLOCK_SEQ, serve->clock_seq) ||
	    put_s64(msg, NTPK_A_STATE_BASE_RAW_NS, serve->line.base_raw_ns) ||
	    put_s64(msg, NTPK_A_STATE_BASE_UNIX_NS, serve->line.base_unix_ns) ||
	    put_s64(msg, NTPK_A_STATE_RATE_Q48, serve->line.rate_q48) ||
	    put_u64(msg, NTPK_A_STATE_ROOT_DISP_NS, serve->root_disp_ns) ||
	    nla_put_u32(msg, NTPK_A_STATE_DISP_RATE_PPB, serve->disp_rate_ppb) ||
	    nla_put_u8(msg, NTPK_A_STATE_LEAP, serve->leap) ||
	    nla_put_u8(msg, NTPK_A_STATE_STRATUM, serve->stratum) ||
	    nla_put(msg, NTPK_A_STATE_REFID, sizeof(serve->refid), &serve->refid) ||
	    put_s64(msg, NTPK_A_STATE_REF_UNIX_NS, serve->ref_unix_ns) ||
	    put_u64(msg, NTPK_A_STATE_ROOT_DELAY_NS, serve->root_delay_ns) ||
	    nla_put_s8(msg, NTPK_A_STATE_PRECISION_LOG2S, serve->precision_log2s) ||
	    put_s64(msg, NTPK_A_STATE_DEADLINE_BOOT_NS, serve->deadline_boot_ns) ||
	    put_u64(msg, NTPK_A_STATE_MAX_DIST_NS, serve->max_dist_ns) ||
	    put_u64(msg, NTPK_A_STATE_PUSH_INTERVAL_NS, serve->push_interval_ns))
		return -EMSGSIZE;
	return 0;
}

static int fill_pushed(struct sk_buff *msg, const struct ntpk_view *view)
{
	if (fill_serve(msg, &view->serve) || ntpk_nl_fill_listeners(msg, view->state) ||
	    nla_put_u32(msg, NTPK_A_STATE_LIMIT_CLIENTS, view->state->limit_clients) ||
	    (view->state->budget_per_s &&
	     nla_put_u32(msg, NTPK_A_STATE_BUDGET_PER_S, view->state->budget_per_s)) ||
	    (view->state->no_clientlog && nla_put_u8(msg, NTPK_A_STATE_NO_CLIENTLOG, 1)) ||
	    put_u64(msg, NTPK_A_STATE_AGE_NS, view->age_ns) ||
	    put_u64(msg, NTPK_A_STATE_NOW_DISP_NS, view->disp_ns))
		return -EMSGSIZE;
	if (view->unix_ns == NTP_LINE_NOWHERE)
		return 0;
	return put_s64(msg, NTPK_A_STATE_NOW_UNIX_NS, view->unix_ns);
}

static int fill_state(struct sk_buff *msg, struct net *net)
{
	struct nlattr *nest = nla_nest_start(msg, NTPK_A_STATE);
	struct ntpk_view view;

	int err = 0;

	rcu_read_lock();
	ntpk_state_view(net, &view);
	if (!nest || nla_put_u32(msg, NTPK_A_STATE_STATUS, view.status) ||
	    put_u64(msg, NTPK_A_STATE_PUSHES, view.pushes) ||
	    (view.pushed && fill_pushed(msg, &view)))
		err = -EMSGSIZE;
	else
		nla_nest_end(msg, nest);
	rcu_read_unlock();
	return err;
}

/** ntpk_nl_get_state_doit() - NTPK_CMD_GET_STATE */
int ntpk_nl_get_state_doit(struct sk_buff *skb, struct genl_info *info)
{
	return ntpk_nl_reply_with(info, NTPK_CMD_GET_STATE, fill_state);
}
