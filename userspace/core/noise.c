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
/* The slope: memory of its sums, and from how many standard deviations on it counts. */
#define SLOPE_MEMORY	0.995
#define SLOPE_SIGMAS	4.0
#define SLOPE_MIN	0.25	/* less may be a mixture of laws, not a slope */
#define SLOPE_MAX	0.5

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
	n->scale_ns = ((double)kth(v, n->len, n->len / 2) - n->floor_ns) / MEDIAN_EXCESS;
	/* two of a few may be equal by chance; the mean is the safer, if spoilt by spikes */
	if (n->len < FEW)
		n->scale_ns = fmax(n->scale_ns, (sum / n->len - n->floor_ns) / 2);
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
	n->slope = n->sw = n->swe = n->swv = n->swee = n->swev = 0;
}

static void note_route(struct noise *n, double delay_ns)
{
	double far_ns = fmax(CHANGE_SCALES * n->scale_ns, CHANGE_MIN_NS);

	if (n->len <= CHANGE_LEN)
		return;
	n->high = delay_ns > n->floor_ns + far_ns ? n->high + 1 : 0;
	if (n->high >= CHANGE_LEN)
		forget(n, CHANGE_LEN);
	else if (delay_ns < n->floor_ns - far_ns)
		forget(n, 1);
}

void noise_add(struct noise *n, int64_t delay_ns)
{
	n->delay_ns[n->next] = delay_ns < UINT32_MAX ? (uint32_t)delay_ns : UINT32_MAX;
	n->next = (n->next + 1) % NOISE_LEN;
	if (n->len < NOISE_LEN)
		n->len++;
	note_route(n, (double)delay_ns);
	evaluate(n);
}

/*
 * The true floor is still below the least of n delays, by scale * sqrt(pi / 2n)
 * in the mean: the density of a sum of two exponentials rises linearly from 0.
 * With one or two delays nothing is known but that floor itself.
 */
static double missing_ns(const struct noise *n)
{
	double len = n->len;

	return n->scale_ns * sqrt(M_PI / (2 * len)) * (1 + 12 / len) + n->floor_ns / (4 * len * len);
}

double noise_var_ns2(const struct noise *n, int64_t delay_ns, int64_t err_ns)
{
	double e_ns = (double)delay_ns, err = (double)err_ns;

	if (n->len)
		e_ns = fmax(e_ns - n->floor_ns, 0) + missing_ns(n);
	/* of what is left when the slope is known: nothing, were all of it one way */
	e_ns *= sqrt(fmax(1 - 4 * n->slope * n->slope, 0.05));
	/* two stamps, each uniform within half of the bound, and half of each counts */
	return e_ns * e_ns / 12 + err * err / 24;
}

double noise_bias_ns(const struct noise *n, int64_t delay_ns)
{
	return n->slope * fmax((double)delay_ns - n->floor_ns, 0);
}

void noise_learn(struct noise *n, int64_t delay_ns, double innov_ns, double var_ns2)
{
	double e = (double)delay_ns - n->floor_ns, w = 1 / fmax(var_ns2, 1), see, sd;

	n->sw = SLOPE_MEMORY * n->sw + w;
	n->swe = SLOPE_MEMORY * n->swe + w * e;
	n->swv = SLOPE_MEMORY * n->swv + w * innov_ns;
	n->swee = SLOPE_MEMORY * n->swee + w * e * e;
	n->swev = SLOPE_MEMORY * n->swev + w * e * innov_ns;
	see = n->swee - n->swe * n->swe / n->sw;
	n->slope = 0;
	if (n->len < FEW || see <= 0)
		return;
	n->slope = (n->swev - n->swe * n->swv / n->sw) / see;
	sd = 1 / sqrt(see);
	if (fabs(n->slope) < SLOPE_MIN + SLOPE_SIGMAS * sd)
		n->slope = 0;
	n->slope = fmax(-SLOPE_MAX, fmin(SLOPE_MAX, n->slope));
}
