// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * What a request changes in its client's record, see ntp_client.h.
 * Any context: pure functions of their arguments, no locking.
 */
#include "ntp_client_priv.h"

#define WINDOW_TICKS	(1U << 17)	/* of the hull: two hours and a half */
#define OLD_INTERVALS	8		/* or so many intervals, where that is longer */
#define SPAN_TICKS	(1U << 30)	/* products of the hull fit into 64 bits */
#define JITTER_SHIFT	(NTP_CLIENT_D_LOG2 - 16)
#define LENGTHS		(NTP_CLIENT_POINTS - 1)
#define RUN		6
#define HIGH		1024		/* a millisecond, as a d */
#define D_SHIFT		(32 - NTP_CLIENT_D_LOG2)

/* T1 - T2 of a client of this class whose clock is right. */
static inline __s64 class_offset(const struct ntp_client *c)
{
	if (likely_(c->t1_class == NTP_CLIENT_T1_NTP))
		return 0;
	if (c->t1_class == NTP_CLIENT_T1_SHIFT)
		return c->shift * HALF_HOUR_S * S;
	return c->t1_class == NTP_CLIENT_T1_UNIX ? (__s64)-UNIX_EPOCH : 0;
}

static inline __s64 last_d(const struct ntp_client *c, const struct ntp_client_rest *rest)
{
	if (follows(c) == NTP_CLIENT_FOLLOWS || !c->points)
		return c->d0;
	return diff(c->d0, -((__s64)rest->point[c->points - 1].d * (1 << D_SHIFT)));
}

static rare void set_follows(struct ntp_client *c, unsigned int how, const struct turn *t)
{
	if (follows(c) == how)
		return;
	c->flags = (__u16)((c->flags & ~NTP_CLIENT_F_FOLLOWS) | how);
	/* what the points are may change with it */
	begin(c, t);
	t->rest->point[LENGTHS].x = 0;
	c->near_run = 0;
}

/* Somebody has set its clock: we, where it is right now and we answered last. */
static rare void was_set(struct ntp_client *c, const struct turn *t, bool near)
{
	if (near && !c->since) {
		set_follows(c, NTP_CLIENT_FOLLOWS, t);
		return;
	}
	c->flags |= NTP_CLIENT_F_JUMPED;
	set_follows(c, NTP_CLIENT_FOLLOWS_UNKNOWN, t);
	begin(c, t);
}

/* Does it do as it is told?  Only what comes after an answer tells. */
static inline void judge(struct ntp_client *c, const struct turn *t)
{
	bool near = within(diff(t->d, class_offset(c)), t->tol);

	if (unlikely_(!t->goes_on)) {
		was_set(c, t, near);
		return;
	}
	if (unlikely_(c->since))
		return;
	if (!near) {
		if (unlikely_(follows(c) != NTP_CLIENT_FOLLOWS_NOT))
			set_follows(c, NTP_CLIENT_FOLLOWS_NOT, t);
		c->near_run = 0;
	} else if (c->near_run != 0xff && ++c->near_run == 0xff) {
		/* nobody's clock stays right for so long by itself */
		set_follows(c, NTP_CLIENT_FOLLOWS, t);
		c->near_run = 0xff;
	}
}

/* A whole number of milliseconds, cut down or rounded, by whatever integer arithmetic. */
static inline bool whole_ms(__u32 fraction)
{
	return fraction * 1000 + (1U << 19) < 1U << 20;
}

static inline void look_at_quantum(struct ntp_client *c, ntp64_t t1)
{
	if (likely_(c->flags & NTP_CLIENT_F_FINE) || !(__u32)t1)
		return;
	c->flags |= whole_ms((__u32)t1) ? NTP_CLIENT_F_FRACTION :
					  NTP_CLIENT_F_FRACTION | NTP_CLIENT_F_FINE;
}

/* @off: of this d from where the others are, in 2^-16 s */
static inline void take_jitter(struct ntp_client *c, __s64 off)
{
	off = off < 0 ? -off : off;
	if (off > 0xffff)
		off = 0xffff;
	/* rounded up, so that what is small is not lost */
	c->jitter = (__u16)(c->jitter ? c->jitter + (((int)off - (int)c->jitter + 7) >> 3) : off);
}

/* When did it get our answer?  Told by its clock, which must not have been set since. */
static rare void look_at_rtt(struct ntp_client *c, const struct turn *t)
{
	__s64 rtt = diff((__s64)(t->q->rec - t->q->org), t->last);
	struct ntp_client_rest *rest = t->rest;

	if (!(c->flags & NTP_CLIENT_F_FINE) || !t->q->rec ||
	    !within((__s64)(t->q->org - (c->t1 - (__u64)t->last)), S) || rtt <= 0 || rtt >= S)
		return;
	rtt = (rtt >> 16) + 1;
	if (!rest->rtt || rtt < rest->rtt)
		rest->rtt = (__u16)(rtt > 0xffff ? 0xffff : rtt);
}

/* Is @b not above the line from @a to the new point? */
static inline bool below(const struct ntp_client_point *a, const struct ntp_client_point *b,
			 __u32 x, __s32 d)
{
	return ((__s64)b->d - a->d) * (__u32)(x - a->x) <= ((__s64)d - a->d) * (__u32)(b->x - a->x);
}

/* The hull's slope now and then, for the jitter: 32-bit numbers divide everywhere. */
static rare void look_at_slope(const struct ntp_client *c, struct ntp_client_rest *rest)
{
	const struct ntp_client_point *a = rest->point;
	const struct ntp_client_point *b = &rest->point[c->points > 2 ? c->points - 2 : 1];
	__s64 d = (__s64)b->d - a->d;
	__u32 x = b->x - a->x;
	__s32 slope;

	if (c->points < 2)
		return;
	for (; x > 1U << 15; x >>= 1)
		d >>= 1;
	d = d > 1 << 21 ? 1 << 21 : d < -(1 << 21) ? -(1 << 21) : d;
	slope = (__s32)d * 512 / (__s32)x;
	rest->slope = (__s16)(slope > 0x7fff ? 0x7fff : slope < -0x7fff ? -0x7fff : slope);
}

/*
 * The first point where it is old, else that one between two others that are nearest to
 * each other in time: so the hull's ends stay, and what is between them is spread.
 */
static unsigned int make_room(struct ntp_client_point *p, unsigned int n, __u32 tick)
{
	unsigned int i, out = 0;
	__u32 least = ~0U, next, gap;

	if (tick - p[1].x <= WINDOW_TICKS) {
		for (i = 1; i < n; i++) {
			next = i + 1 < n ? p[i + 1].x : tick;
			gap = next - p[i - 1].x;
			if (gap <= least) {
				least = gap;
				out = i;
			}
		}
	}
	n--;
	for (i = out; i < n; i++)
		p[i] = p[i + 1];
	return n;
}

/*
 * Two points are left where the clock gains more and more, and the first one would stay
 * for ever: it moves on along the line, so that what was before counts half after each
 * such time.
 */
static rare void move_on(struct ntp_client_point *p, __u32 dt)
{
	if ((p[1].x - p[0].x) / (2 * OLD_INTERVALS) <= dt)
		return;
	p[0].x += (p[1].x - p[0].x) / 2;
	p[0].d += (__s32)(((__s64)p[1].d - p[0].d) / 2);
}

static inline void add_to_hull(struct ntp_client *c, const struct turn *t)
{
	__s64 d = diff(t->d, c->d0) >> D_SHIFT;
	struct ntp_client_point *p = t->rest->point;
	unsigned int n = c->points;

	if (unlikely_(d != (__s32)d || t->tick - p[0].x >= SPAN_TICKS)) {
		begin(c, t);
		return;
	}
	if (likely_(t->goes_on && n > 1))
		take_jitter(c, ((diff(t->d, t->last) >> 3) - (__s64)t->rest->slope * t->dt) >> 13);
	if (unlikely_(p[n - 1].x == t->tick))
		n--;
	while (n >= 2 && below(&p[n - 2], &p[n - 1], t->tick, (__s32)d))
		n--;
	if (n == NTP_CLIENT_POINTS || (n >= 3 && t->tick - p[1].x > WINDOW_TICKS))
		n = make_room(p, n, t->tick);
	p[n] = (struct ntp_client_point){ .x = t->tick, .d = (__s32)d };
	c->points = (__u8)(n + 1);
	if (!(c->requests & 7) || n == 1)
		look_at_slope(c, t->rest);
	if (unlikely_(n == 1 && t->tick - p[0].x > 2 * WINDOW_TICKS))
		move_on(p, t->dt);
}

/* The point of about this length of time, else a free one, else the nearest. */
static inline struct ntp_client_point *find_length(struct ntp_client *c,
						   struct ntp_client_rest *rest, __u32 x,
						   bool *found)
{
	struct ntp_client_point *p, *best = rest->point;
	__u32 off, least = ~0U;

	for (p = rest->point; p < rest->point + c->points; p++) {
		off = p->x > x ? p->x - x : x - p->x;
		if (off < least) {
			least = off;
			best = p;
		}
	}
	*found = c->points && (least <= x >> 4 || c->points == LENGTHS);
	return *found ? best : &rest->point[c->points++];
}

/*
 * A clock that was set once and not again gains as much each time: who follows has gone
 * one way so often in a row, and so far, by no chance.  The last point is not a length,
 * but how often it did, from where, and what the jitter was then.
 */
static inline bool runs_away(const struct ntp_client *c, struct ntp_client_point *run, __s32 d,
			     __s32 last)
{
	__s64 far = (__s64)d - run->d, chance;

	if (likely_(!run->x || (d > last) != (last > run->d))) {
		*run = (struct ntp_client_point){ .x = 1 | (__u32)c->jitter << 8, .d = last };
		return false;
	}
	if (likely_((++run->x & 0xff) < RUN))
		return false;
	chance = ((__s64)(run->x >> 8) << (JITTER_SHIFT + 2)) + HIGH;
	/* what is cut off T1 may go round once */
	if (!(c->flags & NTP_CLIENT_F_FINE))
		chance += c->flags & NTP_CLIENT_F_FRACTION ? HIGH : 1 << NTP_CLIENT_D_LOG2;
	run->x = 0;
	return far > chance || -far > chance;
}

/*
 * The highest d stays but for a 64th of what it is above each other, as no drift is the
 * same for ever.  One that is much higher came after an answer that was lost, if it is
 * alone, and else it is believed slowly.
 */
static inline void take_length(struct ntp_client *c, struct ntp_client_point *p, __u32 x,
			       __s64 d, __s64 last)
{
	__s64 high = p->d + ((__s64)c->jitter << (JITTER_SHIFT + 2)) + HIGH;

	if (unlikely_(d > high && last <= high && c->jitter))
		return;
	take_jitter(c, (p->d - d) >> JITTER_SHIFT);
	if (unlikely_(d > high))
		p->d += (__s32)((d - p->d) >> 3);
	else if (d >= p->d)
		*p = (struct ntp_client_point){ .x = x, .d = (__s32)d };
	else
		p->d -= (__s32)((p->d - d) >> 6);
}

static inline void add_to_lengths(struct ntp_client *c, const struct turn *t)
{
	__s64 offset = class_offset(c), d = diff(t->d, offset) >> D_SHIFT;
	__s64 last = diff(t->last, offset) >> D_SHIFT;
	__u32 x = c->since + t->dt;
	struct ntp_client_point *p;
	bool found;

	c->d0 = t->d;
	if (unlikely_(c->since == NTP_CLIENT_SINCE_MAX || d != (__s32)d))
		return;
	if (likely_(t->goes_on) && unlikely_(runs_away(c, &t->rest->point[LENGTHS], (__s32)d,
						       (__s32)last))) {
		set_follows(c, NTP_CLIENT_FOLLOWS_UNKNOWN, t);
		return;
	}
	p = find_length(c, t->rest, x, &found);
	if (likely_(found))
		take_length(c, p, x, d, last);
	else
		*p = (struct ntp_client_point){ .x = x, .d = (__s32)d };
}

static inline void look_at_t1(struct ntp_client *c, struct turn *t)
{
	const struct ntp_client_req *q = t->q;

	t->d = (__s64)(q->t1 - q->t2);
	t->last = last_d(c, t->rest);
	t->first = (!c->t1 && !c->t1_class) || q->step_gen != c->step_gen;
	t->goes_on = !t->first && within(diff(t->d, t->last), t->tol);
	c->step_gen = q->step_gen;
	if (unlikely_(!t->goes_on || c->t1_next || !ntp_client_has_clock(c)) &&
	    !ntp_client_look_again(c, t))
		goto out;
	look_at_quantum(c, q->t1);
	if (unlikely_(t->first))
		goto out;
	if (unlikely_(q->org && q->rec))
		look_at_rtt(c, t);
	judge(c, t);
	if (follows(c) == NTP_CLIENT_FOLLOWS)
		add_to_lengths(c, t);
	else
		add_to_hull(c, t);
out:
	c->t1 = q->t1;
}

static inline void look_at_pace(struct ntp_client *c, __u32 dt)
{
	int interval = (int)(dt > 0xffff ? 0xffff : dt);

	if (likely_(c->requests > 1))
		interval = c->interval + ((interval - (int)c->interval) >> 3);
	c->interval = (__u16)interval;
	if (likely_(!ntp_client_asks_fast(c, dt)))
		c->fast_run >>= 1;
	else if (c->fast_run != 0xff)
		c->fast_run++;
}

static rare void look_at_head(struct ntp_client *c, struct ntp_client_rest *rest, __u32 head)
{
	/* version and mode, more than once; the rest may change with a client's state */
	if ((head ^ rest->head) & 0x3f)
		c->flags |= c->flags & NTP_CLIENT_F_CHANGED ? NTP_CLIENT_F_SEVERAL :
							      NTP_CLIENT_F_CHANGED;
	rest->head = head;
	c->quirk = (__u8)ntp_client_quirk_of(head, c->t1_class);
}

static rare void begin_record(struct ntp_client *c, const struct turn *t)
{
	c->first = t->tick;
	c->last = t->tick;
	t->rest->head = t->q->head;
	c->step_gen = t->q->step_gen;
}

void ntp_client_update(struct ntp_client *c, struct ntp_client_rest *rest,
		       const struct ntp_client_req *q)
{
	struct turn t = { .q = q, .rest = rest, .tick = ntp_client_tick(q->now_ns) };

	if (unlikely_(!c->requests))
		begin_record(c, &t);
	t.dt = t.tick - c->last;
	/* another CPU read the clock before, and came later */
	if (unlikely_((__s32)t.dt < 0)) {
		t.tick = c->last;
		t.dt = 0;
	}
	t.tol = ((__u64)t.dt << DRIFT_SHIFT) + NEAR_TOL +
		(c->flags & NTP_CLIENT_F_FRACTION ? 0 : S);
	if (likely_(c->requests))
		look_at_pace(c, t.dt);
	/* what we do not claim to know is nothing to compare with */
	if (likely_(q->t2 && q->verdict != NTP_CLIENT_UNSYNC))
		look_at_t1(c, &t);
	if (unlikely_(q->head != rest->head || c->requests == 1))
		look_at_head(c, rest, q->head);
	ntp_client_verdict(c, q->verdict, c->since + t.dt);
	c->last = t.tick;
	c->requests += c->requests != ~0U;
}
