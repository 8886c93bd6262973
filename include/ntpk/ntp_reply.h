/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The server's decision: request + served state + receive time -> reply, or a
 * reason.  The module, the daemon's own responder, tests and fuzzers all run
 * these functions.  Pure C: time and randomness are arguments.
 *
 * Order of use: ntp_reply_classify() on the bytes; ntp_reply_decide() with one
 * reading of the clocks; ntp_reply_fill(); ntp_reply_stamp() last of all before
 * the send.
 */
#ifndef _NTPK_NTP_REPLY_H
#define _NTPK_NTP_REPLY_H

#include <ntpk/ntp_correction.h>
#include <ntpk/ntp_limit.h>
#include <ntpk/ntp_wire.h>
#include <linux/ntpk.h>

#define NTP_SPAN_MAX_NS		(1LL << 58)	/* 9 years: a line is used no further than this */
#define NTP_UNIX_MAX_NS		(9214646400LL * NTP_NS_PER_S)	/* 2262-01-01 */
#define NTP_UNSYNC_DISP_S	16			/* MAXDISP of RFC 5905 */
#define NTP_UNSYNC_DISP		((ntp32_t)NTP_UNSYNC_DISP_S << 16)
#define NTP_UNSYNC_DISP_NS	(NTP_UNSYNC_DISP_S * NTP_NS_PER_S)
#define NTP_T2_BIT		1ULL	/* a quarter of a nanosecond: set in T2, clear in T3 */
#define NTP_LINE_NOWHERE	(-0x7fffffffffffffffLL - 1)	/* no such time */

/**
 * struct ntp_line - UTC as a line on CLOCK_MONOTONIC_RAW
 * @base_raw_ns: raw instant of the base point
 * @base_unix_ns: UTC there
 * @rate_q48: (dUTC/draw - 1) * 2^48, |.| <= NTPK_RATE_Q48_MAX
 */
struct ntp_line {
	__s64	base_raw_ns;
	__s64	base_unix_ns;
	__s64	rate_q48;
};

/**
 * struct ntp_plain - the same for the short way, see ntp_plain.h
 * @base_ts: served time at the base point, as a timestamp
 * @ts_per_ns: what a timestamp gains per raw nanosecond, * 2^61
 * @disp_ns: root dispersion at the base point, with a nanosecond for what follows
 * @disp_per_ns: what that gains per raw nanosecond, * 2^64
 * @below: ntp_below_precision()
 */
struct ntp_plain {
	ntp64_t	base_ts;
	__u64	ts_per_ns;
	__u64	disp_ns;
	__u64	disp_per_ns;
	__u64	below;
};

/**
 * struct ntp_serve - what is served; immutable once published
 * @line: served time
 * @root_disp_ns: root dispersion at the base point
 * @root_delay_ns: root delay
 * @max_dist_ns: expired when root_delay/2 + dispersion exceeds it
 * @push_interval_ns: holdover is shown after three of these without a push
 * @pushed_boot_ns: CLOCK_BOOTTIME of the push
 * @deadline_boot_ns: expired from here on, CLOCK_BOOTTIME
 * @ref_unix_ns: reference time, 0 = unknown
 * @floor_unix_ns: served time before this is never sent (build date)
 * @disp_rate_ppb: growth of root_disp_ns per raw time
 * @clock_seq: clock_was_set_seq that the push was computed under
 * @mono_epoch: of the scale without phase corrections, see ntp_serve_complete();
 *	0 = there is none
 * @mono_offset_ns: that scale is served time plus this
 * @refid: as on the wire
 * @leap: enum ntp_leap; NTP_LEAP_UNSYNC = not synchronised
 * @stratum: 1..15, 0 exactly when unsynchronised
 * @precision_log2s: -32..0
 * @ever_synced: a synchronised push was accepted since attach
 * @reply: what all synchronised replies have in common, from ntp_serve_complete()
 * @plain: from ntp_serve_complete(), too
 */
struct ntp_serve {
	struct ntp_line line;
	__u64	root_disp_ns;
	__u64	root_delay_ns;
	__u64	max_dist_ns;
	__u64	push_interval_ns;
	__s64	pushed_boot_ns;
	__s64	deadline_boot_ns;
	__s64	ref_unix_ns;
	__s64	floor_unix_ns;
	__u32	disp_rate_ppb;
	__u32	clock_seq;
	__u32	mono_epoch;
	__s64	mono_offset_ns;
	__be32	refid;
	__u8	leap;
	__u8	stratum;
	__s8	precision_log2s;
	bool	ever_synced;
	struct ntp_header reply;
	struct ntp_plain plain;
};

/**
 * struct ntp_now - one reading of the clocks
 * @raw_ns: CLOCK_MONOTONIC_RAW
 * @boot_ns: CLOCK_BOOTTIME
 * @clock_seq: clock_was_set_seq
 */
struct ntp_now {
	__s64	raw_ns;
	__s64	boot_ns;
	__u32	clock_seq;
};

/**
 * struct ntp_policy - what one listener does
 * @never_synced: before the first synchronised push
 * @expired: after expiry, a step, or an unsynchronised push
 * @flags: NTPK_LISTENER_F_*
 * @versions: bit N = version N is answered, 0 = all
 * @max_stratum: served with a higher one = expired, 0 = any
 * @max_dist_ns: expired when the root distance exceeds it, 0 = as the state says
 * @plain_ns: for so long after the base the short way may be taken, from
 *	ntp_plain_complete(); 0 = never
 * @limit: how much a client may ask
 * @correction: of all timestamps
 */
struct ntp_policy {
	enum ntpk_policy never_synced;
	enum ntpk_policy expired;
	__u32	flags;
	__u8	versions;
	__u8	max_stratum;
	__u64	max_dist_ns;
	__u64	plain_ns;
	struct ntp_limit limit;
	struct ntp_correction correction;
};

/**
 * ntp_span_ns() - a distance that a line may be used over
 * @a: minuend
 * @b: subtrahend
 * @d: out, @a - @b
 *
 * Return: false where that overflows or exceeds NTP_SPAN_MAX_NS.
 */
static inline bool ntp_span_ns(__s64 a, __s64 b, __s64 *d)
{
	if (__builtin_sub_overflow(a, b, d))
		return false;
	return *d >= -NTP_SPAN_MAX_NS && *d <= NTP_SPAN_MAX_NS;
}

/**
 * ntp_unix_ok() - a time that may be sent
 * @unix_ns: nanoseconds since 1970
 *
 * Return: whether it is in the years 1970..2261.
 */
static inline bool ntp_unix_ok(__s64 unix_ns)
{
	return unix_ns >= 0 && unix_ns < NTP_UNIX_MAX_NS;
}

/**
 * ntp_below_precision() - the bits of a timestamp that carry no time
 * @precision_log2s: -32..0
 *
 * Return: a mask.
 */
static inline __u64 ntp_below_precision(__s8 precision_log2s)
{
	return (1ULL << (32 + precision_log2s)) - 1;
}

/**
 * ntp_timestamp() - a timestamp for the wire
 * @unix_ns: nanoseconds since 1970
 * @precision_log2s: -32..0
 * @random: uniform bits, used below the precision, which then carries no pattern
 *	(RFC 5905 section 6)
 *
 * Return: never 0, which would mean unknown.
 */
static inline ntp64_t ntp_timestamp(__s64 unix_ns, __s8 precision_log2s, __u64 random)
{
	__u64 mask = ntp_below_precision(precision_log2s);
	ntp64_t ts = (ntp64_from_unix_ns(unix_ns) & ~mask) | (random & mask);

	return ts ? ts : 1;
}

/**
 * ntp_line_at() - UTC at a raw instant
 * @line: the line
 * @raw_ns: CLOCK_MONOTONIC_RAW, before or after the base
 *
 * Return: nanoseconds since 1970; NTP_LINE_NOWHERE further than
 * NTP_SPAN_MAX_NS from the base or beyond what 64 bits hold.
 */
static inline __s64 ntp_line_at(const struct ntp_line *line, __s64 raw_ns)
{
	__s64 d, corr, t;

	/* rates beyond NTPK_RATE_Q48_MAX are refused, but must not overflow either */
	if (!ntp_span_ns(raw_ns, line->base_raw_ns, &d) || !ntp_scale(d, line->rate_q48, &corr) ||
	    __builtin_add_overflow(line->base_unix_ns, d, &t) ||
	    __builtin_add_overflow(t, corr, &t))
		return NTP_LINE_NOWHERE;
	return t;
}

/**
 * ntp_serve_disp_ns() - root dispersion at a raw instant
 * @serve: state
 * @raw_ns: CLOCK_MONOTONIC_RAW
 *
 * Return: root_disp_ns grown by disp_rate_ppb, rounded up, saturated.
 */
__u64 ntp_serve_disp_ns(const struct ntp_serve *serve, __s64 raw_ns);

/**
 * ntp_serve_status() - what the state is worth now
 * @serve: state, NULL = nothing pushed
 * @now: clocks
 *
 * A step outranks the deadline, the deadline outranks the distance.  An
 * unsynchronised state claims nothing and so never expires.
 *
 * Return: enum ntpk_status, never NTPK_STATUS_DETACHED.
 */
enum ntpk_status ntp_serve_status(const struct ntp_serve *serve, const struct ntp_now *now);

/**
 * ntp_serve_check() - is a pushed state one that may be published?
 * @serve: state
 *
 * Ranges, stratum 0 exactly with leap 3, times that cannot overflow.
 *
 * Return: NULL when fine, else a static text that names the field and what is
 * accepted (used as netlink extack).
 */
const char *ntp_serve_check(const struct ntp_serve *serve);

/**
 * ntp_serve_complete() - what follows from a push: to be called before it is published
 * @next: its mono_epoch, mono_offset_ns, reply and plain are set
 * @prev: published before, NULL = nothing
 * @random: for a new epoch
 *
 * The scale without phase corrections: what the new line jumps by where it begins
 * is taken out again, so that two T2 of one epoch on that scale differ by true time
 * alone, however the server's phase was corrected between them.  An epoch ends with
 * a jump of more than a second and a half and with every unsynchronised push.
 */
void ntp_serve_complete(struct ntp_serve *next, const struct ntp_serve *prev, __u32 random);

/**
 * ntp_answered_mode() - is that mode one for a server?
 * @version: of the request
 * @mode: enum ntp_mode
 * @src_port: host order
 * @flags: NTPK_LISTENER_F_*
 *
 * Return: whether it is answered.
 */
static inline bool ntp_answered_mode(unsigned int version, unsigned int mode, __u16 src_port,
				     __u32 flags)
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

/**
 * ntp_reply_classify() - is this a request that a server answers?
 * @req: min(@len, NTP_HEADER_LEN) readable bytes
 * @len: bytes of NTP payload; what follows the header is ignored
 * @src_port: UDP source port, host order
 * @policy: of the listener
 *
 * Versions 1..4 in mode 3; version 1 in mode 0 from a port other than 123
 * (RFC 1059 had no mode field there); mode 1, which is what Windows asks in,
 * unless NTPK_LISTENER_F_NO_MODE1; no other versions than the listener's.  Version
 * and mode come before the length, as control messages are shorter than a header and
 * are not a server's to drop.
 *
 * Return: NTPK_REASON_NONE to go on, else BAD_LENGTH, VERSION or MODE.
 */
static inline enum ntpk_reason
ntp_reply_classify(const struct ntp_header *req, size_t len, __u16 src_port,
		   const struct ntp_policy *policy)
{
	unsigned int version;

	/* as nearly all are */
	if (__builtin_expect(len >= NTP_HEADER_LEN && !policy->versions &&
			     (req->lvm & NTP_LVM_NO_LEAP) ==
			     ntp_lvm(0, NTP_VERSION_MAX, NTP_MODE_CLIENT), 1))
		return NTPK_REASON_NONE;
	if (!len)
		return NTPK_REASON_BAD_LENGTH;
	version = ntp_lvm_version(req->lvm);
	if (version < NTP_VERSION_MIN || version > NTP_VERSION_MAX ||
	    (policy->versions && !(policy->versions >> version & 1)))
		return NTPK_REASON_VERSION;
	if (!ntp_answered_mode(version, ntp_lvm_mode(req->lvm), src_port, policy->flags))
		return NTPK_REASON_MODE;
	/* only now: control messages (RFC 9327) are shorter, and are not ours to drop */
	if (len < NTP_HEADER_LEN)
		return NTPK_REASON_BAD_LENGTH;
	return NTPK_REASON_NONE;
}

/**
 * struct ntp_answer - what was decided about a request
 * @t2_ns: when it was received, UTC since 1970, and corrected
 * @t2_correction_ns: what @t2_ns was corrected by
 * @disp_ns: root dispersion of the reply
 * @correction_ns: what T3 is to be corrected by
 * @ref_ns: what the reference time is corrected by
 * @synced: with the served time, else as unsynchronised
 * @no_leap: a leap second is not announced
 * @rate: it is a KoD RATE
 * @poll_min_log2s: of a KoD RATE: the client shall not ask more often
 * @special: not all that is said is what the state says
 * @departed: when the reply left that the request names, for interleaved mode; 0 =
 *	basic mode
 */
struct ntp_answer {
	__s64	t2_ns;
	__s64	t2_correction_ns;
	__u64	disp_ns;
	__s64	correction_ns;
	__s64	ref_ns;
	bool	synced;
	bool	no_leap;
	bool	rate;
	__s8	poll_min_log2s;
	bool	special;
	ntp64_t	departed;
};

/**
 * ntp_reply_interleaves() - is this a request in interleaved mode?
 * @req: a request that ntp_reply_classify() accepted
 *
 * Such a request has the T2 of the last reply for its origin, and its own last T4 as its
 * receive timestamp, which must not be its transmit timestamp as well: only so can the
 * client tell by the origin of the reply which mode that is in (RFC 9769 section 2).  A
 * T2 of ours is odd and a T3 even, so that a client in basic mode which names the last
 * T3, as ntpd does, is not taken for one.
 *
 * Return: whether.
 */
static inline bool ntp_reply_interleaves(const struct ntp_header *req)
{
	return (req->org_ts & ntp_htobe64(NTP_T2_BIT)) && req->rec_ts != req->xmt_ts &&
	       req->rec_ts && ntp_lvm_mode(req->lvm) == NTP_MODE_CLIENT &&
	       ntp_lvm_version(req->lvm) == NTP_VERSION_MAX;
}

/**
 * ntp_t2_age_err_ns() - how wrong the age of a receive stamp of the system's may be
 * @age_ns: >= 0
 *
 * It was measured on a clock that is not ours and that others may be slewing, by 10 %
 * and 500 ppm: adjtimex(2).
 *
 * Return: an eighth.
 */
static inline __u64 ntp_t2_age_err_ns(__s64 age_ns)
{
	return (__u64)age_ns >> 3;
}

/**
 * ntp_reply_decide() - is there an answer, and which?
 * @answer: out
 * @serve: state, NULL = nothing pushed (always silent)
 * @policy: of the listener
 * @now: clocks
 * @t2_age_ns: how long before @now the request was received, >= 0
 * @t2_err_ns: what is to be added to the root dispersion for that
 *
 * Return: NTPK_REASON_REPLIED or NTPK_REASON_REPLIED_UNSYNC, else SILENT_UNSYNC,
 * SILENT_EXPIRED or INSANE_TIME.
 */
enum ntpk_reason ntp_reply_decide(struct ntp_answer *answer, const struct ntp_serve *serve,
				  const struct ntp_policy *policy, const struct ntp_now *now,
				  __s64 t2_age_ns, __u64 t2_err_ns);

/**
 * ntp_answer_add_disp() - one more error that is known of
 * @answer: from ntp_reply_decide()
 * @ns: how much
 */
static inline void ntp_answer_add_disp(struct ntp_answer *answer, __u32 ns)
{
	if (__builtin_add_overflow(answer->disp_ns, ns, &answer->disp_ns))
		answer->disp_ns = ~0ULL;
}

/**
 * ntp_reply_decide_rate() - turn an answer into a kiss-o'-death RATE (RFC 5905 section 7.4)
 * @answer: from ntp_reply_decide(), which found that there is one
 * @limit: that was exceeded
 *
 * Leap 3, stratum 0, and a poll interval that the limit allows.  The timestamps are
 * those of the answer: a client knows by them that it is meant.
 */
static inline void ntp_reply_decide_rate(struct ntp_answer *answer, const struct ntp_limit *limit)
{
	answer->synced = false;
	answer->rate = true;
	answer->poll_min_log2s = limit->interval_log2s;
	answer->special = true;
}

/**
 * ntp_reply_lvm() - first byte of a reply
 * @leap_bits: where they belong in it
 * @req_lvm: first byte of the request
 *
 * Return: its version, and the mode that answers its mode.
 */
static inline __u8 ntp_reply_lvm(__u8 leap_bits, __u8 req_lvm)
{
	bool peer = ntp_lvm_mode(req_lvm) == NTP_MODE_SYM_ACTIVE;

	return leap_bits | ntp_lvm(0, ntp_lvm_version(req_lvm),
				   peer ? NTP_MODE_SYM_PASSIVE : NTP_MODE_SERVER);
}

/**
 * ntp_reply_fill_unsync() - what an unsynchronised server says of itself
 * @reply: out, but for poll, precision and timestamps
 * @req_lvm: first byte of the request
 */
static inline void ntp_reply_fill_unsync(struct ntp_header *reply, __u8 req_lvm)
{
	reply->lvm = ntp_reply_lvm(ntp_lvm(NTP_LEAP_UNSYNC, 0, 0), req_lvm);
	reply->stratum = 0;
	reply->root_delay = 0;
	reply->root_disp = ntp_htobe32(NTP_UNSYNC_DISP);
	reply->refid = 0;
	reply->ref_ts = 0;
}

/**
 * ntp_reply_fill_sync() - what a synchronised server says of itself
 * @reply: out, but for poll, precision and timestamps
 * @req_lvm: first byte of the request
 * @common: what does not change from packet to packet
 * @disp_ns: root dispersion
 */
static inline void ntp_reply_fill_sync(struct ntp_header *reply, __u8 req_lvm,
				       const struct ntp_header *common, __u64 disp_ns)
{
	reply->lvm = ntp_reply_lvm(common->lvm, req_lvm);
	reply->stratum = common->stratum;
	reply->root_delay = common->root_delay;
	reply->root_disp = ntp_htobe32(ntp32_from_ns(disp_ns));
	reply->refid = common->refid;
	reply->ref_ts = common->ref_ts;
}

/**
 * ntp_reply_fill_special() - what is said by a listener with a time of its own, or by a KoD
 * @reply: filled as any other
 * @serve: state
 * @answer: from ntp_reply_decide()
 */
void ntp_reply_fill_special(struct ntp_header *reply, const struct ntp_serve *serve,
			    const struct ntp_answer *answer);

/**
 * ntp_reply_fill() - all of the reply but T3
 * @reply: out, the whole header, xmt_ts zero; may be @req
 * @req: a request that ntp_reply_classify() accepted
 * @serve: the state that was decided with
 * @answer: from ntp_reply_decide()
 * @random: uniform bits; those of T2 below the precision are taken from it
 *
 * A client gets mode 4, a symmetric active peer mode 2, and nothing is
 * remembered of either.  In interleaved mode the origin is the request's receive
 * timestamp, by which the client knows it.
 */
static inline void ntp_reply_fill(struct ntp_header *reply, const struct ntp_header *req,
				  const struct ntp_serve *serve, const struct ntp_answer *answer,
				  __u64 random)
{
	/* before anything is written where it may be */
	__be64 origin = __builtin_expect(!answer->departed, 1) ? req->xmt_ts : req->rec_ts;

	if (answer->synced)
		ntp_reply_fill_sync(reply, req->lvm, &serve->reply, answer->disp_ns);
	else
		ntp_reply_fill_unsync(reply, req->lvm);
	reply->poll_log2s = req->poll_log2s;
	reply->precision_log2s = serve->precision_log2s;
	reply->org_ts = origin;
	reply->rec_ts = ntp_htobe64(ntp_timestamp(answer->t2_ns, serve->precision_log2s, random) |
				    NTP_T2_BIT);
	reply->xmt_ts = 0;
	if (__builtin_expect(answer->special, 0))
		ntp_reply_fill_special(reply, serve, answer);
}

/**
 * ntp_reply_put_t3() - T3, not before T2
 * @reply: with its T2
 * @t3: timestamp, random bits and all, even
 * @mask: of those bits
 *
 * Return: as ntp_reply_stamp().
 */
static inline enum ntpk_reason ntp_reply_put_t3(struct ntp_header *reply, ntp64_t t3, __u64 mask)
{
	ntp64_t t2 = ntp_be64toh(reply->rec_ts);

	if (__builtin_expect((__s64)(t3 - t2) < 0, 0)) {
		/* what the clock said, without the random bits */
		if ((__s64)((t3 & ~mask) - (t2 & ~mask)) < 0)
			return NTPK_REASON_T3_BEFORE_T2;
		t3 = t2 + 1;
	}
	/* 0 would mean unknown */
	reply->xmt_ts = ntp_htobe64(t3 ? t3 : 2);
	return NTPK_REASON_NONE;
}

/**
 * ntp_reply_stamp() - write T3, the last act before the send
 * @reply: from ntp_reply_fill()
 * @serve: the same state
 * @raw_ns: CLOCK_MONOTONIC_RAW at departure
 * @correction_ns: of the answer
 * @random: uniform bits, used below the precision
 *
 * T3 is never before T2: where only the random bits would make it so, it is next to T2.
 *
 * Return: NTPK_REASON_NONE, or T3_BEFORE_T2 when time really went backwards.
 */
static inline enum ntpk_reason
ntp_reply_stamp(struct ntp_header *reply, const struct ntp_serve *serve, __s64 raw_ns,
		__s64 correction_ns, __u64 random)
{
	__u64 mask = ntp_below_precision(serve->precision_log2s) | NTP_T2_BIT;
	__s64 t3_ns = ntp_line_at(&serve->line, raw_ns);
	ntp64_t t3;

	if (__builtin_add_overflow(t3_ns, correction_ns, &t3_ns) || !ntp_unix_ok(t3_ns))
		return NTPK_REASON_T3_BEFORE_T2;
	t3 = ntp_timestamp(t3_ns, serve->precision_log2s, random) & ~NTP_T2_BIT;
	return ntp_reply_put_t3(reply, t3, mask);
}

#endif /* _NTPK_NTP_REPLY_H */
