/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The directive `metricsfile`: the numbers for a collector of text files,
 * gathered over as many turns of the loop as it takes.  Event loop only.
 */
#ifndef NTPKD_METRICS_FILE_H
#define NTPKD_METRICS_FILE_H

#include <stddef.h>
#include <stdio.h>

struct libevent;
struct metrics_run;
struct ntpkd;

/**
 * struct metrics_file - state of this module
 * @run: a text under way, NULL between two
 * @out: what there is of it ...
 * @text: ... in memory
 * @len: bytes
 * @ev: goes on with the next turn
 * @err: errno of the file that was said last
 */
struct metrics_file {
	struct metrics_run *run;
	FILE	*out;
	char	*text;
	size_t	 len;
	struct libevent *ev;
	int	 err;
};

/**
 * metrics_file_due() - begin to write it, unless the last is still under way
 * @d: the daemon
 *
 * Failures are reported, once.
 */
void metrics_file_due(struct ntpkd *d);

/** metrics_file_close() - the end; a text under way is dropped */
void metrics_file_close(struct ntpkd *d);

#endif /* NTPKD_METRICS_FILE_H */
