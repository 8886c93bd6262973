// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Prometheus' text format, line by line (exposition format 0.0.4).
 */
#include "daemon/metrics_out.h"

#include <inttypes.h>
#include <stdlib.h>

#define NS_PER_S	1000000000

void metrics_family(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* Only these three must be escaped in a label's value. */
static void put_value(FILE *out, const char *s)
{
	for (; *s; s++) {
		if (*s == '\\' || *s == '"')
			fputc('\\', out);
		if (*s == '\n')
			fputs("\\n", out);
		else
			fputc(*s, out);
	}
}

static void put_name(FILE *out, const char *name, const struct metrics_label *labels)
{
	const struct metrics_label *l;

	fputs(name, out);
	for (l = labels; l && l->name; l++) {
		fprintf(out, "%s%s=\"", l == labels ? "{" : ",", l->name);
		put_value(out, l->value);
		fputc('"', out);
	}
	fputs(l != labels ? "} " : " ", out);
}

void metrics_count(FILE *out, const char *name, const struct metrics_label *labels, uint64_t value)
{
	put_name(out, name, labels);
	fprintf(out, "%" PRIu64 "\n", value);
}

void metrics_ns(FILE *out, const char *name, const struct metrics_label *labels, int64_t value_ns)
{
	uint64_t abs_ns = value_ns < 0 ? -(uint64_t)value_ns : (uint64_t)value_ns;

	put_name(out, name, labels);
	fprintf(out, "%s%" PRIu64 ".%09" PRIu64 "\n", value_ns < 0 ? "-" : "", abs_ns / NS_PER_S,
		abs_ns % NS_PER_S);
}

void metrics_real(FILE *out, const char *name, const struct metrics_label *labels, double value)
{
	put_name(out, name, labels);
	fprintf(out, "%.9g\n", value);
}
