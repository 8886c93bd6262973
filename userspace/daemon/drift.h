/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The drift file: frequency and its uncertainty across restarts.  Format and
 * sign are chrony's, so that either daemon reads the other's: one line of two
 * numbers, the ppm by which the *uncorrected clock is fast* and the skew in
 * ppm.  Ours has the opposite sign: freq_ppb > 0 means the clock is slow.
 */
#ifndef NTPKD_DRIFT_H
#define NTPKD_DRIFT_H

#include <stddef.h>
#include "daemon/saver.h"

/**
 * drift_read() - what was known when the daemon last ran
 * @path: of the file
 * @freq_ppb: out, UTC against the local timescale
 * @sd_ppb: out, its standard deviation
 * @why: out, what is wrong with the file
 * @why_len: of @why
 *
 * Return: 0; -ENOENT without a file; -EINVAL for contents that are refused;
 * other -errno.  Nothing is written but @why unless 0.
 */
int drift_read(const char *path, double *freq_ppb, double *sd_ppb, char *why, size_t why_len);

/**
 * drift_write() - replace the file, atomically
 * @s: who writes it; NULL: this call
 * @path: of the file
 * @freq_ppb: UTC against the local timescale
 * @sd_ppb: its standard deviation
 * @done: told 0 or -errno, the old file then being untouched
 * @ctx: for it
 */
void drift_write(struct saver *s, const char *path, double freq_ppb, double sd_ppb,
		 saver_done *done, void *ctx);

#endif /* NTPKD_DRIFT_H */
