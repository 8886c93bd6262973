// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Building and parsing the messages of access lists.  Pure.
 */
#include "nl/nl_acl.h"
#include "nl/nl_fields.h"

#include <errno.h>
#include <string.h>
#include <linux/genetlink.h>

/* A prefix of IPv6 with its nest. */
#define PREFIX_MAX	(4 * MNL_ATTR_HDRLEN + 16 + 4 + 4)

static uint32_t access_of(bool allow)
{
	return allow ? NTPK_ACCESS_ALLOW : NTPK_ACCESS_DENY;
}

static void put_addr(struct nlmsghdr *nlh, uint16_t type, struct ntp_acl_addr addr, bool v6)
{
	__be64 raw[2] = { ntp_htobe64(addr.hi), ntp_htobe64(addr.lo) };

	mnl_attr_put(nlh, type, v6 ? 16 : 4, raw);
}

static void put_name(struct nlmsghdr *nlh, const char *name)
{
	if (name[0])
		mnl_attr_put_strz(nlh, NTPK_A_ACL_NAME, name);
}

void nl_acl_put_begin(struct nlmsghdr *nlh, const char *name, uint32_t generation,
		      const uint32_t count[2], bool otherwise)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, NTPK_A_ACL);

	put_name(nlh, name);
	mnl_attr_put_u32(nlh, NTPK_A_ACL_GENERATION, generation);
	mnl_attr_put_u32(nlh, NTPK_A_ACL_COUNT_V4, count[0]);
	mnl_attr_put_u32(nlh, NTPK_A_ACL_COUNT_V6, count[1]);
	mnl_attr_put_u32(nlh, NTPK_A_ACL_OTHERWISE, access_of(otherwise));
	mnl_attr_nest_end(nlh, nest);
}

static void put_prefix(struct nlmsghdr *nlh, const struct ntp_acl_prefix *p)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, NTPK_A_ACL_PREFIX);

	put_addr(nlh, NTPK_A_PREFIX_ADDR, p->addr, p->v6);
	mnl_attr_put_u8(nlh, NTPK_A_PREFIX_LEN, p->len);
	mnl_attr_put_u32(nlh, NTPK_A_PREFIX_ACCESS, access_of(p->allow));
	mnl_attr_nest_end(nlh, nest);
}

size_t nl_acl_put_prefixes(struct nlmsghdr *nlh, uint32_t generation,
			   const struct ntp_acl_prefix *p, size_t n)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, NTPK_A_ACL);
	size_t done = 0;

	mnl_attr_put_u32(nlh, NTPK_A_ACL_GENERATION, generation);
	while (done < n && nlh->nlmsg_len + PREFIX_MAX <= NL_MSG_REQUEST_MAX)
		put_prefix(nlh, &p[done++]);
	mnl_attr_nest_end(nlh, nest);
	return done;
}

void nl_acl_put_commit(struct nlmsghdr *nlh, uint32_t generation)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, NTPK_A_ACL);

	mnl_attr_put_u32(nlh, NTPK_A_ACL_GENERATION, generation);
	mnl_attr_nest_end(nlh, nest);
}

void nl_acl_put_name(struct nlmsghdr *nlh, const char *name)
{
	struct nlattr *nest;

	if (!name[0])
		return;
	nest = mnl_attr_nest_start(nlh, NTPK_A_ACL);
	put_name(nlh, name);
	mnl_attr_nest_end(nlh, nest);
}

void nl_acl_put_addr(struct nlmsghdr *nlh, const char *name, struct ntp_acl_addr addr, bool v6)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, NTPK_A_ACL);

	put_name(nlh, name);
	put_addr(nlh, NTPK_A_ACL_ADDR, addr, v6);
	mnl_attr_nest_end(nlh, nest);
}

static int take(const struct nlattr *attr, void *out, size_t size)
{
	if (!attr || mnl_attr_get_payload_len(attr) != size)
		return -EBADMSG;
	memcpy(out, mnl_attr_get_payload(attr), size);
	return 0;
}

static int take_access(const struct nlattr *attr, bool *allow)
{
	uint32_t access = 0;
	int ret = take(attr, &access, sizeof(access));

	*allow = access == NTPK_ACCESS_ALLOW;
	return ret;
}

static int take_addr(const struct nlattr *attr, struct ntp_acl_addr *addr, bool *v6)
{
	__be32 words[4] = { 0 };

	*v6 = attr && mnl_attr_get_payload_len(attr) == sizeof(words);
	if (take(attr, words, *v6 ? sizeof(words) : sizeof(words[0])))
		return -EBADMSG;
	*addr = ntp_acl_addr_v6(words);
	return 0;
}

static int parse_prefix(const struct nlattr *nest, struct ntp_acl_prefix *p)
{
	const struct nlattr *tb[NTPK_A_PREFIX_MAX + 1] = { NULL };

	if (nl_collect(nl_walk_nest(nest), tb, NTPK_A_PREFIX_MAX) ||
	    take_addr(tb[NTPK_A_PREFIX_ADDR], &p->addr, &p->v6) ||
	    take(tb[NTPK_A_PREFIX_LEN], &p->len, sizeof(p->len)) ||
	    take_access(tb[NTPK_A_PREFIX_ACCESS], &p->allow))
		return -EBADMSG;
	return 0;
}

int nl_acl_parse(const struct nlmsghdr *nlh, struct ntpk_nl_acl *out)
{
	const struct nlattr *top[NTPK_A_MAX + 1] = { NULL }, *tb[NTPK_A_ACL_MAX + 1] = { NULL };
	const struct nlattr *access;
	struct nl_walk w;

	memset(out, 0, sizeof(*out));
	if (nl_walk_message(nlh, GENL_HDRLEN, &w) || nl_collect(w, top, NTPK_A_MAX) ||
	    !top[NTPK_A_ACL] || nl_collect(nl_walk_nest(top[NTPK_A_ACL]), tb, NTPK_A_ACL_MAX))
		return -EBADMSG;
	out->present = tb[NTPK_A_ACL_GENERATION];
	out->allow = true;
	access = tb[NTPK_A_ACL_ACCESS] ? tb[NTPK_A_ACL_ACCESS] : tb[NTPK_A_ACL_OTHERWISE];
	if ((out->present && take(tb[NTPK_A_ACL_GENERATION], &out->generation,
				  sizeof(out->generation))) ||
	    (access && take_access(access, &out->allow)))
		return -EBADMSG;
	out->has_rule = tb[NTPK_A_ACL_PREFIX];
	return out->has_rule ? parse_prefix(tb[NTPK_A_ACL_PREFIX], &out->rule) : 0;
}
