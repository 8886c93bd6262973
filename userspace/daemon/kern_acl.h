/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The access list on its way into the module.  Event loop only; blocks for the
 * short netlink calls alone.
 */
#ifndef NTPKD_KERN_ACL_H
#define NTPKD_KERN_ACL_H

#include <stdbool.h>
#include <stdint.h>
#include "daemon/acl.h"
#include "nl/ntpk_nl.h"

/**
 * struct kern_acl - what the module should have, and whether it does
 * @acl: the owner's; NULL = everybody may ask
 * @generation: of the list that was sent last
 * @due: the module does not have it
 * @said: that it refused it
 */
struct kern_acl {
	const struct acl *acl;
	uint32_t generation;
	bool	 due;
	bool	 said;
};

/**
 * kern_acl_want() - another list from now on
 * @a: state; the list is due
 * @acl: it
 */
void kern_acl_want(struct kern_acl *a, const struct acl *acl);

/**
 * kern_acl_push() - give it to the module, when that is due
 * @a: state
 * @nl: handle
 *
 * The module goes on with its old list until the new one is complete.  Without a
 * list and without one there nothing is sent.  A refusal is logged once.
 *
 * Return: 0 when the module has it, else -errno.
 */
int kern_acl_push(struct kern_acl *a, struct ntpk_nl *nl);

/**
 * kern_acl_verify() - does the module still have it?
 * @a: state; the list is due when another took its place
 * @nl: handle
 */
void kern_acl_verify(struct kern_acl *a, struct ntpk_nl *nl);

#endif /* NTPKD_KERN_ACL_H */
