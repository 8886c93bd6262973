/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What answers take, as ntpkctl stats --hist shows it.
 */
#ifndef NTPKCTL_HIST_H
#define NTPKCTL_HIST_H

#include <json-c/json.h>
#include "ctl/ctl.h"
#include "nl/ntpk_nl.h"

/**
 * hist_json() - histograms and the worst answers
 * @hist: from the module
 * @raw_ns: CLOCK_MONOTONIC_RAW now, for the age of the worst
 *
 * Return: a new object with "residence", "t2_age" and "worst".
 */
struct json_object *hist_json(const struct ntpk_nl_hist *hist, uint64_t raw_ns);

/**
 * hist_quantile_ns() - what so many of a histogram are within
 * @buckets: NTPK_HIST_BUCKETS counts by log2 of nanoseconds
 * @part: of all, 0..1
 *
 * Return: the upper end of the bucket that the quantile is in; 0 of an empty one.
 */
uint64_t hist_quantile_ns(const uint64_t *buckets, double part);

/**
 * hist_print() - draw them
 * @ctl: options
 * @hist: from hist_json()
 */
void hist_print(const struct ctl *ctl, struct json_object *hist);

#endif /* NTPKCTL_HIST_H */
