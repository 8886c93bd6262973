/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files of state, replaced whole or not at all.  replace_file() waits for the
 * disk, in whatever thread calls it; replace_say() is the loop's.
 */
#ifndef NTPKD_REPLACE_H
#define NTPKD_REPLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/**
 * struct replace - how a file is to be written
 * @mode: permissions, whatever the umask
 * @sync: wait until it is on the disk before it takes the old one's place
 * @mtime_unix_ns: modification time to set, 0 = leave it to the system clock
 */
struct replace {
	mode_t	 mode;
	bool	 sync;
	long long mtime_unix_ns;
};

/**
 * replace_file() - new contents for a file, atomically
 * @path: of the file; beside it PATH.new is used
 * @text: contents
 * @len: bytes
 * @how: see there
 *
 * No link is followed: whoever can write the folder gains nothing.
 *
 * Return: 0 or -errno, the old file then being untouched.
 */
int replace_file(const char *path, const void *text, size_t len, const struct replace *how);

/**
 * replace_open() - such a file, to be read
 * @path: of the file
 *
 * No link is followed, and nothing but a regular file is read: whoever can write the
 * folder gains nothing by what root reads there.
 *
 * Return: a descriptor, or -errno: -ELOOP for a link, -EMEDIUMTYPE for what is no
 * regular file.
 */
int replace_open(const char *path);

/**
 * replace_say() - report a failure when it begins, changes or ends
 * @last: errno that was said last, 0 at first
 * @err: of replace_file()
 * @what: kind of file, e.g. "driftfile"
 * @path: of it
 */
void replace_say(int *last, int err, const char *what, const char *path);

#endif /* NTPKD_REPLACE_H */
