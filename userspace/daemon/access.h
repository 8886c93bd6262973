/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who may ask where: the list of all, and those that listeners have by name.
 * Immutable once made; event loop only.
 */
#ifndef NTPKD_ACCESS_H
#define NTPKD_ACCESS_H

#include <stdbool.h>
#include <stddef.h>
#include "daemon/acl.h"
#include "daemon/conf.h"

#define ACCESS_LISTS_MAX	(1 + CONF_ACL_NAMES_MAX)

/**
 * struct access_list - one of them
 * @name: "" = that of all
 * @acl: its lines; NULL = there are none: everybody may ask, where there is a name nobody
 */
struct access_list {
	char	 name[CONF_ACL_NAME_MAX + 1];
	struct acl *acl;
};

/**
 * struct access - all of them
 * @of: lists, that of all first
 * @len: how many, at least one
 */
struct access {
	struct access_list of[ACCESS_LISTS_MAX];
	size_t	 len;
};

/**
 * access_alloc() - compile
 * @conf: its lines of allow and deny, and of listen
 *
 * Lists that no line of listen names are left out, and said.
 *
 * Return: NULL without memory.
 */
struct access *access_alloc(const struct conf *conf);

/** access_release() - NULL is fine */
void access_release(struct access *access);

/**
 * access_find() - a list
 * @access: lists
 * @name: its name, "" = that of all
 *
 * Return: part of @access; NULL: there is none of this name.
 */
const struct access_list *access_find(const struct access *access, const char *name);

/** access_otherwise() - of a list: may those ask whom no line names? */
bool access_otherwise(const struct access_list *list);

/**
 * access_check() - may it ask?
 * @access: lists, NULL = there are none
 * @name: of the list that counts
 * @addr: v4, v6, or v4 mapped into v6
 *
 * Nobody may by a list with a name that there is not, everybody by that of all.
 */
struct acl_verdict access_check(const struct access *access, const char *name,
				const union sock_addr *addr);

#endif /* NTPKD_ACCESS_H */
