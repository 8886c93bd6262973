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
#include "nl/nl_msg.h"

/* One attribute that is a plain value of host byte order (refid: wire order). */
struct field {
	uint16_t type;
	uint16_t size;
	uint16_t offset;
	bool	 must;
};

#define FIELD(st, attr, member, needed) {						\
	.type = (attr), .size = sizeof(((struct st *)0)->member),			\
	.offset = offsetof(struct st, member), .must = (needed) }
#define LEN(a) (sizeof(a) / sizeof((a)[0]))

static const struct field clock_fields[] = {
	FIELD(ntpk_nl_clock, NTPK_A_CLOCK_SEQ, seq, true),
	FIELD(ntpk_nl_clock, NTPK_A_CLOCK_RAW_NS, raw_ns, true),
	FIELD(ntpk_nl_clock, NTPK_A_CLOCK_REAL_NS, real_ns, true),
	FIELD(ntpk_nl_clock, NTPK_A_CLOCK_BOOT_NS, boot_ns, true),
};

/* What a push carries. */
static const struct field serve_fields[] = {
	FIELD(ntp_serve, NTPK_A_STATE_CLOCK_SEQ, clock_seq, true),
	FIELD(ntp_serve, NTPK_A_STATE_BASE_RAW_NS, line.base_raw_ns, true),
	FIELD(ntp_serve, NTPK_A_STATE_BASE_UNIX_NS, line.base_unix_ns, true),
	FIELD(ntp_serve, NTPK_A_STATE_RATE_Q48, line.rate_q48, true),
	FIELD(ntp_serve, NTPK_A_STATE_ROOT_DISP_NS, root_disp_ns, true),
	FIELD(ntp_serve, NTPK_A_STATE_DISP_RATE_PPB, disp_rate_ppb, true),
	FIELD(ntp_serve, NTPK_A_STATE_LEAP, leap, true),
	FIELD(ntp_serve, NTPK_A_STATE_STRATUM, stratum, true),
	FIELD(ntp_serve, NTPK_A_STATE_REFID, refid, true),
	FIELD(ntp_serve, NTPK_A_STATE_REF_UNIX_NS, ref_unix_ns, true),
	FIELD(ntp_serve, NTPK_A_STATE_ROOT_DELAY_NS, root_delay_ns, true),
	FIELD(ntp_serve, NTPK_A_STATE_PRECISION_LOG2S, precision_log2s, true),
	FIELD(ntp_serve, NTPK_A_STATE_DEADLINE_BOOT_NS, deadline_boot_ns, true),
	FIELD(ntp_serve, NTPK_A_STATE_MAX_DIST_NS, max_dist_ns, true),
	FIELD(ntp_serve, NTPK_A_STATE_PUSH_INTERVAL_NS, push_interval_ns, true),
};

/* What the module adds when asked. */
static const struct field status_fields[] = {
	FIELD(ntpk_nl_state, NTPK_A_STATE_STATUS, status, false),
	FIELD(ntpk_nl_state, NTPK_A_STATE_AGE_NS, age_ns, false),
	FIELD(ntpk_nl_state, NTPK_A_STATE_PUSHES, pushes, false),
	FIELD(ntpk_nl_state, NTPK_A_STATE_NOW_DISP_NS, now_disp_ns, false),
	FIELD(ntpk_nl_state, NTPK_A_STATE_NOW_UNIX_NS, now_unix_ns, false),
};

static const struct field listener_fields[] = {
	FIELD(ntpk_nl_listener, NTPK_A_LISTENER_PORT, port, true),
	FIELD(ntpk_nl_listener, NTPK_A_LISTENER_NEVER_SYNCED, policy.never_synced, false),
	FIELD(ntpk_nl_listener, NTPK_A_LISTENER_EXPIRED, policy.expired, false),
	FIELD(ntpk_nl_listener, NTPK_A_LISTENER_FLAGS, policy.flags, false),
};

static const struct field counter_fields[] = {
	FIELD(ntpk_nl_counter, NTPK_A_COUNTER_REASON, reason, true),
	FIELD(ntpk_nl_counter, NTPK_A_COUNTER_CLASS, class, true),
	FIELD(ntpk_nl_counter, NTPK_A_COUNTER_PKTS, pkts, true),
};

struct event {
	uint32_t kind;
	uint32_t status;
};

static const struct field event_fields[] = {
	FIELD(event, NTPK_A_EVENT_KIND, kind, true),
	FIELD(event, NTPK_A_EVENT_STATUS, status, true),
};

_Static_assert(sizeof(enum ntpk_status) == 4 && sizeof(enum ntpk_policy) == 4,
	       "enums are u32 on the netlink");

static void put_fields(struct nlmsghdr *nlh, const struct field *fields, size_t n,
		       const void *from)
{
	const struct field *f;

	for (f = fields; f < fields + n; f++)
		mnl_attr_put(nlh, f->type, f->size, (const char *)from + f->offset);
}

/* A stretch of attributes being walked. */
struct walk {
	const char *at;
	size_t	 left;
};

/* Return: 1 with the next attribute, 0 at the end, -EBADMSG on rubbish. */
static int walk_next(struct walk *w, const struct nlattr **attr)
{
	size_t len;

	if (!w->left)
		return 0;
	*attr = (const struct nlattr *)w->at;
	if (w->left < sizeof(**attr) || (*attr)->nla_len < sizeof(**attr) ||
	    (*attr)->nla_len > w->left)
		return -EBADMSG;
	len = MNL_ALIGN((*attr)->nla_len);
	if (len > w->left)
		len = w->left;
	w->at += len;
	w->left -= len;
	return 1;
}

static struct walk walk_nest(const struct nlattr *attr)
{
	return (struct walk){ mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr) };
}

static int take_field(const struct nlattr *attr, const struct field *fields, size_t n, void *out,
		      uint32_t *seen)
{
	const struct field *f;

	for (f = fields; f < fields + n; f++) {
		if (f->type != mnl_attr_get_type(attr))
			continue;
		if (mnl_attr_get_payload_len(attr) != f->size)
			return -EBADMSG;
		memcpy((char *)out + f->offset, mnl_attr_get_payload(attr), f->size);
		*seen |= 1u << (f - fields);
	}
	return 0;
}

static bool complete(const struct field *fields, size_t n, uint32_t seen)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (fields[i].must && !(seen & 1u << i))
			return false;
	return true;
}

static int parse_fields(struct walk w, const struct field *fields, size_t n, void *out)
{
	const struct nlattr *attr;
	uint32_t seen = 0;
	int ret;

	while ((ret = walk_next(&w, &attr)) > 0) {
		ret = take_field(attr, fields, n, out, &seen);
		if (ret < 0)
			return ret;
	}
	if (ret < 0)
		return ret;
	return complete(fields, n, seen) ? 0 : -EBADMSG;
}

/* The attributes behind the generic netlink header. */
static int walk_message(const struct nlmsghdr *nlh, struct walk *w)
{
	const size_t head = MNL_NLMSG_HDRLEN + MNL_ALIGN(sizeof(struct genlmsghdr));

	if (nlh->nlmsg_len < head)
		return -EBADMSG;
	w->at = (const char *)nlh + head;
	w->left = nlh->nlmsg_len - head;
	return 0;
}

/* The nest of this type at the top level. */
static int walk_top(const struct nlmsghdr *nlh, uint16_t type, struct walk *w)
{
	const struct nlattr *attr, *found = NULL;
	int ret = walk_message(nlh, w);

	if (ret < 0)
		return ret;
	while ((ret = walk_next(w, &attr)) > 0)
		if (mnl_attr_get_type(attr) == type)
			found = attr;
	if (ret < 0 || !found)
		return -EBADMSG;
	*w = walk_nest(found);
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
		      const struct ntpk_nl_listener *listener)
{
	struct nlattr *state, *nest;

	state = mnl_attr_nest_start(nlh, NTPK_A_STATE);
	put_fields(nlh, serve_fields, LEN(serve_fields), serve);
	nest = mnl_attr_nest_start(nlh, NTPK_A_STATE_LISTENER);
	put_fields(nlh, listener_fields, LEN(listener_fields), listener);
	mnl_attr_nest_end(nlh, nest);
	mnl_attr_nest_end(nlh, state);
}

int nl_msg_parse_clock(const struct nlmsghdr *nlh, struct ntpk_nl_clock *out)
{
	struct walk w;
	int ret = walk_top(nlh, NTPK_A_CLOCK, &w);

	memset(out, 0, sizeof(*out));
	return ret < 0 ? ret : parse_fields(w, clock_fields, LEN(clock_fields), out);
}

int nl_msg_parse_event(const struct nlmsghdr *nlh, uint32_t *kind, uint32_t *status)
{
	struct event ev = { 0 };
	struct walk w;
	int ret = walk_top(nlh, NTPK_A_EVENT, &w);

	if (ret < 0)
		return ret;
	ret = parse_fields(w, event_fields, LEN(event_fields), &ev);
	*kind = ev.kind;
	*status = ev.status;
	return ret;
}

/* Is there a pushed state in this nest, and its (first) listener? */
static int state_shape(struct walk w, bool *pushed, const struct nlattr **listener)
{
	const struct nlattr *attr;
	int ret;

	*pushed = false;
	*listener = NULL;
	while ((ret = walk_next(&w, &attr)) > 0) {
		if (mnl_attr_get_type(attr) == NTPK_A_STATE_BASE_RAW_NS)
			*pushed = true;
		if (mnl_attr_get_type(attr) == NTPK_A_STATE_LISTENER && !*listener)
			*listener = attr;
	}
	return ret;
}

int nl_msg_parse_state(const struct nlmsghdr *nlh, struct ntpk_nl_state *out)
{
	const struct nlattr *listener;
	struct walk w;
	int ret;

	memset(out, 0, sizeof(*out));
	ret = walk_top(nlh, NTPK_A_STATE, &w);
	if (ret < 0)
		return ret;
	ret = state_shape(w, &out->pushed, &listener);
	if (ret < 0)
		return ret;
	ret = parse_fields(w, status_fields, LEN(status_fields), out);
	if (ret == 0 && out->pushed)
		ret = parse_fields(w, serve_fields, LEN(serve_fields), &out->serve);
	if (ret == 0 && listener)
		ret = parse_fields(walk_nest(listener), listener_fields, LEN(listener_fields),
				   &out->listener);
	return ret;
}

static int parse_name(struct walk w, char *name, size_t len)
{
	const struct nlattr *attr;
	size_t n;
	int ret;

	name[0] = '\0';
	while ((ret = walk_next(&w, &attr)) > 0) {
		if (mnl_attr_get_type(attr) != NTPK_A_COUNTER_NAME)
			continue;
		n = strnlen(mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr));
		if (!n || n >= len)
			return -EBADMSG;
		memcpy(name, mnl_attr_get_payload(attr), n);
		name[n] = '\0';
	}
	if (ret < 0)
		return ret;
	return name[0] ? 0 : -EBADMSG;
}

int nl_msg_parse_stats(const struct nlmsghdr *nlh, struct ntpk_nl_counter *out, size_t max)
{
	const struct nlattr *attr;
	struct walk w;
	size_t n = 0;
	int ret = walk_top(nlh, NTPK_A_STATS, &w);

	if (ret < 0)
		return ret;
	while ((ret = walk_next(&w, &attr)) > 0) {
		if (mnl_attr_get_type(attr) != NTPK_A_STATS_COUNTER || n >= max)
			continue;
		memset(&out[n], 0, sizeof(out[n]));
		ret = parse_fields(walk_nest(attr), counter_fields, LEN(counter_fields), &out[n]);
		if (ret == 0)
			ret = parse_name(walk_nest(attr), out[n].name, sizeof(out[n].name));
		if (ret < 0)
			return ret;
		n++;
	}
	return ret < 0 ? ret : (int)n;
}
