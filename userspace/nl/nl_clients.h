/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages about clients, as nl_msg.h has it.  Pure. */
#ifndef NTPK_NL_CLIENTS_H
#define NTPK_NL_CLIENTS_H

#include "nl/nl_msg.h"

/**
 * nl_clients_put_filter() - the argument of NTPK_CMD_GET_CLIENTS
 * @nlh: from nl_msg_begin()
 * @filter: which clients
 */
void nl_clients_put_filter(struct nlmsghdr *nlh, const struct ntpk_nl_client_filter *filter);

/**
 * nl_clients_parse() - one message of the answer of NTPK_CMD_GET_CLIENTS
 * @nlh: message
 * @each: called for each client; a negative number ends it
 * @ctx: for @each
 *
 * Return: 0, what @each returned, or -EBADMSG.
 */
int nl_clients_parse(const struct nlmsghdr *nlh,
		     int (*each)(void *ctx, const struct ntpk_nl_client *client), void *ctx);

#endif /* NTPK_NL_CLIENTS_H */
