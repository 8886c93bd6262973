// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The clocks of network devices over the netlink client.  Process context; one
 * handle per thread, no locking.
 */
#include "nl/nl_call.h"
#include "nl/nl_phc.h"

int ntpk_nl_set_phc(struct ntpk_nl *nl, const struct ntpk_nl_phc *map)
{
	struct nlmsghdr *answer;

	nl_phc_put_map(nl_call_begin(nl, NTPK_CMD_SET_PHC, true), map);
	return nl_call(nl, &answer);
}

int ntpk_nl_drop_phc(struct ntpk_nl *nl, uint32_t ifindex)
{
	struct nlmsghdr *answer;

	nl_phc_put_none(nl_call_begin(nl, NTPK_CMD_SET_PHC, true), ifindex);
	return nl_call(nl, &answer);
}

/* struct taker - who takes the maps of all messages */
struct taker {
	int (*each)(void *ctx, const struct ntpk_nl_phc_view *view);
	void *ctx;
};

static int take_message(void *ctx, const struct nlmsghdr *nlh)
{
	const struct taker *t = ctx;
	struct ntpk_nl_phc_view view;
	int ret = nl_phc_parse(nlh, &view);

	return ret < 0 ? ret : t->each(t->ctx, &view);
}

int ntpk_nl_get_phcs(struct ntpk_nl *nl,
		     int (*each)(void *ctx, const struct ntpk_nl_phc_view *view), void *ctx)
{
	struct taker t = { each, ctx };

	nl_call_begin(nl, NTPK_CMD_GET_PHC, false);
	return nl_dump(nl, take_message, &t);
}
