// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is common to all that is sent in pieces, BEGIN, ADD, COMMIT: the checks of
 * such a command, and the words for its refusal.  Process context.
 */
#include <linux/netlink.h>
#include <net/genetlink.h>

#include "netlink_priv.h"

/**
 * ntpk_nl_upload_parse() - the nest of a command
 * @skb: message
 * @info: command
 * @up: what is sent
 * @tb: out: its attributes
 * @n: how many of those of @up->required must be there
 *
 * Return: 0, -EPERM or -EINVAL, with a text.
 */
int ntpk_nl_upload_parse(struct sk_buff *skb, struct genl_info *info,
			 const struct ntpk_nl_upload *up, struct nlattr **tb, size_t n)
{
	struct nlattr *nest = info->attrs[up->attr];
	int err = ntpk_nl_check_change(skb, info, up->attr);

	if (err)
		return err;
	if (!nest) {
		NL_SET_ERR_ATTR_MISS(info->extack, NULL, up->attr);
		return ntpk_nl_refuse(info->extack, NULL, -EINVAL, up->missing);
	}
	err = nla_parse_nested(tb, up->max, nest, up->policy, info->extack);
	if (!err)
		err = ntpk_nl_check_once(nest, up->many, info->extack);
	return err ? err : ntpk_nl_check_required(tb, nest, up->required, n, info->extack);
}

/**
 * ntpk_nl_upload_refused() - the words for what is refused to all alike
 * @info: command
 * @up: what is sent
 * @attr: the bad one
 * @err: 0 or -errno
 *
 * Return: @err.
 */
int ntpk_nl_upload_refused(struct genl_info *info, const struct ntpk_nl_upload *up,
			   const struct nlattr *attr, int err)
{
	switch (err) {
	case -ENOTCONN:
		return ntpk_nl_refuse(info->extack, attr, err,
				      "this network namespace is not attached: send ATTACH first");
	case -ESTALE:
		return ntpk_nl_refuse(info->extack, attr, err, up->stale);
	case -E2BIG:
		return ntpk_nl_refuse(info->extack, attr, err, up->too_many);
	case -ENODATA:
		return ntpk_nl_refuse(info->extack, attr, err, up->too_few);
	case -ENOMEM:
		return ntpk_nl_refuse(info->extack, attr, err, up->no_memory);
	default:
		return err;
	}
}
