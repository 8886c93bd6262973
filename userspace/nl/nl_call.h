/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests over a handle, for the files of the client that are about one thing
 * each.  Process context; one handle per thread, no locking.
 */
#ifndef NTPK_NL_CALL_H
#define NTPK_NL_CALL_H

#include "nl/nl_msg.h"

/**
 * nl_call_begin() - start a request
 * @nl: handle
 * @cmd: enum ntpk_cmd
 * @ack: ask for an acknowledgement (commands without an answer of their own)
 *
 * Return: the message, of NL_MSG_REQUEST_MAX bytes, to be filled and sent.
 */
struct nlmsghdr *nl_call_begin(struct ntpk_nl *nl, uint8_t cmd, bool ack);

/**
 * nl_call() - send it and wait for the answer
 * @nl: handle
 * @answer: out, good until the next request; NULL for a plain acknowledgement
 *
 * Return: 0 or -errno.
 */
int nl_call(struct ntpk_nl *nl, struct nlmsghdr **answer);

/**
 * nl_dump() - send it as the question for a dump, and take all of that
 * @nl: handle
 * @each: called for each message; a negative number ends it
 * @ctx: for @each
 *
 * Return: 0, what @each returned, or -errno; -EINTR: it changed on the way.
 */
int nl_dump(struct ntpk_nl *nl, int (*each)(void *ctx, const struct nlmsghdr *nlh), void *ctx);

#endif /* NTPK_NL_CALL_H */
