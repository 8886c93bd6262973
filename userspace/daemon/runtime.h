/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * runtime.conf in savedir: what ntpkctl --save keeps, one line of the
 * configuration each, read after everything else.  Event loop only; a write
 * waits for the disk.
 */
#ifndef NTPKD_RUNTIME_H
#define NTPKD_RUNTIME_H

#include <stddef.h>
#include "daemon/conf.h"

#define RUNTIME_WHY_LEN	512

/**
 * runtime_parse() - one line of runtime.conf on top of a configuration
 * @conf: configuration; unchanged when it fails
 * @line: text, without a newline
 * @file: its name, for messages
 * @diag: errors
 *
 * What runtime.conf may not hold (paths, ports, users) is refused.
 *
 * Return: 0 or -EINVAL, reported.
 */
int runtime_parse(struct conf *conf, const char *line, const char *file,
		  const struct conf_diag *diag);

/**
 * runtime_add_upstream() - keep an upstream over restarts
 * @conf: running configuration
 * @up: upstream; a saved line of the same name goes
 * @why: RUNTIME_WHY_LEN bytes, filled when it fails
 *
 * Return: 0 or -errno, the file then being untouched.
 */
int runtime_add_upstream(const struct conf *conf, const struct conf_upstream *up, char *why);

/**
 * runtime_del_upstream() - keep an upstream away over restarts
 * @conf: running configuration; what its file names gets a `removed` line
 * @name: of the upstream
 * @why: RUNTIME_WHY_LEN bytes, filled when it fails
 *
 * Return: 0 or -errno, the file then being untouched.
 */
int runtime_del_upstream(const struct conf *conf, const char *name, char *why);

/**
 * runtime_set() - keep a setting, or a line of allow or deny
 * @conf: running configuration
 * @line: as runtime_parse() takes it; of a directive that stands once the saved
 *	line goes
 * @why: RUNTIME_WHY_LEN bytes, filled when it fails
 *
 * Return: 0 or -errno, the file then being untouched.
 */
int runtime_set(const struct conf *conf, const char *line, char *why);

#endif /* NTPKD_RUNTIME_H */
