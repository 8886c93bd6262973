/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One association: when a server is asked, what is asked, which replies are
 * believed (RFC 5905 sections 8, 9 and 13), and what is known of it.
 * Pure; no locking.
 */
#ifndef NTPK_CORE_ASSOC_H
#define NTPK_CORE_ASSOC_H

#include "filter.h"
#include "noise.h"
#include "out.h"
#include "poll.h"
#include "rng.h"

#define ASSOC_BURST_MAX		8	/* requests of a burst at most ... */
#define ASSOC_BURST_GOOD	4	/* ... until so many were answered */
#define ASSOC_MIN_SAMPLES	3	/* of a source before it is a candidate */
#define ASSOC_BURST_POLL	4	/* requests of a poll with SOURCE_F_BURST at most */
#define ASSOC_MAX_DISTANCE_NS	(16 * NTP_NS_PER_S)	/* RFC 5905 MAXDISP */
#define ASSOC_MAX_STRATUM	16

/* What a datagram turned out to be.  Tests are those of RFC 5905 section 8 and 13. */
enum assoc_verdict {
	ASSOC_SAMPLE,		/* a good measurement, now in the filter */
	ASSOC_KNOWN,		/* true reply, interleaved: of an exchange measured already */
	ASSOC_SLOW,		/* true reply, its delay is above max_delay_ns */
	ASSOC_MISMATCH,		/* true reply, interleaved: its stamps are no one exchange's */
	ASSOC_UNUSABLE,		/* true reply of a server that cannot be used now */
	ASSOC_KOD,		/* true reply: kiss-o'-death */
	ASSOC_PRESEND,		/* to a request whose reply has no use: ignored, not counted */
	/* refused; the request goes on waiting for the true reply */
	ASSOC_SHORT,		/* under 48 bytes */
	ASSOC_MODE,		/* not mode 4 */
	ASSOC_VERSION,		/* not a version that we speak, or above the request's */
	ASSOC_UNEXPECTED,	/* no request is waiting */
	ASSOC_DUPLICATE,	/* test 1 */
	ASSOC_BOGUS,		/* test 2: not our transmit stamp */
	ASSOC_INVALID,		/* test 3: a stamp is zero */
	ASSOC_UNAUTHENTIC,	/* test 5: no MAC of the source's key */
	ASSOC_BAD_TIMES,	/* sent before received, delay < 0, before the build date */
};

/**
 * struct assoc_exchange - stamps of an exchange, for the interleaved reply to come
 * @valid: there is one
 * @used: it gave a sample already
 * @t2_ts: the server's receive stamp, by which it knows the exchange again
 * @t1_local_ns: our request's departure, as the kernel stamped it
 * @t1_err_ns: bound of its error
 * @t4_local_ns: the reply's arrival
 * @t4_err_ns: bound of its error
 * @precision_ns: of the server's clock
 */
struct assoc_exchange {
	bool	 valid;
	bool	 used;
	__be64	 t2_ts;
	int64_t	 t1_local_ns;
	int64_t	 t1_err_ns;
	int64_t	 t4_local_ns;
	int64_t	 t4_err_ns;
	int64_t	 precision_ns;
};

/**
 * struct assoc - one source
 * @id: the caller's
 * @conf: as configured
 * @state: by the last selection
 * @online: may be asked
 * @denied: told to go away: asked no more
 * @unreachable: no reply to the last eight requests
 * @heard: a reply came since it became unreachable (or ever)
 * @early: it has been said that its time is too early to be true
 * @usable: its last reply passed RFC 5905's tests 6 and 7
 * @pending: a request waits for its reply
 * @cookie: of that request
 * @xmt_ts: its random transmit stamp
 * @rx_ts: its random receive stamp when it asks for interleaved mode, else 0
 * @prev: exchange that an interleaved reply would tell more of
 * @presend_ts: transmit stamp of a request without use that waits, else 0
 * @presend_done: it was sent for the request to come
 * @t1_local_ns: its departure
 * @t1_err_ns: bound of that one's error
 * @timeout_local_ns: given up then
 * @next_local_ns: next request
 * @burst_left: requests left in a burst
 * @burst_good: replies it had
 * @burst_need: replies that end it
 * @send_fails: in a row
 * @unanswered: requests since the last reply
 * @floor_log2s: poll interval imposed by RATE, 0 = none
 * @rates: how often it said so, up to a few
 * @floor_good: samples since, or since the interval was shortened again
 * @reach: RFC 5905 shift register
 * @leap: of the last true reply with time in it, as all down to @root_disp_ns
 * @last_xmt_ts: transmit stamp of the last true reply, to know duplicates ...
 * @last_org_ts: ... and its origin stamp: interleaved, two replies may share the first
 * @last: last sample
 * @filter: samples
 * @noise: of its samples
 * @poll: interval
 * @peer: filter's answer at the last selection
 * @root_dist_ns: ours through it, at the last selection ...
 * @aged_ns: ... of which because its best sample has grown old
 * @report: of the last true reply with stamps in it
 * @bad_local_ns: falseticker or too distant since, 0 = it is not
 * @own_refid: our address towards it as a reference id, 0 = unknown
 */
struct assoc {
	uint32_t id;
	struct source_config conf;
	enum source_state state;
	bool	 online;
	bool	 denied;
	bool	 unreachable;
	bool	 heard;
	bool	 early;
	bool	 usable;
	bool	 pending;
	uint32_t cookie;
	__be64	 xmt_ts;
	__be64	 rx_ts;
	struct assoc_exchange prev;
	__be64	 presend_ts;
	bool	 presend_done;
	int64_t	 t1_local_ns;
	int64_t	 t1_err_ns;
	int64_t	 timeout_local_ns;
	int64_t	 next_local_ns;
	uint8_t	 burst_left;
	uint8_t	 burst_good;
	uint8_t	 burst_need;
	uint8_t	 send_fails;
	uint32_t unanswered;
	int8_t	 floor_log2s;
	uint8_t	 rates;
	uint8_t	 floor_good;
	uint8_t	 reach;
	uint8_t	 leap;
	uint8_t	 stratum;
	__be32	 refid;
	int64_t	 root_delay_ns;
	int64_t	 root_disp_ns;
	__be64	 last_xmt_ts;
	__be64	 last_org_ts;
	int64_t	 last_rx_local_ns;
	struct filter_sample last;
	struct filter filter;
	struct noise noise;
	struct poll poll;
	struct filter_peer peer;
	int64_t	 root_dist_ns;
	int64_t	 aged_ns;
	struct sample_report report;
	int64_t	 bad_local_ns;
	__be32	 own_refid;
	uint64_t sent_pkts;
	uint64_t received_pkts;
	uint64_t bad_pkts;
	char	 kod[5];
};

/**
 * struct assoc_env - what an association needs of the engine
 * @line: current
 * @rng: engine's
 * @out: actions
 * @now_local_ns: of the event
 * @floor_unix_ns: no server's time is before
 * @precision_ns: of our clock
 * @settled: synchronised, so that intervals may be long
 * @authentic: the datagram in hand carries a right MAC
 */
struct assoc_env {
	const struct estimate *line;
	struct rng *rng;
	struct actions *out;
	int64_t	 now_local_ns;
	int64_t	 floor_unix_ns;
	int64_t	 precision_ns;
	bool	 settled;
	bool	 authentic;
};

/**
 * assoc_init() - a new source, asked soon
 * @a: filled
 * @id: the caller's
 * @conf: copied; intervals and version are put in range
 * @env: environment
 */
void assoc_init(struct assoc *a, uint32_t id, const struct source_config *conf,
		struct assoc_env *env);

/**
 * assoc_timer() - give up, ask, as it is time to
 * @a: source
 * @env: environment
 */
void assoc_timer(struct assoc *a, struct assoc_env *env);

/**
 * assoc_next_ns() - when assoc_timer() has something to do
 * @a: source
 *
 * Return: local instant, INT64_MAX = never.
 */
int64_t assoc_next_ns(const struct assoc *a);

/**
 * assoc_sent() - a request left
 * @a: source
 * @cookie: of it
 * @t1_local_ns: when
 * @t1_err_ns: bound of the error; the last report before the reply counts
 */
void assoc_sent(struct assoc *a, uint32_t cookie, int64_t t1_local_ns, int64_t t1_err_ns);

/**
 * assoc_send_failed() - a request did not leave
 * @a: source
 * @env: environment
 */
void assoc_send_failed(struct assoc *a, struct assoc_env *env);

/**
 * assoc_reply() - a datagram came
 * @a: source
 * @data: UDP payload
 * @len: of it
 * @t4_local_ns: arrival
 * @t4_err_ns: bound of its error
 * @env: environment
 *
 * Return: what it was.
 */
enum assoc_verdict assoc_reply(struct assoc *a, const void *data, size_t len,
			       int64_t t4_local_ns, int64_t t4_err_ns, struct assoc_env *env);

/**
 * assoc_adapt() - choose the interval after a sample
 * @a: source
 * @surprise: of the sample, 0 when it was not used
 * @env: environment
 */
void assoc_adapt(struct assoc *a, double surprise, struct assoc_env *env);

/**
 * assoc_online() - may be asked, or no more
 * @a: source
 * @online: which; then what it said itself about being asked is forgotten
 * @env: environment
 */
void assoc_online(struct assoc *a, bool online, struct assoc_env *env);

/**
 * assoc_burst() - a few quick requests now
 * @a: source
 * @env: environment
 */
void assoc_burst(struct assoc *a, struct assoc_env *env);

/**
 * assoc_plan() - the next request comes after a whole interval
 * @a: source
 * @env: environment
 */
void assoc_plan(struct assoc *a, struct assoc_env *env);

/**
 * assoc_waits() - is a reply awaited, useful or not?
 * @a: source
 */
bool assoc_waits(const struct assoc *a);

/**
 * assoc_only_kissed() - it answers, but has told no time yet: we ask too often
 * @a: source
 */
bool assoc_only_kissed(const struct assoc *a);

/**
 * assoc_forget() - the local timescale or UTC made a jump: no sample is worth anything
 * @a: source
 * @env: environment
 */
void assoc_forget(struct assoc *a, struct assoc_env *env);

/**
 * assoc_poll_log2s() - the interval in use
 * @a: source
 */
int8_t assoc_poll_log2s(const struct assoc *a);

/**
 * assoc_starting() - in its first burst, and worth waiting for
 * @a: source
 */
bool assoc_starting(const struct assoc *a);

#endif /* NTPK_CORE_ASSOC_H */
