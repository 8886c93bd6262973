/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The saved time: an instant that has certainly passed, kept over a restart
 * for machines without a battery.  One line of decimal seconds since 1970 in
 * FOLDER/time; the file's modification time says the same, for people.
 */
#ifndef NTPKD_SAVED_H
#define NTPKD_SAVED_H

#include <stddef.h>
#include <stdint.h>
#include "daemon/saver.h"

#define SAVED_NAME	"time"

/**
 * saved_read() - the saved time
 * @dir: folder
 * @not_before_unix_ns: what is earlier is refused
 * @unix_ns: out
 * @why: out, what is wrong with the file
 * @why_len: of @why
 *
 * Return: 0; -ENOENT without a file; -EINVAL for contents that are refused;
 * other -errno.  Nothing is written but @why unless 0.
 */
int saved_read(const char *dir, int64_t not_before_unix_ns, int64_t *unix_ns, char *why,
	       size_t why_len);

/**
 * saved_write() - replace the saved time, atomically
 * @s: who writes it; NULL: this call
 * @dir: folder
 * @unix_ns: an instant that has certainly passed
 * @done: told 0 or -errno, the old file then being untouched
 * @ctx: for it
 */
void saved_write(struct saver *s, const char *dir, int64_t unix_ns, saver_done *done, void *ctx);

#endif /* NTPKD_SAVED_H */
