/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * runtime.conf in savedir: what ntpkctl --save keeps, one line of the
 * configuration each, read after everything else.  Event loop only; the
 * file is written by whom the caller names.
 */
#ifndef NTPKD_RUNTIME_H
#define NTPKD_RUNTIME_H

#include <stddef.h>
#include "daemon/conf.h"
#include "daemon/saver.h"

#define RUNTIME_WHY_LEN	512

/**
 * struct runtime_writer - who writes the file
 * @saver: its thread
 * @done: called when it is written, or could not be; perhaps at once
 * @ctx: for it
 */
struct runtime_writer {
	struct saver *saver;
	saver_done *done;
	void	*ctx;
};

/**
 * runtime_parse() - one line of runtime.conf on top of a configuration
 * @conf: configuration; unspecified when it fails, but safe to clean
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
 * runtime_names_upstream() - is it a line about an upstream?
 * @line: text
 *
 * Return: whether it begins with `server`, `pool` or `removed`.
 */
bool runtime_names_upstream(const char *line);

/**
 * runtime_setting() - a setting as the tables have it
 * @name: in any case of letters
 *
 * Return: its name; NULL: no such directive, or none that can be saved.
 */
const char *runtime_setting(const char *name);

/**
 * runtime_add_upstream() - keep an upstream over restarts
 * @conf: running configuration
 * @up: upstream; a saved line of the same name goes
 * @why: RUNTIME_WHY_LEN bytes, filled when it fails
 * @w: who writes it; NULL: this call
 *
 * Return: 0 or -errno, the file then being untouched and @w not called.
 */
int runtime_add_upstream(const struct conf *conf, const struct conf_upstream *up, char *why,
			 const struct runtime_writer *w);

/**
 * runtime_del_upstream() - keep an upstream away over restarts
 * @conf: running configuration; what its file names gets a `removed` line
 * @name: of the upstream
 * @why: RUNTIME_WHY_LEN bytes, filled when it fails
 * @w: as above
 *
 * Return: 0 or -errno, the file then being untouched and @w not called.
 */
int runtime_del_upstream(const struct conf *conf, const char *name, char *why,
			 const struct runtime_writer *w);

/**
 * runtime_set() - keep a setting, or a line of allow or deny
 * @conf: running configuration
 * @line: as runtime_parse() takes it; of a directive that stands once the saved
 *	line goes
 * @why: RUNTIME_WHY_LEN bytes, filled when it fails
 * @w: who writes it; NULL: this call
 *
 * Return: 0 or -errno, the file then being untouched and @w not called.
 */
int runtime_set(const struct conf *conf, const char *line, char *why,
		const struct runtime_writer *w);

/**
 * runtime_unset() - keep a setting no longer
 * @conf: running configuration
 * @name: of the directive; all of its saved lines go
 * @why: RUNTIME_WHY_LEN bytes, filled when it fails
 * @w: who writes it; NULL: this call
 *
 * Return: 0 or -errno, the file then being untouched and @w not called; -ENOENT: none
 * was kept.
 */
int runtime_unset(const struct conf *conf, const char *name, char *why,
		  const struct runtime_writer *w);

#endif /* NTPKD_RUNTIME_H */
