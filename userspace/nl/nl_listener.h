/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Listeners in messages.  Pure: buffers in, structs out.
 */
#ifndef NTPK_NL_LISTENER_H
#define NTPK_NL_LISTENER_H

#include <libmnl/libmnl.h>
#include "nl/ntpk_nl.h"

/**
 * nl_put_listener() - into a nest NTPK_A_STATE_LISTENER
 * @nlh: message
 * @l: listener
 */
void nl_put_listener(struct nlmsghdr *nlh, const struct ntpk_nl_listener *l);

/**
 * nl_parse_listener() - and back
 * @nest: NTPK_A_STATE_LISTENER
 * @l: zeroed, filled
 *
 * Return: 0 or -EBADMSG.
 */
int nl_parse_listener(const struct nlattr *nest, struct ntpk_nl_listener *l);

#endif /* NTPK_NL_LISTENER_H */
