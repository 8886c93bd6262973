/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files of state, written by a thread: a disk may take seconds, and the loop
 * has clients.  One thread, begun with the first file, so after the last of
 * root's rights is gone; files are written in the order in which they came.
 * All functions are the loop's.
 */
#ifndef NTPKD_SAVER_H
#define NTPKD_SAVER_H

#include <stddef.h>
#include "daemon/replace.h"

struct event_base;
struct saver;

/**
 * saver_done - a file is written, or could not be
 * @ctx: of saver_put()
 * @err: 0 or -errno
 *
 * Called in the loop.
 */
typedef void saver_done(void *ctx, int err);

/**
 * saver_open() - prepare, without a thread yet
 * @base: the loop
 *
 * Return: the saver, NULL when memory is out.
 */
struct saver *saver_open(struct event_base *base);

/**
 * saver_close() - wait until all is written, tell of it, end the thread
 * @s: the saver or NULL
 */
void saver_close(struct saver *s);

/**
 * saver_put() - replace a file, as replace_file() does it
 * @s: the saver; NULL: do it at once, in this thread
 * @path: of the file
 * @text: contents, copied
 * @len: bytes
 * @how: copied
 * @done: called when it is done, perhaps before this returns
 * @ctx: for it
 */
void saver_put(struct saver *s, const char *path, const void *text, size_t len,
	       const struct replace *how, saver_done *done, void *ctx);

/**
 * saver_flush() - wait until everything is written
 * @s: the saver or NULL
 *
 * Blocks the loop: for the seldom case in which a file is to be read that has
 * just been written.
 */
void saver_flush(struct saver *s);

/**
 * saver_pending() - what is to become of a file that is not written yet
 * @s: the saver or NULL
 * @path: of it
 * @len: filled: bytes
 *
 * Return: its contents, valid until the loop goes on, or NULL when nothing waits.
 */
const void *saver_pending(struct saver *s, const char *path, size_t *len);

#endif /* NTPKD_SAVER_H */
