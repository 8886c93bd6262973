// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The server's decision (RFC 5905 section 9.2): from a request, the served
 * state and the clocks to a reply, or to the reason why there is none.
 * Any context: pure functions of their arguments, no state, no locking.
 */
#include <ntpk/ntp_reply.h>
#include <ntpk/ntp_math.h>

#define HOLDOVER_PUSHES		3
#define UNSYNC_DISP		((ntp32_t)16 << 16)	/* MAXDISP of RFC 5905 */
/* A clock may be made to run 10 % and 500 ppm off: adjtimex(2). */
#define T2_AGE_ERROR_SHIFT	3
#define MONO_JUMP_MAX_NS	NTP_NS_PER_S

/* a - b, or false where that overflows or is further than the line reaches */
static bool span_ns(__s64 a, __s64 b, __s64 *d)
{
	if (__builtin_sub_overflow(a, b, d))
		return false;
	return *d >= -NTP_SPAN_MAX_NS && *d <= NTP_SPAN_MAX_NS;
}

static __u64 sat_add(__u64 a, __u64 b)
{
	return a + b < a ? ~0ULL : a + b;
}

__s64 ntp_line_at(const struct ntp_line *line, __s64 raw_ns)
{
	bool backwards;
	struct ntp_u128 p;
	__s64 d, corr, t;

	if (!span_ns(raw_ns, line->base_raw_ns, &d))
		return NTP_LINE_NOWHERE;
	backwards = (d < 0) != (line->rate_q48 < 0);
	p = ntp_mul_u64(d < 0 ? -(__u64)d : (__u64)d,
			line->rate_q48 < 0 ? -(__u64)line->rate_q48 : (__u64)line->rate_q48);
	/* rates beyond NTPK_RATE_Q48_MAX are refused, but must not overflow either */
	if (p.hi >> 46)
		return NTP_LINE_NOWHERE;
	corr = (__s64)(p.hi << 16 | p.lo >> 48);
	if (backwards)
		corr = -corr;
	if (__builtin_add_overflow(line->base_unix_ns, d, &t) ||
	    __builtin_add_overflow(t, corr, &t))
		return NTP_LINE_NOWHERE;
	return t;
}

__u64 ntp_serve_disp_ns(const struct ntp_serve *serve, __s64 raw_ns)
{
	__u32 rem_ns, rest;
	__u64 s, growth;
	__s64 d;

	if (!span_ns(raw_ns, serve->line.base_raw_ns, &d))
		return ~0ULL;
	s = ntp_div_ns_per_s(d < 0 ? -(__u64)d : (__u64)d, &rem_ns);
	/* s < 2^29 and ppb < 2^32: neither product overflows */
	growth = s * serve->disp_rate_ppb;
	growth += ntp_div_ns_per_s((__u64)rem_ns * serve->disp_rate_ppb, &rest);
	if (rest)
		growth++;
	return sat_add(serve->root_disp_ns, growth);
}

__u64 ntp_reply_disp_ns(const struct ntp_serve *serve, __s64 raw_ns, __s64 t2_age_ns)
{
	return sat_add(ntp_serve_disp_ns(serve, raw_ns), (__u64)t2_age_ns >> T2_AGE_ERROR_SHIFT);
}

void ntp_serve_continue(struct ntp_serve *next, const struct ntp_serve *prev, __u32 random)
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
	if (before == NTP_LINE_NOWHERE || !span_ns(here, before, &jump_ns) ||
	    jump_ns > MONO_JUMP_MAX_NS || jump_ns < -MONO_JUMP_MAX_NS ||
	    !span_ns(prev->mono_offset_ns, jump_ns, &next->mono_offset_ns)) {
		next->mono_offset_ns = 0;
		return;
	}
	next->mono_epoch = prev->mono_epoch;
}

/* Root distance lambda of RFC 5905 section 11.1: delay/2 + dispersion. */
static __u64 root_dist_ns(const struct ntp_serve *serve, __s64 raw_ns)
{
	return sat_add(serve->root_delay_ns / 2, ntp_serve_disp_ns(serve, raw_ns));
}

enum ntpk_status ntp_serve_status(const struct ntp_serve *serve, const struct ntp_now *now)
{
	__s64 age_ns;

	if (!serve)
		return NTPK_STATUS_EMPTY;
	/* claims nothing, so nothing of it can expire */
	if (serve->leap == NTP_LEAP_UNSYNC)
		return NTPK_STATUS_UNSYNC;
	if (now->clock_seq != serve->clock_seq)
		return NTPK_STATUS_EXPIRED_STEP;
	if (now->boot_ns >= serve->deadline_boot_ns)
		return NTPK_STATUS_EXPIRED_DEADLINE;
	if (root_dist_ns(serve, now->raw_ns) > serve->max_dist_ns)
		return NTPK_STATUS_EXPIRED_DISTANCE;
	if (!span_ns(now->boot_ns, serve->pushed_boot_ns, &age_ns) ||
	    (age_ns > 0 && (__u64)age_ns > HOLDOVER_PUSHES * serve->push_interval_ns))
		return NTPK_STATUS_HOLDOVER;
	return NTPK_STATUS_SYNC;
}

static bool unix_ok(__s64 unix_ns)
{
	return unix_ns >= 0 && unix_ns < NTP_UNIX_MAX_NS;
}

static const char *check_line(const struct ntp_line *line)
{
	if (line->base_raw_ns < 0)
		return "BASE_RAW_NS must not be negative";
	if (!unix_ok(line->base_unix_ns))
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
	if (!unix_ok(serve->ref_unix_ns))
		return "REF_UNIX_NS must be in the years 1970..2261, or 0 when unknown";
	return NULL;
}

static const char *check_limits(const struct ntp_serve *serve)
{
	if (serve->root_disp_ns > NTP_SPAN_MAX_NS)
		return "ROOT_DISP_NS must be at most 2^58";
	if (serve->root_delay_ns > NTP_SPAN_MAX_NS)
		return "ROOT_DELAY_NS must be at most 2^58";
	if (!serve->max_dist_ns)
		return "MAX_DIST_NS must not be 0";
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

static bool answered_mode(unsigned int version, unsigned int mode, __u16 src_port, __u32 flags)
{
	switch (mode) {
	case NTP_MODE_CLIENT:
		return true;
	case NTP_MODE_SYM_ACTIVE:
		return !(flags & NTPK_LISTENER_F_NO_MODE1);
	case NTP_MODE_UNSPEC:
		/* RFC 1059: version 1 knew clients and peers by their port only */
		return version == 1 && src_port != NTP_PORT;
	default:
		return false;
	}
}

enum ntpk_reason ntp_reply_classify(const struct ntp_header *req, size_t len, __u16 src_port,
				    const struct ntp_policy *policy)
{
	unsigned int version;

	if (!len)
		return NTPK_REASON_BAD_LENGTH;
	version = ntp_lvm_version(req->lvm);
	if (version < NTP_VERSION_MIN || version > NTP_VERSION_MAX)
		return NTPK_REASON_VERSION;
	if (!answered_mode(version, ntp_lvm_mode(req->lvm), src_port, policy->flags))
		return NTPK_REASON_MODE;
	/* only now: control messages (RFC 9327) are shorter, and are not ours to drop */
	if (len < NTP_HEADER_LEN)
		return NTPK_REASON_BAD_LENGTH;
	return NTPK_REASON_NONE;
}

/* Served time, or the policy's silence, or an unsynchronised answer. */
static enum ntpk_reason decide(const struct ntp_serve *serve, const struct ntp_policy *policy,
			       const struct ntp_now *now)
{
	enum ntpk_status status = ntp_serve_status(serve, now);
	bool silent;

	if (status == NTPK_STATUS_SYNC || status == NTPK_STATUS_HOLDOVER)
		return NTPK_REASON_REPLIED;
	if (status == NTPK_STATUS_EMPTY)
		return NTPK_REASON_SILENT_UNSYNC;
	if (serve->ever_synced) {
		silent = policy->expired == NTPK_POLICY_SILENT;
		return silent ? NTPK_REASON_SILENT_EXPIRED : NTPK_REASON_REPLIED_UNSYNC;
	}
	silent = policy->never_synced == NTPK_POLICY_SILENT;
	return silent ? NTPK_REASON_SILENT_UNSYNC : NTPK_REASON_REPLIED_UNSYNC;
}

static __u64 below_precision(__s8 precision_log2s)
{
	return (1ULL << (32 + precision_log2s)) - 1;
}

/* The bits below the precision carry no time, so they carry no pattern (RFC 5905 section 6). */
static ntp64_t timestamp(__s64 unix_ns, __s8 precision_log2s, __u64 random)
{
	__u64 mask = below_precision(precision_log2s);
	ntp64_t ts = (ntp64_from_unix_ns(unix_ns) & ~mask) | (random & mask);

	return ts ? ts : 1;	/* 0 would mean unknown */
}

static __u8 reply_lvm(unsigned int leap, __u8 req_lvm)
{
	bool peer = ntp_lvm_mode(req_lvm) == NTP_MODE_SYM_ACTIVE;

	return ntp_lvm(leap, ntp_lvm_version(req_lvm),
		       peer ? NTP_MODE_SYM_PASSIVE : NTP_MODE_SERVER);
}

static void fill_unsync(struct ntp_header *reply, __u8 req_lvm)
{
	reply->lvm = reply_lvm(NTP_LEAP_UNSYNC, req_lvm);
	reply->stratum = 0;
	reply->root_delay = 0;
	reply->root_disp = ntp_htobe32(UNSYNC_DISP);
	reply->refid = 0;
	reply->ref_ts = 0;
}

static void fill_sync(struct ntp_header *reply, __u8 req_lvm, const struct ntp_serve *serve,
		      __s64 raw_ns, __s64 t2_age_ns)
{
	ntp64_t ref = serve->ref_unix_ns ? ntp64_from_unix_ns(serve->ref_unix_ns) : 0;
	__u64 disp_ns = ntp_reply_disp_ns(serve, raw_ns, t2_age_ns);

	reply->lvm = reply_lvm(serve->leap, req_lvm);
	reply->stratum = serve->stratum;
	reply->root_delay = ntp_htobe32(ntp32_from_ns(serve->root_delay_ns));
	reply->root_disp = ntp_htobe32(ntp32_from_ns(disp_ns));
	reply->refid = serve->refid;
	reply->ref_ts = ntp_htobe64(ref);
}

enum ntpk_reason ntp_reply_build(struct ntp_header *reply, const struct ntp_header *req,
				 const struct ntp_serve *serve, const struct ntp_policy *policy,
				 const struct ntp_now *now, __s64 t2_age_ns, __u64 random)
{
	enum ntpk_reason reason = decide(serve, policy, now);
	__s64 t2_ns;

	if (reason != NTPK_REASON_REPLIED && reason != NTPK_REASON_REPLIED_UNSYNC)
		return reason;
	if (__builtin_sub_overflow(ntp_line_at(&serve->line, now->raw_ns), t2_age_ns, &t2_ns) ||
	    !unix_ok(t2_ns) || t2_ns < serve->floor_unix_ns)
		return NTPK_REASON_INSANE_TIME;

	if (reason == NTPK_REASON_REPLIED)
		fill_sync(reply, req->lvm, serve, now->raw_ns, t2_age_ns);
	else
		fill_unsync(reply, req->lvm);
	reply->poll_log2s = req->poll_log2s;
	reply->precision_log2s = serve->precision_log2s;
	reply->org_ts = req->xmt_ts;
	reply->rec_ts = ntp_htobe64(timestamp(t2_ns, serve->precision_log2s, random));
	reply->xmt_ts = 0;
	return reason;
}

enum ntpk_reason ntp_reply_stamp(struct ntp_header *reply, const struct ntp_serve *serve,
				 __s64 raw_ns, __u64 random)
{
	__u64 mask = below_precision(serve->precision_log2s);
	__s64 t3_ns = ntp_line_at(&serve->line, raw_ns);
	ntp64_t t2 = ntp_be64toh(reply->rec_ts);
	ntp64_t t3;

	if (!unix_ok(t3_ns))
		return NTPK_REASON_T3_BEFORE_T2;
	t3 = timestamp(t3_ns, serve->precision_log2s, random);
	/* what the clock said, without the random bits */
	if ((__s64)((t3 & ~mask) - (t2 & ~mask)) < 0)
		return NTPK_REASON_T3_BEFORE_T2;
	if ((__s64)(t3 - t2) < 0)
		t3 = t2;
	reply->xmt_ts = ntp_htobe64(t3);
	return NTPK_REASON_NONE;
}
