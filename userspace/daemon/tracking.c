// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is remembered from update to update of the clock, for reports alone.
 * Pure.
 */
#include "daemon/tracking.h"

#include <math.h>

/* The weight of an update in the mean: what `chronyc tracking` calls RMS offset. */
#define WEIGHT	0.1

void tracking_note(struct tracking *t, const struct engine_report *r)
{
	double square_ns2 = (double)r->last_offset_ns * (double)r->last_offset_ns;

	if (r->updates == t->updates || !r->last_update_local_ns)
		return;
	if (t->updates)
		t->mean_square_ns2 += WEIGHT * (square_ns2 - t->mean_square_ns2);
	else
		t->mean_square_ns2 = square_ns2;
	t->interval_ns = t->updates ? r->last_update_local_ns - t->last_local_ns : 0;
	t->last_local_ns = r->last_update_local_ns;
	t->updates = r->updates;
}

double tracking_rms_ns(const struct tracking *t)
{
	return sqrt(t->mean_square_ns2);
}
