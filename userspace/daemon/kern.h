/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The link to the module: attach, push, follow its events; know at once when it
 * is unloaded and when another one comes.  Event loop only; blocks for the short netlink
 * calls alone.
 */
#ifndef NTPKD_KERN_H
#define NTPKD_KERN_H

#include <stdbool.h>
#include <stdint.h>
#include "nl/ntpk_nl.h"

#define KERN_ERROR_MAX	192

struct access;
struct event_base;
struct kern;
struct kern_build;
struct kern_gap;
struct keys;

/**
 * struct kern_ops - what the module makes the daemon do
 * @turn: called first by what the loop calls here: notices steps and sleep
 * @stepped: the module saw, at a reply, that the clock was stepped
 * @answered: how many requests the daemon itself has answered since it started
 */
struct kern_ops {
	void (*turn)(void *ctx);
	void (*stepped)(void *ctx);
	uint64_t (*answered)(void *ctx);
};

/**
 * kern_open() - attach now, or as soon as the module is there
 * @base: the loop
 * @listeners: as kern_set_listeners()
 * @keys: as kern_set_keys()
 * @access: as kern_set_access()
 * @ops: callbacks
 * @ctx: their argument
 *
 * Return: link, NULL without memory.
 */
struct kern *kern_open(struct event_base *base, const struct ntpk_nl_listeners *listeners,
		       const struct keys *keys, const struct access *access,
		       const struct kern_ops *ops, void *ctx);

/** kern_close() - the module goes on serving by itself; NULL is fine */
void kern_close(struct kern *k);

/**
 * kern_detach() - undo what an earlier ntpkd attached
 *
 * Return: whether there was anything to undo.
 */
bool kern_detach(void);

/** kern_attached() - does the module answer? NULL is fine */
bool kern_attached(const struct kern *k);

/**
 * kern_push() - publish
 * @k: link, NULL is fine
 * @serve: state; its clock_seq is replaced by the module's
 *
 * After a restart an unsynchronised state is held back for as long as the
 * module still serves what the daemon before us gave it.
 */
void kern_push(struct kern *k, const struct ntp_serve *serve);

/**
 * kern_forget() - what was pushed before is no longer true
 * @k: link, NULL is fine
 *
 * After a suspend, through which the raw clock stood still: neither our last
 * push nor what the module held before us may be pushed again.
 */
void kern_forget(struct kern *k);

/**
 * kern_set_keys() - the module verifies and signs with these from now on
 * @k: link, NULL is fine
 * @keys: owned by the caller, until the next call or kern_close(); NULL = none
 *
 * Replaced whole and without a gap.  Where the module does not take them, the
 * ones from before stay, it is said once, and tried again.
 */
void kern_set_keys(struct kern *k, const struct keys *keys);

/**
 * kern_set_phc() - what the stamps of an interface are worth
 * @k: link; NULL is fine
 * @map: map
 */
void kern_set_phc(struct kern *k, const struct ntpk_nl_phc *map);

/**
 * kern_drop_phc() - the stamps of an interface are worth nothing
 * @k: link; NULL is fine
 * @ifindex: of the interface
 */
void kern_drop_phc(struct kern *k, uint32_t ifindex);

/**
 * kern_set_access() - whom the module answers from now on
 * @k: link, NULL is fine
 * @access: owned by the caller, until the next call or kern_close()
 *
 * The module has them from the next push on, together with the listeners of that.  Where
 * it does not take one, the one from before stays, it is said once, and tried again; a
 * module that never had any is not used.
 */
void kern_set_access(struct kern *k, const struct access *access);

/**
 * kern_acl_check() - what a list of the module says about an address
 * @k: link, NULL is fine
 * @name: of the list, "" = that of all
 * @addr: address
 * @v6: its family
 * @out: filled
 *
 * Return: 0 or -errno; -ENODEV: the module does not answer; -ENOENT: it has no such list.
 */
int kern_acl_check(struct kern *k, const char *name, struct ntp_acl_addr addr, bool v6,
		   struct ntpk_nl_acl *out);

/**
 * kern_set_listeners() - where and what is served from the next push on
 * @k: link, NULL is fine
 * @listeners: copied
 */
void kern_set_listeners(struct kern *k, const struct ntpk_nl_listeners *listeners);

/**
 * kern_repush() - give the module the same line anew
 * @k: link, NULL is fine
 *
 * After a step of the clock: the line is on the raw clock and so outlives one, but
 * for a leap second: with leap announced nothing is sent, the next kern_push() knows
 * better.  And after kern_set_listeners(), for it to be so at once; also under a
 * takeover, whose line it then is.
 *
 * Return: 0, or nothing was to be pushed; -errno, with the words in kern_error().
 */
int kern_repush(struct kern *k);

/**
 * kern_no_limits() - why the module has no rate limits though there are some
 * @k: link, NULL is fine
 *
 * Return: text; NULL: it has them, there are none, or it is not there.
 */
const char *kern_no_limits(const struct kern *k);

/**
 * kern_same_limits() - would the module keep its tables?
 * @a: listeners
 * @b: others
 */
bool kern_same_limits(const struct ntpk_nl_listeners *a, const struct ntpk_nl_listeners *b);

/**
 * kern_state() - for reports
 * @k: link
 * @state: out
 *
 * Return: 0 or -errno.
 */
int kern_state(struct kern *k, struct ntpk_nl_state *state);

/**
 * kern_stats() - the module's counters
 * @k: link
 * @out: filled
 *
 * Return: 0 or -errno.
 */
int kern_stats(struct kern *k, struct ntpk_nl_stats *out);

/**
 * kern_build() - which module answers
 * @k: link, NULL is fine
 *
 * Return: it, NULL when none does.
 */
const struct kern_build *kern_build(const struct kern *k);

/**
 * kern_gap() - the last time that the module went while it had something of ours
 * @k: link, NULL is fine
 * @out: filled
 *
 * Return: false: it did not.
 */
bool kern_gap(const struct kern *k, struct kern_gap *out);

/**
 * kern_error() - why the last push failed, or what was left out of it
 * @k: link
 *
 * Return: text, NULL when it did not.
 */
const char *kern_error(const struct kern *k);

#endif /* NTPKD_KERN_H */
