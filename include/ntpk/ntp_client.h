/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What a server can know of a client by its requests alone: a record of fixed size, and
 * how a request changes it.  Pure C for kernel and userspace; any context, the caller
 * keeps two updates of one record apart.  userspace/ctl/client_view.h makes words and
 * numbers of a record.
 *
 * The model.  T1 is what the client's clock said when it asked, T2 the served time when
 * the request came.  With e the error of the client's clock (> 0: it is ahead), u > 0 the
 * delay of the way up and 0 <= r < quantum what T1 was cut down by,
 *
 *	d = T1 - T2 = e - u - r
 *
 * so that d is never more than e, and the maximum of several d is nearest to it.  What a
 * server sees of u is how it varies, never its floor: that is a part of the uncertainty,
 * but where a client tells in its next request when the answer came (the receive and
 * origin timestamps of RFC 5905 section 7.3; most clients leave them zero).
 *
 * A clock that nobody sets has e = e0 + drift * t.  The upper convex hull of the points
 * (t, d) is kept, and the edge of it above the middle of the time is the line that is
 * above all points with the least sum of distances (Moon, Skelly, Towsley: Estimation and
 * Removal of Clock Skew from Network Delay Measurements, INFOCOM 1999; the hull in
 * constant time per point: Zhang, Liu, Xia, INFOCOM 2002).
 *
 * A clock that is set by each answer, which has come by the way down with a delay of w,
 * has e = drift * since - w at most when it asks again so long after the answer.  Then the
 * highest d of each length of time is kept.  Where those lengths differ, the slope is the
 * drift; where the client always asks after the same time, drift and delay cannot be told
 * apart by anybody, and what is not known of u + w goes into the uncertainty.
 *
 * A random T1 (data minimisation), a constant one, and zero, are no clock.
 */
#ifndef _NTPK_NTP_CLIENT_H
#define _NTPK_NTP_CLIENT_H

#include <ntpk/ntp_wire.h>

#define NTP_CLIENT_TICK_LOG2NS	26	/* 67 ms; 32 bits of them are nine years */
#define NTP_CLIENT_D_LOG2	20	/* d is kept in units of 2^-20 s */
#define NTP_CLIENT_POINTS	5
#define NTP_CLIENT_SINCE_MAX	0xffff
#define NTP_CLIENT_LOOK_TICKS	16	/* a second: it is looked at no more often */
#define NTP_CLIENT_FAST_TICKS	119	/* eight seconds: sooner after an answer is fast */
#define NTP_CLIENT_FAST_RUN	16	/* so often in a row is more than a burst */

/* What T1 is.  The clocks come last. */
enum ntp_client_t1 {
	NTP_CLIENT_T1_UNKNOWN,		/* one request is too few to tell */
	NTP_CLIENT_T1_ZERO,
	NTP_CLIENT_T1_CONSTANT,
	NTP_CLIENT_T1_RANDOM,		/* opaque */
	NTP_CLIENT_T1_NTP,		/* within a day of right */
	NTP_CLIENT_T1_UNIX,		/* the same, but that it counts from 1970 */
	NTP_CLIENT_T1_SHIFT,		/* whole or half hours off: a time zone */
	NTP_CLIENT_T1_REBOOTED,		/* began at 1970 less than a year ago */
	NTP_CLIENT_T1_FAR,		/* a clock that is more than a day off */
	__NTP_CLIENT_T1_MAX
};

/* What the client's clock does when it is answered. */
enum ntp_client_follows {
	NTP_CLIENT_FOLLOWS_UNKNOWN,
	NTP_CLIENT_FOLLOWS_NOT,		/* goes on as before */
	NTP_CLIENT_FOLLOWS,		/* is set */
};

/* What became of a request. */
enum ntp_client_verdict {
	NTP_CLIENT_ANSWERED,		/* with the served time */
	NTP_CLIENT_UNSYNC,		/* answered as unsynchronised: no client takes it */
	NTP_CLIENT_TOLD,		/* KoD or crypto-NAK */
	NTP_CLIENT_LIMITED,
	NTP_CLIENT_DENIED,		/* and all else that is not answered */
};

/* Fields of the request's header that are not zero, and its length. */
#define NTP_CLIENT_HAS_STRATUM		0x01
#define NTP_CLIENT_HAS_ROOT_DELAY	0x02
#define NTP_CLIENT_HAS_ROOT_DISP	0x04
#define NTP_CLIENT_HAS_REFID		0x08
#define NTP_CLIENT_HAS_REF_TS		0x10
#define NTP_CLIENT_HAS_ORG_TS		0x20	/* the origin, or the receive timestamp */
#define NTP_CLIENT_HAS_MAC		0x40	/* 68 bytes or 72: a header and a MAC */
#define NTP_CLIENT_HAS_MORE		0x80	/* any other length but 48 */
#define NTP_CLIENT_HAS_FIELDS		0x3f

/* What was seen of a client; the first bits are enum ntp_client_follows. */
#define NTP_CLIENT_F_FOLLOWS	0x0003
#define NTP_CLIENT_F_FRACTION	0x0004	/* T1 is finer than a second ... */
#define NTP_CLIENT_F_FINE	0x0008	/* ... and than a millisecond */
#define NTP_CLIENT_F_UNSYNC	0x0010	/* its last answer was one as unsynchronised */
#define NTP_CLIENT_F_TOLD	0x0020	/* its last answer was a KoD or crypto-NAK */
#define NTP_CLIENT_F_REPEATS	0x0040	/* sends a request again, as if nobody had answered */
#define NTP_CLIENT_F_SEVERAL	0x0080	/* version, mode or T1 class come and go */
#define NTP_CLIENT_F_JUMPED	0x0100	/* its clock was set, and not to our time */
#define NTP_CLIENT_F_WAS_1970	0x0200	/* its clock once began at 1970 */
#define NTP_CLIENT_F_CHANGED	0x0400	/* version or mode are not what they were at first */

/**
 * struct ntp_client_point - one point of the clock's error
 * @x: ticks: when, or how long after an answer where the client follows
 * @d: T1 - T2, less the record's @d0 or its class's offset, in 2^-20 s
 */
struct ntp_client_point {
	__u32	x;
	__s32	d;
};

/**
 * struct ntp_client_rest - what is known of a client beyond that it asks
 * @point: hull of (time, d), or the highest d of each length of time after an answer
 * @head: version, mode and leap (as on the wire) | poll << 8 | precision << 16 |
 *	NTP_CLIENT_HAS_* << 24
 * @rtt: least round trip that it told, 2^-16 s, 0 = it tells none
 * @slope: d for each tick, about, in 2^-29 s; 0 where it follows
 */
struct ntp_client_rest {
	struct ntp_client_point point[NTP_CLIENT_POINTS];
	__u32	head;
	__u16	rtt;
	__s16	slope;
};

/**
 * struct ntp_client - what is known of a client but for its points and what goes with them
 * @last: tick of the last request that was looked at
 * @requests: all of them, saturating
 * @dropped: those that were not answered, saturating
 * @first: tick of the first request
 * @flags: NTP_CLIENT_F_*
 * @since: ticks from the last valid answer to the last request, 0 = it was answered,
 *	NTP_CLIENT_SINCE_MAX = so many or more, or none yet
 * @interval: between requests that were looked at, mean of the last few, ticks,
 *	saturating
 * @jitter: of d, mean of the last few, 2^-16 s, saturating
 * @t1_class: enum ntp_client_t1
 * @t1_next: another class that the last requests fit, << 4 | how many did
 * @points: of the rest's
 * @quirk: enum ntp_client_quirk, from its second request on
 * @shift: T1_SHIFT: half hours that it is ahead
 * @step_gen: of its last request
 * @fast_run: requests in a row that came soon after an answer, saturating
 * @near_run: requests that were right without having been seen to be set, saturating;
 *	of a random T1, those that looked like a clock's
 * @t1: of its last request
 * @d0: T1 - T2 that the points of a hull are relative to, 2^-32 s; that of its last
 *	request where there is no hull
 *
 * The first NTP_CLIENT_SKIMMED bytes are all that ntp_client_skim() needs.
 */
struct ntp_client {
	__u32	last;
	__u32	requests;
	__u32	dropped;
	__u32	first;
	__u16	flags;
	__u16	since;
	__u16	interval;
	__u16	jitter;
	__u8	t1_class;
	__u8	t1_next;
	__u8	points;
	__u8	quirk;
	__s8	shift;
	__u8	step_gen;
	__u8	fast_run;
	__u8	near_run;
	ntp64_t	t1;
	__s64	d0;
};

/**
 * struct ntp_client_record - all that is known of a client, as a dump has it
 * @client: what a table keeps at hand
 * @rest: what it may keep elsewhere
 */
struct ntp_client_record {
	struct ntp_client client;
	struct ntp_client_rest rest;
};

#define NTP_CLIENT_SKIMMED	32

_Static_assert(sizeof(struct ntp_client_record) == 96, "the table's entries are 128 bytes");
_Static_assert(__builtin_offsetof(struct ntp_client, t1) == NTP_CLIENT_SKIMMED,
	       "what ntp_client_skim() needs comes first");

/**
 * struct ntp_client_req - a request
 * @now_ns: of a clock that nobody sets, the same one for all: CLOCK_BOOTTIME, or
 *	CLOCK_MONOTONIC_RAW
 * @t1: its transmit timestamp, from ntp_client_req_header() as all up to @head
 * @org: its origin timestamp, 0 where it does not tell when the answer came
 * @rec: its receive timestamp
 * @head: as in struct ntp_client_rest
 * @t2: served time when it came, as in the answer; without one 0
 * @verdict: enum ntp_client_verdict
 * @step_gen: changes when the served time is stepped, so that no client is blamed
 */
struct ntp_client_req {
	__s64	now_ns;
	ntp64_t	t1;
	ntp64_t	org;
	ntp64_t	rec;
	ntp64_t	t2;
	__u32	head;
	__u8	verdict;
	__u8	step_gen;
};

/* Ticks are compared by their difference mod 2^32. */
static inline __u32 ntp_client_tick(__s64 now_ns)
{
	return (__u32)(now_ns >> NTP_CLIENT_TICK_LOG2NS);
}

/* NTP_CLIENT_HAS_FIELDS of a request that has some. */
static inline unsigned int ntp_client_fields(const struct ntp_header *req)
{
	return (req->stratum ? NTP_CLIENT_HAS_STRATUM : 0) |
	       (req->root_delay ? NTP_CLIENT_HAS_ROOT_DELAY : 0) |
	       (req->root_disp ? NTP_CLIENT_HAS_ROOT_DISP : 0) |
	       (req->refid ? NTP_CLIENT_HAS_REFID : 0) |
	       (req->ref_ts ? NTP_CLIENT_HAS_REF_TS : 0) |
	       (req->org_ts || req->rec_ts ? NTP_CLIENT_HAS_ORG_TS : 0);
}

/**
 * ntp_client_req_header() - what the update wants to know of a request's header
 * @q: out, from @t1 to @head
 * @req: the request, unchanged
 * @len: bytes of NTP, 48 or more
 */
static inline void ntp_client_req_header(struct ntp_client_req *q, const struct ntp_header *req,
					 size_t len)
{
	__u64 any = (__force __u64)(req->ref_ts | req->org_ts | req->rec_ts) |
		    (__force __u32)(req->root_delay | req->root_disp | req->refid) | req->stratum;
	unsigned int has = 0;

	q->org = 0;
	q->rec = 0;
	/* most clients tell nothing of themselves */
	if (any) {
		has = ntp_client_fields(req);
		q->org = ntp_be64toh(req->org_ts);
		q->rec = ntp_be64toh(req->rec_ts);
	}
	if (len != NTP_HEADER_LEN)
		has |= len == NTP_HEADER_LEN + 20 || len == NTP_HEADER_LEN + 24 ?
		       NTP_CLIENT_HAS_MAC : NTP_CLIENT_HAS_MORE;
	q->t1 = ntp_be64toh(req->xmt_ts);
	q->head = req->lvm | (__u32)(__u8)req->poll_log2s << 8 |
		  (__u32)(__u8)req->precision_log2s << 16 | has << 24;
}

/**
 * ntp_client_init() - a client that nothing is known of
 * @c: out; ntp_client_update() with its first request comes next
 * @rest: out, its rest
 */
static inline void ntp_client_init(struct ntp_client *c, struct ntp_client_rest *rest)
{
	*c = (struct ntp_client){ .since = NTP_CLIENT_SINCE_MAX };
	*rest = (struct ntp_client_rest){};
}

/* What an answer, or none, changes; @since: ticks since the last valid answer. */
static inline void ntp_client_verdict(struct ntp_client *c, unsigned int verdict, __u32 since)
{
	if (__builtin_expect(verdict == NTP_CLIENT_ANSWERED, 1)) {
		c->since = 0;
		c->flags &= (__u16)~(NTP_CLIENT_F_UNSYNC | NTP_CLIENT_F_TOLD);
		return;
	}
	c->since = (__u16)(since > NTP_CLIENT_SINCE_MAX ? NTP_CLIENT_SINCE_MAX : since);
	if (verdict == NTP_CLIENT_UNSYNC)
		c->flags |= NTP_CLIENT_F_UNSYNC;
	else if (verdict == NTP_CLIENT_TOLD)
		c->flags |= NTP_CLIENT_F_TOLD;
	else
		c->dropped += c->dropped != ~0U;
}

/* Soon after an answer, be it one that no client takes; @dt: ticks since the last request. */
static inline bool ntp_client_asks_fast(const struct ntp_client *c, __u32 dt)
{
	return c->since + dt < NTP_CLIENT_FAST_TICKS ||
	       (c->flags & NTP_CLIENT_F_UNSYNC && dt < NTP_CLIENT_FAST_TICKS);
}

/**
 * ntp_client_skim() - it has asked, once more within a second
 * @c: record
 * @now_ns: as in struct ntp_client_req
 * @verdict: likewise
 *
 * The short way for those who ask most: whatever they ask, it is counted.
 *
 * Return: true where that was all; false: nothing was done, and ntp_client_update() is to
 * be called.
 */
static inline bool ntp_client_skim(struct ntp_client *c, __s64 now_ns, unsigned int verdict)
{
	/* in either direction: another CPU may have read the clock later, and come before */
	__u32 off = ntp_client_tick(now_ns) - c->last + NTP_CLIENT_LOOK_TICKS - 1;

	if (off > 2 * NTP_CLIENT_LOOK_TICKS - 2 || !c->requests)
		return false;
	c->requests += c->requests != ~0U;
	if (ntp_client_asks_fast(c, 0) && c->fast_run != 0xff)
		c->fast_run++;
	ntp_client_verdict(c, verdict, c->since);
	return true;
}

/**
 * ntp_client_update() - it has asked
 * @c: what is known of it
 * @rest: its rest
 * @q: what, when, and what became of it
 *
 * In softirq under the set's lock: no loop but over the points, and one 32-bit division
 * at most.
 */
void ntp_client_update(struct ntp_client *c, struct ntp_client_rest *rest,
		       const struct ntp_client_req *q);

/* Accessors of what is packed. */
static inline unsigned int ntp_client_version(const struct ntp_client_rest *rest)
{
	return ntp_lvm_version((__u8)rest->head);
}

static inline unsigned int ntp_client_mode(const struct ntp_client_rest *rest)
{
	return ntp_lvm_mode((__u8)rest->head);
}

static inline __s8 ntp_client_poll_log2s(const struct ntp_client_rest *rest)
{
	return (__s8)(rest->head >> 8);
}

static inline enum ntp_client_follows ntp_client_follows(const struct ntp_client *c)
{
	return (enum ntp_client_follows)(c->flags & NTP_CLIENT_F_FOLLOWS);
}

/**
 * ntp_client_is_fast() - does it keep asking fast although it was answered?
 * @c: record
 *
 * Return: whether; userspace says why.
 */
static inline bool ntp_client_is_fast(const struct ntp_client *c)
{
	return c->fast_run >= NTP_CLIENT_FAST_RUN;
}

/**
 * ntp_client_has_clock() - does it show its clock?
 * @c: record
 *
 * Return: false where T1 is none, or is not known yet.
 */
static inline bool ntp_client_has_clock(const struct ntp_client *c)
{
	return c->t1_class >= NTP_CLIENT_T1_NTP;
}

/*
 * Who a client may be by its fingerprint.  Several programs look alike: the names say
 * what is seen rather than who it is.
 */
enum ntp_client_quirk {
	NTP_CLIENT_QUIRK_NONE,		/* like no row of the table */
	NTP_CLIENT_QUIRK_V1_MODE0,	/* RFC 1059: no mode yet */
	NTP_CLIENT_QUIRK_SYMMETRIC,	/* mode 1 */
	NTP_CLIENT_QUIRK_WINDOWS,
	NTP_CLIENT_QUIRK_ARDUINO,
	NTP_CLIENT_QUIRK_NTPDATE,
	NTP_CLIENT_QUIRK_UNIX_EPOCH,
	NTP_CLIENT_QUIRK_BARE_ZERO,
	NTP_CLIENT_QUIRK_BARE_CONSTANT,
	NTP_CLIENT_QUIRK_BARE_RANDOM,
	NTP_CLIENT_QUIRK_BARE_CLOCK,
	NTP_CLIENT_QUIRK_MINIMAL,	/* data minimisation with poll and precision */
	NTP_CLIENT_QUIRK_SERVER,	/* tells its own stratum and reference: an ntpd */
	NTP_CLIENT_QUIRK_KEYED,
	NTP_CLIENT_QUIRK_EXTENDED,	/* extension fields: NTS and such */
	__NTP_CLIENT_QUIRK_MAX
};

/**
 * ntp_client_quirk_of() - the class that a fingerprint belongs to
 * @head: as in struct ntp_client_rest
 * @t1_class: enum ntp_client_t1
 *
 * Return: the first row of the table that fits, else NTP_CLIENT_QUIRK_NONE.
 */
enum ntp_client_quirk ntp_client_quirk_of(__u32 head, unsigned int t1_class);

/**
 * ntp_client_quirk_name() - a class's name, as in statistics
 * @quirk: enum ntp_client_quirk
 *
 * Return: a static string of [a-z0-9_]; "unknown" out of range.
 */
const char *ntp_client_quirk_name(unsigned int quirk);

/**
 * ntp_client_quirk_text() - one sentence for people
 * @quirk: enum ntp_client_quirk
 *
 * Return: a static string, "" out of range.
 */
const char *ntp_client_quirk_text(unsigned int quirk);

/**
 * ntp_client_t1_name() - what T1 is, in a word
 * @t1_class: enum ntp_client_t1
 *
 * Return: a static string of [a-z0-9_]; "unknown" out of range.
 */
const char *ntp_client_t1_name(unsigned int t1_class);

#endif /* _NTPK_NTP_CLIENT_H */
