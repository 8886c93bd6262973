/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who may ask: `allow` and `deny` compiled into a sorted list of address ranges
 * per family.  A look-up is a binary search, whatever the rules are.
 * Immutable once made; any thread.
 */
#ifndef NTPKD_ACL_H
#define NTPKD_ACL_H

#include <stdbool.h>
#include <stddef.h>
#include "daemon/conf.h"
#include "daemon/sock.h"

#define ACL_RULE_TEXT_LEN	64

struct acl;

/**
 * struct acl_verdict - the answer for one address
 * @allow: it may ask
 * @rule: that decided, part of the list; NULL = none names the address, so the
 *	default did: everybody may ask, but with an `allow` anywhere nobody else
 */
struct acl_verdict {
	bool	 allow;
	const struct conf_acl_rule *rule;
};

/**
 * acl_alloc() - compile
 * @rules: in the order of configuration; copied
 * @len: how many, 0 = everybody may ask
 *
 * The longest prefix that holds an address decides (chrony's semantics); of two
 * rules with the same prefix the later one; a rule with @all voids the earlier
 * ones inside its prefix.
 *
 * Return: the list, NULL without memory.
 */
struct acl *acl_alloc(const struct conf_acl_rule *rules, size_t len);

/** acl_release() - NULL is fine */
void acl_release(struct acl *acl);

/**
 * acl_check() - may it ask?
 * @acl: list, NULL = no rule
 * @addr: v4, v6, or v4 mapped into v6
 */
struct acl_verdict acl_check(const struct acl *acl, const union sock_addr *addr);

/**
 * acl_rule_text() - a rule as it is written
 * @rule: rule
 * @buf: ACL_RULE_TEXT_LEN bytes
 *
 * Return: @buf, such as "allow 192.0.2.0/24".
 */
const char *acl_rule_text(const struct conf_acl_rule *rule, char buf[ACL_RULE_TEXT_LEN]);

#endif /* NTPKD_ACL_H */
