// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Selection, see select.h.  Pure, no locking.  Offsets are differences to the
 * line and so stay exact in int64_t; what is compared for order has ties
 * broken by id, so that the order of the sources cannot matter.
 */
#include "select.h"

#include <math.h>

#define SELECT_MIN_SURVIVORS	3	/* RFC 5905 NMIN: cluster stops there */
/* Intervals are at least so wide: servers claim less error than they have. */
#define SELECT_MIN_DIST_NS	500000

struct edge {
	int64_t	 at_ns;
	int	 type;		/* -1 = an interval begins, +1 = it ends */
};

static int64_t half_width_ns(const struct select_source *s)
{
	return s->root_dist_ns > SELECT_MIN_DIST_NS ? s->root_dist_ns : SELECT_MIN_DIST_NS;
}

static bool edge_before(const struct edge *a, const struct edge *b)
{
	return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->type < b->type;
}

static void edge_insert(struct edge *v, size_t n, struct edge e)
{
	for (; n && edge_before(&e, &v[n - 1]); n--)
		v[n] = v[n - 1];
	v[n] = e;
}

static size_t list_edges(struct select_source *const *c, size_t n, struct edge *v)
{
	size_t i;

	for (i = 0; i < n; i++) {
		int64_t w = half_width_ns(c[i]);

		edge_insert(v, 2 * i, (struct edge){ c[i]->offset_ns - w, -1 });
		edge_insert(v, 2 * i + 1, (struct edge){ c[i]->offset_ns + w, 1 });
	}
	return 2 * n;
}

/*
 * Marzullo as modified by Mills: the smallest interval that holds a point of
 * all but the fewest sources, these being a minority.  Midpoints are not asked
 * to lie in it (as in the reference implementation since 4.2): a far source
 * with a wide interval is right as long as it overlaps.
 */
static bool intersect(struct select_source *const *c, size_t n, int64_t *low_ns, int64_t *high_ns)
{
	struct edge v[2 * ENGINE_MAX_SOURCES];
	size_t edges = list_edges(c, n, v), allow, i;
	int chime, need;

	for (allow = 0; 2 * allow < n; allow++) {
		need = (int)(n - allow);
		for (i = 0, chime = 0; i < edges; i++) {
			chime -= v[i].type;
			if (chime >= need)
				break;
		}
		if (i == edges)
			continue;
		*low_ns = v[i].at_ns;
		for (i = edges, chime = 0; i-- > 0;) {
			chime += v[i].type;
			if (chime >= need)
				break;
		}
		*high_ns = v[i].at_ns;
		return true;
	}
	return false;
}

static bool overlaps(const struct select_source *s, int64_t low_ns, int64_t high_ns)
{
	int64_t w = half_width_ns(s);

	return s->offset_ns - w <= high_ns && s->offset_ns + w >= low_ns;
}

/* RFC 5905's order of merit: stratum first, then root distance. */
static double merit(const struct select_source *s, const struct select_policy *p)
{
	return (double)s->stratum * (double)p->max_distance_ns + (double)s->root_dist_ns;
}

static bool better(const struct select_source *a, const struct select_source *b,
		   const struct select_policy *p)
{
	double ma = merit(a, p), mb = merit(b, p);

	return ma != mb ? ma < mb : a->id < b->id;
}

static size_t candidates(struct select_source *s, size_t n, const struct select_policy *p,
			 struct select_source **c)
{
	size_t i, k, len = 0;

	for (i = 0; i < n; i++) {
		s[i].weight = 0;
		if (!s[i].candidate)
			continue;
		if (s[i].root_dist_ns > p->max_distance_ns) {
			s[i].state = SRC_DISTANT;
			continue;
		}
		for (k = len++; k && better(&s[i], c[k - 1], p); k--)
			c[k] = c[k - 1];
		c[k] = &s[i];
	}
	return len;
}

static size_t keep_flagged(struct select_source **c, size_t n, uint32_t flag,
			   struct select_source **kept)
{
	size_t i, len = 0;

	for (i = 0; i < n; i++)
		if (c[i]->flags & flag)
			kept[len++] = c[i];
	return len;
}

/*
 * Splits the candidates into truechimers (moved to the front) and others.
 * Trusted sources, where there are any, decide among themselves.
 * Return: the number of truechimers, 0 without a majority.
 */
static size_t truechimers(struct select_source **c, size_t n)
{
	struct select_source *trusted[ENGINE_MAX_SOURCES] = { NULL };
	size_t i, len = 0, t = keep_flagged(c, n, SOURCE_F_TRUST, trusted);
	int64_t low_ns = 0, high_ns = 0;
	bool found;

	found = t ? intersect(trusted, t, &low_ns, &high_ns) : intersect(c, n, &low_ns, &high_ns);
	for (i = 0; i < n; i++) {
		if (!found)
			c[i]->state = SRC_NO_MAJORITY;
		else if (!overlaps(c[i], low_ns, high_ns))
			c[i]->state = SRC_FALSETICKER;
		else
			c[len++] = c[i];
	}
	return len;
}

static double spread(struct select_source *const *c, size_t n, size_t i)
{
	double d, sum = 0;
	size_t k;

	for (k = 0; k < n; k++) {
		d = (double)(c[k]->offset_ns - c[i]->offset_ns);
		sum += d * d;
	}
	return sqrt(sum / (double)(n > 1 ? n - 1 : 1));
}

/* RFC 5905 11.2.2: the one farthest from the rest goes, while that helps. */
static size_t cluster(struct select_source **c, size_t n)
{
	double worst, least;
	size_t i, w;

	while (n > SELECT_MIN_SURVIVORS) {
		worst = -1;
		least = INFINITY;
		for (i = 0, w = 0; i < n; i++) {
			double d = spread(c, n, i);

			if (d >= worst) {	/* of equals the last in merit */
				worst = d;
				w = i;
			}
			least = fmin(least, (double)c[i]->jitter_ns);
		}
		if (worst <= least || c[w]->flags & (SOURCE_F_PREFER | SOURCE_F_TRUST))
			break;
		c[w]->state = SRC_OUTLIER;
		for (n--; w < n; w++)
			c[w] = c[w + 1];
	}
	return n;
}

static size_t prefer(struct select_source **c, size_t n)
{
	struct select_source *preferred[ENGINE_MAX_SOURCES] = { NULL };
	size_t i, len = keep_flagged(c, n, SOURCE_F_PREFER, preferred);

	if (!len)
		return n;
	for (i = 0; i < n; i++)
		c[i]->state = SRC_OUTLIER;
	for (i = 0; i < len; i++)
		c[i] = preferred[i];
	return len;
}

static void combine(struct select_source **c, size_t n, struct select_result *out)
{
	double sum = 0, offset = 0, var = 0, d;
	size_t i;

	for (i = 0; i < n; i++)
		sum += 1 / (double)half_width_ns(c[i]);
	for (i = 0; i < n; i++) {
		c[i]->weight = 1 / (double)half_width_ns(c[i]) / sum;
		/* Against the first, or years would swallow nanoseconds. */
		d = (double)(c[i]->offset_ns - c[0]->offset_ns);
		offset += c[i]->weight * d;
		var += c[i]->weight * d * d;
		c[i]->state = SRC_SURVIVOR;
	}
	out->survivors = (unsigned int)n;
	out->offset_ns = c[0]->offset_ns + (int64_t)floor(offset + 0.5);
	out->jitter_ns = (int64_t)ceil(sqrt(fmax(var - offset * offset, 0)));
}

/* The best survivor; the present one stays while it is no worse in stratum. */
static struct select_source *choose(struct select_source **c, size_t n, uint32_t present)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (c[i]->id == present && c[i]->stratum <= c[0]->stratum &&
		    c[i]->root_dist_ns / 2 <= half_width_ns(c[0]))
			return c[i];
	return c[0];
}

static void refuse(struct select_source **c, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		c[i]->state = SRC_NO_MAJORITY;
}

static bool required_missing(const struct select_source *s, size_t n,
			     struct select_source **c, size_t len)
{
	struct select_source *kept[ENGINE_MAX_SOURCES];
	bool required = false;
	size_t i;

	for (i = 0; i < n; i++)
		required |= !!(s[i].flags & SOURCE_F_REQUIRE);
	return required && !keep_flagged(c, len, SOURCE_F_REQUIRE, kept);
}

void select_run(struct select_source *s, size_t n, const struct select_policy *policy,
		struct select_result *out)
{
	static const struct select_result nothing = { .syspeer = ENGINE_NO_SOURCE };
	struct select_source *c[ENGINE_MAX_SOURCES] = { NULL }, *peer;
	size_t len;

	*out = nothing;
	len = candidates(s, n, policy, c);
	len = truechimers(c, len);
	if (!len)
		return;
	if (len < policy->min_sources || required_missing(s, n, c, len)) {
		refuse(c, len);
		return;
	}
	len = prefer(c, len);
	len = cluster(c, len);
	combine(c, len, out);
	peer = choose(c, len, policy->syspeer);
	peer->state = SRC_SYSPEER;
	out->selected = true;
	out->syspeer = peer->id;
}
