// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Noise from delays, see noise.h.  Pure, no locking.
 */
#include "noise.h"

#include <math.h>
#include <string.h>

/* The median of the sum of two unit exponentials. */
#define MEDIAN_EXCESS	1.678
#define FEW		16
/*
 * A floor is left for another when so many delays in a row lie this many mean
 * excesses above it (chance: 1e-8 for exponential queues), or one below.
 */
#define CHANGE_SCALES	4.0
#define CHANGE_LEN	8
#define CHANGE_MIN_NS	1000.0
#define ROUTE_SIGMAS	4.0
/* A round's least delay exceeds the floor by so much with a chance of 1e-7 only. */
#define ROUND_SCALES	0.6
/* Beyond so many scales a delay counts as slow: 1.7 % of exponential queues' do. */
#define SLOW_SCALES	6.0
#define SLOW_CHANCE	0.0174
#define SLOW_FEW	3
#define SLOW_MIN	0.005
#define SLOW_MAX	0.3
#define FLAT_MIN	0.05
#define EDGE_SCALES	4.0
#define TILT_BOX	2.0	/* rate times excess from which a tilted box is no box */

void noise_flush(struct noise *n)
{
	memset(n, 0, sizeof(*n));
}

/* The k-th smallest, by selection in place (Hoare's quickselect). */
static uint32_t kth(uint32_t *v, unsigned int len, unsigned int k)
{
	unsigned int low = 0, high = len - 1, i, j;
	uint32_t pivot, t;

	while (low < high) {
		pivot = v[low + (high - low) / 2];
		for (i = low, j = high;;) {
			while (v[i] < pivot)
				i++;
			while (v[j] > pivot)
				j--;
			if (i >= j)
				break;
			t = v[i];
			v[i++] = v[j];
			v[j--] = t;
		}
		if (k <= j)
			high = j;
		else
			low = j + 1;
	}
	return v[k];
}

static void evaluate_slow(struct noise *n)
{
	double from_ns = n->floor_ns + SLOW_SCALES * n->scale_ns, sum = 0;
	unsigned int i, slow = 0;

	for (i = 0; i < n->len; i++)
		if (n->delay_ns[i] > from_ns) {
			sum += n->delay_ns[i] - from_ns;
			slow++;
		}
	n->slow = SLOW_MIN;
	n->slow_ns = 2 * SLOW_SCALES * n->scale_ns;
	if (slow < SLOW_FEW)
		return;
	n->slow_ns = fmax(sum / slow, 2 * n->scale_ns);
	/* either way, and beyond where it begins to count */
	n->slow = ((double)slow / n->len - SLOW_CHANCE) / 2 *
		  exp(SLOW_SCALES * n->scale_ns / n->slow_ns);
	n->slow = fmax(SLOW_MIN, fmin(SLOW_MAX, n->slow));
}

static void evaluate(struct noise *n)
{
	uint32_t v[NOISE_LEN];
	double sum = 0;
	unsigned int i;

	memcpy(v, n->delay_ns, n->len * sizeof(v[0]));
	n->floor_ns = v[0];
	for (i = 0; i < n->len; i++) {
		n->floor_ns = fmin(n->floor_ns, v[i]);
		sum += v[i];
	}
	for (i = 0; i < n->blocks && i < NOISE_BLOCKS; i++)
		n->floor_ns = fmin(n->floor_ns, n->block_ns[i]);
	n->scale_ns = ((double)kth(v, n->len, n->len / 2) - n->floor_ns) / MEDIAN_EXCESS;
	/* two of a few may be equal by chance; the mean is the safer, if spoilt by spikes */
	if (n->len < FEW)
		n->scale_ns = fmax(n->scale_ns, (sum / n->len - n->floor_ns) / 2);
	evaluate_slow(n);
}

/* The ring is full once more: its least stays, unless it says that the floor is another. */
static void close_round(struct noise *n)
{
	uint32_t least = n->delay_ns[0];
	unsigned int i;

	for (i = 1; i < NOISE_LEN; i++)
		least = least < n->delay_ns[i] ? least : n->delay_ns[i];
	if (least > n->floor_ns + fmax(ROUND_SCALES * n->scale_ns, CHANGE_MIN_NS))
		n->blocks = 0;
	n->block_ns[n->blocks++ % NOISE_BLOCKS] = least;
	if (n->blocks >= 2 * NOISE_BLOCKS)
		n->blocks -= NOISE_BLOCKS;
}

/* Only the youngest @keep stay. */
static void forget(struct noise *n, unsigned int keep)
{
	uint32_t v[CHANGE_LEN];
	unsigned int i;

	for (i = 0; i < keep; i++)
		v[i] = n->delay_ns[(n->next + NOISE_LEN - keep + i) % NOISE_LEN];
	memcpy(n->delay_ns, v, keep * sizeof(v[0]));
	n->len = keep;
	n->next = keep;
	n->high = 0;
	n->high_sum_ns = 0;
	n->blocks = 0;
	tilt_flush(&n->tilt);
}

/* Return: how many of the youngest delays are of another route, 0 = none. */
static unsigned int another_route(struct noise *n, double delay_ns)
{
	double far_ns = fmax(CHANGE_SCALES * n->scale_ns, CHANGE_MIN_NS);

	if (n->len <= CHANGE_LEN)
		return 0;
	if (delay_ns <= n->floor_ns + far_ns) {
		n->high = 0;
		n->high_sum_ns = 0;
	} else if (++n->high >= CHANGE_LEN) {
		return CHANGE_LEN;
	}
	return delay_ns < n->floor_ns - far_ns ? 1 : 0;
}

/*
 * A route that became longer did so one way, or the other, or both: the line,
 * carried on by samples that were taken for slow ones meanwhile, knows how the
 * offsets have moved since.  Alike both ways unless that is clear.
 */
static void judge_route(struct noise *n, double was_floor_ns, double offset_ns, double sd_ns)
{
	double most_ns;

	if (n->base_ns == 0 || was_floor_ns < n->base_ns)
		n->base_ns = was_floor_ns;
	most_ns = (n->floor_ns - n->base_ns) / 2;
	if (most_ns <= fmax(CHANGE_SCALES * n->scale_ns, CHANGE_MIN_NS) / 2) {
		n->base_ns = n->floor_ns;
		n->bias_ns = 0;
		return;
	}
	n->bias_ns = 0;
	if (fabs(offset_ns) > ROUTE_SIGMAS * sd_ns)
		n->bias_ns = fmax(-most_ns, fmin(most_ns, offset_ns));
}

void noise_follow(struct noise *n, double resid_ns, double line_sd_ns)
{
	if (!n->high)
		return;
	if (n->high == 1)
		n->high_sd_ns = 0;
	n->high_sum_ns += resid_ns;
	n->high_sd_ns = fmax(n->high_sd_ns, line_sd_ns);
}

void noise_add(struct noise *n, int64_t delay_ns)
{
	double was_floor_ns, offset_ns, sd_ns;
	unsigned int keep;

	n->delay_ns[n->next] = delay_ns < UINT32_MAX ? (uint32_t)delay_ns : UINT32_MAX;
	n->next = (n->next + 1) % NOISE_LEN;
	if (n->len < NOISE_LEN)
		n->len++;
	keep = another_route(n, (double)delay_ns);
	was_floor_ns = n->floor_ns;
	/* of the last of them the line has not heard yet */
	offset_ns = n->high_sum_ns / (CHANGE_LEN - 1);
	sd_ns = hypot(n->high_sd_ns, n->scale_ns / sqrt(CHANGE_LEN - 1));
	if (keep)
		forget(n, keep);
	evaluate(n);
	if (keep)
		judge_route(n, was_floor_ns, keep > 1 ? offset_ns : n->bias_ns, keep > 1 ? sd_ns : 0);
	if (n->next == 0) {
		close_round(n);
		evaluate(n);
	}
}

/*
 * Queues of means m and n reach the floor as two of mean sqrt(m n) would.  In units
 * of the scale m + n is 2 to 2.4, and 1/n - 1/m is the tilt's rate.
 */
static double like_ns(const struct noise *n)
{
	double rate = fabs(n->tilt.rate), sum = 2.2, less;

	if (rate == 0)
		return n->scale_ns;
	less = (rate * sum + 2 - sqrt(rate * sum * rate * sum + 4)) / (2 * rate);
	return n->scale_ns * sqrt(less * (sum - less));
}

/*
 * The true floor is still below the least of n delays, by scale * sqrt(pi / 2n)
 * in the mean: the density of a sum of two exponentials rises linearly from 0.
 * With one or two delays nothing is known but that floor itself.
 */
static double missing_ns(const struct noise *n)
{
	double len = n->len + NOISE_LEN * (double)(n->blocks < NOISE_BLOCKS ? n->blocks : NOISE_BLOCKS);

	return like_ns(n) * sqrt(M_PI / (2 * len)) * (1 + 12 / len) + n->floor_ns / (4 * len * len);
}

/* The excess over the floor, and what the floor is still too high by. */
static double excess_ns(const struct noise *n, int64_t delay_ns, double *miss_ns)
{
	*miss_ns = 0;
	if (!n->len)
		return (double)delay_ns;
	*miss_ns = missing_ns(n);
	return fmax((double)delay_ns - n->floor_ns, 0) + *miss_ns;
}

/*
 * Two stamps, each uniform within half of the bound, and half of each counts;
 * the ends of the excess are as uncertain as half the floor.
 */
static double soft_ns2(double miss_ns, int64_t err_ns)
{
	double err = (double)err_ns;

	return err * err / 24 + miss_ns * miss_ns / 16;
}

/* Anywhere in a step, for both of the server's stamps. */
static double step_ns2(int64_t step_ns)
{
	return (double)step_ns * (double)step_ns / 12;
}

double noise_usual_ns(const struct noise *n, int64_t err_ns, int64_t step_ns)
{
	/* half the difference of two exponentials */
	return sqrt(n->scale_ns * n->scale_ns / 2 + soft_ns2(0, err_ns - step_ns) +
		    step_ns2(step_ns));
}

/*
 * How an excess may have come about: both queues usual, or one of them slow, or
 * both slow.  The densities are those of sums of two exponentials.
 */
static void weigh(const struct noise *n, double e_ns, double *flat, double *edge)
{
	double a = n->scale_ns, b = n->slow_ns, p = n->slow;

	*flat = (1 - p) * (1 - p) * e_ns / a / a * exp(-e_ns / a) +
		p * p * e_ns / b / b * exp(-e_ns / b);
	*edge = p * (1 - p) / (b - a) * (exp(-e_ns / b) - exp(-e_ns / a));
	*flat = fmax(*flat, 2 * FLAT_MIN * *edge);
	/* so late that neither has a number: it may be anywhere */
	if (*flat <= 0)
		*flat = 1;
}

/* Queues alike: somewhere in the excess, or near either end if it is a large one. */
static void add_alike(const struct noise *n, double e_ns, double soft, int64_t step_ns,
		      struct law *l)
{
	double flat = 1, edge = 0, in_ns = n->scale_ns, half_ns = e_ns / 2;
	double step_half_ns = (double)step_ns / 2, narrow_ns = fmin(half_ns, step_half_ns);

	if (n->len >= FEW && e_ns > EDGE_SCALES * in_ns && in_ns > 0)
		weigh(n, e_ns, &flat, &edge);
	/* of two boxes the wider one, with edges as soft as the other is wide */
	law_add(l, &(struct law_part){ flat, 0, fmax(half_ns, step_half_ns),
				       soft + narrow_ns * narrow_ns / 3 });
	soft += in_ns * in_ns + step_ns2(step_ns);
	law_add(l, &(struct law_part){ edge, in_ns - half_ns, 0, soft });
	law_add(l, &(struct law_part){ edge, half_ns - in_ns, 0, soft });
}

/* As the tilt has it: hardly, a narrower box; clearly, a Gaussian near one end. */
static void add_tilted(const struct noise *n, double e_ns, double soft, struct law *l)
{
	double per_ns = n->tilt.rate / n->scale_ns, mean, var;
	struct law_part p = { .weight = 1 };

	tilt_moments(per_ns, e_ns, &mean, &var);
	p.mean_ns = mean;
	if (fabs(per_ns) * e_ns < TILT_BOX)
		p.half_ns = sqrt(3 * var);
	p.var_ns2 = soft + (p.half_ns > 0 ? 0 : var);
	law_add(l, &p);
}

void noise_law(const struct noise *n, int64_t delay_ns, int64_t err_ns, int64_t step_ns,
	       struct law *l)
{
	double miss_ns, e_ns = excess_ns(n, delay_ns, &miss_ns);
	double soft = soft_ns2(miss_ns, err_ns - step_ns);
	unsigned int i;

	*l = (struct law){ .scale_ns = n->scale_ns };
	if (n->tilt.rate == 0 || n->scale_ns <= 0 || e_ns > SLOW_SCALES * n->scale_ns)
		add_alike(n, e_ns, soft, step_ns, l);
	else
		add_tilted(n, e_ns, soft + step_ns2(step_ns), l);
	for (i = 0; i < l->parts; i++)
		l->part[i].mean_ns -= n->bias_ns;
	law_close(l);
}

void noise_learn(struct noise *n, int64_t delay_ns, double innov_ns, double line_var_ns2,
		 int64_t err_ns, int64_t step_ns)
{
	double miss_ns, e_ns = excess_ns(n, delay_ns, &miss_ns);
	double soft = soft_ns2(miss_ns, err_ns - step_ns) + step_ns2(step_ns);

	/* of what is slow beyond the usual, there is another law */
	if (n->len >= FEW && e_ns <= SLOW_SCALES * n->scale_ns)
		tilt_learn(&n->tilt, n->scale_ns, e_ns, n->bias_ns - innov_ns,
			   line_var_ns2 + soft);
}
