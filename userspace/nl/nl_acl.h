/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages of access lists, as nl_msg.h has it.  Pure. */
#ifndef NTPK_NL_ACL_H
#define NTPK_NL_ACL_H

#include "nl/nl_msg.h"

/**
 * nl_acl_put_begin() - the argument of NTPK_CMD_ACL_BEGIN
 * @nlh: from nl_msg_begin()
 * @name: of the list, "" = that of all
 * @generation: our name for what is sent
 * @count: IPv4 and IPv6 prefixes in all
 * @otherwise: may those ask whom no prefix holds?
 */
void nl_acl_put_begin(struct nlmsghdr *nlh, const char *name, uint32_t generation,
		      const uint32_t count[2], bool otherwise);

/**
 * nl_acl_put_prefixes() - the argument of NTPK_CMD_ACL_ADD
 * @nlh: from nl_msg_begin()
 * @generation: of the list
 * @p: prefixes
 * @n: how many
 *
 * Return: how many of them fit into NL_MSG_REQUEST_MAX bytes, at least one.
 */
size_t nl_acl_put_prefixes(struct nlmsghdr *nlh, uint32_t generation,
			   const struct ntp_acl_prefix *p, size_t n);

/**
 * nl_acl_put_commit() - the argument of NTPK_CMD_ACL_COMMIT
 * @nlh: from nl_msg_begin()
 * @generation: of the list
 */
void nl_acl_put_commit(struct nlmsghdr *nlh, uint32_t generation);

/**
 * nl_acl_put_name() - the argument of NTPK_CMD_GET_ACL
 * @nlh: from nl_msg_begin()
 * @name: of the list, "" = that of all
 */
void nl_acl_put_name(struct nlmsghdr *nlh, const char *name);

/**
 * nl_acl_put_addr() - the argument of NTPK_CMD_ACL_CHECK
 * @nlh: from nl_msg_begin()
 * @name: of the list, "" = that of all
 * @addr: who is meant
 * @v6: its family
 */
void nl_acl_put_addr(struct nlmsghdr *nlh, const char *name, struct ntp_acl_addr addr, bool v6);

/**
 * nl_acl_parse() - answer of NTPK_CMD_ACL_CHECK or NTPK_CMD_GET_ACL
 * @nlh: message
 * @out: filled
 *
 * Return: 0 or -EBADMSG.
 */
int nl_acl_parse(const struct nlmsghdr *nlh, struct ntpk_nl_acl *out);

#endif /* NTPK_NL_ACL_H */
