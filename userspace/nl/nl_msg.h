/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages of the family "ntpk", apart from the socket that carries them:
 * every function works on a buffer alone, so that tests and fuzzers need no
 * kernel.  Pure; no state, no locking.
 */
#ifndef NTPK_NL_MSG_H
#define NTPK_NL_MSG_H

#include <libmnl/libmnl.h>
#include "nl/nl_watch.h"
#include "nl/ntpk_nl.h"

#define NL_MSG_REQUEST_MAX	8192	/* no request of ours is longer */
#define NL_MSG_TEXT_MAX		256

/* struct nl_family - what CTRL_CMD_GETFAMILY answers; events_group 0 = none */
struct nl_family {
	uint16_t id;
	uint32_t events_group;
};

/**
 * nl_msg_begin() - start a request
 * @buf: NL_MSG_REQUEST_MAX bytes, aligned for a struct nlmsghdr
 * @type: family id
 * @cmd: enum ntpk_cmd
 * @version: of the family
 * @seq: sequence number
 * @ack: ask for an acknowledgement (commands without an answer of their own)
 *
 * Return: the message, to be filled and sent.
 */
struct nlmsghdr *nl_msg_begin(void *buf, uint16_t type, uint8_t cmd, uint8_t version,
			      uint32_t seq, bool ack);

/**
 * nl_msg_put_getfamily() - the argument of CTRL_CMD_GETFAMILY
 * @nlh: from nl_msg_begin()
 * @name: of the family
 */
void nl_msg_put_getfamily(struct nlmsghdr *nlh, const char *name);

/**
 * nl_msg_put_state() - the argument of NTPK_CMD_SET_STATE
 * @nlh: from nl_msg_begin()
 * @serve: what is served
 * @listeners: where
 */
void nl_msg_put_state(struct nlmsghdr *nlh, const struct ntp_serve *serve,
		      const struct ntpk_nl_listeners *listeners);

/**
 * nl_msg_put_keys() - the argument of NTPK_CMD_KEYS_*
 * @nlh: from nl_msg_begin()
 * @generation: of the set
 * @count: keys in all, NULL = left out
 * @key: one of them, NULL = left out; at most NTPK_SECRET_MAX bytes long
 */
void nl_msg_put_keys(struct nlmsghdr *nlh, uint32_t generation, const uint32_t *count,
		     const struct ntpk_nl_key *key);

/*
 * Parsers.  @nlh is a whole message (nlmsg_len bytes are readable).  Newer
 * attributes are skipped; a known one of another length, a missing one or
 * trailing rubbish gives -EBADMSG.
 */

/**
 * nl_msg_parse_family() - answer of CTRL_CMD_GETFAMILY
 * @nlh: message
 * @out: filled
 *
 * Return: 0 or -EBADMSG.
 */
int nl_msg_parse_family(const struct nlmsghdr *nlh, struct nl_family *out);

/**
 * nl_msg_parse_change() - notification of "nlctrl"
 * @nlh: message
 *
 * Return: what it says of our family; NTPK_NL_NO_CHANGE: nothing, as of any other message.
 */
enum ntpk_nl_change nl_msg_parse_change(const struct nlmsghdr *nlh);

/**
 * nl_msg_parse_clock() - answer of NTPK_CMD_GET_CLOCK
 * @nlh: message
 * @out: filled
 *
 * Return: 0 or -EBADMSG.
 */
int nl_msg_parse_clock(const struct nlmsghdr *nlh, struct ntpk_nl_clock *out);

/**
 * nl_msg_parse_state() - NTPK_A_STATE, of an answer or of a request
 * @nlh: message
 * @out: filled; @out->pushed says whether a state was there
 *
 * Return: 0 or -EBADMSG.
 */
int nl_msg_parse_state(const struct nlmsghdr *nlh, struct ntpk_nl_state *out);

/**
 * nl_msg_parse_stats() - answer of NTPK_CMD_GET_STATS
 * @nlh: message
 * @out: filled; what a newer module has more of than fits is left out
 *
 * Return: 0 or -EBADMSG.
 */
int nl_msg_parse_stats(const struct nlmsghdr *nlh, struct ntpk_nl_stats *out);

/**
 * nl_msg_parse_hist() - answer of NTPK_CMD_GET_HIST
 * @nlh: message
 * @out: filled
 *
 * Return: 0 or -EBADMSG.
 */
int nl_msg_parse_hist(const struct nlmsghdr *nlh, struct ntpk_nl_hist *out);

/**
 * nl_msg_parse_event() - notification NTPK_CMD_EVENT
 * @nlh: message
 * @out: filled
 *
 * Return: 0 or -EBADMSG.
 */
int nl_msg_parse_event(const struct nlmsghdr *nlh, struct ntpk_nl_event *out);

/**
 * nl_msg_parse_error() - NLMSG_ERROR with its extended acknowledgement
 * @nlh: message
 * @req: the request it answers, to name the attribute at fault; may be NULL
 * @text: out, the kernel's words without control characters, "" = none
 * @len: of @text
 *
 * Return: 0 for an acknowledgement, the kernel's -errno, or -EBADMSG.
 */
int nl_msg_parse_error(const struct nlmsghdr *nlh, const struct nlmsghdr *req, char *text,
		       size_t len);

/**
 * nl_msg_parse_done() - NLMSG_DONE, the end of a dump, with its extended acknowledgement
 * @nlh: message
 * @req: the request it answers, to name the attribute at fault; may be NULL
 * @text: out, as in nl_msg_parse_error()
 * @len: of @text
 *
 * Return: 0, the kernel's -errno, or -EBADMSG.
 */
int nl_msg_parse_done(const struct nlmsghdr *nlh, const struct nlmsghdr *req, char *text,
		      size_t len);

#endif /* NTPK_NL_MSG_H */
