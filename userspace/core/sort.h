/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Heap sort in place: qsort(3) may allocate, and insertion is too slow for a
 * thousand sources.  Inline, so that the comparison is too.  Pure; no locking.
 */
#ifndef NTPK_CORE_SORT_H
#define NTPK_CORE_SORT_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define SORT_MAX_SIZE	64	/* of an element */

static inline void sort_sift(char *v, size_t at, size_t n, size_t size,
			     bool (*before)(const void *a, const void *b))
{
	char held[SORT_MAX_SIZE];
	size_t child;

	memcpy(held, v + at * size, size);
	while ((child = 2 * at + 1) < n) {
		if (child + 1 < n && before(v + child * size, v + (child + 1) * size))
			child++;
		if (!before(held, v + child * size))
			break;
		memcpy(v + at * size, v + child * size, size);
		at = child;
	}
	memcpy(v + at * size, held, size);
}

/**
 * sort_heap() - put an array in order
 * @v: array of @n elements
 * @n: how many
 * @size: of each, at most SORT_MAX_SIZE
 * @before: does @a come before @b?  A strict order; equals end in no order.
 */
static inline void sort_heap(void *v, size_t n, size_t size,
			     bool (*before)(const void *a, const void *b))
{
	char held[SORT_MAX_SIZE], *c = v;
	size_t i;

	for (i = n / 2; i-- > 0;)
		sort_sift(c, i, n, size, before);
	for (i = n; i-- > 1;) {
		memcpy(held, c, size);
		memcpy(c, c + i * size, size);
		memcpy(c + i * size, held, size);
		sort_sift(c, 0, i, size, before);
	}
}

#endif /* NTPK_CORE_SORT_H */
