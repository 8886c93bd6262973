/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Prometheus' text format, line by line (exposition format 0.0.4).
 */
#ifndef NTPKD_METRICS_OUT_H
#define NTPKD_METRICS_OUT_H

#include <stdint.h>
#include <stdio.h>

/* struct metrics_label - one label; @name NULL ends a list of them */
struct metrics_label {
	const char *name;
	const char *value;
};

/**
 * metrics_family() - `# HELP` and `# TYPE`
 * @out: where to
 * @name: of the family
 * @type: "gauge" or "counter"
 * @help: one line
 */
void metrics_family(FILE *out, const char *name, const char *type, const char *help);

/** metrics_count() - a sample that is a whole number; @labels may be NULL */
void metrics_count(FILE *out, const char *name, const struct metrics_label *labels,
		   uint64_t value);

/** metrics_ns() - a sample in seconds, exact to the nanosecond */
void metrics_ns(FILE *out, const char *name, const struct metrics_label *labels,
		int64_t value_ns);

/** metrics_real() - any other sample */
void metrics_real(FILE *out, const char *name, const struct metrics_label *labels,
		  double value);

#endif /* NTPKD_METRICS_OUT_H */
