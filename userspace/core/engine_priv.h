/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The engine's inside, shared by engine.c (what happens when), update.c (what
 * follows from a sample), serve.c (what is published) and report.c.
 * Pure; no locking: one event at a time.
 */
#ifndef NTPK_CORE_ENGINE_PRIV_H
#define NTPK_CORE_ENGINE_PRIV_H

#include "assoc.h"
#include "discipline.h"
#include "leap.h"
#include "select.h"

/**
 * struct engine_ref - what we are synchronised to, as of the last update
 * @stratum: ours
 * @refid: ours
 * @root_delay_ns: ours
 * @disp_ns: root dispersion, our estimate's own error apart
 * @local_ns: local instant of the update
 * @fresh_boot_ns: CLOCK_BOOTTIME when a survivor last was known to answer:
 *	holdover begins there
 * @unix_ns: reference time
 * @offset_ns: combined, before the update
 */
struct engine_ref {
	uint8_t	 stratum;
	__be32	 refid;
	int64_t	 root_delay_ns;
	int64_t	 disp_ns;
	int64_t	 local_ns;
	int64_t	 fresh_boot_ns;
	int64_t	 unix_ns;
	int64_t	 offset_ns;
};

/**
 * struct engine_sample - one sample of one source, to be learnt
 * @a: source
 * @s: sample in its filter
 */
struct engine_sample {
	struct assoc *a;
	const struct filter_sample *s;
};

/**
 * struct engine - everything, followed in memory by the arrays that it points to
 * @conf: as decided by the operator
 * @rng: own random numbers
 * @est: the line
 * @disc: the system clock
 * @leap: leap second announced
 * @src: sources, @src_len of @src_max, in no order
 * @judged: work area: as selection sees them
 * @work: work area of selection
 * @samples: work area: all samples of all sources
 * @select_wanted: something happened that may change the selection
 * @select_due: sources came or went: judge with the next timer, all at once
 * @select_local_ns: last selection
 * @sel: last selection
 * @ref: last update
 * @synchronised: what is served is true
 * @local: what is served is `local stratum`
 * @updates: of the line
 * @start_local_ns: EV_START
 * @push_wanted: the served state changed
 * @push_local_ns: last push
 * @changes: updates that `maxchange` has looked at
 * @changes_ignored: of these, not followed
 * @refused_ns: size of the change that `maxchange` refuses now; 0 = none
 * @foreign_ns: steps by others that `maxchange` has not allowed to be undone yet
 * @exiting: ACT_EXIT was said
 * @replaced_local_ns: ACT_RESOLVE for a source that answers, but wrongly
 * @drift_saved: ACT_DRIFT was said, at @drift_local_ns
 * @drift_local_ns: see there
 */
struct engine {
	struct engine_config conf;
	struct rng rng;
	struct estimate est;
	struct disc disc;
	struct leap leap;
	struct assoc *src;
	size_t	 src_len;
	size_t	 src_max;
	struct select_source *judged;
	struct select_work work;
	struct engine_sample *samples;
	bool	 select_wanted;
	bool	 select_due;
	int64_t	 select_local_ns;
	struct select_result sel;
	struct engine_ref ref;
	bool	 synchronised;
	bool	 local;
	uint64_t updates;
	int64_t	 start_local_ns;
	bool	 push_wanted;
	int64_t	 push_local_ns;
	uint64_t changes;
	uint64_t changes_ignored;
	int64_t	 refused_ns;
	int64_t	 foreign_ns;
	bool	 exiting;
	int64_t	 replaced_local_ns;
	bool	 drift_saved;
	int64_t	 drift_local_ns;
};

/* judge.c */

/**
 * engine_loops() - is a source one of our own addresses, or synchronised to us?
 * @e: engine
 * @a: source
 */
bool engine_loops(const struct engine *e, const struct assoc *a);

/**
 * engine_source() - a source by its id
 * @e: engine
 * @id: the caller's
 *
 * Return: it or NULL.
 */
struct assoc *engine_source(struct engine *e, uint32_t id);

/**
 * engine_eval() - a source's peer variables against the present line
 * @e: engine
 * @a: source
 * @local_ns: now
 * @phi_ppb: of engine_phi_ppb()
 */
void engine_eval(const struct engine *e, struct assoc *a, int64_t local_ns, double phi_ppb);

/**
 * engine_survivor() - is a source combined into our time?
 * @a: source
 */
bool engine_survivor(const struct assoc *a);

/**
 * engine_phi_ppb() - how fast a sample grows old: by what the line's rate may be wrong
 * @e: engine
 * @local_ns: now
 */
double engine_phi_ppb(const struct engine *e, int64_t local_ns);

/**
 * engine_select() - judge all sources anew, log what changed
 * @e: engine
 * @now: clocks
 * @out: actions
 */
void engine_select(struct engine *e, const struct clocks *now, struct actions *out);

/* update.c */

/**
 * engine_learn() - take samples into the line and act on it
 * @e: engine
 * @a: source of a new sample, or NULL
 * @now: clocks
 * @out: actions
 */
void engine_learn(struct engine *e, struct assoc *a, const struct clocks *now,
		  struct actions *out);

/**
 * engine_steer() - make the system clock follow the line
 * @e: engine
 * @now: clocks
 * @out: actions
 */
void engine_steer(struct engine *e, const struct clocks *now, struct actions *out);

/**
 * engine_step() - step the system clock onto the line, unsynchronised meanwhile
 * @e: engine
 * @now: clocks
 * @out: actions
 */
void engine_step(struct engine *e, const struct clocks *now, struct actions *out);

/**
 * engine_starting() - is a source in its first burst?
 * @e: engine
 */
bool engine_starting(const struct engine *e);

/**
 * engine_fresh() - does a survivor still answer?
 * @e: engine
 */
bool engine_fresh(const struct engine *e);

/**
 * engine_near_leap() - is a leap second happening?
 * @e: engine
 * @now: clocks
 */
bool engine_near_leap(const struct engine *e, const struct clocks *now);

/**
 * engine_precision_ns() - of the local clock, rounded up
 * @e: engine
 */
int64_t engine_precision_ns(const struct engine *e);

/* serve.c */

/**
 * engine_serve() - what is to be served now
 * @e: engine
 * @now: clocks
 * @out: filled
 */
void engine_serve(const struct engine *e, const struct clocks *now, struct ntp_serve *out);

/**
 * engine_push() - publish
 * @e: engine
 * @now: clocks
 * @unsync: say unsynchronised whatever we believe (a step follows)
 * @out: actions
 */
void engine_push(struct engine *e, const struct clocks *now, bool unsync, struct actions *out);

/**
 * engine_sync_status() - tell the kernel, if it is ours to tell
 * @e: engine
 * @now: clocks
 * @out: actions
 */
void engine_sync_status(const struct engine *e, const struct clocks *now, struct actions *out);

/**
 * engine_may_serve() - is the last update still good enough to call us synchronised?
 * @e: engine
 * @now: clocks
 */
bool engine_may_serve(const struct engine *e, const struct clocks *now);

/**
 * engine_ref_disp_ns() - root dispersion now of what was learnt, `local stratum` or not
 * @e: engine
 * @local_ns: now
 */
int64_t engine_ref_disp_ns(const struct engine *e, int64_t local_ns);

/**
 * engine_root_disp_ns() - root dispersion now of what is served
 * @e: engine
 * @local_ns: now
 */
int64_t engine_root_disp_ns(const struct engine *e, int64_t local_ns);

#endif /* NTPK_CORE_ENGINE_PRIV_H */
