/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lines of a chrony.conf and of the files that it includes, in the order in
 * which chrony reads them.
 */
#ifndef NTPKD_CONF_IMPORT_TEXT_H
#define NTPKD_CONF_IMPORT_TEXT_H

#include <stddef.h>

/**
 * struct import_line - one line
 * @file: where it stands, shared
 * @number: of the line there
 * @text: without newline and final carriage return
 * @word: its directive, "" for comments and empty lines
 */
struct import_line {
	const char *file;
	unsigned int number;
	char	 *text;
	char	 word[24];
};

/* struct import_text - @lines of @len, and the names of @files_len files */
struct import_text {
	struct import_line *lines;
	size_t	 len;
	char	 **files;
	size_t	 files_len;
};

/**
 * import_text_read() - read it all
 * @t: zeroed; safe to clean whatever happens
 * @path: of the file; `include` and `confdir` become comments with the lines of
 *	their files behind
 *
 * Return: 0; -errno; -EFBIG for more lines than any configuration has; -ELOOP for
 * files that include one another.
 */
int import_text_read(struct import_text *t, const char *path);

/** import_text_clean() - free it */
void import_text_clean(struct import_text *t);

#endif /* NTPKD_CONF_IMPORT_TEXT_H */
