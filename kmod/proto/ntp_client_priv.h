/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What the two halves of ntp_client_update() share: ntp_client.c, where a clock goes on
 * as it did, and ntp_client_t1.c, where it does not, or T1 is no clock.
 */
#ifndef NTPK_NTP_CLIENT_PRIV_H
#define NTPK_NTP_CLIENT_PRIV_H

#include <ntpk/ntp_client.h>

#define likely_(x)	__builtin_expect(!!(x), 1)
#define unlikely_(x)	__builtin_expect(!!(x), 0)
#define rare		__attribute__((__noinline__, __cold__))

/* Times and distances of them: 2^-32 s. */
#define S		(1LL << 32)
#define UNIX_EPOCH	(NTP_UNIX_EPOCH_S << 32)
#define HALF_HOUR_S	1800
/* A clock is near where it should be within this, and 910 ppm of the time that passed. */
#define NEAR_TOL	(S / 4)
#define DRIFT_SHIFT	18		/* 2^18 of 2^-32 s in a tick */
#define TICKS_PER_S	(1000000000 >> NTP_CLIENT_TICK_LOG2NS)

/**
 * struct turn - one request, and what it is compared with
 * @q: the request
 * @rest: of what is known of its client
 * @tick: when
 * @dt: ticks since the last request
 * @tol: how far a clock may be from right, or from where it was, after that time
 * @d: T1 - T2
 * @last: the same of the last request
 * @first: there is no such, or served time was stepped since
 * @goes_on: @d is what it is of a clock that nobody set
 */
struct turn {
	const struct ntp_client_req *q;
	struct ntp_client_rest *rest;
	__u32	tick;
	__u32	dt;
	__u64	tol;
	__s64	d;
	__s64	last;
	bool	first;
	bool	goes_on;
};

/* Timestamps are mod 2^64, and so is all that is made of them. */
static inline __s64 diff(__s64 a, __s64 b)
{
	return (__s64)((__u64)a - (__u64)b);
}

static inline bool within(__s64 x, __u64 tol)
{
	return (__u64)x + tol <= 2 * tol;
}

static inline unsigned int follows(const struct ntp_client *c)
{
	return c->flags & NTP_CLIENT_F_FOLLOWS;
}

/* A hull begins here. */
static inline void begin(struct ntp_client *c, const struct turn *t)
{
	c->d0 = t->d;
	t->rest->point[0] = (struct ntp_client_point){ .x = t->tick };
	c->points = follows(c) == NTP_CLIENT_FOLLOWS ? 0 : 1;
	t->rest->slope = 0;
	c->jitter = 0;
}

/**
 * ntp_client_look_again() - a clock that does not go on, or none
 * @c: its client
 * @t: its request; @first is set where nothing before counts
 *
 * Return: whether it is a point of the clock.
 */
bool ntp_client_look_again(struct ntp_client *c, struct turn *t);

#endif /* NTPK_NTP_CLIENT_PRIV_H */
