// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The drift file.  Called from the event loop.
 */
#include "daemon/drift.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DRIFT_TEXT_MAX	128
#define DRIFT_PPM_MAX	500000.0
#define SKEW_PPM_MAX	1000000.0
#define PPB_PER_PPM	1000.0
#define SD_MIN_PPB	1.0

static int read_text(const char *path, char text[DRIFT_TEXT_MAX], char *why, size_t why_len)
{
	int fd = replace_open(path);
	ssize_t len = fd;
	int err = -fd;

	if (fd >= 0) {
		len = read(fd, text, DRIFT_TEXT_MAX - 1);
		err = errno;
		close(fd);
	}
	if (len < 0) {
		snprintf(why, why_len, "%s", strerror(err));
		return -err;
	}
	text[len] = '\0';
	if (strlen(text) != (size_t)len) {
		snprintf(why, why_len, "not text");
		return -EINVAL;
	}
	if (!len || text[len - 1] != '\n') {
		snprintf(why, why_len, len ? "truncated: the line has no end" : "empty");
		return -EINVAL;
	}
	return 0;
}

static int parse_text(const char *text, double *freq_ppm, double *skew_ppm,
		      char *why, size_t why_len)
{
	char *end, *end2;

	*freq_ppm = strtod(text, &end);
	*skew_ppm = strtod(end, &end2);
	if (end == text || end2 == end || end2[strspn(end2, " \t\r\n")]) {
		snprintf(why, why_len, "not two numbers, frequency and skew in ppm");
		return -EINVAL;
	}
	if (!isfinite(*freq_ppm) || fabs(*freq_ppm) > DRIFT_PPM_MAX) {
		snprintf(why, why_len, "frequency %g ppm is absurd, the limit is %g ppm",
			 *freq_ppm, DRIFT_PPM_MAX);
		return -EINVAL;
	}
	if (!isfinite(*skew_ppm) || *skew_ppm < 0 || *skew_ppm > SKEW_PPM_MAX) {
		snprintf(why, why_len, "skew %g ppm is absurd, it must be 0 to %g ppm",
			 *skew_ppm, SKEW_PPM_MAX);
		return -EINVAL;
	}
	return 0;
}

int drift_read(const char *path, double *freq_ppb, double *sd_ppb, char *why, size_t why_len)
{
	char text[DRIFT_TEXT_MAX];
	double freq_ppm, skew_ppm;
	int err;

	err = read_text(path, text, why, why_len);
	if (!err)
		err = parse_text(text, &freq_ppm, &skew_ppm, why, why_len);
	if (err)
		return err;
	*freq_ppb = -freq_ppm * PPB_PER_PPM;
	*sd_ppb = fmax(skew_ppm * PPB_PER_PPM, SD_MIN_PPB);
	return 0;
}

void drift_write(struct saver *s, const char *path, double freq_ppb, double sd_ppb,
		 saver_done *done, void *ctx)
{
	const struct replace how = { .mode = 0640, .sync = true };
	char text[DRIFT_TEXT_MAX];
	int len;

	if (!isfinite(freq_ppb) || !isfinite(sd_ppb) ||
	    fabs(freq_ppb) > DRIFT_PPM_MAX * PPB_PER_PPM) {
		done(ctx, -EINVAL);
		return;
	}
	len = snprintf(text, sizeof(text), "%20.6f %20.6f\n", -freq_ppb / PPB_PER_PPM,
		       fmin(sd_ppb / PPB_PER_PPM, SKEW_PPM_MAX));
	saver_put(s, path, text, (size_t)len, &how, done, ctx);
}
