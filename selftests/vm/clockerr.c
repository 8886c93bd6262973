// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Give the clock of a test machine an error: a step, a frequency, a tick.
 * Refuses anywhere but in a test machine, since it sets CLOCK_REALTIME.
 */
#define _GNU_SOURCE
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#define MAX_FREQ_PPM	500.0
#define PPM_PER_TICK	100.0	/* one microsecond in each 10 ms (USER_HZ 100) */
#define TICK_US		10000
#define NSEC_PER_SEC	1000000000LL

static int usage(FILE *to)
{
	fputs("usage: clockerr [--step-ms MS] [--ppm PPM] [--tick US] [--show]\n"
	      "  --step-ms  step the clock forward (or back, when negative)\n"
	      "  --ppm      run fast by PPM; beyond 500 the tick takes the rest\n"
	      "  --tick     microseconds per 1/100 s, 9000 to 11000\n"
	      "  --show     print frequency and tick\n", to);
	return to == stderr ? 2 : 0;
}

static double number(const char *text)
{
	char *end;
	double v = strtod(text, &end);

	if (end == text || *end || !isfinite(v))
		exit(usage(stderr));
	return v;
}

static void adjust(struct timex *tx)
{
	if (clock_adjtime(CLOCK_REALTIME, tx) >= 0)
		return;
	perror("clockerr: clock_adjtime");
	exit(1);
}

static void step(double ms)
{
	struct timex tx = { .modes = ADJ_SETOFFSET | ADJ_NANO };
	long long ns = llround(ms * 1e6);

	tx.time.tv_sec = ns / NSEC_PER_SEC;
	tx.time.tv_usec = ns % NSEC_PER_SEC;
	if (tx.time.tv_usec < 0) {
		tx.time.tv_usec += NSEC_PER_SEC;
		tx.time.tv_sec--;
	}
	adjust(&tx);
}

static void set_ppm(double ppm)
{
	struct timex tx = { .modes = ADJ_FREQUENCY };

	if (fabs(ppm) > MAX_FREQ_PPM) {
		double ticks = round(ppm / PPM_PER_TICK);

		tx.modes |= ADJ_TICK;
		tx.tick = TICK_US + (long)ticks;
		ppm -= ticks * PPM_PER_TICK;
	}
	tx.freq = lround(ppm * 65536);
	adjust(&tx);
}

static void set_tick(double us)
{
	struct timex tx = { .modes = ADJ_TICK, .tick = lround(us) };

	adjust(&tx);
}

static void show(void)
{
	struct timex tx = { 0 };

	adjust(&tx);
	printf("freq_ppm=%.3f tick_us=%ld\n", tx.freq / 65536.0, tx.tick);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "step-ms", required_argument, NULL, 's' },
		{ "ppm", required_argument, NULL, 'p' },
		{ "tick", required_argument, NULL, 't' },
		{ "show", no_argument, NULL, 'w' },
		{ "help", no_argument, NULL, 'h' },
		{ }
	};
	int c;

	if (access("/out/rig.env", R_OK)) {
		fputs("clockerr: not in a test machine: the clock is left alone\n", stderr);
		return 1;
	}
	if (argc < 2)
		return usage(stderr);
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 's':
			step(number(optarg));
			break;
		case 'p':
			set_ppm(number(optarg));
			break;
		case 't':
			set_tick(number(optarg));
			break;
		case 'w':
			show();
			break;
		case 'h':
			return usage(stdout);
		default:
			return usage(stderr);
		}
	}
	return optind == argc ? 0 : usage(stderr);
}
