// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Clients over the netlink client.  Process context; one handle per thread, no locking.
 */
#include "nl/nl_call.h"
#include "nl/nl_clients.h"

/* struct taker - who takes the clients of all messages */
struct taker {
	int (*each)(void *ctx, const struct ntpk_nl_client *client);
	void *ctx;
};

static int take_message(void *ctx, const struct nlmsghdr *nlh)
{
	const struct taker *t = ctx;

	return nl_clients_parse(nlh, t->each, t->ctx);
}

int ntpk_nl_get_clients(struct ntpk_nl *nl, const struct ntpk_nl_client_filter *filter,
			int (*each)(void *ctx, const struct ntpk_nl_client *client), void *ctx)
{
	struct taker t = { each, ctx };
	struct nlmsghdr *nlh = nl_call_begin(nl, NTPK_CMD_GET_CLIENTS, false);

	if (filter)
		nl_clients_put_filter(nlh, filter);
	return nl_dump(nl, take_message, &t);
}
