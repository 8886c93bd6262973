/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * --save: a change of runtime.conf whose command's answer waits for the disk.
 * Event loop only.
 */
#ifndef NTPKD_COMMAND_KEEP_H
#define NTPKD_COMMAND_KEEP_H

#include "daemon/runtime.h"

struct control_error;
struct ntpkd;

/**
 * keep_change - one change of runtime.conf
 * @conf: running configuration
 * @what: of command_keep()
 * @why: filled when it fails
 * @w: who writes it
 *
 * Return: 0 or -errno.
 */
typedef int keep_change(const struct conf *conf, const void *what, char *why,
			const struct runtime_writer *w);

/**
 * command_keep() - make it
 * @d: daemon
 * @change: makes it
 * @what: its argument
 * @err: filled when it fails: the command's change stays all the same
 *
 * Return: 0, or the command's answer is held until it is written; or -errno.
 */
int command_keep(struct ntpkd *d, keep_change *change, const void *what,
		 struct control_error *err);

/** command_keep_line() - keep_change of a line: runtime_set() */
keep_change command_keep_line;

/**
 * command_keep_first() - report of struct conf_diag: the first complaint is the answer's text
 * @ctx: struct control_error
 * @file: of the text
 * @line: of it
 * @column: of it
 * @text: complaint
 */
void command_keep_first(void *ctx, const char *file, unsigned int line, unsigned int column,
			const char *text);

#endif /* NTPKD_COMMAND_KEEP_H */
