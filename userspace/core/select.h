/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which sources are right (RFC 5905 section 11.2): candidates, intersection,
 * cluster, combine.  Works on plain records, so that it can be tested without
 * an engine; every record leaves with a state.  Pure; no locking.
 */
#ifndef NTPK_CORE_SELECT_H
#define NTPK_CORE_SELECT_H

#include "engine.h"

/**
 * struct select_source - one source, in and out
 * @id: the caller's
 * @flags: SOURCE_F_*
 * @stratum: as it says
 * @offset_ns: against the line
 * @jitter_ns: of its filter
 * @root_dist_ns: half the width of its correctness interval
 * @claim_ns: the same without what its samples have grown old
 * @stale: no sample of it has come for some time
 * @candidate: in: may be selected; else @state says why not and stays
 * @state: out: the verdict
 * @weight: out: share in the combination, 0 unless survivor; sum 1
 * @merit: selection's own: place in its order
 */
struct select_source {
	uint32_t id;
	uint32_t flags;
	uint8_t	 stratum;
	int64_t	 offset_ns;
	int64_t	 jitter_ns;
	int64_t	 root_dist_ns;
	int64_t	 claim_ns;
	bool	 stale;
	bool	 candidate;
	enum source_state state;
	double	 weight;
	double	 merit;
};

/**
 * struct select_work - room that selection works in, so that it needs no stack
 * @edges: of intervals, twice as many as there are sources
 * @c: candidates, as many
 * @kept: some of these, as many
 */
struct select_work {
	int64_t	 *edges;
	struct select_source **c;
	struct select_source **kept;
};

/**
 * struct select_policy - what selection heeds beside the sources
 * @max_distance_ns: candidates above are not selectable
 * @min_sources: truechimers needed
 * @syspeer: present one, kept when as good; or ENGINE_NO_SOURCE
 */
struct select_policy {
	int64_t	 max_distance_ns;
	unsigned int min_sources;
	uint32_t syspeer;
};

/**
 * struct select_result - the verdict
 * @selected: a majority agrees
 * @syspeer: whom we name as reference, ENGINE_NO_SOURCE
 * @survivors: how many are combined
 * @offset_ns: combined
 * @jitter_ns: spread of the survivors, weighted RMS
 */
struct select_result {
	bool	 selected;
	uint32_t syspeer;
	unsigned int survivors;
	int64_t	 offset_ns;
	int64_t	 jitter_ns;
};

/**
 * select_run() - decide
 * @s: sources; their order does not matter
 * @n: how many
 * @policy: see there
 * @work: room for as many
 * @out: filled
 *
 * O(n log n).
 */
void select_run(struct select_source *s, size_t n, const struct select_policy *policy,
		const struct select_work *work, struct select_result *out);

#endif /* NTPK_CORE_SELECT_H */
