// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Selection, see select.h.  Pure, no locking.  Offsets are differences to the
 * line and so stay exact in int64_t; what is compared for order has ties
 * broken by id, so that the order of the sources cannot matter.
 */
#include "select.h"

#include <math.h>
#include "sort.h"

#define SELECT_MIN_SURVIVORS	3	/* RFC 5905 NMIN: cluster stops there */
/*
 * An outlier is so many times its own jitter away.  RFC 5905 compares with the
 * least jitter of any: of good sources it keeps those whose last samples happen to
 * agree, which is to choose by the very errors that are to be measured.
 */
#define SELECT_OUTLIER_SD	3
/*
 * Nor does one teach the line that claims an error so many times what most claim at most: its
 * samples count by their noise, not by what it says of itself, and it may be off by all that
 * it claims.  As chrony's combinelimit, but that is by the best one's claim: a liar's may be
 * as small as he likes, and would leave nobody but himself.
 */
#define SELECT_COMBINE_LIMIT	3
/* Intervals are at least so wide: servers claim less error than they have. */
#define SELECT_MIN_DIST_NS	500000

static int64_t at_least_ns(int64_t dist_ns)
{
	return dist_ns > SELECT_MIN_DIST_NS ? dist_ns : SELECT_MIN_DIST_NS;
}

static int64_t half_width_ns(const struct select_source *s)
{
	return at_least_ns(s->root_dist_ns);
}

/* An edge as one number: its place, and in the lowest bit whether an interval ends there. */
static int64_t edge(int64_t at_ns, int end)
{
	return 2 * at_ns + end;
}

static int64_t edge_at_ns(int64_t e)
{
	return (e - (e & 1)) / 2;
}

static bool edge_before(const void *a, const void *b)
{
	return *(const int64_t *)a < *(const int64_t *)b;
}

static size_t list_edges(struct select_source *const *c, size_t n, int64_t *v)
{
	size_t i;

	for (i = 0; i < n; i++) {
		int64_t w = half_width_ns(c[i]);

		v[2 * i] = edge(c[i]->offset_ns - w, 0);
		v[2 * i + 1] = edge(c[i]->offset_ns + w, 1);
	}
	sort_heap(v, 2 * n, sizeof(*v), edge_before);
	return 2 * n;
}

/*
 * Marzullo as modified by Mills: the smallest interval that holds a point of
 * all but the fewest sources, these being a minority.  Midpoints are not asked
 * to lie in it (as in the reference implementation since 4.2): a far source
 * with a wide interval is right as long as it overlaps.
 */
static bool intersect(struct select_source *const *c, size_t n, int64_t *v, int64_t *low_ns,
		      int64_t *high_ns)
{
	size_t edges = list_edges(c, n, v), chime = 0, most = 0, i;

	for (i = 0; i < edges; i++) {
		chime = v[i] & 1 ? chime - 1 : chime + 1;
		if (chime > most) {
			most = chime;
			*low_ns = edge_at_ns(v[i]);
		}
	}
	if (2 * most <= n)
		return false;
	for (i = edges, chime = 0; i-- > 0;) {
		chime = v[i] & 1 ? chime + 1 : chime - 1;
		if (chime == most)
			break;
	}
	*high_ns = edge_at_ns(v[i]);
	return true;
}

static bool overlaps(const struct select_source *s, int64_t low_ns, int64_t high_ns)
{
	int64_t w = half_width_ns(s);

	return s->offset_ns - w <= high_ns && s->offset_ns + w >= low_ns;
}

/* RFC 5905's order of merit: stratum first, then root distance. */
static bool better(const struct select_source *a, const struct select_source *b)
{
	return a->merit != b->merit ? a->merit < b->merit : a->id < b->id;
}

static bool better_ptr(const void *a, const void *b)
{
	return better(*(struct select_source *const *)a, *(struct select_source *const *)b);
}

static size_t candidates(struct select_source *s, size_t n, const struct select_policy *p,
			 struct select_source **c)
{
	size_t i, len = 0;

	for (i = 0; i < n; i++) {
		s[i].weight = 0;
		if (!s[i].candidate)
			continue;
		if (s[i].root_dist_ns > p->max_distance_ns) {
			s[i].state = SRC_DISTANT;
			continue;
		}
		s[i].merit = (double)s[i].stratum * (double)p->max_distance_ns +
			     (double)s[i].root_dist_ns;
		c[len++] = &s[i];
	}
	sort_heap(c, len, sizeof(c[0]), better_ptr);
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
static size_t truechimers(const struct select_work *w, size_t n)
{
	struct select_source **c = w->c;
	size_t i, len = 0, t = keep_flagged(c, n, SOURCE_F_TRUST, w->kept);
	int64_t low_ns = 0, high_ns = 0;
	bool found;

	found = intersect(t ? w->kept : c, t ? t : n, w->edges, &low_ns, &high_ns);
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

static bool offset_before(const void *a, const void *b)
{
	const struct select_source *x = *(struct select_source *const *)a;
	const struct select_source *y = *(struct select_source *const *)b;

	return x->offset_ns < y->offset_ns;
}

/*
 * The sources that are left in clustering: a row by offset, of which only the
 * ends can be farthest from the rest; sums of their offsets (against the
 * first's, for precision) and squares.
 */
struct cluster {
	struct select_source **row;
	size_t	 low;
	size_t	 high;			/* the last */
	int64_t	 origin_ns;
	double	 sum;
	double	 squares;
};

static double place(const struct cluster *k, const struct select_source *s)
{
	return (double)(s->offset_ns - k->origin_ns);
}

static void cluster_init(struct cluster *k, const struct select_work *w, size_t n)
{
	double x;
	size_t i;

	*k = (struct cluster){ .row = w->kept, .high = n - 1, .origin_ns = w->c[0]->offset_ns };
	for (i = 0; i < n; i++) {
		w->c[i]->state = SRC_SURVIVOR;
		k->row[i] = w->c[i];
		x = place(k, w->c[i]);
		k->sum += x;
		k->squares += x * x;
	}
	sort_heap(k->row, n, sizeof(k->row[0]), offset_before);
}

/* RMS distance of one from the others. */
static double spread(const struct cluster *k, const struct select_source *s)
{
	double n = (double)(k->high - k->low + 1), x = place(k, s);

	return sqrt(fmax(k->squares - 2 * x * k->sum + n * x * x, 0) / fmax(n - 1, 1));
}

/* Of equal offsets at an end of the row, the last in merit is to stand outermost. */
static void order_end(struct cluster *k, size_t end, int step)
{
	size_t i, w = end;

	for (i = end; i >= k->low && i <= k->high; i += (size_t)step) {
		if (k->row[i]->offset_ns != k->row[end]->offset_ns)
			break;
		if (better(k->row[w], k->row[i]))
			w = i;
	}
	if (w != end) {
		struct select_source *s = k->row[w];

		k->row[w] = k->row[end];
		k->row[end] = s;
	}
}

static struct select_source *farthest(struct cluster *k, double *how_far)
{
	double low, high;
	bool up;

	order_end(k, k->low, 1);
	order_end(k, k->high, -1);
	low = spread(k, k->row[k->low]);
	high = spread(k, k->row[k->high]);
	up = high > low || (high == low && better(k->row[k->low], k->row[k->high]));
	*how_far = up ? high : low;
	return k->row[up ? k->high : k->low];
}

static void cast_out(struct cluster *k, struct select_source *s)
{
	double x = place(k, s);

	s->state = SRC_OUTLIER;
	k->sum -= x;
	k->squares -= x * x;
	if (s == k->row[k->low])
		k->low++;
	else
		k->high--;
}

static bool is_flagged(const struct select_source *s)
{
	return s->flags & (SOURCE_F_PREFER | SOURCE_F_TRUST);
}

/* RFC 5905 11.2.2: the one farthest from the rest goes, while its noise does not explain that. */
static size_t cluster(const struct select_work *w, size_t n)
{
	struct select_source *s;
	struct cluster k;
	size_t i, len = 0;
	double how_far;

	cluster_init(&k, w, n);
	while (k.high - k.low + 1 > SELECT_MIN_SURVIVORS) {
		s = farthest(&k, &how_far);
		if (how_far <= SELECT_OUTLIER_SD * (double)s->jitter_ns || is_flagged(s))
			break;
		cast_out(&k, s);
	}
	for (i = 0; i < n; i++)
		if (w->c[i]->state != SRC_OUTLIER)
			w->c[len++] = w->c[i];
	return len;
}

/* One that has gone is no measure for those who are there. */
static size_t leave_wide(const struct select_work *w, size_t n)
{
	size_t i, fresh = 0, len = 0;
	int64_t most_ns;

	for (i = 0; i < n; i++)
		if (!w->c[i]->stale)
			w->edges[fresh++] = at_least_ns(w->c[i]->claim_ns);
	if (!fresh)
		return n;
	sort_heap(w->edges, fresh, sizeof(w->edges[0]), edge_before);
	most_ns = SELECT_COMBINE_LIMIT * w->edges[fresh / 2];
	for (i = 0; i < n; i++) {
		if (at_least_ns(w->c[i]->claim_ns) <= most_ns || is_flagged(w->c[i]))
			w->c[len++] = w->c[i];
		else
			w->c[i]->state = SRC_OUTLIER;
	}
	return len;
}

static size_t prefer(const struct select_work *w, size_t n)
{
	size_t i, len = keep_flagged(w->c, n, SOURCE_F_PREFER, w->kept);

	if (!len)
		return n;
	for (i = 0; i < n; i++)
		w->c[i]->state = SRC_OUTLIER;
	for (i = 0; i < len; i++)
		w->c[i] = w->kept[i];
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
			     const struct select_work *w, size_t len)
{
	bool required = false;
	size_t i;

	for (i = 0; i < n; i++)
		required |= !!(s[i].flags & SOURCE_F_REQUIRE);
	return required && !keep_flagged(w->c, len, SOURCE_F_REQUIRE, w->kept);
}

void select_run(struct select_source *s, size_t n, const struct select_policy *policy,
		const struct select_work *work, struct select_result *out)
{
	static const struct select_result nothing = { .syspeer = ENGINE_NO_SOURCE };
	struct select_source *peer;
	size_t len;

	*out = nothing;
	len = candidates(s, n, policy, work->c);
	len = truechimers(work, len);
	if (!len)
		return;
	if (len < policy->min_sources || required_missing(s, n, work, len)) {
		refuse(work->c, len);
		return;
	}
	len = prefer(work, len);
	len = cluster(work, len);
	len = leave_wide(work, len);
	combine(work->c, len, out);
	peer = choose(work->c, len, policy->syspeer);
	peer->state = SRC_SYSPEER;
	out->selected = true;
	out->syspeer = peer->id;
}
