/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tracepoint ntpk:ntpk_verdict: one event per UDP packet at the hook.
 * Included twice, the second time by trace/define_trace.h.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM ntpk

#if !defined(NTPK_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define NTPK_TRACE_H

#include <linux/tracepoint.h>

TRACE_EVENT(ntpk_verdict,
	TP_PROTO(u8 pf, u32 reason, s64 t2_age_ns, s64 residence_ns),
	TP_ARGS(pf, reason, t2_age_ns, residence_ns),

	TP_STRUCT__entry(
		__field(u8, pf)
		__field(u32, reason)
		__field(s64, t2_age_ns)
		__field(s64, residence_ns)
	),

	TP_fast_assign(
		__entry->pf = pf;
		__entry->reason = reason;
		__entry->t2_age_ns = t2_age_ns;
		__entry->residence_ns = residence_ns;
	),

	/* reason: enum ntpk_reason; residence_ns: T3 - T2, 0 without an answer */
	TP_printk("pf=%u reason=%u t2_age_ns=%lld residence_ns=%lld",
		  __entry->pf, __entry->reason, __entry->t2_age_ns, __entry->residence_ns)
);

#endif /* NTPK_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
