// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The oracle, see oracle.h: a textbook Kalman filter, apart from the core's on
 * purpose.
 */
#include "oracle.h"

#define UNKNOWN_NS2	1e20

void oracle_init(struct oracle *o, double wander_ppb)
{
	*o = (struct oracle){ .q = wander_ppb * wander_ppb, .p00 = UNKNOWN_NS2, .p11 = 1e12 };
}

void oracle_predict(struct oracle *o, double secs)
{
	double t = secs;

	o->x_ns += t * o->f_ppb;
	o->p00 += t * (2 * o->p01 + t * o->p11) + o->q * t * t * t / 3;
	o->p01 += t * o->p11 + o->q * t * t / 2;
	o->p11 += o->q * t;
}

/* Given the excess e of two equal exponential queues, the error is uniform in +-e/2. */
void oracle_learn(struct oracle *o, double offset_ns, double excess_ns, double stamp_ns)
{
	double s = o->p00 + excess_ns * excess_ns / 12 + stamp_ns * stamp_ns / 6 + 1;
	double k0 = o->p00 / s, k1 = o->p01 / s, innov = offset_ns - o->x_ns;
	double p00 = o->p00, p01 = o->p01;

	o->x_ns += k0 * innov;
	o->f_ppb += k1 * innov;
	o->p00 -= k0 * p00;
	o->p01 -= k0 * p01;
	o->p11 -= k1 * p01;
}

void oracle_lost(struct oracle *o, double ns)
{
	o->x_ns += ns;
	o->p00 = UNKNOWN_NS2;
	o->p01 = 0;
}
