// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The engine as a whole, event by event: order of actions around a step, what
 * is pushed and when, limits, reports.  Its clock is a perfect one here; real
 * ones are the simulator's business.
 */
#include <core/engine.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define S	NTP_NS_PER_S
#define MS	1000000LL
#define UTC0	(1800000000LL * S)
#define RTT_NS	MS
#define SOURCES	64

struct rig {
	struct engine *e;
	struct engine_config conf;
	struct clocks now;
	int64_t	 ahead_ns;		/* servers' lead over the system clock at the start */
	int64_t	 timer_ns;
	struct action act[ENGINE_MAX_ACTIONS(SOURCES)];
	size_t	 len;
	struct ntp_serve served;	/* last ACT_PUSH */
	unsigned int pushes;
	unsigned int kinds[ACT_EXIT + 1];
	unsigned int logs[LOG_CODES];
	bool	 answer;
	bool	 obey;			/* carry out ACT_STEP */
	uint8_t	 leap;
	__be32	 refid;
};

static void event(struct rig *g, struct event *ev);

static void answer(struct rig *g, uint32_t source, const struct ntp_header *req)
{
	int64_t utc_ns = UTC0 + g->ahead_ns + g->now.local_ns;
	struct ntp_header h = {
		.lvm = ntp_lvm(g->leap, 4, NTP_MODE_SERVER),
		.stratum = 2,
		.refid = g->refid,
		.root_disp = ntp_htobe32(66),
		.ref_ts = ntp_htobe64(ntp64_from_unix_ns(utc_ns - S)),
		.org_ts = req->xmt_ts,
		.rec_ts = ntp_htobe64(ntp64_from_unix_ns(utc_ns + RTT_NS / 2)),
		.xmt_ts = ntp_htobe64(ntp64_from_unix_ns(utc_ns + RTT_NS / 2)),
	};
	struct event ev = { .type = EV_REPLY, .source = source };

	g->now.local_ns += RTT_NS;
	g->now.boot_ns += RTT_NS;
	g->now.real_ns += RTT_NS;
	ev.reply.data = &h;
	ev.reply.len = sizeof(h);
	ev.reply.t4_local_ns = g->now.local_ns;
	event(g, &ev);
}

/* Without carrying out what follows from it. */
static void reply_to_one(struct rig *g, const struct action *a, unsigned int *count)
{
	static struct action act[ENGINE_MAX_ACTIONS(ENGINE_MAX_SOURCES)];
	int64_t utc_ns = UTC0 + g->now.local_ns;
	struct ntp_header h = {
		.lvm = ntp_lvm(NTP_LEAP_NONE, 4, NTP_MODE_SERVER),
		.stratum = 2,
		.org_ts = a->send.packet.xmt_ts,
		.rec_ts = ntp_htobe64(ntp64_from_unix_ns(utc_ns + RTT_NS / 2)),
		.xmt_ts = ntp_htobe64(ntp64_from_unix_ns(utc_ns + RTT_NS / 2)),
	};
	struct event ev = { .type = EV_REPLY, .source = a->source, .now = g->now };

	ev.reply.data = &h;
	ev.reply.len = sizeof(h);
	ev.reply.t4_local_ns = g->now.local_ns + RTT_NS;
	ev.now.local_ns += RTT_NS;
	ev.now.real_ns += RTT_NS;
	ev.now.boot_ns += RTT_NS;
	engine_event(g->e, &ev, act);
	++*count;
}

static void carry_out(struct rig *g, const struct action *a)
{
	struct event ev = { .type = EV_CLOCK_STEPPED, .source = ENGINE_NO_SOURCE };

	g->kinds[a->type]++;
	if (a->type == ACT_TIMER)
		g->timer_ns = a->at_local_ns;
	if (a->type == ACT_LOG)
		g->logs[a->log.code]++;
	if (a->type == ACT_PUSH) {
		assert_null(ntp_serve_check(&a->serve));
		g->served = a->serve;
		g->pushes++;
	}
	if (a->type == ACT_STEP && g->obey) {
		g->now.real_ns += a->phase_ns;
		g->now.clock_seq++;
		event(g, &ev);
	}
}

static void event(struct rig *g, struct event *ev)
{
	struct action act[ENGINE_MAX_ACTIONS(SOURCES)];
	struct ntp_header req;
	bool asked = false;
	uint32_t source = 0;
	size_t i, len;

	ev->now = g->now;
	len = engine_event(g->e, ev, act);
	assert_in_range(len, 1, ENGINE_MAX_ACTIONS(SOURCES));
	memcpy(g->act, act, sizeof(act));
	g->len = len;
	for (i = 0; i < len; i++) {
		if (act[i].type == ACT_SEND) {
			asked = true;
			source = act[i].source;
			req = act[i].send.packet;
		}
		carry_out(g, &act[i]);
	}
	if (asked && g->answer)
		answer(g, source, &req);
}

static void simple(struct rig *g, enum event_type type)
{
	struct event ev = { .type = type, .source = ENGINE_NO_SOURCE };

	event(g, &ev);
}

static void run_until(struct rig *g, int64_t local_ns)
{
	int64_t d_ns;

	while (g->timer_ns <= local_ns) {
		d_ns = g->timer_ns > g->now.local_ns ? g->timer_ns - g->now.local_ns : 0;
		g->now.local_ns += d_ns;
		g->now.boot_ns += d_ns;
		g->now.real_ns += d_ns;
		simple(g, EV_TIMER);
	}
}

static void add(struct rig *g, uint32_t id)
{
	struct event ev = { .type = EV_SOURCE_ADD, .source = id };

	ev.add = (struct source_config){ .minpoll_log2s = 4, .maxpoll_log2s = 4, .version = 4,
					 .flags = SOURCE_F_IBURST,
					 .refid = ntp_htobe32(0xc0000201) };
	event(g, &ev);
}

static void setup(struct rig *g, int64_t ahead_ns)
{
	memset(g, 0, sizeof(*g));
	g->conf = (struct engine_config){
		.makestep_threshold_ns = 100 * MS, .makestep_limit = 3, .max_distance_ns = 3 * S,
		.min_sources = 1, .holdover_ns = 3600 * S, .max_served_ns = S,
		.push_interval_ns = 16 * S, .freq_sd_ppb = 1000, .precision_log2s = -24,
		.floor_unix_ns = 1700000000 * S, .own_refids = { ntp_htobe32(0x0a0a0a0a) },
		.own_refids_len = 1, .control_clock = true, .seed = 42,
	};
	g->now = (struct clocks){ S, UTC0 + S, S, 7 };
	g->ahead_ns = ahead_ns;
	g->answer = g->obey = true;
	g->refid = ntp_htobe32(0x01020304);
	g->e = engine_init(malloc(engine_size(SOURCES)), SOURCES, &g->conf);
}

static void start(struct rig *g)
{
	simple(g, EV_START);
	add(g, 1);
}

static void teardown(struct rig *g)
{
	free(g->e);
}

static void test_size(void **state)
{
	(void)state;
	assert_true(engine_size(SOURCES) <= 1 << 20);
}

static void test_start_says_unsynchronised(void **state)
{
	struct rig g;

	(void)state;
	setup(&g, 0);
	simple(&g, EV_START);
	assert_int_equal(g.pushes, 1);
	assert_int_equal(g.served.leap, NTP_LEAP_UNSYNC);
	assert_int_equal(g.served.stratum, 0);
	assert_int_equal(g.served.clock_seq, 7);
	assert_int_equal(g.kinds[ACT_STEP] + g.kinds[ACT_PHASE] + g.kinds[ACT_SYNC_STATUS], 0);
	teardown(&g);
}

/* Unsynchronised push, step, and only after its report the true push. */
static void test_step_sequence(void **state)
{
	struct event ev = { .type = EV_CLOCK_STEPPED, .source = ENGINE_NO_SOURCE };
	size_t i, push = 0, step = 0;
	struct rig g;

	(void)state;
	setup(&g, 250 * MS);
	g.obey = false;
	start(&g);
	while (!g.kinds[ACT_STEP])
		run_until(&g, g.timer_ns);
	assert_in_range(g.now.local_ns, 4 * S, 6 * S);
	assert_int_equal(g.served.leap, NTP_LEAP_UNSYNC);
	for (i = 0; i < g.len; i++) {
		if (g.act[i].type == ACT_PUSH)
			push = i;
		if (g.act[i].type == ACT_STEP) {
			step = i;
			assert_true(llabs(g.act[i].phase_ns - 250 * MS) < MS);
			g.now.real_ns += g.act[i].phase_ns;
		}
	}
	assert_true(push < step);
	g.now.clock_seq++;
	event(&g, &ev);
	assert_int_equal(g.served.leap, NTP_LEAP_NONE);
	assert_int_equal(g.served.stratum, 3);
	assert_int_equal(g.served.clock_seq, 8);
	assert_int_equal(g.served.refid, ntp_htobe32(0xc0000201));
	assert_int_equal(g.logs[LOG_STEP], 1);
	assert_int_equal(g.logs[LOG_FOREIGN_STEP], 0);
	assert_int_equal(g.logs[LOG_SYNCHRONISED], 1);
	assert_true(g.kinds[ACT_FREQ] > 0);
	teardown(&g);
}

static void test_refused_step_is_not_waited_for(void **state)
{
	struct rig g;

	(void)state;
	setup(&g, 250 * MS);
	g.obey = false;
	start(&g);
	run_until(&g, 120 * S);
	assert_int_equal(g.served.stratum, 3);
	/* three tries, then it slews */
	assert_int_equal(g.kinds[ACT_STEP], 3);
	assert_true(g.kinds[ACT_PHASE] > 0);
	teardown(&g);
}

static void test_no_clock_control(void **state)
{
	struct rig g;

	(void)state;
	setup(&g, 250 * MS);
	g.conf.control_clock = false;
	engine_reconfigure(g.e, &g.conf);
	start(&g);
	run_until(&g, 300 * S);
	simple(&g, EV_MAKESTEP);
	assert_int_equal(g.served.stratum, 3);
	assert_true(llabs(ntp_line_at(&g.served.line, g.now.local_ns) -
			  (UTC0 + 250 * MS + g.now.local_ns)) < 10000);
	assert_int_equal(g.kinds[ACT_STEP] + g.kinds[ACT_PHASE] + g.kinds[ACT_FREQ] +
			 g.kinds[ACT_SYNC_STATUS], 0);
	teardown(&g);
}

static void test_makestep_by_operator(void **state)
{
	struct rig g;

	(void)state;
	setup(&g, 50 * MS);
	start(&g);
	run_until(&g, 20 * S);
	assert_int_equal(g.kinds[ACT_STEP], 0);
	simple(&g, EV_MAKESTEP);
	assert_int_equal(g.kinds[ACT_STEP], 1);
	assert_true(llabs(g.now.real_ns - (UTC0 + 50 * MS + g.now.local_ns)) < 10000);
	teardown(&g);
}

static void test_push_interval(void **state)
{
	int64_t until;
	struct rig g;

	(void)state;
	setup(&g, 0);
	start(&g);
	run_until(&g, 30 * S);
	for (until = 31; until < 400; until++) {
		run_until(&g, until * S);
		assert_true(until * S - g.served.line.base_raw_ns <= 17 * S);
	}
	teardown(&g);
}

/* Without answers: pushes go on, dispersion grows, the deadline stays; then the end. */
static void test_holdover(void **state)
{
	int64_t deadline = 0, t_s;
	uint64_t disp = 0;
	struct rig g;

	(void)state;
	setup(&g, 0);
	start(&g);
	run_until(&g, 100 * S);
	g.answer = false;
	run_until(&g, 300 * S);
	deadline = g.served.deadline_boot_ns;
	for (t_s = 320; t_s < 3600; t_s += 20) {
		run_until(&g, t_s * S);
		assert_int_equal(g.served.deadline_boot_ns, deadline);
		assert_int_equal(g.served.stratum, 3);
		assert_true(g.served.root_disp_ns > disp);
		disp = g.served.root_disp_ns;
	}
	assert_int_equal(g.logs[LOG_SELECTION_LOST], 1);
	assert_int_equal(g.logs[LOG_UNREACHABLE], 1);
	run_until(&g, 3800 * S);
	assert_int_equal(g.served.leap, NTP_LEAP_UNSYNC);
	assert_int_equal(g.logs[LOG_UNSYNCHRONISED], 1);
	g.answer = true;
	run_until(&g, 3900 * S);
	assert_int_equal(g.served.stratum, 3);
	assert_int_equal(g.logs[LOG_SYNCHRONISED], 2);
	teardown(&g);
}

static void test_foreign_step(void **state)
{
	unsigned int pushes;
	struct rig g;

	(void)state;
	setup(&g, 0);
	start(&g);
	run_until(&g, 100 * S);
	pushes = g.pushes;
	g.now.real_ns += 3600 * S;
	g.now.clock_seq++;
	simple(&g, EV_CLOCK_STEPPED);
	assert_int_equal(g.pushes, pushes + 1);
	assert_int_equal(g.served.clock_seq, 8);
	assert_int_equal(g.served.stratum, 3);
	assert_int_equal(g.logs[LOG_FOREIGN_STEP], 1);
	assert_true(llabs(g.served.line.base_unix_ns - (UTC0 + g.now.local_ns)) < 10000);
	simple(&g, EV_CLOCK_STEPPED);
	assert_int_equal(g.logs[LOG_FOREIGN_STEP], 1);
	teardown(&g);
}

static void test_local_stratum(void **state)
{
	struct engine_report r;
	struct rig g;

	(void)state;
	setup(&g, 0);
	g.conf.local_stratum = 10;
	engine_reconfigure(g.e, &g.conf);
	simple(&g, EV_START);
	run_until(&g, 100 * S);
	assert_int_equal(g.served.stratum, 10);
	assert_int_equal(g.served.refid, ntp_htobe32(0x7f7f0101));
	assert_int_equal(g.logs[LOG_LOCAL], 1);
	assert_int_equal(g.served.deadline_boot_ns, g.served.pushed_boot_ns + 3600 * S);
	engine_get_report(g.e, &g.now, &r);
	assert_true(r.synchronised && r.local);
	add(&g, 1);
	run_until(&g, 120 * S);
	assert_int_equal(g.served.stratum, 3);
	engine_get_report(g.e, &g.now, &r);
	assert_false(r.local);
	teardown(&g);
}

static void test_loop_is_refused(void **state)
{
	struct source_report s;
	struct rig g;

	(void)state;
	setup(&g, 0);
	g.refid = ntp_htobe32(0x0a0a0a0a);
	start(&g);
	run_until(&g, 60 * S);
	assert_true(engine_get_source(g.e, 1, &g.now, &s));
	assert_int_equal(s.state, SRC_LOOP);
	assert_int_equal(g.served.stratum, 0);
	assert_int_equal(g.logs[LOG_LOOP], 1);
	teardown(&g);
}

static void suspend(struct rig *g)
{
	struct event ev = { .type = EV_SUSPENDED, .source = ENGINE_NO_SOURCE,
			    .suspended_ns = 100 * S };

	g->now.boot_ns += 100 * S;
	g->now.real_ns += 100 * S;
	g->now.clock_seq++;
	g->ahead_ns += 100 * S;
	event(g, &ev);
}

static void test_suspend(void **state)
{
	struct rig g;

	(void)state;
	setup(&g, 0);
	start(&g);
	run_until(&g, 100 * S);
	suspend(&g);
	assert_int_equal(g.served.leap, NTP_LEAP_UNSYNC);
	run_until(&g, g.now.local_ns + 8 * S);
	assert_int_equal(g.served.stratum, 3);
	assert_int_equal(g.logs[LOG_FOREIGN_STEP], 0);
	teardown(&g);
}

/* In the middle of a slow slew whose next piece is due: off by the sleep, it would be. */
static void test_suspend_steers_nothing(void **state)
{
	unsigned int pieces = 0, k, i;
	struct rig g;

	(void)state;
	for (k = 0; k < 40; k++) {
		setup(&g, 50 * MS);
		g.conf.max_slew_ppb = 100000;
		engine_reconfigure(g.e, &g.conf);
		start(&g);
		for (i = 0; i < k; i++)
			run_until(&g, g.timer_ns);
		pieces = g.kinds[ACT_PHASE];
		g.now.boot_ns += g.timer_ns - g.now.local_ns;
		g.now.real_ns += g.timer_ns - g.now.local_ns;
		g.now.local_ns = g.timer_ns;
		suspend(&g);
		assert_int_equal(g.kinds[ACT_PHASE], pieces);
		assert_int_equal(g.kinds[ACT_STEP], 0);
		teardown(&g);
	}
	assert_true(pieces > 2);
}

/* Its sender's clock went on while ours stood: half of the sleep off, it would seem. */
static void test_suspend_ends_requests(void **state)
{
	struct source_report before, after;
	struct ntp_header req;
	struct rig g;
	size_t i;

	(void)state;
	setup(&g, 0);
	start(&g);
	run_until(&g, 100 * S);
	g.answer = false;
	do {
		run_until(&g, g.timer_ns);
		for (i = 0; i < g.len && g.act[i].type != ACT_SEND; i++)
			;
	} while (i == g.len);
	req = g.act[i].send.packet;
	assert_true(engine_get_source(g.e, 1, &g.now, &before));
	suspend(&g);
	answer(&g, 1, &req);
	assert_true(engine_get_source(g.e, 1, &g.now, &after));
	assert_int_equal(after.received_pkts, before.received_pkts);
	assert_int_equal(after.bad_pkts, before.bad_pkts + 1);
	teardown(&g);
}

static void test_too_many(void **state)
{
	struct source_report s;
	struct event ev = { .type = EV_SOURCE_DEL, .source = 5 };
	uint32_t i;
	struct rig g;

	(void)state;
	setup(&g, 0);
	g.answer = false;
	simple(&g, EV_START);
	for (i = 0; i < SOURCES; i++)
		add(&g, i);
	assert_int_equal(g.logs[LOG_TOO_MANY], 0);
	add(&g, 1000);
	assert_int_equal(g.logs[LOG_TOO_MANY], 1);
	assert_false(engine_get_source(g.e, 1000, &g.now, &s));
	run_until(&g, 600 * S);
	assert_int_equal(g.logs[LOG_UNREACHABLE], SOURCES);
	event(&g, &ev);
	assert_false(engine_get_source(g.e, 5, &g.now, &s));
	add(&g, 1000);
	assert_true(engine_get_source(g.e, 1000, &g.now, &s));
	/* all at once: the worst that one event may bring forth */
	g.now.local_ns += 100000 * S;
	g.now.boot_ns += 100000 * S;
	g.now.real_ns += 100000 * S;
	simple(&g, EV_TIMER);
	teardown(&g);
}

static void pass(struct rig *g, int64_t ns)
{
	g->now.local_ns += ns;
	g->now.real_ns += ns;
	g->now.boot_ns += ns;
}

/* Timer upon timer, as the engine asks for them. Return: requests of which none is left. */
static unsigned int ask_all(struct rig *g, struct action *act, unsigned int *sent)
{
	struct event ev = { .type = EV_TIMER, .source = ENGINE_NO_SOURCE };
	unsigned int before = *sent, last;
	size_t k, len;

	do {
		last = *sent;
		pass(g, 1000000);
		ev.now = g->now;
		len = engine_event(g->e, &ev, act);
		/* the daemon's loop waits for what one event brings forth */
		assert_true(len < 128);
		for (k = 0; k < len; k++)
			if (act[k].type == ACT_SEND)
				reply_to_one(g, &act[k], sent);
	} while (*sent != last);
	return *sent - before;
}

/* The whole capacity: nothing is lost, and memory is what was asked for. */
static void test_a_thousand(void **state)
{
	const unsigned int n = ENGINE_MAX_SOURCES;
	struct action *act = malloc(sizeof(*act) * ENGINE_MAX_ACTIONS(n));
	struct event ev = { .type = EV_START, .source = ENGINE_NO_SOURCE };
	struct engine_report r;
	unsigned int sent = 0, rounds, i;
	struct rig g;

	(void)state;
	setup(&g, 0);
	free(g.e);
	g.e = engine_init(malloc(engine_size(n)), n, &g.conf);
	ev.now = g.now;
	engine_event(g.e, &ev, act);
	for (i = 0; i < n; i++) {
		ev = (struct event){ .type = EV_SOURCE_ADD, .source = i, .now = g.now };
		ev.add = (struct source_config){ .minpoll_log2s = 4, .maxpoll_log2s = 6,
						 .version = 4, .flags = SOURCE_F_IBURST };
		engine_event(g.e, &ev, act);
	}
	for (rounds = 0; rounds < 4; rounds++) {
		pass(&g, 2 * S);
		assert_int_equal(ask_all(&g, act, &sent), n);
	}
	engine_get_report(g.e, &g.now, &r);
	assert_true(r.synchronised && r.survivors >= 3);
	free(act);
	teardown(&g);
}

/* Sources that go all at once are judged all at once, a moment later. */
static void test_all_go(void **state)
{
	struct engine_report r;
	struct event ev = { .type = EV_SOURCE_DEL };
	uint32_t i;
	struct rig g;

	(void)state;
	setup(&g, 0);
	start(&g);
	run_until(&g, 100 * S);
	engine_get_report(g.e, &g.now, &r);
	assert_true(r.survivors > 0);
	for (i = 0; i < SOURCES; i++) {
		ev.source = i;
		event(&g, &ev);
	}
	run_until(&g, g.now.local_ns + S);
	engine_get_report(g.e, &g.now, &r);
	assert_int_equal(r.survivors, 0);
	assert_int_equal(r.syspeer, ENGINE_NO_SOURCE);
	assert_true(r.synchronised);	/* holdover */
	teardown(&g);
}

/* No battery, the clock says 1970: time begins at the build date and goes on from there. */
static void test_clock_before_floor(void **state)
{
	struct rig g;

	(void)state;
	setup(&g, 0);
	g.now.real_ns = g.now.local_ns;
	g.answer = false;
	start(&g);
	assert_int_equal(g.served.line.base_unix_ns, 1700000000 * S);
	run_until(&g, 101 * S);
	assert_in_range(g.served.line.base_unix_ns, 1700000080 * S, 1700000101 * S);
	g.answer = true;
	run_until(&g, 300 * S);
	assert_int_equal(g.served.stratum, 3);
	assert_int_equal(g.kinds[ACT_STEP], 1);
	assert_true(llabs(g.now.real_ns - (UTC0 + g.now.local_ns)) < 10000);
	teardown(&g);
}

static void test_names(void **state)
{
	int i, k;

	(void)state;
	for (i = 0; i < SRC_STATES; i++) {
		assert_true(source_state_name(i)[0] &&
			    source_state_text(&(struct source_report){ .state = i })[0]);
		for (k = 0; k < i; k++)
			assert_string_not_equal(source_state_name(i), source_state_name(k));
	}
	assert_string_equal(source_state_name(SRC_SYSPEER), "syspeer");
	assert_string_equal(source_state_name(SRC_STATES), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_start_says_unsynchronised),
		cmocka_unit_test(test_step_sequence),
		cmocka_unit_test(test_refused_step_is_not_waited_for),
		cmocka_unit_test(test_no_clock_control),
		cmocka_unit_test(test_makestep_by_operator),
		cmocka_unit_test(test_push_interval),
		cmocka_unit_test(test_holdover),
		cmocka_unit_test(test_foreign_step),
		cmocka_unit_test(test_local_stratum),
		cmocka_unit_test(test_loop_is_refused),
		cmocka_unit_test(test_suspend),
		cmocka_unit_test(test_suspend_steers_nothing),
		cmocka_unit_test(test_suspend_ends_requests),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_a_thousand),
		cmocka_unit_test(test_all_go),
		cmocka_unit_test(test_clock_before_floor),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
