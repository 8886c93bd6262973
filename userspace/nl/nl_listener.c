// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Listeners in messages, see nl_listener.h.  Pure.
 */
#include <errno.h>
#include <string.h>
#include "nl/nl_fields.h"
#include "nl/nl_listener.h"

static const struct nl_field always[] = {
	NL_FIELD(ntpk_nl_listener, NTPK_A_LISTENER_PORT, port, true),
	NL_FIELD(ntpk_nl_listener, NTPK_A_LISTENER_NEVER_SYNCED, policy.never_synced, false),
	NL_FIELD(ntpk_nl_listener, NTPK_A_LISTENER_EXPIRED, policy.expired, false),
	NL_FIELD(ntpk_nl_listener, NTPK_A_LISTENER_FLAGS, policy.flags, false),
};

/* 0 is what their absence means. */
static const struct nl_field unless_zero[] = {
	NL_FIELD(ntpk_nl_listener, NTPK_A_LISTENER_IFINDEX, ifindex, false),
	NL_FIELD(ntpk_nl_listener, NTPK_A_LISTENER_MAX_STRATUM, policy.max_stratum, false),
	NL_FIELD(ntpk_nl_listener, NTPK_A_LISTENER_VERSIONS, policy.versions, false),
	NL_FIELD(ntpk_nl_listener, NTPK_A_LISTENER_MAX_DIST_NS, policy.max_dist_ns, false),
};

static const struct nl_field limit_fields[] = {
	NL_FIELD(ntp_limit, NTPK_A_LIMIT_INTERVAL_LOG2S, interval_log2s, true),
	NL_FIELD(ntp_limit, NTPK_A_LIMIT_BURST, burst, true),
	NL_FIELD(ntp_limit, NTPK_A_LIMIT_LEAK_LOG2, leak_log2, true),
	NL_FIELD(ntp_limit, NTPK_A_LIMIT_KOD_LOG2, kod_log2, true),
	NL_FIELD(ntp_limit, NTPK_A_LIMIT_NAT, nat, true),
	NL_FIELD(ntp_limit, NTPK_A_LIMIT_PREFIX_V4, prefix_v4, true),
	NL_FIELD(ntp_limit, NTPK_A_LIMIT_PREFIX_V6, prefix_v6, true),
};

static const struct nl_field piece_fields[] = {
	NL_FIELD(ntp_piece, NTPK_A_PIECE_FROM_UNIX_NS, from_unix_ns, true),
	NL_FIELD(ntp_piece, NTPK_A_PIECE_OFFSET_NS, offset_ns, true),
	NL_FIELD(ntp_piece, NTPK_A_PIECE_RATE_Q48, rate_q48, true),
	NL_FIELD(ntp_piece, NTPK_A_PIECE_CURVE_Q112, curve_q112, true),
};

static void put_limit(struct nlmsghdr *nlh, const struct ntp_limit *limit)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, NTPK_A_LISTENER_LIMIT);

	nl_put_fields(nlh, limit_fields, NL_LEN(limit_fields), limit);
	mnl_attr_nest_end(nlh, nest);
}

static int parse_limit(const struct nlattr *nest, struct ntp_limit *limit)
{
	struct nl_walk w = nl_walk_nest(nest);
	int ret = nl_parse_fields(w, limit_fields, NL_LEN(limit_fields), limit);

	if (ret < 0)
		return ret;
	if (limit->interval_log2s < NTPK_LIMIT_INTERVAL_LOG2S_MIN ||
	    limit->interval_log2s > NTPK_LIMIT_INTERVAL_LOG2S_MAX || !limit->nat ||
	    !ntp_limit_complete(limit))
		return -EBADMSG;
	return 0;
}

void nl_put_listener(struct nlmsghdr *nlh, const struct ntpk_nl_listener *l)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, NTPK_A_STATE_LISTENER), *piece;
	uint32_t i;

	nl_put_fields(nlh, always, NL_LEN(always), l);
	nl_put_nonzero(nlh, unless_zero, NL_LEN(unless_zero), l);
	if (l->addr_len)
		mnl_attr_put(nlh, NTPK_A_LISTENER_ADDR, l->addr_len, l->addr);
	for (i = 0; i < l->policy.correction.len; i++) {
		piece = mnl_attr_nest_start(nlh, NTPK_A_LISTENER_PIECE);
		nl_put_fields(nlh, piece_fields, NL_LEN(piece_fields),
			      &l->policy.correction.piece[i]);
		mnl_attr_nest_end(nlh, piece);
	}
	if (l->policy.limit.cost)
		put_limit(nlh, &l->policy.limit);
	if (l->acl[0])
		mnl_attr_put_strz(nlh, NTPK_A_LISTENER_ACL, l->acl);
	mnl_attr_nest_end(nlh, nest);
}

static int parse_piece(const struct nlattr *nest, struct ntp_correction *c)
{
	if (c->len == NTPK_PIECES_MAX)
		return -EBADMSG;
	return nl_parse_fields(nl_walk_nest(nest), piece_fields, NL_LEN(piece_fields),
			       &c->piece[c->len++]);
}

static int parse_addr(const struct nlattr *attr, struct ntpk_nl_listener *l)
{
	uint16_t len = mnl_attr_get_payload_len(attr);

	if (len != 4 && len != 16)
		return -EBADMSG;
	l->addr_len = (uint8_t)len;
	memcpy(l->addr, mnl_attr_get_payload(attr), len);
	return 0;
}

static int parse_acl(const struct nlattr *attr, struct ntpk_nl_listener *l)
{
	const char *name = mnl_attr_get_payload(attr);
	size_t len = mnl_attr_get_payload_len(attr);

	if (!len || len > sizeof(l->acl) || memchr(name, '\0', len) != &name[len - 1])
		return -EBADMSG;
	memcpy(l->acl, name, len);
	return 0;
}

int nl_parse_listener(const struct nlattr *nest, struct ntpk_nl_listener *l)
{
	struct nl_walk w = nl_walk_nest(nest);
	const struct nlattr *attr;
	int ret;

	ret = nl_parse_fields(w, always, NL_LEN(always), l);
	if (ret == 0)
		ret = nl_parse_fields(w, unless_zero, NL_LEN(unless_zero), l);
	while (ret == 0 && (ret = nl_walk_next(&w, &attr)) > 0) {
		ret = 0;
		if (mnl_attr_get_type(attr) == NTPK_A_LISTENER_PIECE)
			ret = parse_piece(attr, &l->policy.correction);
		else if (mnl_attr_get_type(attr) == NTPK_A_LISTENER_LIMIT)
			ret = parse_limit(attr, &l->policy.limit);
		else if (mnl_attr_get_type(attr) == NTPK_A_LISTENER_ADDR)
			ret = parse_addr(attr, l);
		else if (mnl_attr_get_type(attr) == NTPK_A_LISTENER_ACL)
			ret = parse_acl(attr, l);
	}
	return ret;
}
