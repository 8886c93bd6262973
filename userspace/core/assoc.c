// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Associations, see assoc.h: the sending side and its timing.  Which replies
 * are believed is in assoc_reply.c.  Pure, no locking.
 */
#include "assoc.h"

#include <math.h>

#define BURST_SPACING_NS	(2 * NTP_NS_PER_S)
#define REPLY_TIMEOUT_NS	(3 * NTP_NS_PER_S)
#define FIRST_SPREAD_NS		100e6	/* sources added together are not asked together */
#define JITTER			(1.0 / 32)	/* never sooner than asked for */
#define PRESEND_NS		(2 * NTP_NS_PER_S)
#define PRESEND_MIN_LOG2S	2
#define PRESEND_NEVER		127
#define XLEAVE_MAX_MISSED	4	/* no server is asked to remember longer */
#define UNREACHABLE_POLLS	8
#define RESOLVE_POLLS		8	/* unanswered requests between two ACT_RESOLVE */
#define DENIED_RESOLVE_NS	(4 * 3600 * NTP_NS_PER_S)
#define MAX_POLL_LOG2S		17	/* RFC 5905 MAXPOLL */

static int8_t clamp8(int v, int lo, int hi)
{
	return (int8_t)(v < lo ? lo : v > hi ? hi : v);
}

static void start_burst(struct assoc *a, struct assoc_env *env)
{
	a->burst_left = ASSOC_BURST_MAX;
	a->burst_good = 0;
	a->burst_need = ASSOC_BURST_GOOD;
	a->next_local_ns = env->now_local_ns + (int64_t)(rng_unit(env->rng) * FIRST_SPREAD_NS);
}

void assoc_init(struct assoc *a, uint32_t id, const struct source_config *conf,
		struct assoc_env *env)
{
	static const struct assoc zero;

	*a = zero;
	a->id = id;
	a->conf = *conf;
	a->conf.minpoll_log2s = clamp8(conf->minpoll_log2s, 0, MAX_POLL_LOG2S);
	a->conf.maxpoll_log2s = clamp8(conf->maxpoll_log2s, a->conf.minpoll_log2s, MAX_POLL_LOG2S);
	a->conf.version = (uint8_t)clamp8(conf->version, NTP_VERSION_MIN, NTP_VERSION_MAX);
	a->state = SRC_NEW;
	a->leap = NTP_LEAP_UNSYNC;
	a->online = !(conf->flags & SOURCE_F_OFFLINE);
	if (!a->online)
		a->state = SRC_OFFLINE;
	poll_reset(&a->poll, a->conf.minpoll_log2s);
	start_burst(a, env);
	if (!(conf->flags & SOURCE_F_IBURST))
		a->burst_left = 0;
}

int8_t assoc_poll_log2s(const struct assoc *a)
{
	return a->poll.log2s > a->floor_log2s ? a->poll.log2s : a->floor_log2s;
}

static int64_t interval_ns(const struct assoc *a, struct rng *rng)
{
	double jitter = JITTER * rng_unit(rng);
	int log2s = assoc_poll_log2s(a);
	int64_t ns;

	if (a->poll.doubt)
		log2s = a->conf.minpoll_log2s > a->floor_log2s ? a->conf.minpoll_log2s :
								  a->floor_log2s;
	ns = NTP_NS_PER_S << log2s;

	return ns + (int64_t)(jitter * (double)ns);
}

void assoc_plan(struct assoc *a, struct assoc_env *env)
{
	a->next_local_ns = env->now_local_ns + interval_ns(a, env->rng);
}

bool assoc_waits(const struct assoc *a)
{
	return a->pending || a->presend_ts;
}

static void close_request(struct assoc *a, struct actions *out)
{
	if (!assoc_waits(a))
		return;
	a->pending = false;
	a->presend_ts = 0;
	out_add(out, ACT_CLOSE, a->id);
}

/* Counts the silence; a server that is silent for long is asked ever less. */
static void note_silence(struct assoc *a, struct assoc_env *env)
{
	if (a->reach || a->unanswered < UNREACHABLE_POLLS)
		return;
	if (!a->unreachable) {
		a->unreachable = true;
		a->heard = false;
		a->burst_left = 0;
		poll_reset(&a->poll, a->conf.minpoll_log2s);
		out_log(env->out, LOG_UNREACHABLE, a->id, 0, 0);
	} else {
		a->poll.log2s = clamp8(a->poll.log2s + 1, a->conf.minpoll_log2s,
				       a->conf.maxpoll_log2s);
	}
	if (a->unanswered % RESOLVE_POLLS == 2)
		out_add(env->out, ACT_RESOLVE, a->id);
}

static __be64 random_ts(struct rng *rng)
{
	__be64 ts;

	do {
		ts = ntp_htobe64(rng_u64(rng));
	} while (!ts);
	return ts;
}

/* Nothing but leap, version, mode and a random stamp: the rest is nobody's business. */
static struct ntp_header *send_packet(struct assoc *a, __be64 xmt_ts, struct assoc_env *env)
{
	struct action *act = out_add(env->out, ACT_SEND, a->id);

	a->cookie++;
	a->sent_pkts++;
	act->send.cookie = a->cookie;
	act->send.packet.lvm = ntp_lvm(NTP_LEAP_NONE, a->conf.version, NTP_MODE_CLIENT);
	act->send.packet.xmt_ts = xmt_ts;
	return &act->send.packet;
}

/*
 * RFC 9769: the origin stamp says which exchange we would know more of; a
 * server that keeps its stamps echoes the receive stamp, which is as random as
 * the transmit stamp, others echo the latter.  Not in the first burst: samples
 * would come one exchange later.
 */
static void ask_interleaved(struct assoc *a, struct ntp_header *packet, struct rng *rng)
{
	a->rx_ts = 0;
	if (!(a->conf.flags & SOURCE_F_XLEAVE) || a->filter.len < ASSOC_BURST_GOOD)
		return;
	if (a->unanswered >= XLEAVE_MAX_MISSED)
		a->prev.valid = false;
	if (!a->prev.valid)
		return;
	do {
		a->rx_ts = random_ts(rng);
	} while (a->rx_ts == a->xmt_ts);
	packet->org_ts = a->prev.t2_ts;
	packet->rec_ts = a->rx_ts;
}

static void send_request(struct assoc *a, struct assoc_env *env)
{
	a->xmt_ts = random_ts(env->rng);
	ask_interleaved(a, send_packet(a, a->xmt_ts, env), env->rng);
	a->pending = true;
	/* Should the report of departure be lost, T1 is early: delay, not time, is too large. */
	a->t1_local_ns = env->now_local_ns;
	a->t1_err_ns = 0;
	a->timeout_local_ns = env->now_local_ns + REPLY_TIMEOUT_NS;
	a->reach = (uint8_t)(a->reach << 1);
}

/*
 * chrony's `burst`: when the first request of a poll gives no sample, up to
 * three more follow, as long as the interval keeps the mean at minpoll.
 */
static void start_poll_burst(struct assoc *a)
{
	int spare = assoc_poll_log2s(a) - a->conf.minpoll_log2s;

	if (!(a->conf.flags & SOURCE_F_BURST) || a->burst_left || !a->reach || spare < 1 ||
	    a->floor_log2s > a->conf.minpoll_log2s)
		return;
	a->burst_left = spare > 1 ? ASSOC_BURST_POLL : ASSOC_BURST_POLL / 2;
	a->burst_good = 0;
	a->burst_need = 1;
}

static void ask(struct assoc *a, struct assoc_env *env)
{
	close_request(a, env->out);
	a->presend_done = false;
	start_poll_burst(a);
	note_silence(a, env);
	send_request(a, env);
	a->unanswered++;
	if (a->burst_left && --a->burst_left)
		a->next_local_ns = env->now_local_ns + BURST_SPACING_NS;
	else
		assoc_plan(a, env);
}

/* A request goes ahead of the next one, to have addresses on the way looked up by then. */
static bool presend_wanted(const struct assoc *a)
{
	return a->online && !a->denied && !a->pending && !a->presend_done && !a->burst_left &&
	       a->sent_pkts &&
	       a->conf.presend_log2s >= PRESEND_MIN_LOG2S &&
	       a->conf.presend_log2s != PRESEND_NEVER &&
	       assoc_poll_log2s(a) >= a->conf.presend_log2s;
}

static void presend(struct assoc *a, struct assoc_env *env)
{
	a->presend_done = true;
	a->presend_ts = random_ts(env->rng);
	send_packet(a, a->presend_ts, env);
}

void assoc_timer(struct assoc *a, struct assoc_env *env)
{
	if (a->pending && env->now_local_ns >= a->timeout_local_ns)
		close_request(a, env->out);
	if (!a->online)
		return;
	if (env->now_local_ns < a->next_local_ns) {
		if (presend_wanted(a) && env->now_local_ns >= a->next_local_ns - PRESEND_NS)
			presend(a, env);
		return;
	}
	if (a->denied) {
		/* RFC 5905 7.4: no more requests; but its name may lead elsewhere. */
		out_add(env->out, ACT_RESOLVE, a->id);
		a->next_local_ns = env->now_local_ns + DENIED_RESOLVE_NS;
		return;
	}
	ask(a, env);
}

int64_t assoc_next_ns(const struct assoc *a)
{
	int64_t next_ns = a->online ? a->next_local_ns : INT64_MAX;

	if (presend_wanted(a))
		next_ns -= PRESEND_NS;
	if (a->pending && a->timeout_local_ns < next_ns)
		next_ns = a->timeout_local_ns;
	return next_ns;
}

void assoc_sent(struct assoc *a, uint32_t cookie, int64_t t1_local_ns, int64_t t1_err_ns)
{
	a->send_fails = 0;
	if (!a->pending || cookie != a->cookie)
		return;
	a->t1_local_ns = t1_local_ns;
	a->t1_err_ns = t1_err_ns > 0 ? t1_err_ns : 0;
}

void assoc_send_failed(struct assoc *a, struct assoc_env *env)
{
	int64_t wait_ns;

	close_request(a, env->out);
	if (a->denied)
		return;
	if (a->send_fails < MAX_POLL_LOG2S)
		a->send_fails++;
	/* No route yet, say: soon again at first, then as rarely as it is asked anyhow. */
	wait_ns = NTP_NS_PER_S << a->send_fails;
	assoc_plan(a, env);
	if (wait_ns < a->next_local_ns - env->now_local_ns)
		a->next_local_ns = env->now_local_ns + wait_ns;
}

void assoc_adapt(struct assoc *a, double surprise, struct assoc_env *env)
{
	if (!env->settled)
		poll_reset(&a->poll, a->conf.minpoll_log2s);
	else
		poll_adapt(&a->poll, a->conf.minpoll_log2s, a->conf.maxpoll_log2s, env->line,
			   noise_usual_ns(&a->noise, a->last.err_ns, a->last.step_ns), surprise);
	if (!a->burst_left)
		assoc_plan(a, env);
}

/* It said itself that it does not want to be asked, or less. */
static bool is_kept_off(const struct assoc *a)
{
	return a->denied || a->floor_log2s > a->conf.minpoll_log2s;
}

void assoc_online(struct assoc *a, bool online, struct assoc_env *env)
{
	if (a->online == online && !(online && is_kept_off(a)))
		return;
	/* until it is judged again, which may be with the next timer only */
	if (a->online != online || a->denied)
		a->state = online ? SRC_NEW : SRC_OFFLINE;
	a->online = online;
	a->burst_left = 0;
	if (!online) {
		close_request(a, env->out);
		a->reach = 0;
		return;
	}
	a->denied = false;
	a->floor_log2s = 0;
	a->rates = 0;
	a->floor_good = 0;
	a->unreachable = false;
	a->unanswered = 0;
	a->presend_done = false;
	poll_reset(&a->poll, a->conf.minpoll_log2s);
	start_burst(a, env);
}

void assoc_forget(struct assoc *a, struct assoc_env *env)
{
	close_request(a, env->out);
	filter_flush(&a->filter);
	a->prev.valid = false;
}

void assoc_burst(struct assoc *a, struct assoc_env *env)
{
	if (a->online && !is_kept_off(a))
		start_burst(a, env);
}

bool assoc_starting(const struct assoc *a)
{
	return a->online && !a->denied && (a->conf.flags & SOURCE_F_IBURST) &&
	       !(a->conf.flags & SOURCE_F_NOSELECT) && a->burst_left &&
	       a->filter.len < ASSOC_MIN_SAMPLES && a->unanswered < ASSOC_BURST_GOOD;
}
