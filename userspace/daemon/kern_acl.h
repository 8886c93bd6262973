/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The access lists on their way into the module.  Event loop only; blocks for the
 * short netlink calls alone.
 */
#ifndef NTPKD_KERN_ACL_H
#define NTPKD_KERN_ACL_H

#include <stdbool.h>
#include <stdint.h>
#include "daemon/access.h"
#include "nl/ntpk_nl.h"

/**
 * struct kern_acl - what the module should have, and whether it does
 * @access: the owner's
 * @generation: of the list that was sent last
 * @of: generation of each list
 * @due: the module does not have them
 * @said: that it refused one
 */
struct kern_acl {
	const struct access *access;
	uint32_t generation;
	uint32_t of[ACCESS_LISTS_MAX];
	bool	 due;
	bool	 said;
};

/**
 * kern_acl_want() - other lists from now on
 * @a: state; the lists are due
 * @access: they
 */
void kern_acl_want(struct kern_acl *a, const struct access *access);

/**
 * kern_acl_push() - give them to the module, when that is due
 * @a: state
 * @nl: handle
 *
 * The module goes on with an old list until the new one is complete.  Without any
 * line for all and without such a list there nothing is sent.  A refusal is logged
 * once.
 *
 * Return: 0 when the module has them, else -errno.
 */
int kern_acl_push(struct kern_acl *a, struct ntpk_nl *nl);

/**
 * kern_acl_verify() - does the module still have them?
 * @a: state; the lists are due when another took the place of one
 * @nl: handle
 */
void kern_acl_verify(struct kern_acl *a, struct ntpk_nl *nl);

#endif /* NTPKD_KERN_ACL_H */
