/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The face of the core: events in, actions out.  Pure: no I/O, no clock, no
 * randomness of its own, no allocation, no writable file-scope data.  The
 * daemon and the simulator drive the same objects.
 *
 * Time.  Everything is estimated on the *local* timescale, a free-running
 * counter that nobody steers (CLOCK_MONOTONIC_RAW): *_local_ns.  The engine
 * keeps UTC as a line on it, which is what the module serves; the system clock
 * (*_real_ns, CLOCK_REALTIME) is merely steered towards that line, and so may
 * be left alone (-x) or disturbed by others without harm to what is served.
 *
 * Sign (RFC 5905): offset > 0 means the source is ahead of our clock.
 * Frequencies: > 0 means that UTC runs faster than the local timescale, that
 * is, the value to be *added* to the local rate.
 */
#ifndef NTPK_CORE_ENGINE_H
#define NTPK_CORE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <ntpk/ntp_wire.h>
#include <ntpk/ntp_reply.h>

#define ENGINE_MAX_SOURCES	1024	/* upper limit of a capacity */
#define ENGINE_NO_SOURCE	UINT32_MAX

/* Flags of a source, in chrony's words. */
#define SOURCE_F_IBURST		(1u << 0)
#define SOURCE_F_PREFER		(1u << 1)
#define SOURCE_F_NOSELECT	(1u << 2)
#define SOURCE_F_TRUST		(1u << 3)
#define SOURCE_F_REQUIRE	(1u << 4)
#define SOURCE_F_BURST		(1u << 5)	/* each poll is a short burst */
#define SOURCE_F_XLEAVE		(1u << 6)	/* interleaved mode, RFC 9769 */
#define SOURCE_F_OFFLINE	(1u << 7)	/* not asked before EV_ONLINE */

/**
 * struct source_config - one upstream server, after resolution
 * @minpoll_log2s: shortest poll interval
 * @maxpoll_log2s: longest
 * @version: NTP version of requests, 1..4
 * @flags: SOURCE_F_*
 * @refid: its address as a reference id (v4 address, or the first four bytes
 *	of the MD5 of a v6 address; RFC 5905 7.3), for loop detection and for
 *	our own packets when it is the system peer
 * @offset_ns: correction, added to each measured offset
 * @max_delay_ns: samples with a longer delay are refused; 0 = no limit
 * @presend_log2s: when the interval is at least so long, a request without
 *	use for its reply goes ahead of each real one (ARP); 127 or < 2 = never
 * @keyed: only replies that the daemon has authenticated are believed
 */
struct source_config {
	int8_t	 minpoll_log2s;
	int8_t	 maxpoll_log2s;
	uint8_t	 version;
	uint32_t flags;
	__be32	 refid;
	int64_t	 offset_ns;
	int64_t	 max_delay_ns;
	int8_t	 presend_log2s;
	bool	 keyed;
};

/**
 * struct engine_config - what the operator decided
 * @makestep_threshold_ns: step when |phase error| exceeds it ...
 * @makestep_limit: ... in the first so many clock updates; 0 never, < 0 always
 * @max_distance_ns: sources with a root distance above are not selectable
 * @min_sources: selectable sources needed before the clock is touched
 * @max_jitter_ns: sources with more jitter are not selectable; 0 = no limit
 * @max_slew_ppb: fastest slew, at most DISC_SLEW_PPB, which 0 stands for
 * @max_change_ns: `maxchange`: give up (ACT_EXIT) when an update is off by more,
 *	0 = never ...
 * @max_change_start: ... not counting the first so many updates ...
 * @max_change_ignore: ... and when it happened more often than this; < 0: only
 *	ignore such updates
 * @local_stratum: serve own time at this stratum when no source is
 *	selectable; 0 = do not
 * @local_distance_ns: `local distance`: also when our root distance exceeds this;
 *	0 = only when there is no other time
 * @local_orphan: `local orphan`: give way to a source at the same stratum with a
 *	smaller reference id
 * @holdover_ns: how long a push stays valid
 * @max_served_ns: expiry by root distance
 * @push_interval_ns: push at least this often
 * @freq_ppb: initial frequency (drift file), see sign above
 * @freq_sd_ppb: its standard deviation (100000 when nothing is known)
 * @precision_log2s: of the local clock as read
 * @floor_unix_ns: time cannot be earlier (build date, saved time)
 * @own_refids: reference ids of our own addresses, for loop detection
 * @own_refids_len: how many
 * @control_clock: steer the system clock (false with -x)
 * @slew_ppb: the clock is slewed by a rate for a second, this fast at most; 0 = by
 *	adjtime, which ends by itself should we die
 * @min_phase_ns: errors of the system clock smaller than this are left alone; 0 =
 *	2 us, as adjtime resolves 1
 * @seed: of the engine's own generator (poll jitter, transmit stamps)
 */
struct engine_config {
	int64_t	 makestep_threshold_ns;
	int	 makestep_limit;
	int64_t	 max_distance_ns;
	unsigned int min_sources;
	int64_t	 max_jitter_ns;
	double	 max_slew_ppb;
	int64_t	 max_change_ns;
	unsigned int max_change_start;
	int	 max_change_ignore;
	uint8_t	 local_stratum;
	int64_t	 local_distance_ns;
	bool	 local_orphan;
	int64_t	 holdover_ns;
	int64_t	 max_served_ns;
	int64_t	 push_interval_ns;
	double	 freq_ppb;
	double	 freq_sd_ppb;
	int8_t	 precision_log2s;
	int64_t	 floor_unix_ns;
	__be32	 own_refids[16];
	unsigned int own_refids_len;
	bool	 control_clock;
	double	 slew_ppb;
	int64_t	 min_phase_ns;
	uint64_t seed;
};

/**
 * struct clocks - one reading of all clocks, as close together as can be
 * @local_ns: CLOCK_MONOTONIC_RAW
 * @real_ns: CLOCK_REALTIME, since 1970
 * @boot_ns: CLOCK_BOOTTIME (CLOCK_MONOTONIC where there is none)
 * @clock_seq: the kernel's count of steps of CLOCK_REALTIME; 0 when unknown
 */
struct clocks {
	int64_t	 local_ns;
	int64_t	 real_ns;
	int64_t	 boot_ns;
	uint32_t clock_seq;
};

enum event_type {
	EV_START,		/* once, first */
	EV_TIMER,		/* the time asked for by ACT_TIMER has come (may be late or early) */
	EV_SOURCE_ADD,		/* .add; the id is the caller's, unique */
	EV_SOURCE_DEL,		/* .source */
	EV_SENT,		/* .sent: a request of ACT_SEND left */
	EV_SEND_FAILED,		/* .source: it did not, e.g. no route */
	EV_REPLY,		/* .reply: a datagram came on that source's socket */
	EV_ONLINE,		/* .source or ENGINE_NO_SOURCE for all */
	EV_OFFLINE,		/* likewise */
	EV_BURST,		/* likewise: a few quick requests now */
	EV_CLOCK_STEPPED,	/* CLOCK_REALTIME was stepped, by us or by anybody */
	EV_SUSPENDED,		/* .suspended_ns: the local timescale stood still that long */
	EV_MAKESTEP,		/* operator: step the clock now, whatever its error */
	EV_RESELECT,		/* operator: forget which source is the system peer */
	EV_LEAP,		/* .leap: what a trusted list tells, against all sources */
};

/**
 * struct event - what happened
 * @type: enum event_type
 * @now: clocks when it is handed in; non-decreasing local_ns
 * @source: id
 */
struct event {
	enum event_type	type;
	struct clocks	now;
	uint32_t	source;
	union {
		struct source_config add;
		int64_t suspended_ns;
		struct {
			uint32_t cookie;	/* of ACT_SEND */
			int64_t  t1_local_ns;	/* best known instant of departure */
			int64_t  t1_err_ns;	/* bound of its error (kernel stamp: small) */
			__be32	 own_refid;	/* address that it left from, as a refid; 0 = unknown */
		} sent;
		struct {
			const void *data;	/* UDP payload */
			size_t	 len;
			int64_t  t4_local_ns;	/* arrival, kernel stamp */
			int64_t  t4_err_ns;
			bool	 authentic;	/* its MAC is right, for a keyed source */
		} reply;
		struct {
			int64_t	at_unix_ns;	/* 00:00:00 after it; 0: the list has none */
			uint8_t	leap;		/* NTP_LEAP_INSERT, _DELETE; _UNSYNC: no list any more */
			int64_t	past_unix_ns;	/* likewise, of the last one; 0: none */
			uint8_t	past;
		} leap;
	};
};

enum action_type {
	ACT_TIMER,		/* .at_local_ns: hand in EV_TIMER then; replaces the earlier one */
	ACT_SEND,		/* .send: from a new random port (RFC 9109) */
	ACT_CLOSE,		/* .source: no reply is awaited any more, close its socket */
	ACT_RESOLVE,		/* .source: its address looks dead, resolve its name again */
	ACT_PUSH,		/* .serve: publish to the module or the own responder */
	ACT_FREQ,		/* .freq_ppb: rate of CLOCK_REALTIME against the local timescale */
	ACT_PHASE,		/* .phase_ns: slew CLOCK_REALTIME by so much (> 0 forward), self-ending */
	ACT_STEP,		/* .phase_ns: step it; hand in EV_CLOCK_STEPPED afterwards */
	ACT_SYNC_STATUS,	/* .sync: tell the kernel synchronised (with errors) or not */
	ACT_DRIFT,		/* .drift: worth saving */
	ACT_LOG,		/* .log: a state change, said once */
	ACT_SAMPLE,		/* .sample: a true reply came (measurements log) */
	ACT_UPDATE,		/* the line has learnt: ask for reports (statistics, tracking log) */
	ACT_EXIT,		/* `maxchange`: end with an error, touch nothing */
};

enum log_code {
	LOG_SELECTED,		/* source, value_ns = offset */
	LOG_SELECTION_LOST,	/* no majority or no source any more */
	LOG_SYNCHRONISED,	/* value_ns = root distance */
	LOG_UNSYNCHRONISED,
	LOG_LOCAL,		/* serving own time, `local stratum` */
	LOG_FALSETICKER,	/* source, value_ns = offset */
	LOG_TRUECHIMER,		/* source: no longer a falseticker */
	LOG_REACHABLE,		/* source */
	LOG_UNREACHABLE,	/* source */
	LOG_STEP,		/* value_ns */
	LOG_FOREIGN_STEP,	/* somebody stepped the clock; value_ns */
	LOG_KOD,		/* source, refid = the code */
	LOG_LOOP,		/* source is synchronised to us */
	LOG_SUSPENDED,		/* value_ns */
	LOG_TOO_MANY,		/* source: no room for more */
	LOG_CHANGE_IGNORED,	/* `maxchange`: value_ns = the offset that was not followed */
	LOG_CHANGE_EXIT,	/* likewise, and once too often */
	LOG_TOO_EARLY,		/* source: its time cannot be; value_ns = before the least that can */
	LOG_CODES
};

/* Tests that a reply went through, in the order of chrony's measurements log. */
#define SAMPLE_T_1	(1u << 0)	/* RFC 5905: not a duplicate */
#define SAMPLE_T_2	(1u << 1)	/* it answers our request */
#define SAMPLE_T_3	(1u << 2)	/* its stamps are not zero */
#define SAMPLE_T_5	(1u << 3)	/* authenticated, where it has to be */
#define SAMPLE_T_6	(1u << 4)	/* the server is synchronised */
#define SAMPLE_T_7	(1u << 5)	/* its root distance and stratum are sane */
#define SAMPLE_T_A	(1u << 6)	/* the stamps agree with each other and the delay limit */
#define SAMPLE_T_B	(1u << 7)	/* accepted by the estimator's gate */
#define SAMPLE_T_C	(1u << 8)	/* its source is no falseticker */
#define SAMPLE_T_D	(1u << 9)	/* no loop */

/**
 * struct sample_report - one exchange
 * @tests: SAMPLE_T_* that were passed
 * @interleaved: in that mode
 * @poll_log2s: interval in use
 * @leap: of the reply, as the next four
 * @stratum: see there
 * @refid: see there
 * @root_delay_ns: see there
 * @root_disp_ns: see there
 * @offset_ns: theta against the served line before it learnt from this
 * @delay_ns: delta
 * @disp_ns: bound of the stamps' errors
 * @response_ns: t3 - t2
 * @t4_unix_ns: when, on the served line
 */
struct sample_report {
	uint32_t tests;
	bool	 interleaved;
	int8_t	 poll_log2s;
	uint8_t	 leap;
	uint8_t	 stratum;
	__be32	 refid;
	int64_t	 root_delay_ns;
	int64_t	 root_disp_ns;
	int64_t	 offset_ns;
	int64_t	 delay_ns;
	int64_t	 disp_ns;
	int64_t	 response_ns;
	int64_t	 t4_unix_ns;
};

/* struct action - what to do, in order */
struct action {
	enum action_type type;
	uint32_t	 source;
	union {
		int64_t	 at_local_ns;
		int64_t	 phase_ns;
		double	 freq_ppb;
		struct {
			uint32_t cookie;
			struct ntp_header packet;	/* T1 is random (data minimisation) */
		} send;
		struct ntp_serve serve;	/* clock_seq of the event's clocks; floor, ever_synced unset */
		struct {
			bool	synchronised;
			uint8_t	leap;
			int64_t	est_error_ns;
			int64_t	max_error_ns;
		} sync;
		struct {
			double	freq_ppb;
			double	freq_sd_ppb;
		} drift;
		struct {
			enum log_code code;
			int64_t	value_ns;
			__be32	refid;
		} log;
		struct sample_report sample;
	};
};

/* At most this many actions come out of one event of an engine of this capacity. */
#define ENGINE_MAX_ACTIONS(max_sources)	(4 * (size_t)(max_sources) + 16)

enum source_state {
	SRC_NEW,		/* no valid reply yet */
	SRC_OFFLINE,
	SRC_UNREACHABLE,	/* no reply to the last eight requests */
	SRC_UNSYNC,		/* says that it is not synchronised */
	SRC_BAD_STRATUM,
	SRC_LOOP,		/* synchronised to us */
	SRC_DISTANT,		/* root distance above the limit */
	SRC_JITTERY,		/* jitter above the limit */
	SRC_ORPHAN,		/* at our `local orphan` stratum: no real time */
	SRC_NOSELECT,		/* by configuration */
	SRC_FALSETICKER,
	SRC_NO_MAJORITY,	/* good by itself, but no majority agrees */
	SRC_OUTLIER,		/* truechimer, cast out by clustering */
	SRC_SURVIVOR,		/* combined */
	SRC_SYSPEER,		/* combined, and the one we name as reference */
	SRC_STATES
};

/**
 * source_state_name() - the word for a state, as in JSON ("syspeer")
 * @state: enum source_state
 */
const char *source_state_name(enum source_state state);

/* struct source_report - what is known of one source; offsets at report time */
struct source_report {
	uint32_t id;
	enum source_state state;
	uint32_t flags;
	int8_t	 poll_log2s;
	uint8_t	 reach;			/* RFC 5905 shift register */
	uint8_t	 stratum;
	uint8_t	 leap;
	__be32	 refid;
	int64_t	 last_rx_local_ns;	/* 0 = never */
	int64_t	 offset_ns;		/* filter's, against the served line */
	int64_t	 last_offset_ns;	/* of the last sample alone */
	int64_t	 delay_ns;
	int64_t	 disp_ns;
	int64_t	 jitter_ns;
	int64_t	 root_delay_ns;		/* as it claims */
	int64_t	 root_disp_ns;
	int64_t	 root_dist_ns;		/* ours through it */
	uint64_t sent_pkts;
	uint64_t received_pkts;		/* valid replies */
	uint64_t bad_pkts;		/* refused by tests 1-7 and more */
	char	 kod[5];		/* last kiss code, "" = none */
	bool	 denied;		/* not asked any more, as it wants */
	unsigned int samples;		/* in use */
	int64_t	 span_ns;		/* from the oldest to the youngest */
	double	 freq_ppb;		/* of the source against the served line */
	double	 freq_sd_ppb;
	double	 sd_ns;			/* of its samples about that line */
	struct sample_report last;	/* the last true reply; t4_unix_ns 0: none */
};

/**
 * source_state_text() - the reason for a source's state in words, for people
 * @r: source
 */
const char *source_state_text(const struct source_report *r);

/**
 * source_kod_text() - what a kiss code asks of us or tells, in words
 * @kod: four characters (RFC 5905 section 7.4)
 *
 * Return: the words, NULL for a code that has none.
 */
const char *source_kod_text(const char *kod);

/* struct engine_report - what the engine believes */
struct engine_report {
	bool	 synchronised;
	bool	 local;			/* by `local stratum` */
	uint8_t	 leap;
	uint8_t	 stratum;		/* 0 when unsynchronised */
	__be32	 refid;
	uint32_t syspeer;		/* id or ENGINE_NO_SOURCE */
	unsigned int survivors;
	struct ntp_line line;		/* served time */
	int64_t	 ref_unix_ns;
	int64_t	 clock_offset_ns;	/* served time - CLOCK_REALTIME, now */
	int64_t	 last_offset_ns;	/* of the last combined update */
	double	 freq_ppb;
	double	 freq_sd_ppb;
	int64_t	 est_error_ns;		/* 1 sigma */
	int64_t	 root_delay_ns;
	int64_t	 root_disp_ns;		/* now */
	int64_t	 last_update_local_ns;	/* 0 = never */
	uint64_t updates;
	uint64_t steps;
};

struct engine;

/**
 * engine_size() - bytes that engine_init() wants, aligned as for malloc()
 * @max_sources: capacity, 1 to ENGINE_MAX_SOURCES
 */
size_t engine_size(unsigned int max_sources);

/**
 * engine_init() - start in storage of the caller
 * @mem: engine_size() bytes; what no source needs yet is not touched
 * @max_sources: capacity, as given to engine_size()
 * @conf: copied
 *
 * Return: the engine, in @mem.
 */
struct engine *engine_init(void *mem, unsigned int max_sources,
			   const struct engine_config *conf);

/**
 * engine_reconfigure() - change what can change at run time
 * @e: the engine
 * @conf: copied; freq_*, seed and floor are ignored
 */
void engine_reconfigure(struct engine *e, const struct engine_config *conf);

/**
 * engine_event() - tell what happened, learn what to do
 * @e: the engine
 * @ev: the event
 * @out: room for ENGINE_MAX_ACTIONS(capacity)
 *
 * Carry the actions out in order.  ACT_STEP is preceded by an ACT_PUSH that
 * says unsynchronised and followed (after EV_CLOCK_STEPPED) by a true one.
 *
 * Return: how many actions were written.
 */
size_t engine_event(struct engine *e, const struct event *ev, struct action *out);

/**
 * engine_leap_near() - which leap second a smear of served time is of, if any
 * @e: the engine
 * @unix_ns: now, by the served line
 * @at_unix_ns: out: where it is on the line before it
 * @after: out: the line has leapt
 *
 * Return: as leap_near().
 */
uint8_t engine_leap_near(const struct engine *e, int64_t unix_ns, int64_t *at_unix_ns,
			 bool *after);

/**
 * engine_get_report() - the whole
 * @e: the engine
 * @now: clocks
 * @out: filled
 */
void engine_get_report(const struct engine *e, const struct clocks *now,
		       struct engine_report *out);

/**
 * engine_get_source() - one source
 * @e: the engine
 * @id: as given by EV_SOURCE_ADD
 * @now: clocks
 * @out: filled
 *
 * Return: false when there is no such source.
 */
bool engine_get_source(const struct engine *e, uint32_t id, const struct clocks *now,
		       struct source_report *out);

#endif /* NTPK_CORE_ENGINE_H */
