/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the core's actions are written.  Pure; no locking, one event at a
 * time.  Log lines have a budget of their own, so that no crowd of state
 * changes can crowd out an action that must not be lost.
 */
#ifndef NTPK_CORE_OUT_H
#define NTPK_CORE_OUT_H

#include "engine.h"

/**
 * struct actions - the actions of one event
 * @v: the caller's array
 * @max: of how many, ENGINE_MAX_ACTIONS(capacity)
 * @len: used
 * @logs: of these, ACT_LOG
 * @max_logs: at most so many, one per source of the capacity
 */
struct actions {
	struct action *v;
	size_t	 max;
	size_t	 len;
	size_t	 logs;
	size_t	 max_logs;
};

static inline struct actions out_to(struct action *v, size_t max_sources)
{
	return (struct actions){ .v = v, .max = ENGINE_MAX_ACTIONS(max_sources),
				 .max_logs = max_sources };
}

static inline struct action *out_add(struct actions *o, enum action_type type, uint32_t source)
{
	static const struct action zero;
	struct action *a = &o->v[o->len < o->max ? o->len++ : o->max - 1];

	*a = zero;
	a->type = type;
	a->source = source;
	return a;
}

static inline void out_log(struct actions *o, enum log_code code, uint32_t source,
			   int64_t value_ns, __be32 refid)
{
	struct action *a;

	if (o->logs >= o->max_logs)
		return;
	o->logs++;
	a = out_add(o, ACT_LOG, source);
	a->log.code = code;
	a->log.value_ns = value_ns;
	a->log.refid = refid;
}

#endif /* NTPK_CORE_OUT_H */
