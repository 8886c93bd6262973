// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The server's decision (RFC 5905 section 9.2): from a request, the served
 * state and the clocks to a reply, or to the reason why there is none.
 * Any context: pure functions of their arguments, no state, no locking.
 */
#include <ntpk/ntp_reply.h>
#include <ntpk/ntp_math.h>
#include <ntpk/ntp_plain.h>

#define HOLDOVER_PUSHES		3
#define NTP_LAST_NS		0x7fffffffffffffffLL
/* A leap second with a correction is less. */
#define MONO_JUMP_MAX_NS	(NTP_NS_PER_S * 3 / 2)

static __u64 sat_add(__u64 a, __u64 b)
{
	return a + b < a ? ~0ULL : a + b;
}

static inline __u64 disp_at_ns(const struct ntp_serve *serve, __s64 raw_ns)
{
	__u64 s, growth;
	__u32 rem_ns;
	__s64 d;

	if (!ntp_span_ns(raw_ns, serve->line.base_raw_ns, &d))
		return ~0ULL;
	s = ntp_div_ns_per_s(d < 0 ? -(__u64)d : (__u64)d, &rem_ns);
	/* s < 2^29 and ppb < 2^32: neither product overflows */
	growth = s * serve->disp_rate_ppb;
	growth += ntp_div_ns_up((__u64)rem_ns * serve->disp_rate_ppb);
	return sat_add(serve->root_disp_ns, growth);
}

__u64 ntp_serve_disp_ns(const struct ntp_serve *serve, __s64 raw_ns)
{
	return disp_at_ns(serve, raw_ns);
}

static void continue_mono(struct ntp_serve *next, const struct ntp_serve *prev, __u32 random)
{
	__s64 here, before, jump_ns;

	next->mono_offset_ns = 0;
	next->mono_epoch = 0;
	if (next->leap == NTP_LEAP_UNSYNC)
		return;
	next->mono_epoch = random ? random : 1;
	if (!prev || !prev->mono_epoch)
		return;
	here = ntp_line_at(&next->line, next->line.base_raw_ns);
	before = ntp_line_at(&prev->line, next->line.base_raw_ns);
	if (before == NTP_LINE_NOWHERE || !ntp_span_ns(here, before, &jump_ns) ||
	    jump_ns > MONO_JUMP_MAX_NS || jump_ns < -MONO_JUMP_MAX_NS ||
	    !ntp_span_ns(prev->mono_offset_ns, jump_ns, &next->mono_offset_ns)) {
		next->mono_offset_ns = 0;
		return;
	}
	next->mono_epoch = prev->mono_epoch;
}

/* @a * 2^@shift / 10^9, rounded down; @a < 2^50, and the result below 2^64. */
static __u64 per_ns(__u64 a, unsigned int shift)
{
	__u32 rem_ns;
	__u64 q;

	for (q = ntp_div_ns_per_s(a, &rem_ns); shift; shift--) {
		rem_ns <<= 1;
		q = q << 1 | (rem_ns >= 1000000000);
		rem_ns -= rem_ns >= 1000000000 ? 1000000000 : 0;
	}
	return q;
}

static void complete_plain(struct ntp_plain *plain, const struct ntp_serve *serve)
{
	/* 2^32 of a timestamp are a second; of the rate's 2^48 and the product's 2^61 is left: */
	plain->ts_per_ns = per_ns((__u64)((1LL << 48) + serve->line.rate_q48), 32 + 61 - 48);
	plain->base_ts = ntp64_from_unix_ns(serve->line.base_unix_ns);
	plain->disp_per_ns = serve->disp_rate_ppb < NTP_NS_PER_S ?
			     per_ns(serve->disp_rate_ppb, 64) + 1 : 0;
	plain->disp_ns = serve->root_disp_ns + 1;
	plain->below = ntp_below_precision(serve->precision_log2s);
}

/* Where dispersion reaches this, at the latest; halved until it is sure. */
static __u64 plain_until(const struct ntp_serve *serve, __u64 max_dist_ns)
{
	__u64 half_ns = serve->root_delay_ns / 2, ns = NTP_PLAIN_MAX_NS, limit_ns;

	if (serve->root_disp_ns > NTP_PLAIN_MAX_NS || half_ns > max_dist_ns)
		return 0;
	limit_ns = max_dist_ns - half_ns;
	if (limit_ns > NTP_PLAIN_MAX_NS)
		limit_ns = NTP_PLAIN_MAX_NS;
	while (ns && ntp_plain_disp_ns(serve, serve->line.base_raw_ns + (__s64)ns) > limit_ns)
		ns /= 2;
	return ns;
}

void ntp_plain_complete(struct ntp_policy *policy, const struct ntp_serve *serve)
{
	const struct ntp_line *line = &serve->line;
	__u64 max_dist_ns = serve->max_dist_ns;

	policy->plain_ns = 0;
	if (serve->leap == NTP_LEAP_UNSYNC || serve->disp_rate_ppb >= NTP_NS_PER_S ||
	    policy->correction.len || policy->flags & NTPK_LISTENER_F_NO_LEAP ||
	    (policy->max_stratum && serve->stratum > policy->max_stratum))
		return;
	/* T2 is up to a second before that, and T3 not hours behind */
	if (line->base_unix_ns < NTP_NS_PER_S ||
	    line->base_unix_ns - NTP_NS_PER_S < serve->floor_unix_ns ||
	    line->base_unix_ns > NTP_UNIX_MAX_NS - 4 * NTP_PLAIN_MAX_NS ||
	    line->base_raw_ns > NTP_LAST_NS - NTP_PLAIN_MAX_NS)
		return;
	if (policy->max_dist_ns && policy->max_dist_ns < max_dist_ns)
		max_dist_ns = policy->max_dist_ns;
	policy->plain_ns = plain_until(serve, max_dist_ns);
}

void ntp_serve_complete(struct ntp_serve *next, const struct ntp_serve *prev, __u32 random)
{
	__s64 ref_ns = next->ref_unix_ns;

	continue_mono(next, prev, random);
	next->reply.lvm = ntp_lvm(next->leap, 0, 0);
	next->reply.stratum = next->stratum;
	next->reply.root_delay = ntp_htobe32(ntp32_from_ns(next->root_delay_ns));
	next->reply.refid = next->refid;
	next->reply.ref_ts = ntp_htobe64(ref_ns ? ntp64_from_unix_ns(ref_ns) : 0);
	complete_plain(&next->plain, next);
}

/* Of a state that was pushed, whose dispersion is known. */
static inline enum ntpk_status status_with(const struct ntp_serve *serve,
					   const struct ntp_now *now, __u64 disp_ns)
{
	__s64 age_ns;

	/* claims nothing, so nothing of it can expire */
	if (serve->leap == NTP_LEAP_UNSYNC)
		return NTPK_STATUS_UNSYNC;
	if (now->clock_seq != serve->clock_seq)
		return NTPK_STATUS_EXPIRED_STEP;
	if (now->boot_ns >= serve->deadline_boot_ns)
		return NTPK_STATUS_EXPIRED_DEADLINE;
	/* root distance lambda of RFC 5905 section 11.1: delay/2 + dispersion */
	if (sat_add(serve->root_delay_ns / 2, disp_ns) > serve->max_dist_ns)
		return NTPK_STATUS_EXPIRED_DISTANCE;
	if (!ntp_span_ns(now->boot_ns, serve->pushed_boot_ns, &age_ns) ||
	    (age_ns > 0 && (__u64)age_ns > HOLDOVER_PUSHES * serve->push_interval_ns))
		return NTPK_STATUS_HOLDOVER;
	return NTPK_STATUS_SYNC;
}

enum ntpk_status ntp_serve_status(const struct ntp_serve *serve, const struct ntp_now *now)
{
	if (!serve)
		return NTPK_STATUS_EMPTY;
	return status_with(serve, now, ntp_serve_disp_ns(serve, now->raw_ns));
}

static const char *check_line(const struct ntp_line *line)
{
	if (line->base_raw_ns < 0)
		return "BASE_RAW_NS must not be negative";
	if (!ntp_unix_ok(line->base_unix_ns))
		return "BASE_UNIX_NS must be in the years 1970..2261";
	if (line->rate_q48 < NTPK_RATE_Q48_MIN || line->rate_q48 > NTPK_RATE_Q48_MAX)
		return "RATE_Q48 must be within +-1 %";
	return NULL;
}

static const char *check_sync(const struct ntp_serve *serve)
{
	if (serve->leap > NTP_LEAP_UNSYNC)
		return "LEAP must be 0..3";
	if (serve->leap == NTP_LEAP_UNSYNC && serve->stratum)
		return "STRATUM must be 0 when LEAP is 3 (unsynchronised)";
	if (serve->leap != NTP_LEAP_UNSYNC && (serve->stratum < 1 || serve->stratum > 15))
		return "STRATUM must be 1..15 when LEAP is 0..2";
	if (serve->precision_log2s < NTPK_PRECISION_LOG2S_MIN || serve->precision_log2s > 0)
		return "PRECISION_LOG2S must be -32..0";
	if (!ntp_unix_ok(serve->ref_unix_ns))
		return "REF_UNIX_NS must be in the years 1970..2261, or 0 when unknown";
	return NULL;
}

static const char *check_limits(const struct ntp_serve *serve)
{
	if (serve->root_disp_ns > NTP_SPAN_MAX_NS)
		return "ROOT_DISP_NS must be at most 2^58";
	if (serve->root_delay_ns > NTP_SPAN_MAX_NS)
		return "ROOT_DELAY_NS must be at most 2^58";
	if (!serve->max_dist_ns || serve->max_dist_ns > NTP_SPAN_MAX_NS)
		return "MAX_DIST_NS must be 1..2^58";
	if (!serve->push_interval_ns || serve->push_interval_ns > NTP_SPAN_MAX_NS)
		return "PUSH_INTERVAL_NS must be 1..2^58";
	if (serve->deadline_boot_ns < 0)
		return "DEADLINE_BOOT_NS must not be negative";
	return NULL;
}

const char *ntp_serve_check(const struct ntp_serve *serve)
{
	const char *text = check_line(&serve->line);

	if (!text)
		text = check_sync(serve);
	if (!text)
		text = check_limits(serve);
	return text;
}

/* May this listener serve what the state holds for good? */
static inline bool listener_content(const struct ntp_serve *serve, const struct ntp_policy *policy,
				    __u64 disp_ns)
{
	if (policy->max_stratum && serve->stratum > policy->max_stratum)
		return false;
	return !policy->max_dist_ns ||
	       sat_add(serve->root_delay_ns / 2, disp_ns) <= policy->max_dist_ns;
}

/* Served time, or the policy's silence, or an unsynchronised answer. */
static enum ntpk_reason decide(const struct ntp_serve *serve, const struct ntp_policy *policy,
			       const struct ntp_now *now, __u64 disp_ns)
{
	enum ntpk_status status = status_with(serve, now, disp_ns);
	bool silent;

	if ((status == NTPK_STATUS_SYNC || status == NTPK_STATUS_HOLDOVER) &&
	    listener_content(serve, policy, disp_ns))
		return NTPK_REASON_REPLIED;
	if (serve->ever_synced) {
		silent = policy->expired == NTPK_POLICY_SILENT;
		return silent ? NTPK_REASON_SILENT_EXPIRED : NTPK_REASON_REPLIED_UNSYNC;
	}
	silent = policy->never_synced == NTPK_POLICY_SILENT;
	return silent ? NTPK_REASON_SILENT_UNSYNC : NTPK_REASON_REPLIED_UNSYNC;
}

/* T2, T3 and the reference time each by what holds at that time. */
static bool correct(struct ntp_answer *answer, const struct ntp_serve *serve,
		    const struct ntp_correction *c, __s64 now_ns)
{
	if (!ntp_correction_at(c, answer->t2_ns, &answer->t2_correction_ns) ||
	    !ntp_correction_at(c, now_ns, &answer->correction_ns) ||
	    !ntp_correction_at(c, serve->ref_unix_ns, &answer->ref_ns) ||
	    __builtin_add_overflow(answer->t2_ns, answer->t2_correction_ns, &answer->t2_ns))
		return false;
	return ntp_unix_ok(answer->t2_ns);
}

enum ntpk_reason ntp_reply_decide(struct ntp_answer *answer, const struct ntp_serve *serve,
				  const struct ntp_policy *policy, const struct ntp_now *now,
				  __s64 t2_age_ns, __u64 t2_err_ns)
{
	enum ntpk_reason reason;
	__u64 disp_ns;
	__s64 now_ns;

	if (!serve)
		return NTPK_REASON_SILENT_UNSYNC;
	disp_ns = disp_at_ns(serve, now->raw_ns);
	reason = decide(serve, policy, now, disp_ns);
	if (reason != NTPK_REASON_REPLIED && reason != NTPK_REASON_REPLIED_UNSYNC)
		return reason;
	now_ns = ntp_line_at(&serve->line, now->raw_ns);
	if (__builtin_sub_overflow(now_ns, t2_age_ns, &answer->t2_ns) ||
	    !ntp_unix_ok(answer->t2_ns) || answer->t2_ns < serve->floor_unix_ns)
		return NTPK_REASON_INSANE_TIME;
	answer->disp_ns = sat_add(disp_ns, t2_err_ns);
	answer->synced = reason == NTPK_REASON_REPLIED;
	answer->t2_correction_ns = 0;
	answer->correction_ns = 0;
	answer->ref_ns = 0;
	answer->rate = false;
	answer->departed = 0;
	answer->no_leap = policy->flags & NTPK_LISTENER_F_NO_LEAP;
	answer->special = policy->correction.len || answer->no_leap;
	if (__builtin_expect(policy->correction.len, 0) &&
	    !correct(answer, serve, &policy->correction, now_ns))
		return NTPK_REASON_INSANE_TIME;
	return reason;
}

void ntp_reply_fill_special(struct ntp_header *reply, const struct ntp_serve *serve,
			    const struct ntp_answer *answer)
{
	if (answer->rate) {
		reply->refid = ntp_htobe32(NTP_KOD_RATE);
		if (reply->poll_log2s < answer->poll_min_log2s)
			reply->poll_log2s = answer->poll_min_log2s;
	}
	if (!answer->synced)
		return;
	if (answer->no_leap)
		reply->lvm &= (__u8)~ntp_lvm(NTP_LEAP_UNSYNC, 0, 0);
	if (serve->ref_unix_ns)
		reply->ref_ts = ntp_htobe64(ntp64_from_unix_ns(serve->ref_unix_ns +
							       answer->ref_ns));
}
