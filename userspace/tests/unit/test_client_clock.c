// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is made of one client's clock: what it does, and what others do to it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "client_world.h"

#define HOUR		3600.0

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
	ntp_client_init(&k.r.client, &k.r.rest);
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
	assert_false(view_at(&k.r, HOUR, NULL).has_drift);
	while (k.asks_s < 2 * HOUR) {
		camera_asks(&w, &k);
		if (k.r.client.requests % 4)
			continue;
		k.asks_s -= 56;
		camera_asks(&w, &k);
	}
	v = view_at(&k.r, 2 * HOUR, NULL);
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
		assert_int_equal(k.r.client.t1_class, NTP_CLIENT_T1_NTP);
		assert_false(k.r.client.flags & NTP_CLIENT_F_WAS_1970);
		k.error_s = -(double)(UTC0_S + HOUR) + 30;
		k.set_s = HOUR;
		ask_until(&w, &k, 2 * HOUR);
		v = view_at(&k.r, 2 * HOUR, NULL);
		assert_true(k.r.client.flags & NTP_CLIENT_F_WAS_1970);
		assert_false(k.r.client.flags & NTP_CLIENT_F_SEVERAL);
		assert_int_equal(k.r.client.t1_class, steps ? NTP_CLIENT_T1_NTP :
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
		v = view_at(&k.r, k.asks_s, NULL);
		assert_true(fabs(v.error_ns - k.true_s * 1e9) <= v.error_unc_ns);
		ask_until(&w, &k, 2 * HOUR);
		assert_false(k.r.client.flags & NTP_CLIENT_F_JUMPED);
		v = view_at(&k.r, 2 * HOUR, NULL);
		assert_true(fabs(v.error_ns - k.true_s * 1e9) <= v.error_unc_ns);
		assert_int_equal(ntp_client_follows(&k.r.client),
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
	assert_false(k.r.client.flags & NTP_CLIENT_F_JUMPED);
	k.error_s -= 700;
	ask_until(&w, &k, 2 * HOUR);
	assert_true(k.r.client.flags & NTP_CLIENT_F_JUMPED);
	v = view_at(&k.r, 2 * HOUR, NULL);
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
	assert_int_equal(k.r.client.t1_class, NTP_CLIENT_T1_UNKNOWN);
	ask_until(&w, &k, HOUR);
	v = view_at(&k.r, HOUR, NULL);
	assert_int_equal(k.r.client.t1_class, NTP_CLIENT_T1_FAR);
	assert_true(fabs(v.error_ns - k.true_s * 1e9) <= v.error_unc_ns);
	assert_true(v.has_drift && fabs(v.drift_ppb - 10e3) < 1000);
}

/* Months of one clock: nothing overflows, and the slope is that of the last day. */
static void long_run(double drift, double then)
{
	double s = 90 * 86400.0;
	struct world w;
	struct camera k = lan_camera(&w, false, drift, 1000);
	struct client_view v;

	ask_until(&w, &k, s);
	k.error_s = camera_error_s(&k, s);
	k.set_s = s;
	k.drift = then;
	ask_until(&w, &k, s + 24 * HOUR);
	v = view_at(&k.r, s + 24 * HOUR, NULL);
	assert_true(fabs(v.error_ns - k.true_s * 1e9) <= v.error_unc_ns);
	assert_true(v.has_drift && fabs(v.drift_ppb - then * 1e9) < 1000);
	assert_true(fabs((double)v.first_ago_ns - (s + 24 * HOUR) * 1e9) < 1e9);
	/* two hours and a half are enough */
	assert_true(k.r.client.points < 3 || k.r.client.last - k.r.rest.point[1].x <= 1 << 17);
}

static void test_long(void **state)
{
	(void)state;
	long_run(80e-6, -40e-6);
	long_run(-40e-6, 80e-6);
}

/* Once a day: what a crystal does until then is no jump. */
static void test_daily(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		double drift = i < 2 ? 90e-6 : 850e-6, s = 60 * 86400.0;
		struct world w;
		struct camera k = lan_camera(&w, i % 2, drift, 86400);
		struct client_view v;

		k.error_s = i % 2 ? 1234.5 : 20000;
		ask_until(&w, &k, s);
		v = view_at(&k.r, s, NULL);
		assert_int_equal(k.r.client.t1_class, NTP_CLIENT_T1_NTP);
		assert_int_equal(ntp_client_follows(&k.r.client),
				 k.steps ? NTP_CLIENT_FOLLOWS : NTP_CLIENT_FOLLOWS_NOT);
		assert_false(k.r.client.flags & NTP_CLIENT_F_JUMPED);
		assert_true(fabs(v.error_ns - k.true_s * 1e9) <= v.error_unc_ns);
		assert_true(v.has_drift && fabs(v.drift_ppb - drift * 1e9) < 1000);
		assert_true(fabs(v.interval_ns - 86400e9) < 100e9);
	}
}

/* The best of an hour tells a clock much better than the last one. */
static void test_best_of_many(void **state)
{
	double sum_ns = 0;
	struct world w;

	(void)state;
	for (uint64_t i = 1; i <= 50; i++) {
		struct camera k = lan_camera(&w, false, 60e-6, 64);

		w.rng = i;
		k.jitter_s = 4e-3;
		k.most_s = 20e-3;
		ask_until(&w, &k, HOUR);
		sum_ns += fabs(view_at(&k.r, HOUR, NULL).error_ns - k.true_s * 1e9);
	}
	assert_true(sum_ns / 50 < 1e6);
}

/* It counts from 1970 as if that were 1900, and began there as well. */
static void test_both_mistakes(void **state)
{
	struct world w;
	struct camera k = lan_camera(&w, false, 10e-6, 64);
	struct client_view v;

	(void)state;
	k.kind = CAMERA_UNIX;
	k.error_s = 5000 - (double)UTC0_S;
	ask_until(&w, &k, HOUR);
	v = view_at(&k.r, HOUR, NULL);
	assert_int_equal(k.r.client.t1_class, NTP_CLIENT_T1_REBOOTED);
	assert_true(fabs(v.error_ns - k.true_s * 1e9) <= v.error_unc_ns);
}

/* Two lengths that differ little tell less than one whose delay is known. */
static void test_better_of_two(void **state)
{
	struct client_path path = { .rtt_ns = 400e3 };
	struct world w;
	struct camera k = lan_camera(&w, true, 25e-6, 1024);
	struct client_view v;

	(void)state;
	k.slack_s = 150;
	k.jitter_s = 1e-3;
	ask_until(&w, &k, 12 * HOUR);
	v = view_at(&k.r, 12 * HOUR, &path);
	assert_true(k.r.client.points > 1);
	assert_true(v.has_drift && fabs(v.drift_ppb - 25e3) < 3000);
	assert_true(v.drift_unc_ppb < 15e3);
}

/* An answer that does not arrive makes the clock's error twice as large, and no drift. */
static void test_lost_answers(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 40; seed++) {
		static const double drifts[] = { 60e-6, -60e-6, 8e-6, 100e-6 };
		struct world w;
		struct camera k = lan_camera(&w, true, drifts[seed % 4], 1800);
		unsigned int stated = 0;

		w.rng = seed;
		k.loss = 0.05;
		for (int i = 1; i < 96; i++) {
			struct client_view v;

			ask_until(&w, &k, i * 1800);
			v = view_at(&k.r, i * 1800, NULL);
			assert_true(!v.has_error ||
				    fabs(v.error_ns - k.true_s * 1e9) <= v.error_unc_ns);
			if (!v.has_drift)
				continue;
			stated++;
			assert_true(fabs(v.drift_ppb - k.drift * 1e9) <= v.drift_unc_ppb);
		}
		assert_true(stated > 40);
	}
}

/* Somebody sets the clock once and it runs on: that it followed for once is no habit. */
static void test_set_once(void **state)
{
	static const double every_s[] = { 64, 1024, 3600, 86400 };

	(void)state;
	for (int i = 0; i < 32; i++) {
		struct world w;
		struct camera k = lan_camera(&w, false, (i / 4 - 3.5) * 20e-6, every_s[i % 4]);
		double set_s = 20.5 * k.poll_s;

		ask_until(&w, &k, set_s);
		k.error_s = 0.01;
		k.set_s = set_s;
		for (int j = 0; j < 400; j++) {
			struct client_view v;

			ask_until(&w, &k, k.asks_s + 1);
			v = view_at(&k.r, k.asks_s, NULL);
			assert_true(fabs(v.error_ns - k.true_s * 1e9) <= v.error_unc_ns);
			if (v.has_drift)
				assert_true(fabs(v.drift_ppb - k.drift * 1e9) <=
					    v.drift_unc_ppb);
		}
		if (i % 4)
			assert_int_equal(ntp_client_follows(&k.r.client), NTP_CLIENT_FOLLOWS_NOT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two_lengths),
		cmocka_unit_test(test_reboot),
		cmocka_unit_test(test_server_steps),
		cmocka_unit_test(test_client_jumps),
		cmocka_unit_test(test_far_ahead),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_daily),
		cmocka_unit_test(test_best_of_many),
		cmocka_unit_test(test_both_mistakes),
		cmocka_unit_test(test_better_of_two),
		cmocka_unit_test(test_lost_answers),
		cmocka_unit_test(test_set_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
