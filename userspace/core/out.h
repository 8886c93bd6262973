/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the core's actions are written.  Pure; no locking, one event at a
 * time.  Log lines have a budget of their own, so that no crowd of state
 * changes can crowd out an action that must not be lost.
 */
#ifndef NTPK_CORE_OUT_H
#define NTPK_CORE_OUT_H

#include "engine.h"

#define OUT_MAX_LOGS	ENGINE_MAX_SOURCES

/**
 * struct actions - the actions of one event
 * @v: the caller's array of ENGINE_MAX_ACTIONS
 * @len: used
 * @logs: of these, ACT_LOG
 */
struct actions {
	struct action *v;
	size_t	 len;
	size_t	 logs;
};

static inline struct action *out_add(struct actions *o, enum action_type type, uint32_t source)
{
	static const struct action zero;
	struct action *a = &o->v[o->len < ENGINE_MAX_ACTIONS ? o->len++ : ENGINE_MAX_ACTIONS - 1];

	*a = zero;
	a->type = type;
	a->source = source;
	return a;
}

static inline void out_log(struct actions *o, enum log_code code, uint32_t source,
			   int64_t value_ns, __be32 refid)
{
	struct action *a;

	if (o->logs >= OUT_MAX_LOGS)
		return;
	o->logs++;
	a = out_add(o, ACT_LOG, source);
	a->log.code = code;
	a->log.value_ns = value_ns;
	a->log.refid = refid;
}

#endif /* NTPK_CORE_OUT_H */
