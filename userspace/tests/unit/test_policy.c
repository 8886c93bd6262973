// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the operator decides per source and as a whole, one test each, through
 * the engine's face.  Local time is true time; servers answer at once.
 */
#include <core/engine.h>

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
#define N	6
#define OWN	0x0a000005

struct server {
	int64_t	 ahead_ns;
	int64_t	 wobble_ns;	/* every other reply */
	int64_t	 extra_ns;	/* of delay */
	int64_t	 claims_ns;	/* of root dispersion, beyond the usual */
	uint8_t	 stratum;
	uint8_t	 leap;
	bool	 deaf;
	const char *kiss;
	bool	 signs;
	unsigned int asked;
	int64_t	 asked_ns[64];
};

struct rig {
	struct engine *e;
	struct engine_config conf;
	struct clocks now;
	int64_t	 utc0_ns;
	int64_t	 timer_ns;
	struct server srv[N];
	struct source_config add[N];
	uint8_t	 clock_leap;	/* as the kernel was told last */
	struct ntp_serve served;
	unsigned int kinds[ACT_EXIT + 1];
	unsigned int logs[LOG_CODES];
	unsigned int resolved[N];
	struct sample_report sample;
	struct action act[32][ENGINE_MAX_ACTIONS(N)];
	unsigned int depth;
};

static void event(struct rig *g, struct event *ev);

static void pass(struct rig *g, int64_t d_ns)
{
	g->now.local_ns += d_ns;
	g->now.real_ns += d_ns;
	g->now.boot_ns += d_ns;
}

static void answer(struct rig *g, uint32_t id, const struct ntp_header *req)
{
	struct server *v = &g->srv[id];
	int64_t utc_ns = g->utc0_ns + g->now.local_ns + RTT_NS / 2 + v->ahead_ns +
			 (v->asked % 2 ? v->wobble_ns : 0);
	struct ntp_header h = {
		.lvm = ntp_lvm(v->leap, 4, NTP_MODE_SERVER),
		.stratum = v->stratum,
		.refid = ntp_htobe32(0x47505300),
		.root_disp = ntp_htobe32(66 + (uint32_t)(v->claims_ns * 65536 / S)),
		.org_ts = req->xmt_ts,
		.rec_ts = ntp_htobe64(ntp64_from_unix_ns(utc_ns)),
		.xmt_ts = ntp_htobe64(ntp64_from_unix_ns(utc_ns)),
	};
	struct event ev = { .type = EV_REPLY, .source = id };

	if (v->kiss) {
		h.stratum = 0;
		memcpy(&h.refid, v->kiss, 4);
	}
	ev.reply.data = &h;
	ev.reply.len = sizeof(h);
	ev.reply.t4_local_ns = g->now.local_ns + RTT_NS + v->extra_ns;
	ev.reply.authentic = v->signs;
	event(g, &ev);
}

static void on_send(struct rig *g, const struct action *a)
{
	struct server *v = &g->srv[a->source];
	struct event ev = { .type = EV_SENT, .source = a->source };

	if (v->asked < 64)
		v->asked_ns[v->asked] = g->now.local_ns;
	v->asked++;
	ev.sent.cookie = a->send.cookie;
	ev.sent.t1_local_ns = g->now.local_ns;
	ev.sent.own_refid = ntp_htobe32(OWN);
	event(g, &ev);
	if (!v->deaf)
		answer(g, a->source, &a->send.packet);
}

static void on_step(struct rig *g, int64_t step_ns)
{
	struct event ev = { .type = EV_CLOCK_STEPPED, .source = ENGINE_NO_SOURCE };

	g->now.real_ns += step_ns;
	g->now.clock_seq++;
	event(g, &ev);
}

static void event(struct rig *g, struct event *ev)
{
	struct action *act = g->act[g->depth++];
	size_t i, len;

	assert_true(g->depth < 32);
	ev->now = g->now;
	len = engine_event(g->e, ev, act);
	for (i = 0; i < len; i++) {
		g->kinds[act[i].type]++;
		if (act[i].type == ACT_TIMER)
			g->timer_ns = act[i].at_local_ns;
		if (act[i].type == ACT_LOG)
			g->logs[act[i].log.code]++;
		if (act[i].type == ACT_PUSH)
			g->served = act[i].serve;
		if (act[i].type == ACT_SYNC_STATUS)
			g->clock_leap = act[i].sync.leap;
		if (act[i].type == ACT_SAMPLE)
			g->sample = act[i].sample;
		if (act[i].type == ACT_RESOLVE)
			g->resolved[act[i].source]++;
	}
	for (i = 0; i < len; i++) {
		if (act[i].type == ACT_SEND)
			on_send(g, &act[i]);
		if (act[i].type == ACT_STEP)
			on_step(g, act[i].phase_ns);
	}
	g->depth--;
}

static void simple(struct rig *g, enum event_type type)
{
	struct event ev = { .type = type, .source = ENGINE_NO_SOURCE };

	event(g, &ev);
}

static void run_until(struct rig *g, int64_t s)
{
	while (g->timer_ns <= s * S && !g->kinds[ACT_EXIT]) {
		pass(g, g->timer_ns > g->now.local_ns ? g->timer_ns - g->now.local_ns : 0);
		simple(g, EV_TIMER);
	}
	if (g->now.local_ns < s * S)
		pass(g, s * S - g->now.local_ns);
}

static void setup(struct rig *g)
{
	size_t i;

	memset(g, 0, sizeof(*g));
	g->conf = (struct engine_config){
		.max_distance_ns = 3 * S, .min_sources = 1, .holdover_ns = 86400 * S,
		.max_served_ns = S, .push_interval_ns = 16 * S, .freq_sd_ppb = 10,
		.precision_log2s = -24, .floor_unix_ns = UTC0 - 1000000 * S,
		.control_clock = true, .seed = 7,
	};
	g->utc0_ns = UTC0;
	g->now = (struct clocks){ S, UTC0 + S, S, 1 };
	for (i = 0; i < N; i++) {
		g->srv[i].stratum = 2;
		g->add[i] = (struct source_config){
			.minpoll_log2s = 4, .maxpoll_log2s = 4, .version = 4,
			.flags = SOURCE_F_IBURST, .refid = ntp_htobe32(0x0a000001 + (uint32_t)i),
			.presend_log2s = 127,
		};
	}
}

static void start(struct rig *g, unsigned int n)
{
	struct event ev = { .type = EV_SOURCE_ADD };
	uint32_t i;

	g->utc0_ns = g->now.real_ns - g->now.local_ns;
	g->e = engine_init(malloc(engine_size(N)), N, &g->conf);
	simple(g, EV_START);
	for (i = 0; i < n; i++) {
		ev.source = i;
		ev.add = g->add[i];
		event(g, &ev);
	}
}

static struct source_report source(struct rig *g, uint32_t id)
{
	struct source_report r;

	assert_true(engine_get_source(g->e, id, &g->now, &r));
	return r;
}

static struct engine_report report(struct rig *g)
{
	struct engine_report r;

	engine_get_report(g->e, &g->now, &r);
	return r;
}

static void test_starts_offline(void **state)
{
	struct rig g;

	(void)state;
	setup(&g);
	g.add[0].flags |= SOURCE_F_OFFLINE;
	start(&g, 1);
	run_until(&g, 300);
	assert_int_equal(g.srv[0].asked, 0);
	assert_int_equal(source(&g, 0).state, SRC_OFFLINE);
	simple(&g, EV_ONLINE);
	run_until(&g, 400);
	assert_int_equal(source(&g, 0).state, SRC_SYSPEER);
	free(g.e);
}

static void test_offset_is_corrected(void **state)
{
	struct rig g;

	(void)state;
	setup(&g);
	g.srv[0].ahead_ns = 5 * MS;
	g.add[0].offset_ns = -5 * MS;
	start(&g, 1);
	run_until(&g, 100);
	assert_true(report(&g).synchronised);
	assert_in_range(report(&g).clock_offset_ns + 1000, 0, 2000);
	free(g.e);
}

/* One alone is not believed where there have to be two, however good it is. */
static void test_min_sources(void **state)
{
	struct rig g;
	unsigned int n;

	(void)state;
	for (n = 1; n <= 2; n++) {
		setup(&g);
		g.conf.min_sources = 2;
		start(&g, n);
		run_until(&g, 200);
		assert_int_equal(source(&g, 0).reach, 0xff);
		assert_int_equal(report(&g).synchronised, n == 2);
		free(g.e);
	}
}

static void test_max_delay(void **state)
{
	struct rig g;

	(void)state;
	setup(&g);
	g.add[0].max_delay_ns = 5 * MS;
	g.srv[0].extra_ns = 5 * MS;
	start(&g, 1);
	run_until(&g, 200);
	assert_int_equal(source(&g, 0).received_pkts, 0);
	assert_int_equal(source(&g, 0).bad_pkts, g.srv[0].asked);
	assert_int_equal(source(&g, 0).reach, 0xff);
	assert_int_equal(source(&g, 0).samples, 0);
	assert_false(report(&g).synchronised);
	assert_int_equal(g.sample.tests, SAMPLE_T_1 | SAMPLE_T_2 | SAMPLE_T_3 | SAMPLE_T_5 |
			 SAMPLE_T_6 | SAMPLE_T_7 | SAMPLE_T_C | SAMPLE_T_D);
	assert_int_equal(g.sample.delay_ns, 6 * MS);
	g.srv[0].extra_ns = 3 * MS;
	run_until(&g, 400);
	assert_true(report(&g).synchronised);
	free(g.e);
}

static void test_keyed(void **state)
{
	struct rig g;

	(void)state;
	setup(&g);
	g.add[0].keyed = g.add[1].keyed = true;
	g.srv[1].signs = true;
	start(&g, 2);
	run_until(&g, 60);
	assert_int_equal(source(&g, 0).received_pkts, 0);
	assert_int_equal(source(&g, 0).bad_pkts, g.srv[0].asked);
	assert_int_equal(source(&g, 0).reach, 0);
	assert_int_equal(source(&g, 0).last.t4_unix_ns, 0);
	assert_int_equal(source(&g, 1).state, SRC_SYSPEER);
	assert_int_equal(source(&g, 1).bad_pkts, 0);
	free(g.e);
}

static void test_presend(void **state)
{
	struct rig g;
	unsigned int i;

	(void)state;
	setup(&g);
	g.add[0].flags = 0;
	g.add[0].presend_log2s = 4;
	g.add[1] = g.add[0];
	g.add[1].presend_log2s = 5;
	start(&g, 2);
	run_until(&g, 400);
	/* the first is sent at once, all others 2 s after one without use */
	for (i = 1; i + 1 < g.srv[0].asked; i += 2)
		assert_int_equal(g.srv[0].asked_ns[i + 1] - g.srv[0].asked_ns[i], 2 * S);
	assert_in_range(source(&g, 0).received_pkts, 20, g.srv[0].asked / 2 + 1);
	assert_int_equal(source(&g, 0).bad_pkts, 0);
	assert_in_range(g.srv[1].asked, 20, g.srv[0].asked / 2 + 1);
	free(g.e);
}

static void test_max_jitter(void **state)
{
	struct rig g;

	(void)state;
	setup(&g);
	g.conf.max_jitter_ns = 10 * MS;
	g.srv[0].wobble_ns = 100 * MS;
	start(&g, 1);
	run_until(&g, 200);
	assert_int_equal(source(&g, 0).state, SRC_JITTERY);
	assert_false(report(&g).synchronised);
	g.srv[0].wobble_ns = 0;
	run_until(&g, 600);
	assert_int_equal(source(&g, 0).state, SRC_SYSPEER);
	free(g.e);
}

static void test_max_change(void **state)
{
	struct rig g;

	(void)state;
	setup(&g);
	g.conf.max_change_ns = S;
	g.conf.makestep_threshold_ns = S;
	g.conf.makestep_limit = -1;
	g.srv[0].ahead_ns = 2 * S;
	start(&g, 1);
	run_until(&g, 300);
	assert_int_equal(g.kinds[ACT_EXIT], 1);
	assert_int_equal(g.logs[LOG_CHANGE_EXIT], 1);
	assert_int_equal(g.kinds[ACT_STEP] + g.kinds[ACT_PHASE], 0);
	assert_false(report(&g).synchronised);
	free(g.e);
	/* ignored twice, then too often */
	setup(&g);
	g.conf.max_change_ns = S;
	g.conf.max_change_ignore = 2;
	g.srv[0].ahead_ns = -2 * S;
	start(&g, 1);
	run_until(&g, 300);
	assert_int_equal(g.logs[LOG_CHANGE_IGNORED], 2);
	assert_int_equal(g.kinds[ACT_EXIT], 1);
	free(g.e);
	/* ignored for ever */
	setup(&g);
	g.conf.max_change_ns = S;
	g.conf.max_change_ignore = -1;
	g.srv[0].ahead_ns = -2 * S;
	start(&g, 1);
	run_until(&g, 300);
	assert_true(g.logs[LOG_CHANGE_IGNORED] > 5);
	assert_int_equal(g.kinds[ACT_EXIT], 0);
	assert_int_equal(g.kinds[ACT_PHASE], 0);
	free(g.e);
}

static int64_t claim(struct rig *g)
{
	struct engine_report r = report(g);

	return r.root_delay_ns / 2 + r.root_disp_ns;
}

/* While a change is refused, what is served is off by that much, as far as one knows. */
static void test_refused_change_is_claimed(void **state)
{
	unsigned int asked;
	int64_t deadline_ns;
	struct rig g;

	(void)state;
	setup(&g);
	g.conf.max_change_ns = S;
	g.conf.max_change_ignore = -1;
	g.conf.max_served_ns = 10 * S;
	g.conf.holdover_ns = 3600 * S;
	start(&g, 2);
	run_until(&g, 300);
	assert_true(claim(&g) < S / 100);
	g.srv[0].ahead_ns = g.srv[1].ahead_ns = 2 * S;
	run_until(&g, 600);
	assert_true(report(&g).synchronised);
	assert_in_range(claim(&g), 2 * S, 2 * S + S / 100);
	assert_int_equal(g.kinds[ACT_PHASE] + g.kinds[ACT_STEP], 0);
	/* it is an opinion of both, and counts once per round of polls */
	g.logs[LOG_CHANGE_IGNORED] = 0;
	asked = g.srv[0].asked;
	deadline_ns = g.served.deadline_boot_ns;
	run_until(&g, 1200);
	assert_in_range(g.logs[LOG_CHANGE_IGNORED], 1, g.srv[0].asked - asked + 2);
	/* and no news: holdover goes on, and ends */
	assert_int_equal(g.served.deadline_boot_ns, deadline_ns);
	run_until(&g, 4300);
	assert_false(report(&g).synchronised);
	g.srv[0].ahead_ns = g.srv[1].ahead_ns = 0;
	run_until(&g, 4900);
	assert_true(report(&g).synchronised);
	assert_true(claim(&g) < S / 100);
	free(g.e);
}

/* The first update may be anything; a step by somebody else afterwards may not. */
static void test_max_change_later(void **state)
{
	struct rig g;

	(void)state;
	setup(&g);
	g.conf.max_change_ns = S;
	g.conf.max_change_start = 1;
	g.conf.makestep_threshold_ns = S;
	g.conf.makestep_limit = 1;
	g.srv[0].ahead_ns = 3600 * S;
	start(&g, 1);
	run_until(&g, 300);
	assert_int_equal(g.kinds[ACT_STEP], 1);
	assert_true(report(&g).synchronised);
	assert_int_equal(g.kinds[ACT_EXIT], 0);
	g.kinds[ACT_PHASE] = 0;
	on_step(&g, 2 * S);
	assert_int_equal(g.kinds[ACT_PHASE], 0);
	run_until(&g, 400);
	assert_int_equal(g.kinds[ACT_EXIT], 1);
	assert_int_equal(g.kinds[ACT_PHASE], 0);
	free(g.e);
}

/* Nobody has been asked again: there is no round to be counted. */
static void test_max_change_after_a_sleep(void **state)
{
	struct event ev = { .type = EV_SUSPENDED, .source = ENGINE_NO_SOURCE,
			    .suspended_ns = 100 * S };
	struct rig g;
	int64_t begin_s;
	uint32_t i;

	(void)state;
	setup(&g);
	g.conf.max_change_ns = S / 2;
	g.conf.max_change_ignore = 8;
	for (i = 0; i < 4; i++)
		g.add[i].minpoll_log2s = g.add[i].maxpoll_log2s = 6;
	start(&g, 4);
	run_until(&g, 400);
	assert_true(report(&g).synchronised);
	/* how long it was is known to 0.7 s only */
	g.now.boot_ns += 100 * S;
	g.now.real_ns += 100 * S;
	g.now.clock_seq++;
	g.utc0_ns += 100 * S + 7 * S / 10;
	event(&g, &ev);
	begin_s = g.now.local_ns / S;
	run_until(&g, begin_s + 120);
	assert_int_equal(g.kinds[ACT_EXIT], 0);
	assert_in_range(g.logs[LOG_CHANGE_IGNORED], 1, 8);
	free(g.e);
}

static int64_t served_error_ns(const struct rig *g)
{
	int64_t d_ns = g->now.local_ns - g->served.line.base_raw_ns;
	int64_t unix_ns = g->served.line.base_unix_ns + d_ns +
			  (int64_t)((double)d_ns * (double)g->served.line.rate_q48 * 0x1p-48);

	return unix_ns - (g->utc0_ns + g->now.local_ns);
}

/* It admits to be anywhere within a second, and is: its samples, steady as they are, teach nothing. */
static void test_wide_source_moves_nothing(void **state)
{
	struct rig g;
	int64_t t;

	(void)state;
	setup(&g);
	g.add[0].maxpoll_log2s = g.add[1].maxpoll_log2s = g.add[2].maxpoll_log2s = 10;
	start(&g, 3);
	run_until(&g, 20000);
	assert_true(report(&g).synchronised);
	g.srv[0].ahead_ns = 800 * MS;
	g.srv[0].claims_ns = 900 * MS;
	for (t = 20100; t < 40000; t += 100) {
		run_until(&g, t);
		assert_in_range(served_error_ns(&g) + 2 * MS, 0, 4 * MS);
	}
	assert_int_equal(source(&g, 0).state, SRC_OUTLIER);
	assert_true(report(&g).synchronised);
	assert_true(claim(&g) < 10 * MS);
	free(g.e);
}

/* The best one goes, or gives nothing any more: the others are there. */
static void test_best_goes(void **state)
{
	unsigned int updates;
	struct rig g;
	int way, i;

	(void)state;
	/* three ways, where most are far, and where most go */
	for (way = 0; way < 6; way++) {
		setup(&g);
		g.conf.holdover_ns = 600 * S;
		for (i = 2; i < 5; i++)
			g.srv[i].claims_ns = 60 * MS;
		g.add[0].max_delay_ns = g.add[1].max_delay_ns = 50 * MS;
		start(&g, way < 3 ? 5 : 3);
		run_until(&g, 20000);
		assert_int_equal(source(&g, 2).state, way < 3 ? SRC_SURVIVOR : SRC_OUTLIER);
		assert_true(report(&g).synchronised);
		for (i = 0; i < 2; i++) {
			g.srv[i].deaf = way % 3 == 0;
			g.srv[i].kiss = way % 3 == 1 ? "RATE" : NULL;
			g.srv[i].extra_ns = way % 3 == 2 ? 100 * MS : 0;
		}
		updates = g.kinds[ACT_UPDATE];
		run_until(&g, 20200);
		assert_true(g.kinds[ACT_UPDATE] > updates + (way < 3 ? 10 : 5));
		run_until(&g, 22000);
		assert_true(report(&g).synchronised);
		free(g.e);
	}
}

/* The operator's `makestep` is his answer to such a step. */
static void test_makestep_settles_it(void **state)
{
	struct rig g;

	(void)state;
	setup(&g);
	g.conf.max_change_ns = S;
	start(&g, 1);
	run_until(&g, 300);
	assert_true(report(&g).synchronised);
	on_step(&g, 2 * S);
	simple(&g, EV_MAKESTEP);
	assert_int_equal(g.kinds[ACT_STEP], 1);
	run_until(&g, 600);
	assert_int_equal(g.kinds[ACT_EXIT], 0);
	assert_in_range(report(&g).clock_offset_ns + 1000, 0, 2000);
	free(g.e);
}

static void test_local_distance(void **state)
{
	struct rig g;

	(void)state;
	setup(&g);
	g.conf.local_stratum = 10;
	g.conf.local_distance_ns = 5 * MS;
	g.conf.holdover_ns = 30 * 86400 * S;
	g.conf.max_served_ns = 10 * S;
	start(&g, 1);
	run_until(&g, 2000);
	assert_int_equal(g.served.stratum, 3);
	g.srv[0].deaf = true;
	while (!report(&g).local && g.now.local_ns < 20 * 86400 * S)
		run_until(&g, g.now.local_ns / S + 1000);
	assert_true(report(&g).local);
	assert_int_equal(g.served.stratum, 10);
	assert_true(report(&g).root_delay_ns / 2 + report(&g).root_disp_ns < MS);
	g.srv[0].deaf = false;
	run_until(&g, g.now.local_ns / S + 600);
	assert_false(report(&g).local);
	assert_int_equal(g.served.stratum, 3);
	free(g.e);
}

/* Sources 0..5 are 10.0.0.1 to .6, we are .5. */
static void test_orphan(void **state)
{
	struct rig g;
	unsigned int i;

	(void)state;
	setup(&g);
	g.conf.local_stratum = 5;
	g.conf.local_orphan = true;
	for (i = 0; i < 3; i++)
		g.srv[i].stratum = 5;
	g.add[0].refid = ntp_htobe32(0x0a000003);
	g.add[2].refid = ntp_htobe32(0x0a000006);
	start(&g, 3);
	run_until(&g, 200);
	/* .2 leads, .3 and .6 do not */
	assert_int_equal(source(&g, 0).state, SRC_ORPHAN);
	assert_int_equal(source(&g, 1).state, SRC_SYSPEER);
	assert_int_equal(source(&g, 2).state, SRC_ORPHAN);
	assert_int_equal(g.served.stratum, 6);
	assert_false(report(&g).local);
	free(g.e);
	/* we lead */
	setup(&g);
	g.conf.local_stratum = 5;
	g.conf.local_orphan = true;
	g.srv[0].stratum = 5;
	g.add[0].refid = ntp_htobe32(0x0a000006);
	start(&g, 1);
	run_until(&g, 200);
	assert_true(report(&g).local);
	assert_int_equal(g.served.stratum, 5);
	free(g.e);
	/* real time beats orphans */
	setup(&g);
	g.conf.local_stratum = 5;
	g.conf.local_orphan = true;
	g.srv[0].stratum = 5;
	start(&g, 2);
	run_until(&g, 200);
	assert_int_equal(source(&g, 0).state, SRC_ORPHAN);
	assert_int_equal(source(&g, 1).state, SRC_SYSPEER);
	assert_int_equal(g.served.stratum, 3);
	free(g.e);
}

static void test_reselect(void **state)
{
	struct rig g;
	uint32_t best;

	(void)state;
	setup(&g);
	g.srv[0].deaf = true;
	start(&g, 2);
	run_until(&g, 200);
	assert_int_equal(report(&g).syspeer, 1);
	g.srv[0].deaf = false;
	run_until(&g, 600);
	assert_int_equal(report(&g).syspeer, 1);
	g.logs[LOG_SELECTED] = 0;
	simple(&g, EV_RESELECT);
	best = report(&g).syspeer;
	assert_int_equal(best, source(&g, 0).root_dist_ns <= source(&g, 1).root_dist_ns ? 0 : 1);
	assert_int_equal(g.logs[LOG_SELECTED], 1);
	free(g.e);
}

/* 2027-06-30 23:00:00 UTC, an hour before a leap second may be */
#define EVE	(1814396400LL * S)

static void start_on_the_eve(struct rig *g, uint8_t says)
{
	setup(g);
	g->now.real_ns = EVE;
	g->srv[0].leap = g->srv[1].leap = says;
	start(g, 2);
	run_until(g, 100);
	assert_int_equal(g->served.leap, says);
}

/* Who claims no error at all is not for that the only one who is heard. */
static void test_narrow_liar(void **state)
{
	struct rig g;
	int i, t;

	(void)state;
	setup(&g);
	g.now.real_ns = EVE;
	for (i = 0; i < 3; i++)
		g.srv[i].claims_ns = 20 * MS;
	g.srv[3].leap = NTP_LEAP_INSERT;
	g.srv[3].ahead_ns = 15 * MS;
	start(&g, 4);
	for (t = 200; t < 3000; t += 100) {
		run_until(&g, t);
		assert_true(report(&g).synchronised);
		assert_int_equal(g.served.leap, NTP_LEAP_NONE);
		assert_true(llabs(served_error_ns(&g)) <= claim(&g));
	}
	free(g.e);
}

static void tell(struct rig *g, uint8_t leap, int64_t at_unix_ns)
{
	struct event ev = { .type = EV_LEAP, .source = ENGINE_NO_SOURCE };

	ev.leap.leap = leap;
	ev.leap.at_unix_ns = at_unix_ns;
	event(g, &ev);
}

static void test_leap_list(void **state)
{
	struct rig g;

	(void)state;
	/* none says so, but the list does; at once, and it happens */
	start_on_the_eve(&g, NTP_LEAP_NONE);
	tell(&g, NTP_LEAP_INSERT, EVE + 3600 * S);
	assert_int_equal(g.served.leap, NTP_LEAP_INSERT);
	run_until(&g, 3590);
	assert_int_equal(g.served.leap, NTP_LEAP_INSERT);
	run_until(&g, 3605);
	assert_int_equal(g.served.leap, NTP_LEAP_NONE);
	/* the kernel's tick may come a little later: it would do without */
	assert_int_equal(g.clock_leap, NTP_LEAP_INSERT);
	run_until(&g, 3660);
	assert_int_equal(g.clock_leap, NTP_LEAP_NONE);
	free(g.e);
	/* all lie, the list knows of none */
	start_on_the_eve(&g, NTP_LEAP_INSERT);
	tell(&g, NTP_LEAP_INSERT, 0);
	assert_int_equal(g.served.leap, NTP_LEAP_NONE);
	run_until(&g, 300);
	assert_int_equal(g.served.leap, NTP_LEAP_NONE);
	/* there is no list any more */
	tell(&g, NTP_LEAP_UNSYNC, 0);
	run_until(&g, 400);
	assert_int_equal(g.served.leap, NTP_LEAP_INSERT);
	free(g.e);
	/* one in half a year is not one today */
	start_on_the_eve(&g, NTP_LEAP_NONE);
	tell(&g, NTP_LEAP_DELETE, EVE + 184 * 86400 * S);
	run_until(&g, 300);
	assert_int_equal(g.served.leap, NTP_LEAP_NONE);
	free(g.e);
}

static void test_samples_and_updates_are_told(void **state)
{
	struct source_report r;
	struct rig g;

	(void)state;
	setup(&g);
	g.srv[0].ahead_ns = 2 * MS;
	start(&g, 1);
	run_until(&g, 100);
	assert_int_equal(g.kinds[ACT_SAMPLE], g.srv[0].asked);
	assert_int_equal(g.kinds[ACT_UPDATE], report(&g).updates);
	assert_true(g.kinds[ACT_UPDATE] > 5);
	assert_int_equal(g.sample.tests, 0x3ff);
	assert_int_equal(g.sample.delay_ns, RTT_NS);
	assert_int_equal(g.sample.stratum, 2);
	assert_int_equal(g.sample.response_ns, 0);
	assert_in_range(g.sample.offset_ns + 1000, 0, 2000);
	r = source(&g, 0);
	assert_memory_equal(&r.last, &g.sample, sizeof(g.sample));
	assert_int_equal(r.samples, 8);
	assert_true(r.span_ns > 20 * S && r.freq_ppb < 1 && r.freq_ppb > -1);
	assert_true(r.freq_sd_ppb < 1 && r.sd_ns < 100);
	free(g.e);
}

static void test_falseticker_is_replaced(void **state)
{
	struct rig g;

	(void)state;
	setup(&g);
	g.srv[0].ahead_ns = 500 * MS;
	g.srv[1].ahead_ns = 500 * MS;
	start(&g, 5);
	run_until(&g, 100);
	assert_int_equal(source(&g, 0).state, SRC_FALSETICKER);
	assert_int_equal(g.kinds[ACT_RESOLVE], 0);
	run_until(&g, 1500);
	assert_int_equal(g.resolved[0] + g.resolved[1], 1);
	run_until(&g, 1500 + 3 * 1800);
	assert_in_range(g.resolved[0] + g.resolved[1], 3, 4);
	assert_int_equal(g.resolved[2] + g.resolved[3] + g.resolved[4], 0);
	free(g.e);
}

/* Whatever a server kisses us with, and at whatever pace: it is asked less, not more. */
static void test_kisses_for_a_day(void **state)
{
	static const struct {
		const char *code;
		uint32_t flags;
		unsigned int most;
		enum source_state state;
		const char *text;
	} t[] = {
		{ "RATE", SOURCE_F_IBURST, 86400 / 1024 + 10, SRC_NEW, "too few replies yet" },
		{ "RATE", SOURCE_F_IBURST | SOURCE_F_BURST | SOURCE_F_XLEAVE, 86400 / 1024 + 10,
		  SRC_NEW, "too few replies yet" },
		{ "DENY", SOURCE_F_IBURST, 1, SRC_OFFLINE, "told us to go away" },
		{ "RSTR", SOURCE_F_IBURST | SOURCE_F_BURST, 1, SRC_OFFLINE, "told us to go away" },
		/* no order to stay away, but no time either: as often as configured */
		{ "INIT", SOURCE_F_IBURST, 86400 / 16 + 10, SRC_UNSYNC, "not synchronised" },
		{ "XXXX", SOURCE_F_IBURST | SOURCE_F_BURST, 86400 / 16 + 10, SRC_UNSYNC,
		  "not synchronised" },
	};
	struct source_report r;
	struct rig g;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		setup(&g);
		g.srv[0].kiss = t[i].code;
		g.add[0].flags = t[i].flags;
		g.add[0].presend_log2s = 127;
		start(&g, 1);
		run_until(&g, 86400);
		assert_in_range(g.srv[0].asked, 1, t[i].most);
		assert_false(report(&g).synchronised);
		r = source(&g, 0);
		assert_int_equal(r.state, t[i].state);
		assert_non_null(strstr(source_state_text(&r), t[i].text));
		assert_int_equal(!source_kod_text(r.kod), !strcmp(r.kod, "XXXX"));
		/* and no storm of look-ups */
		assert_true(g.kinds[ACT_RESOLVE] <= 7);
		free(g.e);
	}
}

/* A kiss without the key is no kiss. */
static void test_unauthentic_kiss(void **state)
{
	struct rig g;

	(void)state;
	setup(&g);
	g.add[0].keyed = true;
	g.srv[0].kiss = "DENY";
	start(&g, 1);
	run_until(&g, 100);
	assert_true(g.srv[0].asked > 5);
	assert_string_equal(source(&g, 0).kod, "");
	g.srv[0].kiss = NULL;
	g.srv[0].signs = true;
	run_until(&g, 300);
	assert_int_equal(source(&g, 0).state, SRC_SYSPEER);
	free(g.e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_starts_offline),
		cmocka_unit_test(test_offset_is_corrected),
		cmocka_unit_test(test_min_sources),
		cmocka_unit_test(test_max_delay),
		cmocka_unit_test(test_keyed),
		cmocka_unit_test(test_presend),
		cmocka_unit_test(test_max_jitter),
		cmocka_unit_test(test_max_change),
		cmocka_unit_test(test_refused_change_is_claimed),
		cmocka_unit_test(test_max_change_later),
		cmocka_unit_test(test_max_change_after_a_sleep),
		cmocka_unit_test(test_wide_source_moves_nothing),
		cmocka_unit_test(test_best_goes),
		cmocka_unit_test(test_narrow_liar),
		cmocka_unit_test(test_makestep_settles_it),
		cmocka_unit_test(test_local_distance),
		cmocka_unit_test(test_orphan),
		cmocka_unit_test(test_reselect),
		cmocka_unit_test(test_leap_list),
		cmocka_unit_test(test_samples_and_updates_are_told),
		cmocka_unit_test(test_falseticker_is_replaced),
		cmocka_unit_test(test_kisses_for_a_day),
		cmocka_unit_test(test_unauthentic_kiss),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
