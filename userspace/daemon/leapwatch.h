/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the configured lists of leap seconds say of the next one.  The files
 * are read again when they change.  Event loop only.
 */
#ifndef NTPKD_LEAPWATCH_H
#define NTPKD_LEAPWATCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>
#include "daemon/conf.h"
#include "daemon/leaplist.h"

/**
 * struct leapwatch_file - one list
 * @list: as read
 * @usable: it could be read
 * @expired: it was said to be
 * @mtime: of the file that was read, as @size and @ino
 */
struct leapwatch_file {
	struct leaplist list;
	bool	 usable;
	bool	 expired;
	struct timespec mtime;
	off_t	 size;
	ino_t	 ino;
};

/**
 * struct leapwatch - all; zeroed = nothing read yet
 * @lists: leapseclist
 * @zone: leapsectz
 */
struct leapwatch {
	struct leapwatch_file lists;
	struct leapwatch_file zone;
};

/* LEAPWATCH_NONE: a list that is in force has none to come */
enum leapwatch_answer { LEAPWATCH_UNKNOWN, LEAPWATCH_NONE, LEAPWATCH_NEXT };

/**
 * leapwatch_next() - the next leap second; reads what changed
 * @w: lists
 * @conf: where the lists are
 * @unix_s: now
 * @out: filled when there is one
 * @last: the one before, leap NTP_LEAP_NONE = not known
 *
 * A list that is broken or expired is warned about once and ignored.
 *
 * Return: what is known; the sources decide where that is nothing.
 */
enum leapwatch_answer leapwatch_next(struct leapwatch *w, const struct conf *conf,
				     int64_t unix_s, struct leaplist_entry *out,
				     struct leaplist_entry *last);

#endif /* NTPKD_LEAPWATCH_H */
