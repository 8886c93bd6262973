/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One request, one state, one instant: what a test of replies changes before it asks.
 */
#ifndef TESTS_BENCH_H
#define TESTS_BENCH_H

#include <stdint.h>
#include <ntpk/ntp_reply.h>

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
