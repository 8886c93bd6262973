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
	a->online = true;
	poll_reset(&a->poll, a->conf.minpoll_log2s);
	start_burst(a, env);
	if (!(conf->flags & SOURCE_F_IBURST))
		a->burst_left = 0;
}

static int64_t interval_ns(const struct assoc *a, struct rng *rng)
{
	int8_t log2s = a->poll.log2s > a->floor_log2s ? a->poll.log2s : a->floor_log2s;
	double jitter = JITTER * rng_unit(rng);
	int64_t ns = NTP_NS_PER_S << log2s;

	return ns + (int64_t)(jitter * (double)ns);
}

static void close_request(struct assoc *a, struct actions *out)
{
	if (!a->pending)
		return;
	a->pending = false;
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

/* Nothing but leap, version, mode and a random stamp: the rest is nobody's business. */
static void send_request(struct assoc *a, struct assoc_env *env)
{
	struct action *act;

	do {
		a->xmt_ts = ntp_htobe64(rng_u64(env->rng));
	} while (!a->xmt_ts);
	a->cookie++;
	a->pending = true;
	/* Should the report of departure be lost, T1 is early: delay, not time, is too large. */
	a->t1_local_ns = env->now_local_ns;
	a->t1_err_ns = 0;
	a->timeout_local_ns = env->now_local_ns + REPLY_TIMEOUT_NS;
	a->reach = (uint8_t)(a->reach << 1);
	a->sent_pkts++;
	act = out_add(env->out, ACT_SEND, a->id);
	act->send.cookie = a->cookie;
	act->send.packet.lvm = ntp_lvm(NTP_LEAP_NONE, a->conf.version, NTP_MODE_CLIENT);
	act->send.packet.xmt_ts = a->xmt_ts;
}

static void ask(struct assoc *a, struct assoc_env *env)
{
	close_request(a, env->out);
	note_silence(a, env);
	send_request(a, env);
	a->unanswered++;
	if (a->burst_left && --a->burst_left)
		a->next_local_ns = env->now_local_ns + BURST_SPACING_NS;
	else
		a->next_local_ns = env->now_local_ns + interval_ns(a, env->rng);
}

void assoc_timer(struct assoc *a, struct assoc_env *env)
{
	if (a->pending && env->now_local_ns >= a->timeout_local_ns)
		close_request(a, env->out);
	if (!a->online || env->now_local_ns < a->next_local_ns)
		return;
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
	a->next_local_ns = env->now_local_ns + interval_ns(a, env->rng);
	if (wait_ns < a->next_local_ns - env->now_local_ns)
		a->next_local_ns = env->now_local_ns + wait_ns;
}

void assoc_adapt(struct assoc *a, double surprise, struct assoc_env *env)
{
	if (!env->settled)
		poll_reset(&a->poll, a->conf.minpoll_log2s);
	else
		poll_adapt(&a->poll, a->conf.minpoll_log2s, a->conf.maxpoll_log2s, env->line,
			   sqrt(noise_var_ns2(&a->noise, a->last.delay_ns, a->last.err_ns)),
			   surprise);
	if (!a->burst_left)
		a->next_local_ns = env->now_local_ns + interval_ns(a, env->rng);
}

void assoc_online(struct assoc *a, bool online, struct assoc_env *env)
{
	if (a->online == online)
		return;
	a->online = online;
	a->burst_left = 0;
	if (!online) {
		close_request(a, env->out);
		a->reach = 0;
		return;
	}
	a->denied = false;
	a->unreachable = false;
	a->unanswered = 0;
	poll_reset(&a->poll, a->conf.minpoll_log2s);
	start_burst(a, env);
}

void assoc_burst(struct assoc *a, struct assoc_env *env)
{
	if (a->online && !a->denied && a->floor_log2s <= a->conf.minpoll_log2s)
		start_burst(a, env);
}

bool assoc_starting(const struct assoc *a)
{
	return a->online && !a->denied && (a->conf.flags & SOURCE_F_IBURST) &&
	       !(a->conf.flags & SOURCE_F_NOSELECT) && a->burst_left &&
	       a->filter.len < ASSOC_BURST_GOOD && a->unanswered < ASSOC_BURST_GOOD;
}
