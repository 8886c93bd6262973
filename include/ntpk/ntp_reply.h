/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The server's decision: request + served state + receive time -> reply, or a
 * reason.  The module, the daemon's own responder, tests and fuzzers all run
 * these functions.  Pure C: time and randomness are arguments.
 *
 * Order of use: ntp_reply_classify() on the bytes; ntp_reply_build() with one
 * reading of the clocks; ntp_reply_stamp() last of all before the send.
 */
#ifndef _NTPK_NTP_REPLY_H
#define _NTPK_NTP_REPLY_H

#include <ntpk/ntp_wire.h>
#include <linux/ntpk.h>

#define NTP_SPAN_MAX_NS		(1LL << 58)	/* 9 years: a line is used no further than this */
#define NTP_UNIX_MAX_NS		(9214646400LL * NTP_NS_PER_S)	/* 2262-01-01 */
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
 * @mono_epoch: of the scale without phase corrections, see ntp_serve_continue();
 *	0 = there is none
 * @mono_offset_ns: that scale is served time plus this
 * @refid: as on the wire
 * @leap: enum ntp_leap; NTP_LEAP_UNSYNC = not synchronised
 * @stratum: 1..15, 0 exactly when unsynchronised
 * @precision_log2s: -32..0
 * @ever_synced: a synchronised push was accepted since attach
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
 */
struct ntp_policy {
	enum ntpk_policy never_synced;
	enum ntpk_policy expired;
	__u32	flags;
};

/**
 * ntp_line_at() - UTC at a raw instant
 * @line: the line
 * @raw_ns: CLOCK_MONOTONIC_RAW, before or after the base
 *
 * Return: nanoseconds since 1970; NTP_LINE_NOWHERE further than
 * NTP_SPAN_MAX_NS from the base or beyond what 64 bits hold.
 */
__s64 ntp_line_at(const struct ntp_line *line, __s64 raw_ns);

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
 * ntp_serve_continue() - the scale without phase corrections, through a push
 * @next: about to be published; its mono_epoch and mono_offset_ns are set
 * @prev: published before, NULL = nothing
 * @random: for a new epoch
 *
 * What the new line jumps by where it begins is taken out again, so that two T2
 * of one epoch on that scale differ by true time alone, however the server's
 * phase was corrected between them.  An epoch ends with a jump of more than a
 * second and with every unsynchronised push.
 */
void ntp_serve_continue(struct ntp_serve *next, const struct ntp_serve *prev, __u32 random);

/**
 * ntp_reply_disp_ns() - root dispersion of a reply
 * @serve: state
 * @raw_ns: CLOCK_MONOTONIC_RAW
 * @t2_age_ns: how long before that the request was received, >= 0
 *
 * The age of T2 was measured on a clock that is not ours and that others may be
 * slewing, so an eighth of it is what T2 may be off by.
 *
 * Return: ntp_serve_disp_ns() and that, saturated.
 */
__u64 ntp_reply_disp_ns(const struct ntp_serve *serve, __s64 raw_ns, __s64 t2_age_ns);

/**
 * ntp_reply_classify() - is this a request that a server answers?
 * @req: min(@len, NTP_HEADER_LEN) readable bytes
 * @len: bytes of NTP payload; what follows the header is ignored
 * @src_port: UDP source port, host order
 * @policy: of the listener
 *
 * Versions 1..4 in mode 3; version 1 in mode 0 from a port other than 123
 * (RFC 1059 had no mode field there); mode 1, which is what Windows asks in,
 * unless NTPK_LISTENER_F_NO_MODE1.  Version and mode come before the length,
 * as control messages are shorter than a header and are not a server's to drop.
 *
 * Return: NTPK_REASON_NONE to go on, else BAD_LENGTH, VERSION or MODE.
 */
enum ntpk_reason ntp_reply_classify(const struct ntp_header *req, size_t len, __u16 src_port,
				    const struct ntp_policy *policy);

/**
 * ntp_reply_build() - all of the reply but T3
 * @reply: out, the whole header, xmt_ts zero
 * @req: a request that ntp_reply_classify() accepted
 * @serve: state, NULL = nothing pushed (always silent)
 * @policy: of the listener
 * @now: clocks
 * @t2_age_ns: how long before @now the request was received, >= 0; an eighth of
 *	it goes into the root dispersion, for the clock that it was measured on
 * @random: uniform bits; those of T2 below the precision are taken from it
 *
 * A client gets mode 4, a symmetric active peer mode 2, and nothing is
 * remembered of either.
 *
 * Return: NTPK_REASON_REPLIED or NTPK_REASON_REPLIED_UNSYNC with @reply
 * filled, else SILENT_UNSYNC, SILENT_EXPIRED or INSANE_TIME.
 */
enum ntpk_reason ntp_reply_build(struct ntp_header *reply, const struct ntp_header *req,
				 const struct ntp_serve *serve, const struct ntp_policy *policy,
				 const struct ntp_now *now, __s64 t2_age_ns, __u64 random);

/**
 * ntp_reply_stamp() - write T3, the last act before the send
 * @reply: from ntp_reply_build()
 * @serve: the same state
 * @raw_ns: CLOCK_MONOTONIC_RAW at departure
 * @random: uniform bits, used below the precision
 *
 * T3 is never before T2: where only the random bits would make it so, T3 = T2.
 *
 * Return: NTPK_REASON_NONE, or T3_BEFORE_T2 when time really went backwards.
 */
enum ntpk_reason ntp_reply_stamp(struct ntp_header *reply, const struct ntp_serve *serve,
				 __s64 raw_ns, __u64 random);

#endif /* _NTPK_NTP_REPLY_H */
