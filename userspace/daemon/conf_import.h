/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A chrony.conf as ntpk.conf.  Process context; no global state.
 */
#ifndef NTPKD_CONF_IMPORT_H
#define NTPKD_CONF_IMPORT_H

#include <stdio.h>

enum conf_import_kind {
	CONF_IMPORT_CHANGED,	/* written in another way */
	CONF_IMPORT_NOT_NEEDED,	/* left out, and nothing is lost */
	CONF_IMPORT_LOST,	/* left out, and something is lost */
	CONF_IMPORT_KINDS
};

/**
 * struct conf_import - a conversion
 * @note: told of each line that is not copied as it is
 * @ctx: handed to @note
 * @lines: out, directives that were read
 * @kept: out, directives that were written
 * @notes: out, by kind
 */
struct conf_import {
	void	 (*note)(void *ctx, enum conf_import_kind kind, const char *file,
			 unsigned int line, const char *text);
	void	 *ctx;
	unsigned int lines;
	unsigned int kept;
	unsigned int notes[CONF_IMPORT_KINDS];
};

/**
 * conf_import_kind_name() - the word for a kind, as in JSON
 * @kind: see there
 */
const char *conf_import_kind_name(enum conf_import_kind kind);

/**
 * conf_import() - convert
 * @im: see there
 * @path: of a chrony.conf; the files that it includes are written out in place
 * @out: text of an ntpk.conf that ntpkd accepts
 *
 * What is left out stands there as a comment with its reason.
 *
 * Return: 0, whatever was lost; -errno when @path cannot be read or is too long.
 */
int conf_import(struct conf_import *im, const char *path, FILE *out);

#endif /* NTPKD_CONF_IMPORT_H */
