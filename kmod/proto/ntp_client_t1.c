// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * What T1 is, see ntp_client.h.  Any context: pure functions of their arguments.
 */
#include "ntp_client_priv.h"

#define DAY		(86400 * S)
#define SHIFT_MAX	28		/* half hours: UTC+14 */
#define SHIFT_TOL	(8 * S)
#define YEAR_S		(366U * 86400)
#define AGAIN_TICKS	(TICKS_PER_S + 2)	/* a clock of whole seconds has gone on by then */
#define CONSTANT_TIMES	4
#define OTHER_TIMES	2
#define STRAY_TIMES	4		/* clocks among random T1s, of some hundred requests */

static void set_class(struct ntp_client *c, unsigned int class, __u32 head)
{
	c->t1_class = (__u8)class;
	c->t1_next = 0;
	c->flags &= (__u16)~(NTP_CLIENT_F_FOLLOWS | NTP_CLIENT_F_FRACTION | NTP_CLIENT_F_FINE);
	if (class == NTP_CLIENT_T1_RANDOM)
		c->flags &= (__u16)~NTP_CLIENT_F_WAS_1970;
	c->near_run = 0;
	/* of its second request it is looked up in any case */
	if (c->requests > 1)
		c->quirk = (__u8)ntp_client_quirk_of(head, class);
}

/* Half hours that a clock within a day is off, where it is off by just that. */
static int half_hours(__s64 d, __u32 ticks)
{
	__u64 off = d < 0 ? -(__u64)d : (__u64)d;
	int n = (int)(((__u32)(off >> 32) + HALF_HOUR_S / 2) / HALF_HOUR_S);

	if (!n || n > SHIFT_MAX ||
	    !within((__s64)off - n * HALF_HOUR_S * S, ((__u64)ticks << DRIFT_SHIFT) + SHIFT_TOL))
		return 0;
	return d < 0 ? -n : n;
}

/* Began at 1970, or at 1900 where it makes that mistake too. */
static bool in_first_year(ntp64_t t1)
{
	__u32 s = (__u32)(t1 >> 32);

	return s - (__u32)NTP_UNIX_EPOCH_S < YEAR_S || s < YEAR_S;
}

/* The class of a T1 that is far from all that a clock could mean. */
static unsigned int classify_far(struct ntp_client *c, const struct turn *t)
{
	bool year = in_first_year(t->q->t1);

	if (year)
		c->flags |= NTP_CLIENT_F_WAS_1970;
	if (year && (t->goes_on || ntp_client_has_clock(c)))
		return NTP_CLIENT_T1_REBOOTED;
	if (t->goes_on || (t->first && c->t1_class == NTP_CLIENT_T1_FAR))
		return NTP_CLIENT_T1_FAR;
	return t->first ? c->t1_class : NTP_CLIENT_T1_RANDOM;
}

/* The class of this T1 by itself, and by the one before. */
static unsigned int classify(struct ntp_client *c, const struct turn *t, int *shift)
{
	if (!t->q->t1)
		return NTP_CLIENT_T1_ZERO;
	if (!t->first && t->q->t1 == c->t1) {
		/* a datagram may come twice */
		if (t->dt < AGAIN_TICKS)
			return c->t1_class;
		c->flags |= NTP_CLIENT_F_REPEATS;
		return NTP_CLIENT_T1_CONSTANT;
	}
	if (within(t->d, DAY)) {
		*shift = half_hours(t->d, t->dt);
		return *shift ? NTP_CLIENT_T1_SHIFT : NTP_CLIENT_T1_NTP;
	}
	if (within((__s64)((__u64)t->d + UNIX_EPOCH), DAY))
		return NTP_CLIENT_T1_UNIX;
	return classify_far(c, t);
}

/* Those that come and go by chance say nothing of several hosts. */
static void stray(struct ntp_client *c, unsigned int class)
{
	if (c->t1_class != NTP_CLIENT_T1_RANDOM || class < NTP_CLIENT_T1_NTP ||
	    class > NTP_CLIENT_T1_SHIFT)
		return;
	if (!(c->requests & 0xff))
		c->near_run = 0;
	if (++c->near_run >= STRAY_TIMES)
		c->flags |= NTP_CLIENT_F_SEVERAL;
}

/* A clock that began anew and was set, a request that was sent again, are of one host. */
static void came_back(struct ntp_client *c)
{
	unsigned int from = c->t1_next >> 4;

	if (from != NTP_CLIENT_T1_REBOOTED && from != NTP_CLIENT_T1_CONSTANT &&
	    c->t1_class != NTP_CLIENT_T1_CONSTANT && c->t1_class != NTP_CLIENT_T1_RANDOM)
		c->flags |= NTP_CLIENT_F_SEVERAL;
	c->t1_next = 0;
}

/* One T1 that does not fit may be a stray; return: whether this one fits the class. */
static bool settle(struct ntp_client *c, unsigned int class, __u32 head)
{
	/* a request that is sent again is no constant yet, if T1s were seen to differ */
	unsigned int times = class == NTP_CLIENT_T1_CONSTANT && c->requests >= CONSTANT_TIMES ?
			     CONSTANT_TIMES : OTHER_TIMES;
	unsigned int n = 1;

	if (class == c->t1_class) {
		if (c->t1_next)
			came_back(c);
		return true;
	}
	stray(c, class);
	if (c->t1_next >> 4 == class)
		n += c->t1_next & 15;
	if (c->t1_class != NTP_CLIENT_T1_UNKNOWN && n < times) {
		c->t1_next = (__u8)(class << 4 | n);
		return false;
	}
	set_class(c, class, head);
	return true;
}

static unsigned int class_of(struct ntp_client *c, const struct turn *t, int *shift)
{
	return t->goes_on && ntp_client_has_clock(c) ? c->t1_class : classify(c, t, shift);
}

bool ntp_client_look_again(struct ntp_client *c, struct turn *t)
{
	unsigned int was = c->t1_class;
	int shift = 0;
	bool fits = settle(c, class_of(c, t, &shift), t->rest->head);

	if (!ntp_client_has_clock(c)) {
		c->d0 = t->d;
		c->points = 0;
		return false;
	}
	if (!fits)
		return false;
	if (t->first || was != c->t1_class || (shift && shift != c->shift))
		begin(c, t);
	if (shift)
		c->shift = (__s8)shift;
	return true;
}
