/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The access lists on their way into the module.  Each version of a list has a name
 * there of its own, and comes into force with the push whose listeners name it: places
 * and who may ask there change in one moment, and a list that is refused changes
 * nothing.  Event loop only; blocks for the short netlink calls alone.
 */
#ifndef NTPKD_KERN_ACL_H
#define NTPKD_KERN_ACL_H

#include <stdbool.h>
#include <stdint.h>
#include "daemon/access.h"
#include "nl/ntpk_nl.h"

/**
 * struct kern_acl_list - a list, and what the module has of it
 * @sent: generation of the version that it has, 0 = it has not; of everybody's list
 *	without lines, whether it has none either
 * @before: of the version before that, which counts where this one is refused
 * @was_open: likewise: everybody could ask before
 * @err: why it was refused, -errno, 0 = it was not
 * @again_ns: when it is sent again then, CLOCK_MONOTONIC_RAW
 */
struct kern_acl_list {
	uint32_t sent;
	uint32_t before;
	bool	 was_open;
	int	 err;
	int64_t	 again_ns;
};

/**
 * struct kern_acl - what the module should have, and whether it does
 * @access: the owner's
 * @generation: of the version that was sent last
 * @of: of each list of @access
 */
struct kern_acl {
	const struct access *access;
	uint32_t generation;
	struct kern_acl_list of[ACCESS_LISTS_MAX];
};

/**
 * kern_acl_init() - the module has nothing
 * @a: state
 * @access: lists
 * @generation: a number that no other ntpkd has begun with
 */
void kern_acl_init(struct kern_acl *a, const struct access *access, uint32_t generation);

/**
 * kern_acl_want() - other lists from the next push on
 * @a: state; what is the same in both is not sent again
 * @access: they; those from before may go afterwards
 */
void kern_acl_want(struct kern_acl *a, const struct access *access);

/** kern_acl_forget() - the module has none of them: it was attached just now */
void kern_acl_forget(struct kern_acl *a);

/**
 * kern_acl_push() - give the module what these listeners name and it does not have
 * @a: state
 * @nl: handle
 * @listeners: with the names of @a->access
 *
 * Nothing of it counts before a push has the names of kern_acl_translate().  A refusal
 * is logged once, and what was refused is sent again a minute later.
 *
 * Return: 0, else the first -errno; the others were sent nevertheless.
 */
int kern_acl_push(struct kern_acl *a, struct ntpk_nl *nl,
		  const struct ntpk_nl_listeners *listeners);

/**
 * kern_acl_translate() - the names that the module knows lists by
 * @a: state
 * @listeners: their names are replaced; a list that the module does not have gets one
 *	that nothing has, so that nobody may ask there
 * @accepted: of the last push, with names as @listeners has them: a place that was there
 *	with this list keeps its version before, where the last one was refused
 */
void kern_acl_translate(const struct kern_acl *a, struct ntpk_nl_listeners *listeners,
			const struct ntpk_nl_listeners *accepted);

/**
 * kern_acl_name() - the same of one
 * @a: state
 * @name: of @a->access
 * @stays: the version before will do
 * @out: filled
 */
void kern_acl_name(const struct kern_acl *a, const char *name, bool stays,
		   char out[NTPK_ACL_NAME_MAX + 1]);

/**
 * kern_acl_verify() - does the module still have what was sent?
 * @a: state; what it lost will be sent again
 * @nl: handle
 *
 * Return: false: not all of it.
 */
bool kern_acl_verify(struct kern_acl *a, struct ntpk_nl *nl);

#endif /* NTPKD_KERN_ACL_H */
