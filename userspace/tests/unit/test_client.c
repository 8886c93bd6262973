// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is made of clients' requests, against cameras whose clocks are known
 * (client_world.h), and by hand where a rule is to be seen alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "client_world.h"
#include "ctl/client_view.h"

#define HOUR		3600.0
#define DELAY_NS	20e6
#define MONO0_S		1000
#define ERA1_UNIX_S	2085978496LL	/* 2036-02-07 06:28:16 */

static const double polls[] = { 16, 64, 256, 1024 };

static struct client_view view_at(const struct ntp_client *c, double s,
				  const struct client_path *path)
{
	struct client_view v;

	client_view(&v, c, (int64_t)((MONO0_S + s) * 1e9), path);
	return v;
}

/* struct worst - of all cameras, for people */
struct worst {
	double	error_ns;	/* beyond half the quantum */
	double	unc_ns;		/* beyond the quantum */
	double	slope_ppb;	/* of clocks that nobody sets */
	double	gain_ppb;	/* of those that are set, where it is stated */
	unsigned int gains;
};

static void worse(double *w, double x)
{
	*w = fmax(*w, fabs(x));
}

static void check_error(const struct camera *k, const struct client_view *v, struct worst *w)
{
	double off_ns = v->error_ns - k->true_s * 1e9;

	assert_true(v->has_error);
	assert_true(fabs(off_ns) <= v->error_unc_ns);
	assert_true(v->error_unc_ns <= v->quantum_ns + DELAY_NS);
	worse(&w->error_ns, fmax(0, fabs(off_ns) - v->quantum_ns / 2));
	worse(&w->unc_ns, fmax(0, v->error_unc_ns - v->quantum_ns));
}

/* What cannot be known is not stated: a second's quantum, and a delay in a short interval. */
static void check_drift(const struct camera *k, const struct client_view *v, struct worst *w)
{
	double off_ppb = v->drift_ppb - k->drift * 1e9;

	if (v->has_drift) {
		assert_true(fabs(off_ppb) <= v->drift_unc_ppb);
		assert_true(v->drift_unc_ppb <= CLIENT_VIEW_DRIFT_UNC_MAX_PPB);
	}
	if (k->kind == CAMERA_S) {
		assert_false(v->has_drift);
	} else if (!k->steps) {
		/* with three samples, what is stated is all there is */
		assert_true(v->has_drift || v->quantum_ns > 1e6);
		assert_true(fabs(off_ppb) <= 5000 || k->poll_s > 600 || !v->has_drift);
		if (v->has_drift && k->poll_s < 600)
			worse(&w->slope_ppb, off_ppb);
	} else if (v->has_drift) {
		worse(&w->gain_ppb, off_ppb);
		w->gains++;
	}
}

static void check_camera(const struct camera *k, double s, struct worst *w)
{
	struct client_view v = view_at(&k->c, s, NULL);

	assert_int_equal(k->c.t1_class, camera_class(k));
	if (k->kind == CAMERA_CONSTANT || k->kind == CAMERA_ZERO || k->kind == CAMERA_RANDOM) {
		assert_string_equal(v.clock, "opaque");
		assert_false(v.has_error);
		assert_false(v.has_drift);
		assert_true(v.quantum_ns < 0);
		return;
	}
	if (k->zone_s != 0)
		assert_true(k->c.shift * 1800.0 == k->zone_s);
	assert_int_equal(ntp_client_follows(&k->c),
			 k->steps ? NTP_CLIENT_FOLLOWS : NTP_CLIENT_FOLLOWS_NOT);
	/* it may always ask at the same part of a second: then that cannot be told */
	assert_true(v.quantum_ns >= camera_quantum_s(k) * 1e9);
	check_error(k, &v, w);
	check_drift(k, &v, w);
}

static void run_cameras(uint64_t seed, double poll_s, int64_t utc0_s, struct worst *w)
{
	struct world world;

	world_init(&world, seed, poll_s, utc0_s);
	world_run(&world, HOUR);
	for (unsigned int i = 0; i < CAMERAS; i++)
		check_camera(&world.cam[i], HOUR, w);
}

static void say(const char *what, const struct worst *w)
{
	print_message("%s: error at most %.3f ms beyond half the quantum, uncertainty at most %.3f ms beyond it; drift %.3f ppm off where nobody sets the clock; %u of others stated, %.1f ppm off\n",
		      what, w->error_ns / 1e6, w->unc_ns / 1e6, w->slope_ppb / 1e3, w->gains,
		      w->gain_ppb / 1e3);
}

static void test_cameras(void **state)
{
	(void)state;
	for (size_t p = 0; p < sizeof(polls) / sizeof(polls[0]); p++) {
		struct worst w = { 0 };
		char what[32];

		for (uint64_t seed = 5000; seed < 5020; seed++)
			run_cameras(seed, polls[p], UTC0_S, &w);
		snprintf(what, sizeof(what), "every %.0f s", polls[p]);
		say(what, &w);
		/* that long, the delays weigh little enough to state anything */
		assert_true(polls[p] < 400 ? !w.gains : w.gains > 100);
	}
}

static void test_eras(void **state)
{
	struct worst w = { 0 };

	(void)state;
	for (uint64_t seed = 6000; seed < 6005; seed++) {
		run_cameras(seed, 64, ERA1_UNIX_S - 1800, &w);
		run_cameras(seed, 64, ERA1_UNIX_S + 86400, &w);
	}
	say("across 2036", &w);
}

/* Less is unknown where somebody has measured the round trip. */
static void test_known_rtt(void **state)
{
	unsigned int narrower = 0, near = 0, stated = 0;
	struct worst w = { 0 };
	struct world world;

	(void)state;
	world_init(&world, 7000, 512, UTC0_S);
	world_run(&world, 4 * HOUR);
	for (struct camera *k = world.cam; k < world.cam + CAMERAS; k++) {
		struct client_path path = { .rtt_ns = (k->up_s + k->down_s) * 1e9 };
		struct client_view v = view_at(&k->c, 4 * HOUR, &path);

		if (!v.has_error)
			continue;
		check_error(k, &v, &w);
		narrower += v.error_unc_ns < view_at(&k->c, 4 * HOUR, NULL).error_unc_ns;
		if (!v.has_drift)
			continue;
		assert_true(fabs(v.drift_ppb - k->drift * 1e9) <= v.drift_unc_ppb);
		stated++;
		near += fabs(v.drift_ppb - k->drift * 1e9) <= 5000;
	}
	assert_true(narrower > 25);
	assert_true(stated >= 30);
	assert_true(near >= stated - 1);
}

/* A camera by itself, near to the server; all else is the test's. */
static struct camera lan_camera(struct world *w, bool steps, double drift, double poll_s)
{
	struct camera k = {
		.kind = CAMERA_FINE, .steps = steps, .drift = drift, .poll_s = poll_s,
		.up_s = 150e-6, .down_s = 250e-6, .jitter_s = 30e-6, .most_s = 5e-3,
		.error_s = 1234.5,
	};

	memset(w, 0, sizeof(*w));
	w->rng = 42;
	w->utc0_s = UTC0_S;
	ntp_client_init(&k.c);
	return k;
}

static void ask_until(struct world *w, struct camera *k, double until_s)
{
	while (k->asks_s < until_s)
		camera_asks(w, k);
}

/*
 * By the same interval again and again drift and delay cannot be told apart; a second
 * request eight seconds after some of them tells.
 */
static void test_two_lengths(void **state)
{
	struct world w;
	struct camera k = lan_camera(&w, true, 37e-6, 64);
	struct client_view v;

	(void)state;
	ask_until(&w, &k, HOUR);
	assert_false(view_at(&k.c, HOUR, NULL).has_drift);
	while (k.asks_s < 2 * HOUR) {
		camera_asks(&w, &k);
		if (k.c.requests % 4)
			continue;
		k.asks_s -= 56;
		camera_asks(&w, &k);
	}
	v = view_at(&k.c, 2 * HOUR, NULL);
	assert_true(v.has_drift);
	assert_true(fabs(v.drift_ppb - 37e3) < 5000);
	assert_true(v.drift_unc_ppb < 20e3);
}

static void test_reboot(void **state)
{
	for (int steps = 0; steps < 2; steps++) {
		struct world w;
		struct camera k = lan_camera(&w, steps, 20e-6, 64);
		struct client_view v;

		(void)state;
		ask_until(&w, &k, HOUR);
		assert_int_equal(k.c.t1_class, NTP_CLIENT_T1_NTP);
		assert_false(k.c.flags & NTP_CLIENT_F_WAS_1970);
		k.error_s = -(double)(UTC0_S + HOUR) + 30;
		k.set_s = HOUR;
		ask_until(&w, &k, 2 * HOUR);
		v = view_at(&k.c, 2 * HOUR, NULL);
		assert_true(k.c.flags & NTP_CLIENT_F_WAS_1970);
		assert_false(k.c.flags & NTP_CLIENT_F_SEVERAL);
		assert_int_equal(k.c.t1_class, steps ? NTP_CLIENT_T1_NTP :
						       NTP_CLIENT_T1_REBOOTED);
		assert_true(fabs(v.error_ns - k.true_s * 1e9) <= v.error_unc_ns);
		assert_int_equal(v.has_drift, !steps);
		if (!steps)
			assert_true(fabs(v.drift_ppb - 20e3) < 1000);
	}
}

/* Served time is stepped: that is not the clients' doing, and they are seen to follow. */
static void test_server_steps(void **state)
{
	for (int steps = 0; steps < 2; steps++) {
		struct world w;
		struct camera k = lan_camera(&w, steps, -15e-6, 16);
		struct client_view v;

		(void)state;
		ask_until(&w, &k, HOUR);
		w.step_s = -500;
		w.step_gen++;
		camera_asks(&w, &k);
		v = view_at(&k.c, k.asks_s, NULL);
		assert_true(fabs(v.error_ns - k.true_s * 1e9) <= v.error_unc_ns);
		ask_until(&w, &k, 2 * HOUR);
		assert_false(k.c.flags & NTP_CLIENT_F_JUMPED);
		v = view_at(&k.c, 2 * HOUR, NULL);
		assert_true(fabs(v.error_ns - k.true_s * 1e9) <= v.error_unc_ns);
		assert_int_equal(ntp_client_follows(&k.c),
				 steps ? NTP_CLIENT_FOLLOWS : NTP_CLIENT_FOLLOWS_NOT);
		if (!steps)
			assert_true(v.has_drift && fabs(v.drift_ppb + 15e3) < 1000);
	}
}

/* Somebody else sets a clock that ignores us: it is said, and nothing else is wrong after. */
static void test_client_jumps(void **state)
{
	struct world w;
	struct camera k = lan_camera(&w, false, 50e-6, 64);
	struct client_view v;

	(void)state;
	ask_until(&w, &k, HOUR);
	assert_false(k.c.flags & NTP_CLIENT_F_JUMPED);
	k.error_s -= 700;
	ask_until(&w, &k, 2 * HOUR);
	assert_true(k.c.flags & NTP_CLIENT_F_JUMPED);
	v = view_at(&k.c, 2 * HOUR, NULL);
	assert_true(fabs(v.error_ns - k.true_s * 1e9) <= v.error_unc_ns);
	assert_true(v.has_drift && fabs(v.drift_ppb - 50e3) < 1000);
}

/* A clock five years ahead is one, and its error is told. */
static void test_far_ahead(void **state)
{
	struct world w;
	struct camera k = lan_camera(&w, false, 10e-6, 64);
	struct client_view v;

	(void)state;
	k.error_s = 5 * 365.25 * 86400;
	camera_asks(&w, &k);
	assert_int_equal(k.c.t1_class, NTP_CLIENT_T1_UNKNOWN);
	ask_until(&w, &k, HOUR);
	v = view_at(&k.c, HOUR, NULL);
	assert_int_equal(k.c.t1_class, NTP_CLIENT_T1_FAR);
	assert_true(fabs(v.error_ns - k.true_s * 1e9) <= v.error_unc_ns);
	assert_true(v.has_drift && fabs(v.drift_ppb - 10e3) < 1000);
}

/* Weeks of one clock: nothing overflows, and the slope is that of the last hours. */
static void test_long(void **state)
{
	struct world w;
	struct camera k = lan_camera(&w, false, 80e-6, 1000);
	double s = 90 * 86400.0;
	struct client_view v;

	(void)state;
	ask_until(&w, &k, s);
	k.error_s = camera_error_s(&k, s);
	k.set_s = s;
	k.drift = -40e-6;
	ask_until(&w, &k, s + 4 * HOUR);
	v = view_at(&k.c, s + 4 * HOUR, NULL);
	assert_true(fabs(v.error_ns - k.true_s * 1e9) <= v.error_unc_ns);
	assert_true(v.has_drift && fabs(v.drift_ppb + 40e3) < 1000);
	assert_true(fabs((double)v.first_ago_ns - (s + 4 * HOUR) * 1e9) < 1e9);
}

/* By hand: a request of a client that is right, @s after the world began. */
static struct ntp_client_req request(double s)
{
	struct world w = { .utc0_s = UTC0_S };

	return (struct ntp_client_req){
		.now_ns = (int64_t)((MONO0_S + s) * 1e9),
		.t1 = world_ntp64(&w, s + 0.123456),
		.t2 = world_ntp64(&w, s),
		.head = 0x23,
	};
}

/* As the module does. */
static void feed(struct ntp_client *c, const struct ntp_client_req *q)
{
	if (!ntp_client_skim(c, q->now_ns, q->verdict))
		ntp_client_update(c, q);
}

static void test_duplicates(void **state)
{
	struct ntp_client c, before;
	struct ntp_client_req q;

	(void)state;
	ntp_client_init(&c);
	for (int i = 0; i < 20; i++) {
		q = request(i * 64);
		feed(&c, &q);
		before = c;
		q.now_ns += 30000000;
		q.t2 += 0x8000000;
		feed(&c, &q);
		assert_int_equal(c.requests, before.requests + 1);
		before.requests++;
		before.fast_run = c.fast_run;
		assert_memory_equal(&c, &before, sizeof(c));
		/* the table may have no skim */
		ntp_client_update(&c, &q);
	}
	assert_int_equal(c.t1_class, NTP_CLIENT_T1_NTP);
	assert_false(c.flags & (NTP_CLIENT_F_REPEATS | NTP_CLIENT_F_JUMPED));
}

static void test_clock_is_late(void **state)
{
	struct ntp_client c;
	struct ntp_client_req q = request(64), late = request(60);

	(void)state;
	ntp_client_init(&c);
	ntp_client_update(&c, &q);
	late.t1 = q.t1 + 1;
	late.t2 = q.t2 + 1;
	ntp_client_update(&c, &late);
	assert_int_equal(c.last, ntp_client_tick(q.now_ns));
	assert_int_equal(c.requests, 2);
	assert_true(c.interval < 2);
	late.now_ns = q.now_ns - 200000000;
	assert_true(ntp_client_skim(&c, late.now_ns, NTP_CLIENT_ANSWERED));
	assert_int_equal(c.last, ntp_client_tick(q.now_ns));
}

static void test_counters(void **state)
{
	struct ntp_client_req q = request(0);
	struct ntp_client c;

	(void)state;
	ntp_client_init(&c);
	for (unsigned int i = 0; i < 12; i++) {
		q = request(i * 64);
		q.verdict = i % 4 == 3 ? NTP_CLIENT_LIMITED : i % 4 == 2 ? NTP_CLIENT_DENIED :
			    NTP_CLIENT_ANSWERED;
		feed(&c, &q);
	}
	assert_int_equal(c.requests, 12);
	assert_int_equal(c.dropped, 6);
	assert_int_equal(view_at(&c, 11 * 64, NULL).answered, 6);
	assert_int_equal(view_at(&c, 11 * 64 + 10, NULL).last_ago_ns / 1000000000, 9);
	c.requests = UINT32_MAX - 1;
	c.dropped = UINT32_MAX - 1;
	for (unsigned int i = 20; i < 400; i++) {
		q = request(i * 2);
		q.verdict = NTP_CLIENT_ANSWERED;
		feed(&c, &q);
		q.now_ns += 100000000;
		q.verdict = NTP_CLIENT_LIMITED;
		feed(&c, &q);
	}
	assert_int_equal(c.requests, UINT32_MAX);
	assert_int_equal(c.dropped, UINT32_MAX);
	assert_int_equal(c.fast_run, 0xff);
	/* long silence */
	q = request(400 * 86400);
	feed(&c, &q);
	assert_true(c.interval < 0xffff / 4);
	q = request(800 * 86400);
	q.verdict = NTP_CLIENT_DENIED;
	feed(&c, &q);
	assert_int_equal(c.since, NTP_CLIENT_SINCE_MAX);
}

/* One of each way to make milliseconds, and what is none. */
static void test_quantum(void **state)
{
	static const struct {
		uint32_t fraction[3];
		double	 quantum_ns;
	} rows[] = {
		{ { 0, 0, 0 }, 1e9 },
		{ { 4294967, 8589934, 536870912 }, 1e6 },	/* cut down */
		{ { 4294968, 8589935, 536870913 }, 1e6 },	/* rounded up */
		{ { 4294967, 999u * 4294967, 500u * 4294967 }, 1e6 },
		{ { 0, 4294967296 / 4, 4294967296 / 8 }, 1e6 },	/* 0.125 s */
		{ { 0, 4294967296 / 64, 0 }, 0 },
		{ { 4294967, 4294967 + 43000, 0 }, 0 },		/* ten microseconds more */
		{ { 0xffffffff, 0, 0 }, 1e6 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ntp_client c;

		ntp_client_init(&c);
		for (int j = 0; j < 3; j++) {
			struct ntp_client_req q = request(j * 64);

			q.t1 = (q.t1 & ~0xffffffffULL) | rows[i].fraction[j];
			feed(&c, &q);
		}
		assert_true(view_at(&c, 200, NULL).quantum_ns == rows[i].quantum_ns);
	}
}

/* A client that is disciplined and tells when it got the answer, as ntpd does. */
static void test_told_rtt(void **state)
{
	struct world w = { .utc0_s = UTC0_S };
	const double up = 3e-3, down = 5e-3, error = 0.0412345;
	struct client_view v;
	struct ntp_client c;

	(void)state;
	ntp_client_init(&c);
	for (int i = 0; i < 20; i++) {
		double s = i * 64.0, jitter = i % 4 * 1e-3;
		struct ntp_client_req q = {
			.now_ns = (int64_t)((MONO0_S + s) * 1e9),
			.t1 = world_ntp64(&w, s - up - jitter + error),
			.t2 = world_ntp64(&w, s),
			.head = 0x23 | (uint32_t)NTP_CLIENT_HAS_ORG_TS << 24,
		};

		if (i) {
			q.org = world_ntp64(&w, s - 64 + 20e-6);
			q.rec = world_ntp64(&w, s - 64 + 20e-6 + down + error);
		}
		feed(&c, &q);
	}
	assert_in_range(c.rtt, 8 * 65536 / 1000, 8 * 65536 / 1000 + 2);
	v = view_at(&c, 20 * 64, NULL);
	assert_true(fabs(v.error_ns - error * 1e9) < 2e6);
	assert_true(v.error_unc_ns <= DELAY_NS);
	/* the answer to another request is not one to this */
	ntp_client_init(&c);
	for (int i = 0; i < 20; i++) {
		struct ntp_client_req q = request(i * 64);

		q.org = q.t2 - (128ULL << 32);
		q.rec = q.org + (1 << 20);
		feed(&c, &q);
	}
	assert_int_equal(c.rtt, 0);
}

/* Sixteen soon after valid answers are too many; a burst is not. */
static void test_fast(void **state)
{
	struct ntp_client_req q;
	struct ntp_client c;

	(void)state;
	ntp_client_init(&c);
	for (int i = 0; i < 200; i++) {
		q = request(i / 8 * 64 + i % 8 * 2);
		feed(&c, &q);
		assert_false(ntp_client_is_fast(&c));
	}
	for (int i = 0; i < 40; i++) {
		q = request(2000 + i * 2);
		feed(&c, &q);
	}
	assert_true(ntp_client_is_fast(&c));
	for (int i = 0; i < 40; i++) {
		q = request(3000 + i * 64);
		feed(&c, &q);
	}
	assert_false(ntp_client_is_fast(&c));
	/* who is not answered has reason to ask again */
	ntp_client_init(&c);
	for (int i = 0; i < 400; i++) {
		q = request(i * 0.5);
		q.verdict = i % 2 ? NTP_CLIENT_LIMITED : NTP_CLIENT_DENIED;
		feed(&c, &q);
	}
	assert_false(ntp_client_is_fast(&c));
}

static const char *reason_of(void (*change)(struct ntp_client_req *q, int i))
{
	static struct ntp_client c;

	ntp_client_init(&c);
	for (int i = 0; i < 60; i++) {
		struct ntp_client_req q = request(i * 2);

		change(&q, i);
		feed(&c, &q);
	}
	return view_at(&c, 120, NULL).reason;
}

static void is_right(struct ntp_client_req *q, int i)
{
	(void)q;
	(void)i;
}

static void was_far(struct ntp_client_req *q, int i)
{
	q->t1 += i ? 0 : 500ULL << 32;
}

static void stays_far(struct ntp_client_req *q, int i)
{
	(void)i;
	q->t1 += 500ULL << 32;
}

static void repeats(struct ntp_client_req *q, int i)
{
	q->t1 -= (uint64_t)(i % 8 * 2) << 32;
}

static void is_zero(struct ntp_client_req *q, int i)
{
	(void)i;
	q->t1 = 0;
}

static void are_two(struct ntp_client_req *q, int i)
{
	q->head = i % 2 ? 0x1b : 0x23;
}

static void are_two_clocks(struct ntp_client_req *q, int i)
{
	if (i % 2)
		q->t1 -= NTP_UNIX_EPOCH_S << 32;
}

static void some_hide(struct ntp_client_req *q, int i)
{
	__u64 noise = (uint64_t)i;

	if (i % 3)
		q->t1 = ntp_noise(&noise);
}

static void is_unsync(struct ntp_client_req *q, int i)
{
	(void)i;
	q->verdict = NTP_CLIENT_UNSYNC;
}

static void is_told(struct ntp_client_req *q, int i)
{
	q->verdict = i < 59 ? NTP_CLIENT_ANSWERED : NTP_CLIENT_TOLD;
}

static void is_slow(struct ntp_client_req *q, int i)
{
	*q = request(i * 64);
}

static void test_reasons(void **state)
{
	static const struct {
		void	   (*change)(struct ntp_client_req *q, int i);
		const char *says;
	} rows[] = {
		{ is_right, "its interval" },
		{ was_far, "takes the answers" },
		{ stays_far, "ignores the answers" },
		{ repeats, "one request again" },
		{ is_zero, "T1 is zero" },
		{ are_two, "several hosts" },
		{ are_two_clocks, "several hosts" },
		{ some_hide, "several hosts" },
		{ is_unsync, "unsynchronised" },
		{ is_told, "told to ask less" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *reason = reason_of(rows[i].change);

		assert_non_null(reason);
		if (!strstr(reason, rows[i].says))
			print_message("row %zu says: %s\n", i, reason);
		assert_non_null(strstr(reason, rows[i].says));
	}
	assert_null(reason_of(is_slow));
}

/* What is on the wire: first byte, poll, precision, and four bytes of root and reference. */
static void test_quirks(void **state)
{
	static const struct {
		uint8_t	lvm;
		int8_t	poll, precision;
		uint8_t	stratum, delay, disp, refid, len;
		enum ntp_client_t1 t1;
		const char *name;
	} rows[] = {
		{ 0x08, 0, 0, 0, 0, 0, 0, 48, NTP_CLIENT_T1_NTP, "v1_mode0" },
		{ 0xdb, 17, -23, 0, 0, 1, 0, 48, NTP_CLIENT_T1_NTP, "windows" },
		{ 0xd9, 10, -23, 0, 0, 1, 0, 68, NTP_CLIENT_T1_NTP, "windows" },
		{ 0xe3, 6, -20, 0, 0, 0, 1, 48, NTP_CLIENT_T1_ZERO, "arduino" },
		{ 0xe3, 4, -6, 0, 1, 1, 0, 48, NTP_CLIENT_T1_NTP, "ntpdate" },
		{ 0x23, 6, 32, 0, 0, 0, 0, 48, NTP_CLIENT_T1_RANDOM, "minimal" },
		{ 0x23, 6, 32, 0, 0, 0, 0, 68, NTP_CLIENT_T1_RANDOM, "keyed" },
		{ 0x23, 6, 32, 0, 0, 0, 0, 228, NTP_CLIENT_T1_RANDOM, "extended" },
		{ 0x23, 6, -24, 2, 1, 1, 1, 48, NTP_CLIENT_T1_NTP, "server" },
		{ 0x21, 6, -24, 2, 1, 1, 1, 48, NTP_CLIENT_T1_NTP, "symmetric" },
		{ 0x1b, 0, 0, 0, 0, 0, 0, 48, NTP_CLIENT_T1_UNIX, "unix_epoch" },
		{ 0x1b, 0, 0, 0, 0, 0, 0, 48, NTP_CLIENT_T1_ZERO, "bare_zero" },
		{ 0x1b, 0, 0, 0, 0, 0, 0, 48, NTP_CLIENT_T1_CONSTANT, "bare_constant" },
		{ 0x23, 0, 0, 0, 0, 0, 0, 48, NTP_CLIENT_T1_RANDOM, "bare_random" },
		{ 0x1b, 0, 0, 0, 0, 0, 0, 48, NTP_CLIENT_T1_SHIFT, "bare_clock" },
		{ 0x1b, 0, 0, 0, 0, 0, 0, 48, NTP_CLIENT_T1_UNKNOWN, "none" },
		{ 0x1b, 3, 0, 0, 1, 0, 0, 48, NTP_CLIENT_T1_NTP, "none" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ntp_header h = {
			.lvm = rows[i].lvm, .stratum = rows[i].stratum,
			.poll_log2s = rows[i].poll, .precision_log2s = rows[i].precision,
			.root_delay = ntp_htobe32(rows[i].delay),
			.root_disp = ntp_htobe32(rows[i].disp),
			.refid = ntp_htobe32(rows[i].refid),
			.xmt_ts = ntp_htobe64(77),
		};
		struct ntp_client_req q;

		ntp_client_req_header(&q, &h, rows[i].len);
		assert_int_equal(q.t1, 77);
		assert_string_equal(ntp_client_quirk_name(ntp_client_quirk_of(q.head, rows[i].t1)),
				    rows[i].name);
	}
}

/* Each class has a row of its own, with a name for statistics and a text. */
static void test_quirk_names(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < __NTP_CLIENT_QUIRK_MAX; i++) {
		const char *name = ntp_client_quirk_name(i);

		assert_true(name[0] && ntp_client_quirk_text(i)[0]);
		assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_"),
				 strlen(name));
		for (unsigned int j = 0; j < i; j++)
			assert_string_not_equal(name, ntp_client_quirk_name(j));
	}
	assert_string_equal(ntp_client_quirk_name(__NTP_CLIENT_QUIRK_MAX), "unknown");
	for (unsigned int i = 0; i < __NTP_CLIENT_T1_MAX; i++)
		assert_true(ntp_client_t1_name(i)[0]);
	assert_string_equal(ntp_client_t1_name(__NTP_CLIENT_T1_MAX), "unknown");
}

/* A fingerprint counts from the second request on, and changes with what it is made of. */
static void test_quirk_follows(void **state)
{
	struct ntp_client_req q = request(0);
	struct ntp_client c;

	(void)state;
	ntp_client_init(&c);
	q.head = 0x1b;
	feed(&c, &q);
	assert_int_equal(c.quirk, NTP_CLIENT_QUIRK_NONE);
	q = request(64);
	q.head = 0x1b;
	feed(&c, &q);
	assert_int_equal(c.quirk, NTP_CLIENT_QUIRK_BARE_CLOCK);
	for (int i = 2; i < 4; i++) {
		q = request(i * 64);
		q.head = 0x1b;
		q.t1 -= NTP_UNIX_EPOCH_S << 32;
		feed(&c, &q);
	}
	assert_int_equal(c.quirk, NTP_CLIENT_QUIRK_UNIX_EPOCH);
	assert_int_equal(ntp_client_version(&c), 3);
	assert_int_equal(ntp_client_mode(&c), 3);
}

/* One T1 that does not fit makes no other class, and two of one kind do. */
static void test_stray(void **state)
{
	struct ntp_client_req q;
	struct ntp_client c;

	(void)state;
	ntp_client_init(&c);
	for (int i = 0; i < 60; i++) {
		q = request(i * 64);
		q.t1 += 100ULL << 32;
		if (i % 10 == 9)
			q.t1 ^= 0x5a5a5a5a00000000ULL;
		feed(&c, &q);
		assert_int_equal(c.t1_class, NTP_CLIENT_T1_NTP);
		assert_true(view_at(&c, i * 64, NULL).error_ns < 101e9);
	}
	assert_false(c.flags & NTP_CLIENT_F_JUMPED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cameras),
		cmocka_unit_test(test_eras),
		cmocka_unit_test(test_known_rtt),
		cmocka_unit_test(test_two_lengths),
		cmocka_unit_test(test_reboot),
		cmocka_unit_test(test_server_steps),
		cmocka_unit_test(test_client_jumps),
		cmocka_unit_test(test_far_ahead),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_duplicates),
		cmocka_unit_test(test_clock_is_late),
		cmocka_unit_test(test_counters),
		cmocka_unit_test(test_quantum),
		cmocka_unit_test(test_told_rtt),
		cmocka_unit_test(test_fast),
		cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_quirks),
		cmocka_unit_test(test_quirk_names),
		cmocka_unit_test(test_quirk_follows),
		cmocka_unit_test(test_stray),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
