/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon in numbers, in Prometheus' text format: the same text for
 * `ntpkctl metrics` and the file of the directive `metricsfile`.
 * Event loop only.
 */
#ifndef NTPKD_METRICS_TEXT_H
#define NTPKD_METRICS_TEXT_H

#include <stdio.h>

struct ntpkd;

/**
 * metrics_write() - all metrics as of now
 * @d: the daemon
 * @out: where to; the caller looks at ferror()
 *
 * Base units (seconds, ratios), `# HELP` and `# TYPE` before each family,
 * counters end in _total; what is not known is left out.
 */
void metrics_write(struct ntpkd *d, FILE *out);

/**
 * metrics_text() - the same as a string
 * @d: the daemon
 *
 * Return: malloc()ed text, NULL when memory is out.
 */
char *metrics_text(struct ntpkd *d);

#endif /* NTPKD_METRICS_TEXT_H */
