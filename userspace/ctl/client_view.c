// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A client's record in numbers and words, by the model in ntpk/ntp_client.h.  Pure.
 *
 * A number comes with an uncertainty or not at all.  The delay of the way up is between
 * nothing and delay_max_ns, unless the jitter says that this network is worse.
 */
#include "ctl/client_view.h"

#include <math.h>
#include <string.h>

#define TICK_NS		((double)(1LL << NTP_CLIENT_TICK_LOG2NS))
#define D_NS		(1e9 / (1 << NTP_CLIENT_D_LOG2))
#define U16_NS		(1e9 / 65536)		/* of jitter and rtt */
#define NTP64_NS	(1e9 / 4294967296.0)
#define FEW		8	/* samples: too few for their jitter to say much */
#define JITTERS		3	/* the best of more than that is within so many of the floor */
#define HABIT		1
#define LAST_JITTERS	8	/* any one is */
#define NOISY_JITTERS	4
#define RTT_MEAN	0.75	/* set with or without regard to the delay: rtt / 2 or rtt */
#define RESOLUTION_NS	(3 * U16_NS)	/* of the jitter, and of ticks where there is a drift */
#define UNKNOWN_NS	1e18
#define PPB		1e9
#define YEAR_S		(366 * 86400)

/* struct frame - what all estimates of one client need */
struct frame {
	const struct ntp_client *c;
	const struct ntp_client_point *point;
	double	quantum_ns;
	double	delay_ns;	/* bound of the way up */
	double	rtt_ns;		/* 0 = not known */
	double	jitter_ns;
	double	samples;	/* in what is looked at */
};

static double quantum_of(const struct ntp_client *c)
{
	if (!ntp_client_has_clock(c))
		return -1;
	if (!(c->flags & NTP_CLIENT_F_FRACTION))
		return 1e9;
	return c->flags & NTP_CLIENT_F_FINE ? 0 : 1e6;
}

static double interval_of(const struct ntp_client *c)
{
	double mean_ns = c->requests > 1 ?
			 (c->last - c->first) * TICK_NS / (c->requests - 1) : 0;

	if (!c->interval || mean_ns <= 0)
		return -1;
	/* beyond what is kept: the mean of all */
	if (c->interval > NTP_CLIENT_SINCE_MAX - 0xff)
		return mean_ns;
	/* it is not looked at for each request then */
	if (c->interval <= 2 * NTP_CLIENT_LOOK_TICKS)
		return fmin(mean_ns, c->interval * TICK_NS);
	return c->interval * TICK_NS;
}

static void count_samples(struct frame *f)
{
	const struct ntp_client *c = f->c;

	if (ntp_client_follows(c) == NTP_CLIENT_FOLLOWS)
		f->samples = c->near_run;
	else if (c->points > 1 && interval_of(c) > 0)
		f->samples = (f->point[c->points - 1].x - f->point[0].x) * TICK_NS / interval_of(c);
}

static struct frame frame_of(const struct ntp_client_record *r, const struct client_path *path)
{
	const struct ntp_client *c = &r->client;
	struct frame f = { .c = c, .point = r->rest.point, .quantum_ns = quantum_of(c),
			   .delay_ns = CLIENT_VIEW_DELAY_MAX_NS, .rtt_ns = r->rest.rtt * U16_NS,
			   .jitter_ns = c->jitter * U16_NS };
	/* who follows shows that of both ways */
	double noise_ns = f.jitter_ns / (ntp_client_follows(c) == NTP_CLIENT_FOLLOWS ? 2 : 1) -
			  f.quantum_ns;

	if (path && path->delay_max_ns > 0)
		f.delay_ns = path->delay_max_ns;
	if (path && path->rtt_ns > 0)
		f.rtt_ns = path->rtt_ns;
	count_samples(&f);
	/* that of a hull's first points is no measure yet */
	if (noise_ns > f.delay_ns &&
	    (f.samples >= FEW || ntp_client_follows(c) == NTP_CLIENT_FOLLOWS))
		f.delay_ns = NOISY_JITTERS * noise_ns;
	return f;
}

/* Does it count from 1970 as if that were 1900? */
static bool mistakes_epoch(const struct ntp_client *c)
{
	return c->t1_class == NTP_CLIENT_T1_UNIX ||
	       (c->t1_class == NTP_CLIENT_T1_REBOOTED && c->t1 >> 32 <= YEAR_S);
}

/* The record's d0 as an error. */
static double d0_ns(const struct ntp_client *c)
{
	uint64_t d = (uint64_t)c->d0;

	if (mistakes_epoch(c))
		d += NTP_UNIX_EPOCH_S << 32;
	return (double)(int64_t)d * NTP64_NS;
}

/* The edge of the hull above the middle of its time. */
static const struct ntp_client_point *middle_edge(const struct frame *f)
{
	const struct ntp_client_point *p = f->point;
	unsigned int n = f->c->points, i = 0;
	uint32_t half = (p[n - 1].x - p[0].x) / 2;

	while (i + 2 < n && p[i + 1].x - p[0].x <= half)
		i++;
	return &p[i];
}

static double edge_slope(const struct ntp_client_point *a, const struct ntp_client_point *b)
{
	return ((double)b->d - a->d) * D_NS / ((b->x - a->x) * TICK_NS);
}

/* The highest that the clock can have been at its last request, but for the delay. */
static double hull_now_ns(const struct frame *f)
{
	const struct ntp_client *c = f->c;
	const struct ntp_client_point *a, *last = &f->point[c->points - 1];
	double d = last->d * D_NS, line;

	if (c->points < 2)
		return d;
	a = middle_edge(f);
	line = a->d * D_NS + edge_slope(a, a + 1) * ((last->x - a->x) * TICK_NS);
	return fmax(d, fmin(line, d + f->delay_ns));
}

static void view_error(struct client_view *v, const struct frame *f)
{
	double error_ns = d0_ns(f->c);

	if (ntp_client_follows(f->c) != NTP_CLIENT_FOLLOWS && f->c->points)
		error_ns += hull_now_ns(f);
	v->has_error = true;
	v->error_ns = error_ns + f->quantum_ns / 2 + f->rtt_ns / 2;
	v->error_unc_ns = f->quantum_ns / 2 + f->delay_ns;
	if (f->rtt_ns > 0 && f->samples >= FEW)
		v->error_unc_ns = fmin(v->error_unc_ns, f->quantum_ns / 2 + f->rtt_ns / 2 +
				       LAST_JITTERS * f->jitter_ns + RESOLUTION_NS);
}

/* What the best of several samples may be above the floor. */
static double rest_ns(const struct frame *f)
{
	double rest_ns = JITTERS * (1 + FEW / fmax(f->samples, 1)) * f->jitter_ns + RESOLUTION_NS;

	/* a second and more says nothing of how much more */
	if (f->c->jitter == 0xffff)
		return UNKNOWN_NS;
	if (f->samples >= FEW)
		return rest_ns;
	return ntp_client_follows(f->c) == NTP_CLIENT_FOLLOWS ? fmax(rest_ns, f->delay_ns) :
								f->delay_ns;
}

static void take_drift(struct client_view *v, double drift, double unc)
{
	if (v->has_drift && unc * PPB >= v->drift_unc_ppb)
		return;
	v->drift_ppb = drift * PPB;
	v->drift_unc_ppb = unc * PPB;
	v->has_drift = v->drift_unc_ppb <= CLIENT_VIEW_DRIFT_UNC_MAX_PPB;
}

/* A clock that nobody sets: a slope. */
static void view_slope(struct client_view *v, const struct frame *f)
{
	const struct ntp_client *c = f->c;
	const struct ntp_client_point *a;

	if (c->points < 2)
		return;
	a = middle_edge(f);
	take_drift(v, edge_slope(a, a + 1),
		   (rest_ns(f) + f->quantum_ns) / ((a[1].x - a[0].x) * TICK_NS));
}

/*
 * A clock that each answer sets: what it gains after one.  By itself a length of time says
 * drift and delays together; two lengths tell them apart.
 */
static void view_gain(struct client_view *v, const struct frame *f)
{
	const struct ntp_client_point *p = f->point, *lo = p, *hi = p;
	double rest = rest_ns(f), x_ns;
	double both_ns = f->rtt_ns > 0 ? f->rtt_ns * (1 - RTT_MEAN) : 2 * f->delay_ns;

	/* once is no habit */
	if (!f->c->points || f->samples < HABIT)
		return;
	for (; p < f->point + f->c->points; p++) {
		lo = p->x < lo->x ? p : lo;
		hi = p->x > hi->x ? p : hi;
	}
	x_ns = hi->x * TICK_NS;
	if (hi->x)
		take_drift(v, (hi->d * D_NS + f->rtt_ns * RTT_MEAN + f->quantum_ns / 2) / x_ns,
			   (both_ns + rest + f->quantum_ns / 2) / x_ns);
	if (hi->x != lo->x)
		take_drift(v, edge_slope(lo, hi),
			   (2 * rest + f->quantum_ns) / ((hi->x - lo->x) * TICK_NS));
}

static const char *clock_words(const struct ntp_client *c)
{
	static const char *const follows[] = {
		[NTP_CLIENT_FOLLOWS_UNKNOWN] = "not known yet whether answers set it",
		[NTP_CLIENT_FOLLOWS_NOT] = "runs on as if it had not been answered",
		[NTP_CLIENT_FOLLOWS] = "is set by each answer",
	};

	if (c->t1_class == NTP_CLIENT_T1_UNKNOWN)
		return "not known yet";
	if (!ntp_client_has_clock(c))
		return "opaque";
	return follows[ntp_client_follows(c) % 3];
}

/* The likeliest first: what was seen to be wrong, then what follows from its clock. */
static const char *fast_reason(const struct ntp_client *c)
{
	if (!ntp_client_is_fast(c))
		return NULL;
	if (c->flags & NTP_CLIENT_F_UNSYNC)
		return "it is answered as unsynchronised, which no client accepts";
	if (c->flags & NTP_CLIENT_F_SEVERAL)
		return "several hosts behind one address";
	if (c->t1_class == NTP_CLIENT_T1_CONSTANT || (c->flags & NTP_CLIENT_F_REPEATS))
		return "it sends one request again and again: no answer reaches it, or it "
		       "cannot tell them apart";
	if (c->t1_class == NTP_CLIENT_T1_ZERO)
		return "its T1 is zero, and it may refuse answers that repeat that";
	if (c->flags & NTP_CLIENT_F_TOLD)
		return "it was told to ask less often, and does not";
	if (ntp_client_follows(c) == NTP_CLIENT_FOLLOWS)
		return "it takes the answers: its interval is set too short, or hosts of one kind "
		       "share its address";
	if (ntp_client_follows(c) == NTP_CLIENT_FOLLOWS_NOT)
		return "its clock ignores the answers: it refuses them, or they do not reach it";
	return "its interval is set too short, or no answer reaches it";
}

static int64_t ago_ns(int64_t now_ns, uint32_t tick)
{
	return (int64_t)(ntp_client_tick(now_ns) - tick) << NTP_CLIENT_TICK_LOG2NS;
}

void client_view(struct client_view *v, const struct ntp_client_record *r, int64_t now_ns,
		 const struct client_path *path)
{
	const struct ntp_client *c = &r->client;
	struct frame f = frame_of(r, path);

	*v = (struct client_view){
		.quantum_ns = f.quantum_ns,
		.interval_ns = interval_of(c),
		.first_ago_ns = ago_ns(now_ns, c->first),
		.last_ago_ns = ago_ns(now_ns, c->last),
		.answered = c->requests - c->dropped,
		.t1 = ntp_client_t1_name(c->t1_class),
		.quirk = ntp_client_quirk_name(c->quirk),
		.clock = clock_words(c),
		.reason = fast_reason(c),
	};
	if (!ntp_client_has_clock(c))
		return;
	view_error(v, &f);
	if (ntp_client_follows(c) == NTP_CLIENT_FOLLOWS_NOT)
		view_slope(v, &f);
	if (ntp_client_follows(c) == NTP_CLIENT_FOLLOWS)
		view_gain(v, &f);
}
