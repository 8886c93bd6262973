// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which replies are believed, see assoc.h.  A forger off the path cannot know
 * the transmit stamp: whatever he sends is refused and the request goes on
 * waiting for the true reply.  Pure, no locking.
 */
#include "assoc.h"

#include <string.h>

#define COARSE_MIN_NS		100000	/* steps from which a clock may be seen to stand still */
#define RATE_MAX_LOG2S		17
#define RATES_MAX		4
#define RATE_GOOD		4	/* samples until half its interval is tried, doubled by each RATE */
#define DENIED_WAIT_NS		(4 * 3600 * NTP_NS_PER_S)
#define SPACING_NS		(2 * NTP_NS_PER_S)

/* RFC 9769: the reply to a request for interleaved mode, granted */
static bool interleaved(const struct assoc *a, const struct ntp_header *h)
{
	return a->pending && a->prev.valid && a->rx_ts && h->org_ts == a->rx_ts;
}

/* RFC 5905 test 2: only the server that was asked knows our stamp. */
static bool answers(const struct assoc *a, const struct ntp_header *h)
{
	if (!a->pending)
		return h->org_ts == a->presend_ts;
	return h->org_ts == a->xmt_ts || interleaved(a, h);
}

/* RFC 5905 section 8 and 13: is this the reply to the request that waits? */
static enum assoc_verdict authentic(const struct assoc *a, const struct ntp_header *h, size_t len,
				    const struct assoc_env *env)
{
	unsigned int version;

	if (len < NTP_HEADER_LEN)
		return ASSOC_SHORT;
	version = ntp_lvm_version(h->lvm);
	if (ntp_lvm_mode(h->lvm) != NTP_MODE_SERVER)
		return ASSOC_MODE;
	if (version < NTP_VERSION_MIN || version > a->conf.version)
		return ASSOC_VERSION;
	if (h->xmt_ts && h->xmt_ts == a->last_xmt_ts && h->org_ts == a->last_org_ts)
		return ASSOC_DUPLICATE;
	if (!assoc_waits(a))
		return ASSOC_UNEXPECTED;
	if (!answers(a, h))
		return ASSOC_BOGUS;
	/* A kiss-o'-death may leave its stamps out. */
	if (h->stratum && (!h->rec_ts || !h->xmt_ts))
		return ASSOC_INVALID;
	if (a->conf.keyed && !env->authentic)
		return ASSOC_UNAUTHENTIC;
	return a->pending ? ASSOC_SAMPLE : ASSOC_PRESEND;
}

/* The true server spoke: the request is done with, whatever it said. */
static void note_heard(struct assoc *a, const struct ntp_header *h, struct assoc_env *env)
{
	a->pending = false;
	a->presend_ts = 0;
	out_add(env->out, ACT_CLOSE, a->id);
	a->unanswered = 0;
	a->reach |= 1;
	a->last_rx_local_ns = env->now_local_ns;
	a->last_xmt_ts = h->xmt_ts;
	a->last_org_ts = h->org_ts;
	a->unreachable = false;
	if (a->heard)
		return;
	a->heard = true;
	poll_reset(&a->poll, a->conf.minpoll_log2s);
	out_log(env->out, LOG_REACHABLE, a->id, 0, 0);
	if ((a->conf.flags & SOURCE_F_IBURST) && !a->burst_left) {
		a->burst_left = ASSOC_BURST_MAX - 1;
		a->burst_good = 0;
		a->burst_need = ASSOC_BURST_GOOD;
		a->next_local_ns = env->now_local_ns + SPACING_NS;
	}
}

/*
 * RFC 5905 tests 6 and 7: a true reply, but of a server without the time?  An
 * interleaved reply's transmit stamp is of the exchange before.
 */
static uint32_t usable(const struct assoc *a, const struct ntp_header *h)
{
	__be64 late_ts = interleaved(a, h) ? h->rec_ts : h->xmt_ts;
	int64_t early_ns = interleaved(a, h) ? -NTP_NS_PER_S : 0;
	uint32_t tests = 0;

	if (a->leap != NTP_LEAP_UNSYNC && a->stratum && a->stratum < ASSOC_MAX_STRATUM)
		tests |= SAMPLE_T_6;
	if (a->root_delay_ns / 2 + a->root_disp_ns < ASSOC_MAX_DISTANCE_NS &&
	    (!h->ref_ts ||
	     ntp64_diff_ns(ntp_be64toh(late_ts), ntp_be64toh(h->ref_ts)) >= early_ns))
		tests |= SAMPLE_T_7;
	return tests;
}

/* Return: SAMPLE_T_6 and _7, as passed. */
static uint32_t note_header(struct assoc *a, const struct ntp_header *h)
{
	uint32_t tests;

	a->leap = (uint8_t)ntp_lvm_leap(h->lvm);
	a->stratum = h->stratum;
	a->refid = h->refid;
	a->root_delay_ns = (int64_t)ntp32_to_ns(ntp_be32toh(h->root_delay));
	a->root_disp_ns = (int64_t)ntp32_to_ns(ntp_be32toh(h->root_disp));
	tests = usable(a, h);
	a->usable = tests == (SAMPLE_T_6 | SAMPLE_T_7);
	return tests;
}

static bool kod_is(const struct assoc *a, const char *code)
{
	return !memcmp(a->kod, code, 4);
}

bool assoc_only_kissed(const struct assoc *a)
{
	return !a->stratum && kod_is(a, "RATE");
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
		a->rates += a->rates < RATES_MAX;
		a->floor_good = 0;
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

/* As it says; a second and more is what those say who say nothing. */
static int64_t server_precision_ns(int8_t log2s)
{
	return log2s >= 0 || log2s < -29 ? 0 : NTP_NS_PER_S >> -log2s;
}

/* The exchange that the reply in hand completes. */
static struct assoc_exchange present(const struct assoc *a, const struct ntp_header *h,
				     int64_t t4_local_ns, int64_t t4_err_ns)
{
	return (struct assoc_exchange){
		.valid = true,
		.t2_ts = h->rec_ts,
		.t1_local_ns = a->t1_local_ns,
		.t1_err_ns = a->t1_err_ns,
		.t4_local_ns = t4_local_ns,
		.t4_err_ns = t4_err_ns > 0 ? t4_err_ns : 0,
		.precision_ns = server_precision_ns(h->precision_log2s),
	};
}

/* Once, until it is right: what was saved may be what is wrong. */
static void note_early(struct assoc *a, int64_t by_ns, const struct assoc_env *env)
{
	if (!a->early)
		out_log(env->out, LOG_TOO_EARLY, a->id, by_ns, 0);
	a->early = true;
}

/* Return: false when the stamps contradict each other or the build date. */
static bool measure(struct assoc *a, const struct assoc_exchange *x, __be64 t3_ts,
		    const struct assoc_env *env, struct filter_sample *s,
		    struct sample_report *report)
{
	int64_t pivot_ns = est_at(env->line, x->t4_local_ns);
	int64_t t2_ns, t3_ns, rtt_ns;

	if (pivot_ns < env->floor_unix_ns)
		pivot_ns = env->floor_unix_ns;
	t2_ns = ntp64_to_unix_ns(ntp_be64toh(x->t2_ts), pivot_ns);
	t3_ns = ntp64_to_unix_ns(ntp_be64toh(t3_ts), pivot_ns);
	rtt_ns = x->t4_local_ns - x->t1_local_ns;
	s->err_ns = x->t1_err_ns + x->t4_err_ns + env->precision_ns + x->precision_ns;
	/* A clock that stands still meanwhile is read too early, by half a step in the mean. */
	s->step_ns = t3_ns == t2_ns && x->precision_ns >= COARSE_MIN_NS ? x->precision_ns : 0;
	s->delay_ns = rtt_ns - (t3_ns - t2_ns);
	s->mid_local_ns = x->t1_local_ns + rtt_ns / 2;
	s->mid_unix_ns = t2_ns + (t3_ns - t2_ns) / 2 + s->step_ns / 2 + a->conf.offset_ns;
	report->offset_ns = filter_offset_ns(s, env->line);
	report->delay_ns = s->delay_ns;
	report->disp_ns = s->err_ns;
	report->response_ns = t3_ns - t2_ns;
	report->t4_unix_ns = est_at(env->line, x->t4_local_ns);
	if (rtt_ns < 0 || t3_ns < t2_ns)
		return false;
	if (t2_ns < env->floor_unix_ns) {
		note_early(a, env->floor_unix_ns - t2_ns, env);
		return false;
	}
	/* The server's clock may tick off ours by 500 ppm, and both in steps. */
	if (s->delay_ns < -(s->err_ns + env->precision_ns + (t3_ns - t2_ns) / 2000))
		return false;
	if (s->delay_ns < env->precision_ns)
		s->delay_ns = env->precision_ns;
	report->tests |= SAMPLE_T_A;
	return true;
}

static void report_header(const struct assoc *a, const struct ntp_header *h,
			  struct sample_report *r)
{
	r->tests |= SAMPLE_T_1 | SAMPLE_T_2 | SAMPLE_T_3 | SAMPLE_T_5;
	r->poll_log2s = assoc_poll_log2s(a);
	r->leap = (uint8_t)ntp_lvm_leap(h->lvm);
	r->stratum = h->stratum;
	r->refid = h->refid;
	r->root_delay_ns = (int64_t)ntp32_to_ns(ntp_be32toh(h->root_delay));
	r->root_disp_ns = (int64_t)ntp32_to_ns(ntp_be32toh(h->root_disp));
}

/*
 * Who wanted to be asked less does not want that for ever: it may have been the requests of
 * another that it meant.  One that says so again is believed for twice as long.
 */
static void shorten_floor(struct assoc *a)
{
	if (!a->floor_log2s || ++a->floor_good < RATE_GOOD << a->rates)
		return;
	a->floor_good = 0;
	a->floor_log2s = a->floor_log2s > a->conf.minpoll_log2s ? a->floor_log2s - 1 : 0;
}

static void note_sample(struct assoc *a, const struct filter_sample *s)
{
	shorten_floor(a);
	a->early = false;
	a->last = *s;
	filter_add(&a->filter, s);
	noise_add(&a->noise, s->delay_ns);
	a->received_pkts++;
	if (a->burst_left && ++a->burst_good >= a->burst_need)
		a->burst_left = 0;
}

/* The second telling of an exchange: no news, but the poll was answered well. */
static void note_known(struct assoc *a, struct assoc_env *env)
{
	shorten_floor(a);
	a->received_pkts++;
	if (a->burst_left && ++a->burst_good >= a->burst_need) {
		a->burst_left = 0;
		assoc_plan(a, env);
	}
}

/* What a true reply with stamps is worth.  @measured: its stamps make sense. */
static enum assoc_verdict judge(struct assoc *a, const struct filter_sample *s, bool measured,
				bool known, struct assoc_env *env)
{
	if (!a->usable)
		return ASSOC_UNUSABLE;
	if (!measured)
		return ASSOC_MISMATCH;
	if (known) {
		note_known(a, env);
		return ASSOC_KNOWN;
	}
	if (a->conf.max_delay_ns > 0 && s->delay_ns > a->conf.max_delay_ns) {
		a->report.tests &= ~SAMPLE_T_A;
		return ASSOC_SLOW;
	}
	note_sample(a, s);
	return ASSOC_SAMPLE;
}

static enum assoc_verdict learn(struct assoc *a, const struct ntp_header *h,
				struct assoc_exchange *now, struct assoc_env *env)
{
	struct sample_report report = { .interleaved = interleaved(a, h) };
	const struct assoc_exchange *x = report.interleaved ? &a->prev : now;
	struct filter_sample s;
	enum assoc_verdict verdict;
	bool measured = measure(a, x, h->xmt_ts, env, &s, &report);

	/* a basic reply is not believed to be one before its stamps are */
	if (!measured && !report.interleaved)
		return ASSOC_BAD_TIMES;
	report_header(a, h, &report);
	report.tests |= note_header(a, h);
	note_heard(a, h, env);
	a->report = report;
	verdict = judge(a, &s, measured, report.interleaved && a->prev.used, env);
	now->used = verdict == ASSOC_SAMPLE && !report.interleaved;
	now->valid = verdict != ASSOC_MISMATCH;
	a->prev = *now;
	return verdict;
}

static enum assoc_verdict kod(struct assoc *a, const struct ntp_header *h, struct assoc_env *env)
{
	note_heard(a, h, env);
	a->prev.valid = false;
	return kiss(a, h, env);
}

/* Only to be polite: its server may have had enough of us. */
static enum assoc_verdict presend_reply(struct assoc *a, const struct ntp_header *h,
					struct assoc_env *env)
{
	if (!h->stratum)
		return kod(a, h, env);
	a->presend_ts = 0;
	out_add(env->out, ACT_CLOSE, a->id);
	return ASSOC_PRESEND;
}

enum assoc_verdict assoc_reply(struct assoc *a, const void *data, size_t len,
			       int64_t t4_local_ns, int64_t t4_err_ns, struct assoc_env *env)
{
	struct assoc_exchange now;
	struct ntp_header h;
	enum assoc_verdict verdict;

	if (len >= sizeof(h))
		memcpy(&h, data, sizeof(h));
	verdict = authentic(a, &h, len, env);
	if (verdict == ASSOC_PRESEND) {
		verdict = presend_reply(a, &h, env);
	} else if (verdict == ASSOC_SAMPLE && !h.stratum) {
		verdict = kod(a, &h, env);
	} else if (verdict == ASSOC_SAMPLE) {
		now = present(a, &h, t4_local_ns, t4_err_ns);
		verdict = learn(a, &h, &now, env);
	}
	if (verdict != ASSOC_SAMPLE && verdict != ASSOC_KNOWN && verdict != ASSOC_PRESEND)
		a->bad_pkts++;
	return verdict;
}
