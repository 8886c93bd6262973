// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The anchor, see anchor.h: a clock second by second, no engine.
 */
#include "anchor.h"

#include <math.h>
#include <core/rng.h>
#include "oracle.h"

#define NS	1e9

const struct anchor anchors[] = {
	{ "a_lan", 1e-5, 0, 0, 1e-9, 63, 1, 50000, 10000, 2.78e-6 },
	{ "c_wan", 1e-3, 0, 0, 1e-8, 1024, 1, 200000, 40000, 0.563e-3 },
	{ "d6_inet", 1e-2, 0, 0, 1e-8, 64, 1, 100000, 20000, 0.606e-3 },
	{ "f1_spikes", 1e-4, 0.1, 5e-3, 1e-9, 781, 1, 100000, 20000, 57.5e-6 },
	{ "c_wan, three servers", 1e-3, 0, 0, 1e-8, 1024, 3, 200000, 40000, 0.311e-3 },
};
const size_t anchors_len = sizeof(anchors) / sizeof(anchors[0]);

static double exponential(struct rng *r)
{
	return -log(1 - rng_unit(r));
}

static double gauss(struct rng *r)
{
	return sqrt(2 * exponential(r)) * cos(2 * M_PI * rng_unit(r));
}

static double queue_ns(const struct anchor *a, struct rng *r)
{
	double s = a->jitter_s * exponential(r);

	if (a->spike_p > 0 && rng_unit(r) < a->spike_p)
		s += a->spike_s * exponential(r);
	return s * NS;
}

double anchor_rms_s(const struct anchor *a, uint64_t seed)
{
	double x_ns = 0.01 * NS, f_ppb = 10000, sum = 0, d;
	unsigned int t, every = a->poll_s / a->servers;
	struct oracle o;
	struct rng r;

	rng_init(&r, seed);
	oracle_init(&o, a->wander * NS);
	for (t = 1; t <= a->span_s; t++) {
		x_ns += f_ppb;
		f_ppb += a->wander * NS * gauss(&r);
		oracle_predict(&o, 1);
		if (t % every == 0) {
			double out_ns = queue_ns(a, &r), back_ns = queue_ns(a, &r);

			oracle_learn(&o, x_ns + (out_ns - back_ns) / 2, out_ns + back_ns, 0);
		}
		d = t > a->from_s ? o.x_ns - x_ns : 0;
		sum += d * d;
	}
	return sqrt(sum / (a->span_s - a->from_s)) / NS;
}
