// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Access lists over the netlink client.  Process context; one handle per thread,
 * no locking.
 */
#include <errno.h>
#include "nl/nl_acl.h"
#include "nl/nl_call.h"

static int command(struct ntpk_nl *nl)
{
	struct nlmsghdr *answer;

	return nl_call(nl, &answer);
}

int ntpk_nl_acl_begin(struct ntpk_nl *nl, const char *name, uint32_t generation,
		      const uint32_t count[2], bool otherwise)
{
	nl_acl_put_begin(nl_call_begin(nl, NTPK_CMD_ACL_BEGIN, true), name, generation, count,
			 otherwise);
	return command(nl);
}

int ntpk_nl_acl_add(struct ntpk_nl *nl, uint32_t generation, const struct ntp_acl_prefix *p,
		    size_t n)
{
	int ret = 0;

	for (size_t done; n && !ret; p += done, n -= done) {
		done = nl_acl_put_prefixes(nl_call_begin(nl, NTPK_CMD_ACL_ADD, true), generation, p, n);
		ret = command(nl);
	}
	return ret;
}

int ntpk_nl_acl_commit(struct ntpk_nl *nl, uint32_t generation)
{
	nl_acl_put_commit(nl_call_begin(nl, NTPK_CMD_ACL_COMMIT, true), generation);
	return command(nl);
}

/* A question whose argument is in the message. */
static int ask(struct ntpk_nl *nl, struct ntpk_nl_acl *out)
{
	struct nlmsghdr *answer;
	int ret = nl_call(nl, &answer);

	if (ret < 0)
		return ret;
	return answer ? nl_acl_parse(answer, out) : -EBADMSG;
}

int ntpk_nl_get_acl(struct ntpk_nl *nl, const char *name, struct ntpk_nl_acl *out)
{
	nl_acl_put_name(nl_call_begin(nl, NTPK_CMD_GET_ACL, false), name);
	return ask(nl, out);
}

int ntpk_nl_acl_check(struct ntpk_nl *nl, const char *name, struct ntp_acl_addr addr, bool v6,
		      struct ntpk_nl_acl *out)
{
	nl_acl_put_addr(nl_call_begin(nl, NTPK_CMD_ACL_CHECK, false), name, addr, v6);
	return ask(nl, out);
}
