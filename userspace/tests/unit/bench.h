/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One request, one state, one instant: what a test of replies changes before it asks.
 */
#ifndef TESTS_BENCH_H
#define TESTS_BENCH_H

#include <stdint.h>
#include <string.h>
#include <ntpk/ntp_reply.h>

#define BENCH_RAW	(1000 * NTP_NS_PER_S)
#define BENCH_UNIX	(1800000000LL * NTP_NS_PER_S)
#define BENCH_FLOOR	(1700000000LL * NTP_NS_PER_S)
#define BENCH_T1	0x0123456789abcdefULL

struct bench {
	struct ntp_serve serve;
	struct ntp_policy policy;
	struct ntp_now now;
	struct ntp_header req;
	struct ntp_header reply;
	struct ntp_answer answer;
	int64_t age_ns;
	uint64_t random;
};

/* A synchronised stratum 2, a second after its push, and a request of version 4. */
static inline void bench_usual(struct bench *b)
{
	memset(b, 0, sizeof(*b));
	b->serve.line.base_raw_ns = BENCH_RAW;
	b->serve.line.base_unix_ns = BENCH_UNIX;
	b->serve.root_disp_ns = 1000000;
	b->serve.root_delay_ns = 20000000;
	b->serve.max_dist_ns = NTP_NS_PER_S;
	b->serve.push_interval_ns = 16 * NTP_NS_PER_S;
	b->serve.ref_unix_ns = BENCH_UNIX - 30 * NTP_NS_PER_S;
	b->serve.floor_unix_ns = BENCH_FLOOR;
	b->serve.disp_rate_ppb = 15000;
	b->serve.clock_seq = 7;
	b->serve.refid = ntp_htobe32(0x7f7f0101);
	b->serve.stratum = 2;
	b->serve.ever_synced = true;
	b->now.raw_ns = BENCH_RAW + NTP_NS_PER_S;
	b->now.boot_ns = 5001 * NTP_NS_PER_S;
	b->now.clock_seq = 7;
	b->req.lvm = ntp_lvm(0, 4, NTP_MODE_CLIENT);
	b->req.poll_log2s = 6;
	b->req.xmt_ts = ntp_htobe64(BENCH_T1);
}

/* Decides by that state (NULL: nothing was pushed), and fills the reply when it is one. */
static inline enum ntpk_reason bench_build(struct bench *b, const struct ntp_serve *serve)
{
	enum ntpk_reason reason = ntp_reply_decide(&b->answer, serve, &b->policy, &b->now,
						   b->age_ns,
						   ntp_t2_age_err_ns(b->age_ns));

	if (reason == NTPK_REASON_REPLIED || reason == NTPK_REASON_REPLIED_UNSYNC)
		ntp_reply_fill(&b->reply, &b->req, serve, &b->answer, b->random);
	return reason;
}

#endif /* TESTS_BENCH_H */
