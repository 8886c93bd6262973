/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading the clock of a network interface (/dev/ptpN) against CLOCK_MONOTONIC_RAW,
 * by the best means of driver and kernel.  One thread; a reading takes microseconds.
 */
#ifndef NTPKD_PHC_READ_H
#define NTPKD_PHC_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "core/phc.h"
#include "daemon/clocks.h"

/* enum phc_means - how a clock is read, best first */
enum phc_means {
	PHC_PRECISE,		/* the hardware compares both clocks (PTP_SYS_OFFSET_PRECISE) */
	PHC_EXTENDED_RAW,	/* the driver brackets by RAW; Linux 6.12 */
	PHC_EXTENDED,		/* the driver brackets by CLOCK_REALTIME */
	PHC_PLAIN,		/* the kernel brackets the call of the driver by that */
	PHC_MEANS,
};

/**
 * struct phc_reader - an open clock
 * @fd: of /dev/ptpN
 * @means: the first that is not known to fail
 * @failures: of it, in a row
 */
struct phc_reader {
	int	 fd;
	enum phc_means means;
	unsigned int failures;
};

/* struct phc_bracket - a reading between two of a clock of the system */
struct phc_bracket {
	int64_t	 before_ns;
	int64_t	 phc_ns;
	int64_t	 after_ns;
};

/**
 * phc_open() - open a clock; the right to do so is root's
 * @r: filled
 * @index: N of /dev/ptpN
 * @nocrossts: not by PHC_PRECISE
 *
 * Return: 0 or -errno.
 */
int phc_open(struct phc_reader *r, int index, bool nocrossts);

/** phc_close() - close it */
void phc_close(struct phc_reader *r);

/**
 * phc_read() - one reading, the best of some
 * @r: clock
 * @out: filled
 *
 * Return: 0; -ENODEV: the clock has gone; -EAGAIN: the system's was stepped meanwhile,
 * or the clock says what no clock can; other -errno of the driver.
 */
int phc_read(struct phc_reader *r, struct phc_sample *out);

/** phc_means_name() - for people */
const char *phc_means_name(enum phc_means means);

/**
 * phc_tightest() - the reading whose bracket is the narrowest
 * @b: readings
 * @n: how many
 *
 * Return: one of them; NULL when each has its ends the wrong way round.
 */
const struct phc_bracket *phc_tightest(const struct phc_bracket *b, size_t n);

/**
 * phc_to_sample() - a bracket of CLOCK_REALTIME as one of RAW
 * @b: reading
 * @before: both clocks before it
 * @after: and after it
 * @out: filled
 *
 * Return: false when CLOCK_REALTIME was stepped between them.
 */
bool phc_to_sample(const struct phc_bracket *b, const struct clock_pair *before,
		   const struct clock_pair *after, struct phc_sample *out);

#endif /* NTPKD_PHC_READ_H */
