// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Building and parsing of the family's messages.  One table per nest serves
 * both directions, so that what is sent and what is understood cannot drift
 * apart.  Pure: buffers in, structs out.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <linux/genetlink.h>
#include "nl/nl_fields.h"
#include "nl/nl_listener.h"
#include "nl/nl_msg.h"

static const struct nl_field clock_fields[] = {
	NL_FIELD(ntpk_nl_clock, NTPK_A_CLOCK_SEQ, seq, true),
	NL_FIELD(ntpk_nl_clock, NTPK_A_CLOCK_RAW_NS, raw_ns, true),
	NL_FIELD(ntpk_nl_clock, NTPK_A_CLOCK_REAL_NS, real_ns, true),
	NL_FIELD(ntpk_nl_clock, NTPK_A_CLOCK_BOOT_NS, boot_ns, true),
};

/* What a push carries. */
static const struct nl_field serve_fields[] = {
	NL_FIELD(ntp_serve, NTPK_A_STATE_CLOCK_SEQ, clock_seq, true),
	NL_FIELD(ntp_serve, NTPK_A_STATE_BASE_RAW_NS, line.base_raw_ns, true),
	NL_FIELD(ntp_serve, NTPK_A_STATE_BASE_UNIX_NS, line.base_unix_ns, true),
	NL_FIELD(ntp_serve, NTPK_A_STATE_RATE_Q48, line.rate_q48, true),
	NL_FIELD(ntp_serve, NTPK_A_STATE_ROOT_DISP_NS, root_disp_ns, true),
	NL_FIELD(ntp_serve, NTPK_A_STATE_DISP_RATE_PPB, disp_rate_ppb, true),
	NL_FIELD(ntp_serve, NTPK_A_STATE_LEAP, leap, true),
	NL_FIELD(ntp_serve, NTPK_A_STATE_STRATUM, stratum, true),
	NL_FIELD(ntp_serve, NTPK_A_STATE_REFID, refid, true),
	NL_FIELD(ntp_serve, NTPK_A_STATE_REF_UNIX_NS, ref_unix_ns, true),
	NL_FIELD(ntp_serve, NTPK_A_STATE_ROOT_DELAY_NS, root_delay_ns, true),
	NL_FIELD(ntp_serve, NTPK_A_STATE_PRECISION_LOG2S, precision_log2s, true),
	NL_FIELD(ntp_serve, NTPK_A_STATE_DEADLINE_BOOT_NS, deadline_boot_ns, true),
	NL_FIELD(ntp_serve, NTPK_A_STATE_MAX_DIST_NS, max_dist_ns, true),
	NL_FIELD(ntp_serve, NTPK_A_STATE_PUSH_INTERVAL_NS, push_interval_ns, true),
};

/* What listeners share: 0 is what its absence means. */
static const struct nl_field shared_fields[] = {
	NL_FIELD(ntpk_nl_listeners, NTPK_A_STATE_LIMIT_CLIENTS, limit_clients, false),
	NL_FIELD(ntpk_nl_listeners, NTPK_A_STATE_BUDGET_PER_S, budget_per_s, false),
	NL_FIELD(ntpk_nl_listeners, NTPK_A_STATE_NO_CLIENTLOG, no_clientlog, false),
};

/* What the module adds when asked. */
static const struct nl_field status_fields[] = {
	NL_FIELD(ntpk_nl_state, NTPK_A_STATE_STATUS, status, false),
	NL_FIELD(ntpk_nl_state, NTPK_A_STATE_AGE_NS, age_ns, false),
	NL_FIELD(ntpk_nl_state, NTPK_A_STATE_PUSHES, pushes, false),
	NL_FIELD(ntpk_nl_state, NTPK_A_STATE_NOW_DISP_NS, now_disp_ns, false),
	NL_FIELD(ntpk_nl_state, NTPK_A_STATE_NOW_UNIX_NS, now_unix_ns, false),
};

static const struct nl_field worst_fields[] = {
	NL_FIELD(ntpk_nl_worst, NTPK_A_WORST_RESIDENCE_NS, residence_ns, true),
	NL_FIELD(ntpk_nl_worst, NTPK_A_WORST_T2_AGE_NS, t2_age_ns, true),
	NL_FIELD(ntpk_nl_worst, NTPK_A_WORST_RAW_NS, raw_ns, true),
	NL_FIELD(ntpk_nl_worst, NTPK_A_WORST_CPU, cpu, true),
	NL_FIELD(ntpk_nl_worst, NTPK_A_WORST_IFINDEX, ifindex, true),
	NL_FIELD(ntpk_nl_worst, NTPK_A_WORST_QUEUE, queue, true),
};

static const struct nl_field hist_fields[] = {
	NL_FIELD(ntpk_nl_hist, NTPK_A_HIST_RESIDENCE, residence, true),
	NL_FIELD(ntpk_nl_hist, NTPK_A_HIST_T2_AGE, t2_age, true),
};

static const struct nl_field event_fields[] = {
	NL_FIELD(ntpk_nl_event, NTPK_A_EVENT_KIND, kind, true),
	NL_FIELD(ntpk_nl_event, NTPK_A_EVENT_STATUS, status, true),
	NL_FIELD(ntpk_nl_event, NTPK_A_EVENT_QUIRK, quirk, false),
	NL_FIELD(ntpk_nl_event, NTPK_A_EVENT_PKTS, pkts, false),
};

_Static_assert(sizeof(enum ntpk_status) == 4 && sizeof(enum ntpk_policy) == 4,
	       "enums are u32 on the netlink");

/* The nest of this type at the top level. */
int nl_walk_top(const struct nlmsghdr *nlh, uint16_t type, struct nl_walk *w)
{
	const struct nlattr *attr, *found = NULL;
	int ret = nl_walk_message(nlh, sizeof(struct genlmsghdr), w);

	if (ret < 0)
		return ret;
	while ((ret = nl_walk_next(w, &attr)) > 0)
		if (mnl_attr_get_type(attr) == type)
			found = attr;
	if (ret < 0 || !found)
		return -EBADMSG;
	*w = nl_walk_nest(found);
	return 0;
}

struct nlmsghdr *nl_msg_begin(void *buf, uint16_t type, uint8_t cmd, uint8_t version,
			      uint32_t seq, bool ack)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct genlmsghdr *genl;

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | (ack ? NLM_F_ACK : 0);
	nlh->nlmsg_seq = seq;
	genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));
	genl->cmd = cmd;
	genl->version = version;
	return nlh;
}

void nl_msg_put_getfamily(struct nlmsghdr *nlh, const char *name)
{
	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, name);
}

void nl_msg_put_state(struct nlmsghdr *nlh, const struct ntp_serve *serve,
		      const struct ntpk_nl_listeners *listeners)
{
	struct nlattr *state = mnl_attr_nest_start(nlh, NTPK_A_STATE);
	size_t i;

	nl_put_fields(nlh, serve_fields, NL_LEN(serve_fields), serve);
	nl_put_nonzero(nlh, shared_fields, NL_LEN(shared_fields), listeners);
	for (i = 0; i < listeners->len; i++)
		nl_put_listener(nlh, &listeners->of[i]);
	mnl_attr_nest_end(nlh, state);
}

int nl_msg_parse_clock(const struct nlmsghdr *nlh, struct ntpk_nl_clock *out)
{
	struct nl_walk w;
	int ret = nl_walk_top(nlh, NTPK_A_CLOCK, &w);

	memset(out, 0, sizeof(*out));
	return ret < 0 ? ret : nl_parse_fields(w, clock_fields, NL_LEN(clock_fields), out);
}

int nl_msg_parse_event(const struct nlmsghdr *nlh, struct ntpk_nl_event *out)
{
	struct nl_walk w;
	int ret = nl_walk_top(nlh, NTPK_A_EVENT, &w);

	memset(out, 0, sizeof(*out));
	return ret < 0 ? ret : nl_parse_fields(w, event_fields, NL_LEN(event_fields), out);
}

/* Is there a pushed state in this nest, and with which listeners? */
static int state_shape(struct nl_walk w, struct ntpk_nl_state *out)
{
	const struct nlattr *attr;
	int ret;

	while ((ret = nl_walk_next(&w, &attr)) > 0) {
		if (mnl_attr_get_type(attr) == NTPK_A_STATE_BASE_RAW_NS)
			out->pushed = true;
		if (mnl_attr_get_type(attr) != NTPK_A_STATE_LISTENER ||
		    out->listeners.len == NTPK_LISTENERS_MAX)
			continue;
		ret = nl_parse_listener(attr, &out->listeners.of[out->listeners.len++]);
		if (ret < 0)
			return ret;
	}
	return ret;
}

int nl_msg_parse_state(const struct nlmsghdr *nlh, struct ntpk_nl_state *out)
{
	struct nl_walk w;
	int ret;

	memset(out, 0, sizeof(*out));
	ret = nl_walk_top(nlh, NTPK_A_STATE, &w);
	if (ret < 0)
		return ret;
	ret = state_shape(w, out);
	if (ret < 0)
		return ret;
	ret = nl_parse_fields(w, status_fields, NL_LEN(status_fields), out);
	if (ret == 0)
		ret = nl_parse_fields(w, shared_fields, NL_LEN(shared_fields), &out->listeners);
	if (ret == 0 && out->pushed)
		ret = nl_parse_fields(w, serve_fields, NL_LEN(serve_fields), &out->serve);
	return ret;
}

int nl_msg_parse_hist(const struct nlmsghdr *nlh, struct ntpk_nl_hist *out)
{
	const struct nlattr *attr;
	struct nl_walk w, again;
	int ret = nl_walk_top(nlh, NTPK_A_HIST, &w);

	if (ret < 0)
		return ret;
	again = w;
	out->n_worst = 0;
	ret = nl_parse_fields(w, hist_fields, NL_LEN(hist_fields), out);
	while (ret == 0 && (ret = nl_walk_next(&again, &attr)) > 0) {
		ret = 0;
		if (mnl_attr_get_type(attr) != NTPK_A_HIST_WORST || out->n_worst == NTPK_WORST_MAX)
			continue;
		ret = nl_parse_fields(nl_walk_nest(attr), worst_fields, NL_LEN(worst_fields),
				      &out->worst[out->n_worst++]);
	}
	return ret;
}
