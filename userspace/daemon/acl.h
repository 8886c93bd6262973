/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who may ask: `allow` and `deny` compiled into the prefixes of an access list,
 * for the module and for our own responder.  A look-up is a binary search, whatever
 * the rules are.  Immutable once made; any thread.
 */
#ifndef NTPKD_ACL_H
#define NTPKD_ACL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <ntpk/ntp_acl.h>
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
 * acl_prefixes() - what the rules come to
 * @acl: list
 * @len: out: how many
 *
 * Return: prefixes in the order of ntp_acl_add(); part of the list.
 */
const struct ntp_acl_prefix *acl_prefixes(const struct acl *acl, size_t *len);

/**
 * acl_count() - how many of them are of which family
 * @acl: list
 * @count: out: IPv4, IPv6
 */
void acl_count(const struct acl *acl, uint32_t count[2]);

/** acl_otherwise() - may those ask whom no prefix holds? */
bool acl_otherwise(const struct acl *acl);

/**
 * acl_is_same() - do two lists say the same?
 * @a: list
 * @b: list
 *
 * Return: whether, of every address; where the lines stand does not matter.
 */
bool acl_is_same(const struct acl *a, const struct acl *b);

/**
 * acl_rule_at() - the rule that a prefix stands for
 * @acl: list, NULL = no rule
 * @p: prefix; its access does not matter
 *
 * Return: rule, part of the list; NULL: none.
 */
const struct conf_acl_rule *acl_rule_at(const struct acl *acl, const struct ntp_acl_prefix *p);

/**
 * acl_addr() - an address as lists have it
 * @addr: v4, v6, or v4 mapped into v6, which is v4
 * @v6: out: its family
 */
struct ntp_acl_addr acl_addr(const union sock_addr *addr, bool *v6);

/**
 * acl_rule_text() - a rule as it is written
 * @rule: rule
 * @buf: ACL_RULE_TEXT_LEN bytes
 *
 * Return: @buf, such as "allow 192.0.2.0/24".
 */
const char *acl_rule_text(const struct conf_acl_rule *rule, char buf[ACL_RULE_TEXT_LEN]);

/**
 * acl_prefix_text() - the same of a prefix
 * @p: prefix
 * @buf: ACL_RULE_TEXT_LEN bytes
 *
 * Return: @buf.
 */
const char *acl_prefix_text(const struct ntp_acl_prefix *p, char buf[ACL_RULE_TEXT_LEN]);

#endif /* NTPKD_ACL_H */
