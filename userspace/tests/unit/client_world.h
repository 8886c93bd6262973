/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cameras and the network between them and a server, for tests of clients' records:
 * each asks, and its clock is set by the answer or it is not.  Times are in seconds of
 * true time since the world began.
 */
#ifndef NTPK_CLIENT_WORLD_H
#define NTPK_CLIENT_WORLD_H

#include <math.h>
#include <ntpk/ntp_client.h>
#include <ntpk/ntp_math.h>
#include <ntpk/ntp_reply.h>
#include <stdint.h>
#include <string.h>
#include "ctl/client_view.h"

#define MONO0_S		1000		/* the other clock, when the world begins */
#define CAMERAS		50
#define UTC0_S		1800000000LL	/* when the world begins */

enum camera_kind {
	CAMERA_FINE,
	CAMERA_MS,
	CAMERA_S,
	CAMERA_UNIX,
	CAMERA_HOURS,
	CAMERA_HALF_HOURS,
	CAMERA_CONSTANT,
	CAMERA_ZERO,
	CAMERA_RANDOM,
	CAMERA_1970,
	CAMERA_KINDS
};

/* struct camera - one client, and the truth about it */
struct camera {
	enum camera_kind kind;
	bool	steps;		/* each answer sets its clock ... */
	bool	halves;		/* ... with regard to the delay */
	double	zone_s;		/* what it adds to what it is told */
	double	drift;		/* seconds per second */
	double	error_s;	/* of its clock at @set_s */
	double	set_s;
	double	asks_s;		/* next */
	double	poll_s;		/* by its own clock ... */
	double	slack_s;	/* ... and how much later it may be */
	double	up_s, down_s;	/* floors */
	double	jitter_s;	/* mean of an exponential */
	double	most_s;		/* no delay is longer */
	double	true_s;		/* error when it asked last */
	double	loss;		/* probability, of answers */
	uint64_t constant;
	struct ntp_client_record r;
};

/* struct world - all of them */
struct world {
	uint64_t rng;
	double	step_s;		/* what served time is ahead of true time */
	uint8_t	step_gen;
	int64_t	utc0_s;
	struct camera cam[CAMERAS];
};

static inline double world_uniform(struct world *w)
{
	return (double)(ntp_noise((__u64 *)&w->rng) >> 11) / (double)(1ULL << 53);
}

static inline double world_between(struct world *w, double a, double b)
{
	return a + (b - a) * world_uniform(w);
}

/* True time as a timestamp, to the nanosecond. */
static inline uint64_t world_ntp64(const struct world *w, double s)
{
	double whole = floor(s);

	return ((uint64_t)(w->utc0_s + (int64_t)whole + (int64_t)NTP_UNIX_EPOCH_S) << 32) +
	       (uint64_t)((s - whole) * 4294967296.0);
}

static inline double camera_error_s(const struct camera *k, double s)
{
	return k->error_s + k->drift * (s - k->set_s);
}

static inline uint64_t cut(uint64_t ts, uint64_t per_s)
{
	uint64_t n = (uint64_t)(uint32_t)ts * per_s >> 32;

	return (ts & ~0xffffffffULL) | ((n << 32) + per_s - 1) / per_s;
}

static inline uint64_t camera_t1(struct world *w, struct camera *k, double s)
{
	uint64_t ts = world_ntp64(w, s + camera_error_s(k, s));

	switch (k->kind) {
	case CAMERA_MS:
		return cut(ts, 1000);
	case CAMERA_S:
		return cut(ts, 1);
	case CAMERA_UNIX:
		return ts - (NTP_UNIX_EPOCH_S << 32);
	case CAMERA_CONSTANT:
		return k->constant;
	case CAMERA_ZERO:
		return 0;
	case CAMERA_RANDOM:
		return ntp_noise((__u64 *)&w->rng);
	default:
		return ts;
	}
}

static inline double world_delay(struct world *w, const struct camera *k, double floor_s)
{
	return fmin(k->most_s, floor_s - k->jitter_s * log(1 - world_uniform(w)));
}

/* It asks, and is answered at once. */
static inline void camera_asks(struct world *w, struct camera *k)
{
	double s = k->asks_s, up = world_delay(w, k, k->up_s), down = world_delay(w, k, k->down_s);
	struct ntp_client_req q = {
		.now_ns = (int64_t)((MONO0_S + s + up) * 1e9),
		.t1 = camera_t1(w, k, s),
		.t2 = world_ntp64(w, s + up + w->step_s) | NTP_T2_BIT,
		.head = 0x1b,
		.step_gen = w->step_gen,
	};

	ntp_client_update(&k->r.client, &k->r.rest, &q);
	k->true_s = camera_error_s(k, s) - w->step_s;
	if (k->steps && world_uniform(w) >= k->loss) {
		k->error_s = w->step_s + k->zone_s - down + (k->halves ? (up + down) / 2 : 0);
		k->set_s = s + up + down;
	}
	k->asks_s = s + k->poll_s * (1 - k->drift) + world_between(w, 0, k->slack_s);
}

static inline void world_run(struct world *w, double until_s)
{
	for (struct camera *k = w->cam; k < w->cam + CAMERAS; k++)
		while (k->asks_s < until_s)
			camera_asks(w, k);
}

/* No clock that nobody sets can be told from one of another zone when it looks like it. */
static inline double offset_of(struct world *w)
{
	double s;

	do
		s = world_between(w, -7200, 7200);
	while (fabs(remainder(s, 1800)) < 20);
	return s;
}

static inline void camera_init(struct world *w, struct camera *k, unsigned int i, double poll_s)
{
	static const double halves[] = { -5400, -1800, 1800, 5400, 12600 };
	unsigned int n = i / CAMERA_KINDS;

	memset(k, 0, sizeof(*k));
	ntp_client_init(&k->r.client, &k->r.rest);
	k->kind = i % CAMERA_KINDS;
	k->steps = (n + i) % 2;
	k->halves = i % 3 == 0;
	k->drift = world_between(w, -100e-6, 100e-6);
	k->error_s = offset_of(w);
	k->poll_s = poll_s;
	k->slack_s = n % 2 ? 0.05 : 0;
	k->asks_s = world_between(w, 0, poll_s);
	k->up_s = 0.2e-3 * exp(world_between(w, 0, log(20)));
	k->down_s = 0.2e-3 * exp(world_between(w, 0, log(20)));
	k->jitter_s = 0.02e-3 * exp(world_between(w, 0, log(100)));
	k->most_s = 20e-3;
	k->constant = ntp_noise((__u64 *)&w->rng);
	if (k->kind == CAMERA_HOURS)
		k->zone_s = (n < 2 ? (double)n - 2 : (double)n - 1) * 3600;
	if (k->kind == CAMERA_HALF_HOURS)
		k->zone_s = halves[n % 5];
	/* nearer to right it may look as if it were set */
	if (k->zone_s != 0 && !k->steps)
		k->error_s = k->zone_s + (n % 2 ? 1 : -1) * world_between(w, 2, 7);
	if (k->kind == CAMERA_1970)
		k->error_s = (double)-w->utc0_s + world_between(w, 0, 86400);
}

static inline void world_init(struct world *w, uint64_t seed, double poll_s, int64_t utc0_s)
{
	memset(w, 0, sizeof(*w));
	w->rng = seed;
	w->utc0_s = utc0_s;
	for (unsigned int i = 0; i < CAMERAS; i++)
		camera_init(w, &w->cam[i], i, poll_s);
}

static inline unsigned int camera_class(const struct camera *k)
{
	static const unsigned int of[CAMERA_KINDS] = {
		[CAMERA_FINE] = NTP_CLIENT_T1_NTP,
		[CAMERA_MS] = NTP_CLIENT_T1_NTP,
		[CAMERA_S] = NTP_CLIENT_T1_NTP,
		[CAMERA_UNIX] = NTP_CLIENT_T1_UNIX,
		[CAMERA_HOURS] = NTP_CLIENT_T1_SHIFT,
		[CAMERA_HALF_HOURS] = NTP_CLIENT_T1_SHIFT,
		[CAMERA_CONSTANT] = NTP_CLIENT_T1_CONSTANT,
		[CAMERA_ZERO] = NTP_CLIENT_T1_ZERO,
		[CAMERA_RANDOM] = NTP_CLIENT_T1_RANDOM,
		[CAMERA_1970] = NTP_CLIENT_T1_REBOOTED,
	};

	/* set once, it is right */
	return k->kind == CAMERA_1970 && k->steps ? NTP_CLIENT_T1_NTP : of[k->kind];
}

static inline double camera_quantum_s(const struct camera *k)
{
	return k->kind == CAMERA_S ? 1 : k->kind == CAMERA_MS ? 1e-3 : 0;
}

static inline struct client_view view_at(const struct ntp_client_record *r, double s,
				  const struct client_path *path)
{
	struct client_view v;

	client_view(&v, r, (int64_t)((MONO0_S + s) * 1e9), path);
	return v;
}

/* By hand: a request of a client that is right, @s after the world began. */
static inline struct ntp_client_req request(double s)
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
static inline void feed(struct ntp_client_record *r, const struct ntp_client_req *q)
{
	if (!ntp_client_skim(&r->client, q->now_ns, q->verdict))
		ntp_client_update(&r->client, &r->rest, q);
}

#endif /* NTPK_CLIENT_WORLD_H */
