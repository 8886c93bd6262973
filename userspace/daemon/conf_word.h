/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lower half of the configuration parser: a line as words with their
 * columns, values with their limits, and errors that point at a word.
 * Process context; everything is in struct conf_line, on the caller's stack.
 */
#ifndef NTPKD_CONF_WORD_H
#define NTPKD_CONF_WORD_H

#include "daemon/conf.h"

#define CONF_LINE_MAX	4096	/* bytes, without the newline */
#define CONF_WORDS_MAX	32	/* more than any directive can take */

/* struct conf_word - @text ends with NUL; @column counts bytes from 1 */
struct conf_word {
	const char *text;
	unsigned int column;
};

/**
 * struct conf_line - one line being parsed
 * @file: name for messages
 * @number: of the line
 * @diag: where errors go
 * @errors: how many were reported for this line
 * @next: index of the word to be looked at next
 * @len: number of words
 * @end_column: one past the last word, for what is missing
 * @words: the words
 * @buf: their storage
 */
struct conf_line {
	const char *file;
	unsigned int number;
	const struct conf_diag *diag;
	unsigned int errors;
	unsigned int next;
	unsigned int len;
	unsigned int end_column;
	struct conf_word words[CONF_WORDS_MAX];
	char buf[CONF_LINE_MAX + 1];
};

/**
 * conf_line_error() - report one error
 * @l: line
 * @column: from 1
 * @fmt: printf-like
 *
 * Return: -EINVAL, for the caller to hand on.
 */
__attribute__((format(printf, 3, 4)))
int conf_line_error(struct conf_line *l, unsigned int column, const char *fmt, ...);

/**
 * conf_line_split() - check the bytes and cut them into words
 * @l: with @file, @number and @diag set
 * @text: the line without newline, any bytes
 * @len: its length
 *
 * Return: 0 (no words: empty or a comment) or -EINVAL, reported.
 */
int conf_line_split(struct conf_line *l, const char *text, size_t len);

/**
 * conf_line_word() - take the next word
 * @l: line
 * @after: what it belongs to, for the message
 * @what: what is expected, e.g. "a path"
 *
 * Return: the word, or NULL when the line has ended, reported.
 */
const struct conf_word *conf_line_word(struct conf_line *l, const char *after, const char *what);

/**
 * conf_line_end() - refuse what is left of the line
 * @l: line
 * @after: the directive, for the message
 *
 * Return: 0 or -EINVAL, reported.
 */
int conf_line_end(struct conf_line *l, const char *after);

/**
 * conf_line_int() - take a whole number
 * @l: line
 * @name: of the directive or option it belongs to
 * @min: smallest accepted
 * @max: largest accepted
 * @out: filled
 *
 * Return: 0 or -EINVAL, reported.
 */
int conf_line_int(struct conf_line *l, const char *name, int64_t min, int64_t max, int64_t *out);

/**
 * conf_line_seconds() - take seconds, with up to nine decimals
 * @l: line
 * @name: of the directive
 * @min_ns: smallest accepted
 * @max_ns: largest accepted
 * @out_ns: filled
 *
 * Return: 0 or -EINVAL, reported.
 */
int conf_line_seconds(struct conf_line *l, const char *name, int64_t min_ns, int64_t max_ns,
		      int64_t *out_ns);

/**
 * conf_line_decimal() - take a number with up to nine decimals
 * @l: line
 * @name: of the directive
 * @unit: "seconds", "ppm"
 * @min_nano: smallest accepted, in 10^-9 of the unit
 * @max_nano: largest accepted
 * @out_nano: filled
 *
 * Return: 0 or -EINVAL, reported.
 */
int conf_line_decimal(struct conf_line *l, const char *name, const char *unit, int64_t min_nano,
		      int64_t max_nano, int64_t *out_nano);

/**
 * conf_line_unknown() - refuse a word that is in no table, with what is accepted
 * @l: line
 * @w: the word
 * @of: directive whose option it would be, NULL = it should be a directive
 * @names: i-th accepted word; NULL ends them
 * @ctx: handed to @names
 *
 * Return: -EINVAL, reported: the reason for a known word of chrony's, else the
 * word that was probably meant and all that is accepted.
 */
int conf_line_unknown(struct conf_line *l, const struct conf_word *w, const char *of,
		      const char *(*names)(const void *ctx, size_t i), const void *ctx);

/**
 * conf_line_option() - take the next word as an option that may be given once
 * @l: line, with a word left
 * @of: directive
 * @names: i-th accepted word, at most 32; NULL ends them
 * @ctx: handed to @names
 * @given: those that were given, by bits; the new one is added
 *
 * Return: its index, or -EINVAL, reported.
 */
int conf_line_option(struct conf_line *l, const char *of,
		     const char *(*names)(const void *ctx, size_t i), const void *ctx,
		     unsigned int *given);

/**
 * conf_format_decimal() - "86400" or "-0.000001", as one would write it
 * @buf: out
 * @len: of @buf
 * @nano: in 10^-9 of the unit
 *
 * Return: @buf.
 */
const char *conf_format_decimal(char *buf, size_t len, int64_t nano);

/**
 * conf_line_choice() - take one of two words
 * @l: line
 * @name: of the directive
 * @yes: first word
 * @no: second word
 * @out: true for @yes
 *
 * Return: 0 or -EINVAL, reported.
 */
int conf_line_choice(struct conf_line *l, const char *name, const char *yes, const char *no,
		     bool *out);

/**
 * conf_nearest() - the accepted word that was probably meant
 * @word: what was written
 * @names: i-th accepted word; NULL ends them
 * @ctx: handed to @names
 *
 * Return: a word of @names, or NULL when none is near.
 */
const char *conf_nearest(const char *word, const char *(*names)(const void *ctx, size_t i),
			 const void *ctx);

/**
 * conf_host_check() - is this a host name or a numeric unicast address?
 * @name: as written
 *
 * Return: NULL when fine, else a static text that says what is wrong.
 */
const char *conf_host_check(const char *name);

/**
 * conf_host_same() - do two valid names mean the same?
 * @a: name or address
 * @b: name or address
 *
 * Case and a final dot of names and the spelling of addresses do not matter.
 *
 * Return: true when they do.
 */
bool conf_host_same(const char *a, const char *b);

/**
 * conf_host_key() - a number by which names can be told apart quickly
 * @name: valid name or address
 *
 * Return: the same for names of which conf_host_same() is true.
 */
uint32_t conf_host_key(const char *name);

/**
 * conf_upstream_words() - a `server` or `pool` line that has been cut
 * @up: filled
 * @l: words; the first is the directive
 *
 * Return: 0 or -EINVAL, reported.
 */
int conf_upstream_words(struct conf_upstream *up, struct conf_line *l);

#endif /* NTPKD_CONF_WORD_H */
