// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is made of clients' requests, against fifty cameras whose clocks are known: all
 * kinds of T1, half of the clocks set by each answer, an hour of true time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "client_world.h"

#define HOUR		3600.0
#define ERA1_UNIX_S	2085978496LL	/* 2036-02-07 06:28:16 */

static const double polls[] = { 16, 64, 256, 1024 };

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
	assert_true(v->error_unc_ns <= v->quantum_ns + CLIENT_VIEW_DELAY_MAX_NS);
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
	struct client_view v = view_at(&k->r, s, NULL);

	assert_int_equal(k->r.client.t1_class, camera_class(k));
	if (k->kind == CAMERA_CONSTANT || k->kind == CAMERA_ZERO || k->kind == CAMERA_RANDOM) {
		assert_string_equal(v.clock, "opaque");
		assert_false(v.has_error);
		assert_false(v.has_drift);
		assert_true(v.quantum_ns < 0);
		return;
	}
	if (k->zone_s != 0)
		assert_true(k->r.client.shift * 1800.0 == k->zone_s);
	assert_int_equal(ntp_client_follows(&k->r.client),
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
	print_message("%s: error at most %.3f ms beyond half the quantum, uncertainty %.3f ms\n"
		      "  drift %.3f ppm off where nobody sets the clock; %u others, %.1f ppm\n",
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
		struct client_view v = view_at(&k->r, 4 * HOUR, &path);

		if (!v.has_error)
			continue;
		check_error(k, &v, &w);
		narrower += v.error_unc_ns < view_at(&k->r, 4 * HOUR, NULL).error_unc_ns;
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cameras),
		cmocka_unit_test(test_eras),
		cmocka_unit_test(test_known_rtt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
