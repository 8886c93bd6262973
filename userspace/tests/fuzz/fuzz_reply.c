// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz target: a whole request, and the state, policy and clocks that it meets.
 * The input is a number of fields to be changed from a good state (which, value),
 * then the request.  Beyond what the sanitizers see: what is claimed to be
 * synchronised is neither stepped nor expired nor too far from the truth, the
 * client's stamps come back as they were, T3 is what the line says and not before T2,
 * nothing is served from before the build, and only what is a request is answered.
 */
#include <ntpk/ntp_ext.h>
#include <ntpk/ntp_plain.h>
#include <ntpk/ntp_reply.h>
#include "fuzz.h"

#define S		NTP_NS_PER_S
#define BASE_UNIX	(1800000000LL * S)
#define BASE_RAW	(5000LL * S)
#define FIELDS_MAX	32

/* Integers only: what is a bool or an enum elsewhere is made from them. */
struct scene {
	struct ntp_serve serve;
	struct ntp_now now;
	struct ntp_correction correction;
	uint64_t max_dist_ns;
	uint64_t random;
	int64_t	 age_ns;
	int64_t	 t3_after_ns;
	uint32_t flags;
	uint16_t src_port;
	uint8_t	 versions;
	uint8_t	 max_stratum;
	int8_t	 interval_log2s;
	uint8_t	 choices;	/* CHOICE_* */
};

#define CHOICE_NEVER_SILENT	1
#define CHOICE_EXPIRED_SILENT	2
#define CHOICE_EVER_SYNCED	4
#define CHOICE_RATE		8

struct field {
	uint16_t offset;
	uint16_t size;
};

#define F(member) { offsetof(struct scene, member), sizeof(((struct scene *)0)->member) }

static const struct field fields[] = {
	F(serve.line.base_raw_ns), F(serve.line.base_unix_ns), F(serve.line.rate_q48),
	F(serve.root_disp_ns), F(serve.root_delay_ns), F(serve.max_dist_ns),
	F(serve.push_interval_ns), F(serve.pushed_boot_ns), F(serve.deadline_boot_ns),
	F(serve.ref_unix_ns), F(serve.floor_unix_ns), F(serve.disp_rate_ppb),
	F(serve.clock_seq), F(serve.refid), F(serve.leap), F(serve.stratum),
	F(serve.precision_log2s), F(now.raw_ns), F(now.boot_ns), F(now.clock_seq),
	F(correction.len), F(correction.piece[0]), F(correction.piece[1]),
	F(max_dist_ns), F(random), F(age_ns), F(t3_after_ns), F(flags), F(src_port),
	F(versions), F(max_stratum), F(interval_log2s), F(choices),
};

static void read_scene(struct scene *s, struct fuzz_in *in)
{
	unsigned int n = fuzz_byte(in) % FIELDS_MAX;

	while (n--) {
		const struct field *f = &fields[fuzz_byte(in) % (sizeof(fields) / sizeof(fields[0]))];

		fuzz_take(in, (char *)s + f->offset, f->size);
	}
	s->age_ns &= INT64_MAX;
	s->correction.len %= NTPK_PIECES_MAX + 1;
	s->serve.ever_synced = s->choices & CHOICE_EVER_SYNCED;
}

static struct ntp_policy policy_of(const struct scene *s)
{
	struct ntp_policy p = {
		.never_synced = s->choices & CHOICE_NEVER_SILENT ? NTPK_POLICY_SILENT : NTPK_POLICY_UNSYNC,
		.expired = s->choices & CHOICE_EXPIRED_SILENT ? NTPK_POLICY_SILENT : NTPK_POLICY_UNSYNC,
		.flags = s->flags,
		.versions = s->versions,
		.max_stratum = s->max_stratum,
		.max_dist_ns = s->max_dist_ns,
		.limit.interval_log2s = s->interval_log2s,
		.correction = s->correction,
	};

	return p;
}

/* Said in other words than the code under test has. */
static void check_claim(const struct scene *s, const struct ntp_header *reply,
			const struct ntp_answer *answer)
{
	const struct ntp_serve *serve = &s->serve;
	uint64_t half = serve->root_delay_ns / 2;

	if (!answer->synced) {
		demand(reply->lvm >> 6 == NTP_LEAP_UNSYNC && !reply->stratum && !reply->ref_ts);
		demand(reply->refid == (answer->rate ? ntp_htobe32(NTP_KOD_RATE) : 0));
		demand(ntp_be32toh(reply->root_disp) == NTP_UNSYNC_DISP);
		return;
	}
	demand(serve->leap != NTP_LEAP_UNSYNC && s->now.clock_seq == serve->clock_seq);
	demand(s->now.boot_ns < serve->deadline_boot_ns);
	demand(answer->disp_ns >= serve->root_disp_ns);
	demand(serve->root_disp_ns <= serve->max_dist_ns && half <= serve->max_dist_ns - serve->root_disp_ns);
	demand(!s->max_stratum || reply->stratum <= s->max_stratum);
	demand(reply->lvm >> 6 == (s->flags & NTPK_LISTENER_F_NO_LEAP ? 0 : serve->leap));
	demand(reply->stratum == serve->stratum && reply->refid == serve->refid);
	demand(reply->stratum >= 1 && reply->stratum <= 15);
	/* of what one field holds, never less than what is claimed */
	demand(ntp_be32toh(reply->root_disp) == UINT32_MAX ||
	       ntp32_to_ns(ntp_be32toh(reply->root_disp)) >= answer->disp_ns);
}

/* To the precision, and once more where it was put next to T2. */
static void check_t3(const struct scene *s, const struct ntp_header *reply, int64_t raw_ns,
		     int64_t correction_ns)
{
	int64_t true_ns = ntp_line_at(&s->serve.line, raw_ns) + correction_ns;
	int64_t off_ns = ntp64_diff_ns(ntp_be64toh(reply->xmt_ts), ntp64_from_unix_ns(true_ns));

	demand((int64_t)(ntp_be64toh(reply->xmt_ts) - ntp_be64toh(reply->rec_ts)) >= 0);
	demand(llabs(off_ns) <= 2 * (S >> -s->serve.precision_log2s) + 2);
}

static void check_reply(const struct scene *s, const struct ntp_header *req,
			const struct ntp_header *reply, const struct ntp_answer *answer)
{
	unsigned int mode = req->lvm & 7;

	demand(mode == 3 || mode == 1 || (mode == 0 && (req->lvm >> 3 & 7) == 1 && s->src_port != 123));
	demand((reply->lvm & 7) == (mode == 1 ? 2 : 4) && (reply->lvm >> 3 & 7) == (req->lvm >> 3 & 7));
	demand(reply->org_ts == req->xmt_ts && reply->rec_ts && reply->xmt_ts);
	demand(answer->rate ? reply->poll_log2s >= req->poll_log2s : reply->poll_log2s == req->poll_log2s);
	demand(answer->t2_ns - answer->t2_correction_ns >= s->serve.floor_unix_ns);
	check_claim(s, reply, answer);
}

/* The short way says the same, and claims no less. */
static void try_plain(const struct scene *s, const struct ntp_header *req,
		      const struct ntp_answer *answer)
{
	int64_t t3_raw_ns = s->now.raw_ns + (int64_t)((uint64_t)s->t3_after_ns % S);
	struct ntp_header reply;

	ntp_plain_fill(&reply, req, &s->serve, &s->now, s->age_ns, ntp_t2_age_err_ns(s->age_ns),
		       s->random);
	if (ntp_plain_stamp(&reply, &s->serve, t3_raw_ns, s->random) != NTPK_REASON_NONE)
		return;
	check_reply(s, req, &reply, answer);
	check_t3(s, &reply, t3_raw_ns, 0);
}

static void ask(const struct scene *s, const struct ntp_header *req, size_t len)
{
	struct ntp_policy policy = policy_of(s);
	uint8_t field[NTP_EXT_MONO_ROOT_LEN];
	struct ntp_answer answer;
	struct ntp_header reply;
	enum ntpk_reason reason;
	int64_t t3_raw_ns;

	reason = ntp_reply_classify(req, len, s->src_port, &policy);
	if (reason != NTPK_REASON_NONE) {
		demand(reason == NTPK_REASON_BAD_LENGTH || reason == NTPK_REASON_VERSION ||
		       reason == NTPK_REASON_MODE);
		return;
	}
	demand(len >= NTP_HEADER_LEN);
	reason = ntp_reply_decide(&answer, &s->serve, &policy, &s->now, s->age_ns,
				  ntp_t2_age_err_ns(s->age_ns));
	ntp_plain_complete(&policy, &s->serve);
	if (ntp_plain_ok(&s->serve, &policy, &s->now, s->age_ns)) {
		demand(reason == NTPK_REASON_REPLIED && !answer.special);
		try_plain(s, req, &answer);
	}
	if (reason != NTPK_REASON_REPLIED && reason != NTPK_REASON_REPLIED_UNSYNC) {
		demand(reason == NTPK_REASON_SILENT_UNSYNC || reason == NTPK_REASON_SILENT_EXPIRED ||
		       reason == NTPK_REASON_INSANE_TIME);
		return;
	}
	demand(answer.synced == (reason == NTPK_REASON_REPLIED));
	if (s->choices & CHOICE_RATE)
		ntp_reply_decide_rate(&answer, &policy.limit);
	ntp_reply_fill(&reply, req, &s->serve, &answer, s->random);
	t3_raw_ns = (int64_t)((uint64_t)s->now.raw_ns + (uint64_t)s->t3_after_ns);
	if (ntp_reply_stamp(&reply, &s->serve, t3_raw_ns, answer.correction_ns, s->random) ==
	    NTPK_REASON_NONE) {
		check_reply(s, req, &reply, &answer);
		check_t3(s, &reply, t3_raw_ns, answer.correction_ns);
	}
	ntp_ext_put_mono_root(field, &reply, &s->serve, &answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct scene s = {
		.serve = {
			.line = { .base_raw_ns = BASE_RAW, .base_unix_ns = BASE_UNIX },
			.root_disp_ns = 1000000, .root_delay_ns = 2000000, .max_dist_ns = S,
			.push_interval_ns = S, .pushed_boot_ns = BASE_RAW,
			.deadline_boot_ns = BASE_RAW + 86400 * S, .ref_unix_ns = BASE_UNIX - S,
			.disp_rate_ppb = 15000, .stratum = 2, .precision_log2s = -25,
		},
		.now = { .raw_ns = BASE_RAW + S, .boot_ns = BASE_RAW + S },
		.t3_after_ns = 5000, .src_port = 123, .choices = CHOICE_EVER_SYNCED,
	};
	struct fuzz_in in = { data, size };
	struct ntp_header req;
	size_t len;

	read_scene(&s, &in);
	if (ntp_serve_check(&s.serve) || ntp_correction_check(&s.correction))
		return 0;
	ntp_serve_complete(&s.serve, NULL, (uint32_t)s.random);
	len = in.left;
	fuzz_take(&in, &req, sizeof(req));
	ask(&s, &req, len);
	return 0;
}
