// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Messages that every generic netlink family shares: the answer of the "nlctrl"
 * family about ours, and errors with their extended acknowledgement.  Pure.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <linux/genetlink.h>
#include "nl/nl_fields.h"
#include "nl/nl_msg.h"

static bool has(const struct nlattr *attr, size_t size)
{
	return attr && mnl_attr_get_payload_len(attr) == size;
}

static bool is_string(const struct nlattr *attr, const char *s)
{
	size_t len = strlen(s) + 1;

	return has(attr, len) && memcmp(mnl_attr_get_payload(attr), s, len) == 0;
}

static void take_group(const struct nlattr *group, struct nl_family *out)
{
	const struct nlattr *tb[CTRL_ATTR_MCAST_GRP_MAX + 1] = { NULL };

	if (!nl_collect(nl_walk_nest(group), tb, CTRL_ATTR_MCAST_GRP_MAX) &&
	    is_string(tb[CTRL_ATTR_MCAST_GRP_NAME], NTPK_MCGRP_EVENTS) &&
	    has(tb[CTRL_ATTR_MCAST_GRP_ID], sizeof(uint32_t)))
		out->events_group = mnl_attr_get_u32(tb[CTRL_ATTR_MCAST_GRP_ID]);
}

int nl_msg_parse_family(const struct nlmsghdr *nlh, struct nl_family *out)
{
	const struct nlattr *tb[CTRL_ATTR_MCAST_GROUPS + 1] = { NULL };
	const struct nlattr *group;
	struct nl_walk w;

	memset(out, 0, sizeof(*out));
	if (nlh->nlmsg_type != GENL_ID_CTRL ||
	    nl_walk_message(nlh, sizeof(struct genlmsghdr), &w) ||
	    nl_collect(w, tb, CTRL_ATTR_MCAST_GROUPS) ||
	    !has(tb[CTRL_ATTR_FAMILY_ID], sizeof(uint16_t)))
		return -EBADMSG;
	out->id = mnl_attr_get_u16(tb[CTRL_ATTR_FAMILY_ID]);
	if (out->id < NLMSG_MIN_TYPE)
		return -EBADMSG;
	if (tb[CTRL_ATTR_MCAST_GROUPS])
		for (w = nl_walk_nest(tb[CTRL_ATTR_MCAST_GROUPS]); nl_walk_next(&w, &group) > 0;)
			take_group(group, out);
	return 0;
}

enum ntpk_nl_change nl_msg_parse_change(const struct nlmsghdr *nlh)
{
	const struct nlattr *tb[CTRL_ATTR_FAMILY_NAME + 1] = { NULL };
	const struct genlmsghdr *genl = mnl_nlmsg_get_payload(nlh);
	struct nl_walk w;

	if (nlh->nlmsg_type != GENL_ID_CTRL ||
	    nl_walk_message(nlh, sizeof(struct genlmsghdr), &w) ||
	    nl_collect(w, tb, CTRL_ATTR_FAMILY_NAME) ||
	    !is_string(tb[CTRL_ATTR_FAMILY_NAME], NTPK_FAMILY_NAME))
		return NTPK_NL_NO_CHANGE;
	if (genl->cmd == CTRL_CMD_NEWFAMILY)
		return NTPK_NL_CAME;
	return genl->cmd == CTRL_CMD_DELFAMILY ? NTPK_NL_WENT : NTPK_NL_NO_CHANGE;
}

/* The kernel's words, as one printable line. */
static void take_text(const struct nlattr *attr, char *text, size_t len)
{
	const char *s = mnl_attr_get_payload(attr);
	size_t n = strnlen(s, mnl_attr_get_payload_len(attr));
	size_t i;

	if (n >= len)
		n = len - 1;
	for (i = 0; i < n; i++)
		text[i] = s[i] >= ' ' && s[i] < 0x7f ? s[i] : '?';
	text[n] = '\0';
}

/* Says which attribute of the request the kernel pointed at. */
static void add_attribute(const struct nlattr *offs, const struct nlmsghdr *req, char *text,
			  size_t len)
{
	size_t at = mnl_attr_get_u32(offs), n = strlen(text);
	struct nlattr attr;

	if (at < MNL_NLMSG_HDRLEN || req->nlmsg_len < sizeof(attr) ||
	    at > req->nlmsg_len - sizeof(attr))
		return;
	memcpy(&attr, (const char *)req + at, sizeof(attr));
	snprintf(text + n, len - n, "%s(attribute %u)", n ? " " : "",
		 attr.nla_type & NLA_TYPE_MASK);
}

static void add_missing(const struct nlattr *type, char *text, size_t len)
{
	size_t n = strlen(text);

	snprintf(text + n, len - n, "%s(attribute %u is missing)", n ? " " : "",
		 mnl_attr_get_u32(type));
}

/* The words of the attributes that stand after @skip bytes of payload. */
static void take_words(const struct nlmsghdr *nlh, size_t skip, const struct nlmsghdr *req,
		       char *text, size_t len)
{
	const struct nlattr *tb[NLMSGERR_ATTR_MISS_NEST + 1] = { NULL };
	struct nl_walk w;

	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	/* words that are not whole are none */
	if (nl_walk_message(nlh, skip, &w) || nl_collect(w, tb, NLMSGERR_ATTR_MISS_NEST))
		return;
	if (tb[NLMSGERR_ATTR_MSG])
		take_text(tb[NLMSGERR_ATTR_MSG], text, len);
	if (req && has(tb[NLMSGERR_ATTR_OFFS], sizeof(uint32_t)))
		add_attribute(tb[NLMSGERR_ATTR_OFFS], req, text, len);
	if (has(tb[NLMSGERR_ATTR_MISS_TYPE], sizeof(uint32_t)))
		add_missing(tb[NLMSGERR_ATTR_MISS_TYPE], text, len);
}

int nl_msg_parse_error(const struct nlmsghdr *nlh, const struct nlmsghdr *req, char *text,
		       size_t len)
{
	const struct nlmsgerr *err = mnl_nlmsg_get_payload(nlh);
	size_t skip = sizeof(*err);

	text[0] = '\0';
	if (nlh->nlmsg_type != NLMSG_ERROR || nlh->nlmsg_len < MNL_NLMSG_HDRLEN + sizeof(*err) ||
	    err->error > 0)
		return -EBADMSG;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED) && err->msg.nlmsg_len > MNL_NLMSG_HDRLEN)
		skip += err->msg.nlmsg_len - MNL_NLMSG_HDRLEN;
	take_words(nlh, skip, req, text, len);
	return err->error;
}

int nl_msg_parse_done(const struct nlmsghdr *nlh, const struct nlmsghdr *req, char *text,
		      size_t len)
{
	const int *err = mnl_nlmsg_get_payload(nlh);

	text[0] = '\0';
	if (nlh->nlmsg_type != NLMSG_DONE || nlh->nlmsg_len < MNL_NLMSG_HDRLEN + sizeof(*err) ||
	    *err > 0)
		return -EBADMSG;
	take_words(nlh, sizeof(*err), req, text, len);
	return *err;
}
