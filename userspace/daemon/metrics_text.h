/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon in numbers, in Prometheus' text format: the same text for
 * `ntpkctl metrics` and the file of the directive `metricsfile`.
 * Event loop only.
 */
#ifndef NTPKD_METRICS_TEXT_H
#define NTPKD_METRICS_TEXT_H

#include <stdbool.h>
#include <stdio.h>

struct metrics_run;
struct ntpkd;

/**
 * metrics_begin() - begin the text
 * @d: the daemon
 *
 * Return: for the functions below, NULL when memory is out.
 */
struct metrics_run *metrics_begin(struct ntpkd *d);

/**
 * metrics_more() - another part, a fraction of a millisecond's work
 * @m: of metrics_begin()
 * @out: where to; the caller looks at ferror()
 *
 * Base units (seconds, ratios), `# HELP` and `# TYPE` before each family,
 * counters end in _total; what is not known is left out.
 *
 * Return: false when that was the last part.
 */
bool metrics_more(struct metrics_run *m, FILE *out);

/** metrics_end() - free it; NULL is fine */
void metrics_end(struct metrics_run *m);

#endif /* NTPKD_METRICS_TEXT_H */
