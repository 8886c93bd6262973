// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Interleaved mode (RFC 9769) against a model of a server whose transmit stamp
 * in a basic reply is early by LAG_NS, and which knows better one reply later.
 */
#include <core/assoc.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define S	NTP_NS_PER_S
#define US	1000LL
#define UTC0	(1800000000LL * S)
#define WAY_NS	(100 * US)
#define WORK_NS	(20 * US)
#define LAG_NS	(8 * US)
#define ROOM	8

struct server {
	bool	 interleaves;
	bool	 no_stamps;	/* tells again what it told before */
	bool	 lies;		/* its late stamps are a second off */
	__be64	 rec_ts;	/* of the exchange that it remembers */
	__be64	 true_ts;
};

struct rig {
	struct estimate line;
	struct rng rng;
	struct actions out;
	struct action room[ENGINE_MAX_ACTIONS(ROOM)];
	struct assoc a;
	struct assoc_env env;
	struct server server;
	struct ntp_header request;
	struct ntp_header reply;
	unsigned int requests;
};

static void setup(struct rig *g, uint32_t flags)
{
	const struct source_config conf = { .minpoll_log2s = 4, .maxpoll_log2s = 4, .version = 4,
					    .flags = flags };

	memset(g, 0, sizeof(*g));
	est_init(&g->line, 0, 100);
	est_start(&g->line, 0, UTC0);
	rng_init(&g->rng, 5);
	g->out = out_to(g->room, ROOM);
	g->env = (struct assoc_env){ .line = &g->line, .rng = &g->rng, .out = &g->out,
				     .floor_unix_ns = UTC0 - 1000 * S, .precision_ns = 10 };
	g->server.interleaves = true;
	assoc_init(&g->a, 3, &conf, &g->env);
}

static __be64 stamp(int64_t local_ns)
{
	return ntp_htobe64(ntp64_from_unix_ns(UTC0 + local_ns));
}

/* The next request, however long it takes. */
static void ask(struct rig *g)
{
	size_t i;

	for (;;) {
		g->out.len = g->out.logs = 0;
		g->env.now_local_ns = assoc_next_ns(&g->a);
		assoc_timer(&g->a, &g->env);
		for (i = 0; i < g->out.len; i++) {
			if (g->room[i].type != ACT_SEND)
				continue;
			g->requests++;
			g->request = g->room[i].send.packet;
			assoc_sent(&g->a, g->room[i].send.cookie, g->env.now_local_ns, 0);
			return;
		}
	}
}

static void serve(struct rig *g)
{
	int64_t rx_ns = g->env.now_local_ns + WAY_NS;
	struct server *v = &g->server;
	bool known = v->interleaves && v->rec_ts && g->request.org_ts == v->rec_ts;

	g->reply = (struct ntp_header){
		.lvm = ntp_lvm(NTP_LEAP_NONE, 4, NTP_MODE_SERVER),
		.stratum = 1,
		.org_ts = known ? g->request.rec_ts : g->request.xmt_ts,
		.rec_ts = stamp(rx_ns),
		.xmt_ts = known ? v->true_ts : stamp(rx_ns + WORK_NS),
	};
	v->rec_ts = g->reply.rec_ts;
	v->true_ts = stamp(rx_ns + WORK_NS + (v->no_stamps ? 0 : LAG_NS) + (v->lies ? S : 0));
}

static enum assoc_verdict hear(struct rig *g)
{
	int64_t t4_ns = g->env.now_local_ns + 2 * WAY_NS + WORK_NS + LAG_NS;

	return assoc_reply(&g->a, &g->reply, sizeof(g->reply), t4_ns, 0, &g->env);
}

static enum assoc_verdict exchange(struct rig *g)
{
	ask(g);
	serve(g);
	return hear(g);
}

/* Through the first four, which are basic. */
static void begin(struct rig *g)
{
	int i;

	for (i = 0; i < ASSOC_BURST_GOOD; i++) {
		assert_int_equal(exchange(g), ASSOC_SAMPLE);
		assert_int_equal(g->request.org_ts, 0);
		assert_int_equal(g->request.rec_ts, 0);
		assert_int_equal(g->a.last.delay_ns, 2 * WAY_NS + LAG_NS);
	}
}

static int64_t offset_ns(const struct rig *g)
{
	return filter_offset_ns(&g->a.last, &g->line);
}

/* What NTP's stamps resolve is a quarter of a nanosecond. */
static void assert_true_sample(const struct rig *g)
{
	assert_in_range(g->a.last.delay_ns, 2 * WAY_NS - 2, 2 * WAY_NS + 2);
	assert_in_range(offset_ns(g) + 2, 0, 4);
	assert_true(g->a.report.interleaved);
}

static void test_late_stamps_are_used(void **state)
{
	int64_t asked_ns;
	struct rig g;
	int i;

	(void)state;
	setup(&g, SOURCE_F_XLEAVE);
	begin(&g);
	assert_in_range(offset_ns(&g) + LAG_NS / 2 + 2, 0, 4);
	/* that exchange is a sample already */
	assert_int_equal(exchange(&g), ASSOC_KNOWN);
	assert_int_equal(g.a.reach & 1, 1);
	assert_int_equal(g.a.bad_pkts, 0);
	for (i = 0; i < 20; i++) {
		asked_ns = g.env.now_local_ns;
		assert_int_equal(exchange(&g), ASSOC_SAMPLE);
		assert_true_sample(&g);
		/* of the exchange before: our stamp of its request, its reply's arrival */
		assert_int_equal(g.a.last.mid_local_ns,
				 asked_ns + (2 * WAY_NS + WORK_NS + LAG_NS) / 2);
		assert_int_not_equal(g.request.rec_ts, 0);
		assert_int_not_equal(g.request.rec_ts, g.request.xmt_ts);
	}
}

/* A leap second between request and reply: what is remembered is of another timescale. */
static void test_forgotten_meanwhile(void **state)
{
	struct rig g;

	(void)state;
	setup(&g, SOURCE_F_XLEAVE);
	begin(&g);
	assert_int_equal(exchange(&g), ASSOC_KNOWN);
	assert_int_equal(exchange(&g), ASSOC_SAMPLE);
	ask(&g);
	serve(&g);
	g.a.prev.valid = false;
	assert_int_equal(hear(&g), ASSOC_BOGUS);
}

static void test_server_without(void **state)
{
	struct rig g, basic;
	int i;

	(void)state;
	setup(&g, SOURCE_F_XLEAVE | SOURCE_F_IBURST);
	setup(&basic, SOURCE_F_IBURST);
	g.server.interleaves = basic.server.interleaves = false;
	for (i = 0; i < 30; i++) {
		assert_int_equal(exchange(&g), ASSOC_SAMPLE);
		assert_int_equal(exchange(&basic), ASSOC_SAMPLE);
		assert_false(g.a.report.interleaved);
	}
	assert_int_equal(g.a.bad_pkts, 0);
}

/* A poll that ends its burst with the first good reply does so in either mode. */
static void test_no_more_requests(void **state)
{
	const int64_t end_ns = 4000 * S;
	struct rig g[2];
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		setup(&g[i], SOURCE_F_BURST | SOURCE_F_IBURST | (i ? SOURCE_F_XLEAVE : 0));
		g[i].a.poll.log2s = 6;
		g[i].a.conf.maxpoll_log2s = 6;
		g[i].env.settled = true;
		while (assoc_next_ns(&g[i].a) < end_ns) {
			assert_true(exchange(&g[i]) <= ASSOC_KNOWN);
			g[i].a.poll.log2s = 6;
		}
	}
	assert_in_range(g[1].requests, 20, g[0].requests + 1);
}

static void test_lost_packets(void **state)
{
	struct rig g;
	int64_t asked_ns;

	(void)state;
	setup(&g, SOURCE_F_XLEAVE);
	begin(&g);
	assert_int_equal(exchange(&g), ASSOC_KNOWN);
	asked_ns = g.env.now_local_ns;
	/* a request is lost: the server still knows the exchange before */
	ask(&g);
	assert_int_equal(exchange(&g), ASSOC_SAMPLE);
	assert_true_sample(&g);
	assert_in_range(g.a.last.mid_local_ns - asked_ns, 0, S);
	/* a reply is lost: it does not, and answers in basic mode */
	ask(&g);
	serve(&g);
	assert_int_equal(exchange(&g), ASSOC_SAMPLE);
	assert_false(g.a.report.interleaved);
	assert_int_equal(exchange(&g), ASSOC_KNOWN);
	assert_int_equal(exchange(&g), ASSOC_SAMPLE);
	assert_true_sample(&g);
	/* four are lost: no server is asked to remember that long */
	ask(&g);
	ask(&g);
	ask(&g);
	ask(&g);
	assert_int_not_equal(g.request.org_ts, 0);
	ask(&g);
	assert_int_equal(g.request.org_ts, 0);
	serve(&g);
	assert_int_equal(hear(&g), ASSOC_SAMPLE);
	assert_int_equal(g.a.bad_pkts, 0);
}

static void test_restarted_server(void **state)
{
	struct rig g;

	(void)state;
	setup(&g, SOURCE_F_XLEAVE);
	begin(&g);
	exchange(&g);
	exchange(&g);
	g.server.rec_ts = 0;
	assert_int_equal(exchange(&g), ASSOC_SAMPLE);
	assert_false(g.a.report.interleaved);
	assert_int_equal(exchange(&g), ASSOC_KNOWN);
	assert_int_equal(exchange(&g), ASSOC_SAMPLE);
	assert_true_sample(&g);
}

static void test_duplicates_and_forgeries(void **state)
{
	struct ntp_header first, again;
	struct rig g;
	uint64_t bad;

	(void)state;
	setup(&g, SOURCE_F_XLEAVE);
	begin(&g);
	exchange(&g);
	exchange(&g);
	first = g.reply;
	assert_int_equal(hear(&g), ASSOC_DUPLICATE);
	ask(&g);
	serve(&g);
	again = g.reply;
	bad = g.a.bad_pkts;
	/* replayed, stamps of neither kind, no origin at all, that of the server's stamp */
	g.reply = first;
	assert_int_equal(hear(&g), ASSOC_DUPLICATE);
	g.reply = again;
	g.reply.org_ts ^= ntp_htobe64(1);
	assert_int_equal(hear(&g), ASSOC_BOGUS);
	g.reply.org_ts = 0;
	assert_int_equal(hear(&g), ASSOC_BOGUS);
	g.reply.org_ts = g.request.org_ts;
	assert_int_equal(hear(&g), ASSOC_BOGUS);
	assert_int_equal(g.a.bad_pkts, bad + 4);
	/* and none of them cost us the true one */
	assert_true(g.a.pending);
	g.reply = again;
	assert_int_equal(hear(&g), ASSOC_SAMPLE);
	assert_int_equal(hear(&g), ASSOC_DUPLICATE);
	/* the reply to a request long past, which is no longer the last one heard */
	ask(&g);
	g.reply = first;
	assert_int_equal(hear(&g), ASSOC_BOGUS);
}

static void test_server_that_repeats_its_stamp(void **state)
{
	struct rig g;

	(void)state;
	setup(&g, SOURCE_F_XLEAVE);
	g.server.no_stamps = true;
	begin(&g);
	assert_int_equal(exchange(&g), ASSOC_KNOWN);
	assert_int_equal(exchange(&g), ASSOC_SAMPLE);
	assert_int_equal(exchange(&g), ASSOC_SAMPLE);
	assert_int_equal(g.a.bad_pkts, 0);
}

static void test_stamps_that_contradict(void **state)
{
	struct rig g;

	(void)state;
	setup(&g, SOURCE_F_XLEAVE);
	begin(&g);
	g.server.lies = true;
	exchange(&g);
	assert_int_equal(exchange(&g), ASSOC_MISMATCH);
	assert_int_equal(g.a.bad_pkts, 1);
	assert_false(g.a.report.tests & SAMPLE_T_A);
	/* the next is basic, and a sample */
	assert_int_equal(exchange(&g), ASSOC_SAMPLE);
	assert_int_equal(g.request.org_ts, 0);
	assert_false(g.a.report.interleaved);
}

static void test_kiss_in_interleaved_mode(void **state)
{
	struct rig g;

	(void)state;
	setup(&g, SOURCE_F_XLEAVE);
	begin(&g);
	exchange(&g);
	ask(&g);
	serve(&g);
	g.reply.stratum = 0;
	memcpy(&g.reply.refid, "RATE", 4);
	g.reply.org_ts = g.request.xmt_ts;
	assert_int_equal(hear(&g), ASSOC_KOD);
	ask(&g);
	assert_int_equal(g.request.org_ts, 0);
}

/*
 * Who does not see our packets may send what he likes, as often as he likes, at
 * any moment: nothing changes but the count, and the true reply is heard.
 */
static void test_off_path(void **state)
{
	struct ntp_header truth;
	struct assoc before;
	struct rig g;
	int round, i;

	(void)state;
	setup(&g, SOURCE_F_XLEAVE);
	for (round = 0; round < 12; round++) {
		ask(&g);
		serve(&g);
		truth = g.reply;
		before = g.a;
		for (i = 0; i < 2000; i++) {
			g.reply.org_ts = ntp_htobe64(rng_u64(&g.rng));
			g.reply.xmt_ts = ntp_htobe64(rng_u64(&g.rng));
			g.reply.stratum = (uint8_t)(i % 17);
			g.out.len = 0;
			assert_int_equal(hear(&g), ASSOC_BOGUS);
			assert_int_equal(g.out.len, 0);
		}
		before.bad_pkts += 2000;
		assert_memory_equal(&g.a, &before, sizeof(before));
		g.reply = truth;
		assert_true(hear(&g) <= ASSOC_KNOWN);
		before = g.a;
		/* nobody is waited for now */
		g.reply.org_ts = 0;
		assert_int_equal(hear(&g), ASSOC_UNEXPECTED);
		before.bad_pkts++;
		assert_memory_equal(&g.a, &before, sizeof(before));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_late_stamps_are_used),
		cmocka_unit_test(test_forgotten_meanwhile),
		cmocka_unit_test(test_server_without),
		cmocka_unit_test(test_no_more_requests),
		cmocka_unit_test(test_lost_packets),
		cmocka_unit_test(test_restarted_server),
		cmocka_unit_test(test_duplicates_and_forgeries),
		cmocka_unit_test(test_server_that_repeats_its_stamp),
		cmocka_unit_test(test_stamps_that_contradict),
		cmocka_unit_test(test_kiss_in_interleaved_mode),
		cmocka_unit_test(test_off_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
