/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For how long the kernel did not serve, because the module went, and what came
 * in its place.  Event loop only.
 */
#ifndef NTPKD_KERN_GAP_H
#define NTPKD_KERN_GAP_H

#include <stdbool.h>
#include <stdint.h>

struct event_base;
struct libevent;

/* struct kern_build - which module; "" = the kernel does not say */
struct kern_build {
	char	 version[32];
	char	 srcversion[40];
};

/**
 * struct kern_gap - the last time that the module went
 * @count: how often it did; 0 = never, and the rest means nothing
 * @over: another one serves what we gave it
 * @began_ns: when we heard of it, clocks_boot_ns(): the kernel says so just before the
 *	module ceases to answer
 * @length_ns: until the next one had all that it answers with; grows while not @over
 * @answered: requests that ntpkd answered meanwhile; grows likewise
 * @was: the module that went
 */
struct kern_gap {
	uint64_t count;
	bool	 over;
	int64_t	 began_ns;
	int64_t	 length_ns;
	uint64_t answered;
	struct kern_build was;
};

/**
 * struct kern_gaps - what is kept for it
 * @answered: how many requests ntpkd itself has answered since it started
 * @ctx: its argument
 * @serves: a module has what we gave it
 * @counting: @last.answered is not final
 * @answered_before: all that ntpkd had answered when the gap began
 * @is: the module that is, or was last, there
 * @last: gap
 * @ev_counted: what came in the gap has been answered by then
 */
struct kern_gaps {
	uint64_t (*answered)(void *ctx);
	void	*ctx;
	bool	 serves;
	bool	 counting;
	uint64_t answered_before;
	struct kern_build is;
	struct kern_gap last;
	struct libevent *ev_counted;
};

/**
 * kern_gaps_init() - before all others
 * @g: zeroed; stays where it is
 * @base: the loop
 * @answered: see there
 * @ctx: its argument
 *
 * Return: 0 or -ENOMEM.
 */
int kern_gaps_init(struct kern_gaps *g, struct event_base *base, uint64_t (*answered)(void *ctx),
		   void *ctx);

/** kern_gaps_clean() - the end; also where kern_gaps_init() failed or was never called */
void kern_gaps_clean(struct kern_gaps *g);

/**
 * kern_gaps_came() - a module is there
 * @g: gaps
 */
void kern_gaps_came(struct kern_gaps *g);

/**
 * kern_gaps_went() - it has gone; nothing where it never had anything of ours
 * @g: gaps
 */
void kern_gaps_went(struct kern_gaps *g);

/**
 * kern_gaps_served() - the module has taken all that it answers with
 * @g: gaps
 *
 * At the end of a gap it is said how long that was, as soon as ntpkd has answered
 * what came in it.
 */
void kern_gaps_served(struct kern_gaps *g);

/**
 * kern_gaps_get() - the last gap
 * @g: gaps
 * @out: filled
 *
 * Return: false: there was none.
 */
bool kern_gaps_get(const struct kern_gaps *g, struct kern_gap *out);

/**
 * kern_build_same() - can they not be told apart?  No where the kernel does not say which one is.
 * @a: one
 * @b: other
 */
bool kern_build_same(const struct kern_build *a, const struct kern_build *b);

#endif /* NTPKD_KERN_GAP_H */
