/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between the files of the link to the module.
 */
#ifndef NTPKD_KERN_PRIV_H
#define NTPKD_KERN_PRIV_H

#include <stdbool.h>
#include <stdint.h>
#include "daemon/kern.h"
#include "daemon/kern_acl.h"
#include "daemon/kern_gap.h"
#include "daemon/kern_phc.h"
#include "nl/nl_watch.h"

struct libevent;

struct kern {
	struct event_base *base;
	const struct kern_ops *ops;
	void	*ctx;
	struct ntpk_nl *nl;		/* NULL = no module */
	struct ntpk_nl_listeners listeners;
	char	 no_limits[KERN_ERROR_MAX];	/* why they are left out, "" = they are not */
	int64_t	 limits_again_ns;		/* when they are tried again */
	bool	 limits_taken;			/* the module has these */
	struct ntpk_nl_watch *watch;	/* NULL = could not be had */
	struct libevent *ev_watch;
	struct libevent *ev_events;
	struct libevent *ev_retry;
	struct kern_gaps gaps;
	struct ntp_serve last;		/* of kern_push() */
	bool	 has_last;
	const struct keys *keys;	/* the owner's */
	uint32_t generation;		/* of the set of keys that was sent last */
	bool	 keys_due;		/* the module does not have @keys */
	bool	 keys_said;		/* that it refused them */
	unsigned int keys_lacking;	/* types that it has no algorithm for, by 1 << type */
	int64_t	 keys_again_ns;		/* when those are tried again */
	struct kern_acl acl;
	struct kern_phc phc;
	bool	 pushed;		/* it has a state of ours ... */
	struct ntpk_nl_listeners accepted;	/* ... with these */
	bool	 takeover;		/* it serves our predecessor's state */
	bool	 absence_said;
	char	 error[KERN_ERROR_MAX];
	char	 said[KERN_ERROR_MAX];
};

/* kern.c */

/** kern_lose_module() - it went */
void kern_lose_module(struct kern *k);

/**
 * kern_note_error() - remember and log a failure, the same one only once
 * @k: link
 * @what: failed
 * @err: -errno
 */
void kern_note_error(struct kern *k, const char *what, int err);

/* kern_push.c */

/** kern_push_find() - see whether the module still serves what it was given before us */
void kern_push_find(struct kern *k);

/**
 * kern_push_keys() - what the module answers with; tried again until it has them
 * @k: link
 *
 * Return: 0, or there is nothing to send; -errno.
 */
int kern_push_keys(struct kern *k);

/**
 * kern_push_keys_first() - to another module, which has nothing yet
 * @k: link
 *
 * Before its first answer, or some would be refused for want of a key.
 */
void kern_push_keys_first(struct kern *k);

/**
 * kern_push_first() - after that: where and whom it answers, with what it serves of
 *	another under a takeover, and with the last state if there is one
 * @k: link
 */
void kern_push_first(struct kern *k);

#endif /* NTPKD_KERN_PRIV_H */
