// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which replies are believed, see assoc.h.  A forger off the path cannot know
 * the transmit stamp: whatever he sends is refused and the request goes on
 * waiting for the true reply.  Pure, no locking.
 */
#include "assoc.h"

#include <string.h>

#define RATE_MAX_LOG2S		17
#define DENIED_WAIT_NS		(4 * 3600 * NTP_NS_PER_S)
#define SPACING_NS		(2 * NTP_NS_PER_S)

/* RFC 5905 section 8 and 13: is this the reply to the request that waits? */
static enum assoc_verdict authentic(const struct assoc *a, const struct ntp_header *h, size_t len)
{
	unsigned int version;

	if (len < NTP_HEADER_LEN)
		return ASSOC_SHORT;
	version = ntp_lvm_version(h->lvm);
	if (ntp_lvm_mode(h->lvm) != NTP_MODE_SERVER)
		return ASSOC_MODE;
	if (version < NTP_VERSION_MIN || version > a->conf.version)
		return ASSOC_VERSION;
	if (h->xmt_ts && h->xmt_ts == a->last_xmt_ts)
		return ASSOC_DUPLICATE;
	if (!a->pending)
		return ASSOC_UNEXPECTED;
	if (h->org_ts != a->xmt_ts)
		return ASSOC_BOGUS;
	/* A kiss-o'-death may leave its stamps out. */
	if (h->stratum && (!h->rec_ts || !h->xmt_ts))
		return ASSOC_INVALID;
	return ASSOC_SAMPLE;
}

/* The true server spoke: the request is done with, whatever it said. */
static void note_heard(struct assoc *a, const struct ntp_header *h, struct assoc_env *env)
{
	a->pending = false;
	out_add(env->out, ACT_CLOSE, a->id);
	a->unanswered = 0;
	a->reach |= 1;
	a->last_rx_local_ns = env->now_local_ns;
	a->last_xmt_ts = h->xmt_ts;
	a->unreachable = false;
	if (a->heard)
		return;
	a->heard = true;
	poll_reset(&a->poll, a->conf.minpoll_log2s);
	out_log(env->out, LOG_REACHABLE, a->id, 0, 0);
	if ((a->conf.flags & SOURCE_F_IBURST) && !a->burst_left) {
		a->burst_left = ASSOC_BURST_MAX - 1;
		a->burst_good = 0;
		a->next_local_ns = env->now_local_ns + SPACING_NS;
	}
}

/* RFC 5905 tests 6 and 7: a true reply, but of a server without the time. */
static bool usable(const struct assoc *a, const struct ntp_header *h)
{
	if (a->leap == NTP_LEAP_UNSYNC || !a->stratum || a->stratum >= ASSOC_MAX_STRATUM)
		return false;
	if (a->root_delay_ns / 2 + a->root_disp_ns >= ASSOC_MAX_DISTANCE_NS)
		return false;
	return !h->ref_ts || ntp64_diff_ns(ntp_be64toh(h->xmt_ts), ntp_be64toh(h->ref_ts)) >= 0;
}

static void note_header(struct assoc *a, const struct ntp_header *h)
{
	a->leap = (uint8_t)ntp_lvm_leap(h->lvm);
	a->stratum = h->stratum;
	a->refid = h->refid;
	a->root_delay_ns = (int64_t)ntp32_to_ns(ntp_be32toh(h->root_delay));
	a->root_disp_ns = (int64_t)ntp32_to_ns(ntp_be32toh(h->root_disp));
	a->usable = usable(a, h);
}

static bool kod_is(const struct assoc *a, const char *code)
{
	return !memcmp(a->kod, code, 4);
}

static void note_kod(struct assoc *a, const struct ntp_header *h)
{
	const unsigned char *c = (const unsigned char *)&h->refid;
	int i;

	for (i = 0; i < 4; i++)
		a->kod[i] = c[i] >= 0x20 && c[i] < 0x7f ? (char)c[i] : '?';
	a->kod[4] = '\0';
}

/*
 * RFC 5905 section 7.4.  Neither code may lead to a request sooner than the
 * plan had it, or a hostile server could make us hammer it.
 */
static enum assoc_verdict kiss(struct assoc *a, const struct ntp_header *h, struct assoc_env *env)
{
	int64_t wait_ns;
	int log2s;

	note_kod(a, h);
	if (kod_is(a, "DENY") || kod_is(a, "RSTR")) {
		a->denied = true;
		wait_ns = DENIED_WAIT_NS;
	} else if (kod_is(a, "RATE")) {
		log2s = a->poll.log2s > a->floor_log2s ? a->poll.log2s : a->floor_log2s;
		log2s = h->poll_log2s > log2s + 1 ? h->poll_log2s : log2s + 1;
		if (log2s > a->conf.maxpoll_log2s && log2s > 10)
			log2s = a->conf.maxpoll_log2s > 10 ? a->conf.maxpoll_log2s : 10;
		a->floor_log2s = (int8_t)(log2s < RATE_MAX_LOG2S ? log2s : RATE_MAX_LOG2S);
		wait_ns = NTP_NS_PER_S << a->floor_log2s;
	} else {
		note_header(a, h);
		return ASSOC_UNUSABLE;	/* INIT, STEP and the like: not synchronised */
	}
	a->burst_left = 0;
	if (a->next_local_ns < env->now_local_ns + wait_ns)
		a->next_local_ns = env->now_local_ns + wait_ns;
	out_log(env->out, LOG_KOD, a->id, 0, h->refid);
	return ASSOC_KOD;
}

/* Return: false when the stamps contradict each other or the build date. */
static bool measure(const struct assoc *a, const struct ntp_header *h, int64_t t4_local_ns,
		    int64_t t4_err_ns, const struct assoc_env *env, struct filter_sample *s)
{
	int64_t pivot_ns = est_at(env->line, t4_local_ns);
	int64_t t2_ns, t3_ns, rtt_ns;

	if (pivot_ns < env->floor_unix_ns)
		pivot_ns = env->floor_unix_ns;
	t2_ns = ntp64_to_unix_ns(ntp_be64toh(h->rec_ts), pivot_ns);
	t3_ns = ntp64_to_unix_ns(ntp_be64toh(h->xmt_ts), pivot_ns);
	rtt_ns = t4_local_ns - a->t1_local_ns;
	s->err_ns = a->t1_err_ns + (t4_err_ns > 0 ? t4_err_ns : 0) + env->precision_ns;
	s->delay_ns = rtt_ns - (t3_ns - t2_ns);
	s->mid_local_ns = a->t1_local_ns + rtt_ns / 2;
	s->mid_unix_ns = t2_ns + (t3_ns - t2_ns) / 2;
	if (rtt_ns < 0 || t3_ns < t2_ns || t2_ns < env->floor_unix_ns)
		return false;
	/* The server's clock may tick off ours by 500 ppm, and both in steps. */
	if (s->delay_ns < -(s->err_ns + env->precision_ns + (t3_ns - t2_ns) / 2000))
		return false;
	if (s->delay_ns < env->precision_ns)
		s->delay_ns = env->precision_ns;
	return true;
}

static void note_sample(struct assoc *a, const struct filter_sample *s)
{
	a->last = *s;
	filter_add(&a->filter, s);
	noise_add(&a->noise, s->delay_ns);
	a->received_pkts++;
	if (a->burst_left && ++a->burst_good >= ASSOC_BURST_GOOD)
		a->burst_left = 0;
}

enum assoc_verdict assoc_reply(struct assoc *a, const void *data, size_t len,
			       int64_t t4_local_ns, int64_t t4_err_ns, struct assoc_env *env)
{
	struct ntp_header h;
	struct filter_sample s;
	enum assoc_verdict verdict;

	if (len >= sizeof(h))
		memcpy(&h, data, sizeof(h));
	verdict = authentic(a, &h, len);
	if (verdict == ASSOC_SAMPLE && h.stratum &&
	    !measure(a, &h, t4_local_ns, t4_err_ns, env, &s))
		verdict = ASSOC_BAD_TIMES;
	if (verdict != ASSOC_SAMPLE) {
		a->bad_pkts++;
		return verdict;
	}
	note_heard(a, &h, env);
	if (!h.stratum) {
		a->bad_pkts++;
		return kiss(a, &h, env);
	}
	note_header(a, &h);
	if (!a->usable) {
		a->bad_pkts++;
		return ASSOC_UNUSABLE;
	}
	note_sample(a, &s);
	return ASSOC_SAMPLE;
}
