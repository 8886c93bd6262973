// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is published, and how honest it is: the true error must stay within
 * root delay / 2 + root dispersion at all times, without news too.
 * Pure, no locking.
 */
#include "engine_priv.h"

#include <math.h>

#define SERVE_MIN_RATE_PPB	1000.0
#define SERVE_MAX_RATE_PPB	500000.0
#define LOCAL_REFID		0x7f7f0101u	/* 127.127.1.1, as everybody's */

int64_t engine_precision_ns(const struct engine *e)
{
	int8_t p = e->conf.precision_log2s;

	if (p >= 0)
		return NTP_NS_PER_S;
	return p < -29 ? 1 : (NTP_NS_PER_S >> -p) + 1;
}

int64_t engine_ref_disp_ns(const struct engine *e, int64_t local_ns)
{
	return e->ref.disp_ns + e->refused_ns + (int64_t)ceil(est_bound_ns(&e->est, local_ns));
}

int64_t engine_root_disp_ns(const struct engine *e, int64_t local_ns)
{
	return e->local ? engine_precision_ns(e) : engine_ref_disp_ns(e, local_ns);
}

/*
 * Our error's bound is convex in time, so a chord to the end of
 * the horizon stays above it all along.
 */
static uint32_t disp_rate_ppb(const struct engine *e, int64_t local_ns, int64_t horizon_ns)
{
	double t = fmax((double)horizon_ns * 1e-9, 1);
	double now_ns = est_bound_ns(&e->est, local_ns);
	double then_ns = est_bound_ns(&e->est, local_ns + (int64_t)(t * 1e9));
	double rate = (then_ns - now_ns) / t;

	rate = fmax(SERVE_MIN_RATE_PPB, fmin(SERVE_MAX_RATE_PPB, rate));
	return (uint32_t)ceil(rate);
}

bool engine_may_serve(const struct engine *e, const struct clocks *now)
{
	if (!e->est.valid || !e->updates)
		return false;
	if (now->boot_ns >= e->ref.fresh_boot_ns + e->conf.holdover_ns)
		return false;
	return e->ref.root_delay_ns / 2 + engine_ref_disp_ns(e, now->local_ns) <=
	       e->conf.max_served_ns;
}

static void serve_unsync(struct ntp_serve *s)
{
	s->leap = NTP_LEAP_UNSYNC;
	s->stratum = 0;
	s->refid = 0;
	s->root_delay_ns = 0;
	s->root_disp_ns = 16 * NTP_NS_PER_S;
}

static void serve_local(const struct engine *e, const struct clocks *now, struct ntp_serve *s)
{
	s->leap = NTP_LEAP_NONE;
	s->stratum = e->conf.local_stratum;
	s->refid = ntp_htobe32(LOCAL_REFID);
	s->root_disp_ns = (uint64_t)engine_root_disp_ns(e, now->local_ns);
	s->ref_unix_ns = s->line.base_unix_ns;
}

static void serve_sync(const struct engine *e, const struct clocks *now, struct ntp_serve *s)
{
	s->leap = e->leap.armed;
	s->stratum = e->ref.stratum;
	s->refid = e->ref.refid;
	s->root_delay_ns = (uint64_t)e->ref.root_delay_ns;
	s->root_disp_ns = (uint64_t)engine_root_disp_ns(e, now->local_ns);
	s->ref_unix_ns = e->ref.unix_ns;
	s->deadline_boot_ns = e->ref.fresh_boot_ns + e->conf.holdover_ns;
	/* should nobody shift the line when the leap second comes, it must not be served on */
	if (e->leap.armed) {
		int64_t left_ns = e->leap.at_unix_ns - s->line.base_unix_ns;

		if (now->boot_ns + left_ns < s->deadline_boot_ns)
			s->deadline_boot_ns = now->boot_ns + left_ns;
	}
	s->disp_rate_ppb = disp_rate_ppb(e, now->local_ns, s->deadline_boot_ns - now->boot_ns);
}

void engine_serve(const struct engine *e, const struct clocks *now, struct ntp_serve *out)
{
	static const struct ntp_serve zero;

	*out = zero;
	est_line(&e->est, now->local_ns, &out->line);
	out->max_dist_ns = (uint64_t)e->conf.max_served_ns;
	out->push_interval_ns = (uint64_t)e->conf.push_interval_ns;
	out->pushed_boot_ns = now->boot_ns;
	out->deadline_boot_ns = now->boot_ns + e->conf.holdover_ns;
	out->disp_rate_ppb = (uint32_t)SERVE_MIN_RATE_PPB;
	out->clock_seq = now->clock_seq;
	out->precision_log2s = e->conf.precision_log2s;
	if (e->local)
		serve_local(e, now, out);
	else if (e->synchronised)
		serve_sync(e, now, out);
	else
		serve_unsync(out);
}

void engine_push(struct engine *e, const struct clocks *now, bool unsync, struct actions *out)
{
	struct action *a = out_add(out, ACT_PUSH, ENGINE_NO_SOURCE);

	engine_serve(e, now, &a->serve);
	if (unsync)
		serve_unsync(&a->serve);
	e->push_wanted = false;
	e->push_local_ns = now->local_ns;
}

void engine_sync_status(const struct engine *e, const struct clocks *now, struct actions *out)
{
	int64_t residual_ns = est_at(&e->est, now->local_ns) - now->real_ns;
	int64_t off_ns = residual_ns < 0 ? -residual_ns : residual_ns;
	struct action *a;

	if (!e->conf.control_clock)
		return;
	a = out_add(out, ACT_SYNC_STATUS, ENGINE_NO_SOURCE);
	a->sync.synchronised = e->synchronised;
	a->sync.leap = e->synchronised ?
		       leap_of_clock(&e->leap, est_at(&e->est, now->local_ns)) : NTP_LEAP_UNSYNC;
	a->sync.est_error_ns = off_ns + (int64_t)ceil(est_error_ns(&e->est, now->local_ns));
	a->sync.max_error_ns = off_ns + e->ref.root_delay_ns / 2 +
			       engine_ref_disp_ns(e, now->local_ns);
}
