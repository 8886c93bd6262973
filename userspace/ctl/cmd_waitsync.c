// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ntpkctl waitsync: return when the system clock is right, for scripts and
 * units that must not start earlier.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "ctl/ctl.h"
#include "ctl/fmt.h"

/* struct limits - @tries: 0 = for ever; @max_error_s: 0 = any */
struct limits {
	long	 tries;
	double	 max_error_s;
	double	 interval_s;
};

static int parse_seconds(const char *s, const char *name, double max, double *out)
{
	char *end;

	errno = 0;
	*out = strtod(s, &end);
	if (end == s || *end || errno || !isfinite(*out) || *out < 0 || *out > max) {
		fprintf(stderr, "ntpkctl: waitsync: %s must be seconds from 0 to %g\n", name, max);
		return CTL_USAGE;
	}
	return CTL_OK;
}

static int parse_limits(int argc, char **argv, struct limits *l)
{
	char *end;

	*l = (struct limits){ .interval_s = 10 };
	if (argc > 0) {
		errno = 0;
		l->tries = strtol(argv[0], &end, 10);
		if (end == argv[0] || *end || errno || l->tries < 0 || l->tries > INT32_MAX) {
			fprintf(stderr, "ntpkctl: waitsync: TRIES must be a whole number from 0 "
				"(for ever) to %d\n", INT32_MAX);
			return CTL_USAGE;
		}
	}
	if (argc > 1 && parse_seconds(argv[1], "MAX_ERROR_S", 1e6, &l->max_error_s) != CTL_OK)
		return CTL_USAGE;
	if (argc > 2 && parse_seconds(argv[2], "INTERVAL_S", 86400, &l->interval_s) != CTL_OK)
		return CTL_USAGE;
	return CTL_OK;
}

/*
 * The system clock's distance to served time, and what that may be off itself.
 * Own time at a local stratum is not synchronised, as with chronyc.
 */
static bool is_right(struct json_object *d, const struct limits *l, double *error_s)
{
	int64_t offset_ns, est_ns;
	const char *state = fmt_str(d, "state");

	*error_s = NAN;
	if (!fmt_bool(d, "synchronised") || !state || strcmp(state, "synchronised") != 0)
		return false;
	if (!fmt_int(d, "clock_offset_ns", &offset_ns) || !fmt_int(d, "est_error_ns", &est_ns))
		return false;
	*error_s = (fabs((double)offset_ns) + (double)est_ns) / 1e9;
	return l->max_error_s == 0 || *error_s <= l->max_error_s;
}

static void sleep_s(double s)
{
	struct timespec ts = { .tv_sec = (time_t)s };

	ts.tv_nsec = (long)((s - (double)ts.tv_sec) * 1e9);
	while (nanosleep(&ts, &ts) < 0 && errno == EINTR)
		;
}

static void report(const struct ctl *ctl, long try, struct json_object *d, double error_s)
{
	char state[FMT_TEXT_MAX], offset[FMT_MAX], error[FMT_MAX];

	if (ctl->json)
		return;
	printf("try %ld: %s, clock offset %s, error %s\n", try,
	       fmt_safe(state, sizeof(state), fmt_str(d, "state")),
	       fmt_member_ns(offset, d, "clock_offset_ns", true),
	       isnan(error_s) ? "-" : fmt_ns(error, (int64_t)(error_s * 1e9), false));
	fflush(stdout);
}

/* Return: CTL_OK when the clock is right, CTL_TIMEOUT when not yet, or an error. */
static int one_try(const struct ctl *ctl, const struct limits *l, long try, struct ctl_error *err)
{
	struct json_object *answer, *data;
	double error_s;
	int ret;

	ret = ctl_request(ctl, "status", NULL, NULL, &answer, err);
	if (ret != CTL_OK) {
		if (!ctl->json && ret == CTL_NO_DAEMON)
			printf("try %ld: no answer from ntpkd\n", try);
		return ret;
	}
	json_object_object_get_ex(answer, "data", &data);
	ret = CTL_OK;
	if (!is_right(data, l, &error_s))
		ret = ctl_set_error(err, CTL_TIMEOUT, "timeout", "not synchronised within the "
				    "limits after %ld tries", try);
	report(ctl, try, data, error_s);
	if (ret == CTL_OK && ctl->json)
		ctl_print_json(answer);
	json_object_put(answer);
	return ret;
}

int cmd_waitsync(const struct ctl *ctl, int argc, char **argv)
{
	struct ctl_error err;
	struct limits l;
	long try;
	int ret;

	if (parse_limits(argc, argv, &l) != CTL_OK)
		return CTL_USAGE;
	for (try = 1;; try++) {
		ret = one_try(ctl, &l, try, &err);
		if (ret == CTL_OK)
			return CTL_OK;
		/* A daemon that is not there may be about to start. */
		if (ret == CTL_ERROR || try == l.tries || !strcmp(err.code, "no-permission"))
			return ctl_fail(ctl, &err, NULL);
		sleep_s(l.interval_s);
	}
}
