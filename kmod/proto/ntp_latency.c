// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The window of latencies, see ntp_latency.h.  Any context.
 */
#include <ntpk/ntp_latency.h>

void ntp_latency_add(struct ntp_latency *l, __u32 ns)
{
	if (ns > NTP_LATENCY_MAX_NS)
		ns = NTP_LATENCY_MAX_NS;
	if (!l->n || ns < l->min_ns)
		l->min_ns = ns;
	l->sum_ns += ns;
	if (++l->n < NTP_LATENCY_HALF)
		return;
	l->last_min_ns = l->min_ns;
	l->last_sum_ns = l->sum_ns;
	l->sum_ns = 0;
	l->n = 0;
}

__u32 ntp_latency_correction_ns(const struct ntp_latency *l)
{
	__u32 ns = l->last_min_ns;

	if (l->n && l->min_ns < ns)
		ns = l->min_ns;
	return ns < NTP_LATENCY_CORRECTION_MAX_NS ? ns : NTP_LATENCY_CORRECTION_MAX_NS;
}

__u32 ntp_latency_residual_ns(const struct ntp_latency *l)
{
	if (!ntp_latency_known(l))
		return 0;
	return (l->sum_ns + l->last_sum_ns) / (l->n + NTP_LATENCY_HALF) -
	       ntp_latency_correction_ns(l);
}
