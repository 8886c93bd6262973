// SPDX-License-Identifier: GPL-2.0-only
/*
 * The command GET_HIST.  Process context.
 */
#include <net/genetlink.h>

#include "hist.h"
#include "netlink_priv.h"
#include "state_view.h"

static int fill_worst(struct sk_buff *msg, const struct ntpk_worst *worst)
{
	struct nlattr *nest = nla_nest_start(msg, NTPK_A_HIST_WORST);

	if (!nest ||
	    nla_put_u64_64bit(msg, NTPK_A_WORST_RESIDENCE_NS, worst->residence_ns,
			      NTPK_A_WORST_PAD) ||
	    nla_put_u64_64bit(msg, NTPK_A_WORST_T2_AGE_NS, worst->t2_age_ns, NTPK_A_WORST_PAD) ||
	    nla_put_u64_64bit(msg, NTPK_A_WORST_RAW_NS, worst->raw_ns, NTPK_A_WORST_PAD) ||
	    nla_put_u32(msg, NTPK_A_WORST_CPU, worst->cpu) ||
	    nla_put_u32(msg, NTPK_A_WORST_IFINDEX, worst->ifindex) ||
	    nla_put_u32(msg, NTPK_A_WORST_QUEUE, worst->queue))
		return -EMSGSIZE;
	nla_nest_end(msg, nest);
	return 0;
}

static int fill_view(struct sk_buff *msg, const struct ntpk_hist_view *view)
{
	struct nlattr *nest = nla_nest_start(msg, NTPK_A_HIST);
	unsigned int i;

	if (!nest ||
	    nla_put(msg, NTPK_A_HIST_RESIDENCE, sizeof(view->residence), view->residence) ||
	    nla_put(msg, NTPK_A_HIST_T2_AGE, sizeof(view->t2_age), view->t2_age))
		return -EMSGSIZE;
	for (i = 0; i < view->n_worst; i++)
		if (fill_worst(msg, &view->worst[i]))
			return -EMSGSIZE;
	nla_nest_end(msg, nest);
	return 0;
}

static int fill_hist(struct sk_buff *msg, struct net *net)
{
	struct ntpk_hist_view *view = kmalloc(sizeof(*view), GFP_KERNEL);
	int err;

	if (!view)
		return -ENOMEM;
	ntpk_state_read_hist(net, view);
	err = fill_view(msg, view);
	kfree(view);
	return err;
}

/** ntpk_nl_get_hist_doit() - what answers take */
int ntpk_nl_get_hist_doit(struct sk_buff *skb, struct genl_info *info)
{
	return ntpk_nl_reply_with(info, NTPK_CMD_GET_HIST, fill_hist);
}
