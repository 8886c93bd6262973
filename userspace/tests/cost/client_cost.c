// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Work for a counter of instructions: REQUESTS requests of one client whose clock runs
 * free behind a network with jitter, of which each is one call of client_cost_request().
 *
 *	client_cost INTERVAL_MS REQUESTS
 *
 * Prints what is known of it in the end.
 */
#include <stdio.h>
#include <stdlib.h>

#include <ntpk/ntp_client.h>

#define MS		(1LL << 32) / 1000
#define DRIFT_PPM	50
#define JITTER		0x1ffffff	/* 8 ms */

void client_cost_request(struct ntp_client_record *r, const struct ntp_header *req,
			 struct ntp_client_req *q);

/* What the module does, but for its table. */
__attribute__((noinline)) void client_cost_request(struct ntp_client_record *r,
						   const struct ntp_header *req,
						   struct ntp_client_req *q)
{
	if (ntp_client_skim(&r->client, q->now_ns, NTP_CLIENT_ANSWERED))
		return;
	ntp_client_req_header(q, req, NTP_HEADER_LEN);
	ntp_client_update(&r->client, &r->rest, q);
}

int main(int argc, char **argv)
{
	unsigned long interval_ms = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
	unsigned long n = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
	struct ntp_header req = { .lvm = ntp_lvm(0, 4, NTP_MODE_CLIENT) };
	struct ntp_client_req q = { .now_ns = NTP_NS_PER_S };
	struct ntp_client_record r;
	__u64 noise = 1;

	ntp_client_init(&r.client, &r.rest);
	for (unsigned long i = 0; i < n; i++) {
		__s64 since_ms = (__s64)(i * interval_ms);

		q.now_ns = (since_ms + 1000) * 1000000;
		q.t2 = ntp64_from_unix_ns(1800000000 * NTP_NS_PER_S + since_ms * 1000000);
		req.xmt_ts = ntp_htobe64(q.t2 + (__u64)(3000000 * MS + since_ms * DRIFT_PPM * MS /
						 1000000 - (__s64)(ntp_noise(&noise) & JITTER)));
		client_cost_request(&r, &req, &q);
	}
	printf("%u requests, %s, %u points\n", r.client.requests,
	       ntp_client_t1_name(r.client.t1_class),
	       r.client.points);
	return 0;
}
